"""What a CRM says about its objects and fields, in one vocabulary for both vendors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Literal

from store.records import Scalar

Kind = Literal[
    "money", "number", "date", "instant", "flag", "choice", "choices", "text", "long", "person", "reference", "other"
]
"""What values of a field are. `choices`: several options at once; `long`: text that nobody compares; `person`: a user
or owner of the CRM; `reference`: the id of a row of another object; `other`: compound or binary.
"""

_CLOSE = 0.6


@dataclass(frozen=True, slots=True)
class Option:
    """One value of a picklist or enumeration, as the API has it and as people see it."""

    value: str
    label: str
    active: bool = True


@dataclass(frozen=True, slots=True)
class FieldShape:
    """One field."""

    name: str
    label: str
    kind: Kind
    type: str
    """The vendor's own word."""
    options: tuple[Option, ...] = ()
    refers: tuple[str, ...] = ()
    """Objects that a reference leads to."""
    relation: str | None = None
    """The name under which a path goes on through a reference (Salesforce: `Opportunity` of OpportunityId)."""
    custom: bool = False
    writable: bool = False
    countable: bool = True
    """An aggregate may count it (describe's `aggregatable`)."""
    filterable: bool = True
    restricted: bool = False
    """Takes no value but its options."""
    length: int = 0
    personal: bool = False
    """Holds the name, address or number of a person: its values are never shown."""


@dataclass(frozen=True, slots=True)
class ObjectName:
    """One object of the org, without its fields. `known_as`: further names that the API takes for it."""

    name: str
    label: str
    custom: bool = False
    known_as: tuple[str, ...] = ()


def names_of(objects: Iterable[ObjectName]) -> dict[str, str]:
    """Every name and label of an object -> the name to write."""
    found: dict[str, str] = {}
    for one in objects:
        found |= {said: one.name for said in (one.label, *one.known_as, one.name) if said}
    return found


@dataclass(frozen=True, slots=True)
class ObjectShape:
    """One object with the fields that these credentials see."""

    name: str
    label: str
    fields: Mapping[str, FieldShape]
    custom: bool = False
    children: tuple[tuple[str, str], ...] = ()
    """(object, its field) that refer to this one."""
    parents: tuple[str, ...] = ()
    """Objects that rows of this one are associated with, where links are no fields (HubSpot)."""
    rights: frozenset[str] = frozenset()
    """What these credentials may do with rows besides reading: create, edit, delete (Salesforce)."""


Shapes = Callable[[str], ObjectShape | None]
"""Object name -> its shape; None where there is none or it is not visible. Asked again, it answers from memory."""


@dataclass(frozen=True, slots=True)
class Walked:
    """Where a dotted name leads: the field it ends at, or what is wrong at which part."""

    field: FieldShape | None
    wrong: str = ""


def walk(shapes: Shapes, start: ObjectShape, name: str) -> Walked:
    """Follow `Opportunity.AccountId` from `start`, hop by hop through the relationship names of describe."""
    shape = start
    *hops, last = name.split(".")
    for hop in hops:
        through = next((f for f in shape.fields.values() if f.relation == hop), None)
        if through is None:
            return Walked(None, _no_relation(shape, hop))
        target = next((found for object_ in through.refers if (found := shapes(object_)) is not None), None)
        if target is None:
            return Walked(None, f"{hop} leads to {' or '.join(through.refers)}, which is not visible for this user")
        shape = target
    end = shape.fields.get(last)
    return Walked(end) if end is not None else Walked(None, _no_field(shape, last))


def _no_relation(shape: ObjectShape, hop: str) -> str:
    names = [f.relation for f in shape.fields.values() if f.relation]
    by_field = shape.fields.get(hop)
    if by_field is not None and by_field.relation:
        return f"`{hop}` is the id itself; the path goes on through `{by_field.relation}`"
    return f"{shape.name} has no relationship `{hop}`{nearest(hop, names)}"


def _no_field(shape: ObjectShape, name: str) -> str:
    close = nearest(name, shape.fields)
    if close:
        return f"{shape.name} has no field `{name}`{close}"
    by_label = next((f.name for f in shape.fields.values() if f.label.casefold() == name.casefold()), None)
    if by_label:
        return f"{shape.name} has no field `{name}`: that is a label, the field's name is `{by_label}`"
    return f"{shape.name} has no field `{name}`, or these credentials do not see it"


def nearest(name: str, known: Iterable[str]) -> str:
    """`: did you mean x?` without regard to case, or nothing."""
    by_fold: dict[str, str] = {}
    for one in known:
        by_fold.setdefault(one.casefold(), one)
    close = get_close_matches(name.casefold(), by_fold, n=1, cutoff=_CLOSE)
    return f": did you mean `{by_fold[close[0]]}`?" if close else ""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of an exploration: the account it belongs to, its own id, its values by (dotted) field name."""

    account: str
    id: str
    fields: Mapping[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sample:
    """Accounts that were looked at. `total`: how many there are in all; None where the vendor was not asked."""

    rows: tuple[Row, ...]
    total: int | None

    @property
    def whole(self) -> bool:
        """Nothing was left out, so that every number is exact."""
        return self.total is not None and len(self.rows) >= self.total
