"""What a HubSpot portal knows of its objects: types, their names in paths, properties, scopes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from sandbox.hubspot.catalogue import PROPERTIES
from sandbox.hubspot.linktypes import LinkTypes
from sandbox.hubspot.objecttypes import TYPES, ObjectType

_FIELD_TYPES = {
    "string": "text",
    "number": "number",
    "date": "date",
    "datetime": "date",
    "enumeration": "select",
    "bool": "booleancheckbox",
    "phone_number": "phonenumber",
    "owner": "select",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """A validation rule of a property: its text must match `pattern` whole, else the vendor's `code` and `message`."""

    code: str
    message: str
    pattern: str

    def allows(self, text: str) -> bool:
        """Does the text keep the rule."""
        return re.fullmatch(self.pattern, text) is not None


@dataclass(frozen=True, slots=True)
class Condition:
    """`needs` must be set while `when` has the value `equals` (a conditional property rule, in force from 2026-09)."""

    when: str
    equals: str
    needs: str


@dataclass(frozen=True, slots=True)
class Property:
    """One property of an object type. `kind`: string | number | date | datetime | enumeration | bool | phone_number |
    owner; an enumeration that is `multiple` holds several options, with `;` between them.
    """

    name: str
    kind: str
    options: tuple[str, ...] = ()
    read_only: bool = False
    unique: bool = False
    label: str = ""
    field_type: str = ""
    group: str = ""
    custom: bool = False
    labels: tuple[str, ...] = ()
    multiple: bool = False
    calculated: bool = False
    hidden: bool = False
    archived: bool = False
    """Gone from lists, records and searches, and restorable."""
    rule: Rule | None = None

    @property
    def type(self) -> str:
        """The type as the properties API names it: an owner is an enumeration with outside options."""
        return "enumeration" if self.kind == "owner" else self.kind

    @property
    def shown_as(self) -> str:
        """The `fieldType`."""
        if self.field_type:
            return self.field_type
        if self.multiple:
            return "checkbox"
        computed = self.calculated and self.kind == "number"
        return "calculation_equation" if computed else _FIELD_TYPES[self.kind]

    def option_labels(self) -> list[tuple[str, str]]:
        """(label, value) of each option."""
        labels = self.labels or tuple(o.replace("_", " ").capitalize() for o in self.options)
        return list(zip(labels, self.options, strict=True))


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a pipeline; `metadata` has `isClosed`, and a deal's `probability` (1.0 is won)."""

    id: str
    label: str
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A pipeline of deals or tickets."""

    id: str
    label: str
    stages: tuple[Stage, ...]


_DEAL_ODDS = {
    "appointmentscheduled": "0.2",
    "qualifiedtobuy": "0.4",
    "presentationscheduled": "0.6",
    "decisionmakerboughtin": "0.8",
    "contractsent": "0.9",
    "closedwon": "1.0",
    "closedlost": "0.0",
}
_TICKET_STAGES = (("1", "New"), ("2", "Waiting on contact"), ("3", "Waiting on us"), ("4", "Closed"))


def _pipelines() -> dict[str, list[Pipeline]]:
    """The pipelines that every portal begins with."""
    deals = tuple(
        Stage(name, _label(name), {"isClosed": str(odds in ("1.0", "0.0")).lower(), "probability": odds})
        for name, odds in _DEAL_ODDS.items()
    )
    tickets = tuple(
        Stage(name, label, {"isClosed": str(name == "4").lower(), "ticketState": "CLOSED" if name == "4" else "OPEN"})
        for name, label in _TICKET_STAGES
    )
    return {
        "deals": [Pipeline("default", "Sales Pipeline", deals)],
        "tickets": [Pipeline("0", "Support Pipeline", tickets)],
    }


_STANDARD_CUSTOM = ("hs_createdate", "hs_lastmodifieddate", "hs_object_id")
_OWN_COMMON = """
hs_createdate datetime readonly
hs_lastmodifieddate datetime readonly
hs_object_id number readonly
hs_merged_object_ids enumeration readonly hidden multiple
hs_updated_by_user_id number readonly
hubspot_owner_id owner
"""


@dataclass(slots=True)
class Schema:
    """The portal's object types, properties and links; all may be added to at run time."""

    types: dict[str, ObjectType] = field(default_factory=dict)
    """By every name that a path may use, in lower case."""
    properties: dict[str, dict[str, Property]] = field(default_factory=dict)
    groups: dict[str, dict[str, str]] = field(default_factory=dict)
    """Object type -> property group -> its label."""
    links: LinkTypes = field(default_factory=LinkTypes)
    required: dict[str, set[str]] = field(default_factory=dict)
    """Object type -> properties that the portal's administrator made required."""
    pipelines: dict[str, list[Pipeline]] = field(default_factory=_pipelines)
    conditions: dict[str, list[Condition]] = field(default_factory=dict)
    """Object type -> its conditional property rules."""

    def type_of(self, word: str) -> ObjectType | None:
        """The type meant by a word of a path: plural, singular in any case, type id, or a custom object's full name."""
        return self.types.get(word.lower())

    def kinds(self) -> list[ObjectType]:
        """Every object type once."""
        return list({kind.name: kind for kind in self.types.values()}.values())

    def required_of(self, kind: ObjectType) -> list[str]:
        """Properties that a record must have: HubSpot's and the administrator's."""
        return [*kind.required, *sorted(self.required.get(kind.name, set()) - set(kind.required))]

    def put(self, object_name: str, prop: Property) -> None:
        """Add a property, or change one."""
        self.properties[object_name][prop.name] = prop
        if prop.group:
            self.groups[object_name].setdefault(prop.group, _label(prop.group))

    def add_pipeline(self, object_name: str, pipeline: Pipeline) -> None:
        """Add a pipeline of deals or tickets; records may then be in it and in its stages."""
        self.pipelines[object_name].append(pipeline)
        names = {"deals": ("pipeline", "dealstage"), "tickets": ("hs_pipeline", "hs_pipeline_stage")}[object_name]
        added = ([(pipeline.id, pipeline.label)], [(stage.id, stage.label) for stage in pipeline.stages])
        for name, pairs in zip(names, added, strict=True):
            prop = self.properties[object_name][name]
            every = [(value, label) for label, value in prop.option_labels()] + pairs
            values, labels = tuple(v for v, _ in every), tuple(label for _, label in every)
            self.put(object_name, replace(prop, options=values, labels=labels))

    def stage(self, object_name: str, stage_id: object) -> Stage | None:
        """The stage of this id in any of an object's pipelines."""
        stages = (s for pipeline in self.pipelines.get(object_name, ()) for s in pipeline.stages)
        return next((stage for stage in stages if stage.id == stage_id), None)

    def archive(self, object_name: str, name: str, archived: bool = True) -> None:
        """Take a property away, or bring it back. KeyError if there is none."""
        self.properties[object_name][name] = replace(self.properties[object_name][name], archived=archived)

    def add_type(
        self,
        name: str,
        *,
        portal_id: int,
        properties: Iterable[Property],
        singular: str = "",
        plural: str = "",
        required: Iterable[str] = (),
        searchable: Iterable[str] = (),
        links_to: Iterable[str] | None = None,
    ) -> ObjectType:
        """A custom object. Its table bears its fully qualified name (`p48103927_subscription`); it can be linked to the
        `links_to` types (None: to all there are). ValueError if the name is taken.
        """
        full = f"p{portal_id}_{name}".lower()
        if name.lower() in self.types or full in self.types:
            raise ValueError(f"Object type {name} already exists")
        number = 3_821_545 + sum(kind.custom for kind in self.kinds())
        props = {p.name: p for p in (*map(_parse, _OWN_COMMON.split("\n")[1:-1]), *properties)}
        kind = ObjectType(
            name=full,
            singular=name,
            type_id=f"2-{number}",
            link_word=name,
            modified="hs_lastmodifieddate",
            read_scope="crm.objects.custom.read",
            write_scope="crm.objects.custom.write",
            defaults=_STANDARD_CUSTOM,
            required=tuple(required),
            searchable=tuple(searchable),
            custom=True,
            label=singular or _label(name),
            plural_label=plural or f"{singular or _label(name)}s",
        )
        others = [other.name for other in self.kinds()] if links_to is None else list(links_to)
        for word in (full, name.lower(), kind.type_id):
            self.types[word] = kind
        self.properties[full] = props
        self.groups[full] = {f"{name}_information": f"{kind.label} information"}
        for other in others:
            self.links.add(full, other, None)
        return kind


def build_schema() -> Schema:
    """A portal with the standard objects and the demo's custom properties."""
    schema = Schema()
    for kind in TYPES:
        for word in (kind.name, kind.singular, kind.type_id):
            schema.types[word] = kind
        lines = [line for line in PROPERTIES[kind.name].splitlines() if line]
        schema.properties[kind.name] = {p.name: p for p in map(_parse, lines)}
        schema.groups[kind.name] = {f"{kind.singular}information": f"{kind.singular.capitalize()} information"}
    return schema


def field_types() -> Mapping[str, str]:
    """Property kind -> the `fieldType` that goes with it."""
    return _FIELD_TYPES


_FLAGS = frozenset({"readonly", "unique", "multiple", "calculated", "hidden"})


def _parse(line: str) -> Property:
    """`name kind[=option|option] [readonly] [unique] [multiple] [calculated] [hidden]`."""
    name, spec, *flags = line.split()
    assert set(flags) <= _FLAGS, line
    kind, _, options = spec.partition("=")
    values = tuple(options.split("|")) if options else ()
    if kind == "bool":
        values = ("true", "false")
    return Property(
        name,
        kind,
        values,
        read_only="readonly" in flags or "calculated" in flags,
        unique="unique" in flags,
        label=_label(name),
        multiple="multiple" in flags,
        calculated="calculated" in flags,
        hidden="hidden" in flags,
    )


def _label(name: str) -> str:
    return name.removeprefix("hs_").replace("_", " ").capitalize()
