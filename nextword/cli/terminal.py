"""Text in from arguments and pipes, text out to a terminal that it must not be able to control."""

from __future__ import annotations

import codecs
import io
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TextIO

import click

from nextword.formatting import CONTROL_CHARS, escape_control, plain

if TYPE_CHECKING:
    from nextword.text.matching import Match
    from nextword.text.tokenizer import Tokenizer

MAX_SEARCHES = 3
"""Unknown words of a prompt for which near spellings are looked for."""
FALLBACKS = {
    **dict.fromkeys("█▉▊▋▌▍▎▏", "#"),
    **dict.fromkeys("‘’", "'"),
    **dict.fromkeys("“”", '"'),
    **dict.fromkeys("–−░", "-"),
    **{"¶": "$", "±": "+-", "≥": ">=", "…": "...", "—": "--", "→": "->"},
}
"""Written where an encoding lacks a character; a question mark for all others."""


# Streams


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a standard stream is a terminal; a closed stream is not."""
    try:
        return stream is not None and stream.isatty()
    except (OSError, ValueError):
        return False


def open_closed_streams() -> None:
    """Connect standard streams that the caller closed to the null device.

    Otherwise a file that is opened later would get their number, and libraries would write into it.
    ``sys.stdin`` stays None, since closed input is not empty input.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115


def abandon(stream: TextIO) -> None:
    """Drop what a stream could not write, so that Python does not try again at exit."""
    with suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)


def tolerate_bad_bytes(stream: object) -> None:
    """Replace what a standard stream's encoding lacks instead of failing on it."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors=_FALLBACK)


def _fall_back(error: UnicodeError) -> tuple[str, int]:
    """What to write for characters that an encoding lacks, and where to go on."""
    if not isinstance(error, UnicodeEncodeError):
        replaced, end = codecs.replace_errors(error)
        return str(replaced), end
    missing = error.object[error.start : error.end]
    shown = "".join(FALLBACKS.get(character, "?") for character in missing)
    return shown.encode(error.encoding, "replace").decode(error.encoding), error.end


_FALLBACK = "nextword.fallback"
codecs.register_error(_FALLBACK, _fall_back)


# Input


def argument_text(text: str) -> str:
    """An argument, with undecodable bytes replaced: shells pass them on, JSON cannot hold them."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def nothing_piped() -> bool:
    """Whether stdin is closed, or a terminal."""
    closed = sys.stdin is None or sys.stdin.closed
    return closed or is_terminal(sys.stdin)


def piped_lines() -> Iterator[str]:
    """The lines of stdin as they arrive; none where nothing is piped in."""
    if nothing_piped():
        return
    tolerate_bad_bytes(sys.stdin)
    try:
        yield from sys.stdin
    except OSError as error:
        reason = error.strerror or str(error)
        raise OSError(error.errno, reason, "standard input") from error


def piped_text() -> str:
    """All of stdin without its final line end; empty where nothing is piped in."""
    return "".join(piped_lines()).removesuffix("\n")


# Output


def say(*lines: str, err: bool = False) -> None:
    """Write lines, by default an empty one, to stdout or to stderr.

    Raises:
        OSError: stdout cannot be written; what stderr does not take is dropped.
    """
    for line in lines or ("",):
        try:
            # named, since click takes an ASCII stream for one of UTF-8
            click.echo(escape_control(line), file=sys.stderr if err else sys.stdout)
        except BrokenPipeError:
            if not err:
                raise
            abandon(sys.stderr)
        except OSError as error:
            if not err:
                raise OSError(error.errno, error.strerror, "standard output") from error
            abandon(sys.stderr)


def say_at_once(*lines: str) -> None:
    """Write lines to stderr from a signal handler, which may have interrupted a write to it."""
    try:
        number = sys.stderr.fileno()
    except (OSError, ValueError):
        say(*lines, err=True)
        return
    with suppress(OSError):
        os.write(number, "".join(f"{line}\n" for line in lines).encode())


def say_json(content: Mapping[str, Any]) -> None:
    """Write one line of JSON to stdout, as ASCII unless stdout is UTF-8."""
    import json

    encoding = (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "")
    text = json.dumps(plain(content), ensure_ascii=encoding != "utf8", allow_nan=False)
    # JSON itself escapes only the first 32
    text = CONTROL_CHARS.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
    click.echo(text, file=sys.stdout)


def say_unknown(tokenizer: Tokenizer, unknown: Sequence[Match], suggest: bool = True) -> None:
    """Name on stderr the words of a prompt that the vocabulary lacks, with likely alternatives.

    Args:
        tokenizer: the model's.
        unknown: the words, and the word that each is read as.
        suggest: whether to look for near spellings, which takes a moment.
    """
    named = []
    searches = MAX_SEARCHES if suggest else 0
    for match in unknown:
        if match.id != tokenizer.unknown_id:
            named.append(f"{match.typed} (did you mean {tokenizer.words[match.id]}? read as that)")
            continue
        searches -= 1
        close = tokenizer.matcher.suggestions(match.typed) if searches >= 0 else []
        named.append(match.typed + (f" (did you mean {' or '.join(close)}?)" if close else ""))
    if named:
        say(f"not in the vocabulary: {', '.join(named)}", err=True)


def say_saved(*paths: object) -> None:
    """Name the files that were written, on stderr."""
    for path in paths:
        say(f"saved {path}", err=True)
