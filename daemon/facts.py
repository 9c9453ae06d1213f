"""Refresh the current facts, all or those of touched accounts, and compute the facts of one account at any instant."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial
from typing import Any

from alerts.writeback import Target
from daemon import pins
from rules.facts import FactSettings, in_scope, portfolio, statistics
from rules.facts.moment import moment
from store import facts, touched
from store.engine import Store
from store.records import Instant


def refresh(store: Store, settings: FactSettings, as_of: Instant, accounts: Collection[int] | None = None) -> int:
    """Bring the table of facts to `as_of`, for all customers or for these accounts, in one transaction.

    Tier fields that people changed in the CRM count from now on. Gives how many rows changed or left scope: none for
    a second refresh at the same `as_of`.
    """
    day = moment(as_of, settings.timezone).today
    with store.write() as conn:
        within = None if accounts is None else touched.put(conn, accounts)
        narrow = "all" if accounts is None else "touched"
        rows = partial(store.statements.rows, narrow, (settings,), as_of, day)
        pins.observe(conn, _targets(settings), as_of, within)
        if accounts is None:
            found = {row.name: row.value for row in conn.execute(statistics(as_of, settings))}
            facts.write_statistics(conn, found, as_of)
        changed = facts.write(conn, rows(lambda at: portfolio(at, settings, within, stored=True)))
        left = facts.drop(conn, rows(lambda at: in_scope(at, settings, within)), within)
    return changed + left


def facts_at(store: Store, settings: FactSettings, as_of: Instant, account_id: int) -> Mapping[str, Any] | None:
    """Every column of the facts of one account at any instant; None = no customer in scope then.

    The whole portfolio is computed, because medians are those of `as_of`.
    """
    with store.read() as conn:
        return facts.one(conn, portfolio(as_of, settings), account_id)


def _targets(settings: FactSettings) -> Mapping[str, Target]:
    """Where pins are looked for: to read a value, the name of its field is not needed."""
    return {source: Target("", values) for source, values in settings.tier_values.items()}
