"""What the listener has answered, for the metrics page: since the start of the process."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from daemon.ingest.hintdesk import HintDesk


class Counts(Collector):
    """Counters of calls, rows and hints. Threads share it."""

    def __init__(self, desk: HintDesk) -> None:
        self._lock = threading.Lock()
        self._desk = desk
        self._answers: dict[tuple[str, int], int] = {}
        self._rows: dict[str, int] = {}

    def answered(self, route: str, status: int) -> None:
        """One call was answered."""
        with self._lock:
            self._answers[route, status] = self._answers.get((route, status), 0) + 1

    def pushed(self, feed: str, rows: int) -> None:
        """So many rows were taken."""
        with self._lock:
            self._rows[feed] = self._rows.get(feed, 0) + rows

    def collect(self) -> Iterator[Metric]:
        """Every number, as Prometheus wants it."""
        with self._lock:
            answers, rows = dict(self._answers), dict(self._rows)
        calls = CounterMetricFamily("tierd_ingest_calls", "Calls of the ingest listener.", labels=("route", "status"))
        for (route, status), count in sorted(answers.items()):
            calls.add_metric((route, str(status)), count)
        taken = CounterMetricFamily("tierd_ingest_rows", "Rows that were pushed and kept.", labels=("feed",))
        for feed, count in sorted(rows.items()):
            taken.add_metric((feed,), count)
        hints = CounterMetricFamily(
            "tierd_hints", "Hints of CRMs, and what became of them.", labels=("source", "effect")
        )
        for (source, effect), count in sorted(self._desk.counts.items()):
            hints.add_metric((source, effect), count)
        yield from (calls, taken, hints)

    def describe(self) -> list[Metric]:
        """Nothing beforehand."""
        return []
