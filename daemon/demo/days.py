"""What one scenario day brought, for its line: from the store, and from the vendors' request log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select

from store.engine import Store
from store.records import DAY, HOUR, SECOND, Instant
from store.tables import accounts, alerts, conversations, deliveries, tier_ledger, tier_runs


@dataclass(frozen=True, slots=True)
class Day:
    """The numbers of one day's line."""

    number: int
    date: str
    told: int
    """New messages about one account."""
    replies: int
    digests: int
    """First-run lists too."""
    cleared: int
    tiers: int
    """Tier fields written."""
    calls: int
    """API calls of all vendors."""
    names: tuple[str, ...]
    """The accounts that got a message of their own."""


def day(store: Store, number: int, as_of: Instant, requests: Mapping[str, Any]) -> Day:
    """`as_of` is the day's evaluation, `requests` the log since the day before."""
    begin, end = as_of - HOUR, as_of - HOUR + DAY
    sent = deliveries.c.sent_at.between(begin, end - 1)
    with store.read() as conn:
        kinds = conn.execute(
            select(deliveries.c.kind, func.count().label("many"))
            .where(sent, deliveries.c.op != "update")
            .group_by(deliveries.c.kind)
        ).all()
        counts: dict[str, int] = {row.kind: row.many for row in kinds}
        names = conn.execute(
            select(accounts.c.name)
            .join(conversations, conversations.c.account_id == accounts.c.id)
            .join(deliveries, deliveries.c.conversation_id == conversations.c.id)
            .where(sent, deliveries.c.kind == "alert", deliveries.c.op == "post")
            .order_by(deliveries.c.seq)
        ).scalars()
        cleared = select(func.count()).where(alerts.c.closed_at == as_of, alerts.c.close_reason == "resolved")
        written = (
            select(func.count())
            .select_from(tier_ledger.join(tier_runs, tier_runs.c.id == tier_ledger.c.run_id))
            .where(tier_runs.c.as_of == as_of, tier_ledger.c.written_at.is_not(None))
        )
        return Day(
            number=number,
            date=datetime.fromtimestamp(as_of // SECOND, UTC).strftime("%a %-d %b"),
            told=counts.get("alert", 0),
            replies=counts.get("reply", 0),
            digests=counts.get("digest", 0) + counts.get("baseline", 0),
            cleared=int(conn.execute(cleared).scalar_one()),
            tiers=int(conn.execute(written).scalar_one()),
            calls=sum(one["cost"] for one in requests["vendors"].values()),
            names=tuple(dict.fromkeys(names)),
        )
