"""The life of an alert: it opens when its rule has held long enough and closes after a day of being clear."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.world.truth_logic import Unknown
from sandbox.world.truth_rules import Outcome

KEEP_FIRING = 1
RANKS = ("low", "medium", "high", "critical")


@dataclass(slots=True)
class Fire:
    """One alert. Days are demo days; `closed_day` None = still open after the last evaluation."""

    opened_day: int
    severity: str
    """At the opening."""
    highest: str
    escalated: tuple[tuple[int, str], ...] = ()
    """(day, severity) of every rise above what it was before."""
    closed_day: int | None = None
    closed_why: str | None = None
    """clear | gone (the account is no customer any more)."""


def life(outcomes: Sequence[Outcome | None], holds_for: int) -> list[Fire]:
    """The alerts of one rule and account from its outcomes day by day; None = not in scope on that day.

    Days are counted from the first evaluation that found it true (for `holds_for`) or false (for the clearing); an
    evaluation that found nothing out changes nothing and is left out of the count.
    """
    fires: list[Fire] = []
    alert: Fire | None = None
    held = clear = -1
    for day, outcome in enumerate(outcomes):
        if outcome is None:
            if alert is not None:
                alert.closed_day, alert.closed_why, alert = day, "gone", None
            held = clear = -1
        elif not isinstance(outcome.truth, Unknown):
            held = held + 1 if outcome.truth else -1
            clear = clear + 1 if not outcome.truth else -1
            if outcome.severity is not None and alert is None and held >= holds_for:
                alert = Fire(day, outcome.severity, outcome.severity)
                fires.append(alert)
            elif outcome.severity is not None and alert is not None:
                _escalate(alert, day, outcome.severity)
            elif alert is not None and clear >= KEEP_FIRING:
                alert.closed_day, alert.closed_why, alert = day, "clear", None
    return fires


def open_on(fire: Fire, day: int) -> bool:
    """Is the alert open after the evaluation of a day."""
    return fire.opened_day <= day and (fire.closed_day is None or day < fire.closed_day)


def severity_on(outcomes: Sequence[Outcome | None], day: int) -> str | None:
    """How severe an alert that is open on a day is: as bad as its rule was when it was last found true."""
    found = (o.severity for o in reversed(outcomes[: day + 1]) if o is not None and o.severity is not None)
    return next(found, None)


def _escalate(alert: Fire, day: int, severity: str) -> None:
    if RANKS.index(severity) > RANKS.index(alert.highest):
        alert.highest = severity
        alert.escalated = (*alert.escalated, (day, severity))
