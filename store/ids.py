"""Which rows of a source the store has."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from store.tables import crm_accounts, crm_activities, crm_contacts, crm_opportunities, crm_tickets

_TABLES = {
    "accounts": crm_accounts,
    "contacts": crm_contacts,
    "opportunities": crm_opportunities,
    "tickets": crm_tickets,
}
_KINDS = {"emails": "email", "calls": "call", "meetings": "meeting", "notes": "note", "tasks": "task"}


def known_ids(connection: Connection, source: str, stream: str) -> Sequence[str]:
    """The ids of one stream's live rows, in order; KeyError for a stream that has no rows of its own."""
    table = crm_activities if stream in _KINDS else _TABLES[stream]
    statement = select(table.c.id).where(table.c.source == source, table.c.deleted_at.is_(None)).order_by(table.c.id)
    if stream in _KINDS:
        statement = statement.where(table.c.kind == _KINDS[stream])
    return connection.scalars(statement).all()
