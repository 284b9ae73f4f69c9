"""A session on a terminal: each line continues the text, and half-typed words are completed."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from nextword.cli.layout import columns_of, line_width
from nextword.cli.terminal import say

if TYPE_CHECKING:
    from nextword.inference.session import Session

COMMANDS = {
    "/new": "start over with an empty text",
    "/text": "show the whole text so far",
    "/help": "show this help",
}
TAB_WORDS = 8
"""Words that the Tab key offers, at most."""
_FIRST_WORD = re.compile(r"\w[\w'’-]*")
_LAST_LETTERS = re.compile(r"/?[\w'’-]*$")
Answer = Callable[["Session", str, str], None]
"""Reads a text in a session and shows the predictions that begin with some letters."""


class Dialogue:
    """Answers the lines typed on a terminal.

    Args:
        open_session: opens a session at the beginning of a text.
        answer: reads and answers.
    """

    def __init__(self, open_session: Callable[[], Session], answer: Answer) -> None:
        self.open_session = open_session
        self.answer = answer
        self.session = open_session()
        self.text: list[str] = []
        """The lines so far; the last may end in :attr:`half_typed`."""
        self.half_typed = ""
        """A word's first letters at the end of the text, which the session has not read yet."""

    def run(self, read_line: Callable[[], str]) -> None:
        """Answer lines until the end of the input or ``/quit``."""
        say(
            "Type words and press Enter; each line continues the text, Tab completes a word.",
            "Empty line: repeat. /new: start over. /help: all. Ctrl-D ends.",
            err=True,
        )
        offer_words(self.offered)
        while True:
            try:
                line = read_line()
            except EOFError:
                say(err=True)
                return
            if line.strip() in ("/quit", "/exit"):
                return
            self.take(line)

    def take(self, line: str) -> None:
        """Answer one line."""
        command = line.strip()
        if command == "/new":
            self.session, self.text, self.half_typed = self.open_session(), [], ""
            say("(new text)", err=True)
        elif command == "/text":
            say(" ".join(self.text) or "(no text yet)", err=True)
        elif command == "/help":
            say(*help_lines(), err=True)
        elif command.startswith("/") and command[1:].isalpha():
            say(f"unknown command {command}; /help lists all", err=True)
        else:
            self._continue(line)

    def _continue(self, line: str) -> None:
        """Read on, all but a half-typed word, and answer."""
        typed = self.half_typed
        if line.strip():
            typed = self._completed(line)
            self.text.append(typed.strip())
            self.half_typed = self.session.half_typed(typed)
        if len(self.text) > 1 or self.half_typed or (self.text and not line.strip()):
            say(f"{text_so_far(self.text)}{' ' * (not self.half_typed)}...", err=True)
        self.answer(self.session, typed[: len(typed) - len(self.half_typed)], self.half_typed)

    def _completed(self, line: str) -> str:
        """A line, after the half-typed word of the line before, or instead of it.

        Either the whole word was typed now, or its other letters, or else it was a whole word that
        the vocabulary lacks.
        """
        if not self.half_typed:
            return line
        letters = self.half_typed
        self.text[-1] = self.text[-1].removesuffix(letters).rstrip()
        self.text = [text for text in self.text if text]
        word = _FIRST_WORD.match(line)
        if line.lstrip().casefold().startswith(letters.casefold()):
            return line
        joins = word is not None and self.session.begins_word(letters + word[0])
        return letters + line if joins else f"{letters} {line}"

    def offered(self, before: str, letters: str) -> list[str]:
        """The likeliest words that begin with some letters.

        Args:
            before: what stands before them on the line.
            letters: of the word that is being typed; may be empty.
        """
        if letters.startswith("/") and not before.strip():
            return [command for command in COMMANDS if command.startswith(letters)]
        session = self.session.fork()
        session.read(f"{self.half_typed} {before}" if self.half_typed else before)
        return [prediction.word for prediction in session.predict(TAB_WORDS, letters)]


def offer_words(offered: Callable[[str, str], Sequence[str]]) -> None:
    """Let the Tab key complete the word before the cursor, if readline is available."""
    with suppress(ImportError):
        import readline

        candidates: list[str] = []

        def complete(letters: str, state: int) -> str | None:
            if state == 0:
                # a quotation mark or bracket before the word is no part of it
                typed = _LAST_LETTERS.findall(letters)[0]
                marks = letters.removesuffix(typed)
                before = readline.get_line_buffer()[: readline.get_begidx()] + marks
                words = offered(before, typed)
                candidates[:] = [f"{marks}{word}{' ' * (len(words) == 1)}" for word in words]
            return candidates[state] if state < len(candidates) else None

        readline.set_completer_delims(" \t")
        readline.set_completer(complete)
        # as on macOS
        libedit = "libedit" in (readline.__doc__ or "")
        readline.parse_and_bind("bind ^I rl_complete" if libedit else "tab: complete")


def help_lines() -> list[str]:
    """What can be typed in a session."""
    commands = {"words": "continue the text", "(empty)": "repeat the predictions"}
    commands |= {"Tab": "complete a word, or list the likeliest", **COMMANDS}
    commands |= {"Ctrl-D, /quit": "end"}
    return [f"  {name:<15}{meaning}" for name, meaning in commands.items()]


def text_so_far(text: Sequence[str]) -> str:
    """The end of a session's text, as much as has room on one line."""
    words = " ".join(text).split(" ")
    room = line_width() - len("...  ...")
    shown: list[str] = []
    while words and columns_of(" ".join([words[-1], *shown])) <= room:
        shown.insert(0, words.pop())
    return f"{'... ' * bool(words)}{' '.join(shown)}"
