"""Business days: the day and the instant so many of them away, over weekends, holidays and changes of the clock."""

from __future__ import annotations

import datetime as dt

import pytest

from rules.language.calendar import BusinessDays, Calendar, start_of
from rules.language.values import day_of
from store.records import Instant

BERLIN = Calendar(holidays=frozenset({day_of("2026-12-25") or 0, day_of("2027-01-01") or 0}), zone="Europe/Berlin")


def at(text: str) -> Instant:
    """An instant of an ISO text."""
    return round(dt.datetime.fromisoformat(text).timestamp() * 1_000_000)


@pytest.mark.parametrize(
    ("day", "count", "expected"),
    [
        ("2026-06-01", 1, "2026-06-02"),
        ("2026-05-29", 1, "2026-06-01"),  # Friday to Monday
        ("2026-05-30", 1, "2026-06-01"),  # from a Saturday
        ("2026-06-01", -1, "2026-05-29"),
        ("2026-06-01", 10, "2026-06-15"),
        ("2026-12-24", 1, "2026-12-28"),  # Christmas Day is a Friday
        ("2026-12-31", 1, "2027-01-04"),
        ("2026-06-06", 0, "2026-06-06"),
    ],
)
def test_days_away(day: str, count: int, expected: str) -> None:
    """Weekends and holidays are not counted; no day away is the day itself."""
    assert BERLIN.shift(day_of(day) or 0, count) == day_of(expected)


@pytest.mark.parametrize(
    ("as_of", "count", "expected"),
    [
        ("2026-06-01T10:00:00+02:00", 1, "2026-05-29T10:00:00+02:00"),
        ("2026-06-01T10:00:00+02:00", 10, "2026-05-18T10:00:00+02:00"),
        ("2026-05-31T10:00:00+02:00", 1, "2026-05-29T00:00:00+02:00"),  # of a Sunday nothing elapses
        ("2026-12-28T09:00:00+01:00", 1, "2026-12-24T09:00:00+01:00"),
        ("2026-03-30T10:00:00+02:00", 1, "2026-03-27T10:00:00+01:00"),  # the clock was put forward between
        ("2026-06-01T00:30:00+02:00", 1, "2026-05-29T00:30:00+02:00"),  # still Sunday in UTC
    ],
)
def test_a_window_begins_at_the_same_time_of_day(as_of: str, count: int, expected: str) -> None:
    """`as_of` moved back until so many business days have elapsed, in the zone."""
    assert start_of(BusinessDays(count, BERLIN), at(as_of)) == at(expected)


def test_another_working_week() -> None:
    """Friday and Saturday are the weekend, Sunday is worked."""
    calendar = Calendar(weekend=frozenset({4, 5}))
    assert calendar.shift(day_of("2026-06-04") or 0, 1) == day_of("2026-06-07")


def test_a_week_without_work_is_refused() -> None:
    """Somebody has to work on some day, or no window would ever begin."""
    with pytest.raises(ValueError, match="day of the week that is worked"):
        Calendar(weekend=frozenset(range(7)))
