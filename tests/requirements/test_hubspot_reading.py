"""R12 to R20: reading HubSpot incrementally. Each test is the acceptance test of its requirement (crm-sync.md)."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import Any

import pytest
from structlog.testing import capture_logs

from alerts.writeback import Target
from daemon.derive import derive
from daemon.writeback import Lane, drive
from rules.fieldmap import Derivation, SourceMapping
from sandbox.clock import DAY, HOUR, MINUTE, SECOND
from sandbox.hubspot.schema import Property
from sandbox.versions import Change
from store import ledger
from store import tables as t
from store.records import Batch, TierWrite
from store.sync import load_cursors, save_batch
from tests.requirements.hubspot import SOURCE, Desk, bodies
from tests.requirements.tiering import plan_tier

_MS = 1_000


# ---------------------------------------------------------------- R12


def test_r12_each_object_follows_its_own_stamp(hubspot: Desk) -> None:
    """Contacts follow lastmodifieddate, everything else hs_lastmodifieddate, which on contacts finds nothing (200)."""
    portal = hubspot.portal
    everything = ("companies", "contacts", "deals", "tickets", "calls", "emails", "meetings", "notes", "tasks")
    for name in everything:
        portal.add(name, "1", {})
    hubspot.sync()
    portal.clock.advance(DAY)
    for name in everything:
        portal.change(name, "1", at=portal.clock.now(), hubspot_owner_id="101")
    portal.change("contacts", "1", at=portal.clock.now(), firstname="Anna")
    before = hubspot.mark()
    run = hubspot.sync()
    assert "ok" == run.status
    assert [("Anna",)] == hubspot.all(t.crm_contacts.c.name)
    used = {
        entry.path.split("/")[-2]: body["filterGroups"][0]["filters"][0]["propertyName"]
        for entry in hubspot.asked("/search", before)
        for body in bodies([entry])
    }
    assert used.pop("contacts") == "lastmodifieddate"
    assert set(used.values()) == {"hs_lastmodifieddate"}
    assert set(used) == set(everything) - {"contacts"}


def test_r12_a_filter_that_finds_nothing_is_told(hubspot: Desk) -> None:
    """Search answers 200 with no rows for ever while the list shows newer ones: the reconciliation heals and complains."""
    portal = hubspot.portal
    portal.add("contacts", "1", {"firstname": "Ann"})
    hubspot.sync()
    portal.clock.advance(DAY)
    portal.change("contacts", "1", at=portal.clock.now(), firstname="Anna")
    portal.clock.advance(DAY)
    hubspot.fault(path="contacts/search", status=200, body={"total": 0, "results": []}, times=0)
    assert "ok" == hubspot.sync().status
    run = hubspot.sweep("reconcile")
    assert [("Anna",)] == hubspot.all(t.crm_contacts.c.name)
    assert "partial" == run.status
    assert "contacts" in run.troubles["sweep:reconcile"]
    assert "lastmodifieddate finds none" in run.troubles["sweep:reconcile"]
    hubspot.mend()
    assert "ok" == hubspot.sweep("reconcile").status


# ---------------------------------------------------------------- R13


def test_r13_more_rows_than_a_search_shows(hubspot: Desk) -> None:
    """25,000 rows over 10 minutes, then 12,000 with one stamp: all once, no page behind the cap, no page too many."""
    portal = hubspot.portal
    portal.add("companies", "1", {"name": "First"})
    hubspot.sync()

    portal.clock.advance(DAY)
    at = portal.clock.now()
    for number in range(25_000):
        portal.add("companies", str(100_000 + number), {"name": "Spread"}, at=at + number * 24 * _MS)
    portal.clock.advance(HOUR)
    before = hubspot.mark()
    run = hubspot.sync()
    pages = hubspot.asked("/companies/search", before)
    assert ("ok", 25_000, 25_001) == (run.status, run.saved.changed, hubspot.count())
    assert max(int(body.get("after", 0)) for body in bodies(pages)) < 10_000
    assert len(pages) <= 125 + 3

    portal.clock.advance(DAY)
    at = portal.clock.now()
    for number in range(12_000):
        portal.add("companies", str(200_000 + number), {"name": "Import"}, at=at)
    portal.clock.advance(HOUR)
    before = hubspot.mark()
    run = hubspot.sync()
    pages = hubspot.asked("/companies/search", before)
    assert ("ok", 12_000, 37_001) == (run.status, run.saved.changed, hubspot.count())
    assert max(int(body.get("after", 0)) for body in bodies(pages)) < 10_000
    assert len(pages) <= 60 + 3
    assert {200} == {entry.status for entry in hubspot.asked()}


# ---------------------------------------------------------------- R14


def test_r14_the_next_cursor_ends_a_search_not_its_page(hubspot: Desk) -> None:
    """Pages of 200, 0, 37 and 200 rows with a next one on the first three; rows outside the window are passed over."""
    portal = hubspot.portal
    portal.fill("companies", 3, {"name": "Old {n}"})
    hubspot.sync()
    portal.clock.advance(DAY)
    portal.fill("companies", 800, {"name": "New {n}"}, first_id=1_000, at=portal.clock.now())
    portal.clock.advance(MINUTE)
    portal.state.switches.search_pages = [200, 0, 37]
    portal.state.switches.search_strays = 3
    before = hubspot.mark()
    hubspot.sync()
    assert 3 + 3 == len(hubspot.asked("/companies/search", before))
    assert 803 == hubspot.count()
    newest = max(stamp for (stamp,) in hubspot.all(t.crm_accounts.c.modified_at))
    assert newest // _MS == hubspot.cursor("accounts")["at"]


def test_r14_the_cursor_never_passes_rows_that_were_not_seen(hubspot: Desk) -> None:
    """Killed after whatever batch, with bare and short pages between: nothing behind the cursor is missing."""
    portal = hubspot.portal
    portal.add("companies", "1", {"name": "First"})
    hubspot.sync()
    portal.clock.advance(DAY)
    at = portal.clock.now()
    for number in range(3_300):
        portal.add("companies", str(1_000 + number), {"name": "New"}, at=at + number * 20 * _MS)
    portal.clock.advance(HOUR)
    portal.state.switches.search_pages = [200, 0, 37, 200, 1]
    for batches in (1, 2, 1):
        reading = hubspot.connector()
        with hubspot.store.read() as conn:
            cursors = load_cursors(conn, SOURCE)
        events = (event for event in reading.sync(cursors) if isinstance(event, Batch) and event.stream == "accounts")
        for event in islice(events, batches):
            with hubspot.store.write() as conn:
                save_batch(conn, SOURCE, event, hubspot.clock.now())
        reading.close()
        passed = hubspot.cursor("accounts")["at"] * _MS
        behind = {row.id for row in portal.state.store.table("companies").by_id() if row.modified_at < passed}
        assert behind <= set(hubspot.ids())
    assert hubspot.count() < 3_301
    assert ("ok", 3_301) == (hubspot.sync().status, hubspot.count())


def test_r14_no_search_begins_at_the_epoch(hubspot: Desk) -> None:
    """An empty portal and a full one: no first sync, and none after it, asks for everything since 0 (answered with 500)."""
    assert "ok" == hubspot.sync().status
    hubspot.portal.add("companies", "1", {"name": "First"}, at=hubspot.portal.clock.now())
    assert "ok" == hubspot.sync().status
    values = [
        int(f["value"])
        for body in bodies(hubspot.asked("/search"))
        for group in body["filterGroups"]
        for f in group["filters"]
        if f["operator"] in ("GT", "GTE")
    ]
    assert values
    assert min(values) > 0
    assert ["1"] == hubspot.ids()


# ---------------------------------------------------------------- R15


def test_r15_what_search_shows_late_comes_with_the_delayed_pass(hubspot: Desk) -> None:
    """A change that the list has at once and search 20 minutes later, while later rows come earlier; no second write."""
    portal = hubspot.portal
    portal.add("companies", "1", {"name": "Acme"})
    portal.add("companies", "2", {"name": "Beta"})
    hubspot.sync()
    portal.clock.advance(DAY)
    portal.change("companies", "1", at=portal.clock.now(), search_after=20 * MINUTE, name="Acme 2")
    portal.clock.advance(10 * MINUTE)
    portal.change("companies", "2", at=portal.clock.now(), name="Beta 2")
    portal.clock.advance(MINUTE)
    hubspot.sync()
    assert [("Acme",), ("Beta 2",)] == hubspot.all(t.crm_accounts.c.name)
    portal.clock.advance(30 * MINUTE)
    hubspot.sync()
    assert [("Acme",), ("Beta 2",)] == hubspot.all(t.crm_accounts.c.name)
    hubspot.sweep("delayed")
    assert [("Acme 2",), ("Beta 2",)] == hubspot.all(t.crm_accounts.c.name)
    hubspot.settle()
    rows = hubspot.all(t.crm_accounts)
    before = hubspot.mark()
    run = hubspot.sweep("delayed")
    assert (0, []) == (run.saved.changed, hubspot.dirty())
    assert rows == hubspot.all(t.crm_accounts)
    assert [] == hubspot.asked("/associations/", before)
    assert {200} == {entry.status for entry in hubspot.asked()}


# ---------------------------------------------------------------- R16


def test_r16_an_archived_record_is_found_and_may_come_back(hubspot: Desk) -> None:
    """An archive moves no stamp: a tombstone within one archived sweep; a restore makes it live again, stamp or not."""
    portal = hubspot.portal
    portal.fill("companies", 3, {"name": "C{n}"})
    hubspot.sync()
    portal.clock.advance(DAY)
    portal.archive("companies", "2")
    hubspot.sync()
    assert ["1", "2", "3"] == hubspot.ids()
    assert 1 == hubspot.sweep("archived").saved.deleted
    assert ["1", "3"] == hubspot.ids()
    assert 0 == hubspot.sweep("archived").saved.changed
    portal.clock.advance(DAY)
    portal.restore("companies", "2")
    hubspot.sync()
    assert ["1", "2", "3"] == hubspot.ids()

    portal.archive("companies", "3")
    hubspot.sweep("archived")
    portal.state.switches.restore_moves_stamp = False
    portal.restore("companies", "3")
    hubspot.sync()
    assert ["1", "2"] == hubspot.ids()
    hubspot.sweep("reconcile")
    assert ["1", "2", "3"] == hubspot.ids()


def test_r16_an_object_without_an_archived_list_is_compared_by_ids(hubspot: Desk) -> None:
    """400 to archived=true: ids are compared instead, nobody asks again, and the log says so once."""
    portal = hubspot.portal
    portal.state.switches.no_archive = {"calls"}
    portal.fill("calls", 3, {"hs_call_title": "Call {n}"})
    hubspot.sync()
    portal.archive("calls", "2")
    with capture_logs() as written:
        assert 1 == hubspot.sweep("archived").saved.deleted
        assert ["1", "3"] == hubspot.ids(t.crm_activities)
        before = hubspot.mark()
        assert "ok" == hubspot.sweep("archived").status
    assert [] == [e.path for e in hubspot.asked("/calls", before) if "archived=true" in e.path]
    assert [True] == ["archived records are not listed" in line["event"] for line in written]


def test_r16_a_purged_record_is_found_by_the_full_id_sweep(hubspot: Desk) -> None:
    """Gone from both lists: nothing but comparing all ids shows it."""
    portal = hubspot.portal
    portal.fill("companies", 150, {"name": "C{n}"})
    hubspot.sync()
    portal.purge("companies", "77")
    hubspot.sweep("archived")
    assert 150 == hubspot.count()
    assert 1 == hubspot.sweep("reconcile").saved.deleted
    assert "77" not in hubspot.ids()
    assert 149 == hubspot.count()


def test_r16_owners_who_left_have_a_list_of_their_own(hubspot: Desk) -> None:
    """An archived owner is no longer among the owners; the archived list says so."""
    hubspot.sync()
    hubspot.portal.archive("owners", "102")
    hubspot.sync()
    assert [("101", 1), ("102", 1)] == hubspot.all(t.crm_members.c.id, t.crm_members.c.active)
    hubspot.sweep("archived-owners")
    assert [("101", 1), ("102", 0)] == hubspot.all(t.crm_members.c.id, t.crm_members.c.active)


# ---------------------------------------------------------------- R17


def _aliases(hubspot: Desk, name: str = "accounts") -> dict[str, str]:
    rows = hubspot.all(t.crm_aliases.c.object, t.crm_aliases.c.id, t.crm_aliases.c.into_id)
    return {ref: into for kind, ref, into in rows if kind == name}


@pytest.mark.parametrize("mints", [True, False], ids=["new-id", "primary-stays"])
@pytest.mark.parametrize("archive", [True, False], ids=["losers-archived", "losers-vanish"])
def test_r17_a_chain_of_merges_leaves_one_live_row(hubspot: Desk, mints: bool, archive: bool) -> None:
    """A and B become C, C and D become E, between two syncs: E lives, the others mean E, contacts hang on E."""
    portal = hubspot.portal
    portal.state.switches.merge_mints_id = mints
    portal.state.switches.merged_in_archive = archive
    for ref in ("1", "2", "3"):
        portal.add("companies", ref, {"name": f"C{ref}", "lifecyclestage": "customer"})
        portal.add("contacts", f"1{ref}", {"firstname": f"P{ref}"})
        portal.link("contacts", f"1{ref}", "companies", ref)
    hubspot.sync()
    portal.clock.advance(DAY)
    middle = portal.merge("companies", "1", "2")
    portal.clock.advance(MINUTE)
    last = portal.merge("companies", middle, "3")
    portal.clock.advance(MINUTE)
    hubspot.sync()
    losers = {"1", "2", "3", middle} - {last}
    assert [last] == hubspot.ids()
    assert dict.fromkeys(losers, last) == _aliases(hubspot)
    for name in ("associations", "archived", "reconcile"):
        assert "ok" == hubspot.sweep(name).status
    assert [last] == hubspot.ids()
    assert [(f"1{n}", last) for n in (1, 2, 3)] == hubspot.all(
        t.crm_contact_accounts.c.contact_id, t.crm_contact_accounts.c.crm_account_id
    )


def test_r17_what_the_first_loser_had_is_the_last_winners(hubspot: Desk) -> None:
    """A and B become C, C and D become E, ids minted: A's call and tier history are E's, and the tier that waits for A is
    written to E.
    """
    portal = hubspot.portal
    for ref in ("1", "2", "3"):
        portal.add("companies", ref, {"name": f"C{ref}", "lifecyclestage": "customer"})
    portal.add("contacts", "11", {"firstname": "Ann", "email": "ann@a.test"})
    portal.link("contacts", "11", "companies", "1")
    portal.add("calls", "21", {"hs_timestamp": "2026-03-01T10:00:00.000Z", "hubspot_owner_id": "101"})
    portal.link("calls", "21", "contacts", "11")
    portal.link("calls", "21", "companies", "1")
    hubspot.sync()
    _derive(hubspot)
    loser = dict(hubspot.all(t.crm_accounts.c.id, t.crm_accounts.c.account_id))["1"]
    assert [("21", loser)] == hubspot.all(t.touches.c.activity_id, t.touches.c.account_id)
    plan_tier(hubspot.store, (SOURCE, "1"), loser, "tier_2", hubspot.clock.now())
    portal.clock.advance(DAY)
    last = portal.merge("companies", portal.merge("companies", "1", "2"), "3")
    portal.clock.advance(MINUTE)
    hubspot.sync()
    _derive(hubspot)
    mine = dict(hubspot.all(t.crm_accounts.c.id, t.crm_accounts.c.account_id))[last]
    assert [("21", mine)] == hubspot.all(t.touches.c.activity_id, t.touches.c.account_id)
    assert [(mine, 2)] == hubspot.all(t.tier_history.c.account_id, t.tier_history.c.tier)
    assert [(last, "planned", None)] == hubspot.all(*_LEDGER)
    out = hubspot.writer()
    done = drive(Lane(hubspot.store, SOURCE, _TARGETS, out, hubspot.clock))
    assert (1, True, {last: "tier_2"}) == (done.written, done.complete, out.read([last]))
    out.close()


def _derive(hubspot: Desk) -> None:
    mapping = SourceMapping(fields={}, tier_field="customer_tier")
    derive(hubspot.store, Derivation((SOURCE,), frozenset(), {SOURCE: mapping}), hubspot.clock.now())


def test_r17_the_answer_to_a_losers_id_is_the_winners_row(hubspot: Desk) -> None:
    """Losers that no list names are asked for by id, and the winner comes, with its own id: no loser lives by that."""
    portal = hubspot.portal
    portal.fill("companies", 2, {"name": "C{n}"})
    hubspot.sync()
    portal.clock.advance(DAY)
    winner = portal.merge("companies", "1", "2")
    portal.state.switches.merged_in_archive = False
    before = hubspot.mark()
    run = hubspot.sweep("reconcile")  # before any increment
    asked = [one["id"] for body in bodies(hubspot.asked("companies/batch/read", before)) for one in body["inputs"]]
    assert {"1", "2"} <= set(asked)
    assert ("ok", [winner], {"1": winner, "2": winner}) == (run.status, hubspot.ids(), _aliases(hubspot))
    names = dict(hubspot.all(t.crm_accounts.c.id, t.crm_accounts.c.name))
    assert ("C1", "C2") == (names["1"], names["2"])


def test_r17_a_contacts_chain_counts_whichever_property_tells_it(hubspot: Desk) -> None:
    """`hs_calculated_merged_vids` names the last merge only, `hs_merged_object_ids` all of them: both are read."""
    portal = hubspot.portal
    portal.state.switches.merge_mints_id = False
    portal.fill("contacts", 3, {"firstname": "P{n}"})
    hubspot.sync()
    portal.clock.advance(DAY)
    portal.merge("contacts", "2", "3")
    portal.clock.advance(MINUTE)
    portal.merge("contacts", "1", "2")
    portal.clock.advance(MINUTE)
    hubspot.sync()
    assert (["1"], {"2": "1", "3": "1"}) == (hubspot.ids(t.crm_contacts), _aliases(hubspot, "contacts"))


def test_r17_a_losers_pending_tier_is_dropped_and_the_winner_keeps_its_own(hubspot: Desk) -> None:
    """Merged before the last look: the loser is gone. Merged between look and write: the winner ends with its own value."""
    portal = hubspot.portal
    portal.state.switches.merge_mints_id = False
    portal.fill("companies", 4, {"name": "C{n}", "customer_tier": "tier_3"})
    portal.merge("companies", "1", "2")
    out = hubspot.writer()
    try:
        assert {"1": "tier_3", "3": "tier_3"} == out.read(["1", "2", "3"])
        portal.merge("companies", "3", "4")
        results = list(out.write([TierWrite("3", "tier_1", None), TierWrite("4", "tier_2", None)]))
        assert [("3", "written"), ("4", "gone")] == sorted((r.record_id, r.outcome) for r in results)
        assert {"3": "tier_1"} == out.read(["3", "4"])
        results = list(out.write([TierWrite("4", "tier_2", None), TierWrite("1", "tier_1", None)]))
        assert [("1", "written"), ("4", "gone")] == sorted((r.record_id, r.outcome) for r in results)
        assert {"1": "tier_1", "3": "tier_1"} == out.read(["1", "3"])
    finally:
        out.close()


def test_r17_a_losers_planned_change_never_reaches_the_winner_beside_its_own(hubspot: Desk) -> None:
    """Changes planned for both before a merge: the ledger drops the loser's and says why, the winner gets its own once."""
    portal = hubspot.portal
    portal.state.switches.merge_mints_id = False
    portal.fill("companies", 2, {"name": "C{n}", "lifecyclestage": "customer"})
    hubspot.sync()
    _derive(hubspot)
    accounts = dict(hubspot.all(t.crm_accounts.c.id, t.crm_accounts.c.account_id))
    now = hubspot.clock.now()
    planned = [
        {"account_id": accounts[ref], "source": SOURCE, "crm_id": ref, "field": "customer_tier", "old_value": None}
        | {"new_value": value, "reason": "score"}
        for ref, value in (("1", "tier_1"), ("2", "tier_2"))
    ]
    with hubspot.store.write() as conn:
        run = conn.execute(t.tier_runs.insert().values(as_of=now, started_at=now, policy="score", status="planned"))
        assert run.inserted_primary_key is not None
        ledger.add(conn, run.inserted_primary_key[0], planned, now)
    portal.merge("companies", "1", "2")
    out = hubspot.writer()
    done = drive(Lane(hubspot.store, SOURCE, _TARGETS, out, hubspot.clock))
    assert (1, True, {"1": "tier_1"}) == (done.written, done.complete, out.read(["1", "2"]))
    out.close()
    states = {crm_id: (state, error) for crm_id, state, error in hubspot.all(*_LEDGER)}
    assert {"1": ("written", None), "2": ("superseded", "the record is gone from the CRM")} == states


_TARGETS = {SOURCE: Target("customer_tier", {1: "tier_1", 2: "tier_2", 3: "tier_3"})}
_LEDGER = (t.tier_ledger.c.crm_id, t.tier_ledger.c.state, t.tier_ledger.c.error)


# ---------------------------------------------------------------- R18, R19


def test_r18_2500_changed_deals_take_three_association_calls(hubspot: Desk) -> None:
    """A thousand records a call, gathered over the pages of the search."""
    portal = hubspot.portal
    portal.add("companies", "1", {"name": "Acme"})
    hubspot.sync()
    portal.clock.advance(DAY)
    portal.fill("deals", 2_500, {"dealname": "D{n}"}, at=portal.clock.now())
    for number in range(2_500):
        portal.link("deals", str(number + 1), "companies", "1")
    portal.clock.advance(MINUTE)
    before = hubspot.mark()
    hubspot.sync()
    version = hubspot.settings().read_version
    asked = Counter(entry.path for entry in hubspot.asked("/associations/", before))
    assert {f"/crm/associations/{version}/deals/companies/batch/read": 3} == asked
    assert 2_500 == hubspot.count(t.crm_opportunities)
    assert {("1",)} == set(hubspot.all(t.crm_opportunities.c.crm_account_id))


def test_r18_paging_is_per_record(hubspot: Desk) -> None:
    """A contact of 1,200 companies, whose links take three pages while the others' take one."""
    portal = hubspot.portal
    portal.fill("companies", 1_200, {"name": "C{n}"})
    hubspot.sync()
    portal.clock.advance(DAY)
    portal.fill("contacts", 2, {"firstname": "Ann"}, at=portal.clock.now())
    for number in range(1_200):
        portal.link("contacts", "1", "companies", str(number + 1))
    portal.link("contacts", "2", "companies", "5")
    portal.clock.advance(MINUTE)
    before = hubspot.mark()
    hubspot.sync()
    links = hubspot.all(t.crm_contact_accounts.c.contact_id, t.crm_contact_accounts.c.crm_account_id)
    assert (1_200, [("2", "5")]) == (sum(c == "1" for c, _ in links), [one for one in links if one[0] == "2"])
    asked = bodies(hubspot.asked("/associations/", before))
    assert [2, 1, 1] == [len(body["inputs"]) for body in asked]


def test_r18_links_that_come_and_go_are_found_by_the_sweep(hubspot: Desk) -> None:
    """They move no stamp; several companies on one deal: the primary one counts, also when another becomes it."""
    portal = hubspot.portal
    portal.fill("companies", 3, {"name": "C{n}"})
    portal.add("contacts", "1", {"firstname": "Ann"})
    portal.add("deals", "1", {"dealname": "D"})
    portal.link("deals", "1", "companies", "1")
    portal.link("deals", "1", "companies", "2", "Primary")
    hubspot.sync()
    assert [("2",)] == hubspot.all(t.crm_opportunities.c.crm_account_id)
    portal.link("contacts", "1", "companies", "3")
    portal.unlink("deals", "1", "companies", "2")
    hubspot.sync()
    assert [] == hubspot.all(t.crm_contact_accounts.c.crm_account_id)
    hubspot.sweep("associations")
    assert [("3",)] == hubspot.all(t.crm_contact_accounts.c.crm_account_id)
    assert [("1",)] == hubspot.all(t.crm_opportunities.c.crm_account_id)
    portal.unlink("contacts", "1", "companies", "3")
    assert 1 == hubspot.sweep("associations").saved.changed
    assert [] == hubspot.all(t.crm_contact_accounts.c.crm_account_id)


def test_r18_a_207_is_asked_again_for_what_it_lacks(hubspot: Desk) -> None:
    """Retryable entries are asked for again, alone; where that never helps, the others are kept and the run is not ok."""
    portal = hubspot.portal
    portal.add("companies", "1", {"name": "Acme"})
    hubspot.sync()
    portal.clock.advance(DAY)
    portal.fill("contacts", 100, {"firstname": "P{n}"}, at=portal.clock.now())
    for number in range(100):
        portal.link("contacts", str(number + 1), "companies", "1")
    portal.clock.advance(MINUTE)
    portal.state.switches.batch_retryable = {"7": 1, "8": 1, "9": 1}
    before = hubspot.mark()
    assert "ok" == hubspot.sync().status
    asked = bodies(hubspot.asked("/associations/", before))
    assert [100, 3] == [len(body["inputs"]) for body in asked]
    assert 100 == len(hubspot.all(t.crm_contact_accounts.c.contact_id))

    portal.clock.advance(DAY)
    for number in range(100):
        portal.change("contacts", str(number + 1), at=portal.clock.now(), firstname="Q")
    portal.state.switches.batch_retryable = {"7": 99}
    at = hubspot.cursor("contacts")["at"]
    run = hubspot.sync()
    assert ("partial", ["contacts"]) == (run.status, list(run.troubles))
    names = dict(hubspot.all(t.crm_contacts.c.id, t.crm_contacts.c.name))
    assert ("P7", 99, at) == (names.pop("7"), list(names.values()).count("Q"), hubspot.cursor("contacts")["at"])
    assert 100 == len(hubspot.all(t.crm_contact_accounts.c.contact_id))
    portal.state.switches.batch_retryable = {}
    assert "ok" == hubspot.sync().status
    assert {("Q",)} == set(hubspot.all(t.crm_contacts.c.name))


def test_r19_a_partial_batch_is_told_apart_row_by_row(hubspot: Desk) -> None:
    """A batch read of 100 gives 97 rows and 3 errors: one is gone, one passes, one never does; the run is not ok."""
    portal = hubspot.portal
    portal.fill("companies", 100, {"name": "C{n}"})
    hubspot.sync()
    portal.clock.advance(DAY)
    for number in range(100):  # the index never shows these changes: the reconciliation reads the rows again by id
        portal.change("companies", str(number + 1), at=portal.clock.now(), search_after=300 * DAY, name="New")
    hubspot.fault(path="companies\\?", drop_rows=1)
    portal.archive("companies", "3")
    portal.state.switches.batch_retryable = {"1": 1, "2": 99}
    run = hubspot.sweep("reconcile")
    names = dict(hubspot.all(t.crm_accounts.c.id, t.crm_accounts.c.name))
    assert ("C2", "New") == (names["2"], names["1"])
    assert 98 == list(names.values()).count("New")
    assert "3" not in hubspot.ids()
    assert 99 == hubspot.count()
    assert "partial" == run.status
    assert "1 companies could not be read" in run.troubles["sweep:reconcile"]


# ---------------------------------------------------------------- R20


def test_r20_many_properties_fit_into_short_addresses(hubspot: Desk) -> None:
    """900 custom properties of 60 characters: no address above 8 KiB, every value arrives, by list and by search."""
    portal = hubspot.portal
    names = [f"custom_{number:03}_".ljust(60, "x") for number in range(900)]
    for name in names:
        portal.add_property("companies", Property(name, "string", custom=True))
    portal.fill("companies", 150, {"name": "C{n}"})
    full: dict[str, Any] = dict.fromkeys(names, "full")
    portal.change("companies", "5", **full)
    mapped = {"customer": {name: {"known": True} for name in names}}
    assert "ok" == hubspot.sync(**mapped).status
    assert max(len(entry.path) for entry in hubspot.asked()) <= 8 * 1024
    customers = dict(hubspot.all(t.crm_accounts.c.id, t.crm_accounts.c.customer))
    assert (150, ["5"]) == (len(customers), [ref for ref, customer in customers.items() if customer])
    portal.clock.advance(DAY)
    portal.change("companies", "6", at=portal.clock.now(), **full)
    hubspot.sync(**mapped)
    customers = dict(hubspot.all(t.crm_accounts.c.id, t.crm_accounts.c.customer))
    assert ["5", "6"] == sorted(ref for ref, customer in customers.items() if customer)


def test_r20_no_record_is_put_together_from_two_moments(hubspot: Desk) -> None:
    """A record that changes between the two calls for one page is kept as it was at one moment: the later one."""
    portal = hubspot.portal
    names = [f"custom_{number:03}_".ljust(60, "x") for number in range(300)]
    for name in names:
        portal.add_property("companies", Property(name, "string", custom=True))
    portal.fill("companies", 100, {"name": "C{n}"})
    old: dict[str, Any] = dict.fromkeys(names, "old")
    portal.change("companies", "5", **old)
    # Queued for the moment at which the first answer has been given: it takes two seconds of the portal's time.
    change = Change(portal.clock.now() + SECOND, "hubspot", "update", "companies", "5", dict.fromkeys(names, "new"))
    portal.state.store.load([change])
    hubspot.fault(path="companies\\?limit", delay_seconds=2)
    hubspot.sync(customer={name: {"not": "old"} for name in names})
    (fields,) = [f for ref, f in hubspot.all(t.crm_accounts.c.id, t.crm_accounts.c.fields) if ref == "5"]
    assert ("old" in fields, fields.count('"new"')) == (False, 300)
