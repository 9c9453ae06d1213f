"""CRM rows become one account, one person and one touch, whatever order they come in."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from daemon.derive import Derived, derive
from store import tables as t
from store.engine import Store
from store.records import (
    DAY,
    MINUTE,
    AccountRecord,
    ActivityKind,
    ActivityRecord,
    ActivityStatus,
    ContactRecord,
    OpportunityRecord,
    ParticipantRecord,
    Record,
    TeamMemberRecord,
    UsageSample,
)
from tests.daemon.derivation import ACME, ANN, BOB, CSM, SETTINGS, T0, fields, mail, meeting, sync, table


def test_fields_are_read_in_their_units(store: Store) -> None:
    """Money in minor units, dates in days, people as members, the tier as the CRM has it."""
    sync(store, CSM, ACME)
    found = fields(store)
    assert (120_050, 20_634, "cleo@ours.test", "Tier 2", 1) == tuple(
        found[name] for name in ("arr", "renewal", "csm", "tier_field:sf", "customer")
    )
    assert "csm_fallback" not in found


def test_the_record_owner_stands_in_for_an_unknown_csm(store: Store) -> None:
    """Without a mapped CSM the owner is taken, and it is said."""
    sync(store, CSM, replace(ACME, fields={}))
    assert ("cleo@ours.test", 1) == (fields(store)["csm"], fields(store)["csm_fallback"])


def test_arr_comes_from_the_latest_won_deal_when_the_field_is_empty(store: Store) -> None:
    """The second option of a mapped field is read when the first yields nothing; lost deals do not count."""

    def deal(ref: str, amount: str, close: str, stage: str) -> OpportunityRecord:
        raw = {"Amount": amount, "CloseDate": close, "StageName": stage}
        return OpportunityRecord(ref, "A1", ref, "Renewal", stage, None, None, True, True, T0, T0 + 2, fields=raw)

    sync(
        store,
        CSM,
        replace(ACME, fields={"CSM__c": "U1"}),
        deal("O1", "100", "2025-01-01", "Closed Won"),
        deal("O2", "300", "2026-01-01", "Closed Won"),
        deal("O3", "900", "2026-02-01", "Closed Lost"),
    )
    assert 30_000 == fields(store)["arr"]


def test_a_change_opens_a_new_interval_and_keeps_the_old(store: Store) -> None:
    """The first value counts from the account's creation, a later one from the stamp that brought it."""
    sync(store, CSM, ACME)
    sync(store, replace(ACME, fields={**ACME.fields, "ARR__c": "2000"}, modified_at=T0 + 3 * DAY))
    rows = [r for r in table(store, t.account_fields, "field", "num", "valid_from", "valid_to") if r[0] == "arr"]
    assert [("arr", 120_050, T0, T0 + 3 * DAY), ("arr", 200_000, T0 + 3 * DAY, None)] == rows


def test_two_crms_are_one_account_by_property_or_domain_never_by_name(store: Store) -> None:
    """The link property and a domain that is unique in both join; the same name and a free-mail domain do not."""
    other = AccountRecord("B1", "Acme", "gmail.com", None, None, T0, T0, True)
    sync(store, CSM, ACME, replace(ACME, id="A2", name="Beta", domain="beta.test"), replace(other, id="A3"))
    sync(
        store,
        replace(other, id="1", name="Acme Inc", domain="else.test", link_id="A1"),
        replace(other, id="2", name="Beta GmbH", domain="www.beta.test"),
        replace(other, id="3"),
        source="hs",
    )
    owner = {(s, i): a for s, i, a in table(store, t.crm_accounts, "source", "id", "account_id")}
    assert owner["sf", "A1"] == owner["hs", "1"]
    assert owner["sf", "A2"] == owner["hs", "2"]
    assert owner["sf", "A3"] != owner["hs", "3"]


def test_a_domain_that_two_rows_share_joins_nothing(store: Store) -> None:
    """A shared domain identifies nobody."""
    sync(store, CSM, ACME, replace(ACME, id="A2", name="Acme Spain"))
    sync(store, AccountRecord("1", "Acme", "acme.test", None, None, T0, T0, True), source="hs")
    assert 3 == len({a for (a,) in table(store, t.crm_accounts, "account_id")})


def test_standing_follows_title_and_user_flag(store: Store) -> None:
    """A CEO is an exec, a flagged contact a user, a nameless title unclassified, a role address nobody."""
    unknown = ContactRecord("C3", ("A1",), "Cy", "cy@acme.test", None, T0, T0)
    role = ContactRecord("C4", ("A1",), "Support", "support@acme.test", None, T0, T0)
    sync(store, CSM, ACME, ANN, BOB, unknown, role)
    standings = dict(table(store, t.person_levels, "person_id", "standing"))
    people = dict(table(store, t.persons, "key", "id"))
    assert {"ann@acme.test": "exec", "bob@acme.test": "user", "cy@acme.test": "unclassified"} == {
        key: standings[person] for key, person in people.items()
    }


def test_a_new_title_changes_the_standing_from_then_on(store: Store) -> None:
    """The old standing ends where the new one begins."""
    sync(store, CSM, ACME, ANN)
    sync(store, replace(ANN, title="Analyst", modified_at=T0 + 9 * DAY))
    rows = table(store, t.person_levels, "standing", "valid_from", "valid_to")
    assert [("exec", T0 + 5, T0 + 9 * DAY), ("user", T0 + 9 * DAY, None)] == rows


def test_a_mail_touches_the_persons_it_was_sent_to(store: Store) -> None:
    """Bare addresses are matched to persons on file; the second clock is the CRM's creation stamp."""
    sync(store, CSM, ACME, ANN, BOB, mail("E1", T0 + DAY, to=("ann@acme.test", "stranger@else.test")))
    rows = table(store, t.touches, "kind", "inbound", "outbound", "occurred_at", "recorded_at", "withdrawn_at")
    assert [("email", 0, 1, T0 + DAY, T0 + DAY + MINUTE, None)] == rows


@pytest.mark.parametrize(
    "activity",
    [
        mail("E1", T0 + DAY, automatic=True),
        mail("E1", T0 + DAY, to=[f"p{n}@acme.test" for n in range(5)] + ["ann@acme.test"]),
        mail("E1", T0 + DAY, to=("colleague@ours.test",)),
        replace(mail("E1", T0 + DAY), kind=ActivityKind.NOTE),
        replace(mail("E1", T0 + DAY), kind=ActivityKind.TASK),
        replace(mail("E1", T0 + DAY), kind=ActivityKind.CALL, disposition="no_answer"),
    ],
    ids=["automatic", "six recipients", "internal", "note", "task", "nobody answered"],
)
def test_what_is_no_touch(store: Store, activity: ActivityRecord) -> None:
    """Circulars, internal mail, notes, tasks and unanswered calls touch nobody."""
    sync(store, CSM, ACME, ANN, activity)
    assert [] == table(store, t.touches)


def test_a_cancelled_meeting_is_withdrawn_when_it_became_known(store: Store) -> None:
    """It was a booking until then; reading it again later keeps the instant."""
    sync(store, CSM, ACME, ANN, meeting("M1", T0 + 10 * DAY))
    assert [(T0 + 10 * DAY, None)] == table(store, t.touches, "starts_at", "withdrawn_at")
    cancelled = meeting("M1", T0 + 10 * DAY, ActivityStatus.CANCELLED, modified_at=T0 + 9 * DAY)
    sync(store, cancelled)
    sync(store, replace(cancelled, subject="QBR!", modified_at=T0 + 20 * DAY))
    assert [(T0 + 10 * DAY, T0 + 9 * DAY)] == table(store, t.touches, "starts_at", "withdrawn_at")


def test_one_mail_in_both_crms_is_one_touch(store: Store) -> None:
    """By message id, or without one by sender, recipients and minute; two mails of one minute stay two."""
    sync(store, CSM, ACME, ANN, mail("E1", T0 + DAY, message_id="<1>"), mail("E2", T0 + 2 * DAY))
    sync(
        store,
        TeamMemberRecord("9", "Cleo", "Cleo@ours.test", True, T0),
        AccountRecord("1", "Acme", "acme.test", None, None, T0, T0, True),
        ContactRecord("7", ("1",), "Ann", "ann@acme.test", "CEO", T0, T0),
        mail("H1", T0 + DAY + 1, message_id="<1>"),
        mail("H2", T0 + 2 * DAY + 1),
        mail("H3", T0 + DAY + 2, message_id="<other>"),
        source="hs",
    )
    assert [("hs", "H3"), ("sf", "E1"), ("sf", "E2")] == table(store, t.touches, "source", "activity_id")
    assert 1 == len(table(store, t.persons))


@pytest.mark.parametrize("task_first", [True, False])
def test_a_mail_and_its_own_task_are_one_touch(store: Store, task_first: bool) -> None:
    """An EmailMessage and the Task that Salesforce made for it count once, in either order of arrival."""
    own_task = replace(
        mail("00T1", T0 + DAY), kind=ActivityKind.EMAIL, participants=(ParticipantRecord("r", "00T1", "who", "C1"),)
    )
    message = mail("E1", T0 + DAY, same_as="00T1")
    sync(store, CSM, ACME, ANN)
    for record in (own_task, message) if task_first else (message, own_task):
        sync(store, record)
    assert [("E1",)] == table(store, t.touches, "activity_id")


def test_a_merge_carries_people_and_touches_to_the_winner(store: Store) -> None:
    """The loser's account is closed as merged; its contact and its history are the winner's."""
    loser = replace(ACME, id="A2", name="Acme (old)", domain=None)
    sync(store, CSM, ACME, loser, replace(ANN, account_ids=("A2",)), mail("E1", T0 + DAY))
    winner = dict(table(store, t.crm_accounts, "id", "account_id"))["A1"]
    sync(
        store,
        replace(loser, deleted_at=T0 + 3 * DAY, merged_into="A1", modified_at=T0 + 3 * DAY),
        replace(ANN, modified_at=T0 + 3 * DAY),
    )
    assert [(winner,)] == table(store, t.touches, "account_id")
    assert [("A1", winner), ("A2", winner)] == table(store, t.crm_accounts, "id", "account_id")
    assert [("merged",)] == [r for r in table(store, t.accounts, "close_reason") if r[0]]


def test_usage_joins_by_the_mapped_workspace_key(store: Store) -> None:
    """A sample may come before the account; it joins when the key becomes known."""
    sync(
        store,
        UsageSample("ws-1", "active_users", T0, 5.0),
        UsageSample("ws-2", "active_users", T0, 6.0),
        source="usage",
    )
    sync(store, CSM, ACME)
    account = table(store, t.accounts, "id")[0][0]
    assert [("ws-1", account), ("ws-2", None)] == table(store, t.usage_samples, "key", "account_id")


def test_captured_is_what_came_from_a_mailbox_or_calendar(store: Store) -> None:
    """Mail and meetings show that someone is captured; a call or a circular does not."""
    call = replace(mail("K1", T0 + DAY), kind=ActivityKind.CALL)
    sync(
        store, CSM, ACME, ANN, mail("E1", T0 + DAY), call, mail("E2", T0 + DAY, automatic=True), meeting("M1", T0 + DAY)
    )
    assert [("E1",), ("M1",)] == table(store, t.captures, "activity_id")


def test_deriving_twice_changes_nothing(store: Store) -> None:
    """With nothing left to do, nothing is touched and no row differs."""
    sync(store, CSM, ACME, ANN, BOB, mail("E1", T0 + DAY), meeting("M1", T0 + 10 * DAY))
    before = {name: table(store, t.metadata.tables[name]) for name in t.metadata.tables}
    again = derive(store, SETTINGS, T0 + 600 * DAY)
    assert Derived(frozenset(), 0) == again
    assert before == {name: table(store, t.metadata.tables[name]) for name in t.metadata.tables}


@pytest.mark.parametrize("seed", range(4))
def test_the_order_of_arrival_does_not_matter(sqlite_store: Store, seed: int) -> None:
    """Rows in any order and any batches give the same touches and standings."""
    records: list[Record] = [
        CSM,
        ACME,
        ANN,
        BOB,
        mail("E1", T0 + DAY),
        mail("E2", T0 + 2 * DAY),
        meeting("M1", T0 + DAY),
    ]
    random.Random(seed).shuffle(records)
    for record in records:
        sync(sqlite_store, record)
    people = {i: key for key, i in table(sqlite_store, t.persons, "key", "id")}
    touched = {(ref, people[p]) for ref, p in table(sqlite_store, t.touches, "activity_id", "person_id")}
    assert {("E1", "ann@acme.test"), ("E2", "ann@acme.test"), ("M1", "ann@acme.test")} == touched
    assert "cleo@ours.test" == fields(sqlite_store)["csm"]
