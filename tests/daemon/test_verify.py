"""The nightly verification: nothing to say of what is right; a damaged, lost or surplus row is found, named and mended."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from sqlalchemy import Connection, Table, and_, delete, insert, select, update

from daemon.evaluate import evaluate
from daemon.facts import refresh
from daemon.verify import verify
from rules.facts import RHYTHM, FactSettings
from rules.language import RuleSet, load
from rules.language.needs import Cut
from store.engine import Store
from store.records import DAY, HOUR
from store.status import read
from store.tables import (
    account_fields,
    fact_sets,
    facts,
    health_parts,
    narrowed_facts,
    past_facts,
    portfolio_stats,
    touches,
)
from tests.rules.derived_rows import NOW, Rows, ago, orderly

SETTINGS = FactSettings()
NO_RULES = RuleSet((), {}, {}, "none")
LATER = NOW + 5 * HOUR


def _rows() -> Rows:
    rows = orderly()
    for number in range(6):
        account = rows.account(arr=10_000_000 + number, renewal=20_540, seats=50, contract_start=19_000)
        rows.link(account)
        person = rows.person(account, ("exec", "user")[number % 2])
        rows.touch(person, "meeting", ago(4 + number))
        rows.touch(person, "email", ago(40 + number), way="in")
        rows.sample(account, ago(1), 20.0)
    return rows


@pytest.fixture
def evaluated(store: Store) -> Store:
    """Six customers after a full evaluation."""
    with store.write() as conn:
        _rows().save(conn)
    evaluate(store, NO_RULES, SETTINGS, NOW)
    return store


def _kept(conn: Connection) -> list[dict[str, Any]]:
    return [dict(row) for row in conn.execute(select(facts).order_by(facts.c.account_id)).mappings()]


def _all(store: Store) -> list[dict[str, Any]]:
    with store.read() as conn:
        return _kept(conn)


def test_nothing_to_verify_before_the_first_evaluation(store: Store) -> None:
    """No facts, no verdict."""
    assert verify(store, SETTINGS, NOW) is None


def test_facts_that_are_right_stay_as_they_are(evaluated: Store) -> None:
    """Hours later nothing differs, though strength and ages have moved: they are compared at their own instant."""
    before = _all(evaluated)
    done = verify(evaluated, SETTINGS, LATER)
    assert done is not None
    assert (6, 0, None) == (done.customers, done.wrong, done.trouble())
    assert before == _all(evaluated)


def test_touched_accounts_are_compared_at_the_instant_they_were_evaluated(evaluated: Store) -> None:
    """A renewal moved and the account was evaluated three days later: right, and so are those that were not."""
    with evaluated.write() as conn:
        conn.execute(update(account_fields).where(account_fields.c.account_id == 2).values(num=20_600).where(
            account_fields.c.field == "renewal"))  # fmt: skip
    evaluate(evaluated, NO_RULES, SETTINGS, NOW + 3 * DAY, [2])
    done = verify(evaluated, SETTINGS, NOW + 4 * DAY)
    assert done is not None
    assert {} == done.columns
    assert 0 == done.wrong


def test_damaged_row_is_found_named_and_mended(evaluated: Store) -> None:
    """Somebody wrote into two facts of one customer: columns, account, operators' sentence, metric; then it is right."""
    before = _all(evaluated)
    with evaluated.write() as conn:
        conn.execute(update(facts).where(facts.c.account_id == 3).values(arr=1, strong_exec_relationships_u=7))
    done = verify(evaluated, SETTINGS, LATER)
    assert done is not None
    assert {"arr": 1, "strong_exec_relationships": 1} == done.columns
    assert ["salesforce:3"] == list(done.accounts)
    trouble = done.trouble() or ""
    assert "the facts of 1 of 6 customers" in trouble
    assert "arr (1)" in trouble
    assert before == _all(evaluated)
    with evaluated.read() as conn:
        assert (LATER, 1) == read(conn, LATER).verified
    again = verify(evaluated, SETTINGS, LATER)
    assert again is not None
    assert 0 == again.wrong


def test_lost_and_surplus_rows_are_found_and_mended(evaluated: Store) -> None:
    """A row that was deleted comes back; one of an account that is no customer goes."""
    before = _all(evaluated)
    with evaluated.write() as conn:
        conn.execute(delete(facts).where(facts.c.account_id == 5))
        extra = Rows()
        extra.add("accounts", id=99, key="salesforce:99", name="Nobody", created_at=0)
        extra.save(conn)
        conn.execute(insert(facts).values(account_id=99, as_of=NOW))
    done = verify(evaluated, SETTINGS, LATER)
    assert done is not None
    assert ({}, {"facts": 1}, {"facts": 1}) == (done.columns, done.missing, done.surplus)
    assert ["salesforce:5", "salesforce:99"] == list(done.accounts)
    assert before == _all(evaluated)


def test_rows_that_nobody_marked_as_touched_are_found(evaluated: Store) -> None:
    """A touch of three days ago that derivation wrote without saying whose it is: what it should have moved is named."""
    with evaluated.write() as conn:
        row = dict(conn.execute(select(touches).where(touches.c.account_id == 1)).mappings().first() or {})
        at = ago(3)
        row |= {"activity_id": "late", "starts_at": at, "occurred_at": at, "recorded_at": at, "kind": "call"}
        conn.execute(insert(touches).values(**row))
    done = verify(evaluated, SETTINGS, LATER)
    assert done is not None
    assert ["salesforce:1"] == list(done.accounts)
    assert {"last_contact", "last_exec_contact", "touches_30d", "touches_90d"} <= set(done.columns)
    assert 0 == refresh(evaluated, SETTINGS, NOW, [1])


# ---------------------------------------------------------------- what is kept beside the facts

RANKED = load(
    {
        "r.yaml": "rules: [{rule: r, class: churn, severity: high, when: arr is in the top 20% and health fell by 5 in 60 days}]"
    }
)
TABLES: tuple[Table, ...] = (facts, past_facts, fact_sets, narrowed_facts, health_parts, portfolio_stats)


@pytest.fixture
def ranked(store: Store) -> Store:
    """Six customers with a tag, levels and functions, evaluated for a rule with a rank and a distance of its own."""
    rows = _rows()
    for number in range(1, 7):
        rows.field(number, "tag:beta", 1)
    for person in rows.tables["person_levels"]:
        person |= {"level": 4, "function": "finance"}
    with store.write() as conn:
        rows.save(conn)
    evaluate(store, RANKED, SETTINGS, NOW)
    return store


def _everything(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    with store.read() as conn:
        return {table.name: sorted(map(tuple, conn.execute(select(table))), key=repr) for table in TABLES}


def _row(table: Table, account: int, **key: Any) -> Any:
    return and_(table.c.account_id == account, *(table.c[name] == value for name, value in key.items()))


def test_a_damaged_row_of_every_table_is_found_named_and_mended(ranked: Store) -> None:
    """Each table and column with its account, statistics by name; what stands on these is not blamed; all is as it was."""
    before = _everything(ranked)
    names = ("cut:arr:top:1/5:*", f"{RHYTHM}@30")
    damage: list[tuple[Table, dict[str, Any], dict[str, Any]]] = [
        (past_facts, {"days": 30}, {"touches_90d": 77}),
        (past_facts, {"days": 60}, {"health": 1.5}),
        (fact_sets, {"value": "beta"}, {"state": "gone"}),
        (narrowed_facts, {"by": "function", "value": "finance"}, {"last_contact": 1}),
        (health_parts, {"days": 0}, {"adoption_contribution": 9.25}),
        (health_parts, {"days": 30}, {"engagement_score": 1.0}),
    ]
    with ranked.write() as conn:
        for account, (table, key, values) in enumerate(damage, 1):
            assert 1 == conn.execute(update(table).where(_row(table, account, **key)).values(**values)).rowcount
        wrong = portfolio_stats.c.name.in_(names)
        assert 2 == conn.execute(update(portfolio_stats).where(wrong).values(value=1.0)).rowcount
    done = verify(ranked, SETTINGS, LATER)
    assert done is not None
    columns = {f"{table.name}.{name}": 1 for table, _, values in damage for name in values}
    assert (columns, {}, {}, names) == (done.columns, done.missing, done.surplus, done.statistics)
    assert (6, [f"salesforce:{number}" for number in range(1, 7)]) == (done.wrong, list(done.accounts))
    assert "different in past_facts.touches_90d (1), past_facts.health (1), narrowed_facts.last_contact (1)" in str(
        done.trouble()
    )
    assert f"statistics of the portfolio were not what the facts give ({', '.join(names)})" in str(done.trouble())
    assert before == _everything(ranked)


def test_a_row_in_the_place_of_another_accounts_is_found_in_every_table(ranked: Store) -> None:
    """Account 3 has lost rows and account 99, which is no customer, has them: missing, surplus, and mended."""
    before = _everything(ranked)
    keys: list[tuple[Table, dict[str, Any]]] = [
        (past_facts, {"days": 60}),
        (fact_sets, {"fact": "tags", "value": "beta"}),
        (narrowed_facts, {"by": "function", "value": "finance"}),
        (health_parts, {"days": 30}),
    ]
    with ranked.write() as conn:
        extra = Rows()
        extra.add("accounts", id=99, key="salesforce:99", name="Nobody", created_at=0)
        extra.save(conn)
        for table, key in keys:
            assert 1 == conn.execute(update(table).where(_row(table, 3, **key)).values(account_id=99)).rowcount
    done = verify(ranked, SETTINGS, LATER)
    assert done is not None
    counts = {table.name: 1 for table, _ in keys}
    assert ({}, counts, counts) == (done.columns, done.missing, done.surplus)
    assert (2, ["salesforce:3", "salesforce:99"]) == (done.wrong, list(done.accounts))
    assert before == _everything(ranked)


def test_what_only_a_set_says_is_right_at_the_later_evaluation(ranked: Store) -> None:
    """A tag taken away and the account evaluated hours later: its row of facts is equal, its sets are not, and all is right."""
    with ranked.write() as conn:
        f = account_fields.c
        conn.execute(
            update(account_fields).where(f.account_id == 2, f.field == "tag:beta").values(valid_to=NOW + HOUR // 2)
        )
    evaluate(ranked, RANKED, SETTINGS, NOW + HOUR, [2])
    before = _everything(ranked)
    assert not [row for row in before["fact_sets"] if row[:3] == (2, "tags", "beta")]
    done = verify(ranked, SETTINGS, LATER)
    assert done is not None
    assert (0, None) == (done.wrong, done.trouble())
    assert before == _everything(ranked)


def test_a_past_day_and_a_cut_of_which_nothing_is_left_are_missed(ranked: Store) -> None:
    """Rows, statistics and the cut of a rule are gone without a trace: the evaluation has said that it computed them."""
    before = _everything(ranked)
    with ranked.write() as conn:
        conn.execute(past_facts.delete().where(past_facts.c.days == 60))
        name = portfolio_stats.c.name
        conn.execute(portfolio_stats.delete().where(name.like("%@60") | name.like("cut:%")))
    lost = before["portfolio_stats"]
    assert len(_everything(ranked)["portfolio_stats"]) < len(lost)
    done = verify(ranked, SETTINGS, LATER)
    assert done is not None
    assert ({}, {"past_facts": 6}, {}) == (done.columns, done.missing, done.surplus)
    assert "cut:arr:top:1/5:*" in done.statistics
    assert before == _everything(ranked)


@pytest.mark.parametrize("by_segment", [False, True])
def test_a_cut_is_known_again_by_what_the_evaluation_calls_it(by_segment: bool) -> None:
    """That of each segment, too, whatever segments there are."""
    cut = Cut("arr", "top", Fraction(1, 5), by_segment)
    assert cut == Cut.of(cut.own)
