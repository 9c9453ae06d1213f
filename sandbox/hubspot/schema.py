"""What a HubSpot portal knows of its objects: types, their names in paths, properties, scopes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from sandbox.hubspot.catalogue import PROPERTIES
from sandbox.hubspot.linktypes import LinkTypes

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
        return "calculation_equation" if self.calculated else _FIELD_TYPES[self.kind]

    def option_labels(self) -> list[tuple[str, str]]:
        """(label, value) of each option."""
        labels = self.labels or tuple(o.replace("_", " ").capitalize() for o in self.options)
        return list(zip(labels, self.options, strict=True))


@dataclass(frozen=True, slots=True)
class ObjectType:
    """One object type and how the API treats it."""

    name: str
    """Plural, lower case: the name in paths, and the table's name."""
    singular: str
    type_id: str
    link_word: str
    """Its word in association type names (`meeting_event_to_contact`)."""
    modified: str
    """The property that carries the modification stamp; contacts alone have no `hs_` before it."""
    read_scope: str
    write_scope: str
    defaults: tuple[str, ...]
    """Properties that are returned when none are asked for."""
    required: tuple[str, ...] = ()
    """Properties that a new record must have."""
    searchable: tuple[str, ...] = ()
    html_missing: bool = False
    """GET of a missing record answers 404 with an HTML page (recorded for tickets and tasks, Nov 2024)."""
    custom: bool = False
    """Made by the portal; its required properties must be there at creation in every version."""
    label: str = ""
    plural_label: str = ""
    display: str = ""
    """The primary display property; empty: the first searchable one."""


_STAMPS = ("createdate", "hs_lastmodifieddate", "hs_object_id")
_ACTIVITY_STAMPS = ("hs_createdate", "hs_lastmodifieddate", "hs_object_id")
_CONTACTS = ("crm.objects.contacts.read", "crm.objects.contacts.write")


def _crm(name: str, *rest: str) -> tuple[str, ...]:
    return (f"crm.objects.{name}.read", f"crm.objects.{name}.write", *rest)


TYPES = (
    ObjectType(
        "companies",
        "company",
        "0-2",
        "company",
        "hs_lastmodifieddate",
        "crm.objects.companies.read",
        "crm.objects.companies.write",
        (*_STAMPS, "name", "domain"),
        ("name",),
        ("name", "domain", "website", "phone"),
    ),
    ObjectType(
        "contacts",
        "contact",
        "0-1",
        "contact",
        "lastmodifieddate",
        *_CONTACTS,
        ("createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname"),
        ("email",),
        ("firstname", "lastname", "email", "phone", "company"),
    ),
    ObjectType(
        "deals",
        "deal",
        "0-3",
        "deal",
        "hs_lastmodifieddate",
        "crm.objects.deals.read",
        "crm.objects.deals.write",
        (*_STAMPS, "amount", "closedate", "dealname", "dealstage", "pipeline"),
        ("dealname", "dealstage"),
        ("dealname",),
    ),
    ObjectType(
        "tickets",
        "ticket",
        "0-5",
        "ticket",
        "hs_lastmodifieddate",
        "tickets",
        "tickets",
        (
            *_STAMPS,
            "content",
            "hs_pipeline",
            "hs_pipeline_stage",
            "hs_ticket_category",
            "hs_ticket_priority",
            "subject",
        ),
        ("hs_pipeline_stage", "subject"),
        ("subject",),
        html_missing=True,
    ),
    ObjectType(
        "emails",
        "email",
        "0-49",
        "email",
        "hs_lastmodifieddate",
        "sales-email-read",
        _CONTACTS[1],
        _ACTIVITY_STAMPS,
        ("hs_timestamp", "hs_email_direction"),
        ("hs_email_subject",),
    ),
    ObjectType(
        "calls",
        "call",
        "0-48",
        "call",
        "hs_lastmodifieddate",
        *_CONTACTS,
        _ACTIVITY_STAMPS,
        ("hs_timestamp",),
        ("hs_call_title",),
    ),
    ObjectType(
        "meetings",
        "meeting",
        "0-47",
        "meeting_event",
        "hs_lastmodifieddate",
        *_CONTACTS,
        _ACTIVITY_STAMPS,
        ("hs_timestamp",),
        ("hs_meeting_title",),
    ),
    ObjectType(
        "notes",
        "note",
        "0-46",
        "note",
        "hs_lastmodifieddate",
        *_CONTACTS,
        _ACTIVITY_STAMPS,
        ("hs_timestamp",),
        ("hs_note_body",),
    ),
    ObjectType(
        "tasks",
        "task",
        "0-27",
        "task",
        "hs_lastmodifieddate",
        *_CONTACTS,
        _ACTIVITY_STAMPS,
        ("hs_timestamp",),
        ("hs_task_subject",),
        html_missing=True,
    ),
)

ALL_SCOPES = frozenset(
    {t.read_scope for t in TYPES}
    | {t.write_scope for t in TYPES}
    | {"crm.objects.owners.read", "oauth", "crm.objects.custom.read", "crm.objects.custom.write"}
    | {"crm.schemas.custom.read", "crm.schemas.custom.write"}
    | {f"crm.schemas.{t}.{verb}" for t in ("companies", "contacts", "deals") for verb in ("read", "write")}
)


_STANDARD_CUSTOM = ("hs_createdate", "hs_lastmodifieddate", "hs_object_id")
_OWN_COMMON = """
hs_createdate datetime readonly
hs_lastmodifieddate datetime readonly
hs_object_id number readonly
hs_merged_object_ids string readonly
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
