"""How Salesforce writes instants and days, and reads them in bodies, in SOQL and in query strings."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from functools import lru_cache

from sandbox.clock import DAY, SECOND, iso_day, iso_ms, parse_day
from sandbox.versions import At, On

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DATETIME = re.compile(
    r"(\d{4}-\d{2}-\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,3})\d*)?(?:(Z)|([+-])(\d{2}):?(\d{2}))?\Z", re.IGNORECASE
)


@lru_cache(maxsize=262_144)
def stamp(us: int) -> str:
    """Microseconds -> `2022-03-17T16:21:26.000+0000`: Salesforce keeps whole seconds and never writes Z."""
    return iso_ms(us - us % SECOND, "+0000")


@lru_cache(maxsize=16_384)
def day(number: int) -> str:
    """Days since 1970 -> `2022-03-17`."""
    return iso_day(number)


def parse_stamp(text: str) -> int | None:
    """An ISO 8601 instant with or without a zone (none reads as UTC) -> microseconds; None when it is none."""
    match = _DATETIME.match(text)
    if match is None:
        return None
    date, hour, minute, second, fraction, _, sign, zone_hours, zone_minutes = match.groups()
    number = parse_date(date)
    if number is None or int(hour) > 23 or int(minute) > 59 or int(second) > 59:
        return None
    seconds = int(hour) * 3600 + int(minute) * 60 + int(second)
    offset = int(zone_hours or 0) * 3600 + int(zone_minutes or 0) * 60
    seconds += offset if sign == "-" else -offset
    return number * DAY + seconds * SECOND + int((fraction or "0").ljust(3, "0")) * 1000


def parse_date(text: str) -> int | None:
    """`2022-03-17` -> days since 1970; None when it is no date."""
    if not re.match(r"\d{4}-\d{2}-\d{2}\Z", text):
        return None
    try:
        return parse_day(text)
    except ValueError:
        return None


def json_value(value: object) -> object:
    """A stored value as JSON carries it."""
    if type(value) is At:
        return stamp(value.us)
    if type(value) is On:
        return day(value.day)
    return value


def http_date(us: int) -> str:
    """Microseconds -> `Fri, 03 Dec 2021 17:59:20 GMT`."""
    return format_datetime(_EPOCH + timedelta(seconds=us // SECOND), usegmt=True)


def parse_http_date(text: str) -> int | None:
    """The opposite of `http_date`; None when it is no date."""
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(microseconds=1)
