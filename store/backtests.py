"""What a backtest reads of each instant: the customers, what a rule says of them, and how far back the store's history goes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select

from store.records import Instant
from store.refs import chunks
from store.statements import TimedRows
from store.tables import account_fields, accounts, facts, sources, touches


@dataclass(frozen=True, slots=True)
class FieldHistory:
    """A mapped field: of how many accounts nobody knows what it was before a sync first saw it, and when that was."""

    field: str
    accounts: int
    unknown: int
    first_synced_at: Instant | None


def customers(connection: Connection) -> list[Row[Any]]:
    """account_id, arr and csm of every customer."""
    return list(connection.execute(select(facts.c.account_id, facts.c.arr, facts.c.csm)))


def said(connection: Connection, found: TimedRows, *, evidence: bool) -> list[Mapping[str, Any]]:
    """The rows of a rule's Select; without `evidence` only account_id, outcome, severity and reason."""
    if evidence:
        return [dict(row) for row in found.read(connection).mappings()]
    return [dict(row) for row in found.run(connection, "said by", lambda rows, _: _without_evidence(rows)).mappings()]


def _without_evidence(found: Select[Any]) -> Select[Any]:
    rows = found.subquery("found").c
    return select(rows.account_id, rows.outcome, rows.severity, rows.reason)


def outcomes(connection: Connection, found: Select[Any]) -> dict[int, Instant]:
    """account_id -> at."""
    return {row.account_id: int(row.at) for row in connection.execute(found)}


def rows_of(connection: Connection, rows: Select[Any], ids: Collection[int]) -> dict[int, Mapping[str, Any]]:
    """What `rows` (account_id, ...) has of these accounts."""
    found: dict[int, Mapping[str, Any]] = {}
    for some in chunks(sorted(ids)):
        mine = rows.where(rows.selected_columns.account_id.in_(some))
        found |= {row["account_id"]: dict(row) for row in connection.execute(mine).mappings()}
    return found


def names(connection: Connection, ids: Collection[int]) -> dict[int, tuple[str, str]]:
    """account_id -> (key, name)."""
    found: dict[int, tuple[str, str]] = {}
    for some in chunks(sorted(ids)):
        query = select(accounts.c.id, accounts.c.key, accounts.c.name).where(accounts.c.id.in_(some))
        found |= {row.id: (row.key, row.name) for row in connection.execute(query)}
    return found


def field_histories(connection: Connection, fields: Collection[str]) -> list[FieldHistory]:
    """How the past of these mapped fields is known, for those of which some account has a value without history."""
    f = account_fields.c
    per_field = select(f.field, func.count(f.account_id.distinct()).label("n")).where(f.field.in_(sorted(fields)))
    everyone = {row.field: int(row.n) for row in connection.execute(per_field.group_by(f.field))}
    unknown = (
        select(
            f.field,
            func.count(f.account_id.distinct()).label("n"),
            func.max(sources.c.first_synced_at).label("first_synced_at"),
        )
        .join(sources, sources.c.source == f.source, isouter=True)
        .where(f.field.in_(sorted(fields)), f.history == "none")
        .group_by(f.field)
        .order_by(f.field)
    )
    return [
        FieldHistory(row.field, everyone[row.field], int(row.n), row.first_synced_at)
        for row in connection.execute(unknown)
    ]


def oldest_contact(connection: Connection) -> Instant | None:
    """When the oldest activity on record happened."""
    found: Instant | None = connection.scalar(select(func.min(touches.c.occurred_at)))
    return found


def first_synced_at(connection: Connection) -> Instant | None:
    """When the first source was synced for the first time."""
    found: Instant | None = connection.scalar(select(func.min(sources.c.first_synced_at)))
    return found
