"""Which sources were stale at the moment, by what their streams feed, and which of them each account stands on."""

from __future__ import annotations

from sqlalchemy import CTE, BigInteger, case, func, literal, or_, select

from rules.facts.moment import Expr, Moment, once
from store.records import HOUR
from store.tables import crm_accounts, freshness, sources, sync_runs

ACTIVITY_STREAMS = (
    "accounts",
    "contacts",
    "tasks",
    "events",
    "emails",
    "task_relations",
    "event_relations",
    "email_relations",
    "calls",
    "meetings",
)
STREAMS = {
    "fields": ("accounts",),
    "activity": ACTIVITY_STREAMS,
    "deals": ("opportunities",),
    "tickets": ("tickets",),
    "usage": ("samples", "features"),
    "surveys": ("surveys",),
    "everywhere": ("activities",),
}
"""What a stale stream makes stale: mapped fields, touches, opportunities, tickets, usage, answers to surveys; and the
touches of every account, as a feed of mails and meetings of systems outside the CRMs has no accounts of its own.

Whose accounts and contacts are old does not know whom a touch was with. Sweeps (`sweep:...`) make no fact stale: they
mend what increments cannot see, at a pace of their own.
"""


def stale_sources(m: Moment) -> CTE:
    """One row per source that has a stale stream, with a 0/1 column per entry of STREAMS.

    Stale: not complete within 3 x the source's interval, at least 1 h. Before its first sync a source counts as fresh;
    a stream that never was complete is as old as the first try to read its source.
    """
    f, s = freshness.c, sources.c
    patience = s.interval_us * literal(3, BigInteger)
    limit = case((patience > HOUR, patience), else_=literal(HOUR, BigInteger))
    tried = select(func.min(sync_runs.c.started_at)).where(sync_runs.c.source == f.source).scalar_subquery()
    age = m.now - func.coalesce(f.fresh_at, s.first_synced_at, tried)
    columns = [func.max(case((f.stream.in_(streams), 1), else_=0)).label(name) for name, streams in STREAMS.items()]
    query = select(f.source, *columns).join(sources, s.source == f.source).where(age > limit, f.status != "absent")
    return once(query.group_by(f.source), "stale_sources")


def links(m: Moment, accounts: Expr) -> CTE:
    """The CRM rows that are the accounts at the moment, or roll up to them; what still names a row that was merged away
    means the one it became. `accounts` is a condition on `crm_accounts.evaluated_id`.
    """
    c = crm_accounts.c
    there = or_(c.deleted_at.is_(None), c.deleted_at > m.as_of, c.merged_into.is_not(None))
    return once(
        select(c.evaluated_id.label("account_id"), c.source, c.id.label("crm_id")).where(accounts, there), "links"
    )


def account_staleness(linked: CTE, stale: CTE) -> CTE:
    """One row per account that stands on a stale source: which of its kinds of facts are."""
    own = stale.c.source == linked.c.source
    names = [name for name in STREAMS if name not in ("usage", "surveys", "everywhere")]
    columns = {name: case((own, stale.c[name]), else_=0) for name in names}
    columns["activity"] = case((stale.c.everywhere == 1, 1), else_=columns["activity"])
    found = [func.max(column).label(name) for name, column in columns.items()]
    query = select(linked.c.account_id, *found).select_from(linked).join(stale, or_(own, stale.c.everywhere == 1))
    return once(query.group_by(linked.c.account_id), "account_staleness")
