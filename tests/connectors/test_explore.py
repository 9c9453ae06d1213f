"""Looking around in both CRMs, and holding a mapping against what they have: names, paths, values, units."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.fit import SALESFORCE, misfits
from connectors.hubspot.connector import HubSpotConnector
from connectors.hubspot.explore import HubSpotExplorer
from connectors.hubspot.settings import HubSpotSettings
from connectors.known import nothing_known
from connectors.salesforce.connector import SalesforceConnector
from connectors.salesforce.explore import SalesforceExplorer
from connectors.salesforce.settings import SalesforceSettings
from connectors.salesforce.soql import NotInSoql, condition, quoted
from connectors.shapes import FieldShape, names_of, nearest, walk
from sandbox.hubspot.schema import Property
from tests.clocks import StepClock
from tests.connectors.test_salesforce import settings as org_settings
from tests.sandbox.hubspot_portal import TOKEN, Portal
from tests.sandbox.salesforce_org import Org, serving


@pytest.fixture
def org() -> Iterator[Org]:
    """An org with five customers and one prospect."""
    with serving() as served:
        for number in range(1, 7):
            kind = "Customer" if number < 6 else "Prospect"
            arr = 1000.0 * number if number < 5 else None
            served.add("Account", "001", number, Name=f"Acme {number}", Type=kind, ARR__c=arr)
        yield served


@pytest.fixture
def portal() -> Iterator[Portal]:
    """A portal with three companies, two of them customers."""
    served = Portal()
    for number in range(1, 4):
        stage = "customer" if number < 3 else "lead"
        served.add("companies", str(number), {"name": f"Acme {number}", "lifecyclestage": stage, "arr": "1200"})
    served.add("deals", "11", {"dealname": "First", "amount": "500"})
    served.link("deals", "11", "companies", "1")
    try:
        yield served
    finally:
        served.stop()


def looking(org: Org, **also: Any) -> tuple[SalesforceConnector, SalesforceExplorer]:
    """A connector and its explorer."""
    connector = SalesforceConnector(org_settings(org, **also), StepClock(org.clock))
    return connector, connector.explorer


def found(org: Org, **also: Any) -> list[tuple[str, str, tuple[str | int, ...]]]:
    """What is wrong with a mapping: level, text, place."""
    connector, explorer = looking(org, **also)
    wrong = misfits(org_settings(org, **also), explorer.shape, lambda: names_of(explorer.objects()), SALESFORCE)
    connector.close()
    return [(finding.level, finding.what, finding.at) for finding in wrong]


# ---------------------------------------------------------------- the mapping against the org


def test_an_unknown_field_is_named_with_the_nearest_one_and_its_place(org: Org) -> None:
    """A forgotten underscore is an error with the right name, wherever the field stands."""
    wrong = found(org, fields={"arr": [{"field": "ARR_c"}], "renewal": {"field": "Renewal_Date__c"}})
    assert [("error", "Account has no field `ARR_c`: did you mean `ARR__c`?", ("fields", "arr", 0, "field"))] == [
        one for one in wrong if one[0] == "error"
    ]


def test_a_label_in_place_of_a_name_is_recognised(portal: Portal) -> None:
    """RevOps people know labels: the message gives the name."""
    connector, explorer = hubspot(portal)
    shape = explorer.shape("companies")
    connector.close()
    assert shape is not None
    labelled = replace(shape, fields={"x1": replace(shape.fields["arr"], name="x1", label="Annual revenue run rate")})
    wrong = walk(lambda _: labelled, labelled, "Annual revenue run rate").wrong
    assert "that is a label, the field's name is `x1`" in wrong


@pytest.mark.parametrize(
    ("option", "text"),
    [
        ({"object": "Oportunity", "field": "Amount"}, "there is no object `Oportunity`: did you mean `Opportunity`?"),
        (
            {"object": "Opportunity", "path": "OwnerId", "field": "Amount"},
            "`path: OwnerId` of Opportunity leads to User, not to Account",
        ),
        (
            {"object": "Opportunity", "path": "ContactId", "field": "Amount"},
            "leads to Contact, not to Account: write `Contact.AccountId`?",
        ),
        (
            {"object": "Opportunity", "path": "Amount", "field": "Amount"},
            "`path: Amount` of Opportunity is an amount, not to Account",
        ),
        (
            {"object": "Opportunity", "path": "Acount.ParentId", "field": "Amount"},
            "Opportunity has no relationship `Acount`: did you mean `Account`?",
        ),
        (
            {"object": "Opportunity", "path": "ContactId.AccountId", "field": "Amount"},
            "`ContactId` is the id itself; the path goes on through `Contact`",
        ),
        (
            {"object": "Opportunity", "where": {"StageNam": "Closed Won"}, "field": "Amount"},
            "Opportunity has no field `StageNam`: did you mean `StageName`?",
        ),
        (
            {"object": "Opportunity", "where": {"StageName": "Closed Wonn"}, "field": "Amount"},
            "Opportunity.StageName has no value `Closed Wonn`: did you mean `Closed Won`?",
        ),
        (
            {"object": "Opportunity", "field": "StageName", "aggregate": "sum"},
            "Opportunity.StageName is a picklist: there is no sum of it",
        ),
        (
            {"object": "Opportunity", "field": "CloseDate"},
            "`arr` needs an amount, but Opportunity.CloseDate is a date",
        ),
        (
            {"object": "Opportunity", "field": "Amount", "by": "StageName"},
            "Opportunity.StageName cannot order rows: it is a picklist",
        ),
    ],
)
def test_every_part_of_a_mapped_field_is_looked_up(org: Org, option: dict[str, Any], text: str) -> None:
    """Object, path (hop by hop), condition, value, aggregate, order and unit each have their own sentence."""
    wrong = [what for _, what, at in found(org, fields={"arr": option}) if at[:2] == ("fields", "arr")]
    assert text in "\n".join(wrong)


def test_a_path_of_several_hops_that_leads_to_an_account_is_fine(org: Org) -> None:
    """Each hop is looked up in the describe of the object before it."""
    option = {"object": "Opportunity", "path": "Contact.AccountId", "field": "Amount"}
    assert [] == [one for one in found(org, fields={"arr": option}) if one[2][:2] == ("fields", "arr")]


def test_check_says_a_missing_field_once_and_goes_on_with_the_other_objects(org: Org) -> None:
    """The object's own line stays: only what the mapping names is wrong."""
    connector, _ = looking(org, fields={"arr": {"field": "ARR_c"}}, customer={"Typ": "Customer"})
    said = [finding.what for finding in connector.check() if finding.level == "error"]
    connector.close()
    assert [
        "Account has no field `Typ`: did you mean `Type`?",
        "Account has no field `ARR_c`: did you mean `ARR__c`?",
    ] == said


# ---------------------------------------------------------------- Salesforce


def test_fill_is_counted_by_the_org_many_fields_a_query(org: Org) -> None:
    """Exact, among customers only, in one call."""
    connector, explorer = looking(org)
    explorer.shape("Account")
    before = explorer.calls
    assert {"ARR__c": 4, "Name": 5} == dict(explorer.filled("Account", ["ARR__c", "Name"], {"Type": "Customer"}))
    assert 1 == explorer.calls - before
    assert [5, 1, 6, None] == explorer.counts(
        "Account", [{"Type": "Customer"}, {"Type": "Prospect"}, {}, {"Description": "x"}]
    )
    connector.close()


def test_a_sample_takes_the_oldest_and_the_newest(org: Org) -> None:
    """Where there are more accounts than the sample holds, both ends are seen, and it says that it is not the whole."""
    connector, explorer = looking(org)
    all_of_them = explorer.accounts(["Name"], {"Type": "Customer"})
    few = explorer.accounts(["Name"], {}, most=4)
    connector.close()
    assert (5, True) == (len(all_of_them.rows), all_of_them.whole)
    assert ["Acme 1", "Acme 2", "Acme 5", "Acme 6"] == [row.fields["Name"] for row in few.rows]
    assert (6, False) == (few.total, few.whole)


def test_related_rows_come_with_their_account_through_a_path(org: Org) -> None:
    """Rows of other objects, over one hop and over two."""
    account = org.ids("SELECT Id FROM Account ORDER BY Id LIMIT 1")[0]
    contact = org.add("Contact", "003", 1, LastName="Lee", AccountId=account)
    deal = org.add("Opportunity", "006", 1, Name="Deal", AccountId=account, Amount=500.0, ContactId=contact)
    connector, explorer = looking(org)
    direct = explorer.related("Opportunity", "AccountId", ["Amount"], [account])
    far = explorer.related("Opportunity", "Contact.AccountId", ["Amount", "Contact.LastName"], [account])
    connector.close()
    assert [(account, deal, 500.0)] == [(row.account, row.id, row.fields["Amount"]) for row in direct]
    assert [(account, "Lee")] == [(row.account, row.fields["Contact.LastName"]) for row in far]


def test_objects_near_an_account_are_found_by_their_lookups(org: Org) -> None:
    """Standard ones by name, each with its way to the account."""
    connector, explorer = looking(org)
    assert {"Opportunity", "AccountTeamMember"} <= set(explorer.nearby())
    assert "AccountId" == explorer.routes("Opportunity")[0]
    assert not {"AccountHistory", "AccountShare"} & {o.name for o in explorer.objects()}
    connector.close()


@given(st.text(max_size=30))
def test_a_string_in_soql_ends_where_it_should(text: str) -> None:
    """Quotes and backslashes of a value cannot end the literal."""
    inner = quoted(text)[1:-1]
    rest = inner.replace("\\\\", "").replace("\\'", "").replace("\\n", "").replace("\\r", "")
    assert "'" not in rest
    assert "\\" not in rest


def test_conditions_mean_in_soql_what_they_mean_row_by_row() -> None:
    """`not` leaves empty values out, lists are IN, flags and numbers are bare, long text is refused."""
    fields = {
        "Type": FieldShape("Type", "Type", "choice", "picklist"),
        "Seats": FieldShape("Seats", "Seats", "number", "double"),
        "Live": FieldShape("Live", "Live", "flag", "boolean"),
        "Notes": FieldShape("Notes", "Notes", "long", "textarea", filterable=False),
    }
    where = {"Type": ["A", "B'"], "Seats": {"at_least": 10}, "Live": True}
    assert r"Type IN ('A', 'B\'') AND Seats >= 10 AND Live = true" == condition(where, fields.get)
    assert "Type NOT IN ('A') AND Type != null" == condition({"Type": {"not": "A"}}, fields.get)
    assert "Type = null" == condition({"Type": {"known": False}}, fields.get)
    with pytest.raises(NotInSoql):
        condition({"Notes": "x"}, fields.get)


def test_the_nearest_name_does_not_mind_case() -> None:
    """`arr__c` is ARR__c; something quite different is nothing."""
    assert ": did you mean `ARR__c`?" == nearest("arr__c", ["ARR__c", "Name"])
    assert "" == nearest("zzz", ["ARR__c", "Name"])


def test_walking_a_path_names_the_hop_that_is_wrong(org: Org) -> None:
    """The end of a path is a field with its type."""
    connector, explorer = looking(org)
    deal = explorer.shape("Opportunity")
    assert deal is not None
    end = walk(explorer.shape, deal, "Contact.Account.Name").field
    assert end is not None
    assert ("Name", "text") == (end.name, end.kind)
    assert "Account has no field `Nme`: did you mean `Name`?" == walk(explorer.shape, deal, "Account.Nme").wrong
    connector.close()


def test_a_condition_that_soql_cannot_say_is_tested_row_by_row(org: Org) -> None:
    """Long text takes no filter: the sample is still of customers only, and its total is not known."""
    org.add("Account", "001", 7, Name="Acme 7", Type="Customer", Description="keep")
    connector, explorer = looking(org)
    sample = explorer.accounts(["Name"], {"Description": "keep"})
    connector.close()
    assert (["Acme 7"], None) == ([row.fields["Name"] for row in sample.rows], sample.total)


def test_what_people_wrote_is_personal(org: Org, portal: Portal) -> None:
    """Subjects, addresses and names are never shown in samples; titles and amounts are."""
    connector, explorer = looking(org)
    mails, people = explorer.shape("EmailMessage"), explorer.shape("Contact")
    connector.close()
    assert mails is not None
    assert people is not None
    assert all(mails.fields[name].personal for name in ("Subject", "FromAddress", "ToAddress", "TextBody"))
    assert (True, True, False) == tuple(people.fields[name].personal for name in ("LastName", "Email", "Title"))
    other, explorer_ = hubspot(portal)
    contacts_, emails = explorer_.shape("contacts"), explorer_.shape("emails")
    other.close()
    assert contacts_ is not None
    assert emails is not None
    assert all(contacts_.fields[name].personal for name in ("firstname", "email", "phone"))
    assert (False, True) == (contacts_.fields["jobtitle"].personal, emails.fields["hs_email_subject"].personal)


# ---------------------------------------------------------------- HubSpot


def hubspot(portal: Portal, **also: Any) -> tuple[HubSpotConnector, HubSpotExplorer]:
    """A connector and its explorer."""
    values: dict[str, Any] = {
        "kind": "hubspot",
        "base_url": portal.served.url,
        "auth": {"access_token": TOKEN},
        "customer": {"lifecyclestage": "customer"},
    }
    settings = HubSpotSettings.model_validate(values | also)
    connector = HubSpotConnector(settings, StepClock(portal.clock), nothing_known)
    return connector, connector.explorer


def test_companies_are_counted_sampled_and_followed_to_their_deals(portal: Portal) -> None:
    """A count is a search, a sample of few is one search, deals cost an association call and a batch."""
    connector, explorer = hubspot(portal)
    assert [2, 1, 3] == explorer.counts(
        "companies", [{"lifecyclestage": "customer"}, {"lifecyclestage": {"not": "customer"}}, {}]
    )
    before = explorer.calls
    sample = explorer.accounts(["name", "arr"], {"lifecyclestage": "customer"})
    rows = explorer.related("deals", "", ["amount"], [row.id for row in sample.rows])
    assert 3 == explorer.calls - before
    connector.close()
    assert ["Acme 1", "Acme 2"] == [row.fields["name"] for row in sample.rows]
    assert [("1", "500")] == [(row.account, row.fields["amount"]) for row in rows]


def test_a_property_that_is_not_there_is_named_at_its_place(portal: Portal) -> None:
    """Unknown properties, values that are no options, and labels in place of values."""
    wrong = {"lifecyclestage": "Customer"}
    connector, _ = hubspot(portal, customer=wrong, fields={"arr": [{"field": "ar"}, {"object": "dels", "field": "x"}]})
    said = {finding.at: finding.what for finding in connector.check() if finding.at}
    connector.close()
    assert said == {
        ("customer", "lifecyclestage"): (
            "companies.lifecyclestage has no value `Customer`: that is a label, its value is `customer`"
        ),
        ("fields", "arr", 0, "field"): "companies has no property `ar`: did you mean `arr`?",
        ("fields", "arr", 1, "object"): "there is no object `dels`: did you mean `deals`?",
    }


def test_a_mapping_that_fits_is_not_spoken_of(org: Org) -> None:
    """No finding carries a place where nothing is wrong."""
    csm = [{"field": "CSM__c"}]
    connector, _ = looking(org, csm=csm)
    assert [] == [finding.what for finding in connector.check() if finding.at]
    connector.close()
    assert isinstance(org_settings(org), SalesforceSettings)


def contracts(portal: Portal) -> str:
    """A custom object of contracts that belong to companies; its full name."""
    names = (("name", "string"), ("arr", "number"), ("seats", "number"), ("ends_on", "date"))
    props = [Property(name, kind) for name, kind in names]
    props.append(Property("status", "enumeration", ("active", "ended")))
    full = portal.state.add_type("contract", props, plural="Agreements", links_to=["companies"]).name
    for number, (company, arr, status) in enumerate(
        (("1", "900", "active"), ("1", "500", "active"), ("2", "7", "ended")), 1
    ):
        portal.add(
            full, f"50{number}", {"name": "C", "arr": arr, "seats": "3", "ends_on": "2026-09-01", "status": status}
        )
        portal.link(full, f"50{number}", "companies", company)
    return full


def test_custom_objects_of_a_portal_are_found_by_every_name(portal: Portal) -> None:
    """The full name is what is written; the short name and the label lead to it, and rows come by association."""
    full = contracts(portal)
    connector, explorer = hubspot(portal, fields={"arr": {"object": "Agreements", "field": "arr", "aggregate": "sum"}})
    assert full in explorer.nearby()
    rows = explorer.related(full, "", ["arr", "status"], ["1", "2"])
    assert [("1", "900"), ("1", "500"), ("2", "7")] == [(row.account, row.fields["arr"]) for row in rows]
    (finding,) = [one for one in connector.check() if one.at]
    assert f"there is no object `Agreements`: it is called `{full}`" == finding.what
    connector.close()
    fitting = {"object": full, "field": "arr", "aggregate": "sum", "where": {"status": "active"}}
    connector, _ = hubspot(portal, fields={"arr": fitting})
    assert [] == [one.what for one in connector.check() if one.at]
    assert "crm.schemas.custom.read" in dict(connector.permissions())
    connector.close()


def test_a_token_without_owners_is_told(portal: Portal) -> None:
    """No object's properties need the owners' scope, but without it nobody knows who the CSM is."""
    scopes = portal.state.tokens[TOKEN].scopes
    portal.state.tokens[TOKEN] = replace(portal.state.tokens[TOKEN], scopes=scopes - {"crm.objects.owners.read"})
    connector, _ = hubspot(portal)
    said = [one.what for one in connector.check() if one.level == "error"]
    connector.close()
    assert ["the token lacks the scope crm.objects.owners.read: who the CSM is, and who of us was in touch"] == said
