"""The table of facts: only differences are written, who leaves scope is dropped, statistics are kept."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select, update

from daemon.facts import refresh
from daemon.factsat import facts_at
from rules.facts import MEDIAN_CHANGE, RHYTHM, FactSettings, UsageNames, portfolio
from store.engine import Store
from store.records import DAY, HOUR
from store.tables import account_fields, accounts, facts, portfolio_stats, tier_fields, tiers
from tests.rules.derived_rows import LONG_AGO, NOW, TODAY, Rows, ago, orderly

SETTINGS = FactSettings(tier_values={"salesforce": {1: "Tier 1", 2: "Tier 2", 3: "Tier 3"}})


def saved(store: Store, rows: Rows) -> None:
    """Put the rows into the store."""
    with store.write() as conn:
        rows.save(conn)


def current(store: Store) -> dict[int, dict[str, Any]]:
    """Account -> its row of the table."""
    with store.read() as conn:
        return {row["account_id"]: dict(row) for row in conn.execute(select(facts)).mappings()}


def portfolio_of_two() -> Rows:
    """Two customers with a contact yesterday and usage that halved."""
    rows = orderly()
    for _ in range(2):
        account = rows.account(arr=500, contract_start=TODAY - 200, seats=10)
        rows.link(account)
        rows.touch(rows.person(account), "meeting", ago(1))
        for day in range(120):
            rows.sample(account, NOW - HOUR - day * DAY, 10 if day < 30 else 20)
    return rows


def test_refresh_writes_once(store: Store) -> None:
    """The first refresh writes every row, a second one at the same instant none."""
    saved(store, portfolio_of_two())
    assert refresh(store, SETTINGS, NOW) == 2
    before = current(store)
    assert refresh(store, SETTINGS, NOW) == 0
    assert current(store) == before


def test_row_that_differs_in_nothing_but_the_instant_stays(store: Store) -> None:
    """An hour later no fact has moved: the row keeps the instant at which it last changed."""
    saved(store, portfolio_of_two())
    refresh(store, SETTINGS, NOW)
    assert refresh(store, SETTINGS, NOW + HOUR // 2) == 0
    assert {row["as_of"] for row in current(store).values()} == {NOW}


def test_only_the_changed_customer_is_written(store: Store) -> None:
    """One field of one customer moved: one row."""
    saved(store, portfolio_of_two())
    refresh(store, SETTINGS, NOW)
    with store.write() as conn:
        this = (account_fields.c.account_id == 2) & (account_fields.c.field == "arr")
        conn.execute(update(account_fields).where(this).values(num=700))
    assert refresh(store, SETTINGS, NOW) == 1
    assert {account: row["arr"] for account, row in current(store).items()} == {1: 500, 2: 700}


def test_customer_out_of_scope_is_dropped(store: Store) -> None:
    """A churned customer leaves the table, whether all accounts or only that one are refreshed."""
    saved(store, portfolio_of_two())
    refresh(store, SETTINGS, NOW)
    rows = Rows()
    rows.field(1, "churned", 1, since=ago(1))
    saved(store, rows)
    assert refresh(store, SETTINGS, NOW, [2]) == 0
    assert set(current(store)) == {1, 2}
    assert refresh(store, SETTINGS, NOW, [1]) == 1
    assert set(current(store)) == {2}


def test_statistics_are_those_of_the_last_full_refresh(store: Store) -> None:
    """A refresh of touched accounts uses them and leaves them."""
    saved(store, portfolio_of_two())
    refresh(store, SETTINGS, NOW)
    with store.read() as conn:
        stats = {row.name: (row.value, row.as_of) for row in conn.execute(select(portfolio_stats))}
    now = {MEDIAN_CHANGE: (-0.5, NOW), RHYTHM: (float(DAY), NOW)}
    assert stats == now | {f"{MEDIAN_CHANGE}@30": (0.0, NOW), f"{RHYTHM}@30": (float(DAY), NOW)}
    with store.write() as conn:
        this = portfolio_stats.c.name == MEDIAN_CHANGE
        conn.execute(update(portfolio_stats).where(this).values(value=-0.1))
    assert refresh(store, SETTINGS, NOW, [1]) == 1
    assert {a: row["adoption_change_vs_portfolio"] for a, row in current(store).items()} == {1: -0.4, 2: 0.0}


@pytest.mark.parametrize("settings", [SETTINGS, FactSettings(usage=UsageNames(interval=DAY))], ids=["median", "set"])
def test_any_instant_gives_what_a_refresh_there_gives(store: Store, settings: FactSettings) -> None:
    """The facts of one account at an instant are the row that a full refresh at that instant writes."""
    saved(store, portfolio_of_two())
    for as_of in (NOW, NOW + 3 * DAY, ago(10)):
        refresh(store, settings, as_of)
        found = facts_at(store, settings, as_of, 1)
        assert found is not None
        assert dict(found) | {"as_of": None} == current(store)[1] | {"as_of": None}
    assert facts_at(store, settings, NOW, 99) is None


def test_refresh_looks_at_the_tier_fields(store: Store) -> None:
    """A value that a sync has brought is a pin from the next refresh on, and the tier in force."""
    rows = portfolio_of_two()
    rows.field(1, "tier_field:salesforce", "Tier 2")
    rows.field(2, "tier_field:salesforce", "Tier 3", since=ago(3), history="seen")
    saved(store, rows)
    refresh(store, SETTINGS, NOW)
    assert {a: (row["tier"], row["tier_pinned"]) for a, row in current(store).items()} == {1: (2, 1), 2: (3, 1)}
    with store.read() as conn:
        pins = conn.execute(select(tiers.c.pin, tiers.c.pin_origin, tiers.c.pinned_at).order_by(tiers.c.account_id))
        assert [tuple(row) for row in pins] == [(2, "found", LONG_AGO), (3, "person", ago(3))]
        assert conn.execute(select(tier_fields.c.known).order_by(tier_fields.c.account_id)).scalars().all() == [
            "Tier 2",
            "Tier 3",
        ]


def test_touched_accounts_cost_index_searches_only(sqlite_store: Store) -> None:
    """For a handful of accounts SQLite reads no large table from end to end, and touches from the index alone."""
    saved(sqlite_store, portfolio_of_two())

    touched = portfolio(NOW, SETTINGS, select(accounts.c.id).where(accounts.c.id.in_([1])))
    compiled = touched.compile(sqlite_store.engine, compile_kwargs={"render_postcompile": True})
    bound = tuple(compiled.params[name] for name in compiled.positiontup or ())
    with sqlite_store.read() as conn:
        plan = [row[3] for row in conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", bound)]
    large = ("account_fields", "touches", "persons", "person_levels", "usage_samples", "captures", "crm_accounts")
    assert [line for line in plan if line.startswith(tuple(f"SCAN {name}" for name in large))] == []
    assert any(line.startswith("SEARCH touches USING COVERING INDEX ix_touches_account") for line in plan)
    assert any(line.startswith("SEARCH usage_samples USING COVERING INDEX") for line in plan)
