"""Load test of ``nextword serve``: typists over loopback, memory, malformed requests.

    python scripts/load_test.py runs/war-and-peace --seconds 30 --requests 200000 --malformed 10000

Starts a server of its own, on a free port, with asyncio's plain streams for clients, so that the
clients cost little beside it. Prints a table, and exits with 1 if a request failed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

TEXT = (
    "Prince Andrew looked at the Emperor and said that he was going to the army in the morning. "
    "The old countess did not answer, but the young officers laughed, and nobody spoke of the war "
    "until Natasha came into the room with a letter in her hand. It was from her brother, who had "
    "been with his regiment since the spring, and he wrote that all was well with him. "
)
PARAGRAPH = 600
"""Characters after which a typist begins a new text."""
FILLING = 10_000
"""Requests after which the server keeps as many states as it ever will."""


class Client:
    """One kept connection."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, request: bytes) -> int:
        """Send a whole request; returns the answer's status, 0 for a connection that broke."""
        try:
            if self._streams is None:
                self._streams = await asyncio.open_connection("127.0.0.1", self.port)
            reader, writer = self._streams
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
            if length is not None:
                await reader.readexactly(int(length[1]))
            if length is None or b"connection: close" in head.lower():
                self.close()
            return int(head.split(b" ", 2)[1])
        except (OSError, asyncio.IncompleteReadError):
            self.close()
            return 0

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


def post(path: str, body: bytes, headers: str = "") -> bytes:
    """A request's bytes."""
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}Content-Length: {len(body)}"
    return f"{head}\r\n\r\n".encode() + body


def key_presses(seed: int) -> Iterator[bytes]:
    """The requests of a typist: a text that grows letter by letter, without an end."""
    draw = random.Random(seed)
    sentences = re.findall(r"[^.]+\. ", TEXT)
    while True:
        text = ""
        while len(text) < PARAGRAPH:
            for letter in draw.choice(sentences):
                text += letter
                yield post("/predict", json.dumps({"text": text, "k": 9}).encode())


@dataclass
class Result:
    """Latencies of requests, and their statuses."""

    milliseconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    async def measure(self, client: Client, request: bytes) -> None:
        """Send a request."""
        started = time.perf_counter()
        self.statuses[await client.send(request)] += 1
        self.milliseconds.append(1000 * (time.perf_counter() - started))

    def quantile(self, share: float) -> float:
        """A latency that this share of the requests did not exceed."""
        ordered = sorted(self.milliseconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    @property
    def errors(self) -> int:
        """Requests that were not answered."""
        return sum(self.statuses.values()) - self.statuses[200]


async def typists(port: int, number: int, rate: float, seconds: float) -> Result:
    """People who type at a rate of keys a second, each at moments of their own."""
    result, end = Result(), time.perf_counter() + seconds

    async def typist(seed: int) -> None:
        client, keys, draw = Client(port), key_presses(seed), random.Random(seed)
        following = time.perf_counter() + draw.random() / rate
        while following < end:
            await asyncio.sleep(following - time.perf_counter())
            await result.measure(client, next(keys))
            # a late answer delays the next key, as the page has one request in flight
            following = max(following + 1 / rate, time.perf_counter())
        client.close()

    await asyncio.gather(*map(typist, range(number)))
    return result


async def many(port: int, requests: int, connections: int = 4) -> Result:
    """Key presses as fast as they are answered."""
    result, left = Result(), iter(range(requests))

    async def typist(seed: int) -> None:
        client, keys = Client(port), key_presses(seed)
        for _ in left:
            await result.measure(client, next(keys))
        client.close()

    await asyncio.gather(*map(typist, range(connections)))
    return result


def malformed(seed: int) -> Iterator[bytes]:
    """Requests that no client should send."""
    draw = random.Random(seed)
    bodies = [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"text": NaN}',
        b'{"text": 1e999}',
        b'{"text": "a", "k": 1' + b"0" * 400 + b"}",
        b'{"text": "a", "k": ' + b"9" * 5000 + b"}",
        b'{"text": "\\ud800"}',
        b'{"\\ud800": 1, "text": "a"}',
        b"[" * 100_000,
        b'{"text": ' + b"[" * 50_000,
        b'{"text": "a", "k": true}',
        b'{"text": "a", "k": "5"}',
        b'{"text": "a", "temperature": 1e308, "top_p": -1}',
        b'{"text": {"text": "a"}}',
        b'{"prompt": [[[1]]]}',
        b'{"prompt": [1, "a", null]}',
        b'{"prompt": [99999999999999999999]}',
        b'{"prompt": "a", "stop": ["a", "b", "c", "d", "e"]}',
        b'{"prompt": "a", "max_tokens": -1, "logprobs": 99}',
        b'{"text": "' + b"a" * 70_000 + b'"}',
        b"x" * ((1 << 20) + 1),
    ]
    paths = ["/predict", "/score", "/generate", "/v1/completions"]
    valid = b'{"text": "Prince Andrew", "prompt": "Prince", "k": 3, "words": 2, "max_tokens": 2}'
    while True:
        choice = draw.random()
        if choice < 0.6:
            yield post(draw.choice(paths), draw.choice(bodies))
        elif choice < 0.9:  # bytes of a good request, changed
            body = bytearray(valid)
            for _ in range(draw.randint(1, 4)):
                body[draw.randrange(len(body))] = draw.randrange(256)
            yield post(draw.choice(paths), bytes(body))
        else:
            yield draw.choice(
                [
                    post("/nowhere", b"{}"),
                    post("/predict", valid, "Origin: http://example.com\r\n"),
                    b"GET /predict HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
                    b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n",
                    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: null\r\n\r\n",
                    b"NONSENSE\r\n\r\n",
                    b"POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: x\r\n\r\n",
                    b"POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                    b"Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
                ]
            )


async def send_malformed(port: int, requests: int) -> Result:
    """Malformed requests, one after the other."""
    result, client = Result(), Client(port)
    for _, request in zip(range(requests), malformed(1), strict=False):
        await result.measure(client, request)
    client.close()
    return result


def resident_mib(process: int) -> float:
    """Resident memory of a process in MiB, the pages of its files not counted."""
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    found = re.search(r"RssAnon:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found is not None else float("nan")


@dataclass
class Server:
    """A server under test."""

    process: subprocess.Popen[str]
    port: int
    log: Path

    @classmethod
    def start(cls, model: Path | None, log: Path) -> Server:
        """Start one on a free port."""
        command = [sys.executable, "-m", "nextword", "serve", "--port", "0"]
        command += [str(model)] if model is not None else []
        process = subprocess.Popen(command, stderr=log.open("w"), text=True)
        while not (found := re.search(r"http://127\.0\.0\.1:(\d+)", log.read_text())):
            if process.poll() is not None:
                sys.exit(log.read_text())
            time.sleep(0.05)
        return cls(process, int(found[1]), log)

    def stop(self) -> int:
        """Ask it to stop, and return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)


def row(name: str, result: Result, note: str = "") -> str:
    """A line of the table."""
    return (
        f"{name:<32} {len(result.milliseconds):>8,} {result.quantile(0.5):>8.1f} "
        f"{result.quantile(0.99):>8.1f} {result.errors:>7}  {note}"
    )


def run(server: Server, options: argparse.Namespace) -> bool:
    """All tests; whether every request was answered as it should be."""
    print(f"{'':<32} {'requests':>8} {'p50 ms':>8} {'p99 ms':>8} {'errors':>7}")
    asyncio.run(many(server.port, 200))  # warm
    one = asyncio.run(typists(server.port, 1, options.rate, options.seconds))
    print(row(f"1 typist, {options.rate:g} keys/s", one), flush=True)
    crowd = asyncio.run(typists(server.port, options.typists, options.rate, options.seconds))
    print(row(f"{options.typists} typists, {options.rate:g} keys/s", crowd), flush=True)
    asyncio.run(many(server.port, FILLING))
    before = resident_mib(server.process.pid)
    flood = asyncio.run(many(server.port, options.requests))
    after = resident_mib(server.process.pid)
    memory = f"memory {before:,.0f} to {after:,.0f} MiB ({after / before - 1:+.1%})"
    print(row("as fast as answered, 4 at once", flood, memory), flush=True)
    wrong = asyncio.run(send_malformed(server.port, options.malformed))
    statuses = ", ".join(f"{status}: {count}" for status, count in sorted(wrong.statuses.items()))
    print(f"{'malformed':<32} {options.malformed:>8,}  {statuses}")
    code = server.stop()
    log = server.log.read_text()
    print(f"exit code {code}, tracebacks: {log.count('Traceback')}")
    failed = one.errors + crowd.errors + flood.errors + code + log.count("Traceback")
    return failed == 0 and not any(status >= 500 for status in wrong.statuses)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("model", nargs="?", type=Path, help="a run or model folder")
    parser.add_argument("--seconds", type=float, default=10, help="of each group of typists")
    parser.add_argument("--rate", type=float, default=5, help="keys a second of each typist")
    parser.add_argument("--typists", type=int, default=100)
    parser.add_argument("--requests", type=int, default=20_000, help="for the memory")
    parser.add_argument("--malformed", type=int, default=1_000, help="malformed requests")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        server = Server.start(options.model, Path(folder) / "log")
        try:
            answered = run(server, options)
        finally:
            if server.process.poll() is None:
                os.kill(server.process.pid, signal.SIGKILL)
                server.process.wait()
    sys.exit(0 if answered else 1)


if __name__ == "__main__":
    main()
