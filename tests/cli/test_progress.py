"""Progress is a bar on a terminal and plain, rare lines in a log."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Callable
from contextlib import redirect_stderr
from pathlib import Path

import pytest

from nextword.cli import progress
from nextword.cli.console import Console
from nextword.cli.progress import PlainLog, ProgressBars, TerminalBar, open_display


class Clock:
    """Seconds that pass only when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


class Terminal(io.StringIO):
    """A stderr that calls itself a terminal."""

    def isatty(self) -> bool:
        return True


def on_terminal(test: Callable[[Terminal], None]) -> Callable[[], None]:
    """Runs a test with a terminal as stderr; pytest replaces one that a fixture sets."""

    def run() -> None:
        with redirect_stderr(Terminal()) as terminal:
            test(terminal)

    return run


def test_a_log_has_a_line_in_ten_seconds_at_most(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with ProgressBars() as bars:
        for second in range(36):
            bars.show("words", second + 4, 40)
            clock.now += 1
        bars.show("more", 1, 0)
        clock.now += 10
        bars.show("more", 2, 0)
    shown = capsys.readouterr()
    assert shown.out == "" and shown.err.splitlines() == [
        "words: 35 %, 00:10 elapsed, 00:18 remaining",
        "words: 60 %, 00:20 elapsed, 00:13 remaining",
        "words: 85 %, 00:30 elapsed, 00:05 remaining",
        "more: 00:10 elapsed",
    ]


def test_a_line_of_text_puts_off_the_next_line_about_progress(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    log = PlainLog()
    log.begin("words", 40)
    clock.now += 9
    log.update(9)
    log.message("step 9 (" + log.status() + ")")
    clock.now += 9
    log.update(18)
    clock.now += 1
    log.update(19, "a note")
    assert capsys.readouterr().err.splitlines() == [
        "step 9 (22 %, 00:09 elapsed, 00:31 remaining)",
        "words: 48 %, 00:19 elapsed, 00:21 remaining, a note",
    ]


def test_work_that_was_done_before_does_not_shorten_the_rest(clock: Clock) -> None:
    log = PlainLog()
    log.begin("", 100, done=50)
    assert log.status() == "50 %, 00:00 elapsed, ? remaining"
    clock.now += 5
    log.update(60)
    assert log.status() == "60 %, 00:05 elapsed, 00:20 remaining"


@on_terminal
def test_a_terminal_has_a_bar_that_goes_away(terminal: Terminal) -> None:
    assert isinstance(open_display(), TerminalBar)
    with ProgressBars(delay=0) as bars:
        bars.show("words", 1, 4)
        assert re.search(r"words:   0% \|.*\| 00:00 elapsed, .* remaining", terminal.getvalue())
        bars.display.message("a line")
        bars.show("words", 4, 4)
        assert "a line\n" in terminal.getvalue()
        assert terminal.getvalue().rpartition("\r")[0].rstrip(" ").endswith("\r")


@on_terminal
def test_short_work_has_no_bar_and_unknown_work_has_one_at_once(terminal: Terminal) -> None:
    with ProgressBars() as bars:
        bars.show("short", 1, 4)
        bars.display.message("a line")
        bars.show("short", 4, 4)
        assert terminal.getvalue() == "a line\n"
        bars.show("long\x1b", 0, 0)
        assert "\rlong\\x1b: 00:00 elapsed" in terminal.getvalue()


@on_terminal
def test_what_comes_before_a_training_has_a_bar(terminal: Terminal) -> None:
    with Console() as console:
        console.on_progress("preparing the text", 1, 0)
        assert "preparing the text: 00:00 elapsed" in terminal.getvalue()


def test_on_a_terminal_a_training_has_one_bar_and_few_lines(
    tiny_settings: dict[str, object], tmp_path: Path, shown_on: Callable[[int], bytes]
) -> None:
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 120, 0, 0))
    settings = {**tiny_settings, "training.epochs": 1, "training.validations": 2}
    sets = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
    with subprocess.Popen(
        [sys.executable, "-m", "nextword", "train", *sets],
        stdout=subprocess.DEVNULL,
        stderr=slave,
        cwd=tmp_path,
        env={**os.environ, "TERM": "xterm"},
    ) as process:
        os.close(slave)
        shown = shown_on(master)
    assert process.returncode == 0
    text = shown.decode()
    assert re.search(r"\r100% \|█+\| \S+ elapsed, \S+ remaining, 26/26 steps, loss", text)
    assert re.search(r"\r *\rstep 13: validation perplexity", text)
