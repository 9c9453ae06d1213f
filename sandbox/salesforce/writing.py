"""Writes of single rows as the API makes them: checks of names, types, picklists and references, then stamps."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from sandbox.clock import DAY
from sandbox.salesforce import derived, ids, wire
from sandbox.salesforce.errors import Refused, deleted, no_such_row, unknown_column
from sandbox.salesforce.schema import TEXT_TYPES, Field, SObject
from sandbox.salesforce.state import State
from sandbox.versions import At, On, Row

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+\Z")
_ASSIGNED = frozenset({"Account", "Case", "Lead"})
"""Objects whose assignment rules run on a write unless Sforce-Auto-Assign says FALSE."""


class Journal:
    """Row versions from before the writes of one transaction, to put them back."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._before: list[tuple[str, str, Row | None]] = []

    def note(self, object_name: str, row_id: str) -> None:
        """Remember the row as it is now."""
        self._before.append((object_name, row_id, self._state.store.get(object_name, row_id)))

    def undo(self) -> None:
        """Put everything back as it was."""
        for object_name, row_id, row in reversed(self._before):
            put_back(self._state, object_name, row_id, row)
        self._before.clear()


def put_back(state: State, object_name: str, row_id: str, row: Row | None) -> None:
    """Make an earlier version the newest again; None: there was no such row."""
    table = state.store.table(object_name)
    # Dropped first, so that the stamp index never holds the same version twice.
    table.drop(row_id)
    if row is not None:
        table.put(row)


def create(state: State, sobject: SObject, given: Mapping[str, Any], journal: Journal) -> str:
    """A new row from JSON fields; returns its id. Refused when the vendor refuses the values."""
    if not sobject.createable:
        raise Refused(400, "INVALID_TYPE_FOR_OPERATION", f"entity type {sobject.name} does not support create")
    fields = checked(state, sobject, given, creating=True)
    missing = [f.name for f in sobject.fields if f.createable and not f.nillable and not f.defaulted]
    missing = [name for name in missing if fields.get(name) in (None, "")]
    if missing:
        message = f"Required fields are missing: [{', '.join(missing)}]"
        raise Refused(400, "REQUIRED_FIELD_MISSING", message, tuple(missing))
    row_id = state.new_id(sobject.prefix or "000")
    _strike(state, sobject, row_id)
    defaults: dict[str, object] = {"CreatedById": state.settings.user_id, "LastModifiedById": state.settings.user_id}
    if sobject.has("OwnerId"):
        defaults["OwnerId"] = state.settings.user_id
    stored = {**defaults, **derived.of_write(sobject.name, {}, fields, state.now), **fields}
    _obey_rules(state, sobject, stored)
    journal.note(sobject.name, row_id)
    state.store.upsert_by_api(sobject.name, row_id, stored)
    return row_id


def update(
    state: State, sobject: SObject, row_id: str, given: Mapping[str, Any], journal: Journal, *, auto_assign: bool
) -> None:
    """Change fields of a row, stamping LastModified and SystemModstamp; assignment rules may move the owner (R37)."""
    if not sobject.updateable:
        raise Refused(400, "INVALID_TYPE_FOR_OPERATION", f"entity type {sobject.name} does not support update")
    fields = checked(state, sobject, given, creating=False)
    row = writable(state, sobject, row_id)
    _strike(state, sobject, row.id)
    extra = derived.of_write(sobject.name, row.fields, fields, state.now)
    if auto_assign and sobject.name in _ASSIGNED and "OwnerId" not in fields:
        extra = {**extra, **_reassigned(state, row)}
    _obey_rules(state, sobject, {**row.fields, **extra, **fields})
    stamps = {"LastModifiedById": state.settings.user_id, "LastModifiedDate": None}
    journal.note(sobject.name, row.id)
    state.store.upsert_by_api(sobject.name, row.id, {**extra, **fields, **stamps})


def delete(state: State, sobject: SObject, row_id: str, journal: Journal) -> None:
    """Put a row in the recycle bin."""
    if not sobject.deletable:
        raise Refused(400, "INVALID_TYPE_FOR_OPERATION", f"entity type {sobject.name} does not support delete")
    row = writable(state, sobject, row_id)
    _strike(state, sobject, row.id)
    journal.note(sobject.name, row.id)
    state.store.delete_by_api(sobject.name, row.id)


def writable(state: State, sobject: SObject, row_id: str) -> Row:
    """The live row of that id. ENTITY_IS_DELETED, INVALID_CROSS_REFERENCE_KEY or MALFORMED_ID otherwise."""
    normal = ids.normal(row_id)
    if normal is None:
        raise Refused(400, "MALFORMED_ID", f"{sobject.label} ID: id value of incorrect type: {row_id}", ("Id",))
    if sobject.prefix is not None and not normal.startswith(sobject.prefix):
        raise Refused(400, "MALFORMED_ID", f"{sobject.label} ID: id value of incorrect type: {normal}", ("Id",))
    row = state.store.get(sobject.name, normal)
    if row is None:
        raise no_such_row()
    if row.deleted_at is not None:
        raise deleted()
    return row


def checked(state: State, sobject: SObject, given: Mapping[str, Any], creating: bool) -> dict[str, object]:
    """JSON fields as stored values. Refused with the vendor's code for the first thing that is wrong."""
    fields: dict[str, object] = {}
    for name, value in given.items():
        if name == "attributes" or name.lower() == "id":
            continue
        field = state.org.field(sobject, name)
        if field is None:
            raise unknown_column(name, sobject.name)
        if not (field.createable if creating else field.updateable):
            message = (
                f"Unable to create/update fields: {field.name}. Please check the security settings of this field and "
                "verify that it is read/write for your profile or permission set."
            )
            raise Refused(400, "INVALID_FIELD_FOR_INSERT_UPDATE", message, (field.name,))
        fields[field.name] = _value(state, sobject, field, value)
    return fields


def _value(state: State, sobject: SObject, field: Field, value: Any) -> object:
    if value is None or value == "":
        if not field.nillable and not field.defaulted:
            message = f"Required fields are missing: [{field.name}]"
            raise Refused(400, "REQUIRED_FIELD_MISSING", message, (field.name,))
        return False if field.type == "boolean" else None
    if isinstance(value, dict | list):
        raise _unreadable(field, "START_OBJECT" if isinstance(value, dict) else "START_ARRAY", value)
    if field.type == "reference":
        return _reference(state, field, str(value))
    if field.type in TEXT_TYPES:
        return _text(sobject, field, value)
    return _typed(field, value)


def _text(sobject: SObject, field: Field, value: Any) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    text = text.strip()
    if field.length and len(text) > field.length:
        message = f"{field.label}: data value too large: {text} (max length={field.length})"
        raise Refused(400, "STRING_TOO_LONG", message, (field.name,))
    if field.restricted and text not in field.values:
        message = f"{field.label}: bad value for restricted picklist field: {text}"
        raise Refused(400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, (field.name,))
    if field.type == "email" and sobject.name != "EmailMessage" and not _EMAIL.match(text):
        message = f"{field.label}: invalid email address: {text}"
        raise Refused(400, "INVALID_EMAIL_ADDRESS", message, (field.name,))
    return text


def _reference(state: State, field: Field, text: str) -> str:
    normal = ids.normal(text)
    target = None if normal is None else state.org.object_of(normal)
    if normal is None or (target is not None and target.name not in field.reference_to):
        raise Refused(400, "MALFORMED_ID", f"{field.label}: id value of incorrect type: {text}", (field.name,))
    row = state.org.row(normal)
    if row is None or row.deleted_at is not None:
        raise Refused(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", (field.name,))
    return normal


def _typed(field: Field, value: Any) -> object:
    """Booleans, numbers, days and instants; a number may come as text."""
    if field.type == "boolean":
        if isinstance(value, bool):
            return value
        if str(value).lower() in ("true", "false"):
            return str(value).lower() == "true"
    elif field.type == "date":
        number = wire.parse_date(str(value)[:10]) if isinstance(value, str) else None
        if number is not None:
            return On(number)
    elif field.type == "datetime":
        instant = _instant(str(value)) if isinstance(value, str) else None
        if instant is not None:
            return At(instant)
    elif not isinstance(value, bool):
        try:
            number_value = float(value)
        except ValueError:
            raise _unreadable(field, "VALUE_STRING", value) from None
        return int(number_value) if field.type == "int" or number_value.is_integer() else number_value
    raise _unreadable(field, "VALUE_STRING" if isinstance(value, str) else "VALUE_NUMBER", value)


def _instant(text: str) -> int | None:
    day = wire.parse_date(text)
    return wire.parse_stamp(text) if day is None else day * DAY


def _unreadable(field: Field, token: str, value: Any) -> Refused:
    message = (
        f"Cannot deserialize instance of {field.type} from {token} value {value} "
        "or request may be missing a required field at [line:1, column:1]"
    )
    return Refused(400, "JSON_PARSER_ERROR", message)


def _obey_rules(state: State, sobject: SObject, fields: Mapping[str, object]) -> None:
    for rule in state.rules:
        if rule.object == sobject.name and rule.breaks(fields):
            named = () if rule.field is None else (rule.field,)
            raise Refused(400, "FIELD_CUSTOM_VALIDATION_EXCEPTION", rule.message, named)


def _strike(state: State, sobject: SObject, row_id: str) -> None:
    """The first scripted fault that means this row refuses it, and has one strike less."""
    for index, fault in enumerate(state.row_faults):
        if fault.object == sobject.name and (not fault.ids or row_id in fault.ids):
            left = [] if fault.times == 1 else [replace(fault, times=max(0, fault.times - 1))]
            state.row_faults[index : index + 1] = left
            refused = Refused(400, fault.code, fault.message, fault.fields)
            refused.more = tuple(Refused(400, code, message) for code, message in fault.more)
            raise refused


def _reassigned(state: State, row: Row) -> dict[str, object]:
    """The owner that an assignment rule would give: the first active user who is not the owner already."""
    owner = row.fields.get("OwnerId")
    for user in _people(state):
        if user.id not in (owner, state.settings.user_id):
            return {"OwnerId": user.id}
    return {}


def _people(state: State) -> Iterator[Row]:
    for user in state.store.table("User").by_id():
        if user.deleted_at is None and user.fields.get("IsActive"):
            yield user
