"""Customers in portions: every id is in one of them, and together they find what all at once would."""

from __future__ import annotations

import random
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, insert, select

from rules.language import load
from rules.language.compile import columns_read, select_findings
from rules.language.model import Rule
from store import findings, portions
from store.engine import Store
from store.portions import Portion, Range, Touched
from store.statements import TimedRows, When
from store.tables import accounts, facts, metadata
from store.tables import findings as table
from tests.rules.rows import AS_OF, TODAY, put, random_row
from tests.rules.test_language import shipped

EVERYBODY = Range(0, 2**63 - 1)
NOBODY_ANY_MORE = 8
"""An account with a finding and without facts."""


@given(st.sets(st.integers(1, 10**9), max_size=12).map(sorted), st.integers(1, 7))
def test_each_id_is_in_one_range(ids: list[int], size: int) -> None:
    """Ranges follow each other without a gap, from the first id that may be to the last, with `size` customers at most."""
    store = Store("sqlite://")
    with store.write() as conn:
        metadata.create_all(conn, [accounts, facts])
        if ids:
            conn.execute(insert(accounts), [{"id": n, "key": f"{n}", "name": "n", "created_at": 0} for n in ids])
            conn.execute(insert(facts), [{"account_id": number, "as_of": 0} for number in ids])
        found = _ranges(conn, size)
    store.close()
    assert (0, 2**63 - 1) == (found[0].low, found[-1].high)
    assert [one.high + 1 for one in found[:-1]] == [one.low for one in found[1:]]
    counts = [sum(one.low <= number <= one.high for number in ids) for one in found]
    assert len(ids) == sum(counts)
    assert all(count == size for count in counts[:-1])


def test_portions_find_what_all_at_once_would(store: Store) -> None:
    """Ranges of two, and touched accounts, of all shipped rules; who is no customer any more loses the finding."""
    rng = random.Random(5)
    with store.write() as conn:
        put(conn, [random_row(rng, number, {}) for number in range(1, 8)])
        conn.execute(insert(accounts).values(id=NOBODY_ANY_MORE, key="gone", name="n", created_at=0))
        in_twos = _ranges(conn, 2)
    at_once, in_ranges = _found(store, [EVERYBODY]), _found(store, in_twos)
    touched = _found(store, [Touched(frozenset({1, 4})), Touched(frozenset({2, 3, 5, 6, 7, NOBODY_ANY_MORE}))])
    assert len(at_once) > 10
    assert at_once == in_ranges == touched


def _ranges(conn: Connection, size: int) -> list[Range]:
    found = [portions.after(conn, 0, size)]
    while found[-1].high < portions.LAST:
        found.append(portions.after(conn, found[-1].high + 1, size))
    return found


def _found(store: Store, whom: Sequence[Portion]) -> list[tuple[object, ...]]:
    rules = load(shipped()).rules
    left = {"rule": rules[0].name, "account_id": NOBODY_ANY_MORE, "outcome": "fires", "severity": "low"}
    with store.write() as conn:
        conn.execute(table.delete())
        conn.execute(insert(table).values(**left, since=0, rule_version="before", evidence="{}"))
        customers = 0
        for portion in whom:
            customers += portions.put(conn, portion, frozenset[str]().union(*map(columns_read, rules)))
            for rule in rules:
                findings.keep(conn, findings.ready(conn, _wanted(rule, portion), portion), portion)
        assert customers == 7
        return [tuple(row) for row in conn.execute(select(table).order_by(table.c.rule, table.c.account_id))]


def _wanted(rule: Rule, portion: Portion) -> findings.Wanted:
    rows = TimedRows(
        f"rule of {portion.name}",
        (rule, "portions"),
        When(AS_OF, lambda _: TODAY),
        lambda at: select_findings(rule, at, TODAY),
    )
    return findings.Wanted(rule.name, rule.version, rows)
