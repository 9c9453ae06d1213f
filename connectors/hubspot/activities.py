"""What a call, e-mail, meeting, note or task becomes: metadata only."""

from __future__ import annotations

from typing import Any

from connectors.hubspot.rows import Row
from store.records import HOUR, ActivityKind, ActivityRecord, ActivityStatus, ParticipantRecord

_ACTIVITY = ("hs_timestamp", "hs_createdate", "hubspot_owner_id")
CALL = (*_ACTIVITY, "hs_call_title", "hs_call_direction", "hs_call_disposition", "hs_call_status", "hs_call_duration")
EMAIL = (
    *_ACTIVITY,
    "hs_email_direction",
    "hs_email_subject",
    "hs_email_from_email",
    "hs_email_to_email",
    "hs_email_cc_email",
    "hs_email_message_id",
    "hs_email_status",
)
MEETING = (
    *_ACTIVITY,
    "hs_meeting_title",
    "hs_meeting_start_time",
    "hs_meeting_end_time",
    "hs_meeting_outcome",
    "hs_i_cal_uid",
    "hs_attendee_owner_ids",
)
NOTE = _ACTIVITY
TASK = (*_ACTIVITY, "hs_task_status", "hs_task_subject")

# Dispositions of calls are ids; these are HubSpot's own, the same in every portal
# (developers.hubspot.com/docs/api-reference/crm-calls-v3/guide).
_DISPOSITIONS = {
    "f240bbac-87c9-4f6e-bf70-924b57d47db7": "connected",
    "9d9162e7-6cf3-4944-bf63-4dff82258764": "busy",
    "a4c4c377-d246-4b32-a13b-75a56a4cd0ff": "left_live_message",
    "b2cf5968-551e-4856-9783-52b3da59a7d0": "left_voicemail",
    "73a0d17f-1163-4015-bdd5-ec830791da20": "no_answer",
    "17b47fee-58de-441e-a44c-c6300d46f273": "wrong_number",
}
_OUTCOMES = {
    "SCHEDULED": ActivityStatus.PLANNED,
    "COMPLETED": ActivityStatus.DONE,
    "CANCELED": ActivityStatus.CANCELLED,
    "NO_SHOW": ActivityStatus.NO_SHOW,
    "RESCHEDULED": ActivityStatus.CANCELLED,
}


def _participants(row: Row, *more: tuple[str, str | None, str | None]) -> tuple[ParticipantRecord, ...]:
    """Associated contacts, and (role, owner id, address) of whoever else the activity itself names."""
    sides = {
        f"{row.id}:who:{ref}": ParticipantRecord(f"{row.id}:who:{ref}", row.id, "who", ref)
        for ref in row.linked.get("contacts", ())
    }
    for role, owner, address in more:
        key = f"{row.id}:{role}:{owner or (address or '').casefold()}"
        sides[key] = ParticipantRecord(key, row.id, role, team_member_id=owner, address=address)
    return tuple(sides.values())


def _activity(row: Row, kind: ActivityKind, **also: Any) -> ActivityRecord:
    created = row.created
    at = row.at("hs_timestamp") or created
    values: dict[str, Any] = {
        "status": ActivityStatus.DONE,
        "direction": None,
        "subject": None,
        "starts_at": at,
        "ends_at": at,
        "participants": _participants(row),
    } | also
    return ActivityRecord(
        id=row.id,
        kind=kind,
        created_at=created,
        modified_at=row.modified,
        owner_id=row.text("hubspot_owner_id"),
        account_ids=row.linked.get("companies", ()),
        **values,
    )


def plain(row: Row, kind: ActivityKind) -> ActivityRecord:
    """A note, or a task: an open one is only planned."""
    open_task = kind == ActivityKind.TASK and row.text("hs_task_status") != "COMPLETED"
    status = ActivityStatus.PLANNED if open_task else ActivityStatus.DONE
    return _activity(row, kind, status=status, subject=row.text("hs_task_subject"))


def call(row: Row) -> ActivityRecord:
    """A call."""
    at = row.at("hs_timestamp") or row.created
    # The duration is in milliseconds.
    duration = int(row.text("hs_call_duration") or 0) * 1_000 if (row.text("hs_call_duration") or "0").isdigit() else 0
    disposition = row.text("hs_call_disposition")
    done = row.text("hs_call_status") in (None, "COMPLETED")
    return _activity(
        row,
        ActivityKind.CALL,
        status=ActivityStatus.DONE if done else ActivityStatus.UNKNOWN if disposition else ActivityStatus.PLANNED,
        direction={"INBOUND": "in", "OUTBOUND": "out"}.get(row.text("hs_call_direction") or ""),
        subject=row.text("hs_call_title"),
        starts_at=at,
        ends_at=at + duration,
        disposition=_DISPOSITIONS.get(disposition, disposition) if disposition else None,
    )


def _split(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(";") if "@" in part]


def email(row: Row, bulk: str | None) -> ActivityRecord:
    """An e-mail, with the addresses that it names. `bulk`: the property that marks newsletters and automatic mail."""
    sides: list[tuple[str, str | None, str | None]] = []
    for role, name in (("from", "hs_email_from_email"), ("to", "hs_email_to_email"), ("cc", "hs_email_cc_email")):
        sides += [(role, None, address) for address in _split(row.text(name))]
    return _activity(
        row,
        ActivityKind.EMAIL,
        direction={"EMAIL": "out", "INCOMING_EMAIL": "in"}.get(row.text("hs_email_direction") or ""),
        subject=row.text("hs_email_subject"),
        automatic=row.text(bulk) == "true" if bulk else False,
        message_id=row.text("hs_email_message_id"),
        participants=_participants(row, *sides),
    )


def meeting(row: Row) -> ActivityRecord:
    """A meeting."""
    start = row.at("hs_meeting_start_time") or row.at("hs_timestamp") or row.created
    owners = (row.text("hs_attendee_owner_ids") or "").split(";")
    return _activity(
        row,
        ActivityKind.MEETING,
        status=_OUTCOMES.get(row.text("hs_meeting_outcome") or "", ActivityStatus.UNKNOWN),
        subject=row.text("hs_meeting_title"),
        starts_at=start,
        ends_at=row.at("hs_meeting_end_time") or start + HOUR,
        ical_uid=row.text("hs_i_cal_uid"),
        participants=_participants(row, *(("attendee", owner.strip(), None) for owner in owners if owner.strip())),
    )
