"""Rows by external id: found, upserted one by one and in collections, and refused where several have the value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox.salesforce_org import NOW, Org, seconds, serving, sf_id

FIELD = "Ext__c"
ONE, TWIN, OTHER = (sf_id("001", number) for number in (1, 2, 3))


@pytest.fixture
def org() -> Iterator[Org]:
    """An org whose accounts have an external id, which two of them share."""
    with serving() as served:
        served.state.org.catalogue.add_fields("Account", f"{FIELD} string:30 external")
        for number, value in ((1, "shared"), (2, "SHARED"), (3, "alone")):
            served.add("Account", "001", number, at=NOW - seconds(60), Name=f"A{number}", **{FIELD: value})
        yield served


def test_one_row_is_read_and_several_are_listed(org: Org) -> None:
    """The row itself for one, 300 with a JSON array of addresses for several, 404 for none."""
    found = org.ask("GET", f"sobjects/Account/{FIELD}/ALONE?fields=Name")
    assert (200, "A3") == (found.status_code, found.json()["Name"])
    several = org.ask("GET", f"sobjects/Account/{FIELD}/shared")
    addresses = [f"/services/data/v67.0/sobjects/Account/{row_id}" for row_id in (ONE, TWIN)]
    assert (300, addresses) == (several.status_code, several.json())
    none = org.ask("GET", f"sobjects/Account/{FIELD}/nobody")
    missing = [{"message": "The requested resource does not exist", "errorCode": "NOT_FOUND"}]
    assert (404, missing) == (none.status_code, none.json())


@pytest.mark.parametrize("name", ["Namez", "Name"])
def test_other_fields_name_no_row(org: Org, name: str) -> None:
    """A field that is not there, or is no external id, is a 404 in the recorded words."""
    words = f"Provided external ID field does not exist or is not accessible: {name}"
    for method, body in (("GET", None), ("PATCH", {"Site": "x"})):
        answer = org.ask(method, f"sobjects/Account/{name}/A1", body)
        assert (404, [{"message": words, "errorCode": "NOT_FOUND"}]) == (answer.status_code, answer.json())


def test_upsert_changes_or_creates(org: Org) -> None:
    """A known value changes its row, an unknown one makes a row, a shared one changes nothing."""
    body = {"Name": "new"}
    changed = org.ask("PATCH", f"sobjects/Account/{FIELD}/alone", body)
    assert {"id": OTHER, "success": True, "errors": [], "created": False} == changed.json()
    made = org.ask("PATCH", f"sobjects/Account/{FIELD}/fresh", body)
    assert (200, 201) == (changed.status_code, made.status_code)
    assert {"success": True, "errors": [], "created": True} == {k: v for k, v in made.json().items() if k != "id"}
    assert made.headers["Location"].endswith(f"/sobjects/Account/{made.json()['id']}")
    assert 300 == org.ask("PATCH", f"sobjects/Account/{FIELD}/shared", body).status_code
    assert {OTHER, made.json()["id"]} == set(org.ids("SELECT Id FROM Account WHERE Name = 'new'"))
    for name in ("Id", FIELD):
        answer = org.ask("PATCH", f"sobjects/Account/{FIELD}/alone", {name: OTHER})
        assert (400, "INVALID_FIELD") == (answer.status_code, answer.json()[0]["errorCode"])


def test_old_versions_do_not_tell(org: Org) -> None:
    """Before 46.0 a changed row is 204 without content, and a new one has no `created`."""
    base = f"/services/data/v45.0/sobjects/Account/{FIELD}"
    changed = org.ask("PATCH", f"{base}/alone", {"Name": "new"})
    assert (204, b"") == (changed.status_code, changed.content)
    assert {"id", "success", "errors"} == set(org.ask("PATCH", f"{base}/fresh", {"Name": "new"}).json())


def test_a_collection_is_upserted_row_by_row(org: Org) -> None:
    """Each good row says whether it was created; a shared, repeated or missing value is its row's error."""
    values: list[Any] = ["alone", "fresh", "shared", "FRESH", None]
    records = [{"attributes": {"type": "Account"}, "Name": "new", FIELD: value} for value in values]
    answer = org.ask("PATCH", f"composite/sobjects/Account/{FIELD}", {"allOrNone": False, "records": records})
    good, bad = answer.json()[:2], answer.json()[2:]
    assert (200, [False, True]) == (answer.status_code, [row["created"] for row in good])
    assert ["DUPLICATE_EXTERNAL_ID", "DUPLICATE_VALUE", "MISSING_ARGUMENT"] == [
        row["errors"][0]["statusCode"] for row in bad
    ]
    assert all("id" not in row and row["success"] is False for row in bad)
    assert f"[{ONE}, {TWIN}]" in bad[0]["errors"][0]["message"]
    assert {OTHER, good[1]["id"]} == set(org.ids("SELECT Id FROM Account WHERE Name = 'new'"))


def test_all_or_none_takes_upserts_back(org: Org) -> None:
    """With allOrNone neither the changed nor the new row is left when another one fails."""
    records = [
        {"attributes": {"type": "Account"}, "Name": "new", FIELD: value} for value in ("alone", "fresh", "shared")
    ]
    answer = org.ask("PATCH", f"composite/sobjects/Account/{FIELD}", {"allOrNone": True, "records": records})
    codes = [row["errors"][0]["statusCode"] for row in answer.json()]
    assert ["ALL_OR_NONE_OPERATION_ROLLED_BACK"] * 2 + ["DUPLICATE_EXTERNAL_ID"] == codes
    assert [] == org.ids("SELECT Id FROM Account WHERE Name = 'new'")


def test_a_collection_of_another_type_is_refused_whole(org: Org) -> None:
    """The path names the object; a row of another one refuses the request."""
    records = [{"attributes": {"type": "Contact"}, "LastName": "x", FIELD: "alone"}]
    answer = org.ask("PATCH", f"composite/sobjects/Account/{FIELD}", {"records": records})
    assert (400, "INVALID_INPUT") == (answer.status_code, answer.json()[0]["errorCode"])
