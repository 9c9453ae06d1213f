"""What the daemon writes down about its own work names no customer's person, no mail and no secret."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from daemon.demo import setup
from store import tables as t
from tests.acceptance.world import Stage

pytestmark = pytest.mark.acceptance

_RECORDS = (t.sync_runs, t.stream_runs, t.freshness, t.cursors, t.schedule, t.evaluations)
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
