"""The org's schema as its administrator changes it: objects, fields, sight, formulas, history, rules and locks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.clock import DAY, HOUR, MINUTE, SECOND
from sandbox.salesforce.control import routes
from sandbox.salesforce.state import Rule
from sandbox.versions import On
from tests.sandbox.salesforce_org import NOW, VERSION, Org, serving, sf_id

ACCOUNT = sf_id("001", 1)


@pytest.fixture
def org() -> Iterator[Org]:
    """An org with an account and a user."""
    with serving() as served:
        served.add("User", "005", 9, LastName="Doe", FirstName="Jane", Name="Jane Doe")
        served.add("Account", "001", 1, at=NOW - HOUR, Name="Acme", ARR__c=100)
        yield served


def _control(org: Org, path: str, body: Any) -> Any:
    return next(act for m, known, act in routes(org.state) if (m, known) == ("POST", f"/salesforce/{path}"))(body)


def _described(org: Org, name: str) -> dict[str, Any]:
    answer = org.ask("GET", f"sobjects/{name}/describe")
    assert 200 == answer.status_code
    body: dict[str, Any] = answer.json()
    return body


def _code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()[0]["errorCode"]


def _field(org: Org, object_name: str, field: str) -> dict[str, Any]:
    return next(f for f in _described(org, object_name)["fields"] if f["name"] == field)


def test_a_custom_object_is_there_at_once(org: Org) -> None:
    """Defined while the org runs: listed, described with a prefix of its own, written, read, queried through its lookup."""
    made = _control(
        org,
        "objects",
        {"name": "Visit__c", "fields": ["Account__c reference ->Account:Account__r@Visits__r", "Days__c double"]},
    )
    described = _described(org, "Visit__c")
    assert (True, made["keyPrefix"], "Visit") == (described["custom"], described["keyPrefix"], described["label"])
    row = org.ask("POST", "sobjects/Visit__c", {"Name": "V", "Account__c": ACCOUNT, "Days__c": 3}).json()["id"]
    assert row.startswith(made["keyPrefix"])
    record = org.query("SELECT Account__r.Name, Days__c FROM Visit__c").json()["records"][0]
    assert ("Acme", 3) == (record["Account__r"]["Name"], record["Days__c"])
    children = _described(org, "Account")["childRelationships"]
    assert "Visits__r" in {c["relationshipName"] for c in children if c["childSObject"] == "Visit__c"}
    _control(org, "objects", {"drop": "Visit__c"})
    assert (400, "INVALID_TYPE") == _code(org.query("SELECT Id FROM Visit__c"))
    assert 404 == org.ask("GET", "sobjects/Visit__c/describe").status_code


def test_tasks_may_point_to_a_custom_object(org: Org) -> None:
    """With activities allowed, WhatId takes its ids and describe says so."""
    org.state.org.catalogue.define("Visit__c", activities=True)
    visit = org.ask("POST", "sobjects/Visit__c", {"Name": "V"}).json()["id"]
    assert 201 == org.ask("POST", "sobjects/Task", {"Subject": "s", "WhatId": visit}).status_code
    assert "Visit__c" in _field(org, "Task", "WhatId")["referenceTo"]


def test_an_object_may_have_one_stamp_only(org: Org) -> None:
    """Without SystemModstamp and LastModifiedDate there is CreatedDate to go by, or LoginTime."""
    org.state.org.catalogue.define("Log__c", stamps=False)
    stamps = {"SystemModstamp", "LastModifiedDate", "CreatedDate", "LoginTime"}
    found = [{f["name"] for f in _described(org, name)["fields"]} & stamps for name in ("Log__c", "LoginHistory")]
    assert [{"CreatedDate"}, {"LoginTime"}] == found


def test_fields_come_go_and_change(org: Org) -> None:
    """Added, dropped and altered fields show in describe and bind queries and writes at once."""
    _control(org, "fields", {"object": "Account", "add": ["Score__c double", "Note__c string:10"]})
    assert 204 == org.ask("PATCH", f"sobjects/Account/{ACCOUNT}", {"Score__c": 5}).status_code
    assert 5 == org.query("SELECT Score__c FROM Account").json()["records"][0]["Score__c"]
    alter = {"Note__c": {"restricted": True, "type": "picklist", "values": ["a", "b"]}, "Score__c": {"nillable": False}}
    _control(org, "fields", {"object": "Account", "alter": alter})
    assert ["a", "b"] == [v["value"] for v in _field(org, "Account", "Note__c")["picklistValues"]]
    refused = org.ask("PATCH", f"sobjects/Account/{ACCOUNT}", {"Note__c": "c"})
    assert (400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST") == _code(refused)
    assert (400, "REQUIRED_FIELD_MISSING") == _code(org.ask("POST", "sobjects/Account", {"Name": "x"}))
    _control(org, "fields", {"object": "Account", "drop": ["Score__c"]})
    gone = org.query("SELECT Id, Score__c FROM Account")
    assert (400, "INVALID_FIELD") == _code(gone)
    assert "No such column 'Score__c' on entity 'Account'" in gone.json()[0]["message"]


def test_a_stamp_may_refuse_filters(org: Org) -> None:
    """SystemModstamp with filterable false refuses WHERE, as describe says."""
    _control(org, "fields", {"object": "Case", "unfilter": ["SystemModstamp"]})
    assert not _field(org, "Case", "SystemModstamp")["filterable"]
    refused = org.query("SELECT Id FROM Case WHERE SystemModstamp > 2020-01-01T00:00:00Z")
    assert "can not be filtered in a query call" in refused.json()[0]["message"]
    assert 200 == org.query("SELECT Id FROM Case WHERE LastModifiedDate > 2020-01-01T00:00:00Z").status_code


def test_describe_is_304_until_its_object_changes(org: Org) -> None:
    """If-Modified-Since counts per object, alone and inside a composite, where the body is null."""
    since = org.ask("GET", "sobjects/Account/describe").headers["Last-Modified"]
    headers = {"If-Modified-Since": since}
    org.clock.advance(MINUTE)
    org.state.hide("Contact.Title")
    paths = [f"sobjects/{name}/describe" for name in ("Account", "Contact")]
    assert [304, 200] == [org.ask("GET", p, headers=headers).status_code for p in paths]
    parts = org.composite(*({"url": p, "httpHeaders": headers} for p in paths)).json()["compositeResponse"]
    assert [304, 200] == [p["httpStatusCode"] for p in parts]
    assert parts[0]["body"] is None
    assert "Title" not in {f["name"] for f in parts[1]["body"]["fields"]}
    assert 200 == org.ask("GET", "sobjects", headers=headers).status_code


def test_a_304_may_hide_what_was_hidden(org: Org) -> None:
    """With the switch off, a change of permissions does not move Last-Modified: the field fails in the query first."""
    org.switch(sight_moves_describe=False)
    since = org.ask("GET", "sobjects/Account/describe").headers["Last-Modified"]
    org.clock.advance(MINUTE)
    org.state.hide("Account.ARR__c")
    headers = {"If-Modified-Since": since}
    assert 304 == org.ask("GET", "sobjects/Account/describe", headers=headers).status_code
    assert (400, "INVALID_FIELD") == _code(org.query("SELECT ARR__c FROM Account"))


def test_a_formula_changes_without_a_stamp(org: Org) -> None:
    """A calculated field, by a function or by a shifted value: another result, the same SystemModstamp; never written."""
    org.state.formula("Account", "Seats__c", lambda row: (row.fields.get("ARR__c") or 0) * 2)  # type: ignore[operator]
    field = _field(org, "Account", "Seats__c")
    assert (True, False, False) == (field["calculated"], field["createable"], field["updateable"])
    soql = "SELECT Seats__c, ARR__c, SystemModstamp FROM Account"
    before = org.query(soql).json()["records"][0]
    _control(org, "shift", {"object": "Account", "id": ACCOUNT, "fields": {"ARR__c": 150}})
    after = org.query(soql).json()["records"][0]
    assert (200, 300) == (before["Seats__c"], after["Seats__c"])
    assert before["SystemModstamp"] == after["SystemModstamp"]
    refused = org.ask("PATCH", f"sobjects/Account/{ACCOUNT}", {"Seats__c": 1})
    assert (400, "INVALID_FIELD_FOR_INSERT_UPDATE") == _code(refused)


def test_an_object_of_seven_hundred_fields(org: Org) -> None:
    """Describe lists them all; a query of all of them is too long for an address and goes through a composite."""
    names = [f"A_field_with_a_long_name_{n:03d}__c" for n in range(700)]
    org.state.org.catalogue.define("Wide__c", "\n".join(f"{n} string:20" for n in names))
    org.ask("POST", "sobjects/Wide__c", {"Name": "w", names[699]: "last"})
    soql = f"SELECT Id, {', '.join(names)} FROM Wide__c"
    assert 414 == org.query(soql).status_code
    url = "query?q=" + soql.replace(" ", "+")
    part = org.composite({"url": url}).json()["compositeResponse"][0]
    assert (200, "last") == (part["httpStatusCode"], part["body"]["records"][0][names[699]])


def test_compounds_name_their_parts(org: Org) -> None:
    """Describe says which compound a part belongs to; the address reads as one object and is never written."""
    org.change("update", "Account", ACCOUNT, NOW, BillingCity="Bonn", BillingCountry="DE")
    assert "BillingAddress" == _field(org, "Account", "BillingCity")["compoundFieldName"]
    assert "Name" == _field(org, "Contact", "LastName")["compoundFieldName"]
    address = org.query("SELECT BillingAddress FROM Account").json()["records"][0]["BillingAddress"]
    assert ("Bonn", "DE", None) == (address["city"], address["country"], address["street"])


def test_history_of_tracked_fields(org: Org) -> None:
    """One row per change with old and new value, who and when; a lookup gives two, names and ids; untracked gives none."""
    _control(org, "track", {"object": "Account", "fields": ["ARR__c", "OwnerId", "Renewal_Date__c", "CSM__c"]})
    user = sf_id("005", 9)
    org.change("update", "Account", ACCOUNT, NOW + SECOND, ARR__c=200, Phone="1", LastModifiedById=user)
    org.change("update", "Account", ACCOUNT, NOW + 2 * SECOND, OwnerId=user, CSM__c=user, Renewal_Date__c=On(20_000))
    org.clock.advance(MINUTE)
    soql = "SELECT AccountId, Field, DataType, OldValue, NewValue, CreatedDate, CreatedById FROM AccountHistory ORDER BY Id"
    rows = org.query(soql).json()["records"]
    told = [(r["Field"], r["DataType"], r["OldValue"], r["NewValue"]) for r in rows]
    assert [
        ("ARR__c", "Currency", 100, 200),
        ("CSM__c", "EntityId", None, "Jane Doe"),
        ("CSM__c", "EntityId", None, user),
        ("Owner", "EntityId", None, "Jane Doe"),
        ("Owner", "EntityId", None, user),
        ("Renewal_Date__c", "DateOnly", None, "2024-10-04"),
    ] == told
    assert (ACCOUNT, user, "2026-03-02T06:00:01.000+0000") == tuple(
        rows[0][k] for k in ("AccountId", "CreatedById", "CreatedDate")
    )
    assert (400, "INVALID_FIELD") == _code(org.query("SELECT Id FROM AccountHistory WHERE NewValue = '1'"))
    assert "INVALIDENTITY" == org.job("SELECT Id FROM AccountHistory").json()[0]["errorCode"]
    org.switch(bulk_history=True)
    assert 200 == org.job("SELECT Id FROM AccountHistory").status_code


def test_history_begins_with_the_creation_and_ends_with_its_age(org: Org) -> None:
    """A row `created` for a new record, custom objects by ParentId; rows older than the retention are gone."""
    org.state.history.track("Opportunity", "StageName")
    org.state.history.track("Subscription__c", "Annual_Value__c")
    assert (400, "INVALID_TYPE") == _code(org.query("SELECT Id FROM OpportunityHistory"))
    org.add("Opportunity", "006", 1, Name="D", StageName="Proposal")
    org.add("Subscription__c", "a00", 1, Name="S")
    org.change("update", "Subscription__c", sf_id("a00", 1), NOW, Annual_Value__c=10)
    rows = org.query("SELECT Field, OpportunityId FROM OpportunityFieldHistory").json()["records"]
    assert [("created", sf_id("006", 1))] == [(r["Field"], r["OpportunityId"]) for r in rows]
    rows = org.query("SELECT Field, ParentId FROM Subscription__History ORDER BY Id").json()["records"]
    assert ["created", "Annual_Value__c"] == [r["Field"] for r in rows]
    org.clock.advance(550 * DAY)
    assert [] == org.query("SELECT Id FROM Subscription__History").json()["records"]


def test_history_respects_field_security(org: Org) -> None:
    """Changes of a field that the caller may not see are not told."""
    org.state.history.track("Account", "ARR__c", "Seats__c")
    org.change("update", "Account", ACCOUNT, NOW, ARR__c=1, Seats__c=2)
    org.state.hide("Account.ARR__c")
    rows = org.query("SELECT Field FROM AccountHistory").json()["records"]
    assert ["Seats__c"] == [r["Field"] for r in rows]


@pytest.mark.parametrize("resource", ["query", "tooling/query"])
def test_definitions_tell_what_is_tracked(org: Org, resource: str) -> None:
    """FieldDefinition by object tells IsFieldHistoryTracked; without such a filter it is refused as the vendor refuses it."""
    org.state.history.track("Account", "ARR__c")
    soql = (
        "SELECT QualifiedApiName, IsFieldHistoryTracked, EntityDefinition.QualifiedApiName FROM FieldDefinition "
        "WHERE EntityDefinition.QualifiedApiName IN ('Account', 'Contact')"
    )
    rows = org.query(soql, resource).json()["records"]
    tracked = [
        (r["EntityDefinition"]["QualifiedApiName"], r["QualifiedApiName"]) for r in rows if r["IsFieldHistoryTracked"]
    ]
    assert [("Account", "ARR__c")] == tracked
    assert {"Account", "Contact"} == {r["EntityDefinition"]["QualifiedApiName"] for r in rows}
    refused = org.query("SELECT QualifiedApiName FROM FieldDefinition", resource)
    assert (400, "EXTERNAL_OBJECT_UNSUPPORTED_EXCEPTION") == _code(refused)
    entity = org.query("SELECT QualifiedApiName FROM EntityDefinition WHERE KeyPrefix = '001'", resource).json()
    assert ["Account"] == [r["QualifiedApiName"] for r in entity["records"]]
    assert (400, "INVALID_TYPE") == _code(org.query("SELECT Id FROM Account", "tooling/query"))


def test_validation_rules_and_locks_refuse_single_rows(org: Org) -> None:
    """FIELD_CUSTOM_VALIDATION_EXCEPTION with the rule's text beside its field; UNABLE_TO_LOCK_ROW for so many tries."""
    org.add("Account", "001", 2, Name="Other")
    org.state.rules.append(Rule("Account", "Too rich", lambda f: (f.get("ARR__c") or 0) > 1000, "ARR__c"))  # type: ignore[operator]
    results = org.update({"Id": ACCOUNT, "ARR__c": 5000}, {"Id": sf_id("001", 2), "ARR__c": 10}).json()
    assert {"statusCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "message": "Too rich", "fields": ["ARR__c"]} == results[
        0
    ]["errors"][0]
    assert results[1]["success"]
    org.state.lock_rows(ACCOUNT, times=2)
    answers = [org.update({"Id": ACCOUNT, "Phone": "1"}).json()[0] for _ in range(3)]
    assert [False, False, True] == [a["success"] for a in answers]
    assert (
        "unable to obtain exclusive access to this record or 1 records: " + ACCOUNT
        == answers[0]["errors"][0]["message"]
    )
    _control(org, "rules", {"object": "Account", "field": "Phone", "forbid": ["2"], "message": "No"})
    assert (400, "FIELD_CUSTOM_VALIDATION_EXCEPTION") == _code(
        org.ask("PATCH", f"sobjects/Account/{ACCOUNT}", {"Phone": "2"})
    )


def test_the_rows_of_control_are_typed_and_stamped(org: Org) -> None:
    """Days and instants come from text by the field's type; a row without an id gets one."""
    made = _control(org, "rows", {"object": "Account", "fields": {"Name": "New", "Renewal_Date__c": "2026-12-31"}})
    record = org.query(f"SELECT Renewal_Date__c, SystemModstamp FROM Account WHERE Id = '{made['id']}'").json()[
        "records"
    ][0]
    assert ("2026-12-31", "2026-03-02T06:00:00.000+0000") == (record["Renewal_Date__c"], record["SystemModstamp"])


def test_einstein_activity_capture_shows_by_its_objects(org: Org) -> None:
    """Off: its objects do not exist. On: they are listed and name the connected users."""
    assert (400, "INVALID_TYPE") == _code(org.query("SELECT Id FROM ActivityUsrConnectionStatus"))
    _control(org, "einstein", {"on": True, "users": {sf_id("005", 9): "jane@acme.example"}})
    listed = {o["name"] for o in org.ask("GET", f"/services/data/v{VERSION}/sobjects").json()["sobjects"]}
    assert {"ActivityUsrConnectionStatus", "UserEmailCalendarSync"} <= listed
    row = org.query("SELECT UserId, ConnectivityStatus, EmailAddress FROM ActivityUsrConnectionStatus").json()[
        "records"
    ][0]
    assert (sf_id("005", 9), "ACTIVE", "jane@acme.example") == tuple(
        row[k] for k in ("UserId", "ConnectivityStatus", "EmailAddress")
    )
    _control(org, "einstein", {"on": False})
    assert (400, "INVALID_TYPE") == _code(org.query("SELECT Id FROM UserEmailCalendarSync"))


def test_multi_hop_paths(org: Org) -> None:
    """A line item reaches its account through its deal, a term its account's owner through deal and account."""
    org.change("update", "Account", ACCOUNT, NOW, OwnerId=sf_id("005", 9))
    org.add("Opportunity", "006", 1, Name="D", AccountId=ACCOUNT)
    org.add("OpportunityLineItem", "00k", 1, OpportunityId=sf_id("006", 1), Quantity=1)
    org.add("Deal_Term__c", "a01", 1, Name="T", Opportunity__c=sf_id("006", 1))
    line = org.query("SELECT Opportunity.AccountId FROM OpportunityLineItem").json()["records"][0]
    assert ACCOUNT == line["Opportunity"]["AccountId"]
    soql = "SELECT Opportunity__r.Account.Owner.Name FROM Deal_Term__c WHERE Opportunity__r.Account.Name = 'Acme'"
    term = org.query(soql).json()["records"][0]
    assert "Jane Doe" == term["Opportunity__r"]["Account"]["Owner"]["Name"]


def test_contacts_to_multiple_accounts(org: Org) -> None:
    """On, each contact has a direct row that follows its account; off, the object does not exist."""
    org.add("Account", "001", 2, Name="Other")
    org.add("Contact", "003", 1, LastName="P", AccountId=ACCOUNT)
    _control(org, "multiple-accounts", {"on": True})
    org.add("Contact", "003", 2, LastName="Q", AccountId=ACCOUNT)
    org.add("AccountContactRelation", "07k", 1, AccountId=sf_id("001", 2), ContactId=sf_id("003", 1), Roles="Other")
    soql = "SELECT ContactId, AccountId FROM AccountContactRelation WHERE IsDirect = {} ORDER BY ContactId"
    direct = [(r["ContactId"], r["AccountId"]) for r in org.query(soql.format("true")).json()["records"]]
    assert [(sf_id("003", 1), ACCOUNT), (sf_id("003", 2), ACCOUNT)] == direct
    assert 1 == org.query(soql.format("false")).json()["totalSize"]
    org.change("update", "Contact", sf_id("003", 2), NOW, AccountId=sf_id("001", 2))
    moved = [r["AccountId"] for r in org.query(soql.format("true")).json()["records"]]
    assert [ACCOUNT, sf_id("001", 2)] == moved
    _control(org, "multiple-accounts", {"on": False})
    assert (400, "INVALID_TYPE") == _code(org.query(soql.format("true")))


def test_a_row_may_fail_for_several_reasons(org: Org) -> None:
    """Every error of a row is in its result."""
    more = [["DUPLICATES_DETECTED", "Use one of these records?"]]
    fault = {"code": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "message": "No", "fields": ["Name"], "more": more}
    _control(org, "row-faults", fault)
    errors = org.update({"Id": ACCOUNT, "Phone": "1"}).json()[0]["errors"]
    assert [("FIELD_CUSTOM_VALIDATION_EXCEPTION", ["Name"]), ("DUPLICATES_DETECTED", [])] == [
        (e["statusCode"], e["fields"]) for e in errors
    ]
