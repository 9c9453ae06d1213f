"""Health, 0 to 100, of rows of facts; how it moved in 30 days, and what of the customer's value is at risk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import CTE, BigInteger, Integer, Select, and_, case, cast, func, literal, null, select
from sqlalchemy.sql.expression import FromClause

from rules.facts.healthparts import parts, score, total
from rules.facts.healthsettings import COMPONENTS, HealthSettings
from rules.facts.moment import Expr, Moment, once, real, word
from rules.facts.usage import BILLION
from store.tables import past_facts

CHANGE_DAYS = 30
TOO_LITTLE = "too_little_known"
_TOLD = ("raw", "why", "score", "weight", "contribution")
_FULL = 10_000  # a health of 100, in hundredths


def weighed(rows: FromClause, m: Moment, settings: HealthSettings, name: str = "health") -> CTE:
    """One row per row of `rows` (columns of `store.tables.facts`): account, `ltv` with its state, per component `raw:`,
    `why:`, `weight:`, `score:` and `gain:` (score times weight), the weight that is `known`, and health in
    `hundredths`, NULL when that is under half of all.

    `name` begins the names of what the statement computes on the way: step by step, and without the other facts.
    """
    mine, r = parts(rows.c, m, settings), rows.c
    columns = [
        column
        for p in mine
        for column in (
            real(p.raw).label(f"raw:{p.name}"),
            p.why.label(f"why:{p.name}"),
            p.weight.label(_weight(p.name)),
        )
    ]
    taken = _kept(select(r.account_id, r.ltv, r.ltv_state, *columns), f"{name}_taken")
    scores = [score(taken.c[f"raw:{p.name}"], taken.c[f"why:{p.name}"], p.scale).label(_score(p.name)) for p in mine]
    c = _kept(select(*taken.c, *scores), f"{name}_scored").c
    gains = [(func.coalesce(c[_score(n)], real(0.0)) * c[_weight(n)]).label(f"gain:{n}") for n in COMPONENTS]
    known = total([case((c[_score(n)].is_not(None), c[_weight(n)]), else_=real(0.0)) for n in COMPONENTS])
    whole = total([c[_weight(n)] for n in COMPONENTS])
    s = _kept(select(*c, *gains, known.label("known"), whole.label("whole")), f"{name}_summed").c
    enough = and_(s.known > real(0.0), s.known * real(2.0) >= s.whole)
    return _kept(select(*s, case((enough, _upto(s, len(COMPONENTS)))).label("hundredths")), f"{name}_weighed")


def _weight(name: str) -> str:
    return f"weight:{name}"


def _score(name: str) -> str:
    return f"score:{name}"


def _upto(row: Any, number: int) -> Expr:
    """Health of the first `number` components in hundredths. Contributions are its steps: so they add up to health."""
    if not number:
        return literal(0, BigInteger)
    return _hundredths(total([row[f"gain:{name}"] for name in COMPONENTS[:number]]) / row.known)


def health_facts(told: CTE, past: FromClause | None) -> dict[str, Expr]:
    """The columns of facts that stand on health, by name. `past`: (account_id, health, health_state) of 30 days ago."""
    c = told.c
    health = real(c.hundredths) / real(100.0)
    why = case((c.hundredths.is_(None), word(TOO_LITTLE)))
    then = null() if past is None else past.c.health
    no_then = word("not_recorded") if past is None else func.coalesce(past.c.health_state, word("not_recorded"))
    change = real(c.hundredths - _hundredths(real(then))) / real(100.0)
    return {
        "health": health,
        "health_state": why,
        "health_change_30d": null() if past is None else change,
        "health_change_30d_state": case((c.hundredths.is_(None), word(TOO_LITTLE)), (then.is_(None), no_then)),
        "value_at_risk": _at_risk(c.ltv, c.hundredths),
        "value_at_risk_state": case(
            (c.ltv.is_(None), func.coalesce(c.ltv_state, word("not_on_file"))),
            (c.hundredths.is_(None), word(TOO_LITTLE)),
            else_=c.ltv_state,
        ),
    }


def health_parts(rows: FromClause, m: Moment, settings: HealthSettings, days: int) -> Select[Any]:
    """The rows of `store.tables.health_parts` for these rows of facts, which are those of the moment; see `told_of`."""
    c = weighed(rows, m, settings, "parts").c
    columns = [c.account_id, literal(days, Integer).label("days")]
    for number, name in enumerate(COMPONENTS):
        points = real(_upto(c, number + 1) - _upto(c, number)) / real(100.0)
        values = {
            "raw": c[f"raw:{name}"],
            "why": c[f"why:{name}"],
            "score": c[_score(name)],
            "weight": c[_weight(name)],
            "contribution": case((and_(c.hundredths.is_not(None), c[_score(name)].is_not(None)), points)),
        }
        columns += [values[kind].label(f"{name}_{kind}") for kind in _TOLD]
    return select(*columns)


def told_of(name: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """What a row of `health_parts` says of one component: `raw`, `why`, `score`, `weight`, `contribution`."""
    return {kind: row[f"{name}_{kind}"] for kind in _TOLD}


def stored_past() -> FromClause:
    """Health of 30 days ago, as the last refresh has kept it."""
    p = past_facts.c
    return select(p.account_id, p.health, p.health_state).where(p.days == CHANGE_DAYS).subquery("health_then")


def _kept(query: Select[Any], name: str) -> CTE:
    """A CTE that SQLite computes once, too: it else puts each expression into every place that names it."""
    return once(query, name).prefix_with("MATERIALIZED", dialect="sqlite")


def _hundredths(points: Expr) -> Expr:
    """Half up, after nine decimals: what is a half on paper is one here too, whatever the last bit says."""
    billionths = cast(func.floor(points * real(BILLION) + real(0.5)), BigInteger)
    return (billionths + 5_000_000) // 10_000_000


def _at_risk(ltv: Expr, hundredths: Expr) -> Expr:
    """`ltv * (100 - health) / 100` in minor units, rounded half up, in integers."""
    share = literal(_FULL, BigInteger) - hundredths
    twice = ltv * share * 2 + _FULL
    # Integer division cuts off towards 0 on both databases; a refund may have made the value negative.
    down = case((twice >= 0, twice), else_=twice - (2 * _FULL - 1))
    return down // (2 * _FULL)
