"""What a push does: its rows, the feed's freshness and the push's key in one transaction, then derivation is woken."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import structlog
from sqlalchemy.exc import SQLAlchemyError

from store import usage_ingest
from store.engine import Store
from store.records import Clock, Record
from store.usage_ingest import Taken

_log = structlog.get_logger(__name__)
_RETRY_SECONDS = 30.0


class Pushes:
    """Takes pushes for the feeds. `derive()` works off what they leave; it runs on a worker of its own."""

    def __init__(self, store: Store, clock: Clock, derive: Callable[[], object]) -> None:
        self.wake = threading.Event()
        self._store, self._clock, self._derive = store, clock, derive

    def take(
        self, feed: str, stream: str, records: Sequence[Record], *, key: str | None, digest: str, patience: float
    ) -> Taken:
        """Keep one push; returns once it is committed. KeyReused; OperationalError where the store has no turn."""
        with self._store.write(patience) as connection:
            taken = usage_ingest.take(connection, feed, stream, records, self._clock.now(), key=key, digest=digest)
        _log.info("pushed", feed=feed, rows=taken.rows, changed=taken.changed, repeated=taken.repeated)
        if taken.changed and not taken.repeated:
            self.wake.set()
        return taken

    def loop(self, stop: threading.Event) -> None:
        """The body of the worker: derive after pushes, several at once where they come quickly, until `stop`."""
        self.wake.set()  # a kill may have left something between a push and its derivation
        while not stop.is_set():
            pause: float | None = None
            if self.wake.is_set():
                self.wake.clear()
                try:
                    self._derive()
                except SQLAlchemyError as error:
                    _log.error("the store does not answer, trying again", error=str(error), seconds=_RETRY_SECONDS)
                    self.wake.clear()
                    pause = _RETRY_SECONDS
            if not self.wake.is_set() and not stop.is_set():
                self._clock.wait(self.wake, pause)
                if pause is not None:
                    self.wake.set()
