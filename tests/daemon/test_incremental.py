"""Facts refreshed bit by bit, in any order of events, are those that all rows give."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from sqlalchemy import select

from daemon.derive import derive
from daemon.facts import refresh
from rules.facts import FactSettings
from store.engine import Store
from store.records import DAY, HOUR, Batch, Instant, Record
from store.sync import save_batch
from store.tables import INSTANT_FACTS, facts
from tests.daemon.changing_world import World
from tests.daemon.derivation import SETTINGS, T0
from tests.rules.reading import portfolio_at

FACTS = FactSettings(tier_values={"sf": {1: "Tier 1", 2: "Tier 2", 3: "Tier 3"}})
BEGIN = T0 + 500 * DAY
STEPS, EVENTS = 14, 4
LASTING = (
    *INSTANT_FACTS,
    *("name", "arr", "potential", "strategic", "auto_renews", "segment", "csm", "seats", "ltv", "contract_start"),
    *("tier", "tier_pinned", "exec_contacts", "exec_contacts_u", "user_contacts", "user_contacts_u"),
    *("unclassified_contacts", "any_since", "exec_since", "user_since", "unclassified_since"),
)
"""What time alone does not move: instants, field values, who is on file. Meetings to come lie beyond the test's end."""

Rows = Mapping[int, Mapping[str, Any]]


def _by_account(found: Iterable[Mapping[str, Any]]) -> Rows:
    return {row["account_id"]: {name: row[name] for name in row if name != "as_of"} for row in found}


def _kept(store: Store) -> Rows:
    with store.read() as conn:
        return _by_account(dict(row) for row in conn.execute(select(facts)).mappings())


def _from_nothing(store: Store, as_of: Instant, *, stored: bool) -> Rows:
    with store.read() as conn:
        return _by_account(portfolio_at(conn, as_of, FACTS, stored=stored))


def _lasting(rows: Rows) -> Rows:
    return {account: {name: row[name] for name in LASTING} for account, row in rows.items()}


def _sync(store: Store, source: str, records: list[Record], now: Instant) -> frozenset[int]:
    """Save and derive as the daemon does; the accounts touched."""
    with store.write() as conn:
        save_batch(conn, source, Batch("all", tuple(records), "c"), now)
    return derive(store, SETTINGS, now).accounts


@pytest.mark.parametrize("seed", range(2))
def test_incremental_facts_are_those_from_nothing(store: Store, seed: int) -> None:
    """After every batch of events: lasting facts of all customers, and every fact of the touched ones; after a full
    evaluation at a random instant, now or in the past: every fact of all.
    """
    world, now = World(seed), BEGIN
    _sync(store, "sf", world.begin(), now)
    refresh(store, FACTS, now)
    compared = 0
    for step in range(STEPS):
        now += world.random.choice((HOUR, 7 * HOUR, DAY, 9 * DAY))
        touched: set[int] = set()
        for _ in range(world.random.randint(1, EVENTS)):
            source, records = world.event(now)
            touched |= _sync(store, source, records, now)
        refresh(store, FACTS, now, touched)
        kept, fresh = _kept(store), _from_nothing(store, now, stored=True)
        assert _lasting(fresh) == _lasting(kept), step
        assert {a: fresh[a] for a in touched & fresh.keys()} == {a: kept[a] for a in touched & kept.keys()}, step
        compared += len(fresh)
        if step % 3 == 2:
            as_of = now - world.random.choice((0, 0, DAY, 40 * DAY, 200 * DAY))
            refresh(store, FACTS, as_of)
            assert _from_nothing(store, as_of, stored=False) == _kept(store), (step, as_of)
            refresh(store, FACTS, now)
    assert compared > 3 * STEPS
