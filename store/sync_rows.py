"""Write the rows of a batch, only those whose payload differs, and mark what derivation must look at again."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from sqlalchemy import Column, Connection, Table, select, update

from store import dirty
from store.payload import as_json, draft, kept
from store.records import (
    AccountRecord,
    ActivityRecord,
    ContactRecord,
    ContactRole,
    Instant,
    ObjectRecord,
    OpportunityRecord,
    ParticipantRecord,
    TeamMemberRecord,
    TicketRecord,
)
from store.refs import chunks, upsert
from store.saved import NOTHING, Saved
from store.sync_about import accounts_about
from store.sync_links import set_links
from store.sync_merges import keep_merged
from store.sync_sides import participant_row, replace_participants
from store.sync_write import on_account, write_changed
from store.tables import (
    crm_accounts,
    crm_activities,
    crm_activity_accounts,
    crm_contact_accounts,
    crm_contact_roles,
    crm_contacts,
    crm_members,
    crm_objects,
    crm_opportunities,
    crm_participants,
    crm_tickets,
)

_Linked = TypeVar("_Linked", ContactRecord, ActivityRecord)


def save_accounts(conn: Connection, source: str, records: Sequence[AccountRecord], _now: Instant) -> Saved:
    """Accounts; the changed ones are linked again."""
    changed, gone = write_changed(conn, crm_accounts, source, [draft(crm_accounts, r) for r in records])
    keep_merged(conn, source, "accounts", (r for r in records if r.id in set(changed)))
    dirty.mark(conn, "accounts", ((source, ref) for ref in changed))
    return Saved(0, len(changed), gone)


def _with_links_kept(
    conn: Connection, table: Table, key: str, source: str, records: Sequence[_Linked]
) -> Sequence[_Linked]:
    """The records, those that could not say which accounts they are on with the ones they are on so far."""
    blind = {r.id for r in records if "account_ids" in r.unread}
    have: defaultdict[str, list[str]] = defaultdict(list)
    for some in chunks(sorted(blind)):
        rows = conn.execute(select(table).where(table.c.source == source, table.c[key].in_(some))).mappings()
        for row in rows:
            have[row[key]].append(row["crm_account_id"])
    return [replace(r, account_ids=tuple(have[r.id])) if r.id in blind else r for r in records]


def save_contacts(conn: Connection, source: str, records: Sequence[ContactRecord], _now: Instant) -> Saved:
    """Contacts and which accounts they are on."""
    records = _with_links_kept(conn, crm_contact_accounts, "contact_id", source, records)
    drafts = [draft(crm_contacts, r, sorted(r.account_ids)) for r in records]
    changed, gone = write_changed(conn, crm_contacts, source, drafts)
    fresh = set(changed)
    wanted = {r.id: r.account_ids for r in records if r.id in fresh}
    set_links(conn, crm_contact_accounts, "contact_id", source, wanted)
    keep_merged(conn, source, "contacts", (r for r in records if r.id in fresh))
    dirty.mark(conn, "contacts", ((source, ref) for ref in changed))
    return Saved(0, len(changed), gone)


def _known(conn: Connection, table: Table, source: str, ids: Iterable[str], *columns: Column[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for some in chunks(sorted(set(ids))):
        query = select(table.c.id, table.c.payload, table.c.deleted_at, *columns)
        for row in conn.execute(query.where(table.c.source == source, table.c.id.in_(some))):
            found[row.id] = row
    return found


def save_contact_roles(conn: Connection, source: str, records: Sequence[ContactRole], _now: Instant) -> Saved:
    """Roles of contacts; the contacts are looked at again."""
    before = _known(conn, crm_contact_roles, source, (r.id for r in records), crm_contact_roles.c.contact_id)
    drafts = [draft(crm_contact_roles, r, crm_account_id=r.account_id) for r in records]
    changed, gone = write_changed(conn, crm_contact_roles, source, drafts)
    now = {r.id: r.contact_id for r in records}
    contacts = {now[ref] for ref in changed} | {before[ref].contact_id for ref in changed if ref in before}
    dirty.mark(conn, "contacts", ((source, ref) for ref in contacts))
    return Saved(0, len(changed), gone)


def save_members(conn: Connection, source: str, records: Sequence[TeamMemberRecord], _now: Instant) -> Saved:
    """Our own users and owners."""
    drafts = [draft(crm_members, r, created_at=0, deleted_at=None) for r in records]
    changed, gone = write_changed(conn, crm_members, source, drafts)
    dirty.mark(conn, "members", ((source, ref) for ref in changed))
    return Saved(0, len(changed), gone)


def save_activities(conn: Connection, source: str, records: Sequence[ActivityRecord], now: Instant) -> Saved:
    """Activities, with their accounts and, where they travel along, their participants."""
    records = _with_links_kept(conn, crm_activity_accounts, "activity_id", source, records)
    drafts = [
        draft(
            crm_activities,
            r,
            sorted(r.account_ids),
            [_side(p) for p in sorted(r.participants or (), key=lambda p: p.id)],
        )
        for r in records
    ]
    changed, gone = write_changed(conn, crm_activities, source, drafts)
    wanted = set(changed)
    fresh = [r for r in records if r.id in wanted]
    set_links(conn, crm_activity_accounts, "activity_id", source, _accounts_named(conn, source, fresh))
    replace_participants(conn, source, {r.id: r.participants for r in fresh if r.participants is not None}, now)
    dirty.mark(conn, "activities", ((source, ref) for ref in changed))
    return Saved(0, len(changed), gone)


def _accounts_named(conn: Connection, source: str, records: Sequence[ActivityRecord]) -> Mapping[str, Sequence[str]]:
    """The accounts of each activity: those that it names, else that of the row it is about, where that is known."""
    about = {r.about_id for r in records if r.about_id and not r.account_ids}
    found = accounts_about(conn, source, about)
    return {r.id: r.account_ids or found.get(r.about_id or "", ()) for r in records}


def _side(p: ParticipantRecord) -> tuple[object, ...]:
    address = p.address.casefold() if p.address else None  # as it is kept
    return (p.id, p.role, p.contact_id, p.team_member_id, address, p.deleted_at)


def save_participants(conn: Connection, source: str, records: Sequence[ParticipantRecord], _now: Instant) -> Saved:
    """Participants that come as rows of their own."""
    c = crm_participants.c
    rows = {r.id: participant_row(source, r) for r in records}
    have: dict[str, dict[str, Any]] = {}
    for some in chunks(sorted(rows)):
        found = conn.execute(select(crm_participants).where(c.source == source, c.id.in_(some))).mappings()
        have |= {row["id"]: dict(row) for row in found}
    fresh = [row for ref, row in rows.items() if _but_stamp(have.get(ref)) != _but_stamp(row)]
    upsert(conn, crm_participants, fresh)
    dirty.mark(conn, "activities", ((source, row["activity_id"]) for row in fresh))
    gone = [row for row in fresh if row["deleted_at"] is not None]
    return Saved(0, len(fresh), len(gone))


def _but_stamp(row: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if row is None else {name: value for name, value in row.items() if name != "modified_at"}


def save_opportunities(conn: Connection, source: str, records: Sequence[OpportunityRecord], _now: Instant) -> Saved:
    """Opportunities; the fields of their accounts are read again."""
    drafts = [draft(crm_opportunities, r, crm_account_id=r.account_id) for r in records]
    return on_account(conn, crm_opportunities, source, drafts)


def save_tickets(conn: Connection, source: str, records: Sequence[TicketRecord], _now: Instant) -> Saved:
    """Tickets."""
    drafts = [draft(crm_tickets, r, crm_account_id=r.account_id) for r in records]
    return on_account(conn, crm_tickets, source, drafts)


def save_objects(conn: Connection, source: str, records: Sequence[ObjectRecord], _now: Instant) -> Saved:
    """Rows of other mapped objects."""
    saved = NOTHING
    by_object: defaultdict[str, list[ObjectRecord]] = defaultdict(list)
    for record in records:
        by_object[record.object].append(record)
    for name, some in by_object.items():
        drafts = [draft(crm_objects, r, crm_account_id=r.account_id) for r in some]
        saved += on_account(conn, crm_objects, source, drafts, crm_objects.c.object == name)
    return saved


def with_field(row: Mapping[str, Any], field: str, value: str | None) -> dict[str, Any]:
    """`fields` and `payload` of a row of `crm_accounts` once `field` holds what tierd has written there.

    The row that the next sync brings is then the row that is here: our own write is no change.
    """
    fields = as_json(json.loads(row["fields"]) | {field: value})
    return {"fields": fields, "payload": kept(crm_accounts, {**row, "fields": fields}).row("")["payload"]}


_HASHED: dict[type, Table] = {
    AccountRecord: crm_accounts,
    ContactRecord: crm_contacts,
    TeamMemberRecord: crm_members,
    ActivityRecord: crm_activities,
    OpportunityRecord: crm_opportunities,
    TicketRecord: crm_tickets,
    ObjectRecord: crm_objects,
    ContactRole: crm_contact_roles,
}


def distrust(conn: Connection, source: str, records: Sequence[Any]) -> None:
    """Forget the hashes of the rows of these records: whatever comes next is written over them."""
    ids: defaultdict[Table, set[str]] = defaultdict(set)
    for record in records:
        if type(record) in _HASHED:
            ids[_HASHED[type(record)]].add(record.id)
    for table, refs in ids.items():
        for some in chunks(sorted(refs)):
            conn.execute(update(table).where(table.c.source == source, table.c.id.in_(some)).values(payload=""))
