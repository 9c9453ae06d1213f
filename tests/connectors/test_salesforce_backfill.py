"""The first read of an object: which transport, at which cost, and that nothing is lost when a job or a page goes wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from connectors.http import VendorError
from connectors.means import Means
from connectors.salesforce.backfill import Backfill, Mark, Order, Stuck, calls_of
from connectors.salesforce.session import opened
from sandbox.clock import HOUR, MINUTE
from sandbox.faults import Fault
from sandbox.salesforce.bulk import Fate
from sandbox.salesforce.state import Settings as OrgSettings
from sandbox.versions import On
from tests.clocks import StepClock
from tests.connectors.test_salesforce import settings
from tests.sandbox.salesforce_org import NOW, Org, key_pair, serving

NASTY = 'a "quoted", line\r\nand\nmore\t; \x00 \U0001f680 ´'
FIELDS = ("Id", "LastName", "Email", "SystemModstamp")


@dataclass
class Shelf:
    """What a store would keep: rows by Id, and the mark of each object as JSON text."""

    rows: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    marks: dict[str, str] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)
    handed: int = 0
    stuck: dict[str, VendorError] = field(default_factory=dict)

    def ids(self, name: str = "Contact") -> list[str]:
        return sorted(self.rows.get(name, {}))


def read(
    org: Org, shelf: Shelf, orders: Mapping[str, tuple[str, ...]], spool: Path, *, pages: int = 0, **also: Any
) -> Shelf:
    """Run a new process's backfill over these objects; `pages`: it is killed after so many."""
    clock = StepClock(org.clock)
    chosen = settings(org, **also)
    session = opened(chosen, clock, Means(spool=spool))
    backfill = Backfill(chosen, session, clock, spool)
    given = [
        Order(name, name, fields, mark=Mark.load(json.loads(shelf.marks.get(name, "{}"))))
        for name, fields in orders.items()
        if name not in shelf.done
    ]
    shelf.stuck.clear()
    try:
        for number, event in enumerate(backfill.run(given), 1):
            if isinstance(event, Stuck):
                shelf.stuck[event.name] = event.error
                continue
            shelf.handed += len(event.rows)
            shelf.rows.setdefault(event.name, {}).update({row["Id"]: dict(row) for row in event.rows})
            shelf.marks[event.name] = json.dumps(event.mark.data())
            if event.done:
                shelf.done.add(event.name)
            if number == pages:
                break
    finally:
        session.close()
    return shelf


@pytest.fixture
def org() -> Iterator[Org]:
    with serving(OrgSettings(public_key=key_pair()[1])) as served:
        served.clock.advance_to(NOW + 10 * MINUTE)
        yield served


def people(org: Org, count: int) -> list[str]:
    """So many contacts, all made in the same instant."""
    return [org.add("Contact", "003", n, LastName=f"L{n}", Email=f"p{n}@acme.test") for n in range(1, count + 1)]


def asked(org: Org) -> list[str]:
    """Method and resource of each call so far, tokens left out."""
    return [f"{e.method} {e.template.split('/v67.0/')[-1]}" for e in org.log.entries() if "oauth2" not in e.path]


BULK: dict[str, Any] = {"bulk_rows": 0, "quota": {"share": "100%"}}


def test_small_objects_share_one_call(org: Org, tmp_path: Path) -> None:
    """Three objects of one page each are one composite, and no job is made."""
    people(org, 30)
    org.add("Account", "001", 1, Name="Acme")
    shelf = read(org, Shelf(), {"Contact": FIELDS, "Account": ("Id", "Name"), "Case": ("Id",)}, tmp_path)
    assert (30, 1, {"Contact", "Account", "Case"}) == (len(shelf.ids()), len(shelf.ids("Account")), shelf.done)
    assert ["POST composite"] == asked(org)


def test_five_thousand_rows_of_two_objects_are_three_calls(org: Org, tmp_path: Path) -> None:
    """Pages of two objects share their calls: the minimum of crm-sync 2.2, the token left out."""
    people(org, 5_000)
    for number in range(5_000):
        org.add("Account", "001", number, Name=f"A{number}")
    shelf = read(org, Shelf(), {"Contact": FIELDS, "Account": ("Id", "Name")}, tmp_path)
    assert (5_000, 5_000) == (len(shelf.ids()), len(shelf.ids("Account")))
    assert ["POST composite"] * 3 == asked(org)


def test_a_large_object_comes_by_a_query_job(org: Org, tmp_path: Path) -> None:
    """Beyond the first page: one job, looked at until it is done, its pages read, and put away."""
    wanted = people(org, 2_300)
    org.switch(bulk_page=200)
    shelf = read(org, Shelf(), {"Contact": FIELDS}, tmp_path, **BULK)
    assert (sorted(wanted), {"Contact"}, {}) == (shelf.ids(), shelf.done, shelf.stuck)
    page = "GET jobs/query/{id}/results"
    job = ["POST composite", "POST composite", "POST jobs/query", "GET jobs/query/{id}", "GET jobs/query/{id}"]
    assert [*job, page, page, "DELETE jobs/query/{id}"] == [line.replace("{job_id}", "{id}") for line in asked(org)]
    assert [] == list(tmp_path.iterdir())
    assert [] == org.state.bulk.all()


def test_rows_of_both_transports_are_the_same(org: Org, tmp_path: Path) -> None:
    """Texts byte for byte, NA and null as texts, booleans, numbers, dates, instants, parents and compound fields."""
    account = org.add("Account", "001", 1, Name=NASTY, ARR__c=1200.5, Renewal_Date__c=On(20_600), Website="NA",
                      BillingStreet="1 Main St\nFloor 2", BillingCity="Bonn", BillingPostalCode="0123")  # fmt: skip
    org.add("Account", "001", 2, Name="null", NumberOfEmployees=40, ParentId=account, LastActivityDate=None)
    for number, name in enumerate(["NA", "null", "None", "0", " pad ", NASTY, "x" * 131_073]):
        org.add("Contact", "003", number, LastName=name, AccountId=account if number % 2 else None,
                Product_User__c=number == 1)  # fmt: skip
    orders = {
        "Account": ("Id", "Name", "ARR__c", "Renewal_Date__c", "Website", "BillingAddress", "CreatedDate", "ParentId",
                    "NumberOfEmployees", "SystemModstamp", "IsDeleted", "Owner.Name"),
        "Contact": ("Id", "LastName", "AccountId", "Product_User__c", "Account.Name", "Account.ARR__c"),
    }  # fmt: skip
    rest = read(org, Shelf(), orders, tmp_path)
    marks = {name: json.dumps({"by": "bulk"}) for name in orders}
    bulk = read(org, Shelf(marks=marks), orders, tmp_path)
    assert {} == bulk.stuck
    assert [] != [line for line in asked(org) if "results" in line]
    plain = {name: {ref: _bare(row) for ref, row in rows.items()} for name, rows in rest.rows.items()}
    assert plain == bulk.rows


def _bare(row: dict[str, Any]) -> dict[str, Any]:
    """A REST row without what says where it is found."""
    bare = {name: _bare(value) if isinstance(value, dict) else value for name, value in row.items()}
    bare.pop("attributes", None)
    return bare


@pytest.mark.parametrize("killed_after", [1, 2, 3, 5, 6])
def test_a_kill_loses_and_doubles_nothing(org: Org, tmp_path: Path, killed_after: int) -> None:
    """Wherever it is killed, the next process goes on with the job's page, and reads at most one page again."""
    wanted = people(org, 4_500)
    org.switch(bulk_page=500)
    shelf = read(org, Shelf(), {"Contact": FIELDS}, tmp_path, pages=killed_after, **BULK)
    assert len(shelf.ids()) < 4_500
    read(org, shelf, {"Contact": FIELDS}, tmp_path, **BULK)
    assert (sorted(wanted), {"Contact"}) == (shelf.ids(), shelf.done)
    assert shelf.handed <= 4_500 + 500
    assert 1 == sum("POST jobs/query" == line for line in asked(org)) or killed_after == 1


def test_windows_walk_a_table_that_is_larger_than_one_job(org: Org, tmp_path: Path) -> None:
    """Each job takes so many rows by Id; the next one begins behind the highest."""
    wanted = people(org, 5_300)
    shelf = read(org, Shelf(), {"Contact": FIELDS}, tmp_path, bulk_chunk=1_000, **BULK)
    assert (sorted(wanted), 5_300) == (shelf.ids(), shelf.handed)
    assert 4 == sum("POST jobs/query" == line for line in asked(org))


def test_a_lost_job_is_made_again(org: Org, tmp_path: Path) -> None:
    """A job that somebody deleted between two runs: its window is read anew, rows come once."""
    wanted = people(org, 4_000)
    org.switch(bulk_page=500)
    shelf = read(org, Shelf(), {"Contact": FIELDS}, tmp_path, pages=4, **BULK)
    for job in org.state.bulk.all():
        org.state.bulk.drop(job)
    read(org, shelf, {"Contact": FIELDS}, tmp_path, **BULK)
    assert (sorted(wanted), {"Contact"}) == (shelf.ids(), shelf.done)


def test_a_job_that_never_ends_does_not_hold_up_the_rest(org: Org, tmp_path: Path) -> None:
    """After ten minutes the run ends and says so; the next one looks at the same job; after six hours it is made anew."""
    people(org, 2_500)
    org.add("Account", "001", 1, Name="Acme")
    org.state.bulk.script(Fate(state="InProgress"))
    orders = {"Contact": FIELDS, "Account": ("Id", "Name")}
    began = org.clock.now()
    shelf = read(org, Shelf(), orders, tmp_path, **BULK)
    assert {"Account"} == shelf.done
    assert "still runs" in str(shelf.stuck["Contact"])
    assert org.clock.now() - began <= 11 * MINUTE
    read(org, shelf, orders, tmp_path, **BULK)
    assert 1 == sum("POST jobs/query" == line for line in asked(org))
    org.clock.advance(6 * HOUR)
    read(org, shelf, orders, tmp_path, **BULK)
    assert {"Account", "Contact"} == shelf.done
    assert 2_500 == len(shelf.ids())


def test_a_timeout_halves_the_window(org: Org, tmp_path: Path) -> None:
    """Jobs that end in QUERY_TIMEOUT are asked for half the rows, until they end well."""
    wanted = people(org, 6_000)
    org.state.bulk.script(
        Fate(state="Failed", message="QUERY_TIMEOUT: Your query request was running for too long", times=2)
    )
    shelf = read(org, Shelf(), {"Contact": FIELDS}, tmp_path, bulk_chunk=3_000, **BULK)
    assert (sorted(wanted), {}) == (shelf.ids(), shelf.stuck)
    limits = [e.body for e in org.log.entries() if e.method == "POST" and e.path.endswith("jobs/query")]
    assert ["3000", "1500", "750"] == [body.split("LIMIT ")[1].split('"')[0] for body in limits[:3]]


def test_a_timeout_of_rest_halves_the_window_too(org: Org, tmp_path: Path) -> None:
    """The same in a composite, where one object's trouble leaves the others alone."""
    wanted = people(org, 300)
    answer = {"compositeResponse": [{"body": [{"errorCode": "QUERY_TIMEOUT", "message": "too long"}],
              "httpHeaders": {}, "httpStatusCode": 400, "referenceId": "r0"}]}  # fmt: skip
    org.faults.add(Fault(method="POST", path="composite", status=200, body=answer))
    shelf = read(org, Shelf(), {"Contact": FIELDS}, tmp_path)
    assert (sorted(wanted), {}) == (shelf.ids(), shelf.stuck)
    assert any("LIMIT%2050000" in e.body for e in org.log.entries())


def test_a_first_sync_begins_by_the_clock_that_is_behind(org: Org, tmp_path: Path) -> None:
    """A Date header that is wrong by ten minutes does not move the beginning beyond what was really read."""
    people(org, 1)
    org.faults.add(Fault(path="", times=0, skew_seconds=600))
    shelf = read(org, Shelf(), {"Contact": FIELDS}, tmp_path)
    assert json.loads(shelf.marks["Contact"])["began"] <= "2026-03-02T06:10:00.000Z"


def test_a_folder_that_cannot_be_written_is_named(org: Org, tmp_path: Path) -> None:
    """The error says where and what to do, and the other objects are read."""
    people(org, 2_500)
    (tmp_path / "file").write_text("")
    shelf = read(org, Shelf(), {"Contact": FIELDS, "Account": ("Id",)}, tmp_path / "file" / "spool", **BULK)
    assert "give tierd a folder" in str(shelf.stuck["Contact"])
    assert {"Account"} == shelf.done


def test_the_price_of_a_first_read_is_told_beforehand(org: Org) -> None:
    """Pages of five objects share a call; a million rows are two jobs and their pages, not five hundred pages."""
    chosen = settings(org)
    assert 3 == calls_of([0, 10, 2_000], chosen)
    assert 5 == calls_of([5_000, 5_000], chosen)
    assert 2 + 1 + 2 * 6 + 20 == calls_of([1_000_000], chosen)
