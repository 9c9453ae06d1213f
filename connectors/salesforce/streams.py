"""The objects that are read from Salesforce: their fields, and what their rows become."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial

from connectors.mapping import FieldMapping
from connectors.salesforce import activities, rows
from connectors.salesforce.settings import ActivityFields
from connectors.salesforce.values import Row
from store.records import Record

QUIET = frozenset({"SystemModstamp", "CreatedDate", "IsDeleted", "IsArchived", "MasterRecordId"})
"""Fields of the platform that some objects do not have: nobody can grant them, so nobody is told."""


@dataclass(frozen=True)
class Stream:
    """One object: its name, the fields to select, and how a row becomes records."""

    name: str
    object: str
    fields: tuple[str, ...]
    record: Callable[[Row], list[Record]]
    kind: str | None
    """What its rows are to the store (accounts, participants, ...); None where a row never leaves (users)."""
    query: str = "queryAll"
    """queryAll shows soft-deleted, merged and archived rows, which query hides."""
    optional: bool = False
    """The org may not have the object (relation objects come with Shared Activities)."""
    where: str | None = None
    """Rows that are read at all."""
    mapped: tuple[str, ...] = ()
    """Those of its fields that the mapping names: raw values under `fields` of the record."""
    path: str | None = None
    """The mapped field that leads to the account."""
    meaning: str = ""
    """What else decides what a row becomes: rows read with another meaning are read again."""

    @cached_property
    def selects(self) -> tuple[str, ...]:
        """Every field to ask for, if the user may see it."""
        return tuple(dict.fromkeys(("Id", *self.fields, "SystemModstamp")))

    @cached_property
    def covers(self) -> tuple[str, ...]:
        """What a cursor remembers its rows were read with."""
        digest = hashlib.sha256(self.meaning.encode()).hexdigest()[:12] if self.meaning else None
        return tuple(sorted({*self.fields, *([f"={digest}"] if digest else ())}))

    @property
    def relation(self) -> bool:
        """Are its rows sides of an activity."""
        return self.kind == "participants"


def streams(mapping: FieldMapping, added: ActivityFields) -> tuple[Stream, ...]:
    """Every object of one org, mapped ones included."""
    objects = mapping.objects()
    deals = tuple(objects.pop("Opportunity", ()))
    paths = mapping.paths()
    mapped = tuple(_mapped(name, fields, paths[name]) for name, fields in objects.items())
    return (*_people_and_money(mapping, deals), *_activities(added), *_relations(), *_roles(), *mapped)


def _people_and_money(mapping: FieldMapping, deals: tuple[str, ...]) -> tuple[Stream, ...]:
    accounts, contacts = mapping.account_fields(), mapping.contact_fields()
    return (
        Stream("members", "User", rows.MEMBER, rows.member, None, query="query"),
        Stream(
            "accounts",
            "Account",
            _with(rows.ACCOUNT, accounts),
            partial(rows.account, mapping=mapping),
            "accounts",
            mapped=accounts,
            meaning=repr(sorted(mapping.customer.items())),
        ),
        Stream(
            "contacts",
            "Contact",
            _with(rows.CONTACT, contacts),
            partial(rows.contact, mapping=mapping),
            "contacts",
            mapped=contacts,
        ),
        Stream(
            "opportunities",
            "Opportunity",
            _with(rows.DEAL, (*deals, *mapping.currency_fields())),
            partial(rows.deal, mapped=deals, currencies=mapping.currencies),
            "opportunities",
            mapped=deals,
            meaning=repr(sorted(mapping.currencies.rates.items())) if mapping.currencies else "",
        ),
        Stream("tickets", "Case", rows.CASE, rows.case, "tickets"),
    )


def _activities(added: ActivityFields) -> tuple[Stream, ...]:
    meeting, mail = _given(added.meeting_status, added.meeting_uid), _given(added.automatic)
    return (
        Stream("tasks", "Task", activities.TASK, activities.task, "activities"),
        Stream(
            "events",
            "Event",
            _with(activities.EVENT, meeting),
            partial(activities.event, names=added),
            "activities",
            meaning=repr(("event", added.meeting_status, added.meeting_uid)),
        ),
        Stream(
            "emails",
            "EmailMessage",
            _with(activities.EMAIL, mail),
            partial(activities.email, names=added),
            "activities",
            meaning=repr(("email", added.automatic)),
        ),
    )


# The other rows name the account or opportunity that it is about.
_PEOPLE = "IsWhat = false"


def _relations() -> tuple[Stream, ...]:
    return (
        Stream(
            "task_relations",
            "TaskRelation",
            ("TaskId", "RelationId", "IsWhat", "IsDeleted"),
            partial(activities.relation, parent="TaskId", role="who"),
            "participants",
            optional=True,
            where=_PEOPLE,
        ),
        Stream(
            "event_relations",
            "EventRelation",
            ("EventId", "RelationId", "IsWhat", "IsDeleted"),
            partial(activities.relation, parent="EventId", role="attendee"),
            "participants",
            optional=True,
            where=_PEOPLE,
        ),
        # EmailMessageRelation's list of calls has query and getDeleted, but no queryAll.
        Stream(
            "email_relations",
            "EmailMessageRelation",
            ("EmailMessageId", "RelationId", "RelationType", "RelationAddress", "IsDeleted"),
            activities.email_relation,
            "participants",
            query="query",
            optional=True,
        ),
    )


def _roles() -> tuple[Stream, ...]:
    return (
        Stream(
            "deal_roles",
            "OpportunityContactRole",
            rows.DEAL_ROLE,
            rows.deal_role,
            "contact_roles",
            optional=True,
        ),
        Stream(
            "account_roles",
            "AccountContactRelation",
            rows.ACCOUNT_ROLE,
            rows.account_role,
            "contact_roles",
            optional=True,
            # The direct relation of a contact says what Contact.AccountId says already.
            where="IsDirect = false",
        ),
    )


def _mapped(name: str, fields: tuple[str, ...], path: str) -> Stream:
    names = _with(fields, (path,))
    return Stream(
        f"objects:{name}",
        name,
        _with(rows.OBJECT, names),
        partial(rows.mapped_object, name=name, fields=names, path=path),
        f"objects:{name}",
        mapped=names,
        path=path,
        meaning=path,
    )


def _with(base: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*base, *more)))


def _given(*names: str | None) -> tuple[str, ...]:
    return tuple(name for name in names if name)
