"""What a run writes down as it goes: its configuration, and a line for each report."""

from __future__ import annotations

import json
import math
import platform
from typing import Any

import torch

from nextword.config import Config, dump_config
from nextword.files import write_atomically
from nextword.runs import RunFolder
from nextword.text.encoded import EncodedText
from nextword.version import __version__


def write_config(folder: RunFolder, config: Config, text: EncodedText) -> None:
    """Write ``config.yaml``: everything resolved, with versions and the text's SHA-256."""
    about: dict[str, str | int | float] = {
        "nextword": __version__,
        "torch": str(torch.__version__),
        "python": platform.python_version(),
        "text_sha256": text.sha256,
        "vocabulary_size": len(text.tokenizer),
    }
    write_atomically(folder.config, dump_config(config.model_copy(update={"about": about})))


def log(folder: RunFolder, kind: str, **values: Any) -> None:
    """Append a line to ``metrics.jsonl``; what is not finite becomes null."""
    finite = {
        key: None if isinstance(value, float) and not math.isfinite(value) else value
        for key, value in {"kind": kind, **values}.items()
    }
    with folder.metrics.open("a", encoding="utf-8") as file:
        file.write(json.dumps(finite, ensure_ascii=False) + "\n")


def describe_text(text: EncodedText) -> str:
    """One line for the screen: how much there is to learn from."""
    part = text.parts["train"]
    unknown = 100 * part.unknown / max(len(part.ids), 1)
    return (
        f"{text.source}: {len(part.ids):,} words to train on, vocabulary {len(text.tokenizer):,} "
        f"({unknown:.1f} % of the words unknown); {text.held_out}"
    )
