"""Current facts: one row per customer in scope, and the portfolio statistics."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Integer, Table, Text

from store.tables.base import at, metadata

# Per fact: its column, and `<fact>_state`: NULL = a value is there · 'never' = known absence (instants only) ·
# 'stale' = the value is the last known one, but its source is stale · any other word = missing, and why.
# Counts by level also have `<fact>_u`: how many unclassified persons meet the rest of the definition.
INSTANT_FACTS = (
    "last_contact",
    "last_exec_contact",
    "last_user_contact",
    "last_reply",
    "last_exec_reply",
    "last_user_reply",
    "last_meeting",
    "next_meeting",
    "next_exec_meeting",
    "next_user_meeting",
)
DAY_FACTS = ("contract_start", "renewal")
FLAG_FACTS = ("strategic", "auto_renews", "rolling", "renewed", "tier_pinned")
MONEY_FACTS = ("arr", "potential", "ltv")
COUNT_FACTS = (
    "seats",
    "active_users",
    "tier",
    "open_tickets",
    "urgent_tickets",
    "tickets_90d",
    "touches_30d",
    "touches_90d",
    "inbound_90d",
    "meetings_90d",
)
LEVEL_COUNT_FACTS = (
    "exec_contacts",
    "user_contacts",
    "strong_exec_relationships",
    "strong_user_relationships",
    "exec_relationships",
    "user_relationships",
)
NUMBER_FACTS = (
    "adoption",
    "adoption_change",
    "adoption_change_vs_portfolio",
    "arr_growth",
    "relationship",
    "market_fit",
    "cadence",
    "touch_due_in",
    "health",
)
TEXT_FACTS = ("name", "segment", "csm", "lifecycle")
# What the seven steps of silence read besides the instants: not facts an author names.
SILENCE_COLUMNS = (
    Column("unclassified_contacts", Integer),
    at("last_unclassified_contact", nullable=True),
    at("last_unclassified_reply", nullable=True),
    at("any_since", nullable=True),  # the earliest creation stamp among persons on file, per standing
    at("exec_since", nullable=True),
    at("user_since", nullable=True),
    at("unclassified_since", nullable=True),
    Column("activity_stale", Integer),  # step 4: 1 = an activity source of the account is stale
    Column("not_covered", Text),  # step 5: NULL = covered, else who is not captured (the CSM's name, or 'no CSM')
)


def _fact_columns() -> list[Column[object]]:
    kinds: list[tuple[tuple[str, ...], type[Any]]] = [
        (INSTANT_FACTS, BigInteger),
        (DAY_FACTS, Integer),
        (FLAG_FACTS, Integer),
        (MONEY_FACTS, BigInteger),
        (COUNT_FACTS, Integer),
        (LEVEL_COUNT_FACTS, Integer),
        (NUMBER_FACTS, Float),
        (TEXT_FACTS, Text),
    ]
    columns: list[Column[object]] = []
    for names, kind in kinds:
        for name in names:
            columns += [Column(name, kind), Column(f"{name}_state", Text)]
            if names is LEVEL_COUNT_FACTS:
                columns.append(Column(f"{name}_u", Integer))
    return columns


# One row per customer in scope: the portfolio at `as_of`.
facts = Table(
    "facts",
    metadata,
    Column("account_id", BigInteger, ForeignKey("accounts.id"), primary_key=True),
    at("as_of"),
    *_fact_columns(),
    *SILENCE_COLUMNS,
)

# Portfolio statistics of the last full evaluation (medians, cuts), used until the next.
portfolio_stats = Table(
    "portfolio_stats",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Float),
    at("as_of"),
)
