"""Every table of the store, as SQLAlchemy Core. Instants are UTC microseconds in BIGINT, dates are days since 1970."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# BIGINT PRIMARY KEY does not auto-increment on SQLite; INTEGER there is 64 bits wide all the same.
RowId = BigInteger().with_variant(Integer(), "sqlite")


def _at(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=nullable)


# ---------------------------------------------------------------- reading

sources = Table(
    "sources",
    metadata,
    Column("source", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("tenant", Text),  # org or portal id: pins the store to one tenant
    _at("first_synced_at", nullable=True),
    Column("interval_us", BigInteger, nullable=False),
)

cursors = Table(
    "cursors",
    metadata,
    Column("source", Text, primary_key=True),
    Column("stream", Text, primary_key=True),
    Column("cursor", Text, nullable=False),
)

freshness = Table(
    "freshness",
    metadata,
    Column("source", Text, primary_key=True),
    Column("stream", Text, primary_key=True),
    _at("fresh_at", nullable=True),  # complete up to here
    Column("status", Text, nullable=False),  # ok | partial | deferred | failed | absent: the source has no such rows
    Column("detail", Text),
    Column("interval_us", BigInteger),  # how often a sweep runs; NULL: as often as the source is read
)

sync_runs = Table(
    "sync_runs",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("source", Text, nullable=False),
    Column("kind", Text, nullable=False),  # increment | sweep:<name>
    _at("started_at"),
    _at("ended_at", nullable=True),
    Column("status", Text, nullable=False),  # running | ok | partial | deferred | failed
    Column("seen", Integer, nullable=False, default=0),
    Column("changed", Integer, nullable=False, default=0),
    Column("deleted", Integer, nullable=False, default=0),
    Column("calls", Integer, nullable=False, default=0),
    Column("detail", Text),  # JSON: per stream
)

# What a sync touched and derivation has not looked at yet; written with the rows, removed by daemon/resolve.
dirty = Table(
    "dirty",
    metadata,
    Column("source", Text, primary_key=True),
    Column("object", Text, primary_key=True),  # accounts | contacts | members | activities | opportunities | ...
    Column("id", Text, primary_key=True),
)

# ---------------------------------------------------------------- rows as each source has them


def _crm(name: str, *columns: Column[object]) -> Table:
    """A table of source rows under (source, id), with the stamps, tombstone and payload hash all of them have."""
    return Table(
        name,
        metadata,
        Column("source", Text, primary_key=True),
        Column("id", Text, primary_key=True),
        *columns,
        _at("created_at"),
        _at("modified_at"),
        _at("deleted_at", nullable=True),
        Column("payload", Text, nullable=False),  # hash of everything but modified_at: equal = nothing changed
    )


crm_accounts = _crm(
    "crm_accounts",
    Column("name", Text, nullable=False),
    Column("domain", Text),
    Column("owner_id", Text),
    Column("parent_id", Text),
    Column("customer", Integer),
    Column("link_id", Text),
    Column("merged_into", Text),
    Column("fields", Text, nullable=False),  # JSON
    Column("host", Text, index=True),  # set by derivation: the domain in its plain form, NULL for free-mail
    Column("account_id", BigInteger, ForeignKey("accounts.id"), index=True),  # set by derivation
)
Index("ix_crm_accounts_link", crm_accounts.c.link_id)
Index("ix_crm_accounts_merged", crm_accounts.c.source, crm_accounts.c.merged_into)

crm_contacts = _crm(
    "crm_contacts",
    Column("name", Text, nullable=False),
    Column("email", Text, index=True),
    Column("title", Text),
    Column("bounced", Integer, nullable=False, default=0),
    Column("merged_into", Text),
    Column("fields", Text, nullable=False),
)

crm_contact_accounts = Table(
    "crm_contact_accounts",
    metadata,
    Column("source", Text, primary_key=True),
    Column("contact_id", Text, primary_key=True),
    Column("crm_account_id", Text, primary_key=True, index=True),
)

crm_members = _crm(
    "crm_members",
    Column("name", Text, nullable=False),
    Column("email", Text),
    Column("active", Integer, nullable=False),
    Column("manager_id", Text),
)

crm_activities = _crm(
    "crm_activities",
    Column("kind", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("direction", Text),
    Column("subject", Text),
    Column("starts_at", BigInteger, nullable=False),
    Column("ends_at", BigInteger, nullable=False),
    Column("owner_id", Text),
    Column("disposition", Text),
    Column("automatic", Integer, nullable=False, default=0),
    Column("message_id", Text, index=True),
    Column("ical_uid", Text, index=True),
    Column("same_as", Text, index=True),
    Column("signature", Text, index=True),  # set by derivation: equal for the copies of one activity in two CRMs
    Column("archived", Integer, nullable=False, default=0),
)

Index("ix_crm_activities_owner", crm_activities.c.source, crm_activities.c.owner_id)

crm_activity_accounts = Table(
    "crm_activity_accounts",
    metadata,
    Column("source", Text, primary_key=True),
    Column("activity_id", Text, primary_key=True),
    Column("crm_account_id", Text, primary_key=True, index=True),
)

crm_participants = Table(
    "crm_participants",
    metadata,
    Column("source", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("activity_id", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("contact_id", Text),
    Column("team_member_id", Text),
    Column("address", Text),
    _at("modified_at"),
    _at("deleted_at", nullable=True),
    Index("ix_crm_participants_activity", "source", "activity_id"),
    Index("ix_crm_participants_contact", "source", "contact_id"),
    Index("ix_crm_participants_address", "address"),
    Index("ix_crm_participants_member", "source", "team_member_id"),
)

crm_opportunities = _crm(
    "crm_opportunities",
    Column("crm_account_id", Text),
    Column("name", Text, nullable=False),
    Column("type", Text),
    Column("stage", Text),
    Column("amount", BigInteger),
    Column("close_on", Integer),
    Column("closed", Integer, nullable=False),
    Column("won", Integer, nullable=False),
    Column("fields", Text, nullable=False),
)
Index("ix_crm_opportunities_account", crm_opportunities.c.source, crm_opportunities.c.crm_account_id)

crm_tickets = _crm(
    "crm_tickets",
    Column("crm_account_id", Text),
    Column("priority", Text),
    Column("status", Text),
    Column("opened_at", BigInteger, nullable=False),
    Column("closed_at", BigInteger),
)
Index("ix_crm_tickets_account", crm_tickets.c.source, crm_tickets.c.crm_account_id)

crm_objects = Table(
    "crm_objects",
    metadata,
    Column("source", Text, primary_key=True),
    Column("object", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("crm_account_id", Text),
    Column("fields", Text, nullable=False),
    _at("created_at"),
    _at("modified_at"),
    _at("deleted_at", nullable=True),
    Column("payload", Text, nullable=False),
    Index("ix_crm_objects_account", "source", "object", "crm_account_id"),
)

usage_samples = Table(
    "usage_samples",
    metadata,
    Column("source", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("metric", Text, primary_key=True),
    Column("user", Text, primary_key=True, default=""),  # '' where the feed is per account
    Column("at", BigInteger, primary_key=True),
    Column("value", Float, nullable=False),
    _at("recorded_at"),
    Column("account_id", BigInteger, ForeignKey("accounts.id")),  # set by derivation; NULL = unmatched
    Index("ix_usage_samples_account", "account_id", "metric", "at", "recorded_at", "value", "source"),
    Index("ix_usage_samples_key", "key", "account_id"),  # matching asks by key, whatever the source
)

features = Table(
    "features",
    metadata,
    Column("account_id", BigInteger, ForeignKey("accounts.id"), primary_key=True),
    Column("feature", Text, primary_key=True),
    _at("first_used_at", nullable=True),
    _at("last_used_at", nullable=True),
    _at("recorded_at"),
)

# ---------------------------------------------------------------- derived: one account, one person, one touch

accounts = Table(
    "accounts",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("key", Text, nullable=False, unique=True),  # source:id of the row it was first seen as; never changes
    Column("name", Text, nullable=False),
    _at("created_at"),
    _at("closed_at", nullable=True),
    Column("close_reason", Text),  # gone | merged
)

members = Table(
    "members",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("key", Text, nullable=False, unique=True),  # e-mail in lower case, else source:id
    Column("name", Text, nullable=False),
    Column("email", Text),
    Column("active", Integer, nullable=False),
    Column("manager_key", Text),
)

account_fields = Table(
    "account_fields",
    metadata,
    Column("account_id", BigInteger, ForeignKey("accounts.id"), primary_key=True),
    Column("field", Text, primary_key=True),
    _at("recorded_at"),  # when this became known to us or to the CRM's history
    Column("valid_from", BigInteger, primary_key=True),
    _at("valid_to", nullable=True),
    Column("num", BigInteger),  # money: minor units; date: day; flag: 0/1; score: hundredths; count
    Column("text", Text),
    Column("source", Text),  # which source the value came from
    Column("history", Text, nullable=False, default="none"),  # none | crm | seen: how valid_from is known
)

persons = Table(
    "persons",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("account_id", BigInteger, ForeignKey("accounts.id"), nullable=False),
    Column("key", Text, nullable=False),  # e-mail in lower case, else source:id
    Column("name", Text, nullable=False),
    Column("email", Text),
    Column("title", Text),
    _at("created_at"),  # on file since: the CRM's creation stamp, the earliest of its contacts
    _at("deleted_at", nullable=True),
    UniqueConstraint("account_id", "key"),
    Index("ix_persons_key", "key"),
)

# The contacts that are one person.
person_contacts = Table(
    "person_contacts",
    metadata,
    Column("source", Text, primary_key=True),
    Column("contact_id", Text, primary_key=True),
    Column("person_id", BigInteger, ForeignKey("persons.id"), primary_key=True, index=True),
)

person_levels = Table(
    "person_levels",
    metadata,
    Column("person_id", BigInteger, ForeignKey("persons.id"), primary_key=True),
    Column("valid_from", BigInteger, primary_key=True),
    _at("valid_to", nullable=True),
    _at("recorded_at"),
    Column("level", Integer),  # 5 c_level, 4 vp, 3 director, 2 manager, 1 individual, NULL unknown
    Column("function", Text),
    Column("standing", Text, nullable=False),  # exec | user | unclassified
)

# One row per (activity, person at an account). A planned meeting is a booking until it has ended.
touches = Table(
    "touches",
    metadata,
    Column("source", Text, primary_key=True),
    Column("activity_id", Text, primary_key=True),
    Column("person_id", BigInteger, ForeignKey("persons.id"), primary_key=True),
    Column("account_id", BigInteger, ForeignKey("accounts.id"), nullable=False),
    Column("kind", Text, nullable=False),  # email | call | meeting
    Column("inbound", Integer, nullable=False),
    Column("outbound", Integer, nullable=False),
    _at("starts_at"),
    _at("occurred_at"),  # end of a meeting or call, sending of an e-mail
    _at("recorded_at"),  # when it was logged
    _at("withdrawn_at", nullable=True),  # when it became known that it was cancelled, a no-show or deleted
    # `booked`: a cancelled meeting stays a row, so that a past instant still sees the booking.
    # Covers the facts of touches: one walk in (account, person) order, without a look at the table.
    Index(
        "ix_touches_account",
        "account_id",
        "person_id",
        "kind",
        "occurred_at",
        "recorded_at",
        "withdrawn_at",
        "inbound",
        "outbound",
        "starts_at",
    ),
    Index("ix_touches_person", "person_id", "occurred_at", "recorded_at"),
)

# Mail and meetings captured from one of our people's mailbox or calendar, on any account: coverage (silence, step 5).
captures = Table(
    "captures",
    metadata,
    Column("member_id", BigInteger, ForeignKey("members.id"), primary_key=True),
    Column("source", Text, primary_key=True),
    Column("activity_id", Text, primary_key=True),
    _at("occurred_at"),
    _at("recorded_at"),
    Index("ix_captures_member", "member_id", "occurred_at", "recorded_at"),
)

# Who of ours took part in a touch (who holds the relationship).
touch_members = Table(
    "touch_members",
    metadata,
    Column("source", Text, primary_key=True),
    Column("activity_id", Text, primary_key=True),
    Column("member_id", BigInteger, ForeignKey("members.id"), primary_key=True),
)

# ---------------------------------------------------------------- evaluation

findings = Table(
    "findings",
    metadata,
    Column("rule", Text, primary_key=True),
    Column("account_id", BigInteger, ForeignKey("accounts.id"), primary_key=True),
    Column("outcome", Text, nullable=False),  # fires | unknown (silent accounts have no row)
    Column("severity", Text, nullable=False),
    Column("reason", Text),  # of unknown
    _at("since"),  # as_of of the first evaluation with this outcome
    Column("rule_version", Text, nullable=False),
    Column("evidence", Text, nullable=False),  # JSON: fact -> value and state, keys sorted
    Index("ix_findings_account", "account_id"),
)

evaluations = Table(
    "evaluations",
    metadata,
    Column("as_of", BigInteger, primary_key=True),
    Column("scope", Text, primary_key=True),  # full | touched
    _at("started_at"),
    _at("ended_at", nullable=True),
    Column("detail", Text),  # JSON: per rule fires, unknown by reason, milliseconds
)

rule_sets = Table(
    "rule_sets",
    metadata,
    Column("version", Text, primary_key=True),  # sha256 of the files
    Column("files", Text, nullable=False),  # JSON: name -> text; the last good rules
    _at("loaded_at"),
)

alerts = Table(
    "alerts",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("rule", Text, nullable=False),
    Column("account_id", BigInteger, ForeignKey("accounts.id"), nullable=False),
    Column("episode", Integer, nullable=False),
    # condition
    Column("state", Text, nullable=False),  # pending | firing | recovering | closed
    Column("severity", Text, nullable=False),
    _at("true_since", nullable=True),
    _at("fired_at", nullable=True),
    _at("clear_since", nullable=True),
    _at("closed_at", nullable=True),
    Column("close_reason", Text),  # resolved | not_held | account_gone | rule_removed | rule_changed
    _at("last_outcome_at"),  # as_of at which true or false was last known; unknown time counts for nothing
    Column("unknown_reason", Text),
    _at("unknown_since", nullable=True),
    Column("evidence", Text, nullable=False),
    Column("rule_version", Text, nullable=False),
    # attention
    Column("acked_by", Text),
    _at("acked_at", nullable=True),
    _at("snoozed_until", nullable=True),
    Column("snoozed_by", Text),
    Column("snooze_reason", Text),
    Column("feedback", Text),  # not_useful | took_action
    UniqueConstraint("rule", "account_id", "episode"),
    Index("ix_alerts_state", "state"),
    Index("ix_alerts_account", "account_id", "rule"),
)

# Every change of an alert's condition, with its reason: what flipped, from, to, why, when.
transitions = Table(
    "transitions",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("alert_id", BigInteger, ForeignKey("alerts.id"), nullable=False, index=True),
    _at("at"),
    Column(
        "kind", Text, nullable=False
    ),  # pended | fired | escalated | deescalated | recovering | resolved | closed | ...
    Column("reason", Text, nullable=False),
)

conversations = Table(
    "conversations",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("key", Text, nullable=False, unique=True),  # opaque, the same in every run: travels in button values
    Column("account_id", BigInteger, ForeignKey("accounts.id"), nullable=False),
    Column("destination", Text, nullable=False),  # channel or user id as configured
    Column("severity", Text, nullable=False),  # the highest when it opened: what the daily cap counts
    Column("csm", Text),  # key of the member it was addressed to
    _at("opened_at"),
    _at("quiet_since", nullable=True),  # all its rules clear since; closes after flap_window
    _at("closed_at", nullable=True),
    Column("channel", Text),  # Slack's id of where the parent was posted
    Column("ts", Text),  # Slack's id of the parent message; NULL until sent
    Index("ix_conversations_account", "account_id", "destination"),
)

told = Table(
    "told",
    metadata,
    Column("alert_id", BigInteger, ForeignKey("alerts.id"), primary_key=True),
    Column("destination", Text, primary_key=True),
    Column("kind", Text, nullable=False),  # opened | escalated | reminder | held | listed (digest) | resolved | closed
    Column("severity", Text, nullable=False),
    _at("at"),
    Column("reason", Text, nullable=False),
    Column("conversation_id", BigInteger, ForeignKey("conversations.id")),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Text, primary_key=True),  # opaque delivery_id, travels in message metadata
    Column("seq", BigInteger, nullable=False),  # order within a lane
    Column("lane", Text, nullable=False),  # head-of-line key: destination, conversation
    Column("destination", Text, nullable=False),
    Column("conversation_id", BigInteger, ForeignKey("conversations.id")),
    Column("op", Text, nullable=False),  # post | reply | update
    Column("kind", Text, nullable=False),  # alert | reply | digest | baseline | operators
    Column("body", Text, nullable=False),  # JSON: text, blocks; no secret
    Column("state", Text, nullable=False),  # pending | sending | uncertain | sent | superseded | dead | expired
    _at("created_at"),
    _at("not_before"),
    _at("not_after"),
    Column("attempts", Integer, nullable=False, default=0),
    _at("first_claim_at", nullable=True),
    _at("last_try_at", nullable=True),
    _at("lease_until", nullable=True),
    Column("claimed_by", Text),
    Column("channel", Text),
    Column("ts", Text),
    Column("possible_duplicate", Integer, nullable=False, default=0),
    Column("error", Text),
    _at("sent_at", nullable=True),
    Index("ix_deliveries_due", "state", "not_before"),
    Index("ix_deliveries_lane", "lane", "seq"),
    Index("ix_deliveries_seq", "seq"),
    Index("ix_deliveries_conversation", "conversation_id"),
)

interactions = Table(
    "interactions",
    metadata,
    Column("key", Text, primary_key=True),  # envelope id and action time: a redelivery is the same row
    _at("received_at"),
    Column("payload", Text, nullable=False),
    _at("applied_at", nullable=True),
    Column("outcome", Text),
)

slack_users = Table(
    "slack_users",
    metadata,
    Column("email", Text, primary_key=True),
    Column("slack_id", Text),  # NULL = looked up and not found
    _at("checked_at"),
)

# ---------------------------------------------------------------- tiers

tier_runs = Table(
    "tier_runs",
    metadata,
    Column("id", RowId, primary_key=True),
    _at("as_of"),
    _at("started_at"),
    _at("ended_at", nullable=True),
    Column("policy", Text, nullable=False),
    Column("status", Text, nullable=False),  # planned | applied | partial | held
    Column("detail", Text),
)

# The score each customer had at each tier evaluation: stability counts these.
tier_scores = Table(
    "tier_scores",
    metadata,
    Column("as_of", BigInteger, primary_key=True),
    Column("account_id", BigInteger, ForeignKey("accounts.id"), primary_key=True),
    Column("score", BigInteger),  # millionths; NULL = left the ranking
    Column("cut1", BigInteger),
    Column("cut2", BigInteger),
    Column("computed", Integer),  # the tier the score alone gives
)

# The tier in force, as last recorded by an apply, and the human pin over it.
tiers = Table(
    "tiers",
    metadata,
    Column("account_id", BigInteger, ForeignKey("accounts.id"), primary_key=True),
    Column("tier", Integer),  # last recorded by an apply
    _at("tier_since", nullable=True),
    Column("computed", Integer),
    Column("proposed", Integer),  # a downgrade of tier 1 that waits for approval
    _at("proposed_at", nullable=True),
    Column("pin", Integer),  # the pin's value
    Column("pin_origin", Text),  # found | person
    Column("pin_author", Text),
    _at("pinned_at", nullable=True),
)

# What tierd knows of the tier field of each account in each CRM: whatever else turns up there is a person's.
tier_fields = Table(
    "tier_fields",
    metadata,
    Column("account_id", BigInteger, ForeignKey("accounts.id"), primary_key=True),
    Column("source", Text, primary_key=True),
    Column("known", Text),  # the value last seen there, or written by tierd
    _at("seen_at"),  # valid_from (valid_to where it was emptied) of the interval of `account_fields` last looked at
    Column("pin_origin", Text),  # found | person; NULL = the value is tierd's, or empty, or released
    Column("pin_author", Text),
    _at("pinned_at", nullable=True),
)

tier_history = Table(
    "tier_history",
    metadata,
    Column("account_id", BigInteger, ForeignKey("accounts.id"), primary_key=True),
    Column("valid_from", BigInteger, primary_key=True),
    _at("valid_to", nullable=True),
    Column("tier", Integer),  # in force: the pin's value, else the applied one
    Column("pinned", Integer, nullable=False),
)

# What was, or is to be, written to the CRM: one row per change, written before the call and completed after it.
tier_ledger = Table(
    "tier_ledger",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("run_id", BigInteger, ForeignKey("tier_runs.id"), nullable=False),
    Column("account_id", BigInteger, ForeignKey("accounts.id"), nullable=False),
    Column("source", Text, nullable=False),
    Column("crm_id", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("old_value", Text),
    Column("new_value", Text),
    Column("reason", Text, nullable=False),
    Column("state", Text, nullable=False),  # planned | sending | written | verified | parked | conflict | superseded
    Column("error", Text),
    _at("planned_at"),
    _at("written_at", nullable=True),
    Index("ix_tier_ledger_state", "state"),
    Index("ix_tier_ledger_row", "source", "crm_id"),
)

# ---------------------------------------------------------------- the process

schedule = Table(
    "schedule",
    metadata,
    Column("task", Text, primary_key=True),  # sync:<source> | sweep:<source>:<name> | evaluate | tiers | digest | ...
    _at("next_due"),
    _at("last_started", nullable=True),
    _at("last_completed", nullable=True),
    Column("trouble", Text),  # why the last run failed; NULL = it did not
)

settings = Table(
    "settings",
    metadata,
    Column("name", Text, primary_key=True),  # baseline_done | paused:messages | instance | ...
    Column("value", Text, nullable=False),
)

# ---------------------------------------------------------------- current facts

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
    _at("last_unclassified_contact", nullable=True),
    _at("last_unclassified_reply", nullable=True),
    _at("any_since", nullable=True),  # the earliest creation stamp among persons on file, per standing
    _at("exec_since", nullable=True),
    _at("user_since", nullable=True),
    _at("unclassified_since", nullable=True),
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
    _at("as_of"),
    *_fact_columns(),
    *SILENCE_COLUMNS,
)

# Portfolio statistics of the last full evaluation (medians, cuts), used until the next.
portfolio_stats = Table(
    "portfolio_stats",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Float),
    _at("as_of"),
)
