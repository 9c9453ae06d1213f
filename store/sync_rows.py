"""Write the rows of a batch, only those whose payload differs, and mark what derivation must look at again."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import Column, Connection, Table, delete, insert, select

from store import dirty
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
    UsageSample,
)
from store.refs import chunks, upsert
from store.saved import NOTHING, Saved
from store.sync_links import participant_row, set_links
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
    usage_samples,
)


def _digest(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:32]


def _json(fields: Mapping[str, object]) -> str:
    return json.dumps(fields, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _row(source: str, values: Mapping[str, Any], *also: object) -> dict[str, Any]:
    """A row with its payload hash; the modification stamp alone is no change."""
    content = {name: value for name, value in values.items() if name != "modified_at"}
    return {"source": source, **values, "payload": _digest(content, *also)}


def _values(table: Table, record: object, **given: Any) -> dict[str, Any]:
    """A record as values of the columns that bear the names of its fields; `given` are those that do not."""
    named = {column.name: getattr(record, column.name) for column in table.c if hasattr(record, column.name)}
    return {name: _plain(value) for name, value in named.items()} | given


def _plain(value: object) -> object:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, Mapping):
        return _json(value)
    return str(value) if isinstance(value, StrEnum) else value


def _known(conn: Connection, table: Table, source: str, ids: Iterable[str], *columns: Column[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for some in chunks(sorted(set(ids))):
        query = select(table.c.id, table.c.payload, table.c.deleted_at, *columns)
        for row in conn.execute(query.where(table.c.source == source, table.c.id.in_(some))):
            found[row.id] = row
    return found


def _write_changed(
    conn: Connection, table: Table, source: str, rows: Sequence[dict[str, Any]]
) -> tuple[list[str], int]:
    """Write the rows whose payload differs; gives their ids and how many of them are newly deleted."""
    latest = {row["id"]: row for row in rows}
    known = _known(conn, table, source, latest)
    fresh = [row for ref, row in latest.items() if ref not in known or known[ref].payload != row["payload"]]
    upsert(conn, table, fresh)
    gone = [
        row
        for row in fresh
        if row["deleted_at"] is not None and (row["id"] not in known or known[row["id"]].deleted_at is None)
    ]
    return [row["id"] for row in fresh], len(gone)


def save_accounts(conn: Connection, source: str, records: Sequence[AccountRecord], _now: Instant) -> Saved:
    """Accounts; the changed ones are linked again."""
    rows = [_row(source, _values(crm_accounts, r)) for r in records]
    changed, gone = _write_changed(conn, crm_accounts, source, rows)
    dirty.mark(conn, "accounts", ((source, ref) for ref in changed))
    return Saved(0, len(changed), gone)


def save_contacts(conn: Connection, source: str, records: Sequence[ContactRecord], _now: Instant) -> Saved:
    """Contacts and which accounts they are on."""
    rows = [_row(source, _values(crm_contacts, r), sorted(r.account_ids)) for r in records]
    changed, gone = _write_changed(conn, crm_contacts, source, rows)
    wanted = {r.id: r.account_ids for r in records if r.id in set(changed)}
    set_links(conn, crm_contact_accounts, "contact_id", source, wanted)
    dirty.mark(conn, "contacts", ((source, ref) for ref in changed))
    return Saved(0, len(changed), gone)


def save_contact_roles(conn: Connection, source: str, records: Sequence[ContactRole], _now: Instant) -> Saved:
    """Roles of contacts; the contacts are looked at again."""
    before = _known(conn, crm_contact_roles, source, (r.id for r in records), crm_contact_roles.c.contact_id)
    rows = [_row(source, _values(crm_contact_roles, r, crm_account_id=r.account_id)) for r in records]
    changed, gone = _write_changed(conn, crm_contact_roles, source, rows)
    now = {r.id: r.contact_id for r in records}
    contacts = {now[ref] for ref in changed} | {before[ref].contact_id for ref in changed if ref in before}
    dirty.mark(conn, "contacts", ((source, ref) for ref in contacts))
    return Saved(0, len(changed), gone)


def save_members(conn: Connection, source: str, records: Sequence[TeamMemberRecord], _now: Instant) -> Saved:
    """Our own users and owners."""
    rows = [_row(source, _values(crm_members, r, created_at=0, deleted_at=None)) for r in records]
    changed, gone = _write_changed(conn, crm_members, source, rows)
    dirty.mark(conn, "members", ((source, ref) for ref in changed))
    return Saved(0, len(changed), gone)


def save_activities(conn: Connection, source: str, records: Sequence[ActivityRecord], _now: Instant) -> Saved:
    """Activities, with their accounts and, where they travel along, their participants."""
    rows = [
        _row(
            source,
            _values(crm_activities, r),
            sorted(r.account_ids),
            [_side(p) for p in sorted(r.participants or (), key=lambda p: p.id)],
        )
        for r in records
    ]
    changed, gone = _write_changed(conn, crm_activities, source, rows)
    fresh = [r for r in records if r.id in set(changed)]
    set_links(conn, crm_activity_accounts, "activity_id", source, {r.id: r.account_ids for r in fresh})
    _replace_participants(conn, source, {r.id: r.participants for r in fresh if r.participants is not None})
    dirty.mark(conn, "activities", ((source, ref) for ref in changed))
    return Saved(0, len(changed), gone)


def _side(p: ParticipantRecord) -> tuple[object, ...]:
    return (p.id, p.role, p.contact_id, p.team_member_id, p.address, p.deleted_at)


def _replace_participants(
    conn: Connection, source: str, wanted: Mapping[str, Sequence[ParticipantRecord] | None]
) -> None:
    c = crm_participants.c
    for some in chunks(sorted(wanted)):
        conn.execute(delete(crm_participants).where(c.source == source, c.activity_id.in_(some)))
    rows = {p.id: participant_row(source, p) for sides in wanted.values() for p in sides or ()}
    if rows:
        conn.execute(insert(crm_participants), list(rows.values()))


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
    rows = [_row(source, _values(crm_opportunities, r, crm_account_id=r.account_id)) for r in records]
    return _on_account(conn, crm_opportunities, source, rows)


def save_tickets(conn: Connection, source: str, records: Sequence[TicketRecord], _now: Instant) -> Saved:
    """Tickets."""
    rows = [_row(source, _values(crm_tickets, r, crm_account_id=r.account_id)) for r in records]
    return _on_account(conn, crm_tickets, source, rows)


def _on_account(conn: Connection, table: Table, source: str, rows: Sequence[dict[str, Any]]) -> Saved:
    """Rows that hang on an account: the fields of the account they were on and of the one they are on change."""
    before = _known(conn, table, source, (row["id"] for row in rows), table.c.crm_account_id)
    changed, gone = _write_changed(conn, table, source, rows)
    now = {row["id"]: row["crm_account_id"] for row in rows}
    accounts = {now[ref] for ref in changed} | {before[ref].crm_account_id for ref in changed if ref in before}
    dirty.mark(conn, "fields", ((source, ref) for ref in accounts if ref))
    return Saved(0, len(changed), gone)


def save_objects(conn: Connection, source: str, records: Sequence[ObjectRecord], _now: Instant) -> Saved:
    """Rows of other mapped objects."""
    saved = NOTHING
    by_object: defaultdict[str, list[ObjectRecord]] = defaultdict(list)
    for record in records:
        by_object[record.object].append(record)
    for name, some in by_object.items():
        c = crm_objects.c
        have = {
            row.id: row
            for part in chunks(sorted({r.id for r in some}))
            for row in conn.execute(
                select(crm_objects).where(c.source == source, c.object == name, c.id.in_(part))
            ).all()
        }
        rows = [_row(source, _values(crm_objects, r, crm_account_id=r.account_id)) for r in some]
        fresh = [row for row in rows if row["id"] not in have or have[row["id"]].payload != row["payload"]]
        upsert(conn, crm_objects, fresh)
        accounts: set[str | None] = {row["crm_account_id"] for row in fresh}
        accounts |= {have[row["id"]].crm_account_id for row in fresh if row["id"] in have}
        dirty.mark(conn, "fields", ((source, ref) for ref in accounts if ref))
        saved += Saved(0, len(fresh), sum(row["deleted_at"] is not None for row in fresh))
    return saved


def save_samples(conn: Connection, source: str, records: Sequence[UsageSample], now: Instant) -> Saved:
    """Usage samples; one that is there with the same value is not written."""
    keys = ("key", "metric", "user", "at")
    rows: dict[tuple[Any, ...], dict[str, Any]] = {
        (r.key, r.metric, r.user or "", r.at): {
            "source": source,
            "key": r.key,
            "metric": r.metric,
            "user": r.user or "",
            "at": r.at,
            "value": r.value,
            "recorded_at": r.recorded_at if r.recorded_at is not None else now,
        }
        for r in records
    }
    have: dict[tuple[Any, ...], float] = {}
    c = usage_samples.c
    for some in chunks(sorted({r.key for r in records}), 500):
        low, high = min(r.at for r in records), max(r.at for r in records)
        near = select(usage_samples).where(c.source == source, c.key.in_(some), c.at.between(low, high))
        have |= {tuple(row[k] for k in keys): row["value"] for row in conn.execute(near).mappings()}
    fresh = [row for key, row in rows.items() if have.get(key) != row["value"]]
    upsert(conn, usage_samples, fresh)
    dirty.mark(conn, "samples", ((source, row["key"]) for row in fresh))
    return Saved(0, len(fresh), 0)


def with_field(row: Mapping[str, Any], field: str, value: str | None) -> dict[str, Any]:
    """`fields` and `payload` of a row of `crm_accounts` once `field` holds what tierd has written there.

    The row that the next sync brings is then the row that is here: our own write is no change.
    """
    fields = _json(json.loads(row["fields"]) | {field: value})
    content = {name: row[name] for name in row if name not in _NOT_HASHED}
    return {"fields": fields, "payload": _row("", content | {"fields": fields})["payload"]}


# Columns of `crm_accounts` that no record brings.
_NOT_HASHED = frozenset({"source", "payload", "account_id", "host", "modified_at"})
