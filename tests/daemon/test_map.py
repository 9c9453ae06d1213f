"""`tierd map` on orgs that keep things in different places: what it proposes, why, and what it costs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.fit import HUBSPOT, SALESFORCE
from connectors.hubspot.connector import HubSpotConnector
from connectors.hubspot.settings import HubSpotSettings
from connectors.known import nothing_known
from connectors.mapping import FieldMapping, MappedField
from connectors.salesforce.connector import SalesforceConnector
from connectors.salesforce.settings import SalesforceSettings
from connectors.shapes import FieldShape, Option
from daemon.config import ConfigError
from daemon.map.customers import former
from daemon.map.edit import CannotEdit, Choice, edited
from daemon.map.given import NoSuchChoice
from daemon.map.given import given as decided
from daemon.map.show import text
from daemon.map.survey import Subject, Survey, survey, tier_of
from daemon.map.values import is_personal, judge, samples
from daemon.map.words import CUSTOMERS, VOCABULARY, match, tokens
from daemon.map.write import checked
from sandbox.clock import DAY
from sandbox.hubspot.schema import Property
from sandbox.versions import On
from tests.clocks import StepClock
from tests.connectors.test_explore import contracts
from tests.connectors.test_salesforce import CREDENTIALS
from tests.sandbox.hubspot_portal import NOW, TOKEN, Portal
from tests.sandbox.salesforce_org import Org, serving, sf_id

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


def surveyed(org: Org, told: list[str] | None = None, **mapping: Any) -> Survey:
    """Survey the org with a mapping so far; what is told of the cost goes into `told`."""
    values = {"kind": "salesforce", "base_url": org.served.url, "auth": CREDENTIALS, "customer": {"Type": "Customer"}}
    settings = SalesforceSettings.model_validate(values | mapping)
    connector = SalesforceConnector(settings, StepClock(org.clock))
    try:
        subject = Subject("salesforce", settings, SALESFORCE)
        return survey(connector.explorer, subject, NOW, (told if told is not None else []).append)
    finally:
        connector.close()


def surveyed_portal(portal: Portal, **mapping: Any) -> Survey:
    """Survey the portal."""
    values = {"kind": "hubspot", "base_url": portal.served.url, "auth": {"access_token": TOKEN}, "customer": {}}
    settings = HubSpotSettings.model_validate(values | mapping)
    connector = HubSpotConnector(settings, StepClock(portal.clock), nothing_known)
    try:
        return survey(connector.explorer, Subject("hubspot", settings, HUBSPOT), NOW, lambda _: None)
    finally:
        connector.close()


def customers(org: Org, count: int, **fields: Any) -> list[str]:
    """Accounts of type Customer; a field's value may be a list, one per account."""
    found = []
    for number in range(count):
        values = {name: value[number] if isinstance(value, list) else value for name, value in fields.items()}
        found.append(org.add("Account", "001", number + 1, Name=f"Acme {number}", **({"Type": "Customer"} | values)))
    return found


def chosen(found: Survey, fact: str) -> list[dict[str, Any]]:
    """The proposed list of one fact, as it would be written."""
    options = next(p.chosen for p in found.proposals if p.fact == fact)
    return [one.option.model_dump(exclude_defaults=True) for one in options]


def empty(found: Survey, fact: str) -> int:
    """Customers that stay empty."""
    return next(p.empty for p in found.proposals if p.fact == fact)


# ---------------------------------------------------------------- Salesforce


def test_fields_of_the_account_are_proposed_with_fill_and_why(org: Org) -> None:
    """The standard case: names say it, values agree, and the number of empty customers is told."""
    amounts = [12_000.0, 48_000.0, 250_000.0, None, 90_000.0, 30_000.0]
    customers(org, 6, ARR__c=amounts, Renewal_Date__c=On(TODAY + 90), Seats__c=[10.0, 20.0, 5.0, 8.0, 100.0, 7.0])
    told: list[str] = []
    found = surveyed(org, told)
    assert [{"field": "ARR__c"}] == chosen(found, "arr")
    assert ([{"field": "Renewal_Date__c"}], [{"field": "Seats__c"}]) == (
        chosen(found, "renewal"),
        chosen(found, "seats"),
    )
    assert (1, 0) == (empty(found, "arr"), empty(found, "renewal"))
    assert {1: "Tier 1", 2: "Tier 2", 3: "Tier 3"} == (found.tier.values if found.tier else None)
    assert "exact counts and a sample of up to 400 customers" in told[0]
    assert found.calls <= 16


def test_german_names_are_understood(org: Org) -> None:
    """API names in transliterated German, labels in German, values of a German picklist."""
    catalogue = org.state.org.catalogue
    catalogue.add_fields(
        "Account",
        "Jaehrl_wiederkehrender_Umsatz__c currency\nVertragsende__c date\nAnzahl_Lizenzen__c double\n"
        "Kundenbetreuer__c reference ->User:Kundenbetreuer__r\nKundenstatus__c picklist:40 =Bestandskunde|Interessent|Ehemaliger_Kunde\n"
        "Mandanten_ID__c string:40\nAutomatische_Verlaengerung__c boolean\nABC_Kunde__c picklist:40 =A-Kunde|B-Kunde|C-Kunde\n"
        "Vertragsbeginn__c date",
    )
    catalogue.alter("Account", "Jaehrl_wiederkehrender_Umsatz__c", label="Jährl. wiederkehrender Umsatz")
    for name in ("ARR__c", "Renewal_Date__c", "Seats__c", "CSM__c", "Workspace_Id__c", "Auto_Renews__c",
                 "Contract_Start__c", "Customer_Tier__c"):  # fmt: skip
        catalogue.drop_field("Account", name)
    user = org.add("User", "005", 1, Name="Ana Lee", Username="ana@x.example", Email="ana@x.example")
    customers(
        org, 6, Type=None, Kundenstatus__c=["Bestandskunde"] * 5 + ["Interessent"], Vertragsende__c=On(TODAY + 30),
        Jaehrl_wiederkehrender_Umsatz__c=[9_000.0, 12_000.0, 70_000.0, 8_500.0, 31_000.0, None],
        Anzahl_Lizenzen__c=[5.0, 6.0, 7.0, 8.0, 9.0, None], Kundenbetreuer__c=user,
        Mandanten_ID__c=[f"m-{n}" for n in range(6)], Automatische_Verlaengerung__c=[True, False, True, True, False, False],
        Vertragsbeginn__c=On(TODAY - 400),
    )  # fmt: skip
    found = surveyed(org, customer={})
    assert {"Kundenstatus__c": "Bestandskunde"} == found.where
    assert (5, {"Kundenstatus__c": "Ehemaliger Kunde"}) == (found.customers, found.churned)
    for fact, name in (
        ("arr", "Jaehrl_wiederkehrender_Umsatz__c"), ("renewal", "Vertragsende__c"), ("seats", "Anzahl_Lizenzen__c"),
        ("csm", "Kundenbetreuer__c"), ("usage_key", "Mandanten_ID__c"), ("contract_start", "Vertragsbeginn__c"),
        ("auto_renews", "Automatische_Verlaengerung__c"),
    ):  # fmt: skip
        assert [{"field": name}] == chosen(found, fact), fact
    assert found.tier is not None
    assert {1: "A-Kunde", 2: "B-Kunde", 3: "C-Kunde"} == found.tier.values
    assert "ana@x" not in text(found)
    assert user not in text(found)


def test_contracts_in_a_custom_object_are_summed_while_they_are_in_force(org: Org) -> None:
    """A lookup of any name leads to the account; what has ended is left out by the status field."""
    org.state.org.catalogue.drop_field("Account", "ARR__c")
    org.state.org.catalogue.drop_field("Account", "Renewal_Date__c")
    accounts = customers(org, 3)
    for number, (account, value, status) in enumerate(
        [(0, 10_000.0, "Active"), (0, 5_000.0, "Active"), (1, 70_000.0, "Active"), (1, 9_000.0, "Ended")], 1
    ):
        org.add("Subscription__c", "a00", number, Name=f"S{number}", Account__c=accounts[account], Annual_Value__c=value,
                Status__c=status, Ends_On__c=On(TODAY + 100), Seats__c=12.0)  # fmt: skip
    found = surveyed(org)
    where = {"Status__c": "Active"}
    rest = {"object": "Subscription__c", "where": where, "path": "Account__c"}
    assert {**rest, "field": "Annual_Value__c", "aggregate": "sum"} == chosen(found, "arr")[0]
    assert 1 == empty(found, "arr")
    arr = next(p.chosen[0] for p in found.proposals if p.fact == "arr")
    assert {"15000", "70000"} == set(arr.samples)
    assert {**rest, "field": "Seats__c", "aggregate": "sum"} in chosen(found, "seats")


def test_recurring_revenue_on_line_items_goes_through_the_opportunity(org: Org) -> None:
    """Two hops: the line item's opportunity, the opportunity's account; what hangs on a lost one does not count."""
    org.state.org.catalogue.drop_field("Account", "ARR__c")
    org.state.org.catalogue.add_fields("OpportunityLineItem", "ARR__c currency")
    accounts = customers(org, 2)
    for number, account in enumerate(accounts, 1):
        deal = org.add("Opportunity", "006", number, Name="Deal", AccountId=account, StageName="Closed Won",
                       CloseDate=On(TODAY - 10), IsWon=True, IsClosed=True)  # fmt: skip
        for item in (1, 2):
            org.add("OpportunityLineItem", "00k", 10 * number + item, OpportunityId=deal, ARR__c=1_000.0 * number)
    lost = org.add("Opportunity", "006", 9, Name="Lost", AccountId=accounts[0], StageName="Closed Lost",
                   CloseDate=On(TODAY - 10), IsWon=False, IsClosed=True)  # fmt: skip
    org.add("OpportunityLineItem", "00k", 99, OpportunityId=lost, ARR__c=500_000.0)
    found = surveyed(org)
    arr = next(p.chosen[0] for p in found.proposals if p.fact == "arr")
    assert {"2000", "4000"} == set(arr.samples)
    assert {"Opportunity.IsWon": True} == chosen(found, "arr")[0]["where"]
    assert "Opportunity.AccountId" == chosen(found, "arr")[0]["path"]
    assert ("OpportunityLineItem", "ARR__c", "sum") == tuple(
        chosen(found, "arr")[0][key] for key in ("object", "field", "aggregate")
    )
    assert 0 == empty(found, "arr")


def test_the_account_team_fills_customers_without_a_csm_field(org: Org) -> None:
    """A list by precedence: the field first, then the role in the account team, then nobody."""
    user = org.add("User", "005", 1, Name="Ana Lee", Username="ana@x.example", Email="ana@x.example")
    accounts = customers(org, 8, CSM__c=[user, user, user, user, None, None, None, None])
    for number, account in enumerate(accounts[4:7], 1):
        org.add("AccountTeamMember", "01M", number, AccountId=account, UserId=user,
                TeamMemberRole="Customer Success Manager")  # fmt: skip
    found = surveyed(org)
    team = {"object": "AccountTeamMember", "where": {"TeamMemberRole": "Customer Success Manager"}, "path": "AccountId"}
    assert [{"field": "CSM__c"}, {**team, "field": "UserId"}] == chosen(found, "csm")
    assert 1 == empty(found, "csm")


def test_what_is_mapped_and_works_stays(org: Org) -> None:
    """The file's own mapping is kept where it yields anything; what the CRM does not have is told and replaced."""
    customers(org, 4, ARR__c=[5_000.0, 9_000.0, 70_000.0, 800.0], AnnualRevenue=9e6, Seats__c=[1.0, 2.0, 3.0, 4.0])
    fields = {"arr": {"field": "AnnualRevenue"}, "seats": {"field": "Seets__c"}}
    found = surveyed(org, fields=fields)
    assert [{"field": "AnnualRevenue"}] == chosen(found, "arr")
    assert next(p.kept for p in found.proposals if p.fact == "arr")
    assert [{"field": "Seats__c"}] == chosen(found, "seats")
    assert (("seats", "Account has no field `Seets__c`: did you mean `Seats__c`?"),) == found.broken


def test_values_that_cannot_be_it_are_not_proposed(org: Org) -> None:
    """A term in months, an ARR of pennies and a renewal long gone are no proposals, whatever their names."""
    customers(org, 5, ARR__c=[1.0, 2.0, 3.0, 1.5, 2.5], Term_Days__c=[12.0, 24.0, 12.0, 36.0, 12.0],
              Renewal_Date__c=On(TODAY - 3_000))  # fmt: skip
    found = surveyed(org)
    assert ([], []) == (chosen(found, "term"), chosen(found, "renewal"))


def test_tags_and_team_size_are_proposed(org: Org) -> None:
    """A multi-select of words that customers share, and a count of people; a field of its own comes before the employees."""
    org.state.org.catalogue.add_fields(
        "Account", "Customer_Tags__c multipicklist:4099 =beta|pilot|reference\nTeam_Size__c double"
    )
    customers(org, 5, Customer_Tags__c=["beta;pilot", "beta", None, "pilot", "reference;beta"], NumberOfEmployees=4_000,
              Team_Size__c=[4.0, 12.0, 30.0, 8.0, 5.0])  # fmt: skip
    found = surveyed(org)
    assert [{"field": "Customer_Tags__c"}] == chosen(found, "tags")
    assert (1, 0) == (empty(found, "tags"), empty(found, "team_size"))
    assert [{"field": "Team_Size__c"}] == chosen(found, "team_size")
    size = next(p for p in found.proposals if p.fact == "team_size")
    assert ["NumberOfEmployees"] == [one.option.field for one in size.alternatives]
    shown = text(found)
    assert '80% filled; called "customer tags"; 3 different tags' in shown
    assert '100% filled; called "team size"; 4 to 30' in shown


def test_what_each_customer_says_in_its_own_words_is_no_tag(org: Org) -> None:
    """Free text under a fitting name is not proposed, and without any field the page says what that means."""
    org.state.org.catalogue.add_fields("Account", "Tags__c string:255")
    org.state.org.catalogue.drop_field("Account", "NumberOfEmployees")
    customers(org, 5, Tags__c=[f"likes the feature number {n}" for n in range(5)])
    found = surveyed(org)
    assert ([], []) == (chosen(found, "tags"), chosen(found, "team_size"))
    assert "nothing found; without them no rule can ask" in " ".join(text(found).split())


def test_a_sample_says_that_it_is_one(org: Org) -> None:
    """More customers than the sample holds: fill is counted by the org, empty customers are an estimate."""
    customers(org, 410, ARR__c=[1_000.0 * (n + 1) if n % 2 else None for n in range(410)])
    found = surveyed(org)
    assert (410, 400, False) == (found.customers, found.sample, found.exact)
    arr = next(p.chosen[0] for p in found.proposals if p.fact == "arr")
    assert 205 == arr.filled
    assert "about 205 of 410 customers stay empty" in text(found)
    assert "a sample of 400 of 410 customers" in text(found).replace("\n", " ")


def test_the_text_fits_80_columns_and_reads_like_this(org: Org) -> None:
    """The whole page of a small org, word for word."""
    user = org.add("User", "005", 1, Name="Ana Lee", Username="ana@x.example", Email="ana@x.example")
    customers(org, 5, ARR__c=[12_000.0, 48_000.0, 250_000.0, None, 9_500.0], Renewal_Date__c=On(TODAY + 90), CSM__c=user,
              Customer_Tier__c="Tier 2")  # fmt: skip
    shown = text(surveyed(org))
    assert max(map(len, shown.splitlines())) <= 80
    begin = shown[: shown.index("  potential") if "  potential" in shown else shown.index("  contract_start")]
    assert (
        begin
        == """\
customers
  *         5  Type is Customer
                 as configured

Facts, by what 5 customers have:

  arr            ARR__c
                 80% filled; called "arr"; 9,500 to 250,000
                 for example 12000, 48000, 250000
                 1 of 5 customers stays empty

  renewal        Renewal_Date__c
                 100% filled; called "renewal date"; 100% lie ahead
                 for example 2026-05-31
                 no customer stays empty

"""
    )
    assert "for example 1 different person, not shown" in shown
    assert "1 = Tier 1, 2 = Tier 2, 3 = Tier 3" in shown


# ---------------------------------------------------------------- HubSpot


def test_a_portal_is_surveyed_by_a_sample(portal: Portal) -> None:
    """The lifecycle stage says who is a customer; properties and deals say the rest."""
    for number in range(1, 6):
        stage = "customer" if number < 5 else "lead"
        fields = {"name": f"Acme {number}", "lifecyclestage": stage, "renewal_date": "2026-06-01", "seats": str(number)}
        portal.add("companies", str(number), fields | ({"arr": "12000"} if number < 3 else {}))
        portal.add("deals", f"1{number}", {"dealname": "Deal", "amount": "9000", "hs_is_closed_won": "true",
                                           "closedate": "2026-01-01T00:00:00Z"})  # fmt: skip
        portal.link("deals", f"1{number}", "companies", str(number))
    found = surveyed_portal(portal)
    assert ({"lifecyclestage": "customer"}, 4) == (found.where, found.customers)
    assert [{"field": "renewal_date"}] == chosen(found, "renewal")
    assert {"field": "arr"} == chosen(found, "arr")[0]
    assert {"object": "deals", "where": {"hs_is_closed_won": True}, "field": "amount", "by": "closedate"} in [
        one.option.model_dump(exclude_defaults=True)
        for p in found.proposals
        if p.fact == "arr"
        for one in (*p.chosen, *p.alternatives)
    ]
    assert {1: "tier_1", 2: "tier_2", 3: "tier_3"} == (found.tier.values if found.tier else None)


def test_tags_and_team_size_of_a_portal(portal: Portal) -> None:
    """HubSpot's own count of employees stands in for the team size; several checkboxes are tags."""
    portal.add_property("companies", Property("numberofemployees", "number", label="Number of Employees"))
    portal.add_property("companies", Property("account_tags", "enumeration", ("beta", "pilot"), multiple=True))
    for number in range(1, 4):
        fields = {"name": f"Acme {number}", "lifecyclestage": "customer", "numberofemployees": str(10 * number)}
        portal.add("companies", str(number), fields | {"account_tags": "beta;pilot"})
    found = surveyed_portal(portal)
    assert [{"field": "numberofemployees"}] == chosen(found, "team_size")
    assert [{"field": "account_tags"}] == chosen(found, "tags")


def test_contracts_of_a_portal_are_summed_by_association(portal: Portal) -> None:
    """A custom object with a status: what is active counts, under its full name and without a path."""
    for number in (1, 2):
        portal.add("companies", str(number), {"name": f"Acme {number}", "lifecyclestage": "customer"})
    full = contracts(portal)
    found = surveyed_portal(portal)
    where = {"status": "active"}
    assert {"object": full, "where": where, "field": "arr", "aggregate": "sum"} == chosen(found, "arr")[0]
    assert {"object": full, "where": where, "field": "seats", "aggregate": "sum"} == chosen(found, "seats")[0]
    assert {"object": full, "where": where, "field": "ends_on", "aggregate": "max"} == chosen(found, "renewal")[0]
    assert ("1400",) == next(p.chosen[0].samples for p in found.proposals if p.fact == "arr")


# ---------------------------------------------------------------- words and values


@pytest.mark.parametrize(
    ("fact", "name", "likely"),
    [
        ("arr", "ARR__c", True),
        ("arr", "annual_recurring_revenue", True),
        ("arr", "Revenu annuel récurrent", True),
        ("arr", "Ingresos_Recurrentes_Anuales__c", True),
        ("arr", "MRR__c", False),
        ("arr", "ARR_Last_Year__c", False),
        ("arr", "AnnualRevenue", False),
        ("renewal", "Date de renouvellement", True),
        ("renewal", "Fecha de renovación", True),
        ("renewal", "Last_Renewal__c", False),
        ("seats", "Nombre de licences", True),
        ("seats", "Active_Users__c", False),
        ("csm", "Responsable de la réussite client", True),
        ("csm", "CSM_Backup__c", False),
        ("usage_key", "TenantId", True),
        ("usage_key", "SalesforceAccountId", False),
        ("tier", "Kundenklasse__c", True),
        ("auto_renews", "Tacite_reconduction__c", True),
        ("team_size", "Teamgröße__c", True),
        ("team_size", "numberofemployees", True),
        ("team_size", "Employee_Range__c", False),
        ("tags", "Schlagwörter", True),
        ("tags", "Étiquettes", True),
        ("tags", "Tag_Manager_Id__c", False),
    ],
)
def test_names_of_four_languages(fact: str, name: str, likely: bool) -> None:
    """What is called so is likely; what sounds alike but is another thing is not."""
    assert likely == (match(VOCABULARY[fact], name)[0] >= 0.5)


@pytest.mark.parametrize(("value", "is_one"), [("Customer", True), ("Bestandskunde", True), ("Customer - Direct", True),
                                               ("Former Customer", False), ("Ex-Kunde", False), ("Prospect", False)])  # fmt: skip
def test_values_that_mean_a_customer(value: str, is_one: bool) -> None:
    """Former customers and prospects are none."""
    assert is_one == (match(CUSTOMERS, value)[0] >= 0.5)


@given(st.text(max_size=40))
def test_any_name_can_be_taken_apart(name: str) -> None:
    """Names of any script give small plain words and never fail."""
    assert all(word == word.lower() and word.isascii() for word in tokens(name))
    assert 0.0 <= match(VOCABULARY["arr"], name)[0] <= 1.0


def test_nobody_is_shown_in_samples() -> None:
    """Names, addresses and numbers of people are counted, and an address in any text is masked."""
    email = FieldShape("Email", "E-mail", "text", "email", personal=True)
    signer = FieldShape("Signed_By__c", "Signed by", "text", "string")
    note = FieldShape("Ref__c", "Reference", "text", "string")
    assert ("2 different values, not shown",) == samples(email, ["a@x.example", "b@x.example"])
    assert is_personal(signer)
    assert ("ask ...@... first",) == samples(note, ["ask ana@x.example first"])
    assert ("x" * 21 + "...",) == samples(note, ["x" * 80])
    assert () == samples(note, [None, ""])


def test_months_are_not_days() -> None:
    """Days are read; 12, 24 and 36 are months."""
    field = FieldShape("Term", "Term", "number", "double")
    assert (0.0, "its values look like months; tierd reads days") == judge("term", field, [12, 24, 36.0], NOW)
    assert 1.0 == judge("term", field, [365, 730, 30], NOW)[0]


# ---------------------------------------------------------------- the file

FILE = """\
# ours
own_domains: [acme.example]
sources:
  crm:   # the one
    kind: salesforce
    customer: {Type: Customer}     # who pays
    csm:
      - {field: CSM__c}
      - {field: Owner2__c}
    # Where each fact is kept.
    fields:
      # money first
      arr: {field: Old__c}         # in EUR

      seats:                       # licensed
        - field: Seats__c
        - field: Users__c
      term: {field: Term__c}       # days
    # contact: {user: {field: X}}

  # second:
  #   kind: hubspot
alerts: {digest_at: "07:00"}
"""


def options(*names: str) -> Sequence[MappedField]:
    """Fields of the account."""
    return [MappedField(field=name) for name in names]


def test_only_the_lines_of_the_mapping_change() -> None:
    """Comments beside, above and after stay where they are; new facts come last, what is taken out is gone."""
    choice = Choice(
        customer={"Type": ["Customer", "Partner"]},
        facts={"arr": options("ARR__c"), "seats": options("Seats__c"), "renewal": options("R__c", "E__c"), "term": (),
               "csm": options("CSM2__c")},
    )  # fmt: skip
    assert (
        edited(FILE, "crm", choice)
        == """\
# ours
own_domains: [acme.example]
sources:
  crm:   # the one
    kind: salesforce
    customer: {Type: [Customer, Partner]}     # who pays
    csm: {field: CSM2__c}
    # Where each fact is kept.
    fields:
      # money first
      arr: {field: ARR__c}         # in EUR

      seats: {field: Seats__c}                       # licensed
      renewal:
        - {field: R__c}
        - {field: E__c}
    # contact: {user: {field: X}}

  # second:
  #   kind: hubspot
alerts: {digest_at: "07:00"}
"""
    )


def test_what_is_there_already_is_not_touched() -> None:
    """The same mapping in another spelling is left as it is written."""
    choice = Choice(customer={"Type": "Customer"}, facts={"seats": options("Seats__c", "Users__c")})
    assert FILE == edited(FILE, "crm", choice)


def test_line_ends_stay_as_they_are() -> None:
    """A file from Windows stays one, and so does everything in it that is not the mapping."""
    made = edited(FILE.replace("\n", "\r\n"), "crm", Choice(facts={"arr": options("ARR__c")}))
    assert edited(FILE, "crm", Choice(facts={"arr": options("ARR__c")})).replace("\n", "\r\n") == made


def test_what_cannot_be_edited_by_line_is_refused() -> None:
    """A source on one line, and an alias whose lines stand elsewhere, are told and left alone."""
    with pytest.raises(CannotEdit, match="is written on one line"):
        edited("sources: {crm: {kind: salesforce}}\n", "crm", Choice(customer={"Type": "Customer"}))
    shared = "x: &f {arr: {field: A__c}}\nsources:\n  crm:\n    kind: salesforce\n    fields: *f\n"
    with pytest.raises(CannotEdit, match="`fields` is an alias"):
        edited(shared, "crm", Choice(facts={"arr": options("ARR__c")}))


def test_an_invalid_text_is_told_under_the_files_own_name(tmp_path: Path) -> None:
    """What is checked beside the file is spoken of as the file, and leaves nothing behind."""
    path = tmp_path / "tierd.yaml"
    path.write_text("own_domains: [a.example]\n")
    with pytest.raises(ConfigError, match=r"^tierd.yaml:1:1: `sources` is missing"):
        checked(path, "own_domains: [a.example]\n", {})
    assert [path] == list(tmp_path.iterdir())


def test_fields_on_one_line_are_spread_out() -> None:
    """A flow mapping is written anew, one fact a line, with what it had."""
    file = "sources:\n  crm:\n    kind: salesforce\n    fields: {arr: {field: A__c}, term: {field: T__c}}\nx: 1\n"
    assert (
        edited(file, "crm", Choice(facts={"arr": options("ARR__c")}))
        == "sources:\n  crm:\n    kind: salesforce\n    fields:\n      arr: {field: ARR__c}\n"
        "      term: {field: T__c}\nx: 1\n"
    )
    grown = "sources:\n  crm:\n    kind: salesforce\n    fields:\n      arr: {field: A__c}   # money\n"
    assert "      arr:   # money\n        - {field: B__c}\n" in edited(
        grown, "crm", Choice(facts={"arr": options("B__c", "C__c")})
    )
    bare = "sources:\n  crm:\n    kind: salesforce\n"
    assert edited(bare, "crm", Choice(facts={"arr": options("ARR__c")})).endswith(
        "    fields:\n      arr: {field: ARR__c}\n"
    )


def test_decisions_by_hand() -> None:
    """A name, a mapped field as YAML, a condition, nothing; what is misspelt is told with the nearest fact."""
    said = decided(["arr=ARR__c", "seats=", "renewal={object: Contract, path: AccountId, field: EndDate, aggregate: max}",
                    "customer={Type: Customer}", "tier=Customer_Tier__c"])  # fmt: skip
    assert ["ARR__c"] == [option.field for option in said.facts["arr"]]
    assert ((), "max") == (said.facts["seats"], said.facts["renewal"][0].aggregate)
    assert ({"Type": "Customer"}, "Customer_Tier__c") == (said.customer, said.tier)
    for wrong, text_ in (
        ("seets=x", "did you mean `seats`?"), ("arr", "write FACT=FIELD"), ("arr={objekt: X, field: Y}", "did you mean `object`?"),
        ("customer=Type", "a condition is written"), ("arr={", "this is not YAML"),
    ):  # fmt: skip
        with pytest.raises(NoSuchChoice, match=text_.replace("?", r"\?")):
            decided([wrong])


def test_a_tier_field_needs_three_options(org: Org) -> None:
    """Metals have an order, so have numbers and letters."""
    shape = SalesforceConnector(
        SalesforceSettings.model_validate(
            {"kind": "salesforce", "base_url": org.served.url, "auth": CREDENTIALS, "customer": {}}
        ),
        StepClock(org.clock),
    ).explorer.shape("Account")
    assert shape is not None

    def with_options(*labels: str) -> Any:
        metals = FieldShape("M__c", "M", "choice", "picklist", tuple(Option(label, label) for label in labels))
        return tier_of(type(shape)(shape.name, shape.label, {"M__c": metals}), "M__c")

    assert {1: "Gold", 2: "Silver", 3: "Bronze"} == with_options("Bronze", "Silver", "Gold").values
    assert with_options("A", "B") is None
    assert former(shape, {"Type": "Customer"}) == {"Type": "Former Customer"}
    assert isinstance(FieldMapping(customer={}), FieldMapping)
    assert sf_id("001", 1)
