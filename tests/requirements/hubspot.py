"""What the requirement tests of HubSpot share: a portal, a store and the connector between them, as the daemon runs it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Table, func, select

from connectors.hubspot.connector import HubSpotConnector, writer
from connectors.hubspot.limits import Limiters
from connectors.hubspot.settings import HubSpotSettings
from connectors.hubspot.writer import HubSpotWriter
from connectors.means import Means
from daemon.sync import SyncRun, run_sweep, run_sync
from sandbox.clock import MINUTE
from sandbox.faults import parse_fault
from sandbox.requestlog import Entry
from store import tables as t
from store.engine import Store
from tests.clocks import StepClock
from tests.known import known_of
from tests.sandbox.hubspot_portal import NOW, TOKEN, Portal

SOURCE = "hs"


class Desk:
    """One portal that is synced into one store. Every sync starts a new connector, as `--once` does, unless `kept`."""

    def __init__(self, portal: Portal, store: Store, **settings: Any) -> None:
        self.portal, self.store = portal, store
        self.portal.clock.advance_to(NOW + 10 * MINUTE)
        self.clock = StepClock(portal.clock)
        self.given = settings
        self.limiters = Limiters()
        self.means = Means()
        self.kept: HubSpotConnector | None = None

    def settings(self, **also: Any) -> HubSpotSettings:
        """A mapping like the demo's."""
        values: dict[str, Any] = {
            "kind": "hubspot",
            "base_url": self.portal.served.url,
            "auth": {"access_token": TOKEN},
            "customer": {"lifecyclestage": "customer"},
            "fields": {"arr": {"field": "arr"}},
            "tier": {"field": "customer_tier", "values": {1: "tier_1", 2: "tier_2", 3: "tier_3"}},
            "history": False,
        }
        return HubSpotSettings.model_validate(values | self.given | also)

    def connector(self, **also: Any) -> HubSpotConnector:
        """A connector of this process; the caller closes it."""
        return HubSpotConnector(
            self.settings(**also), self.clock, known_of(self.store, SOURCE), self.means, self.limiters
        )

    def writer(self, **also: Any) -> HubSpotWriter:
        """The writing side in the same process."""
        return writer(self.settings(**also), self.clock, self.means, self.limiters)

    def keep(self) -> None:
        """From now on every sync uses one connector, as the daemon does."""
        self.kept = self.connector()

    def close(self) -> None:
        """End the connector that is kept."""
        if self.kept is not None:
            self.kept.close()
            self.kept = None

    # ------------------------------------------------------------ what is run

    def sync(self, **also: Any) -> SyncRun:
        """One incremental sync."""
        reading = self.kept or self.connector(**also)
        try:
            return run_sync(self.store, SOURCE, reading, self.clock)
        finally:
            if reading is not self.kept:
                reading.close()

    def sweep(self, name: str, **also: Any) -> SyncRun:
        """One sweep."""
        reading = self.kept or self.connector(**also)
        try:
            return run_sweep(self.store, SOURCE, reading, name, self.clock)
        finally:
            if reading is not self.kept:
                reading.close()

    def fault(self, **raw: Any) -> None:
        """Script a fault."""
        self.portal.shared.faults.add(parse_fault(raw))

    def mend(self) -> None:
        """End all faults."""
        self.portal.shared.faults.clear()

    # ------------------------------------------------------------ what was asked, and what is kept

    def asked(self, containing: str = "", since: int = 0) -> list[Entry]:
        """The requests so far whose path contains this."""
        return [e for e in self.portal.shared.log.entries(since) if containing in e.path]

    def mark(self) -> int:
        """The number of the last request."""
        entries = self.portal.shared.log.entries()
        return entries[-1].seq if entries else 0

    def ids(self, table: Table = t.crm_accounts, *, live: bool = True) -> list[str]:
        """Ids that the store has."""
        query = select(table.c.id).where(table.c.deleted_at.is_(None)) if live else select(table.c.id)
        with self.store.read() as conn:
            return sorted(conn.execute(query).scalars())

    def count(self, table: Table = t.crm_accounts) -> int:
        """How many live rows the store has."""
        with self.store.read() as conn:
            return int(
                conn.execute(select(func.count()).select_from(table).where(table.c.deleted_at.is_(None))).scalar() or 0
            )

    def all(self, *columns: Any) -> list[tuple[Any, ...]]:
        """Rows of the store."""
        with self.store.read() as conn:
            return sorted((tuple(row) for row in conn.execute(select(*columns))), key=str)

    def cursor(self, stream: str) -> dict[str, Any]:
        """Where a stream stands."""
        with self.store.read() as conn:
            text = conn.execute(select(t.cursors.c.cursor).where(t.cursors.c.stream == stream)).scalar()
        return dict(json.loads(text)) if text else {}

    def dirty(self) -> list[tuple[Any, ...]]:
        """What derivation has still to look at."""
        return self.all(t.dirty)

    def settle(self) -> None:
        """Derivation has looked at everything."""
        with self.store.write() as conn:
            conn.execute(t.dirty.delete())


def bodies(entries: Iterable[Entry]) -> list[dict[str, Any]]:
    """The requests' JSON bodies."""
    return [json.loads(e.body) for e in entries]
