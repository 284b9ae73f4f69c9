"""Which model is asked."""

from __future__ import annotations

from pathlib import Path

from nextword.cli.terminal import say


def asked_model(path: Path | None) -> Path:
    """The model folder at a path; where none is named and there are several, says which it is.

    Args:
        path: a run or model folder; None for the newest run.

    Raises:
        ModelError: there is none.
    """
    from nextword.storage.run_folder import find_model, known_runs

    folder = find_model(path)
    if path is None and len(known_runs()) > 1:
        say(f"asking {folder.parent}, the newest run (--model names another)", err=True)
    return folder
