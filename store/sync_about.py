"""Whose account an activity is about that names none: that of its opportunity, ticket or other row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, select

from store import dirty
from store.refs import chunks
from store.sync_links import set_links
from store.tables import crm_activities, crm_activity_accounts, crm_objects, crm_opportunities, crm_tickets

_TABLES = (crm_opportunities, crm_tickets, crm_objects)


def accounts_about(conn: Connection, source: str, refs: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Row -> its account, for the rows of any kind that are known and have one."""
    found: dict[str, tuple[str, ...]] = {}
    for some in chunks(sorted(set(refs))):
        for table in _TABLES:
            c = table.c
            query = select(c.id, c.crm_account_id).where(c.source == source, c.id.in_(some))
            rows = conn.execute(query.where(c.crm_account_id.is_not(None)))
            found |= {row.id: (row.crm_account_id,) for row in rows}
    return found


def follow(conn: Connection, source: str, refs: Sequence[str]) -> None:
    """Bring the accounts of the activities that are about these rows, which are new or have moved."""
    c = crm_activities.c
    for some in chunks(sorted(set(refs))):
        rows = conn.execute(select(c.id, c.about_id).where(c.source == source, c.about_id.in_(some))).all()
        if not rows:
            continue
        accounts = accounts_about(conn, source, {row.about_id for row in rows})
        wanted = {row.id: accounts.get(row.about_id, ()) for row in rows}
        moved = set_links(conn, crm_activity_accounts, "activity_id", source, wanted)
        dirty.mark(conn, "activities", ((source, ref) for ref in moved))
