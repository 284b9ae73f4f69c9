"""Recognises character encodings: by a byte order mark, or by the text that the bytes make.

Every candidate is judged by the share of its letters beyond ASCII that spell words of one language:
letters of its alphabet, no capitals inside words, quotation marks only around words.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

_LEAST_SHARE = 0.75
"""Share of sensible characters below which nothing is proposed."""
_COMMON_WEIGHT = 0.2
"""Weight of the share of frequent letters, by which alphabets on the same bytes differ."""
_SINGLE_BYTE = (  # the likelier first, for equal scores
    "cp1252 iso8859-15 cp1250 iso8859-2 cp1254 cp1257 cp850 cp437 cp852 mac_roman cp1251 koi8-r "
    "cp866 koi8-u iso8859-5 mac_cyrillic cp1253 cp737 mac_greek cp1255 cp1256 "
    "iso8859-6 cp874 cp1258"
).split()
_MULTI_BYTE = {  # with the lead bytes of its marks, its syllables and its frequent ideographs
    "euc_kr": ((0xA1, 0xA1), (0xA3, 0xA3), (0xB0, 0xC8)),
    "gb18030": ((0xA1, 0xA1), (0xA3, 0xA3), (0xB0, 0xD7)),
    "euc_jp": ((0xA1, 0xA1), (0xA4, 0xA5), (0xB0, 0xCF)),
    "big5": ((0xA1, 0xC6),),
    "shift_jis": ((0x81, 0x83), (0x88, 0x97)),
}
_BYTE_ORDER_MARKS = (  # UTF-32 first: its little-endian mark starts with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ZERO_BYTES = ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
_ALPHABETS = (  # letters beyond ASCII; in alphabets without Latin letters the frequent ones first
    "éèêëàâçùûüôîïœæÿ",  # French
    "äöüßéàèê",  # German
    "áéíóúüñçàèòïºª",  # Spanish, Catalan
    "áâãàçéêíóôõúºª",  # Portuguese
    "àèéìíîòóùú",  # Italian
    "åäöæøéüá",  # Swedish, Danish, Norwegian, Finnish
    "áðéíóúýþæö",  # Icelandic
    "éëïöüáóèêçíúàäôî",  # Dutch
    "ąćęłńóśźż",  # Polish
    "áčďéěíňóřšťúůýžäĺľŕô",  # Czech, Slovak
    "áéíóöőúüű",  # Hungarian
    "ăâîşţșț",  # Romanian
    "čćđšž",  # Croatian, Slovene
    "çğıöşüâîû",  # Turkish
    "āčēģīķļņšūžąęėįųõäöü",  # Latvian, Lithuanian, Estonian
    "оеаинтсрвлкмдпуязыбгчйхжюшцщэфъьё",  # Russian, Bulgarian
    "оаиінвтерслкдумпязьбгйчхцєїжюшщфґ",  # Ukrainian
    "аоиенрстјувкдмплзбгцчшњђхљжћфџ",  # Serbian
    "αοιετσνηυρπκμλςςωδγχθφάέήίόύώϊϋβξζψ",  # Greek
    "יוהלאמרתבשנכדפקחעטצגסזםןףץךְִֵַָ",  # Hebrew
    "المنيوترهبةعدسفحكقجأشطصخءإىضذزؤئثغآظًٌَُِّْ،؟؛ـ",  # Arabic
    "ารนกเอยมงลวคทสตปดหแบพชขจใะไผโฉซฟธถณษศญฎฏฐฑฒฆฌฝฬฮฯฤๆัิีึืุู็่้๊๋์ํำ",  # Thai
)
_AROUND_WORDS = "“”„«»‹›–—…•¡¿‘‚•°§£€©®™"
_APOSTROPHES = "’ʼ´"
_MISREADINGS = ("cp1252", "cp1251", "mac_roman", "cp437", "cp850", "cp1250", "cp1254")
"""What UTF-8 is mistaken for."""
_BEYOND_ASCII = re.compile(r"[^\0-\x7f]+")
_FEWEST_MISREAD = 3
_LEAST_MISREAD = 0.9
"""Share of the characters beyond ASCII that must be UTF-8 read as something else."""


def marked_encoding(content: bytes) -> str | None:
    """``utf-16`` or ``utf-32`` where the content begins with its byte order mark, else None."""
    return next((name for mark, name in _BYTE_ORDER_MARKS if content.startswith(mark)), None)


def guess_encoding(sample: bytes) -> str | None:
    """Python's name of the likeliest encoding of a text, or None where none makes sense.

    Args:
        sample: a piece of the text that begins with a whole character.
    """
    if b"\0" in sample:
        return next((name for name in _ZERO_BYTES if _reads_zero_bytes(sample, name)), None)
    scores = {name: round(_score(text, name), 3) for name, text in _decodings(sample)}
    best = max(scores, key=scores.__getitem__, default=None)  # the first of equals
    return best if best is not None and scores[best] >= _LEAST_SHARE else None


def mostly_utf8(sample: bytes) -> bool:
    """Whether a text is UTF-8 with only a few damaged bytes."""
    text = sample.decode("utf-8", "replace")
    damaged = text.count("\ufffd")
    return sum(character > "\x7f" for character in text) - damaged >= 10 * damaged


@dataclass(frozen=True)
class Misreading:
    """UTF-8 that was read in another encoding."""

    encoding: str
    seen: str
    """One piece of it, such as ``Ã©``."""
    meant: str
    place: int
    """Of the piece in the text."""


def find_misreading(text: str) -> Misreading | None:
    """How most characters beyond ASCII came to be; None where they are as they should be."""
    runs = list(_BEYOND_ASCII.finditer(text))
    whole = sum(len(run[0]) for run in runs)
    for encoding in _MISREADINGS if any(len(run[0]) > 1 for run in runs[:100]) else ():
        undone = [(run, _undone(run[0], encoding)) for run in runs]
        misread = [(run, meant) for run, meant in undone if meant]
        share = sum(len(run[0]) for run, _ in misread) / whole
        if len(misread) >= _FEWEST_MISREAD and share >= _LEAST_MISREAD:
            run, meant = misread[0]
            return Misreading(encoding, run[0], meant, run.start())
    return None


def _undone(run: str, encoding: str) -> str:
    """What a run of characters was before its UTF-8 was misread; empty if that makes no sense."""
    try:
        # bytes that the encoding does not define are often kept as control characters
        data = b"".join(c.encode("latin-1" if "\x80" <= c <= "\x9f" else encoding) for c in run)
        return data.decode("utf-8")
    except UnicodeError:
        return ""


def _reads_zero_bytes(sample: bytes, name: str) -> bool:
    try:
        text = codecs.getincrementaldecoder(name)().decode(sample)
    except UnicodeError:
        return False
    odd = any(unicodedata.category(c) in ("Cc", "Cn", "Co") and c not in "\t\n\r" for c in text)
    return not odd and (" " in text or "\n" in text)


def _decodings(sample: bytes) -> Iterator[tuple[str, str]]:
    for name in (*_SINGLE_BYTE, *_MULTI_BYTE):
        try:
            yield name, codecs.getincrementaldecoder(name)().decode(sample)
        except UnicodeError:
            continue


def _score(text: str, name: str) -> float:
    """The share of sensible characters beyond ASCII, plus a bonus for frequent letters."""
    beyond = [match.start() for match in re.finditer(r"[^\0-\x7f]", text)]
    if not beyond:
        return 0.0
    if leads := _MULTI_BYTE.get(name):
        first = (text[place].encode(name)[0] for place in beyond)
        common = sum(any(low <= byte <= high for low, high in leads) for byte in first)
        return (1 + _COMMON_WEIGHT) * common / len(beyond)
    marks, letters = 0, dict[str, float]()
    for place in beyond:
        character, before, after = text[place], text[place - 1 : place], text[place + 1 : place + 2]
        if character in _APOSTROPHES or character == "\xa0":
            marks += 1
        elif character in _AROUND_WORDS:
            marks += not (before.isalpha() and after.isalpha())
        else:
            letter = character.lower()
            letters[letter] = letters.get(letter, 0.0) + _letter_weight(character, before, after)
    best = max(_fit(letters, alphabet) for alphabet in _ALPHABETS)
    return (marks * (1 + _COMMON_WEIGHT) + best) / len(beyond)


def _letter_weight(letter: str, before: str, after: str) -> float:
    """1 for a letter that fits its neighbours, less for capitals inside words, 0 among others."""
    if letter >= "\u0370" and any(near.isascii() and near.isalpha() for near in (before, after)):
        return 0.0
    if letter in "œšž" and not (before.isalpha() or after.isalpha()):
        return 0.0  # in other encodings these are fractions
    if letter.isupper() and before.isalpha():
        return 0.0 if before.islower() else 0.5
    return 1.0


def _fit(letters: dict[str, float], alphabet: str) -> float:
    """The letters in an alphabet, with the bonus for its frequent ones."""
    own = sum(weight for letter, weight in letters.items() if letter in alphabet)
    latin = alphabet[0] < "\u0370"
    frequent = alphabet if latin else alphabet[: len(alphabet) // 3]
    return own + _COMMON_WEIGHT * sum(letters.get(letter, 0.0) for letter in frequent)
