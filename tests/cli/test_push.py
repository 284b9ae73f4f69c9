"""``nextword push``: the question, its answers, and what the command line takes."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from nextword.cli import main

Cli = Callable[..., SimpleNamespace]
WARNING = "A model can give back passages of the text that it was trained on"


@pytest.fixture(autouse=True)
def there(kinds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own, whose ``runs/`` has one run of each kind."""
    (tmp_path / "runs").symlink_to(kinds / "runs")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    return tmp_path


class Typed(io.StringIO):
    """Somebody at a keyboard."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 1), ("\n", 1), ("", 130)])
def test_on_a_terminal_it_asks(
    there: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    answer: str,
    code: int,
) -> None:
    monkeypatch.setattr(sys, "stdin", Typed(answer))
    with pytest.raises(SystemExit) as ended:
        main(["push", "rnn", "./shelf"])
    assert ended.value.code == code
    out, err = capsys.readouterr()
    assert WARNING in err
    assert "Push runs/rnn/model (0.0 MB) to ./shelf? [y/N]" in err
    assert ("nothing was sent" in err) == (code == 1)
    assert (there / "shelf").exists() == (code == 0)
    assert out.startswith("pushed to ./shelf") == (code == 0)


def test_without_a_terminal_it_is_told_or_does_nothing(cli: Cli, there: Path) -> None:
    refused = cli("push", "rnn", "./shelf", stdin="y\n")
    assert (refused.code, refused.out) == (2, "")
    assert WARNING in refused.err and "--yes" in refused.err
    assert not (there / "shelf").exists()
    told = cli("push", "rnn", "./shelf", "-y")
    assert told.code == 0 and told.err == f"{WARNING}: push it only if you would share that text.\n"


def test_the_model_is_an_argument_an_option_or_a_variable(
    cli: Cli, there: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = json.loads(cli("push", "rnn", "./shelf", "--yes", "--json").out)
    assert {*named} == {"destination", "revision", "files", "bytes"}
    option = json.loads(cli("push", "--model", "runs/rnn", "./shelf", "--yes", "--json").out)
    assert option == named
    monkeypatch.setenv("NEXTWORD_MODEL", "rnn")
    assert json.loads(cli("push", "./shelf", "--yes", "--json").out) == named
    both = cli("push", "rnn", "./shelf", "--model", "tiny", "--yes")
    assert both.code == 2 and "not both" in both.err


@pytest.mark.parametrize("places", [(), ("rnn", "tiny", "./shelf")])
def test_one_destination_is_needed(cli: Cli, there: Path, places: tuple[str, ...]) -> None:
    refused = cli("push", *places, "--yes")
    assert refused.code == 2 and "give a DESTINATION" in refused.err
    assert not (there / "shelf").exists()


@pytest.mark.parametrize("run", ["counted", "feedforward", "spaced", "tiny", "fewer"])
def test_models_of_every_kind_come_back(
    cli: Cli, there: Path, monkeypatch: pytest.MonkeyPatch, run: str
) -> None:
    import nextword

    assert cli("push", run, "./shelf", "--yes").code == 0
    elsewhere = there / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)  # runs/ is shared by the tests
    assert cli("pull", "../shelf", run).code == 0
    pulled, original = (nextword.load_model(path / "runs" / run) for path in (elsewhere, there))
    assert pulled.predict("the small cat") == original.predict("the small cat")
    again = cli("push", run, "../shelf", "--yes", "--json")
    assert again.code == 0, again.err
