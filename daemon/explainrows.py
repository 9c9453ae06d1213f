"""Which rows made a fact: the activity, the persons, the CRM's field, in one line each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from rules.language.catalogue import Fact, Kind
from rules.language.evaluate import Row
from store.evidence import FieldRow, PersonRow, TouchRow
from store.records import Instant

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


def rows_behind(
    fact: Fact,
    row: Row,
    persons: Sequence[PersonRow],
    touches: Sequence[TouchRow],
    fields: Mapping[str, FieldRow],
) -> tuple[str, ...]:
    """One line per row that made the fact; empty where it is a portfolio number or there is none."""
    value = row.get(fact.column)
    if fact.kind in (Kind.EVENT, Kind.BOOKING):
        return tuple(_touch(touch) for touch in touches if _made(fact, value, touch))[:_MOST]
    if fact.interval:
        standing = "user" if "user" in fact.name else "exec"
        named = [_person(person) for person in persons if person.standing == standing]
        unknown = [f"level not known: {_person(person)}" for person in persons if person.standing == "unclassified"]
        return _some([*named, *unknown])
    if fact.column == "touch_due_in":
        return tuple(_touch(touch) for touch in touches if touch.occurred_at == row.get("last_contact"))[:1]
    names = _FIELDS.get(fact.column, (fact.column,))
    return tuple(_field(fields[name]) for name in names if name in fields)


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
