"""Which rows of a source the store has, for sweeps that compare them with what the source has."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import ColumnElement, Connection, Table, select

from store.damage import damaged
from store.records import KnownRow
from store.tables import (
    crm_accounts,
    crm_activities,
    crm_contact_roles,
    crm_contacts,
    crm_members,
    crm_objects,
    crm_opportunities,
    crm_participants,
    crm_tickets,
)

_TABLES: dict[str, Table] = {
    "accounts": crm_accounts,
    "contacts": crm_contacts,
    "members": crm_members,
    "activities": crm_activities,
    "participants": crm_participants,
    "opportunities": crm_opportunities,
    "tickets": crm_tickets,
    "contact_roles": crm_contact_roles,
}
_PAGE = 5_000


def known_rows(
    connection: Connection,
    source: str,
    kind: str,
    *,
    activity: str | None = None,
    prefix: str = "",
    checked: bool = False,
) -> Iterator[KnownRow]:
    """The live rows of one kind, in the order of their ids as Python sorts them, a few thousand in memory at a time.

    `kind`: accounts | contacts | members | activities | participants | opportunities | tickets | contact_roles |
    objects:<Name>; `activity` narrows activities to one kind, `prefix` to ids that begin so. `checked`: rows that are not what their hash says come
    with the stamp 0. KeyError for anything else.
    """
    name, _, custom = kind.partition(":")
    table = crm_objects if custom else _TABLES[name]
    where: list[ColumnElement[bool]] = [table.c.source == source, table.c.deleted_at.is_(None)]
    if custom:
        where.append(table.c.object == custom)
    if activity is not None:
        where.append(table.c.kind == activity)
    if prefix:
        where.append(table.c.id.startswith(prefix, autoescape=True))
    checks = checked and "payload" in table.c
    columns = list(table.c) if checks else [table.c.id, table.c.modified_at]
    # A database may sort text by a language's rules; who walks beside a CRM needs the order of the characters' codes.
    key = table.c.id.collate("C") if connection.dialect.name == "postgresql" else table.c.id
    query = select(*columns).where(*where).order_by(key).execution_options(yield_per=_PAGE)
    for rows in connection.execute(query).mappings().partitions(_PAGE):
        broken = damaged(connection, table, source, rows) if checks else frozenset()
        for row in rows:
            yield KnownRow(row["id"], 0 if row["id"] in broken else row["modified_at"])
