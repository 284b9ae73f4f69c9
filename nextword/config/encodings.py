"""Character encodings, as far as Python knows them."""

from __future__ import annotations

import codecs

from nextword.errors import ConfigError


def text_codec(encoding: str) -> codecs.CodecInfo:
    """Python's codec of that name. ConfigError where it is none, or none of text."""
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
