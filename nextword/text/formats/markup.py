"""Tells HTML and other XML from text that merely mentions a tag."""

from __future__ import annotations

import re

from nextword.text.formats.html import BLOCKS, INLINE

_PROLOGUE = re.compile(
    r"\s+|<\?(?:[^?]|\?(?!>))*\?>|<!--.*?-->|<!DOCTYPE\s(?!\s*html\b)[^>\[]*(?:\[.*?\]\s*)?>",
    re.DOTALL | re.IGNORECASE,
)
_DECLARED = re.compile(r"\s*<\?xml\s")
_DOCTYPE = re.compile(r"<!DOCTYPE\s+html\b", re.IGNORECASE)
_FIRST_TAG = re.compile(r"<([a-z_][\w:.-]*)[\s/>]", re.IGNORECASE)
_ROOTS = frozenset("fictionbook tei tei.2 svg rss feed mediawiki tt opml plist".split())
_TAG = re.compile(r"<(/?)([a-z][a-z0-9]*)(\s[^<>]*)?(/?)>", re.IGNORECASE)
_DOCUMENT = frozenset("html head body script style title".split())
_VOID = frozenset("br hr img input link meta wbr".split())
_MAY_STAY_OPEN = frozenset("p li dt dd tr td th option thead tbody tfoot html head body".split())
_IN_PROSE = frozenset("a b big blockquote br em font hr i p small span strong sub sup tt u".split())
# language models' corpora have <s> where a sentence begins
_KNOWN = (BLOCKS | INLINE | _DOCUMENT) - {"s"}


def is_html(text: str) -> bool:
    """Whether a text is HTML: a document, or a piece of one whose tags fit together.

    A text that quotes some tags has few of them, leaves them open, or begins with something else;
    programs that write HTML have other tags than prose. Names in angle brackets are no tags.
    """
    start = _prologue_end(text)
    if _DOCTYPE.match(text, start):
        return True
    first = _FIRST_TAG.match(text, start)
    begins = first is not None and first[1].lower() in _KNOWN
    if _DECLARED.match(text) and not (first and first[1].lower() == "html"):
        return False
    names: list[str] = []
    unknown = unclosed = 0
    for end, name, _, empty in _TAG.findall(text):
        name = name.lower()
        if name not in _KNOWN:
            unknown += 1
            continue
        names.append(name)
        if name not in _VOID | _MAY_STAY_OPEN and not empty:
            unclosed += -1 if end else 1
    if 10 * unknown > len(names) or 10 * abs(unclosed) > len(names):
        return False
    if begins:
        return len(names) >= 3 and len(text) <= 2000 * len(names)
    return len(names) >= 20 and len(text) <= 400 * len(names) and _IN_PROSE.issuperset(names)


def xml_root(text: str) -> str | None:
    """The root element's name, in lower case, if a text is XML; None for other text."""
    root = _FIRST_TAG.match(text, _prologue_end(text))
    name = root[1].lower() if root else ""
    return name if name in _ROOTS or (name and _DECLARED.match(text)) else None


def _prologue_end(text: str) -> int:
    """Where the first element stands, past declarations and comments."""
    at = 0
    while part := _PROLOGUE.match(text, at):
        at = part.end()
    return at
