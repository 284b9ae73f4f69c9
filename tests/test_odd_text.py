"""Any bytes are read or refused with one clear line; nothing ends in a traceback."""

import codecs
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

Cli = Callable[..., SimpleNamespace]
TINY = {
    "windows.length": 8,
    "model.embedding_size": 4,
    "model.hidden_size": 4,
    "model.start": "random",
    "training.batch_size": 4,
    "training.epochs": 0.1,
    "training.validations": 1,
    "training.device": "cpu",
    "vocabulary.min_count": 1,
    "mixture.ngram": "false",
    "mixture.cache": "false",
}
FAMILY = "👨\u200d👩\u200d👧"
READABLE = {
    "right to left": "שלום עולם טוב\n\nمرحبا بالعالم الجميل\n\nשלום שוב עולם\n",
    "no spaces": "我爱你\n\n猫坐在垫子上\n\n我爱猫\n",
    "joined emoji": f"hi {FAMILY} 🇫🇷 👍🏽\n\n{FAMILY} hi\n\n🇫🇷 hi\n",
    "controls": "a \x1b[31mred\x07 b\n\na \x7f\x08b\n\na 31m \u202eb\u2066\n",
    "one distinct word": "word word word\n\n" * 5,
    "shorter than a window": "a b\n\na b\n\na b\n",
    "carriage returns": "a b\r\n\r\na b\r\r\na b",
}
REFUSED = {
    "empty": (b"", "is empty"),
    "blank": (b" \n\t\n\xc2\xa0\n", "no words in the text"),
    "one word": (b"word", "too few to set some aside"),
    "zero bytes": (b"a b\0c\n", "a zero byte at byte 3"),
    "binary": (bytes(range(1, 256)) * 40, "byte 127 is not utf-8"),
    "a picture": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "looks like PNG (an image), not text"),
    "UTF-16": (codecs.BOM_UTF16_LE + "a b".encode("utf-16-le"), "--set text.encoding=utf-16"),
    "UTF-16 without a mark": ("a b".encode("utf-16-le"), "--set text.encoding=utf-16-le"),
    "UTF-32": (codecs.BOM_UTF32_BE + "a b".encode("utf-32-be"), "--set text.encoding=utf-32"),
    "C1 controls": ("a \x9b31m b".encode(), "line 1 has the control character U+009B"),
    "half a character": (b"a \xed\xa0\x80 b", "byte 2 is not utf-8"),
    "a cut character": (b"a b \xe2\x82", "byte 4 is not utf-8"),
    "a cut gzip": (b"\x1f\x8b\x08\0\0\0\0\0\0\xffcut", "gzip file is damaged"),
}
PROMPTS = {
    **READABLE,
    "nothing": "",
    "zero bytes": "the \0 cat",
    "only unknown words": "zebra quagga okapi",
    "half a character": os.fsdecode(b"the \xff cat"),
    "a long word": "x" * 100_000,
}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def settings(**changes: object) -> list[str]:
    """Options of a training that takes a few steps."""
    keys = {**TINY, **{name.replace("__", "."): value for name, value in changes.items()}}
    return [part for key, value in keys.items() for part in ("--set", f"{key}={value}")]


def train(cli: Cli, text: str | bytes, **changes: object) -> SimpleNamespace:
    content = text if isinstance(text, bytes) else text.encode()
    Path("odd.txt").write_bytes(content)
    return cli("train", "--text", "odd.txt", "--run", "odd", *settings(**changes))


def assert_one_line(called: SimpleNamespace, message: str) -> None:
    assert called.code in (1, 2) and called.out == ""
    errors = [line for line in called.err.splitlines() if line.startswith("Error: ")]
    assert any(part in errors[0] for part in message.split("|")), called.err
    assert len(errors) == 1 and "Traceback" not in called.err


@pytest.mark.parametrize("name", READABLE)
def test_an_odd_text_is_learned_asked_and_measured(cli: Cli, name: str) -> None:
    trained = train(cli, READABLE[name])
    assert trained.code == 0, trained.err
    answered = cli("predict", READABLE[name], "--json")
    assert answered.code == 0
    words = [found["word"] for found in json.loads(answered.out)["predictions"]]
    assert words and "<unk>" not in words
    measured = cli("eval", "--text", "odd.txt", "--json")
    assert measured.code == 0, measured.err
    assert json.loads(measured.out)["perplexity"] >= 1


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_text_is_one_line(cli: Cli, tiny_run: SimpleNamespace, name: str) -> None:
    content, message = REFUSED[name]
    assert_one_line(train(cli, content), message)
    measured = cli("eval", "--text", "odd.txt", "--model", tiny_run.path)
    if name == "one word":
        assert measured.code == 0  # enough to measure on
    else:
        assert_one_line(measured, message.replace("no words in the text", "holds no word"))


def test_utf_16_is_read_where_it_is_named(cli: Cli) -> None:
    text = codecs.BOM_UTF16_LE + "né là\n\nné là\n\nné\n".encode("utf-16-le")
    assert train(cli, text, text__encoding="utf-16").code == 0
    assert {"né", "là"} == {
        found["word"] for found in json.loads(cli("predict", "né", "--json").out)["predictions"]
    }
    measured = cli("eval", "--text", "odd.txt", "--encoding", "utf-16", "--json")
    assert json.loads(measured.out)["unknown_rate"] == 0


def test_a_text_of_only_rare_words_says_what_to_set(cli: Cli) -> None:
    called = train(cli, "a b\n\nc d\n\ne f\n", vocabulary__min_count=2)
    assert_one_line(called, "set vocabulary.min_count to 1")


def test_one_word_is_enough_for_nothing(cli: Cli) -> None:
    called = train(cli, "word", text__holdout="{valid: 0, test: 0}")
    assert_one_line(called, "fewer than 2 words")


@pytest.mark.parametrize("name", PROMPTS)
def test_any_prompt_is_answered(cli: Cli, tiny_run: SimpleNamespace, name: str) -> None:
    prompt = PROMPTS[name]
    called = cli("predict", prompt, "--json", "-k", 3, "--model", tiny_run.path)
    assert called.code == 0, called.err
    assert len(json.loads(called.out)["predictions"]) == 3
    piped = prompt.encode("utf-8", "surrogateescape")
    called = cli("predict", "--json", "--model", tiny_run.path, stdin=piped + b"\n")
    assert called.code == 0, called.err
    assert all(len(json.loads(line)["predictions"]) == 5 for line in called.out.splitlines())


def test_binary_through_a_pipe_is_answered(cli: Cli, tiny_run: SimpleNamespace) -> None:
    called = cli("predict", "--json", "--model", tiny_run.path, stdin=bytes(range(256)))
    assert called.code == 0 and "Traceback" not in called.err
    assert [json.loads(line) for line in called.out.splitlines()]


@pytest.mark.parametrize("name", [b"a\x1b[31m.txt", b"a\nb.txt", b".txt"])
def test_any_file_name_will_do(cli: Cli, name: bytes) -> None:
    file = os.fsdecode(name)
    Path(file).write_text("a b\n\na b\n\na b\n")
    called = cli("train", "--text", file, *settings())
    assert called.code == 0, called.err
    assert "\x1b" not in called.out + called.err
    assert cli("eval", "--json").code == 0
    Path(file).unlink()
    assert cli("eval").code == 1


def test_a_file_name_that_is_no_text_is_refused(cli: Cli) -> None:
    Path(os.fsdecode(b"caf\xe9.txt")).write_text("a b\n\na b\n\na b\n")
    called = cli("train", "--text", os.fsdecode(b"caf\xe9.txt"), *settings())
    assert_one_line(called, r"'caf\udce9.txt' is not allowed: must be text, and its bytes are not")


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in other units elsewhere")
def test_one_long_line_takes_memory_in_proportion(tmp_path: Path) -> None:
    code = """
import resource, sys
from pathlib import Path
from nextword.config.schema import Holdout, TextConfig, VocabularyConfig
from nextword.text.prepare import prepare_text
from nextword.text.tokenizer import Tokenizer
Tokenizer.learn(["a b " * 100_000], "words", False).encode("a b")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
text = TextConfig(path="line.txt", holdout=Holdout(valid=0, test=0))
part = prepare_text(text, VocabularyConfig(), Path("cache")).parts["train"]
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(part.words, 1024 * (peak - before))
"""
    line = b"never odd or even " * 300_000
    (tmp_path / "line.txt").write_bytes(line)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    words, grown = map(int, done.stdout.split())
    assert words == 4 * 300_000
    # the line, its pieces joined, and a few megabytes of words under way
    assert grown < 5 * len(line) + (60 << 20)
