"""N-grams as ARPA text: KenLM computes what we compute, and the file reads back as it was."""

from __future__ import annotations

import errno
import gzip
import io
import os
from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from nextword.config.schema import ModelConfig
from nextword.errors import ModelError, NextwordError
from nextword.export.arpa import export_arpa
from nextword.importing.arpa_file import read_arpa
from nextword.importing.interpolation import interpolate
from nextword.inference.loaded_model import LoadedNgrams
from nextword.inference.pytorch import TorchNetwork
from nextword.ngram.model import NgramModel
from nextword.text.tokenizer import Tokenizer
from nextword.text.vocabulary import END, END_ID, UNKNOWN, UNKNOWN_ID

Ids = NDArray[np.int64]
WORDS = [UNKNOWN, END, *"the of a naïve Ωmega ... don't 北京 5.5 \\end\\ never".split()]
"""The last one occurs in no text."""


def random_text(length: int, seed: int = 1) -> Ids:
    """Lines of a few words, some of them unknown, with a preference for some n-grams."""
    draw = np.random.default_rng(seed)
    ids = draw.zipf(1.3, length) % (len(WORDS) - 1)
    return np.append(np.where(draw.random(length) < 0.2, np.roll(ids, 2), ids), END_ID)


def counted(ids: Ids, order: int, words: list[str] = WORDS) -> LoadedNgrams:
    """A model of some text."""
    model = NgramModel.fit(ids, len(words), order)
    described = ModelConfig(kind="ngram", order=order).model_dump(mode="json")
    counts = np.bincount(ids, minlength=len(words))
    return LoadedNgrams(model, Tokenizer(words, "whitespace", False), described, counts)


def log10_of_text(model: NgramModel, ids: Ids) -> NDArray[np.float64]:
    """Our logarithms of each word of a text after all before it."""
    contexts = model.contexts(np.append(END_ID, ids[:-1]), model.initial_context())
    rows = model.probabilities(contexts)
    found: NDArray[np.float64] = np.log10(rows[np.arange(len(ids)), ids].astype(np.float64))
    return found


def kenlms_log10_of_text(path: Path, ids: Ids) -> NDArray[np.float64]:
    """The same by KenLM, line by line; unknown words are spelled as the file never spells them."""
    kenlm = pytest.importorskip("kenlm", reason="KenLM is not installed")
    model = kenlm.Model(str(path))
    logs: list[float] = []
    line: list[str] = []
    for number in ids.tolist():
        if number == END_ID:
            logs += [scored[0] for scored in model.full_scores(" ".join(line))]
            line = []
        else:
            line.append("zzz" if number == UNKNOWN_ID else WORDS[number])
    return np.array(logs)


def read_back(path: Path, words: list[str]) -> tuple[NgramModel, Ids]:
    """The model of a file, and the id there of each of our words."""
    file = read_arpa(path)
    tree = interpolate(file).tree
    order = len(tree.sizes)
    model = NgramModel.from_arrays(tree.arrays(), len(file.words), order, verify=True)
    return model, np.array([file.words.index(word) for word in words])


def every_context(words: int, order: int) -> Ids:
    """All contexts of some words, ``(contexts, order - 1)``."""
    every = list(product(range(words), repeat=order - 1))
    return np.array(every, dtype=np.int64).reshape(len(every), order - 1)


@pytest.mark.parametrize("order", [2, 3, 4, 5])
@pytest.mark.parametrize(
    "pruning", [{}, {"thresholds": (0, 1, 2)}, {"max_ngrams": 60}], ids=["all", "counts", "number"]
)
def test_kenlm_computes_the_same_probabilities(
    order: int, pruning: dict[str, object], tmp_path: Path
) -> None:
    loaded, path = counted(random_text(3000), order), tmp_path / "model.arpa"
    export_arpa(loaded, path, **pruning)  # type: ignore[arg-type]
    held_out = random_text(500, seed=2)
    assert {UNKNOWN_ID, END_ID} <= {*held_out.tolist()}
    model, numbers = (loaded.model, None) if not pruning else read_back(path, WORDS)
    ours = log10_of_text(model, held_out if numbers is None else numbers[held_out])
    np.testing.assert_allclose(kenlms_log10_of_text(path, held_out), ours, atol=1e-5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


texts = st.lists(st.integers(0, 5), min_size=1, max_size=80).map(lambda ids: np.array(ids))


@settings(max_examples=60)
@given(texts, st.integers(1, 5))
def test_a_file_reads_back_as_the_same_model(folder: Path, ids: Ids, order: int) -> None:
    words = WORDS[:6]
    loaded = counted(ids, order, words)
    export_arpa(loaded, folder / "model.arpa")
    model, numbers = read_back(folder / "model.arpa", words)
    contexts = every_context(6, order)[::7]
    back = model.probabilities(numbers[contexts[:, order - model.order :]])
    np.testing.assert_allclose(back[:, numbers], loaded.model.probabilities(contexts), atol=1e-6)


@pytest.mark.parametrize("max_ngrams", [0, 1, 30])
def test_a_limit_leaves_out_the_least_important_ngrams(max_ngrams: int, tmp_path: Path) -> None:
    loaded, path = counted(random_text(1000), 3), tmp_path / "model.arpa"
    sizes = export_arpa(loaded, path, max_ngrams=max_ngrams)
    assert sizes[0] == len(WORDS) + 1 and sum(sizes[1:]) <= max_ngrams
    model, numbers = read_back(path, WORDS)
    rows = model.probabilities(every_context(len(WORDS), model.order))
    np.testing.assert_allclose(rows.sum(1), 1, atol=1e-5)
    assert log10_of_text(model, numbers[random_text(300)]).mean() < 0


def test_the_lines_are_those_of_the_format(tmp_path: Path) -> None:
    words = [UNKNOWN, END, "a"]
    path = tmp_path / "model.arpa"
    export_arpa(counted(np.array([2, 2, END_ID]), 2, words), path)
    lines = path.read_text().splitlines()
    assert lines[:5] == ["\\data\\", "ngram 1=4", "ngram 2=3", "", "\\1-grams:"]
    unigrams = [line.split("\t") for line in lines[5:9]]
    assert [fields[1] for fields in unigrams] == ["<unk>", "<s>", "</s>", "a"]
    assert [len(fields) for fields in unigrams] == [2, 3, 2, 3]
    assert float(unigrams[1][0]) == -99
    assert lines[9:11] == ["", "\\2-grams:"]
    assert [line.split("\t")[1] for line in lines[11:14]] == ["<s> a", "a </s>", "a a"]
    assert lines[14:] == ["", "\\end\\"]


def test_a_compressed_file_holds_the_same_and_is_always_the_same(tmp_path: Path) -> None:
    loaded = counted(random_text(300), 3)
    plain, first, second = (tmp_path / name for name in ("m.arpa", "m.arpa.gz", "other.gz"))
    for path in (plain, first, second):
        export_arpa(loaded, path)
    assert gzip.decompress(first.read_bytes()) == plain.read_bytes()
    assert first.read_bytes() == second.read_bytes()
    assert read_arpa(first).words == read_arpa(plain).words


@pytest.mark.parametrize("name", ["m.arpa", "m.arpa.gz"])
def test_a_full_disk_leaves_no_file(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(io.FileIO):
        def write(self, content: object) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fdopen", lambda handle, mode: Full(handle, mode))
    with pytest.raises(NextwordError, match=rf"{name}: cannot be written \(No space.*free some"):
        export_arpa(counted(random_text(300), 3), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "model.arpa.gz"
    path.write_text("old")

    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_arpa(counted(random_text(300), 3), path, progress=interrupt)
    assert [file.read_text() for file in tmp_path.iterdir()] == ["old"]


def test_progress_ends_with_all_ngrams(tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []
    loaded = counted(random_text(300), 3)
    sizes = export_arpa(
        loaded, tmp_path / "m.arpa", progress=lambda done, total: steps.append((done, total))
    )
    assert steps[-1] == (sum(sizes), sum(sizes))
    assert steps == sorted(steps)


@pytest.mark.parametrize("word", ["<s>", "</s>", "<UNK>"])
def test_words_that_the_format_reserves_are_refused(word: str, tmp_path: Path) -> None:
    loaded = counted(np.array([2, END_ID]), 2, [UNKNOWN, END, word])
    with pytest.raises(ModelError, match=f"{word}, which is reserved"):
        export_arpa(loaded, tmp_path / "m.arpa")
    assert list(tmp_path.iterdir()) == []


def test_a_network_without_ngrams_is_refused(
    untrained: Callable[..., TorchNetwork], tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match="ARPA holds n-grams, and the model has none"):
        export_arpa(untrained(kind="gru"), tmp_path / "m.arpa")
