from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from nextword.device import from_numpy, to_numpy
from nextword.ngram.model import NgramModel
from nextword.storage.tensors import read_tensors, write_tensors

SIZE, ORDER = 9, 4


@pytest.fixture
def model() -> NgramModel:
    ids = np.random.default_rng(3).integers(1, SIZE - 1, 300)
    return NgramModel.fit(ids, SIZE, ORDER)


@pytest.mark.parametrize("order", [1, 2, ORDER])
def test_tensors_are_all_of_it(tmp_path: Path, order: int) -> None:
    ids = np.random.default_rng(3).integers(1, SIZE - 1, 300)
    model = NgramModel.fit(ids, SIZE, order)
    write_tensors(tmp_path / "it", to_numpy(model.tensors()), {})
    again = NgramModel.from_tensors(from_numpy(read_tensors(tmp_path / "it")[0]), SIZE, order)
    assert again.order == order
    assert again.ngram_counts() == model.ngram_counts()
    assert again.parameter_count() == model.parameter_count()
    places = model.contexts(torch.from_numpy(ids), model.initial_context())
    assert torch.equal(again.log_probabilities(places), model.log_probabilities(places))
    assert torch.equal(again.gate_features(places), model.gate_features(places))


def test_tensors_are_small_and_plain(model: NgramModel) -> None:
    tensors = model.tensors()
    small = (torch.int32, torch.float32)
    assert all(tensor.is_contiguous() for tensor in tensors.values())
    assert all(tensor.dtype in small for name, tensor in tensors.items() if name != "sizes")


def test_wide_offsets_are_read_too(model: NgramModel) -> None:
    tensors = model.tensors()
    tensors["offsets"] = tensors["offsets"].long()
    again = NgramModel.from_tensors(tensors, SIZE, ORDER)
    place = torch.tensor([[2, 3, 4]])
    assert torch.equal(again.log_probabilities(place), model.log_probabilities(place))


def changed(name: str, place: int, value: float) -> Callable[[dict[str, Tensor]], object]:
    def change(tensors: dict[str, Tensor]) -> None:
        tensors[name] = tensors[name].clone()
        tensors[name][place] = value

    return change


def renamed(tensors: dict[str, Tensor]) -> None:
    tensors["other"] = tensors.pop("words")


def unsorted(tensors: dict[str, Tensor]) -> None:
    tensors["words"] = tensors["words"].flip(0)


def levels_mixed(tensors: dict[str, Tensor]) -> None:
    """The last word of the vocabulary gets an n-gram of three words."""
    tensors["offsets"] = tensors["offsets"].clone()
    # the first n-gram of two words, twice an end, has no successors to lose; the second has
    tensors["offsets"][SIZE : SIZE + 2] += 1


def sizes_moved(tensors: dict[str, Tensor]) -> None:
    tensors["sizes"] = tensors["sizes"] + torch.tensor([0, 0, 1, -1])


HOSTILE: list[tuple[str, Callable[[dict[str, Tensor]], object]]] = [
    ("sizes", lambda tensors: tensors.pop("sizes")),
    ("sizes", lambda tensors: tensors.update(sizes=tensors["sizes"].int())),
    ("sizes", lambda tensors: tensors.update(sizes=tensors["sizes"][:-1])),
    ("sizes", changed("sizes", 0, SIZE + 1)),
    ("sizes", changed("sizes", 1, -1)),
    ("wrong shape", changed("sizes", 1, 2**62)),
    ("wrong shape", changed("sizes", 3, 0)),
    ("wrong shape", sizes_moved),
    ("missing|not known", renamed),
    ("missing", lambda tensors: tensors.pop("totals")),
    ("not known", lambda tensors: tensors.update(more=torch.zeros(1))),
    ("words has", lambda tensors: tensors.update(words=tensors["words"].long())),
    ("words has", lambda tensors: tensors.update(words=tensors["words"][:, None])),
    ("shares has", lambda tensors: tensors.update(shares=tensors["shares"].double())),
    ("offsets has", lambda tensors: tensors.update(offsets=tensors["offsets"][1:])),
    ("offsets has", lambda tensors: tensors.update(offsets=tensors["offsets"].float())),
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
    ("unigrams", changed("unigrams", 0, torch.nan)),
    ("unigrams", changed("unigrams", 0, -0.1)),
    ("unigrams", changed("unigrams", 0, 0.9)),
    ("shares", changed("shares", 3, torch.inf)),
    ("shares", changed("shares", 3, 1.5)),
    ("shares", changed("shares", 3, 0.999)),
    ("backoffs", changed("backoffs", 2, torch.nan)),
    ("backoffs", changed("backoffs", 2, 1.0)),
    ("backoffs", changed("backoffs", -1, -torch.inf)),
    ("totals", changed("totals", 0, torch.nan)),
    ("totals", changed("totals", 0, -1)),
]


@pytest.mark.parametrize(("reason", "change"), HOSTILE)
def test_other_tensors_are_refused(
    model: NgramModel, reason: str, change: Callable[[dict[str, Tensor]], object]
) -> None:
    tensors = model.tensors()
    change(tensors)
    with pytest.raises(ValueError, match=reason):
        NgramModel.from_tensors(tensors, SIZE, ORDER)


def test_another_vocabulary_or_order_is_refused(model: NgramModel) -> None:
    for size, order in ((SIZE + 1, ORDER), (SIZE, ORDER - 1), (SIZE, 0), (SIZE, -1)):
        with pytest.raises(ValueError, match="sizes"):
            NgramModel.from_tensors(model.tensors(), size, order)
    one = {
        "sizes": torch.tensor([1]),
        "unigrams": torch.ones(1),
        "words": torch.empty(0, dtype=torch.int32),
        "shares": torch.empty(0),
        "offsets": torch.zeros(1, dtype=torch.int32),
        "backoffs": torch.empty(0),
        "totals": torch.zeros(1),
    }
    with pytest.raises(ValueError, match="vocabulary of 1"):
        NgramModel.from_tensors(one, 1, 1)


def test_no_change_of_a_number_leads_astray(model: NgramModel) -> None:
    """What is not refused answers with distributions."""
    draw = np.random.default_rng(5)
    contexts = torch.from_numpy(draw.integers(0, SIZE, (50, ORDER - 1)))
    accepted = 0
    for _ in range(300):
        tensors = model.tensors()
        name = str(draw.choice(list(tensors)))
        tensor = tensors[name] = tensors[name].clone()
        tensor[draw.integers(len(tensor))] = int(draw.integers(-2, SIZE + 2))
        try:
            other = NgramModel.from_tensors(tensors, SIZE, ORDER)
        except ValueError:
            continue
        accepted += 1
        sums = other.log_probabilities(contexts).exp().sum(1)
        assert torch.allclose(sums, torch.ones(50), atol=1e-3)
        assert other.gate_features(contexts).isfinite().all()
    assert accepted
