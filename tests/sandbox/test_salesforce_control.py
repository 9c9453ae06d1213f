"""The control server steers the imitation Salesforce over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from sandbox.serve import Sandbox, Settings, start
from tests.sandbox.salesforce_org import TIMEOUT


@pytest.fixture(scope="module")
def sandbox() -> Any:
    """A small sandbox, shared by the module."""
    running = start(Settings(accounts=60, csms=2, days=3, history_days=60))
    yield running
    running.stop()


def _ask(sandbox: Sandbox, method: str, path: str, json: object = None, status: int = 200) -> Any:
    response = requests.request(method, f"{sandbox.control_url}/salesforce/{path}", json=json, timeout=TIMEOUT)
    assert status == response.status_code, response.text
    return response.json()


def test_switches_rows_and_schema_are_set(sandbox: Sandbox) -> None:
    """Switches, rows, deletions and schema by HTTP; what makes no sense is 400, a row that is not there 404."""
    assert 3 == _ask(sandbox, "POST", "switches", {"bulk_polls": 3})["bulk_polls"]
    assert 3 == _ask(sandbox, "GET", "switches")["bulk_polls"]
    fields = {"name": "Visit__c", "fields": ["On__c date"]}
    assert "a02" == _ask(sandbox, "POST", "objects", fields)["keyPrefix"]
    row = {"object": "Visit__c", "fields": {"Name": "V", "On__c": "2026-03-01"}}
    made = _ask(sandbox, "POST", "rows", row)["id"]
    _ask(sandbox, "POST", "delete", {"object": "Visit__c", "id": made})
    assert {"purged": 1} == _ask(sandbox, "POST", "empty-bin", {"object": "Visit__c"})
    assert "unknown key" in _ask(sandbox, "POST", "merge", {"winner": "x", "who": 1}, 400)["error"]
    _ask(sandbox, "POST", "undelete", {"object": "Visit__c", "id": "nope"}, 404)


def test_a_big_table_is_ordered_in_one_request(sandbox: Sandbox) -> None:
    """Fifty thousand campaigns, made on demand, long texts by repetition."""
    many = {"object": "Campaign", "count": 50_000, "fields": {"Name": "C{n}", "Type": {"text": "ab", "times": 20}}}
    assert {"ok": True} == _ask(sandbox, "POST", "generate", many)
    table = sandbox.salesforce.store.table("Campaign")
    last = table.rows[str(table.last_id())]
    assert (50_000, "C49999", "ab" * 20) == (table.count_ids(), last.fields["Name"], last.fields["Type"])


def test_tokens_and_usage_are_set(sandbox: Sandbox) -> None:
    """A person logs in, tokens are revoked, and the day's use is what we say."""
    tokens = _ask(sandbox, "POST", "authorize", {})
    assert {"access_token", "refresh_token"} == set(tokens)
    assert {"used": 79, "limit": 100, "crowded": 1} == _ask(
        sandbox, "POST", "usage", {"used": 79, "limit": 100, "crowded": 1}
    )
    url = f"{sandbox.info()['salesforce']['base_url']}/services/data/v67.0/limits"  # type: ignore[index]
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert [403, 200] == [requests.get(url, headers=headers, timeout=TIMEOUT).status_code for _ in range(2)]
    _ask(sandbox, "POST", "revoke", {"grants": True})
    assert 401 == requests.get(url, headers=headers, timeout=TIMEOUT).status_code
