"""Persons at accounts: the contacts of every CRM, folded by e-mail address, with their standing over time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Subquery, and_, case, delete, func, insert, literal, select, union, update

from store.records import Instant
from store.refs import Ref, by_source, chunks, upsert
from store.sync_merges import aliases
from store.tables import (
    crm_accounts,
    crm_contact_accounts,
    crm_contact_roles,
    crm_contacts,
    crm_participants,
    person_contacts,
    person_levels,
    person_overrides,
    persons,
)

CONTACT, UNREGISTERED = "contact", "unregistered"
"""Where a person is known from: a CRM's contact, or an address seen on a touch."""
DELETED, MOVED, MERGED, READDRESSED = "deleted", "moved", "merged", "readdressed"
"""How a person came off file: the contact was deleted, is on another account now (or on none), was merged into another
contact, or has another address and is another person on file here."""


@dataclass(frozen=True, slots=True)
class ContactRow:
    """A CRM contact on one of our accounts."""

    account_id: int
    """The account that is evaluated."""
    home_id: int
    """The account that the contact is on: the same, or one below."""
    source: str
    id: str
    name: str
    email: str | None
    title: str | None
    buying_role: str | None
    created_at: Instant
    modified_at: Instant
    deleted_at: Instant | None
    fields: str


@dataclass(frozen=True, slots=True)
class Level:
    """What standing a person has from `since` until `until` (None: still)."""

    since: Instant
    until: Instant | None
    level: int | None
    function: str
    standing: str


@dataclass(frozen=True, slots=True)
class PersonRow:
    """What derivation makes of the contacts that are one person."""

    account_id: int
    home_id: int | None
    key: str
    name: str
    email: str | None
    title: str | None
    created_at: Instant
    deleted_at: Instant | None
    left_as: str | None
    bounced_at: Instant | None
    modified_at: Instant
    levels: tuple[Level, ...]
    contacts: tuple[Ref, ...]


def accounts_of_contacts(conn: Connection, refs: Iterable[Ref]) -> set[int]:
    """Accounts that these contacts are on, or that have the person they were."""
    refs = list(refs)
    link, row = _links(), crm_accounts.c
    now = (
        select(row.evaluated_id)
        .join(link, (link.c.source == row.source) & (link.c.crm_account_id == row.id))
        .where(by_source(link.c.source, link.c.contact_id, refs), row.evaluated_id.is_not(None))
    )
    was = (
        select(persons.c.account_id)
        .join(person_contacts, person_contacts.c.person_id == persons.c.id)
        .where(by_source(person_contacts.c.source, person_contacts.c.contact_id, refs))
    )
    return set(conn.execute(now).scalars()) | set(conn.execute(was).scalars())


def contacts(conn: Connection, account_ids: Collection[int]) -> list[ContactRow]:
    """Every contact on these accounts, deleted ones too (their history stays); merged ones left out, and person accounts:
    those are no companies that have people.
    """
    link, account, contact = _links(), crm_accounts.c, crm_contacts.c
    found: list[ContactRow] = []
    for some in chunks(sorted(account_ids)):
        query = (
            select(
                account.evaluated_id.label("account_id"),
                account.account_id.label("home_id"),
                *(contact[name] for name in _CONTACT_COLUMNS),
            )
            .join_from(crm_accounts, link, (link.c.source == account.source) & (link.c.crm_account_id == account.id))
            .join(crm_contacts, (contact.source == link.c.source) & (contact.id == link.c.contact_id))
            .where(account.evaluated_id.in_(some), account.person == 0, contact.merged_into.is_(None))
            .distinct()
            .order_by(account.evaluated_id, contact.source, contact.id, account.account_id)
        )
        found += [ContactRow(**row) for row in conn.execute(query).mappings()]
    return found


_CONTACT_COLUMNS = (
    "source", "id", "name", "email", "title", "buying_role", "created_at", "modified_at", "deleted_at", "fields",
)  # fmt: skip


def _links() -> Subquery:
    """Which CRM accounts a contact is on: its own, and those that a relation names besides."""
    own, also = crm_contact_accounts.c, crm_contact_roles.c
    related = select(also.source, also.contact_id, also.crm_account_id)
    return union(
        select(own.source, own.contact_id, own.crm_account_id),
        related.where(also.crm_account_id.is_not(None), also.deleted_at.is_(None)),
    ).subquery("links")


def roles(conn: Connection, refs: Iterable[Ref]) -> list[Row[Any]]:
    """The parts that these contacts play in deals and accounts, those that ended too: source, contact, role, stamps."""
    c = crm_contact_roles.c
    found: list[Row[Any]] = []
    for some in chunks(sorted(set(refs))):
        columns = (c.source, c.contact_id, c.id, c.role, c.created_at, c.deleted_at)
        query = select(*columns).where(by_source(c.source, c.contact_id, some), c.role.is_not(None))
        found += list(conn.execute(query.order_by(c.source, c.contact_id, c.id)))
    return found


def overrides(conn: Connection, keys: Collection[str]) -> dict[str, tuple[int, Instant]]:
    """Person's key -> the level that a person of ours has given, and when."""
    c = person_overrides.c
    found: dict[str, tuple[int, Instant]] = {}
    for some in chunks(sorted(keys)):
        rows = conn.execute(select(person_overrides).where(c.key.in_(some)))
        found |= {row.key: (row.level, row.decided_at) for row in rows}
    return found


def retired(conn: Connection, refs: Iterable[Ref]) -> dict[Ref, list[Ref]]:
    """Contact -> the contacts that merges have retired into it: activities may still name those."""
    by_source_: defaultdict[str, set[str]] = defaultdict(set)
    for source, ref in refs:
        by_source_[source].add(ref)
    return {
        (source, ref): [(source, old) for old in sorted(ids)]
        for source, asked in sorted(by_source_.items())
        for ref, ids in aliases(conn, source, "contacts", asked).items()
    }


@dataclass(frozen=True, slots=True)
class Moved:
    """What saving persons changed for the activities of others."""

    contacts: frozenset[Ref]
    """Contacts whose person is another one than before."""
    addresses: frozenset[str]
    """Addresses of persons who have no contact any more."""


def save(conn: Connection, account_ids: Collection[int], people: Sequence[PersonRow]) -> Moved:
    """Bring the persons of these accounts to `people`."""
    known = {(row.account_id, row.key): row for row in _persons(conn, account_ids)}
    ids: dict[tuple[int, str], int] = {}
    fresh: list[dict[str, object]] = []
    for person in people:
        row = known.pop((person.account_id, person.key), None)
        values = {name: getattr(person, name) for name in _KEPT} | {"origin": CONTACT}
        if row is None:
            fresh.append({"account_id": person.account_id, "key": person.key, **values})
            continue
        ids[person.account_id, person.key] = row.id
        if any(getattr(row, name) != value for name, value in values.items()):
            conn.execute(update(persons).where(persons.c.id == row.id).values(**values))
    if fresh:
        made = conn.execute(insert(persons).returning(persons.c.id, persons.c.account_id, persons.c.key), fresh)
        ids |= {(row.account_id, row.key): row.id for row in made}
    latest = max((person.modified_at for person in people), default=0)
    off_file = [row for row in known.values() if row.origin == CONTACT]
    moved, left = _retire(conn, off_file, latest)
    moved |= _save_links(conn, account_ids, {ids[p.account_id, p.key]: p.contacts for p in people})
    save_levels(conn, {ids[p.account_id, p.key]: p.levels for p in people})
    return Moved(frozenset(moved), frozenset(left))


_KEPT = ("home_id", "name", "email", "title", "created_at", "deleted_at", "left_as", "bounced_at")


def _persons(conn: Connection, account_ids: Collection[int]) -> list[Row[Any]]:
    found: list[Row[Any]] = []
    for some in chunks(sorted(account_ids)):
        found += conn.execute(select(persons).where(persons.c.account_id.in_(some))).all()
    return found


def _retire(conn: Connection, off_file: Sequence[Row[Any]], at: Instant) -> tuple[set[Ref], set[str]]:
    """Persons without a contact any more (merged, moved, other address) are off file; their links go.

    Gives the contacts that they had, and the addresses of those who had any.
    """
    by_id = {row.id: row for row in off_file}
    moved: set[Ref] = set()
    addresses: set[str] = set()
    for some in chunks(sorted(by_id)):
        for person, (how, since) in _leavings(conn, some, at).items():
            still_there = update(persons).where(persons.c.id == person, persons.c.deleted_at.is_(None))
            conn.execute(still_there.values(deleted_at=since, left_as=how))
        for link in conn.execute(select(person_contacts).where(person_contacts.c.person_id.in_(some))):
            moved.add((link.source, link.contact_id))
            if by_id[link.person_id].email:
                addresses.add(by_id[link.person_id].email)
        conn.execute(delete(person_contacts).where(person_contacts.c.person_id.in_(some)))
    return moved, addresses


def _leavings(conn: Connection, ids: Sequence[int], at: Instant) -> dict[int, tuple[str, Instant]]:
    """Person -> how and when each came off file: the stamp of the contacts that it was; `at` where none is left."""
    link, contact, on = person_contacts.c, crm_contacts.c, _links()
    here = (
        select(literal(1))
        .select_from(on)
        .join(crm_accounts, (crm_accounts.c.source == on.c.source) & (crm_accounts.c.id == on.c.crm_account_id))
        .where(on.c.source == contact.source, on.c.contact_id == contact.id)
        .where(crm_accounts.c.evaluated_id == persons.c.account_id)
    )
    query = (
        select(
            persons.c.id,
            func.max(
                case((contact.deleted_at > contact.modified_at, contact.deleted_at), else_=contact.modified_at)
            ).label("at"),
            func.min(case((contact.merged_into.is_(None), 0), else_=1)).label("merged"),
            func.max(case((and_(contact.merged_into.is_(None), here.exists()), 1), else_=0)).label("here"),
        )
        .join(person_contacts, link.person_id == persons.c.id)
        .join(crm_contacts, (contact.source == link.source) & (contact.id == link.contact_id))
        .where(persons.c.id.in_(ids))
        .group_by(persons.c.id)
    )
    found = dict.fromkeys(ids, (MOVED, at))
    for row in conn.execute(query):
        found[row.id] = (MERGED if row.merged else READDRESSED if row.here else MOVED, row.at)
    return found


def _save_links(conn: Connection, account_ids: Collection[int], wanted: Mapping[int, Iterable[Ref]]) -> set[Ref]:
    target = {(source, contact, person) for person, refs in wanted.items() for source, contact in refs}
    have: set[tuple[str, str, int]] = set()
    for some in chunks(sorted(account_ids)):
        on_account = select(persons.c.id).where(persons.c.account_id.in_(some))
        rows = conn.execute(select(person_contacts).where(person_contacts.c.person_id.in_(on_account)))
        have |= {(row.source, row.contact_id, row.person_id) for row in rows}
    link = person_contacts.c
    for source, contact, person in sorted(have - target):
        this = (link.source == source) & (link.contact_id == contact) & (link.person_id == person)
        conn.execute(delete(person_contacts).where(this))
    added = sorted(target - have)
    if added:
        conn.execute(person_contacts.insert(), [{"source": s, "contact_id": c, "person_id": p} for s, c, p in added])
    return {(source, contact) for source, contact, _ in have ^ target}


def save_levels(conn: Connection, wanted: Mapping[int, Sequence[Level]]) -> None:
    """Bring the standing of these persons over time to `wanted`; equal rows are not written."""
    c = person_levels.c
    have: dict[tuple[int, Instant], Row[Any]] = {}
    for some in chunks(sorted(wanted)):
        rows = conn.execute(select(person_levels).where(c.person_id.in_(some)))
        have |= {(row.person_id, row.valid_from): row for row in rows}
    fresh = []
    for person, levels in wanted.items():
        for one in levels:
            row = {
                "person_id": person,
                "valid_from": one.since,
                "valid_to": one.until,
                "recorded_at": one.since,
                "level": one.level,
                "function": one.function,
                "standing": one.standing,
            }
            old = have.pop((person, one.since), None)
            if old is None or old._asdict() != row:
                fresh.append(row)
    for person, since in have:
        conn.execute(delete(person_levels).where(c.person_id == person, c.valid_from == since))
    upsert(conn, person_levels, fresh)


def activities_with(conn: Connection, contacts_changed: Iterable[Ref]) -> set[Ref]:
    """Activities in which these contacts take part, by id."""
    c = crm_participants.c
    found: set[Ref] = set()
    for some in chunks(sorted(set(contacts_changed)), 1_000):
        rows = conn.execute(select(c.source, c.activity_id).where(by_source(c.source, c.contact_id, some)))
        found |= {(row.source, row.activity_id) for row in rows}
    return found


def by_contact(conn: Connection, refs: Iterable[Ref]) -> dict[Ref, tuple[int, ...]]:
    """Contact -> the persons it is (one per account)."""
    found: defaultdict[Ref, list[int]] = defaultdict(list)
    for some in chunks(sorted(set(refs))):
        where = by_source(person_contacts.c.source, person_contacts.c.contact_id, some)
        for row in conn.execute(select(person_contacts).where(where).order_by(person_contacts.c.person_id)):
            found[row.source, row.contact_id].append(row.person_id)
    return {ref: tuple(people) for ref, people in found.items()}


def by_address(conn: Connection, addresses: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """E-mail address (lower case) -> the persons with a contact of it; those whose contacts are all deleted, too: what
    they took part in stays theirs.
    """
    found: defaultdict[str, list[int]] = defaultdict(list)
    has_contact = select(person_contacts.c.person_id).where(person_contacts.c.person_id == persons.c.id).exists()
    for some in chunks(sorted(set(addresses))):
        query = select(persons.c.key, persons.c.id).where(persons.c.key.in_(some), has_contact)
        for row in conn.execute(query.order_by(persons.c.id)):
            found[row.key].append(row.id)
    return {address: tuple(people) for address, people in found.items()}


def unclassified_with(conn: Connection, keys: Iterable[str]) -> set[Ref]:
    """The contacts of the persons that have these keys and of whom nobody knows who they are."""
    level = person_levels.c
    unclear = (level.person_id == persons.c.id) & level.valid_to.is_(None) & (level.standing == "unclassified")
    found: set[Ref] = set()
    for some in chunks(sorted(set(keys))):
        query = (
            select(person_contacts.c.source, person_contacts.c.contact_id)
            .join(persons, persons.c.id == person_contacts.c.person_id)
            .join(person_levels, unclear)
            .where(persons.c.key.in_(some))
        )
        found |= {(row.source, row.contact_id) for row in conn.execute(query)}
    return found
