"""How much one client may ask of the server."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bounds on requests; a request that exceeds one is refused, never cut."""

    body_bytes: int = 1 << 20
    """Size of a request's body."""
    characters: int = 1 << 16
    """Characters of a text."""
    words: int = 10_000
    """Words of a text."""
    predictions: int = 1000
    """Predictions of one answer."""
    generated: int = 4096
    """Words to generate for one text."""
    choices: int = 128
    """Texts to complete in one request."""
    waiting: int = 256
    """Requests that wait for a free worker; one client may have half of them."""
    seconds: float = 30.0
    """Seconds until the whole request has come, until its answer is there, and until each further
    piece of a stream is."""
    state_bytes: int = 1 << 27
    """Memory for the states of texts that may go on."""
    prompts: int = 256
    """Texts that are remembered in words, so that letters typed behind them cost nothing more."""
