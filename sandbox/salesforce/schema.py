"""What the imitated org's objects and fields are: types, limits and permissions, read from the short tables in objects.py."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

TEXT_TYPES = frozenset({"string", "picklist", "textarea", "phone", "url", "email", "combobox", "multipicklist"})
NUMBER_TYPES = frozenset({"double", "currency", "percent", "int"})
ID_TYPES = frozenset({"id", "reference"})


ADDRESS_PARTS = ("Street", "City", "State", "PostalCode", "Country", "Latitude", "Longitude", "GeocodeAccuracy")


@dataclass(frozen=True, slots=True)
class Field:
    """One field as describe tells it; `length` counts characters, `values` are the active picklist values."""

    name: str
    type: str
    length: int = 0
    label: str = ""
    nillable: bool = True
    createable: bool = True
    updateable: bool = True
    filterable: bool = True
    sortable: bool = True
    defaulted: bool = False
    restricted: bool = False
    name_field: bool = False
    external_id: bool = False
    values: tuple[str, ...] = ()
    reference_to: tuple[str, ...] = ()
    relationship: str | None = None
    children: str | None = None
    """On a reference: what the rows that it points to call the rows that point to them."""
    compound: str | None = None
    """The compound field that it is a part of."""
    formula: str | None = None
    """The text of the formula behind a calculated field; its value never moves a stamp."""

    @property
    def polymorphic(self) -> bool:
        """May it point to rows of several objects."""
        return len(self.reference_to) > 1

    @property
    def custom(self) -> bool:
        """Was it added by the org's administrator."""
        return self.name.endswith("__c")


@dataclass(frozen=True)
class SObject:
    """One object of the org; `fields` in describe's order."""

    name: str
    prefix: str | None
    fields: tuple[Field, ...]
    label: str = ""
    plural: str = ""
    createable: bool = True
    updateable: bool = True
    deletable: bool = True
    undeletable: bool = True
    mergeable: bool = False
    replicateable: bool = True
    searchable: bool = True
    layoutable: bool = True
    queryable: bool = True

    @cached_property
    def by_name(self) -> dict[str, Field]:
        """Fields by lower-case name: names are case-insensitive everywhere."""
        return {f.name.lower(): f for f in self.fields}

    @cached_property
    def by_relationship(self) -> dict[str, Field]:
        """Reference fields by lower-case relationship name."""
        return {f.relationship.lower(): f for f in self.fields if f.relationship}

    @property
    def custom(self) -> bool:
        """Was it added by the org's administrator."""
        return self.name.endswith("__c")

    def has(self, name: str) -> bool:
        """Whether the object has such a field, hidden or not."""
        return name.lower() in self.by_name

    @property
    def archives(self) -> bool:
        """Old activities leave query() but stay in queryAll()."""
        return self.has("IsArchived")


def parse(name: str, prefix: str | None, text: str, **flags: bool | str) -> SObject:
    """Builds an object from lines of `Field type[:length] [flag ...]`; objects.py explains the flags."""
    return SObject(name=name, prefix=prefix, fields=parse_fields(text), **flags)  # type: ignore[arg-type]


def parse_fields(text: str) -> tuple[Field, ...]:
    """The fields of such lines, parts of addresses and of a person's name marked as parts of them."""
    fields = [_field(line.split()) for line in text.strip().splitlines() if line.strip()]
    known = {f.name for f in fields}
    compounds = {
        f.name.removesuffix("Address") + part: f.name for f in fields if f.type == "address" for part in ADDRESS_PARTS
    }
    if {"Name", "LastName", "Salutation"} <= known:
        compounds |= dict.fromkeys(("FirstName", "LastName", "Salutation"), "Name")
    return tuple(replace(f, compound=compounds.get(f.name)) for f in fields)


def _field(words: list[str]) -> Field:
    name, kind, *flags = words
    type_, _, length = kind.partition(":")
    options: dict[str, object] = {"length": int(length or 0) or (18 if type_ in ID_TYPES else 0)}
    options["label"] = name.removesuffix("__c").replace("_", " ")
    if type_ == "boolean":
        options |= {"nillable": False, "defaulted": True}
    for flag in flags:
        options |= _FLAGS[flag] if flag in _FLAGS else _valued(flag)
    return Field(name=name, type=type_, **options)  # type: ignore[arg-type]


_FLAGS: dict[str, dict[str, object]] = {
    "ro": {"createable": False, "updateable": False},
    "fixed": {"updateable": False},
    "later": {"createable": False},
    "required": {"nillable": False},
    "default": {"nillable": False, "defaulted": True},
    "filled": {"nillable": True, "defaulted": True},
    "maybe": {"nillable": True, "defaulted": False},
    "nofilter": {"filterable": False, "sortable": False},
    "nosort": {"sortable": False},
    "restricted": {"restricted": True},
    "name": {"name_field": True},
    "external": {"external_id": True},
    "formula": {"createable": False, "updateable": False, "formula": "/* of the org */"},
}


def _valued(flag: str) -> dict[str, object]:
    if flag.startswith("="):
        return {"values": tuple(v.replace("_", " ") for v in flag[1:].split("|"))}
    if flag.startswith("->"):
        pointer, _, children = flag[2:].partition("@")
        targets, _, relationship = pointer.partition(":")
        named = {"relationship": relationship or None, "children": children or None}
        return {"reference_to": tuple(targets.split("|")), **named}
    raise ValueError(f"unknown flag {flag!r} in the object tables")
