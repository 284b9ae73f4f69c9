"""What all commands share: help at once, one line an error, the right exit code."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import click
import pytest

import nextword.cli
from nextword import __version__
from nextword.cli import COMMANDS, group, summary
from nextword.errors import TORCH_MISSING, ModelError

Cli = Callable[..., SimpleNamespace]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_help_lists_every_command(cli: Cli) -> None:
    called = cli("--help")
    assert called.code == 0 and called.err == ""
    listed = re.findall(r"^  (\w+)  +(.+)$", called.out.split("Commands:\n")[1], re.M)
    assert listed == [(name, summary(name)) for name in COMMANDS]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_that_explains_its_options(cli: Cli, name: str) -> None:
    called = cli(name, "--help")
    assert called.code == 0 and called.err == ""
    assert f"nextword {name}" in called.out
    command = group.get_command(click.Context(group), name)
    assert command is not None and command.help
    # its line in the list of commands is the first sentence of its own help
    assert " ".join(command.help.split()).startswith(summary(name))
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help, option.name
            assert option.opts[-1] in called.out
    assert cli(name, "-h").out == called.out


def test_every_module_with_a_command_is_listed() -> None:
    modules = {file.stem for file in Path(nextword.cli.__file__).parent.glob("[!_]*.py")}
    assert {*COMMANDS} == {
        name.removesuffix("_")
        for name in modules
        if isinstance(
            getattr(import_module(f"nextword.cli.{name}"), "command", None), click.Command
        )
    }


def test_help_loads_nothing_that_takes_time() -> None:
    code = """
import sys
from nextword.cli import COMMANDS, main
for name in ["", *COMMANDS]:
    try:
        main([*name.split(), "--help"])
    except SystemExit as exit:
        assert exit.code == 0
heavy = {"torch", "numpy", "pydantic", "yaml", "tokenizers", "safetensors", "tqdm", "wcwidth"}
heavy |= {"huggingface_hub"}
assert not heavy & {*sys.modules}, heavy & {*sys.modules}
packages = {name.split(".")[1] for name in sys.modules if name.startswith("nextword.")}
assert packages <= {"cli", "errors", "formatting", "inference"}, packages
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_version_is_the_packages(cli: Cli) -> None:
    assert cli("--version").out == f"nextword, version {__version__}\n"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["trian"], "did you mean 'train'"),
        (["xyz"], "commands: train, predict"),
        (["options"], "no such command 'options'"),
        (["predict", "he", "was"], 'put the prompt in quotation marks: nextword predict "he was"'),
        (["generate", "he", "was"], "put the prompt in quotation marks: nextword generate"),
        (["score", "he", "was"], "put the prompt in quotation marks: nextword score"),
        (["explain", "he", "was"], "put the prompt in quotation marks: nextword explain"),
        (["predict", "- No, he"], 'goes after --: nextword predict -- "- No, he"'),
        (["predict", "-No, he", "-k", "1"], 'goes after --: nextword predict -k 1 -- "-No, he"'),
        (["generate", "-n", "3", "-near by"], 'after --: nextword generate -n 3 -- "-near by"'),
        (["score", "-- so"], 'goes after --: nextword score -- "-- so"'),
        (["explain", "-5 of them"], 'goes after --: nextword explain -- "-5 of them"'),
        (["generate", "The", "-n", "-5"], "Invalid value for '-n'"),
        (["predict", "-k", "-3", "The"], "Invalid value for '-k'"),
        (["generate", "-no, he said"], 'goes after --: nextword generate -- "-no, he said"'),
        (["predict", "--foo"], "No such option '--foo'"),
        (["similar", "a", "b"], "unexpected extra argument"),
        (["train", "--txt", "a.txt"], "'--text'"),
        (["eval", "a", "--model", "b"], "not both"),
        (["info", "a", "--model", "b"], "not both"),
        (["predict", "a", "-k", "0"], "-k"),
        (["predict", "a", "-k", "many"], "-k"),
        (["predict", "a", "--bogus"], "--bogus"),
        (["predict", "a", "--device", "gpu"], "device"),
        (["eval", "--split", "train"], "--split"),
        (["--bogus"], "--bogus"),
        (["train", "--set", "model.hidden_sise=3"], "did you mean model.hidden_size?"),
        (["train", "--set", "model.kind"], "expected KEY=VALUE"),
        (["train", "--config", "none"], "built-in: "),
        (["train", "--run", "../up", "--text", "none.txt"], "plain name"),
    ],
)
def test_a_usage_error_is_said_on_stderr_with_exit_code_two(
    cli: Cli, args: list[str], said: str
) -> None:
    called = cli(*args)
    assert (called.code, called.out) == (2, "")
    assert said in called.err
    assert "Traceback" not in called.err
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["predict", "a"], "no run under runs/"),
        (["predict", "a", "--model", "none"], "none: no such run or model folder"),
        (["eval"], "no run under runs/"),
        (["info", "none"], "none is not a run folder"),
        (["train", "--text", "none.txt"], "none.txt: no such file"),
        (["train", "--resume"], "no run under runs/"),
    ],
)
def test_a_failure_is_one_line_on_stderr_with_exit_code_one(
    cli: Cli, args: list[str], said: str
) -> None:
    called = cli(*args)
    assert (called.code, called.out) == (1, "")
    assert called.err.startswith("Error: ") and said in called.err
    assert called.err.count("\n") == 1


def test_every_problem_of_a_configuration_gets_its_line(cli: Cli) -> None:
    called = cli("train", "--set", "model.hiden_size=3", "--set", "training.epochs=-1")
    assert called.code == 2
    lines = called.err.splitlines()
    assert len(lines) == 2 and all(line.startswith("Error: ") for line in lines)


def test_an_error_of_several_lines_and_an_interrupt(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(error: BaseException) -> SimpleNamespace:
        def raising(*args: object, **kwargs: object) -> None:
            raise error

        monkeypatch.setattr(group, "main", raising)
        return cli("info")

    assert fail(ModelError("one\ntwo")).err == "Error: one\nError: two\n"
    for interrupt in (KeyboardInterrupt(), click.Abort()):
        called = fail(interrupt)
        assert (called.code, called.err) == (130, "Stopped.\n")


def test_a_bug_shows_itself(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def buggy(*args: object, **kwargs: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(group, "main", buggy)
    with pytest.raises(ZeroDivisionError):
        cli("info")


def test_the_module_is_the_command_and_a_closed_pipe_is_no_error() -> None:
    # the reader takes nothing and goes at once
    command = f"{sys.executable} -m nextword --help | head -c 0; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, check=False, env=os.environ
    )
    assert done.returncode in (0, 1)
    assert done.stderr == ""
    whole = subprocess.run(
        [sys.executable, "-m", "nextword", "--help"], capture_output=True, text=True, check=True
    )
    assert whole.stdout.startswith("Usage: nextword [OPTIONS]")


def test_only_documented_variables_set_options(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEXTWORD_MODEL", "chosen")
    monkeypatch.setenv("NEXTWORD_PREDICT_K", "many")
    monkeypatch.setenv("NEXTWORD_PREDICT_DEVICE", "gpu")
    called = cli("predict", "a")
    assert called.code == 1 and "chosen: no such run or model folder" in called.err
    known = {None, "NEXTWORD_MODEL", "NEXTWORD_SERVE_TOKEN"}
    for name in COMMANDS:
        command = group.get_command(click.Context(group), name)
        assert command is not None
        assert {option.envvar for option in command.params} <= known, name


def test_what_answers_a_prompt_computes_on_the_cpu_and_what_measures_on_a_gpu() -> None:
    defaults = {
        name: option.default
        for name in COMMANDS
        for option in group.get_command(click.Context(group), name).params  # type: ignore[union-attr]
        if option.name == "device"
    }
    assert defaults == {
        **dict.fromkeys(("predict", "generate", "score"), "cpu"),
        **dict.fromkeys(("eval", "compare", "report"), "auto"),
    }


@pytest.mark.parametrize("args", [["train"], ["explain", "the"], ["compare", "a", "b"], ["report"]])
def test_what_needs_pytorch_says_so_in_one_line_where_it_is_missing(args: list[str]) -> None:
    code = (
        "import sys; sys.modules['torch'] = None; from nextword.cli import main; main(sys.argv[1:])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *args], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"Error: {TORCH_MISSING}\n"
