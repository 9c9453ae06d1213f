"""Roles, history, and answers that are not what was asked for: nothing is lost, doubled or called gone by mistake."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import delete, select

from sandbox.clock import DAY, MINUTE, SECOND
from sandbox.faults import parse_fault
from sandbox.versions import At, On
from store import tables as t
from store.engine import Store
from tests.connectors.salesforce_source import Source, asked, calls, keep, mark, soql
from tests.sandbox.salesforce_org import NOW, Org, serving, sf_id


@pytest.fixture
def org() -> Iterator[Org]:
    """An org ten minutes into its day."""
    with serving() as served:
        served.clock.advance_to(NOW + 10 * MINUTE)
        yield served


def test_roles_come_from_deals_and_from_further_accounts(org: Org, store: Store) -> None:
    """A person on several accounts; the direct relation is what the contact says already; an ended one is over."""
    acme, other, third = (org.add("Account", "001", n, Name=f"A{n}") for n in (1, 2, 3))
    ann = org.add("Contact", "003", 1, LastName="Ann", AccountId=acme)
    deal = org.add("Opportunity", "006", 1, Name="D", AccountId=acme)
    role = org.add("OpportunityContactRole", "00K", 1, OpportunityId=deal, ContactId=ann, Role="Economic Buyer")
    common: dict[str, Any] = {"ContactId": ann, "IsActive": True, "Roles": "Decision Maker"}
    org.add("AccountContactRelation", "07k", 1, AccountId=acme, IsDirect=True, **common)
    further = org.add("AccountContactRelation", "07k", 2, AccountId=other, IsDirect=False, **common)
    ended = org.add("AccountContactRelation", "07k", 3, AccountId=third, IsDirect=False, **common)
    source = Source(org, store)
    source.sync()
    org.clock.advance(30 * MINUTE)
    org.change("update", "AccountContactRelation", ended, org.clock.now(), IsActive=False)
    source.sync()
    roles = source.rows(t.crm_contact_roles)
    assert {role, further, ended} == set(roles)
    assert (deal, None, "Economic Buyer") == (roles[role].opportunity_id, roles[role].crm_account_id, roles[role].role)
    assert (None, other, None) == (
        roles[further].opportunity_id,
        roles[further].crm_account_id,
        roles[further].deleted_at,
    )
    assert roles[ended].deleted_at is not None


def test_an_org_without_roles_or_relations_is_read_all_the_same(org: Org, sqlite_store: Store) -> None:
    """Optional objects that are not there are no trouble; when they come, their rows are read."""
    names = (
        "OpportunityContactRole",
        "AccountContactRelation",
        "TaskRelation",
        "EventRelation",
        "EmailMessageRelation",
    )
    org.state.hide(*names)
    ann = org.add("Contact", "003", 1, LastName="Ann")
    role = org.add("OpportunityContactRole", "00K", 1, OpportunityId=sf_id("006", 1), ContactId=ann, Role="User")
    source = Source(org, sqlite_store)
    assert ("ok", {}) == (source.sync().status, source.rows(t.crm_contact_roles))
    before = mark(org)
    assert ("ok", 2) == (source.sync().status, calls(org, before))
    org.state.show(*names)
    assert "ok" == source.sync().status
    assert [role] == list(source.rows(t.crm_contact_roles))


def test_the_orgs_own_history_of_mapped_fields_is_read_once_and_then_followed(org: Org, store: Store) -> None:
    """What a field held since the beginning, then each change with its author; ids in place of names."""
    users = [org.add("User", "005", n, Name=f"U{n}", Email=f"u{n}@ours.test", IsActive=True) for n in (1, 2)]
    org.state.history.track("Account", "ARR__c", "CSM__c", "Renewal_Date__c", "Phone")
    acme = org.add("Account", "001", 1, Name="Acme", Type="Customer", ARR__c=100, CSM__c=users[0])
    changes: list[dict[str, Any]] = [
        {"ARR__c": 200, "Phone": "1"},
        {"CSM__c": users[1]},
        {"Renewal_Date__c": On(20_600)},
    ]
    for second, values in enumerate(changes, 1):
        org.change("update", "Account", acme, NOW + second * SECOND, LastModifiedById=users[1], **values)
    source = Source(org, store)
    assert {} == source.sync().troubles
    assert {
        ("ARR__c", 0, 100, None),
        ("ARR__c", NOW + SECOND, 200, users[1]),
        ("CSM__c", 0, users[0], None),
        ("CSM__c", NOW + 2 * SECOND, users[1], users[1]),
        ("Renewal_Date__c", 0, None, None),
        ("Renewal_Date__c", NOW + 3 * SECOND, "2026-05-27", users[1]),
    } == _history(store)
    before = mark(org)
    source.sync()
    assert not soql(org, "AccountHistory", before)
    org.clock.advance(DAY)
    org.change("update", "Account", acme, org.clock.now(), ARR__c=300)
    org.clock.advance(MINUTE)
    before = mark(org)
    run = source.sweep("history")
    assert ("ok", 1, 1) == (run.status, run.saved.changed, calls(org, before))
    told = sorted((at, value) for field, at, value, _ in _history(store) if field == "ARR__c")
    assert [100, 200, 300] == [value for _, value in told]
    assert "absent" == source.freshness("history:contacts").status


def _history(store: Store) -> set[tuple[str, int, Any, str | None]]:
    h = t.crm_field_history.c
    with store.read() as conn:
        rows = conn.execute(select(h.field, h.changed_at, h.value, h.author))
        return {(row.field, row.changed_at, json.loads(row.value), row.author) for row in rows}


def test_history_tells_of_the_owner_under_its_relations_name(org: Org, sqlite_store: Store) -> None:
    """OwnerId is `Owner` in the history."""
    user = org.add("User", "005", 1, Name="U", IsActive=True)
    org.state.history.track("Account", "OwnerId")
    acme = org.add("Account", "001", 1, Name="Acme", OwnerId=sf_id("005", 7))
    org.change("update", "Account", acme, NOW + SECOND, OwnerId=user)
    source = Source(org, sqlite_store, {"csm": {"field": "OwnerId"}})
    source.sync()
    assert {("OwnerId", 0, sf_id("005", 7)), ("OwnerId", NOW + SECOND, user)} == {
        row[:3] for row in _history(sqlite_store)
    }


@pytest.mark.parametrize("fault", [{"reorder": True}, {"drop_rows": 3}, {"repeat": True}, {"truncate": 4000}])
def test_a_page_that_is_shuffled_short_or_another_one_loses_nothing(
    fault: dict[str, Any], org: Org, sqlite_store: Store
) -> None:
    """Four answers of the first read are spoilt; the rows are the org's rows all the same."""
    wanted = {org.add("Account", "001", n, at=NOW + n // 7 * SECOND, Name=f"A{n}") for n in range(4_500)}
    source = Source(org, sqlite_store)
    for struck in range(2, 9, 2):
        org.faults.add(parse_fault({"vendor": "salesforce", "path": "/composite", "nth": struck, **fault}))
    run = source.sync()
    if run.status != "ok":
        source.sync()
    assert wanted == set(source.rows(t.crm_accounts))


@pytest.mark.parametrize("name", ["deletes", "reconcile", "formulas"])
def test_a_short_page_makes_nobody_gone(name: str, org: Org, sqlite_store: Store) -> None:
    """Rows that a page leaves out are not called deleted: the page is asked for again."""
    org.state.formula("Account", "ARR__c", lambda _row: 1)
    for number in range(2_300):
        org.add("Account", "001", number, Name=f"A{number}")
    source = Source(org, sqlite_store)
    source.sync()
    org.clock.advance(20 * DAY)
    for fault in ({"drop_rows": 5}, {"reorder": True}):
        org.faults.add(parse_fault({"vendor": "salesforce", "path": "/composite", "times": 2, **fault}))
        source.sweep(name)
        assert not [ref for ref, row in source.rows(t.crm_accounts).items() if row.deleted_at is not None]


def test_a_query_cursor_that_has_died_is_begun_anew_behind_the_last_row(org: Org, sqlite_store: Store) -> None:
    """INVALID_QUERY_LOCATOR on the second page: the rows behind the first page are asked for by a new query."""
    for number in range(4_100):
        org.add("Account", "001", number, Name=f"A{number}")
    source = Source(org, sqlite_store)
    connector = source.connector()
    for event in connector.sync({}):
        with sqlite_store.write() as conn:
            keep(conn, event, NOW)
        org.state.cursors.clear()
    connector.close()
    assert 4_100 == source.count(t.crm_accounts)
    assert 3 == len([text for text in soql(org, "Account") if "FROM Account " in text])


def test_the_last_run_and_its_clock_say_until_when_deletions_are_known(org: Org, sqlite_store: Store) -> None:
    """What the log does not cover yet is asked for again: the next window begins at `latestDateCovered`."""
    org.add("Account", "001", 1, at=NOW, Name="A")
    source = Source(org, sqlite_store)
    source.sync()
    org.switch(replication_lag=20 * MINUTE)
    org.clock.advance(60 * MINUTE)
    source.sweep("deletes")
    before = mark(org)
    source.sweep("deletes")
    (start,) = {text.partition("start=")[2][:16] for text in asked(org, before) if "Account/deleted" in text}
    assert "2026-03-02T06:50" == start


@pytest.mark.parametrize("name", ["deletes", "reconcile"])
def test_rows_that_are_out_of_sight_are_not_called_deleted(name: str, org: Org, sqlite_store: Store) -> None:
    """Sharing is taken away from tierd's user: most rows vanish, no log tells of them, and the trouble asks why."""
    rows = [org.add("Account", "001", number, Name=f"A{number}") for number in range(60)]
    source = Source(org, sqlite_store)
    source.sync()
    for row in rows[:40]:
        org.state.delete("Account", row)
    org.state.empty_bin()
    org.clock.advance(20 * DAY)
    run = source.sweep(name)
    assert "partial" == run.status
    assert "40 of 60 rows of Account" in run.troubles[f"sweep:{name}"]
    assert not [ref for ref, row in source.rows(t.crm_accounts).items() if row.deleted_at is not None]


def test_a_field_that_was_unmapped_for_a_while_is_read_for_all_rows_again(org: Org, sqlite_store: Store) -> None:
    """What changed while nobody mapped it is not kept as it was before."""
    row = org.add("Account", "001", 1, Name="A", ARR__c=1, Seats__c=1)
    both = {"fields": {"arr": {"field": "ARR__c"}, "seats": {"field": "Seats__c"}}}
    one = {"fields": {"arr": {"field": "ARR__c"}}}
    Source(org, sqlite_store, both).sync()
    org.clock.advance(30 * MINUTE)
    org.change("update", "Account", row, org.clock.now(), Seats__c=2)
    org.add("Account", "001", 2, at=org.clock.now() + 10 * MINUTE, Name="Newer")
    org.clock.advance(20 * MINUTE)
    Source(org, sqlite_store, one).sync()
    source = Source(org, sqlite_store, both)
    source.sync()
    assert 2 == source.fields(t.crm_accounts, row)["Seats__c"]


def test_both_transports_bring_the_same_rows(org: Org, sqlite_store: Store) -> None:
    """What query jobs brought is equal, value by value, to what queries bring: reading all of it again changes nothing."""
    org.state.org.catalogue.define("Contract__c", "Account__c reference ->Account:Account__r\nValue__c double")
    org.state.org.catalogue.define(
        "Line__c", "Contract__c reference ->Contract__c:Contract__r\nValue__c double\nOn__c date"
    )
    for number in range(2_300):
        account = org.add(
            "Account", "001", number, Name=f"A{number}", Type="Customer", ARR__c=number / 4, Renewal_Date__c=On(20_600),
            Strategic__c=number % 2 == 0, Seats__c=number, Website=None if number % 3 else "acme.test",
        )  # fmt: skip
        meeting: dict[str, Any] = {
            "Subject": "M",
            "StartDateTime": At(NOW),
            "EndDateTime": At(NOW + MINUTE),
            "AccountId": account,
        }
        org.add("Event", "00U", number, **meeting)
    contract = org.state.put("Contract__c", {"Name": "K", "Account__c": sf_id("001", 1)})
    org.state.put("Line__c", {"Name": "L", "Contract__c": contract, "Value__c": 7.5, "On__c": "2026-01-31"})
    line = {
        "object": "Line__c",
        "path": "Contract__r.Account__c",
        "field": "Value__c",
        "aggregate": "latest",
        "by": "On__c",
    }
    fields = {"arr": {"field": "ARR__c"}, "potential": line, "strategic": {"field": "Strategic__c"}}
    fields |= {"seats": {"field": "Seats__c"}, "renewal": {"field": "Renewal_Date__c"}}
    source = Source(org, sqlite_store, {"fields": fields, "bulk_rows": 200})
    assert {} == source.sync().troubles
    assert any("jobs/query" in entry.path for entry in org.log.entries())
    before = {table: source.rows(table) for table in (t.crm_accounts, t.crm_activities, t.crm_objects)}
    with sqlite_store.write() as conn:
        conn.execute(delete(t.cursors))
    run = Source(org, sqlite_store, {"fields": fields, "bulk_rows": 100_000}).sync()
    for table, rows in before.items():
        assert rows == source.rows(table)
    assert ("ok", 0) == (run.status, run.saved.changed)
    assert run.saved.seen > 4_600


def test_an_old_answer_makes_nobody_gone(org: Org, sqlite_store: Store) -> None:
    """A walk that is answered with last week's page lacks the rows made since: a second look finds them there."""
    for number in range(30):
        org.add("Account", "001", number, Name=f"A{number}")
    source = Source(org, sqlite_store)
    source.sync()
    org.clock.advance(DAY)
    org.faults.add(
        parse_fault(
            {"vendor": "salesforce", "contains": "FROM%20Account%20WHERE%20%28IsDeleted", "nth": 2, "repeat": True}
        )
    )
    source.sweep("reconcile")
    fresh = [org.add("Account", "001", number, at=org.clock.now(), Name=f"A{number}") for number in range(30, 33)]
    source.sync()
    org.clock.advance(7 * DAY)
    run = source.sweep("reconcile")
    assert any(entry.fault for entry in org.log.entries())
    assert ("ok", 0) == (run.status, run.saved.deleted)
    assert [None] * 3 == [source.rows(t.crm_accounts)[ref].deleted_at for ref in fresh]
