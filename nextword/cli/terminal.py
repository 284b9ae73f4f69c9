"""Text in from arguments and pipes, text out to a terminal that it must not be able to control."""

from __future__ import annotations

import codecs
import io
import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TextIO

import click
from wcwidth import wcswidth

from nextword.formatting import CONTROL_CHARS, escape_control, percent, plain
from nextword.text.scripts import UNSPACED_LETTERS

if TYPE_CHECKING:
    from nextword.inference.session import Prediction
    from nextword.text.matching import Match
    from nextword.text.tokenizer import Tokenizer

PILCROW = "¶"
"""Shown for the end of a paragraph or line."""
MAX_LINE_WIDTH = 88
"""Columns of running text; longer lines are hard to read."""
MAX_SEARCHES = 3
"""Unknown words of a prompt for which near spellings are looked for."""
BAR_WIDTH = 24
"""Columns of the longest bar in a list of predictions or neighbours."""
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


# Words, columns and colours


def shown_word(word: str) -> str:
    """A vocabulary word, made harmless; the end of a paragraph is a pilcrow."""
    from nextword.text.vocabulary import END

    return PILCROW if word == END else escape_control(word)


def quoted_mark(word: str) -> str:
    """A vocabulary word, made harmless; a mark of punctuation is put in quotation marks."""
    shown = shown_word(word)
    quote = "'" if '"' in shown else '"'
    return shown if any(map(str.isalnum, word)) else f"{quote}{shown}{quote}"


def columns_of(text: str) -> int:
    """How many columns a text takes: wide letters two, combining marks none."""
    return max(0, wcswidth(text))


def padded(text: str, width: int) -> str:
    """A text followed by spaces up to a width in columns."""
    return text + " " * (width - columns_of(text))


def prediction_lines(predictions: Sequence[Prediction]) -> list[str]:
    """Aligned lines of word, probability, and a bar relative to the likeliest word."""
    words = [quoted_mark(prediction.word) for prediction in predictions]
    width = max(map(columns_of, words), default=0)
    most = max((prediction.probability for prediction in predictions), default=1.0)
    return [
        f"{padded(word, width)}  {percent(prediction.probability):>7}  "
        f"{'█' * round(BAR_WIDTH * prediction.probability / most)}"
        for word, prediction in zip(words, predictions, strict=True)
    ]


def line_width() -> int:
    """Columns for running text on this terminal."""
    return max(20, min(shutil.get_terminal_size().columns, MAX_LINE_WIDTH))


def colours_wanted() -> bool:
    """Whether stdout is a terminal with colours and the user has not declined (no-color.org)."""
    without = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return is_terminal(sys.stdout) and not without


def escape_lines(text: str) -> str:
    """A text with its line ends kept and all other control characters escaped."""
    lines = text.replace("\r\n", "\n").replace("\t", " ").split("\n")
    return "\n".join(escape_control(line) for line in lines)


_ATOMS = re.compile(rf"\n| +|[{UNSPACED_LETTERS}]|[^ \n{UNSPACED_LETTERS}]+")
_BREAK_BEFORE = re.compile(f"[{UNSPACED_LETTERS}]")


class Wrapper:
    """Breaks a stream of text into lines.

    Text without a space in it stays on one line, so the last word is held back until it is known
    whether punctuation follows.

    Args:
        width: columns of a line.
        gap: written for a space between words.
    """

    def __init__(self, width: int, gap: str = " ") -> None:
        self.width = width
        self.gap = gap
        self._column = 0
        self._spaced = False
        self._held = ""
        self._held_columns = 0

    def push(self, text: str, paint: Callable[[str], str] = str) -> str:
        """Add text and return what can be written by now.

        Args:
            text: continues directly after the text pushed before.
            paint: colours a word; escape sequences take no columns.
        """
        written = []
        for atom in _ATOMS.findall(text):
            if atom[0] in "\n ":
                written.append(self.flush())
                self._spaced = atom[0] == " "
                if atom == "\n":
                    written.append(atom)
                    self._column = 0
                continue
            if _BREAK_BEFORE.match(atom):
                written.append(self.flush())
            self._held += paint(atom)
            self._held_columns += columns_of(atom)
        return "".join(written)

    def flush(self) -> str:
        """Return the word that was held back."""
        if not self._held:
            return ""
        gap = self.gap if self._spaced and self._column else ""
        if self._column and self._column + bool(gap) + self._held_columns > self.width:
            gap, self._column = "\n", 0
        written = gap + self._held
        self._column += bool(gap.strip("\n")) + self._held_columns
        self._held, self._held_columns, self._spaced = "", 0, False
        return written
