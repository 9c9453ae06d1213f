"""Phrases about dates: days from today, business days from today, calendar days."""

from __future__ import annotations

from typing import Any

from rules.language import values
from rules.language.asking import Asking, wrong
from rules.language.catalogue import Fact, Kind
from rules.language.tree import DateIn, Leaf


def date(asking: Asking) -> Leaf:
    """Any phrase form of a date."""
    fact, form = asking.fact(asking.phrase.subject), asking.phrase.form
    if fact.kind is not Kind.DATE:
        asking.unsuitable(fact)
    if form == "past":
        return _in(asking, fact, last=-1)
    if form == "future":
        return _in(asking, fact, first=1)
    if form in ("before", "after"):
        return _fixed(asking, fact)
    piece = asking.phrase.operands[0]
    if asking.is_business(piece):
        return _business(asking, fact, asking.business(piece))
    days = asking.days(piece)
    if form == "next":
        return _in(asking, fact, first=0, last=days)
    if form == "last":
        return _in(asking, fact, first=-days, last=0)
    near, far = _ages(asking.phrase.op, days)
    if asking.phrase.side == "away":
        return _in(asking, fact, first=near, last=far)
    return _in(asking, fact, first=None if far is None else -far, last=-near)


def _in(asking: Asking, fact: Fact, **ends: Any) -> DateIn:
    return DateIn(text=asking.text, fact=fact, place=asking.place, **ends)


def _fixed(asking: Asking, fact: Fact) -> Leaf:
    piece = asking.phrase.operands[0]
    day = values.day_of(piece.text)
    if day is None:
        raise wrong("E-VALUE", piece, f"`{piece.text}` is no date", "write it as 2026-12-31")
    if asking.phrase.form == "after":
        return _in(asking, fact, first=day + 1, absolute=True)
    return _in(asking, fact, last=day - 1, absolute=True)


def _ages(op: str, days: int) -> tuple[int, int | None]:
    """`more than 90 days`, `at most 30 days`: an age, or distance, as nearest and farthest day."""
    if op in ("ge", "gt"):
        return (days if op == "ge" else days + 1), None
    return 0, (days if op == "le" else days - 1)


def _business(asking: Asking, fact: Fact, count: int) -> Leaf:
    """The same in business days: the day so many of them after today, or before it, is the border."""
    phrase, calendar = asking.phrase, asking.context.calendar
    op = {"next": "le", "last": "le"}.get(phrase.form, phrase.op)
    ahead = phrase.form == "next" or phrase.side == "away"
    border, strict = (count if ahead else -count), op in ("gt", "lt")
    beyond = op in ("ge", "gt")
    if beyond == ahead:  # farther ahead than the border, or nearer in the past: the border is the first day
        last = None if ahead else 0
        return _in(asking, fact, first=border, last=last, first_open=strict, calendar=calendar)
    first = 0 if ahead else None
    return _in(asking, fact, first=first, last=border, last_open=strict, calendar=calendar)
