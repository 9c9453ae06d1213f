"""What a hint does: the source's next sync comes sooner, at most so often, and not while the source stands back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from enum import StrEnum

import structlog
from sqlalchemy import Connection

from connectors.hints import Hints
from store import runs, schedule, usage_ingest
from store.engine import Store
from store.records import SECOND, Clock

_log = structlog.get_logger(__name__)


class Effect(StrEnum):
    """What became of a hint."""

    SOONER = "sooner"
    ENOUGH = "enough"
    """The sync is due soon enough already."""
    DEFERRED = "deferred"
    """The source is out of quota: it is read when it may be."""
    REPLAY = "replay"


class HintDesk:
    """Takes hints for the sources that accept them. `wake(source)` makes the source's worker look at its schedule."""

    def __init__(self, store: Store, clock: Clock, hints: Mapping[str, Hints], wake: Callable[[str], None]) -> None:
        self._store, self._clock, self._hints, self._wake = store, clock, hints, wake
        self._lock = threading.Lock()
        self.counts: dict[tuple[str, str], int] = {}

    def take(self, source: str, *, nonce: str | None = None, patience: float | None = None) -> Effect:
        """One hint, in one transaction. `nonce`: what tells a replay. OperationalError where the store has no turn."""
        with self._store.write(patience) as connection:
            effect = self._effect(connection, source, nonce)
        with self._lock:
            self.counts[source, effect] = self.counts.get((source, effect), 0) + 1
        if effect is Effect.SOONER:
            _log.info("hinted", source=source)
            self._wake(source)
        return effect

    def _effect(self, connection: Connection, source: str, nonce: str | None) -> Effect:
        now, pace = self._clock.now(), self._hints[source]
        if nonce is not None and not usage_ingest.take_nonce(connection, nonce, now):
            return Effect.REPLAY
        if any(row.source == source and row.status == "deferred" for row in runs.streams(connection)):
            return Effect.DEFERRED
        settle, gap = round(pace.settle_seconds * SECOND), round(pace.gap_seconds * SECOND)
        moved = schedule.hint(connection, f"sync:{source}", now, settle=settle, gap=gap)
        return Effect.SOONER if moved else Effect.ENOUGH
