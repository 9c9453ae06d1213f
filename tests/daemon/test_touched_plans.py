"""Touched accounts are looked up: no statement about them reads a large table from end to end."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import event

from daemon.evaluate import evaluate
from daemon.facts import refresh
from rules.facts import FactSettings
from rules.language import load
from store.engine import Store
from tests.rules.derived_rows import NOW, ago, orderly
from tests.rules.test_language import shipped

GROWING = {
    *("accounts", "account_fields", "persons", "person_levels", "touches", "touch_members", "captures"),
    *(
        "usage_samples",
        "crm_accounts",
        "crm_opportunities",
        "crm_tickets",
        "tier_history",
        "tier_fields",
        "tier_ledger",
    ),
    *("facts", "findings", "past_facts", "fact_sets", "narrowed_facts", "health_parts", "survey_answers", "features"),
    *("feature_uses", "latest", "held", "gone", "field", "customer", "other"),
}
"""Those that grow with the portfolio, and the names they go by in statements."""


def test_no_statement_about_touched_accounts_scans_a_growing_table(sqlite_store: Store) -> None:
    """Every statement of a refresh and an evaluation of two accounts, as SQLite means to run it."""
    rows = orderly()
    for number in range(8):
        account = rows.account(arr=10_000_000, renewal=20_540)
        rows.link(account)
        rows.touch(rows.person(account), "meeting", ago(number))
    with sqlite_store.write() as conn:
        rows.save(conn)
    settings, rules = FactSettings(tier_values={"salesforce": {1: "A"}}), load(shipped())
    evaluate(sqlite_store, rules, settings, NOW)
    seen: dict[str, Any] = {}

    def listen(_conn: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        seen.setdefault(statement, parameters)

    event.listen(sqlite_store.engine, "before_cursor_execute", listen)
    evaluate(sqlite_store, rules, settings, NOW + 1, [2, 5], refresh=refresh)
    event.remove(sqlite_store.engine, "before_cursor_execute", listen)
    scans: dict[str, set[str]] = {}
    with sqlite_store.write() as conn:
        for statement, parameters in seen.items():
            if not re.match(r"\s*(WITH|SELECT|INSERT|UPDATE|DELETE)", statement):
                continue
            one = parameters[0] if isinstance(parameters, list) else parameters
            plan = conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", one)
            found = {match[1] for row in plan if (match := re.match(r"SCAN (\w+)", row.detail))}
            if found & GROWING:
                scans[statement] = found & GROWING
    assert {} == scans
    assert len(seen) > 2 * len(rules.rules)
