"""What a customer said and was asked for: surveys, pulses, asks, tier reviews, and exceptions made for it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CTE, BigInteger, Select, Table, and_, case, cast, exists, func, null, select, union_all

from rules.facts.moment import Expr, Moment, flag, once, real, whole, word
from rules.facts.states import fact
from store.tables import asks, exceptions, pulses, sources, survey_answers, tier_reviews

SURVEY_DAYS, PULSE_DAYS, EXCEPTION_DAYS = 180, 90, 90
_RECORDED = {
    "last_survey_answer": survey_answers,
    "last_feedback_ask": asks,
    "last_reference_ask": asks,
    "last_tier_review": tier_reviews,
}
"""Instant -> the table that it comes from: without a row of anybody there, nobody keeps such records."""
_INSTANTS = (*_RECORDED, "csat_at", "nps_at", "pulse_at")


def voice(m: Moment, scope: CTE) -> CTE:
    """One row per customer with any record: the instants of _INSTANTS, `csat`, `nps`, `pulse`, and `exceptions` of 90 days.

    Of two answers at the same instant the lower counts.
    """
    answer, ask, recent = survey_answers.c, asks.c, survey_answers.c.at > m.ago(SURVEY_DAYS)
    parts = [
        _part(
            m,
            scope,
            survey_answers,
            last_survey_answer=func.max(answer.at),
            csat_at=func.max(case((and_(answer.kind == "csat", recent), answer.at))),
            nps_at=func.max(case((and_(answer.kind == "nps", recent), answer.at))),
        ),
        _part(m, scope, pulses, pulse_at=func.max(case((pulses.c.at > m.ago(PULSE_DAYS), pulses.c.at)))),
        _part(
            m,
            scope,
            asks,
            last_feedback_ask=func.max(case((ask.kind == "feedback", ask.at))),
            last_reference_ask=func.max(case((ask.kind == "reference", ask.at))),
        ),
        _part(m, scope, tier_reviews, last_tier_review=func.max(tier_reviews.c.at)),
        _part(
            m,
            scope,
            exceptions,
            exceptions=func.sum(case((exceptions.c.at > m.ago(EXCEPTION_DAYS), 1), else_=0)),
        ),
    ]
    every = union_all(*parts).subquery("records")
    e = every.c
    said = (
        select(
            e.account_id,
            *(func.max(e[name]).label(name) for name in _INSTANTS),
            whole(func.sum(e.exceptions)).label("exceptions"),
        )
        .group_by(e.account_id)
        .cte("said")
    )
    s = said.c
    query = select(
        *s,
        _answer(m, s.account_id, "csat", s.csat_at).label("csat"),
        _answer(m, s.account_id, "nps", s.nps_at).label("nps"),
        select(pulses.c.value)
        .where(pulses.c.account_id == s.account_id, pulses.c.at == s.pulse_at)
        .scalar_subquery()
        .label("pulse"),
    )
    return once(query, "voice")


def _part(m: Moment, scope: CTE, table: Table, **found: Expr) -> Select[Any]:
    """One row per account of a table's records known by then; columns of the other tables are NULL."""
    c = table.c
    columns = [found.get(name, cast(null(), BigInteger)).label(name) for name in (*_INSTANTS, "exceptions")]
    return (
        select(c.account_id, *columns)
        .where(c.account_id.in_(select(scope.c.account_id)), c.at <= m.as_of, c.recorded_at <= m.as_of)
        .group_by(c.account_id)
    )


def _answer(m: Moment, account: Expr, kind: str, at: Expr) -> Expr:
    c = survey_answers.alias(f"{kind}_answers").c
    return (
        select(func.min(c.value))
        .where(c.account_id == account, c.kind == kind, c.at == at, c.recorded_at <= m.as_of)
        .scalar_subquery()
    )


def voice_facts(m: Moment, said: CTE, stale_sources: CTE) -> dict[str, Expr]:
    """Survey scores, the pulse, and the instants that are missing until anybody's first record."""
    s = said.c
    # A feed of answers has no accounts of its own: what it has not brought yet may be anybody's.
    old = flag(exists(select(stale_sources.c.source).where(stale_sources.c.surveys == 1)))
    found = {
        **fact("csat", real(s.csat) / real(10_000.0), _why(m, survey_answers), old),
        **fact("nps", s.nps, _why(m, survey_answers), old),
        **fact("pulse", s.pulse, _why(m, pulses)),
    }
    for name, table in _RECORDED.items():
        whens = [(~_any(m, table), word("not_recorded"))]
        if table is survey_answers:
            whens.append((old == 1, word("stale")))
        found |= {name: s[name], f"{name}_state": case(*whens, (s[name].is_(None), word("never")))}
    return found


def _why(m: Moment, table: Table) -> Expr:
    return case((_any(m, table), word("not_on_file")), else_=word("not_recorded"))


def _any(m: Moment, table: Table) -> Expr:
    there = table.c.recorded_at <= m.as_of
    if "source" not in table.c:
        return exists(select(table.c.at).where(there))
    # Asked per source, so that its first row is enough of an answer.
    brought = exists(select(table.c.at).where(table.c.source == sources.c.source, there))
    return exists(select(sources.c.source).where(brought))
