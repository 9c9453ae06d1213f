"""Keep values that were read apart from their rows (results of formulas): the rest of each row stays as it is."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, select

from store import dirty
from store.payload import Draft, as_json, kept
from store.records import FieldValues, Instant
from store.refs import chunks
from store.saved import NOTHING, Saved
from store.sync_write import on_account, write_changed
from store.tables import crm_accounts, crm_contact_accounts, crm_contacts, crm_objects, crm_opportunities

_TABLES: dict[str, Table] = {"accounts": crm_accounts, "contacts": crm_contacts, "opportunities": crm_opportunities}


def save_values(conn: Connection, source: str, records: Sequence[FieldValues], _now: Instant) -> Saved:
    """Values of rows that are there; a row that is unknown or deleted is left alone."""
    by_kind: defaultdict[str, dict[str, FieldValues]] = defaultdict(dict)
    for record in records:
        by_kind[record.object][record.id] = record
    saved = NOTHING
    for kind, wanted in by_kind.items():
        for some in chunks(sorted(wanted)):
            saved += _save(conn, source, kind, {ref: wanted[ref] for ref in some})
    return saved


def _save(conn: Connection, source: str, kind: str, wanted: dict[str, FieldValues]) -> Saved:
    name, _, custom = kind.partition(":")
    table = crm_objects if custom else _TABLES[name]
    also: tuple[ColumnElement[bool], ...] = (crm_objects.c.object == custom,) if custom else ()
    live = select(table).where(table.c.source == source, table.c.id.in_(wanted), table.c.deleted_at.is_(None), *also)
    rows = [dict(row) for row in conn.execute(live).mappings()]
    links = _links(conn, source, wanted) if table is crm_contacts else {}
    drafts = [_draft(table, row, wanted[row["id"]], links) for row in rows]
    if "crm_account_id" in table.c:
        return on_account(conn, table, source, drafts, *also)
    changed, gone = write_changed(conn, table, source, drafts)
    dirty.mark(conn, name, ((source, ref) for ref in changed))
    return Saved(0, len(changed), gone)


def _draft(table: Table, row: Mapping[str, Any], values: FieldValues, links: dict[str, list[str]]) -> Draft:
    also: tuple[object, ...] = (sorted(links.get(row["id"], ())),) if table is crm_contacts else ()
    before = kept(table, row, *also)
    given: dict[str, Any] = {"fields": as_json(json.loads(row["fields"]) | dict(values.fields))}
    for name, value in values.attributes.items():
        column = "crm_account_id" if name == "account_id" else name
        given[column] = int(value) if isinstance(value, bool) else value
    if any(row[name] != value for name, value in given.items()):
        given["modified_at"] = max(row["modified_at"], values.at)
    return replace(before, values={**before.values, **given})


def _links(conn: Connection, source: str, wanted: dict[str, FieldValues]) -> dict[str, list[str]]:
    c = crm_contact_accounts.c
    found: defaultdict[str, list[str]] = defaultdict(list)
    for row in conn.execute(select(crm_contact_accounts).where(c.source == source, c.contact_id.in_(wanted))):
        found[row.contact_id].append(row.crm_account_id)
    return found
