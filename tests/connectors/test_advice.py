"""What `tierd check` says of an org's settings: field history, captured mail, currencies, required properties, quota."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from connectors.http import Finding
from connectors.hubspot.connector import HubSpotConnector
from connectors.hubspot.settings import HubSpotSettings
from connectors.known import nothing_known
from connectors.mapping import Currencies, FieldMapping, MappedField
from connectors.salesforce.connector import SalesforceConnector
from daemon.parts import mapped_option
from daemon.sync import run_sync
from rules.fieldmap import RawRow, Value, find
from sandbox.clock import DAY, MINUTE
from sandbox.salesforce.schema import parse
from sandbox.versions import At, On
from store import tables as t
from store.engine import Store
from tests.clocks import StepClock
from tests.connectors.test_salesforce import settings as org_settings
from tests.sandbox.hubspot_portal import NOW, TOKEN, Portal
from tests.sandbox.salesforce_org import Org, serving

TODAY = NOW // DAY


@pytest.fixture
def org() -> Iterator[Org]:
    """An org without anything in it."""
    with serving() as served:
        yield served


@pytest.fixture
def portal() -> Iterator[Portal]:
    """A portal with two owners."""
    served = Portal()
    try:
        yield served
    finally:
        served.stop()


def said(org: Org, word: str, **also: Any) -> list[Finding]:
    """Findings of a check that have this word."""
    connector = SalesforceConnector(org_settings(org, **also), StepClock(org.clock))
    found = [finding for finding in connector.check() if word in finding.what]
    connector.close()
    return found


def told(portal: Portal, word: str, **also: Any) -> list[Finding]:
    """The same of a portal."""
    values: dict[str, Any] = {
        "kind": "hubspot",
        "base_url": portal.served.url,
        "auth": {"access_token": TOKEN},
        "customer": {"lifecyclestage": "customer"},
    }
    settings = HubSpotSettings.model_validate(values | also)
    connector = HubSpotConnector(settings, StepClock(portal.clock), nothing_known)
    found = [finding for finding in connector.check() if word in finding.what]
    connector.close()
    return found


# ---------------------------------------------------------------- Salesforce


def test_fields_without_history_are_named_with_what_is_lost(org: Org) -> None:
    """Tracking that is switched on takes its field off the list; with all of them, the finding is fine."""
    (finding,) = said(org, "field history")
    assert "warning" == finding.level
    for name in ("Account.ARR__c", "Account.Renewal_Date__c", "Account.Type", "Account.Customer_Tier__c"):
        assert name in finding.what
    assert "arr growth" in finding.what
    assert "who set the tier" in finding.what
    assert "Set History Tracking" in finding.remedy
    org.state.history.track("Account", "ARR__c", "Type", "Customer_Tier__c", "CSM__c")
    (finding,) = said(org, "field history")
    assert ("Account.Renewal_Date__c" in finding.what, "arr growth" in finding.what) == (True, False)
    org.state.history.track("Account", "Renewal_Date__c")
    org.state.history.track("AccountTeamMember", "UserId")
    assert "ok" == said(org, "field history")[0].level


def mail(org: Org, number: int) -> None:
    """An e-mail of yesterday."""
    org.add("EmailMessage", "02s", number, Subject="Hi", MessageDate=At(NOW - DAY), Incoming=True)


def test_einstein_activity_capture_is_detected(org: Org) -> None:
    """Its own objects are there only while it is on; its mail is not in the org, which silence rules depend on."""
    assert "`cannot say (not captured)`" in said(org, "no e-mail of the last 30 days")[0].what
    mail(org, 1)
    assert ["mail: 1 e-mails of the last 30 days are rows of the org"] == [f.what for f in said(org, "mail:")]
    user = org.add("User", "005", 1, Name="Ana Lee", Username="ana@x.example", Email="ana@x.example")
    org.state.einstein(True, **{user: "ana@x.example"})
    (finding,) = said(org, "Einstein Activity Capture is on (1 mailbox connected)")
    assert "warning" == finding.level
    assert "cannot say (not captured)" in finding.what
    assert "Sync Email as Salesforce Activity" in finding.remedy
    label = "Staged Unmatched E-mail Address"
    staged = parse("StagedUnmtchdEmailAddr", None, "Id id ro default", label=label, plural=label)
    org.state.org.catalogue.put(staged)
    assert "ok" == said(org, "synchronises mail as Salesforce activities")[0].level
    org.state.einstein(False)
    assert [] == said(org, "Einstein Activity Capture")


def test_several_currencies_are_never_added_unconverted(org: Org) -> None:
    """A multi-currency org is an error until rates are configured; a currency without a rate is named."""
    assert [] == said(org, "currencies")
    org.state.org.catalogue.add_fields("Account", "CurrencyIsoCode picklist:3 =USD|EUR")
    (finding,) = said(org, "several currencies")
    assert "error" == finding.level
    assert "currencies: {field: CurrencyIsoCode, rates:" in finding.remedy


def test_a_check_costs_few_calls(org: Org) -> None:
    """Sign-in, describes, the list of objects and one composite of questions."""
    connector = SalesforceConnector(org_settings(org), StepClock(org.clock))
    connector.check()
    assert connector.calls <= 5
    connector.close()


def test_an_amount_is_converted_or_missing() -> None:
    """Minor units, half up; no rate, no currency: no amount."""
    rates = Currencies.model_validate({"rates": {"USD": 1, "EUR": "1.085"}})
    assert 109 == rates.converted(100, {"CurrencyIsoCode": "EUR"})
    assert 100 == rates.converted(100, {"CurrencyIsoCode": "USD"})
    assert [None] * 3 == [rates.converted(100, {"CurrencyIsoCode": code}) for code in ("CHF", None, "")]
    assert rates.converted(None, {"CurrencyIsoCode": "EUR"}) is None


def test_amounts_of_opportunities_are_stored_in_the_reporting_currency(org: Org, sqlite_store: Store) -> None:
    """What was paid in euros is dollars at the configured rate; an amount in a currency without a rate is missing."""
    org.state.org.catalogue.add_fields("Account", "CurrencyIsoCode picklist:3 =USD|EUR|CHF")
    org.state.org.catalogue.add_fields("Opportunity", "CurrencyIsoCode picklist:3 =USD|EUR|CHF")
    account = org.add("Account", "001", 1, Name="Acme", Type="Customer", CurrencyIsoCode="EUR", ARR__c=1_000.0)
    for number, code in enumerate(("USD", "EUR", "CHF"), 1):
        org.add("Opportunity", "006", number, Name=code, AccountId=account, Amount=100.0, CurrencyIsoCode=code,
                StageName="Closed Won", CloseDate=On(TODAY), IsWon=True, IsClosed=True)  # fmt: skip
    org.clock.advance_to(NOW + 10 * MINUTE)
    several: dict[str, Any] = {"currencies": {"rates": {"USD": 1, "EUR": 1.1}}, "fields": {"arr": {"field": "ARR__c"}}}
    connector = SalesforceConnector(org_settings(org, **several), StepClock(org.clock))
    run_sync(sqlite_store, "sf", connector, StepClock(org.clock))
    connector.close()
    with sqlite_store.read() as conn:
        rows = conn.execute(select(t.crm_opportunities.c.name, t.crm_opportunities.c.amount))
        amounts = {row.name: row.amount for row in rows}
        (fields,) = conn.execute(select(t.crm_accounts.c.fields)).scalars()
    assert {"USD": 10_000, "EUR": 11_000, "CHF": None} == amounts
    own = RawRow(account, 0, json.loads(fields))
    mapping = org_settings(org, **several)
    option = mapped_option(mapping.fields["arr"][0], mapping)
    assert Value(num=110_000) == find("arr", [option], own, {})


@pytest.mark.parametrize(("aggregate", "euros", "francs"), [("sum", 31_000, None), ("max", 20_000, None),
                                                            ("min", 11_000, None), ("latest", 11_000, 20_000)])  # fmt: skip
def test_unlike_currencies_are_never_aggregated(aggregate: str, euros: int, francs: int | None) -> None:
    """Two dollars and a euro make an amount; with a franc among the rows there is none, unless the latest is known."""
    rates = Currencies.model_validate({"rates": {"USD": 1, "EUR": "1.1"}})
    mapping = FieldMapping.model_validate({"customer": {}, "currencies": rates})
    option = mapped_option(
        MappedField.model_validate({"object": "Sub__c", "field": "Value__c", "aggregate": aggregate}), mapping
    )

    def row(number: int, amount: float, code: str) -> RawRow:
        return RawRow(str(number), number, {"Value__c": amount, "CurrencyIsoCode": code})

    some = [row(1, 200.0, "USD"), row(2, 100.0, "EUR")]
    assert Value(num=euros) == find("arr", [option], row(0, 0, ""), {"Sub__c": some})
    older = [row(1, 1.0, "CHF"), row(2, 200.0, "USD")]
    found = find("arr", [option], row(0, 0, ""), {"Sub__c": older})
    assert (None if francs is None else Value(num=francs)) == found


def test_currencies_are_salesforces(portal: Portal) -> None:
    """HubSpot converts deals by itself: rates there are refused, the converted property is the way."""
    del portal
    with pytest.raises(ValueError, match="HubSpot converts by itself"):
        HubSpotSettings.model_validate(
            {"kind": "hubspot", "auth": {"access_token": "x"}, "customer": {}, "currencies": {"rates": {"USD": 1}}}
        )


# ---------------------------------------------------------------- HubSpot


def test_logging_of_mail_is_judged_by_direction_and_owner(portal: Portal) -> None:
    """No mail, outgoing mail only, owners who log nothing: each with what it means for silence."""
    assert "`cannot say (not captured)`" in told(portal, "no e-mail of the last 30 days")[0].what
    portal.add("emails", "1", {"hs_timestamp": At(NOW - DAY), "hs_email_direction": "EMAIL", "hubspot_owner_id": "101"})
    assert "replies are not logged" in told(portal, "none is incoming")[0].what
    portal.add(
        "emails",
        "2",
        {"hs_timestamp": At(NOW - DAY), "hs_email_direction": "INCOMING_EMAIL", "hubspot_owner_id": "101"},
    )
    assert [] == told(portal, "none is incoming")
    (finding,) = told(portal, "mail: 2 e-mails")
    assert ("ok", True) == (finding.level, "1 of 2 owners have logged none" in finding.what)


def test_required_properties_are_listed_before_they_hurt(portal: Portal) -> None:
    """On 2026-03 they are told, on 2026-09 they are a warning at the setting."""
    portal.state.schema.required["companies"] = {"industry"}
    tier = {"field": "customer_tier", "values": {1: "tier_1", 2: "tier_2", 3: "tier_3"}}
    (finding,) = told(portal, "2026-09 would refuse", tier=tier)
    assert ("ok", True) == (finding.level, "industry" in finding.what)
    (finding,) = told(portal, "2026-09 refuses", tier=tier, write_version="2026-09")
    assert ("warning", ("write_version",)) == (finding.level, finding.at)


def test_history_and_pace_of_a_portal(portal: Portal) -> None:
    """HubSpot keeps history by itself; the pace says how much of the portal's searches are ours."""
    assert told(portal, "keeps the history of every property")
    assert "2 of the portal's 5 searches a second" in told(portal, "pace:")[0].what
