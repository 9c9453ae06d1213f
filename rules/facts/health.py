"""Health, 0 to 100, of rows of facts; how it moved in 30 days, and what of the customer's value is at risk."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CTE, BigInteger, Integer, Select, and_, case, cast, func, literal, null, select, union_all
from sqlalchemy.sql.expression import FromClause

from rules.facts.healthparts import parts, total
from rules.facts.healthsettings import COMPONENTS, HealthSettings
from rules.facts.moment import Expr, Moment, once, real, word
from rules.facts.usage import BILLION
from store.tables import past_facts

CHANGE_DAYS = 30
TOO_LITTLE = "too_little_known"
_FULL = 10_000  # a health of 100, in hundredths


def weighed(rows: CTE, m: Moment, settings: HealthSettings, name: str = "health") -> CTE:
    """`rows` (columns of `store.tables.facts`) with, per component, `score:`, `raw:`, `why:`, `weight:` and `upto:`,
    and `hundredths`: health, NULL when under half of the weight is known.

    `upto:` is the health of the components up to this one, in hundredths: contributions are its steps, and so they
    add up to health to the digit. `name` begins the names of what the statement computes on the way.
    """
    mine = parts(rows.c, m, settings)
    scored = select(
        *rows.c,
        *(p.raw.label(f"raw:{p.name}") for p in mine),
        *(p.score.label(f"score:{p.name}") for p in mine),
        *(p.why.label(f"why:{p.name}") for p in mine),
        *(p.weight.label(f"weight:{p.name}") for p in mine),
    )
    c = once(scored, f"{name}_scored").c
    present = [case((c[f"score:{name}"].is_not(None), c[f"weight:{name}"]), else_=real(0.0)) for name in COMPONENTS]
    gained = [func.coalesce(c[f"score:{name}"], real(0.0)) * c[f"weight:{name}"] for name in COMPONENTS]
    known, whole = total(present), total([c[f"weight:{name}"] for name in COMPONENTS])
    enough = and_(known > real(0.0), known * real(2.0) >= whole)
    upto = [_hundredths(total(gained[: number + 1]) / known) for number in range(len(COMPONENTS))]
    query = select(
        *c,
        *(case((enough, value)).label(f"upto:{name}") for name, value in zip(COMPONENTS, upto, strict=True)),
        case((enough, upto[-1])).label("hundredths"),
    )
    return once(query, f"{name}_weighed")


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
    """The rows of `store.tables.health_parts` for these rows of facts, which are those of the moment."""
    c = weighed(once(select(*rows.c), "rows_of_parts"), m, settings, "parts").c
    each = []
    for number, name in enumerate(COMPONENTS):
        before = c[f"upto:{COMPONENTS[number - 1]}"] if number else literal(0, BigInteger)
        points = real(c[f"upto:{name}"] - before) / real(100.0)
        each.append(
            select(
                c.account_id,
                literal(days, Integer).label("days"),
                word(name).label("component"),
                real(c[f"raw:{name}"]).label("raw"),
                c[f"why:{name}"].label("why"),
                c[f"score:{name}"].label("score"),
                c[f"weight:{name}"].label("weight"),
                case((c[f"score:{name}"].is_not(None), points)).label("contribution"),
            )
        )
    found = union_all(*each).subquery("parts")
    return select(found).where(found.c.account_id.is_not(None))


def stored_past() -> FromClause:
    """Health of 30 days ago, as the last refresh has kept it."""
    p = past_facts.c
    return select(p.account_id, p.health, p.health_state).where(p.days == CHANGE_DAYS).subquery("health_then")


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
