"""What comes from a text, a prompt, a file name or a model file never commands the terminal."""

import ast
import json
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import nextword
from nextword.cli.console import Console
from nextword.cli.terminal import say, say_json
from nextword.formatting import escape_control
from nextword.inference.loaded_model import LoadedNetwork
from nextword.inference.model_folder import load_model_folder, save_model
from nextword.inference.session import Prediction
from nextword.text.tokenizer import Tokenizer
from nextword.training.callbacks import Progress, ValidationReport

Cli = Callable[..., SimpleNamespace]
COMMANDS = "\x1b[31m|\x9b31m|\x07|\x7f|\x08|\u202e|\u2066|\u2028|\x85".split("|")
EVIL = "".join(COMMANDS)


def commands_in(shown: str) -> set[str]:
    """Characters that a terminal would obey; line ends, and a bar's way back, are the program's."""
    return set(re.findall(r"[^\n\r\x20-\x7e\xa0-\u2027\u202f-\u2065\u206a-\ud7ff\ue000-]", shown))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def evil_model(tiny_run: SimpleNamespace, tmp_path: Path) -> Path:
    """A model whose every other word commands a terminal."""
    loaded = load_model_folder(tiny_run.path / "model")
    words = [
        f"{word}{COMMANDS[i % len(COMMANDS)]}" if i > 1 and i % 2 else word
        for i, word in enumerate(loaded.tokenizer.words)
    ]
    evil = Tokenizer(words, "words", lowercase=False)
    save_model(
        tmp_path / "model", LoadedNetwork(loaded.arrays(), evil, loaded.settings, loaded.counts), ""
    )
    return tmp_path / "model"


def test_letters_stay_and_commands_are_spelled_out() -> None:
    kept = "Ünïcödé שלום مرحبا 我 👨\u200d👩 🇫🇷 a\u200fb é \xa0"
    assert escape_control(kept) == kept
    assert escape_control("\x1b[2J\n\t\x9b\u202e\udcff") == r"\x1b[2J\n\t\x9b\u202e\udcff"
    assert not commands_in(escape_control("".join(map(chr, range(0x3000)))))


def test_a_line_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    say("a\nb", "c")
    say("d", err=True)
    assert capsys.readouterr() == ("a\\nb\nc\n", "d\n")


def test_json_keeps_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    say_json({"word": EVIL})
    shown = capsys.readouterr().out
    assert not commands_in(shown) and json.loads(shown) == {"word": EVIL}


def test_only_one_module_writes_to_the_terminal() -> None:
    """Apart from bars, and text that goes out bit by bit or in colours, made visible before."""
    package = Path(nextword.__file__).parent
    writers = set()
    for file in package.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in (
                "print",
                "click.echo",
                "click.secho",
                "tqdm.write",
                "sys.stdout.write",
                "sys.stderr.write",
            ):
                writers.add(file.relative_to(package).as_posix())
    allowed = {f"cli/{name}.py" for name in ("progress", "generate", "score")}
    assert "cli/terminal.py" in writers and writers <= {"cli/terminal.py", *allowed}


def test_predictions_and_unknown_words(cli: Cli, evil_model: Path) -> None:
    called = cli("predict", f"zebra{EVIL} of", "-k", 60, "--model", evil_model)
    assert called.code == 0
    assert r"\x1b[31m" in called.out and r"\x1b" in called.err
    assert not commands_in(called.out + called.err)
    called = cli("predict", "--model", evil_model, stdin=f"the {EVIL}\n")
    assert called.code == 0 and not commands_in(called.out + called.err)
    answer = cli("predict", EVIL, "--json", "-k", 60, "--model", evil_model)
    assert not commands_in(answer.out + answer.err)
    assert json.loads(answer.out)["prompt"] == EVIL
    nothing = cli("predict", "the", "--prefix", EVIL, "--model", evil_model)
    assert nothing.code == 0 and not commands_in(nothing.err)


def test_costliest_words_and_file_names(cli: Cli, evil_model: Path) -> None:
    text = Path(f"a{EVIL}.txt")
    words = json.loads((evil_model / "tokenizer.json").read_text())["model"]["vocab"]
    # a text with C1 controls is refused as read in a wrong encoding
    text.write_text(re.sub(r"[\x80-\x9f]", "", " ".join(words)) + "\n", encoding="utf-8")
    called = cli("eval", "--text", text, "--details", "--model", evil_model)
    assert called.code == 0 and "\\x1b" in called.out
    assert not commands_in(called.out + called.err)


def test_samples_while_training(capsys: pytest.CaptureFixture[str]) -> None:
    console: Any = Console()
    samples = {EVIL: [Prediction(f"w{EVIL}", 0.5)]}
    console.on_validation(ValidationReport(Progress(), 1.1, True, samples))
    console.on_message(EVIL)
    shown = capsys.readouterr().err
    assert shown.count("\\x1b") == 3 and not commands_in(shown)


@pytest.mark.parametrize(
    "args",
    [
        ["predict", "a", "--model", EVIL],
        ["predict", "a", EVIL],
        ["predict", "a", f"--{EVIL}"],
        ["predict", "a", "--device", EVIL],
        ["predict", "a", "-k", EVIL],
        [EVIL],
        ["info", EVIL],
        ["train", "--text", EVIL],
        ["train", "--config", EVIL],
        ["train", "--set", EVIL],
        ["train", "--set", f"{EVIL}=1"],
        ["train", "--set", f'model.kind="{EVIL}'],
        ["train", "--set", "model.kind=a\u202e\u2066"],
        ["train", "--run", f"{EVIL}/"],
        ["eval", "--split", EVIL],
    ],
)
def test_error_messages(cli: Cli, args: list[str]) -> None:
    called = cli(*args)
    assert called.code in (1, 2) and called.out == ""
    assert called.err and not commands_in(called.err)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
def test_errors_that_quote_a_model_file(cli: Cli, evil_model: Path, name: str) -> None:
    if name == "config.json":
        described = json.loads((evil_model / name).read_text())
        described["model"][EVIL] = EVIL
        (evil_model / name).write_text(json.dumps(described))
    elif name == "tokenizer.json":
        tokenizer = json.loads((evil_model / name).read_text())
        tokenizer["model"]["vocab"][EVIL] = EVIL
        (evil_model / name).write_text(json.dumps(tokenizer))
    else:
        header = json.dumps({EVIL: {"dtype": EVIL, "shape": [], "data_offsets": [0, 0]}}).encode()
        (evil_model / name).write_bytes(len(header).to_bytes(8, "little") + header)
    called = cli("predict", "a", "--model", evil_model)
    assert called.code == 1 and not commands_in(called.err)
