"""Spaces as the text has them: learned, stored, and brought back."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nextword.errors import ModelError
from nextword.storage.integrity import CHECKSUM, with_checksum
from nextword.text.detokenizer import detokenize
from nextword.text.spacing import FILE
from nextword.text.tokenized import learn_spacing
from nextword.text.tokenizer import Tokenizer


def learned(paragraphs: list[str]) -> Tokenizer:
    """A tokenizer that knows the words of a text and its spaces."""
    tokenizer = Tokenizer.learn(paragraphs, "words", lowercase=False)
    return tokenizer.with_words(tokenizer.words, learn_spacing(tokenizer, paragraphs))


def brought_back(tokenizer: Tokenizer, text: str) -> str:
    return tokenizer.decode(tokenizer.encode(text))


@pytest.mark.parametrize(
    "text",
    [
        "Write to info@example.com or see https://www.example.com/shop?id=12&lang=en today.",
        "The U.S. firm AT&T wrote C++ and R&D in snake_case in the '90s at 5°C.",
        "**bold** text and `code` here, x+44 and +44.",
        "اشترى التاجر، ثم باع؛ فهل ربح؟ نعم، ربح.",
        "कमल आया। उसने कहा, मैं लाया। सब ठीक है॥",
        "اس نے کہا۔ پھر وہ گیا۔",
        "Նա եկավ։ Հետո գնաց։",
        "እሱ መጣ። እሷ፣ እኔም፤ ሄድን።",
        "« Bonjour ! » dit-il ; « ça va ? »",
        "tokens , as a treebank has them .",
        'He said, "Go on," and "Now!" again.',
    ],
)
def test_text_comes_back_as_it_was(text: str) -> None:
    assert brought_back(learned([text] * 3), text) == text


def test_marks_of_other_scripts_stick_without_any_text() -> None:
    for text in (
        "السوق، والبيت؛ هل؟",
        "लाया। ठीक॥",
        "گیا۔ پھر",
        "եկավ։ Հետո",
        "መጣ። እሷ፣ እኔ",
        "ἦλθεν· καὶ",
    ):
        words = Tokenizer.learn([text], "words", lowercase=False).split(text)
        assert detokenize(words) == text


def test_what_a_mark_does_holds_for_words_it_was_never_beside() -> None:
    tokenizer = learned(["one ;two ;three and ( four ) five ( six ) a b"])
    assert brought_back(tokenizer, "b ;one and ( two ) three") == "b ;one and ( two ) three"


def test_open_and_closed_quotes_are_told_by_the_space_before_them() -> None:
    tokenizer = learned(['x "a b" y "c" z, "d," e "f." g "h" i k'] * 2)
    assert brought_back(tokenizer, 'k "a k" i') == 'k "a k" i'


def test_a_typo_does_not_change_a_mark() -> None:
    tokenizer = learned(["a, b, c, d, e ,f, g, h, i, k"])
    assert brought_back(tokenizer, "f, a, e") == "f, a, e"


def test_saved_and_loaded(tmp_path: Path) -> None:
    tokenizer = learned(["see example.com, now ;or then."])
    tokenizer.save(tmp_path / "tokenizer.json")
    loaded = Tokenizer.load(tmp_path / "tokenizer.json")
    assert loaded.spacing is not None and tokenizer.spacing is not None
    assert np.array_equal(loaded.spacing.sides, tokenizer.spacing.sides)
    assert loaded.spacing.pairs == tokenizer.spacing.pairs
    assert brought_back(loaded, "now ;or example.com") == "now ;or example.com"


@pytest.mark.parametrize("damage", ["{}", "[", '{"sides": ["9"]}'])
def test_damage_is_one_line_that_names_the_file(tmp_path: Path, damage: str) -> None:
    learned(["a b."]).save(tmp_path / "tokenizer.json")
    (tmp_path / FILE).write_text(damage, encoding="utf-8")
    with pytest.raises(ModelError, match=FILE):
        Tokenizer.load(tmp_path / "tokenizer.json")


def test_spaces_of_another_vocabulary_are_refused(tmp_path: Path) -> None:
    learned(["a b."]).save(tmp_path / "tokenizer.json")
    kept = (tmp_path / FILE).read_bytes()
    learned(["a c."]).save(tmp_path / "tokenizer.json")
    (tmp_path / FILE).write_bytes(kept)
    with pytest.raises(ModelError, match="do not belong together"):
        Tokenizer.load(tmp_path / "tokenizer.json")


def test_files_that_were_verified_before_are_not_verified_again(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    learned(["a b ;c."]).save(path)
    content = json.loads((tmp_path / FILE).read_text(encoding="utf-8"))
    (tmp_path / FILE).write_text(json.dumps({**content, "vocabulary": "?", "crc32": "?"}))
    with pytest.raises(ModelError, match=FILE):
        Tokenizer.load(path)
    assert brought_back(Tokenizer.load(path, verify=False), "b ;c.") == "b ;c."


@pytest.mark.parametrize(
    "damage",
    [
        {"sides": ["000", "000"]},
        {"sides": ["00000", "000", "0"]},
        {"sides": ["004", "000", "000"]},
        {"sides": ["00/", "000", "000"]},
        {"sides": ["00٣", "000", "000"]},
        {"sides": [1, 2, 3]},
        {"sides": None},
        {"glued": [[1]]},
        {"glued": [1, 2]},
        {"spaced": [[1, "x"]]},
        {"spaced": [[1, 2**70]]},
    ],
)
@pytest.mark.parametrize("verify", [False, True])
def test_a_wrong_structure_is_always_refused(tmp_path: Path, damage: Any, verify: bool) -> None:
    path = tmp_path / "tokenizer.json"
    learned(["a"]).save(path)
    content = json.loads((tmp_path / FILE).read_text(encoding="utf-8"))
    content = {key: value for key, value in content.items() if key != CHECKSUM} | damage
    (tmp_path / FILE).write_text(json.dumps(with_checksum(content)), encoding="utf-8")
    with pytest.raises(ModelError, match=FILE):
        Tokenizer.load(path, verify)


PIECES = st.sampled_from(["a", "bc", "12", "日", *",.()\"'-/@،", " ", " "])
PARAGRAPHS = st.lists(PIECES, min_size=1, max_size=20).map(lambda p: " ".join("".join(p).split()))


@settings(max_examples=150, deadline=None)
@given(PARAGRAPHS, PARAGRAPHS)
def test_words_are_never_lost_and_a_pair_seen_is_written_as_it_was(seen: str, other: str) -> None:
    tokenizer = learned([seen] * 3)
    words = tokenizer.split(other)
    written = detokenize(words, tokenizer.detokenizer())
    assert written.replace(" ", "") == other.replace(" ", "")
    pair = tokenizer.split(seen)[:2]
    if len(pair) == 2 and seen.count(pair[0]) == seen.count(pair[1]) == 1:
        start = detokenize(pair, tokenizer.detokenizer())
        assert seen.startswith(start)
