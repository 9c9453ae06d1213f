"""What must hold of every run, whatever it does: observed at the imitation vendor and in what we write (R47)."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import StringIO
from typing import Any

import pytest
import structlog
import urllib3
from sqlalchemy import select

from daemon.logs import set_up
from sandbox.requestlog import RequestLog
from store import tables as t
from store.engine import Store
from store.records import Clock

_RECORDS = (t.sync_runs, t.stream_runs, t.freshness, t.cursors)


@dataclass
class Watch:
    """One watched run. `sensitive`: texts that must appear nowhere: tokens, secrets, e-mail addresses, subjects."""

    log: RequestLog
    sensitive: tuple[str, ...]
    written: StringIO = field(default_factory=StringIO)
    timeouts: list[Any] = field(default_factory=list)
    began: int = 0

    def calls(self) -> int:
        """Requests that the vendor has got since the watch began, token requests and repeated tries included."""
        return len(self.log.entries(self.began))

    def check(self, *stores: Store, budget: int | None = None) -> None:
        """Every request had a timeout; nothing sensitive is in a log or a run record; no more calls than `budget`."""
        bare = [timeout for timeout in self.timeouts if not _bounded(timeout)]
        assert [] == bare, "a request without a timeout"
        text = self.written.getvalue() + "".join(_records(store) for store in stores)
        assert [] == [secret for secret in self.sensitive if secret in text], "a secret or private text was written"
        assert budget is None or self.calls() <= budget, f"{self.calls()} calls, {budget} were allowed"


@contextmanager
def watching(log: RequestLog, clock: Clock, sensitive: Sequence[str], patch: pytest.MonkeyPatch) -> Iterator[Watch]:
    """Watch what happens inside the block: logs go to a buffer at the default level, timeouts are noted at the HTTP kit
    that both vendors' clients end in.
    """
    watch = Watch(log, tuple(sensitive), began=max((entry.seq for entry in log.entries()), default=0))
    plain = urllib3.connectionpool.HTTPConnectionPool.urlopen

    def noted(pool: Any, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        watch.timeouts.append(kwargs.get("timeout", pool.timeout))
        return plain(pool, method, url, *args, **kwargs)

    with patch.context() as patched, _logging_kept():
        patched.setattr(urllib3.connectionpool.HTTPConnectionPool, "urlopen", noted)
        set_up(clock, level="info", output=watch.written)
        yield watch


@contextmanager
def _logging_kept() -> Iterator[None]:
    """Whatever the block does to the logs, afterwards they go where they went before."""
    root, known = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.configure(**known)


def _bounded(timeout: Any) -> bool:
    if isinstance(timeout, urllib3.Timeout):
        return isinstance(timeout.connect_timeout, int | float) and isinstance(timeout.read_timeout, int | float)
    return isinstance(timeout, int | float)


def _records(store: Store) -> str:
    with store.read() as connection:
        return "".join(str(connection.execute(select(table)).all()) for table in _RECORDS)
