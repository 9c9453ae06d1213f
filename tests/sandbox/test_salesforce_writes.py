"""Writes: single rows and collections, with the refusals of each row and what a write does to stamps and owners."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.clock import HOUR
from sandbox.salesforce.state import RowFault
from tests.sandbox.salesforce_org import NOW, VERSION, Org, serving, sf_id

NO_ASSIGN = {"Sforce-Auto-Assign": "FALSE"}


@pytest.fixture
def org() -> Iterator[Org]:
    """An org with two sellers and three accounts that the first one owns."""
    with serving() as served:
        for number in (1, 2):
            served.add("User", "005", number, LastName=f"Seller {number}", IsActive=True)
        for number in range(3):
            served.add("Account", "001", number, Name=f"A{number}", OwnerId=sf_id("005", 1), Customer_Tier__c="Tier 2")
        yield served


def _codes(results: list[dict[str, Any]]) -> list[str | None]:
    return [None if r["success"] else r["errors"][0]["statusCode"] for r in results]


def test_a_collection_reports_each_row(org: Org) -> None:
    """Good rows are written though others fail; results keep the order; a failed one has no id key."""
    org.change("delete", "Account", sf_id("001", 2), NOW)
    answer = org.update(
        {"id": sf_id("001", 0), "Customer_Tier__c": "Tier 1"},
        {"id": sf_id("001", 1), "Customer_Tier__c": "Gold"},
        {"id": sf_id("001", 2), "Customer_Tier__c": "Tier 1"},
        {"id": sf_id("001", 77), "Customer_Tier__c": "Tier 1"},
        {"id": sf_id("001", 0), "Customer_Tier__c": "Tier 3"},
        {"Customer_Tier__c": "Tier 1"},
        headers=NO_ASSIGN,
    )
    assert 200 == answer.status_code
    results = answer.json()
    assert {"id": sf_id("001", 0), "success": True, "errors": []} == results[0]
    assert [
        None,
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        "ENTITY_IS_DELETED",
        "INVALID_CROSS_REFERENCE_KEY",
        "DUPLICATE_VALUE",
        "MISSING_ARGUMENT",
    ] == _codes(results)
    assert {
        "success": False,
        "errors": [
            {
                "statusCode": "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
                "message": "Customer Tier: bad value for restricted picklist field: Gold",
                "fields": ["Customer_Tier__c"],
            }
        ],
    } == results[1]
    tiers = org.query("SELECT Customer_Tier__c FROM Account ORDER BY Id").json()["records"]
    assert ["Tier 1", "Tier 2"] == [r["Customer_Tier__c"] for r in tiers]


def test_all_or_none_rolls_back(org: Org) -> None:
    """With allOrNone the good sibling is rolled back, says so, and the row is as it was, stamp included."""
    before = org.query("SELECT Customer_Tier__c, SystemModstamp FROM Account ORDER BY Id").json()["records"]
    org.clock.advance(HOUR)
    answer = org.update(
        {"id": sf_id("001", 0), "Customer_Tier__c": "Tier 1"},
        {"id": sf_id("001", 1), "Customer_Tier__c": "Gold"},
        all_or_none=True,
    )
    assert ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"] == _codes(answer.json())
    after = org.query("SELECT Customer_Tier__c, SystemModstamp FROM Account ORDER BY Id").json()["records"]
    assert before == after
    assert 3 == len(org.ids("SELECT Id FROM Account ORDER BY SystemModstamp, Id"))


def test_a_write_moves_the_stamps(org: Org) -> None:
    """SystemModstamp, LastModifiedDate and LastModifiedById tell of the integration user's write, CreatedDate stays."""
    org.clock.advance(HOUR)
    org.update({"id": sf_id("001", 0), "Customer_Tier__c": "Tier 1"}, headers=NO_ASSIGN)
    soql = f"SELECT SystemModstamp, LastModifiedDate, LastModifiedById, CreatedDate FROM Account WHERE Id = '{sf_id('001', 0)}'"
    row = org.query(soql).json()["records"][0]
    moved = "2026-03-02T07:00:00.000+0000"
    assert (moved, moved, org.state.settings.user_id) == (
        row["SystemModstamp"],
        row["LastModifiedDate"],
        row["LastModifiedById"],
    )
    assert "2026-03-02T06:00:00.000+0000" == row["CreatedDate"]


@pytest.mark.parametrize(
    ("headers", "owner"),
    [(NO_ASSIGN, 1), ({"Sforce-Auto-Assign": "false"}, 1), ({"Sforce-Auto-Assign": "TRUE"}, 2), ({}, 2)],
)
def test_without_auto_assign_false_the_owner_moves(org: Org, headers: dict[str, str], owner: int) -> None:
    """The default of Sforce-Auto-Assign is TRUE, and the assignment rules give the account to somebody else."""
    org.update({"id": sf_id("001", 0), "Customer_Tier__c": "Tier 1"}, headers=headers)
    row = org.ask("GET", f"sobjects/Account/{sf_id('001', 0)}?fields=OwnerId").json()
    assert sf_id("005", owner) == row["OwnerId"]


def test_single_rows(org: Org) -> None:
    """Create is 201 with Location, change and delete 204 without content, and a deleted row is 404 to a read."""
    created = org.ask(
        "POST", "sobjects/Contact", {"LastName": "Müller", "FirstName": "Jo", "AccountId": sf_id("001", 0)}
    )
    row_id = created.json()["id"]
    assert (201, f"/services/data/v{VERSION}/sobjects/Contact/{row_id}") == (
        created.status_code,
        created.headers["Location"],
    )
    changed = org.ask("PATCH", f"sobjects/Contact/{row_id}", {"Title": "CFO"})
    assert (204, b"") == (changed.status_code, changed.content)
    row = org.ask("GET", f"sobjects/Contact/{row_id}")
    assert ("Jo Müller", "CFO", False) == (row.json()["Name"], row.json()["Title"], row.json()["IsEmailBounced"])
    assert "last-modified" in {name.lower() for name in row.headers}
    assert 204 == org.ask("DELETE", f"sobjects/Contact/{row_id}").status_code
    assert 404 == org.ask("GET", f"sobjects/Contact/{row_id}").status_code
    assert "ENTITY_IS_DELETED" == org.ask("PATCH", f"sobjects/Contact/{row_id}", {"Title": "x"}).json()[0]["errorCode"]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"Nope__c": 1}, "INVALID_FIELD"),
        ({"SystemModstamp": "2026-01-01T00:00:00Z"}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ({"Id": "001Te0000000000IAA"}, "INVALID_FIELD"),
        ({"Name": None}, "REQUIRED_FIELD_MISSING"),
        ({"Name": "x" * 256}, "STRING_TOO_LONG"),
        ({"ARR__c": "banana"}, "JSON_PARSER_ERROR"),
        ({"Strategic__c": "maybe"}, "JSON_PARSER_ERROR"),
        ({"Renewal_Date__c": "next week"}, "JSON_PARSER_ERROR"),
        ({"Website": {"a": 1}}, "JSON_PARSER_ERROR"),
        ({"Customer_Tier__c": "tier 1"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        ({"CSM__c": "abc"}, "MALFORMED_ID"),
        ({"CSM__c": "001Te0000000000IAA"}, "MALFORMED_ID"),
        ({"CSM__c": "005Te0000000099IAA"}, "INVALID_CROSS_REFERENCE_KEY"),
    ],
)
def test_wrong_values_are_refused(org: Org, fields: dict[str, Any], code: str) -> None:
    """Unknown and read-only fields, wrong types, too long texts and dangling references change nothing."""
    answer = org.ask("PATCH", f"sobjects/Account/{sf_id('001', 0)}", fields, NO_ASSIGN)
    assert (400, code) == (answer.status_code, answer.json()[0]["errorCode"])
    assert "A0" == org.ask("GET", f"sobjects/Account/{sf_id('001', 0)}").json()["Name"]


def test_values_are_stored_by_type(org: Org) -> None:
    """Numbers may come as text, dates and instants come back in the vendor's form, empty text becomes null."""
    given = {
        "ARR__c": "1200.5",
        "Renewal_Date__c": "2026-12-31",
        "Website": "",
        "Strategic__c": True,
        "CSM__c": sf_id("005", 2)[:15],
    }
    org.update({"id": sf_id("001", 0), **given}, headers=NO_ASSIGN)
    row = org.ask("GET", f"sobjects/Account/{sf_id('001', 0)}").json()
    assert (1200.5, "2026-12-31", None, True, sf_id("005", 2)) == tuple(row[name] for name in given)


@pytest.mark.parametrize(
    ("records", "code"),
    [
        ([{"attributes": {"type": "Account"}, "id": sf_id("001", n)} for n in range(201)], "EXCEEDED_ID_LIMIT"),
        ([{"attributes": {"type": ("Account", "Contact")[n % 2]}, "id": "x"} for n in range(11)], "LIMIT_EXCEEDED"),
        ([{"id": sf_id("001", 0)}], "INVALID_INPUT"),
        ([{"attributes": {"type": "Nope"}, "id": sf_id("001", 0)}], "INVALID_TYPE"),
        ("x", "JSON_PARSER_ERROR"),
    ],
)
def test_malformed_collections_fail_whole(org: Org, records: Any, code: str) -> None:
    """More than 200 rows, more than 10 runs of one type, no type, or no list: 400 and nothing written."""
    answer = org.ask("PATCH", "composite/sobjects", {"records": records})
    assert (400, code) == (answer.status_code, answer.json()[0]["errorCode"])


def test_scripted_row_faults_strike_as_often_as_told(org: Org) -> None:
    """A lock error clears on the second try, a validation rule stays as long as it is scripted."""
    locked, ruled = sf_id("001", 0), sf_id("001", 1)
    org.state.row_faults += [
        RowFault("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record", ids=frozenset({locked})),
        RowFault("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Ask Sales first", ids=frozenset({ruled}), times=2),
    ]
    rows = [{"id": row_id, "Customer_Tier__c": "Tier 3"} for row_id in (locked, ruled)]
    seen = [_codes(org.update(*rows, headers=NO_ASSIGN).json()) for _ in range(3)]
    assert [
        ["UNABLE_TO_LOCK_ROW", "FIELD_CUSTOM_VALIDATION_EXCEPTION"],
        [None, "FIELD_CUSTOM_VALIDATION_EXCEPTION"],
        [None, None],
    ] == seen


def test_collections_are_read_in_order_with_null_for_what_is_gone(org: Org) -> None:
    """GET and POST give the same records in the order of the ids; an unknown field is refused."""
    org.change("delete", "Account", sf_id("001", 1), NOW)
    ids = [sf_id("001", n) for n in (2, 1, 0)]
    got = org.ask("GET", f"composite/sobjects/Account?ids={','.join(ids)}&fields=Name").json()
    assert [("A2", ids[0]), None, ("A0", ids[2])] == [r and (r["Name"], r["Id"]) for r in got]
    assert got == org.ask("POST", "composite/sobjects/Account", {"ids": ids, "fields": ["Name"]}).json()
    assert (
        "INVALID_FIELD"
        == (org.ask("GET", f"composite/sobjects/Account?ids={ids[0]}&fields=Nope").json()[0]["errorCode"])
    )


def test_collections_are_created_and_deleted(org: Org) -> None:
    """POST gives ids or the recorded refusal for a missing name; DELETE takes ids in the address."""
    body = {
        "allOrNone": False,
        "records": [
            {"attributes": {"type": "Account"}, "Name": "New"},
            {"attributes": {"type": "Account"}, "Name": None, "AccountNumber": "x"},
        ],
    }
    good, bad = org.ask("POST", "composite/sobjects", body).json()
    assert {
        "success": False,
        "errors": [
            {
                "statusCode": "REQUIRED_FIELD_MISSING",
                "message": "Required fields are missing: [Name]",
                "fields": ["Name"],
            }
        ],
    } == bad
    gone = org.ask("DELETE", f"composite/sobjects?ids={good['id']},{sf_id('001', 0)}&allOrNone=true").json()
    assert [True, True] == [r["success"] for r in gone]
    assert [sf_id("001", 1), sf_id("001", 2)] == org.ids("SELECT Id FROM Account ORDER BY Id")


def test_bodies_must_be_json_and_say_so(org: Org) -> None:
    """No body, no JSON and no JSON content type have their own refusals."""
    url = f"{org.served.url}/services/data/v{VERSION}/sobjects/Contact"
    token = {"Authorization": f"Bearer {org.state.settings.access_token}"}
    json_type = {**token, "Content-Type": "application/json"}
    for headers, data, status, code in (
        (json_type, b"", 400, "JSON_PARSER_ERROR"),
        (json_type, b"{nope", 400, "JSON_PARSER_ERROR"),
        ({**token, "Content-Type": "text/csv"}, b"a,b", 415, "UNSUPPORTED_MEDIA_TYPE"),
    ):
        answer = org.session.post(url, data=data, headers=headers, timeout=30)
        assert (status, code) == (answer.status_code, answer.json()[0]["errorCode"])


def test_closing_sets_what_the_platform_derives(org: Org) -> None:
    """A won deal is closed and won, a closed case has its closing stamp, a reopened one has none."""
    deal = org.ask(
        "POST", "sobjects/Opportunity", {"Name": "D", "StageName": "Closed Won", "CloseDate": "2026-03-01"}
    ).json()["id"]
    row = org.ask("GET", f"sobjects/Opportunity/{deal}").json()
    assert (True, True) == (row["IsClosed"], row["IsWon"])
    case = org.ask("POST", "sobjects/Case", {"Status": "Closed"}).json()["id"]
    assert "2026-03-02T06:00:00.000+0000" == org.ask("GET", f"sobjects/Case/{case}").json()["ClosedDate"]
    org.ask("PATCH", f"sobjects/Case/{case}", {"Status": "New"}, NO_ASSIGN)
    row = org.ask("GET", f"sobjects/Case/{case}").json()
    assert (False, None) == (row["IsClosed"], row["ClosedDate"])
