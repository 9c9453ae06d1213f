"""The objects that are read from Salesforce, and what each row becomes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from connectors.mapping import FieldMapping, holds
from connectors.salesforce import activities
from connectors.salesforce.settings import ActivityFields
from connectors.salesforce.values import Row, cents, day, deleted_at, instant, modified_at, stamp
from store.records import (
    AccountRecord,
    ContactRecord,
    ObjectRecord,
    OpportunityRecord,
    Record,
    Scalar,
    TeamMemberRecord,
    TicketRecord,
)

# The order in which an object's changes can be followed; the first that is there and filterable is taken.
# SystemModstamp is indexed and moves with automated changes too; LastModifiedDate may be back-dated by an import.
CURSOR_FIELDS = ("SystemModstamp", "LastModifiedDate", "CreatedDate", "LoginTime")


@dataclass(frozen=True, slots=True)
class Stream:
    """One object: its name, the fields to select, and how a row becomes records."""

    name: str
    object: str
    fields: tuple[str, ...]
    record: Callable[[Row], list[Record]]
    query: str = "queryAll"
    """queryAll shows soft-deleted, merged and archived rows, which query hides."""
    optional: bool = False
    """The org may not have the object (relation objects come with Shared Activities)."""
    deletes: str | None = None
    """Rows that are removed without a trace in queryAll: their kind for tombstones, read from the delete log."""


def streams(mapping: FieldMapping, added: ActivityFields) -> tuple[Stream, ...]:
    """Every object of one org, mapped ones included."""
    objects = mapping.objects()
    deals = tuple(objects.pop("Opportunity", ()))
    known = (
        Stream("members", "User", ("Name", "Email", "IsActive", "ManagerId"), _member, query="query"),
        Stream("accounts", "Account", _with(_ACCOUNT, mapping.account_fields()), lambda row: [_account(row, mapping)]),
        Stream("contacts", "Contact", _with(_CONTACT, mapping.contact_fields()), lambda row: [_contact(row, mapping)]),
        Stream("opportunities", "Opportunity", _with(_DEAL, deals), lambda row: [_deal(row, deals)]),
        Stream("tickets", "Case", _CASE, _case),
        Stream("tasks", "Task", activities.TASK, activities.task),
        Stream(
            "events",
            "Event",
            _with(activities.EVENT, _given(added.meeting_status, added.meeting_uid)),
            lambda row: activities.event(row, added),
        ),
        Stream(
            "emails",
            "EmailMessage",
            _with(activities.EMAIL, _given(added.automatic)),
            lambda row: activities.email(row, added),
        ),
        Stream(
            "task_relations",
            "TaskRelation",
            ("TaskId", "RelationId", "IsWhat", "IsDeleted"),
            lambda row: activities.relation(row, "TaskId", "who"),
            optional=True,
            deletes="participants",
        ),
        Stream(
            "event_relations",
            "EventRelation",
            ("EventId", "RelationId", "IsWhat", "IsDeleted"),
            lambda row: activities.relation(row, "EventId", "attendee"),
            optional=True,
            deletes="participants",
        ),
        # EmailMessageRelation's list of calls has query and getDeleted, but no queryAll.
        Stream(
            "email_relations",
            "EmailMessageRelation",
            ("EmailMessageId", "RelationId", "RelationType", "RelationAddress", "IsDeleted"),
            activities.email_relation,
            query="query",
            optional=True,
            deletes="participants",
        ),
    )
    paths = mapping.paths()
    return known + tuple(_object(name, fields, paths[name]) for name, fields in objects.items())


def _with(base: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*base, *more)))


def _given(*names: str | None) -> tuple[str, ...]:
    return tuple(name for name in names if name)


def _raw(row: Row, names: tuple[str, ...]) -> dict[str, Scalar]:
    return {name: row.get(name) for name in names}


# ---------------------------------------------------------------- people and money

_ACCOUNT = ("Name", "Website", "OwnerId", "ParentId", "CreatedDate", "IsDeleted", "MasterRecordId")
_CONTACT = (
    "Name",
    "Email",
    "Title",
    "AccountId",
    "IsEmailBounced",
    "CreatedDate",
    "IsDeleted",
    "MasterRecordId",
)
_DEAL = (
    "Name",
    "AccountId",
    "Type",
    "StageName",
    "Amount",
    "CloseDate",
    "IsClosed",
    "IsWon",
    "CreatedDate",
    "IsDeleted",
)
_CASE = ("AccountId", "Priority", "Status", "IsClosed", "ClosedDate", "CreatedDate", "IsDeleted")


def _member(row: Row) -> list[Record]:
    return [
        TeamMemberRecord(
            id=row["Id"],
            name=row.get("Name") or row["Id"],
            email=row.get("Email"),
            active=bool(row.get("IsActive")),
            modified_at=modified_at(row),
            manager_id=row.get("ManagerId"),
        )
    ]


def _account(row: Row, mapping: FieldMapping) -> AccountRecord:
    raw = _raw(row, mapping.account_fields())
    return AccountRecord(
        id=row["Id"],
        name=row.get("Name") or row["Id"],
        domain=row.get("Website"),
        owner_id=row.get("OwnerId"),
        parent_id=row.get("ParentId"),
        created_at=stamp(row, "CreatedDate"),
        modified_at=modified_at(row),
        customer=holds(mapping.customer, raw),
        deleted_at=deleted_at(row),
        merged_into=row.get("MasterRecordId"),
        fields=raw,
    )


def _contact(row: Row, mapping: FieldMapping) -> ContactRecord:
    return ContactRecord(
        id=row["Id"],
        account_ids=(row["AccountId"],) if row.get("AccountId") else (),
        name=row.get("Name") or row.get("Email") or row["Id"],
        email=row.get("Email"),
        title=row.get("Title"),
        created_at=stamp(row, "CreatedDate"),
        modified_at=modified_at(row),
        deleted_at=deleted_at(row),
        merged_into=row.get("MasterRecordId"),
        bounced=bool(row.get("IsEmailBounced")),
        fields=_raw(row, mapping.contact_fields()),
    )


def _deal(row: Row, mapped: tuple[str, ...]) -> OpportunityRecord:
    return OpportunityRecord(
        id=row["Id"],
        account_id=row.get("AccountId"),
        name=row.get("Name") or row["Id"],
        type=row.get("Type"),
        stage=row.get("StageName"),
        amount=cents(row.get("Amount")),
        close_on=day(row.get("CloseDate")),
        closed=bool(row.get("IsClosed")),
        won=bool(row.get("IsWon")),
        created_at=stamp(row, "CreatedDate"),
        modified_at=modified_at(row),
        deleted_at=deleted_at(row),
        fields=_raw(row, mapped),
    )


def _case(row: Row) -> list[Record]:
    return [
        TicketRecord(
            id=row["Id"],
            account_id=row.get("AccountId"),
            priority=row.get("Priority"),
            status=row.get("Status"),
            opened_at=stamp(row, "CreatedDate"),
            closed_at=instant(row.get("ClosedDate")),
            created_at=stamp(row, "CreatedDate"),
            modified_at=modified_at(row),
            deleted_at=deleted_at(row),
        )
    ]


def _object(name: str, fields: tuple[str, ...], path: str) -> Stream:
    def record(row: Row) -> list[Record]:
        return [
            ObjectRecord(
                object=name,
                id=row["Id"],
                account_id=row.get(path),
                created_at=instant(row.get("CreatedDate")) or modified_at(row),
                modified_at=modified_at(row),
                fields=_raw(row, fields),
                deleted_at=deleted_at(row),
            )
        ]

    return Stream(f"objects:{name}", name, _with(("CreatedDate", "IsDeleted"), fields), record)
