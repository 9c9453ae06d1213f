"""A store that tests fill with CRM rows and derive from: the mapping, the people, and what comes of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Table, select

from daemon.derive import Derived, derive
from rules.fieldmap import Derivation, Option, SourceMapping
from store import runs
from store import tables as t
from store.engine import Store
from store.records import (
    DAY,
    HOUR,
    MINUTE,
    AccountRecord,
    ActivityKind,
    ActivityRecord,
    ActivityStatus,
    Batch,
    ContactRecord,
    ParticipantRecord,
    Record,
    TeamMemberRecord,
)
from store.sync import save_batch

T0 = 20_000 * DAY
NOW = T0 + 500 * DAY
SETTINGS = Derivation(
    order=("sf", "hs"),
    own_domains=frozenset({"ours.test"}),
    mappings={
        "sf": SourceMapping(
            fields={
                "arr": (
                    Option(None, "ARR__c"),
                    Option("opportunities", "Amount", lambda f: f.get("StageName") == "Closed Won", by="CloseDate"),
                ),
                "renewal": (Option(None, "Renewal_Date__c"),),
                "usage_key": (Option(None, "Workspace__c"),),
            },
            csm=(Option(None, "CSM__c"),),
            churned=lambda f: f.get("Type") == "Former Customer",
            customer=lambda f: None if f.get("Type") is None else f.get("Type") == "Customer",
            user_field="User__c",
            tier_field="Tier__c",
        ),
        "hs": SourceMapping(fields={"arr": (Option(None, "arr"),)}, csm=(Option(None, "csm"),), user_field="user"),
    },
)
CSM = TeamMemberRecord("U1", "Cleo", "cleo@ours.test", True, T0)
ACME = AccountRecord(
    "A1",
    "Acme",
    "https://www.acme.test/about",
    "U1",
    None,
    T0,
    T0 + 1,
    True,
    fields={
        "ARR__c": "1200.50",
        "Renewal_Date__c": "2026-06-30",
        "CSM__c": "U1",
        "Workspace__c": "ws-1",
        "Tier__c": "Tier 2",
    },
)
ANN = ContactRecord("C1", ("A1",), "Ann", "ann@acme.test", "CEO", T0 + 5, T0 + 5)
BOB = ContactRecord("C2", ("A1",), "Bob", "bob@acme.test", None, T0 + 6, T0 + 6, fields={"User__c": "true"})


def mail(ref: str, at: int, *, to: Sequence[str] = ("ann@acme.test",), **also: Any) -> ActivityRecord:
    """An outbound mail from our CSM, as relation rows with bare addresses."""
    sides = [ParticipantRecord(f"{ref}:f", ref, "from", team_member_id="U1", address="cleo@ours.test")]
    sides += [ParticipantRecord(f"{ref}:t{n}", ref, "to", address=a) for n, a in enumerate(to)]
    values: dict[str, Any] = {
        "created_at": at + MINUTE,
        "modified_at": at + MINUTE,
        "participants": tuple(sides),
    } | also
    return ActivityRecord(ref, ActivityKind.EMAIL, ActivityStatus.DONE, "out", "Hi", at, at, owner_id="U1", **values)


def meeting(ref: str, start: int, status: ActivityStatus = ActivityStatus.UNKNOWN, **also: Any) -> ActivityRecord:
    """A meeting of an hour with Ann, organised by our CSM."""
    sides = (ParticipantRecord(f"{ref}:a", ref, "attendee", "C1"),)
    values: dict[str, Any] = {"created_at": start - DAY, "modified_at": start - DAY, "participants": sides} | also
    return ActivityRecord(ref, ActivityKind.MEETING, status, None, "QBR", start, start + HOUR, owner_id="U1", **values)


def sync(store: Store, *records: Record, source: str = "sf", settings: Derivation = SETTINGS) -> Derived:
    """Save and derive, as the daemon does after a sync."""
    with store.write() as conn:
        runs.declare_source(conn, source, "salesforce", DAY)
        save_batch(conn, source, Batch("all", records, "c"), NOW)
    return derive(store, settings, NOW)


def table(store: Store, what: Table, *names: str) -> list[tuple[Any, ...]]:
    """The rows of a table, sorted; only `names` where given."""
    columns = [what.c[name] for name in names] or list(what.c)
    with store.read() as conn:
        return sorted((tuple(row) for row in conn.execute(select(*columns))), key=repr)


def fields(store: Store) -> dict[str, Any]:
    """The current fields of all accounts (tests with one account)."""
    rows = table(store, t.account_fields, "field", "num", "text", "valid_to")
    return {name: num if num is not None else text for name, num, text, end in rows if end is None}
