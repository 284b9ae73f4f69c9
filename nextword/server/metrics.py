"""Counts of requests in Prometheus's text format, without a text or an address in them."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
"""Upper bounds of the latency histogram in seconds."""

Labels = Mapping[str, object]


class Metrics:
    """Counts since the server started; used by the event loop only."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, int]] = Counter()
        self._seconds: dict[str, float] = {}
        self._buckets: dict[str, list[int]] = {}
        self.in_flight = 0
        """Requests that are being answered."""
        self.words: Counter[str] = Counter()
        """Words by what was done with them: ``suggested``, ``scored``, ``generated``."""

    def count(self, route: str, status: int, seconds: float) -> None:
        """Note an answered request."""
        self._requests[route, status] += 1
        self._seconds[route] = self._seconds.get(route, 0.0) + seconds
        buckets = self._buckets.setdefault(route, [0] * (len(BUCKETS) + 1))
        buckets[bisect_left(BUCKETS, seconds)] += 1

    def lines(self, others: Mapping[str, tuple[str, str, float]]) -> Iterable[str]:
        """The lines of the text format.

        Args:
            others: further figures by name: type, meaning, value.
        """
        yield from _head("requests_total", "counter", "Requests answered.")
        for (route, status), number in sorted(self._requests.items()):
            yield _line("requests_total", {"route": route, "status": status}, number)
        yield from _head("request_seconds", "histogram", "Time to the end of an answer.")
        for route, counts in sorted(self._buckets.items()):
            yield from self._histogram(route, counts)
        yield from _head("words_total", "counter", "Words by what was done with them.")
        for what, number in sorted(self.words.items()):
            yield _line("words_total", {"what": what}, number)
        figures = {"requests_in_flight": ("gauge", "Requests being answered.", self.in_flight)}
        for name, (kind, meaning, value) in {**figures, **others}.items():
            yield from _head(name, kind, meaning)
            yield _line(name, {}, value)

    def _histogram(self, route: str, counts: Iterable[int]) -> Iterable[str]:
        total = 0
        for bound, number in zip([*BUCKETS, "+Inf"], counts, strict=True):
            total += number
            yield _line("request_seconds_bucket", {"route": route, "le": bound}, total)
        yield _line("request_seconds_sum", {"route": route}, self._seconds[route])
        yield _line("request_seconds_count", {"route": route}, total)


def _head(name: str, kind: str, meaning: str) -> Iterable[str]:
    yield f"# HELP nextword_{name} {meaning}"
    yield f"# TYPE nextword_{name} {kind}"


def _line(name: str, labels: Labels, value: float) -> str:
    shown = ",".join(f'{key}="{content}"' for key, content in labels.items())
    return f"nextword_{name}{{{shown}}} {value}" if shown else f"nextword_{name} {value}"
