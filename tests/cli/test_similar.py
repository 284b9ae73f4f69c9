"""``nextword similar``: neighbours, analogies and a map."""

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import pytest

Cli = Callable[..., SimpleNamespace]


@pytest.fixture(autouse=True)
def home(tiny_run: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tiny_run.home)
    return Path(tiny_run.home)


def test_neighbours_are_lines_and_json(cli: Cli, tiny_run: SimpleNamespace) -> None:
    wanted = tiny_run.result.predictor.similar("cat", 4)
    called = cli("similar", "cat", "-k", 4)
    assert (called.code, called.err) == (0, "")
    lines = [line.split() for line in called.out.splitlines()]
    assert [line[:2] for line in lines] == [[n.word, f"{n.similarity:.3f}"] for n in wanted]
    answer = json.loads(cli("similar", "cat", "-k", 4, "--json").out)
    assert answer == {"word": "cat", "similar": [asdict(near) for near in wanted]}


def test_an_analogy_is_asked_with_three_words(cli: Cli, tiny_run: SimpleNamespace) -> None:
    answer = json.loads(cli("similar", "--analogy", "a", "cat", "the", "--json").out)
    wanted = tiny_run.result.predictor.analogy("a", "cat", "the")
    assert answer["analogy"] == ["a", "cat", "the"]
    assert answer["similar"] == [asdict(near) for near in wanted]


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        ([], 2, "give a WORD"),
        (["cat", "--analogy", "a", "b", "c"], 2, "not both"),
        (["--analogy", "a", "b"], 2, "--analogy"),
        (["cat", "-k", "0"], 2, "-k"),
        (["sialor"], 1, "not in the vocabulary: sialor; did you mean sailor?"),
        (["--map", "map.jpg"], 2, "map.jpg: a picture is a .png or .svg file"),
    ],
)
def test_what_cannot_be_asked_is_one_error(cli: Cli, args: list[str], code: int, said: str) -> None:
    called = cli("similar", *args)
    assert (called.code, called.out) == (code, "")
    assert said in called.err and "Traceback" not in called.err


def test_a_map_is_drawn_with_the_word_or_without(
    cli: Cli, tiny_run: SimpleNamespace, tmp_path: Path
) -> None:
    pytest.importorskip("matplotlib", reason="pictures are an extra")
    path = tmp_path / "map.svg"
    called = cli("similar", "--map", path, "--map-words", 5)
    assert (called.code, called.out, called.err) == (0, "", f"saved {path}\n")
    few = path.read_text()
    rare = tiny_run.result.predictor.words[-1]
    assert few.count("</text>") > 2 and f">{rare}</text>" not in few
    called = cli("similar", rare, "-k", 2, "--map", path, "--map-words", 5)
    assert called.code == 0 and len(called.out.splitlines()) == 2
    drawn = path.read_text()
    for word in [rare, *(line.split()[0] for line in called.out.splitlines())]:
        assert f">{word}</text>" in drawn


@pytest.mark.usefixtures("without_matplotlib")
def test_without_matplotlib_it_is_one_line_before_anything_is_read(
    cli: Cli, tmp_path: Path
) -> None:
    called = cli("similar", "cat", "--map", tmp_path / "map.png", "--model", "none")
    assert (called.code, called.out) == (1, "")
    assert called.err == "Error: pictures need matplotlib: pip install 'nextword[plots]'\n"


def test_a_damaged_model_is_one_line(cli: Cli, tiny_run: SimpleNamespace, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_run.path / "model", tmp_path / "damaged")
    (folder / "model.safetensors").write_bytes(b"")
    called = cli("similar", "cat", "--model", folder)
    assert called.code == 1 and called.err.startswith("Error: ") and called.err.count("\n") == 1
