"""What was pressed in Slack: kept before it is acknowledged, applied once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, insert, select

from store.records import Instant
from store.tables import interactions


def keep(connection: Connection, key: str, payload: Mapping[str, Any], now: Instant) -> bool:
    """Keep one press; False = it was kept before (a redelivery)."""
    known = connection.scalar(select(interactions.c.key).where(interactions.c.key == key))
    if known is not None:
        return False
    text = json.dumps(payload, sort_keys=True)
    connection.execute(insert(interactions).values(key=key, received_at=now, payload=text))
    return True


def unapplied(connection: Connection) -> list[tuple[str, Instant, dict[str, Any]]]:
    """(key, received at, payload) of what is still to be applied, oldest first."""
    columns = (interactions.c.key, interactions.c.received_at, interactions.c.payload)
    query = select(*columns).where(interactions.c.applied_at.is_(None))
    rows = connection.execute(query.order_by(interactions.c.received_at, interactions.c.key))
    return [(row.key, row.received_at, json.loads(row.payload)) for row in rows]


def applied(connection: Connection, key: str, now: Instant, outcome: str) -> bool:
    """Mark one press as applied; False = somebody else has applied it."""
    mine = interactions.update().where(interactions.c.key == key, interactions.c.applied_at.is_(None))
    return connection.execute(mine.values(applied_at=now, outcome=outcome)).rowcount == 1
