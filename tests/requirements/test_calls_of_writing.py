"""What a thousand tiers cost: one call to Salesforce, ten to HubSpot, and the look before them counted apart."""

from __future__ import annotations

from connectors.hubspot.connector import writer as hubspot_writer
from connectors.hubspot.settings import HubSpotSettings
from connectors.salesforce.connector import writer as salesforce_writer
from connectors.salesforce.settings import SalesforceSettings
from store.records import TierWrite
from tests.clocks import StepClock
from tests.sandbox.hubspot_portal import TOKEN, Portal
from tests.sandbox.salesforce_org import serving

_ROWS = 1_000


def test_calls_a_thousand_tiers_to_salesforce() -> None:
    """One composite of five collections; reading the present values before is one composite at most."""
    with serving() as org:
        rows = [org.add("Account", "001", n, Name=f"A{n}") for n in range(_ROWS)]
        settings = org.state.settings
        values = {
            "kind": "salesforce",
            "base_url": org.served.url,
            "auth": {
                "method": "client_credentials",
                "client_id": settings.client_id,
                "client_secret": settings.client_secret,
            },
            "customer": {"Type": "Customer"},
            "tier": {"field": "Customer_Tier__c", "values": {1: "Tier 1", 2: "Tier 2", 3: "Tier 3"}},
        }
        out = salesforce_writer(SalesforceSettings.model_validate(values), StepClock(org.clock))
        assert dict.fromkeys(rows) == dict(out.read(rows))
        before = len(org.log.entries())
        looked = [entry.path for entry in org.log.entries() if "oauth2" not in entry.path]
        results = list(out.write([TierWrite(row, "Tier 2", None) for row in rows]))
        out.close()
        assert {"written"} == {result.outcome for result in results}
        assert (1, 1) == (len(looked), len(org.log.entries()) - before)
        with org.state.store.lock:
            assert {"Tier 2"} == {r.fields["Customer_Tier__c"] for r in org.state.store.table("Account").by_id()}


def test_calls_a_thousand_tiers_to_hubspot() -> None:
    """Ten batches of a hundred, and ten batches to read what is there."""
    portal = Portal()
    try:
        portal.fill("companies", _ROWS, {"name": "C{n}"})
        with portal.state.store.lock:
            rows = [row.id for row in portal.state.store.table("companies").by_id()]
        values = {
            "kind": "hubspot",
            "base_url": portal.served.url,
            "auth": {"access_token": TOKEN},
            "customer": {"lifecyclestage": "customer"},
            "tier": {"field": "customer_tier", "values": {1: "tier_1", 2: "tier_2", 3: "tier_3"}},
        }
        out = hubspot_writer(HubSpotSettings.model_validate(values), StepClock(portal.clock))
        assert dict.fromkeys(rows) == dict(out.read(rows))
        looked = [entry.path for entry in portal.shared.log.entries() if "/batch/read" in entry.path]
        before = len(portal.shared.log.entries())
        results = list(out.write([TierWrite(row, "tier_2", None) for row in rows]))
        out.close()
        assert {"written"} == {result.outcome for result in results}
        assert (10, 10) == (len(looked), len(portal.shared.log.entries()) - before)
        with portal.state.store.lock:
            companies = portal.state.store.table("companies").by_id()
            assert {"tier_2"} == {row.fields["customer_tier"] for row in companies}
    finally:
        portal.stop()
