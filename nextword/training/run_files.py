"""What a run writes down as it goes: its configuration, and a line for each report."""

from __future__ import annotations

import json
import math
import os
import platform
from typing import Any

import torch

from nextword import __version__
from nextword.config import Config, dump_config
from nextword.storage.files import unwritable, write_atomically
from nextword.storage.run_folder import RunFolder
from nextword.text.prepare import EncodedText


def about(config: Config, text: EncodedText) -> Config:
    """The configuration with what else it takes to repeat a run: versions, threads and the text."""
    known: dict[str, str | int | float] = {
        "nextword": __version__,
        "torch": str(torch.__version__),
        "python": platform.python_version(),
        "threads": torch.get_num_threads(),
        "text_sha256": text.sha256,
        "vocabulary_size": len(text.tokenizer),
    }
    return config.model_copy(update={"about": known})


def write_config(folder: RunFolder, config: Config, text: EncodedText) -> None:
    """Write ``config.yaml``: everything resolved, with versions and the text's SHA-256."""
    write_atomically(folder.config, dump_config(about(config, text)))


def log(folder: RunFolder, kind: str, **values: Any) -> None:
    """Append a line to ``metrics.jsonl``; what is not finite becomes null.

    Raises:
        NextwordError: it cannot be written.
    """
    finite = {
        key: None if isinstance(value, float) and not math.isfinite(value) else value
        for key, value in {"kind": kind, **values}.items()
    }
    line = (json.dumps(finite, ensure_ascii=False) + "\n").encode()
    try:
        with folder.metrics.open("ab") as file:
            file.write(line)
    except OSError as error:
        raise unwritable(folder.metrics, error) from error


def logged_bytes(folder: RunFolder) -> int:
    """How long ``metrics.jsonl`` is by now, all of it on the disk.

    Raises:
        NextwordError: it cannot be written.
    """
    if not folder.metrics.exists():
        return 0
    try:
        with folder.metrics.open("ab") as file:
            os.fsync(file.fileno())
            return file.tell()
    except OSError as error:
        raise unwritable(folder.metrics, error) from error


def cut_log(folder: RunFolder, size: int) -> None:
    """Cut ``metrics.jsonl`` back to its first ``size`` bytes, and to whole lines.

    What was logged after the state was saved happens again.

    Raises:
        NextwordError: it cannot be written.
    """
    if not folder.metrics.exists():
        return
    try:
        with folder.metrics.open("rb+") as file:
            kept = file.read(size)
            whole = kept.rfind(b"\n") + 1
            file.truncate(whole)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise unwritable(folder.metrics, error) from error


def describe_text(text: EncodedText) -> str:
    """One line for the screen: how much there is to learn from."""
    part = text.parts["train"]
    unknown = 100 * part.unknown / max(len(part.ids), 1)
    return (
        f"{text.source}: {len(part.ids):,} words to train on, vocabulary {len(text.tokenizer):,} "
        f"({unknown:.1f} % of the words unknown); {text.held_out}"
    )
