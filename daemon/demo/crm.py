"""What became of the tier field in the CRMs: before, after, and what was left alone because a person had set it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from store.engine import Store
from store.records import Instant
from store.tables import accounts, crm_accounts, facts, tier_fields, tier_ledger, tiers

DONE = ("written", "verified")
_SHOWN: Mapping[str, tuple[str, str, str]] = {
    "salesforce": ("Salesforce", "Account", "Customer_Tier__c"),
    "hubspot": ("HubSpot", "companies", "customer_tier"),
}
Ask = Callable[[str], Any]
"""GET on the control server."""


@dataclass(frozen=True, slots=True)
class Field:
    """One account's tier field in one CRM. Values are shown as "Tier 2", empty as "none"."""

    account: str
    system: str
    arr: int | None
    before: str
    after: str
    reason: str
    at: Instant
    in_crm: str
    """What stands in the CRM now, asked of it."""


@dataclass(frozen=True, slots=True)
class Person:
    """A tier that a person has set."""

    account: str
    system: str
    set_to: str
    who: str | None
    at: Instant | None
    computed: str
    """What the score alone gives."""
    in_crm: str


@dataclass(frozen=True, slots=True)
class Tiers:
    """How many fields went from what to what."""

    moves: Mapping[tuple[str, str], int]
    changed: int
    same: int


def fields(store: Store, ask: Ask, limit: int = 8) -> tuple[Tiers, list[Field]]:
    """The summary over all fields written, and the largest customers among them."""
    query = (
        select(tier_ledger, accounts.c.name, facts.c.arr)
        .join(accounts, accounts.c.id == tier_ledger.c.account_id)
        .outerjoin(facts, facts.c.account_id == tier_ledger.c.account_id)
        .where(tier_ledger.c.state.in_(DONE))
        .order_by(tier_ledger.c.id)
    )
    first: dict[tuple[str, str], str] = {}
    last: dict[tuple[str, str], Any] = {}
    with store.read() as conn:
        for row in conn.execute(query):
            first.setdefault((row.source, row.crm_id), shown(row.old_value))
            last[row.source, row.crm_id] = row
        customers = conn.execute(
            select(crm_accounts.c.source, crm_accounts.c.id)
            .join(facts, facts.c.account_id == crm_accounts.c.account_id)
            .where(crm_accounts.c.deleted_at.is_(None), crm_accounts.c.customer == 1)
        ).all()
    moves = Counter((first[key], shown(row.new_value)) for key, row in last.items())
    untouched = sum((row.source, row.id) not in last for row in customers)
    largest = sorted(last.items(), key=lambda item: (first[item[0]] == "none", -(item[1].arr or 0), item[0]))
    told = [
        Field(
            row.name,
            _SHOWN[source][0],
            row.arr,
            first[source, crm_id],
            shown(row.new_value),
            row.reason,
            row.planned_at,
            _in_crm(ask, source, crm_id),
        )
        for (source, crm_id), row in largest[:limit]
    ]
    return Tiers(moves, sum(moves.values()), untouched), told


def people(store: Store, ask: Ask) -> list[Person]:
    """The tiers that a person has set, the latest first."""
    query = (
        select(tier_fields, accounts.c.name, tiers.c.computed, crm_accounts.c.id.label("crm_id"))
        .join(accounts, accounts.c.id == tier_fields.c.account_id)
        .join(tiers, tiers.c.account_id == tier_fields.c.account_id)
        .join(
            crm_accounts,
            (crm_accounts.c.account_id == tier_fields.c.account_id) & (crm_accounts.c.source == tier_fields.c.source),
        )
        .where(tier_fields.c.pin_origin == "person", crm_accounts.c.deleted_at.is_(None))
        .order_by(tier_fields.c.pinned_at.desc(), accounts.c.name)
    )
    with store.read() as conn:
        rows = conn.execute(query).all()
    return [
        Person(
            row.name,
            _SHOWN[row.source][0],
            shown(row.known),
            row.pin_author,
            row.pinned_at,
            shown(None if row.computed is None else str(row.computed)),
            _in_crm(ask, row.source, row.crm_id),
        )
        for row in rows
    ]


def wrong(truth: Mapping[str, Any], ask: Ask, edited_since: Collection[str]) -> list[dict[str, str]]:
    """Tier fields that do not hold what they should at the end: account, CRM, expected, found.

    `edited_since`: keys of accounts whose tier a person has changed after the last run, of which the truth ends there.
    """
    found = []
    for entry in truth["tiers"]:
        if entry["account"] in edited_since:
            continue
        for source, tier in (entry["crm_end"] or {}).items():
            expected = shown(None if tier is None else str(tier))
            there = _in_crm(ask, source, entry[f"{source}_id"])
            if there != expected:
                found.append({"account": entry["name"], "crm": source, "expected": expected, "found": there})
    return found


def shown(value: str | None) -> str:
    """`Tier 2` of whatever a CRM has for it; none where it is empty."""
    if not value:
        return "none"
    return f"Tier {value.removeprefix('Tier ').removeprefix('tier_')}"


def _in_crm(ask: Ask, source: str, crm_id: str) -> str:
    _, object_name, field = _SHOWN[source]
    record = ask(f"/crm/{source}/{object_name}/{crm_id}")
    return shown(record["fields"].get(field))
