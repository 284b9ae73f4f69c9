"""Texts that come as an argument or through a pipe."""

from __future__ import annotations

import io
import sys


def argument_text(text: str) -> str:
    """An argument without bytes that are no text: a shell passes them on, JSON cannot."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def piped_text() -> str:
    """All that comes through a pipe, without the end of its last line; nothing on a terminal."""
    if sys.stdin.isatty():
        return ""
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")
    return sys.stdin.read().removesuffix("\n")
