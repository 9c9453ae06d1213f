"""simple-salesforce, which nobody wrote for this imitation, drives it as it would drive the vendor."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
import requests
from requests.adapters import HTTPAdapter
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
    SalesforceExpiredSession,
    SalesforceMalformedRequest,
    SalesforceMoreThanOneRecord,
    SalesforceOperationError,
    SalesforceRefusedRequest,
    SalesforceResourceNotFound,
)

from sandbox.clock import HOUR
from sandbox.salesforce.bulk import Fate
from tests.sandbox.salesforce_org import NOW, TIMEOUT, VERSION, Org, key_pair, serving, sf_id


class Loopback(HTTPAdapter):
    """simple-salesforce always builds https:// addresses; send them to the imitation, with the host they named."""

    def __init__(self, base_url: str) -> None:
        super().__init__()
        self._address = urlsplit(base_url).netloc

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        """Plain http to the imitation."""
        parts = urlsplit(request.url or "")
        request.headers["Host"] = str(parts.netloc)
        request.url = urlunsplit(("http", self._address, str(parts.path), str(parts.query), ""))
        kwargs["timeout"] = TIMEOUT
        return super().send(request, **kwargs)


def _session(org: Org) -> requests.Session:
    session = requests.Session()
    session.mount("https://", Loopback(org.served.url))
    return session


@pytest.fixture
def org() -> Iterator[Org]:
    """An org with 2,100 contacts."""
    with serving() as served:
        served.add("Account", "001", 1, Name="Acme")
        for number in range(2100):
            served.add("Contact", "003", number, LastName=f"P{number}", AccountId=sf_id("001", 1))
        yield served


@pytest.fixture
def client(org: Org) -> Iterator[Any]:
    """The kit with a ready session."""
    session = _session(org)
    yield Salesforce(
        session_id=org.state.settings.access_token, instance_url=org.served.url, session=session, version=VERSION
    )
    session.close()


def test_it_reads_every_page(client: Any) -> None:
    """query_all, query_all_iter and query_more walk the locators."""
    soql = "SELECT Id, LastName, Account.Name FROM Contact ORDER BY Id"
    assert 2100 == len(client.query_all(soql)["records"])
    assert [sf_id("003", n) for n in range(2100)] == [
        r["Id"] for r in client.query_all_iter(soql, include_deleted=True)
    ]
    first = client.query(soql)
    rest = client.query_more(first["nextRecordsUrl"], identifier_is_url=True)
    assert (100, True, "Acme") == (len(rest["records"]), rest["done"], rest["records"][0]["Account"]["Name"])
    assert client.api_usage["api-usage"].total == 100_000


def test_it_describes_and_writes(client: Any) -> None:
    """describe, create, get, update and delete of single rows."""
    names = {o["name"] for o in client.describe()["sobjects"]}
    assert {"Account", "Contact", "EmailMessage", "TaskRelation"} <= names
    described = client.Account.describe()
    tier = next(f for f in described["fields"] if f["name"] == "Customer_Tier__c")
    assert (True, True) == (tier["updateable"], tier["restrictedPicklist"])
    assert ["Tier 1", "Tier 2", "Tier 3"] == [v["value"] for v in tier["picklistValues"]]
    created = client.Contact.create({"LastName": "Li", "Email": "li@example.com"})
    assert created["success"]
    assert 204 == client.Contact.update(created["id"], {"Title": "CFO"})
    assert "CFO" == client.Contact.get(created["id"])["Title"]
    assert 204 == client.Contact.delete(created["id"])
    with pytest.raises(SalesforceResourceNotFound):
        client.Contact.get(created["id"])


def test_it_upserts_by_external_id(org: Org, client: Any) -> None:
    """Its upsert and its read by custom id find one row, make one, and raise its own error where several have the value."""
    org.state.org.catalogue.add_fields("Account", "Ext__c string:30 external")
    for number, value in ((7, "twice"), (8, "twice"), (9, "once")):
        org.add("Account", "001", number, Name=f"A{number}", Ext__c=value)
    assert 200 == client.Account.upsert("Ext__c/once", {"Site": "here"})
    assert 201 == client.Account.upsert("Ext__c/new", {"Name": "New"})
    assert "here" == client.Account.get_by_custom_id("Ext__c", "once")["Site"]
    assert "New" == client.Account.get_by_custom_id("Ext__c", "new")["Name"]
    for ask in (client.Account.get_by_custom_id, lambda name, value: client.Account.upsert(f"{name}/{value}", {})):
        with pytest.raises(SalesforceMoreThanOneRecord):
            ask("Ext__c", "twice")
    with pytest.raises(SalesforceResourceNotFound):
        client.Account.get_by_custom_id("Ext__c", "nobody")


def test_it_lists_what_was_deleted_and_updated(client: Any, org: Org) -> None:
    """deleted() and updated() with zoned instants."""
    org.change("delete", "Contact", sf_id("003", 3), NOW - HOUR)
    start, end = datetime(2026, 3, 2, 4, tzinfo=UTC), datetime(2026, 3, 2, 6, tzinfo=UTC)
    assert [sf_id("003", 3)] == [r["id"] for r in client.Contact.deleted(start, end)["deletedRecords"]]
    assert [] == client.Account.updated(start, end)["ids"]


def test_its_composites_and_collections_work(client: Any) -> None:
    """restful() with a JSON body reaches composite and composite/sobjects."""
    part = {"method": "GET", "referenceId": "a", "url": f"/services/data/v{VERSION}/query?q=SELECT+Id+FROM+Account"}
    answer = client.restful("composite", method="POST", json={"compositeRequest": [part]})
    assert 200 == answer["compositeResponse"][0]["httpStatusCode"]
    record = {"attributes": {"type": "Account"}, "id": sf_id("001", 1), "Customer_Tier__c": "Tier 1"}
    done = client.restful("composite/sobjects", method="PATCH", json={"allOrNone": False, "records": [record]})
    assert [True] == [r["success"] for r in done]
    assert client.limits()["DailyApiRequests"]["Max"] == 100_000


def test_its_errors_are_recognised(client: Any, org: Org) -> None:
    """Each refusal becomes the kit's own exception."""
    with pytest.raises(SalesforceMalformedRequest, match="MALFORMED_QUERY"):
        client.query("SELEKT")
    with pytest.raises(SalesforceMalformedRequest, match="INVALID_QUERY_LOCATOR"):
        client.query_more("01gHs0000000099IAA-2000")
    with pytest.raises(SalesforceResourceNotFound):
        client.Nope.describe()
    org.state.usage.limit = 0
    with pytest.raises(SalesforceRefusedRequest, match=r"TotalRequests Limit exceeded"):
        client.query("SELECT Id FROM Account")
    org.state.usage.limit = 100
    org.state.sessions.clear()
    with pytest.raises(SalesforceExpiredSession):
        client.restful("limits")


def test_it_logs_in() -> None:
    """The kit's own JWT and client-credentials flows get a token; the kit's clock is the machine's, so this org's is too."""
    with serving(now=time.time_ns() // 1000) as org:  # noqa: TID251 - the kit stamps its JWT by the machine's clock
        session = _session(org)
        settings = org.state.settings
        by_key: Any = Salesforce(
            username=settings.username,
            consumer_key=settings.client_id,
            privatekey=key_pair()[0],
            session=session,
            version=VERSION,
        )
        assert 0 == by_key.query("SELECT COUNT() FROM Account")["totalSize"]
        by_secret: Any = Salesforce(
            consumer_key=settings.client_id,
            consumer_secret=settings.client_secret,
            domain="acme.my",
            session=session,
            version=VERSION,
        )
        assert [settings.user_id] == [r["Id"] for r in by_secret.query("SELECT Id FROM User")["records"]]
        with pytest.raises(SalesforceAuthenticationFailed, match="invalid_client"):
            Salesforce(
                consumer_key=settings.client_id,
                consumer_secret="no",
                domain="acme.my",
                session=session,
                version=VERSION,
            )
        session.close()


def test_there_is_no_soap_login(org: Org) -> None:
    """User name and password go to /services/Soap, which does not exist any more."""
    session = _session(org)
    with pytest.raises(SalesforceAuthenticationFailed, match="404"):
        Salesforce(username="u", password="p", security_token="t", session=session, version="59.0")
    assert ["/services/Soap/u/59.0"] == [e.path for e in org.log.entries()]
    session.close()


def test_bulk_jobs_by_the_client(org: Org, client: Any, tmp_path: Any) -> None:
    """The client's own Bulk 2.0 reader makes the job, polls it, follows locators and writes every row to files."""
    org.switch(bulk_polls=0, bulk_page=1000)
    pages = list(client.bulk2.Contact.query_all("SELECT Id, LastName FROM Contact", max_records=1000, wait=0))
    assert [1001, 1001, 101] == [page.count("\n") for page in pages]
    files = client.bulk2.Contact.download("SELECT Id FROM Contact", path=str(tmp_path), max_records=1500, wait=0)
    assert 2100 == sum(part["number_of_records"] for part in files)


def test_bulk_failures_reach_the_client(org: Org, client: Any) -> None:
    """A failed job is its SalesforceOperationError with our message; a refused query its malformed request."""
    org.switch(bulk_polls=0)
    org.state.bulk.script(Fate("Failed", "InternalServerError: Retried more than 15 times"))
    with pytest.raises(SalesforceOperationError, match="Retried more"):
        list(client.bulk2.Contact.query("SELECT Id FROM Contact", wait=0))
    with pytest.raises(SalesforceMalformedRequest, match="compound data"):
        list(client.bulk2.Contact.query("SELECT Id, MailingAddress FROM Contact"))


def test_aggregates_and_children_by_the_client(client: Any) -> None:
    """The client reads grouped results and nested children as it reads the vendor's."""
    grouped = client.query("SELECT AccountId, COUNT(Id) n FROM Contact GROUP BY AccountId")["records"]
    assert [(sf_id("001", 1), 2100)] == [(r["AccountId"], r["n"]) for r in grouped]
    nested = client.query("SELECT Name, (SELECT Id FROM Contacts LIMIT 3) FROM Account")["records"][0]
    assert 3 == nested["Contacts"]["totalSize"]
