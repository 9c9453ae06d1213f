"""The portfolio as it was whole days before, for what moves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Integer, Select, literal, select

from rules.facts.portfolio import portfolio
from rules.facts.settings import FactSettings
from store.records import DAY, Instant
from store.tables import past_facts


def past_portfolio(
    as_of: Instant,
    settings: FactSettings,
    days: int,
    accounts: Select[int] | None,
    given: Mapping[str, float | None],
) -> Select[Any]:
    """The facts of `days` before `as_of`, as the columns of `store.tables.past_facts`, in order.

    `given` are the portfolio statistics of then. How health had moved by then is not looked for.
    """
    then = portfolio(as_of - days * DAY, settings, accounts, given=given).subquery("then")
    columns = {"days": literal(days, Integer)}
    found = select(
        *((columns[c.name] if c.name in columns else then.c[c.name]).label(c.name) for c in past_facts.columns)
    )
    return found.where(then.c.account_id.is_not(None))
