"""Changing records that are there and making those that are not, by a property that is unique."""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.hubspot import errors
from sandbox.hubspot.call import Answer, Call, text
from sandbox.hubspot.objecttypes import ObjectType
from sandbox.hubspot.writes import BATCH, change, create, find


def batch_upsert(call: Call) -> Answer:
    """200, each result with `new`; one bad input refuses all, before anything is written."""
    kind = call.writable()
    inputs = call.inputs(BATCH)
    keys = [text(item.get("id")).lower() for item in inputs]
    if len(set(keys)) != len(keys):
        twice = sorted({key for key in keys if keys.count(key) > 1})
        raise errors.invalid(f"Duplicate IDs found in batch input: [{', '.join(twice)}]. IDs must be unique")
    # Two rounds, the first without a trace: what the first refuses must not have been written by half.
    for dry in (True, False):
        results = [_upserted(call, kind, item, dry) for item in inputs]
    return call.batch(200, results, [])


def _upserted(call: Call, kind: ObjectType, item: Mapping[str, object], dry: bool) -> dict[str, object]:
    key, id_property = text(item.get("id")), item.get("idProperty")
    row = find(call.state, kind, key, id_property)
    if row is not None:
        return change(call, kind, row, item, dry=dry) | {"new": False}
    if id_property in (None, "", "hs_object_id"):
        raise errors.not_found()
    properties = item.get("properties")
    given = {str(id_property): key, **properties} if isinstance(properties, Mapping) else properties
    return create(call, kind, {"properties": given}, dry=dry) | {"new": True}
