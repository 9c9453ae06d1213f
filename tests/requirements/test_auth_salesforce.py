"""R30 to R32 for Salesforce: sessions that end in the middle of things, how a session begins, and tokens that rotate."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import select

from connectors.http import VendorError
from connectors.means import Means
from connectors.salesforce.connector import writer
from connectors.salesforce.session import opened
from connectors.salesforce.settings import Auth, ClientCredentials, SalesforceSettings
from daemon.config.settings import SalesforceSource
from daemon.sync import run_sync
from sandbox.clock import DAY, HOUR, MINUTE, SECOND
from sandbox.faults import Fault
from store import tables as t
from store.engine import Store
from store.records import Batch, TierWrite, WriteResult
from store.sync import save_batch
from tests.clocks import StepClock
from tests.connectors.test_salesforce import CREDENTIALS, settings
from tests.requirements.invariants import watching
from tests.requirements.salesforce import JWT, ORG, REFRESH, calls, connected, people, sync, talking
from tests.sandbox.salesforce_org import NOW, Org, serving

QUERY = "/services/data/v67.0/query?q=SELECT+Id+FROM+Account"


@pytest.fixture
def org() -> Iterator[Org]:
    with serving(ORG) as served:
        served.clock.advance_to(NOW + 10 * MINUTE)
        yield served


def contacts(store: Store) -> list[str]:
    with store.read() as conn:
        return sorted(conn.execute(select(t.crm_contacts.c.id)).scalars())


# ---------------------------------------------------------------- R30


def test_r30_a_session_ends_between_two_pages(org: Org, sqlite_store: Store, tmp_path: Path) -> None:
    """One more token, and the query goes on at the page in hand: no page is read twice."""
    wanted = people(org, 7_000)
    seen = 0
    with connected(org, tmp_path) as connector:
        for event in connector.sync({}):
            assert isinstance(event, Batch)
            with sqlite_store.write() as conn:
                save_batch(conn, "sf", event, org.clock.now())
            if event.stream == "contacts":
                seen += len(event.records)
                if seen == 4_000:
                    org.state.revoke_sessions()
    assert (sorted(wanted), 7_000) == (contacts(sqlite_store), seen)
    assert 2 == calls(org).count("token")
    addresses = [e.body for e in org.log.entries() if e.path.endswith("composite") and "query/01g" in e.body]
    assert len(set(addresses)) == len(addresses) - 1  # the refused call is repeated as it was


@pytest.mark.parametrize("status", [401, 400])
@pytest.mark.parametrize("where", ["jobs/query$", "jobs/query/750[^/]*$", "results"])
def test_r30_a_session_ends_around_a_query_job(
    org: Org, sqlite_store: Store, tmp_path: Path, where: str, status: int
) -> None:
    """At its making, while it is looked at, before its results: with either of the vendor's ways to say so."""
    wanted = people(org, 3_000)
    code = "INVALID_SESSION_ID" if status == 401 else "InvalidSessionId"
    body = [{"errorCode": code, "message": "Session expired or invalid"}]
    org.faults.add(Fault(path=where, status=status, body=body))
    run = sync(org, sqlite_store, tmp_path, bulk_rows=0)
    assert ("ok", {}) == (run.status, run.troubles)
    assert sorted(wanted) == contacts(sqlite_store)
    assert 2 == calls(org).count("token")
    assert len(org.state.bulk.all()) == 0
    made = [e for e in org.log.entries() if e.method == "POST" and e.path.endswith("jobs/query") and e.status == 200]
    assert 1 == len(made)


def test_r30_a_session_ends_in_the_middle_of_a_write(org: Org) -> None:
    """1,200 rows are two calls; between them the session ends: one more token, and no row is written twice."""
    ids = [org.add("Account", "001", number, Name=f"A{number}") for number in range(1_200)]
    chosen = settings(org)
    writing = writer(chosen, StepClock(org.clock))
    done: list[WriteResult] = []
    try:
        for result in writing.write([TierWrite(ref, "Tier 1", None) for ref in ids]):
            if not done:
                org.state.revoke_sessions()
            done.append(result)
    finally:
        writing.close()
    assert {"written"} == {result.outcome for result in done}
    assert sorted(ids) == sorted(result.record_id for result in done)
    fine = [e for e in org.log.entries() if e.path.endswith("composite") and e.status == 200]
    assert (2, 2) == (len(fine), calls(org).count("token"))
    assert all('"Sforce-Auto-Assign": "FALSE"' in e.body for e in org.log.entries() if e.path.endswith("composite"))


def test_r30_a_session_that_is_never_good_is_a_clear_failure(org: Org, sqlite_store: Store, tmp_path: Path) -> None:
    """One renewal, then the failure; no further request for a while, and after three such rounds none at all."""
    people(org, 3)
    org.faults.add(Fault(path="/services/data", times=0, status=401, body=[{"errorCode": "INVALID_SESSION_ID",
                                                                             "message": "Session expired"}]))  # fmt: skip
    clock = StepClock(org.clock)
    with connected(org, tmp_path) as connector:
        run = run_sync(sqlite_store, "sf", connector, clock)
        assert "failed" == run.status
        assert all("Session expired" in message for message in run.troubles.values())
        assert ["token", "composite", "token", "composite"] == calls(org)
        run_sync(sqlite_store, "sf", connector, clock)
        assert 4 == len(calls(org))
        for _ in range(100):
            clock.sleep(HOUR / SECOND)
            run_sync(sqlite_store, "sf", connector, clock)
        assert 12 == len(calls(org))


def test_r30_some_401s_are_no_expiry(org: Org, sqlite_store: Store, tmp_path: Path) -> None:
    """The words "Not valid for use with the REST API": one renewal, then nothing any more, for no token will do."""
    words = "This session is not valid for use with the REST API"
    org.faults.add(
        Fault(path="/services/data", times=0, status=401, body=[{"errorCode": "INVALID_SESSION_ID", "message": words}])
    )
    clock = StepClock(org.clock)
    with connected(org, tmp_path) as connector:
        for _ in range(5):
            run = run_sync(sqlite_store, "sf", connector, clock)
            assert all(words in message for message in run.troubles.values())
            clock.sleep(DAY / SECOND)
    assert ["token", "composite", "token", "composite"] == calls(org)


def test_r30_an_idle_session_pays_no_refused_call(org: Org, sqlite_store: Store, tmp_path: Path) -> None:
    """Six hours without a call are more than the session lives: it is renewed first, and nothing is refused."""
    with connected(org, tmp_path) as connector:
        clock = StepClock(org.clock)
        run_sync(sqlite_store, "sf", connector, clock)
        clock.sleep(6 * HOUR / SECOND)
        assert "ok" == run_sync(sqlite_store, "sf", connector, clock).status
    assert {200} == {entry.status for entry in org.log.entries()}


# ---------------------------------------------------------------- R31


@pytest.mark.parametrize("auth", [CREDENTIALS, JWT, REFRESH], ids=lambda auth: auth.method)
def test_r31_a_session_begins_without_a_password(org: Org, sqlite_store: Store, tmp_path: Path, auth: Auth) -> None:
    """Each flow reads the org; all calls go to the instance_url of the token's answer; SOAP is never asked."""
    org.add("Account", "001", 1, Name="Acme")
    # The client credentials flow has to be asked at My Domain; the others may be asked elsewhere.
    asked_at = org.served.url if auth is CREDENTIALS else org.split_hosts()
    run = sync(org, sqlite_store, tmp_path, auth=auth, base_url=asked_at)
    assert ("ok", {}) == (run.status, run.troubles)
    assert [] == [entry for entry in org.log.entries() if "Soap" in entry.path or "grant_type=password" in entry.body]
    assert "token" == calls(org)[0]


def test_r31_client_credentials_need_my_domain(org: Org, tmp_path: Path) -> None:
    """A login host refuses them, and is asked once."""
    with talking(org, tmp_path, base_url=org.split_hosts()) as session:
        for _ in range(3):
            with pytest.raises(VendorError, match="not supported on this domain"):
                session.get([QUERY])
    assert ["token"] == calls(org)


@pytest.mark.parametrize(
    "wrong",
    [{"audience": "https://elsewhere.test"}, {"client_id": "3MVGother"}, {"username": "nobody@acme.test"}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_r31_the_org_asserts_audience_issuer_and_subject(org: Org, tmp_path: Path, wrong: dict[str, str]) -> None:
    """A JWT with another one is refused, once, with a clear failure."""
    auth = JWT.model_copy(update=wrong)
    with talking(org, tmp_path, auth=auth) as session:
        for _ in range(3):
            with pytest.raises(VendorError) as caught:
                session.get([QUERY])
            assert "auth" == caught.value.kind
    assert ["token"] == calls(org)


@pytest.mark.parametrize("minutes", [-10, 10])
def test_r31_a_wrong_clock_is_set_right_by_the_servers(org: Org, tmp_path: Path, minutes: int) -> None:
    """Exp lies at most five minutes ahead: with our clock ten minutes off the second JWT goes by the answer's Date."""

    class Off(StepClock):
        def now(self) -> int:
            return super().now() + minutes * MINUTE

    session = opened(settings(org, auth=JWT), Off(org.clock), Means(spool=tmp_path))
    try:
        assert 200 == session.get([QUERY])[0][0]
    finally:
        session.close()
    assert ["token", "token", "composite"] == calls(org)


def test_r31_there_is_no_setting_for_a_password(org: Org) -> None:
    """Neither SOAP login nor the password flow can be configured."""
    for field in (SalesforceSettings.model_fields, SalesforceSource.model_fields, ClientCredentials.model_fields):
        assert [] == [name for name in field if "password" in name or "security_token" in name]
    with pytest.raises(ValueError, match="password"):
        SalesforceSettings.model_validate(
            {"kind": "salesforce", "base_url": org.served.url, "auth": {"method": "password", "username": "a"}}
        )


# ---------------------------------------------------------------- R32


def test_r32_sixteen_threads_ask_for_one_token(org: Org, tmp_path: Path) -> None:
    """All are refused together; one request renews the session, though each new one ends the one before."""
    org.switch(one_session=True)
    with talking(org, tmp_path, auth=REFRESH) as session:
        session.get([QUERY])
        org.state.revoke_sessions()
        together = threading.Barrier(16)

        def ask(_number: int) -> int:
            together.wait()
            return session.get([QUERY])[0][0]

        with ThreadPoolExecutor(16) as pool:
            assert [200] * 16 == list(pool.map(ask, range(16)))
    assert 2 == calls(org).count("token")


_HANGS = """
import json, sys
from pathlib import Path
from connectors.means import Means
from connectors.salesforce.session import opened
from connectors.salesforce.settings import SalesforceSettings
from daemon.clock import SystemClock
from daemon.tokens import file_keep
settings = SalesforceSettings.model_validate_json(sys.argv[1])
session = opened(settings, SystemClock(), Means(keep=file_keep(Path(sys.argv[2]), "sf", SystemClock())))
session.get(["/services/data/v67.0/query?q=SELECT+Id+FROM+Account"])
"""


def test_r32_a_kill_after_the_tokens_answer_costs_nothing(org: Org, tmp_path: Path) -> None:
    """The process is killed while its first call hangs: the rotated token was kept, so the next one works."""
    org.faults.add(Fault(path="composite", hang=True))
    given = settings(org, auth=REFRESH).model_dump(mode="json")
    given["auth"] |= {"client_secret": ORG.client_secret, "refresh_token": ORG.refresh_token}
    child = subprocess.Popen(
        [sys.executable, "-c", _HANGS, json.dumps(given), str(tmp_path)], cwd=Path(__file__).parents[2]
    )
    try:
        _until(lambda: any(e["matched"] for e in org.faults.waiting()))
    finally:
        child.kill()
        child.wait()
    with talking(org, tmp_path, auth=REFRESH) as session:
        assert 200 == session.get([QUERY])[0][0]
    grant = org.state.grants.find(ORG.refresh_token)
    assert grant is not None
    assert not grant.revoked


def _until(reached: object) -> None:
    ends = time.monotonic() + 60
    while not reached():  # type: ignore[operator]
        assert time.monotonic() < ends, "the child did not get so far"
        threading.Event().wait(0.02)


def test_r32_a_daemon_and_a_command_share_one_family(org: Org, tmp_path: Path) -> None:
    """Two processes renew in turn, each as its session ends; no token is used twice, so the family lives."""
    with talking(org, tmp_path, auth=REFRESH) as ours, talking(org, tmp_path, auth=REFRESH) as theirs:
        for _ in range(6):
            for session in (ours, theirs):
                assert 200 == session.get([QUERY])[0][0]
            org.state.revoke_sessions()
    grant = org.state.grants.find(ORG.refresh_token)
    assert grant is not None
    assert not grant.revoked
    assert calls(org).count("token") <= 7


def test_r32_a_dead_family_is_asked_once(org: Org, sqlite_store: Store, tmp_path: Path) -> None:
    """invalid_grant: a clear failure, and not one further request until the configuration changes."""
    org.state.grants.revoke_all()
    clock = StepClock(org.clock)
    with connected(org, tmp_path, auth=REFRESH) as connector:
        for _ in range(20):
            run = run_sync(sqlite_store, "sf", connector, clock)
            assert "failed" == run.status
            clock.sleep(DAY / SECOND)
    assert ["token"] == calls(org)
    new = org.state.authorize()["refresh_token"]
    other = REFRESH.model_copy(update={"refresh_token": type(REFRESH.refresh_token)(new)})
    with connected(org, tmp_path, auth=other) as connector:
        assert "ok" == run_sync(sqlite_store, "sf", connector, clock).status


def test_r32_two_who_ask_at_once_are_told_to_wait(org: Org, tmp_path: Path) -> None:
    """The words "token request is already being processed" passes: it is asked again, and is no dead grant."""
    body = {"error": "invalid_grant", "error_description": "token request is already being processed"}
    org.faults.add(Fault(path="oauth2/token", times=2, status=400, body=body))
    with talking(org, tmp_path, auth=REFRESH) as session:
        assert 200 == session.get([QUERY])[0][0]
    assert 3 == calls(org).count("token")


def test_r32_nothing_of_a_token_is_written_but_its_file(
    org: Org, sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the store nor a log holds a token; the kept file is for its owner only."""
    with watching(org.log, StepClock(org.clock), (ORG.client_secret, ORG.refresh_token), monkeypatch) as watch:
        sync(org, sqlite_store, tmp_path / "data", auth=REFRESH)
        kept = (tmp_path / "data" / "sf.token").read_text()
        assert ORG.refresh_token not in kept
        watch.sensitive += tuple(value for value in kept.split('"') if len(value) > 40)
        watch.check(sqlite_store)
    assert 0o600 == (tmp_path / "data" / "sf.token").stat().st_mode & 0o777
