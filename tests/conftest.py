"""What many tests share: a cache of their own, a tiny text, and one real model trained on it."""

from __future__ import annotations

import builtins
import os
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    import numpy as np

    from nextword.comparison.loaded_run import LoadedRun
    from nextword.inference.decoder import Decoder
    from nextword.inference.pytorch import TorchNetwork
    from nextword.text.tokenized import TokenizedText

# the same examples at every run, however slow the machine is
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")

# tiny networks lose more to handing work around than they gain; has to stand before torch
os.environ.setdefault("OMP_NUM_THREADS", "1")

SENTENCES = (
    "the small cat chases the grey mouse.",
    "a young farmer ploughs his wide field.",
    "every old sailor watches the dark sea.",
    "my sister reads another long letter aloud.",
    "nobody believes what the doctor tells them.",
    "seven brave soldiers guard our northern gate.",
    "her uncle never drinks coffee before dinner.",
    "Napoleon was the Emperor of France.",
)


@pytest.fixture(scope="session", autouse=True)
def own_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test sees the user's variables or writes to the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("NEXTWORD_")]:
            patch.delenv(name)
        patch.setenv("NEXTWORD_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def tiny_text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """About 3,000 words: eight sentences in any order, some of them to a paragraph."""
    draw = random.Random(5)
    paragraphs = [" ".join(draw.choices(SENTENCES, k=draw.randint(2, 5))) for _ in range(100)]
    path = tmp_path_factory.mktemp("text") / "tiny.txt"
    path.write_text("\n\n".join(paragraphs) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def tiny_settings(tiny_text: Path) -> dict[str, object]:
    """A configuration by dotted keys that learns :func:`tiny_text` in two seconds."""
    return {
        "text.path": str(tiny_text),
        "text.holdout": {"valid": 0.1, "test": 0.1},
        "windows.length": 12,
        "model.embedding_size": 16,
        "model.hidden_size": 24,
        "model.dropout": 0.0,
        "training.batch_size": 8,
        "training.epochs": 10,
        "training.validations": 4,
        "training.learning_rate": 0.02,
        "training.schedule": "cosine",
        "training.device": "cpu",
        "training.threads": 1,
        "training.activation_penalty": 0.0,
        "training.change_penalty": 0.0,
        "mixture.ngram": False,
    }


@pytest.fixture
def config(tiny_settings: dict[str, object], tmp_path: Path) -> Path:
    """A YAML file that trains on :func:`tiny_text` for one epoch, with two validations."""
    from nextword.config.load import dump_config, load_config

    short = {**tiny_settings, "training.epochs": 1, "training.validations": 2}
    path = tmp_path / "tiny.yaml"
    path.write_text(dump_config(load_config(overrides=short)))
    return path


@pytest.fixture(scope="session")
def tiny_run(
    tiny_settings: dict[str, object], tmp_path_factory: pytest.TempPathFactory
) -> SimpleNamespace:
    """One finished run that tests only read.

    ``home`` is the folder that holds ``runs/``, ``path`` the run folder, ``result`` what
    ``train`` returned.
    """
    from nextword.training.run import train

    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        result = train(dict(tiny_settings), run="tiny")
    return SimpleNamespace(home=home, path=home / "runs" / "tiny", result=result)


@pytest.fixture(scope="session")
def kinds(
    tiny_run: SimpleNamespace,
    tiny_settings: dict[str, object],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A folder whose ``runs/`` has the tiny run, one of each other kind, and two of other words.

    ``tiny`` is an lstm, ``mixed`` a gru with n-grams, ``counted`` n-grams alone; ``fewer`` knows
    fewer words, ``spaced`` splits the text at spaces.
    """
    from nextword.training.run import train

    home = tmp_path_factory.mktemp("kinds")
    others: dict[str, dict[str, object]] = {
        "counted": {"model.kind": "ngram"},
        "mixed": {"model.kind": "gru", "mixture.ngram": True},
        "feedforward": {"model.kind": "feedforward", "model.context": 3},
        "rnn": {"model.kind": "rnn"},
        "fewer": {"vocabulary.max_size": 20},
        "spaced": {"text.tokenizer": "whitespace"},
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        for name, settings in others.items():
            train({**tiny_settings, "training.epochs": 1, **settings}, run=name)
    (home / "runs" / "tiny").symlink_to(tiny_run.path)
    return home


FEW_WORDS = "a an and ant tea ten the then they war was we".split()


@pytest.fixture(scope="session")
def untrained() -> Callable[..., TorchNetwork]:
    """Builds a network of a kind over a dozen words, its weights large enough for states to move
    and for scores to be far from equal."""
    import numpy as np
    import torch

    from nextword.config.schema import ModelConfig
    from nextword.inference.pytorch import TorchNetwork
    from nextword.models.registry import build_network
    from nextword.text.tokenizer import Tokenizer

    def build(**settings: object) -> TorchNetwork:
        torch.manual_seed(4)
        defaults = {"embedding_size": 6, "hidden_size": 10, "context": 3, "layers": 2}
        config = ModelConfig.model_validate({**defaults, **settings})
        tokenizer = Tokenizer(["<unk>", "<eos>", *FEW_WORDS], "words", lowercase=False)
        model = build_network(config, len(tokenizer)).eval()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.copy_(torch.randn_like(parameter) / 2)
        counts = np.ones(len(tokenizer), dtype=np.int64)
        return TorchNetwork(model, tokenizer, config.model_dump(mode="json"), counts)

    return build


@pytest.fixture(scope="session")
def random_text() -> Callable[..., TokenizedText]:
    """Makes a text of random words that those networks know."""
    import numpy as np

    from nextword.text.tokenized import TokenizedText

    def make(words: int, seed: int = 3) -> TokenizedText:
        ids = np.random.default_rng(seed).integers(1, len(FEW_WORDS) + 2, words)
        return TokenizedText(ids, np.ones(words, dtype=np.bool_), [], 5 * words, "a text")

    return make


@pytest.fixture(scope="session")
def mean_surprisal() -> Callable[[Decoder, np.ndarray], float]:
    """Reads a text word by word, each predicted from all before it: nats per word."""
    import numpy as np

    from nextword.text.vocabulary import END_ID

    def measure(decoder: Decoder, ids: np.ndarray) -> float:
        nats, before = 0.0, END_ID
        for target in ids.tolist():
            distributions = decoder.read(np.array([before])).distributions()
            nats -= float(distributions.log_probabilities[0, target])
            before = target
        return nats / len(ids)

    return measure


@pytest.fixture
def cli() -> Callable[..., SimpleNamespace]:
    """Calls the command line in this process: exit code, stdout and stderr.

    It goes through ``main``, not through the group, since errors become exit codes there.
    """
    from click.testing import CliRunner

    from nextword.cli import main

    def call(*args: object, stdin: str | bytes | None = None) -> SimpleNamespace:
        code: Any = None
        with CliRunner().isolation(input=stdin) as streams:
            try:
                main([str(arg) for arg in args])
            except SystemExit as exit:
                code = exit.code
            out, err = streams[0].getvalue(), streams[1].getvalue()
        return SimpleNamespace(code=code, out=out.decode(), err=err.decode())

    return call


@pytest.fixture
def without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which the extra for pictures is not installed."""
    real = builtins.__import__

    def without(name: str, *rest: Any, **named: Any) -> Any:
        if name.split(".")[0] == "matplotlib":
            raise ImportError(name)
        return real(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without)


@pytest.fixture(scope="session")
def held_out() -> Callable[..., TokenizedText]:
    """Makes a text of ids: every word but an end's neighbour has a space behind it."""

    import numpy as np

    from nextword.text.tokenized import TokenizedText

    def make(ids: Sequence[int] | np.ndarray, characters: int = 250) -> TokenizedText:
        numbers = np.array(ids)
        unknown = ["zebra"] * int((numbers == 0).sum())
        spaced = (numbers != 1) & (np.append(numbers[1:], 1) != 1)
        return TokenizedText(numbers, spaced, unknown, characters, "a text")

    return make


@pytest.fixture
def contend(
    untrained: Callable[..., TorchNetwork], random_text: Callable[..., TokenizedText]
) -> Callable[..., LoadedRun]:
    """Makes a contender of some kind; all stand before the same text."""

    from nextword.comparison.loaded_run import LoadedRun
    from nextword.storage.metrics_log import LoggedValidation, RunLog

    def make(name: str, words: int = 1200, **settings: object) -> LoadedRun:
        validations = [
            LoggedValidation(
                kind="valid", step=i, words=100 * i, seconds=0.5 * i, perplexity=90.0 / i
            )
            for i in (1, 2, 3)
        ]
        log = RunLog(validations=validations)
        return LoadedRun(
            name, Path(name), untrained(**settings), random_text(words), None, log, "a text"
        )

    return make
