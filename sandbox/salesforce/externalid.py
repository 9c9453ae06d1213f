"""Rows by the value of an external id: read, and upsert of one row or of a collection (REST guide, upsert)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sandbox.salesforce import writing
from sandbox.salesforce.calls import Call, Reply
from sandbox.salesforce.conditions import marks
from sandbox.salesforce.errors import Refused, not_found
from sandbox.salesforce.rows import shape_of
from sandbox.salesforce.rowsets import Write, done, write_all
from sandbox.salesforce.schema import Field, SObject
from sandbox.salesforce.state import State
from sandbox.versions import Row

_TOLD_SINCE = 46
"""API version from which an upsert answers 200 with `created`; before it a changed row was 204."""


def read(call: Call) -> Reply:
    """GET sobjects/{object}/{field}/{value}: the row; 300 with the addresses of all when there are several."""
    sobject = call.object()
    found = _rows(call.state, sobject, _field(call.state, sobject, call.params["field"]), call.params["value"])
    if len(found) > 1:
        return _several(call, sobject, found)
    if not found:
        raise not_found()
    names = call.query.get("fields")
    shape = shape_of(call.state.org, sobject, None if names is None else names.split(","))
    return Reply(200, shape(found[0], call.version), marks(sobject, found[0]))


def upsert(call: Call) -> Reply:
    """PATCH sobjects/{object}/{field}/{value}: 201 for a new row, 200 or 204 for a changed one, 300 for several."""
    sobject, record = call.object(), call.record()
    named, value = _field(call.state, sobject, call.params["field"]), call.params["value"]
    for name in record:
        if name.lower() in ("id", named.name.lower()):
            message = f"The {name} field should not be specified in the sobject data."
            raise Refused(400, "INVALID_FIELD", message, (name,))
    found = _rows(call.state, sobject, named, value)
    if len(found) > 1:
        return _several(call, sobject, found)
    journal, told = writing.Journal(call.state), float(call.version) >= _TOLD_SINCE
    if found:
        auto_assign = call.flag("Sforce-Auto-Assign", default=True)
        writing.update(call.state, sobject, found[0].id, record, journal, auto_assign=auto_assign)
        return Reply(200, done(found[0].id, created=False)) if told else Reply(204)
    row_id = writing.create(call.state, sobject, {**record, named.name: value}, journal)
    location = f"/services/data/v{call.version}/sobjects/{sobject.name}/{row_id}"
    return Reply(201, done(row_id, **({"created": True} if told else {})), {"Location": location})


def upsert_all(call: Call) -> Reply:
    """PATCH composite/sobjects/{object}/{field}: a result per row, with `created` beside what any write tells."""
    sobject = call.object()
    run = _Run(call, sobject, _field(call.state, sobject, call.params["field"]))

    def write_of(kind: SObject, record: dict[str, Any]) -> Write:
        if kind is not sobject:
            raise Refused(400, "INVALID_INPUT", f"all sObjects must be of type {sobject.name}")
        return lambda journal: run.write(dict(record), journal)

    return write_all(call, write_of)


@dataclass
class _Run:
    """One collection on its way: each of its values may come once."""

    call: Call
    sobject: SObject
    named: Field
    seen: set[str] = field(default_factory=set)

    def write(self, record: dict[str, Any], journal: writing.Journal) -> dict[str, object]:
        """The result of one row; `record` loses the value that names it."""
        state, name = self.call.state, self.named.name
        value = self._value(record)
        found = _rows(state, self.sobject, self.named, value)
        if len(found) > 1:
            listed = ", ".join(row.id for row in found)
            message = f"{name}: more than one record found for external id field: [{listed}]"
            raise Refused(400, "DUPLICATE_EXTERNAL_ID", message, (name,))
        if not found:
            return done(writing.create(state, self.sobject, {**record, name: value}, journal), created=True)
        auto_assign = self.call.flag("Sforce-Auto-Assign", default=True)
        writing.update(state, self.sobject, found[0].id, record, journal, auto_assign=auto_assign)
        return done(found[0].id, created=False)

    def _value(self, record: dict[str, Any]) -> str:
        name = self.named.name
        key = next((n for n in record if n.lower() == name.lower()), None)
        value = "" if key is None else str(record.pop(key) or "")
        if not value:
            raise Refused(400, "MISSING_ARGUMENT", f"{name} not specified", (name,))
        if value.lower() in self.seen:
            raise Refused(400, "DUPLICATE_VALUE", f"Duplicate external id specified: {value}", (name,))
        self.seen.add(value.lower())
        return value


def _field(state: State, sobject: SObject, name: str) -> Field:
    found = state.org.field(sobject, name)
    if found is None or not found.external_id:
        raise not_found(f"Provided external ID field does not exist or is not accessible: {name}")
    return found


def _rows(state: State, sobject: SObject, named: Field, value: str) -> list[Row]:
    """Live rows with this value, whatever the case of its letters."""
    read = state.org.getter(sobject, named)
    rows = state.store.table(sobject.name).by_id(deleted=False)
    return [row for row in rows if str(read(row) or "").lower() == value.lower()]


def _several(call: Call, sobject: SObject, found: list[Row]) -> Reply:
    return Reply(300, [f"/services/data/v{call.version}/sobjects/{sobject.name}/{row.id}" for row in found])
