"""The health of one customer at one instant: section 5's table, component by component."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import floor

from sandbox.world.truth_contact import Contact
from sandbox.world.truth_logic import Unknown
from sandbox.world.when import DAY

WEIGHTS = {
    "adoption change": 25,
    "adoption": 15,
    "user relationships": 15,
    "exec relationships": 15,
    "engagement recency": 10,
    "support": 10,
    "satisfaction": 10,
}
WORST_CHANGE, BEST_CHANGE = Fraction(-2, 5), Fraction(1, 10)
ENOUGH, LONGEST = 3, 60
PER_OPEN, PER_URGENT = 10, 30
Score = Fraction | None
"""0-100; None = missing."""


@dataclass(frozen=True, slots=True)
class Readings:
    """What health is made of. Of satisfaction this world knows the NPS alone."""

    change: Fraction | Unknown
    adoption: Fraction | Unknown
    contact: Contact
    tickets: tuple[int, int] | Unknown
    """(open, urgent)"""
    nps: int | None = None


def health(readings: Readings) -> float | Unknown:
    """0-100, rounded half up to 0.01; unknown when less than half of the weight is there."""
    scores = components(readings)
    there = sum(WEIGHTS[name] for name, score in scores.items() if score is not None)
    if there * 2 < sum(WEIGHTS.values()):
        return Unknown("too_little_known")
    total = sum((WEIGHTS[name] * score for name, score in scores.items() if score is not None), Fraction())
    return floor(total / there * 100 + Fraction(1, 2)) / 100


def components(readings: Readings) -> dict[str, Score]:
    """Each component's score."""
    return {
        "adoption change": _between(readings.change, WORST_CHANGE, BEST_CHANGE),
        "adoption": _between(readings.adoption, Fraction(0), Fraction(1)),
        "user relationships": _relationships(readings.contact, "user"),
        "exec relationships": _relationships(readings.contact, "exec"),
        "engagement recency": _recency(readings.contact),
        "support": _support(readings.tickets),
        "satisfaction": None if readings.nps is None else Fraction(10 * readings.nps),
    }


def _between(value: Fraction | Unknown, worst: Fraction, best: Fraction) -> Score:
    if isinstance(value, Unknown):
        return None
    return min(max((value - worst) / (best - worst), Fraction(0)), Fraction(1)) * 100


def _relationships(contact: Contact, role: str) -> Score:
    """Persons of unknown level may count: where they would change the score, it is missing."""
    strong = contact.strong(role)
    if isinstance(strong, Unknown):
        return None
    least, most = (_between(Fraction(count), Fraction(0), Fraction(ENOUGH)) for count in strong)
    return least if least == most else None


def _recency(contact: Contact) -> Score:
    """Nobody was ever in touch: as bad as 60 days ago."""
    if not contact.covered("any"):
        return None
    last = contact.last()
    age = LONGEST if last is None else (contact.as_of - last) // DAY
    return _between(Fraction(-age), Fraction(-LONGEST), Fraction(0))


def _support(tickets: tuple[int, int] | Unknown) -> Score:
    if isinstance(tickets, Unknown):
        return None
    still, urgent = tickets
    return Fraction(max(100 - PER_OPEN * still - PER_URGENT * urgent, 0))
