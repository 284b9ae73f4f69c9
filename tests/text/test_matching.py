"""What people type meets what a text holds."""

import difflib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextword.text.tokenized import tokenize_paragraphs, tokenize_string, unmatched_words
from nextword.text.tokenizer import SPECIAL_WORDS, Tokenizer
from nextword.text.typesetting import case_key, each_line, keyboard_spelling, without_accents
from nextword.text.vocabulary import UNKNOWN_ID


def learned(text: str) -> Tokenizer:
    return Tokenizer.learn([text], "words", lowercase=False)


def read_as(text: str, typed: str) -> str:
    """The words of a text that a typed prompt is read as."""
    tokenizer = learned(text)
    return " ".join(tokenizer.words[i] for i in tokenize_string(tokenizer, typed).ids)


@pytest.mark.parametrize(
    ("text", "typed", "wanted"),
    [
        ("I don’t know", "I don't know", "I don’t know"),
        ("I don't know", "I don’t know", "I don't know"),
        ("“Go,” he said.", '"Go," he said.', "“ Go , ” he said ."),
        ('"Go," he said.', "“Go,” he said.", '" Go , " he said .'),
        ("„Geh“, sagte er. „Gut“", '"Geh", sagte er.', "„ Geh “ , sagte er ."),
        ("« Va », dit-il.", '"Va", dit-il.', "« Va » , dit-il ."),
        ("„Idź” rzekł", '"Idź" rzekł', "„ Idź ” rzekł"),
        ("No—yes … well", "No--yes ... well", "No — yes … well"),
        ("No--yes ... well", "No—yes… well", "No -- yes ... well"),
        ("a well‑known man", "a well-known man", "a well‑known man"),
        ("מנכ״ל בא", 'מנכ"ל בא', "מנכ״ל בא"),
        ("find the first flour", "ﬁnd the ﬁrst ﬂour", "find the first flour"),
        ("ﬁnd the lan\u00adtern", "find the lantern", "find the lantern"),
        ("Napoleon was the Emperor", "napoleon WAS the emperor", "Napoleon was the Emperor"),
        ("İstanbul ve IŞIK", "istanbul ve ışık", "İstanbul ve IŞIK"),
        ("ὁ ΔΡΟΜΟΣ", "ὁ δρομος", "ὁ ΔΡΟΜΟΣ"),
        ("I don’t know", "I don´t know", "I don’t know"),
        ("I don't know", "I don‘t know", "I don't know"),
        ("aujourd’hui", "aujourd`hui", "aujourd’hui"),
        ("п’ять років", "п′ять років", "п’ять років"),
        ("מנכ״ל בא", "מנכ''ל בא", "מנכ״ל בא"),
        ('מנכ"ל בא', "מנכ”ל בא", 'מנכ"ל בא'),
        ("le cœur", "le coeur", "le cœur"),
        ("Oedipus", "Œdipus", "Oedipus"),
        ("او می‌رود", "او میرود", "او می‌رود"),
        ("یک کتاب", "يك كتاب", "یک کتاب"),
        ("الكتاب", "الـكـتـاب", "الكتاب"),
        ("in 1999", "in १९९९", "in 1999"),
        ("سنة ٢٠١٠", "سنة 2010", "سنة ٢٠١٠"),
        ("שָׁלוֹם לך", "שלום לך", "שָׁלוֹם לך"),
        ("كتب", "كَتَبَ", "كتب"),
        ("the cat", "the dog", "the <unk>"),
    ],
)
def test_a_prompt_is_read_as_the_text_spells(text: str, typed: str, wanted: str) -> None:
    assert read_as(text, typed) == wanted


def test_an_apostrophe_of_another_keyboard_stays_where_it_joins_no_known_word() -> None:
    assert read_as("don ‘ t ´ x", "don´t") == "don ´ t"
    assert [match.typed for match in unmatched_words(learned("a b"), "x´y")] == ["x", "´", "y"]


@pytest.mark.parametrize(
    ("text", "typed"),
    [("Łódź", "lodz"), ("Ærø", "Aero"), ("Đorđe", "Dorde"), ("λόγος", "ΛΟΓΟΣ"), ("café", "cafe")],
)
def test_letters_without_bars_and_accents_suggest_the_word(text: str, typed: str) -> None:
    assert learned(text).matcher.suggestions(typed) == [text]


def test_the_text_s_own_spelling_comes_first() -> None:
    tokenizer = learned("don’t don’t don't us US \" “")
    for word in ("don't", "don’t", "us", "US", '"', "“"):
        number = tokenize_string(tokenizer, word).ids.tolist()
        assert number == [tokenizer.index[word]]
        assert unmatched_words(tokenizer, word) == []


def test_a_text_that_is_measured_keeps_its_own_spelling() -> None:
    tokenizer = learned("I don’t know")
    measured = tokenize_paragraphs(tokenizer, ["I don't know"])
    assert measured.unknown_words == ["don't"]


def test_only_what_differs_in_more_than_typesetting_is_named() -> None:
    tokenizer = learned("Napoleon doesn’t sleep")
    found = unmatched_words(tokenizer, "napoleon doesn't dream, napoleon")
    words = [(match.typed, tokenizer.words[match.id]) for match in found]
    assert words == [("napoleon", "Napoleon"), ("dream", "<unk>"), (",", "<unk>")]


def test_suggestions_begin_with_case_and_accents() -> None:
    matcher = learned("Marya mark Mary café cage οδός zzz").matcher
    assert matcher.suggestions("MARY")[0] == "Mary"
    assert matcher.suggestions("cafe")[0] == "café"
    assert matcher.suggestions("ΟΔΟΣ") == ["οδός"]
    assert matcher.suggestions("pierre") == []


@pytest.mark.parametrize(
    ("prefix", "wanted"),
    [
        ("don'", {"don’t"}),
        ("fl", {"flour"}),
        ("nap", {"nap"}),
        ("NAP", {"nap", "Napoleon"}),
        ("istan", {"İstanbul"}),
        ("οδος", {"οδοστρωμα"}),
        ("q", set()),
    ],
)
def test_prefixes_meet_words_too(prefix: str, wanted: set[str]) -> None:
    tokenizer = learned("don’t ﬂour nap Napoleon İstanbul οδοστρωμα")
    assert {tokenizer.words[i] for i in tokenizer.matcher.with_prefix(prefix)} == wanted
    assert tokenizer.matcher.begins_word(prefix) == bool(wanted)


WORDS = st.text(st.sampled_from("aBéﬁ'’‘-‑–\"“”ıİσς1"), min_size=1, max_size=6)


@given(st.lists(WORDS, min_size=1, max_size=6))
def test_every_word_of_a_text_is_known_however_it_is_typeset(words: list[str]) -> None:
    tokenizer = learned(" ".join(words))
    assert unmatched_words(tokenizer, " ".join(words)) == []
    typed = " ".join(map(keyboard_spelling, words))
    unknown = [m.typed for m in unmatched_words(tokenizer, typed) if m.id == UNKNOWN_ID]
    # a straight quote may split a word otherwise than a curly one, but letters always meet
    assert not [word for word in unknown if word.isalnum() and word in words]
    assert all(case_key(keyboard_spelling(word)) == case_key(word) for word in words)


ODD_WORDS = st.text(
    st.sampled_from('aAB.-–…`’"“œĳﬁ½²٣९كي\u0640\u064eש\u05b8ıİ\u0307ΣςßøŁé\u0301日𝐀‴\n')
)


@given(st.lists(ODD_WORDS | st.text(max_size=3)))
def test_many_words_are_spelled_at_once_as_one_by_one(words: list[str]) -> None:
    for spelling in (keyboard_spelling, case_key, without_accents):
        assert each_line(spelling, words) == [spelling(word) for word in words]


@pytest.mark.parametrize(
    ("word", "keyboard", "key", "bare"),
    [
        ("Don’t", "Don't", "don't", "don't"),
        ("`", "'", "'", "'"),
        ("----", "-", "-", "-"),
        ("—", "-", "-", "-"),
        ("…", "...", "...", "..."),
        ("..", "...", "...", "..."),
        (".-a", ".-a", ".-a", ".-a"),
        ("Œuf", "Oeuf", "oeuf", "oeuf"),
        ("x²", "x2", "x2", "x2"),
        ("१९", "19", "19", "19"),
        ("Straße", "Straße", "strasse", "strasse"),
        ("ΟΔΟΣ", "ΟΔΟΣ", "οδοσ", "οδοσ"),
        ("IŞIK", "IŞIK", "işik", "isik"),
        ("ışık", "ışık", "işik", "isik"),
        ("Łódź", "Łódź", "łódź", "lodz"),
        ("שָׁלוֹם", "שָׁלוֹם", "שלום", "שלום"),
        ("می‌رود", "میرود", "میرود", "میرود"),
    ],
)
def test_spellings(word: str, keyboard: str, key: str, bare: str) -> None:
    spelled = (keyboard_spelling(word), case_key(word), without_accents(word))
    assert spelled == (keyboard, key, bare)


@given(st.lists(ODD_WORDS, unique=True), ODD_WORDS)
def test_prefixes_are_found_as_by_a_scan(words: list[str], prefix: str) -> None:
    tokenizer = Tokenizer([*SPECIAL_WORDS, *words], "words", lowercase=False)
    for spelling in (keyboard_spelling, case_key):
        spelled = [spelling(word) for word in words]
        wanted = [i for i, w in enumerate(spelled, 2) if w.startswith(spelling(prefix))]
        if wanted:
            break
    found = tokenizer.matcher.with_prefix(prefix)
    assert found.tolist() == wanted and found.dtype == "int64"


@given(st.lists(ODD_WORDS, unique=True), ODD_WORDS)
def test_the_commonest_of_the_words_that_are_typed_alike_is_found(
    words: list[str], typed: str
) -> None:
    tokenizer = Tokenizer([*SPECIAL_WORDS, *words], "words", lowercase=False)
    if typed in words or keyboard_spelling(typed) in ("'", '"'):
        return
    found = tokenizer.matcher.find(typed)
    for spelling, exact in ((keyboard_spelling, True), (case_key, False)):
        same = [i for i, word in enumerate(words, 2) if spelling(word) == spelling(typed)]
        if same:
            assert (found.id, found.exact) == (same[0], exact)
            return
    assert (found.id, found.exact) == (UNKNOWN_ID, False)


@given(st.lists(ODD_WORDS, unique=True), ODD_WORDS, st.sampled_from(["", "ab", "ßé"]))
def test_similar_words_are_those_that_difflib_finds(
    words: list[str], typed: str, ending: str
) -> None:
    words = [word + ending for word in words]
    matcher = Tokenizer([*SPECIAL_WORDS, *words], "words", lowercase=False).matcher
    same = [word for word in words if case_key(word) == case_key(typed)]
    same = same or [word for word in words if without_accents(word) == without_accents(typed)]
    near = [word for word in words if abs(len(word) - len(typed)) <= 2]
    close = difflib.get_close_matches(typed, near, 3, 0.7)
    assert matcher.suggestions(typed) == list(dict.fromkeys([*same, *close]))[:3]
