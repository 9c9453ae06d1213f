"""Writing to the imitation HubSpot: what it refuses, and how batches fail."""

from __future__ import annotations

import json

import pytest
import requests

from sandbox.clock import SECOND, iso_ms
from tests.sandbox.hubspot_portal import DATED, NOW, Portal, ids

OLD = "/crm/objects/2026-03"


@pytest.fixture
def shelf(portal: Portal) -> Portal:
    """Three companies of yesterday."""
    for row_id in ("1", "2", "3"):
        portal.add("companies", row_id, {"name": f"c{row_id}"}, at=NOW - 86_400 * SECOND)
    return portal


def _problems(response: requests.Response) -> list[tuple[str, str]]:
    """(property, error) of each problem in a 400's message."""
    assert (response.status_code, response.json()["category"]) == (400, "VALIDATION_ERROR")
    prefix, _, problems = response.json()["message"].partition(": ")
    assert prefix == "Property values were not valid"
    return [(p["name"], p["error"]) for p in json.loads(problems)]


def test_patch_stamps_and_clears(shelf: Portal) -> None:
    """A write is stamped with the scenario clock; an empty text clears."""
    shelf.clock.advance(5 * SECOND)
    body = {"properties": {"arr": "1200.5", "customer_tier": "tier_2", "renewal_date": "2026-09-30", "csm": "102"}}
    record = shelf.call("PATCH", f"{DATED}/companies/1", body).json()
    assert record["updatedAt"] == record["properties"]["hs_lastmodifieddate"] == iso_ms(NOW + 5 * SECOND)
    assert (record["properties"]["arr"], record["properties"]["renewal_date"]) == ("1200.5", "2026-09-30")
    cleared = shelf.call("PATCH", f"{DATED}/companies/1", {"properties": {"customer_tier": ""}}).json()
    assert cleared["properties"]["customer_tier"] is None


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("nope", "1", "PROPERTY_DOESNT_EXIST"),
        ("customer_tier", "tier_1 ", "INVALID_OPTION"),
        ("customer_tier", "Tier 1", "INVALID_OPTION"),
        ("auto_renews", "yes", "INVALID_OPTION"),
        ("arr", "ten", "INVALID_DOUBLE"),
        ("arr", "inf", "INVALID_DOUBLE"),
        ("arr", "1_000", "INVALID_DOUBLE"),
        ("arr", "5,333", "INVALID_DOUBLE"),
        ("arr", " 5", "INVALID_VALUE"),
        ("customer_tier", "tier_1\N{NO-BREAK SPACE}", "INVALID_OPTION"),
        ("customer_tier", "\N{ZERO WIDTH SPACE}tier_1", "INVALID_OPTION"),
        ("renewal_date", "30/09/2026", "INVALID_DATE"),
        ("hs_object_id", "9", "READ_ONLY_VALUE"),
        ("csm", "999", "INVALID_OWNER_ID"),
    ],
)
def test_bad_values_are_refused_whole(shelf: Portal, name: str, value: str, error: str) -> None:
    """One bad value refuses the record, and names itself inside the message; nothing is written."""
    response = shelf.call("PATCH", f"{DATED}/companies/1", {"properties": {name: value, "name": "changed"}})
    assert _problems(response) == [(name, error)]
    assert shelf.call("GET", f"{DATED}/companies/1?properties=name").json()["properties"]["name"] == "c1"


def test_create_answers_201_with_its_address(portal: Portal) -> None:
    """A new record has an id, stamps, derived properties and its links."""
    portal.add("companies", "7", {"name": "Acme"})
    body = {
        "properties": {"email": "Zoe@Acme.example", "firstname": "Zoë"},
        "associations": [
            {"to": {"id": 7}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}]}
        ],
    }
    response = portal.call("POST", f"{DATED}/contacts", body)
    record = response.json()
    assert (response.status_code, record["createdAt"]) == (201, iso_ms(NOW))
    assert response.headers["Location"] == f"https://api.hubapi.com{DATED}/contacts/{record['id']}"
    linked = portal.call("GET", f"{DATED}/companies/7/associations/contacts").json()["results"]
    assert [t["typeId"] for t in linked[0]["associationTypes"]] == [2, 280]
    again = portal.call("POST", f"{DATED}/contacts", {"properties": {"email": "zoe@acme.example"}})
    assert (again.status_code, again.json()["category"]) == (409, "CONFLICT")
    assert record["id"] in again.json()["message"]


def test_required_properties_by_version(shelf: Portal) -> None:
    """`2026-09` refuses to leave a required property empty, `2026-03` does not; a switch turns it off."""
    empty = {"properties": {"name": ""}}
    refused = shelf.call("PATCH", f"{DATED}/companies/1", empty)
    assert refused.status_code == 400
    assert refused.json()["errors"] == [
        {
            "code": "MISSING_REQUIRED_PROPERTY",
            "message": "A value for name must be provided",
            "context": {"propertyName": ["name"]},
        }
    ]
    assert shelf.call("PATCH", f"{OLD}/companies/1", empty).status_code == 200
    tier = {"properties": {"customer_tier": "tier_1"}}
    assert shelf.call("PATCH", f"{DATED}/companies/1", tier).status_code == 400
    shelf.state.switches.enforce_required = False
    assert shelf.call("PATCH", f"{DATED}/companies/1", tier).status_code == 200
    assert shelf.call("POST", f"{OLD}/tickets", {"properties": {"subject": "x"}}).status_code == 400


def _tiers(*values: tuple[str, str]) -> dict[str, object]:
    return {
        "inputs": [{"id": i, "properties": {"customer_tier": v}, "objectWriteTraceId": f"trace-{i}"} for i, v in values]
    }


def _written(portal: Portal) -> dict[str, str | None]:
    page = portal.call("GET", f"{DATED}/companies?properties=customer_tier").json()["results"]
    return {r["id"]: r["properties"]["customer_tier"] for r in page}


def test_batch_update_results_are_not_in_input_order(shelf: Portal) -> None:
    """Results are to be matched by id."""
    response = shelf.call("POST", f"{OLD}/companies/batch/update", _tiers(("1", "tier_1"), ("2", "tier_2")))
    assert (response.status_code, ids(response)) == (200, ["2", "1"])
    assert _written(shelf) == {"1": "tier_1", "2": "tier_2", "3": None}


@pytest.mark.parametrize(
    ("mode", "status", "written"), [("whole", 400, {}), ("partial", 207, {"1": "tier_1"}), ("silent", 200, {})]
)
def test_batch_update_with_one_bad_row(shelf: Portal, mode: str, status: int, written: dict[str, str]) -> None:
    """Three vendors' worth of behaviour: all refused, the rest written, or nothing done and nothing said."""
    shelf.state.switches.batch_errors = mode
    response = shelf.call("POST", f"{OLD}/companies/batch/update", _tiers(("1", "tier_1"), ("2", "tier_9")))
    assert response.status_code == status
    assert {k: v for k, v in _written(shelf).items() if v} == written
    if mode == "partial":
        (error,) = response.json()["errors"]
        assert error["context"] == {"ids": ["2"], "objectWriteTraceId": ["trace-2"]}
    if mode == "silent":
        assert response.json()["results"] == []


def test_batch_upsert_changes_and_creates(portal: Portal) -> None:
    """By a unique property: 200, each result says whether it is new; a bad or doubled input leaves nothing written."""
    portal.add("contacts", "5", {"email": "zoe@acme.example"})
    path = f"{OLD}/contacts/batch/upsert"

    def upsert(*rows: tuple[str, dict[str, str]], by: str = "email") -> requests.Response:
        inputs = [{"id": i, "idProperty": by, "properties": p} for i, p in rows]
        return portal.call("POST", path, {"inputs": inputs})

    named = {"firstname": "Z"}
    response = upsert(("Zoe@Acme.example", named), ("new@acme.example", named))
    assert response.status_code == 200
    assert {r["id"] == "5": r["new"] for r in response.json()["results"]} == {True: False, False: True}
    for wrong in (
        upsert(("x@acme.example", named), ("y@acme.example", {"nope": "1"})),
        upsert(("x@acme.example", named), ("X@acme.example", named)),
        upsert(("x", named), by="firstname"),
    ):
        assert (wrong.status_code, wrong.json()["category"]) == (400, "VALIDATION_ERROR")
    assert portal.call("POST", path, {"inputs": [{"id": "404", "properties": named}]}).status_code == 404
    page = portal.call("GET", f"{OLD}/contacts?properties=email,firstname").json()["results"]
    assert {(r["properties"]["email"].lower(), r["properties"]["firstname"]) for r in page} == {
        ("zoe@acme.example", "Z"),
        ("new@acme.example", "Z"),
    }


def test_batch_update_of_missing_and_doubled_ids(shelf: Portal) -> None:
    """An id that is not there is a 207's error; the same id twice, or 101 rows, is refused."""
    response = shelf.call("POST", f"{OLD}/companies/batch/update", _tiers(("1", "tier_1"), ("404", "tier_1")))
    assert (response.status_code, ids(response)) == (207, ["1"])
    assert response.json()["errors"][0]["context"] == {"ids": ["404"]}
    twice = shelf.call("POST", f"{OLD}/companies/batch/update", _tiers(("1", "tier_1"), ("1", "tier_2")))
    assert twice.status_code == 400
    many = _tiers(*((str(n), "tier_1") for n in range(101)))
    assert shelf.call("POST", f"{OLD}/companies/batch/update", many).status_code == 400


def test_batch_create_and_archive(portal: Portal) -> None:
    """Batch create answers 201 in another order, batch archive 204 whatever the ids."""
    body = {"inputs": [{"properties": {"name": n}} for n in ("a", "b", "c")]}
    made = portal.call("POST", f"{DATED}/companies/batch/create", body)
    assert made.status_code == 201
    assert [r["properties"]["name"] for r in made.json()["results"]] == ["c", "b", "a"]
    gone = {"inputs": [{"id": ids(made)[0]}, {"id": "404"}]}
    response = portal.call("POST", f"{DATED}/companies/batch/archive", gone)
    assert (response.status_code, response.content) == (204, b"")
    assert len(ids(portal.call("GET", f"{DATED}/companies"))) == 2


def test_links_by_batch(portal: Portal) -> None:
    """Created links tell their ends and labels, an unknown id is a 207's error, and archiving unlinks."""
    portal.add("companies", "7", {"name": "a"})
    portal.add("contacts", "5", {"email": "a@b.example"})
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 2}]
    path = "/crm/associations/2026-09/companies/contacts/batch"
    body = {"inputs": [{"from": {"id": 7}, "to": {"id": i}, "types": types} for i in (5, 1234)]}
    response = portal.call("POST", f"{path}/create", body)
    assert response.status_code == 207
    (made,) = response.json()["results"]
    assert (made["fromObjectTypeId"], made["toObjectId"], made["labels"]) == ("0-2", "5", ["Primary"])
    assert response.json()["errors"][0]["message"] == "CONTACT=1234 is not valid"
    body = {"inputs": [{"from": {"id": "7"}, "to": [{"id": "5"}]}]}
    assert portal.call("POST", f"{path}/archive", body).status_code == 204
    assert portal.call("GET", f"{DATED}/companies/7/associations/contacts").json()["results"] == []


def test_bodies_must_be_json(portal: Portal) -> None:
    """Another content type is 415, broken JSON 400."""
    headers = {"Authorization": "Bearer pat-na1-tests", "Content-Type": "text/plain"}
    url = f"{portal.served.url}{DATED}/companies/search"
    assert requests.post(url, data="{}", headers=headers, timeout=5).status_code == 415
    headers["Content-Type"] = "application/json"
    assert requests.post(url, data="{", headers=headers, timeout=5).status_code == 400


def test_property_can_be_made_and_used(portal: Portal) -> None:
    """A custom property takes values at once; its name must be free."""
    body = {
        "name": "mood",
        "label": "Mood",
        "type": "enumeration",
        "fieldType": "select",
        "groupName": "companyinformation",
        "options": [{"label": "Good", "value": "good"}],
    }
    assert portal.call("POST", "/crm/properties/2026-09/companies", body).status_code == 201
    assert portal.call("POST", "/crm/properties/2026-09/companies", body).status_code == 409
    portal.add("companies", "1", {"name": "a"})
    fine = portal.call("PATCH", f"{DATED}/companies/1", {"properties": {"mood": "good"}})
    assert fine.json()["properties"]["mood"] == "good"
    bad = portal.call("PATCH", f"{DATED}/companies/1", {"properties": {"mood": "bad"}})
    assert _problems(bad) == [("mood", "INVALID_OPTION")]
