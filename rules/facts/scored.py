"""The facts that stand on other facts of the same row: health and what follows from it, and the champions lost."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, case, cast, func, select
from sqlalchemy.sql.expression import FromClause
from sqlalchemy.types import NullType

from rules.facts.champions import champions_lost
from rules.facts.contracts import Scope
from rules.facts.health import health_facts, weighed
from rules.facts.moment import Expr, Moment, once, word
from rules.facts.settings import FactSettings
from store.tables import facts

LATER = ("health", "health_change_30d", "value_at_risk", "champions_lost")
"""Facts that this module adds; the other columns are those of `columns.py`."""
_ADDED = {column for name in LATER for column in (name, f"{name}_state")}


def first_columns() -> list[str]:
    """The columns of `store.tables.facts` that must be there already."""
    return [c.name for c in facts.columns if c.name not in _ADDED]


def typed(value: Expr, name: str) -> Expr:
    """A fact for which there is no value yet as a NULL of its column's type: PostgreSQL takes a bare one for a text."""
    return cast(value, facts.c[name].type) if isinstance(value.type, NullType) else value


def with_scores(
    query: Select[Any], m: Moment, settings: FactSettings, base: Scope, past: FromClause | None
) -> Select[Any]:
    """`query` (its columns are `first_columns`) with the rest, in the order of `store.tables.facts`.

    `past`: (account_id, health, health_state) of 30 days ago; None: how health has moved is missing.
    """
    row = once(query, "customer_rows")
    told = weighed(row, m, settings.health)
    lost = champions_lost(m, base.contracts)
    columns = {**health_facts(told, past), **_champions(row.c, lost.c.champions_lost)}
    values = {c.name: columns[c.name] if c.name in columns else row.c[c.name] for c in facts.columns}
    found = select(*(typed(value, name).label(name) for name, value in values.items()))
    key = row.c.account_id
    found = (
        found.select_from(row).join(told, told.c.account_id == key).join(lost, lost.c.account_id == key, isouter=True)
    )
    if past is not None:
        found = found.join(past, past.c.account_id == key, isouter=True)
    # SQLite takes the ON of `INSERT ... SELECT ... ON CONFLICT` for a join's unless the SELECT has a WHERE.
    return found.where(key.is_not(None))


def _champions(row: Any, lost: Expr) -> dict[str, Expr]:
    """It stands on touches, so it is missing while they cannot be trusted."""
    unseen = case((row.activity_stale == 1, word("stale")), (row.not_covered.is_not(None), word("not_captured")))
    return {"champions_lost": case((unseen.is_(None), func.coalesce(lost, 0))), "champions_lost_state": unseen}
