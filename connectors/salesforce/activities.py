"""Salesforce's activities as ours: tasks, events, mails, and who took part."""

from __future__ import annotations

from connectors.salesforce.settings import ActivityFields
from connectors.salesforce.values import Row, addresses, deleted_at, instant, modified_at, of_kind, stamp
from store.records import (
    HOUR,
    ActivityKind,
    ActivityRecord,
    ActivityStatus,
    ParticipantRecord,
    Record,
)

_ACTIVITY = ("Subject", "WhoId", "WhatId", "AccountId", "OwnerId", "CreatedDate", "IsDeleted", "IsArchived")
TASK = (*_ACTIVITY, "Status", "ActivityDate", "TaskSubtype", "CallType", "CallDisposition", "CompletedDateTime")
EVENT = (*_ACTIVITY, "StartDateTime", "EndDateTime")
EMAIL = (
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


def task(row: Row) -> list[Record]:
    """A Task: a call, a logged e-mail, or something to do."""
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
            modified_at=modified_at(row),
            owner_id=row.get("OwnerId"),
            account_ids=_accounts(row),
            disposition=_DISPOSITIONS.get(disposition, disposition) or None,
            deleted_at=deleted_at(row),
            archived=bool(row.get("IsArchived")),
            participants=_who(row),
        )
    ]


def _event_status(word: str | None) -> ActivityStatus:
    return _EVENT_STATUS.get((word or "").strip().casefold().replace("-", " "), ActivityStatus.UNKNOWN)


def event(row: Row, names: ActivityFields) -> list[Record]:
    """An Event: a meeting."""
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
            modified_at=modified_at(row),
            owner_id=row.get("OwnerId"),
            account_ids=_accounts(row),
            ical_uid=row.get(names.meeting_uid or ""),
            deleted_at=deleted_at(row),
            archived=bool(row.get("IsArchived")),
            participants=_who(row),
        )
    ]


def email(row: Row, names: ActivityFields) -> list[Record]:
    """An EmailMessage: a mail, its metadata only."""
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
            modified_at=modified_at(row),
            owner_id=None,
            account_ids=(account,) if account else (),
            automatic=bool(row.get(names.automatic or "")) or of_a_case,
            message_id=row.get("MessageIdentifier"),
            same_as=row.get("ActivityId"),
            deleted_at=deleted_at(row),
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


def relation(row: Row, parent: str, role: str) -> list[Record]:
    """A row of TaskRelation or EventRelation: who took part."""
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
            modified_at=modified_at(row),
            deleted_at=deleted_at(row),
        )
    ]


_MAIL_ROLES = {"FromAddress": "from", "ToAddress": "to", "CcAddress": "cc", "BccAddress": "bcc"}


def email_relation(row: Row) -> list[Record]:
    """A row of EmailMessageRelation: who wrote or got a mail; RelationId is empty for an unknown address."""
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
            modified_at=modified_at(row),
            deleted_at=deleted_at(row),
        )
    ]
