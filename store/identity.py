"""Accounts and team members: the rows of each CRM, and the one account or member that they are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, func, or_, select, update

from store.records import Instant
from store.refs import Ref, by_source, chunks
from store.tables import (
    account_fields,
    accounts,
    crm_accounts,
    crm_activities,
    crm_activity_accounts,
    crm_contact_accounts,
    crm_members,
    crm_participants,
    members,
)

_ROUNDS = 8
"""Merge chains and links longer than this are followed in the next run."""


def set_hosts(conn: Connection, hosts: dict[Ref, str | None]) -> None:
    """Keep each row's plain domain, so that the same domain elsewhere is an index look-up."""
    c = crm_accounts.c
    this = update(crm_accounts).where(c.source == bindparam("of_source"), c.id == bindparam("of_id"))
    found = [{"of_source": s, "of_id": i, "host": host} for (s, i), host in hosts.items()]
    if found:
        conn.execute(this.values(host=bindparam("host")), found)


def rows(conn: Connection, refs: Iterable[Ref]) -> Sequence[Row[Any]]:
    """The account rows that `refs` name."""
    where = by_source(crm_accounts.c.source, crm_accounts.c.id, refs)
    return conn.execute(select(crm_accounts).where(where).order_by(crm_accounts.c.source, crm_accounts.c.id)).all()


def neighbourhood(conn: Connection, refs: Collection[Ref]) -> Sequence[Row[Any]]:
    """The rows themselves and all that could be one account with them: merged, linked, same domain, same account."""
    known: dict[Ref, Row[Any]] = {(row.source, row.id): row for row in rows(conn, refs)}
    fresh = list(known.values())
    for _ in range(_ROUNDS):
        if not fresh:
            break
        found = conn.execute(select(crm_accounts).where(_related(fresh))).all()
        fresh = [row for row in found if (row.source, row.id) not in known]
        known.update({(row.source, row.id): row for row in fresh})
    return [known[ref] for ref in sorted(known)]


def _related(some: Sequence[Row[Any]]) -> ColumnElement[bool]:
    c = crm_accounts.c
    ids = {row.id for row in some}
    links = {row.link_id for row in some if row.link_id} | {row.link_id[:15] for row in some if row.link_id}
    merged = {(row.source, row.merged_into) for row in some if row.merged_into}
    return or_(
        c.account_id.in_({row.account_id for row in some if row.account_id is not None}),
        c.host.in_({row.host for row in some if row.host}),
        c.link_id.in_(ids),
        c.id.in_(links),
        by_source(c.source, c.id, merged),
        by_source(c.source, c.merged_into, ((row.source, row.id) for row in some)),
    )


def new_account(conn: Connection, key: str, name: str, created_at: Instant) -> int:
    """Make an account; an account that had this key before is opened again."""
    known = conn.execute(select(accounts.c.id).where(accounts.c.key == key)).scalar()
    if known is not None:
        reopen = update(accounts).where(accounts.c.id == known)
        conn.execute(reopen.values(name=name, closed_at=None, close_reason=None))
        return int(known)
    made = conn.execute(accounts.insert().values(key=key, name=name, created_at=created_at))
    assert made.inserted_primary_key is not None
    return int(made.inserted_primary_key[0])


def assign(conn: Connection, refs: Iterable[Ref], account_id: int) -> None:
    """Say which account the rows belong to."""
    where = by_source(crm_accounts.c.source, crm_accounts.c.id, refs)
    conn.execute(update(crm_accounts).where(where).values(account_id=account_id))


def describe(conn: Connection, account_id: int, name: str, closed_at: Instant | None, reason: str | None) -> None:
    """Keep the account's name and whether it is still there; unchanged values write nothing."""
    row = conn.execute(select(accounts).where(accounts.c.id == account_id)).one()
    closed = row.closed_at if (row.closed_at is not None and closed_at is not None) else closed_at
    if (row.name, row.closed_at, row.close_reason) != (name, closed, reason):
        this = update(accounts).where(accounts.c.id == account_id)
        conn.execute(this.values(name=name, closed_at=closed, close_reason=reason))


def close_empty(conn: Connection, account_ids: Collection[int], at: Instant) -> set[int]:
    """Close accounts that no row belongs to any more (merged into another); their fields end here."""
    used = set(
        conn.execute(select(crm_accounts.c.account_id).where(crm_accounts.c.account_id.in_(account_ids))).scalars()
    )
    empty = set(account_ids) - used
    if empty:
        gone = update(accounts).where(accounts.c.id.in_(empty), accounts.c.closed_at.is_(None))
        conn.execute(gone.values(closed_at=at, close_reason="merged"))
        ended = update(account_fields).where(
            account_fields.c.account_id.in_(empty), account_fields.c.valid_to.is_(None)
        )
        conn.execute(ended.values(valid_to=at))
    return empty


def contacts_of(conn: Connection, refs: Iterable[Ref]) -> set[Ref]:
    """Contacts on these CRM accounts."""
    c = crm_contact_accounts.c
    found = conn.execute(select(c.source, c.contact_id).where(by_source(c.source, c.crm_account_id, refs)))
    return {(row.source, row.contact_id) for row in found}


def activities_of(conn: Connection, refs: Iterable[Ref]) -> set[Ref]:
    """Activities that name these CRM accounts."""
    c = crm_activity_accounts.c
    found = conn.execute(select(c.source, c.activity_id).where(by_source(c.source, c.crm_account_id, refs)))
    return {(row.source, row.activity_id) for row in found}


def account_ids(conn: Connection, refs: Iterable[Ref]) -> set[int]:
    """The accounts that these CRM rows belong to."""
    c = crm_accounts.c
    found: set[int] = set()
    for some in chunks(sorted(set(refs))):
        found |= set(conn.execute(select(c.account_id).where(by_source(c.source, c.id, some))).scalars()) - {None}
    return found


def save_members(conn: Connection, refs: Iterable[Ref]) -> set[Ref]:
    """Fold the users and owners that `refs` name into members, one per e-mail address; gives the rows that are new ones."""
    c = crm_members.c
    touched = conn.execute(select(crm_members).where(by_source(c.source, c.id, refs))).all()
    fresh: set[Ref] = set()
    for key in sorted({member_key(row) for row in touched}):
        same = conn.execute(select(crm_members).where(_has_key(key)).order_by(c.source, c.id)).all()
        live = [row for row in same if row.deleted_at is None] or list(same)
        first = next((row for row in live if row.active), live[0])
        values = {
            "key": key,
            "name": first.name,
            "email": first.email.casefold() if first.email else None,
            "active": int(any(row.active and row.deleted_at is None for row in live)),
            "manager_key": _manager_key(conn, live),
        }
        known = conn.execute(select(members).where(members.c.key == key)).one_or_none()
        if known is None:
            conn.execute(members.insert().values(**values))
            fresh |= {(row.source, row.id) for row in same}
        elif any(getattr(known, name) != value for name, value in values.items()):
            conn.execute(update(members).where(members.c.key == key).values(**values))
    return fresh


def waiting_for(conn: Connection, refs: Collection[Ref]) -> tuple[set[Ref], set[Ref]]:
    """(activities, CRM accounts) that named these users before the users themselves had come."""
    a, p, f, row = crm_activities.c, crm_participants.c, account_fields.c, crm_accounts.c
    owned = select(a.source, a.id).where(by_source(a.source, a.owner_id, refs))
    joined = select(p.source, p.activity_id).where(by_source(p.source, p.team_member_id, refs))
    emails = select(func.lower(crm_members.c.email)).where(by_source(crm_members.c.source, crm_members.c.id, refs))
    mailed = select(p.source, p.activity_id).where(p.address.in_(emails))
    activities = {(r[0], r[1]) for query in (owned, joined, mailed) for r in conn.execute(query)}
    stand_ins = {f"{source}:{ref}" for source, ref in refs} | {ref.casefold() for _, ref in refs}
    named = select(f.account_id).where(f.field == "csm", f.text.in_(stand_ins), f.valid_to.is_(None))
    accounts_found = conn.execute(select(row.source, row.id).where(row.account_id.in_(named)))
    return activities, {(r.source, r.id) for r in accounts_found}


def member_key(row: Row[Any]) -> str:
    """How a user or owner is known over all CRMs: the e-mail address, else source:id."""
    return row.email.casefold() if row.email else f"{row.source}:{row.id}"


def _has_key(key: str) -> ColumnElement[bool]:
    source, _, ref = key.partition(":")
    by_id = (crm_members.c.source == source) & (crm_members.c.id == ref) & crm_members.c.email.is_(None)
    return or_(func.lower(crm_members.c.email) == key, by_id)


def _manager_key(conn: Connection, same: Sequence[Row[Any]]) -> str | None:
    refs = [(row.source, row.manager_id) for row in same if row.manager_id]
    found = conn.execute(select(crm_members).where(by_source(crm_members.c.source, crm_members.c.id, refs))).all()
    return next((member_key(row) for row in found), None)


def members_by_ref(conn: Connection) -> tuple[dict[Ref, int], dict[str, int], dict[Ref, str]]:
    """(CRM row -> member id, e-mail -> member id, CRM row -> member key): our own people are few, so all at once."""
    ids = {row.key: row.id for row in conn.execute(select(members.c.key, members.c.id))}
    refs: dict[Ref, int] = {}
    keys: dict[Ref, str] = {}
    for row in conn.execute(select(crm_members)):
        key = member_key(row)
        if key in ids:
            refs[row.source, row.id] = ids[key]
            keys[row.source, row.id] = key
    return refs, {key: ref for key, ref in ids.items() if "@" in key}, keys
