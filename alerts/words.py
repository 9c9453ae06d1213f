"""Dates, money and ages as a reader expects them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from store.records import DAY, HOUR, MINUTE, Day, Instant

_EPOCH = date(1970, 1, 1)
_EPOCH_AT = datetime(1970, 1, 1, tzinfo=ZoneInfo("UTC"))
_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£"}


def date_words(day: Day) -> str:
    """`14 Apr 2026`."""
    when = _EPOCH + timedelta(days=day)
    return f"{when.day} {when:%b} {when.year}"


def day_of(at: Instant, zone: str = "UTC") -> Day:
    """The calendar day of an instant in a zone."""
    local = (_EPOCH_AT + timedelta(microseconds=at)).astimezone(ZoneInfo(zone))
    return (local.date() - _EPOCH).days


def day_bounds(at: Instant, zone: str = "UTC") -> tuple[Instant, Instant]:
    """First instant of the calendar day of `at` in a zone, and of the next one."""
    local = (_EPOCH_AT + timedelta(microseconds=at)).astimezone(ZoneInfo(zone))
    first = local.replace(hour=0, minute=0, second=0, microsecond=0)
    # Wall-clock arithmetic inside the zone: a day of a clock change has 23 or 25 hours.
    return _instant(first), _instant(first + timedelta(days=1))


def _instant(when: datetime) -> Instant:
    return (when.astimezone(ZoneInfo("UTC")) - _EPOCH_AT) // timedelta(microseconds=1)


def in_days(day: Day, today: Day) -> str:
    """`in 30 days`, `today`, `3 days ago`."""
    days = day - today
    if days == 0:
        return "today"
    return f"in {count(days, 'day')}" if days > 0 else f"{count(-days, 'day')} ago"


def count(number: int, noun: str) -> str:
    """`1 day`, `2 days`."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def age(us: int) -> str:
    """A span in its largest whole unit: `4 days`, `5 hours`, `20 minutes`."""
    for unit, noun in ((DAY, "day"), (HOUR, "hour")):
        if us >= unit:
            return count(us // unit, noun)
    return count(max(us, 0) // MINUTE, "minute")


def money(minor: int, currency: str) -> str:
    """`$120,000`; without cents."""
    sign = _SIGNS.get(currency)
    whole = f"{(abs(minor) + 50) // 100:,}"
    return ("-" if minor < 0 else "") + (f"{sign}{whole}" if sign else f"{currency} {whole}")
