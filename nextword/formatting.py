"""Figures as they are shown to people, with their standard errors, and as JSON can hold them."""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from typing import Any


def percent(share: float) -> str:
    """A share in per cent, to three digits."""
    if 0 < share < 0.00005:
        return "<0.01 %"
    digits = 1 if share >= 0.0995 else 2
    return f"{100 * share:.{digits}f} %" if math.isfinite(share) else "-"


def two_digits(share: float) -> str:
    """A share in per cent, to two digits where there is a fraction, without the sign."""
    return f"{100 * share:.0f}" if share >= 0.0995 else f"{100 * share:.2g}"


def figure(value: float, error: float | None, digits: int) -> str:
    """A number, with its standard error where there is one."""
    if not math.isfinite(value):
        return "-"
    return _number(value, digits) + _after(error, digits)


def share(value: float, error: float | None) -> str:
    """A share in per cent, with its standard error where there is one."""
    shown = percent(value)
    return shown if shown == "-" else f"{shown[:-2]}{_after(error, 1, 100)} %"


def change(value: float, error: float | None) -> str:
    """A change in per cent with its sign, and its standard error where there is one."""
    if not math.isfinite(value):
        return "-"
    shown = _number(abs(100 * value), 1)
    sign = "" if shown == "0.0" else "−" if value < 0 else "+"
    return f"{sign}{shown}{_after(error, 1, 100)} %"


def short(value: float, error: float | None) -> str:
    """A number in three digits, or as far as its standard error leaves it sure."""
    if not error or not math.isfinite(error):
        return f"{value:.3g}" if abs(value) < 999.5 else _number(value, 0)
    digits = max(0, -math.floor(math.log10(error)))
    return _number(value, digits) + _after(error, digits)


def counted(number: int, noun: str) -> str:
    """A number with its noun: ``1 step``, ``2,000 steps``."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def _number(value: float, digits: int) -> str:
    return f"{value:,.{digits}f}" if abs(value) < 1e9 else f"{value:.2e}"


def _after(error: float | None, digits: int, times: float = 1) -> str:
    """A standard error as written after its value; empty if unknown."""
    if error is None or not math.isfinite(error):
        return ""
    return f" ± {_number(times * error, digits)}"


SHADE_EDGES = (2, 4, 7, 10, 14)
"""Surprisals in bits where the next darker shade begins, on a terminal and on a page."""


def shade(bits: float) -> int:
    """The number of the shade of a word's surprisal, 0 for the least surprising."""
    return bisect_right(SHADE_EDGES, bits)


def shade_names() -> list[str]:
    """The range of bits that each shade stands for."""
    between = [f"{low}–{high}" for low, high in zip(SHADE_EDGES, SHADE_EDGES[1:], strict=False)]
    return [f"< {SHADE_EDGES[0]}", *between, f"≥ {SHADE_EDGES[-1]}"]


def plain(value: Any) -> Any:
    """What JSON can hold: no dataclass, no number that is not finite."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, Mapping):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


# C0 and C1 controls, line separators, the marks that turn the direction of what follows, and the
# halves of characters that undecodable bytes leave behind
CONTROL_CHARS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def escape_control(text: str) -> str:
    r"""The text on one line, control characters spelled out: ``\x1b``.

    A terminal or a page that shows the result cannot be commanded by it.
    """
    return CONTROL_CHARS.sub(lambda match: match[0].encode("unicode_escape").decode(), text)
