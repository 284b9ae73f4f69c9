"""``nextword predict``: from an argument, a pipe and a terminal."""

import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from nextword.cli.dialogue import text_so_far
from nextword.cli.layout import prediction_lines
from nextword.inference.session import Prediction

Cli = Callable[..., SimpleNamespace]
PROMPT = "Napoleon was the Emperor of"


@pytest.fixture(autouse=True)
def home(tiny_run: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tiny_run.home)
    return Path(tiny_run.home)


def test_a_prompt_is_answered_with_words_and_probabilities(cli: Cli) -> None:
    called = cli("predict", PROMPT, "-k", 3)
    assert (called.code, called.err) == (0, "")
    lines = called.out.splitlines()
    assert len(lines) == 3
    assert re.fullmatch(r"France +9\d\.\d %  █+", lines[0])


def test_json_is_the_contracts_shape_and_the_softmaxes_probability(
    cli: Cli, tiny_run: SimpleNamespace
) -> None:
    called = cli("predict", PROMPT, "--json")
    assert (called.code, called.err) == (0, "")
    answer = json.loads(called.out)
    wanted = tiny_run.result.model.predict(PROMPT)
    assert answer == {
        "prompt": PROMPT,
        "predictions": [{"word": p.word, "probability": p.probability} for p in wanted],
    }
    every = json.loads(cli("predict", PROMPT, "--json", "-k", 1000).out)["predictions"]
    words = {prediction["word"] for prediction in every}
    assert words == set(tiny_run.result.model.words[2:])
    assert 0.99 < sum(prediction["probability"] for prediction in every) <= 1.000001


def test_a_prefix_narrows_the_words(cli: Cli) -> None:
    answer = json.loads(cli("predict", PROMPT, "--prefix", "f", "--json").out)
    assert {prediction["word"] for prediction in answer["predictions"]} == {"farmer", "field"}
    called = cli("predict", PROMPT, "--prefix", "qq")
    assert (called.code, called.out) == (0, "")
    assert called.err == "no word of the vocabulary starts with 'qq'\n"
    assert json.loads(cli("predict", PROMPT, "--prefix", "qq", "--json").out)["predictions"] == []


def test_a_pipe_of_lines_is_answered_line_by_line(cli: Cli) -> None:
    prompts = ["the small cat chases the grey", "", "my sister"]
    called = cli("predict", "--json", stdin="\n".join(prompts) + "\n")
    assert called.code == 0
    answers = [json.loads(line) for line in called.out.splitlines()]
    assert [answer["prompt"] for answer in answers] == prompts
    # each line stands for itself
    for prompt, answer in zip(prompts, answers, strict=True):
        assert answer == json.loads(cli("predict", prompt, "--json").out)


def test_a_pipe_of_lines_for_people_names_each_prompt(cli: Cli) -> None:
    called = cli("predict", "-k", 1, stdin="the small\r\nmy\n")
    assert re.fullmatch(
        r"the small \.\.\.\ncat +\S+ %  █+\n\nmy \.\.\.\nsister +\S+ %  █+\n", called.out
    )


def test_an_empty_pipe_is_a_usage_error(cli: Cli) -> None:
    called = cli("predict", stdin="")
    assert (called.code, called.out) == (2, "")
    assert "no prompt" in called.err


def test_bytes_that_are_no_text_are_still_answered(cli: Cli) -> None:
    called = cli("predict", "--json", stdin=b"the \xff cat\n")
    assert called.code == 0
    answer = json.loads(called.out)
    assert answer["prompt"] == "the \ufffd cat" and len(answer["predictions"]) == 5
    called = cli("predict", os.fsdecode(b"the \xff cat"), "--json")
    assert json.loads(called.out) == answer


def test_unknown_words_are_said_once_on_stderr(cli: Cli) -> None:
    called = cli("predict", "--json", stdin="the zebra\nthe zebra saw a lion\nthe lion\n")
    assert called.code == 0
    assert len(called.out.splitlines()) == 3
    assert called.err == "not in the vocabulary: zebra\nnot in the vocabulary: saw, lion\n"


def test_the_model_is_the_flags_then_the_variables_then_the_newest(
    cli: Cli, tiny_run: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(tiny_run.path / "model", tmp_path / "alone")
    wanted = cli("predict", PROMPT).out
    monkeypatch.chdir(tmp_path)
    assert cli("predict", PROMPT).code == 1
    for path in ("alone", tiny_run.path, tiny_run.path / "model"):
        assert cli("predict", PROMPT, "--model", path).out == wanted
    monkeypatch.setenv("NEXTWORD_MODEL", str(tmp_path / "alone"))
    assert cli("predict", PROMPT).out == wanted
    assert cli("predict", PROMPT, "-m", "none").code == 1


def test_a_damaged_model_is_one_line(cli: Cli, tiny_run: SimpleNamespace, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_run.path / "model", tmp_path / "damaged")
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    called = cli("predict", PROMPT, "--model", folder)
    assert (called.code, called.out) == (1, "")
    assert called.err.startswith(f"Error: {weights}: ") and called.err.count("\n") == 1


def test_a_program_that_asks_through_pipes_gets_each_answer_at_once() -> None:
    command = [sys.executable, "-m", "nextword", "predict", "--json", "-k", "1"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin and process.stdout and process.stderr
        for prompt, word in [(PROMPT, "France"), ("the zebra and the grey", "mouse")]:
            process.stdin.write(prompt + "\n")
            process.stdin.flush()
            answer = json.loads(process.stdout.readline())
            assert answer["prompt"] == prompt
            assert [found["word"] for found in answer["predictions"]] == [word]
        process.stdin.close()
        assert process.stdout.read() == ""
        assert process.stderr.read() == "not in the vocabulary: zebra, and\n"
    assert process.returncode == 0


class Terminal:
    """A program that believes to be used by a person."""

    def __init__(self, *args: str) -> None:
        self.master, slave = pty.openpty()
        command = [sys.executable, "-m", "nextword", *args]
        environ = {**os.environ, "TERM": "dumb"}
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=environ, start_new_session=True
        )
        os.close(slave)

    def until(self, end: str, seconds: float = 60) -> str:
        """What appears up to ``end``."""
        seen, deadline = b"", time.monotonic() + seconds
        while not seen.decode(errors="ignore").endswith(end):
            ready, _, _ = select.select([self.master], [], [], deadline - time.monotonic())
            assert ready, f"waited in vain for {end!r}, saw {seen!r}"
            seen += os.read(self.master, 1)
        return seen.decode().replace("\r\n", "\n")

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.master)


def test_a_session_reads_on_from_line_to_line_until_it_starts_over() -> None:
    terminal = Terminal("predict", "-k", "1")

    def ask(line: str) -> str:
        terminal.type(line + "\n")
        return terminal.until("> ").splitlines()[-2].split()[0]

    try:
        assert "Ctrl-D ends" in terminal.until("> ")
        assert ask("Napoleon was the") == "Emperor"
        # the same two letters mean another thing after what came before
        assert ask("Emperor of") == "France"
        assert ask("") == "France"
        terminal.type("/text\n")
        assert "Napoleon was the Emperor of\n" in terminal.until("> ")
        terminal.type("/help\n")
        shown = terminal.until("> ")
        assert all(name in shown for name in ("/new", "/text", "/help", "Ctrl-D"))
        terminal.type("and\n")
        assert "Napoleon was the Emperor of and ...\n" in terminal.until("> ")
        terminal.type("/nothing\n")
        assert "unknown command /nothing; /help lists all\n" in terminal.until("> ")
        terminal.type("/new\n")
        assert "(new text)\n" in terminal.until("> ")
        assert ask("the small cat chases the grey") == "mouse"
        terminal.type("zebra\n")
        assert "not in the vocabulary: zebra\n" in terminal.until("> ")
        terminal.type("zebra\n")
        assert "not in the vocabulary" not in terminal.until("> ")
        terminal.type("\x04")
        assert terminal.process.wait(20) == 0
    finally:
        terminal.close()


def test_the_tab_key_completes_a_word() -> None:
    pytest.importorskip("readline")
    terminal = Terminal("predict", "-k", "1")
    try:
        terminal.until("> ")
        terminal.type('Napoleon was the "emp\tof\n')
        assert "France" in terminal.until("> ")
        terminal.type("/text\n")
        assert '\nNapoleon was the "Emperor of\n' in terminal.until("> ")
    finally:
        terminal.close()


def test_ctrl_c_ends_a_session_without_a_traceback() -> None:
    terminal = Terminal("predict")
    try:
        terminal.until("> ")
        # a signal between the prompt and the reading behind it waits for the next one
        for _ in range(20):
            terminal.process.send_signal(signal.SIGINT)
            try:
                code = terminal.process.wait(5)
            except subprocess.TimeoutExpired:
                continue
            break
        assert code == 130
        assert "Traceback" not in terminal.until("Stopped.\r\n")
    finally:
        terminal.close()


def test_which_of_several_runs_answers_is_said(
    cli: Cli, kinds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(kinds)
    newest = cli("info", "--json").out
    name = json.loads(newest)["newest"]
    for args in (["predict", "the"], ["explain", "the"], ["score", "the"], ["generate", "the"]):
        called = cli(*args, "--json")
        assert (
            called.code == 0
            and f"using runs/{name}, the newest run (choose another with --model)" in called.err
        )
    assert "using" not in cli("predict", "the", "-m", "rnn").err


def test_a_long_text_is_shown_by_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    assert text_so_far(["one two", "three"]) == "one two three"
    shown = text_so_far(["Napoleon was the Emperor", "of France and of"])
    assert shown.startswith("... ") and shown.endswith(" France and of")
    assert len(f"{shown} ...") <= 30


def test_marks_of_punctuation_are_quoted() -> None:
    lines = prediction_lines([Prediction("France", 0.5), Prediction(",", 0.25)])
    assert lines == ["France   50.0 %  " + 24 * "█", '","      25.0 %  ' + 12 * "█"]
