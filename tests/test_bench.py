"""The bench stands on the tables and facts as they are: it runs, and its SQL by hand finds what the rules find."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any

from bench.rules.conditions import CONDITIONS, Form
from bench.rules.filling import fill
from bench.rules.measure import Figures, measure_facts, measure_rules, measure_touched, same_findings, sample
from store.engine import Store

_HOW = {"==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def test_rules_and_sql_by_hand_find_the_same(sqlite_store: Store) -> None:
    """A small portfolio: all customers, then some whose renewal moves; a difference would raise."""
    fill(sqlite_store, 200)
    figures, said = Figures(), list[str]()
    measure_facts(sqlite_store, figures, said.append)
    measure_rules(sqlite_store, figures, said.append)
    measure_touched(sqlite_store, 200, figures, said.append)
    same_findings(sqlite_store)
    assert 200 == figures.counts["customers"]
    assert figures.counts["fires"] > 0 < figures.counts["unknown"]
    assert {"rules, all findings new", "by hand, all findings new", "facts, 200 touched"} <= set(figures.took)


def test_what_libraries_are_given_finds_what_the_rules_find(sqlite_store: Store) -> None:
    """Every rule in two truths: what fires, and what is possible and cannot be decided, account by account."""
    fill(sqlite_store, 400)
    figures, said = Figures(), list[str]()
    measure_facts(sqlite_store, figures, said.append)
    measure_rules(sqlite_store, figures, said.append)
    rows, found = sample(sqlite_store, 400)
    given = {
        ("fires" if _meets(condition.fires, row) else "unknown", rule, row["account_id"])
        for row in rows
        for rule, condition in CONDITIONS.items()
        if _meets(condition.possible, row)
    }
    assert found == given
    assert {outcome for outcome, _, _ in found} == {"fires", "unknown"}


def _meets(form: Form, row: Mapping[str, Any]) -> bool:
    match form:
        case ["all", *parts]:
            return all(_meets(part, row) for part in parts)
        case ["any", *parts]:
            return any(_meets(part, row) for part in parts)
        case ["null", column]:
            return row[column] is None
        case ["set", column]:
            return row[column] is not None
        case ["cmp", column, how, value]:
            return row[column] is not None and bool(_HOW[how](row[column], value))
        case ["sum", names, how, value]:
            there = [row[name] for name in names]
            return None not in there and bool(_HOW[how](sum(there), value))
        case ["share", column, of, other, times]:
            return None not in (row[column], row[other]) and bool(row[column] * of < row[other] * times)
    raise ValueError(form)
