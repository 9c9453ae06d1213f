"""Run one source: each batch's rows and cursor in one transaction, before the next batch is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from store import runs
from store.engine import Store
from store.records import Batch, Clock, Instant, SyncEvent
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

    def complaints(self) -> list[str]:
        """Each trouble once, behind the streams that it concerns."""
        concerned: dict[str, list[str]] = {}
        for stream, message in sorted(self.troubles.items()):
            concerned.setdefault(message, []).append(stream)
        return [f"{', '.join(streams)}: {message}" for message, streams in concerned.items()]


OnRows = Callable[[int], None]
"""Told after each batch how many rows have been read so far."""


def run_sync(
    store: Store, source: str, connector: Connector, clock: Clock, on_rows: OnRows = lambda _rows: None
) -> SyncRun:
    """One incremental sync."""
    return _run(store, source, "increment", connector, clock=clock, read=connector.sync, on_rows=on_rows)


def run_sweep(store: Store, source: str, connector: Connector, name: str, clock: Clock) -> SyncRun:
    """One sweep: what increments cannot see; its calls are counted apart."""
    return _run(
        store, source, f"sweep:{name}", connector, clock=clock, read=lambda cursors: connector.sweep(name, cursors),
        interval=connector.sweeps().get(name),
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
) -> SyncRun:
    before = connector.calls
    with store.write() as conn:
        run = runs.start(conn, source, kind, clock.now())
        cursors = load_cursors(conn, source)
    saved, good = NOTHING, 0
    troubles: dict[str, str] = {}
    deferred = False
    for event in read(cursors):
        with store.write() as conn:
            if isinstance(event, Batch):
                saved += save_batch(conn, source, event, clock.now(), interval=interval)
                on_rows(saved.seen)
                good += event.fresh_at is not None
            else:
                save_trouble(conn, source, event, interval=interval)
                troubles[event.stream] = event.message
                good += event.kind == "partial"
                deferred = deferred or event.kind == "deferred"
    status = _status(good, troubles, deferred=deferred)
    calls = connector.calls - before
    with store.write() as conn:
        runs.finish(conn, run, clock.now(), status, saved=saved, calls=calls, troubles=troubles)
    return SyncRun(source, kind, status, saved, calls, troubles)


def _status(good: int, troubles: Mapping[str, str], *, deferred: bool) -> str:
    if not troubles:
        return "ok"
    if deferred:
        return "deferred"
    return "partial" if good else "failed"
