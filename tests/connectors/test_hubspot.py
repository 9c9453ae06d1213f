"""The HubSpot connector against the imitation portal: every row once, at the fewest calls, within the rate limits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from connectors.hubspot.connector import HubSpotConnector, writer
from connectors.hubspot.settings import HubSpotSettings
from connectors.known import nothing_known
from daemon.sync import SyncRun, run_sweep, run_sync
from sandbox.clock import DAY, MINUTE, SECOND
from sandbox.faults import parse_fault
from store import tables as t
from store.engine import Store
from store.records import TierWrite
from tests.clocks import StepClock
from tests.known import known_of
from tests.sandbox.hubspot_portal import NOW, TOKEN, Portal


def settings(portal: Portal, **also: Any) -> HubSpotSettings:
    """A mapping like the demo's."""
    values: dict[str, Any] = {
        "kind": "hubspot",
        "base_url": portal.served.url,
        "auth": {"access_token": TOKEN},
        "customer": {"lifecyclestage": "customer"},
        "csm": {"field": "csm"},
        "fields": {"arr": {"field": "arr"}},
        "tier": {"field": "customer_tier", "values": {1: "tier_1", 2: "tier_2", 3: "tier_3"}},
    }
    return HubSpotSettings.model_validate(values | _VERSIONS | also)


_VERSIONS: dict[str, str] = {}
"""The API versions that the test at hand reads and writes on."""


@pytest.fixture(params=[("2026-09", "2026-03"), ("2026-03", "2026-09")], ids="-reads-".join)
def portal(request: pytest.FixtureRequest) -> Iterator[Portal]:
    """A portal with two owners, which is read and written on either version."""
    _VERSIONS.update(zip(("read_version", "write_version"), request.param, strict=True))
    served = Portal()
    served.clock.advance_to(NOW + 10 * MINUTE)
    try:
        yield served
    finally:
        served.stop()


def ids(store: Store, table: Any = t.crm_accounts) -> list[str]:
    """The ids that the store has, sorted."""
    with store.read() as conn:
        return sorted(conn.execute(select(table.c.id)).scalars())


def connector(portal: Portal, store: Store | None = None, **also: Any) -> HubSpotConnector:
    """A connector that starts anew, as `--once` does."""
    known = nothing_known if store is None else known_of(store, "hs")
    return HubSpotConnector(settings(portal, **also), StepClock(portal.clock), known)


def sync(portal: Portal, store: Store, **also: Any) -> SyncRun:
    """One sync."""
    reading = connector(portal, **also)
    try:
        return run_sync(store, "hs", reading, StepClock(portal.clock))
    finally:
        reading.close()


def paths(portal: Portal, containing: str = "") -> list[str]:
    """Paths of the requests so far."""
    return [entry.path for entry in portal.shared.log.entries() if containing in entry.path]


def test_a_first_sync_lists_and_reads_associations(portal: Portal, sqlite_store: Store) -> None:
    """Companies, contacts and activities arrive with who they belong to."""
    portal.add("companies", "1", {"name": "Acme", "domain": "acme.test", "lifecyclestage": "customer", "arr": "1200.5"})
    portal.add("contacts", "2", {"firstname": "Ann", "email": "ann@acme.test", "jobtitle": "CEO"})
    portal.add("meetings", "3", {"hs_meeting_title": "QBR", "hs_timestamp": "2026-03-01T10:00:00.000Z"})
    portal.link("contacts", "2", "companies", "1")
    portal.link("meetings", "3", "contacts", "2")
    run = sync(portal, sqlite_store)
    assert ("ok", {}) == (run.status, run.troubles)
    with sqlite_store.read() as conn:
        assert 1 == conn.execute(select(t.crm_accounts.c.customer)).scalar()
        assert [("2", "1")] == [
            tuple(r)
            for r in conn.execute(select(t.crm_contact_accounts.c.contact_id, t.crm_contact_accounts.c.crm_account_id))
        ]
        assert ["2"] == list(conn.execute(select(t.crm_participants.c.contact_id)).scalars())
        assert ["101", "102"] == sorted(conn.execute(select(t.crm_members.c.id)).scalars())


def test_nothing_changed_costs_nine_searches_and_the_owners(portal: Portal, sqlite_store: Store) -> None:
    """The minimum of section 2.1: no association call, no cursor moved, no row written."""
    for number in range(40):
        portal.add("companies", str(number + 1), {"name": f"C{number}"})
        portal.add("contacts", str(number + 1), {"firstname": f"P{number}"})
    sync(portal, sqlite_store)
    with sqlite_store.read() as conn:
        before = conn.execute(select(t.cursors)).all(), conn.execute(select(t.crm_accounts)).all()
    seen = len(paths(portal))
    run = sync(portal, sqlite_store)
    made = paths(portal)[seen:]
    assert (9, 1) == (sum(p.endswith("/search") for p in made), len(made) - 9)
    assert ("ok", 0, 10) == (run.status, run.saved.changed, run.calls)
    with sqlite_store.read() as conn:
        assert before == (conn.execute(select(t.cursors)).all(), conn.execute(select(t.crm_accounts)).all())


def test_450_changed_companies_cost_three_searches(portal: Portal, sqlite_store: Store) -> None:
    """200 rows a page, and no associations for companies (R12, minimum of section 2.1)."""
    for number in range(450):
        portal.add("companies", str(number + 1), {"name": f"C{number}"})
    sync(portal, sqlite_store)
    portal.clock.advance(DAY)
    for number in range(450):
        portal.change("companies", str(number + 1), at=portal.clock.now() + number * 1_000, name=f"New {number}")
    portal.clock.advance(MINUTE)
    before = len(paths(portal, "/companies/search"))
    run = sync(portal, sqlite_store)
    assert (450, 3) == (run.saved.changed, len(paths(portal, "/companies/search")) - before)


def test_changed_contacts_arrive_by_their_own_stamp(portal: Portal, sqlite_store: Store) -> None:
    """Contacts follow lastmodifieddate: the other one finds silently nothing (R12)."""
    portal.add("contacts", "1", {"firstname": "Ann"})
    sync(portal, sqlite_store)
    portal.clock.advance(DAY)
    portal.change("contacts", "1", at=portal.clock.now(), firstname="Anna")
    sync(portal, sqlite_store)
    with sqlite_store.read() as conn:
        assert "Anna" == conn.execute(select(t.crm_contacts.c.name)).scalar()


def test_more_than_the_search_cap_with_one_stamp(portal: Portal, sqlite_store: Store) -> None:
    """12,000 rows of one millisecond and 3,000 behind it: all once, and no page behind the cap (R13)."""
    portal.add("companies", "1", {"name": "First"})
    sync(portal, sqlite_store)
    portal.clock.advance(DAY)
    at = portal.clock.now()
    for number in range(12_000):
        portal.add("companies", str(10_000 + number), {"name": "Same"}, at=at)
    for number in range(3_000):
        portal.add("companies", str(50_000 + number), {"name": "Later"}, at=at + (number + 1) * 1_000)
    portal.clock.advance(MINUTE)
    run = sync(portal, sqlite_store)
    assert ("ok", 15_001) == (run.status, len(ids(sqlite_store)))
    searches = [e for e in portal.shared.log.entries() if e.path.endswith("/companies/search")]
    afters = [int(json.loads(entry.body).get("after", 0)) for entry in searches]
    assert max(afters) < 10_000
    assert all(entry.status == 200 for entry in portal.shared.log.entries())


def test_associations_beyond_one_page_are_followed(portal: Portal, sqlite_store: Store) -> None:
    """A contact of many companies keeps them all (R18)."""
    portal.add("contacts", "1", {"firstname": "Ann"})
    for number in range(120):
        portal.add("companies", str(number + 1), {"name": f"C{number}"})
        portal.link("contacts", "1", "companies", str(number + 1))
    sync(portal, sqlite_store)
    with sqlite_store.read() as conn:
        assert 120 == len(conn.execute(select(t.crm_contact_accounts)).all())


def test_a_new_association_is_found_by_the_sweep(portal: Portal, sqlite_store: Store) -> None:
    """An association moves no stamp; the sweep sees it, and sees it go (R18)."""
    portal.add("contacts", "1", {"firstname": "Ann"})
    portal.add("companies", "7", {"name": "Acme"})
    sync(portal, sqlite_store)
    portal.link("contacts", "1", "companies", "7")
    reading = connector(portal, sqlite_store)
    run = run_sweep(sqlite_store, "hs", reading, "associations", StepClock(portal.clock))
    reading.close()
    assert ("ok", 1, "sweep:associations") == (run.status, run.saved.changed, run.kind)
    with sqlite_store.read() as conn:
        assert ["7"] == list(conn.execute(select(t.crm_contact_accounts.c.crm_account_id)).scalars())
        pace = select(t.freshness.c.stream, t.freshness.c.interval_us).where(t.freshness.c.interval_us.is_not(None))
        assert [("sweep:associations", DAY)] == list(map(tuple, conn.execute(pace)))


def test_a_whole_sync_stays_below_both_limits(portal: Portal, sqlite_store: Store) -> None:
    """With the portal's buckets on, no request is refused (R28)."""
    portal.state.switches.limits = True
    for number in range(2_500):
        portal.add("companies", str(number + 1), {"name": f"C{number}"})
    run = sync(portal, sqlite_store)
    statuses = [entry.status for entry in portal.shared.log.entries()]
    assert ("ok", 0) == (run.status, statuses.count(429))
    assert 2_500 == len(ids(sqlite_store))


def test_a_burst_refusal_is_waited_for_and_a_daily_one_is_not(portal: Portal, sqlite_store: Store) -> None:
    """429 without Retry-After passes by our own back-off; the daily one defers the rest at once (R28, R29)."""
    secondly = {"status": "error", "message": "You have reached your secondly limit.", "category": "RATE_LIMITS"}
    portal.shared.faults.add(parse_fault({"path": "companies/search", "status": 429, "body": secondly, "times": 2}))
    assert "ok" == sync(portal, sqlite_store).status
    daily = {"status": "error", "message": "You have reached your daily limit.", "policyName": "DAILY"}
    portal.shared.faults.add(parse_fault({"path": "contacts", "status": 429, "body": daily, "times": 0}))
    before = len(paths(portal))
    run = sync(portal, sqlite_store)
    assert "deferred" == run.status
    assert {"contacts", "emails", "tasks"} <= set(run.troubles)
    assert len(paths(portal)) - before == 3


def test_a_missing_scope_fails_its_object_alone(portal: Portal, sqlite_store: Store) -> None:
    """The others go on, and the message carries HubSpot's own words."""
    body = {
        "status": "error",
        "message": "This app hasn't been granted all required scopes",
        "category": "MISSING_SCOPES",
    }
    portal.shared.faults.add(parse_fault({"path": "/tickets", "status": 403, "body": body, "times": 0}))
    portal.add("companies", "1", {"name": "Acme"})
    run = sync(portal, sqlite_store)
    assert ("partial", ["tickets"], ["1"]) == (run.status, list(run.troubles), ids(sqlite_store))
    assert "MISSING_SCOPES" in run.troubles["tickets"]


def test_only_dated_paths_are_used(portal: Portal, sqlite_store: Store) -> None:
    """Reading on one version, writing on the other, and no v3 or v4 anywhere."""
    portal.add("companies", "1", {"name": "Acme"})
    sync(portal, sqlite_store)
    out = writer(settings(portal), StepClock(portal.clock))
    assert ["written"] == [r.outcome for r in out.write([TierWrite("1", "tier_1", None)])]
    out.close()
    made = paths(portal)
    assert [] == [p for p in made if "/v3" in p or "/v4" in p]
    written = [p for p in made if p.endswith("batch/update")]
    assert [p for p in made if _VERSIONS["write_version"] in p] == written
    assert [p for p in made if _VERSIONS["read_version"] not in p] == written


def test_a_poison_row_is_parked_and_the_other_99_are_written(portal: Portal) -> None:
    """One bad value fails the batch; halving finds it (R40)."""
    rows = [str(n + 1) for n in range(100)]
    for row in rows:
        portal.add("companies", row, {"name": f"C{row}"})
    out = writer(settings(portal), StepClock(portal.clock))
    results = list(out.write([TierWrite(r, "tier_9" if r == "42" else "tier_1", None) for r in rows]))
    assert [("42", "parked")] == [(r.record_id, r.outcome) for r in results if r.outcome != "written"]
    assert {"tier_1"} == {v for k, v in out.read(rows).items() if k != "42"}
    assert len(paths(portal, "batch/update")) <= 15
    out.close()


def test_a_company_without_a_required_property_is_parked_on_the_newest_version_only(portal: Portal) -> None:
    """2026-09 refuses the tier of such a company and names the property; 2026-03 takes it; the others are written."""
    portal.state.schema.required["companies"] = {"industry"}
    portal.add("companies", "1", {"name": "Acme"})
    portal.add("companies", "2", {"name": "Beta", "industry": "Steel"})
    out = writer(settings(portal), StepClock(portal.clock))
    found = {r.record_id: r for r in out.write([TierWrite(ref, "tier_1", None) for ref in ("1", "2")])}
    out.close()
    strict = _VERSIONS["write_version"] == "2026-09"
    assert ("parked" if strict else "written", "written") == (found["1"].outcome, found["2"].outcome)
    assert strict == ("industry" in str(found["1"].message))


def test_an_answer_that_names_no_row_is_no_proof(portal: Portal) -> None:
    """200 with empty results is a failure of every row (R40)."""
    portal.shared.faults.add(
        parse_fault({"path": "batch/update", "status": 200, "body": {"status": "COMPLETE", "results": []}})
    )
    portal.add("companies", "1", {"name": "Acme"})
    out = writer(settings(portal), StepClock(portal.clock))
    assert [("retry", "NOT_CONFIRMED")] == [(r.outcome, r.code) for r in out.write([TierWrite("1", "tier_1", None)])]
    out.close()


def test_scopes_that_are_not_needed_are_told(portal: Portal) -> None:
    """The scope that writes companies is needed by the token that writes the tier, and is too much for any other."""

    def warned(**also: Any) -> str:
        looking = connector(portal, **also)
        found = [finding.what for finding in looking.check() if finding.level == "warning"]
        looking.close()
        return " ".join(found)

    assert "crm.objects.contacts.write" in warned()
    assert "crm.objects.companies.write" not in warned()
    assert "crm.objects.companies.write" in warned(write_auth={"access_token": TOKEN})
    assert "crm.objects.companies.write" in warned(tier=None)


def test_the_target_is_checked_before_writing(portal: Portal) -> None:
    """A missing option and a missing property are errors with a remedy (R39)."""
    levels = []
    for target in (
        {"field": "customer_tier", "values": {1: "tier_1", 2: "tier_2", 3: "tier_3"}},
        {"field": "customer_tier", "values": {1: "gold", 2: "tier_2", 3: "tier_3"}},
        {"field": "no_such", "values": {1: "tier_1", 2: "tier_2", 3: "tier_3"}},
    ):
        out = writer(settings(portal, tier=target), StepClock(portal.clock))
        levels += [finding.level for finding in out.check_target()]
        out.close()
    assert ["ok", "error", "error"] == levels


def test_waits_are_taken_on_the_clock(portal: Portal, sqlite_store: Store) -> None:
    """A connection that is cut once is tried again after a wait, and the run is whole."""
    portal.shared.faults.add(parse_fault({"path": "deals", "reset": "before"}))
    clock = StepClock(portal.clock)
    reading = HubSpotConnector(settings(portal), clock, nothing_known)
    run = run_sync(sqlite_store, "hs", reading, clock)
    reading.close()
    assert "ok" == run.status
    assert 0 < sum(clock.slept) < 60 * SECOND
