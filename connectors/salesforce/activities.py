"""Salesforce's activities as ours: tasks, events, mails, and who took part."""

from __future__ import annotations

from connectors.salesforce.settings import ActivityFields
from connectors.salesforce.values import Row, addresses, deleted_at, instant, kind_of, modified_at, of_kind, unread
from store.records import (
    HOUR,
    ActivityKind,
    ActivityRecord,
    ActivityStatus,
    Gone,
    Instant,
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


def _created(row: Row) -> Instant:
    return instant(row.get("CreatedDate")) or modified_at(row)


_ACCOUNT, _CONTACT, _USER, _CASE = "001", "003", "005", "500"
"""Key prefixes: Who is a contact or a lead (00Q), What an account, or a row that hangs on one."""


def _accounts(given: str | None, about: str | None) -> tuple[tuple[str, ...], str | None]:
    """(accounts named, the row it is about where that row says which account it is).

    Salesforce derives AccountId from WhatId or the primary contact, and what it says is taken as given. Where it says
    nothing, the account is that of the opportunity, case or custom row that WhatId names.
    """
    if given:
        return (given,), None
    if kind_of(about) == _ACCOUNT:
        return (str(about),), None
    return (), about or None


def _who(row: Row) -> tuple[ParticipantRecord, ...] | None:
    """The primary contact, for orgs without relation objects; with them the relation rows say it, and more."""
    contact = of_kind(row.get("WhoId"), _CONTACT)
    return (ParticipantRecord(f"{row['Id']}:who", row["Id"], "who", contact),) if contact else ()


_READ_FROM = {
    "subject": "Subject",
    "owner_id": "OwnerId",
    "account_ids": "AccountId",
    "created_at": "CreatedDate",
    "archived": "IsArchived",
}


def task(row: Row) -> list[Record]:
    """A Task: a call, a logged e-mail, or something to do."""
    subtype = row.get("TaskSubtype") or "Task"
    done = row.get("Status") == "Completed"
    at = instant(row.get("CompletedDateTime")) or instant(row.get("ActivityDate")) or _created(row)
    accounts, about = _accounts(row.get("AccountId"), row.get("WhatId"))
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
            created_at=_created(row),
            modified_at=modified_at(row),
            owner_id=row.get("OwnerId"),
            account_ids=accounts,
            about_id=about,
            disposition=_DISPOSITIONS.get(disposition, disposition) or None,
            deleted_at=deleted_at(row),
            archived=bool(row.get("IsArchived")),
            participants=_who(row),
            unread=unread(row, **_READ_FROM, status="Status", direction="CallType", disposition="CallDisposition"),
        )
    ]


def _event_status(word: str | None) -> ActivityStatus:
    return _EVENT_STATUS.get((word or "").strip().casefold().replace("-", " "), ActivityStatus.UNKNOWN)


def event(row: Row, names: ActivityFields) -> list[Record]:
    """An Event: a meeting."""
    start = instant(row.get("StartDateTime")) or _created(row)
    accounts, about = _accounts(row.get("AccountId"), row.get("WhatId"))
    return [
        ActivityRecord(
            id=row["Id"],
            kind=ActivityKind.MEETING,
            status=_event_status(row.get(names.meeting_status or "")),
            direction=None,
            subject=row.get("Subject"),
            starts_at=start,
            ends_at=instant(row.get("EndDateTime")) or start + HOUR,
            created_at=_created(row),
            modified_at=modified_at(row),
            owner_id=row.get("OwnerId"),
            account_ids=accounts,
            about_id=about,
            ical_uid=row.get(names.meeting_uid or ""),
            deleted_at=deleted_at(row),
            archived=bool(row.get("IsArchived")),
            participants=_who(row),
            unread=unread(
                row,
                **_READ_FROM,
                **_given(status=names.meeting_status, ical_uid=names.meeting_uid),
                starts_at="StartDateTime",
                ends_at="EndDateTime",
            ),
        )
    ]


def _given(**fields: str | None) -> dict[str, str]:
    return {name: value for name, value in fields.items() if value}


def email(row: Row, names: ActivityFields) -> list[Record]:
    """An EmailMessage: a mail, its metadata only."""
    at = instant(row.get("MessageDate")) or _created(row)
    accounts, about = _accounts(None, row.get("RelatedToId") or row.get("ParentId"))
    # Mail of a case is handled by support; it says nothing about the relationship.
    of_a_case = of_kind(row.get("ParentId"), _CASE) is not None
    return [
        ActivityRecord(
            id=row["Id"],
            kind=ActivityKind.EMAIL,
            status=ActivityStatus.DONE,
            direction="in" if row.get("Incoming") else "out",
            subject=row.get("Subject"),
            starts_at=at,
            ends_at=at,
            created_at=_created(row),
            modified_at=modified_at(row),
            owner_id=None,
            account_ids=accounts,
            about_id=about,
            automatic=bool(row.get(names.automatic or "")) or of_a_case,
            message_id=row.get("MessageIdentifier"),
            same_as=row.get("ActivityId"),
            deleted_at=deleted_at(row),
            participants=_mail_sides(row),
            unread=unread(
                row,
                **_given(automatic=names.automatic),
                direction="Incoming",
                subject="Subject",
                created_at="CreatedDate",
                message_id="MessageIdentifier",
                same_as="ActivityId",
            ),
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
    contact, user = of_kind(row.get("RelationId"), _CONTACT), of_kind(row.get("RelationId"), _USER)
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


def primary_contact(row: Row) -> list[Record]:
    """The primary contact as a row of its own, for meetings whose relation rows name the invited people only.

    Without Shared Activities EventRelation has no row for WhoId; a contact that is taken off leaves a tombstone.
    """
    sides = _who(row)
    return list(sides) if sides else [Gone("participants", f"{row['Id']}:who", modified_at(row))]


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
            contact_id=of_kind(row.get("RelationId"), _CONTACT),
            team_member_id=of_kind(row.get("RelationId"), _USER),
            address=row.get("RelationAddress"),
            modified_at=modified_at(row),
            deleted_at=deleted_at(row),
        )
    ]
