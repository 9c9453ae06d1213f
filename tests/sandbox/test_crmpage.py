"""The CRM page over real HTTP: accounts are found, the tier is read, edited as a person, and its history told."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import requests

from sandbox.clock import DAY
from sandbox.serve import Sandbox, Settings, start
from sandbox.versions import Change


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A small world, served."""
    served = start(Settings(accounts=60, csms=2, history_days=90))
    yield served
    served.stop()


@pytest.fixture
def crm(sandbox: Sandbox) -> str:
    """Address of the page."""
    info = sandbox.info()["crm"]
    assert isinstance(info, dict)
    return str(info["page"])


ACCOUNTS = {"salesforce": ("Account", "Name", "Tier 2", "Tier 3"), "hubspot": ("companies", "name", "tier_2", "tier_3")}


def account_of(crm: str, vendor: str, number: int) -> str:
    """Address of one listed account."""
    listed = requests.get(crm, params={"vendor": vendor}, timeout=10).text
    return crm + str(re.findall(rf'href="(/{vendor}/[^"]+)"', listed)[number])


def shown(html: str, name: str) -> list[str]:
    """The text of every element with this data-testid."""
    found = re.findall(rf'data-testid="{name}"[^>]*>(.*?)</(?:strong|tr|p|h1)>', html, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", text).split()) for text in found]


@pytest.mark.parametrize("vendor", ACCOUNTS)
def test_tier_is_edited_by_a_person_and_told(sandbox: Sandbox, crm: str, vendor: str) -> None:
    """Saving the form changes the CRM's record, stamped with the person, and the page tells before and after."""
    _, _, second, third = ACCOUNTS[vendor]
    url = account_of(crm, vendor, 1)
    (who_id, who), *_ = sandbox.desks[vendor].people()
    requests.post(url, data={"tier": third, "by": who_id}, timeout=10)
    sandbox.clock.advance(DAY)
    answer = requests.post(url, data={"tier": second, "by": who_id}, timeout=10)
    assert shown(answer.text, "tier-value") == ["Tier 2"]
    newest = shown(answer.text, "tier-change")[0]
    assert re.search(rf"UTC Tier 3 Tier 2 {re.escape(who)}$", newest), newest
    record = sandbox.desks[vendor].get(ACCOUNTS[vendor][0], url.rpartition("/")[2])
    assert record is not None
    assert second in str(record["fields"])
    emptied = requests.post(url, data={"tier": "", "by": who_id}, timeout=10)
    assert shown(emptied.text, "tier-value") == ["not set"]


@pytest.mark.parametrize("vendor", ACCOUNTS)
def test_value_the_crm_refuses_is_told(crm: str, vendor: str) -> None:
    """A value outside the list changes nothing and the page says why."""
    url = account_of(crm, vendor, 2)
    before = shown(requests.get(url, timeout=10).text, "tier-value")
    answer = requests.post(url, data={"tier": "Gold"}, timeout=10)
    assert answer.status_code == 422
    assert "Gold" in answer.text or "restricted" in shown(answer.text, "refusal")[0]
    assert shown(answer.text, "tier-value") == before


def test_write_through_the_api_is_the_integrations(sandbox: Sandbox, crm: str) -> None:
    """A tier written by the integration is told as such."""
    url = account_of(crm, "salesforce", 3)
    org = sandbox.salesforce.settings
    target = f"{sandbox.info()['salesforce']['base_url']}/services/data/v67.0/sobjects/Account/{url.rpartition('/')[2]}"  # type: ignore[index]
    headers = {"authorization": f"Bearer {org.access_token}"}
    now = shown(requests.get(url, timeout=10).text, "tier-value")
    wanted = "Tier 3" if now == ["Tier 1"] else "Tier 1"
    answer = requests.patch(target, json={"Customer_Tier__c": wanted}, headers=headers, timeout=10)
    assert answer.status_code == 204, answer.text
    assert shown(requests.get(url, timeout=10).text, "tier-change")[0].endswith(f"{wanted} integration")


def test_search_finds_by_name_and_escapes(sandbox: Sandbox, crm: str) -> None:
    """Search is by any part of the name, and names with markup are shown as text."""
    at = sandbox.clock.now()
    name = "<script>alert(1)</script> & Fünfzehn"
    fields = {"Name": name, "Type": "Customer"}
    sandbox.salesforce.store.apply(Change(at, "salesforce", "create", "Account", "001Hs0000ZZZZZZIAA", fields))
    html = requests.get(crm, params={"q": "fünfz"}, timeout=10).text
    assert html.count('data-testid="account"') == 1
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; Fünfzehn" in html


def test_foreign_forms_and_strange_addresses_are_refused(crm: str) -> None:
    """A form of another site changes nothing; what is not there is 404."""
    url = account_of(crm, "hubspot", 0)
    foreign = requests.post(url, data={"tier": "tier_1"}, headers={"origin": "https://evil.example"}, timeout=10)
    assert foreign.status_code == 403
    assert requests.get(f"{crm}/hubspot/0", timeout=10).status_code == 404
    assert requests.get(f"{crm}/pipedrive/1", timeout=10).status_code == 404
    assert requests.post(f"{crm}/salesforce/nothing", data={"tier": "Tier 1"}, timeout=10).status_code == 404
