"""``nextword generate``: the prompt and what comes after it, in a pipe, in JSON, on a terminal."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from nextword.inference.sampling import Sampling

Cli = Callable[..., SimpleNamespace]
PROMPT = "Napoleon was the"


@pytest.fixture(autouse=True)
def home(tiny_run: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tiny_run.home)
    return Path(tiny_run.home)


def test_the_likeliest_words_follow_the_prompt(cli: Cli) -> None:
    called = cli("generate", PROMPT, "-n", 4, "--temperature", 0)
    assert (called.code, called.out, called.err) == (0, "Napoleon was the Emperor of France.\n", "")


def test_json_is_what_python_gives_and_its_settings(cli: Cli, tiny_run: SimpleNamespace) -> None:
    called = cli("generate", PROMPT, "-n", 20, "--seed", 5, "--top-p", 1, "--top-k", 9, "--json")
    assert (called.code, called.err) == (0, "")
    wanted = tiny_run.result.model.generate(PROMPT, 20, Sampling(1.0, 9, 1.0), seed=5)
    assert json.loads(called.out) == {
        "prompt": PROMPT,
        "text": wanted.text,
        "words": wanted.words,
        "seed": 5,
        "temperature": 1.0,
        "top_k": 9,
        "top_p": 1.0,
        "adapt": "none",
    }


def test_a_chance_seed_is_said_and_gives_the_same_text_again(cli: Cli) -> None:
    called = cli("generate", PROMPT, "-n", 40, "--top-p", 1)
    said = re.fullmatch(r"seed (\d+)\n", called.err)
    assert called.code == 0 and said
    again = cli("generate", PROMPT, "-n", 40, "--top-p", 1, "--seed", said[1])
    assert (again.out, again.err) == (called.out, called.err)


def test_paragraphs_come_apart_in_a_pipe(cli: Cli, tiny_run: SimpleNamespace) -> None:
    called = cli("generate", "-n", 90, "--seed", 1)
    wanted = tiny_run.result.model.generate("", 90, seed=1).text
    assert "\n\n" in wanted and called.out == wanted + "\n"


def test_a_prompt_comes_through_a_pipe(cli: Cli) -> None:
    wanted = cli("generate", PROMPT, "-n", 5, "--seed", 3)
    piped = cli("generate", "-n", 5, "--seed", 3, stdin=PROMPT + "\n")
    assert (piped.code, piped.out) == (0, wanted.out)
    broken = cli("generate", "-n", 1, "--json", stdin=b"the \xff")
    assert json.loads(broken.out)["prompt"] == "the \ufffd"
    argument = cli("generate", os.fsdecode(b"the \xff"), "-n", 1, "--json")
    assert json.loads(argument.out)["prompt"] == "the \ufffd"


def test_unknown_words_are_said_and_a_terminal_is_not_commanded(cli: Cli) -> None:
    called = cli("generate", "the \x1b[31mzebra", "-n", 1, "--temperature", 0)
    assert called.code == 0
    assert "\x1b" not in called.out + called.err
    assert called.out.startswith(r"the \x1b[31mzebra")
    assert "not in the vocabulary: " in called.err and "zebra" in called.err


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["-n", "0"], "-n"),
        (["--seed", "-1"], "--seed"),
        (["--temperature", "-1"], "temperature"),
        (["--temperature", "nan"], "temperature"),
        (["--top-k", "0"], "top-k"),
        (["--top-p", "0"], "top-p"),
        (["--top-p", "1.5"], "top-p"),
    ],
)
def test_settings_out_of_range_are_usage_errors(cli: Cli, args: list[str], said: str) -> None:
    called = cli("generate", PROMPT, *args)
    assert (called.code, called.out) == (2, "")
    assert said in called.err and "Traceback" not in called.err


def test_a_terminal_shows_the_same_words_in_lines_of_its_width(
    on_terminal: Callable[..., str], cli: Cli
) -> None:
    prompt = f"{PROMPT}\tEmperor"
    args = ("generate", prompt, "-n", "60", "--seed", "4")
    plain = cli(*args).out
    shown = on_terminal(*args, columns=40)
    assert shown.startswith("Napoleon was the Emperor") and shown.endswith("\n")
    assert max(map(len, shown.split("\n"))) <= 40
    assert shown.split() == plain.replace(r"\t", " ").split()
