"""The bench stands on the tables and facts as they are: it runs, and its SQL by hand finds what the rules find."""

from __future__ import annotations

from bench.rules.filling import fill
from bench.rules.measure import Figures, measure_facts, measure_rules, measure_touched
from store.engine import Store


def test_rules_and_sql_by_hand_find_the_same(sqlite_store: Store) -> None:
    """A small portfolio: all customers, then some whose renewal moves; a difference would raise."""
    fill(sqlite_store, 200)
    figures, said = Figures(), list[str]()
    measure_facts(sqlite_store, figures, said.append)
    measure_rules(sqlite_store, figures, said.append)
    measure_touched(sqlite_store, 200, figures, said.append)
    assert 200 == figures.counts["customers"]
    assert figures.counts["fires"] > 0 < figures.counts["unknown"]
    assert {"rules, all findings new", "by hand, all findings new", "facts, 200 touched"} <= set(figures.took)
