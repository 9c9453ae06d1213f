"""Read the values of phrases and tests: 12, 50k, $50k, 80%, -10 points, 15 days, 2026-12-31; durations and calendar days."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from fractions import Fraction

from rules.language.catalogue import Fact, Kind
from rules.language.errors import Problem
from store.records import DAY, HOUR, Day, Instant

UNITS = {"hour": HOUR, "day": DAY, "week": 7 * DAY, "month": 30 * DAY}
"""Microseconds; a month is 30 days."""
SYMBOLS = {"$": "USD", "€": "EUR", "£": "GBP"}
_LARGEST = 10**15
_SCALE = {"": 1, "k": 1_000, "m": 1_000_000, "b": 1_000_000_000}
_QUANTITY = re.compile(
    r"(?P<sign>-?)(?P<symbol>[$€£]?)(?P<digits>\d+(?:[,_]\d{3})*(?:\.\d+)?)(?P<scale>[kKmMbB]?)(?P<percent>%?)"
    r"(?:\s*(?P<unit>points?|hours?|(?:business\s+)?days?|weeks?|months?))?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with what was written beside it; `unit` is '', %, points, hour, day, business day, week, month or a currency symbol."""

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
    unit = " ".join((match["unit"] or "").lower().split()).rstrip("s")
    if unit == "point":
        unit = "points"
    written = [part for part in (match["symbol"], match["percent"], unit) if part]
    if len(written) > 1:
        return None
    return Quantity(number, written[0] if written else "", text.strip())


def fraction(number: Decimal) -> Fraction:
    """Exactly the number that was written."""
    return Fraction(number)


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


def _no_time(fact: Fact, found: Quantity, unit: str) -> tuple[str, str] | None:
    if found.microseconds is not None:
        return None
    return (
        f"`{fact.shown}` is a {fact.kind}, {found.text} has no unit of time",
        f"did you mean `{found.number} {unit}`?",
    )


def as_number(fact: Fact, found: Quantity, start: int, currency: str = "USD") -> float:
    """The value in the fact's own unit (minor units, ratio, days); raises Problem when the unit does not fit."""
    name, number, unit = fact.shown, found.number, found.unit
    wrong: Sequence[str] | None = None
    code, value = "E-UNIT", number
    match fact.kind:
        case Kind.RATIO:
            value = _nine_decimals(number / 100)
            if unit != "%":
                code, *wrong = _no_percent(name, number, unit)
        case Kind.POINTS:
            value = _nine_decimals(number / 100)
            if unit != "points":
                wrong = f"`{name}` is a difference in percentage points", f"did you mean `{number} points`?"
        case Kind.MONEY:
            value = number * 100
            wrong = _no_money(name, found, currency)
        case Kind.DAYS | Kind.HOURS:
            size, unit_name = (DAY, "days") if fact.kind is Kind.DAYS else (HOUR, "hours")
            value = Decimal(found.microseconds or 0) / size
            wrong = _no_time(fact, found, unit_name)
        case _ if unit:
            wrong = f"`{name}` is a {fact.kind}, {found.text} has a unit it does not have", f"did you mean `{number}`?"
        case Kind.COUNT if number != number.to_integral_value():
            code = "E-VALUE"
            wrong = f"`{name}` is a count, and {number} is not whole", f"did you mean `{math.ceil(number)}`?"
    if not wrong and abs(value) > _LARGEST:
        code, wrong = "E-RANGE", (f"{found.text} is more than anything `{name}` can be", "write a smaller number")
    if wrong:
        cause, fix = wrong
        raise Problem(code, start, len(found.text), cause, fix)
    return float(value)


def _nine_decimals(value: Decimal) -> Decimal:
    """Rounded half up like the ratios of the facts, so that -20 % meets -20 %; half of a negative step goes up too."""
    return (value * 10**9 + Decimal("0.5")).to_integral_value(ROUND_FLOOR) / 10**9


def _no_percent(name: str, number: Decimal, unit: str) -> tuple[str, str, str]:
    """Code, cause and fix for a ratio that is not written in percent."""
    if unit:
        return "E-UNIT", f"`{name}` is a ratio, not {unit}", f"did you mean `{number}%`?"
    if abs(number) <= 1:
        return "E-UNIT", f"`{name}` is a ratio and is written in percent", f"did you mean `{float(number * 100):g}%`?"
    return "E-RANGE", f"`{name}` is a ratio, {number} means {float(number * 100):g} %", f"did you mean `{number}%`?"


def _no_money(name: str, found: Quantity, currency: str) -> tuple[str, str] | None:
    """Cause and fix for an amount in something else than the reporting currency; None when it is fine."""
    other = SYMBOLS.get(found.unit)
    if found.unit and other is None:
        return f"`{name}` is money, {found.text} is not", f"did you mean `{found.number}`?"
    if other and other != currency:
        return f"`{name}` is in {currency}, not {other}", f"write the amount in {currency}"
    return None
