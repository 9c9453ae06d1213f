"""Refresh the current facts, all or those of touched accounts, and compute the facts of one account at any instant."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select

from rules.facts import FactSettings, in_scope, portfolio, statistics
from store import facts, pins
from store.engine import Store
from store.records import Instant
from store.tables import accounts as accounts_table


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh changed: rows of facts that differ from before, and customers that left scope."""

    changed: int
    left: int


def refresh(
    store: Store, settings: FactSettings, as_of: Instant, accounts: Collection[int] | None = None
) -> Refreshed:
    """Bring the table of facts to `as_of`, for all customers or for these accounts, in one transaction.

    Tier fields that people changed in the CRM count from now on. A second refresh at the same `as_of` changes nothing.
    """
    within = None if accounts is None else _ids(accounts)
    with store.write() as conn:
        pins.observe(conn, settings.tier_values, as_of)
        changed = facts.write(conn, portfolio(as_of, settings, within))
        left = facts.drop(conn, in_scope(as_of, settings, within), within)
        if accounts is None:
            found = {row.name: row.value for row in conn.execute(statistics(as_of, settings))}
            facts.write_statistics(conn, found, as_of)
    return Refreshed(changed, left)


def facts_at(store: Store, settings: FactSettings, as_of: Instant, account_id: int) -> Mapping[str, Any] | None:
    """Every column of the facts of one account at any instant; None = no customer in scope then.

    The whole portfolio is computed, because medians are those of `as_of`.
    """
    with store.read() as conn:
        return facts.one(conn, portfolio(as_of, settings), account_id)


def _ids(accounts: Collection[int]) -> Select[tuple[int]]:
    return select(accounts_table.c.id).where(accounts_table.c.id.in_(sorted(accounts)))
