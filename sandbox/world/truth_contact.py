"""What touches and bookings say of a customer: strength of relationships, silence and whether it can be seen at all."""

from __future__ import annotations

from functools import cached_property
from itertools import pairwise
from math import floor
from statistics import median

from sandbox.world.model import Company, Person
from sandbox.world.truth_book import Book, Touch, standing
from sandbox.world.truth_logic import Truth, Unknown
from sandbox.world.when import DAY

STRENGTH_DAYS, RECENT_DAYS = 365, 90
WEIGHTS = {"meeting": 3, "call": 2, "email": 1}
NO_REPLY_CAP = 19.0
STRONG, WEAK = 60.0, 20.0
BOOKED_WITHIN = 14
COVERED_WITHIN = 7
GAPS_OVER, FEWEST_GAPS = 90, 5
IN_TOUCH_WITHIN = 180
ROLES = ("exec", "user")
NOT_CAPTURED = Unknown("not_captured")


def strength(touches: list[Touch], as_of: int) -> float:
    """0-100 for one person from all touches with that person, rounded half up to 0.01."""
    year = sorted((t for t in touches if as_of - STRENGTH_DAYS * DAY < t.at <= as_of), key=lambda t: t.at)
    if not year:
        return 0.0
    recent = [t for t in year if t.at > as_of - RECENT_DAYS * DAY]
    age = (as_of - year[-1].at) // DAY
    inbound = sum(t.inbound for t in year)
    outbound = sum(t.outbound for t in year)
    points = 30 * 2 ** (-age / 60)
    points += 25 * min(1, sum(WEIGHTS[t.kind] for t in recent) / 12)
    points += 15 * min(inbound, outbound) / max(inbound, outbound)
    points += 15 * min(1, sum(t.kind == "meeting" for t in recent) / 3)
    points += 15 * min(1, (year[-1].at - year[0].at) // DAY / 330)
    return floor((points if inbound else min(points, NO_REPLY_CAP)) * 100 + 0.5) / 100


def is_covered(book: Book, who: str, as_of: int) -> bool:
    """Has somebody of ours captured mail or meetings within 7 days, or within thrice the median gap of 90 days.

    Nobody in this world is ever marked away.
    """
    if (who, as_of) not in book.covered:
        book.covered[who, as_of] = _is_captured(book, who, as_of)
    return book.covered[who, as_of]


def _is_captured(book: Book, who: str, as_of: int) -> bool:
    seen = sorted(at for logged, at in book.captured.get(who, ()) if logged <= as_of and at <= as_of)
    if not seen:
        return False
    trailing = [at for at in seen if at > as_of - GAPS_OVER * DAY]
    gaps = [b - a for a, b in pairwise(trailing)]
    allowed = float(COVERED_WITHIN * DAY)
    if len(gaps) >= FEWEST_GAPS:
        allowed = max(allowed, 3 * median(gaps))
    return as_of - seen[-1] < allowed


class Contact:
    """One customer's people and touches at one instant."""

    def __init__(self, book: Book, company: Company, as_of: int) -> None:
        self.as_of = as_of
        self.persons = book.on_file(company, as_of)
        self.touches = book.touches(company, as_of)
        self.bookings = book.bookings(company, as_of)
        csm = company.csm.at(as_of) if company.csm_in != "none" else None
        # Where nobody is named, the record owner stands in.
        self.csm = csm or company.owner.at(as_of)
        self._book, self._company = book, company
        self._covered: dict[str, bool] = {}
        self._standings: dict[str, str] = {}

    def covered(self, role: str) -> bool:
        """Could silence of a role (exec | user | any) be seen: step 5.

        The mail or calendar of the CSM must be captured, and that of each of ours who is still there and was in touch
        with the role here within 180 days. Where there is neither, nobody would see anything.
        """
        if role not in self._covered:
            ours = self._in_touch_with(role) | ({str(self.csm)} if self.csm else set())
            self._covered[role] = bool(ours) and all(is_covered(self._book, who, self.as_of) for who in ours)
        return self._covered[role]

    def _in_touch_with(self, role: str) -> set[str]:
        since = self.as_of - IN_TOUCH_WITHIN * DAY
        ours = {who for t in self.touches if t.at > since and self._has(t.persons, role) for who in t.teammates}
        return {who for who in ours if self._book.is_active(who, self.as_of)}

    @cached_property
    def by_person(self) -> dict[str, list[Touch]]:
        """The touches with each person on file."""
        by_person: dict[str, list[Touch]] = {p.key: [] for p in self.persons}
        for touch in self.touches:
            for person in touch.persons:
                if person.key in by_person:
                    by_person[person.key].append(touch)
        return by_person

    @cached_property
    def strengths(self) -> dict[str, float]:
        """Strength by person on file."""
        return {key: strength(touches, self.as_of) for key, touches in self.by_person.items()}

    def last(self) -> int | None:
        """The latest touch with anybody; None = never."""
        return max((t.at for t in self.touches), default=None)

    def fewer_than(self, limit: int, role: str, least: float) -> Truth:
        """Are there fewer than `limit` persons of the role (exec | user) whose strength is at least `least`."""
        if not self.covered(role):
            return NOT_CAPTURED
        known = sum(self.strengths[p.key] >= least for p in self._of(role))
        perhaps = sum(self.strengths[p.key] >= least for p in self._of("unclassified"))
        if known >= limit:
            return False
        return True if known + perhaps < limit else Unknown("levels_not_known")

    def none_on_file(self, role: str) -> Truth:
        """`no exec contacts`: nobody of the role is on file, and nobody of unknown level who may be one."""
        if self._of(role):
            return False
        return Unknown("levels_not_known") if self._of("unclassified") else True

    def strong(self, role: str) -> tuple[int, int] | Unknown:
        """How many persons of the role have a strong relationship: certainly, and at most."""
        if not self.covered(role):
            return NOT_CAPTURED
        known = sum(self.strengths[p.key] >= STRONG for p in self._of(role))
        return known, known + sum(self.strengths[p.key] >= STRONG for p in self._of("unclassified"))

    def relationship(self) -> float | Unknown:
        """The mean of the best exec and the best user strength, 0-100; of the one kind alone where it is alone on file."""
        there = [role for role in ROLES if self._of(role)]
        if not all(self.covered(role) for role in there or ("any",)):
            return NOT_CAPTURED
        best = [max(self.strengths[p.key] for p in self._of(role)) for role in there]
        if not best:
            return Unknown("levels_not_known" if self._of("unclassified") else "not_on_file")
        hundredths = [round(points * 100) for points in best]
        return floor(sum(hundredths) / len(hundredths) + 0.5) / 100

    def silent(self, role: str, days: int, kind: str | None = None) -> Truth:
        """`no exec contact in N days` (exec | user | any): the seven steps; no source of this world is ever stale.

        `kind`: only touches of this kind break it, as in `no meeting in N days`.
        """
        window = self.as_of - days * DAY
        recent = [t for t in self.touches if t.at > window and kind in (None, t.kind)]
        if any(self._has(t.persons, role) for t in recent):
            return False
        if any(self._has(b.persons, role) and b.at <= self.as_of + BOOKED_WITHIN * DAY for b in self.bookings):
            return False
        perhaps = self.persons if role == "any" else self._of(role) + self._of("unclassified")
        if not perhaps:
            return Unknown("nobody_on_file" if role == "any" else f"no_{role}_on_file")
        if role != "any" and any(self._has(t.persons, "unclassified") for t in recent):
            return Unknown("levels_not_known")
        if not self.covered(role):
            return NOT_CAPTURED
        if all(self._book.since(p, self._company) > window for p in perhaps):
            return Unknown("too_new")
        return True

    def _of(self, role: str) -> list[Person]:
        return [p for p in self.persons if self._standing(p) == role]

    def _has(self, persons: tuple[Person, ...], role: str) -> bool:
        return bool(persons) if role == "any" else any(self._standing(p) == role for p in persons)

    def _standing(self, person: Person) -> str:
        if person.key not in self._standings:
            self._standings[person.key] = standing(person, self.as_of)
        return self._standings[person.key]
