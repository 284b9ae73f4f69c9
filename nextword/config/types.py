"""Types of the schema's values, and what they refuse."""

from __future__ import annotations

import codecs
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from nextword.config.architecture import GREATEST
from nextword.config.kinds import KINDS, ModelKind
from nextword.errors import ConfigError


@dataclass(frozen=True)
class Choice:
    """Marks a value that names an entry of a registry, which may grow."""

    entries: Mapping[str, ModelKind]


def text_codec(encoding: str) -> codecs.CodecInfo:
    """Python's codec of a character encoding.

    Raises:
        ConfigError: Python knows no text encoding of that name.
    """
    try:
        "a".encode(encoding)  # refuses the codecs that are not encodings of text
        codec = codecs.lookup(encoding)
    except (LookupError, UnicodeError, ValueError):
        codec = None
    if codec is None or codec.incrementaldecoder is None:
        raise ConfigError(
            f"text.encoding: {encoding!r} is not an encoding that Python knows; "
            "use for example utf-8, latin-1, cp1252 or utf-16"
        ) from None
    return codec


def _refuse_bool(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("must be a number, not true or false")
    return value


def _known_encoding(name: str) -> str:
    try:
        text_codec(name)
    except ConfigError as error:
        raise ValueError(str(error)) from None
    return name


def _known_kind(value: object) -> object:
    if not isinstance(value, str) or value not in KINDS:
        raise ValueError(f"must be one of {', '.join(KINDS)}")
    return value


# The upper bounds leave room for every sensible value and refuse what overflows memory or numbers.
Number = BeforeValidator(_refuse_bool)
"""Refuses true and false, which Python takes for 1 and 0."""
Count = Annotated[int, Number, Field(ge=1, le=1_000_000)]
Whole = Annotated[int, Number, Field(ge=0, le=1_000_000)]
Width = Annotated[int, Number, Field(ge=1, le=GREATEST["hidden_size"])]
Fraction = Annotated[float, Number, Field(ge=0, lt=1, allow_inf_nan=False)]
Positive = Annotated[float, Number, Field(gt=0, le=1_000_000, allow_inf_nan=False)]
NonNegative = Annotated[float, Number, Field(ge=0, le=1_000_000, allow_inf_nan=False)]
File = Annotated[str, Field(min_length=1), AfterValidator(os.path.expanduser)]
"""A path; a leading ``~`` is the home folder."""
# the reference and the error messages quote a string among the marks as the type
Encoding = Annotated[
    str, AfterValidator(_known_encoding), "an encoding's Python name, such as utf-8 or latin-1"
]
Format = Literal["auto", "plain", "html", "markdown", "srt", "jsonl", "csv", "epub", "docx"]
Column = Annotated[str, Field(min_length=1)]
Device = Annotated[
    str, Field(pattern=r"\A(auto|cpu|cuda|cuda:[0-9]{1,3}|mps)\z"), "auto, cpu, cuda, cuda:N or mps"
]
Kind = Annotated[str, BeforeValidator(_known_kind), Choice(KINDS)]
