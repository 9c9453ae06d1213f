"""Query jobs of Bulk API 2.0: life of a job, results page by page, what is refused, and scripted trouble."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import pytest

from sandbox.clock import DAY, HOUR, SECOND
from sandbox.salesforce.bulk import Fate
from sandbox.salesforce.state import Settings
from tests.sandbox.salesforce_org import NOW, Org, serving, sf_id

NASTY = 'a "quoted", line\r\nand\nmore\t; \x00 \U0001f680 ´'


@pytest.fixture
def org() -> Iterator[Org]:
    """An org with seven contacts at one account."""
    with serving() as served:
        served.add("Account", "001", 1, Name="Acme")
        names = ["NA", "null", "", NASTY, " pad ", "None", "0"]
        for number, name in enumerate(names):
            served.add("Contact", "003", number, LastName=name, AccountId=sf_id("001", 1), Product_User__c=number == 1)
        yield served


def _rows(text: str, delimiter: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter))


def _done(org: Org, soql: str, **settings: str) -> str:
    job = org.job(soql, **settings).json()["id"]
    assert "JobComplete" == org.finish(job)
    return str(job)


def test_a_job_is_made_as_the_guide_shows_it(org: Org) -> None:
    """Keys and types of the answer; apiVersion is a number."""
    job = org.job("SELECT Id FROM Contact").json()
    assert {
        "id": job["id"],
        "operation": "query",
        "object": "Contact",
        "createdById": org.state.settings.user_id,
        "createdDate": "2026-03-02T06:00:00.000+0000",
        "systemModstamp": "2026-03-02T06:00:00.000+0000",
        "state": "UploadComplete",
        "concurrencyMode": "Parallel",
        "contentType": "CSV",
        "apiVersion": 67.0,
        "lineEnding": "LF",
        "columnDelimiter": "COMMA",
    } == job
    assert job["id"].startswith("750")


def test_a_job_goes_through_its_states(org: Org) -> None:
    """InProgress for the set number of polls, then JobComplete with the count of records."""
    org.switch(bulk_polls=2)
    job = org.job("SELECT Id FROM Contact").json()["id"]
    answers = [org.ask("GET", f"jobs/query/{job}").json() for _ in range(4)]
    assert ["InProgress", "InProgress", "JobComplete", "JobComplete"] == [a["state"] for a in answers]
    assert [0, 0, 7, 7] == [a["numberRecordsProcessed"] for a in answers]
    assert ("V2Query", 0, True) == tuple(answers[3][k] for k in ("jobType", "retries", "isPkChunkingSupported"))


def test_a_job_may_take_scenario_time(org: Org) -> None:
    """With bulk_time set, polling alone does not finish a job."""
    org.switch(bulk_polls=0, bulk_time=HOUR)
    job = org.job("SELECT Id FROM Contact").json()["id"]
    assert "InProgress" == org.ask("GET", f"jobs/query/{job}").json()["state"]
    org.clock.advance(HOUR)
    assert "JobComplete" == org.ask("GET", f"jobs/query/{job}").json()["state"]


def test_every_value_comes_back_exactly(org: Org) -> None:
    """All cells quoted, null is empty, text is byte for byte, instants end in Z, booleans are words."""
    job = _done(org, "SELECT Id, LastName, Email, Product_User__c, CreatedDate, Account.Name FROM Contact ORDER BY Id")
    answer = org.results(job)
    assert "text/csv" == answer.headers["Content-Type"].split(";")[0]
    lines = answer.content.decode()
    assert lines.startswith('"Id","LastName","Email","Product_User__c","CreatedDate","Account.Name"\n')
    rows = _rows(lines)
    assert ["NA", "null", "", NASTY, " pad ", "None", "0"] == [r["LastName"] for r in rows]
    assert {"", "false", "2026-03-02T06:00:00.000Z", "Acme"} == {
        rows[0][name] for name in ("Email", "Product_User__c", "CreatedDate", "Account.Name")
    }
    assert "true" == rows[1]["Product_User__c"]


def test_pages_follow_the_locator(org: Org) -> None:
    """The parameter maxRecords cuts pages, every page has the head line, the last locator is the text null, a page may be read again."""
    job = _done(org, "SELECT Id FROM Contact")
    first = org.results(job, maxRecords=3)
    second = org.results(job, maxRecords=3, locator=first.headers["Sforce-Locator"])
    third = org.results(job, maxRecords=3, locator=second.headers["Sforce-Locator"])
    again = org.results(job, maxRecords=3, locator=first.headers["Sforce-Locator"])
    assert [3, 3, 1] == [int(a.headers["Sforce-NumberOfRecords"]) for a in (first, second, third)]
    assert "null" == third.headers["Sforce-Locator"]
    assert second.content == again.content
    ids = [r["Id"] for a in (first, second, third) for r in _rows(a.text)]
    assert sorted(sf_id("003", n) for n in range(7)) == sorted(ids)
    assert (400, "INVALID_QUERY_LOCATOR") == _refusal(org.results(job, locator="bm9uZQ"))


def test_an_empty_result_is_a_head_line(org: Org) -> None:
    """No rows: one page with the header and a count of 0."""
    answer = org.results(_done(org, "SELECT Id FROM Contact WHERE LastName = 'nobody'"))
    assert ('"Id"\n', "0", "null") == (
        answer.text,
        answer.headers["Sforce-NumberOfRecords"],
        answer.headers["Sforce-Locator"],
    )


def test_delimiter_and_line_ending_are_the_clients_choice(org: Org) -> None:
    """PIPE and CRLF."""
    job = _done(org, "SELECT Id, LastName FROM Contact", columnDelimiter="PIPE", lineEnding="CRLF")
    text = org.results(job).content.decode()
    assert text.startswith('"Id"|"LastName"\r\n')
    assert 7 == len(_rows(text, "|"))


def test_result_pages_are_listed_five_at_a_time(org: Org) -> None:
    """The resource resultPages gives addresses that together hold every row once."""
    org.switch(bulk_page=1)
    job = _done(org, "SELECT Id FROM Contact")
    answer = org.ask("GET", f"jobs/query/{job}/resultPages").json()
    assert (5, False) == (len(answer["resultPages"]), answer["done"])
    rest = org.ask("GET", answer["nextRecordsUrl"]).json()
    assert (2, True) == (len(rest["resultPages"]), rest["done"])
    links = [p["resultUrl"] for p in answer["resultPages"] + rest["resultPages"]]
    found = [r["Id"] for link in links for r in _rows(org.ask("GET", link, headers={"Accept": "text/csv"}).text)]
    assert 7 == len(found) == len(set(found))


def test_query_all_brings_deleted_rows(org: Org) -> None:
    """The operation queryAll reads what query hides."""
    org.change("delete", "Contact", sf_id("003", 0), NOW)
    soql = "SELECT Id, IsDeleted FROM Contact"
    assert 6 == len(_rows(org.results(_done(org, soql)).text))
    every = _rows(org.results(_done(org, soql, operation="queryAll")).text)
    assert (7, 1) == (len(every), sum(1 for r in every if r["IsDeleted"] == "true"))


def _refusal(answer: object) -> tuple[int, str]:
    return answer.status_code, answer.json()[0]["errorCode"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("soql", "message"),
    [
        ("SELECT Id, BillingAddress FROM Account", "Selecting compound data not supported in Bulk Query"),
        ("SELECT COUNT() FROM Account", "is not supported by the Bulk API"),
        ("SELECT COUNT(Id) FROM Account", "is not supported by the Bulk API"),
        ("SELECT Type FROM Account GROUP BY Type", "is not supported by the Bulk API"),
        ("SELECT Id FROM Account LIMIT 1 OFFSET 1", "is not supported by the Bulk API"),
        ("SELECT TYPEOF What WHEN Account THEN Name END FROM Task", "is not supported by the Bulk API"),
        (
            "SELECT Id, (SELECT Id FROM Contacts) FROM Account",
            "Aggregate Relationships not supported in Bulk Query with CSV content type",
        ),
    ],
)
def test_what_bulk_does_not_take_is_refused(org: Org, soql: str, message: str) -> None:
    """400 with the vendor's text on creation of the job; words inside a quoted text do not count."""
    answer = org.job(soql)
    assert 400 == answer.status_code
    assert message in answer.json()[0]["message"]
    assert 200 == org.job("SELECT Id FROM Account WHERE Name = 'GROUP BY OFFSET 1 (SELECT Id FROM X)'").status_code


def test_refusals_of_the_query_keep_their_text(org: Org) -> None:
    """Unknown fields and objects are refused when the job is made; API_ERROR stands for the code if so switched."""
    own = org.job("SELECT Nope__c FROM Contact").json()[0]
    assert "INVALID_FIELD" == own["errorCode"]
    org.switch(bulk_codes="api_error")
    other = org.job("SELECT Nope__c FROM Contact").json()[0]
    assert ("API_ERROR", own["message"]) == (other["errorCode"], other["message"])
    org.state.no_bulk.add("Contact")
    assert {
        "errorCode": "INVALIDENTITY",
        "message": "Entity 'Contact' is not supported by the Bulk API.",
    } == org.job("SELECT Id FROM Contact").json()[0]


@pytest.mark.parametrize(
    "body",
    [
        {"operation": "insert", "query": "SELECT Id FROM Contact"},
        {"operation": "query"},
        {"operation": "query", "query": "SELECT Id FROM Contact", "contentType": "JSON"},
        {"operation": "query", "query": "SELECT Id FROM Contact", "columnDelimiter": ","},
        {"operation": "query", "query": "SELECT Id FROM Contact", "object": "Contact"},
    ],
)
def test_malformed_orders_are_refused(org: Org, body: dict[str, str]) -> None:
    """A wrong operation, no query, another content type, a delimiter that is no word, an unknown key."""
    assert 400 == org.ask("POST", "jobs/query", body).status_code


def test_results_belong_to_one_api_version(org: Org) -> None:
    """409 for another version than the job's, 404 for the resource before 47.0."""
    job = _done(org, "SELECT Id FROM Contact")
    path = f"jobs/query/{job}/results"
    assert 409 == org.ask("GET", f"/services/data/v66.0/{path}").status_code
    assert 404 == org.ask("GET", f"/services/data/v46.0/{path}").status_code


def test_results_are_not_there_early(org: Org) -> None:
    """204 before the job is complete, or 400 if so switched."""
    org.switch(bulk_polls=5)
    job = org.job("SELECT Id FROM Contact").json()["id"]
    assert (204, b"") == (org.results(job).status_code, org.results(job).content)
    org.switch(bulk_early=400)
    assert (400, "INVALIDJOBSTATE") == _refusal(org.results(job))


def test_abort_and_delete(org: Org) -> None:
    """A job under way is aborted, not deleted; a finished one is deleted, not aborted; deleted is 404."""
    org.switch(bulk_polls=3)
    job = org.job("SELECT Id FROM Contact").json()["id"]
    assert (400, "INVALIDJOBSTATE") == _refusal(org.ask("DELETE", f"jobs/query/{job}"))
    assert "Aborted" == org.ask("PATCH", f"jobs/query/{job}", {"state": "Aborted"}).json()["state"]
    assert (400, "INVALIDJOBSTATE") == _refusal(org.ask("PATCH", f"jobs/query/{job}", {"state": "Aborted"}))
    assert 204 == org.ask("DELETE", f"jobs/query/{job}").status_code
    gone = org.ask("GET", f"jobs/query/{job}")
    assert (404, "NOT_FOUND") == _refusal(gone)
    assert 404 == org.results(job).status_code


def test_jobs_are_listed_newest_first_and_kept_seven_days(org: Org) -> None:
    """The list holds every job with its state."""
    old = org.job("SELECT Id FROM Contact").json()["id"]
    org.clock.advance(6 * DAY)
    new = org.job("SELECT Id FROM Account").json()["id"]
    answer = org.ask("GET", "jobs/query").json()
    assert ([new, old], True, None) == ([j["id"] for j in answer["records"]], answer["done"], answer["nextRecordsUrl"])
    org.clock.advance(DAY)
    assert [new] == [j["id"] for j in org.ask("GET", "jobs/query").json()["records"]]


def test_jobs_count_against_their_own_and_the_daily_limit(org: Org) -> None:
    """The vendor's text once the jobs of 24 hours are used up; /limits tells what is left; each request is a call."""
    org.switch(bulk_jobs=2)
    before = org.state.usage.used
    first, _ = org.job("SELECT Id FROM Contact"), org.job("SELECT Id FROM Contact")
    refused = org.job("SELECT Id FROM Contact")
    assert (400, "LIMIT_EXCEEDED") == _refusal(refused)
    assert "Max bulk v2 query jobs (2) per 24 hrs has been reached" == refused.json()[0]["message"]
    assert {"Max": 2, "Remaining": 0} == org.ask("GET", "limits").json()["DailyBulkV2QueryJobs"]
    assert f"api-usage={before + 1}/100000" == first.headers["Sforce-Limit-Info"]
    assert before + 4 == org.state.usage.used
    org.clock.advance(DAY + SECOND)
    assert 200 == org.job("SELECT Id FROM Contact").status_code


def test_scripted_ends(org: Org) -> None:
    """Failed with its message, Aborted, and a job that never ends; the job after them is well."""
    org.state.bulk.script(Fate("Failed", "QUERY_TIMEOUT: Your query request was running for too long."))
    org.state.bulk.script(Fate("Aborted", object="Contact"))
    org.state.bulk.script(Fate("InProgress"))
    jobs = [org.job("SELECT Id FROM Contact").json()["id"] for _ in range(4)]
    assert ["Failed", "Aborted"] == [org.finish(job) for job in jobs[:2]]
    told = org.ask("GET", f"jobs/query/{jobs[0]}").json()
    assert ("Failed", 0) == (told["state"], told["numberRecordsProcessed"])
    assert told["errorMessage"].startswith("QUERY_TIMEOUT")
    assert {"InProgress"} == {org.ask("GET", f"jobs/query/{jobs[2]}").json()["state"] for _ in range(20)}
    assert "JobComplete" == org.finish(jobs[3])


def test_scripted_pages(org: Org) -> None:
    """A page cut in its last row, a count that is off, an expired locator that comes back, rows that are lost."""
    fate = Fate(cut_page=1, count_page=2, count_off=1, expired_page=3, lost=1)
    org.state.bulk.script(fate)
    job = _done(org, "SELECT Id FROM Contact")
    one = org.results(job, maxRecords=2)
    assert "\n" != one.text[-1]
    two = org.results(job, maxRecords=2, locator=one.headers["Sforce-Locator"])
    assert ("3", 2) == (two.headers["Sforce-NumberOfRecords"], len(_rows(two.text)))
    locator = two.headers["Sforce-Locator"]
    assert (400, "INVALID_QUERY_LOCATOR") == _refusal(org.results(job, maxRecords=2, locator=locator))
    three = org.results(job, maxRecords=2, locator=locator)
    assert (2, "null") == (len(_rows(three.text)), three.headers["Sforce-Locator"])
    assert 7 == org.ask("GET", f"jobs/query/{job}").json()["numberRecordsProcessed"]


def test_a_dead_session_ends_jobs_too(org: Org) -> None:
    """401 INVALID_SESSION_ID between poll and download, or 400 InvalidSessionId as Bulk v1 has it."""
    job = _done(org, "SELECT Id FROM Contact")
    headers = {"Authorization": "Bearer dead"}
    path = f"jobs/query/{job}/results"
    assert (401, "INVALID_SESSION_ID") == _refusal(org.ask("GET", path, headers=headers))
    org.switch(bulk_expiry=400)
    assert (400, "InvalidSessionId") == _refusal(org.ask("GET", path, headers=headers))
    assert 401 == org.ask("GET", "limits", headers=headers).status_code


def test_results_are_gzipped_on_demand(org: Org) -> None:
    """With the switch on, a client that takes gzip gets gzip, and reads the same text."""
    job = _done(org, "SELECT Id FROM Contact")
    plain = org.results(job)
    org.switch(bulk_gzip=True)
    packed = org.results(job)
    assert "gzip" == packed.headers["Content-Encoding"]
    assert plain.content == packed.content


def test_a_result_is_streamed() -> None:
    """A page of many rows comes in pieces, without Content-Length, and a client may hang up in the middle of it."""
    with serving(Settings()) as org:
        org.switch(bulk_polls=0)
        for number in range(3000):
            org.add("Account", "001", number, Name="x" * 255, Description="y" * 2000)
        job = _done(org, "SELECT Id, Name, Description FROM Account")
        token = org.state.settings.access_token
        url = f"{org.served.url}/services/data/v67.0/jobs/query/{job}/results"
        with org.session.get(url, headers={"Authorization": f"Bearer {token}"}, stream=True, timeout=30) as answer:
            assert "Content-Length" not in answer.headers
            first = next(answer.iter_content(1000))
        assert first.startswith(b'"Id","Name","Description"\n')
        assert 3000 == len(_rows(org.results(job).text))


@pytest.mark.parametrize("generated", [False, True])
def test_a_job_may_be_refused_by_script(org: Org, generated: bool) -> None:
    """Creation answers 400 with the scripted code and text for as many jobs as asked, then jobs are made again."""
    text = "Selecting compound data not supported in Bulk Query"
    if generated:
        org.state.generate("Contact", 5, lambda n: {"LastName": f"P{n}"}, NOW)
    org.state.bulk.script(Fate(refused="API_ERROR", message=text, object="Contact", times=2))
    answers = [org.job("SELECT Id FROM Contact") for _ in range(3)]
    assert [400, 400, 200] == [a.status_code for a in answers]
    assert [{"errorCode": "API_ERROR", "message": text}] == answers[0].json()
    assert 1 == org.state.bulk.made()


def test_rows_may_come_in_any_order(org: Org) -> None:
    """Shuffled without ORDER BY, every row once; ORDER BY is obeyed all the same."""
    org.switch(bulk_shuffle=True)
    plain = [r["Id"] for r in _rows(org.results(_done(org, "SELECT Id FROM Contact")).text)]
    ordered = [r["Id"] for r in _rows(org.results(_done(org, "SELECT Id FROM Contact ORDER BY Id")).text)]
    assert plain != ordered
    assert sorted(plain) == ordered == [sf_id("003", n) for n in range(7)]


def test_binary_fields_are_refused(org: Org) -> None:
    """A base64 field is read by REST only."""
    org.state.org.catalogue.add_fields("Contact", "Photo__c base64")
    refused = org.job("SELECT Id, Photo__c FROM Contact")
    assert 400 == refused.status_code
    assert "is not supported by the Bulk API" in refused.json()[0]["message"]


def test_the_size_of_results_is_limited(org: Org) -> None:
    """What was handed out in 24 hours counts; beyond it no job is made, in the vendor's words."""
    org.switch(bulk_storage_kb=1)
    org.change("update", "Contact", sf_id("003", 0), NOW, Description="x" * 3000)
    job = _done(org, "SELECT Id, Description FROM Contact")
    assert 200 == org.job("SELECT Id FROM Contact").status_code
    org.results(job)
    refused = org.job("SELECT Id FROM Contact")
    assert (400, "LIMIT_EXCEEDED") == _refusal(refused)
    assert "Max bulk v2 query result size stored (1) kb per 24 hrs has been exceeded" == refused.json()[0]["message"]
