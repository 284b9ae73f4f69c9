from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from nextword.ngram.model import NgramModel
from nextword.ngram.tree import MISSING, Tree
from nextword.storage.tensors import read_tensors, write_tensors

Arrays = dict[str, NDArray[Any]]
SIZE, ORDER = 9, 4


@pytest.fixture
def model() -> NgramModel:
    ids = np.random.default_rng(3).integers(1, SIZE - 1, 300)
    return NgramModel.fit(ids, SIZE, ORDER)


def assert_equal_predictions(one: NgramModel, other: NgramModel, ids: NDArray[np.int64]) -> None:
    contexts = one.contexts(ids, one.initial_context())
    for here, there in zip(one.predict(contexts), other.predict(contexts), strict=True):
        assert np.array_equal(here, there)


@pytest.mark.parametrize("order", [1, 2, ORDER])
def test_arrays_are_all_of_it(tmp_path: Path, order: int) -> None:
    ids = np.random.default_rng(3).integers(1, SIZE - 1, 300)
    model = NgramModel.fit(ids, SIZE, order)
    write_tensors(tmp_path / "it", model.arrays(), {})
    again = NgramModel.from_arrays(read_tensors(tmp_path / "it")[0], SIZE, order)
    assert again.order == order
    assert again.ngram_counts() == model.ngram_counts()
    assert again.parameter_count() == model.parameter_count()
    assert_equal_predictions(again, model, ids)


def memory_mapped(folder: Path, arrays: Mapping[str, NDArray[Any]]) -> Arrays:
    """The same arrays from files, read-only."""
    mapped: Arrays = {}
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
        mapped[name] = np.load(folder / f"{name}.npy", mmap_mode="r")
    return mapped


@pytest.mark.parametrize("verify", [True, False])
def test_files_may_be_mapped_into_memory(tmp_path: Path, model: NgramModel, verify: bool) -> None:
    mapped = memory_mapped(tmp_path, model.arrays())
    again = NgramModel.from_arrays(mapped, SIZE, ORDER, verify)
    assert_equal_predictions(again, model, np.random.default_rng(4).integers(0, SIZE, 100))
    held = again.arrays()
    assert all(np.shares_memory(held[name], mapped[name]) for name in {*mapped} - {"sizes"})


def test_arrays_are_small_and_plain(model: NgramModel) -> None:
    arrays = model.arrays()
    small = (np.int32, np.float32)
    assert all(array.flags.c_contiguous for array in arrays.values())
    assert all(array.dtype in small for name, array in arrays.items() if name != "sizes")


def test_wide_offsets_are_read_too(model: NgramModel) -> None:
    arrays = model.arrays()
    arrays["offsets"] = arrays["offsets"].astype(np.int64)
    again = NgramModel.from_arrays(arrays, SIZE, ORDER)
    assert_equal_predictions(again, model, np.array([2, 3, 4]))


def changed(name: str, place: int, value: float) -> Callable[[Arrays], object]:
    def change(arrays: Arrays) -> None:
        arrays[name] = arrays[name].copy()
        arrays[name][place] = value

    return change


def renamed(arrays: Arrays) -> None:
    arrays["other"] = arrays.pop("words")


def unsorted(arrays: Arrays) -> None:
    arrays["words"] = arrays["words"][::-1]


def levels_mixed(arrays: Arrays) -> None:
    """The last word of the vocabulary gets an n-gram of three words."""
    arrays["offsets"] = arrays["offsets"].copy()
    # the first n-gram of two words, twice an end, has no successors to lose; the second has
    arrays["offsets"][SIZE : SIZE + 2] += 1


def sizes_moved(arrays: Arrays) -> None:
    arrays["sizes"] = arrays["sizes"] + np.array([0, 0, 1, -1])


HOSTILE: list[tuple[str, Callable[[Arrays], object]]] = [
    ("sizes", lambda arrays: arrays.pop("sizes")),
    ("sizes", lambda arrays: arrays.update(sizes=arrays["sizes"].astype(np.int32))),
    ("sizes", lambda arrays: arrays.update(sizes=arrays["sizes"][:-1])),
    ("sizes", changed("sizes", 0, SIZE + 1)),
    ("sizes", changed("sizes", 1, -1)),
    ("wrong shape", changed("sizes", 1, 2**62)),
    ("wrong shape", changed("sizes", 3, 0)),
    ("wrong shape", sizes_moved),
    ("missing|not known", renamed),
    ("missing", lambda arrays: arrays.pop("totals")),
    ("not known", lambda arrays: arrays.update(more=np.zeros(1, dtype=np.float32))),
    ("words has", lambda arrays: arrays.update(words=arrays["words"].astype(np.int64))),
    ("words has", lambda arrays: arrays.update(words=arrays["words"][:, None])),
    ("shares has", lambda arrays: arrays.update(shares=arrays["shares"].astype(np.float64))),
    ("offsets has", lambda arrays: arrays.update(offsets=arrays["offsets"][1:])),
    ("offsets has", lambda arrays: arrays.update(offsets=arrays["offsets"].astype(np.float32))),
    ("offsets", changed("offsets", 0, 1)),
    ("offsets", changed("offsets", 0, -1)),
    ("offsets", changed("offsets", -1, 2**30)),
    ("offsets", changed("offsets", 2, 2**30)),
    ("offsets", changed("offsets", 3, -5)),
    ("offsets mixes", levels_mixed),
    ("words", changed("words", 0, -1)),
    ("words", changed("words", 5, SIZE)),
    ("words", unsorted),
    ("words is not sorted", changed("words", 1, 1)),
    ("unigrams", changed("unigrams", 0, np.nan)),
    ("unigrams", changed("unigrams", 0, -0.1)),
    ("unigrams", changed("unigrams", 0, 0.9)),
    ("shares", changed("shares", 3, np.inf)),
    ("shares", changed("shares", 3, 1.5)),
    ("shares", changed("shares", 3, 0.999)),
    ("backoffs", changed("backoffs", 2, np.nan)),
    ("backoffs", changed("backoffs", 2, 1.0)),
    ("backoffs", changed("backoffs", -1, -np.inf)),
    ("totals", changed("totals", 0, np.nan)),
    ("totals", changed("totals", 0, -1)),
]


@pytest.mark.parametrize(("reason", "change"), HOSTILE)
def test_other_arrays_are_refused(
    model: NgramModel, reason: str, change: Callable[[Arrays], object]
) -> None:
    arrays = model.arrays()
    change(arrays)
    with pytest.raises(ValueError, match=reason):
        NgramModel.from_arrays(arrays, SIZE, ORDER)


def test_another_vocabulary_or_order_is_refused(model: NgramModel) -> None:
    for size, order in ((SIZE + 1, ORDER), (SIZE, ORDER - 1), (SIZE, 0), (SIZE, -1)):
        with pytest.raises(ValueError, match="sizes"):
            NgramModel.from_arrays(model.arrays(), size, order)
    one = {
        "sizes": np.array([1]),
        "unigrams": np.ones(1, dtype=np.float32),
        "words": np.empty(0, dtype=np.int32),
        "shares": np.empty(0, dtype=np.float32),
        "offsets": np.zeros(1, dtype=np.int32),
        "backoffs": np.empty(0, dtype=np.float32),
        "totals": np.zeros(1, dtype=np.float32),
    }
    with pytest.raises(ValueError, match="vocabulary of 1"):
        NgramModel.from_arrays(one, 1, 1)


def test_no_change_of_a_number_leads_astray(model: NgramModel) -> None:
    """What is not refused answers with distributions."""
    draw = np.random.default_rng(5)
    contexts = draw.integers(0, SIZE, (50, ORDER - 1))
    accepted = 0
    for _ in range(300):
        arrays = model.arrays()
        name = str(draw.choice(list(arrays)))
        array = arrays[name] = arrays[name].copy()
        array[draw.integers(len(array))] = int(draw.integers(-2, SIZE + 2))
        try:
            other = NgramModel.from_arrays(arrays, SIZE, ORDER)
        except ValueError:
            continue
        accepted += 1
        rows, features = other.predict(contexts)
        np.testing.assert_allclose(rows.sum(1), 1, atol=1e-3)
        assert np.isfinite(features).all()
    assert accepted


def test_names_shapes_and_dtypes_are_always_checked(model: NgramModel) -> None:
    for change in (renamed, sizes_moved, lambda arrays: arrays.pop("totals")):
        arrays = model.arrays()
        change(arrays)
        with pytest.raises(ValueError):
            NgramModel.from_arrays(arrays, SIZE, ORDER, verify=False)


def two_levels(vocabulary_size: int, successors: Mapping[int, NDArray[np.integer]]) -> Tree:
    """A tree of pairs of words, of which only the words matter."""
    every = [successors.get(word, np.empty(0)) for word in range(vocabulary_size)]
    words = np.concatenate(every).astype(np.int32)
    return Tree(
        sizes=(vocabulary_size, len(words)),
        unigrams=np.ones(vocabulary_size, dtype=np.float32),
        words=words,
        shares=np.ones(len(words), dtype=np.float32),
        offsets=np.cumsum([0, *map(len, every)], dtype=np.int32),
        backoffs=np.ones(vocabulary_size, dtype=np.float32),
        totals=np.ones(vocabulary_size + 1, dtype=np.float32),
    )


@settings(max_examples=50, deadline=None)
@given(st.integers(2, 1200), st.data())
def test_children_are_the_words_that_follow(size: int, data: st.DataObject) -> None:
    draw = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    contexts = draw.integers(0, size, 4)
    successors = {
        int(context): np.flatnonzero(draw.random(size) < density)
        for context, density in zip(contexts, (0, 0.01, 0.5, 1), strict=True)
    }
    tree = two_levels(size, successors)
    nodes, words = np.meshgrid([MISSING, 0, size - 1, *contexts], np.arange(size))
    pairs = [(context, word) for context in sorted(successors) for word in successors[context]]
    numbers = {pair: size + index for index, pair in enumerate(pairs)}
    expected = [
        numbers.get(pair, MISSING)
        for pair in zip(nodes.ravel().tolist(), words.ravel().tolist(), strict=True)
    ]
    assert tree.children(nodes, words).ravel().tolist() == expected
    # one context alone needs another number of steps
    assert tree.children(nodes[:, -1], words[:, -1]).tolist() == expected[nodes.shape[1] - 1 :: 7]
