"""When a rule's answer changes by time alone: the same row, looked at on later days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rules.language.catalogue import FACTS, Kind
from rules.language.evaluate import Row, Truth, evaluate
from rules.language.model import Rule
from rules.language.values import today_of
from store.records import DAY, Day, Instant

_OUTDATED_AFTER: Day = 30
"""A renewal date so long past, and not renewed, is no longer believed."""


@dataclass(frozen=True, slots=True)
class Change:
    """The next change: from which instant, in how many days, and to what (None = it can no longer be told)."""

    at: Instant
    days: int
    truth: Truth
    severity: str
    reason: str | None = None


def next_change(rule: Rule, row: Row, as_of: Instant, today: Day | None = None, horizon: int = 60) -> Change | None:
    """The first whole day ahead (up to `horizon`) with another answer or severity, if nothing but time happens.

    Dates and instants stay, so ages grow, booked meetings pass and a mail that waits waits longer; sources are taken to
    stay fresh and captured, and what follows from many rows (relationship strength, usage, ranks) or from the past
    (movement) is held as it is.
    """
    day = today_of(as_of) if today is None else today
    now = evaluate(rule, row, as_of, day)
    for ahead in range(1, horizon + 1):
        then = evaluate(rule, later(row, as_of, day, ahead), as_of + ahead * DAY, day + ahead)
        if then.truth != now.truth or (then.truth and then.severity != now.severity):
            reason = then.reasons[0] if then.reasons else None
            return Change(as_of + ahead * DAY, ahead, then.truth, then.severity, reason)
    return None


def later(row: Row, as_of: Instant, today: Day, days: int) -> Mapping[str, object]:
    """The row `days` later when no record changes."""
    found = dict(row)
    for fact in FACTS:
        value = row.get(fact.column)
        if fact.kind is Kind.BOOKING and isinstance(value, int) and value <= as_of + days * DAY:
            found[fact.column], found[f"{fact.column}_state"] = None, "never"
    due, renewal = row.get("touch_due_in"), row.get("renewal")
    if isinstance(due, int | float):
        found["touch_due_in"] = due - days
    waiting = row.get("awaiting_reply")
    if isinstance(waiting, int | float) and waiting > 0:
        found["awaiting_reply"] = waiting + 24 * days
    outdated = isinstance(renewal, int) and renewal < today + days - _OUTDATED_AFTER
    if outdated and row.get("renewed") == 0 and row.get("renewal_state") is None:
        found["renewal"], found["renewal_state"] = None, "outdated"
    return found
