"""What the daemon writes down about its own work names no customer's person, no mail and no secret."""

from __future__ import annotations

import json

import pytest
import requests
from sqlalchemy import select

from daemon.demo import setup
from store import tables as t
from tests.acceptance.world import Stage, unlimited

pytestmark = pytest.mark.acceptance

_RECORDS = (t.sync_runs, t.stream_runs, t.freshness, t.cursors, t.schedule, t.evaluations)
_OWN = (*_RECORDS, t.deliveries, t.tier_runs, t.tier_ledger, t.settings)
_PLANTED = ("ann.planted@customer.example", "Planted Subject of a Mail")
_SHORT = 8
"""Subjects shorter than this are words that stand in any log."""


def test_logs_and_run_records_name_nobody(settled: Stage) -> None:
    """A day of the real daemon at the default level: no address, subject line or secret in its log or run records."""
    with settled.store.read() as conn:
        records = "".join(repr(row) for table in _RECORDS for row in conn.execute(select(table)))
        addresses = set(conn.execute(select(t.crm_contacts.c.email)).scalars())
        addresses |= set(conn.execute(select(t.crm_participants.c.address)).scalars())
        subjects = set(conn.execute(select(t.crm_activities.c.subject)).scalars())
        deals = set(conn.execute(select(t.crm_opportunities.c.name)).scalars())
    log = settled.child.log.read_text(errors="replace")
    private = {text for text in addresses | subjects | deals if text and len(text) >= _SHORT}
    secrets = {value for value in setup.secrets(settled.info).values() if len(value) >= _SHORT}
    assert len(private) > 100
    assert len(secrets) >= 3
    assert "synced" in log
    assert "salesforce" in records
    written = log + records
    assert [] == [text for text in private | secrets if text in written]


def test_what_a_vendor_or_a_file_quotes_is_kept_masked(office: Stage) -> None:
    """Refusals that quote an address and our own secrets, in reading and writing, and a file of mail in place of usage:
    the runs say what is wrong, and neither output, log nor any table of the daemon's own has a word of it.
    """
    address, subject = _PLANTED
    secrets = setup.secrets(office.info)
    quoted = f"contact {address} is not valid for {' '.join(secrets.values())}"
    hubspot = {"status": "error", "category": "VALIDATION_ERROR", "message": quoted}
    for vendor, path, body in (
        ("hubspot", "contacts", hubspot),
        ("salesforce", "composite", [{"errorCode": "MALFORMED_QUERY", "message": quoted}]),
    ):
        fault = {"vendor": vendor, "path": path, "times": 0, "status": 400, "body": body}
        office.control.post("/faults", fault)
    (office.folder / "mail.csv").write_text(
        "workspace,date,active_users,active_users_28d,subject\n"
        f"ws-1,2026-02-20,{address},1,{subject}\n{subject},{address},1,1,\n"
    )
    folder = json.dumps(f"{office.info['usage']['directory']}/*.csv")
    office.edit(f"files: [{folder}]", f"files: [{folder}, mail.csv]")
    try:
        unlimited(office)
        read = office.tierd("sync", "--once")
        applied = office.tierd("tiers", "apply")
        status = office.tierd("status")
    finally:
        requests.delete(f"{office.sandbox.control_url}/faults", timeout=10)
    said = read.said + applied.said + status.said
    assert read.code == 2
    assert "contact <e-mail> is not valid for ***" in read.err
    assert "mail.csv:2" in said
    own = {name: rows for name, rows in office.dump().items() if name in {table.name for table in _OWN}}
    kept = said + repr(own)
    assert "contact <e-mail> is not valid" in repr(own["sync_runs"])
    assert [] == [text for text in (*_PLANTED, *secrets.values()) if text in kept]
