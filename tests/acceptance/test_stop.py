"""Stopping, and two at a time: the work in hand is finished, one daemon writes a store, and looking is always allowed."""

from __future__ import annotations

import signal
from functools import partial

import pytest
from sqlalchemy import func, select

from store.records import DAY, HOUR, MINUTE, Instant
from store.tables import accounts, alerts, schedule, sync_runs
from tests.acceptance.world import Stage, until

pytestmark = pytest.mark.acceptance


def _tomorrow(office: Stage) -> Instant:
    """Midnight of the next scenario day: it begins with the syncs at 05:30."""
    now = office.sandbox.clock.now()
    return now - now % DAY + (DAY if now % DAY >= 5 * HOUR else 0)


def _begun(office: Stage, task: str, since: Instant) -> bool:
    office.child.check()
    with office.store.read() as connection:
        started = connection.scalar(select(schedule.c.last_started).where(schedule.c.task == task))
    return (started or 0) >= since


def _over(office: Stage, task: str, since: Instant) -> bool:
    office.child.check()
    with office.store.read() as connection:
        completed = connection.scalar(select(schedule.c.last_completed).where(schedule.c.task == task))
    return (completed or 0) >= since


def test_sigterm_finishes_the_work_in_hand(office: Stage) -> None:
    """05:30 HubSpot is being read; SIGTERM; HubSpot answers; exit 0; the next start goes on with the rest of the day."""
    day = _tomorrow(office)
    half_past_five = day + 5 * HOUR + 30 * MINUTE
    before = half_past_five - MINUTE  # what was due earlier is over then
    office.control.limit(before)
    office.child.run()
    until(lambda: office.sandbox.clock.now() >= before, "05:29")
    office.control.post("/hold", {"vendor": "hubspot", "held": True})
    try:
        office.control.limit(day + 10 * HOUR)
        until(partial(_begun, office, "sync:hubspot", half_past_five), "the sync to begin")
        assert office.child.process is not None
        log = office.child.log
        office.child.process.send_signal(signal.SIGTERM)
        until(lambda: '"event": "stopping"' in log.read_text(), "the signal to be heard")
    finally:
        office.control.post("/hold", {"vendor": "hubspot", "held": False})
    assert office.child.process.wait(30) == 0
    assert not _over(office, "sync:hubspot", half_past_five)
    with office.store.read() as connection:
        assert connection.scalar(select(func.count()).where(sync_runs.c.status == "running")) == 0
    assert '"event": "stopped before the end"' in log.read_text()
    assert '"failed": [], "event": "stopped"' in log.read_text()

    office.child.run()
    until(partial(_over, office, "digest", half_past_five), "the rest of the day")
    assert _over(office, "sync:hubspot", half_past_five)
    assert _over(office, "evaluate", half_past_five)
    assert office.child.stop() == 0


def test_second_daemon_is_refused_while_looking_is_allowed(office: Stage) -> None:
    """Whoever would write is told who does and what to do; status and explain answer beside the daemon."""
    office.control.limit(office.sandbox.clock.now() + HOUR)
    office.child.run()
    assert office.child.process is not None
    until(lambda: '"event": "running"' in office.child.log.read_text(), "the daemon to be up")
    who = f"tierd run pid {office.child.process.pid} on "
    for command in (("run",), ("sync", "--once")):
        done = office.tierd(*command)
        assert done.code == 1
        assert done.err.startswith(who)
        assert done.err.endswith("writes this store: stop it first, or set another `store:` in tierd.yaml\n")
    status = office.tierd("status")
    assert status.code == 0
    assert status.out.startswith(who)
    name, rule = _firing(office)
    explained = office.tierd("explain", name, "--as-of", "2026-03-02T06:00")
    assert explained.code == 0, explained.said
    assert name in explained.out
    assert rule in explained.out
    assert office.child.process.poll() is None
    assert office.child.stop() == 0


def _firing(office: Stage) -> tuple[str, str]:
    """(account, rule) of an alert that is firing."""
    found = (
        select(accounts.c.name, alerts.c.rule)
        .join(alerts, alerts.c.account_id == accounts.c.id)
        .where(alerts.c.state == "firing")
        .order_by(accounts.c.key)
        .limit(1)
    )
    with office.store.read() as connection:
        name, rule = connection.execute(found).one()
    return str(name), str(rule)
