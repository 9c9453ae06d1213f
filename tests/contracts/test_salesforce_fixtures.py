"""The imitation Salesforce against the answers that another project's tests keep of the vendor's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox.clock import iso_ms
from tests.sandbox.salesforce_org import NOW, TIMEOUT, Org, seconds, serving, sf_id

HOME = Path(__file__).parents[2].parent / "shared" / "contracts" / "salesforce" / "restforce-fixtures"
pytestmark = pytest.mark.skipif(not HOME.is_dir(), reason="the vendors' recordings are not beside this project")

WINDOW = f"start={iso_ms(NOW - seconds(3_600))}&end={iso_ms(NOW)}"


@pytest.fixture
def org() -> Iterator[Org]:
    """An org with two accounts of one external id, one deleted contact and 300 live ones."""
    with serving() as served:
        served.state.org.catalogue.add_fields("Account", "Ext__c string:30 external")
        for number in (1, 2):
            served.add("Account", "001", number, at=NOW - seconds(600), Name="Acme", Ext__c="twice")
        for number in range(301):
            served.add("Contact", "003", number, at=NOW - seconds(600), LastName="Lee")
        served.change("delete", "Contact", sf_id("003", 300), NOW - seconds(300))
        yield served


def _kept(name: str) -> Any:
    return json.loads((HOME / f"{name}_response.json").read_text())["body"]


@pytest.mark.parametrize(
    ("name", "method", "path", "body", "status"),
    [
        ("delete_error", "DELETE", "sobjects/Account/rid", None, 404),
        ("sobject_find_error", "GET", "sobjects/Account/23foo", None, 404),
        ("sobject_describe_error", "GET", "sobjects/Whizbang/describe", None, 404),
        ("upsert_error", "PATCH", "sobjects/Account/Namez/x", {"Site": "x"}, 404),
    ],
)
def test_refusals_are_word_for_word(  # noqa: PLR0917 - one row of the table
    org: Org, name: str, method: str, path: str, body: Any, status: int
) -> None:
    """A short id, an unknown object and an unknown external id are refused with the kept body."""
    answer = org.ask(method, path, body)
    assert (status, _kept(name)) == (answer.status_code, answer.json())


def test_a_dead_session_is_word_for_word(org: Org) -> None:
    """401 for a token that is no more."""
    answer = org.ask("GET", "limits", headers={"Authorization": "Bearer gone"})
    assert (401, _kept("expired_session")) == (answer.status_code, answer.json())


def test_an_unknown_field_is_word_for_word(org: Org) -> None:
    """400 for a column that the object does not have; only the names differ."""
    words = json.dumps(_kept("write_error")).replace("Bar", "Account")
    answer = org.ask("POST", "sobjects/Account", {"Name": "x", "foo": 1})
    assert (400, json.loads(words)) == (answer.status_code, answer.json())


def _token(org: Org, **form: str) -> requests.Response:
    client = {"client_id": org.state.settings.client_id, "client_secret": org.state.settings.client_secret}
    url = f"{org.served.url}/services/oauth2/token"
    return requests.post(url, data={**client, **form}, timeout=TIMEOUT)


def test_tokens_have_the_kept_keys(org: Org) -> None:
    """A refresh tells at least what it always told; a dead token is refused in the kept words."""
    good = _token(org, grant_type="refresh_token", refresh_token=org.state.settings.refresh_token)
    dead = _token(org, grant_type="refresh_token", refresh_token="dead")
    assert set(_kept("refresh_success")) <= set(good.json())
    assert (400, _kept("refresh_error")) == (dead.status_code, dead.json())


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("query_empty", "query?q=SELECT+Id+FROM+Account+WHERE+Name='none'"),
        ("query_paginated_first_page", "query?q=SELECT+LastName+FROM+Contact"),
        ("get_deleted_success", f"sobjects/Contact/deleted/?{WINDOW}"),
        ("get_updated_success", f"sobjects/Contact/updated/?{WINDOW}"),
    ],
)
def test_answers_have_the_kept_keys_and_types(org: Org, name: str, path: str) -> None:
    """Keys and JSON types of a whole answer are the kept ones."""
    answer = org.ask("GET", path, headers={"Sforce-Query-Options": "batchSize=200"})
    assert 200 == answer.status_code, answer.text
    assert _shape(_kept(name)) == _shape(answer.json())


def _shape(value: Any) -> Any:
    """Types in place of values; a list is its first item's shape, and a record's fields are its own affair."""
    if isinstance(value, dict):
        if "attributes" in value:
            return {"attributes": sorted(value["attributes"])}
        return {name: _shape(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_shape(item) for item in value[:1]]
    return type(value).__name__


def test_pages_end_as_kept(org: Org) -> None:
    """The last page is done and names no next one."""
    first = org.ask(
        "GET", "query?q=SELECT+LastName+FROM+Contact", headers={"Sforce-Query-Options": "batchSize=200"}
    ).json()
    last = org.ask("GET", first["nextRecordsUrl"]).json()
    kept = _kept("query_paginated_last_page")
    assert (set(kept), kept["done"]) == (set(last), last["done"])


def test_grouped_rows_have_no_address(org: Org) -> None:
    """An aggregate row's attributes are its type alone, and an unnamed result is expr0."""
    told = org.query("SELECT Name, SUM(NumberOfEmployees) FROM Account GROUP BY Name").json()
    kept = _kept("query_aggregate_success")["records"][0]
    assert kept["attributes"] == told["records"][0]["attributes"]
    assert {"attributes", "Name", "expr0"} == set(told["records"][0])


def test_writes_answer_as_kept(org: Org) -> None:
    """Create, upsert of a new row, of an old one by an old version, and of a shared value: keys, or the list of rows."""
    made = org.ask("POST", "sobjects/Account", {"Name": "x"})
    old = "/services/data/v42.0"
    fresh = org.ask("PATCH", f"{old}/sobjects/Account/Ext__c/fresh", {"Name": "x"})
    again = org.ask("PATCH", f"{old}/sobjects/Account/Ext__c/fresh", {"Name": "y"})
    shared = org.ask("PATCH", f"{old}/sobjects/Account/Ext__c/twice", {"Name": "y"})
    assert set(_kept("create_success")) == set(made.json())
    assert set(_kept("upsert_created_success")) == set(fresh.json())
    assert (204, _kept("upsert_updated_success")) == (again.status_code, again.text)
    kept = [address.rsplit("/", 3)[1:3] for address in _kept("upsert_multiple_error")]
    told = [address.rsplit("/", 3)[1:3] for address in shared.json()]
    assert (300, [["sobjects", "Account"]] * len(kept)) == (shared.status_code, told)


def test_the_list_of_versions_has_the_kept_keys(org: Org) -> None:
    """Each version in service has its number, name and address."""
    (told, *_) = requests.get(f"{org.served.url}/services/data", timeout=TIMEOUT).json()
    assert set(_kept("services_data_success")[0]) == set(told)
