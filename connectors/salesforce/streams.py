"""The objects that are read from Salesforce, and what each row becomes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from connectors.mapping import FieldMapping, holds
from connectors.salesforce.settings import ActivityFields
from connectors.salesforce.values import Row, addresses, cents, day, instant, of_kind, stamp
from store.records import (
    HOUR,
    AccountRecord,
    ActivityKind,
    ActivityRecord,
    ActivityStatus,
    ContactRecord,
    Instant,
    ObjectRecord,
    OpportunityRecord,
    ParticipantRecord,
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


def streams(mapping: FieldMapping, activities: ActivityFields) -> tuple[Stream, ...]:
    """Every object of one org, mapped ones included."""
    objects = mapping.objects()
    deals = tuple(objects.pop("Opportunity", ()))
    known = (
        Stream("members", "User", ("Name", "Email", "IsActive", "ManagerId"), _member, query="query"),
        Stream("accounts", "Account", _with(_ACCOUNT, mapping.account_fields()), lambda row: [_account(row, mapping)]),
        Stream("contacts", "Contact", _with(_CONTACT, mapping.contact_fields()), lambda row: [_contact(row, mapping)]),
        Stream("opportunities", "Opportunity", _with(_DEAL, deals), lambda row: [_deal(row, deals)]),
        Stream("tickets", "Case", _CASE, _case),
        Stream("tasks", "Task", _TASK, _task),
        Stream(
            "events",
            "Event",
            _with(_EVENT, _given(activities.meeting_status, activities.meeting_uid)),
            lambda row: _event(row, activities),
        ),
        Stream(
            "emails",
            "EmailMessage",
            _with(_EMAIL, _given(activities.automatic)),
            lambda row: _email(row, activities),
        ),
        Stream(
            "task_relations",
            "TaskRelation",
            ("TaskId", "RelationId", "IsWhat", "IsDeleted"),
            lambda row: _relation(row, "TaskId", "who"),
            optional=True,
            deletes="participants",
        ),
        Stream(
            "event_relations",
            "EventRelation",
            ("EventId", "RelationId", "IsWhat", "IsDeleted"),
            lambda row: _relation(row, "EventId", "attendee"),
            optional=True,
            deletes="participants",
        ),
        # EmailMessageRelation's list of calls has query and getDeleted, but no queryAll.
        Stream(
            "email_relations",
            "EmailMessageRelation",
            ("EmailMessageId", "RelationId", "RelationType", "RelationAddress", "IsDeleted"),
            _email_relation,
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


def _deleted_at(row: Row) -> Instant | None:
    # A soft delete moves the stamp; there is no separate one.
    return stamp(row, "SystemModstamp") if row.get("IsDeleted") else None


def _modified_at(row: Row) -> Instant:
    return instant(row.get("SystemModstamp")) or instant(row.get("LastModifiedDate")) or stamp(row, "CreatedDate")


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
            modified_at=_modified_at(row),
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
        modified_at=_modified_at(row),
        customer=holds(mapping.customer, raw),
        deleted_at=_deleted_at(row),
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
        modified_at=_modified_at(row),
        deleted_at=_deleted_at(row),
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
        modified_at=_modified_at(row),
        deleted_at=_deleted_at(row),
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
            modified_at=_modified_at(row),
            deleted_at=_deleted_at(row),
        )
    ]


def _object(name: str, fields: tuple[str, ...], path: str) -> Stream:
    def record(row: Row) -> list[Record]:
        return [
            ObjectRecord(
                object=name,
                id=row["Id"],
                account_id=row.get(path),
                created_at=instant(row.get("CreatedDate")) or _modified_at(row),
                modified_at=_modified_at(row),
                fields=_raw(row, fields),
                deleted_at=_deleted_at(row),
            )
        ]

    return Stream(f"objects:{name}", name, _with(("CreatedDate", "IsDeleted"), fields), record)


# ---------------------------------------------------------------- activities

_ACTIVITY = ("Subject", "WhoId", "WhatId", "AccountId", "OwnerId", "CreatedDate", "IsDeleted", "IsArchived")
_TASK = (*_ACTIVITY, "Status", "ActivityDate", "TaskSubtype", "CallType", "CallDisposition", "CompletedDateTime")
_EVENT = (*_ACTIVITY, "StartDateTime", "EndDateTime")
_EMAIL = (
    "Subject",
    "FromAddress",
    "ToAddress",
    "CcAddress",
    "Incoming",
    "MessageDate",
    "MessageIdentifier",
    "ActivityId",
    "RelatedToId",
    "ParentId",
    "CreatedDate",
    "IsDeleted",
)
_EVENT_STATUS = {
    "planned": ActivityStatus.PLANNED,
    "scheduled": ActivityStatus.PLANNED,
    "held": ActivityStatus.DONE,
    "completed": ActivityStatus.DONE,
    "cancelled": ActivityStatus.CANCELLED,
    "canceled": ActivityStatus.CANCELLED,
    "no show": ActivityStatus.NO_SHOW,
}
_DISPOSITIONS = {"connected": "connected", "no answer": "no_answer", "left voicemail": "left_voicemail"}
_KINDS = {"Call": ActivityKind.CALL, "Email": ActivityKind.EMAIL}


def _accounts(row: Row) -> tuple[str, ...]:
    # Salesforce derives AccountId from WhatId or the primary contact; it is taken as given.
    return (row["AccountId"],) if row.get("AccountId") else ()


def _who(row: Row) -> tuple[ParticipantRecord, ...] | None:
    """The primary contact, for orgs without relation objects; with them the relation rows say it, and more."""
    contact = of_kind(row.get("WhoId"), "003")
    return (ParticipantRecord(f"{row['Id']}:who", row["Id"], "who", contact),) if contact else ()


def _task(row: Row) -> list[Record]:
    subtype = row.get("TaskSubtype") or "Task"
    done = row.get("Status") == "Completed"
    at = instant(row.get("CompletedDateTime")) or instant(row.get("ActivityDate")) or stamp(row, "CreatedDate")
    disposition = (row.get("CallDisposition") or "").strip().casefold()
    return [
        ActivityRecord(
            id=row["Id"],
            kind=_KINDS.get(subtype, ActivityKind.TASK),
            status=ActivityStatus.DONE if done else ActivityStatus.PLANNED,
            direction={"Inbound": "in", "Outbound": "out"}.get(row.get("CallType") or ""),
            subject=row.get("Subject"),
            starts_at=at,
            ends_at=at,
            created_at=stamp(row, "CreatedDate"),
            modified_at=_modified_at(row),
            owner_id=row.get("OwnerId"),
            account_ids=_accounts(row),
            disposition=_DISPOSITIONS.get(disposition, disposition) or None,
            deleted_at=_deleted_at(row),
            archived=bool(row.get("IsArchived")),
            participants=_who(row),
        )
    ]


def _event_status(word: str | None) -> ActivityStatus:
    return _EVENT_STATUS.get((word or "").strip().casefold().replace("-", " "), ActivityStatus.UNKNOWN)


def _event(row: Row, names: ActivityFields) -> list[Record]:
    start = instant(row.get("StartDateTime")) or stamp(row, "CreatedDate")
    return [
        ActivityRecord(
            id=row["Id"],
            kind=ActivityKind.MEETING,
            status=_event_status(row.get(names.meeting_status or "")),
            direction=None,
            subject=row.get("Subject"),
            starts_at=start,
            ends_at=instant(row.get("EndDateTime")) or start + HOUR,
            created_at=stamp(row, "CreatedDate"),
            modified_at=_modified_at(row),
            owner_id=row.get("OwnerId"),
            account_ids=_accounts(row),
            ical_uid=row.get(names.meeting_uid or ""),
            deleted_at=_deleted_at(row),
            archived=bool(row.get("IsArchived")),
            participants=_who(row),
        )
    ]


def _email(row: Row, names: ActivityFields) -> list[Record]:
    at = instant(row.get("MessageDate")) or stamp(row, "CreatedDate")
    account = of_kind(row.get("RelatedToId"), "001")
    # Mail of a case is handled by support; it says nothing about the relationship.
    of_a_case = of_kind(row.get("ParentId"), "500") is not None
    return [
        ActivityRecord(
            id=row["Id"],
            kind=ActivityKind.EMAIL,
            status=ActivityStatus.DONE,
            direction="in" if row.get("Incoming") else "out",
            subject=row.get("Subject"),
            starts_at=at,
            ends_at=at,
            created_at=stamp(row, "CreatedDate"),
            modified_at=_modified_at(row),
            owner_id=None,
            account_ids=(account,) if account else (),
            automatic=bool(row.get(names.automatic or "")) or of_a_case,
            message_id=row.get("MessageIdentifier"),
            same_as=row.get("ActivityId"),
            deleted_at=_deleted_at(row),
            participants=_mail_sides(row),
        )
    ]


def _mail_sides(row: Row) -> tuple[ParticipantRecord, ...]:
    """The mail's own address fields, for orgs without EmailMessageRelation."""
    sides = [("from", a) for a in addresses(row.get("FromAddress"))]
    sides += [("to", a) for a in addresses(row.get("ToAddress"))]
    sides += [("cc", a) for a in addresses(row.get("CcAddress"))]
    found = {
        (role, a.casefold()): ParticipantRecord(f"{row['Id']}:{role}:{a.casefold()}", row["Id"], role, address=a)
        for role, a in sides
    }
    return tuple(found.values())


def _relation(row: Row, parent: str, role: str) -> list[Record]:
    if row.get("IsWhat"):
        return []  # the account or opportunity it is about, not somebody who took part
    contact, user = of_kind(row.get("RelationId"), "003"), of_kind(row.get("RelationId"), "005")
    if contact is None and user is None:
        return []
    return [
        ParticipantRecord(
            id=row["Id"],
            activity_id=row[parent],
            role=role,
            contact_id=contact,
            team_member_id=user,
            modified_at=_modified_at(row),
            deleted_at=_deleted_at(row),
        )
    ]


_MAIL_ROLES = {"FromAddress": "from", "ToAddress": "to", "CcAddress": "cc", "BccAddress": "bcc"}


def _email_relation(row: Row) -> list[Record]:
    role = _MAIL_ROLES.get(row.get("RelationType") or "")
    if role is None:
        return []
    return [
        ParticipantRecord(
            id=row["Id"],
            activity_id=row["EmailMessageId"],
            role=role,
            contact_id=of_kind(row.get("RelationId"), "003"),
            team_member_id=of_kind(row.get("RelationId"), "005"),
            address=row.get("RelationAddress"),
            modified_at=_modified_at(row),
            deleted_at=_deleted_at(row),
        )
    ]
