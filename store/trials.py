"""What rules say of a portfolio that is only looked at: matches with their accounts, and what two rules say differently."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, Subquery, Text, case, false, func, null, or_, select

from store.tables import accounts, facts

_RANK = {"critical": 0, "high": 1, "medium": 2, "low": 3}


@dataclass(frozen=True, slots=True)
class Totals:
    """How many customers there are, on how many the rule fires, their ARR (minor units), and the unknown ones by reason."""

    customers: int
    fires: int
    arr: int
    unknown: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Differing:
    """One account of which two rules say something else; an outcome is fires, unknown or None for silent."""

    key: str
    name: str
    csm: str | None
    arr: int | None
    outcome_before: str | None
    severity_before: str | None
    outcome_after: str | None
    severity_after: str | None
    reason: str | None
    """Why it is unknown afterwards."""


def totals(connection: Connection, found: Select[Any]) -> Totals:
    """The sums of a rule's Select (account_id, outcome, severity, reason, ...)."""
    rows = found.subquery("found")
    query = (
        select(rows.c.outcome, rows.c.reason, func.count().label("n"), func.sum(facts.c.arr).label("arr"))
        .join(facts, facts.c.account_id == rows.c.account_id)
        .group_by(rows.c.outcome, rows.c.reason)
        .order_by(func.count().desc(), rows.c.reason)
    )
    counts = connection.execute(query).all()
    customers = int(connection.scalar(select(func.count()).select_from(facts)) or 0)
    fires = [row for row in counts if row.outcome == "fires"]
    unknown = {row.reason or "unknown": int(row.n) for row in counts if row.outcome == "unknown"}
    return Totals(customers, sum(int(row.n) for row in fires), sum(int(row.arr or 0) for row in fires), unknown)


def matches(connection: Connection, found: Select[Any], limit: int | None) -> list[Mapping[str, Any]]:
    """The rows on which the rule fires, with `account_key` and `account_name` beside all facts; the most severe and largest first."""
    rows = found.subquery("found")
    said = [c for c in rows.columns if c.name in ("severity", "outcome", "reason") or c.name not in facts.c]
    query = (
        select(*said, *facts.c, accounts.c.key.label("account_key"), accounts.c.name.label("account_name"))
        .join(facts, facts.c.account_id == rows.c.account_id)
        .join(accounts, accounts.c.id == rows.c.account_id)
        .where(rows.c.outcome == "fires")
        .order_by(case(_RANK, value=rows.c.severity), func.coalesce(facts.c.arr, 0).desc(), accounts.c.key)
    )
    return [dict(row) for row in connection.execute(query.limit(limit)).mappings()]


def differences(connection: Connection, before: Select[Any] | None, after: Select[Any] | None) -> list[Differing]:
    """The accounts of which the two Selects of one rule say something else (None: there is no such rule), by name."""
    was, now = _said(before, "before"), _said(after, "after")
    query = (
        select(
            accounts.c.key,
            accounts.c.name,
            facts.c.csm,
            facts.c.arr,
            was.c.outcome.label("outcome_before"),
            was.c.severity.label("severity_before"),
            now.c.outcome.label("outcome_after"),
            now.c.severity.label("severity_after"),
            now.c.reason,
        )
        .select_from(facts)
        .join(accounts, accounts.c.id == facts.c.account_id)
        .join(was, was.c.account_id == facts.c.account_id, isouter=True)
        .join(now, now.c.account_id == facts.c.account_id, isouter=True)
        .where(
            or_(
                was.c.outcome.is_distinct_from(now.c.outcome),
                (was.c.outcome == "fires") & was.c.severity.is_distinct_from(now.c.severity),
            )
        )
        .order_by(accounts.c.name, accounts.c.key)
    )
    return [Differing(**row) for row in connection.execute(query).mappings()]


def _said(found: Select[Any] | None, name: str) -> Subquery:
    if found is None:
        nothing = [null().cast(Text).label(column) for column in ("outcome", "severity", "reason")]
        return select(facts.c.account_id, *nothing).where(false()).subquery(name)
    rows = found.subquery(f"{name}_rows").c
    return select(rows.account_id, rows.outcome, rows.severity, rows.reason).subquery(name)
