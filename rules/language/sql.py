"""The small pieces of SQL that all phrases are made of."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any as Anything

from sqlalchemy import ColumnElement, Double, Select, Text, cast, func, literal, literal_column

from rules.language.catalogue import Fact
from rules.language.decide import STEPS
from store.tables import facts

Condition = ColumnElement[bool]
Words = ColumnElement[str]
Whens = list[tuple[Condition, Anything]]
Statement = Select[Anything]
_PLAIN = re.compile(r"[a-z_ ]{1,40}")


def value_of(fact: Fact) -> ColumnElement[Anything]:
    """The column of a fact."""
    return facts.c[fact.column]


def state_of(fact: Fact) -> ColumnElement[Anything]:
    """Why it has no fresh value."""
    return facts.c[f"{fact.column}_state"]


def more_of(fact: Fact) -> ColumnElement[Anything]:
    """How many more a count by level may have; 0 for every other fact."""
    return func.coalesce(facts.c[f"{fact.column}_u"], 0) if fact.interval else literal(0)


def steps(number: ColumnElement[Anything]) -> ColumnElement[Anything]:
    """A number in steps of 1e-9, rounded half up: what two computed numbers are compared by."""
    return func.floor(number * literal(STEPS, Double) + literal(0.5, Double))


def double(number: ColumnElement[Anything], times: int = 1) -> ColumnElement[Anything]:
    """As a double, times a whole number."""
    whole = cast(number, Double)
    return whole if times == 1 else whole * literal(float(times), Double)


def absent(fact: Fact) -> Whens:
    """Why a fact has no fresh value."""
    state = state_of(fact)
    return [(state.is_not(None), plain(state)), (value_of(fact).is_(None), text("not on file"))]


def plain(state: ColumnElement[Anything]) -> Words:
    """A state as people read it."""
    return func.replace(state, text("_"), text(" "), type_=Text)


@lru_cache(maxsize=1_000)
def text(words: str) -> ColumnElement[str]:
    """A text: bound, but for plain words, of which a rule's statement has many; they are what they are."""
    return literal_column(f"'{words}'", Text) if _PLAIN.fullmatch(words) else literal(words, Text)
