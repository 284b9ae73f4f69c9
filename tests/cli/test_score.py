"""``nextword score``: a table, JSON, and shaded text on a terminal."""

import json
import math
import re
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import pytest

from nextword.cli.score import SHADES, legend, shaded, table_lines
from nextword.evaluation.score import Score, ScoredWord
from nextword.formatting import SHADE_EDGES

Cli = Callable[..., SimpleNamespace]
TEXT = "Napoleon was the Emperor of zebra."


@pytest.fixture(autouse=True)
def home(tiny_run: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tiny_run.home)
    return Path(tiny_run.home)


def word(text: str, bits: float, known: bool = True, spaced: bool = True) -> ScoredWord:
    return ScoredWord(text, known, 2**-bits, 3, bits, 0 if known else 20.0, "the", spaced)


def test_a_table_has_a_line_a_word_and_the_sums(cli: Cli, tiny_run: SimpleNamespace) -> None:
    called = cli("score", TEXT)
    assert (called.code, called.err) == (0, "not in the vocabulary: zebra\n")
    head, *rows, note, summary = called.out.splitlines()
    assert head.split() == ["word", "probability", "rank", "bits", "likeliest"]
    assert [row.split()[0] for row in rows] == [*TEXT[:-1].split(), "."]
    score = tiny_run.result.model.score(TEXT)
    second = score.words[1]
    assert rows[1].split()[-3:] == [str(second.rank), f"{second.bits:.1f}", second.likeliest]
    assert rows[5].startswith("zebra (?)") and note.startswith("(?)")
    assert summary == (
        f"7 words: {score.bits:.1f} bits ({score.spelling_bits:.1f} to spell unknown words), "
        f"perplexity {score.perplexity:.1f}, {score.bits_per_character:.3f} bits per character"
    )


def test_json_is_a_line_a_word_and_one_for_all(cli: Cli, tiny_run: SimpleNamespace) -> None:
    called = cli("score", TEXT, "--json")
    assert (called.code, called.err) == (0, "not in the vocabulary: zebra\n")
    *words, whole = [json.loads(line) for line in called.out.splitlines()]
    score = tiny_run.result.model.score(TEXT)
    assert words == [asdict(word) for word in score.words]
    assert whole == {
        "words": 7,
        "characters": len(TEXT),
        "unknown_words": 1,
        "bits": pytest.approx(score.bits),
        "spelling_bits": pytest.approx(score.spelling_bits),
        "perplexity": pytest.approx(score.perplexity),
        "bits_per_character": pytest.approx(score.bits_per_character),
    }


def test_a_file_and_a_pipe_are_whole_texts_whose_ends_count(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text("the small cat\n\nmy sister\n")
    from_file = cli("score", "--text", path, "--json")
    words = [json.loads(line).get("word") for line in from_file.out.splitlines()[:-1]]
    assert words == ["the", "small", "cat", "<eos>", "my", "sister", "<eos>"]
    assert cli("score", stdin=path.read_bytes()).out == cli("score", "--text", path).out
    assert cli("score", "--text", path).out.count("¶") >= 2


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["a", "--text", "b"], 2, "not both"),
        (["--text", "none.txt"], 1, "none.txt: no such file"),
        ([""], 1, "no word"),
        (["a", "--adapt", "much"], 2, "--adapt"),
    ],
)
def test_what_cannot_be_scored_is_one_error(
    cli: Cli, args: list[str], code: int, said: str
) -> None:
    called = cli("score", *args)
    assert (called.code, called.out) == (code, "")
    assert said in called.err


def test_nothing_in_a_word_commands_a_terminal() -> None:
    score = Score([word("a\x1b[2Jb", 3.0)], 5)
    shown = shaded(score, 80)
    assert r"a\x1b[2Jb" in shown and "\x1b[2J" not in shown
    # tables go out through what makes lines harmless; the columns have to count what it writes
    assert any(line.startswith(r"a\x1b[2Jb  ") for line in table_lines(score))


def test_each_word_has_the_shade_of_its_bits() -> None:
    words = [word(f"w{i}", bits) for i, bits in enumerate([0, *SHADE_EDGES])]
    words += [word("odd", 5.0, known=False, spaced=False), word("<eos>", 1.0, spaced=False)]
    text = shaded(Score(words, 30), 80).split("\n\n")[0]
    for number, shade in enumerate(SHADES):
        assert f"\x1b[38;5;16m\x1b[48;5;{shade}mw{number}\x1b[0m" in text
    # underlined, since the model does not know it; the end goes with it, on its own shade
    assert f"\x1b[38;5;16m\x1b[48;5;{SHADES[2]}m\x1b[4modd\x1b[0m" in text
    assert text.endswith(f"\x1b[48;5;{SHADES[0]}m¶\x1b[0m")
    plain = re.sub(r"\x1b\[[\d;]*m", "", text)
    assert plain == "w0 w1 w2 w3 w4 w5 odd¶"


def test_shaded_text_fills_its_lines_without_going_over() -> None:
    score = Score([word(f"word{i}", 3.0) for i in range(40)], 300)
    text = re.sub(r"\x1b\[[\d;]*m", "", shaded(score, 30).split("\n\n")[0])
    lines = text.split("\n")
    assert all(len(line) <= 30 for line in lines) and len(lines) > 5
    assert text.split() == [word.word for word in score.words]


def test_shades_grow_darker_and_black_can_be_read_on_all_of_them() -> None:
    def luminance(colour: int) -> float:
        """Of a colour of the 6x6x6 cube, as WCAG has it."""
        levels = (0, 95, 135, 175, 215, 255)
        cube = colour - 16
        channels = [levels[cube // 36] / 255, levels[cube // 6 % 6] / 255, levels[cube % 6] / 255]
        linear = [math.pow((c + 0.055) / 1.055, 2.4) for c in channels]
        return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    found = [luminance(shade) for shade in SHADES]
    assert found == sorted(found, reverse=True) and len(set(found)) == len(SHADE_EDGES) + 1
    assert all((each + 0.05) / 0.05 > 7 for each in found)


def test_the_legend_names_every_shade() -> None:
    answer = legend(unknown=True)
    for shade in SHADES:
        assert f"48;5;{shade}m" in answer
    plain = re.sub(r"\x1b\[[\d;]*m", "", answer)
    assert plain == " < 2  2–4  4–7  7–10  10–14  ≥ 14  bits, unknown underlined"
    assert "underlined" not in legend(unknown=False)


def test_a_terminal_is_coloured_unless_it_is_told_not_to(
    on_terminal: Callable[..., str], cli: Cli
) -> None:
    coloured = on_terminal("score", TEXT)
    assert "\x1b[48;5;" in coloured and "bits per character" in coloured
    assert "probability" not in coloured
    assert on_terminal("score", TEXT, NO_COLOR="1") == cli("score", TEXT).out


def test_a_text_that_was_learned_is_said_to_be(cli: Cli, tiny_text: Path, tmp_path: Path) -> None:
    said = "the model was trained on this text"
    assert said in cli("score", "--text", tiny_text).err
    (tmp_path / "other.txt").write_text("the small cat\n")
    assert cli("score", "--text", tmp_path / "other.txt").err == ""
