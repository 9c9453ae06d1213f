"""A fact's value in plain words, and the amounts, dates and lengths of time that words are made of."""

from __future__ import annotations

import datetime as dt

from rules.language.beside import Row
from rules.language.calendar import BusinessDays, Span
from rules.language.catalogue import Fact, Kind
from rules.language.values import today_of
from store.records import DAY, HOUR, Day, Instant

_SIGN = {"USD": "$", "EUR": "€", "GBP": "£"}


def show(fact: Fact, row: Row, as_of: Instant, today: Day, currency: str = "USD", *, lasting: bool = False) -> str:
    """A fact's value in plain words: `in 40 days (2026-04-11)`, `never`, `unknown: levels not known`.

    `lasting`: by date alone (`2026-04-11`), because what is read days later must not count days.
    """
    value, state = row.get(fact.column), row.get(f"{fact.column}_state")
    if state == "never":
        return "none" if fact.kind is Kind.BOOKING else "never"
    shown = None
    if value is not None:
        shown = _lasting(fact, value, row, today) if lasting else None
        shown = shown or _shown(fact, value, as_of, today, currency)
    more = row.get(f"{fact.column}_u") if fact.interval else None
    if shown and isinstance(more, int) and more > 0 and isinstance(value, int):
        shown = f"{value} to {value + more} (levels of {more} not known)"
    if state is None:
        return shown or "unknown: not on file"
    reason = str(state).replace("_", " ")
    return f"unknown: {reason} (last known: {shown})" if shown else f"unknown: {reason}"


def _lasting(fact: Fact, value: object, row: Row, today: Day) -> str | None:
    """The value where it is a moment or moves a little every day; None = it reads the same on any day."""
    if not isinstance(value, int | float):
        return None
    match fact.kind:
        case Kind.EVENT | Kind.BOOKING:
            return date(today_of(int(value)))
        case Kind.DATE:
            return date(int(value))
        case Kind.RATIO | Kind.POINTS | Kind.SCORE:
            share = fact.kind is not Kind.SCORE
            digits = f"{round(value * 100 if share else value, 1):,.1f}".removesuffix(".0")
            unit = {Kind.RATIO: "%", Kind.POINTS: " points"}.get(fact.kind, "")
            return f"{digits}{unit} as of {date(today)}"
        case Kind.DAYS if fact.name == "touch due in":
            return f"due {date(_due(int(value), row, today))}"
    return None


def _due(due_in: int, row: Row, today: Day) -> Day:
    """The day the next touch is due: counted from the last one where it is known, so that no hour of day moves it."""
    last, cadence = row.get("last_contact"), row.get("cadence")
    if isinstance(last, int | float) and isinstance(cadence, int | float):
        return today_of(int(last)) + int(cadence)
    return today + due_in


def _shown(fact: Fact, value: object, as_of: Instant, today: Day, currency: str) -> str:
    if not isinstance(value, int | float):
        return str(value).replace("_", " ") if fact.kind is Kind.CHOICE else str(value)
    match fact.kind:
        case Kind.EVENT | Kind.BOOKING:
            return f"{_distance(int(value) - as_of)} ({date(today_of(int(value)))})"
        case Kind.DATE:
            return f"{_days_away(int(value) - today)} ({date(int(value))})"
        case Kind.FLAG:
            return "yes" if value else "no"
        case Kind.MONEY:
            return money(int(value), currency)
        case Kind.RATIO:
            return f"{number(value * 100)}%"
        case Kind.POINTS:
            return f"{number(value * 100)} points"
        case Kind.DAYS if fact.name == "touch due in":
            return f"{plural(-value, 'day')} overdue" if value < 0 else _days_away(int(value))
        case Kind.DAYS:
            return plural(value, "day")
        case Kind.HOURS:
            return plural(value, "hour")
    return number(value)


def money(minor: int, currency: str = "USD") -> str:
    """`$50,000` of minor units."""
    sign = _SIGN.get(currency, f"{currency} ")
    whole, cents = divmod(abs(minor), 100)
    return f"{'-' if minor < 0 else ''}{sign}{whole:,}{f'.{cents:02}' if cents else ''}"


def span(length: Span) -> str:
    """A duration in its largest whole unit: `15 days`, `36 hours`, `10 business days`."""
    if isinstance(length, BusinessDays):
        return plural(length.days, "business day")
    microseconds = length
    if microseconds % DAY == 0:
        return plural(microseconds // DAY, "day")
    return plural(microseconds / HOUR, "hour")


def number(value: float) -> str:
    """A number with thousands, and at most two decimals."""
    return f"{value:,.2f}".rstrip("0").rstrip(".") if value != int(value) else f"{int(value):,}"


def plural(value: float, unit: str) -> str:
    """`1 day`, `2 days`."""
    return f"{number(value)} {unit}{'' if abs(value) == 1 else 's'}"


def date(day: Day) -> str:
    """`2026-04-11`."""
    return (dt.date(1970, 1, 1) + dt.timedelta(days=day)).isoformat()


def _days_away(days: int) -> str:
    if days == 0:
        return "today"
    return f"in {plural(days, 'day')}" if days > 0 else f"{plural(-days, 'day')} ago"


def _distance(microseconds: int) -> str:
    ahead = abs(microseconds)
    words = plural(ahead // DAY, "day") if ahead >= DAY else plural(ahead // HOUR, "hour")
    return f"in {words}" if microseconds > 0 else f"{words} ago"


def amount(fact: Fact, value: float) -> str:
    """A threshold in the fact's unit."""
    if fact.kind in (Kind.DAYS, Kind.HOURS):
        return plural(value, "day" if fact.kind is Kind.DAYS else "hour")
    return _shown(fact, int(value) if fact.kind is Kind.MONEY else value, 0, 0, "USD")
