"""Which CRM rows are one account: link, merge, close."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row

from rules import identity as reading
from rules.fieldmap import Derivation
from store import dirty, identity
from store.records import Instant
from store.refs import Ref


def link_accounts(conn: Connection, refs: Sequence[Ref], settings: Derivation, now: Instant) -> set[int]:
    """Give every dirty CRM row its account; what hangs on a row that moved is marked for the later steps."""
    hosts = {(row.source, row.id): reading.plain_domain(row.domain) for row in identity.rows(conn, refs)}
    identity.set_hosts(conn, hosts)
    near = identity.neighbourhood(conn, refs)
    by_ref = {(row.source, row.id): row for row in near}
    plain = [
        reading.AccountRow(
            source=row.source,
            id=row.id,
            domain=row.host,
            link_id=row.link_id,
            merged_into=row.merged_into,
            deleted=row.deleted_at is not None,
            account_id=row.account_id,
        )
        for row in near
    ]
    touched: set[int] = set()
    left: set[int] = set()
    for group in sorted(reading.groups(plain, settings.order), key=lambda g: min((r.source, r.id) for r in g)):
        account, moved = _place(conn, group, by_ref)
        touched.add(account)
        if moved:
            left |= {row.account_id for row in group if row.account_id not in (None, account)}
            dirty.mark(conn, "contacts", identity.contacts_of(conn, moved))
            dirty.mark(conn, "activities", identity.activities_of(conn, moved))
    gone = identity.close_empty(conn, left, now)
    dirty.mark(conn, "fields", by_ref)
    return touched | gone


def _place(
    conn: Connection, group: tuple[reading.AccountRow, ...], by_ref: Mapping[Ref, Row[Any]]
) -> tuple[int, list[Ref]]:
    """The account of a group of rows, and the rows that were elsewhere before. The first row that has one keeps it."""
    first = by_ref[group[0].source, group[0].id]
    account = next((row.account_id for row in group if row.account_id is not None), None)
    if account is None:
        created = min(by_ref[row.source, row.id].created_at for row in group)
        account = identity.new_account(conn, f"{first.source}:{first.id}", first.name, created)
    moved = [(row.source, row.id) for row in group if row.account_id != account]
    if moved:
        identity.assign(conn, moved, account)
    live = any(not row.deleted for row in group)
    closed = None if live else max(by_ref[row.source, row.id].deleted_at for row in group)
    identity.describe(conn, account, first.name, closed, None if live else "gone")
    return account, moved
