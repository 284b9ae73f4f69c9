"""The page's JavaScript reads and writes text exactly as Python does."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import unicodedata
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from nextword.inference.typed import split_typed
from nextword.text.detokenizer import _ELISIONS, Detokenizer
from nextword.text.tokenized import learn_spacing, read_prompt
from nextword.text.tokenizer import Kind, Tokenizer
from nextword.text.typesetting import case_key, keyboard_spelling
from nextword.text.vocabulary import END, UNKNOWN

NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="needs Node.js")

DRIVER = Path(__file__).with_name("driver.mjs")
STRINGS = 10_000


WORDS = (
    "the The of and and’s don't don’t d'Artagnan o’clock I you we Napoleon prince Mr. St. "
    "U.S. e.g. twenty-two 22-year-old mid-1805 1805-1812 1,000 3.14 12:30 1812 cœur Œdipe "
    "ægis Ærø naïve café élan déjà façade Straße STRASSE groß ǆ ĳs fluﬃer ﬁnd oﬀer ſo "
    "İstanbul ışık IŞIK łódź Đorđe ŉ ΔΡΟΜΟΣ δρόμος ὁδός ῦ καὶ ΑΣ σ· п’ять года — Москва ёлка "
    'שלום מנכ״ל צה"ל ג׳ורג׳ שָׁלוֹם בֵּית־סֵפֶר مرحبا كَتَبَ كتاب می‌رود يك الـكـتـاب ٢٠١٠ '
    "۱۲٫۵ اﷲ ﻻ Ողջույն ինչո՞ւ և नमस्ते क्षत्रिय हिन्दी १९९९ สวัสดี กำลัง ๒๕๔๐ 日本語 我爱你 東京、 "
    "ひらがな カタカナ ｶﾞｷﾞ Ｆｕｌｌ １２３ 한국어 각 ᄒᆞᆫ 👍🏽 👨‍👩‍👧 🇫🇷 ❤️ "
    "צה''ל מנכ”ל ☎ ℹ️ © ™ № ½ x² ① ₂ Ⅷ <unk> <eos> </s> "
    "<EOS> a.m. Ꭰꮳ ꮃ ᲀ ა ᲂ ᾳ ᾼ ΐ ẖ ﬀ K Å µ ª º 100% $5 €7 @home #tag snake_case x_y *bold* "
    "... …… -- --- – ——"
).split(" ")
"""Words of every script that the tokenizer treats in its own way, and some marks."""
MARKS = (
    "'\"’‘ʼʻ‛´`′׳՚᾽＇“”„‟«»″״‹›‚"
    "‐‑‒–—―−־-_*.,;:!?…·()[]{}<>/\\&%°#@~^|+="
    "¿¡€£¥§†•、。「」！（）،؛؟۔।։՞՜՛٫٬"
)
ATTACHED = (
    "\u0300\u0301\u0308\u0307\u0327\u0328\u0342\u0345\u031b\u0323"
    "\u05b0\u05b8\u05c1\u064b\u0651\u0670\u093e\u094d\u0903\u0e31\u0e34\u0e33\u102b\u3099\u309a"
    "\u200c\u200d\ufe0e\ufe0f\u20e3\uff9e\U0001f3fb\U0001f3ff\U000e0067\U000e007f"
)
INVISIBLE = (
    "\u00ad\u061c\u180e\u200b\u200e\u200f\u202a\u202e\u2060\u2066\ufeff\ufffb"
    "\x00\x01\x07\x08\x1b\x7f\x80\x9b\ufffd\u0600\u06dd\u070f\u115f\u3164\ue000\U000f0000"
)
SPACES = " \t\n\r\v\f\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2003\u200a\u2028\u2029\u202f\u205f\u3000"
SURROGATES = "\ud800\udbff\udc00\udc80\udfff"
LETTERS = (
    "absxzIKÉéßſœæøłđðþħıİσςΣάἀдЖёאםשابكیهՀև"
    "अकषกำແབမကខㄅあアｱ日語𠀀𝔸각각ᴬʰⅣ①²½٣५０𝟘𐐀𐐨ꭰᏣͅ"
    "👍👩👧🇫🇷🇺❤☎ℹ㊗🔥☃😀"
)
SEPARATORS = 12 * [" "] + ["", "", "  ", "--", "\n", "\n\n", "\n \t\n", "\r\n", "\r\n\r\n"]


def odd_string(draw: random.Random) -> str:
    """One string; usually a few words, each changed as keyboards and typesetters change them."""
    text = ""
    for _ in range(draw.choice((1, 2, 3, 4, 6, 9))):
        text += changed(draw.choice(WORDS), draw) + draw.choice(SEPARATORS)
    for _ in range(draw.choice((0, 0, 1, 2, 6))):
        pool = draw.choice((MARKS, MARKS, ATTACHED, INVISIBLE, SPACES, LETTERS, LETTERS))
        place = draw.randint(0, len(text))
        text = text[:place] + "".join(draw.choices(pool, k=draw.randint(1, 3))) + text[place:]
    if draw.random() < 0.05:
        place = draw.randint(0, len(text))
        text = text[:place] + draw.choice(SURROGATES) + text[place:]
    return _paired(text)


def changed(word: str, draw: random.Random) -> str:
    changes = draw.random()
    if changes < 0.1:
        return unicodedata.normalize(draw.choice(("NFD", "NFKD", "NFKC")), word)
    if changes < 0.2:
        return draw.choice((word.upper(), word.lower(), word.title(), word.swapcase()))
    if changes < 0.35:
        marks = draw.choice(("'’´`", "'‘′", '"”״', "-‐‑", "-—–"))
        return "".join(draw.choice(marks) if letter in marks else letter for letter in word)
    if changes < 0.5:
        mark = draw.choice(MARKS)
        return draw.choice((mark + word, word + mark, mark + word + mark))
    if changes < 0.6:
        return word + draw.choice(ATTACHED)
    if changes < 0.65:
        return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in word)
    return word[: draw.randint(1, len(word))] if changes < 0.75 else word


def _paired(text: str) -> str:
    """The text, a pair of surrogates as the one character that it is in UTF-16."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


TYPOGRAPHIC = (
    "“I don’t know,” said Prince Andrew—and then: ‘The well‑known o’clock …’ Yes – no. "
    "„Geh“, sagte er. « Va », dit-il. The cœur of St. Petersburg, 1805–1812, isn’t U.S. land: "
    "(they’re) twenty-two [or] *three* _times_ 100% $5 and’s ‹x› naïve café Straße Napoleon"
)
STRAIGHT = (
    "\"I don't know,\" said Prince Andrew--and then: 'The well-known o'clock ...' Yes - no. "
    "The Oedipus of St. Petersburg, 1805-1812, isn't U.S. land: don't d'Artagnan the The THE"
)
VOCABULARIES: dict[str, tuple[list[str], Kind, bool]] = {
    "typographic": ([TYPOGRAPHIC], "words", False),
    "straight": ([STRAIGHT], "words", False),
    "german": (["„Geh“, sagte er, „ihr ‚Nein‘ ist’s.“ „Gut – nun …“"], "words", False),
    "multilingual": ([" ".join(WORDS), TYPOGRAPHIC, *LETTERS[:40]], "words", False),
    "lowercase": ([STRAIGHT, *WORDS[::2]], "words", True),
    "whitespace": ([" ".join(WORDS), "<eos> it was n't `` ''", *LETTERS], "whitespace", False),
}


def spaced_tokenizer(name: str, strings: Iterable[str]) -> Tokenizer:
    """A tokenizer of this name, with the spacing of strings in prose."""
    tokenizer = Tokenizer.learn(*VOCABULARIES[name])
    if tokenizer.kind == "words":
        tokenizer.spacing = learn_spacing(tokenizer, strings)
    return tokenizer


def stored(tokenizer: Tokenizer) -> dict[str, Any]:
    """The data that the page has of a tokenizer."""
    data = {name: getattr(tokenizer, name) for name in ("words", "kind", "lowercase")}
    if (spacing := tokenizer.spacing) is None:
        return data
    pairs = {kept: [p for p, glued in spacing.pairs.items() if glued == kept] for kept in (0, 1)}
    sides = ["".join(map(str, side)) for side in spacing.sides.tolist()]
    return {**data, "spacing": {"sides": sides, "spaced": pairs[0], "glued": pairs[1]}}


class Page:
    """What the page's JavaScript answers to many calls, made in one run of Node.js."""

    def __init__(self, tokenizers: dict[str, Tokenizer]) -> None:
        self.tokenizers = tokenizers
        self._calls: list[tuple[str, str, list[Any]]] = []
        self._results: list[list[Any]] | None = None

    def plan(self, function: str, tokenizer: str, inputs: list[Any]) -> None:
        """Call one of the driver's functions with one of the tokenizers for each input."""
        self._calls.append((function, tokenizer, inputs))

    def assert_same(self, function: str, python: Callable[[Tokenizer, Any], Any]) -> None:
        """Python's function gives the same for every input; the first few others are shown."""
        self._results = self._run() if self._results is None else self._results
        different = []
        checked = 0
        for (name, tokenizer, inputs), results in zip(self._calls, self._results, strict=True):
            for given, result in zip(inputs, results, strict=True) if name == function else ():
                checked += 1
                wanted = python(self.tokenizers[tokenizer], given)
                if result != wanted:
                    different.append(f"{tokenizer}, {given!a}: {result!a} is not {wanted!a}")
        assert checked
        assert not different, f"{len(different)} of {checked} differ:\n" + "\n".join(different[:8])

    def _run(self) -> list[list[Any]]:
        names = list(self.tokenizers)
        request = {
            "tokenizers": [stored(tokenizer) for tokenizer in self.tokenizers.values()],
            "calls": [
                {"name": name, "tokenizer": names.index(tokenizer), "inputs": inputs}
                for name, tokenizer, inputs in self._calls
            ],
        }
        done = subprocess.run(
            [str(NODE), str(DRIVER)],
            input=json.dumps(request).encode(),
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        results: list[list[Any]] = json.loads(done.stdout)
        return results


def known_characters() -> list[str]:
    """Characters that every part knows, whichever versions of Unicode they have.

    Of Han, Hangul and private use, which are treated all alike, only a few.
    """
    from tokenizers import Regex, pre_tokenizers

    alike = (*range(0x3410, 0x9FF0), *range(0xAC20, 0xD7A0), *range(0xE010, 0xF8F0))
    changed_case = (0x295, 0x10FC, 0xA7F2, 0xA7F3, 0xA7F4, 0xAB69)  # in later versions of Unicode
    codes = set(range(0x20000)) - set(range(0xD800, 0xE000)) - {*alike, *changed_case}
    assigned = [chr(code) for code in sorted(codes) if unicodedata.category(chr(code)) != "Cn"]
    unassigned = pre_tokenizers.Split(Regex(r"\p{Cn}"), "removed", invert=True)
    unknown = {character for character, _ in unassigned.pre_tokenize_str("".join(assigned))}
    return [character for character in assigned if character not in unknown]


def word_sequences(
    tokenizer: Tokenizer, strings: list[str], draw: random.Random
) -> list[list[str]]:
    """Words of the vocabulary, and some that it lacks, in any order."""
    marks = [word for word in tokenizer.words if not word.isalnum()]
    others = [*MARKS, "--", "...", "——", "tis", "s", "x", "1805", "²", "日", "а", "δ", END, UNKNOWN]
    pools = (tokenizer.words, marks, others)
    sequences = [draw.choices(draw.choice(pools), k=2) + draw.choices(marks, k=1) for _ in strings]
    return [
        [*tokenizer.split(text), END, *(word for _ in range(8) for word in draw.choice(sequences))]
        for text in strings
    ]


@pytest.fixture(scope="module")
def page() -> Page:
    draw = random.Random(16)
    strings = [odd_string(draw) for _ in range(STRINGS)]
    characters = known_characters()
    page = Page({name: spaced_tokenizer(name, strings[:500]) for name in VOCABULARIES})
    for place, (name, tokenizer) in enumerate(page.tokenizers.items()):
        some = strings[place :: len(VOCABULARIES)]
        words = [changed(draw.choice(tokenizer.words), draw) for _ in range(600)]
        begun = [word[: draw.randint(1, 4)] for word in words]
        page.plan("readPrompt", name, some)
        page.plan("splitTyped", name, [text[: draw.randint(0, len(text))] for text in some])
        page.plan("withPrefix", name, ["", *words, *begun])
        page.plan("normalize", name, some[:400])
        page.plan("split", name, some[:400])
        page.plan("detokenize", name, word_sequences(tokenizer, some[:100], draw))
    page.plan("normalize", "multilingual", characters)
    page.plan("normalize", "lowercase", characters)
    page.plan("split", "multilingual", in_contexts(characters))
    page.plan("split", "whitespace", characters)
    for function in ("keyboardSpelling", "caseKey", "foldCase"):
        page.plan(function, "typographic", characters + strings[:1000])
    page.plan("detokenizeByRules", "typographic", word_sequences(tokenizer, strings[:150], draw))
    page.plan("detokenizeByRules", "typographic", [beside_marks(c) for c in characters[::4]])
    page.plan("detokenizeByRules", "typographic", [["it", "'", w, "'", "x"] for w in _ELISIONS])
    greek = [c for c in characters if "\u0300" <= c < "\u0400" or "\u1f00" <= c < "\u2000"]
    page.plan("detokenizeByRules", "typographic", [[c, "·", "a"] for c in composed(greek)])
    page.plan("splitTyped", "typographic", ["é" * 100, "the " + "ab-" * 40, "x" * 70 + "don't"])
    return page


def in_contexts(characters: list[str]) -> list[str]:
    """Texts in which characters stand alone and beside letters, digits, marks and each other."""
    contexts = [f"{c} a{c}b {c}{c} 1{c}2 •{c}1 אa{c}– {c}•" for c in characters]
    return [" ".join(contexts[start : start + 32]) for start in range(0, len(contexts), 32)]


def composed(characters: list[str]) -> list[str]:
    """The characters that a normalised text may have."""
    return [c for c in characters if unicodedata.is_normalized("NFC", c)]


def beside_marks(character: str) -> list[str]:
    return [*"a.1–", character, "–", character, ".", character, "’", "a", '"', character, END]


def read_as_prompt(tokenizer: Tokenizer, text: str) -> dict[str, Any]:
    tokenized, unmatched = read_prompt(tokenizer, text)
    return {
        "ids": tokenized.ids.tolist(),
        "words": tokenized.words(tokenizer.words),
        "spaced": tokenized.spaced.tolist(),
        "unknown": [match.typed for match in unmatched],
    }


def typed_parts(tokenizer: Tokenizer, text: str) -> dict[str, str]:
    before, letters = split_typed(tokenizer, text)
    return {"before": before, "letters": letters}


def pushed(detokenizer: Detokenizer, words: list[str]) -> list[list[Any]]:
    """The text of each word, and whether spaces separate it from its neighbours."""
    texts = []
    for word in words:
        before, after = detokenizer.spaces_around(word)
        texts.append([detokenizer.push(word), before, after])
    return texts


def test_odd_strings_have_the_same_ids_and_unknown_words(page: Page) -> None:
    page.assert_same("readPrompt", read_as_prompt)


def test_normalized_text_is_the_same(page: Page) -> None:
    page.assert_same("normalize", Tokenizer.normalize)


def test_text_is_split_into_the_same_words(page: Page) -> None:
    page.assert_same("split", Tokenizer.split)


def test_typed_words_have_the_same_keys(page: Page) -> None:
    page.assert_same("keyboardSpelling", lambda _, word: keyboard_spelling(word))
    page.assert_same("caseKey", lambda _, word: case_key(word))
    page.assert_same("foldCase", lambda _, text: text.casefold())


def test_half_typed_words_begin_at_the_same_place(page: Page) -> None:
    page.assert_same("splitTyped", typed_parts)


def test_prefixes_lead_to_the_same_words(page: Page) -> None:
    page.assert_same(
        "withPrefix",
        lambda tokenizer, text: tokenizer.matcher.with_prefix(tokenizer.normalize(text)).tolist(),
    )


def test_words_become_the_same_text(page: Page) -> None:
    page.assert_same("detokenize", lambda tokenizer, words: pushed(tokenizer.detokenizer(), words))
    page.assert_same("detokenizeByRules", lambda _, words: pushed(Detokenizer(), words))
