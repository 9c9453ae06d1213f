"""The mapped fields of each account, as validity intervals, and the raw rows they are read from."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select, update

from store.records import Instant
from store.refs import Ref, by_source, chunks, upsert
from store.tables import (
    account_fields,
    accounts,
    crm_accounts,
    crm_objects,
    crm_opportunities,
)


@dataclass(frozen=True, slots=True)
class FieldValue:
    """One field of one account as it is now; `since` is the stamp of the row that says so."""

    field: str
    num: int | None
    text: str | None
    source: str
    since: Instant


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


def save(conn: Connection, wanted: Mapping[int, Sequence[FieldValue]]) -> set[int]:
    """Bring the current fields of these accounts to `wanted`; gives the accounts that changed.

    An account seen for the first time has had its values since it was created (there is no history to say otherwise);
    later changes count from the stamp of the row that brought them.
    """
    f = account_fields.c
    open_now: dict[int, dict[str, Row[Any]]] = {account: {} for account in wanted}
    created: dict[int, Instant] = {}
    seen: set[int] = set()
    for some in chunks(sorted(wanted)):
        for row in conn.execute(select(account_fields).where(f.account_id.in_(some))):
            seen.add(row.account_id)
            if row.valid_to is None:
                open_now[row.account_id][row.field] = row
        rows = conn.execute(select(accounts.c.id, accounts.c.created_at).where(accounts.c.id.in_(some)))
        created |= {row.id: row.created_at for row in rows}
    fresh: list[dict[str, Any]] = []
    changed: set[int] = set()
    for account, values in wanted.items():
        had = open_now[account]
        for value in values:
            old = had.pop(value.field, None)
            if old is not None and (old.num, old.text, old.source) == (value.num, value.text, value.source):
                continue
            since = value.since if account in seen else created[account]
            if old is not None:
                since = max(since, old.valid_from + 1)
                _end(conn, account, value.field, since)
            fresh.append(_interval(account, value, since, seen=account in seen))
            changed.add(account)
        latest = max((value.since for value in values), default=0)
        for name, old in had.items():
            _end(conn, account, name, max(latest, old.valid_from + 1))
            changed.add(account)
    upsert(conn, account_fields, fresh)
    return changed


def _interval(account: int, value: FieldValue, since: Instant, *, seen: bool) -> dict[str, Any]:
    return {
        "account_id": account,
        "field": value.field,
        "recorded_at": since,
        "valid_from": since,
        "valid_to": None,
        "num": value.num,
        "text": value.text,
        "source": value.source,
        "history": "seen" if seen else "none",
    }


def _end(conn: Connection, account: int, field: str, at: Instant) -> None:
    f = account_fields.c
    this = (f.account_id == account) & (f.field == field) & f.valid_to.is_(None)
    conn.execute(update(account_fields).where(this).values(valid_to=at))
