"""How much usage has no account, and what accounts are called: for `tierd usage unmatched`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, Table, and_, case, distinct, func, literal, select

from store.records import Instant
from store.tables import accounts, feature_uses, survey_answers, usage_names, usage_samples, usage_subjects

_FED = (usage_samples, feature_uses, survey_answers)


@dataclass(frozen=True, slots=True)
class LostRow:
    """One name in one feed that no account could be found for."""

    source: str
    name: str
    """The workspace key; for people without one the domain of their address, else what the feed calls them."""
    reason: str
    """no_match | ambiguous"""
    rows: int
    users: int
    last_at: Instant
    total: float
    """Of the metric."""


def lost(conn: Connection, metric: str) -> list[LostRow]:
    """Every name without an account; `metric`: which one is added up."""
    found: dict[tuple[str, str, str], LostRow] = {}
    for table in _FED:
        for row in conn.execute(_lost(table, metric)):
            key = (row.source, row.name, row.reason)
            old = found.get(key)
            found[key] = LostRow(
                *key,
                rows=row.rows + (old.rows if old else 0),
                users=max(row.users, old.users if old else 0),
                last_at=max(row.last_at, old.last_at if old else 0),
                total=float(row.total or 0) + (old.total if old else 0.0),
            )
    return sorted(found.values(), key=lambda r: (-r.total, -r.rows, r.source, r.name))


def _lost(table: Table, metric: str) -> Select[Any]:
    c, s = table.c, usage_subjects.c
    same = and_(s.source == c.source, s.key == c.key, s.user == c.user)
    name = case((c.key != "", c.key), else_=func.coalesce(s.mail_host, c.user)).label("name")
    counted = func.sum(case((c.metric == metric, c.value), else_=0.0)) if "metric" in c else literal(0.0)
    return (
        select(
            c.source,
            name,
            func.coalesce(s.reason, "no_match").label("reason"),
            func.count().label("rows"),
            func.count(distinct(func.nullif(c.user, ""))).label("users"),
            func.max(c.at).label("last_at"),
            counted.label("total"),
        )
        .join(usage_subjects, same)
        .where(c.account_id.is_(None))
        .group_by(c.source, name, s.reason)
    )


def matched_rows(conn: Connection) -> int:
    """Rows of usage that have an account."""
    counts = [select(func.count()).select_from(t).where(t.c.account_id.is_not(None)) for t in _FED]
    return sum(int(conn.execute(query).scalar() or 0) for query in counts)


def account_names(conn: Connection) -> list[tuple[int, str]]:
    """(id, name) of the accounts that are there, and of their domains and keys."""
    live = accounts.c.closed_at.is_(None)
    named = select(accounts.c.id, accounts.c.name).where(live)
    called = select(usage_names.c.account_id, usage_names.c.name).join(
        accounts, accounts.c.id == usage_names.c.account_id
    )
    rows = conn.execute(named.union_all(called.where(live, usage_names.c.kind != "crm_id")))
    return [(int(account), str(name)) for account, name in rows]


def bearers_of(conn: Connection, name: str) -> list[str]:
    """The names of the accounts that are called so."""
    query = (
        select(accounts.c.name)
        .join(usage_names, usage_names.c.account_id == accounts.c.id)
        .where(usage_names.c.name == name)
        .distinct()
        .order_by(accounts.c.name)
    )
    return list(conn.execute(query.limit(5)).scalars())
