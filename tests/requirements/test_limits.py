"""R26, R27, R29 for Salesforce: nothing in a long address, a budget with a reserve, and what is tried again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from connectors.http import DEADLINE, VendorError
from daemon.sync import run_sync
from sandbox.clock import DAY, HOUR, MINUTE, SECOND
from sandbox.faults import Fault
from sandbox.salesforce.queryfaults import QueryFault
from store import status
from store import tables as t
from store.engine import Store
from store.records import Batch
from tests.clocks import StepClock
from tests.requirements.invariants import watching
from tests.requirements.salesforce import FIXED, calls, connected, people, sync, talking
from tests.sandbox.salesforce_org import NOW, Org, serving


@pytest.fixture
def org() -> Iterator[Org]:
    with serving() as served:
        served.clock.advance_to(NOW + 10 * MINUTE)
        yield served


def cursors(store: Store) -> dict[str, str]:
    with store.read() as conn:
        return {row.stream: row.cursor for row in conn.execute(select(t.cursors))}


# ---------------------------------------------------------------- R26


def test_r26_queries_travel_in_bodies_and_every_row_arrives(org: Org, sqlite_store: Store, tmp_path: Path) -> None:
    """700 mapped fields: the statement is longer than any address may be (414, 431), so it never is one."""
    names = [f"A_very_long_name_of_a_custom_field_{number:03}__c" for number in range(700)]
    with org.state.store.lock:
        org.state.org.catalogue.add_fields("Account", "\n".join(f"{name} string" for name in names))
    wanted = [org.add("Account", "001", number, Name=f"A{number}") for number in range(30)]
    before = len(org.log.entries())
    run = sync(org, sqlite_store, tmp_path, fields={"arr": [{"field": name} for name in names]})
    assert {} == run.troubles
    with sqlite_store.read() as conn:
        assert sorted(wanted) == sorted(conn.execute(select(t.crm_accounts.c.id)).scalars())
    entries = org.log.entries()[before:]
    assert max(len(entry.path) for entry in entries) < 200
    assert max(len(entry.body) for entry in entries) >= 16_384


def test_r26_a_call_never_holds_more_than_five_queries(org: Org, sqlite_store: Store, tmp_path: Path) -> None:
    """The org refuses more; the session does not even send them."""
    people(org, 10)
    assert {} == sync(org, sqlite_store, tmp_path).troubles
    with talking(org, tmp_path) as session:
        root = "/services/data/v67.0"
        with pytest.raises(ValueError, match="and 5 queries"):
            session.get([f"{root}/query?q=SELECT+Id+FROM+Account"] * 6)
        with pytest.raises(ValueError, match="takes 25"):
            session.get([f"{root}/sobjects/Account/describe"] * 26)


@pytest.mark.parametrize("code", ["INVALID_FIELD", "MALFORMED_QUERY"])
def test_r26_one_refused_query_leaves_the_others_alone(
    org: Org, sqlite_store: Store, tmp_path: Path, code: str
) -> None:
    """A call of five queries is answered with 200 though one of them was refused (400): that object is named, and what
    the other four brought is kept.
    """
    sync(org, sqlite_store, tmp_path)
    org.clock.advance(30 * MINUTE)
    now = org.clock.now()
    contact = org.add("Contact", "003", 1, at=now, LastName="Ann")
    others = {
        t.crm_members: org.add("User", "005", 1, at=now, Name="Cleo", IsActive=True),
        t.crm_accounts: org.add("Account", "001", 1, at=now, Name="Acme"),
        t.crm_opportunities: org.add("Opportunity", "006", 1, at=now, Name="D"),
        t.crm_tickets: org.add("Case", "500", 1, at=now, Status="New"),
    }
    org.state.query_faults.append(QueryFault("FROM Contact ", code, "No such column", times=0))
    before = max(entry.seq for entry in org.log.entries())
    run = sync(org, sqlite_store, tmp_path)
    (call,) = [e for e in org.log.entries(before) if "FROM+Account+" in e.body.replace("%20", "+")]
    assert (200, 5) == (call.status, len(json.loads(call.body)["compositeRequest"]))
    assert ("partial", {"contacts"}) == (run.status, set(run.troubles))
    assert code in run.troubles["contacts"]
    with sqlite_store.read() as conn:
        for table, ref in others.items():
            assert ref in conn.execute(select(table.c.id)).scalars().all()
        assert [] == conn.execute(select(t.crm_contacts.c.id)).all()
    org.state.query_faults.clear()
    assert {} == sync(org, sqlite_store, tmp_path).troubles
    with sqlite_store.read() as conn:
        assert [contact] == conn.execute(select(t.crm_contacts.c.id)).scalars().all()


# ---------------------------------------------------------------- R27


def use(org: Org, share: float) -> None:
    """So much of the org's daily calls has been used by other apps."""
    with org.state.store.lock:
        org.state.usage.put(round(org.state.usage.limit * share))


def test_r27_a_first_sync_pauses_at_the_reserve_and_increments_go_on(
    org: Org, sqlite_store: Store, tmp_path: Path
) -> None:
    """At 79 % both read; at 81 % the increments do, and the first read of an object waits, deferred, with its mark."""
    people(org, 3_000)
    many: dict[str, Any] = {"bulk_rows": 100}
    use(org, 0.81)
    run = sync(org, sqlite_store, tmp_path, **many)
    assert "deferred" == run.status
    assert any("first sync waits" in message for message in run.troubles.values())
    use(org, 0.79)
    run = sync(org, sqlite_store, tmp_path, **many)
    assert ("ok", {}) == (run.status, run.troubles)
    use(org, 0.81)
    late = org.add("Account", "001", 7, at=org.clock.now(), Name="Late")
    run = sync(org, sqlite_store, tmp_path, **many)
    assert ("ok", {}) == (run.status, run.troubles)
    with sqlite_store.read() as conn:
        assert late in conn.execute(select(t.crm_accounts.c.id)).scalars().all()


def test_r27_everything_pauses_at_the_hard_stop(org: Org, sqlite_store: Store, tmp_path: Path) -> None:
    """At 96 % one call learns of it, nothing follows for an hour, and then one call looks again."""
    people(org, 10)
    sync(org, sqlite_store, tmp_path)
    use(org, 0.96)
    with connected(org, tmp_path) as connector:
        clock = StepClock(org.clock)
        before, kept = len(calls(org)), cursors(sqlite_store)
        made = []
        for _ in range(14):
            run = run_sync(sqlite_store, "sf", connector, clock)
            made.append(len(calls(org)) - before)
            clock.sleep(5 * 60)
        assert "deferred" == run.status
        assert made[-1] <= 6
        assert made[1] == made[10]
        use(org, 0.5)
        clock.sleep(3_600)
        assert "ok" == run_sync(sqlite_store, "sf", connector, clock).status
    assert kept.keys() == cursors(sqlite_store).keys()


def test_r27_our_own_share_is_a_limit_across_runs(org: Org, sqlite_store: Store) -> None:
    """Calls of the last 24 hours count, of earlier processes too; the share frees again as they age."""
    from connectors.means import Means
    from connectors.salesforce.connector import SalesforceConnector
    from store import runs
    from tests.connectors.test_salesforce import settings

    people(org, 10)

    def spent() -> int:
        with sqlite_store.read() as conn:
            return runs.calls_since(conn, "sf", org.clock.now() - DAY)

    def once() -> str:
        chosen = settings(org, quota={"share": "0.01%"})
        connector = SalesforceConnector(chosen, StepClock(org.clock), Means(spent=spent))
        try:
            return run_sync(sqlite_store, "sf", connector, StepClock(org.clock)).status
        finally:
            connector.close()

    states = [once() for _ in range(4)]
    assert "ok" == states[0]
    assert "deferred" == states[-1]
    assert spent() <= 10 + 8  # 0.01 % of 100,000, and what one process needs to learn of it
    org.clock.advance(DAY + HOUR)
    assert "ok" == once()


def test_r27_a_used_up_day_is_deferred_and_moves_no_cursor(org: Org, sqlite_store: Store, tmp_path: Path) -> None:
    """403 REQUEST_LIMIT_EXCEEDED for the day: the cursors stay, the resume time is shown, nobody asks before it."""
    people(org, 10)
    sync(org, sqlite_store, tmp_path)
    kept = cursors(sqlite_store)
    use(org, 1.0)
    with connected(org, tmp_path, quota={"share": "100%", "stop": "0%", "reserve": "0%"}) as connector:
        clock = StepClock(org.clock)
        run = run_sync(sqlite_store, "sf", connector, clock)
        assert "deferred" == run.status
        assert kept == cursors(sqlite_store)
        with sqlite_store.read() as conn:
            streams = status.read(conn, clock.now()).streams
        resume = {stream.deferred_until for stream in streams if stream.status == "deferred"}
        assert 1 == len(resume)
        assert clock.now() < (resume.pop() or 0) <= clock.now() + DAY
        before = len(calls(org))
        clock.sleep(5 * 60)
        assert "deferred" == run_sync(sqlite_store, "sf", connector, clock).status
        assert before == len(calls(org))
        use(org, 0.1)
        clock.sleep(3_600)
        assert "ok" == run_sync(sqlite_store, "sf", connector, clock).status


def test_r27_nobody_asks_before_the_resume_time(org: Org, sqlite_store: Store, tmp_path: Path) -> None:
    """The vendor's refusal alone, with no word of how much is used: its hour, or its Retry-After, is waited for."""
    body = [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}]
    headers = {"Retry-After": "7200"}
    org.faults.add(Fault(path="composite", status=403, body=body, headers=headers))
    with connected(org, tmp_path) as connector:
        clock = StepClock(org.clock)
        assert "deferred" == run_sync(sqlite_store, "sf", connector, clock).status
        before = len(calls(org))
        for _ in range(23):
            clock.sleep(5 * 60)
            assert "deferred" == run_sync(sqlite_store, "sf", connector, clock).status
        assert before == len(calls(org))
        clock.sleep(10 * 60)
        assert "ok" == run_sync(sqlite_store, "sf", connector, clock).status


def test_r27_too_many_at_once_passes_in_seconds(org: Org, sqlite_store: Store, tmp_path: Path) -> None:
    """The same code with another message is no used-up day: it is tried again at once, and the run is ok."""
    people(org, 10)
    org.state.usage.crowded = 3
    began = org.clock.now()
    run = sync(org, sqlite_store, tmp_path)
    assert ("ok", {}) == (run.status, run.troubles)
    assert org.clock.now() - began < MINUTE
    with sqlite_store.read() as conn:
        assert 3 == status.read(conn, org.clock.now()).runs[0].throttled


# ---------------------------------------------------------------- R29


@dataclass(frozen=True)
class Cell:
    """One fault, and what becomes of a call that meets it for ever."""

    name: str
    fault: dict[str, Any]
    kind: str
    tries: int
    least: float = 0
    """Seconds waited at least."""
    most: float = DEADLINE
    tokens: int = 0
    """Token requests besides the first."""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def patience(self) -> float:
        """Seconds for a call: only what never comes is not waited for."""
        return 0.5 if "hang" in self.fault else 30


def _says(code: str, message: str = "said so") -> list[dict[str, str]]:
    return [{"errorCode": code, "message": message}]


HTML = "<html><body>Service not available</body></html>"
CELLS = [
    *(Cell(f"{s} {c}", {"status": s, "body": _says(c)}, "failed", 1, most=0) for s, c in [
        (400, "INVALID_FIELD"), (400, "MALFORMED_QUERY"), (400, "INVALID_TYPE"), (400, "JSON_PARSER_ERROR"),
        (403, "INSUFFICIENT_ACCESS"), (403, "API_DISABLED_FOR_ORG"), (403, "TXN_SECURITY_METERING_ERROR"),
        (404, "NOT_FOUND"), (405, "METHOD_NOT_ALLOWED"), (409, "CONFLICT"), (410, "GONE"),
        (412, "PRECONDITION_FAILED"), (415, "UNSUPPORTED_MEDIA_TYPE"), (428, "PRECONDITION_REQUIRED"),
    ]),
    *(Cell(f"{s} HTML", {"status": s, "body": HTML}, "failed", 1, most=0) for s in (400, 403, 414, 431)),
    Cell("302 to elsewhere", {"status": 302, "headers": {"Location": "https://elsewhere.test/"}}, "failed", 1, most=0),
    *(Cell(f"{s} HTML", {"status": s, "body": HTML}, "retry", 5, least=0.1) for s in (
        406, 408, 420, 423, 425, 429, 500, 502, 503, 504, 520, 522, 524)),
    *(Cell(f"400 {c}", {"status": 400, "body": _says(c)}, "retry", 5, least=0.1) for c in (
        "UNABLE_TO_LOCK_ROW", "QUERY_TIMEOUT", "SERVER_UNAVAILABLE", "REQUEST_RUNNING_TOO_LONG")),
    Cell("500 UNKNOWN_EXCEPTION", {"status": 500, "body": _says("UNKNOWN_EXCEPTION")}, "retry", 5, least=0.1),
    Cell("429 in 7 s", {"status": 429, "headers": {"Retry-After": "7"}}, "retry", 5, least=28),
    Cell("503 in 5 s", {"status": 503, "headers": {"Retry-After": "5"}}, "retry", 5, least=20),
    Cell("429 in hours", {"status": 429, "headers": {"Retry-After": "20000"}}, "retry", 1, most=0),
    Cell("403 day used up", {"status": 403, "body": _says("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")},
         "deferred", 1, most=0),
    Cell("403 too many at once",
         {"status": 403, "body": _says("REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests Limit exceeded.")},
         "retry", 5, least=0.1),
    Cell("401 expired", {"status": 401, "body": _says("INVALID_SESSION_ID")}, "auth", 2, most=0, tokens=1),
    Cell("401 HTML", {"status": 401, "body": HTML}, "auth", 2, most=0, tokens=1),
    Cell("401 object", {"status": 401, "body": {"message": "no", "errorCode": "X"}}, "auth", 2, most=0, tokens=1),
    Cell("400 InvalidSessionId", {"status": 400, "body": _says("InvalidSessionId")}, "auth", 2, most=0, tokens=1),
    Cell("200 no JSON", {"status": 200, "body": HTML}, "retry", 5, least=0.1),
    Cell("200 other JSON", {"status": 200, "body": {"hello": 1}}, "retry", 5, least=0.1),
    Cell("truncated", {"truncate": 10}, "retry", 5, least=0.1),
    Cell("garbage", {"garbage": True}, "retry", 5, least=0.1),
    Cell("reset before", {"reset": "before"}, "retry", 5, least=0.1),
    Cell("reset after", {"reset": "after"}, "retry", 5, least=0.1),
    Cell("never answers", {"hang": True}, "retry", 5, least=0.1),
]  # fmt: skip


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.name)
def test_r29_every_fault_has_its_class(org: Org, tmp_path: Path, cell: Cell) -> None:
    """Tries, waits and final class of a composite that meets the fault for ever; every call has a timeout."""
    clock = StepClock(org.clock)
    org.faults.add(Fault(method="POST", path="/composite$", times=0, **cell.fault))
    with talking(org, tmp_path, timeout_seconds=cell.patience) as session:
        began = clock.now()
        with pytest.raises(VendorError) as caught:
            session.get(["/services/data/v67.0/query?q=SELECT+Id+FROM+Account"])
    waited = (clock.now() - began) / SECOND
    made = calls(org)
    assert (cell.kind, cell.tries) == (caught.value.kind, made.count("composite"))
    assert 1 + cell.tokens == made.count("token")
    assert cell.least <= waited <= cell.most


@pytest.mark.parametrize("cell", [c for c in CELLS if c.tries == 5], ids=lambda cell: cell.name)
def test_r29_what_passes_is_survived(org: Org, tmp_path: Path, cell: Cell) -> None:
    """The same faults three times over: the call is done, and nobody above hears of it."""
    org.faults.add(Fault(method="POST", path="/composite$", times=3, **cell.fault))
    with talking(org, tmp_path, timeout_seconds=cell.patience) as session:
        ((status_, body),) = session.get(["/services/data/v67.0/query?q=SELECT+Id+FROM+Account"])
    assert (200, []) == (status_, body["records"])
    assert 4 == calls(org).count("composite")


def test_r29_reads_and_jobs_have_the_same_classes(org: Org, tmp_path: Path) -> None:
    """GET, POST and DELETE of other resources go through the one policy."""
    for method, path in (("GET", "limits"), ("POST", "jobs/query"), ("DELETE", "jobs/query/750000000000001AAA")):
        org.faults.add(Fault(method=method, path=path, times=0, status=503, body=HTML))
        with talking(org, tmp_path, auth=FIXED) as session:
            before = len(calls(org))
            with pytest.raises(VendorError) as caught:
                session.call(method, path, json={} if method == "POST" else None)
            assert ("retry", 5) == (caught.value.kind, len(calls(org)) - before)


def test_r29_every_call_has_the_configured_timeout(org: Org, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens, queries, jobs and downloads: the seconds of the configuration, for connecting and for each piece."""
    people(org, 2_300)
    clock = StepClock(org.clock)
    with (
        watching(org.log, clock, (), monkeypatch) as watch,
        connected(org, tmp_path, timeout_seconds=7, bulk_rows=0) as connector,
    ):
        assert [] == [event for event in connector.sync({}) if not isinstance(event, Batch)]
    assert {"token", "composite", "jobs/query"} <= set(calls(org))
    assert {(7.0, 7.0)} == {(one.connect_timeout, one.read_timeout) for one in watch.timeouts}
    assert len(watch.timeouts) == watch.calls()


def test_r29_no_try_begins_after_the_deadline(org: Org, tmp_path: Path) -> None:
    """Answers that take two minutes each: the call ends after the deadline, whatever tries are left."""
    org.faults.add(Fault(method="POST", path="/composite$", times=0, status=503, body=HTML, delay_seconds=120))
    with talking(org, tmp_path) as session, pytest.raises(VendorError):
        session.get(["/services/data/v67.0/query?q=SELECT+Id+FROM+Account"])
    assert 3 == calls(org).count("composite")
