"""Salesforce's refusals word for word over HTTP: each status, header and body that the sources tell of, once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.sandbox.salesforce_org import NOW, TIMEOUT, VERSION, Org, seconds, serving, sf_id

ACCOUNT, CONTACT, NOBODY = sf_id("001", 1), sf_id("003", 1), sf_id("001", 9)
GONE = "The requested resource does not exist"
INVALID_TYPE = (
    "\nSELECT Id FROM Nope\n               ^\nERROR at Row:1:Column:16\nsObject type 'Nope' is not supported. If you are "
    "attempting to use a custom object, be sure to append the '__c' after the entity name. Please reference your WSDL or "
    "the describe call for the appropriate names."
)
BANANA = (
    "Cannot deserialize instance of currency from VALUE_STRING value banana or request may be missing a required field "
    "at [line:1, column:1]"
)


@pytest.fixture
def org() -> Iterator[Org]:
    """An org with an account and a contact, both of a minute ago."""
    with serving() as served:
        served.add("Account", "001", 1, at=NOW - seconds(60), Name="Acme")
        served.add("Contact", "003", 1, at=NOW - seconds(60), LastName="Lee")
        yield served


REFUSALS: list[tuple[str, str, Any, int, str, str, list[str] | None]] = [
    ("GET", f"sobjects/Account/{NOBODY}", None, 404, "NOT_FOUND", GONE, None),
    ("GET", "sobjects/Nope", None, 404, "NOT_FOUND", GONE, None),
    ("GET", "sobjects/Nope/describe", None, 404, "NOT_FOUND", GONE, None),
    ("GET", "/services/data/v99.0/sobjects", None, 404, "NOT_FOUND", GONE, None),
    (
        "GET",
        "sobjects/Account/123",
        None,
        404,
        "NOT_FOUND",
        "Provided external ID field does not exist or is not accessible: 123",
        None,
    ),
    (
        "PATCH",
        f"sobjects/Account/{NOBODY}",
        {"Site": "x"},
        404,
        "INVALID_CROSS_REFERENCE_KEY",
        "invalid cross reference id",
        None,
    ),
    (
        "DELETE",
        f"sobjects/Account/{NOBODY}",
        None,
        404,
        "INVALID_CROSS_REFERENCE_KEY",
        "invalid cross reference id",
        None,
    ),
    (
        "POST",
        "sobjects/Account",
        {},
        400,
        "REQUIRED_FIELD_MISSING",
        "Required fields are missing: [Name]",
        ["Name"],
    ),
    (
        "POST",
        "sobjects/Account",
        {"Name": "x", "Nope": 1},
        400,
        "INVALID_FIELD",
        "No such column 'Nope' on sobject of type Account",
        None,
    ),
    (
        "GET",
        f"sobjects/Account/{ACCOUNT}?fields=Nope",
        None,
        400,
        "INVALID_FIELD",
        "No such column 'Nope' on sobject of type Account",
        None,
    ),
    (
        "POST",
        "sobjects/Account",
        {"Name": "x" * 260},
        400,
        "STRING_TOO_LONG",
        f"Name: data value too large: {'x' * 260} (max length=255)",
        ["Name"],
    ),
    ("PATCH", f"sobjects/Account/{ACCOUNT}", {"AnnualRevenue": "banana"}, 400, "JSON_PARSER_ERROR", BANANA, None),
    (
        "PATCH",
        f"sobjects/Account/{CONTACT}",
        {"Site": "x"},
        400,
        "MALFORMED_ID",
        f"Account ID: id value of incorrect type: {CONTACT}",
        ["Id"],
    ),
    (
        "PATCH",
        f"sobjects/Account/{ACCOUNT}",
        {"Customer_Tier__c": "Platinum"},
        400,
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        "Customer Tier: bad value for restricted picklist field: Platinum",
        ["Customer_Tier__c"],
    ),
    ("GET", "query?q=invalid", None, 400, "MALFORMED_QUERY", "unexpected token: 'invalid'", None),
    ("GET", "query?q=SELECT+Id+FROM+Nope", None, 400, "INVALID_TYPE", INVALID_TYPE, None),
    (
        "PUT",
        f"sobjects/Account/{ACCOUNT}",
        {"Site": "x"},
        405,
        "METHOD_NOT_ALLOWED",
        "HTTP Method 'PUT' not allowed. Allowed are DELETE,GET,HEAD,PATCH",
        None,
    ),
    ("GET", "/services/data/v25.0/sobjects", None, 410, "UNSUPPORTED_API_VERSION", "API version 25.0 is retired", None),
]


@pytest.mark.parametrize("case", REFUSALS, ids=lambda c: f"{c[0]} {c[1][:40]} {c[4]}")
def test_refusals_word_for_word(org: Org, case: tuple[str, str, Any, int, str, str, list[str] | None]) -> None:
    """An array with message, errorCode and, where a field is to blame, its name; the allowance is told here too."""
    method, path, body, status, code, words, named = case
    answer = org.ask(method, path, body)
    expected = [{"message": words, "errorCode": code, **({"fields": named} if named else {})}]
    assert (status, expected) == (answer.status_code, answer.json())
    assert re.fullmatch(r"api-usage=\d+/\d+", answer.headers["Sforce-Limit-Info"])
    assert "application/json;charset=UTF-8" == answer.headers["Content-Type"]


def test_a_deleted_row_is_not_found(org: Org) -> None:
    """A read of a row in the recycle bin is the 404 of a row that never was."""
    assert 204 == org.ask("DELETE", f"sobjects/Account/{ACCOUNT}").status_code
    answer = org.ask("GET", f"sobjects/Account/{ACCOUNT}")
    assert (404, [{"message": GONE, "errorCode": "NOT_FOUND"}]) == (answer.status_code, answer.json())


def test_a_locked_row_names_itself(org: Org) -> None:
    """UNABLE_TO_LOCK_ROW is a 400 alone and a row's error in a collection, in the logged words; then it is free."""
    org.state.lock_rows(ACCOUNT, times=2)
    words = f"unable to obtain exclusive access to this record or 1 records: {ACCOUNT}"
    alone = org.ask("PATCH", f"sobjects/Account/{ACCOUNT}", {"Site": "x"})
    assert (400, [{"message": words, "errorCode": "UNABLE_TO_LOCK_ROW"}]) == (alone.status_code, alone.json())
    (row,) = org.update({"Id": ACCOUNT, "Site": "x"}).json()
    error = {"statusCode": "UNABLE_TO_LOCK_ROW", "message": words, "fields": []}
    assert {"success": False, "errors": [error]} == row
    assert 204 == org.ask("PATCH", f"sobjects/Account/{ACCOUNT}", {"Site": "x"}).status_code


def test_two_kinds_of_refused_sessions(org: Org) -> None:
    """Both are 401 INVALID_SESSION_ID; a session that is none for REST is told by its message, and a new one too."""
    expired = org.ask("GET", "limits", headers={"Authorization": "Bearer 00Dold"})
    org.switch(session_unfit=True)
    unfit = org.ask("GET", "limits")
    fresh = org.ask("GET", "limits", headers={"Authorization": f"Bearer {org.state.new_token()}"})
    words = "This session is not valid for use with the REST API"
    assert [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}] == expired.json()
    assert [{"message": words, "errorCode": "INVALID_SESSION_ID"}] == unfit.json() == fresh.json()
    assert {401} == {answer.status_code for answer in (expired, unfit, fresh)}


def test_three_kinds_of_allowances(org: Org) -> None:
    """403 REQUEST_LIMIT_EXCEEDED for the day and for too many at once, whose kind is named."""
    org.state.usage.crowded = 1
    crowded = org.ask("GET", "limits")
    org.state.usage.crowded, org.state.usage.crowd = 1, "ConcurrentPerOrgLongTxn"
    long = org.ask("GET", "limits")
    org.state.usage.put(100, 100)
    day = org.ask("GET", "limits")
    kinds = ["ConcurrentRequests (Concurrent API Requests)", "ConcurrentPerOrgLongTxn", "TotalRequests"]
    expected = [[{"message": f"{k} Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}] for k in kinds]
    assert expected == [answer.json() for answer in (crowded, long, day)]
    assert {403} == {answer.status_code for answer in (crowded, long, day)}
    assert "api-usage=100/100" == day.headers["Sforce-Limit-Info"]


@pytest.mark.parametrize("path", [f"sobjects/Account/{ACCOUNT}", f"sobjects/Contact/{CONTACT}"])
def test_rows_are_304_until_they_change(org: Org, path: str) -> None:
    """If-Modified-Since with the row's own Last-Modified gives 304 without a body; after a change the row comes."""
    since = org.ask("GET", path).headers["Last-Modified"]
    same = org.ask("GET", path, headers={"If-Modified-Since": since})
    assert (304, b"") == (same.status_code, same.content)
    assert 204 == org.ask("PATCH", path, {"Description": "x"}).status_code
    assert 200 == org.ask("GET", path, headers={"If-Modified-Since": since}).status_code


def test_only_accounts_have_a_tag(org: Org) -> None:
    """As recorded: an account has ETag and Last-Modified, a contact only the latter; a tag is good for 304 and 412."""
    path = f"sobjects/Account/{ACCOUNT}"
    tag = org.ask("GET", path).headers["ETag"]
    assert "ETag" not in org.ask("GET", f"sobjects/Contact/{CONTACT}").headers
    assert 304 == org.ask("GET", path, headers={"If-None-Match": f'"other", {tag}'}).status_code
    assert 200 == org.ask("GET", path, headers={"If-None-Match": '"other"'}).status_code
    assert 412 == org.ask("PATCH", path, {"Site": "lost"}, headers={"If-Match": '"other"'}).status_code
    assert 204 == org.ask("PATCH", path, {"Site": "kept"}, headers={"If-Match": tag}).status_code
    assert "kept" == org.ask("GET", path).json()["Site"]
    assert 412 == org.ask("GET", path, headers={"If-Match": tag}).status_code


def test_a_write_may_ask_that_nothing_changed(org: Org) -> None:
    """If-Unmodified-Since refuses a write to a row that changed after it with 412, and nothing is written."""
    path = f"sobjects/Contact/{CONTACT}"
    since = {"If-Unmodified-Since": org.ask("GET", path).headers["Last-Modified"]}
    assert 204 == org.ask("PATCH", path, {"Title": "first"}, headers=since).status_code
    late = org.ask("PATCH", path, {"Title": "second"}, headers=since)
    assert (412, b"") == (late.status_code, late.content)
    assert "first" == org.ask("GET", path).json()["Title"]


def test_single_rows_answer_as_recorded(org: Org) -> None:
    """201 with id, success, errors and Location; the row's attributes name the version that asked."""
    made = org.ask("POST", "sobjects/Account", {"Name": "New"})
    row_id = made.json()["id"]
    assert (201, {"id": row_id, "success": True, "errors": []}) == (made.status_code, made.json())
    assert f"/services/data/v{VERSION}/sobjects/Account/{row_id}" == made.headers["Location"]
    url = f"/services/data/v42.0/sobjects/Account/{row_id}"
    assert {"type": "Account", "url": url} == org.ask("GET", url).json()["attributes"]


def test_too_much_is_a_page_of_the_web_server(org: Org) -> None:
    """414 above 16,384 bytes of address and 431 of address and headers: HTML, which no JSON parser may be given."""
    long, headers = "x" * 16_400, {"X-Filler": "x" * 16_000}
    for answer, status in (
        (org.ask("GET", f"query?q={long}"), 414),
        (org.ask("GET", "query?q=" + "x" * 1_000, headers=headers), 431),
    ):
        assert (status, "text/html;charset=iso-8859-1") == (answer.status_code, answer.headers["Content-Type"])
        assert answer.text.startswith("<h1>Bad Message")


def test_a_body_must_say_that_it_is_json(org: Org) -> None:
    """415 for any other content type."""
    url = f"{org.served.url}/services/data/v{VERSION}/sobjects/Account"
    headers = {"Authorization": f"Bearer {org.state.settings.access_token}", "Content-Type": "text/plain"}
    answer = requests.post(url, data="{}", headers=headers, timeout=TIMEOUT)
    assert (415, "UNSUPPORTED_MEDIA_TYPE") == (answer.status_code, answer.json()[0]["errorCode"])
