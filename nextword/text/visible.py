"""Text that cannot command whoever shows it, a terminal or a page."""

from __future__ import annotations

import re

# C0 and C1 controls, line separators, the marks that turn the direction of what follows, and the
# halves of characters that undecodable bytes leave behind
COMMANDS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(text: str) -> str:
    r"""The text on one line, characters that would be obeyed spelled out: ``\x1b``."""
    return COMMANDS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
