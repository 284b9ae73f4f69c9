"""The log of a run: every line that it wrote, and patience with all others."""

from pathlib import Path
from types import SimpleNamespace

from nextword.storage.metrics_log import RunLog, read_log

GOOD = (
    '{"kind": "train", "step": 2, "words": 96, "seconds": 0.5, "loss": 3.5, "of_later": [1]}',
    '{"kind": "train", "step": 3, "words": 144, "seconds": 0.6, "loss": null}',
    '{"kind": "valid", "step": 3, "words": 144, "seconds": 0.7, "perplexity": 20.5, '
    '"samples": {"the": [{"word": "cat", "probability": 0.5}]}}',
    '{"kind": "result", "steps": 3, "valid_perplexity": 21.0, "test_perplexity": null}',
    '{"kind": "result", "steps": 6, "valid_perplexity": 19.0}',
)
BAD = (
    "",
    "[1, 2]",
    "null",
    '{"kind": "train", "step": "3", "words": 1, "seconds": 1}',
    '{"kind": "train", "step": -3, "words": 1, "seconds": 1}',
    '{"kind": "valid", "step": 4, "perplexity": NaN}',
    '{"kind": "valid", "step": 4, "perplexity": 1e300}',
    '{"kind": "valid", "step": 4, "perplexity": 0}',
    '{"kind": "valid", "step": 4, "seconds": -1, "perplexity": 5}',
    '{"kind": "valid", "step": 4, "perplexity": 9, "samples": {"a": [{"word": 1}]}}',
    '{"kind": "other", "step": 4}',
    "[" * 100_000,
    '{"kind": "valid", "samples": "\udcff',
)


def test_lines_are_told_by_their_kinds_and_others_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    mixed = [line for pair in zip(GOOD, BAD, strict=False) for line in pair] + list(BAD[5:])
    path.write_bytes("\n".join(mixed).encode("utf-8", "surrogateescape"))
    log = read_log(path)
    assert [(line.step, line.words, line.loss) for line in log.steps] == [
        (2, 96, 3.5),
        (3, 144, None),
    ]
    (look,) = log.validations
    assert (look.step, look.perplexity, look.samples["the"][0].word) == (3, 20.5, "cat")
    assert log.result is not None and log.result.valid_perplexity == 19.0
    assert len(log.results) == 2 and log.words == 144


def test_a_run_that_has_logged_nothing(tmp_path: Path) -> None:
    log = read_log(tmp_path / "metrics.jsonl")
    assert log == RunLog() and log.result is None and log.words is None


def test_every_line_that_a_training_writes_is_read(tiny_run: SimpleNamespace) -> None:
    path = tiny_run.path / "metrics.jsonl"
    log = read_log(path)
    assert len(log.steps) + len(log.validations) + len(log.results) == len(
        path.read_text().splitlines()
    )
    assert log.result is not None and log.result.steps == tiny_run.result.steps
    assert log.result.tokens_per_second == tiny_run.result.tokens_per_second
    assert [look.step for look in log.validations] == sorted(
        {look.step for look in log.validations}
    )
    assert log.validations[-1].samples.keys() == log.validations[0].samples.keys() != set()
    assert log.words == log.validations[-1].words
