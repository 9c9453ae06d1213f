"""Past facts, health parts and cuts beside the current facts: full and touched agree, twice changes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, delete, insert, select

from daemon.config import ConfigError, load
from daemon.facts import Needs, refresh
from daemon.factsat import facts_at
from daemon.healthtext import rendered
from daemon.healthwhy import health_why
from daemon.parts import fact_settings
from rules.facts import FactSettings
from rules.facts.healthsettings import COMPONENTS
from rules.language.needs import Cut
from store.engine import Store
from store.records import DAY, HOUR
from store.tables import account_fields, facts, health_parts, past_facts, portfolio_stats
from tests.rules.derived_rows import NOW, TODAY, Rows, ago, orderly

SETTINGS = FactSettings()
CUT, BY_SEGMENT = (
    Cut("arr", "top", Fraction(1, 5), by_segment=False),
    Cut("arr", "bottom", Fraction(1, 3), by_segment=True),
)
NEEDS = Needs(frozenset({14}), frozenset({CUT, BY_SEGMENT}))
TABLES = (facts, past_facts, health_parts, portfolio_stats)


def three() -> Rows:
    """Three customers whose usage fell 20 days ago, with contacts, tickets and a person of unknown level."""
    rows = orderly()
    for number, arr in enumerate((5_000_00, 30_000_00, 200_000_00)):
        account = rows.account(arr=arr, contract_start=TODAY - 400, seats=20, ltv=arr)
        row = rows.link(account)
        exec_, user = rows.person(account), rows.person(account, "user")
        rows.person(account, None, since=ago(10))
        for day in (3, 13, 40, 55, 61):
            rows.touch([exec_, user], "meeting", ago(day + number))
        for day in range(160):
            fell = day < 20 + number
            rows.sample(account, NOW - HOUR - day * DAY, 8 if fell else 16)
            rows.sample(account, NOW - HOUR - day * DAY, 10 if fell else 18, metric="active_users_28d")
        stamps = {"created_at": ago(9), "modified_at": ago(9), "opened_at": ago(9)}
        base = {"source": "salesforce", "id": f"t{account}", "crm_account_id": row, "payload": "", "priority": "low"}
        rows.add("crm_tickets", **base, **stamps)
    return rows


def dump(store: Store, tables: Iterable[Table] = TABLES) -> list[dict[str, Any]]:
    """Every row but its `as_of`: a row that has not moved keeps the instant of its last move."""
    with store.read() as conn:
        return [
            {**row, "as_of": None}
            for table in tables
            for row in conn.execute(select(table).order_by(*table.primary_key)).mappings()
        ]


@pytest.fixture
def world(store: Store) -> Store:
    """A store with the three customers, refreshed at NOW."""
    with store.write() as conn:
        three().save(conn)
    refresh(store, SETTINGS, NOW, None, NEEDS)
    return store


def test_past_rows_are_the_facts_of_those_days(world: Store) -> None:
    """A past row is what a refresh at that instant writes; how health had moved by then is not looked for."""
    past = {(r["account_id"], r["days"]): r for r in dump(world, [past_facts])}
    assert {(a, d) for a in (1, 2, 3) for d in (14, 30)} == set(past)
    for days in (14, 30):
        refresh(world, SETTINGS, ago(days), None, NEEDS)
        for row in dump(world, [facts]):
            mine = past[row["account_id"], days]
            same = [n for n in mine if n != "days" and not n.startswith("health_change")]
            assert {n: mine[n] for n in same} == {n: row[n] for n in same}


def test_twice_changes_nothing_and_touched_agrees_with_full(world: Store) -> None:
    """The same instant again writes no row; after a change a refresh of that account ends as a full one does."""
    before = dump(world)
    assert 0 == refresh(world, SETTINGS, NOW, None, NEEDS)
    assert before == dump(world)
    _say_segment(world, recorded_at=NOW)
    refresh(world, SETTINGS, NOW, [2], NEEDS)
    touched = dump(world, TABLES[:3])
    assert touched != [row for row in before if "name" not in row or "account_id" in row]
    refresh(world, SETTINGS, NOW, None, NEEDS)
    assert touched == dump(world, TABLES[:3])


def test_a_past_that_comes_late_counts_from_the_next_full_refresh(world: Store) -> None:
    """History of a touched account, loaded afterwards: past rows stay as they are kept, and a missing one is made."""
    before = dump(world, [past_facts])
    _say_segment(world, recorded_at=ago(50))
    refresh(world, SETTINGS, NOW, [2], NEEDS)
    assert before == dump(world, [past_facts])
    lost = (past_facts.c.account_id == 2) & (past_facts.c.days == 14)
    with world.write() as conn:
        conn.execute(delete(past_facts).where(lost))
    refresh(world, SETTINGS, NOW, [2], NEEDS)
    then = {(row["account_id"], row["days"]): row["segment"] for row in before}
    now = {(row["account_id"], row["days"]): row["segment"] for row in dump(world, [past_facts])}
    assert then | {(2, 14): "smb"} == now != then
    refresh(world, SETTINGS, NOW, None, NEEDS)
    assert {"smb"} == {row["segment"] for row in dump(world, [past_facts]) if row["account_id"] == 2}


def _say_segment(world: Store, recorded_at: int) -> None:
    row = {"account_id": 2, "field": "segment", "text": "smb", "source": "salesforce", "history": "none"}
    with world.write() as conn:
        conn.execute(insert(account_fields).values(**row, valid_from=ago(50), recorded_at=recorded_at))


def test_health_moves_against_the_kept_past(world: Store) -> None:
    """The change is health now minus health then, to the digit, and the parts say what moved."""
    rows = {row["account_id"]: row for row in dump(world, [facts])}
    past = {row["account_id"]: row for row in dump(world, [past_facts]) if row["days"] == 30}
    for account, row in rows.items():
        assert round(row["health"] - past[account]["health"], 2) == row["health_change_30d"]
    assert all(row["health_change_30d"] < 0 for row in rows.values())
    parts = [p for p in dump(world, [health_parts]) if p["account_id"] == 1]
    assert {0, 30} == {part["days"] for part in parts}
    for days, row in ((0, rows[1]), (30, past[1])):
        [part] = [p for p in parts if p["days"] == days]
        points = [part[f"{name}_contribution"] for name in COMPONENTS if part[f"{name}_contribution"] is not None]
        assert row["health"] == pytest.approx(sum(points), abs=1e-9)


def test_cuts_are_kept_until_nothing_asks_for_them(world: Store) -> None:
    """Each cut under its key, per segment where asked; without rules that ask, cuts and distances go."""
    stats = {row["name"]: row["value"] for row in dump(world, [portfolio_stats])}
    cuts = {name: value for name, value in stats.items() if name.startswith("cut:")}
    assert {
        "cut:arr:top:1/5:*": 20_000_000.0,
        "cut:arr:bottom:1/3:enterprise": None,
        "cut:arr:bottom:1/3:mid_market": None,
        "cut:arr:bottom:1/3:smb": None,
    } == cuts
    refresh(world, SETTINGS, NOW)
    assert {30} == {row["days"] for row in dump(world, [past_facts])}
    left = [row["name"] for row in dump(world, [portfolio_stats])]
    assert [] == [name for name in left if name.startswith("cut:") or name.endswith("@14")]


def test_one_account_at_any_instant_has_what_the_rules_look_up(world: Store) -> None:
    """The row of `explain` is the refreshed one, with past values and cuts by their keys."""
    row = facts_at(world, SETTINGS, NOW, 1, NEEDS)
    assert row is not None
    stored = next(r for r in dump(world, [facts]) if r["account_id"] == 1)
    assert stored == {**{name: row[name] for name in stored}, "as_of": None}
    past = next(r for r in dump(world, [past_facts]) if (r["account_id"], r["days"]) == (1, 14))
    keys = [name for name in past if name not in ("account_id", "days", "as_of")]
    assert {name: past[name] for name in keys} == {name: row[f"{name}@14"] for name in keys}
    stats = {r["name"]: r["value"] for r in dump(world, [portfolio_stats]) if r["name"].startswith("cut:")}
    assert stats == {name: row[name] for name in stats}


def test_why_health_moved_names_the_largest_change_first(world: Store) -> None:
    """Usage fell: adoption change moved health most; the shown table has every component."""
    row = facts_at(world, SETTINGS, NOW, 1, NEEDS)
    assert row is not None
    why = health_why(world, SETTINGS, NOW, row)
    assert (row["health"], row["health@30"], row["health_change_30d"]) == (why.health, why.health_then, why.change)
    moved = [abs(part.change) for part in why.parts if part.change is not None]
    assert moved == sorted(moved, reverse=True)
    assert "adoption_change" == why.parts[0].component
    assert round(sum(part.contribution or 0 for part in why.parts), 2) == why.health
    assert rendered(why)


def test_weights_come_from_the_configuration(tmp_path: Path) -> None:
    """What `health_score` says is what the facts are computed with; a wrong weight is told with its line."""
    text = """own_domains: [ours.test]
sources:
  sf:
    kind: salesforce
    base_url: https://acme.my.salesforce.com
    auth: {method: token, access_token: {env: SF}}
    customer: {Type: Customer}
health_score: {weights: {adoption: 20}, by_segment: {smb: {support: 40}}}
"""
    file = tmp_path / "tierd.yaml"
    file.write_text(text)
    health = fact_settings(load(file, {"SF": "x"})).health
    smb = health.by_segment["smb"]
    assert (20, 20, 40) == (health.weights.adoption, smb.adoption, smb.support)
    file.write_text(text.replace("support: 40", "support: 140"))
    with pytest.raises(ConfigError, match=r"tierd.yaml:8:.*less than or equal to 100"):
        load(file, {"SF": "x"})
