"""Days of the scenario: day 0 is the day of the first evaluation, earlier days are negative."""

from __future__ import annotations

from dataclasses import dataclass

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
EVALUATION_HOUR = 6
QUIET_FROM, QUIET_UNTIL = 5 * HOUR, 6 * HOUR
"""Time of day between which nothing in the world changes: the CRMs are read then."""


@dataclass(frozen=True, slots=True)
class Days:
    """Turns day numbers into UTC microseconds. `start`: the first evaluation's as_of, 06:00 UTC of day 0."""

    start: int

    @property
    def first(self) -> int:
        """Day 0 as days since 1970."""
        return self.start // DAY

    def at(self, day: int, minute: int = 10 * 60) -> int:
        """The instant `minute` minutes after midnight of that day; 10:00 by default."""
        return (self.first + day) * DAY + minute * MINUTE

    def day_of(self, instant: int) -> int:
        """The day number on which the instant lies."""
        return instant // DAY - self.first

    def calendar(self, day: int) -> int:
        """The day as days since 1970."""
        return self.first + day

    def weekday(self, day: int) -> int:
        """0 = Monday; 1970-01-01 was a Thursday."""
        return (self.first + day + 3) % 7

    def working(self, day: int) -> int:
        """The day itself, or the Monday after it."""
        weekday = self.weekday(day)
        return day if weekday < 5 else day + 7 - weekday


def outside_quiet_hour(instant: int) -> int:
    """The instant, moved past 06:00 when it lies in the hour in which the CRMs are read."""
    of_day = instant % DAY
    return instant - of_day + QUIET_UNTIL + MINUTE if QUIET_FROM <= of_day < QUIET_UNTIL else instant
