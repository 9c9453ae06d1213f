"""Changing records one by one and by batch, with the stamps and the three ways in which batches fail."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from sandbox.hubspot import errors
from sandbox.hubspot.call import Answer, Call, text
from sandbox.hubspot.checks import Fields, Warnings, check, holding
from sandbox.hubspot.objecttypes import ObjectType
from sandbox.hubspot.state import APP_USER, VENDOR, HubSpotState, shown
from sandbox.versions import Change, Row

BATCH = 100
"""Most inputs of a batch."""
_WRITER = ("hs_updated_by_user_id",)


def create_record(call: Call) -> Answer:
    """POST of one record: 201 with its address."""
    kind = call.writable()
    row, warnings = _create(call, kind, call.object_body())
    location = f"https://api.hubapi.com{call.path}/{row.id}"
    return Answer(201, _said(call.state, kind, row, row.fields, _WRITER) | warnings, {"Location": location})


def update_record(call: Call) -> Answer:
    """PATCH of one record."""
    kind = call.writable()
    row = find(call.state, kind, call.params["record_id"], call.query.get("idProperty"))
    if row is None:
        raise errors.not_found()
    if call.state.is_locked(row.id):
        raise errors.locked(call.state.switches.locked_status, row.id)
    fields, warnings = check(call, kind, call.object_body().get("properties"), row)
    row = write(call.state, kind, row.id, fields)
    return Answer(200, _said(call.state, kind, row, fields, _WRITER) | _warned(warnings))


def archive_record(call: Call) -> Answer:
    """DELETE: 204, also for what is archived already."""
    kind = call.writable()
    row_id = call.params["record_id"]
    if call.state.store.get(kind.name, row_id) is None:
        raise errors.not_found()
    _archive(call.state, kind, row_id)
    return Answer(204)


def batch_archive(call: Call) -> Answer:
    """204 whatever the ids."""
    kind = call.writable()
    for item in call.inputs(BATCH):
        _archive(call.state, kind, text(item.get("id")))
    return Answer(204)


def batch_create(call: Call) -> Answer:
    """201; one bad input refuses all."""
    kind = call.writable()
    inputs = call.inputs(BATCH)
    for item in inputs:
        check(call, kind, item.get("properties"), None)
    made = [_create(call, kind, item) for item in inputs]
    return call.batch(201, [_said(call.state, kind, r, r.fields) | warnings for r, warnings in made], [])


def batch_update(call: Call) -> Answer:
    """200, 207 or 400, by `Switches.batch_errors`; an unknown id is a 207's error in any case."""
    kind = call.writable()
    inputs = call.inputs(BATCH)
    ids = [text(item.get("id")) for item in inputs]
    if len(set(ids)) != len(ids):
        twice = sorted({i for i in ids if ids.count(i) > 1})
        raise errors.invalid(f"Duplicate IDs found in batch input: [{', '.join(twice)}]. IDs must be unique")
    sorted_out = _sort_out(call, kind, inputs)
    mode = call.state.switches.batch_errors
    if sorted_out.bad and mode == "whole":
        raise sorted_out.bad[0]
    if sorted_out.bad and mode == "silent":
        return call.batch(200, [], [])
    results = [
        _said(call.state, kind, write(call.state, kind, row_id, fields), fields) | _warned(warnings)
        for row_id, fields, warnings in sorted_out.good
    ]
    return call.batch(200, results, sorted_out.failed)


def change(call: Call, kind: ObjectType, row: Row, item: Mapping[str, object], *, dry: bool) -> dict[str, object]:
    """A record of a batch as it is after the write; `dry`: only what would be refused is."""
    if call.state.is_locked(row.id):
        raise errors.locked(call.state.switches.locked_status, row.id)
    fields, warnings = check(call, kind, item.get("properties"), row)
    return {} if dry else _said(call.state, kind, write(call.state, kind, row.id, fields), fields) | _warned(warnings)


def create(call: Call, kind: ObjectType, item: Mapping[str, object], *, dry: bool) -> dict[str, object]:
    """A new record of a batch; `dry`: only what would be refused is."""
    if dry:
        check(call, kind, item.get("properties"), None)
        return {}
    row, warnings = _create(call, kind, item)
    return _said(call.state, kind, row, row.fields) | warnings


def write(state: HubSpotState, kind: ObjectType, row_id: str, fields: Mapping[str, object], by: int = APP_USER) -> Row:
    """Store checked fields, stamped with the vendor's clock and with the user who wrote them."""
    return state.store.upsert_by_api(kind.name, row_id, {**fields, "hs_updated_by_user_id": by})


def not_got(kind: ObjectType, missing: list[str]) -> dict[str, object]:
    """The one entry of a 207's errors for all ids that are archived or unknown."""
    message = f"Could not get some {kind.singular.upper()} objects, they may be deleted or not exist. Check that ids are valid."
    return errors.item_error("OBJECT_NOT_FOUND", message, {"ids": missing})


def find(state: HubSpotState, kind: ObjectType, row_id: str, id_property: object) -> Row | None:
    """A live record by id, or by the value of a property that is unique."""
    if id_property in (None, "", "hs_object_id"):
        return state.live(kind.name, row_id)
    prop = state.schema.properties[kind.name].get(str(id_property))
    if prop is None or not prop.unique:
        raise errors.invalid(f"Property {id_property} is not a unique property")
    return next(holding(state, kind, prop.name, row_id), None)


def _said(
    state: HubSpotState, kind: ObjectType, row: Row, fields: Iterable[str], more: tuple[str, ...] = ()
) -> dict[str, object]:
    """A written record as it is answered: what was sent, and what the vendor derives from it (recorded)."""
    sent = tuple(f for f in fields if f != _WRITER[0])
    derived = ("hs_email_domain",) if "email" in sent else ()
    return shown(state, kind, row, (*sent, *derived, *more))


@dataclass(slots=True)
class _Sorted:
    """The rows of a batch update: what can be written, entries for a 207's errors, what a whole refusal would say."""

    good: list[tuple[str, Fields, Warnings]] = field(default_factory=list)
    failed: list[dict[str, object]] = field(default_factory=list)
    bad: list[errors.Refusal] = field(default_factory=list)


def _sort_out(call: Call, kind: ObjectType, inputs: list[dict[str, object]]) -> _Sorted:
    sorted_out = _Sorted()
    missing: list[str] = []
    for item in inputs:
        row_id, trace = text(item.get("id")), item.get("objectWriteTraceId")
        row = find(call.state, kind, row_id, item.get("idProperty"))
        if row is None:
            missing.append(row_id)
            continue
        context = {"ids": [row_id]}
        if trace is not None and call.state.switches.trace_context:
            context["objectWriteTraceId"] = [str(trace)]
        try:
            if call.state.is_locked(row.id):
                raise errors.locked(call.state.switches.locked_status, row.id)
            fields, warnings = check(call, kind, item.get("properties"), row)
            sorted_out.good.append((row.id, fields, warnings))
        except errors.Refusal as refusal:
            sorted_out.bad.append(refusal)
            details = {"errors": refusal.body["errors"]} if "errors" in refusal.body else {}
            category = str(refusal.body["category"])
            sorted_out.failed.append(errors.item_error(category, str(refusal), context, **details))
    if missing:
        sorted_out.failed.append(not_got(kind, missing))
    return sorted_out


def _create(call: Call, kind: ObjectType, item: Mapping[str, object]) -> tuple[Row, dict[str, object]]:
    fields, warnings = check(call, kind, item.get("properties"), None)
    links = list(_links(call, kind, item.get("associations") or []))
    row = write(call.state, kind, call.state.new_id(kind.name), fields)
    for to_name, to_id, label in links:
        named = {"label": label, "label_back": call.state.schema.links.back(label)}
        change = Change(call.state.store.now(), VENDOR, "associate", kind.name, row.id, named, to_name, to_id)
        call.state.store.apply(change)
    return row, _warned(warnings)


def _warned(warnings: Warnings) -> dict[str, object]:
    return {"warnings": warnings} if warnings else {}


def _links(call: Call, kind: ObjectType, wanted: object) -> Iterator[tuple[str, str, str | None]]:
    """(object, id, label) of the `associations` of a new record; the type id tells the object."""
    for link in wanted if isinstance(wanted, list) else ():
        to_id = text(link["to"]["id"])
        for spec in link["types"]:
            type_id = int(spec["associationTypeId"])
            for to_kind in call.state.schema.kinds():
                try:
                    label = call.state.schema.links.label_of(kind.name, to_kind.name, type_id)
                except KeyError:
                    continue
                if call.state.live(to_kind.name, to_id) is None:
                    raise errors.invalid(f"{to_kind.singular.upper()}={to_id} is not valid")
                yield to_kind.name, to_id, label


def _archive(state: HubSpotState, kind: ObjectType, row_id: str) -> None:
    row = state.store.get(kind.name, row_id)
    if row is not None and row.deleted_at is None:
        state.store.delete_by_api(kind.name, row_id)
