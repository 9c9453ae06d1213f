"""One row of metadata about a mail, a call or a meeting becomes an activity; there is no place for a body in it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from connectors.usage.settings import UsageSettings
from connectors.usage.values import (
    MISSING,
    BadRow,
    addresses,
    choice,
    flag,
    given,
    line,
    look,
    moment,
    shown_names,
    text,
)
from store.records import (
    ActivityKind,
    ActivityRecord,
    ActivityStatus,
    FedActivity,
    Instant,
    ParticipantRecord,
)

_KINDS = {
    "email": "email", "mail": "email", "call": "call", "phone": "call", "meeting": "meeting", "event": "meeting",
}  # fmt: skip
_DIRECTIONS = {"in": "in", "inbound": "in", "incoming": "in", "out": "out", "outbound": "out", "outgoing": "out"}
_DELETED = "deleted"
_STATUSES = {
    "planned": "planned", "scheduled": "planned", "done": "done", "completed": "done", "held": "done",
    "cancelled": "cancelled", "canceled": "cancelled", "no_show": "no_show", _DELETED: _DELETED,
}  # fmt: skip
_ROLES = {"email": ("from", "to", "cc"), "call": ("from", "to", "to"), "meeting": ("organizer", "attendee", "attendee")}


def unknown_columns(names: Iterable[str], settings: UsageSettings) -> None:
    """BadRow where there is a column that the feed does not know: it might hold what is not to be read."""
    c = settings.columns
    known = {
        c.id, c.kind, settings.at_column, c.end, c.direction, c.sender, c.to, c.cc, c.status, c.disposition, c.message_id,
        c.ical_uid, c.subject, c.automatic, c.recorded_at,
    }  # fmt: skip
    tops = {name.split(".", maxsplit=1)[0] for name in known if name is not None}
    strange = sorted(str(name) for name in names if name not in known and name not in tops)
    if strange:
        raise BadRow(
            f"the column `{shown_names(strange[:1])}` is not known: activity feeds take metadata only and refuse anything else; "
            "leave it out, or name it under `columns`"
        )


def activity(row: Mapping[str, Any], settings: UsageSettings, *, known_at_once: bool) -> FedActivity:
    """The activity; raises BadRow. Addresses are lower case; `known_at_once`: it was known when it happened."""
    c = settings.columns
    unknown_columns(row, settings)
    kind = choice(_required(row, c.kind), c.kind, _KINDS) or ""
    starts_at = moment(_required(row, settings.at_column), settings.at_column)
    ends_at = _end(row, settings, starts_at)
    status = choice(given(row, c.status), c.status, _STATUSES)
    sides = _sides(row, settings, kind)
    message_id = _message_id(text(given(row, c.message_id), c.message_id))
    ical_uid = text(given(row, c.ical_uid), c.ical_uid) or None
    ref = text(given(row, c.id), c.id) or message_id or (f"{ical_uid}@{starts_at}" if ical_uid else None)
    if ref is None:
        content = "|".join((kind, str(starts_at), *(f"{role}:{address}" for role, address in sides)))
        ref = hashlib.sha256(content.encode()).hexdigest()[:32]
    recorded_at = given(row, c.recorded_at)
    record = ActivityRecord(
        id=ref,
        kind=ActivityKind(kind),
        status=ActivityStatus.UNKNOWN if status in (None, _DELETED) else ActivityStatus(status or ""),
        direction=choice(given(row, c.direction), c.direction, _DIRECTIONS),
        subject=(line(given(row, c.subject) or "") or None) if settings.keep_subjects else None,
        starts_at=starts_at,
        ends_at=ends_at,
        created_at=starts_at,
        modified_at=starts_at,
        owner_id=None,
        disposition=text(given(row, c.disposition), c.disposition).casefold() or None,
        automatic=flag(given(row, c.automatic), c.automatic) or False,
        message_id=message_id,
        ical_uid=ical_uid,
        participants=tuple(
            ParticipantRecord(f"{ref}:{role}:{address}", ref, role, address=address) for role, address in sides
        ),
    )
    stated = None if recorded_at is None else moment(recorded_at, str(c.recorded_at))
    return FedActivity(record, stated, known_at_once=known_at_once, deleted=status == _DELETED)


def _required(row: Mapping[str, Any], name: str) -> Any:
    value = look(row, name)
    if value is MISSING or value is None or (isinstance(value, str) and not value.strip()):
        raise BadRow(f"`{name}` is empty: every activity has one")
    return value


def _end(row: Mapping[str, Any], settings: UsageSettings, starts_at: Instant) -> Instant:
    raw = given(row, settings.columns.end)
    if raw is None:
        return starts_at
    ends_at = moment(raw, settings.columns.end)
    if ends_at < starts_at:
        raise BadRow(f"`{settings.columns.end}` is before `{settings.at_column}`: an activity ends after it begins")
    return ends_at


def _sides(row: Mapping[str, Any], settings: UsageSettings, kind: str) -> list[tuple[str, str]]:
    """(role, address), each address once, in its first role."""
    c = settings.columns
    names = (c.sender, c.to, c.cc)
    found: dict[str, str] = {}
    for role, name in zip(_ROLES[kind], names, strict=True):
        for address in addresses(given(row, name), name):
            found.setdefault(address, role)
    if len(found) < 2:
        raise BadRow(f"`{c.sender}` and `{c.to}` name fewer than two people: an activity has two sides")
    return [(role, address) for address, role in found.items()]


def _message_id(raw: str) -> str | None:
    """As mails and CRMs write it, in angle brackets: equal for the copies of one mail."""
    return f"<{raw.strip('<>')}>" if raw else None
