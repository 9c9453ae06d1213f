"""R46 and R47, and the number of calls: each object stands for itself, and what must hold of every run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from daemon.sync import run_sweep, run_sync
from sandbox.clock import DAY, HOUR, MINUTE, SECOND
from sandbox.faults import Fault, Soak
from store import runs, status
from store.engine import Store
from store.status import StreamNow
from tests.clocks import StepClock
from tests.requirements.invariants import watching
from tests.requirements.salesforce import JWT, ORG, calls, connected, people, sync
from tests.sandbox.salesforce_org import NOW, Org, serving, sf_id


@pytest.fixture
def org() -> Iterator[Org]:
    with serving(ORG) as served:
        served.clock.advance_to(NOW + 10 * MINUTE)
        yield served


def streams(store: Store) -> dict[str, StreamNow]:
    with store.read() as conn:
        return {one.stream: one for one in status.stream_table(conn)}


# ---------------------------------------------------------------- calls


def test_calls_nothing_changed(org: Org, sqlite_store: Store, tmp_path: Path) -> None:
    """Eleven objects and their relations, nothing changed: three calls a cycle, and the token once (issue, line 2)."""
    people(org, 50)
    with connected(org, tmp_path) as connector:
        clock = StepClock(org.clock)
        run_sync(sqlite_store, "sf", connector, clock)
        for _ in range(3):
            before = len(calls(org))
            clock.sleep(5 * 60)
            assert "ok" == run_sync(sqlite_store, "sf", connector, clock).status
            assert ["composite"] * 3 == calls(org)[before:]
    assert 1 == calls(org).count("token")


def test_calls_450_changed_of_5000_in_two_objects(org: Org, sqlite_store: Store, tmp_path: Path) -> None:
    """Account and Task alone, 450 of 5,000 changed in each: one call and the token."""
    accounts = [org.add("Account", "001", n, Name=f"A{n}") for n in range(5_000)]
    tasks = [org.add("Task", "00T", n, Subject=f"T{n}", WhatId=accounts[n]) for n in range(5_000)]
    only = {"accounts", "tasks", "task_relations"}
    with connected(org, tmp_path) as connector:
        _narrow(connector, only)
        assert {} == run_sync(sqlite_store, "sf", connector, StepClock(org.clock)).troubles
    org.clock.advance(HOUR)
    for row_id in accounts[:450]:
        org.change("update", "Account", row_id, org.clock.now(), Name="New")
    for row_id in tasks[:450]:
        org.change("update", "Task", row_id, org.clock.now(), Subject="New")
    org.clock.advance(MINUTE)
    before = len(calls(org))
    with connected(org, tmp_path) as connector:
        _narrow(connector, only)
        run = run_sync(sqlite_store, "sf", connector, StepClock(org.clock))
    assert ({}, 900) == (run.troubles, run.saved.changed)
    assert ["token", "composite"] == calls(org)[before:]


def _narrow(connector: Any, names: set[str]) -> None:
    """Leave a connector only some of its streams."""
    for name in set(connector._streams) - names:
        del connector._streams[name]
    connector._history.clear()


# ---------------------------------------------------------------- R46


def test_r46_one_object_that_fails_stands_alone(org: Org, store: Store, tmp_path: Path) -> None:
    """Case is taken away for three cycles: it alone grows stale, with its own words; the others stay fresh."""
    people(org, 5)
    org.add("Case", "500", 1, Status="New", Priority="High")
    with connected(org, tmp_path) as connector:
        clock = StepClock(org.clock)
        with store.write() as conn:
            runs.declare_source(conn, "sf", "salesforce", 5 * MINUTE)
        assert "ok" == run_sync(store, "sf", connector, clock).status
        org.state.hide("Case")
        for _ in range(3):
            clock.sleep(HOUR / SECOND)
            org.change("update", "Contact", sf_id("003", 1), org.clock.now(), LastName=f"At {org.clock.now()}")
            run = run_sync(store, "sf", connector, clock)
            assert ("partial", {"tickets"}) == (run.status, set(run.troubles))
        with store.read() as conn:
            found = {one.stream: one for one in status.read(conn, clock.now()).streams}
    assert {"tickets"} == {name for name, one in found.items() if one.late}
    assert 2 * HOUR <= (found["tickets"].late or 0) <= 3 * HOUR
    assert "Case" in (found["tickets"].detail or "")
    each = streams(store)
    assert ("failed", 0) == (each["tickets"].status, each["tickets"].seen)
    assert ("ok", 1, 1) == (each["contacts"].status, each["contacts"].seen, each["contacts"].changed)


def test_r46_each_run_says_what_it_did_to_each_object(org: Org, store: Store, tmp_path: Path) -> None:
    """Rows seen, changed and deleted, calls, 429s, cursor; the calls of the objects add up to those of the run."""
    wanted = people(org, 2_500)
    org.faults.add(Fault(path="composite", nth=2, times=2, status=429))
    run = sync(org, store, tmp_path)
    each = streams(store)
    assert (2_500, 2_500, 0) == tuple(getattr(each["contacts"], name) for name in ("seen", "changed", "deleted"))
    assert run.calls == sum(one.calls for one in each.values()) == len(calls(org))
    assert 2 == sum(one.throttled for one in each.values())
    assert '"at"' in (each["contacts"].cursor or "")
    org.clock.advance(HOUR)
    org.change("update", "Contact", wanted[0], org.clock.now(), LastName="New")
    org.state.delete("Contact", wanted[1])
    org.clock.advance(MINUTE)
    sync(org, store, tmp_path)
    assert (2, 1) == (streams(store)["contacts"].seen, streams(store)["contacts"].deleted)


def test_r46_a_stop_for_quota_is_shown_with_its_end(org: Org, store: Store, tmp_path: Path) -> None:
    """Deferred is no success: the stream says until when, in the status and in the table of streams; then it is gone."""
    people(org, 5)
    sync(org, store, tmp_path)
    with org.state.store.lock:
        org.state.usage.put(org.state.usage.limit)
    assert "deferred" == sync(org, store, tmp_path).status
    now = org.clock.now()
    one = streams(store)["contacts"]
    assert "deferred" == one.status
    assert now < (one.deferred_until or 0) <= now + DAY
    with store.read() as conn:
        told = status.read(conn, now)
    assert 100_000 == told.quotas[0].used == told.quotas[0].allowed
    with org.state.store.lock:
        org.state.usage.put(0)
    assert "ok" == sync(org, store, tmp_path).status
    assert ("ok", None) == (streams(store)["contacts"].status, streams(store)["contacts"].deferred_until)


def test_r46_check_says_how_much_of_the_quota_is_used(org: Org, tmp_path: Path) -> None:
    """One line: ours, what we may, and everybody's; a warning where a first sync would wait."""
    with connected(org, tmp_path) as connector:
        (line,) = [found for found in connector.check() if "API calls" in found.what]
        assert "ok" == line.level
        assert "20,000 that it may make (20% of 100,000)" in line.what
    with org.state.store.lock:
        org.state.usage.put(85_000)
    with connected(org, tmp_path) as connector:
        (line,) = [found for found in connector.check() if "API calls" in found.what]
        assert "warning" == line.level


# ---------------------------------------------------------------- R47


def test_r47_what_must_hold_of_every_run(
    org: Org, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A day of syncs and sweeps with faults of many kinds: every request has a timeout, no token, address or subject is
    in a log or a run record, and the calls stay within the budget of crm-sync section 2 and the repeated tries.
    """
    org.add("Account", "001", 1, Name="Acme")
    for number in range(40):
        org.add("Task", "00T", number, Subject="Private subject", WhatId=sf_id("001", 1))
        org.add("Contact", "003", number, LastName="Ann", Email=f"ann{number}@acme.test", AccountId=sf_id("001", 1))
    private = (ORG.client_secret, ORG.access_token, ORG.refresh_token, "@acme.test", "Private subject")
    org.faults.soak(
        Soak(
            0.1, (Fault(status=503), Fault(status=429), Fault(garbage=True), Fault(reset="before"), Fault(truncate=20))
        )
    )
    clock = StepClock(org.clock)
    with watching(org.log, clock, private, monkeypatch) as watch, connected(org, tmp_path, auth=JWT) as connector:
        for cycle in range(24):
            run_sync(store, "sf", connector, clock)
            if cycle % 6 == 5:
                for name in connector.sweeps():
                    run_sweep(store, "sf", connector, name, clock)
            clock.sleep(HOUR / SECOND)
        struck = sum(entry.fault is not None for entry in org.log.entries())
        watch.sensitive += tuple(org.state.sessions)
        watch.check(store, budget=24 * 3 + 4 * 25 + 10 + 2 * struck)
    assert struck > 0


def test_r47_nothing_is_asked_after_the_credentials_were_refused(
    org: Org, sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A used-up or withdrawn right to sign in: one request, then none, however often the sync and the sweeps are due."""
    clock = StepClock(org.clock)
    wrong = JWT.model_copy(update={"username": "nobody@acme.test"})
    private = ("nobody@acme.test", ORG.client_secret)
    with watching(org.log, clock, private, monkeypatch) as watch, connected(org, tmp_path, auth=wrong) as connector:
        for _ in range(50):
            assert "failed" == run_sync(sqlite_store, "sf", connector, clock).status
            for name in connector.sweeps():
                run_sweep(sqlite_store, "sf", connector, name, clock)
            clock.sleep(HOUR / SECOND)
        watch.check(sqlite_store, budget=1)
