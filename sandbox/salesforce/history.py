"""Field history: for tracked fields, a row in AccountHistory and the like for each change, as the vendor keeps it."""

from __future__ import annotations

from collections.abc import Iterator

from sandbox.salesforce import ids
from sandbox.salesforce.org import Org, full_name
from sandbox.salesforce.schema import Field, SObject, parse
from sandbox.versions import Change, Row

_NAMED = {"Opportunity": "OpportunityFieldHistory"}
"""Where the history object is not just called <Object>History."""
_LONG = 255
"""Text fields longer than this are told to have changed, without their values."""
_DATA_TYPES = {
    "string": "Text",
    "picklist": "DynamicEnum",
    "multipicklist": "MultiEnum",
    "textarea": "MultiLineText",
    "reference": "EntityId",
    "double": "Double",
    "int": "Double",
    "currency": "Currency",
    "percent": "Percent",
    "date": "DateOnly",
    "datetime": "DateTime",
    "boolean": "Boolean",
    "phone": "Phone",
    "url": "Url",
    "email": "Email",
}


def history_name(object_name: str) -> str:
    """AccountHistory, OpportunityFieldHistory, Custom__History."""
    if object_name.endswith("__c"):
        return object_name.removesuffix("__c") + "__History"
    return _NAMED.get(object_name, f"{object_name}History")


def parent_field(object_name: str) -> str:
    """The reference of a history row to its record."""
    return "ParentId" if object_name.endswith("__c") else f"{object_name}Id"


class History:
    """Which fields of an org are tracked, and the rows that come of it; hold the store's lock while you use it."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._fields: dict[str, set[str]] = {}
        self._serial = 0

    def track(self, object_name: str, *fields: str) -> None:
        """Track these fields from now on; without fields, track none of the object any more."""
        sobject = self._org.catalogue.objects[object_name]
        names = {sobject.by_name[name.lower()].name for name in fields}
        if not fields:
            self._fields.pop(object_name, None)
            return
        if history_name(object_name) not in self._org.catalogue.objects:
            self._org.catalogue.put(_history_object(sobject))
            self._org.store.watch(object_name, lambda before, after: self._note(object_name, before, after))
        self._fields.setdefault(object_name, set()).update(names)

    def tracks(self, object_name: str, field: str) -> bool:
        """Whether history is kept of a field."""
        return field in self._fields.get(object_name, ())

    def _note(self, object_name: str, before: Row | None, after: Row) -> None:
        tracked = self._fields.get(object_name)
        sobject = self._org.catalogue.objects.get(object_name)
        if not tracked or sobject is None or (before is not None and before.fields is after.fields):
            return
        if before is None:
            self._add(sobject, after, {"Field": "created"})
            return
        for name in sorted(tracked):
            field = sobject.by_name.get(name.lower())
            old, new = before.fields.get(name), after.fields.get(name)
            if field is not None and old != new:
                told: dict[str, object] = {"Field": _told(field), "DataType": _DATA_TYPES.get(field.type, "Text")}
                for shown_old, shown_new in self._values(field, old, new):
                    self._add(sobject, after, {**told, "OldValue": shown_old, "NewValue": shown_new})

    def _values(self, field: Field, old: object, new: object) -> Iterator[tuple[object, object]]:
        """A changed reference gives two rows, one with names and one with ids; long text gives no values."""
        if field.type == "textarea" and field.length > _LONG:
            yield None, None
            return
        if field.type == "reference":
            yield self._name(old), self._name(new)
        yield old, new

    def _name(self, target: object) -> object:
        row = self._org.row(str(target)) if target else None
        if row is None:
            return None
        return full_name(row) or row.id

    def _add(self, sobject: SObject, row: Row, told: dict[str, object]) -> None:
        self._serial += 1
        store = self._org.store
        by = row.fields.get("LastModifiedById") or row.fields.get("CreatedById") or self._org.user_id
        values = {**told, parent_field(sobject.name): row.id, "CreatedById": by}
        row_id = ids.make("017", self._serial, "Hi")
        store.apply(Change(row.modified_at, store.vendor, "create", history_name(sobject.name), row_id, values))


def _told(field: Field) -> str:
    """The name under which a field's changes are told: Owner for OwnerId, custom fields by their own name."""
    if field.type == "reference" and not field.custom:
        return field.relationship or field.name
    return field.name


def _history_object(sobject: SObject) -> SObject:
    name, parent = history_name(sobject.name), parent_field(sobject.name)
    relationship = "Parent" if sobject.custom else sobject.name
    text = f"""
    Id id ro default
    IsDeleted boolean ro
    {parent} reference ro default ->{sobject.name}:{relationship}@Histories
    CreatedById reference ro default ->User:CreatedBy
    CreatedDate datetime ro default
    Field picklist:255 ro restricted default
    DataType picklist:255 ro restricted
    OldValue anyType ro nofilter
    NewValue anyType ro nofilter
    """
    still = dict.fromkeys(
        ("createable", "updateable", "deletable", "undeletable", "searchable", "layoutable", "mergeable"), False
    )
    # Its key prefix, 017, is that of every history object, so an id does not tell which one it belongs to.
    return parse(name, None, text, label=f"{sobject.label} History", plural=f"{sobject.label} History", **still)
