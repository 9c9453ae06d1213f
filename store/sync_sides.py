"""Write who takes part in activities: complete sets, and what stays of those whose contact is deleted.

A CRM that deletes a contact shows no link to it any more, although nobody has said that the person took no part. So a
contact that is known as deleted stays in the activities it was in; one that goes missing first is put back once its
deletion is known.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from store import dirty
from store.records import Instant, ParticipantRecord
from store.refs import chunks, upsert
from store.tables import crm_contacts, crm_participants


def participant_row(source: str, p: ParticipantRecord) -> dict[str, Any]:
    """One participant as its row; addresses in lower case."""
    return {
        "source": source,
        "id": p.id,
        "activity_id": p.activity_id,
        "role": p.role,
        "contact_id": p.contact_id,
        "team_member_id": p.team_member_id,
        "address": p.address.casefold() if p.address else None,
        "host": None if p.contact_id or not p.address else p.address.casefold().rpartition("@")[2] or None,
        "modified_at": p.modified_at,
        "deleted_at": p.deleted_at,
    }


def off_file() -> ColumnElement[bool]:
    """Is a participant a contact that is deleted; one that was merged takes part as the one it became."""
    contact, p = crm_contacts.c, crm_participants.c
    same = (contact.source == p.source) & (contact.id == p.contact_id)
    gone = contact.deleted_at.is_not(None) & contact.merged_into.is_(None)
    return select(contact.id).where(same, gone).correlate(crm_participants).exists()


def replace_participants(
    conn: Connection, source: str, wanted: Mapping[str, Sequence[ParticipantRecord]], now: Instant
) -> None:
    """Bring all participants of some activities, of whatever role."""
    c = crm_participants.c
    rows = {p.id: participant_row(source, p) for sides in wanted.values() for p in sides}
    old: list[str] = []
    missing: list[str] = []
    for some in chunks(sorted(wanted)):
        have = select(c.id, c.contact_id).where(c.source == source, c.activity_id.in_(some))
        for row in conn.execute(have):
            (missing if row.contact_id and row.id not in rows else old).append(row.id)
    for some in chunks(old):
        conn.execute(delete(crm_participants).where(c.source == source, c.id.in_(some)))
    if rows:
        conn.execute(insert(crm_participants), list(rows.values()))
    _take_off(conn, source, missing, now)


def link_participants(conn: Connection, source: str, wanted: Mapping[str, Sequence[str]], now: Instant) -> set[str]:
    """Bring the contacts that are associated with some activities; gives the ids of the activities that changed."""
    c = crm_participants.c
    have: defaultdict[str, dict[str, str]] = defaultdict(dict)
    off: set[str] = set()
    for some in chunks(sorted(wanted)):
        where = (c.source == source) & c.activity_id.in_(some) & (c.role == "who") & c.contact_id.is_not(None)
        query = select(c.activity_id, c.contact_id, c.id, off_file().label("off"))
        for row in conn.execute(query.where(where, c.deleted_at.is_(None))):
            have[row.activity_id][row.contact_id] = row.id
            off |= {row.id} if row.off else set()
    fresh, surplus, changed = [], [], set()
    for activity, contacts in wanted.items():
        missing = set(contacts) - set(have[activity])
        extra = {ref for ref, row in have[activity].items() if row not in off} - set(contacts)
        fresh += [
            participant_row(source, ParticipantRecord(f"{activity}:who:{ref}", activity, "who", ref, modified_at=now))
            for ref in sorted(missing)
        ]
        surplus += [have[activity][ref] for ref in extra]
        if missing or extra:
            changed.add(activity)
    upsert(conn, crm_participants, fresh)
    _take_off(conn, source, surplus, now)
    dirty.mark(conn, "activities", ((source, ref) for ref in changed))
    return changed


def _take_off(conn: Connection, source: str, ids: Sequence[str], now: Instant) -> None:
    """Contacts that are not said to take part any more, since when; those that are deleted stay."""
    c = crm_participants.c
    for some in chunks(sorted(ids)):
        here = (c.source == source, c.id.in_(some), c.deleted_at.is_(None), ~off_file())
        conn.execute(update(crm_participants).where(*here).values(deleted_at=now))


def put_back(conn: Connection, source: str, when: Mapping[str, Instant]) -> None:
    """After contacts became tombstones: whoever went missing at that instant or later was not taken off, but deleted."""
    c = crm_participants.c
    for some in chunks(sorted(when)):
        taken = select(c.id, c.activity_id, c.contact_id, c.deleted_at)
        taken = taken.where(c.source == source, c.contact_id.in_(some), c.deleted_at.is_not(None))
        back = [row for row in conn.execute(taken) if row.deleted_at >= when[row.contact_id]]
        for part in chunks(back):
            this = (c.source == source, c.id.in_([row.id for row in part]))
            conn.execute(update(crm_participants).where(*this).values(deleted_at=None))
        dirty.mark(conn, "activities", ((source, row.activity_id) for row in back))
