"""What a HubSpot portal knows of its objects: types, their names in paths, properties, scopes."""

from __future__ import annotations

from dataclasses import dataclass, field

from sandbox.hubspot.catalogue import PROPERTIES

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
class Property:
    """One property of an object type. `kind`: string | number | date | datetime | enumeration | bool | phone_number | owner."""

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

    @property
    def type(self) -> str:
        """The type as the properties API names it: an owner is an enumeration with outside options."""
        return "enumeration" if self.kind == "owner" else self.kind

    @property
    def shown_as(self) -> str:
        """The `fieldType`."""
        return self.field_type or _FIELD_TYPES[self.kind]

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
    | {"crm.objects.owners.read", "oauth"}
    | {f"crm.schemas.{t}.{verb}" for t in ("companies", "contacts", "deals") for verb in ("read", "write")}
)


@dataclass(slots=True)
class Schema:
    """The portal's object types and properties; custom properties may be added."""

    types: dict[str, ObjectType] = field(default_factory=dict)
    """By every name that a path may use, in lower case."""
    properties: dict[str, dict[str, Property]] = field(default_factory=dict)

    def type_of(self, word: str) -> ObjectType | None:
        """The type meant by a word of a path: plural, singular in any case, or type id."""
        return self.types.get(word.lower())


def build_schema() -> Schema:
    """A portal with the standard objects and the demo's custom properties."""
    schema = Schema()
    for kind in TYPES:
        for word in (kind.name, kind.singular, kind.type_id):
            schema.types[word] = kind
        lines = [line for line in PROPERTIES[kind.name].splitlines() if line]
        schema.properties[kind.name] = {p.name: p for p in map(_parse, lines)}
    return schema


def _parse(line: str) -> Property:
    """`name kind[=option|option] [readonly] [unique]`."""
    name, spec, *flags = line.split()
    kind, _, options = spec.partition("=")
    values = tuple(options.split("|")) if options else ()
    if kind == "bool":
        values = ("true", "false")
    return Property(name, kind, values, read_only="readonly" in flags, unique="unique" in flags, label=_label(name))


def _label(name: str) -> str:
    return name.removeprefix("hs_").replace("_", " ").capitalize()
