"""getDeleted and getUpdated: windows on whole minutes, fifteen days back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from sandbox.clock import DAY, HOUR, MINUTE, SECOND, iso_ms
from tests.sandbox.salesforce_org import NOW, Org, serving, sf_id


@pytest.fixture
def org() -> Iterator[Org]:
    """An org with thirty participants of tasks."""
    with serving() as served:
        for number in range(30):
            served.add("TaskRelation", "0RT", number, at=NOW - 40 * DAY, TaskId=sf_id("00T", number))
        yield served


def _window(org: Org, start: int, end: int, what: str = "deleted", name: str = "TaskRelation") -> requests.Response:
    return org.ask("GET", f"sobjects/{name}/{what}?start={iso_ms(start)}&end={iso_ms(end)}")


def _delete(org: Org, number: int, at: int) -> str:
    org.change("delete", "TaskRelation", sf_id("0RT", number), at)
    return sf_id("0RT", number)


def test_deletions_in_the_window_are_told(org: Org) -> None:
    """Ids with their instant in order of time; start belongs to the window, end does not."""
    early, first, last = (_delete(org, n, NOW - HOUR + at) for n, at in enumerate((-SECOND, 0, 59 * MINUTE)))
    answer = _window(org, NOW - HOUR, NOW).json()
    assert [
        {"id": first, "deletedDate": "2026-03-02T05:00:00.000+0000"},
        {"id": last, "deletedDate": "2026-03-02T05:59:00.000+0000"},
    ] == answer["deletedRecords"]
    assert "2026-02-15T06:00:00.000+0000" == answer["earliestDateAvailable"]
    assert "2026-03-02T06:00:00.000+0000" == answer["latestDateCovered"]
    assert early in {r["id"] for r in _window(org, NOW - 2 * HOUR, NOW).json()["deletedRecords"]}


def test_seconds_do_not_count(org: Org) -> None:
    """05:00:10 to 05:01:50 is read as 05:00 to 05:01; 05:00:10 to 05:00:50 is no window at all."""
    inside = _delete(org, 1, NOW - HOUR + 5 * SECOND)
    _delete(org, 2, NOW - HOUR + 70 * SECOND)
    answer = _window(org, NOW - HOUR + 10 * SECOND, NOW - HOUR + 110 * SECOND).json()
    assert [inside] == [r["id"] for r in answer["deletedRecords"]]
    refused = _window(org, NOW - HOUR + 10 * SECOND, NOW - HOUR + 50 * SECOND)
    assert (400, "INVALID_REPLICATION_DATE") == (refused.status_code, refused.json()[0]["errorCode"])


def test_fifteen_days_are_kept(org: Org) -> None:
    """A deletion of 16 days ago is forgotten; a window that begins more than 30 days ago is refused."""
    _delete(org, 1, NOW - 16 * DAY)
    kept = _delete(org, 2, NOW - 14 * DAY)
    answer = _window(org, NOW - 29 * DAY, NOW).json()
    assert [kept] == [r["id"] for r in answer["deletedRecords"]]
    assert "INVALID_REPLICATION_DATE" == _window(org, NOW - 31 * DAY, NOW).json()[0]["errorCode"]


def test_too_many_ids_are_refused() -> None:
    """EXCEEDED_ID_LIMIT says that the window must be halved."""
    with serving() as org:
        org.switch(deleted_limit=3)
        for number in range(4):
            org.add("Account", "001", number, Name="x")
            org.change("delete", "Account", sf_id("001", number), NOW - HOUR + number * 20 * MINUTE)
        assert "EXCEEDED_ID_LIMIT" == _window(org, NOW - HOUR, NOW + MINUTE, name="Account").json()[0]["errorCode"]
        assert 2 == len(_window(org, NOW - HOUR, NOW - HOUR + 30 * MINUTE, name="Account").json()["deletedRecords"])


def test_purged_rows_are_still_told(org: Org) -> None:
    """What was emptied from the recycle bin is gone from queryAll and shows in /deleted."""
    org.add("Account", "001", 1, Name="x")
    org.change("delete", "Account", sf_id("001", 1), NOW - HOUR)
    org.state.purge("Account", sf_id("001", 1))
    assert [] == org.ids("SELECT Id FROM Account", "queryAll")
    told = _window(org, NOW - 2 * HOUR, NOW, name="Account").json()["deletedRecords"]
    assert [sf_id("001", 1)] == [r["id"] for r in told]


def test_updates_are_ids_of_live_rows(org: Org) -> None:
    """Created and changed rows are told, deleted ones are not."""
    for number in range(3):
        org.add("Account", "001", number, at=NOW - DAY, Name="x")
    org.change("update", "Account", sf_id("001", 0), NOW - HOUR, Name="y")
    org.change("delete", "Account", sf_id("001", 1), NOW - HOUR)
    answer = _window(org, NOW - 2 * HOUR, NOW, "updated", "Account").json()
    assert {"ids": [sf_id("001", 0)], "latestDateCovered": "2026-03-02T06:00:00.000+0000"} == answer


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("start=2026-03-01T00:00:00Z", "MISSING_ARGUMENT"),
        ("start=2026-03-01T00:00:00 00:00&end=2026-03-02T00:00:00Z", "ILLEGAL_QUERY_PARAMETER_VALUE"),
        ("start=2026-03-01T00:00:00+00:00&end=2026-03-02T00:00:00Z", "ILLEGAL_QUERY_PARAMETER_VALUE"),
        ("start=yesterday&end=2026-03-02T00:00:00Z", "ILLEGAL_QUERY_PARAMETER_VALUE"),
    ],
)
def test_malformed_windows_are_refused(org: Org, query: str, code: str) -> None:
    """A missing bound and a bound that is no instant; an unescaped + arrives as a space and is none."""
    answer = org.ask("GET", f"sobjects/Account/deleted?{query}")
    assert (400, code) == (answer.status_code, answer.json()[0]["errorCode"])


def test_the_log_may_be_purged_early(org: Org) -> None:
    """With the log cut to two hours, or purged for one object, older deletions are gone and the answer says from when."""
    _delete(org, 1, NOW - 3 * HOUR)
    kept = _delete(org, 2, NOW - HOUR)
    org.switch(deleted_kept=2 * HOUR)
    answer = _window(org, NOW - DAY, NOW).json()
    assert [kept] == [r["id"] for r in answer["deletedRecords"]]
    assert "2026-03-02T04:00:00.000+0000" == answer["earliestDateAvailable"]
    org.state.forget_deletions("TaskRelation", NOW - MINUTE)
    answer = _window(org, NOW - DAY, NOW).json()
    assert ([], "2026-03-02T05:59:00.000+0000") == (answer["deletedRecords"], answer["earliestDateAvailable"])


def test_what_is_covered_may_lag(org: Org) -> None:
    """The answer's latestDateCovered stays behind by the lag and never passes the window's end."""
    org.switch(replication_lag=5 * MINUTE)
    assert "2026-03-02T05:55:00.000+0000" == _window(org, NOW - HOUR, NOW).json()["latestDateCovered"]
    assert "2026-03-02T05:10:00.000+0000" == _window(org, NOW - HOUR, NOW - 50 * MINUTE).json()["latestDateCovered"]


def test_a_window_of_one_minute_may_be_refused(org: Org) -> None:
    """Strictly read, start must precede end by more than a minute."""
    assert 200 == _window(org, NOW - MINUTE, NOW).status_code
    org.switch(replication_strict=True)
    assert "INVALID_REPLICATION_DATE" == _window(org, NOW - MINUTE, NOW).json()[0]["errorCode"]
    assert 200 == _window(org, NOW - 2 * MINUTE, NOW).status_code
