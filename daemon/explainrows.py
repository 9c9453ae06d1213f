"""Which rows made a fact: the activity, the persons, the CRM's field, in one line each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rules.facts.notes import NOTES
from rules.language.catalogue import Fact, Kind
from rules.language.evaluate import Row
from store.evidence import FieldRow, PersonRow, SampleRow, TicketRow, TierRow, TouchRow
from store.records import DAY, Instant

_MOST = 5
# Which mapped fields a fact is computed from, where it is not the one of its own name.
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "segment": ("segment", "arr"),
    "csm": ("csm", "csm_fallback", "owner"),
    "adoption": ("seats",),
    "rolling": ("term", "renewal", "contract_start"),
    "renewed": ("auto_renews", "renewal"),
    "lifecycle": ("churned", "contract_start", "renewal"),
    "cadence": (),
    "touch_due_in": (),
}


@dataclass(frozen=True, slots=True)
class Behind:
    """Every row of the store that a fact of one account may come from, as known at the instant."""

    as_of: Instant
    persons: Sequence[PersonRow]
    touches: Sequence[TouchRow]
    fields: Mapping[str, FieldRow]
    samples: Sequence[SampleRow] = ()
    tickets: Sequence[TicketRow] = ()
    tier: TierRow | None = None


_WINDOWS: Mapping[str, tuple[int, Callable[[TouchRow], bool]]] = {
    "touches_30d": (30, lambda _touch: True),
    "touches_90d": (90, lambda _touch: True),
    "meetings_90d": (90, lambda touch: touch.kind == "meeting"),
}
"""Column -> days of its window and which of the touches count."""


def rows_behind(fact: Fact, row: Row, there: Behind) -> tuple[str, ...]:
    """One line per row that made the fact; empty where it is a portfolio number or there is none."""
    value, persons, touches, fields = row.get(fact.column), there.persons, there.touches, there.fields
    if fact.kind in (Kind.EVENT, Kind.BOOKING):
        return tuple(_touch(touch) for touch in touches if _made(fact, value, touch))[:_MOST]
    if fact.column in _WINDOWS:
        return _counted(fact.column, there)
    if "tickets" in fact.column:
        return _some([_ticket(ticket) for ticket in there.tickets if _counts(fact, ticket, there.as_of)])
    if fact.column in ("tier", "tier_pinned", "cadence"):
        return _tier(there.tier)
    if fact.interval:
        standing = "user" if "user" in fact.name else "exec"
        named = [_person(person) for person in persons if person.standing == standing]
        unknown = [f"level not known: {_person(person)}" for person in persons if person.standing == "unclassified"]
        return _some([*named, *unknown])
    if fact.column == "touch_due_in":
        return tuple(_touch(touch) for touch in touches if touch.occurred_at == row.get("last_contact"))[:1]
    names = _FIELDS.get(fact.column, (fact.column,))
    own = [_field(fields[name]) for name in names if name in fields]
    note = NOTES[fact.column]
    return (*own, *(_sample(sample) for sample in there.samples if "usage" in note.stale_by))


def _counted(column: str, there: Behind) -> tuple[str, ...]:
    """The touches of the window, the latest first; an activity with several persons is one line."""
    days, only = _WINDOWS[column]
    mine = [t for t in there.touches if there.as_of - days * DAY < t.occurred_at <= there.as_of]
    lines = [_touch(t) for t in mine if only(t)]
    return _some(lines)


def _counts(fact: Fact, ticket: TicketRow, as_of: Instant) -> bool:
    if fact.column == "tickets_90d":
        return ticket.opened_at > as_of - 90 * DAY
    return ticket.closed_at is None or ticket.closed_at > as_of


def _ticket(ticket: TicketRow) -> str:
    closed = "" if ticket.closed_at is None else f", closed {day(ticket.closed_at)}"
    return f"ticket {ticket.id} ({ticket.source}), {ticket.priority or 'no priority'}, opened {day(ticket.opened_at)}{closed}"


def _sample(sample: SampleRow) -> str:
    return f"{sample.metric}: {sample.value:g} on {day(sample.at)} ({sample.source})"


def _tier(tier: TierRow | None) -> tuple[str, ...]:
    if tier is None:
        return ()
    pin = f"pin {tier.pin} of {tier.pin_author or tier.pin_origin or 'a person'}" if tier.pin is not None else ""
    applied = f"applied {tier.tier}" if tier.tier is not None else ""
    return tuple(words for words in (pin, applied) if words)


def _made(fact: Fact, value: object, touch: TouchRow) -> bool:
    at = touch.starts_at if fact.kind is Kind.BOOKING else touch.occurred_at
    return at == value and fact.role in ("any", touch.standing)


def _touch(touch: TouchRow) -> str:
    title = f", {touch.title}" if touch.title else ""
    subject = f" “{touch.subject}”" if touch.subject else ""
    return f"{touch.kind} with {touch.person}{title}, {moment(touch.occurred_at)}{subject} ({touch.source} {touch.activity_id})"


def _person(person: PersonRow) -> str:
    title = f", {person.title}" if person.title else ", no title"
    last = f"last touch {day(person.last_touch)}" if person.last_touch is not None else "no touch"
    return f"{person.name}{title} ({last})"


def _field(field: FieldRow) -> str:
    since = f"since {day(field.valid_from)}" if field.history != "none" else "no history of earlier values"
    return f"{field.field} from {field.source or 'the account'}, {since}"


def _some(lines: Sequence[str]) -> tuple[str, ...]:
    more = len(lines) - _MOST
    return (*lines[:_MOST], *([f"and {more} more"] if more > 0 else []))


def day(at: Instant) -> str:
    """`2026-06-01` of an instant, in UTC."""
    return moment(at)[:10]


def moment(at: Instant) -> str:
    """`2026-06-01 06:00` of an instant, in UTC."""
    found = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=at)
    return found.strftime("%Y-%m-%d %H:%M")
