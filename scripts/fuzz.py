"""Feeds damaged input to everything that reads a file; a seed reproduces a run.

python scripts/fuzz.py --seed 1 --inputs 2000 [--reader NAME]

An input must be read, or refused with a NextwordError, within limits of time and memory. Otherwise
it is printed and kept, and the exit code is 1.
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
from dataclasses import replace
from pathlib import Path
from types import FrameType

import click
from fuzz_readers import Reader, all_readers

from nextword.errors import NextwordError

SECONDS = 5.0
"""CPU time allowed per input."""
MEMORY = 1 << 30
"""Bytes that may be allocated beyond those in use before the first input."""
GROWTH = 200 << 20
"""Bytes that memory may have grown after all inputs."""


class TooSlow(BaseException):
    """The time is up; not an Exception, so that no reader catches it."""


@contextlib.contextmanager
def bounded_memory() -> Iterator[None]:
    """Turn too large allocations into MemoryError; no effect except on Linux."""
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
    """Raise TooSlow after so much CPU time; end the process if it cannot be interrupted."""

    def ring(number: int, frame: FrameType | None) -> None:
        raise TooSlow

    # CPU time, so that a busy machine does not cause failures
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
    """Resident memory of this process in bytes; 0 except on Linux."""
    statm = Path("/proc/self/statm")
    pages = int(statm.read_text().split()[1]) if statm.exists() else 0
    return pages * resource.getpagesize()


def outcome(reader: Reader, content: bytes, draw: random.Random) -> tuple[str, str]:
    """``read``, ``refused`` or ``failed``, and the reason for ``failed``."""
    try:
        with bounded_time(SECONDS):
            reader.read(content, draw)
    except NextwordError as error:
        if not str(error).strip():
            return "failed", f"{type(error).__name__} without a message"
        return "refused", ""
    except TooSlow:
        return "failed", f"still at work after {SECONDS:g} s"
    except Exception:  # any exception of another kind is a failure
        return "failed", traceback.format_exc()
    return "read", ""


def fuzz(readers: dict[str, Reader], seed: int, inputs: int, keep: Path) -> dict[str, Counter[str]]:
    """Try the readers in turn and count outcomes by reader; keep failing inputs in ``keep``."""
    all_seeds = [content for reader in readers.values() for content in reader.seeds]
    counts: dict[str, Counter[str]] = {name: Counter() for name in readers}
    names = sorted(readers)
    for number in range(inputs):
        name = names[number % len(names)]
        draw = random.Random(f"{seed} {number} {name}")
        content = readers[name].input(all_seeds, draw)
        result, reason = outcome(readers[name], content, draw)
        counts[name][result] += 1
        counts[name]["bytes"] += len(content)
        if result == "failed":
            keep.mkdir(parents=True, exist_ok=True)
            (keep / f"{seed}-{number}").write_bytes(content)
            click.echo(f"--- seed {seed}, input {number}, {name}\n{reason}", err=True)
    return counts


def table(counts: dict[str, Counter[str]]) -> list[str]:
    """The outcomes as a table."""
    titles = ("read", "refused", "failed")
    lines = [f"{'reader':<20}{'inputs':>8}" + "".join(f"{title:>9}" for title in titles)]
    rows = {**counts, "all": sum(counts.values(), Counter())}
    for name, outcomes in rows.items():
        inputs = sum(outcomes[title] for title in titles)
        lines.append(f"{name:<20}{inputs:>8,}" + "".join(f"{outcomes[t]:>9,}" for t in titles))
    return lines


@click.command()
@click.option("--seed", default=1, show_default=True, help="Determines every input.")
@click.option("--inputs", default=2000, show_default=True, type=click.IntRange(min=1))
@click.option("--reader", "only", multiple=True, metavar="NAME", help="Only this one.")
@click.option(
    "--keep",
    default=Path(tempfile.gettempdir()) / "nextword-fuzz",
    type=click.Path(path_type=Path),
    help="Folder for inputs that failed.",
)
@click.option(
    "--text",
    "texts",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file to damage as a text, instead of those made here; may be repeated.",
)
def main(seed: int, inputs: int, only: Sequence[str], keep: Path, texts: Sequence[Path]) -> None:
    """Feed damaged input to everything that reads a file."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("error")  # they would clutter a user's terminal
        warnings.simplefilter("ignore", DeprecationWarning)  # from a codec, hidden from users
        readers = all_readers(Path(folder))
        if texts:
            seeds = [text.read_bytes() for text in texts]
            readers["text"] = replace(readers["text"], seeds=seeds, others=())
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
    if grown > GROWTH or any(outcomes["failed"] for outcomes in counts.values()):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
