"""That scripts/round_trip.py counts what it says."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from click.testing import CliRunner

SCRIPTS = Path(__file__).resolve().parents[1] / "scripts"
sys.path.insert(0, str(SCRIPTS))
try:
    import round_trip
finally:
    sys.path.remove(str(SCRIPTS))


def test_a_lost_and_an_added_space_are_counted_apart() -> None:
    score = round_trip.Score("text")
    words = ["A", ":", ")", "and", "B"]
    score.add(words, "A :) and B", "A: ) and B")
    score.add(["A", "B"], "A B", "A B")
    assert (score.gaps, score.lost_spaces, score.new_spaces) == (5, 1, 1)
    assert score.characters == len("A :) and B") + len("A B")
    assert (score.paragraphs, score.identical, score.altered) == (2, 1, 0)
    assert score.wrong == {"A :": 1, ":)": 1}
    assert score.shares()["gaps_right"] == 3 / 5
    assert score.shares()["characters_right"] == 1 - 2 / 13
    assert score.shares()["identical"] == 1 / 2


def test_a_paragraph_that_the_tokenizer_changes_is_not_compared() -> None:
    score = round_trip.Score("text")
    score.add(["fin"], "\ufb01n", "fin")
    assert (score.paragraphs, score.altered, score.gaps) == (0, 1, 0)


def test_a_tenth_is_held_out_and_folders_are_read(tmp_path: Path) -> None:
    paragraphs = [f"The {number} men came home, and slept." for number in range(200)]
    (tmp_path / "men.txt").write_text("\n\n".join(paragraphs), encoding="utf-8")
    (tmp_path / "empty.txt").touch()
    (tmp_path / "other.md").write_text("not read", encoding="utf-8")

    result = CliRunner().invoke(round_trip.main, [str(tmp_path), "--json"])

    assert result.exit_code == 0, result.output
    (line,) = result.stdout.splitlines()
    row = json.loads(line)
    assert row["text"] == "men"
    assert 15 <= row["paragraphs"] <= 25
    assert row["gaps"] == 8 * row["paragraphs"]
    assert row["gaps_right"] == row["identical"] == 1


def test_the_table_is_aligned_and_ends_with_the_means(tmp_path: Path) -> None:
    for name in ("a", "longer"):
        text = "\n\n".join(["See you / then ."] * 40)
        (tmp_path / f"{name}.txt").write_text(text, encoding="utf-8")

    result = CliRunner().invoke(round_trip.main, [str(tmp_path), "--rules-only", "--wrong", "1"])

    lines = result.stdout.splitlines()
    assert [line.split()[0] for line in lines[:4]] == ["text", "a", "longer", "mean"]
    assert len({len(line) for line in lines[:4]}) == 1
    assert "longer:" in lines
