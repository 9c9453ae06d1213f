"""Persons at accounts: the contacts of every CRM, folded by e-mail address, with their standing over time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from store.records import Instant
from store.refs import Ref, by_source, chunks, upsert
from store.sync_merges import aliases
from store.tables import (
    crm_accounts,
    crm_contact_accounts,
    crm_contacts,
    crm_participants,
    person_contacts,
    person_levels,
    persons,
)


@dataclass(frozen=True, slots=True)
class ContactRow:
    """A CRM contact on one of our accounts."""

    account_id: int
    source: str
    id: str
    name: str
    email: str | None
    title: str | None
    created_at: Instant
    modified_at: Instant
    deleted_at: Instant | None
    fields: str


@dataclass(frozen=True, slots=True)
class PersonRow:
    """What derivation makes of the contacts that are one person."""

    account_id: int
    key: str
    name: str
    email: str | None
    title: str | None
    created_at: Instant
    deleted_at: Instant | None
    modified_at: Instant
    level: int | None
    function: str
    standing: str
    contacts: tuple[Ref, ...]


@dataclass(frozen=True, slots=True)
class PersonsRow:
    """A row of `persons`."""

    id: int
    account_id: int
    key: str
    name: str
    email: str | None
    title: str | None
    created_at: Instant
    deleted_at: Instant | None


def accounts_of_contacts(conn: Connection, refs: Iterable[Ref]) -> set[int]:
    """Accounts that these contacts are on, or that have the person they were."""
    refs = list(refs)
    link, row = crm_contact_accounts.c, crm_accounts.c
    now = (
        select(row.evaluated_id)
        .join(crm_contact_accounts, (link.source == row.source) & (link.crm_account_id == row.id))
        .where(by_source(link.source, link.contact_id, refs), row.evaluated_id.is_not(None))
    )
    was = (
        select(persons.c.account_id)
        .join(person_contacts, person_contacts.c.person_id == persons.c.id)
        .where(by_source(person_contacts.c.source, person_contacts.c.contact_id, refs))
    )
    return set(conn.execute(now).scalars()) | set(conn.execute(was).scalars())


def contacts(conn: Connection, account_ids: Collection[int]) -> list[ContactRow]:
    """Every contact on these accounts, deleted ones too (their history stays); merged ones left out."""
    link, account, contact = crm_contact_accounts.c, crm_accounts.c, crm_contacts.c
    found: list[ContactRow] = []
    for some in chunks(sorted(account_ids)):
        query = (
            select(
                account.evaluated_id.label("account_id"),
                contact.source,
                contact.id,
                contact.name,
                contact.email,
                contact.title,
                contact.created_at,
                contact.modified_at,
                contact.deleted_at,
                contact.fields,
            )
            .join_from(
                crm_accounts,
                crm_contact_accounts,
                (link.source == account.source) & (link.crm_account_id == account.id),
            )
            .join(crm_contacts, (contact.source == link.source) & (contact.id == link.contact_id))
            .where(account.evaluated_id.in_(some), contact.merged_into.is_(None))
            .distinct()
            .order_by(account.evaluated_id, contact.source, contact.id)
        )
        found += [ContactRow(**row) for row in conn.execute(query).mappings()]
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


def save(conn: Connection, account_ids: Collection[int], people: Sequence[PersonRow]) -> set[Ref]:
    """Bring the persons of these accounts to `people`; gives the contacts whose person is another one than before."""
    known = {(r.account_id, r.key): r for r in _persons(conn, account_ids)}
    moved: set[Ref] = set()
    ids: dict[tuple[int, str], int] = {}
    fresh: list[dict[str, object]] = []
    for person in people:
        row = known.pop((person.account_id, person.key), None)
        values = {
            "name": person.name,
            "email": person.email,
            "title": person.title,
            "created_at": person.created_at,
            "deleted_at": person.deleted_at,
        }
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
    moved |= _retire(conn, [row.id for row in known.values() if row.deleted_at is None], latest)
    moved |= _save_links(conn, account_ids, {ids[p.account_id, p.key]: p.contacts for p in people})
    _save_levels(conn, {ids[p.account_id, p.key]: p for p in people})
    return moved


def _persons(conn: Connection, account_ids: Collection[int]) -> list[PersonsRow]:
    columns = (persons.c.id, persons.c.account_id, persons.c.key, persons.c.name, persons.c.email, persons.c.title)
    stamps = (persons.c.created_at, persons.c.deleted_at)
    found: list[PersonsRow] = []
    for some in chunks(sorted(account_ids)):
        query = select(*columns, *stamps).where(persons.c.account_id.in_(some))
        found += [PersonsRow(*row) for row in conn.execute(query)]
    return found


def _retire(conn: Connection, person_ids: Sequence[int], at: Instant) -> set[Ref]:
    """Persons without a contact any more (merged, moved, other address) are off file; their links go."""
    moved: set[Ref] = set()
    for some in chunks(person_ids):
        conn.execute(update(persons).where(persons.c.id.in_(some)).values(deleted_at=at))
        gone = delete(person_contacts).where(person_contacts.c.person_id.in_(some))
        links = select(person_contacts).where(person_contacts.c.person_id.in_(some))
        moved |= {(row.source, row.contact_id) for row in conn.execute(links)}
        conn.execute(gone)
    return moved


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


def _save_levels(conn: Connection, wanted: Mapping[int, PersonRow]) -> None:
    """Close the standing that was, open the one that is. The first one counts from the contact's creation."""
    current: dict[int, tuple[Instant, int | None, str | None, str]] = {}
    level = person_levels.c
    for some in chunks(sorted(wanted)):
        rows = conn.execute(select(person_levels).where(level.person_id.in_(some), level.valid_to.is_(None)))
        current |= {row.person_id: (row.valid_from, row.level, row.function, row.standing) for row in rows}
    fresh = []
    for person_id, person in wanted.items():
        have = current.get(person_id)
        if have is not None and have[1:] == (person.level, person.function, person.standing):
            continue
        since = person.created_at if have is None else max(person.modified_at, have[0] + 1)
        if have is not None:
            this = (level.person_id == person_id) & level.valid_to.is_(None)
            conn.execute(update(person_levels).where(this).values(valid_to=since))
        fresh.append(
            {
                "person_id": person_id,
                "valid_from": since,
                "valid_to": None,
                "recorded_at": since,
                "level": person.level,
                "function": person.function,
                "standing": person.standing,
            }
        )
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
    """E-mail address (lower case) -> the persons on file with it."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for some in chunks(sorted(set(addresses))):
        query = select(persons.c.key, persons.c.id).where(persons.c.key.in_(some), persons.c.deleted_at.is_(None))
        for row in conn.execute(query.order_by(persons.c.id)):
            found[row.key].append(row.id)
    return {address: tuple(people) for address, people in found.items()}
