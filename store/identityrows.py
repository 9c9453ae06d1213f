"""What the report of identity reads: all account rows, and who is counted but no person of a CRM."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select

from store.people import UNREGISTERED
from store.records import Instant
from store.tables import accounts, crm_accounts, crm_contacts, person_contacts, persons, touches


@dataclass(frozen=True, slots=True)
class Stranger:
    """A person in no CRM: an address at an account's domain, seen on touches."""

    address: str
    account: str
    """The account's name."""
    key: str
    since: Instant
    touches: int


def all_rows(conn: Connection) -> list[Row[Any]]:
    """Every account row, with what linking looks at and its name and domain."""
    c = crm_accounts.c
    columns = (c.source, c.id, c.name, c.domain, c.host, c.link_id, c.merged_into, c.deleted_at, c.account_id)
    return list(conn.execute(select(*columns).order_by(c.source, c.id)))


def keys(conn: Connection) -> dict[int | None, str]:
    """Account -> its key."""
    return {row.id: row.key for row in conn.execute(select(accounts.c.id, accounts.c.key))}


def parents(conn: Connection) -> dict[int, int | None]:
    """Account -> the account above, of those that have one."""
    a = accounts.c
    return {row.id: row.parent_id for row in conn.execute(select(a.id, a.parent_id).where(a.parent_id.is_not(None)))}


def unregistered(conn: Connection) -> list[Stranger]:
    """Persons in no CRM, by account."""
    p, t = persons.c, touches.c
    query = (
        select(
            p.key, accounts.c.name, accounts.c.key.label("account"), p.created_at, func.count(t.activity_id).label("n")
        )
        .join_from(persons, accounts, accounts.c.id == p.account_id)
        .outerjoin(touches, t.person_id == p.id)
        .where(p.origin == UNREGISTERED, p.deleted_at.is_(None))
        .group_by(p.id, p.key, accounts.c.name, accounts.c.key, p.created_at)
        .order_by(accounts.c.name, p.key)
    )
    return [Stranger(row.key, row.name, row.account, row.created_at, row.n) for row in conn.execute(query)]


def without_person(conn: Connection) -> list[str]:
    """Addresses of live contacts that are no person anywhere: role addresses, and contacts of no account."""
    c, link = crm_contacts.c, person_contacts.c
    known = select(link.contact_id).where(link.source == c.source, link.contact_id == c.id).exists()
    query = select(c.email).where(c.deleted_at.is_(None), c.email.is_not(None), ~known)
    return list(conn.execute(query).scalars())


def person_accounts(conn: Connection) -> int:
    """Live rows that are a person themselves."""
    c = crm_accounts.c
    query = select(func.count()).select_from(crm_accounts).where(c.person == 1, c.deleted_at.is_(None))
    return int(conn.execute(query).scalar_one())
