"""The allowance of calls: what counts, how it is told, how it runs out; and /composite/batch, which counts each part."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.clock import DAY
from tests.sandbox.salesforce_org import Org, serving, sf_id


@pytest.fixture
def org() -> Iterator[Org]:
    """An org with three accounts."""
    with serving() as served:
        for number in range(3):
            served.add("Account", "001", number, Name=f"A{number}")
        yield served


@pytest.mark.parametrize("share", [79, 81])
def test_the_header_tells_what_others_used(org: Org, share: int) -> None:
    """What was set shows in the header of the next answer, counted on by it; after a day it has lapsed."""
    org.state.usage.put(share - 1, 100)
    assert f"api-usage={share}/100" == org.query("SELECT Id FROM Account").headers["Sforce-Limit-Info"]
    assert f"api-usage={share + 1}/100" == org.ask("GET", "sobjects/Nope/describe").headers["Sforce-Limit-Info"]
    assert {"Max": 100, "Remaining": 98 - share} == org.ask("GET", "limits").json()["DailyApiRequests"]
    org.clock.advance(DAY)
    assert "api-usage=1/100" == org.query("SELECT Id FROM Account").headers["Sforce-Limit-Info"]


def test_too_many_at_once_is_told_apart_from_the_day(org: Org) -> None:
    """The same code with another text; the refused request is not counted and a later one is served."""
    org.state.usage.crowded = 2
    answers = [org.query("SELECT Id FROM Account") for _ in range(3)]
    assert [403, 403, 200] == [a.status_code for a in answers]
    error = answers[0].json()[0]
    assert "REQUEST_LIMIT_EXCEEDED" == error["errorCode"]
    assert error["message"].startswith("ConcurrentRequests")
    assert "api-usage=1/100000" == answers[2].headers["Sforce-Limit-Info"]


def test_a_composite_counts_once_or_each_part(org: Org) -> None:
    """One call by the guide; each part when so switched."""
    parts = [{"url": "query?q=SELECT+Id+FROM+Account"}] * 3
    org.composite(*parts)
    assert 1 == org.state.usage.used
    org.switch(composite_counts_parts=True)
    org.composite(*parts)
    assert 4 == org.state.usage.used
    assert [1, 3] == [e.cost for e in org.log.entries()]


def test_a_batch_counts_every_part(org: Org) -> None:
    """Each part has its own status and result, in order, and is a call."""
    answer = org.batch(
        {"url": f"sobjects/Account/{sf_id('001', 1)}?fields=Name"},
        {"url": "query?q=SELECT+Nope+FROM+Account"},
        {"method": "PATCH", "url": f"sobjects/Account/{sf_id('001', 1)}", "richInput": {"Name": "New"}},
    ).json()
    assert (True, [200, 400, 204]) == (answer["hasErrors"], [r["statusCode"] for r in answer["results"]])
    assert "A1" == answer["results"][0]["result"]["Name"]
    assert "INVALID_FIELD" == answer["results"][1]["result"][0]["errorCode"]
    assert 3 == org.state.usage.used


def test_a_batch_halts_if_asked(org: Org) -> None:
    """With haltOnError what follows a failure is 412 BATCH_PROCESSING_HALTED; more than 25 parts are refused."""
    parts = [{"url": "query?q=SELECT+Nope+FROM+Account"}, {"url": "limits"}]
    assert [400, 200] == [r["statusCode"] for r in org.batch(*parts).json()["results"]]
    halted = org.batch(*parts, halt=True).json()["results"]
    assert [400, 412] == [r["statusCode"] for r in halted]
    assert "BATCH_PROCESSING_HALTED" == halted[1]["result"][0]["errorCode"]
    assert 400 == org.batch(*([{"url": "limits"}] * 26)).status_code
    assert 400 == org.batch({"url": "jobs/query"}).status_code
