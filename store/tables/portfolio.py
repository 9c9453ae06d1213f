"""Current facts: one row per customer in scope, and the portfolio statistics."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Integer, Table, Text

from store.tables.base import RowId, at, metadata

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
# What is known only once somebody has recorded the first one, of any account: until then it is missing, not never.
RECORDED_FACTS = ("last_survey_answer", "last_feedback_ask", "last_reference_ask", "last_tier_review")
DAY_FACTS = ("contract_start", "renewal", "newest_offering")
FLAG_FACTS = (
    "strategic",
    "auto_renews",
    "rolling",
    "renewed",
    "tier_pinned",
    "open_expansion",
    "newest_offering_shown",
)
MONEY_FACTS = ("arr", "potential", "ltv", "whitespace", "value_at_risk")
COUNT_FACTS = (
    "seats",
    "active_users",
    "team_size",
    "tier",
    "open_tickets",
    "urgent_tickets",
    "tickets_90d",
    "touches_30d",
    "touches_90d",
    "inbound_90d",
    "meetings_90d",
    "unanswered_outreach",
    "champions_lost",
    "features_adopted",
    "features_offered",
    "nps",  # 0..10
    "pulse",  # -2..2
    "load",
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
    "health_change_30d",  # points of the score
    "usage_trend",  # ratio per 30 days
    "csat",  # ratio
    "load_per_arr",  # per 1,000 of ARR, in whole units of the currency
    "awaiting_reply",  # hours
    "response_time",  # hours
)
TEXT_FACTS = ("name", "segment", "csm", "lifecycle", "usage_frequency")
# What the seven steps of silence read besides the instants: not facts an author names.
SILENCE_COLUMNS = (
    Column("unclassified_contacts", Integer),  # also a fact that an author names; it is never missing
    Column("unclassified_contacts_state", Text),
    at("last_unclassified_contact", nullable=True),
    at("last_unclassified_reply", nullable=True),
    at("any_since", nullable=True),  # the earliest creation stamp among persons on file, per standing
    at("exec_since", nullable=True),
    at("user_since", nullable=True),
    at("unclassified_since", nullable=True),
    Column("activity_stale", Integer),  # step 4: 1 = an activity source of the account is stale
    # Step 5, for contact with anybody, with execs, with users: NULL = covered, else who is not captured (the name of
    # the CSM or of a team member, or 'no CSM').
    Column("not_covered", Text),
    Column("not_covered_exec", Text),
    Column("not_covered_user", Text),
)


def _fact_columns() -> list[Column[object]]:
    kinds: list[tuple[tuple[str, ...], type[Any]]] = [
        (INSTANT_FACTS, BigInteger),
        (RECORDED_FACTS, BigInteger),
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
    # An INTEGER is SQLite's own row id: a row is found without an index beside the table.
    Column("account_id", RowId, ForeignKey("accounts.id"), primary_key=True, autoincrement=False),
    at("as_of"),
    *_fact_columns(),
    *SILENCE_COLUMNS,
)

# The same facts as they were whole days before, for what moves: one row per customer and distance in days.
past_facts = Table(
    "past_facts",
    metadata,
    Column("account_id", BigInteger, ForeignKey("accounts.id"), primary_key=True),
    Column("days", Integer, primary_key=True),
    at("as_of"),  # of the facts themselves: `days` before the evaluation
    *_fact_columns(),
)

# Facts that are sets. `tags`: value = the tag; `functions_reached`: value = the function; `features`: value = the
# feature, state = not_offered | offered | adopted | thriving | lapsed | unknown.
fact_sets = Table(
    "fact_sets",
    metadata,
    Column("account_id", BigInteger, ForeignKey("accounts.id"), primary_key=True),
    Column("fact", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    Column("state", Text),
)

# Contact and reply narrowed to persons of one level or function: what `no contact with level ... in 60 days` reads.
# `unclear` rows (value '') are the persons whose level, or function, nobody knows: they may hide the event.
narrowed_facts = Table(
    "narrowed_facts",
    metadata,
    Column("account_id", BigInteger, ForeignKey("accounts.id"), primary_key=True),
    Column("by", Text, primary_key=True),  # level | function
    Column("value", Text, primary_key=True),  # c_level, vp, ... | it, finance, ...; '' = not known
    Column("contacts", Integer, nullable=False),  # persons on file
    at("since", nullable=True),  # the earliest creation stamp among them
    at("last_contact", nullable=True),
    at("last_reply", nullable=True),
    at("next_meeting", nullable=True),  # the earliest that is booked with one of them
    # NULL = covered, else who of us is not captured: the CSM, or whoever touched one of them within 180 days. Of the row
    # `unclear` it is said of a level, or function, with nobody.
    Column("not_covered", Text),
)

HEALTH_COMPONENTS = (
    *("adoption_change", "adoption", "user_relationships", "exec_relationships"),
    *("engagement", "support", "satisfaction"),
)


def _component(name: str) -> list[Column[Any]]:
    return [
        Column(f"{name}_raw", Float),  # in the unit of the fact behind it; NULL = missing, or never
        Column(f"{name}_why", Text),  # the state of a missing one
        Column(f"{name}_score", Float),  # 0..100
        Column(f"{name}_weight", Float, nullable=False),  # as configured for the segment, 0..100
        Column(f"{name}_contribution", Float),  # points of health; they add up to it
    ]


# What health is made of, now (`days` 0) and 30 days before: why it is what it is, and why it moved.
health_parts = Table(
    "health_parts",
    metadata,
    Column("account_id", BigInteger, ForeignKey("accounts.id"), primary_key=True),
    Column("days", Integer, primary_key=True),
    *(column for name in HEALTH_COMPONENTS for column in _component(name)),
)

# Portfolio statistics of the last full evaluation (medians, cuts), used until the next.
portfolio_stats = Table(
    "portfolio_stats",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Float),
    at("as_of"),
)
