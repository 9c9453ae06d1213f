"""The store's tables and columns, with what a row of each is."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Column, Table

from daemon.docs.markdown import code, table
from store.tables import metadata

ROWS: Mapping[str, str] = {
    "sources": "one configured source",
    "cursors": "how far one stream of a source has been read",
    "freshness": "up to which instant one stream is complete, and what is wrong with it",
    "sync_runs": "one run of a source: rows seen, changed and deleted, calls made",
    "stream_runs": "what one run did to one stream; kept for 14 days",
    "dirty": "one source row that a sync has touched and derivation has not looked at yet",
    "crm_accounts": "one account or company as its CRM has it",
    "crm_contacts": "one contact as its CRM has it",
    "crm_contact_accounts": "one contact's place at one account",
    "crm_members": "one user or owner of the CRM",
    "crm_activities": "one e-mail, call, meeting, note or task: metadata, never a body",
    "crm_activity_accounts": "one activity's account",
    "crm_participants": "one participant of one activity",
    "crm_opportunities": "one opportunity or deal",
    "crm_tickets": "one case or ticket",
    "crm_objects": "one row of any other object that the mapping reads",
    "crm_contact_roles": "who one contact is on an opportunity, or on an account besides its own",
    "crm_aliases": "one id that a merge retired, and the row it means now",
    "crm_field_history": "one value of one field of one row, and since when it held: from the CRM's own history, or seen by a sync",
    "usage_samples": "one number of a usage feed",
    "feature_uses": "what a usage feed says of one feature at one instant",
    "usage_subjects": "whom rows of usage are about (a workspace key, a user, or both), and which account that is",
    "usage_map": "one workspace key of a feed's explicit map",
    "usage_names": "one thing that usage may call an account: a mapped workspace key, a CRM id, a web domain",
    "feature_catalogue": "one name that a feed may use for a feature, and what the configuration says about that feature",
    "features": "what one account makes of one feature, as of the newest row of the feeds",
    "ingest_keys": "one push that was taken under an Idempotency-Key, and its answer",
    "hint_nonces": "one webhook call that was taken, so that the same call again is known as a replay",
    "accounts": "one account, whichever sources it is in",
    "members": "one of our own people, whichever sources they are in",
    "account_fields": "one value of one mapped field, and from when to when it held",
    "persons": "one person at one account",
    "person_contacts": "one contact that is this person",
    "person_levels": "one person's level, function and standing, and from when to when it held",
    "touches": "one activity as it touches one person; a meeting to come is a booking",
    "captures": "one mail or meeting out of one of our people's mailbox or calendar",
    "touch_members": "who of ours took part in a touch",
    "absences": "when one of our own people is away, as a person has marked it",
    "account_links": "what a person said about two CRM rows: one account, or not",
    "person_overrides": "what a person said about who somebody is",
    "handovers": "one account of which the relationships of one of our people were told as to be handed over",
    "findings": "one rule's answer on one account, where it fires or cannot be decided",
    "evaluations": "one evaluation",
    "rule_sets": "one good version of the rule files",
    "alerts": "one episode of one rule on one account: condition and attention",
    "transitions": "one change of an alert, with its reason",
    "conversations": "one account's message and thread at one destination",
    "told": "what one destination last learned of one alert",
    "deliveries": "one message to Slack, from its writing to its outcome",
    "interactions": "one press of a button",
    "slack_users": "the Slack user of an e-mail address, as last looked up",
    "tier_runs": "one run of the tier policy",
    "tier_scores": "one customer's score in one run",
    "tiers": "the tier in force of one account, and the pin over it",
    "tier_fields": "what tierd knows of one account's tier field in one CRM",
    "tier_history": "one tier in force of one account, and from when to when",
    "tier_ledger": "one planned or done change of one CRM field",
    "schedule": "when one task is due, and how its last run went",
    "settings": "one single value: brakes, and what the process notes about itself",
    "facts": "the current facts of one customer",
    "past_facts": "the facts of one customer as they were so many days before",
    "fact_sets": "one member of a fact that is a set: a tag, a function reached, a feature and what is made of it",
    "narrowed_facts": "the last contact of one customer with persons of one level or function",
    "health_parts": "what one customer's health is made of, now or so many days before, component by component",
    "tier_reviews": "somebody of ours looked at one customer's tier",
    "survey_answers": "one answer to a survey",
    "pulses": "what one CSM thought of one customer, in one click",
    "asks": "one time that feedback or a reference was asked for",
    "exceptions": "one service given beyond what the tier promises",
    "showings": "what somebody said: this customer has, or has not, been shown an offering",
    "portfolio_stats": "one statistic of the last full evaluation",
}
_TYPES = {"BIGINT": "integer", "INTEGER": "integer", "TEXT": "text", "FLOAT": "real"}


def store() -> str:
    """One section per table; raises KeyError for a table that nobody has described."""
    return "\n\n".join(_section(found) for found in metadata.tables.values())


def _section(found: Table) -> str:
    head = f"### `{found.name}`\n\nA row is {ROWS[found.name]}."
    if found.name == "facts":
        return f"{head} `account_id`, `as_of`, then the columns of [the facts](facts.md)."
    return f"{head}\n\n" + table(("column", "type", "key"), (_row(column) for column in found.columns))


def _row(column: Column[object]) -> tuple[str, str, str]:
    kind = _TYPES.get(str(column.type), str(column.type).lower()) + (", may be empty" if column.nullable else "")
    keys = ["primary"] if column.primary_key else []
    keys += [f"of {code(key.target_fullname)}" for key in column.foreign_keys]
    return code(column.name), kind, ", ".join(keys)
