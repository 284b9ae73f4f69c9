from __future__ import annotations

import json
import time
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nextword.errors import ModelError
from nextword.text.normalize import clean
from nextword.text.token_pattern import split_western
from nextword.text.tokenizer import END, SPECIAL_WORDS, UNKNOWN, Kind, Tokenizer
from nextword.text.tokenizer_file import build, structure

KINDS: tuple[Kind, ...] = ("words", "whitespace")
BARE = Tokenizer(SPECIAL_WORDS, "words", lowercase=False)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't be absent-minded, d’Artagnan!", "Don't|be|absent-minded|,|d’Artagnan|!"),
        ("the princess' 'slave'", "the|princess|'|'|slave|'"),
        ("1,000 3.14 12:30, 12th.", "1,000|3.14|12:30|,|12th|."),
        ("1805-1812 mid-1805 22-year-old", "1805|-|1812|mid-1805|22-year-old"),
        ("Wait.... No--yes—no - ??", "Wait|....|No|--|yes|—|no|-|?|?"),
        ("e\u0301te\u0301 naïve", "été|naïve"),
        ("नमस्ते दुनिया", "नमस्ते|दुनिया"),
        ("我爱你。カナー ไทย", "我|爱|你|。|カ|ナ|ー|ไ|ท|ย"),
        ("한국어 문장", "한국어|문장"),
        ("hi👨‍👩‍👧🇩🇪🇫🇷👍🏽 1️⃣", "hi|👨‍👩‍👧|🇩🇪|🇫🇷|👍🏽|1️⃣"),
        ("a\u00a0b\u3000c\u2028d", "a|b|c|d"),
        ('צה"ל, מנכ״ל ו"שלום" צ׳ארלס', 'צה"ל|,|מנכ״ל|ו"שלום|"|צ׳ארלס'),
        ("לבית־הספר ־ כאן", "לבית־הספר|־|כאן"),
        ("Ինչո՞ւ, Ո՛չ։ Այո՜", "Ինչո՞ւ|,|Ո՛չ|։|Այո|՜"),
        ("١٬٢٣٤٫٥ ٫ ۱۲٫۵", "١٬٢٣٤٫٥|٫|۱۲٫۵"),
        ("", ""),
    ],
)
def test_words(text: str, words: str) -> None:
    assert BARE.split(text) == (words.split("|") if words else [])


@pytest.mark.parametrize("kind", ["words", "whitespace"])
@given(text=st.text())
@settings(max_examples=200, deadline=None)
def test_nothing_but_whitespace_is_lost(kind: Kind, text: str) -> None:
    tokenizer = Tokenizer(SPECIAL_WORDS, kind, lowercase=False)
    words = tokenizer.split(text)
    kept = "".join(c for c in clean(text) if not c.isspace())
    assert "".join(c for c in "".join(words) if not c.isspace()) == kept
    assert all(words)
    assert len(tokenizer.encode(text)) == len(words)


def test_special_words_in_the_text() -> None:
    prose = Tokenizer.learn(["a <unk> b <eos>"], "words", lowercase=False)
    ids = prose.encode("a <unk> b <eos>")
    assert not {prose.unknown_id, prose.end_id} & set(ids)
    assert prose.split("<unk>") == ["<", "unk", ">"]
    tokens = Tokenizer.learn(["a <unk> b"], "whitespace", lowercase=False)
    assert tokens.words[:2] == [UNKNOWN, END]
    assert len(tokens) == 4
    assert tokens.encode("<unk> a <eos> zzz")[0] == tokens.unknown_id
    assert tokens.encode("<unk> a <eos> zzz")[2:] == [tokens.end_id, tokens.unknown_id]


def test_learning_knows_every_word_and_unknown_words_are_named() -> None:
    tokenizer = Tokenizer.learn(["The cat sat.", "The dog"], "words", lowercase=False)
    assert sorted(tokenizer.words[2:]) == [".", "The", "cat", "dog", "sat"]
    assert tokenizer.unknown_words("the cat, the cow sat") == ["the", ",", "cow"]
    assert tokenizer.unknown_words("The cat") == []
    smaller = tokenizer.with_words([UNKNOWN, END, "cat"])
    assert smaller.words == [UNKNOWN, END, "cat"]
    assert smaller.encode("The cat") == [0, 2]


def test_lowercase_folds_before_splitting() -> None:
    tokenizer = Tokenizer.learn(["The THE ÉTÉ"], "words", lowercase=True)
    assert sorted(tokenizer.words[2:]) == ["the", "été"]
    assert tokenizer.split("THE") == ["the"]
    assert tokenizer.unknown_words("tHe E\u0301te\u0301") == []


def test_decode_is_readable() -> None:
    text = '"Well, don\'t go," he said.'
    tokenizer = Tokenizer.learn([text], "words", lowercase=False)
    ids = tokenizer.encode(text)
    assert tokenizer.decode([*ids, 1, *ids]) == f"{text}\n\n{text}"
    assert tokenizer.decode([0]) == UNKNOWN
    tokens = Tokenizer.learn(["a , b"], "whitespace", lowercase=False)
    assert tokens.decode([*tokens.encode("a , b"), 1, *tokens.encode("b")]) == "a , b\nb"


def test_stream_equals_single_encoding_whatever_the_lengths() -> None:
    paragraphs = [
        "",
        "a b",
        "word " * 50_000,
        "中" * 70_000,
        "x" * 70_000 + " y",
        "end. " * 300_000,
    ]
    tokenizer = Tokenizer.learn(paragraphs, "words", lowercase=False)
    encoded = list(tokenizer.encode_stream(paragraphs))
    assert [len(ids) for ids in encoded][:4] == [1, 3, 50_001, 70_001]
    assert tokenizer.unknown_id not in np.concatenate(encoded)
    for paragraph, ids in zip(paragraphs, encoded, strict=True):
        assert ids.tolist() == [*tokenizer.encode(paragraph), tokenizer.end_id]


def test_long_texts_are_cut_between_words() -> None:
    word = "antidisestablishmentarianism"
    assert set(BARE.split(f"{word} " * 10_000)) == {word}
    assert set(BARE.split(f"{word}—" * 10_000)) >= {word, "—"}


@pytest.mark.parametrize("text", ["a", "1,", "a-", "-", "e\u0301", "👨\u200d", ". "])
def test_no_text_takes_quadratic_time(text: str) -> None:
    began = time.perf_counter()
    BARE.encode(text * 200_000)
    assert time.perf_counter() - began < 5


def test_errors_of_the_reader_pass_through_learning() -> None:
    def broken() -> Any:
        yield "fine"
        raise ModelError("mine")

    with pytest.raises(ModelError, match="mine"):
        Tokenizer.learn(broken(), "words", lowercase=False)
    with pytest.raises(ModelError, match="mine"):
        list(BARE.encode_stream(broken()))


def test_lone_surrogates_are_replaced() -> None:
    assert BARE.split("a\udcffb") == ["a", "\ufffd", "b"]


@pytest.mark.parametrize("kind", ["words", "whitespace"])
@pytest.mark.parametrize("lowercase", [False, True])
def test_saved_and_loaded(tmp_path: Path, kind: Kind, lowercase: bool) -> None:
    text = "The cat, <unk> 'sat' \" \\ 中文 👍🏽"
    tokenizer = Tokenizer.learn([text], kind, lowercase)
    tokenizer.save(tmp_path / "tokenizer.json")
    loaded = Tokenizer.load(tmp_path / "tokenizer.json")
    assert (loaded.kind, loaded.lowercase) == (kind, lowercase)
    assert loaded.words == tokenizer.words
    assert loaded.encode(text + " new") == tokenizer.encode(text + " new")


def _other_pattern(stored: Any) -> None:
    stored["pre_tokenizer"]["pattern"]["Regex"] = r"\w+"


def _other_model(stored: Any) -> None:
    stored["model"] = {"type": "BPE", "vocab": {"a": 0}, "merges": []}


def _added_token(stored: Any) -> None:
    special = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized", "special"), True)
    stored["added_tokens"] = [{"id": 0, "content": UNKNOWN, **special}]


def _double_id(stored: Any) -> None:
    stored["model"]["vocab"]["cat"] = 0


def _gap(stored: Any) -> None:
    stored["model"]["vocab"]["cat"] = 99


def _text_id(stored: Any) -> None:
    stored["model"]["vocab"]["cat"] = "2"


def _true_id(stored: Any) -> None:
    stored["model"]["vocab"] = {UNKNOWN: 0, END: True}


def _surrogate(stored: Any) -> None:
    stored["model"]["vocab"]["\ud800"] = len(stored["model"]["vocab"])


def _no_specials(stored: Any) -> None:
    stored["model"]["vocab"] = {"cat": 0, "sat": 1}


def _other_unknown(stored: Any) -> None:
    stored["model"]["unk_token"] = "cat"


def _no_model(stored: Any) -> None:
    del stored["model"]


@pytest.mark.parametrize(
    "change",
    [
        _other_pattern,
        _other_model,
        _added_token,
        _double_id,
        _gap,
        _text_id,
        _true_id,
        _surrogate,
        _no_specials,
        _other_unknown,
        _no_model,
    ],
)
def test_foreign_or_damaged_structures_are_refused(tmp_path: Path, change: Any) -> None:
    path = tmp_path / "tokenizer.json"
    Tokenizer.learn(["cat sat"], "words", lowercase=False).save(path)
    stored = json.loads(path.read_text(encoding="utf-8"))
    change(stored)
    path.write_text(json.dumps(stored), encoding="utf-8")
    with pytest.raises(ModelError, match="tokenizer.json"):
        Tokenizer.load(path)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"model": {}}'])
def test_damaged_bytes_are_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_bytes(data)
    with pytest.raises(ModelError, match="tokenizer.json"):
        Tokenizer.load(path)
    with pytest.raises(ModelError, match="gone.json"):
        Tokenizer.load(tmp_path / "gone.json")


@pytest.mark.parametrize("kind", ["words", "whitespace"])
@pytest.mark.parametrize("lowercase", [False, True])
def test_the_structure_that_is_recognised_is_the_library_s(kind: Kind, lowercase: bool) -> None:
    assert json.loads(build({UNKNOWN: 0}, kind, lowercase).to_str()) == structure(kind, lowercase)


def test_words_may_be_listed_in_any_order(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    tokenizer = Tokenizer.learn(["the cat sat"], "words", lowercase=True)
    tokenizer.save(path)
    stored = json.loads(path.read_text(encoding="utf-8"))
    stored["model"]["vocab"] = dict(reversed(stored["model"]["vocab"].items()))
    path.write_text(json.dumps(stored), encoding="utf-8")
    assert Tokenizer.load(path).words == tokenizer.words
    stored["model"]["vocab"]["cat"] = tokenizer.index["sat"]
    path.write_text(json.dumps(stored), encoding="utf-8")
    with pytest.raises(ModelError, match=rf"'(cat|sat)' has the id {tokenizer.index['sat']}"):
        Tokenizer.load(path)


@pytest.mark.parametrize("kind", ["words", "whitespace"])
def test_what_the_library_reads_alike_is_accepted(tmp_path: Path, kind: Kind) -> None:
    path = tmp_path / "tokenizer.json"
    tokenizer = Tokenizer.learn(["the cat sat"], kind, lowercase=True)
    tokenizer.save(path)
    stored = json.loads(path.read_text(encoding="utf-8"))
    del stored["decoder"]
    path.write_text(json.dumps(stored), encoding="utf-8")
    loaded = Tokenizer.load(path)
    assert (loaded.words, loaded.kind, loaded.lowercase) == (tokenizer.words, kind, True)


WESTERN = st.text(
    st.characters(max_codepoint=0x24F) | st.sampled_from("‐‑‒–—―‘’‚“”„…'-.:,· \n1a\x1c\x85\xa0\xad")
)


@given(WESTERN)
@settings(max_examples=500)
@example("1,000.5 a-1 1-a 1-1 d’Artagnan 'tis --- ......  ½-½ a·b")
def test_western_text_is_split_as_by_the_library(text: str) -> None:
    for kind in KINDS:
        words = split_western(text, kind)
        if words is not None:
            library = build({UNKNOWN: 0}, kind, False).pre_tokenizer
            assert words == [word for word, _ in library.pre_tokenize_str(text)]


def test_every_western_character_is_split_as_by_the_library() -> None:
    characters = [chr(code) for code in range(0x2100)]
    around = ("{}", "a{}a", "1{}1", "a{}1", "1{}a", "-{}{}", "{}'a", ".{}.")
    pre_tokenizers = {kind: build({UNKNOWN: 0}, kind, False).pre_tokenizer for kind in KINDS}
    western = set()
    for character, kind in product(characters, KINDS):
        for text in (pattern.replace("{}", character) for pattern in around):
            words = split_western(text, kind)
            if words is not None:
                western.add(character)
                library = pre_tokenizers[kind].pre_tokenize_str(text)
                assert words == [word for word, _ in library], text
    assert {*"azAZ09,.'’“”—…éßøŁ\n"} <= western
    assert not western & {"\u0301", "\u00ad", "\u0400", "\u200d", "\u2028"}
