"""The model card of a published model: its README.md with the metadata that the Hub reads.

The metadata is YAML between two lines of dashes; its keys are those of the Hub's model cards.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nextword.config.yaml_text import format_yaml, parse_yaml
from nextword.errors import ModelError
from nextword.hub.hugging_face import LIBRARY, HubRepository
from nextword.hub.registry import Registry
from nextword.inference.model_folder import CARD
from nextword.storage.files import write_atomically
from nextword.storage.run_folder import run_of_model

TASK = "text-generation"
"""The Hub's name for what the model does."""
_FRONT_MATTER = re.compile(r"---\r?\n(.*?)^---[ \t]*\r?\n", re.DOTALL | re.MULTILINE)
_PULL_LINE = re.compile(r"^Get it with `nextword pull .*\n\n?", re.MULTILINE)
_KEPT = ("license", "language", "model-index")
"""Keys that stay as an earlier push has set them."""


@dataclass(frozen=True)
class CardOptions:
    """What only the user knows of a model."""

    license: str | None = None
    """The licence by the Hub's name for it, such as ``cc-by-4.0``."""
    language: str | None = None
    """The text's language by its ISO 639 code, such as ``en``."""


def write_card(
    copy: Path, folder: Path, kind: str, registry: Registry, options: CardOptions
) -> None:
    """Add the metadata to the card in a copy of a model folder.

    Args:
        copy: the folder whose card is written.
        folder: the model folder that it is a copy of, perhaps in its run.
        kind: of the model.
        registry: where it is published.
        options: its licence and language.

    Raises:
        ModelError: the card cannot be read.
    """
    path = copy / CARD
    try:
        text = path.read_text(encoding="utf-8") if path.exists() else "# A next-word predictor\n"
    except UnicodeDecodeError:
        raise ModelError(f"{folder / CARD}: is not UTF-8; rewrite or remove it") from None
    earlier, body = split_card(text, str(folder / CARD))
    metadata: dict[str, Any] = {
        **{key: earlier[key] for key in _KEPT if key in earlier},
        "library_name": LIBRARY,
        "pipeline_tag": TASK,
        "tags": [LIBRARY, "next-word-prediction", "language-model", kind],
    }
    metadata |= {key: value for key, value in vars(options).items() if value is not None}
    if results := measured_results(folder):
        metadata["model-index"] = [{"name": registry.name, "results": results}]
    body = _PULL_LINE.sub("", body).lstrip("\n")
    if isinstance(registry, HubRepository):
        body = f"Get it with `nextword pull {registry.repository}`.\n\n{body}"
    write_atomically(path, f"---\n{format_yaml(metadata)}---\n\n{body}")


def split_card(text: str, source: str) -> tuple[Mapping[str, Any], str]:
    """The metadata of a card, empty where it has none, and the rest.

    Args:
        text: the card.
        source: its path, for the message.

    Raises:
        ConfigError: the metadata is not valid YAML.
    """
    found = _FRONT_MATTER.match(text)
    if found is None:
        return {}, text
    metadata = parse_yaml(f"\n{found[1]}", source)  # lines are numbered as in the card
    return metadata if isinstance(metadata, Mapping) else {}, text[found.end() :]


def measured_results(folder: Path) -> list[dict[str, Any]]:
    """The perplexities in the log of a model's run, as results of a model index.

    Empty where the model has no run beside it, or was trained further since the last result.
    """
    run = run_of_model(folder)
    log = run.log.read() if run.exists else None
    if log is None or log.result is None:
        return []
    if any(validation.step > log.result.steps for validation in log.validations):
        return []
    files = ", ".join(run.read_config().text.file_names_of("train"))
    measured = {
        "validation": log.result.valid_perplexity,
        "test": log.result.test_perplexity,
    }
    return [
        {
            "task": {"type": TASK, "name": "Next-word prediction"},
            "dataset": {"type": "text", "name": files, "split": split},
            "metrics": [{"type": "perplexity", "name": "Perplexity", "value": round(value, 3)}],
        }
        for split, value in measured.items()
        if value is not None
    ]
