"""A new cell is one class and its registration: nothing else in the package knows its name."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

import nextword
from nextword.config.kinds import KINDS
from nextword.models.base import State
from nextword.models.recurrent import Cell, CellStep
from nextword.models.registry import NETWORKS, register_cell


class MinimalGatedCell(Cell):
    """The minimal gated unit of Zhou and others (2016): one gate forgets and resets."""

    gates = 2

    def step(self, inputs: torch.Tensor, state: State) -> CellStep:
        word, past = self.from_input(inputs).chunk(2, 1), self.from_hidden(state[0]).chunk(2, 1)
        forget = torch.sigmoid(word[0] + past[0])
        new = torch.tanh(word[1] + forget * past[1])
        return CellStep(((1 - forget) * state[0] + forget * new,), {"forget": forget})


@pytest.fixture(scope="module")
def home(
    tiny_settings: dict[str, object], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """A folder with a run of the new cell and one of a GRU."""
    folder = tmp_path_factory.mktemp("new")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        register_cell("mgu", MinimalGatedCell, "minimal gated unit")
        for kind in ("mgu", "gru"):
            nextword.train({**tiny_settings, "model.kind": kind}, run=kind)
        yield folder
    del KINDS["mgu"], NETWORKS["mgu"]


@pytest.fixture(autouse=True)
def in_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)


def test_it_learns_predicts_and_continues() -> None:
    model = nextword.load_model("mgu")
    assert model.predict("Napoleon was the Emperor of", k=1)[0].word == "France"
    assert model.evaluate().perplexity < 4
    assert model.generate("the small", words=3, seed=1).text.startswith("the small")
    assert "mgu 1 x 24" in repr(model)


def test_a_copied_model_folder_predicts_the_same(tmp_path: Path) -> None:
    import shutil

    shutil.copytree(Path("runs/mgu/model"), tmp_path / "copy")
    there, here = nextword.load_model(tmp_path / "copy"), nextword.load_model("mgu")
    assert there.predict("her uncle", k=3) == here.predict("her uncle", k=3)


def test_it_is_resumed_explained_and_compared(
    tiny_settings: dict[str, object], cli: Callable[..., SimpleNamespace]
) -> None:
    result = nextword.train({"training.epochs": 11}, run="mgu", resume=True)
    assert result.steps > 0
    called = cli("explain", "Napoleon was the Emperor of", "--model", "mgu")
    assert called.code == 0 and "forget" in called.out
    called = cli("explain", "--gradients", "--model", "mgu", "--reach", 4, "--places", 20)
    assert called.code == 0 and "half-life" in called.out
    called = cli("compare", "mgu", "gru")
    assert called.code == 0 and "mgu 1 x 24" in called.out
    assert cli("report", "mgu", "--reach", 4, "--places", 20).code == 0


def test_it_takes_one_hot_words_layers_and_no_bias() -> None:
    from nextword.config.schema import ModelConfig
    from nextword.models.registry import build_network

    config = ModelConfig.model_validate(
        {"kind": "mgu", "input": "one_hot", "layers": 2, "bias": False, "hidden_size": 5}
    )
    model = build_network(config, 9)
    words = torch.randint(0, 9, (2, 4))
    whole, _ = model.features(words, model.initial_state(2))
    state = model.initial_state(2)
    for vectors in model.vectors(words).unbind(1):
        state = model.step(vectors, state).state
    model.eval()
    torch.testing.assert_close(
        model.features(words, model.initial_state(2))[0][:, -1], model.features_of(state)
    )
    assert whole.shape == (2, 4, 5)


def test_its_name_is_its_own() -> None:
    with pytest.raises(ValueError, match="lstm: another kind has that name"):
        register_cell("lstm", MinimalGatedCell, "another")
