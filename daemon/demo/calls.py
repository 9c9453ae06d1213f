"""API calls of a demo run: what was made, by purpose, and the least that the vendors' interfaces allow for the same rows.

The minimum counts, for the same number of cycles and the rows that changed in each of them:

- Salesforce reading: pages of 2,000 rows per object, at least one per object; five objects share a composite request, but
  the pages of one object come one after the other.
- HubSpot reading, first time: list pages of 100 rows with inline associations. Later: search pages of 200 rows per object,
  at least one; for objects that changed one association call per target and 1,000 rows; one list of owners per cycle.
- Writing: 1,000 records per Salesforce composite of collections, 100 per HubSpot batch.

Sweeps for what no cursor shows (removed participants, moved associations, archived owners, the history of fields) are
counted apart, so is what is read once besides the rows (HubSpot: the past of mapped fields, the count that a first list is
held against, the portal's time zone), and so are log-ins, which cost no quota. The minimum contains none of them, nor the
read just before a write.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, Protocol

from sqlalchemy import func, select

from store.engine import Store
from store.records import Instant
from store.tables import sync_runs, tier_ledger

Cycle = Mapping[str, int]
"""Object -> rows that changed since the cycle before."""

SALESFORCE = (
    "Account",
    "Contact",
    "Opportunity",
    "Case",
    "User",
    "Task",
    "Event",
    "EmailMessage",
    "TaskRelation",
    "EventRelation",
    "EmailMessageRelation",
    "OpportunityLineItem",
    "OpportunityContactRole",
    "AccountContactRelation",
    "AccountTeamMember",
)
# Objects -> how many other objects their associations are read to.
HUBSPOT = {
    "companies": 0,
    "contacts": 1,
    "deals": 1,
    "tickets": 1,
    "calls": 2,
    "emails": 2,
    "meetings": 2,
    "notes": 2,
    "tasks": 2,
}
_LINKS = frozenset({"associate", "dissociate"})
_WRITES = {"salesforce": 1_000, "hubspot": 100}
_SALESFORCE_WRITING = ("/composite/sobjects", "WHERE%20Id%20IN")


class VendorChange(Protocol):
    """What the world tells the vendors: a sandbox `Change`."""

    @property
    def at(self) -> Instant:
        """When the vendor has it."""
        ...

    @property
    def vendor(self) -> str:
        """Its name: salesforce or hubspot."""
        ...

    @property
    def op(self) -> str:
        """What happens: create, update, delete, merge, associate, dissociate."""
        ...

    @property
    def object(self) -> str:
        """The vendor's name of the object."""
        ...

    @property
    def id(self) -> str:
        """The record's id."""
        ...


@dataclass(frozen=True, slots=True)
class Calls:
    """One vendor's calls."""

    made: int
    """Reading and writing, without sweeps and what is read once."""
    sweeps: int
    once: int
    writes: int
    """Of those made: writing the tier, with the read just before it."""
    minimum: int
    logins: int
    refused: int
    """Answered with an error; part of those made or of the sweeps."""


def count(
    store: Store, requests: Iterable[Mapping[str, Any]], changes: Iterable[VendorChange]
) -> dict[str, dict[str, int]]:
    """Per vendor, as JSON. `requests` are the entries of `GET /requests?bodies=1`, `changes` what the world did to the vendors."""
    entries = list(requests)
    by_vendor = _changes_by_vendor(changes)
    found: dict[str, dict[str, int]] = {}
    for vendor in ("salesforce", "hubspot"):
        mine = [entry for entry in entries if entry["vendor"] == vendor]
        logins = sum(_is_login(entry) for entry in mine)
        sweeps = _swept(store, vendor, [int(entry["at"]) for entry in mine if _is_login(entry)])
        once = sum(_is_once(entry) for entry in mine)
        cycles = changed_per_cycle(by_vendor[vendor], _syncs(store, vendor))
        least = (_salesforce if vendor == "salesforce" else least_of_hubspot)(cycles) + _least_writes(store, vendor)
        found[vendor] = _as_json(
            Calls(
                made=len(mine) - logins - sweeps - once,
                sweeps=sweeps,
                once=once,
                writes=sum(_is_write(entry) for entry in mine),
                minimum=least,
                logins=logins,
                refused=sum((entry["status"] or 599) >= 400 for entry in mine),
            )
        )
    return found | {"slack": _slack(entries)}


def _as_json(calls: Calls) -> dict[str, int]:
    return {name: getattr(calls, name) for name in Calls.__dataclass_fields__}


def _slack(entries: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """One call per message and per edit, one look-up per person, one opened socket."""
    mine = [entry for entry in entries if entry["vendor"] == "slack"]
    posts = sum(entry["path"].startswith(("/api/chat.postMessage", "/api/chat.update")) for entry in mine)
    people = len({entry["body"] for entry in mine if "lookupByEmail" in entry["path"]})
    calls = Calls(
        made=len(mine),
        sweeps=0,
        once=0,
        writes=posts,
        minimum=posts + people + 1,
        logins=0,
        refused=sum((entry["status"] or 599) >= 400 for entry in mine),
    )
    return _as_json(calls)


def _is_once(entry: Mapping[str, Any]) -> bool:
    """HubSpot: histories, the portal's details, and searches for nothing but the number of rows."""
    if entry["path"].endswith("/search"):
        return bool(entry["body"].startswith('{"limit": 1,'))
    return "propertiesWithHistory=" in entry["path"] or entry["path"].startswith("/account-info/")


def _is_login(entry: Mapping[str, Any]) -> bool:
    return "/oauth" in entry["path"]


def _is_write(entry: Mapping[str, Any]) -> bool:
    """Salesforce: collections, and the rows named by id just before; HubSpot: batches; both: the field itself."""
    salesforce = any(mark in entry["body"] for mark in _SALESFORCE_WRITING) or entry["path"].endswith("/describe")
    hubspot = entry["path"].startswith("/crm/objects/") and "/companies/batch/" in entry["path"]
    return salesforce or hubspot or entry["path"].startswith("/crm/properties/")


def _swept(store: Store, source: str, logins: Sequence[Instant]) -> int:
    """Calls of sweeps as their runs have counted them, without the log-ins (their instants) that only a sweep asked for."""
    columns = (sync_runs.c.kind, sync_runs.c.started_at, sync_runs.c.ended_at, sync_runs.c.calls)
    with store.read() as conn:
        runs = conn.execute(select(*columns).where(sync_runs.c.source == source)).all()
    # At one instant the increment comes before the sweeps, and logs in for them.
    asked = [{run.kind for run in runs if run.started_at <= at <= (run.ended_at or at)} for at in logins]
    theirs = sum(bool(kinds) and "increment" not in kinds for kinds in asked)
    return sum(int(run.calls) for run in runs if run.kind.startswith("sweep:")) - theirs


def _syncs(store: Store, source: str) -> list[Instant]:
    query = select(sync_runs.c.started_at).where(
        sync_runs.c.source == source, sync_runs.c.kind == "increment", sync_runs.c.status == "ok"
    )
    with store.read() as conn:
        return sorted(conn.execute(query).scalars())


def _changes_by_vendor(changes: Iterable[VendorChange]) -> Mapping[str, list[VendorChange]]:
    found: dict[str, list[VendorChange]] = defaultdict(list)
    for change in changes:
        found[change.vendor].append(change)
    return found


def changed_per_cycle(changes: Sequence[VendorChange], syncs: Sequence[Instant]) -> list[Cycle]:
    """How many rows of each object a sync at each of these instants finds changed."""
    cycles: list[Cycle] = []
    after = -1
    for until in syncs:
        # A link moves no stamp: only sweeps find one that was made later.
        here = (change for change in changes if after < change.at <= until and change.op not in _LINKS)
        rows = {(change.object, change.id) for change in here}
        cycles.append(Counter(name for name, _ in rows))
        after = until
    return cycles


def _salesforce(cycles: Sequence[Cycle]) -> int:
    calls = 0
    for cycle in cycles:
        pages = [max(1, ceil(cycle.get(name, 0) / 2_000)) for name in SALESFORCE]
        calls += max(*pages, ceil(sum(pages) / 5))
    return calls


def least_of_hubspot(cycles: Sequence[Cycle]) -> int:
    """The least number of calls that read these cycles from HubSpot; the first one is a list of everything."""
    calls = 0
    for number, cycle in enumerate(cycles):
        calls += 1  # the owners
        for name, targets in HUBSPOT.items():
            rows = cycle.get(name, 0)
            if number == 0:
                calls += max(1, ceil(rows / 100))
            else:
                calls += max(1, ceil(rows / 200)) + targets * ceil(rows / 1_000)
    return calls


def _least_writes(store: Store, source: str) -> int:
    query = (
        select(func.count())
        .where(tier_ledger.c.source == source, tier_ledger.c.state.in_(("written", "verified")))
        .group_by(tier_ledger.c.run_id)
    )
    with store.read() as conn:
        return sum(ceil(rows / _WRITES[source]) for rows in conn.execute(query).scalars())
