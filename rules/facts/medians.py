"""The median of a group in portable SQL: the two middle rows by row number, which are one row for an odd count."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CTE, Select, func, or_, select

from rules.facts.moment import Expr, once


def middle(rows: Select[Any], value: str, by: str | None, name: str) -> CTE:
    """Per group `by` (or over all rows): `low` and `high`, the middle values of `value`, and `n`, how many there are.

    The median is their mean. Rows whose value is NULL must have been left out.
    """
    r = rows.subquery(f"{name}_values")
    group: list[Expr] = [] if by is None else [r.c[by]]
    within = group or None
    ranked = select(
        *group,
        r.c[value].label("value"),
        func.row_number().over(partition_by=within, order_by=r.c[value]).label("place"),
        func.count().over(partition_by=within).label("n"),
    ).subquery(f"{name}_ranked")
    c = ranked.c
    keys: list[Expr] = [] if by is None else [c[by]]
    query = (
        select(*keys, func.min(c.value).label("low"), func.max(c.value).label("high"), func.max(c.n).label("n"))
        .where(or_(c.place == (c.n + 1) // 2, c.place == (c.n + 2) // 2))
        .group_by(*keys)
    )
    return once(query, name)
