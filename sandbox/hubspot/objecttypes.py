"""The object types that every portal has: their names in paths, their stamps, their scopes."""

from __future__ import annotations

from dataclasses import dataclass


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
        "line_items",
        "line_item",
        "0-8",
        "line_item",
        "hs_lastmodifieddate",
        "crm.objects.line_items.read",
        "crm.objects.line_items.write",
        (*_STAMPS, "name", "price", "quantity", "amount"),
        (),
        ("name",),
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
