"""Completion in the shell: what is offered where, in each shell's own words."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.shell_completion import get_completion_class
from hypothesis import given
from hypothesis import strategies as st

from nextword.cli import COMMANDS, group
from nextword.cli.shells import COMPLETE_VARIABLE, Bash
from nextword.config.key_summary import key_summaries
from nextword.resources import resource_names
from nextword.storage.run_folder import known_runs

Cli = Callable[..., SimpleNamespace]
Complete = Callable[..., list[str]]
SHELLS = ["bash", "zsh", "fish"]
WORD = r"[a-z.-]{1,3}([=:]{1,2}[a-z./-]{1,3}){0,2}"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def complete(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Complete:
    """What zsh is offered for the last word, as ``type,value`` or ``type,value: help``."""

    def offered(*words: str) -> list[str]:
        monkeypatch.setenv("_NEXTWORD_COMPLETE", "zsh_complete")
        monkeypatch.setenv("COMP_WORDS", " ".join(["nextword", *words]))
        monkeypatch.setenv("COMP_CWORD", str(len(words)))
        called = cli()
        monkeypatch.delenv("_NEXTWORD_COMPLETE")
        assert (called.code, called.err) == (0, "")
        lines = called.out.strip().splitlines()
        triples = zip(lines[::3], lines[1::3], lines[2::3], strict=True)
        return [f"{kind},{key}" + f": {help}" * (help != "_") for kind, key, help in triples]

    return offered


@pytest.fixture
def in_bash(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Complete:
    """What bash is offered for the last of the words that it sees."""

    def offered(*words: str) -> list[str]:
        monkeypatch.setenv("_NEXTWORD_COMPLETE", "bash_complete")
        monkeypatch.setenv("COMP_WORDS", "\n".join(["nextword", *words]))
        monkeypatch.setenv("COMP_CWORD", str(len(words)))
        called = cli()
        monkeypatch.delenv("_NEXTWORD_COMPLETE")
        assert (called.code, called.err) == (0, "")
        return str(called.out).strip().splitlines()

    return offered


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Two runs, a folder that is none, and a run whose name would command the terminal."""
    for name in ("alice", "book", "al\x1b[31m"):
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / "config.yaml").touch()
    (tmp_path / "runs" / "album").mkdir()
    return tmp_path


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_is_clicks_own(cli: Cli, monkeypatch: pytest.MonkeyPatch, shell: str) -> None:
    shell_class = get_completion_class(shell)
    assert shell_class is not None
    script = shell_class(group, {}, "nextword", "_NEXTWORD_COMPLETE").source()
    called = cli("completion", shell)
    assert (called.code, called.out.strip()) == (0, script.strip())
    monkeypatch.setenv("SHELL", f"/usr/bin/{shell}")
    assert cli("completion").out == called.out


@pytest.mark.parametrize("args", [["completion"], ["completion", "tcsh"]])
def test_another_shell_is_a_usage_error_that_names_the_three(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, args: list[str]
) -> None:
    for value in ("/bin/tcsh", ""):
        monkeypatch.setenv("SHELL", value)
        called = cli(*args)
        assert (called.code, called.out) == (2, "")
        assert all(shell in called.err for shell in SHELLS)


def test_commands_and_options_come_with_their_help(complete: Complete) -> None:
    offered = complete("")
    assert [line.split(":")[0] for line in offered] == [f"plain,{name}" for name in COMMANDS]
    assert complete("tra") == ["plain,train: Train a next-word predictor on a text."]
    assert complete("predict", "--pre") == ["plain,--prefix: Only words that start with these."]
    assert complete("eval", "--split", "") == ["plain,valid", "plain,test"]
    assert complete("completion", "b") == ["plain,bash"]
    assert complete("predict", "--device", "cu") == ["plain,cuda"]


def test_a_mistyped_command_is_no_error_on_the_screen(complete: Complete) -> None:
    assert complete("trian", "--se") == []


@pytest.mark.parametrize(
    "words",
    [
        ["predict", "--model"],
        ["generate", "-m"],
        ["compare", "--model"],
        ["eval"],
        ["compare"],
        ["report"],
        ["train", "--resume", "--run"],
    ],
)
def test_runs_and_folders(complete: Complete, runs: Path, words: list[str]) -> None:
    known = {f"plain,{run.path.name}" for run in known_runs()}
    assert {*complete(*words, "")} == {"dir,", *known} - {"plain,al\x1b[31m"}
    assert complete(*words, "al") == ["dir,al", "plain,alice"]
    assert complete(*words, "runs/al") == ["dir,runs/al"]


def test_runs_to_compare_are_offered_once(complete: Complete, runs: Path) -> None:
    assert complete("compare", "alice", "") == ["dir,", "plain,book"]
    assert complete("compare", "--model", "book", "--model", "") == ["dir,", "plain,alice"]


def test_what_is_wrong_before_the_word_does_not_matter(complete: Complete) -> None:
    assert complete("predict", "he", "was", "--pref")[0].startswith("plain,--prefix")
    assert complete("predict", "-k", "many", "--bogus", "--pref")[0].startswith("plain,--prefix")


def test_the_name_of_a_new_run_is_free(complete: Complete, runs: Path) -> None:
    assert complete("train", "--run", "") == []


def test_without_runs_there_are_folders_only(complete: Complete, tmp_path: Path) -> None:
    assert complete("predict", "--model", "") == ["dir,"]
    (tmp_path / "runs").touch()  # a file
    assert complete("predict", "--model", "") == ["dir,"]


def test_configurations_that_ship_and_yaml_files(complete: Complete, tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    for name in ("art.yaml", "b.yml", "c.txt", ".hidden.yaml", "below/d.yaml"):
        (tmp_path / name).touch()
    shipped = [f"plain,{Path(name).stem}" for name in resource_names("configs")]
    offered = complete("train", "--config", "")
    assert offered == ["dir,", *shipped, "plain,art.yaml", "plain,b.yml"]
    assert complete("train", "--config", "art") == ["dir,art", "plain,article", "plain,art.yaml"]
    assert complete("train", "--config", ".h") == ["dir,.h", "plain,.hidden.yaml"]
    assert complete("train", "--config", "below/") == ["dir,below/", "plain,below/d.yaml"]
    assert complete("train", "--config", "none/") == ["dir,none/"]
    assert complete("train", "--config=arti") == ["dir,arti", "plain,--config=article"]


def test_texts_are_files(complete: Complete) -> None:
    for words in (["train", "--text"], ["eval", "--text"], ["score", "--text"]):
        assert complete(*words, "wa") == ["file,wa"]


def test_keys_of_settings_come_with_their_meaning(complete: Complete) -> None:
    offered = complete("train", "--set", "")
    assert offered == [f"plain,{key.key}=: {key.meaning}" for key in key_summaries()]
    assert complete("train", "--set", "a=1", "--set", "training.s") == [
        line for line in offered if line.startswith("plain,training.s")
    ]
    assert complete("train", "--set", "none") == []


def test_values_of_settings(complete: Complete) -> None:
    def values(typed: str) -> list[str]:
        return [line.removeprefix("plain,").split(":")[0] for line in complete(*words, typed)]

    words = ["train", "--set"]
    assert values("model.kind=l") == ["model.kind=lstm"]
    assert values("model.bias") == ["model.bias=true", "model.bias=false"]
    assert values("mixture.ngram=") == [f"mixture.ngram={it}" for it in ("true", "false", "null")]
    assert values("training.ep") == ["training.epochs=", "training.epochs=4.0"]
    assert values("training.epochs=") == ["training.epochs=4.0"]
    assert values("training.epochs=5") == []
    words = ["train"]
    assert values("--set=text.tokenizer=wh") == ["--set=text.tokenizer=whitespace"]


def test_bash_takes_the_sides_of_an_equals_sign_for_words(in_bash: Complete) -> None:
    assert in_bash("train", "--set", "model.kind", "=", "l") == ["plain,lstm"]
    assert in_bash("train", "--set", "model.bias", "=") == ["plain,true", "plain,false"]
    assert in_bash("train", "--set", "=", "model.bias", "=", "t") == ["plain,true"]
    assert in_bash("train", "--config", "=", "art") == ["dir,art", "plain,article"]
    # with another COMP_WORDBREAKS it does not
    assert in_bash("train", "--set", "model.kind=l") == ["plain,model.kind=lstm"]
    # what was typed before
    assert in_bash("train", "--set", "model.bias", "=", "no", "--resu") == ["plain,--resume"]
    assert in_bash("predict", "a:b", "--device", "cuda", ":") == []
    assert in_bash("train", "--set", "") == [f"plain,{key.key}=" for key in key_summaries()]


@given(
    st.lists(
        st.from_regex(r"[a-z.-]{1,3}([=:]{1,2}[a-z./-]{1,3}){0,2}", fullmatch=True), min_size=1
    ),
    st.sampled_from(["", "=", ":"]),
)
def test_words_that_bash_parted_are_whole_again(words: list[str], end: str) -> None:
    *args, last = [*words[:-1], words[-1] + end]
    parts = [part for word in [*args, last] for part in re.findall("[=:]+|[^=:]+", word)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMP_WORDS", "\n".join(["nextword", *parts]))
        patch.setenv("COMP_CWORD", str(len(parts)))
        bash = Bash(group, {}, "nextword", COMPLETE_VARIABLE)
        assert bash.get_completion_args() == (args, last)
    # what bash replaces is what stands behind the last sign
    assert last.removeprefix(bash.before) == re.findall("[^=:]*$", last)[0]


def on_path(tmp_path: Path) -> dict[str, str]:
    """An environment in which ``nextword`` is this checkout's."""
    program = tmp_path / "bin" / "nextword"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m nextword "$@"\n')
    program.chmod(0o755)
    root = Path(__file__).resolve().parents[2]
    return {
        **os.environ,
        "PATH": f"{program.parent}:{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")]),
    }


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_a_real_bash_completes(tmp_path: Path) -> None:
    script = """
eval "$(nextword completion bash)"
COMP_WORDS=(nextword train --set model.kind = ls)
COMP_CWORD=5
_nextword_completion nextword
echo "${COMPREPLY[@]}"
complete -p nextword
"""
    done = subprocess.run(
        ["bash", "--norc", "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env=on_path(tmp_path),
    )
    assert done.stdout == "lstm\ncomplete -o nosort -F _nextword_completion nextword\n"
    assert done.stderr == ""


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_a_real_fish_completes(runs: Path, tmp_path: Path) -> None:
    script = "nextword completion fish | source; complete -C 'nextword predict --model al'"
    done = subprocess.run(
        ["fish", "--no-config", "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={**on_path(tmp_path), "HOME": str(tmp_path)},
    )
    assert done.stdout == "alice\n"


@pytest.mark.parametrize(
    "words", [["train", "--set", "model."], ["train", "--config", ""], ["predict", "--model", ""]]
)
def test_completion_loads_nothing_that_takes_time(runs: Path, words: list[str]) -> None:
    code = """
import sys
from nextword.cli import main
try:
    main()
except SystemExit as exit:
    assert exit.code == 0
heavy = {"torch", "numpy", "pydantic", "yaml", "tokenizers", "safetensors", "tqdm", "wcwidth"}
assert not heavy & {*sys.modules}, heavy & {*sys.modules}
"""
    environ = {
        **os.environ,
        "_NEXTWORD_COMPLETE": "fish_complete",
        "COMP_WORDS": " ".join(["nextword", *words]),
        "COMP_CWORD": words[-1],
    }
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environ
    )
    assert done.returncode == 0, done.stderr
    assert "plain," in done.stdout
