"""HubSpot's answers word for word over HTTP: each status, header and body that the sources tell of, once."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from sandbox.hubspot.schema import Property
from sandbox.hubspot.state import Token
from tests.sandbox.hubspot_portal import DATED, Portal

BURST = {"interval-milliseconds", "max", "remaining", "secondly", "secondly-remaining"}
DAY = {"daily", "daily-remaining"}
PREFIX = "x-hubspot-ratelimit-"


def _error(answer: requests.Response) -> dict[str, Any]:
    """An error's body without its correlation id, which must be the header's."""
    body: dict[str, Any] = answer.json()
    assert body.pop("correlationId") == answer.headers["X-HubSpot-Correlation-Id"]
    assert answer.headers["Content-Type"] == "application/json;charset=utf-8"
    return body


def _rate_headers(answer: requests.Response) -> set[str]:
    names = (name.lower() for name in answer.headers)
    return {name.removeprefix(PREFIX) for name in names if name.startswith(PREFIX)}


@pytest.mark.parametrize("kind", ["tickets", "tasks"])
def test_missing_ticket_is_a_page(portal: Portal, kind: str) -> None:
    """GET of a missing ticket or task is 404 with an HTML page in the recorded type; its search answers JSON."""
    answer = portal.call("GET", f"{DATED}/{kind}/404")
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "text/html;charset=iso-8859-1")
    assert answer.text.startswith("<html>")
    assert portal.search(kind).json() == {"total": 0, "results": []}


def test_other_missing_records_are_json(portal: Portal) -> None:
    """404 OBJECT_NOT_FOUND for anything else."""
    answer = portal.call("GET", f"{DATED}/companies/404")
    assert answer.status_code == 404
    assert _error(answer) == {"status": "error", "message": "resource not found", "category": "OBJECT_NOT_FOUND"}


def test_bad_values_are_json_inside_the_message(portal: Portal) -> None:
    """400 VALIDATION_ERROR; the message holds a JSON list that names property, error code and words."""
    portal.add("companies", "7", {"name": "a"})
    body = _error(portal.call("PATCH", f"{DATED}/companies/7", {"properties": {"arr": "ten"}}))
    words, _, problems = body["message"].partition(": ")
    assert (words, body["category"]) == ("Property values were not valid", "VALIDATION_ERROR")
    (problem,) = json.loads(problems)
    assert (problem["isValid"], problem["error"], problem["name"]) == (False, "INVALID_DOUBLE", "arr")


def test_a_partial_batch_counts_its_errors(portal: Portal) -> None:
    """207 with COMPLETE, numErrors and errors, whose entries are errors without a correlation id."""
    portal.add("companies", "7", {"name": "a"})
    body = {"inputs": [{"id": "7"}, {"id": "404"}], "properties": ["name"]}
    answer = portal.call("POST", f"{DATED}/companies/batch/read", body)
    told = answer.json()
    assert (answer.status_code, told["status"], told["numErrors"]) == (207, "COMPLETE", len(told["errors"]))
    (error,) = told["errors"]
    assert (error["status"], error["category"], error["context"]) == ("error", "OBJECT_NOT_FOUND", {"ids": ["404"]})
    assert "correlationId" not in error


def test_what_exists_already_is_a_conflict(portal: Portal) -> None:
    """409 OBJECT_ALREADY_EXISTS for a property's name."""
    portal.add_property("companies", Property("twice", "string", custom=True))
    body = {"name": "twice", "label": "t", "type": "string", "fieldType": "text", "groupName": "companyinformation"}
    answer = portal.call("POST", "/crm/properties/2026-09/companies", body)
    assert (answer.status_code, _error(answer)["category"]) == (409, "OBJECT_ALREADY_EXISTS")


def test_the_search_bucket_says_little(portal: Portal) -> None:
    """429 in the recorded words: no policy, no Retry-After, of the rate headers the daily ones only."""
    portal.state.switches.limits, portal.state.switches.searches_per_second = True, 0
    answer = portal.search("companies")
    recorded = {"status": "error", "message": "You have reached your secondly limit.", "category": "RATE_LIMITS"}
    assert (answer.status_code, _error(answer)) == (429, recorded)
    assert (_rate_headers(answer), "Retry-After" in answer.headers) == (DAY, False)


@pytest.mark.parametrize(("switch", "policy"), [("per_ten_seconds", "TEN_SECONDLY_ROLLING"), ("per_day", "DAILY")])
def test_the_other_buckets_name_their_policy(portal: Portal, switch: str, policy: str) -> None:
    """429 with policyName and errorType, and all rate headers at zero where theirs is used up."""
    portal.state.switches.limits = True
    setattr(portal.state.switches, switch, 0)
    answer = portal.call("GET", f"{DATED}/companies")
    told = _error(answer)
    assert (answer.status_code, told["policyName"], told["errorType"]) == (429, policy, "RATE_LIMIT")
    assert told["message"] == f"You have reached your {policy.lower()} limit."
    assert _rate_headers(answer) == BURST | DAY


def test_rate_headers_depend_on_who_asks_for_what(portal: Portal) -> None:
    """A search has no headers of the ten-second bucket, an OAuth token none of the day."""
    portal.state.tokens["oauth"] = Token(oauth=True)
    path = f"{DATED}/companies"
    assert _rate_headers(portal.call("GET", path)) == BURST | DAY
    assert _rate_headers(portal.call("GET", path, token="oauth")) == BURST
    assert _rate_headers(portal.search("companies")) == DAY
    assert _rate_headers(portal.call("POST", f"{path}/search", {}, token="oauth")) == set()
    assert portal.call("GET", path).headers["X-HubSpot-RateLimit-Interval-Milliseconds"] == "10000"


def test_next_page_is_linked_on_another_path(portal: Portal) -> None:
    """`paging.next.link` leads elsewhere than the list that was asked; the cursor alone is to be used."""
    for number in range(11):
        portal.add("contacts", str(number + 1), {"email": f"c{number}@acme.example"})
    following = portal.call("GET", "/crm/v3/objects/contacts").json()["paging"]["next"]
    assert following.keys() == {"after", "link"}
    assert "/crm/objects/v3/contacts?" in following["link"]
    rest = portal.call("GET", f"/crm/v3/objects/contacts?after={following['after']}").json()
    assert ([r["id"] for r in rest["results"]], "paging" in rest) == (["11"], False)


@pytest.mark.parametrize(
    ("from_type", "to_type", "type_id", "label"),
    [
        ("deals", "contacts", 3, None),
        ("contacts", "deals", 4, None),
        ("deals", "companies", 5, "Primary"),
        ("companies", "contacts", 2, "Primary"),
        ("companies", "deals", 342, None),
    ],
)
def test_links_have_the_recorded_type_ids(
    portal: Portal, from_type: str, to_type: str, type_id: int, label: str | None
) -> None:
    """A link made with a recorded type id reads back under it, with the label that it stands for."""
    fields = {"deals": {"dealname": "d"}, "contacts": {"email": "a@acme.example"}, "companies": {"name": "c"}}
    portal.add(from_type, "1", fields[from_type])
    portal.add(to_type, "2", fields[to_type])
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id}]
    body = {"inputs": [{"from": {"id": "1"}, "to": {"id": "2"}, "types": types}]}
    made = portal.call("POST", f"/crm/v4/associations/{from_type}/{to_type}/batch/create", body)
    assert (made.status_code, made.json()["results"][0]["labels"]) == (201, [label] if label else [])
    (read,) = portal.call("GET", f"/crm/v4/objects/{from_type}/1/associations/{to_type}").json()["results"]
    spec = {"category": "HUBSPOT_DEFINED", "typeId": type_id, "label": label}
    assert (read["toObjectId"], spec in read["associationTypes"]) == ("2", True)


def test_links_come_500_a_call(portal: Portal) -> None:
    """The 501st link of a record is on the next page."""
    portal.add("companies", "1", {"name": "c"})
    for number in range(501):
        portal.add("contacts", str(number + 1), {"email": f"c{number}@acme.example"})
        portal.link("companies", "1", "contacts", str(number + 1))
    path = "/crm/v4/objects/companies/1/associations/contacts?limit=500"
    first = portal.call("GET", path).json()
    rest = portal.call("GET", f"{path}&after={first['paging']['next']['after']}").json()
    assert (len(first["results"]), len(rest["results"]), "paging" in rest) == (500, 1, False)


@pytest.mark.parametrize(("body", "status"), [({"query": "x" * 3_000}, 200), ({"query": "x" * 3_001}, 400)])
def test_search_text_has_a_longest(portal: Portal, body: dict[str, str], status: int) -> None:
    """3,000 characters of query are the most."""
    assert portal.search("companies", **body).status_code == status


def test_owners_have_the_recorded_keys(portal: Portal) -> None:
    """An owner is told with the keys of the recordings, and an unknown address finds nobody with 200."""
    (owner, *_) = portal.call("GET", "/crm/v3/owners").json()["results"]
    recorded = {"id", "email", "type", "firstName", "lastName", "userId", "userIdIncludingInactive"}
    assert owner.keys() == recorded | {"createdAt", "updatedAt", "archived"}
    assert (type(owner["id"]), type(owner["userId"]), owner["type"]) == (str, int, "PERSON")
    unknown = portal.call("GET", "/crm/v3/owners?email=nobody@acme.example")
    assert (unknown.status_code, unknown.json()["results"]) == (200, [])
