"""What was trained on what, and how, in words."""

from __future__ import annotations

from nextword.comparison.loaded_run import LoadedRun
from nextword.config import Config
from nextword.errors import NextwordError
from nextword.evaluation.held_out import text_of_run

Facts = list[tuple[str, str]]
"""A title and what it says, in the order in which they are told."""


def facts(loaded_run: LoadedRun) -> Facts:
    """All that is known of how a run came about; of a model without its run, what it is."""
    config = loaded_run.config
    if config is None:
        return _model(loaded_run)
    training = [] if loaded_run.loaded.config.kind == "ngram" else _training(config)
    return [
        *_text(loaded_run, config),
        *_model(loaded_run),
        *training,
        *_course(loaded_run),
    ]


def _text(loaded_run: LoadedRun, config: Config) -> Facts:
    told = [
        ("text", ", ".join(config.text.file_names_of("train", "valid", "test"))),
        ("its SHA-256", loaded_run.record.text_sha256 if loaded_run.record else "-"),
    ]
    try:
        text = text_of_run(loaded_run.folder, loaded_run.loaded.tokenizer)
    except NextwordError:
        return [*told, ("where it is", "not where it was, or not what it was")]
    part = text.parts["train"]
    unknown = 100 * part.unknown / max(len(part.ids), 1)
    lower = ", in small letters" * config.text.lowercase
    return [
        *told,
        ("training part", f"{len(part.ids):,} words, {unknown:.1f} % of them unknown"),
        ("vocabulary", f"{len(text.tokenizer):,} ({config.text.tokenizer} tokenizer{lower})"),
        ("held out", text.held_out.removeprefix("held out: ")),
    ]


def _model(loaded_run: LoadedRun) -> Facts:
    loaded = loaded_run.loaded
    config, count = loaded.config, loaded.parameter_count()
    if config.kind == "ngram":
        return [("model", f"n-grams of up to {config.order} words, {count:,} of them")]
    vectors = (
        "one-hot words"
        if config.input == "one_hot"
        else f"word vectors of {config.embedding_size}" + ", tied" * config.ties
    )
    layers = f"{config.layers} layer{'s' * (config.layers != 1)} of {config.hidden_size} units"
    mixed = loaded.mixture.ngram
    return [
        ("network", f"{config.title}, {layers}, {vectors}; {count:,} learned numbers"),
        *([("mixed with", f"n-grams of up to {mixed.order} words")] if mixed else []),
    ]


def _training(config: Config) -> Facts:
    training, windows = config.training, config.windows
    carried = ", the state carried on" if windows.continuous else ""
    dropout = f"dropout {config.model.dropout:g}"
    return [
        (
            "budget",
            f"{training.budget}, {training.batch_size} windows of {windows.length} words{carried}",
        ),
        (
            "optimizer",
            f"{training.optimizer}, rate {training.learning_rate:.3g} ({training.schedule}), "
            f"{dropout}, gradient clipped at {training.clip_norm:g}, seed {training.seed}",
        ),
        ("loss", training.loss),
    ]


def _course(loaded_run: LoadedRun) -> Facts:
    log, told = loaded_run.log, []
    result = log.result
    if result is not None:
        words = "" if log.words is None else f", {log.words:,} words"
        speed = result.tokens_per_second
        rate = "" if speed is None or log.words is None else f" ({speed:,.0f} words/s)"
        seconds = "" if result.seconds is None else f" in {result.seconds:,.1f} s"
        told.append(("took", f"{result.steps:,} steps{words}{seconds}{rate}"))
    record = loaded_run.record
    if record is None:
        return told
    versions = [f"{name} {getattr(record, name)}" for name in ("nextword", "torch", "python")]
    if loaded_run.loaded.config.kind != "ngram":
        versions.append(f"threads {record.threads}")
    return [*told, ("with", ", ".join(versions))]
