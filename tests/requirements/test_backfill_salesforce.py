"""R21 to R24: first reads of Salesforce by the transport that fits, resumable, verified, in bounded memory."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from daemon.sync import run_sync
from sandbox.clock import MINUTE
from sandbox.faults import Fault
from sandbox.salesforce.bulk import Fate
from sandbox.salesforce.state import Settings as OrgSettings
from store import tables as t
from store.engine import Store
from store.records import Batch
from store.sync import load_cursors, save_batch
from tests.clocks import StepClock
from tests.requirements.salesforce import calls, connected, people, sync
from tests.sandbox.salesforce_org import NOW, Org, key_pair, serving, sf_id

ALL_BULK: dict[str, Any] = {"bulk_rows": 0}
NASTY = 'a "quoted", line\r\nand\nmore\t; \x00 \U0001f680 ´'


@pytest.fixture
def org() -> Iterator[Org]:
    with serving(OrgSettings(public_key=key_pair()[1])) as served:
        served.clock.advance_to(NOW + 10 * MINUTE)
        yield served


def contacts(store: Store) -> list[str]:
    with store.read() as conn:
        return sorted(conn.execute(select(t.crm_contacts.c.id)).scalars())


# ---------------------------------------------------------------- R21


@pytest.mark.parametrize(
    "words",
    [
        "Selecting compound data not supported in Bulk Query",
        "Entity 'Contact' is not supported by the Bulk API.",
        "Max bulk v2 query jobs (10000) per 24 hrs has been reached",
        "Max bulk v2 query result size stored (1000) kb per 24 hrs has been exceeded",
    ],
)
def test_r21_what_bulk_does_not_serve_comes_through_rest(
    org: Org, sqlite_store: Store, tmp_path: Path, words: str
) -> None:
    """A job that is refused with any of the vendor's words: the same rows arrive page by page."""
    wanted = people(org, 4_300)
    refused = [{"errorCode": "API_ERROR", "message": words}]
    org.faults.add(Fault(method="POST", path="jobs/query$", times=0, status=400, body=refused))
    run = sync(org, sqlite_store, tmp_path, **ALL_BULK)
    assert ("ok", {}) == (run.status, run.troubles)
    assert sorted(wanted) == contacts(sqlite_store)
    assert 1 == calls(org).count("jobs/query")


def test_r21_the_transport_follows_the_size(org: Org, sqlite_store: Store, tmp_path: Path) -> None:
    """One page and a few more come by REST, what is larger by a query job; no count is asked for."""
    people(org, 2_400)
    for number in range(2_400):
        org.add("Account", "001", number, Name=f"A{number}")
    sync(org, sqlite_store, tmp_path, bulk_rows=1_000)
    assert [] == [path for path in calls(org) if "jobs" in path]
    with serving(OrgSettings(public_key=key_pair()[1])) as large:
        large.clock.advance_to(NOW + 10 * MINUTE)
        people(large, 3_400)
        with sqlite_store.write() as conn:
            conn.execute(t.cursors.delete())
        run = sync(large, sqlite_store, tmp_path, bulk_rows=1_000)
        assert {} == run.troubles
        assert 1 == calls(large).count("jobs/query")


@pytest.mark.parametrize("sizes", [ALL_BULK, {}], ids=["bulk", "rest"])
def test_r21_a_compound_field_is_put_together_again(
    org: Org, sqlite_store: Store, tmp_path: Path, sizes: dict[str, Any]
) -> None:
    """A mapped address is one object whichever way it came; Bulk serves its components only, and is asked for them."""
    for number in range(2_200):
        parts: dict[str, Any] = {"BillingStreet": "1 Main St", "BillingCity": f"City {number}"}
        org.add("Account", "001", number, Name=f"A{number}", **parts | {"BillingPostalCode": "0123"} if number else {})
    run = sync(org, sqlite_store, tmp_path, **sizes, fields={"segment": {"field": "BillingAddress"}})
    assert {} == run.troubles
    made = [entry.body for entry in org.log.entries() if entry.path.endswith("jobs/query")]
    assert bool(sizes) == any("BillingPostalCode" in body for body in made)
    with sqlite_store.read() as conn:
        kept = {row.id: json.loads(row.fields) for row in conn.execute(select(t.crm_accounts))}
    address = kept[sf_id("001", 2_150)]["BillingAddress"]
    given = {key: value for key, value in address.items() if value is not None}
    assert {"street": "1 Main St", "city": "City 2150", "postalCode": "0123"} == given
    assert kept[sf_id("001", 0)]["BillingAddress"] is None


# ---------------------------------------------------------------- R22


def test_r22_a_walk_by_id_survives_a_kill_and_ends_with_the_newest_values(
    org: Org, sqlite_store: Store, tmp_path: Path
) -> None:
    """12,000 rows made in one second (1.2 million in bench). Killed at 60 %, resumed: each row once, no window read
    twice but the page in hand; a row that changed meanwhile ends with its newest value.
    """
    wanted = people(org, 12_000)
    org.switch(bulk_page=1_000)
    sizes: dict[str, Any] = {"bulk_rows": 100, "bulk_chunk": 5_000}
    kept = 0
    with connected(org, tmp_path, **sizes) as connector, sqlite_store.read() as conn:
        cursors = load_cursors(conn, "sf")
    with connected(org, tmp_path, **sizes) as connector:
        for event in connector.sync(cursors):
            assert isinstance(event, Batch)
            with sqlite_store.write() as conn:
                save_batch(conn, "sf", event, org.clock.now())
            kept += len(event.records) if event.stream == "contacts" else 0
            if kept >= 7_200:
                break
    early = wanted[100]
    org.clock.advance(MINUTE)
    org.change("update", "Contact", early, org.clock.now(), LastName="Newest")
    run = sync(org, sqlite_store, tmp_path, **sizes)
    assert {} == run.troubles
    assert kept + run.saved.seen <= 12_000 + 1_000 + 10
    assert sorted(wanted) == contacts(sqlite_store)
    org.clock.advance(5 * MINUTE)
    sync(org, sqlite_store, tmp_path, **sizes)
    with sqlite_store.read() as conn:
        assert "Newest" == conn.execute(select(t.crm_contacts.c.name).where(t.crm_contacts.c.id == early)).scalar()
    assert sum(path == "jobs/query" for path in calls(org)) <= 3


def test_r22_increments_run_from_the_beginning_of_the_walk(org: Org, sqlite_store: Store, tmp_path: Path) -> None:
    """A row behind the walk changes while it runs: its stamp is before the end of the walk, and it is read again."""
    wanted = people(org, 4_500)
    with connected(org, tmp_path) as connector:
        pages = 0
        for event in connector.sync({}):
            assert isinstance(event, Batch)
            with sqlite_store.write() as conn:
                save_batch(conn, "sf", event, org.clock.now())
            if event.stream == "contacts":
                pages += 1
                org.clock.advance(10 * MINUTE)  # a slow walk
                if pages == 1:
                    org.change("update", "Contact", wanted[5], org.clock.now(), LastName="Late")
    assert 3 == pages
    org.clock.advance(30 * MINUTE)
    assert {} == sync(org, sqlite_store, tmp_path).troubles
    with sqlite_store.read() as conn:
        assert "Late" == conn.execute(select(t.crm_contacts.c.name).where(t.crm_contacts.c.id == wanted[5])).scalar()


# ---------------------------------------------------------------- R23


@pytest.mark.parametrize(
    "fate",
    [
        Fate(state="Aborted"),
        Fate(state="Failed", message="InternalServerError : Retried more than 15 times"),
        Fate(state="Failed", message="Failed to write query result"),
        Fate(state="Failed", message="QUERY_TIMEOUT: too long"),
        Fate(state="Failed", message="exceeded 100000 distinct who/what's"),
        Fate(expired_page=3),
        Fate(cut_page=2),
        Fate(count_page=2, count_off=1),
        Fate(count_page=1, count_off=-1),
        Fate(lost=7),
    ],
    ids=lambda fate: (
        f"{fate.state} {fate.message}"[:30] + str([fate.expired_page, fate.cut_page, fate.count_off, fate.lost])
    ),
)
def test_r23_a_job_or_page_that_goes_wrong_once_is_made_good(
    org: Org, sqlite_store: Store, tmp_path: Path, fate: Fate
) -> None:
    """Whatever happens to the first job, every row arrives, and the run is ok."""
    wanted = people(org, 3_600)
    org.switch(bulk_page=500)
    org.state.bulk.script(fate)
    run = sync(org, sqlite_store, tmp_path, **ALL_BULK)
    assert ("ok", {}) == (run.status, run.troubles)
    assert sorted(wanted) == contacts(sqlite_store)


@pytest.mark.parametrize(
    "fate",
    [
        Fate(state="Aborted", times=0),
        Fate(state="Failed", message="INTERNAL", times=0),
        Fate(cut_page=2, times=0),
        Fate(count_page=2, count_off=1, times=0),
        Fate(lost=7, times=0),
    ],
    ids=lambda fate: f"{fate.state} {fate.message}" + str([fate.cut_page, fate.count_off, fate.lost]),
)
def test_r23_what_goes_wrong_for_ever_fails_loudly(org: Org, sqlite_store: Store, tmp_path: Path, fate: Fate) -> None:
    """A bounded number of calls, then a trouble that names the object; never a success, never fresh."""
    people(org, 3_600)
    org.switch(bulk_page=500)
    org.state.bulk.script(fate)
    run = sync(org, sqlite_store, tmp_path, **ALL_BULK)
    assert "partial" == run.status
    assert {"contacts"} == set(run.troubles)
    assert len(calls(org)) < 120
    with sqlite_store.read() as conn:
        row = conn.execute(select(t.freshness).where(t.freshness.c.stream == "contacts")).one()
    assert (None, "partial") == (row.fresh_at, row.status)


@pytest.mark.parametrize(
    "fault",
    [
        {"drop_rows": 2}, {"cut_row": True}, {"truncate": 900}, {"reset": "after"}, {"repeat": True}, {"reorder": True},
        {"drop_headers": ["Sforce-NumberOfRecords"]}, {"drop_headers": ["Sforce-Locator"]}, {"status": 503},
    ],
    ids=str,
)  # fmt: skip
def test_r23_pages_of_bulk_that_do_not_arrive_whole(
    org: Org, sqlite_store: Store, tmp_path: Path, fault: dict[str, Any]
) -> None:
    """Rows or headers that are missing, a row that is cut, a page that comes twice or in another order."""
    wanted = people(org, 3_600)
    org.switch(bulk_page=500)
    org.faults.add(Fault(method="GET", path="/results", nth=2, **fault))
    run = sync(org, sqlite_store, tmp_path, **ALL_BULK)
    assert ("ok", {}) == (run.status, run.troubles)
    assert sorted(wanted) == contacts(sqlite_store)


def test_r23_pages_of_rest_are_counted_too(org: Org, sqlite_store: Store, tmp_path: Path) -> None:
    """A page that lacks rows, or a page that comes twice, is read again."""
    wanted = people(org, 3_600)
    org.faults.add(Fault(method="POST", path="composite", nth=3, repeat=True))
    org.faults.add(Fault(method="POST", path="composite", contains="query/01g", drop_rows=3))
    run = sync(org, sqlite_store, tmp_path)
    assert ("ok", {}) == (run.status, run.troubles)
    assert sorted(wanted) == contacts(sqlite_store)


# ---------------------------------------------------------------- R24


def test_r24_texts_arrive_byte_for_byte(org: Org, sqlite_store: Store, tmp_path: Path) -> None:
    """Line ends, quotes, NUL, emoji, "NA" and "null" stay texts; an empty cell is null; a last name "NA" stays "NA"."""
    people(org, 2_000)
    special = ["NA", "null", "None", "0", NASTY, "x" * 70_000]
    ids = [org.add("Contact", "003", 5_000 + n, LastName=name, Title=name) for n, name in enumerate(special)]
    empty = org.add("Contact", "003", 6_000, LastName="Empty")
    run = sync(org, sqlite_store, tmp_path, **ALL_BULK)
    assert {} == run.troubles
    assert 1 == calls(org).count("jobs/query")
    with sqlite_store.read() as conn:
        rows = {row.id: row for row in conn.execute(select(t.crm_contacts))}
    assert special == [rows[ref].title for ref in ids]
    assert special == [rows[ref].name for ref in ids]
    assert (None, None) == (rows[empty].title, rows[empty].email)


_READER = """
import json, resource, sys, time
from pathlib import Path
from connectors.means import Means
from connectors.salesforce.connector import SalesforceConnector
from connectors.salesforce.settings import SalesforceSettings
from daemon.sync import run_sync
from store.engine import Store
from store.migrate import upgrade

class Clock:
    def now(self): return int(sys.argv[3])
    def monotonic(self): return 0.0
    def sleep(self, seconds): pass
    def wait(self, event, timeout): return event.is_set()

def peak():
    return int(next(l for l in open("/proc/self/status") if l.startswith("VmHWM")).split()[1])

folder = Path(sys.argv[1])
store = Store(f"sqlite:///{folder / 'tierd.db'}")
upgrade(store)
settings = SalesforceSettings.model_validate(json.loads(sys.argv[2]))
connector = SalesforceConnector(settings, Clock(), Means(spool=folder))
import simple_salesforce
before = peak()
run = run_sync(store, "sf", connector, Clock())
print(json.dumps([run.status, dict(run.troubles), run.saved.seen, peak() - before]))
"""


def _growth(folder: Path, rows: int) -> tuple[int, int]:
    """(bytes of results, KiB by which the peak grew) of a first read of so many contacts, in a process of its own."""
    with serving(OrgSettings(public_key=key_pair()[1])) as org:
        org.clock.advance_to(NOW + 10 * MINUTE)
        org.switch(bulk_polls=0)
        org.state.generate("Contact", rows, lambda n: {"LastName": f"L{n}", "Title": f"{n:06}" + "t" * 4_000}, NOW)
        given = {
            "kind": "salesforce", "base_url": org.served.url, "customer": {"Type": "Customer"}, "bulk_rows": 0,
            "auth": {"method": "token", "access_token": org.state.settings.access_token},
        }  # fmt: skip
        folder.mkdir()
        done = subprocess.run(
            [sys.executable, "-c", _READER, str(folder), json.dumps(given), str(org.clock.now())],
            check=True, capture_output=True, text=True, timeout=240, cwd=Path(__file__).parents[2],
        )  # fmt: skip
        status, troubles, seen, grown = json.loads(done.stdout)
        assert ("ok", {}) == (status, troubles)
        assert seen > rows
        return org.state.bulk.stored_kb() * 1024, int(grown)


def test_r24_memory_does_not_grow_with_the_result(tmp_path: Path) -> None:
    """20 MB and 40 MB of results (1/100 and 1/50 of the 2 GB in bench): equal growth, below 100 MiB."""
    small, grown = _growth(tmp_path / "small", 7_000)
    large, grown_more = _growth(tmp_path / "large", 12_000)
    assert small >= 20_000_000
    assert large >= 40_000_000
    assert grown < 100 * 1024
    assert grown_more - grown < 12 * 1024


def test_the_store_has_no_row_twice(org: Org, sqlite_store: Store, tmp_path: Path) -> None:
    """Two first reads of two processes, one after the other: the second one changes nothing."""
    people(org, 2_500)
    sync(org, sqlite_store, tmp_path, **ALL_BULK)
    with sqlite_store.write() as conn:
        conn.execute(t.cursors.delete())
    with connected(org, tmp_path, **ALL_BULK) as connector:
        run = run_sync(sqlite_store, "sf", connector, StepClock(org.clock))
    assert 0 == run.saved.changed
    with sqlite_store.read() as conn:
        assert 2_500 == conn.execute(select(func.count()).select_from(t.crm_contacts)).scalar()
