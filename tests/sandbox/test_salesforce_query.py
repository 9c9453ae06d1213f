"""Queries over HTTP: pages, what is hidden, sizes, the allowance, describe, and the vendor's error bodies."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest
import requests

from sandbox.clock import DAY, HOUR, SECOND
from sandbox.salesforce.queryfaults import QueryFault
from sandbox.salesforce.state import Settings
from sandbox.versions import At, Change, On
from tests.sandbox.salesforce_org import NOW, TIMEOUT, VERSION, Org, serving, sf_id


@pytest.fixture
def org() -> Iterator[Org]:
    """A fresh org."""
    with serving() as served:
        yield served


def _fill(org: Org, count: int, at: int = NOW) -> list[str]:
    return [org.add("Contact", "003", n, at=at, LastName=f"P{n}") for n in range(count)]


def test_pages_follow_their_locators(org: Org) -> None:
    """4,500 rows come as 2,000 + 2,000 + 500, each once, with done only on the last page."""
    wanted = _fill(org, 4500)
    first = org.query("SELECT Id FROM Contact ORDER BY SystemModstamp, Id").json()
    assert (4500, False, 2000) == (first["totalSize"], first["done"], len(first["records"]))
    second = org.ask("GET", first["nextRecordsUrl"]).json()
    third = org.ask("GET", second["nextRecordsUrl"]).json()
    assert (True, 500, False) == (third["done"], len(third["records"]), "nextRecordsUrl" in third)
    found = [r["Id"] for page in (first, second, third) for r in page["records"]]
    assert wanted == found


def test_a_page_can_be_read_again_and_keeps_what_the_query_saw(org: Org) -> None:
    """A locator gives the same rows twice, though rows changed and came in between."""
    _fill(org, 2500)
    first = org.query("SELECT Id, LastName FROM Contact ORDER BY Id").json()
    before = org.ask("GET", first["nextRecordsUrl"]).json()
    org.add("Contact", "003", 9999, LastName="New")
    assert before == org.ask("GET", first["nextRecordsUrl"]).json()


def test_the_page_size_is_a_wish(org: Org) -> None:
    """BatchSize is taken from 200 to 2,000 and brought into that range otherwise."""
    _fill(org, 2300)
    for asked, given in (("200", 200), ("750", 750), ("50", 200), ("9000", 2000)):
        answer = org.query("SELECT Id FROM Contact", **{"Sforce-Query-Options": f"batchSize={asked}"}).json()
        assert given == len(answer["records"])


@pytest.mark.parametrize("locator", ["nonsense", "01gHs0000000099IAA-2000", "01gHs0000000099IAA"])
def test_unknown_locators_are_refused(org: Org, locator: str) -> None:
    """INVALID_QUERY_LOCATOR for a cursor that never was."""
    answer = org.ask("GET", f"query/{locator}")
    assert (400, "INVALID_QUERY_LOCATOR") == (answer.status_code, answer.json()[0]["errorCode"])


def test_cursors_end_after_two_days(org: Org) -> None:
    """A locator works for two days of scenario time and not longer."""
    _fill(org, 2100)
    url = org.query("SELECT Id FROM Contact").json()["nextRecordsUrl"]
    org.clock.advance(2 * DAY - SECOND)
    assert 200 == org.ask("GET", url).status_code
    org.clock.advance(SECOND)
    assert "INVALID_QUERY_LOCATOR" == org.ask("GET", url).json()[0]["errorCode"]


def test_query_hides_deleted_and_merged_rows_and_query_all_shows_them(org: Org) -> None:
    """A deleted row has IsDeleted, a merge loser MasterRecordId besides, and both moved their stamp."""
    kept, gone, loser = (org.add("Account", "001", n, at=NOW - DAY, Name=f"A{n}") for n in range(3))
    org.change("delete", "Account", gone, NOW - HOUR)
    org.change("merge", "Account", loser, NOW - HOUR, into=kept)
    assert [kept] == org.ids("SELECT Id FROM Account")
    soql = "SELECT Id, IsDeleted, MasterRecordId, SystemModstamp FROM Account ORDER BY Id"
    rows = {r["Id"]: r for r in org.query(soql, "queryAll").json()["records"]}
    assert (True, None) == (rows[gone]["IsDeleted"], rows[gone]["MasterRecordId"])
    assert (True, kept) == (rows[loser]["IsDeleted"], rows[loser]["MasterRecordId"])
    assert {"2026-03-02T05:00:00.000+0000"} == {r["SystemModstamp"] for r in rows.values()}


def test_query_hides_archived_activities_and_query_all_shows_them(org: Org) -> None:
    """A completed task due more than a year ago and an event that ended then are archived, an open task is not."""
    old, day = NOW - 400 * DAY, On(NOW // DAY - 400)
    done = org.add("Task", "00T", 1, at=old, Status="Completed", ActivityDate=day)
    still_open = org.add("Task", "00T", 2, at=old, Status="Not Started", ActivityDate=day)
    event = org.add("Event", "00U", 3, at=old, StartDateTime=At(old), EndDateTime=At(old + HOUR))
    assert [still_open] == org.ids("SELECT Id FROM Task")
    assert [] == org.ids("SELECT Id FROM Event")
    rows = org.query("SELECT Id, IsArchived, IsDeleted FROM Task ORDER BY Id", "queryAll").json()["records"]
    assert [(done, True, False), (still_open, False, False)] == [
        (r["Id"], r["IsArchived"], r["IsDeleted"]) for r in rows
    ]
    assert [event] == org.ids("SELECT Id FROM Event WHERE IsArchived = TRUE", "queryAll")


def test_purged_rows_leave_query_all(org: Org) -> None:
    """What was emptied from the recycle bin, or lay in it for 15 days, is gone from queryAll."""
    first, second = (org.add("Account", "001", n, Name="x") for n in (1, 2))
    for row_id in (first, second):
        org.change("delete", "Account", row_id, NOW)
    org.state.purge("Account", first)
    assert [second] == org.ids("SELECT Id FROM Account", "queryAll")
    org.clock.advance(15 * DAY)
    assert [] == org.ids("SELECT Id FROM Account", "queryAll")


def test_participants_that_are_taken_off_leave_every_query(org: Org) -> None:
    """A relation row that was deleted directly is in /deleted only; one that went with its task is in queryAll."""
    task = org.add("Task", "00T", 1, Subject="Call")
    taken, cascaded = (org.add("TaskRelation", "0RT", n, TaskId=task, RelationId=sf_id("003", n)) for n in (1, 2))
    org.change("delete", "TaskRelation", taken, NOW)
    assert [cascaded] == org.ids("SELECT Id FROM TaskRelation", "queryAll")
    org.change("delete", "Task", task, NOW)
    org.change("delete", "TaskRelation", cascaded, NOW)
    assert [taken, cascaded] == org.ids("SELECT Id FROM TaskRelation", "queryAll")


@pytest.mark.parametrize(("behaviour", "status"), [("refuse", 400), ("as_query", 200)])
def test_email_message_relation_and_query_all(behaviour: str, status: int) -> None:
    """Its list of calls has no queryAll: refused, or by the switch the same as query; query always works."""
    with serving(Settings(relation_query_all=behaviour)) as org:  # type: ignore[arg-type]
        assert status == org.query("SELECT Id FROM EmailMessageRelation", "queryAll").status_code
        assert 200 == org.query("SELECT Id FROM EmailMessageRelation").status_code


def test_an_org_without_shared_activities_has_no_task_relation() -> None:
    """TaskRelation is missing from sobjects, has no describe, and is an INVALID_TYPE in SOQL."""
    with serving(Settings(shared_activities=False)) as org:
        names = [o["name"] for o in org.ask("GET", "sobjects").json()["sobjects"]]
        assert ("TaskRelation" in names, "EventRelation" in names) == (False, True)
        assert 404 == org.ask("GET", "sobjects/TaskRelation/describe").status_code
        assert "INVALID_TYPE" == org.query("SELECT Id FROM TaskRelation").json()[0]["errorCode"]


def test_rows_become_visible_after_their_stamp() -> None:
    """With a commit delay of 4 s a row stamped 06:00:10 is missing until 06:00:14 and then carries the old stamp."""
    with serving(Settings(commit_delay=4 * SECOND)) as org:
        stamp = NOW + 10 * SECOND
        org.state.load([Change(stamp, "salesforce", "create", "Account", sf_id("001", 1), {"Name": "Late"})])
        org.clock.advance_to(stamp + 3 * SECOND)
        assert [] == org.ids("SELECT Id FROM Account")
        org.clock.advance_to(stamp + 4 * SECOND)
        assert (
            "2026-03-02T06:00:10.000+0000"
            == (org.query("SELECT SystemModstamp FROM Account").json()["records"][0]["SystemModstamp"])
        )


def test_counts(org: Org) -> None:
    """COUNT() gives totalSize with no records, COUNT(field) an AggregateResult of the rows that have a value."""
    for number in range(3):
        org.add("Account", "001", number, Name="x", Website="w" if number else None)
    assert {"totalSize": 3, "done": True, "records": []} == org.query("SELECT COUNT() FROM Account").json()
    answer = org.query("select count(Website), count(Id) n from Account").json()
    assert [{"attributes": {"type": "AggregateResult"}, "expr0": 2, "n": 3}] == answer["records"]
    assert [{"count": 3, "name": "Account"}] == org.ask("GET", "limits/recordCount?sObjects=Account").json()["sObjects"]


def test_hidden_fields_and_objects_do_not_exist(org: Org) -> None:
    """Field-level security takes a field out of describe and makes it an INVALID_FIELD; describe's stamp moves."""
    described = org.ask("GET", "sobjects/Account/describe")
    stamp = described.headers["Last-Modified"]
    assert 304 == org.ask("GET", "sobjects/Account/describe", headers={"If-Modified-Since": stamp}).status_code
    org.clock.advance(HOUR)
    org.state.hide("Account.ARR__c", "Case")
    again = org.ask("GET", "sobjects/Account/describe", headers={"If-Modified-Since": stamp})
    assert 200 == again.status_code
    assert "ARR__c" not in {f["name"] for f in again.json()["fields"]}
    assert "INVALID_FIELD" == org.query("SELECT ARR__c FROM Account").json()[0]["errorCode"]
    assert "INVALID_TYPE" == org.query("SELECT Id FROM Case").json()[0]["errorCode"]
    assert 404 == org.ask("GET", "sobjects/Case/describe").status_code


def test_a_stamp_that_cannot_be_filtered_says_so(org: Org) -> None:
    """Some objects have SystemModstamp but refuse it in WHERE; describe and the query agree."""
    org.state.org.unfilterable.add("Account.SystemModstamp")
    fields = {f["name"]: f for f in org.ask("GET", "sobjects/Account/describe").json()["fields"]}
    assert (False, True) == (fields["SystemModstamp"]["filterable"], fields["LastModifiedDate"]["filterable"])
    refusal = org.query("SELECT Id FROM Account WHERE SystemModstamp > 2026-01-01T00:00:00Z").json()[0]
    assert "can not be filtered" in refusal["message"]


def test_long_addresses_are_refused(org: Org) -> None:
    """More than 16,384 bytes of address are 414, of address and headers 431, both as a page and not as JSON."""
    long_query = "SELECT Id FROM Account WHERE Name IN (" + ",".join(["'x'"] * 4000) + ")"
    answer = org.query(long_query)
    assert (414, "text/html;charset=iso-8859-1") == (answer.status_code, answer.headers["Content-Type"])
    assert 431 == org.query("SELECT Id FROM Account", **{"X-Padding": "x" * 16_384}).status_code


def test_the_allowance_is_counted_and_ends(org: Org) -> None:
    """Every answer says used/total, errors too; at the cap 403 REQUEST_LIMIT_EXCEEDED; a day later it is free again."""
    org.state.usage.limit = 3
    assert "api-usage=1/3" == org.query("SELECT Id FROM Account").headers["Sforce-Limit-Info"]
    assert "api-usage=2/3" == org.query("nonsense").headers["Sforce-Limit-Info"]
    assert {"Max": 3, "Remaining": 0} == org.ask("GET", "limits").json()["DailyApiRequests"]
    refused = org.query("SELECT Id FROM Account")
    assert 403 == refused.status_code
    assert [{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}] == refused.json()
    org.clock.advance(DAY)
    assert 200 == org.query("SELECT Id FROM Account").status_code


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "sobjects/Nope/describe", 404, "NOT_FOUND"),
        ("GET", "nowhere", 404, "NOT_FOUND"),
        ("GET", "jobs/ingest", 404, "NOT_FOUND"),
        ("GET", "/services/Soap/u/59.0", 404, "NOT_FOUND"),
        ("GET", "/services/data/v99.0/sobjects", 404, "NOT_FOUND"),
        ("GET", "/services/data/v25.0/sobjects", 410, "UNSUPPORTED_API_VERSION"),
        ("GET", "sobjects/Account/123", 404, "NOT_FOUND"),
        ("GET", "sobjects/Account/001Te0000000009IAA", 404, "NOT_FOUND"),
        ("PUT", "sobjects/Account/001Te0000000009IAA", 405, "METHOD_NOT_ALLOWED"),
        ("DELETE", "query", 405, "METHOD_NOT_ALLOWED"),
        ("DELETE", "sobjects/Account/001Te0000000009IAA", 404, "INVALID_CROSS_REFERENCE_KEY"),
        ("GET", "query", 400, "MALFORMED_QUERY"),
    ],
)
def test_errors_are_arrays_with_a_code(org: Org, method: str, path: str, status: int, code: str) -> None:
    """Unknown paths, versions, objects and rows, and wrong methods, have the vendor's status and code."""
    answer = org.ask(method, path)
    assert (status, code) == (answer.status_code, answer.json()[0]["errorCode"])


def test_every_answer_carries_scenario_time_and_costs_one_call(org: Org) -> None:
    """Date is the scenario's; the request log has cost 1 for API calls and 0 for the list of versions."""
    org.clock.advance(HOUR)
    answer = org.query("SELECT Id FROM Account")
    assert "Mon, 02 Mar 2026 07:00:00 GMT" == answer.headers["Date"]
    listed = requests.get(f"{org.served.url}/services/data", timeout=TIMEOUT)
    assert VERSION == listed.json()[-1]["version"]
    assert [1, 0] == [e.cost for e in org.log.entries()]


def test_ids_and_locators_group_in_the_request_log(org: Org) -> None:
    """The log's path template has names in place of record ids and locators."""
    row = org.add("Account", "001", 1, Name="x")
    org.ask("GET", f"sobjects/Account/{row}")
    org.ask("GET", "query/01gHs0000000099IAA-2000")
    assert [
        f"/services/data/v{VERSION}/sobjects/Account/{{record_id}}",
        f"/services/data/v{VERSION}/query/{{locator}}",
    ] == [e.template for e in org.log.entries()]


def test_a_large_object_pages_quickly(org: Org) -> None:
    """25,000 e-mails with eight fields are read in under six seconds of real time, in stamp order, each once."""
    for number in range(25_000):
        fields = {"Subject": f"s{number}", "FromAddress": "a@b.example", "ToAddress": "c@d.example", "Incoming": True}
        org.add("EmailMessage", "02s", number, at=NOW - number * SECOND, MessageDate=At(NOW), **fields)
    soql = "SELECT Id, Subject, FromAddress, ToAddress, Incoming, MessageDate, CreatedDate, SystemModstamp FROM EmailMessage"
    answer = org.query(f"{soql} ORDER BY SystemModstamp, Id", "queryAll")
    spent, rows, body = answer.elapsed.total_seconds(), len(answer.json()["records"]), answer.json()
    last = body["records"][-1]["SystemModstamp"]
    while not body["done"]:
        page = org.ask("GET", body["nextRecordsUrl"])
        spent, body = spent + page.elapsed.total_seconds(), page.json()
        assert last <= body["records"][0]["SystemModstamp"]
        last, rows = body["records"][-1]["SystemModstamp"], rows + len(body["records"])
    assert 25_000 == rows
    assert spent < 6


def test_a_keyset_query_reads_ties_once(org: Org) -> None:
    """(stamp = X AND Id > last) OR stamp > X walks through rows of one stamp without loss or repetition."""
    wanted = _fill(org, 700) + [org.add("Contact", "003", n, at=NOW + SECOND, LastName="x") for n in range(700, 720)]
    stamp, last, found = "2026-03-02T06:00:00.000+0000", sf_id("003", 0)[:3] + "0" * 12, []
    while True:
        soql = (
            f"SELECT Id, SystemModstamp FROM Contact WHERE (SystemModstamp = {stamp} AND Id > '{last}') "
            f"OR SystemModstamp > {stamp} ORDER BY SystemModstamp, Id LIMIT 100"
        )
        rows = org.ask("GET", f"query?q={quote(soql, safe='')}").json()["records"]
        if not rows:
            break
        found += [r["Id"] for r in rows]
        stamp, last = rows[-1]["SystemModstamp"], rows[-1]["Id"]
    assert wanted == found


def test_a_late_commit_shows_after_its_stamp(org: Org) -> None:
    """Stamped 06:00:00, visible from 06:00:04: a reader that passed 06:00:02 in between must look back for it."""
    row = sf_id("001", 900)
    org.late("create", "Account", row, at=NOW, commit_at=NOW + 4 * SECOND, Name="Late")
    soql = "SELECT Id FROM Account WHERE Name = 'Late' AND SystemModstamp <= 2026-03-02T06:00:00Z"
    org.clock.advance(2 * SECOND)
    assert [] == org.ids(soql)
    org.clock.advance(2 * SECOND)
    assert [row] == org.ids(soql)
    org.late("update", "Account", row, at=NOW + 5 * SECOND, commit_at=NOW + 60 * SECOND, Name="Later")
    org.clock.advance(30 * SECOND)
    assert [row] == org.ids(soql)
    org.clock.advance(30 * SECOND)
    found = org.query("SELECT SystemModstamp FROM Account WHERE Name = 'Later'").json()["records"]
    assert ["2026-03-02T06:00:05.000+0000"] == [r["SystemModstamp"] for r in found]


def test_pages_shrink_with_long_text(org: Org) -> None:
    """The asked-for size is not kept, done and nextRecordsUrl are; every row comes once."""
    for number in range(10):
        org.add("Case", "500", number, Subject="x" * 100)
    org.switch(page_characters=350)
    first = org.query("SELECT Id, Subject FROM Case").json()
    assert (10, False) == (first["totalSize"], first["done"])
    assert 1 < len(first["records"]) < 10
    assert sorted(sf_id("500", n) for n in range(10)) == sorted(org.ids("SELECT Id, Subject FROM Case"))


def test_cursors_die_on_command(org: Org) -> None:
    """INVALID_QUERY_LOCATOR for the next page of a query whose cursor was taken away."""
    for number in range(300):
        org.add("Case", "500", number, Subject="x")
    answer = org.query("SELECT Id FROM Case", **{"Sforce-Query-Options": "batchSize=200"}).json()
    org.state.expire_cursors()
    refused = org.ask("GET", answer["nextRecordsUrl"])
    assert (400, "INVALID_QUERY_LOCATOR") == (refused.status_code, refused.json()[0]["errorCode"])


def test_queries_can_be_too_large(org: Org) -> None:
    """QUERY_TIMEOUT above a number of rows, OPERATION_TOO_LARGE above a number of parents of activities; jobs fail so."""
    for number in range(6):
        org.add("Task", "00T", number, WhatId=sf_id("001", number), WhoId=sf_id("003", 1))
    org.switch(query_rows=5)
    assert "QUERY_TIMEOUT" == org.query("SELECT Id FROM Task").json()[0]["errorCode"]
    assert 200 == org.query("SELECT Id FROM Task LIMIT 5").status_code
    job = org.job("SELECT Id FROM Task").json()["id"]
    assert "Failed" == org.finish(job)
    assert org.ask("GET", f"jobs/query/{job}").json()["errorMessage"].startswith("QUERY_TIMEOUT")
    org.switch(query_rows=None, activity_parents=5)
    error = org.query("SELECT Id, WhoId FROM Task").json()[0]
    assert ("OPERATION_TOO_LARGE", "exceeded 5 distinct who/what's") == (error["errorCode"], error["message"])
    assert 200 == org.query("SELECT Id FROM Task LIMIT 4").status_code


def test_single_queries_are_refused_by_script(org: Org) -> None:
    """A scripted refusal meets the query it names, also inside a composite, and leaves the parts beside it alone."""
    org.state.query_faults.append(QueryFault("FROM Case", "INVALID_FIELD", "No such column"))
    parts = [{"url": f"query?q=SELECT+Id+FROM+{name}"} for name in ("Account", "Case", "Contact")]
    first, second = (org.composite(*parts).json()["compositeResponse"] for _ in range(2))
    assert [200, 400, 200] == [p["httpStatusCode"] for p in first]
    assert [200, 200, 200] == [p["httpStatusCode"] for p in second]


def test_the_vendors_clock_may_be_off(org: Org) -> None:
    """Ten minutes fast: the Date header and the stamps of writes agree with each other, not with the scenario."""
    org.state.store.skew = 600 * SECOND
    made = org.ask("POST", "sobjects/Account", {"Name": "x"})
    assert "Mon, 02 Mar 2026 06:10:00 GMT" == made.headers["Date"]
    found = org.query("SELECT SystemModstamp FROM Account").json()["records"]
    assert ["2026-03-02T06:10:00.000+0000"] == [r["SystemModstamp"] for r in found]
