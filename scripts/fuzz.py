"""Throws damaged input at everything that reads a file, the same input for the same seed.

python scripts/fuzz.py --seed 1 --inputs 2000 [--reader NAME]

An input has to be read or refused with a NextwordError, within a time limit and without filling
the memory; anything else is printed and kept, and the exit code is 1.
"""

from __future__ import annotations

import contextlib
import faulthandler
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType

import click
from fuzz_readers import Reader, all_readers

from nextword.errors import NextwordError

SECONDS = 5.0
"""Of this process's own work that an input may take."""
MEMORY = 1 << 30
"""Bytes that may be asked for beyond what is there before the first input."""
GROWTH = 200 << 20
"""Bytes that may stay behind after all inputs."""


class TooSlow(BaseException):
    """The time is up; no reader catches it by chance."""


@contextlib.contextmanager
def bounded_memory() -> Iterator[None]:
    """Inside, asking for too much memory is a MemoryError; only where Linux tells what is there."""
    statm = Path("/proc/self/statm")
    if not statm.exists():
        yield
        return
    pages = int(statm.read_text().split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MEMORY, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


@contextlib.contextmanager
def bounded_time(seconds: float) -> Iterator[None]:
    """Inside, more work than that is TooSlow; code that never looks up is ended the hard way."""

    def ring(number: int, frame: FrameType | None) -> None:
        raise TooSlow

    # the processor's time, so that a busy machine is no reason to fail
    before = signal.signal(signal.SIGVTALRM, ring)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    faulthandler.dump_traceback_later(60 * seconds, exit=True, file=sys.__stderr__ or sys.stderr)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def resident() -> int:
    """Bytes of memory that this process holds; 0 where that is not told."""
    statm = Path("/proc/self/statm")
    pages = int(statm.read_text().split()[1]) if statm.exists() else 0
    return pages * resource.getpagesize()


def outcome(reader: Reader, content: bytes, draw: random.Random) -> tuple[str, str]:
    """``read``, ``refused`` or ``failed``, and for the last one the reason."""
    try:
        with bounded_time(SECONDS):
            reader.read(content, draw)
    except NextwordError as error:
        if not str(error).strip():
            return "failed", f"{type(error).__name__} without a message"
        return "refused", ""
    except TooSlow:
        return "failed", f"still at work after {SECONDS:g} s"
    except Exception:  # whatever it is, it is what is looked for
        return "failed", traceback.format_exc()
    return "read", ""


def fuzz(readers: dict[str, Reader], seed: int, inputs: int, keep: Path) -> dict[str, Counter[str]]:
    """Tries each reader in turn; counts by reader. Failures are printed and kept in ``keep``."""
    strangers = [content for reader in readers.values() for content in reader.seeds]
    counts: dict[str, Counter[str]] = {name: Counter() for name in readers}
    names = sorted(readers)
    for number in range(inputs):
        name = names[number % len(names)]
        draw = random.Random(f"{seed} {number} {name}")
        content = readers[name].input(strangers, draw)
        result, reason = outcome(readers[name], content, draw)
        counts[name][result] += 1
        counts[name]["bytes"] += len(content)
        if result == "failed":
            keep.mkdir(parents=True, exist_ok=True)
            (keep / f"{seed}-{number}").write_bytes(content)
            click.echo(f"--- seed {seed}, input {number}, {name}\n{reason}", err=True)
    return counts


def table(counts: dict[str, Counter[str]]) -> list[str]:
    """What became of the inputs."""
    titles = ("read", "refused", "failed")
    lines = [f"{'reader':<20}{'inputs':>8}" + "".join(f"{title:>9}" for title in titles)]
    rows = {**counts, "all": sum(counts.values(), Counter())}
    for name, each in rows.items():
        inputs = sum(each[title] for title in titles)
        lines.append(f"{name:<20}{inputs:>8,}" + "".join(f"{each[t]:>9,}" for t in titles))
    return lines


@click.command()
@click.option("--seed", default=1, show_default=True, help="Decides every input.")
@click.option("--inputs", default=2000, show_default=True, type=click.IntRange(min=1))
@click.option("--reader", "only", multiple=True, metavar="NAME", help="Only this one.")
@click.option(
    "--keep",
    default=Path(tempfile.gettempdir()) / "nextword-fuzz",
    type=click.Path(path_type=Path),
    help="Where inputs go that were not handled.",
)
def main(seed: int, inputs: int, only: Sequence[str], keep: Path) -> None:
    """Throw damaged input at everything that reads a file."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("error")  # what would clutter a user's terminal
        warnings.simplefilter("ignore", DeprecationWarning)  # of a codec: no user sees it
        readers = all_readers(Path(folder))
        if unknown := set(only) - readers.keys():
            raise click.UsageError(f"{', '.join(unknown)}: there are {', '.join(readers)}")
        chosen = {name: reader for name, reader in readers.items() if name in (only or readers)}
        before = resident()
        with bounded_memory():
            counts = fuzz(chosen, seed, inputs, keep)
        grown = resident() - before
    for line in table(counts):
        click.echo(line)
    click.echo(f"{time.perf_counter() - began:.1f} s, memory grew by {grown / 2**20:.0f} MB")
    if grown > GROWTH or any(each["failed"] for each in counts.values()):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
