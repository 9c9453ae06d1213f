"""Composite: several calls in one, their limits, headers of their own, references, and roll-back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from tests.sandbox.salesforce_org import NOW, VERSION, Org, serving, sf_id

ACCOUNTS = "queryAll?q=" + quote("SELECT Id, Name FROM Account ORDER BY Id")


@pytest.fixture
def org() -> Iterator[Org]:
    """An org with two sellers and 450 accounts of the first one."""
    with serving() as served:
        for number in (1, 2):
            served.add("User", "005", number, LastName=f"Seller {number}", IsActive=True)
        for number in range(450):
            served.add("Account", "001", number, Name=f"A{number}", OwnerId=sf_id("005", 1))
        yield served


def _patch(tier: str, number: int = 0, **part: Any) -> dict[str, Any]:
    record = {"attributes": {"type": "Account"}, "id": sf_id("001", number), "Customer_Tier__c": tier}
    return {"method": "PATCH", "url": "composite/sobjects", "body": {"records": [record]}, **part}


def test_five_queries_are_one_call(org: Org) -> None:
    """Each part has status, headers and body of its own; a wrong one loses nobody else's; the whole costs one call."""
    answer = org.composite(
        {"url": ACCOUNTS},
        {"url": "query?q=SELECT+Nope+FROM+Account"},
        {"url": "query?q=SELECT+Id+FROM+User"},
        {"url": "query?q=SELECT+COUNT()+FROM+Account"},
        {"url": "query?q=nonsense"},
        {"url": "sobjects/Account/describe"},
    )
    assert 200 == answer.status_code
    parts = answer.json()["compositeResponse"]
    assert [200, 400, 200, 200, 400, 200] == [p["httpStatusCode"] for p in parts]
    assert [f"r{n}" for n in range(6)] == [p["referenceId"] for p in parts]
    assert (450, "INVALID_FIELD") == (parts[0]["body"]["totalSize"], parts[1]["body"][0]["errorCode"])
    assert {"body", "httpHeaders", "httpStatusCode", "referenceId"} == set(parts[0])
    assert ([1], f"api-usage=1/{org.state.usage.limit}") == (
        [e.cost for e in org.log.entries()],
        answer.headers["Sforce-Limit-Info"],
    )


def test_next_pages_ride_in_composites(org: Org) -> None:
    """BatchSize goes into a part's own headers; its nextRecordsUrl is the next composite's part."""
    header = {"httpHeaders": {"Sforce-Query-Options": "batchSize=200"}}
    found: list[str] = []
    url = ACCOUNTS
    while url:
        body = org.composite({"url": url, **header}).json()["compositeResponse"][0]["body"]
        found += [r["Id"] for r in body["records"]]
        url = body.get("nextRecordsUrl", "")
    assert [sf_id("001", n) for n in range(450)] == found
    assert 3 == len(org.log.entries())


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ([{"url": "sobjects"}] * 26, "LIMIT_EXCEEDED"),
        ([{"url": "query?q=SELECT+Id+FROM+User"}] * 6, "LIMIT_EXCEEDED"),
        ([{"url": "query/01gAp0000000001IAA-2000"}] * 3 + [_patch("Tier 1")] * 3, "LIMIT_EXCEEDED"),
        ([{"url": "sobjects", "referenceId": "same"}] * 2, "INVALID_INPUT"),
        ([{"url": "query?q=SELECT Id FROM User"}], "INVALID_INPUT"),
        ([{"url": "https://elsewhere.example/services/data/v67.0/sobjects"}], "INVALID_INPUT"),
        ([{"url": "sobjects", "httpHeaders": {"Authorization": "Bearer x"}}], "INVALID_INPUT"),
        ([{"url": "sobjects", "nope": 1}], "JSON_PARSER_ERROR"),
        ([], "JSON_PARSER_ERROR"),
    ],
)
def test_malformed_composites_fail_whole(org: Org, parts: list[dict[str, Any]], code: str) -> None:
    """Over 25 parts, over 5 queries and collections, double names and odd addresses: 400 for everything."""
    if parts and parts[0]["url"].startswith("https:"):
        body = {"compositeRequest": [{"method": "GET", "referenceId": "a", **parts[0]}]}
        answer = org.ask("POST", "composite", body)
    else:
        answer = org.composite(*parts)
    assert (400, code) == (answer.status_code, answer.json()[0]["errorCode"])


def test_25_parts_of_which_5_are_queries_are_taken(org: Org) -> None:
    """The limits themselves are still allowed."""
    answer = org.composite(*[{"url": "sobjects/User"}] * 20, *[{"url": "query?q=SELECT+Id+FROM+User"}] * 5)
    assert [200] * 25 == [p["httpStatusCode"] for p in answer.json()["compositeResponse"]]


def test_a_part_does_not_inherit_auto_assign(org: Org) -> None:
    """Only the header of the part itself keeps the owner; the one of the whole request does not reach it."""
    url = f"/services/data/v{VERSION}/composite"
    parts = [
        _patch("Tier 1", 0, httpHeaders={"Sforce-Auto-Assign": "FALSE"}),
        _patch("Tier 1", 1),
    ]
    listed = [
        {**p, "url": f"/services/data/v{VERSION}/{p['url']}", "referenceId": f"r{n}"} for n, p in enumerate(parts)
    ]
    org.ask("POST", url, {"compositeRequest": listed}, {"Sforce-Auto-Assign": "FALSE"})
    rows = org.query(f"SELECT OwnerId FROM Account WHERE Id IN ('{sf_id('001', 0)}', '{sf_id('001', 1)}') ORDER BY Id")
    assert [sf_id("005", 1), sf_id("005", 2)] == [r["OwnerId"] for r in rows.json()["records"]]


def test_a_thousand_rows_are_one_call(org: Org) -> None:
    """Five collections of up to 200 rows ride in one composite."""
    groups = [range(start, min(start + 200, 450)) for start in range(0, 450, 200)]
    parts = []
    for group in groups:
        part = _patch("Tier 1")
        part["body"] = {
            "allOrNone": False,
            "records": [
                {"attributes": {"type": "Account"}, "id": sf_id("001", n), "Customer_Tier__c": "Tier 1"} for n in group
            ],
        }
        parts.append(part)
    answers = org.composite(*parts).json()["compositeResponse"]
    assert 450 == sum(1 for a in answers for r in a["body"] if r["success"])
    assert [1] == [e.cost for e in org.log.entries()]


def test_later_parts_may_name_earlier_answers(org: Org) -> None:
    """@{ref.id} and @{ref.records[0].Id} stand for what a part gave; an unknown reference halts its part."""
    answers = org.composite(
        {"method": "POST", "url": "sobjects/Contact", "body": {"LastName": "Li"}},
        {"url": "sobjects/Contact/@{r0.id}"},
        {"url": "sobjects/Contact/@{r0.nope}"},
    ).json()["compositeResponse"]
    assert [201, 200, 400] == [a["httpStatusCode"] for a in answers]
    assert ("Li", "PROCESSING_HALTED") == (answers[1]["body"]["Name"], answers[2]["body"][0]["errorCode"])
    assert answers[0]["httpHeaders"]["Location"].endswith(answers[0]["body"]["id"])


def test_all_or_none_undoes_every_part(org: Org) -> None:
    """One failing part takes the others back: created rows are gone, changed ones as before, and they say so."""
    answers = org.composite(
        {"method": "POST", "url": "sobjects/Contact", "body": {"LastName": "Li"}},
        {"method": "PATCH", "url": f"sobjects/Account/{sf_id('001', 0)}", "body": {"Name": "Other"}},
        {"method": "PATCH", "url": f"sobjects/Account/{sf_id('001', 1)}", "body": {"Nope": 1}},
        all_or_none=True,
    ).json()["compositeResponse"]
    assert ["PROCESSING_HALTED", "PROCESSING_HALTED", "INVALID_FIELD"] == [a["body"][0]["errorCode"] for a in answers]
    assert [] == org.ids("SELECT Id FROM Contact")
    assert [] == org.ids("SELECT Id FROM Account WHERE Name = 'Other'")
    assert 450 == len(org.ids("SELECT Id FROM Account ORDER BY SystemModstamp, Id"))


def test_getdeleted_and_unchanged_describes_ride_along(org: Org) -> None:
    """A part may be /deleted; a describe that did not change is a 304 with a null body."""
    org.change("delete", "Account", sf_id("001", 5), NOW)
    window = "start=2026-03-02T05:00:00Z&end=2026-03-02T07:00:00Z"
    described = org.ask("GET", "sobjects/Account/describe")
    since = {"If-Modified-Since": described.headers["Last-Modified"]}
    deleted, unchanged, other = org.composite(
        {"url": f"sobjects/Account/deleted?{window}"},
        {"url": "sobjects/Account/describe", "httpHeaders": since},
        {"url": "limits"},
    ).json()["compositeResponse"]
    assert [sf_id("001", 5)] == [r["id"] for r in deleted["body"]["deletedRecords"]]
    assert (304, None) == (unchanged["httpStatusCode"], unchanged["body"])
    assert 400 == other["httpStatusCode"]
