"""Rows as each source has them, under (source, id); nothing here is interpreted."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text

from store.tables.base import at, metadata, mirrored

crm_accounts = mirrored(
    "crm_accounts",
    Column("name", Text, nullable=False),
    Column("domain", Text),
    Column("owner_id", Text),
    Column("parent_id", Text),
    Column("customer", Integer),
    Column("link_id", Text),
    Column("merged_into", Text),
    Column("person", Integer, nullable=False, default=0),  # 1: a person account, which has no people of its own
    Column("fields", Text, nullable=False),  # JSON
    Column("host", Text, index=True),  # set by derivation: the domain in its plain form, NULL for free-mail
    Column("account_id", BigInteger, ForeignKey("accounts.id"), index=True),  # set by derivation
    # Set by derivation: the account that is evaluated for this row, its own or the one above that it rolls up to.
    Column("evaluated_id", BigInteger, ForeignKey("accounts.id"), index=True),
)
Index("ix_crm_accounts_link", crm_accounts.c.link_id)
Index("ix_crm_accounts_parent", crm_accounts.c.source, crm_accounts.c.parent_id)
Index("ix_crm_accounts_merged", crm_accounts.c.source, crm_accounts.c.merged_into)

crm_contacts = mirrored(
    "crm_contacts",
    Column("name", Text, nullable=False),
    Column("email", Text, index=True),
    Column("title", Text),
    Column("bounced", Integer, nullable=False, default=0),
    Column("merged_into", Text),
    Column("buying_role", Text),
    Column("fields", Text, nullable=False),
)

crm_contact_accounts = Table(
    "crm_contact_accounts",
    metadata,
    Column("source", Text, primary_key=True),
    Column("contact_id", Text, primary_key=True),
    Column("crm_account_id", Text, primary_key=True, index=True),
)

crm_members = mirrored(
    "crm_members",
    Column("name", Text, nullable=False),
    Column("email", Text),
    Column("active", Integer, nullable=False),
    Column("manager_id", Text),
)

crm_activities = mirrored(
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
    Column("about_id", Text),  # the opportunity, ticket or other row whose account it is about
    Column("signature", Text, index=True),  # set by derivation: equal for the copies of one activity in two CRMs
    Column("archived", Integer, nullable=False, default=0),
)

Index("ix_crm_activities_about", crm_activities.c.source, crm_activities.c.about_id)
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
    Column("host", Text),  # of an address that is no contact's: what is behind the @, for persons in no CRM
    at("modified_at"),
    at("deleted_at", nullable=True),
    Index("ix_crm_participants_activity", "source", "activity_id"),
    Index("ix_crm_participants_host", "host"),
    Index("ix_crm_participants_contact", "source", "contact_id"),
    Index("ix_crm_participants_address", "address"),
    Index("ix_crm_participants_member", "source", "team_member_id"),
)

crm_opportunities = mirrored(
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

crm_tickets = mirrored(
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
    at("created_at"),
    at("modified_at"),
    at("deleted_at", nullable=True),
    Column("payload", Text, nullable=False),
    Index("ix_crm_objects_account", "source", "object", "crm_account_id"),
)

# Who a contact is on an opportunity or on an account besides its own: OpportunityContactRole, AccountContactRelation.
crm_contact_roles = mirrored(
    "crm_contact_roles",
    Column("contact_id", Text, nullable=False),
    Column("crm_account_id", Text),
    Column("opportunity_id", Text),
    Column("role", Text),
)
Index("ix_crm_contact_roles_contact", crm_contact_roles.c.source, crm_contact_roles.c.contact_id)
Index("ix_crm_contact_roles_account", crm_contact_roles.c.source, crm_contact_roles.c.crm_account_id)

# Ids that a merge retired: rows that still name them mean `into_id`.
crm_aliases = Table(
    "crm_aliases",
    metadata,
    Column("source", Text, primary_key=True),
    Column("object", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("into_id", Text, nullable=False),
    at("merged_at"),
    Index("ix_crm_aliases_into", "source", "object", "into_id"),
)

# What is known of the past of mapped fields: since `changed_at` the field held `value`. Fields that begin with @ are
# columns of the row itself (owner, title).
crm_field_history = Table(
    "crm_field_history",
    metadata,
    Column("source", Text, primary_key=True),
    Column("object", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("field", Text, primary_key=True),
    Column("changed_at", BigInteger, primary_key=True),  # 0 = since the row was created
    Column("value", Text, nullable=False),  # JSON
    Column("author", Text),
    Column("origin", Text, nullable=False, default="crm"),  # crm: its own history says so | seen: a sync saw it change
)
