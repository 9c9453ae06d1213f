"""Derived: one account, one person, one touch, whatever the number of sources."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from store.tables.base import RowId, at, metadata

accounts = Table(
    "accounts",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("key", Text, nullable=False, unique=True),  # source:id of the row it was first seen as; never changes
    Column("name", Text, nullable=False),
    at("created_at"),
    at("closed_at", nullable=True),
    Column("close_reason", Text),  # gone | merged
    # The tree, set by derivation.
    Column("parent_id", BigInteger, ForeignKey("accounts.id"), index=True),
    Column("rolls_up_to", BigInteger, ForeignKey("accounts.id"), index=True),  # NULL: it is evaluated itself
    Column("own_arr", BigInteger),  # what it carries itself, without what rolls up to it
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
    at("recorded_at"),  # when this became known to us or to the CRM's history
    Column("valid_from", BigInteger, primary_key=True),
    at("valid_to", nullable=True),
    Column("num", BigInteger),  # money: minor units; date: day; flag: 0/1; score: hundredths; count
    Column("text", Text),
    Column("source", Text),  # which source the value came from
    Column("history", Text, nullable=False, default="none"),  # none | crm | seen: how valid_from is known
    Column("author", Text),  # who set it, where the CRM's history says so
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
    at("created_at"),  # on file since: the CRM's creation stamp, the earliest of its contacts
    at("deleted_at", nullable=True),
    Column("left_as", Text),  # of one off file: deleted | moved | merged | readdressed (on file under another address)
    at(
        "bounced_at", nullable=True
    ),  # since when a sync has seen that mail bounces for good; NULL: not, or not known when
    Column("origin", Text, nullable=False, default="contact"),  # contact | unregistered: an address seen on a touch
    Column("home_id", BigInteger, ForeignKey("accounts.id")),  # the account below that the person is at; NULL: this one
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
    at("valid_to", nullable=True),
    at("recorded_at"),
    Column("level", Integer),  # 5 c_level, 4 vp, 3 director, 2 manager, 1 individual, NULL unknown
    Column("function", Text),
    Column("standing", Text, nullable=False),  # exec | user | unclassified | other (said by a person: neither)
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
    at("starts_at"),
    at("occurred_at"),  # end of a meeting or call, sending of an e-mail
    at("recorded_at"),  # when it was logged
    at("withdrawn_at", nullable=True),  # when it became known that it was cancelled, a no-show or deleted
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
    at("occurred_at"),
    at("recorded_at"),
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

# When one of ours is away, as marked by a person: days that do not count when coverage is judged. The spells of one
# member never overlap.
absences = Table(
    "absences",
    metadata,
    Column("member_id", BigInteger, ForeignKey("members.id"), primary_key=True),
    Column("from_at", BigInteger, primary_key=True),  # the first day's beginning
    at("until_at"),  # the last day's end
    Column("author", Text, nullable=False),
    at("recorded_at"),
)

# What was told of relationships to hand over: once per member, account, reason, and to whom.
handovers = Table(
    "handovers",
    metadata,
    Column("member_id", BigInteger, ForeignKey("members.id"), primary_key=True),
    Column("account_id", BigInteger, ForeignKey("accounts.id"), primary_key=True),
    Column("since", BigInteger, primary_key=True),  # when the account got another CSM; 0: the member has left
    at("told_at"),
    Column("told_to", Text),  # key of whom the account belonged to; NULL: the operators
)

# What a person said about two CRM rows: they are one account (link), or they are not (part). Stronger than any match.
account_links = Table(
    "account_links",
    metadata,
    Column("source_a", Text, primary_key=True),
    Column("id_a", Text, primary_key=True),
    Column("source_b", Text, primary_key=True),
    Column("id_b", Text, primary_key=True),
    Column("verdict", Text, nullable=False),  # link | part
    Column("author", Text, nullable=False),
    at("decided_at"),
)

# What a person said about who somebody is, by e-mail address or source:id; stronger than every field and title.
person_overrides = Table(
    "person_overrides",
    metadata,
    Column("key", Text, primary_key=True),
    Column("level", Integer),  # 1 .. 5; NULL: only the standing was said
    Column("standing", Text, nullable=False),  # exec | user | other: neither, so no answer waits for the person
    Column("author", Text, nullable=False),
    at("decided_at"),
)
