"""Product usage as the feeds give it, whose it is, and what accounts make of each feature."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Index, Integer, Table, Text

from store.tables.base import at, metadata

# (source, key, user) is one subject; it comes first, so that what belongs to one is found by the primary key.
usage_samples = Table(
    "usage_samples",
    metadata,
    Column("source", Text, primary_key=True),
    Column("key", Text, primary_key=True),  # '' where only the user says whose it is
    Column("user", Text, primary_key=True, default=""),  # '' where the feed is per account
    Column("metric", Text, primary_key=True),
    Column("at", BigInteger, primary_key=True),
    Column("value", Float, nullable=False),
    at("recorded_at"),
    Column("account_id", BigInteger, ForeignKey("accounts.id")),  # that of the subject; NULL = unmatched
    Index("ix_usage_samples_account", "account_id", "metric", "at", "recorded_at", "value", "source"),
)

feature_uses = Table(
    "feature_uses",
    metadata,
    Column("source", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("user", Text, primary_key=True, default=""),
    Column("feature", Text, primary_key=True),  # as the feed names it
    Column("at", BigInteger, primary_key=True),
    Column("uses", Float, nullable=False),
    Column("users", Integer),  # different users, where the feed counts them itself
    Column("offered", Integer),  # NULL = the feed does not say
    at("recorded_at"),
    Column("account_id", BigInteger, ForeignKey("accounts.id")),
    # Covers the facts of features: one walk in its order, without a look at the table.
    Index(
        "ix_feature_uses_account",
        "account_id",
        "feature",
        "user",
        "at",
        "recorded_at",
        "uses",
        "users",
        "offered",
    ),
)

# Whom rows of usage are about, and which account that is.
usage_subjects = Table(
    "usage_subjects",
    metadata,
    Column("source", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("user", Text, primary_key=True),
    Column("host", Text, index=True),  # set by derivation: the key as a plain domain, where it is one
    Column("mail_host", Text, index=True),  # set by derivation: the domain of the user's address, NULL for free-mail
    Column("account_id", BigInteger, ForeignKey("accounts.id"), index=True),
    Column("matched_by", Text),  # map | usage_key | crm_id | domain | person | mail_domain
    Column("reason", Text),  # why there is no account: no_match | ambiguous; NULL = there is one
    Index("ix_usage_subjects_key", "key"),
    Index("ix_usage_subjects_user", "user"),
)

# The explicit map of a feed.
usage_map = Table(
    "usage_map",
    metadata,
    Column("source", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("account", Text, nullable=False, index=True),  # id of the account in a CRM, or its web domain
)

# What usage may call an account: mapped workspace keys (one account may have many), its CRM ids, its web domains.
usage_names = Table(
    "usage_names",
    metadata,
    Column("account_id", BigInteger, ForeignKey("accounts.id"), primary_key=True),
    Column("kind", Text, primary_key=True),  # usage_key | crm_id | domain
    Column("name", Text, primary_key=True, index=True),
)

# What the configuration says about features; one row per name that a feed may use.
feature_catalogue = Table(
    "feature_catalogue",
    metadata,
    Column("name", Text, primary_key=True),  # as a feed names it
    Column("feature", Text, nullable=False),  # as everything else does
    Column("title", Text, nullable=False),
    Column("offering", Text),
    Column("list_value", BigInteger),  # minor units a year
    Column("released", Integer),  # day
    Column("offered", Integer, nullable=False),  # 1 = to everybody unless a feed says otherwise
)

# One feature at one account as of its newest row; any earlier instant is computed from feature_uses.
features = Table(
    "features",
    metadata,
    Column("account_id", BigInteger, ForeignKey("accounts.id"), primary_key=True),
    Column("feature", Text, primary_key=True),
    at("first_used_at", nullable=True),
    at("last_used_at", nullable=True),
    Column("users", Integer),  # in the 28 days up to last_used_at; NULL = the feed names and counts none
    Column("active_users", Integer),  # of the account at that time
    Column("share", Float),  # users / active_users
    Column("offered", Integer),  # NULL = no feed says
    at("offered_at", nullable=True),
    at("recorded_at"),
)

# Pushes that were taken: a repeat with the same key gets the same answer and changes nothing.
ingest_keys = Table(
    "ingest_keys",
    metadata,
    Column("source", Text, primary_key=True),
    Column("key", Text, primary_key=True),  # the Idempotency-Key
    Column("digest", Text, nullable=False),  # of the body
    Column("answer", Text, nullable=False),  # JSON
    Column("at", BigInteger, nullable=False, index=True),
)

# Signatures of hints that were taken: the same request again is a replay.
hint_nonces = Table(
    "hint_nonces",
    metadata,
    Column("nonce", Text, primary_key=True),
    Column("at", BigInteger, nullable=False, index=True),
)
