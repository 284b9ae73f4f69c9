"""A session's lines: what is read of them, and which words complete them."""

from types import SimpleNamespace

import pytest

from nextword.cli.dialogue import Dialogue
from nextword.inference.session import Session


class Heard:
    """What a dialogue read in its session, and the letters that predictions must begin with."""

    def __init__(self) -> None:
        self.answers: list[tuple[str, str]] = []

    def answer(self, session: Session, text: str, letters: str) -> None:
        session.read(text)
        self.answers.append((text, letters))

    @property
    def last(self) -> tuple[str, str]:
        return self.answers[-1]

    @property
    def read(self) -> str:
        """All that was read so far."""
        return " ".join(" ".join(text for text, _ in self.answers).split())


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def dialogue(tiny_run: SimpleNamespace, heard: Heard) -> Dialogue:
    return Dialogue(tiny_run.result.model.session, heard.answer)


def take(dialogue: Dialogue, *lines: str) -> None:
    for line in lines:
        dialogue.take(line)


def test_a_half_typed_word_is_kept_back_and_completed(dialogue: Dialogue, heard: Heard) -> None:
    take(dialogue, "Napoleon was the Empe")
    assert heard.last == ("Napoleon was the ", "Empe")
    assert [p.word for p in dialogue.session.predict(3, "Empe")] == ["Emperor"]


@pytest.mark.parametrize(
    ("line", "whole"), [("ror, and", "Emperor, and"), ('ror"', 'Emperor"'), ("ror.", "Emperor.")]
)
def test_its_other_letters_may_end_in_a_mark(
    dialogue: Dialogue, heard: Heard, line: str, whole: str
) -> None:
    take(dialogue, "the Empe", line)
    assert heard.read == f"the {whole}"


def test_a_space_before_the_letters_parts_them_from_the_word(
    dialogue: Dialogue, heard: Heard
) -> None:
    take(dialogue, "the Empe", " ror")
    assert heard.read == "the Empe ror"


@pytest.mark.parametrize("line", ["ror of", "Emperor of", "emperor of"])
def test_its_other_letters_or_the_whole_word_continue_it(
    dialogue: Dialogue, heard: Heard, line: str
) -> None:
    take(dialogue, "Napoleon was the Empe", line)
    assert heard.read.casefold() == "napoleon was the emperor of"
    assert dialogue.half_typed == ""
    assert dialogue.session.predict(1)[0].word == "France"
    assert " ".join(dialogue.text).casefold() == "napoleon was the emperor of"


def test_what_is_no_beginning_of_a_word_after_all_is_read_as_it_stands(
    dialogue: Dialogue, heard: Heard
) -> None:
    take(dialogue, "the Empe", "small cat")
    assert heard.read == "the Empe small cat"
    assert dialogue.text == ["the", "Empe small cat"]


def test_an_empty_line_repeats_the_completion(dialogue: Dialogue, heard: Heard) -> None:
    take(dialogue, "the Empe", "", "")
    assert heard.answers == [("the ", "Empe"), ("", "Empe"), ("", "Empe")]
    assert (heard.read, dialogue.text) == ("the", ["the Empe"])


@pytest.mark.parametrize("line", ["the small cat", "the zebra", "the Empe ", "the Emperor,", ""])
def test_a_whole_word_an_unknown_one_and_a_space_complete_nothing(
    dialogue: Dialogue, heard: Heard, line: str
) -> None:
    take(dialogue, line)
    assert heard.last[1] == dialogue.half_typed == ""


def test_a_new_text_forgets_the_half_typed_word(dialogue: Dialogue, heard: Heard) -> None:
    take(dialogue, "the Empe", "/new", "ror")
    assert heard.last == ("ror", "")


def test_a_half_typed_word_is_shown_with_the_dots_at_it(
    dialogue: Dialogue, capsys: pytest.CaptureFixture[str]
) -> None:
    take(dialogue, "Napoleon was the Empe", "ror of")
    shown = capsys.readouterr().err.splitlines()
    assert shown == ["Napoleon was the Empe...", "Napoleon was the Emperor of ..."]


def test_the_tab_key_offers_the_likeliest_words_and_reads_nothing(
    dialogue: Dialogue, heard: Heard
) -> None:
    take(dialogue, "Napoleon was the")
    assert dialogue.offered("", "Em") == ["Emperor"]
    assert dialogue.offered("Emperor of ", "")[0] == "France"
    assert dialogue.offered("Emperor of ", "zz") == []
    assert dialogue.offered("", "em") == ["Emperor"]
    assert dialogue.offered("", "/t") == ["/text"]
    assert dialogue.session.predict(1)[0].word == "Emperor"
    assert heard.read == "Napoleon was the"
