"""How runs were trained, in words, and the commands that reproduce them."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence
from typing import Any

from nextword.comparison.loaded_run import LoadedRun
from nextword.config.load import dump_config, parse_assignments
from nextword.config.schema import Config
from nextword.errors import NextwordError
from nextword.evaluation.held_out import text_of_run
from nextword.formatting import counted

Facts = list[tuple[str, str]]
"""Titles and texts, in the order of the page."""
FILE = "again.yaml"
"""The file that the configuration is to be saved as."""
_PLAIN = re.compile(r"[A-Za-z][\w.-]*")


def facts(loaded_run: LoadedRun) -> Facts:
    """The training of a run; for a model folder without a run, only the model."""
    config = loaded_run.config
    if config is None:
        return _model(loaded_run)
    training = _training(config) if loaded_run.loaded.has_network else []
    return [
        *_text(loaded_run, config),
        *_model(loaded_run),
        *training,
        *_result(loaded_run),
        *_versions(loaded_run),
    ]


def _text(loaded_run: LoadedRun, config: Config) -> Facts:
    if not _has_text(config):
        digest = loaded_run.record.text_sha256 if loaded_run.record else "-"
        return [("text", "none: the model was imported"), ("SHA-256 of its files", digest)]
    source = [
        ("text", ", ".join(config.text.file_names_of("train", "valid", "test"))),
        ("its SHA-256", loaded_run.record.text_sha256 if loaded_run.record else "-"),
    ]
    try:
        text = text_of_run(loaded_run.folder, loaded_run.loaded.tokenizer)
    except NextwordError:
        return [*source, ("text now", "moved, deleted or changed since")]
    part = text.parts["train"]
    unknown = 100 * part.unknown / max(len(part.ids), 1)
    lower = ", capitals folded" * config.text.lowercase
    return [
        *source,
        ("training part", f"{len(part.ids):,} words, {unknown:.1f} % of them unknown"),
        ("vocabulary", f"{len(text.tokenizer):,} ({config.text.tokenizer} tokenizer{lower})"),
        ("held out", text.held_out.removeprefix("held out: ")),
    ]


def _has_text(config: Config) -> bool:
    """Whether a run was trained; an imported model has no text."""
    return bool(config.text.files_of("train"))


def _model(loaded_run: LoadedRun) -> Facts:
    loaded = loaded_run.loaded
    config, count = loaded.architecture, loaded.parameter_count()
    if not loaded.has_network:
        return [("model", f"n-grams of up to {config.order} words, {count:,} of them")]
    vectors = (
        "one-hot words"
        if config.input == "one_hot"
        else f"word vectors of {config.embedding_size}" + ", tied" * config.ties
    )
    layers = f"{counted(config.layers, 'layer')} of {config.hidden_size} units"
    mixed = loaded.mixture.ngram
    return [
        ("network", f"{config.title}, {layers}, {vectors}; {count:,} parameters"),
        *([("mixed with", f"n-grams of up to {mixed.order} words")] if mixed else []),
    ]


def _training(config: Config) -> Facts:
    training, windows = config.training, config.windows
    carried = ", hidden state carried over" if windows.continuous else ""
    dropout = f"dropout {config.model.dropout:g}"
    return [
        (
            "budget",
            f"{training.budget}, batches of {training.batch_size} windows of "
            f"{windows.length} words{carried}",
        ),
        (
            "optimizer",
            f"{training.optimizer}, rate {training.learning_rate:.3g} ({training.schedule}), "
            f"{dropout}, gradient clipped at {training.clip_norm:g}, seed {training.seed}",
        ),
        ("loss", training.loss),
    ]


def _result(loaded_run: LoadedRun) -> Facts:
    result, read = loaded_run.log.result, loaded_run.log.words
    if result is None:
        return []
    words = "" if read is None else f", {read:,} words"
    speed = result.tokens_per_second
    rate = "" if speed is None or read is None else f" ({speed:,.0f} words/s)"
    seconds = "" if result.seconds is None else f" in {result.seconds:,.1f} s"
    return [("took", f"{counted(result.steps, 'step')}{words}{seconds}{rate}")]


def _versions(loaded_run: LoadedRun) -> Facts:
    record = loaded_run.record
    if record is None:
        return []
    named = {name: getattr(record, name) for name in ("nextword", "torch", "python")}
    versions = [f"{name} {version}" for name, version in named.items() if version]
    if loaded_run.loaded.has_network:
        versions.append(f"threads {record.threads}")
    return [("with", ", ".join(versions))]


def config_text(loaded_runs: Sequence[LoadedRun]) -> str | None:
    """The configuration of the first run that was trained, as YAML; None if none was."""
    configs = [run.shareable_config for run in _trained(loaded_runs)]
    return dump_config(configs[0]) if configs and configs[0] else None


def _trained(loaded_runs: Sequence[LoadedRun]) -> list[LoadedRun]:
    """The runs that can be trained again."""
    return [run for run in loaded_runs if run.config is not None and _has_text(run.config)]


def commands(loaded_runs: Sequence[LoadedRun]) -> list[str]:
    """The commands that train the runs again from :data:`FILE`, each with the settings that
    differ from the first run's, and the command that makes the page."""
    runs = _trained(loaded_runs)
    if not runs:
        return []
    first, names = _leaves(runs[0]), _new_names(runs)
    lines = []
    for run, name in zip(runs, names, strict=True):
        sets = [
            f"--set {shlex.quote(f'{key}={_set_value(key, value)}')}"
            for key, value in _leaves(run).items()
            if value != first[key]
        ]
        lines.append(" ".join(["nextword train", f"--config {FILE}", f"--run {name}", *sets]))
    return [*lines, " ".join(["nextword report", *names])]


def _new_names(loaded_runs: Sequence[LoadedRun]) -> list[str]:
    """Distinct names for the runs that reproduce others, quoted for a shell."""
    names: list[str] = []
    for run in loaded_runs:
        name, number = f"{run.folder_name}-again", 1
        while name in names:
            number += 1
            name = f"{run.folder_name}-again-{number}"
        names.append(name)
    return [shlex.quote(name) for name in names]


def _leaves(loaded_run: LoadedRun) -> dict[str, Any]:
    config = loaded_run.shareable_config
    assert config is not None
    return dict(config.leaves())


def _set_value(key: str, value: Any) -> str:
    """A value as ``--set`` takes it: bare if it reads back as the same, else as JSON."""
    if isinstance(value, str) and _PLAIN.fullmatch(value):
        if parse_assignments([f"{key}={value}"]) == {key: value}:
            return value
    return json.dumps(value)
