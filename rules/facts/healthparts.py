"""The seven components of health, each from a row of facts: raw value, score of 0 to 100, weight, or why it is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

from sqlalchemy import and_, case, func, null, or_
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from rules.facts.healthsettings import COMPONENTS, HealthScales, HealthSettings
from rules.facts.moment import Expr, Moment, flag, larger, real, smaller, word
from rules.facts.usage import ratio

Columns = ReadOnlyColumnCollection[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    """One component: `raw` in the unit of the fact behind it, `score` with nine decimals, `why` it is missing."""

    name: str
    raw: Expr
    score: Expr
    why: Expr
    weight: Expr


def parts(row: Columns, m: Moment, settings: HealthSettings) -> list[Part]:
    """The components of rows with the columns of `store.tables.facts`, in the order in which they add up."""
    scales = settings.scales
    found = {
        "adoption_change": _plain(row, "adoption_change", scales.adoption_change),
        "adoption": _plain(row, "adoption", scales.adoption),
        "user_relationships": _strong(row, "strong_user_relationships", scales),
        "exec_relationships": _strong(row, "strong_exec_relationships", scales),
        "engagement": _engagement(row, m, scales),
        "support": _support(row, scales),
        "satisfaction": _satisfaction(row),
    }
    return [
        Part(name, raw, case((why.is_(None), ratio(score))), why, _weight(row, name, settings))
        for name, (raw, score, why) in ((name, found[name]) for name in COMPONENTS)
    ]


Found = tuple[Expr, Expr, Expr]
"""(raw, score, why)."""


def _weight(row: Columns, name: str, settings: HealthSettings) -> Expr:
    own = [(row.segment == segment, real(getattr(w, name))) for segment, w in sorted(settings.by_segment.items())]
    general = real(getattr(settings.weights, name))
    return case(*own, else_=general) if own else general


def _why(row: Columns, name: str) -> Expr:
    """Why a fact cannot be compared; NULL = it can. The last value of a stale source is none."""
    value, state = row[name], row[f"{name}_state"]
    return case((state.is_not(None), state), (value.is_(None), word("not_on_file")))


def _line(value: Expr, worst: float, best: float) -> Expr:
    """0 at `worst`, 100 at `best`, linear between them and clamped beyond; NULL stays NULL."""
    share = (real(value) - real(worst)) / (real(best) - real(worst))
    return case((value.is_not(None), real(100.0) * _clamped(share, 1.0)))


def _clamped(value: Expr, most: float) -> Expr:
    return larger(smaller(value, real(most)), real(0.0))


def _plain(row: Columns, name: str, ends: tuple[float, float]) -> Found:
    why = _why(row, name)
    return case((why.is_(None), row[name])), _line(row[name], *ends), why


def _strong(row: Columns, name: str, scales: HealthScales) -> Found:
    """A count is an interval while persons of unknown level are on file: both ends must give the same score."""
    full = scales.strong_relationships
    low, high = row[name], row[name] + func.coalesce(row[f"{name}_u"], 0)
    differ = smaller(low, full) != smaller(high, full)
    absent = _why(row, name)
    why = case((absent.is_not(None), absent), (differ, word("levels_not_known")))
    return case((why.is_(None), low)), _line(low, 0.0, float(full)), why


def _engagement(row: Columns, m: Moment, scales: HealthScales) -> Found:
    """Days since the last contact. Never is a known absence, so it is as bad as the longest silence."""
    last, state = row.last_contact, row.last_contact_state
    age = m.age(last)
    never = state == "never"
    score = case((never, real(0.0)), else_=_line(age, float(scales.silent_days), 0.0))
    why = case((never, null()), else_=_why(row, "last_contact"))
    return case((and_(why.is_(None), last.is_not(None)), age)), score, why


def _support(row: Columns, scales: HealthScales) -> Found:
    """Its raw value is the points that are left, before the clamp."""
    taken = [
        real(scales.open_ticket) * real(row.open_tickets),
        real(scales.urgent_ticket) * real(row.urgent_tickets),
    ]
    left = real(100.0) - taken[0] - taken[1]
    absent = [_why(row, name) for name in ("open_tickets", "urgent_tickets")]
    why = func.coalesce(*absent)
    score = case((why.is_(None), _clamped(left, 100.0)))
    return case((why.is_(None), left)), score, why


def _satisfaction(row: Columns) -> Found:
    """The mean of what is on file of csat, nps and pulse, each on 0 to 100."""
    points = {
        "csat": real(100.0) * real(row.csat),
        "nps": real(10.0) * real(row.nps),
        "pulse": real(25.0) * (real(row.pulse) + real(2.0)),
    }
    whys = {name: _why(row, name) for name in points}
    there = total([real(flag(why.is_(None))) for why in whys.values()])
    mean = total([case((whys[name].is_(None), value), else_=real(0.0)) for name, value in points.items()]) / there
    why = case((or_(*(one.is_(None) for one in whys.values())), null()), else_=func.coalesce(*whys.values()))
    return case((why.is_(None), mean)), case((why.is_(None), _clamped(mean, 100.0))), why


def total(values: Sequence[Expr]) -> Expr:
    """A sum from left to right, so that every database rounds alike."""
    return reduce(lambda a, b: a + b, values)
