"""Where a text is looked at, and several networks beside one another."""

import copy
import json
from collections.abc import Callable

import numpy as np
import pytest
import torch

from nextword.errors import ModelError, TextError
from nextword.inference.loaded_model import LoadedModel, LoadedNgrams
from nextword.interpret.gradients import gradient_decay, gradient_norms
from nextword.interpret.memory import check_memory, measure_memory, plan
from nextword.models.recurrent import RecurrentModel
from nextword.ngram.model import NgramModel
from nextword.text.tokenized import TokenizedText

Build = Callable[..., LoadedModel]
Text = Callable[..., TokenizedText]


def test_places_are_spread_over_all_that_can_be_looked_back_from(random_text: Text) -> None:
    part = random_text(1000)
    planned = plan(part, reach=100, places=10)
    assert planned.ids.tolist() == [1, *part.ids]
    assert len(planned.gradient_places) == 10 and len(planned.context_places) == 100
    for places in (planned.gradient_places, planned.context_places):
        # the last word has to be a target
        assert (places[0], places[-1]) == (100, 999)
        steps = np.diff(places)
        assert steps.max() - steps.min() <= 1
    short = plan(random_text(101), reach=100, places=10)
    assert short.gradient_places.tolist() == [100]
    with pytest.raises(TextError, match="holds 100 words, too few to look 100 words back"):
        plan(random_text(100), reach=100)


def test_a_random_rnn_forgets_and_a_wider_look_says_the_same(
    untrained: Build, random_text: Text
) -> None:
    counted: list[tuple[int, int]] = []
    memory = measure_memory(
        untrained(kind="gru"), "a", random_text(400), 30, 20, lambda *done: counted.append(done[1:])
    )
    assert memory.whole is not None and memory.hidden is None
    assert memory.whole.geometric_mean[0] == pytest.approx(1)
    assert memory.whole.geometric_mean[30] < 0.1 * memory.whole.geometric_mean[3]
    assert (memory.whole.geometric_mean <= memory.whole.mean * (1 + 1e-9)).all()
    assert memory.words_needed is not None and memory.words_needed <= 30
    read, total = counted[-1]
    assert read == total and counted == sorted(counted)
    report = json.loads(json.dumps(memory.as_dict(), allow_nan=False))
    assert report["half_life"] == memory.whole.half_life
    assert len(report["gradient"]["geometric_mean"]) == 31 and report["gradient_hidden"] is None
    assert report["contexts"][-1]["words"] is None


def test_gradients_belong_to_the_words_before_each_place(
    untrained: Build, random_text: Text
) -> None:
    loaded, part = untrained(kind="lstm"), random_text(60)
    memory = measure_memory(loaded, "a", part, reach=5, places=4)
    model = copy.deepcopy(loaded.network).double()
    assert isinstance(model, RecurrentModel)
    ids = torch.tensor([1, *part.ids])
    rows = []
    for place in plan(part, 5, 4).gradient_places:
        _, state = model.features(ids[None, : place - 4], model.initial_state(1))
        words, target = ids[None, place - 4 : place + 1], ids[place + 1][None]
        rows.append(gradient_norms(model, state, words, target).whole)
    assert memory.whole is not None
    wanted = gradient_decay(np.concatenate(rows)).geometric_mean
    np.testing.assert_allclose(memory.whole.geometric_mean, wanted, rtol=1e-3)


def test_what_cannot_be_measured_is_said_before_long_work(
    untrained: Build, random_text: Text
) -> None:
    network = untrained(kind="rnn")
    check_memory(network, random_text(60), 10, 5)
    with pytest.raises(TextError, match="too few"):
        check_memory(network, random_text(60), 60, 5)
    counts = NgramModel.fit(np.array([2, 3, 2]), 14, 2)
    settings = {**network.settings, "kind": "ngram"}
    counted = LoadedNgrams(counts, network.tokenizer, settings, network.counts)
    with pytest.raises(ModelError, match="has no network"):
        check_memory(counted, random_text(60), 10, 5)


def test_a_network_elsewhere_is_copied_to_the_cpu_and_left_where_it_is(
    untrained: Build, random_text: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = untrained(kind="gru")
    own = {name: value.clone() for name, value in loaded.network.state_dict().items()}

    def cpu(model: torch.nn.Module) -> torch.nn.Module:
        # what is on "meta" has no numbers, so they are brought back here
        model.to_empty(device="cpu").load_state_dict(own)
        return model

    wanted = measure_memory(loaded, "a", random_text(200), 20, 5)
    loaded.network.to("meta")
    monkeypatch.setattr(torch.nn.Module, "cpu", cpu)
    measured = measure_memory(loaded, "a", random_text(200), 20, 5)
    assert measured.as_dict() == wanted.as_dict()
    assert {part.device.type for part in loaded.network.parameters()} == {"meta"}
