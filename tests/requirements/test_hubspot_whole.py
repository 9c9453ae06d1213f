"""R45 to R47, HubSpot's half: one sweep heals all, objects stand alone, what must hold of every run, bounded memory."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from connectors.hubspot.sweeps import INTERVALS
from sandbox.clock import DAY, HOUR, MINUTE
from sandbox.faults import Fault, Soak
from store import runs, status
from store import tables as t
from tests.requirements.hubspot import SOURCE, Desk
from tests.requirements.invariants import watching
from tests.sandbox.hubspot_portal import TOKEN

_MEBIBYTE = 1_024
"""KiB."""


@pytest.mark.parametrize("version", ["2026-09", "2026-03"])
def test_r45_one_reconciliation_heals_what_is_damaged_or_missing(hubspot: Desk, version: str) -> None:
    """Ten rows corrupted and five deleted, of every kind, behind everybody's back: one sweep, at the calls of section 2."""
    portal = hubspot.portal
    hubspot.given["read_version"] = version
    portal.fill("companies", 250, {"name": "C{n}", "lifecyclestage": "customer"})
    portal.fill("contacts", 250, {"firstname": "P{n}", "email": "p{n}@acme.test"})
    portal.fill("meetings", 50, {"hs_meeting_title": "M{n}", "hs_timestamp": "2026-01-01T10:00:00.000Z"})
    for number in range(250):
        portal.link("contacts", str(number + 1), "companies", "1")
    for number in range(50):
        portal.link("meetings", str(number + 1), "contacts", str(number + 1))
    hubspot.sync()
    hubspot.sweep("associations")
    tables = (t.crm_accounts, t.crm_contacts, t.crm_activities)
    whole = {table.name: hubspot.all(table) for table in tables}
    links = hubspot.all(t.crm_contact_accounts), hubspot.all(t.crm_participants.c.contact_id)
    portal.clock.advance(DAY)
    before = hubspot.mark()
    assert 0 == (run := hubspot.sweep("reconcile")).saved.changed
    # Lists of a hundred, one call for an object that is empty; nothing is read a second time.
    assert 3 + 3 + 1 + 6 == run.calls == len(hubspot.asked(since=before))

    with hubspot.store.write() as conn:
        a, c, x = t.crm_accounts, t.crm_contacts, t.crm_activities
        conn.execute(update(a).where(a.c.id.in_(["1", "2", "3", "4"])).values(name="broken", fields="{}"))
        conn.execute(update(c).where(c.c.id.in_(["1", "2", "3"])).values(email=None))
        conn.execute(update(x).where(x.c.id.in_(["1", "2", "3"])).values(kind="meeting", status="cancelled"))
        conn.execute(delete(a).where(a.c.id.in_(["5", "6"])))
        conn.execute(delete(c).where(c.c.id.in_(["5", "6"])))
        conn.execute(delete(x).where(x.c.id == "5"))
    assert "ok" == hubspot.sync().status
    assert whole != {table.name: hubspot.all(table) for table in tables}
    run = hubspot.sweep("reconcile")
    assert ("ok", 15) == (run.status, run.saved.changed)
    assert whole == {table.name: hubspot.all(table) for table in tables}
    assert links == (hubspot.all(t.crm_contact_accounts), hubspot.all(t.crm_participants.c.contact_id))
    # For each object a batch of damaged and one of missing rows, and their links.
    assert run.calls <= 13 + 3 * 2 + 2 * 1 + 2 * 2
    assert 0 == hubspot.sweep("reconcile").saved.changed


# ---------------------------------------------------------------- R46


def test_r46_a_hubspot_object_that_fails_stands_alone(hubspot: Desk) -> None:
    """Tickets answer 500 for three cycles: they alone grow stale, with their own words; the others stay fresh."""
    portal, store = hubspot.portal, hubspot.store
    portal.fill("contacts", 5, {"firstname": "P{n}"})
    portal.add("tickets", "1", {"subject": "Help"})
    hubspot.keep()
    with store.write() as conn:
        runs.declare_source(conn, SOURCE, "hubspot", 5 * MINUTE)
    assert "ok" == hubspot.sync().status
    portal.state.switches.broken = {"tickets"}
    for cycle in range(3):
        portal.clock.advance(HOUR)
        portal.change("contacts", "1", at=portal.clock.now(), firstname=f"At {cycle}")
        run = hubspot.sync()
        assert ("partial", {"tickets"}) == (run.status, set(run.troubles))
    with store.read() as conn:
        found = {one.stream: one for one in status.read(conn, hubspot.clock.now()).streams}
        each = {one.stream: one for one in status.stream_table(conn)}
    assert {"tickets"} == {name for name, one in found.items() if one.late}
    assert 2 * HOUR <= (found["tickets"].late or 0) <= 3 * HOUR + 10 * MINUTE
    assert "500" in (found["tickets"].detail or "")
    assert (0, 1, 1) == (each["tickets"].seen, each["contacts"].seen, each["contacts"].changed)
    assert ("ok", '"at"' in (each["contacts"].cursor or "")) == (each["contacts"].status, True)
    portal.state.switches.broken = set()
    assert "ok" == hubspot.sync().status


# ---------------------------------------------------------------- R47


def test_r47_what_must_hold_of_every_run_of_hubspot(hubspot: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A day of syncs and sweeps with faults of many kinds: every request has a timeout, no token, address or subject is
    in a log or a run record, and the calls stay within the budget of crm-sync section 2 and the repeated tries.
    """
    portal = hubspot.portal
    portal.add("companies", "1", {"name": "Acme"})
    portal.fill("contacts", 40, {"firstname": "Ann", "email": "ann{n}@acme.test"})
    mail = {"hs_email_subject": "Private subject", "hs_timestamp": "2026-03-01T10:00:00.000Z"}
    portal.fill("emails", 40, {**mail, "hs_email_to_email": "ann{n}@acme.test"})
    app = portal.state.oauth
    auth = {"client_id": app.client_id, "client_secret": app.client_secret, "refresh_token": portal.install()}
    hubspot.given |= {"auth": {"method": "oauth"} | auth}
    private = (app.client_secret, auth["refresh_token"], "@acme.test", "Private subject")
    kinds = (Fault(status=502), Fault(status=429), Fault(garbage=True), Fault(reset="before"), Fault(truncate=20))
    portal.shared.faults.soak(Soak(0.1, kinds))
    with watching(portal.shared.log, hubspot.clock, private, monkeypatch) as watch:
        hubspot.keep()
        for cycle in range(24):
            hubspot.sync()
            if cycle % 6 == 5:
                for name in INTERVALS:
                    hubspot.sweep(name)
            portal.clock.advance(HOUR)
        struck = sum(entry.fault is not None for entry in hubspot.asked())
        watch.sensitive += tuple(portal.state.tokens)
        # Nine searches and the owners a cycle, a token an hour; of each sweep a call for each of nine objects, the owners
        # who left, and the links of what there is; the first time lists and counts, and the portal's zone.
        watch.check(hubspot.store, budget=24 * (10 + 1) + 4 * (3 * 9 + 1 + 3) + 2 * 9 + 1 + 3 * struck)
    assert struck > 0
    assert 40 == hubspot.count(t.crm_contacts)


@pytest.mark.parametrize("method", ["token", "oauth"])
def test_r47_hubspot_is_asked_nothing_after_it_refused_the_credentials(hubspot: Desk, method: str) -> None:
    """A withdrawn key or a wrong secret: no request after the refusal, however often the sync and the sweeps are due,
    until the configuration changes.
    """
    app = hubspot.portal.state.oauth
    wrong: dict[str, str] = {"access_token": "pat-na1-withdrawn"}
    if method == "oauth":
        wrong = {"method": "oauth", "client_id": app.client_id, "client_secret": "wrong", "refresh_token": "wrong"}
    right, hubspot.given = hubspot.given, {**hubspot.given, "auth": wrong}
    hubspot.keep()
    assert "failed" == hubspot.sync().status
    before = hubspot.mark()
    assert before <= 2
    for _ in range(50):
        hubspot.portal.clock.advance(HOUR)
        assert "failed" == hubspot.sync().status
        for name in INTERVALS:
            hubspot.sweep(name)
    assert [] == hubspot.asked(since=before)
    hubspot.close()
    hubspot.given = right
    assert "ok" == hubspot.sync().status


_SCRIPT = """
import sys, time
from connectors.hubspot.connector import HubSpotConnector
from connectors.known import nothing_known
from connectors.hubspot.settings import HubSpotSettings
from daemon.sync import run_sync
from store.engine import Store

class Hurried:
    now = staticmethod(lambda: time.time_ns() // 1_000)
    monotonic = staticmethod(time.monotonic)
    sleep = staticmethod(lambda seconds: None)
    wait = staticmethod(lambda event, timeout: event.wait(timeout))

url, database, token = sys.argv[1:]
settings = HubSpotSettings.model_validate(
    {"kind": "hubspot", "base_url": url, "auth": {"access_token": token}, "customer": {}, "history": False}
)
clock = Hurried()
store = Store(database)
connector = HubSpotConnector(settings, clock, nothing_known)

def peak():
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))

events = connector.sync({})
next(events)  # everything is imported and connected
began = peak()
run = run_sync(store, "hs", connector, clock)
assert run.status == "ok", run
print(peak() - began)
"""


def test_memory_does_not_grow_with_the_portal(hubspot: Desk, sqlite_template: Path, tmp_path: Path) -> None:
    """20,000 contacts take no more memory than 10,000 (a million in bench): peaks of processes of their own, in KiB."""
    portal = hubspot.portal
    portal.fill("companies", 1, {"name": "Acme"})
    grown = []
    for part in range(2):
        portal.fill("contacts", 10_000, {"firstname": "P{n}", "email": "p{n}@acme.test"}, first_id=1 + part * 10_000)
        database = tmp_path / f"{part}.db"
        shutil.copyfile(sqlite_template, database)
        command = [sys.executable, "-c", _SCRIPT, portal.served.url, f"sqlite:///{database}", TOKEN]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
        grown.append(int(done.stdout))
    small, large = grown
    assert large - small < 4 * _MEBIBYTE
    assert large < 100 * _MEBIBYTE
