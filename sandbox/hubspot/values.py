"""Property values: how HubSpot writes them, what it takes, and how search compares them."""

from __future__ import annotations

import math
import re
import unicodedata

from sandbox.clock import DAY, MILLISECOND, iso_day, iso_ms, parse_day, parse_instant
from sandbox.hubspot.schema import Property
from sandbox.versions import At, On

_WHOLE = re.compile(r"-?\d+")
_NUMBER = re.compile(r"-?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_SECONDS_END = 100_000_000_000
"""Whole numbers below it are seconds since 1970: as milliseconds they would lie before March 1973."""


class BadValue(Exception):
    """A value that the property does not take: HubSpot's error code and message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def text_of(value: object, prop: Property) -> str | None:
    """A stored value as HubSpot's string; None for an empty one."""
    if value is None or value == "":
        return None
    if isinstance(value, At):
        return iso_day(value.us // DAY) if prop.kind == "date" else iso_ms(value.us)
    if isinstance(value, On):
        return iso_day(value.day) if prop.kind == "date" else iso_ms(value.day * DAY)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def parse(prop: Property, raw: object) -> object:
    """A written value -> what is stored; "" and null clear. BadValue if the property does not take it."""
    if raw is None or raw == "":
        return None
    text = ("true" if raw else "false") if isinstance(raw, bool) else str(raw)
    if prop.kind not in ("string", "phone_number") and _stray(text):
        # Since April 2025: changelog breaking-change-enhanced-validations-for-non-string-properties.
        code = "INVALID_OPTION" if prop.options else "INVALID_VALUE"
        raise BadValue(code, f'"{text}" has leading or trailing whitespace, which {prop.name} does not take.')
    if prop.kind == "number":
        return _number(text)
    if prop.kind == "date":
        return _date(text)
    if prop.kind == "datetime":
        return _datetime(text)
    chosen = text.split(";") if prop.multiple else [text]
    if prop.options and not set(chosen) <= set(prop.options):
        # Values are compared as they are: stray white space or another case is another option.
        raise BadValue("INVALID_OPTION", f"{text} was not one of the allowed options: [{', '.join(prop.options)}]")
    return text == "true" if prop.kind == "bool" else text


def normalized(prop: Property, text: str) -> str | None:
    """From 2026-09 on: a date or time in a form that older versions refuse, as HubSpot stores it (milliseconds); None if
    it is in a known form, or in none. Dates that are not at midnight, ISO 8601 with a time, seconds in place of ms.
    """
    if prop.kind not in ("date", "datetime"):
        return None
    whole = _WHOLE.fullmatch(text) is not None
    if whole:
        at = int(text) * (1 if abs(int(text)) >= _SECONDS_END else 1000)
    elif prop.kind == "datetime" or len(text) <= len("2026-03-02"):
        return None
    else:
        try:
            at = parse_instant(text) // MILLISECOND
        except ValueError:
            return None
    if prop.kind == "date":
        at -= at % (DAY // MILLISECOND)
    return None if whole and str(at) == text else str(at)


def comparable(prop: Property, value: object) -> float | str | None:
    """A stored value as search orders it: numbers, instants in milliseconds, text in lower case, options as they are."""
    if value is None or value == "":
        return None
    if isinstance(value, At):
        return value.us // MILLISECOND
    if isinstance(value, On):
        return value.day * (DAY // MILLISECOND)
    if prop.kind == "number":
        return float(str(value))
    if prop.kind == "bool":
        return "true" if value in (True, "true") else "false"
    return str(value) if prop.options else str(value).lower()


def comparable_filter(prop: Property, raw: object, fold: bool = True) -> float | str:
    """A filter's value in the same terms. ValueError if it cannot be compared with this property."""
    text = str(raw).lower() if isinstance(raw, bool) else str(raw)
    if prop.kind == "number":
        return float(text)
    if prop.kind in ("date", "datetime"):
        return int(text) if _WHOLE.fullmatch(text) else parse_instant(text) // MILLISECOND
    return text.lower() if fold and not prop.options else text


def _stray(text: str) -> bool:
    """Does the text, or one of its options, begin or end with white space or an invisible character."""
    return any(
        part != part.strip()
        or unicodedata.category(part[:1] or "a") == "Cf"
        or unicodedata.category(part[-1:] or "a") == "Cf"
        for part in text.split(";")
    )


def _number(text: str) -> int | float:
    if _NUMBER.fullmatch(text) is None or not math.isfinite(float(text)):
        raise BadValue("INVALID_DOUBLE", f"{text} was not a valid number.")
    return int(text) if _WHOLE.fullmatch(text) else float(text)


def _date(text: str) -> On:
    try:
        if _WHOLE.fullmatch(text):
            days, rest = divmod(int(text), DAY // MILLISECOND)
            if rest:
                raise BadValue("INVALID_DATE", f"{text} is at {rest} ms of its day, not at midnight UTC.")
            return On(days)
        return On(parse_day(text))
    except ValueError:
        raise BadValue("INVALID_DATE", f"{text} was not a valid date.") from None


def _datetime(text: str) -> At:
    try:
        return At(int(text) * MILLISECOND if _WHOLE.fullmatch(text) else parse_instant(text))
    except ValueError:
        raise BadValue("INVALID_LONG", f"{text} was not a valid long.") from None
