"""A Salesforce source for tests: the imitation org, a store, and a process that starts anew for every sync."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from sqlalchemy import Table, func, select

from connectors.salesforce.connector import SalesforceConnector
from daemon.sync import SyncRun, run_sweep, run_sync
from store.engine import Store
from store.records import Batch, SyncEvent
from store.sync import load_cursors, save_batch, save_trouble
from store.tables import freshness
from tests.clocks import StepClock
from tests.connectors.test_salesforce import settings
from tests.known import known_of
from tests.sandbox.salesforce_org import Org

NAME = "sf"


class SkewedClock:
    """The product's clock, so many microseconds off the server's."""

    def __init__(self, right: StepClock, off: int) -> None:
        self._right, self._off = right, off

    def now(self) -> int:
        """UTC microseconds, wrong."""
        return self._right.now() + self._off

    def monotonic(self) -> float:
        """Seconds."""
        return self._right.monotonic()

    def sleep(self, seconds: float) -> None:
        """Move the scenario."""
        self._right.sleep(seconds)

    def wait(self, event: threading.Event, timeout: float | None) -> bool:
        """Time passes."""
        return self._right.wait(event, timeout)


@dataclass
class Source:
    """One source of one store. `also`: settings besides those of the demo; `off`: how wrong the local clock is (µs)."""

    org: Org
    store: Store
    also: dict[str, Any] = field(default_factory=dict)
    off: int = 0

    def connector(self) -> SalesforceConnector:
        """A process that knows nothing but what the store has."""
        clock = SkewedClock(StepClock(self.org.clock), self.off)
        return SalesforceConnector(settings(self.org, **self.also), clock, known=known_of(self.store, NAME))

    def sync(self) -> SyncRun:
        """One sync by a new process."""
        connector = self.connector()
        try:
            return run_sync(self.store, NAME, connector, StepClock(self.org.clock))
        finally:
            connector.close()

    def sweep(self, name: str) -> SyncRun:
        """One sweep by a new process."""
        connector = self.connector()
        try:
            return run_sweep(self.store, NAME, connector, name, StepClock(self.org.clock))
        finally:
            connector.close()

    def killed(self, batches: int, *, inside: bool = False, stream: str | None = None) -> None:
        """A sync that dies after so many batches (of one stream); `inside`: before the last one is committed."""
        connector = self.connector()
        with self.store.read() as conn:
            cursors = load_cursors(conn, NAME)
        left = batches
        for event in connector.sync(cursors):
            left -= isinstance(event, Batch) and stream in (None, event.stream)
            try:
                with self.store.write() as conn:
                    keep(conn, event, self.org.clock.now())
                    if inside and left == 0:
                        raise _KilledError
            except _KilledError:
                break
            if left == 0:
                break
        connector.close()

    def rows(self, table: Table) -> dict[str, Any]:
        """The rows of a table by id."""
        with self.store.read() as conn:
            return {row.id: row for row in conn.execute(select(table).where(table.c.source == NAME))}

    def count(self, table: Table) -> int:
        """How many rows a table has."""
        with self.store.read() as conn:
            return int(conn.execute(select(func.count()).select_from(table)).scalar_one())

    def cursor(self, stream: str) -> dict[str, Any]:
        """Where a stream stands."""
        with self.store.read() as conn:
            found: dict[str, Any] = json.loads(load_cursors(conn, NAME)[stream])
        return found

    def freshness(self, stream: str) -> Any:
        """What is known of a stream's freshness."""
        with self.store.read() as conn:
            return conn.execute(select(freshness).where(freshness.c.stream == stream)).one()

    def fields(self, table: Table, ref: str) -> dict[str, Any]:
        """The raw mapped fields of a row."""
        found: dict[str, Any] = json.loads(self.rows(table)[ref].fields)
        return found


class _KilledError(Exception):
    """The process is gone."""


def keep(conn: Any, event: SyncEvent, now: int) -> None:
    """Keep one event as a run does."""
    if isinstance(event, Batch):
        save_batch(conn, NAME, event, now)
    else:
        save_trouble(conn, NAME, event)


def mark(org: Org) -> int:
    """The number of the last request so far."""
    return max((entry.seq for entry in org.log.entries()), default=0)


def calls(org: Org, since: int = 0) -> int:
    """API calls after a mark; tokens are none."""
    return sum("oauth2" not in entry.path for entry in org.log.entries(since))


def asked(org: Org, since: int = 0) -> list[str]:
    """What was asked for after a mark, part by part: the SOQL of a query, else the address below the version."""
    found: list[str] = []
    for entry in org.log.entries(since):
        if not entry.path.endswith("/composite"):
            continue
        for part in json.loads(entry.body)["compositeRequest"]:
            split = urlsplit(part["url"])
            query: Mapping[str, list[str]] = parse_qs(split.query)
            found.append(query["q"][0] if "q" in query else unquote(part["url"].split("/", 4)[-1]))
    return found


def soql(org: Org, object_name: str, since: int = 0) -> list[str]:
    """The queries of one object after a mark."""
    return [text for text in asked(org, since) if f" FROM {object_name} " in f"{text} "]
