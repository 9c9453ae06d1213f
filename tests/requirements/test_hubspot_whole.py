"""R45 to R47, HubSpot's half: one slow sweep heals everything, memory does not grow with the portal."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from sandbox.clock import DAY
from store import tables as t
from tests.requirements.hubspot import Desk
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
