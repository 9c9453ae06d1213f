"""Refresh the current facts, all or those of touched accounts, and compute the facts of one account at any instant."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Select, select

from alerts.writeback import Target
from daemon import pins
from rules.facts import FactSettings, in_scope, narrowed, portfolio, sets, statistics
from store import facts
from store.engine import Store
from store.factsets import write_sets
from store.records import Instant
from store.tables import accounts as accounts_table


def refresh(store: Store, settings: FactSettings, as_of: Instant, accounts: Collection[int] | None = None) -> int:
    """Bring the table of facts to `as_of`, for all customers or for these accounts, in one transaction.

    Tier fields that people changed in the CRM count from now on. Gives how many rows changed or left scope: none for
    a second refresh at the same `as_of`.
    """
    within = None if accounts is None else _ids(accounts)
    with store.write() as conn:
        pins.observe(conn, _targets(settings), as_of)
        if accounts is None:
            found = {row.name: row.value for row in conn.execute(statistics(as_of, settings))}
            facts.write_statistics(conn, found, as_of)
        changed = facts.write(conn, portfolio(as_of, settings, within, stored=True))
        left = facts.drop(conn, in_scope(as_of, settings, within), within)
        write_sets(conn, sets(as_of, settings, within), narrowed(as_of, settings, within), within)
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


def _ids(accounts: Collection[int]) -> Select[int]:
    return select(accounts_table.c.id).where(accounts_table.c.id.in_(sorted(accounts)))
