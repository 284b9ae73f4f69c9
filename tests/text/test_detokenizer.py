from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from nextword.text.detokenizer import Detokenizer, detokenize
from nextword.text.readers import read_paragraphs
from nextword.text.tokenized import learn_spacing
from nextword.text.tokenizer import END, SPECIAL_WORDS, Tokenizer

BOOK = Path(__file__).resolve().parents[2].parent / "shared" / "corpora" / "war-and-peace.txt"
TOKENIZER = Tokenizer(SPECIAL_WORDS, "words", lowercase=False)

SAMPLE = """\
The harbour master's clock had stopped at a quarter to nine, and nobody--not even old Mrs.
Penrose, who noticed everything--could say when. "It was running on Tuesday," she insisted. "I
set my own by it."

"Tuesday!" cried the boatman. "Then that's three days lost, and the ferry's gone without us."

He counted his coins on the table (there were seventeen) and pushed them across: $5 for the
rope, 40% of the rest for the boy. "Take it or leave it," he said; "I shan't ask twice."

The boy, who had read 'Robinson Crusoe' and little else, considered this. "What did the captain
mean," he asked, "when he shouted, 'Cut the line'?" His cousins' laughter filled the well-lit
room...

"Mean?" The boatman's face darkened. "He meant what he said--no more, no less. In 1874-75 we
lost two that way."

“Nonsense,” Mrs. Penrose answered. “He said ‘cut the wine’—I was there.” And she laughed, i.e.
she snorted, at 9:15 precisely. [The rest of the page is torn.]
"""


def matching_share(paragraphs: Iterable[str]) -> float:
    """The share of characters that come back the same; only the gaps can differ."""
    characters = wrong = 0
    for paragraph in paragraphs:
        detokenizer = Detokenizer()
        place = 0
        for word in TOKENIZER.split(paragraph):
            start = paragraph.index(word, place)
            assert not paragraph[place:start].strip()
            wrong += (start > place) != detokenizer.push(word).startswith(" ")
            place = start + len(word)
        characters += len(paragraph) + 1
    return 1 - wrong / characters


def test_original_prose_comes_back(tmp_path: Path) -> None:
    file = tmp_path / "sample.txt"
    file.write_text(SAMPLE, encoding="utf-8")
    for paragraph in read_paragraphs(file):
        assert detokenize(TOKENIZER.split(paragraph)) == paragraph


@pytest.mark.skipif(not BOOK.exists(), reason="the shared corpora are not here")
def test_a_whole_novel_comes_back() -> None:
    assert matching_share(read_paragraphs(BOOK)) > 0.9998


@pytest.mark.parametrize(
    "text",
    [
        "$5 and £6, 50% off; 5 € or €5 (not #3).",
        "“So ‘it’ was,” she said. ’Tis late.",
        "A pause – here – and 1805–1812.",
        "and/or... well… «Oui» „Ja“ no",
        "你好，世界。“好”",
        "日本語のテキスト",
        "ภาษาไทย",
        "Русский текст — хорошо.",
        "the _very_ end * * *",
        "Platov took 'em all, 'twas said, 'no more'",
        "the word 道 and iPhone 15",
        "...and then, at 5 a.m., e.g. here",
    ],
)
def test_round_trips(text: str) -> None:
    assert detokenize(TOKENIZER.split(text)) == text


def test_open_quotes_are_forgotten_at_the_paragraph_end() -> None:
    words = ['"', "Go", END, '"', "No", ".", '"']
    assert detokenize(words) == '"Go\n\n"No."'
    assert detokenize(["a", ",", END, "b", "."], Detokenizer("whitespace")) == "a ,\nb ."


def test_streaming_gives_the_same_text() -> None:
    for paragraph in SAMPLE.split("\n\n"):
        assert matching_share([paragraph]) == 1
        words = TOKENIZER.split(paragraph)
        detokenizer = Detokenizer()
        pushed = [detokenizer.push(word) for word in words]
        assert [piece.strip() for piece in pushed] == words
        assert "".join(pushed) == detokenize(words)


@pytest.mark.parametrize(
    ("before", "word", "spaces"),
    [
        ("", "the", (False, True)),
        ("the", "cat", (True, True)),
        ("the cat", ",", (False, True)),
        ("the cat", "(", (True, False)),
        ("the cat (", "the", (False, True)),
        ("the cat (", ")", (False, True)),
        ("he said", '"', (True, False)),
        ('he said "', '"', (False, True)),
        ('he said " no', '"', (False, True)),
        ("the cat", "--", (False, False)),
        ("the cat", END, (False, False)),
    ],
)
def test_spaces_around_a_word_that_may_come_next(
    before: str, word: str, spaces: tuple[bool, bool]
) -> None:
    detokenizer = TOKENIZER.detokenizer()
    for earlier in before.split():
        detokenizer.push(earlier)
    assert detokenizer.spaces_around(word) == spaces
    # and it was only asked
    assert detokenizer.spaces_around(word) == spaces
    assert detokenizer.push(word).startswith(" ") == spaces[0]


def test_spaces_around_a_word_follow_the_text_that_was_learned_from() -> None:
    words = [*SPECIAL_WORDS, *"call f ( x ) of a".split()]
    learned = Tokenizer(words, "words", lowercase=False)
    spacing = learn_spacing(learned, ["call f( x ) of f( a ) of f( x ) of a"] * 3)
    detokenizer = learned.with_words(words, spacing).detokenizer()
    detokenizer.push("f")
    assert detokenizer.spaces_around("(") == (False, True)


def test_tokenized_text_has_a_space_everywhere() -> None:
    detokenizer = Detokenizer("whitespace")
    assert detokenizer.spaces_around(",") == (False, True)
    detokenizer.push("cat")
    assert detokenizer.spaces_around(",") == (True, True)
    assert detokenizer.spaces_around(END) == (False, False)
