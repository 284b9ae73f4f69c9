"""Puts the page together: one HTML file out of the template, the style and the scripts it needs.

The scripts in ``source/`` are JavaScript modules, so that tests can import them one by one: how
text becomes words (``text/``), the model's engine (``engine/``), and what people see
(``interface/``). A page holds those that its entry point needs, one after the other and without
imports and exports. Their names must therefore differ from each other.
"""

from __future__ import annotations

import base64
import hashlib
import json
import posixpath
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

SOURCE = Path(__file__).parent / "source"
ENTRIES = {
    "server": ("interface/served.js", "beginServed"),
    "page": ("interface/exported.js", "beginExported"),
}
"""By where the model is: the module that begins the page, and its function."""
PRIVACY = {
    "server": "What you write goes to this server only, and is not kept.",
    "page": "It runs in this page: what you write goes nowhere, and is not kept.",
}
_IMPORT = re.compile(r'^import \{[^}]*\} from "(?P<file>\.[\w./]+\.js)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?function|class|const)", re.MULTILINE)
_END_TAG = re.compile(r"</(?=script)", re.IGNORECASE)

Place = Literal["server", "page"]


@dataclass(frozen=True)
class PageInfo:
    """The facts of a model that its page shows, or needs before the first answer."""

    title: str
    """Such as ``LSTM 1 x 256 + n-grams``."""
    words: int
    """Size of the vocabulary."""
    parts: tuple[str, ...]
    """Of ``network``, ``ngrams`` and ``cache``, those that the model has."""
    closing: tuple[str, ...]
    """Marks that follow a word without a space."""


def page_html(info: PageInfo, place: Place, model: str = "") -> str:
    """The whole page.

    Args:
        info: on the model.
        place: where the model is: ``server``, or the ``page`` itself.
        model: as text without ``<``, for a page that holds it.
    """
    environment = Environment(
        loader=FileSystemLoader(SOURCE), undefined=StrictUndefined, autoescape=True
    )
    file, function = ENTRIES[place]
    style = (SOURCE / "page.css").read_text(encoding="utf-8")
    script = f'"use strict";\n{joined(file)}\n{function}();\n'
    known = asdict(info) | {"privacy": PRIVACY[place]}
    # the only way out of an element with data or a script is its end tag
    raw = {"info_json": json.dumps(known).replace("<", "\\u003c"), "style": style, "script": script}
    return environment.get_template("page.html").render(
        info=known,
        policy=_policy(place, style, script),
        model=Markup(model),
        **{name: Markup(text) for name, text in raw.items()},
    )


def joined(entry: str) -> str:
    """A module and all that it imports, each after those that it needs, as one script."""
    return "\n".join(
        _EXPORT.sub("", _IMPORT.sub("", _source(name))).strip() for name in modules(entry)
    )


def modules(entry: str) -> list[str]:
    """The files of a module and of all that it imports, each after those that it needs."""
    return list(dict.fromkeys(_needed(entry, ())))


def _needed(name: str, importers: tuple[str, ...]) -> Iterator[str]:
    if name in importers:
        raise ValueError(f"{name} imports itself by way of {', '.join(importers)}")
    for match in _IMPORT.finditer(_source(name)):
        file = posixpath.normpath(posixpath.join(posixpath.dirname(name), match["file"]))
        yield from _needed(file, (*importers, name))
    yield name


def _source(name: str) -> str:
    text = (SOURCE / name).read_text(encoding="utf-8")
    if _END_TAG.search(text):
        raise ValueError(f"{name}: an end tag in it would end the page's script")
    return text


def _policy(place: Place, style: str, script: str) -> str:
    """The content security policy: this script and style, and no connection but to the server."""
    computes = " 'wasm-unsafe-eval'" if place == "page" else ""
    rules = [
        "default-src 'none'",
        f"script-src '{_digest(script)}'{computes}",
        f"style-src '{_digest(style)}'",
        "img-src data:",
        "connect-src 'self'" if place == "server" else "connect-src 'none'",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    return "; ".join(rules)


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
