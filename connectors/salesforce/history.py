"""The org's own history of mapped fields: AccountHistory, OpportunityFieldHistory, Contact__History and the like.

An org keeps it for the fields that an administrator chose (20 an object), for 18 to 24 months. Each line says what a
field held before and after; a changed reference gives two lines, one with names and one with ids.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from connectors.salesforce.streams import Stream
from connectors.salesforce.values import Row, stamp
from store.records import FieldChange, Record

PREFIX = "history:"
_LINE = ("Field", "DataType", "OldValue", "NewValue", "CreatedDate", "CreatedById")


def streams(objects: Sequence[Stream]) -> tuple[Stream, ...]:
    """A stream of history for each object that has mapped fields of its own; the org may not keep it."""
    return tuple(_stream(stream) for stream in objects if _tracked(stream))


def _tracked(stream: Stream) -> dict[str, str]:
    """Name in the history -> mapped field. `Owner` tells of OwnerId; fields of other rows are in their own history."""
    names = [name for name in stream.mapped if "." not in name]
    return {name if name.endswith("__c") else name.removesuffix("Id") or name: name for name in names}


def _stream(stream: Stream) -> Stream:
    names = _tracked(stream)
    parent = "ParentId" if stream.object.endswith("__c") else f"{stream.object}Id"
    kept_as = stream.kind or ""
    listed = ", ".join(f"'{name}'" for name in sorted(names))
    return Stream(
        PREFIX + stream.name,
        history_object(stream.object),
        (parent, *_LINE),
        partial(_line, parent=parent, kept_as=kept_as, names=names),
        None,
        query="query",
        optional=True,
        where=f"Field IN ({listed})",
        meaning=listed,
    )


def history_object(name: str) -> str:
    """The object that keeps an object's history."""
    if name.endswith("__c"):
        return name.removesuffix("__c") + "__History"
    return "OpportunityFieldHistory" if name == "Opportunity" else f"{name}History"


def _line(row: Row, parent: str, kept_as: str, names: dict[str, str]) -> list[Record]:
    field = names.get(row.get("Field") or "")
    if field is None or not row.get(parent) or (row.get("OldValue") is None and row.get("NewValue") is None):
        return []  # long text: that it changed is told, what it was is not
    at, author = stamp(row, "CreatedDate"), row.get("CreatedById")
    new = FieldChange(kept_as, row[parent], field, row.get("NewValue"), at, author)
    # The store believes the oldest line of what it tells of the time before it.
    old = FieldChange(kept_as, row[parent], field, row.get("OldValue"), 0, until=at)
    return [old, new]


def without_names(rows: Sequence[Row]) -> list[Row]:
    """Lines of history without those that tell a reference's names: the line with its ids says the same."""
    told = {_what(row) for row in rows if _is_id(row)}
    return [row for row in rows if _is_id(row) or not (row.get("DataType") == "EntityId" or _what(row) in told)]


def _what(row: Row) -> tuple[object, ...]:
    parent = next((row[name] for name in row if name.endswith("Id") and name not in ("Id", "CreatedById")), None)
    return parent, row.get("Field"), row.get("CreatedDate")


def _is_id(row: Row) -> bool:
    values = [value for value in (row.get("OldValue"), row.get("NewValue")) if value is not None]
    return bool(values) and all(
        isinstance(v, str) and len(v) in (15, 18) and v.isalnum() and v[0] == "0" for v in values
    )
