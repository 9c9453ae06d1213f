"""The portfolio as it was whole days before, for what moves."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Integer, Select, literal, select

from rules.facts.portfolio import portfolio
from rules.facts.settings import FactSettings
from store.records import Instant
from store.tables import past_facts


def past_portfolio(then: Instant, settings: FactSettings, days: int, accounts: Select[int] | None) -> Select[Any]:
    """The facts at `then`, `days` before an evaluation, as the columns of `store.tables.past_facts`, in order.

    Portfolio statistics are those of then that the last full evaluation has stored. How health had moved by then is not
    looked for.
    """
    found = portfolio(then, settings, accounts, stored=True, before=days).subquery("then")
    columns = {"days": literal(days, Integer)}
    rows = select(
        *((columns[c.name] if c.name in columns else found.c[c.name]).label(c.name) for c in past_facts.columns)
    )
    return rows.where(found.c.account_id.is_not(None))
