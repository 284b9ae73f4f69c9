"""Standard streams that are closed, full, broken, or of an encoding that lacks a character."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from nextword.cli import main
from nextword.cli.terminal import is_terminal, tolerate_bad_bytes
from nextword.text import sources

Cli = Callable[..., SimpleNamespace]
NAME_A_TEXT = "Error: standard input is closed; name a file, or pipe the text in"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def without_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., SimpleNamespace]:
    """Calls the command line with its standard input closed."""

    def call(*args: object) -> SimpleNamespace:
        monkeypatch.setattr(sys, "stdin", None)
        monkeypatch.setattr(sources, "_spooled", {})  # what another test piped in
        with pytest.raises(SystemExit) as exit:
            main([str(arg) for arg in args])
        shown = capsys.readouterr()
        return SimpleNamespace(code=exit.value.code, out=shown.out, err=shown.err)

    return call


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (["predict"], 2, "Error: no prompt: give one as an argument or through a pipe"),
        (["explain"], 2, "Error: no prompt: give one as an argument or through a pipe"),
        (["score"], 2, "Error: no text: give one as an argument, with --text or by a pipe"),
        (["score", "--text", "-"], 1, NAME_A_TEXT),
        (["eval", "--text", "-"], 1, NAME_A_TEXT),
        (["explain", "--gradients", "--text", "-"], 1, NAME_A_TEXT),
        (["predict", "the"], 0, ""),
        (["similar", "the"], 0, ""),
        (["generate", "-n", 3, "--seed", 1], 0, "seed 1"),
    ],
)
def test_closed_input_is_no_prompt_and_no_text(
    without_input: Cli, tiny_run: SimpleNamespace, args: list[str], code: int, says: str
) -> None:
    called = without_input(*args, "--model", tiny_run.path)
    assert called.code == code and bool(called.out) == (code == 0)
    assert called.err.splitlines()[-1:] == ([says] if says else [])


def test_closed_input_is_no_text_to_train_on(without_input: Cli) -> None:
    called = without_input("train", "--text", "-", "--set", "model.kind=ngram")
    assert (called.code, called.err) == (1, f"{NAME_A_TEXT}\n")
    assert not Path("runs").exists()


def shell(line: str, **variables: str) -> SimpleNamespace:
    """A command line in a shell; ``nextword`` is this one."""
    called = subprocess.run(
        f'nextword() {{ {sys.executable} -m nextword "$@"; }}; {line}',
        shell=True,
        executable="/bin/bash",
        capture_output=True,
        env={**os.environ, **variables},
        timeout=300,
    )
    out, err = (stream.decode("utf-8", "replace") for stream in (called.stdout, called.stderr))
    assert "Traceback" not in err and "Exception ignored" not in err
    return SimpleNamespace(code=called.returncode, out=out, err=err)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux")
def test_output_that_cannot_be_written_is_one_line(tiny_run: SimpleNamespace) -> None:
    called = shell(f"nextword predict the --model {tiny_run.path} > /dev/full")
    assert (called.code, called.err) == (1, "Error: standard output: No space left on device\n")
    called = shell(f"nextword predict zebra --model {tiny_run.path} 2> /dev/full")
    assert called.code == 0 and called.out.count("\n") == 5


def test_all_streams_may_be_closed(tiny_run: SimpleNamespace, tiny_text: Path) -> None:
    train = f"nextword train --set model.kind=ngram --text {tiny_text} --run a"
    called = shell(f"{train} <&- >&- 2>&-; nextword predict the --model runs/a 2>&- <&-")
    assert called.code == 0 and called.out.count("\n") == 5


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp1252:strict", "latin-1"])
def test_bars_are_written_in_what_the_encoding_has(
    tiny_run: SimpleNamespace, encoding: str
) -> None:
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding=encoding.partition(":")[0])
    tolerate_bad_bytes(stream)
    stream.write("█░ ± −3 “a” ☃ ")
    stream.flush()
    assert written.getvalue().startswith(b"#- ") and written.getvalue().endswith(b" ? ")
    if encoding == "ascii":
        assert written.getvalue() == b'#- +- -3 "a" ? '
    if encoding in ("ascii", "cp1252:strict"):
        called = shell(f"nextword predict the --model {tiny_run.path}", PYTHONIOENCODING=encoding)
        assert called.out.isascii() and "####" in called.out and "?" not in called.out


def test_streams_that_are_no_terminal() -> None:
    closed = io.StringIO()
    closed.close()
    assert not any(map(is_terminal, (None, closed, io.StringIO())))


def test_numbers_that_json_lacks_are_null(capsys: pytest.CaptureFixture[str]) -> None:
    from nextword.cli.terminal import say_json

    say_json({"a": float("nan"), "b": [{"c": float("inf")}]})
    assert json.loads(capsys.readouterr().out) == {"a": None, "b": [{"c": None}]}
