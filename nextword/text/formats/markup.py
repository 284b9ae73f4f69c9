"""Tells HTML and other XML from text that merely mentions a tag."""

from __future__ import annotations

import re

from nextword.text.formats.html import BLOCKS, INLINE

_PROLOGUE = r"\s*(?:<\?xml[^>]*\?>\s*|<!--.*?-->\s*)*"
_DOCTYPE = re.compile(_PROLOGUE + r"<!DOCTYPE\s+html\b", re.IGNORECASE | re.DOTALL)
_FIRST_TAG = re.compile(_PROLOGUE + r"<([a-z][a-z0-9]*)(?:\s[^<>]*)?/?>", re.IGNORECASE | re.DOTALL)
_XML = re.compile(
    r"\s*(<\?xml\s[^>]*\?>)?(?:<!--.*?-->|<!DOCTYPE\s[^>\[]*(?:\[.*?\]\s*)?>|<\?[^>]*\?>|\s+)*"
    r"<([a-z_][\w:.-]*)[\s/>]",
    re.DOTALL | re.IGNORECASE,
)
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
    if _DOCTYPE.match(text):
        return True
    first = _FIRST_TAG.match(text)
    begins = first is not None and first[1].lower() in _KNOWN
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
    root = _XML.match(text)
    if root is None or not (root[1] or root[2].lower() in _ROOTS):
        return None
    return root[2].lower()
