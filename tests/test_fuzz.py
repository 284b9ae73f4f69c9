"""A short round of scripts/fuzz.py, and that it would notice."""

import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner

from nextword.errors import TextError

SCRIPTS = Path(__file__).resolve().parents[1] / "scripts"


@pytest.fixture
def fuzz(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    import fuzz

    yield fuzz
    for name in ("fuzz", "fuzz_readers", "fuzz_formats", "fuzz_mutations"):
        sys.modules.pop(name, None)


def test_a_short_round_finds_nothing(fuzz: ModuleType, tmp_path: Path) -> None:
    done = CliRunner().invoke(
        fuzz.main,
        ["--seed", "7", "--inputs", "480", "--keep", str(tmp_path)],
        catch_exceptions=False,
    )
    assert done.exit_code == 0, done.output
    rows = {line[:20].strip(): line[20:].split() for line in done.output.splitlines()[1:-1]}
    assert rows["all"][0] == "480" and rows["all"][3] == "0"
    assert len(rows) == 16 and all(int(row[0]) >= 30 for row in rows.values())
    assert list(tmp_path.iterdir()) == []


def test_the_same_seed_makes_the_same_inputs(fuzz: ModuleType) -> None:
    def inputs(seed: int) -> list[bytes]:
        reader = fuzz.Reader([b"some text, 12 words"], lambda content, draw: None)
        return [reader.input([b"other"], random.Random(seed + i)) for i in range(50)]

    assert inputs(1) == inputs(1) != inputs(500)
    assert len(set(inputs(1))) > 25


def raise_value_error(content: bytes, draw: random.Random) -> None:
    raise ValueError("not foreseen")


def refuse(content: bytes, draw: random.Random) -> None:
    raise TextError("cannot be read")


def refuse_without_a_word(content: bytes, draw: random.Random) -> None:
    raise TextError("")


def never_end(content: bytes, draw: random.Random) -> None:
    began = time.process_time()
    while time.process_time() - began < 5:
        pass


def fill_the_memory(content: bytes, draw: random.Random) -> None:
    bytearray(1 << 33)


@pytest.mark.parametrize(
    ("read", "result", "reason"),
    [
        (raise_value_error, "failed", "not foreseen"),
        (refuse_without_a_word, "failed", "without a message"),
        (never_end, "failed", "still at work"),
        (fill_the_memory, "failed", "MemoryError"),
        (refuse, "refused", ""),
    ],
)
def test_it_notices_all_but_a_clear_refusal(
    fuzz: ModuleType, monkeypatch: pytest.MonkeyPatch, read: object, result: str, reason: str
) -> None:
    monkeypatch.setattr(fuzz, "SECONDS", 0.2)
    if read is fill_the_memory and not Path("/proc/self/statm").exists():
        pytest.skip("memory is bounded on Linux only")
    with fuzz.bounded_memory():
        found, why = fuzz.outcome(fuzz.Reader([b""], read), b"", random.Random(1))
    assert found == result and reason in why


def test_a_failure_is_kept_and_told(
    fuzz: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    readers = {"bad": fuzz.Reader([b"sound"], raise_value_error)}
    counts = fuzz.fuzz(readers, 3, 2, tmp_path / "kept")
    assert counts["bad"]["failed"] == 2
    assert sorted(file.name for file in (tmp_path / "kept").iterdir()) == ["3-0", "3-1"]
    assert "seed 3, input 1, bad" in capsys.readouterr().err
