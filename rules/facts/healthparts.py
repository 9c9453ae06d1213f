"""The seven components of health, each from a row of facts: raw value or why it is missing, weight, and its scale."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from typing import Any

from sqlalchemy import and_, case, func, null, or_
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from rules.facts.healthsettings import COMPONENTS, HealthScales, HealthSettings
from rules.facts.moment import Expr, Moment, flag, real, word
from rules.facts.usage import ratio

Columns = ReadOnlyColumnCollection[str, Any]


Scale = Callable[[Expr], Expr]
"""From a raw value that is there to a score of 0 to 100."""


@dataclass(frozen=True, slots=True)
class Part:
    """One component: `raw` in the unit of the fact behind it, `why` it is missing, and how a raw value is scored."""

    name: str
    raw: Expr
    why: Expr
    weight: Expr
    scale: Scale


def parts(row: Columns, m: Moment, settings: HealthSettings) -> list[Part]:
    """The components of rows with the columns of `store.tables.facts`, in the order in which they add up."""
    scales = settings.scales
    strong = partial(_line, worst=0.0, best=float(scales.strong_relationships))
    silent = partial(_line, worst=float(scales.silent_days), best=0.0)
    change, share = (partial(_line, worst=ends[0], best=ends[1]) for ends in (scales.adoption_change, scales.adoption))
    found: dict[str, tuple[Found, Scale]] = {
        "adoption_change": (_plain(row, "adoption_change"), change),
        "adoption": (_plain(row, "adoption"), share),
        "user_relationships": (_strong(row, "strong_user_relationships", scales), strong),
        "exec_relationships": (_strong(row, "strong_exec_relationships", scales), strong),
        "engagement": (_engagement(row, m), silent),
        "support": (_support(row, scales), _clamped),
        "satisfaction": (_satisfaction(row), _clamped),
    }
    return [Part(name, *found[name][0], _weight(row, name, settings), found[name][1]) for name in COMPONENTS]


def score(raw: Expr, why: Expr, scale: Scale) -> Expr:
    """With nine decimals; NULL where the component is missing. Known without a value is never: the worst there is."""
    return case((why.is_not(None), null()), (raw.is_(None), real(0.0)), else_=ratio(scale(raw)))


Found = tuple[Expr, Expr]
"""(raw, why)."""


def _weight(row: Columns, name: str, settings: HealthSettings) -> Expr:
    own = [(row.segment == segment, real(getattr(w, name))) for segment, w in sorted(settings.by_segment.items())]
    general = real(getattr(settings.weights, name))
    return case(*own, else_=general) if own else general


def _why(row: Columns, name: str) -> Expr:
    """Why a fact cannot be compared; NULL = it can. The last value of a stale source is none."""
    value, state = row[name], row[f"{name}_state"]
    return case((state.is_not(None), state), (value.is_(None), word("not_on_file")))


def _line(value: Expr, *, worst: float, best: float) -> Expr:
    """0 at `worst`, 100 at `best`, linear between them and clamped beyond."""
    return _clamped(real(100.0) * ((value - real(worst)) / (real(best) - real(worst))))


def _clamped(points: Expr) -> Expr:
    return case((points <= real(0.0), real(0.0)), (points >= real(100.0), real(100.0)), else_=points)


def _plain(row: Columns, name: str) -> Found:
    why = _why(row, name)
    return case((why.is_(None), row[name])), why


def _strong(row: Columns, name: str, scales: HealthScales) -> Found:
    """A count is an interval while persons of unknown level are on file: both ends must give the same score."""
    full = scales.strong_relationships
    low, high = row[name], row[name] + func.coalesce(row[f"{name}_u"], 0)
    absent, moves = _why(row, name), and_(low < full, high > low)
    why = case((absent.is_not(None), absent), (moves, word("levels_not_known")))
    return case((why.is_(None), low)), why


def _engagement(row: Columns, m: Moment) -> Found:
    """Days since the last contact. Never is a known absence: there is no raw value, and nothing is missing."""
    never = row.last_contact_state == "never"
    why = case((never, null()), else_=_why(row, "last_contact"))
    return case((why.is_(None), m.age(row.last_contact))), why


def _support(row: Columns, scales: HealthScales) -> Found:
    """The points that are left of 100, which may be less than none."""
    taken = real(scales.open_ticket) * real(row.open_tickets), real(scales.urgent_ticket) * real(row.urgent_tickets)
    why = func.coalesce(*(_why(row, name) for name in ("open_tickets", "urgent_tickets")))
    return case((why.is_(None), real(100.0) - taken[0] - taken[1])), why


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
    return case((why.is_(None), mean)), why


def total(values: Sequence[Expr]) -> Expr:
    """A sum from left to right, so that every database rounds alike."""
    return reduce(lambda a, b: a + b, values)
