"""Single rows: create, read, change, delete."""

from __future__ import annotations

from sandbox.salesforce import conditions, ids, writing
from sandbox.salesforce.calls import Call, Reply
from sandbox.salesforce.errors import Refused, not_found, unknown_column
from sandbox.salesforce.org import Org
from sandbox.salesforce.schema import Field, SObject
from sandbox.salesforce.soql.bind import Column
from sandbox.salesforce.soql.shape import Shape, record_shape


def create(call: Call) -> Reply:
    """POST sobjects/{object}: 201 with Location."""
    sobject = call.object()
    record = call.record()
    if any(name.lower() == "id" for name in record):
        raise Refused(400, "INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call", ("Id",))
    row_id = writing.create(call.state, sobject, record, writing.Journal(call.state))
    location = f"/services/data/v{call.version}/sobjects/{sobject.name}/{row_id}"
    return Reply(201, {"id": row_id, "success": True, "errors": []}, {"Location": location})


def read(call: Call) -> Reply:
    """GET sobjects/{object}/{id}?fields=...: 404 for rows that never were and for deleted ones alike."""
    sobject = call.object()
    row = call.state.org.live(sobject, _row_id(call))
    if row is None:
        raise not_found()
    instead = conditions.unless_met(call, sobject, row)
    if instead is not None:
        return instead
    names = call.query.get("fields")
    record = shape_of(call.state.org, sobject, None if names is None else names.split(","))(row, call.version)
    return Reply(200, record, conditions.marks(sobject, row))


def change(call: Call) -> Reply:
    """PATCH sobjects/{object}/{id}: 204, or 412 for a condition that does not hold."""
    sobject, record = call.object(), call.record()
    if any(name.lower() == "id" for name in record):
        raise Refused(400, "INVALID_FIELD", "The Id field should not be specified in the sobject data.", ("Id",))
    auto_assign = call.flag("Sforce-Auto-Assign", default=True)
    row = call.state.org.live(sobject, _row_id(call))
    instead = None if row is None else conditions.unless_met(call, sobject, row)
    if instead is not None:
        return instead
    journal = writing.Journal(call.state)
    writing.update(call.state, sobject, _row_id(call), record, journal, auto_assign=auto_assign)
    return Reply(204)


def remove(call: Call) -> Reply:
    """DELETE sobjects/{object}/{id}: 204."""
    writing.delete(call.state, call.object(), _row_id(call), writing.Journal(call.state))
    return Reply(204)


def shape_of(org: Org, sobject: SObject, names: list[str] | None) -> Shape:
    """Records with these fields, or with all that the caller may see. INVALID_FIELD for an unknown one."""
    fields: list[Field] = []
    for name in names or []:
        field = org.field(sobject, name.strip())
        if field is None:
            raise unknown_column(name.strip(), sobject.name)
        fields.append(field)
    # A read of one row or of a collection always carries the Id.
    if names is not None and all(f.name != "Id" for f in fields):
        fields.append(sobject.by_name["id"])
    chosen = org.fields(sobject) if names is None else fields
    return record_shape(org, sobject, [Column(sobject, f, (), org.getter(sobject, f)) for f in chosen])


def _row_id(call: Call) -> str:
    """The id of the path. A short one reads as an external id that does not exist."""
    text = call.params["record_id"]
    normal = ids.normal(text)
    if normal is None:
        raise not_found(f"Provided external ID field does not exist or is not accessible: {text}")
    return normal
