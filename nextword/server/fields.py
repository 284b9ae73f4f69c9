"""The JSON of a request, each key checked as it is taken."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from typing import Any

from nextword.formatting import escape_control
from nextword.server.errors import RequestError, too_large
from nextword.server.limits import Limits


def parse_object(body: bytes) -> dict[str, Any]:
    """The object in a request's body.

    Raises:
        RequestError: it is no UTF-8, no JSON or no object.
    """
    try:
        content = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise RequestError(f"the body is not UTF-8 (byte {error.start})") from None
    except RecursionError:
        raise RequestError("the body is nested too deeply") from None
    except ValueError as error:
        raise RequestError(f"the body is not JSON ({error})") from None
    if not isinstance(content, dict):
        raise RequestError("the body is not a JSON object")
    return content


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")


class Fields:
    """The keys of a request.

    Args:
        content: of the request.
        limits: of texts.

    Every method raises RequestError if the value is not as it should be; ``null`` counts as absent.
    """

    def __init__(self, content: dict[str, Any], limits: Limits) -> None:
        self._content = content
        self._limits = limits

    def only(self, known: Iterable[str]) -> None:
        """Refuse keys that are not known."""
        known = list(known)
        for key in self._content:
            if key not in known:
                name = escape_control(key[:64])
                close = difflib.get_close_matches(name, known, n=1)
                hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
                raise RequestError(f"{name}: there is no such key; {hint}", name)

    def get(self, key: str) -> Any:
        """The value as it came; None if it is absent."""
        return self._content.get(key)

    def text(self, key: str) -> str:
        """A text, which must be there."""
        text = self.optional_text(key)
        if text is None:
            raise RequestError(f"{key}: is missing; give a text", key)
        return text

    def optional_text(self, key: str) -> str | None:
        """A text, or None."""
        value = self.get(key)
        return None if value is None else self.checked_text(key, value)

    def checked_text(self, key: str, value: object) -> str:
        """A value under a key as a text."""
        if not isinstance(value, str):
            raise RequestError(f"{key}: {_shown(value)} is not a text", key)
        try:
            value.encode("utf-8")
        except UnicodeEncodeError as error:
            raise RequestError(f"{key}: has half a character at {error.start}", key) from None
        if len(value) > self._limits.characters:
            most = self._limits.characters
            raise too_large(key, f"{key}: has {len(value):,} characters; at most {most:,} are read")
        return value

    def integer(self, key: str, default: int, least: int, most: int) -> int:
        """A whole number within bounds."""
        value = self.get(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            wanted = f"a whole number from {least:,} to {most:,}"
            raise RequestError(f"{key}: {_shown(value)} is not {wanted}", key)
        return value

    def optional_integer(self, key: str, least: int, most: int) -> int | None:
        """A whole number within bounds, or None."""
        return None if self.get(key) is None else self.integer(key, least, least, most)

    def number(self, key: str, default: float, least: float, most: float) -> float:
        """A number within bounds."""
        value = self.get(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise RequestError(f"{key}: {_shown(value)} is not a number", key)
        # compared before it becomes a float, which a huge whole number cannot
        if not least <= value <= most:
            wanted = f"a number from {least:g} to {most:g}"
            raise RequestError(f"{key}: {_shown(value)} is not {wanted}", key)
        return float(value)

    def flag(self, key: str) -> bool:
        """True or false; false if absent."""
        value = self.get(key)
        if value is not None and not isinstance(value, bool):
            raise RequestError(f"{key}: {_shown(value)} is not true or false", key)
        return bool(value)


def _shown(value: object) -> str:
    """A value in a message: short, and on one line; of a text only that it is one."""
    if isinstance(value, str):
        return "a text"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, dict):
        return "an object"
    shown = json.dumps(value)
    return shown if len(shown) <= 24 else "a huge number"
