"""The nightly verification: nothing to say of what is right; a damaged, lost or surplus row is found, named and mended."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, delete, insert, select, update

from daemon.evaluate import evaluate
from daemon.facts import refresh
from daemon.verify import verify
from rules.facts import FactSettings
from rules.language import RuleSet
from store.engine import Store
from store.records import DAY, HOUR
from store.status import read
from store.tables import account_fields, facts, touches
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
    assert (0, 1, 1) == (done.different, done.missing, done.surplus)
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
