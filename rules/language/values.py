"""Read the values of phrases and tests: 12, 50k, $50k, 80%, -10 points, 15 days, 2026-12-31; durations and calendar days."""

from __future__ import annotations

import datetime as dt
import math
import re
from dataclasses import dataclass
from decimal import Decimal

from rules.language.catalogue import Fact, Kind
from rules.language.errors import Problem
from store.records import DAY, HOUR, Day, Instant

UNITS = {"hour": HOUR, "day": DAY, "week": 7 * DAY, "month": 30 * DAY}
"""Microseconds; a month is 30 days."""
SYMBOLS = {"$": "USD", "€": "EUR", "£": "GBP"}
_SCALE = {"": 1, "k": 1_000, "m": 1_000_000, "b": 1_000_000_000}
_QUANTITY = re.compile(
    r"(?P<sign>-?)(?P<symbol>[$€£]?)(?P<digits>\d+(?:[,_]\d{3})*(?:\.\d+)?)(?P<scale>[kKmMbB]?)(?P<percent>%?)"
    r"(?:\s*(?P<unit>points?|hours?|days?|weeks?|months?))?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with what was written beside it; `unit` is '', %, points, hour, day, week, month or a currency symbol."""

    number: Decimal
    unit: str
    text: str

    @property
    def microseconds(self) -> int | None:
        """As a duration; None when the unit is not one of time."""
        size = UNITS.get(self.unit)
        return None if size is None else int(self.number * size)


def quantity(text: str) -> Quantity | None:
    """Parse `50k`, `-20%`, `15 days`; None when it is something else."""
    match = _QUANTITY.fullmatch(text.strip())
    if not match:
        return None
    number = Decimal(match["digits"].replace(",", "").replace("_", "")) * _SCALE[match["scale"].lower()]
    if match["sign"]:
        number = -number
    unit = (match["unit"] or "").lower().rstrip("s")
    if unit == "point":
        unit = "points"
    written = [part for part in (match["symbol"], match["percent"], unit) if part]
    if len(written) > 1:
        return None
    return Quantity(number, written[0] if written else "", text.strip())


def duration(text: str) -> int | None:
    """Microseconds of `7 days`; None when it is no duration."""
    found = quantity(text)
    return None if found is None or found.number < 0 else found.microseconds


def day_of(text: str) -> Day | None:
    """Days since 1970 of `2026-12-31`; None when it is no date."""
    try:
        return (dt.date.fromisoformat(text) - dt.date(1970, 1, 1)).days
    except ValueError:
        return None


def today_of(as_of: Instant, zone: dt.tzinfo = dt.UTC) -> Day:
    """The calendar day of an instant in the configured zone."""
    moment = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=as_of)
    return (moment.astimezone(zone).date() - dt.date(1970, 1, 1)).days


def as_number(fact: Fact, found: Quantity, start: int, currency: str = "USD") -> float:
    """The value in the fact's own unit (minor units, ratio, days); raises Problem when the unit does not fit."""

    def wrong(message: str, fix: str, code: str = "E-UNIT") -> Problem:
        return Problem(code, start, len(found.text), message, fix)

    name, number, unit = fact.shown, found.number, found.unit
    match fact.kind:
        case Kind.RATIO:
            if unit == "%":
                return float(number / 100)
            if unit:
                raise wrong(f"`{name}` is a ratio, not {unit}", f"write `{number}%`")
            if abs(number) <= Decimal("1.5"):
                raise wrong(f"`{name}` is a ratio and is written in percent", f"did you mean `{number * 100:g}%`?")
            raise wrong(
                f"`{name}` is a ratio, {number} means {number * 100:g} %", f"did you mean `{number}%`?", "E-RANGE"
            )
        case Kind.POINTS:
            if unit != "points":
                raise wrong(f"`{name}` is a difference in percentage points", f"did you mean `{number} points`?")
            return float(number / 100)
        case Kind.MONEY:
            if unit in SYMBOLS and SYMBOLS[unit] != currency:
                raise wrong(
                    f"`{name}` is in {currency}, not {SYMBOLS[unit]}", f"convert it: write the amount in {currency}"
                )
            if unit and unit not in SYMBOLS:
                raise wrong(f"`{name}` is money, {found.text} is not", f"did you mean `{number:g}`?")
            return float(number * 100)
        case Kind.DAYS:
            size = found.microseconds
            if size is None:
                raise wrong(
                    f"`{name}` is a number of days; {found.text} has no unit of time", f"did you mean `{number} days`?"
                )
            return size / DAY
    if unit:
        raise wrong(f"`{name}` is a {fact.kind}; {found.text} has a unit it does not have", f"did you mean `{number}`?")
    if fact.kind is Kind.COUNT and number != number.to_integral_value():
        raise wrong(
            f"`{name}` is a count, and {number} is not whole", f"did you mean `{math.ceil(number)}`?", "E-VALUE"
        )
    return float(number)
