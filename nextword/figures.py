"""Figures as they are shown to people, with their standard errors."""

from __future__ import annotations

import math


def percent(share: float) -> str:
    """A share in per cent, to three digits."""
    digits = 1 if share >= 0.0995 else 2
    return f"{100 * share:.{digits}f} %" if math.isfinite(share) else "-"


def figure(value: float, error: float | None, digits: int) -> str:
    """A number, with its standard error where there is one."""
    if not math.isfinite(value):
        return "-"
    told = f"{value:,.{digits}f}" if value < 1e9 else f"{value:.2e}"
    return told if error is None else f"{told} ± {error:,.{digits}f}"


def share(value: float, error: float | None) -> str:
    """A share in per cent, with its standard error where there is one."""
    told = percent(value)
    return told if error is None or told == "-" else f"{told[:-2]} ± {100 * error:.1f} %"


def change(value: float, error: float | None) -> str:
    """A change in per cent with its sign, and its standard error where there is one."""
    if not math.isfinite(value):
        return "-"
    told = f"{100 * value:+,.1f}".replace("-", "−")
    told = told[1:] if told[1:] == "0.0" else told
    return f"{told} %" if error is None else f"{told} ± {100 * error:,.1f} %"


def short(value: float, error: float | None) -> str:
    """A number in three digits, or as far as its standard error leaves it sure."""
    if not error:
        return f"{value:.3g}"
    digits = max(0, -math.floor(math.log10(error)))
    return f"{value:,.{digits}f} ± {error:,.{digits}f}"
