"""Merging two records: which id survives, and what the survivor says of those that went into it."""

from __future__ import annotations

from sandbox.clock import MILLISECOND
from sandbox.hubspot import errors
from sandbox.hubspot.call import Answer, Call, text
from sandbox.hubspot.objecttypes import ObjectType
from sandbox.hubspot.state import VENDOR, HubSpotState, shown
from sandbox.versions import Change, Row


def merge_records(call: Call) -> Answer:
    """POST merge: the survivor may be a new record; GET of a loser's id gives the survivor."""
    kind = call.writable()
    body = call.object_body()
    ids = [text(body.get("primaryObjectId")), text(body.get("objectIdToMerge"))]
    primary, other = (call.state.live(kind.name, i) for i in ids)
    if primary is None or other is None or primary.id == other.id:
        raise errors.invalid("Invalid object ids for a merge")
    winner = merge(call.state, kind, primary, other, call.state.store.now())
    return Answer(200, shown(call.state, kind, winner, ()))


def merge(state: HubSpotState, kind: ObjectType, primary: Row, other: Row, at: int) -> Row:
    """Make one live record of two, at `at` (UTC microseconds); by switch a new one, else `primary` stays.

    `hs_merged_object_ids` names every id that ever went in. A contact's `hs_calculated_merged_vids` names only those of
    the last merge, with its time: it misses chains (fivetran/dbt_hubspot#172, #46).
    """
    store = state.store
    gone = [r.id for r in (primary, other)] if state.switches.merge_mints_id else [other.id]
    every = [i for row in (primary, other) for i in (*_merged(row), row.id) if row.id in gone or i != row.id]
    fields: dict[str, object] = {"hs_merged_object_ids": ";".join(dict.fromkeys(every))}
    if "hs_calculated_merged_vids" in state.schema.properties[kind.name]:
        fields["hs_calculated_merged_vids"] = ";".join(f"{i}:{at // MILLISECOND}" for i in gone)
    winner = primary.id
    if state.switches.merge_mints_id:
        winner = state.new_id(kind.name)
        store.apply(Change(at, VENDOR, "create", kind.name, winner, {**other.fields, **primary.fields}))
    elif missing := {k: v for k, v in other.fields.items() if primary.fields.get(k) in (None, "")}:
        store.apply(Change(at, VENDOR, "update", kind.name, winner, missing))
    for loser in gone:
        store.apply(Change(at, VENDOR, "merge", kind.name, loser, fields, into=winner))
    return store.table(kind.name).rows[winner]


def _merged(row: Row) -> list[str]:
    return [i for i in str(row.fields.get("hs_merged_object_ids") or "").split(";") if i]
