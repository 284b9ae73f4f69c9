"""Writes a model in one of the forms that other programs read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from nextword.inference.loaded_model import LoadedModel
from nextword.storage.files import write_output

Progress = Callable[[str, int, int], object]
"""Receives what is being done, how much is done, and of how much (0: unknown)."""


@dataclass(frozen=True)
class Settings:
    """What to leave out of n-grams, where the format holds n-grams alone."""

    thresholds: Sequence[int] = ()
    """See :func:`~nextword.export.arpa.export_arpa`."""
    max_ngrams: int | None = None
    """See :func:`~nextword.export.arpa.export_arpa`."""


def _write_html(loaded: LoadedModel, path: Path, settings: Settings, progress: Progress) -> str:
    from nextword.export.html import html_page

    progress("packing the model, which takes some seconds", 0, 0)
    write_output(path, html_page(loaded))
    return "open it in a browser"


def _write_onnx(loaded: LoadedModel, path: Path, settings: Settings, progress: Progress) -> str:
    from nextword.export.onnx import left_out, onnx_model

    write_output(path, onnx_model(loaded))
    return left_out(loaded)


def _write_arpa(loaded: LoadedModel, path: Path, settings: Settings, progress: Progress) -> str:
    from nextword.export.arpa import export_arpa

    sizes = export_arpa(
        loaded,
        path,
        settings.thresholds,
        settings.max_ngrams,
        lambda done, total: progress("n-grams written", done, total),
    )
    counts = ", ".join(f"{size:,}" for size in sizes)
    network = "; the network has no place in the format" if loaded.has_network else ""
    return f"n-grams of 1 to {len(sizes)} words: {counts}{network}"


WRITERS: dict[str, Callable[[LoadedModel, Path, Settings, Progress], str]] = {
    "html": _write_html,
    "onnx": _write_onnx,
    "arpa": _write_arpa,
}
"""By the format's name, which is also the file's usual ending. Each returns what to know of the
file, in a few words."""


def export(
    loaded: LoadedModel,
    form: str,
    path: Path,
    settings: Settings | None = None,
    progress: Progress = lambda label, done, total: None,
) -> str:
    """Write a model; a file that was there is replaced once the new one is whole.

    Args:
        loaded: the model.
        form: a key of :data:`WRITERS`.
        path: of the file.
        settings: what to leave out.
        progress: see :data:`Progress`.

    Returns:
        What to know of the file, in a few words; perhaps nothing.

    Raises:
        ModelError: the format cannot hold such a model.
        NextwordError: the file cannot be written, or a library is missing.
    """
    return WRITERS[form](loaded, path, settings or Settings(), progress)
