"""Whether every customer's facts at the last evaluation are what the world's records say, fact by fact."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from daemon.demo.seen import Accounts
from store.engine import Store
from store.records import Instant
from store.tables import facts

_MOST = 20  # differences that are told one by one
_COVERED = ("covered", "covered_exec", "covered_user")
_CLOSE = 2e-9  # ratios are kept with nine digits


def compare(store: Store, truth: Mapping[str, Any], as_of: Instant) -> dict[str, Any]:
    """How many facts of how many customers were compared, and which differ, as JSON. `as_of`: of the last evaluation."""
    by_id = Accounts(store)
    with store.read() as conn:
        rows = {row["account_id"]: row for row in conn.execute(select(facts).where(facts.c.as_of == as_of)).mappings()}
    compared, differing = 0, []
    expected = {by_id.of(entry): entry for entry in truth["facts"]}
    for account, entry in expected.items():
        row = rows.get(account)
        for name, value in entry["facts"].items():
            compared += 1
            found = None if row is None else _found(dict(row), name)
            if not _same(value, found):
                differing.append({"account": entry["name"], "fact": name, "expected": value, "found": found})
    differing += [
        {"account": row["name"], "fact": "customer", "expected": None, "found": True}
        for account, row in rows.items()
        if account not in expected
    ]
    return {
        "customers": len(expected),
        "compared": compared,
        "different": len(differing),
        "differing": differing[:_MOST],
    }


def _found(row: Mapping[str, Any], name: str) -> object:
    """A customer's value of a fact; of coverage the row tells the reverse, who is not captured."""
    return row[f"not_{name}"] is None if name in _COVERED else row[name]


def _same(expected: object, found: object) -> bool:
    if isinstance(expected, float) and isinstance(found, int | float):
        return abs(expected - found) < _CLOSE
    return expected == found
