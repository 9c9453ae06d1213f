"""sObject Collections: up to 200 rows a request, each with its own result."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import Any

from sandbox.salesforce import ids, writing
from sandbox.salesforce.calls import Call, Reply
from sandbox.salesforce.errors import Refused
from sandbox.salesforce.rows import shape_of
from sandbox.salesforce.schema import SObject

MAX_ROWS = 200
MAX_READ = 2000
MAX_CHUNKS = 10
"""Runs of one type in the list of rows."""

Write = Callable[[writing.Journal], dict[str, object]]
"""Does one row's write and returns its result."""


def create(call: Call) -> Reply:
    """POST composite/sobjects."""

    def write_of(sobject: SObject, record: dict[str, Any]) -> Write:
        return lambda journal: done(writing.create(call.state, sobject, record, journal))

    return write_all(call, write_of)


def change(call: Call) -> Reply:
    """PATCH composite/sobjects: 200 also when rows fail; results in the order of the request."""
    auto_assign = call.flag("Sforce-Auto-Assign", default=True)
    seen: set[str] = set()

    def write_of(sobject: SObject, record: dict[str, Any]) -> Write:
        def write(journal: writing.Journal) -> dict[str, object]:
            row_id = _id_of(record)
            if row_id in seen:
                raise Refused(400, "DUPLICATE_VALUE", f"duplicate id specified: {row_id}", ("Id",))
            seen.add(row_id)
            writing.update(call.state, sobject, row_id, record, journal, auto_assign=auto_assign)
            return done(row_id)

        return write

    return write_all(call, write_of)


def remove(call: Call) -> Reply:
    """DELETE composite/sobjects?ids=a,b&allOrNone=true."""
    wanted = [text.strip() for text in call.query.get("ids", "").split(",") if text.strip()]
    if not wanted:
        raise Refused(400, "MISSING_ARGUMENT", "The ids parameter is required")
    _limit(len(wanted), MAX_ROWS)

    def write_of(text: str) -> Write:
        def write(journal: writing.Journal) -> dict[str, object]:
            normal = ids.normal(text)
            sobject = call.state.org.object_of(normal) if normal else None
            if normal is None or sobject is None:
                raise Refused(400, "MALFORMED_ID", f"malformed id {text}", ("Id",))
            writing.delete(call.state, sobject, normal, journal)
            return done(normal)

        return write

    all_or_none = call.query.get("allOrNone", "false").lower() == "true"
    return Reply(200, _results(call, [write_of(text) for text in wanted], all_or_none))


def read(call: Call) -> Reply:
    """GET composite/sobjects/{object}?ids=&fields=: records in the order of the ids, null for what is not there."""
    wanted, names = call.query.get("ids"), call.query.get("fields")
    if not wanted or not names:
        raise Refused(400, "MISSING_ARGUMENT", "The ids and fields parameters are required")
    return _read(call, wanted.split(","), names.split(","))


def read_posted(call: Call) -> Reply:
    """POST composite/sobjects/{object} with `{"ids", "fields"}`: the same for lists too long for an address."""
    record = call.record()
    wanted, names = record.get("ids"), record.get("fields")
    if not isinstance(wanted, list) or not isinstance(names, list) or not wanted or not names:
        raise Refused(400, "MISSING_ARGUMENT", "The ids and fields parameters are required")
    return _read(call, [str(i) for i in wanted], [str(n) for n in names])


def _read(call: Call, wanted: list[str], names: list[str]) -> Reply:
    _limit(len(wanted), MAX_READ)
    sobject, org = call.object(), call.state.org
    shape = shape_of(org, sobject, names)
    records: list[dict[str, object] | None] = []
    for text in wanted:
        normal = ids.normal(text.strip())
        row = org.live(sobject, normal) if normal else None
        records.append(None if row is None else shape(row, call.version))
    return Reply(200, records)


def done(row_id: str, **more: object) -> dict[str, object]:
    """The result of a row that was written."""
    return {"id": row_id, "success": True, "errors": [], **more}


def write_all(call: Call, write_of: Callable[[SObject, dict[str, Any]], Write]) -> Reply:
    """The answer to a body of `{"records", "allOrNone"?}`, each row written by what `write_of` makes of it."""
    body = call.record()
    records = body.get("records")
    if not isinstance(records, list) or not all(isinstance(r, dict) for r in records):
        raise Refused(400, "JSON_PARSER_ERROR", "The records parameter must be a list of sObjects")
    unknown = sorted(set(body) - {"records", "allOrNone"})
    if unknown:
        raise Refused(400, "JSON_PARSER_ERROR", f"Unrecognized field '{unknown[0]}'")
    _limit(len(records), MAX_ROWS)
    types = [_type_of(record) for record in records]
    if sum(1 for _ in groupby(types)) > MAX_CHUNKS:
        raise Refused(400, "LIMIT_EXCEEDED", f"Too many chunks: at most {MAX_CHUNKS} chunks of one object type each")
    writes = [_bound(call, kind, record, write_of) for kind, record in zip(types, records, strict=True)]
    return Reply(200, _results(call, writes, body.get("allOrNone") is True))


def _bound(
    call: Call, kind: str, record: dict[str, Any], write_of: Callable[[SObject, dict[str, Any]], Write]
) -> Write:
    sobject = call.state.org.object(kind)
    if sobject is None:
        raise Refused(400, "INVALID_TYPE", f"sObject type '{kind}' is not supported.")
    return write_of(sobject, record)


def _results(call: Call, writes: list[Write], all_or_none: bool) -> list[dict[str, object]]:
    """One result per row. A value of the wrong JSON type fails the whole request, as the parser meets it first."""
    journal = writing.Journal(call.state)
    results: list[dict[str, object]] = []
    for write in writes:
        try:
            results.append(write(journal))
        except Refused as refused:
            if refused.code == "JSON_PARSER_ERROR":
                journal.undo()
                raise
            results.append(refused.row())
    if all_or_none and not all(r["success"] for r in results):
        journal.undo()
        message = "Record rolled back because not all records were valid and the request was using AllOrNone header"
        rolled_back = Refused(400, "ALL_OR_NONE_OPERATION_ROLLED_BACK", message).row()
        results = [rolled_back if r["success"] else r for r in results]
    return results


def _id_of(record: dict[str, Any]) -> str:
    for name, value in record.items():
        if name.lower() == "id" and isinstance(value, str):
            normal = ids.normal(value)
            if normal is None:
                raise Refused(400, "MALFORMED_ID", f"malformed id {value}", ("Id",))
            return normal
    raise Refused(400, "MISSING_ARGUMENT", "Id not specified in an update call", ("Id",))


def _type_of(record: dict[str, Any]) -> str:
    attributes = record.get("attributes")
    kind = attributes.get("type") if isinstance(attributes, dict) else None
    if not isinstance(kind, str):
        raise Refused(400, "INVALID_INPUT", "attributes.type is required for each sObject")
    return kind


def _limit(count: int, most: int) -> None:
    if count > most:
        message = f"record limit reached. cannot submit more than {most} records into this call."
        raise Refused(400, "EXCEEDED_ID_LIMIT", message)
