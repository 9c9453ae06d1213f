"""Run one source: each batch's rows and cursor in one transaction, before the next batch is asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol, runtime_checkable

from daemon.masking import Mask, without_private
from store import runs
from store.engine import Store
from store.records import Batch, Clock, Instant, StreamTrouble, SyncEvent, Toll
from store.runs import StreamRun
from store.saved import NOTHING, Saved
from store.sync import load_cursors, save_batch, save_trouble


class Connector(Protocol):
    """What a source must be able to do."""

    @property
    def calls(self) -> int:
        """API calls made so far."""
        ...

    def streams(self) -> tuple[str, ...]:
        """Names of all streams."""
        ...

    def sync(self, cursors: Mapping[str, str]) -> Iterator[SyncEvent]:
        """Everything that changed since the cursors."""
        ...

    def sweeps(self) -> Mapping[str, Instant]:
        """What is read apart from the increments, and how often."""
        ...

    def sweep(self, name: str, cursors: Mapping[str, str]) -> Iterator[SyncEvent]:
        """One sweep."""
        ...

    def close(self) -> None:
        """Give every connection back."""
        ...


@runtime_checkable
class Metered(Protocol):
    """A connector that knows more of its calls than their number."""

    def toll(self) -> Toll:
        """What its calls have cost so far."""
        ...


def toll(connector: Connector) -> Toll:
    """What a connector's calls have cost so far."""
    return connector.toll() if isinstance(connector, Metered) else Toll(connector.calls)


@dataclass(frozen=True, slots=True)
class SyncRun:
    """How a run ended. `status`: ok | partial | deferred | failed; a stop for quota is not ok."""

    source: str
    kind: str
    status: str
    saved: Saved
    calls: int
    troubles: Mapping[str, str]
    """Stream -> what is wrong with it and how to mend it."""
    faults: Mapping[str, int] = field(default_factory=dict)
    """What went wrong on the way and how often, what another try made good included."""

    def complaints(self) -> list[str]:
        """Each trouble once, behind the streams that it concerns."""
        concerned: dict[str, list[str]] = {}
        for stream, message in sorted(self.troubles.items()):
            concerned.setdefault(message, []).append(stream)
        return [f"{', '.join(streams)}: {message}" for message, streams in concerned.items()]


OnRows = Callable[[int], None]
"""Told after each batch how many rows have been read so far."""


def trouble_of(run: SyncRun) -> str | None:
    """What went wrong in a run, in one sentence; None = nothing."""
    if run.status == "ok":
        return None
    return "; ".join(run.complaints()) or run.status


def run_sync(
    store: Store,
    source: str,
    connector: Connector,
    clock: Clock,
    on_rows: OnRows = lambda _rows: None,
    *,
    mask: Mask = without_private,
) -> SyncRun:
    """One incremental sync. `mask`: what is told of troubles is kept and said as it gives it."""
    return _run(store, source, "increment", connector, clock=clock, read=connector.sync, on_rows=on_rows, mask=mask)


def run_sweep(
    store: Store,
    source: str,
    connector: Connector,
    name: str,
    clock: Clock,
    *,
    interval: Instant | None = None,
    mask: Mask = without_private,
) -> SyncRun:
    """One sweep: what increments cannot see; its calls are counted apart. `interval`: microseconds between two, where
    that is not what the connector says.
    """
    return _run(
        store, source, f"sweep:{name}", connector, clock=clock, read=lambda cursors: connector.sweep(name, cursors),
        interval=interval or connector.sweeps().get(name), mask=mask,
    )  # fmt: skip


class _Read(Protocol):
    def __call__(self, cursors: Mapping[str, str]) -> Iterable[SyncEvent]: ...


def _run(
    store: Store,
    source: str,
    kind: str,
    connector: Connector,
    *,
    clock: Clock,
    read: _Read,
    on_rows: OnRows = lambda _rows: None,
    interval: Instant | None = None,
    mask: Mask,
) -> SyncRun:
    with store.write() as conn:
        run = runs.start(conn, source, kind, clock.now())
        cursors = load_cursors(conn, source)
    told = _Told(connector)
    for event in read(cursors):
        with store.write() as conn:
            if isinstance(event, Batch):
                told.batch(event, save_batch(conn, source, event, clock.now(), interval=interval))
                on_rows(told.saved.seen)
            else:
                trouble = replace(event, message=mask(event.message))
                save_trouble(conn, source, trouble, interval=interval)
                told.trouble(trouble)
    status = told.status()
    spent = told.spent()
    with store.write() as conn:
        runs.finish(
            conn, run, clock.now(), status,
            saved=told.saved, toll=spent, troubles=told.troubles, streams=told.streams,
        )  # fmt: skip
    return SyncRun(source, kind, status, told.saved, spent.calls, told.troubles, spent.faults)


@dataclass(slots=True)
class _Told:
    """What a run's events have told so far. Calls count at the stream whose event came after them: of a call that
    serves several streams, at the first one.
    """

    connector: Connector
    saved: Saved = NOTHING
    good: int = 0
    troubles: dict[str, str] = field(default_factory=dict)
    streams: dict[str, StreamRun] = field(default_factory=dict)
    before: Toll = field(init=False)
    last: Toll = field(init=False)

    def __post_init__(self) -> None:
        self.before = self.last = toll(self.connector)

    def batch(self, event: Batch, saved: Saved) -> None:
        """Rows were kept."""
        self.saved += saved
        self.good += event.fresh_at is not None
        known = self._paid(event.stream)
        # A trouble that came before (a field that is not visible) is not undone by the rows that were read all the same.
        status = "absent" if event.absent else known.status
        self.streams[event.stream] = replace(known, status=status, saved=known.saved + saved)

    def trouble(self, event: StreamTrouble) -> None:
        """A stream was not fully read."""
        self.troubles[event.stream] = event.message
        self.good += event.kind == "partial"
        status = {"failed": "failed", "deferred": "deferred"}.get(event.kind, "partial")
        self.streams[event.stream] = replace(self._paid(event.stream), status=status, deferred_until=event.retry_at)

    def _paid(self, stream: str) -> StreamRun:
        now, before = toll(self.connector), self.last
        self.last = now
        known = self.streams.get(stream, StreamRun())
        return replace(
            known,
            calls=known.calls + now.calls - before.calls,
            throttled=known.throttled + now.throttled - before.throttled,
        )

    def spent(self) -> Toll:
        """What the run has cost."""
        now = toll(self.connector)
        faults = Counter(now.faults) - Counter(self.before.faults)
        return Toll(now.calls - self.before.calls, now.throttled - self.before.throttled, now.quota, faults)

    def status(self) -> str:
        """How the run ended."""
        if not self.troubles:
            return "ok"
        if any(one.status == "deferred" for one in self.streams.values()):
            return "deferred"
        return "partial" if self.good else "failed"
