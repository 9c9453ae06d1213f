"""Changing records: what HubSpot checks before it takes a value, and the stamps it sets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from sandbox.hubspot import errors
from sandbox.hubspot.call import Answer, Call, text
from sandbox.hubspot.linktypes import label_of
from sandbox.hubspot.schema import ObjectType, Property
from sandbox.hubspot.state import APP_USER, VENDOR, HubSpotState, shown
from sandbox.hubspot.values import BadValue, parse
from sandbox.versions import Change, Row

_BATCH = 100
_WRITER = ("hs_updated_by_user_id",)
_ENFORCING = "2026-09"
"""From this version on writes enforce required properties (changelog crm-api-write-validation-enforcement)."""


def create_record(call: Call) -> Answer:
    """POST of one record: 201 with its address."""
    kind = call.writable()
    row = _create(call, kind, call.object_body())
    location = f"https://api.hubapi.com{call.path}/{row.id}"
    return Answer(201, _said(call.state, kind, row, row.fields, _WRITER), {"Location": location})


def update_record(call: Call) -> Answer:
    """PATCH of one record."""
    kind = call.writable()
    row = find(call.state, kind, call.params["record_id"], call.query.get("idProperty"))
    if row is None:
        raise errors.not_found()
    fields = check(call, kind, call.object_body().get("properties"), row)
    row = write(call.state, kind, row.id, fields)
    return Answer(200, _said(call.state, kind, row, fields, _WRITER))


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
    for item in call.inputs(_BATCH):
        _archive(call.state, kind, text(item.get("id")))
    return Answer(204)


def batch_create(call: Call) -> Answer:
    """201; one bad input refuses all."""
    kind = call.writable()
    inputs = call.inputs(_BATCH)
    for item in inputs:
        check(call, kind, item.get("properties"), None)
    rows = [_create(call, kind, item) for item in inputs]
    return call.batch(201, [_said(call.state, kind, r, r.fields) for r in rows], [])


def batch_update(call: Call) -> Answer:
    """200, 207 or 400, by `Switches.batch_errors`; an unknown id is a 207's error in any case."""
    kind = call.writable()
    inputs = call.inputs(_BATCH)
    ids = [text(item.get("id")) for item in inputs]
    if len(set(ids)) != len(ids):
        twice = sorted({i for i in ids if ids.count(i) > 1})
        raise errors.invalid(f"Duplicate IDs found in batch input: [{', '.join(twice)}]. IDs must be unique")
    good, failed, bad = _sort_out(call, kind, inputs)
    if bad and call.state.switches.batch_errors == "whole":
        raise bad[0]
    if bad and call.state.switches.batch_errors == "silent":
        return call.batch(200, [], [])
    results = [_said(call.state, kind, write(call.state, kind, row_id, fields), fields) for row_id, fields in good]
    return call.batch(200, results, failed)


def merge_records(call: Call) -> Answer:
    """POST merge: the survivor may be a new record; GET of a loser's id gives the survivor."""
    kind = call.writable()
    body = call.object_body()
    ids = [text(body.get("primaryObjectId")), text(body.get("objectIdToMerge"))]
    rows = [call.state.live(kind.name, i) for i in ids]
    primary, other = rows
    if primary is None or other is None or primary.id == other.id:
        raise errors.invalid("Invalid object ids for a merge")
    merged = [r.id for r in (primary, other)]
    for row in (primary, other):
        merged += str(row.fields.get("hs_merged_object_ids") or "").split(";")
    names = {"hs_merged_object_ids": ";".join(dict.fromkeys(i for i in merged if i))}
    store, now, winner, losers = call.state.store, call.state.now, primary.id, [other.id]
    if call.state.switches.merge_mints_id:
        winner, losers = call.state.new_id(kind.name), [primary.id, other.id]
        store.apply(Change(now, VENDOR, "create", kind.name, winner, {**other.fields, **primary.fields}))
    for loser in losers:
        store.apply(Change(now, VENDOR, "merge", kind.name, loser, names, into=winner))
    return Answer(200, shown(call.state, kind, store.table(kind.name).rows[winner], ()))


def check(call: Call, kind: ObjectType, raw: object, row: Row | None) -> dict[str, object]:
    """Properties as sent -> what is stored. Refuses all if one is bad; `row` is None for a new record."""
    if not isinstance(raw, Mapping):
        raise errors.invalid("Invalid input JSON: 'properties' is required")
    fields, problems = typed(call.state, kind, raw)
    if problems:
        raise errors.property_errors(problems)
    if call.version >= _ENFORCING and call.version != "v3" and call.state.switches.enforce_required:
        after = {**(row.fields if row else {}), **fields}
        missing = [name for name in kind.required if after.get(name) in (None, "")]
        if missing:
            raise errors.required_missing(kind.singular, missing)
    if row is None and kind.name == "tickets" and not fields.get("hs_pipeline_stage"):
        raise errors.required_missing(kind.singular, ["hs_pipeline_stage"])
    for name, value in fields.items():
        if value is not None and call.state.schema.properties[kind.name][name].unique:
            _check_unique(call.state, kind, name, value, row)
    return fields


def typed(
    state: HubSpotState, kind: ObjectType, raw: Mapping[str, object]
) -> tuple[dict[str, object], list[dict[str, object]]]:
    """(fields to store, problems as HubSpot words them)."""
    known = state.schema.properties[kind.name]
    fields: dict[str, object] = {}
    problems: list[dict[str, object]] = []
    for name, value in raw.items():
        prop = known.get(name)
        try:
            fields[name] = _take(state, name, prop, value)
        except BadValue as bad:
            problem: dict[str, object] = {"isValid": False, "message": str(bad), "error": bad.code, "name": name}
            problems.append(problem | {"localizedErrorMessage": str(bad), "portalId": state.portal_id})
    return fields, problems


def write(state: HubSpotState, kind: ObjectType, row_id: str, fields: Mapping[str, object], by: int = APP_USER) -> Row:
    """Store checked fields, stamped with the scenario clock and with the user who wrote them."""
    return state.store.upsert_by_api(kind.name, row_id, {**fields, "hs_updated_by_user_id": by})


def _said(
    state: HubSpotState, kind: ObjectType, row: Row, fields: Iterable[str], more: tuple[str, ...] = ()
) -> dict[str, object]:
    """A written record as it is answered: what was sent, and what the vendor derives from it (recorded)."""
    sent = tuple(f for f in fields if f != _WRITER[0])
    derived = ("hs_email_domain",) if "email" in sent else ()
    return shown(state, kind, row, (*sent, *derived, *more))


def _take(state: HubSpotState, name: str, prop: Property | None, value: object) -> object:
    if prop is None:
        raise BadValue("PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist')
    if prop.read_only:
        raise BadValue("READ_ONLY_VALUE", f'"{name}" is a read only property; its value cannot be set.')
    if not isinstance(value, str | int | float | bool | None):
        raise errors.invalid(f"Invalid input JSON: property {name} must be a string")
    stored = parse(prop, value)
    if prop.kind == "owner" and stored is not None and not state.owner_exists(str(stored)):
        raise BadValue("INVALID_OWNER_ID", f"{stored} is not a valid owner id.")
    return stored


def _sort_out(
    call: Call, kind: ObjectType, inputs: list[dict[str, object]]
) -> tuple[list[tuple[str, dict[str, object]]], list[dict[str, object]], list[errors.Refusal]]:
    """(good rows, entries for a 207's errors, what a whole refusal would say)."""
    good: list[tuple[str, dict[str, object]]] = []
    failed: list[dict[str, object]] = []
    bad: list[errors.Refusal] = []
    missing: list[str] = []
    for item in inputs:
        row_id, trace = text(item.get("id")), item.get("objectWriteTraceId")
        row = find(call.state, kind, row_id, item.get("idProperty"))
        if row is None:
            missing.append(row_id)
            continue
        try:
            good.append((row.id, check(call, kind, item.get("properties"), row)))
        except errors.Refusal as refusal:
            bad.append(refusal)
            context = {"ids": [row_id]} | ({"objectWriteTraceId": [str(trace)]} if trace is not None else {})
            failed.append(errors.item_error("VALIDATION_ERROR", str(refusal), context))
    if missing:
        failed.append(not_got(kind, missing))
    return good, failed, bad


def not_got(kind: ObjectType, missing: list[str]) -> dict[str, object]:
    """The one entry of a 207's errors for all ids that are archived or unknown."""
    message = f"Could not get some {kind.singular.upper()} objects, they may be deleted or not exist. Check that ids are valid."
    return errors.item_error("OBJECT_NOT_FOUND", message, {"ids": missing})


def _create(call: Call, kind: ObjectType, item: Mapping[str, object]) -> Row:
    fields = check(call, kind, item.get("properties"), None)
    links = list(_links(call, kind, item.get("associations") or []))
    row = write(call.state, kind, call.state.new_id(kind.name), fields)
    for to_name, to_id, label in links:
        change = Change(call.state.now, VENDOR, "associate", kind.name, row.id, {"label": label}, to_name, to_id)
        call.state.store.apply(change)
    return row


def _links(call: Call, kind: ObjectType, wanted: object) -> Iterator[tuple[str, str, str | None]]:
    """(object, id, label) of the `associations` of a new record; the type id tells the object."""
    for link in wanted if isinstance(wanted, list) else ():
        to_id = text(link["to"]["id"])
        for spec in link["types"]:
            type_id = int(spec["associationTypeId"])
            for to_kind in dict.fromkeys(t.name for t in call.state.schema.types.values()):
                try:
                    label = label_of(kind.name, to_kind, type_id)
                except KeyError:
                    continue
                if call.state.live(to_kind, to_id) is None:
                    raise errors.invalid(f"{to_kind[:-1].upper()}={to_id} is not valid")
                yield to_kind, to_id, label


def find(state: HubSpotState, kind: ObjectType, row_id: str, id_property: object) -> Row | None:
    """A live record by id, or by the value of a property that is unique."""
    if id_property in (None, "", "hs_object_id"):
        return state.live(kind.name, row_id)
    prop = state.schema.properties[kind.name].get(str(id_property))
    if prop is None or not prop.unique:
        raise errors.invalid(f"Property {id_property} is not a unique property")
    return next((r for r in _holding(state, kind, prop.name, row_id)), None)


def _holding(state: HubSpotState, kind: ObjectType, name: str, value: object) -> Iterator[Row]:
    wanted = str(value).lower()
    for row in state.store.table(kind.name).rows.values():
        if row.deleted_at is None and str(row.fields.get(name) or "").lower() == wanted:
            yield row


def _check_unique(state: HubSpotState, kind: ObjectType, name: str, value: object, row: Row | None) -> None:
    for other in _holding(state, kind, name, value):
        if row is None or other.id != row.id:
            raise errors.already_exists(kind.singular, other.id)


def _archive(state: HubSpotState, kind: ObjectType, row_id: str) -> None:
    row = state.store.get(kind.name, row_id)
    if row is not None and row.deleted_at is None:
        state.store.delete_by_api(kind.name, row_id)
