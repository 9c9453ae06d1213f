"""Dates and money as a reader expects them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from store.records import Day, Instant

_EPOCH = date(1970, 1, 1)
_EPOCH_AT = datetime(1970, 1, 1, tzinfo=ZoneInfo("UTC"))
_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£"}


def date_words(day: Day) -> str:
    """`2026-04-14`: the one way in which messages write a date; a message is read days later, so it counts no days."""
    return (_EPOCH + timedelta(days=day)).isoformat()


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


def count(number: int, noun: str) -> str:
    """`1 day`, `2 days`."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def money(minor: int, currency: str) -> str:
    """`$120,000`; without cents."""
    sign = _SIGNS.get(currency)
    whole = f"{(abs(minor) + 50) // 100:,}"
    return ("-" if minor < 0 else "") + (f"{sign}{whole}" if sign else f"{currency} {whole}")
