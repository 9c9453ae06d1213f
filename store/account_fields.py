"""The mapped fields of each account, as validity intervals, and the raw rows they are read from."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, select

from store.records import Instant
from store.refs import Ref, by_source, chunks, upsert
from store.tables import (
    account_fields,
    crm_accounts,
    crm_objects,
    crm_opportunities,
)


@dataclass(frozen=True, slots=True)
class FieldInterval:
    """One field of one account over a time; `history` none | crm | seen: how it is known when it began."""

    field: str
    valid_from: Instant
    valid_to: Instant | None
    num: int | None
    text: str | None
    source: str
    history: str
    author: str | None


def crm_rows(conn: Connection, account_ids: Collection[int]) -> list[Row[Any]]:
    """The CRM rows of these accounts."""
    c = crm_accounts.c
    found: list[Row[Any]] = []
    for some in chunks(sorted(account_ids)):
        query = select(crm_accounts).where(c.account_id.in_(some))
        found += conn.execute(query.order_by(c.account_id, c.source, c.id)).all()
    return found


def opportunities(conn: Connection, refs: Iterable[Ref]) -> list[Row[Any]]:
    """Opportunities on these CRM accounts; deleted ones too, so that their leaving has a date."""
    c = crm_opportunities.c
    found: list[Row[Any]] = []
    for some in chunks(sorted(set(refs))):
        found += conn.execute(
            select(crm_opportunities).where(by_source(c.source, c.crm_account_id, some)).order_by(c.source, c.id)
        ).all()
    return found


def objects(conn: Connection, refs: Iterable[Ref]) -> list[Row[Any]]:
    """Rows of other mapped objects on these CRM accounts."""
    c = crm_objects.c
    found: list[Row[Any]] = []
    for some in chunks(sorted(set(refs))):
        found += conn.execute(
            select(crm_objects).where(by_source(c.source, c.crm_account_id, some)).order_by(c.source, c.object, c.id)
        ).all()
    return found


def save(conn: Connection, wanted: Mapping[int, Sequence[FieldInterval]]) -> set[int]:
    """Bring the fields of these accounts to `wanted`; equal rows are not written. Gives the accounts that changed."""
    f = account_fields.c
    have: dict[int, dict[tuple[str, Instant], Row[Any]]] = {account: {} for account in wanted}
    for some in chunks(sorted(wanted)):
        for row in conn.execute(select(account_fields).where(f.account_id.in_(some))):
            have[row.account_id][row.field, row.valid_from] = row
    fresh: list[dict[str, Any]] = []
    changed: set[int] = set()
    for account, intervals in wanted.items():
        had = have[account]
        for interval in intervals:
            wanted_row = {"account_id": account, "recorded_at": interval.valid_from, **asdict(interval)}
            old = had.pop((interval.field, interval.valid_from), None)
            if old is None or old._asdict() != wanted_row:
                fresh.append(wanted_row)
                changed.add(account)
        for field, since in had:
            this = (f.account_id == account) & (f.field == field) & (f.valid_from == since)
            conn.execute(delete(account_fields).where(this))
            changed.add(account)
    upsert(conn, account_fields, fresh)
    return changed
