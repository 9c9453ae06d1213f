"""The objects and fields of one org, which its administrator may change while it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from sandbox.salesforce.ids import DIGITS
from sandbox.salesforce.objects import OBJECTS
from sandbox.salesforce.objects_core import HEAD, STAMPS
from sandbox.salesforce.schema import Field, SObject, parse, parse_fields

_OWN = "OwnerId reference default ->Group|User:Owner\nName string:80 required name\n"
_ONLY_CREATED = "CreatedDate datetime ro default\nCreatedById reference ro default ->User:CreatedBy\n"
_WHAT = ("Task", "Event", "TaskRelation", "EventRelation")


class Catalogue:
    """Objects by name. `changed` is told the name of each object whose describe has changed."""

    def __init__(self, changed: Callable[[str], None]) -> None:
        self.objects: dict[str, SObject] = dict(OBJECTS)
        self._changed = changed
        self._of_prefix = {o.prefix: o.name for o in OBJECTS.values() if o.prefix}

    def find(self, name: str) -> SObject | None:
        """The object by its name in any case."""
        found = self.objects.get(name)
        return found or next((o for o in self.objects.values() if o.name.lower() == name.lower()), None)

    def of_id(self, row_id: str) -> SObject | None:
        """The object that an id's prefix names."""
        name = self._of_prefix.get(row_id[:3])
        return None if name is None else self.objects[name]

    def define(
        self,
        name: str,
        fields: str = "",
        *,
        label: str = "",
        activities: bool = False,
        stamps: bool = True,
        **flags: bool | str,
    ) -> SObject:
        """Add a custom object `Name__c` with these field lines (objects.py explains them) besides the usual fields.

        `activities`: tasks and events may point to it. `stamps` False leaves CreatedDate as its only stamp.
        """
        if self.find(name) is not None:
            raise ValueError(f"there is an object {name} already")
        given = label or name.removesuffix("__c").replace("_", " ")
        text = HEAD + _OWN + (STAMPS if stamps else _ONLY_CREATED) + fields
        names = {"label": given, "plural": given + "s"}
        sobject = parse(name, self._free_prefix(), text, **{**names, **flags})
        self.put(sobject)
        if activities:
            for activity in _WHAT:
                self._allow(activity, name)
        return sobject

    def put(self, sobject: SObject) -> None:
        """Add an object, or another form of one."""
        self.objects[sobject.name] = sobject
        if sobject.prefix:
            self._of_prefix[sobject.prefix] = sobject.name
        self._changed(sobject.name)

    def drop(self, name: str) -> None:
        """Remove an object; its rows stay in the database, out of everybody's sight."""
        del self.objects[name]
        self._changed(name)

    def add_fields(self, name: str, fields: str) -> None:
        """Add fields to an object, by the same kind of lines."""
        sobject = self.objects[name]
        new = parse_fields(fields)
        twice = [f.name for f in new if sobject.has(f.name)]
        if twice:
            raise ValueError(f"{name} has a field {twice[0]} already")
        self.put(replace(sobject, fields=sobject.fields + new))

    def drop_field(self, name: str, field: str) -> None:
        """Delete a field from an object."""
        sobject = self.objects[name]
        if not sobject.has(field):
            raise KeyError(field)
        self.put(replace(sobject, fields=tuple(f for f in sobject.fields if f.name.lower() != field.lower())))

    def alter(self, name: str, field: str, **changes: object) -> None:
        """Change attributes of a field: `filterable=False`, `nillable=False`, `values=(...)`, `restricted=True`, ..."""
        sobject = self.objects[name]
        old = sobject.by_name[field.lower()]
        new = replace(old, **changes)  # type: ignore[arg-type]  # the caller names attributes of Field
        self.put(replace(sobject, fields=tuple(new if f is old else f for f in sobject.fields)))

    def references(self, sobject: SObject) -> Mapping[str, tuple[SObject, Field]]:
        """Child relationships of an object: their names -> the child object and its reference."""
        return {
            f.children: (child, f)
            for child in self.objects.values()
            for f in child.fields
            if f.children and sobject.name in f.reference_to
        }

    def _allow(self, activity: str, target: str) -> None:
        name = "WhatId" if activity in ("Task", "Event") else "RelationId"
        targets = self.objects[activity].by_name[name.lower()].reference_to
        self.alter(activity, name, reference_to=tuple(sorted({*targets, target})))

    def _free_prefix(self) -> str:
        for second in DIGITS:
            for third in DIGITS:
                if f"a{second}{third}" not in self._of_prefix:
                    return f"a{second}{third}"
        raise ValueError("no key prefix is left")
