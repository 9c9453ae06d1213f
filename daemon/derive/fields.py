"""The mapped fields of each account, by precedence of the sources, and the usage that belongs to it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row

from daemon.derive.usage import USAGE_KEY, keys_of, name_accounts
from rules.fieldmap import Derivation, RawRow, SourceMapping, find
from store import account_fields, identity
from store.records import Instant
from store.refs import Ref


def map_fields(conn: Connection, refs: Sequence[Ref], settings: Derivation) -> set[int]:
    """Read the mapped fields of the accounts of these CRM rows into validity intervals."""
    account_ids = identity.account_ids(conn, refs)
    rows: defaultdict[int, list[Row[Any]]] = defaultdict(list)
    for row in account_fields.crm_rows(conn, account_ids):
        rows[row.account_id].append(row)
    crm_refs = [(row.source, row.id) for some in rows.values() for row in some]
    related = _related(conn, crm_refs)
    _, _, keys = identity.members_by_ref(conn)
    wanted = {account: _values(some, related, keys, settings) for account, some in sorted(rows.items())}
    account_fields.save(conn, wanted)
    name_accounts(conn, {account: _usage_keys(some, related, settings) for account, some in rows.items()})
    return account_ids


def _related(conn: Connection, refs: Sequence[Ref]) -> dict[Ref, dict[str, list[RawRow]]]:
    """Per CRM account: the live rows of each other object, and under '*' the stamps of those that left."""
    found: defaultdict[Ref, defaultdict[str, list[RawRow]]] = defaultdict(lambda: defaultdict(list))
    some: list[tuple[str, Row[Any]]] = [("opportunities", row) for row in account_fields.opportunities(conn, refs)]
    some += [(row.object, row) for row in account_fields.objects(conn, refs)]
    for name, row in some:
        raw = RawRow(row.id, row.deleted_at or row.modified_at, json.loads(row.fields))
        found[row.source, row.crm_account_id]["*" if row.deleted_at is not None else name].append(raw)
    return {ref: dict(objects) for ref, objects in found.items()}


def _values(
    rows: Sequence[Row[Any]],
    related: Mapping[Ref, Mapping[str, Sequence[RawRow]]],
    member_keys: Mapping[Ref, str],
    settings: Derivation,
) -> list[account_fields.FieldValue]:
    rank = {source: n for n, source in enumerate(settings.order)}
    live = [row for row in rows if row.deleted_at is None and not row.merged_into]
    ordered = sorted(live, key=lambda row: (rank.get(row.source, len(rank)), row.id))
    found: dict[str, account_fields.FieldValue] = {}
    for row in ordered:
        mapping = settings.mappings.get(row.source)
        if mapping is None:
            continue
        near = related.get((row.source, row.id), {})
        since = max([row.modified_at, *(r.modified_at for some in near.values() for r in some)])
        for value in _row_values(row, mapping, near, member_keys, since):
            found.setdefault(value.field, value)
    csm, stand_in = found.get("csm"), found.pop("owner_csm", None)
    if csm is None and stand_in is not None:
        found["csm"] = account_fields.FieldValue("csm", None, stand_in.text, stand_in.source, stand_in.since)
        found["csm_fallback"] = account_fields.FieldValue("csm_fallback", 1, None, stand_in.source, stand_in.since)
    _combine(found, ordered)
    return [found[name] for name in sorted(found)]


def _usage_keys(
    rows: Sequence[Row[Any]], related: Mapping[Ref, Mapping[str, Sequence[RawRow]]], settings: Derivation
) -> set[str]:
    """Every workspace key that any of the account's CRM rows names."""
    found: set[str] = set()
    for row in rows:
        options = settings.mappings[row.source].fields.get(USAGE_KEY, ()) if row.source in settings.mappings else ()
        if options and row.deleted_at is None and not row.merged_into:
            own = RawRow(row.id, row.modified_at, json.loads(row.fields))
            found |= keys_of(options, own, related.get((row.source, row.id), {}))
    return found


def _combine(found: dict[str, account_fields.FieldValue], rows: Sequence[Row[Any]]) -> None:
    """An account is a customer when any of its rows says so: a copy in another CRM may simply not know."""
    said = [row for row in rows if row.customer is not None]
    if said:
        row = next((row for row in said if row.customer), said[0])
        since = max(r.modified_at for r in said)
        found["customer"] = account_fields.FieldValue("customer", int(row.customer), None, row.source, since)


def _row_values(
    row: Row[Any],
    mapping: SourceMapping,
    related: Mapping[str, Sequence[RawRow]],
    member_keys: Mapping[Ref, str],
    since: Instant,
) -> Iterable[account_fields.FieldValue]:
    own = RawRow(row.id, row.modified_at, json.loads(row.fields))

    def value(field: str, num: int | None = None, text: str | None = None) -> account_fields.FieldValue:
        return account_fields.FieldValue(field, num, text, row.source, since)

    for field, options in mapping.fields.items():
        found = find(field, options, own, related)
        if found is not None:
            yield value(field, found.num, found.text)
    yield value("name", text=row.name)
    if row.host:
        yield value("domain", text=row.host)
    csm = find("csm", mapping.csm, own, related)
    if csm is not None and csm.text:
        yield value("csm", text=member_keys.get((row.source, csm.text), csm.text.casefold()))
    if row.owner_id:
        yield value("owner_csm", text=member_keys.get((row.source, row.owner_id), f"{row.source}:{row.owner_id}"))
    if mapping.churned is not None:
        gone = mapping.churned(own.fields)
        if gone is not None:
            yield value("churned", num=int(gone))
    if mapping.tier_field:
        tier = own.fields.get(mapping.tier_field)
        if tier not in (None, ""):
            yield value(f"tier_field:{row.source}", text=str(tier))
