"""What `tierd map` proposes is what a sync then reads: objects, conditions, paths and aggregates in both CRMs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from connectors.hubspot.connector import HubSpotConnector
from connectors.hubspot.settings import HubSpotSettings
from connectors.known import nothing_known
from connectors.mapping import FieldMapping
from connectors.salesforce.connector import SalesforceConnector
from connectors.salesforce.settings import SalesforceSettings
from daemon.derive import derive
from daemon.map.edit import plain
from daemon.map.survey import Survey
from daemon.parts import source_mapping
from daemon.sync import run_sync
from rules.fieldmap import Derivation
from sandbox.clock import DAY, MINUTE
from sandbox.versions import On
from store import tables as t
from store.engine import Store
from tests.clocks import StepClock
from tests.connectors.test_explore import contracts
from tests.connectors.test_salesforce import CREDENTIALS
from tests.daemon.test_map import customers, surveyed, surveyed_portal
from tests.sandbox.hubspot_portal import NOW, TOKEN, Portal
from tests.sandbox.salesforce_org import Org, serving

TODAY = NOW // DAY


@pytest.fixture
def org() -> Iterator[Org]:
    """An org whose ARR is on line items of won opportunities, and whose seats are in a custom object."""
    with serving() as served:
        served.state.org.catalogue.drop_field("Account", "ARR__c")
        served.state.org.catalogue.drop_field("Account", "Seats__c")
        served.state.org.catalogue.add_fields("OpportunityLineItem", "ARR__c currency")
        yield served


@pytest.fixture
def portal() -> Iterator[Portal]:
    """A portal with two customers and a custom object of contracts."""
    served = Portal()
    for number in (1, 2):
        served.add("companies", str(number), {"name": f"Acme {number}", "lifecyclestage": "customer"})
    contracts(served)
    served.clock.advance_to(NOW + 10 * MINUTE)
    try:
        yield served
    finally:
        served.stop()


def mapped(found: Survey) -> dict[str, Any]:
    """The proposals as they would be written under `fields`."""
    return {
        p.fact: [plain(one.option) for one in p.chosen]
        for p in found.proposals
        if p.chosen and p.fact not in ("csm", "tier")
    }


def derived(store: Store, mapping: FieldMapping) -> dict[tuple[str, str], int | None]:
    """(account's name, fact) -> its number, after everything was derived."""
    settings = Derivation(order=("crm",), own_domains=frozenset(), mappings={"crm": source_mapping(mapping)})
    derive(store, settings, NOW)
    fields, accounts = t.account_fields, t.accounts
    query = select(fields.c.account_id, fields.c.field, fields.c.num).where(fields.c.valid_to.is_(None))
    with store.read() as conn:
        names = {row.id: row.name for row in conn.execute(select(accounts.c.id, accounts.c.name))}
        return {(names[row.account_id], row.field): row.num for row in conn.execute(query)}


def test_line_items_and_custom_objects_of_an_org_arrive_as_surveyed(org: Org, sqlite_store: Store) -> None:
    """Two hops and a condition on the way, and a lookup of its own name: the sums are those that were shown."""
    accounts = customers(org, 2)
    for number, (account, won, amounts) in enumerate(
        [(0, True, (1_000.0, 500.0)), (0, False, (9_000.0,)), (1, True, (70_000.0,))], 1
    ):
        deal = org.add("Opportunity", "006", number, Name="Deal", AccountId=accounts[account], IsWon=won, IsClosed=True,
                       StageName="Closed Won" if won else "Closed Lost", CloseDate=On(TODAY - 10))  # fmt: skip
        for item, amount in enumerate(amounts):
            org.add("OpportunityLineItem", "00k", 10 * number + item, OpportunityId=deal, ARR__c=amount)
        org.add(
            "Subscription__c", "a00", number, Name="S", Account__c=accounts[account], Seats__c=5.0, Status__c="Active"
        )
    org.clock.advance_to(NOW + 10 * MINUTE)
    found = surveyed(org)
    values = {"kind": "salesforce", "base_url": org.served.url, "auth": CREDENTIALS, "customer": dict(found.where)}
    settings = SalesforceSettings.model_validate(values | {"fields": mapped(found)})
    connector = SalesforceConnector(settings, StepClock(org.clock))
    run = run_sync(sqlite_store, "crm", connector, StepClock(org.clock))
    connector.close()
    assert "ok" == run.status
    facts = derived(sqlite_store, settings)
    assert {"Acme 0": 150_000, "Acme 1": 7_000_000} == {name: facts[name, "arr"] for name in ("Acme 0", "Acme 1")}
    assert {"Acme 0": 10, "Acme 1": 5} == {name: facts[name, "seats"] for name in ("Acme 0", "Acme 1")}


def test_contracts_of_a_portal_arrive_as_surveyed(portal: Portal, sqlite_store: Store) -> None:
    """Associations lead to the company; what has ended does not count."""
    found = surveyed_portal(portal)
    values = {"kind": "hubspot", "base_url": portal.served.url, "auth": {"access_token": TOKEN}, "history": False}
    settings = HubSpotSettings.model_validate(values | {"customer": dict(found.where), "fields": mapped(found)})
    connector = HubSpotConnector(settings, StepClock(portal.clock), nothing_known)
    run = run_sync(sqlite_store, "crm", connector, StepClock(portal.clock))
    connector.close()
    assert "ok" == run.status
    facts = derived(sqlite_store, settings)
    assert (140_000, 6) == (facts["Acme 1", "arr"], facts["Acme 1", "seats"])
    assert ("Acme 2", "arr") not in facts
    assert {"lifecyclestage": "customer"} == found.where
