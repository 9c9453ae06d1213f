"""A tier in force with its history, and a change of it that waits to be written: what a merge has to carry along."""

from __future__ import annotations

from store import ledger
from store import tables as t
from store.engine import Store
from store.refs import Ref


def plan_tier(store: Store, ref: Ref, account_id: int, value: str, at: int) -> None:
    """The account has tier 2 since `at` (UTC microseconds); `value` is planned for the field of the row `ref`."""
    source, crm_id = ref
    change = {
        "account_id": account_id, "source": source, "crm_id": crm_id, "field": "customer_tier", "old_value": None,
        "new_value": value, "reason": "score",
    }  # fmt: skip
    with store.write() as conn:
        conn.execute(t.tiers.insert().values(account_id=account_id, tier=2, tier_since=at))
        conn.execute(t.tier_history.insert().values(account_id=account_id, valid_from=at, tier=2, pinned=0))
        run = conn.execute(t.tier_runs.insert().values(as_of=at, started_at=at, policy="score", status="planned"))
        assert run.inserted_primary_key is not None
        ledger.add(conn, run.inserted_primary_key[0], [change], at)
