"""Rank cuts: the value from which on a customer is in the top, or down to which in the bottom, share of the portfolio."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Integer, Select, Text, case, func, literal, select, union_all
from sqlalchemy.sql.expression import FromClause

from rules.facts.moment import Expr, real
from rules.language.needs import Cut


def all_cuts(rows: FromClause, cuts: Sequence[Cut]) -> Select[Any]:
    """(number, segment, value) of several cuts, which are numbered as they come; at least one."""
    each = [cut_values(rows, cut, f"ranked_{number}").subquery(f"cut_{number}") for number, cut in enumerate(cuts)]
    numbered = [
        select(literal(number, Integer).label("number"), c.c.segment, c.c.value) for number, c in enumerate(each)
    ]
    return union_all(*numbered).subquery("cuts").select()


def cut_values(rows: FromClause, cut: Cut, name: str = "ranked") -> Select[Any]:
    """(segment, value) of one cut over rows of facts; NULL segment: of all customers. No row, or NULL: nobody is in it.

    Ranked are the customers that have the fact, fresh. The percentile rank of one of n is (below + half of the other
    equals) / (n - 1), and 0.5 for n = 1 (Hazen's, as in `domain.md` section 7); in integers, so that a rank that is
    just the share is in. Top: the least value with a rank of at least 1 - share; bottom: the greatest with at most it.
    """
    c = rows.c
    ranked = [c[f"{cut.column}_state"].is_(None), c[cut.column].is_not(None)]
    segment = c.segment if cut.by_segment else literal(None, Text)
    if cut.by_segment:
        ranked += [c.segment_state.is_(None), c.segment.is_not(None)]
    held = select(segment.label("segment"), c[cut.column].label("value")).where(*ranked).cte(name)
    partition = [held.c.segment]
    placed = select(
        held.c.segment,
        held.c.value,
        (func.rank().over(partition_by=partition, order_by=held.c.value) - 1).label("below"),
        (func.count().over(partition_by=[*partition, held.c.value]) - 1).label("equals"),
        func.count().over(partition_by=partition).label("n"),
    ).subquery("placed")
    p = placed.c
    # The rank is twice / (2 (n - 1)); with one customer it is 1/2.
    twice = case((p.n == 1, 1), else_=2 * p.below + p.equals)
    whole = case((p.n == 1, 1), else_=p.n - 1)
    share, parts = (literal(number, BigInteger) for number in (cut.share.numerator, cut.share.denominator))
    value: Expr
    if cut.side == "top":
        value = func.min(case((twice * parts >= 2 * whole * (parts - share), p.value)))
    else:
        value = func.max(case((twice * parts <= 2 * whole * share, p.value)))
    return select(p.segment, real(value).label("value")).group_by(p.segment)
