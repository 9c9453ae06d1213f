"""The objects that are read from HubSpot, and what each row becomes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from connectors.hubspot.settings import HubSpotSettings
from connectors.mapping import holds
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

Properties = dict[str, Any]
Linked = Mapping[str, tuple[str, ...]]
"""companies | contacts -> ids of the associated rows."""


@dataclass(frozen=True, slots=True)
class Row:
    """One HubSpot record with what it is associated with."""

    id: str
    properties: Properties
    linked: Linked

    def text(self, name: str) -> str | None:
        """A property; empty ones are None."""
        value = self.properties.get(name)
        return str(value).strip() or None if value is not None else None

    def at(self, name: str) -> Instant | None:
        """A property that is an instant: ISO text, or epoch milliseconds."""
        return instant(self.text(name))


@dataclass(frozen=True, slots=True)
class Stream:
    """One object: its name, its properties, the one that increments follow, its associations, its record."""

    name: str
    object: str
    properties: tuple[str, ...]
    record: Callable[[Row], Record]
    links: tuple[str, ...] = ()
    # `hs_lastmodifieddate` on contacts filters to silently nothing (github.com/airbytehq/airbyte/issues/85019).
    cursor: str = "hs_lastmodifieddate"
    kind: str = ""
    """What the rows are in the store, for links: accounts, contacts, activities, opportunities, tickets, or nothing."""


def instant(text: str | None) -> Instant | None:
    """ISO text or epoch milliseconds as UTC microseconds."""
    if not text:
        return None
    if text.isdigit():
        return int(text) * 1_000
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return None
    parsed = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    return round((parsed - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1_000) * 1_000


def streams(settings: HubSpotSettings) -> tuple[Stream, ...]:
    """Every object of one portal, mapped ones included."""
    objects = settings.objects()
    deals = objects.pop("deals", ())
    bulk = settings.activities.automatic
    both = ("contacts", "companies")
    known = (
        Stream(
            "accounts",
            "companies",
            _with(("name", "domain", "hubspot_owner_id", settings.link_property), settings.account_fields()),
            lambda row: _account(row, settings),
            kind="accounts",
        ),
        Stream(
            "contacts",
            "contacts",
            _with(_CONTACT, settings.contact_fields()),
            lambda row: _contact(row, settings),
            ("companies",),
            cursor="lastmodifieddate",
            kind="contacts",
        ),
        Stream(
            "opportunities",
            "deals",
            _with(_DEAL, deals),
            lambda row: _deal(row, deals),
            ("companies",),
            kind="opportunities",
        ),
        Stream("tickets", "tickets", _TICKET, _ticket, ("companies",), kind="tickets"),
        Stream("calls", "calls", _CALL, _call, both, kind="activities"),
        Stream(
            "emails",
            "emails",
            _with(_EMAIL, (bulk,) if bulk else ()),
            lambda row: _email(row, bulk),
            both,
            kind="activities",
        ),
        Stream("meetings", "meetings", _MEETING, _meeting, both, kind="activities"),
        Stream("notes", "notes", _NOTE, lambda row: _plain(row, ActivityKind.NOTE), both, kind="activities"),
        Stream("tasks", "tasks", _TASK, lambda row: _plain(row, ActivityKind.TASK), both, kind="activities"),
    )
    return known + tuple(
        Stream(f"objects:{name}", name, fields, _object(name, fields), ("companies",))
        for name, fields in objects.items()
    )


def _with(base: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*base, *more)))


def member(owner: Mapping[str, Any]) -> TeamMemberRecord:
    """An owner; an archived one has left."""
    name = " ".join(filter(None, (owner.get("firstName"), owner.get("lastName")))) or owner.get("email") or owner["id"]
    return TeamMemberRecord(
        id=str(owner["id"]),
        name=name,
        email=owner.get("email"),
        active=not owner.get("archived", False),
        modified_at=instant(owner.get("updatedAt")) or 0,
    )


_CONTACT = ("firstname", "lastname", "email", "jobtitle", "hs_email_hard_bounce_reason_enum", "createdate")
_DEAL = ("dealname", "dealtype", "dealstage", "amount", "closedate", "hs_is_closed", "hs_is_closed_won", "createdate")
_TICKET = ("hs_ticket_priority", "hs_pipeline_stage", "createdate", "closed_date")
_ACTIVITY = ("hs_timestamp", "hs_createdate", "hubspot_owner_id")
_CALL = (*_ACTIVITY, "hs_call_title", "hs_call_direction", "hs_call_disposition", "hs_call_status", "hs_call_duration")
_EMAIL = (
    *_ACTIVITY,
    "hs_email_direction",
    "hs_email_subject",
    "hs_email_from_email",
    "hs_email_to_email",
    "hs_email_cc_email",
    "hs_email_message_id",
    "hs_email_status",
)
_MEETING = (
    *_ACTIVITY,
    "hs_meeting_title",
    "hs_meeting_start_time",
    "hs_meeting_end_time",
    "hs_meeting_outcome",
    "hs_i_cal_uid",
    "hs_attendee_owner_ids",
)
_NOTE = _ACTIVITY
_TASK = (*_ACTIVITY, "hs_task_status", "hs_task_subject")


def _modified(row: Row) -> Instant:
    return row.at("hs_lastmodifieddate") or row.at("lastmodifieddate") or _created(row)


def _created(row: Row) -> Instant:
    return row.at("createdate") or row.at("hs_createdate") or 0


def _raw(row: Row, names: tuple[str, ...]) -> dict[str, Scalar]:
    return {name: row.text(name) for name in names}


def _account(row: Row, settings: HubSpotSettings) -> AccountRecord:
    raw = _raw(row, settings.account_fields())
    return AccountRecord(
        id=row.id,
        name=row.text("name") or row.text("domain") or row.id,
        domain=row.text("domain"),
        owner_id=row.text("hubspot_owner_id"),
        parent_id=None,
        created_at=_created(row),
        modified_at=_modified(row),
        customer=holds(settings.customer, raw),
        link_id=row.text(settings.link_property),
        fields=raw,
    )


def _contact(row: Row, settings: HubSpotSettings) -> ContactRecord:
    name = " ".join(filter(None, (row.text("firstname"), row.text("lastname"))))
    return ContactRecord(
        id=row.id,
        account_ids=row.linked.get("companies", ()),
        name=name or row.text("email") or row.id,
        email=row.text("email"),
        title=row.text("jobtitle"),
        created_at=_created(row),
        modified_at=_modified(row),
        bounced=row.text("hs_email_hard_bounce_reason_enum") is not None,
        fields=_raw(row, settings.contact_fields()),
    )


def _cents(text: str | None) -> int | None:
    try:
        return round(Decimal(text) * 100) if text else None
    except InvalidOperation:
        return None


def _day(row: Row, name: str) -> int | None:
    at = row.at(name)
    return None if at is None else at // (24 * HOUR)


def _first(row: Row) -> str | None:
    return min(row.linked.get("companies", ()), default=None)


def _deal(row: Row, mapped: tuple[str, ...]) -> OpportunityRecord:
    return OpportunityRecord(
        id=row.id,
        account_id=_first(row),
        name=row.text("dealname") or row.id,
        type={"renewal": "Renewal", "newbusiness": "New Business", "expansion": "Expansion"}.get(
            row.text("dealtype") or "", row.text("dealtype")
        ),
        stage=row.text("dealstage"),
        amount=_cents(row.text("amount")),
        close_on=_day(row, "closedate"),
        closed=row.text("hs_is_closed") == "true",
        won=row.text("hs_is_closed_won") == "true",
        created_at=_created(row),
        modified_at=_modified(row),
        fields=_raw(row, mapped),
    )


def _ticket(row: Row) -> TicketRecord:
    created = _created(row)
    return TicketRecord(
        id=row.id,
        account_id=_first(row),
        priority=row.text("hs_ticket_priority"),
        status=row.text("hs_pipeline_stage"),
        opened_at=created,
        closed_at=row.at("closed_date"),
        created_at=created,
        modified_at=_modified(row),
    )


def _object(name: str, fields: tuple[str, ...]) -> Callable[[Row], ObjectRecord]:
    def record(row: Row) -> ObjectRecord:
        return ObjectRecord(name, row.id, _first(row), _created(row), _modified(row), _raw(row, fields))

    return record


# ---------------------------------------------------------------- activities

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
    created = _created(row)
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
        modified_at=_modified(row),
        owner_id=row.text("hubspot_owner_id"),
        account_ids=row.linked.get("companies", ()),
        **values,
    )


def _plain(row: Row, kind: ActivityKind) -> ActivityRecord:
    open_task = kind == ActivityKind.TASK and row.text("hs_task_status") != "COMPLETED"
    status = ActivityStatus.PLANNED if open_task else ActivityStatus.DONE
    return _activity(row, kind, status=status, subject=row.text("hs_task_subject"))


def _call(row: Row) -> ActivityRecord:
    at = row.at("hs_timestamp") or _created(row)
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


def _email(row: Row, bulk: str | None) -> ActivityRecord:
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


def _meeting(row: Row) -> ActivityRecord:
    start = row.at("hs_meeting_start_time") or row.at("hs_timestamp") or _created(row)
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
