"""Business days: which days are worked, and the day or instant so many of them away."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from store.records import Day, Instant

_EPOCH = dt.date(1970, 1, 1)
_START = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Calendar:
    """The working week and the holidays, in one time zone. `weekend` counts Monday as 0."""

    weekend: frozenset[int] = frozenset({5, 6})
    holidays: frozenset[Day] = frozenset()
    zone: str = "UTC"

    def __post_init__(self) -> None:
        if not set(range(7)) - self.weekend:
            raise ValueError("a calendar needs a day of the week that is worked")

    def __repr__(self) -> str:
        """Sorted, because the meaning of a rule, and so its version, is made of it."""
        return f"Calendar({sorted(self.weekend)}, {sorted(self.holidays)}, {self.zone!r})"

    def is_open(self, day: Day) -> bool:
        """True for a day that is worked."""
        # 1970-01-01 was a Thursday.
        return (day + 3) % 7 not in self.weekend and day not in self.holidays

    def shift(self, day: Day, count: int) -> Day:
        """The count-th business day after this day, before it where `count` is negative; 0 is the day itself."""
        step = 1 if count > 0 else -1
        for _ in range(abs(count)):
            day += step
            while not self.is_open(day):
                day += step
        return day

    def before(self, as_of: Instant, count: int) -> Instant:
        """`as_of` moved back until `count` business days have elapsed.

        From a business day: the same time of day, in the zone, on the count-th business day before. From a day that is
        not worked: the beginning of the count-th business day before, because of that day itself nothing elapses.
        """
        local = (_START + as_of * _MICROSECOND).astimezone(ZoneInfo(self.zone))
        today = (local.date() - _EPOCH).days
        time = local.time() if self.is_open(today) else dt.time()
        day = _EPOCH + dt.timedelta(days=self.shift(today, -count))
        moment = dt.datetime.combine(day, time, tzinfo=ZoneInfo(self.zone))
        return (moment.astimezone(dt.UTC) - _START) // _MICROSECOND


MONDAY_TO_FRIDAY = Calendar()


@dataclass(frozen=True, slots=True)
class BusinessDays:
    """A length of time in business days of a calendar."""

    days: int
    calendar: Calendar


Span = int | BusinessDays
"""A length of time: microseconds that elapse, or business days."""


def start_of(span: Span, as_of: Instant) -> Instant:
    """Where a window of this length that ends at `as_of` begins; what is exactly so old lies outside."""
    return as_of - span if isinstance(span, int) else span.calendar.before(as_of, span.days)
