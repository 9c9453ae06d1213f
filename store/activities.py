"""Activities as the CRMs have them, and the touches, captures and participants that derivation makes of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Table, bindparam, delete, or_, select, update

from store.refs import Ref, by_source, chunks, upsert
from store.tables import captures, crm_activities, crm_contacts, crm_participants, persons, touch_members, touches

_SOME = 1_000


def rows(conn: Connection, refs: Iterable[Ref]) -> list[Row[Any]]:
    """The activity rows that `refs` name."""
    c = crm_activities.c
    found: list[Row[Any]] = []
    for some in chunks(sorted(set(refs)), _SOME):
        found += conn.execute(select(crm_activities).where(by_source(c.source, c.id, some))).all()
    return found


def participants(conn: Connection, refs: Iterable[Ref]) -> list[Row[Any]]:
    """Who takes part in these activities, with the contact's address; removed participants left out."""
    p, contact = crm_participants.c, crm_contacts.c
    found: list[Row[Any]] = []
    for some in chunks(sorted(set(refs)), _SOME):
        query = (
            select(crm_participants, contact.email.label("contact_email"))
            .outerjoin(crm_contacts, (contact.source == p.source) & (contact.id == p.contact_id))
            .where(by_source(p.source, p.activity_id, some), p.deleted_at.is_(None))
            .order_by(p.source, p.activity_id, p.id)
        )
        found += conn.execute(query).all()
    return found


def set_signatures(conn: Connection, signatures: Mapping[Ref, str | None]) -> None:
    """Keep what makes two CRMs' copies of one activity findable by an index."""
    c = crm_activities.c
    this = update(crm_activities).where(c.source == bindparam("of_source"), c.id == bindparam("of_id"))
    rows = [{"of_source": s, "of_id": i, "signature": signature} for (s, i), signature in signatures.items()]
    conn.execute(this.values(signature=bindparam("signature")), rows)


def copies_of(conn: Connection, some: Sequence[Row[Any]]) -> list[Row[Any]]:
    """Rows that may be copies of these: same message id, same calendar id, same signature, or said to be the same."""
    found: list[Row[Any]] = []
    for part in chunks(some, _SOME):
        found += conn.execute(select(crm_activities).where(_alike(part))).all()
    return found


def _alike(some: Sequence[Row[Any]]) -> Any:
    c = crm_activities.c
    return or_(
        c.message_id.in_({row.message_id for row in some if row.message_id}),
        c.ical_uid.in_({row.ical_uid for row in some if row.ical_uid}),
        c.signature.in_({row.signature for row in some if row.signature}),
        by_source(c.source, c.same_as, ((row.source, row.id) for row in some)),
        by_source(c.source, c.id, ((row.source, row.same_as) for row in some if row.same_as)),
    )


def _of(table: Table, refs: Iterable[Ref]) -> Any:
    return by_source(table.c.source, table.c.activity_id, refs)


def touched_accounts(conn: Connection, refs: Collection[Ref]) -> set[int]:
    """Accounts that these activities touch so far."""
    found: set[int] = set()
    for some in chunks(sorted(refs), _SOME):
        found |= set(conn.execute(select(touches.c.account_id).where(_of(touches, some))).scalars())
    return found


def replace(conn: Connection, refs: Collection[Ref], wanted: Mapping[Table, Sequence[Mapping[str, Any]]]) -> bool:
    """Bring what is derived from these activities (`touches`, `touch_members`, `captures`) to `wanted`; equal rows are
    not written. A touch that was withdrawn keeps the instant at which that became known. True = something changed.
    """
    changed = False
    for table in (touches, touch_members, captures):
        keys = [column.name for column in table.primary_key]
        have = {tuple(row[k] for k in keys): dict(row) for row in _mappings(conn, table, refs)}
        fresh = []
        for row in wanted.get(table, ()):
            old = have.pop(tuple(row[k] for k in keys), None)
            new = dict(row)
            if old is not None and old.get("withdrawn_at") is not None and new.get("withdrawn_at") is not None:
                new["withdrawn_at"] = old["withdrawn_at"]
            if old != new:
                fresh.append(new)
        upsert(conn, table, fresh)
        for key in have:
            conn.execute(delete(table).where(*(table.c[k] == v for k, v in zip(keys, key, strict=True))))
        changed = changed or bool(fresh) or bool(have)
    return changed


def _mappings(conn: Connection, table: Table, refs: Collection[Ref]) -> list[Any]:
    found: list[Any] = []
    for some in chunks(sorted(refs), _SOME):
        found += conn.execute(select(table).where(_of(table, some))).mappings().all()
    return found


def with_addresses(conn: Connection, addresses: Iterable[str]) -> set[Ref]:
    """Activities in which a bare address takes part (a participant that is no contact of its CRM)."""
    c = crm_participants.c
    found: set[Ref] = set()
    for some in chunks(sorted(set(addresses)), _SOME):
        query = select(c.source, c.activity_id).where(c.address.in_(some), c.contact_id.is_(None))
        found |= {(row.source, row.activity_id) for row in conn.execute(query)}
    return found


def from_hosts(conn: Connection, hosts: Iterable[str]) -> set[Ref]:
    """Activities in which a bare address of one of these domains takes part."""
    c = crm_participants.c
    found: set[Ref] = set()
    for some in chunks(sorted(set(hosts)), _SOME):
        query = select(c.source, c.activity_id).where(c.host.in_(some))
        found |= {(row.source, row.activity_id) for row in conn.execute(query)}
    return found


def touched_persons(conn: Connection, refs: Collection[Ref]) -> set[int]:
    """Persons whom these activities touch so far."""
    found: set[int] = set()
    for some in chunks(sorted(refs), _SOME):
        found |= set(conn.execute(select(touches.c.person_id).where(_of(touches, some))).scalars())
    return found


def persons_at(conn: Connection, person_ids: Iterable[int]) -> dict[int, tuple[int, str]]:
    """Person -> (the account they are at, their key: equal for the same person elsewhere)."""
    found: dict[int, tuple[int, str]] = {}
    for some in chunks(sorted(set(person_ids))):
        query = select(persons.c.id, persons.c.account_id, persons.c.key).where(persons.c.id.in_(some))
        found |= {row.id: (row.account_id, row.key) for row in conn.execute(query)}
    return found
