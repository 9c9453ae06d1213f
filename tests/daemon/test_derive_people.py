"""Who is a person: contacts of several CRMs, contacts on several accounts, addresses in no CRM; and on which level."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import insert

from daemon.derive import derive
from rules.levels import C_LEVEL, DIRECTOR, VP, read_role
from store import dirty
from store import tables as t
from store.engine import Store
from store.records import (
    DAY,
    MINUTE,
    ContactRecord,
    ContactRole,
    FieldChange,
    Gone,
    Links,
    ParticipantRecord,
    Record,
    UsageSample,
)
from tests.daemon.derivation import ACME, ANN, BOB, CSM, NOW, SETTINGS, T0, mail, meeting, sync, table

STRANGER = "stranger@acme.test"


def role(ref: str, contact: str, word: str, *, account: str | None = None, **also: Any) -> ContactRole:
    """What a contact is in a deal, or on another account."""
    values: dict[str, Any] = {"created_at": T0 + DAY, "modified_at": T0 + DAY} | also
    return ContactRole(ref, contact, account, None if account else "O1", word, **values)


def people(store: Store) -> dict[str, str]:
    """Key -> standing now, of the persons on file."""
    standing = {
        person: name
        for person, name, end in table(store, t.person_levels, "person_id", "standing", "valid_to")
        if end is None
    }
    rows = table(store, t.persons, "key", "id", "deleted_at")
    return {key: standing[person] for key, person, gone in rows if gone is None}


def touched(store: Store) -> set[tuple[str, str, str]]:
    """(activity, person's key, key of the account)."""
    keys = dict(table(store, t.persons, "id", "key"))
    accounts = dict(table(store, t.accounts, "id", "key"))
    rows = table(store, t.touches, "activity_id", "person_id", "account_id")
    return {(ref, keys[person], accounts[account]) for ref, person, account in rows}


# ---------------------------------------------------------------- in no CRM


def test_an_address_at_the_accounts_domain_is_a_person(store: Store) -> None:
    """Seen on a touch, it is on file since that became known; nobody knows the level."""
    sync(store, CSM, ACME, mail("E1", T0 + DAY, to=(STRANGER,)))
    assert {STRANGER: "unclassified"} == people(store)
    assert [("unregistered", T0 + DAY + MINUTE)] == table(store, t.persons, "origin", "created_at")
    assert {("E1", STRANGER, "sf:A1")} == touched(store)


@pytest.mark.parametrize(
    "address",
    ["support@acme.test", "facturacion@acme.test", "someone@gmail.com", "x@other.test", "colleague@ours.test"],
)
def test_who_is_no_person(store: Store, address: str) -> None:
    """Role addresses, free-mail, foreign domains and our own people are not made persons of the account."""
    sync(store, CSM, ACME, mail("E1", T0 + DAY, to=(address,)))
    assert {} == people(store)


@pytest.mark.parametrize("also", [{"automatic": True}, {"owner_id": None}], ids=["automatic", "a circular of six"])
def test_what_is_no_touch_makes_no_person(store: Store, also: dict[str, Any]) -> None:
    """Automatic mail and circulars show nobody."""
    to = tuple(f"p{n}@acme.test" for n in range(6 if "owner_id" in also else 1))
    sync(store, CSM, ACME, mail("E1", T0 + DAY, to=to, **({} if "owner_id" in also else also)))
    assert {} == people(store)


def test_a_domain_of_several_accounts_says_nothing_unless_the_activity_names_one(store: Store) -> None:
    """A group's shared domain: only the account that the CRM itself names has the person."""
    sync(store, CSM, ACME, replace(ACME, id="A2", name="Acme Spain"))
    sync(store, mail("E1", T0 + DAY, to=(STRANGER,)))
    assert set() == touched(store)
    sync(store, mail("E2", T0 + 2 * DAY, to=(STRANGER,), account_ids=("A2",)))
    assert {("E2", STRANGER, "sf:A2")} == touched(store)


def test_the_account_may_come_after_the_mail_and_leave_again(store: Store) -> None:
    """A domain that becomes an account's makes persons of those who wrote; without it they are none."""
    sync(store, CSM, mail("E1", T0 + DAY, to=(STRANGER,)))
    assert {} == people(store)
    sync(store, ACME)
    assert {STRANGER: "unclassified"} == people(store)
    sync(store, replace(ACME, domain="else.test", modified_at=T0 + 9 * DAY))
    assert {} == people(store)
    assert set() == touched(store)


def test_a_stranger_who_becomes_a_contact_stays_the_same_person(store: Store) -> None:
    """The touches stay; the contact's title says who it is. Without the contact it is a stranger again."""
    contact = ContactRecord("C9", ("A1",), "Sam", STRANGER, "VP Sales", T0 + 5 * DAY, T0 + 5 * DAY)
    sync(store, CSM, ACME, mail("E1", T0 + DAY, to=(STRANGER,)))
    ((before,),) = table(store, t.persons, "id")
    sync(store, contact)
    assert [(before, "contact", "Sam")] == table(store, t.persons, "id", "origin", "name")
    assert ({STRANGER: "exec"}, {("E1", STRANGER, "sf:A1")}) == (people(store), touched(store))
    sync(store, Links("contacts", "C9", "accounts", ()))
    assert [(before, "unregistered")] == table(store, t.persons, "id", "origin")
    assert ({STRANGER: "unclassified"}, {("E1", STRANGER, "sf:A1")}) == (people(store), touched(store))


def test_a_deleted_contact_keeps_what_it_took_part_in(store: Store) -> None:
    """A mail to the address of a deleted contact is that person's, also when it is read again."""
    sync(store, CSM, ACME, ANN, mail("E1", T0 + DAY))
    sync(store, Gone("contacts", "C1", T0 + 9 * DAY), mail("E2", T0 + 8 * DAY))
    sync(store, replace(mail("E1", T0 + DAY), subject="Hello", modified_at=T0 + 10 * DAY))
    assert {(ref, "ann@acme.test", "sf:A1") for ref in ("E1", "E2")} == touched(store)


# ---------------------------------------------------------------- several contacts, several accounts


def test_a_contact_on_two_accounts_is_touched_where_the_activity_belongs(store: Store) -> None:
    """A relation to another account makes a person there too; a touch counts where the CRM says, else at both."""
    other = replace(ACME, id="A2", name="Beta", domain="beta.test")
    sync(store, CSM, ACME, other, ANN, role("R1", "C1", "Influencer", account="A2"))
    sync(
        store,
        replace(meeting("M1", T0 + DAY), account_ids=("A2",)),
        replace(meeting("M2", T0 + 2 * DAY), account_ids=("A1",)),
        meeting("M3", T0 + 3 * DAY),
    )
    ann = "ann@acme.test"
    expected = {("M1", ann, "sf:A2"), ("M2", ann, "sf:A1"), ("M3", ann, "sf:A1"), ("M3", ann, "sf:A2")}
    assert expected == touched(store)
    sync(store, replace(role("R1", "C1", "Influencer", account="A2"), deleted_at=T0 + 9 * DAY))
    assert {account for _, _, account in touched(store)} == {"sf:A1"}


def test_a_person_account_has_no_people(store: Store) -> None:
    """It is a person itself: its contact is none, nor is an address at its domain."""
    sync(store, CSM, replace(ACME, person=True), ANN, mail("E1", T0 + DAY, to=("ann@acme.test", STRANGER)))
    assert ({}, set()) == (people(store), touched(store))


# ---------------------------------------------------------------- levels


@pytest.mark.parametrize(
    ("words", "level"),
    [
        ("Executive Sponsor", DIRECTOR),
        ("EXECUTIVE_SPONSOR", DIRECTOR),
        ("Influencer;Executive Sponsor", DIRECTOR),
        ("DECISION_MAKER;BUDGET_HOLDER", None),
        ("Economic Buyer", None),
        ("Business User", None),
        ("", None),
        (None, None),
    ],
)
def test_what_a_role_proves(words: str | None, level: int | None) -> None:
    """Who sponsors as an executive is one; who decides a deal need not be."""
    assert level == read_role(words)


def _level(store: Store, key: str) -> Any:
    person = dict(table(store, t.persons, "key", "id"))[key]
    rows = table(store, t.person_levels, "person_id", "level", "valid_to")
    return next(level for who, level, end in rows if who == person and end is None)


def test_the_order_of_what_says_a_level(store: Store) -> None:
    """A person's word, then the mapped field, then a role in a deal, then the title."""
    settings = replace(SETTINGS, mappings={"sf": replace(SETTINGS.mappings["sf"], level_field="Level__c")})
    bob = replace(BOB, title="Account Manager", fields={})
    sync(store, CSM, ACME, bob, settings=settings)
    assert 2 == _level(store, "bob@acme.test")
    sync(store, role("R1", "C2", "Executive Sponsor"), settings=settings)
    assert DIRECTOR == _level(store, "bob@acme.test")
    sync(store, replace(bob, fields={"Level__c": "VP"}, modified_at=T0 + 5 * DAY), settings=settings)
    assert VP == _level(store, "bob@acme.test")
    with store.write() as conn:
        conn.execute(
            insert(t.person_overrides).values(
                key="bob@acme.test", level=1, standing="user", author="cleo", decided_at=NOW - DAY
            )
        )
        dirty.mark(conn, "contacts", [("sf", "C2")])
    derive(store, settings, NOW)
    assert 1 == _level(store, "bob@acme.test")


def test_a_title_says_more_than_a_sponsors_role(store: Store) -> None:
    """A CEO who sponsors is on C level, not merely an executive."""
    sync(store, CSM, ACME, ANN, role("R1", "C1", "Executive Sponsor"))
    assert C_LEVEL == _level(store, "ann@acme.test")


def test_a_level_counts_from_what_said_it_until_it_ends(store: Store) -> None:
    """A role begins and ends with its row, a title with the CRM's own history of it."""
    bob = replace(BOB, fields={}, title="VP Sales", modified_at=T0 + 50 * DAY)
    sync(store, CSM, ACME, bob, role("R1", "C2", "Executive Sponsor", deleted_at=T0 + 20 * DAY))
    sync(
        store,
        FieldChange("contacts", "C2", "@title", "Analyst", 0),
        FieldChange("contacts", "C2", "@title", "VP Sales", T0 + 30 * DAY),
    )
    rows = table(store, t.person_levels, "valid_from", "valid_to", "level")
    assert [
        (T0 + 6, T0 + DAY, 1),
        (T0 + DAY, T0 + 20 * DAY, DIRECTOR),
        (T0 + 20 * DAY, T0 + 30 * DAY, 1),
        (T0 + 30 * DAY, None, VP),
    ] == rows


def test_who_is_seen_in_product_usage_is_a_user(store: Store) -> None:
    """An exec stays one, somebody of whom nothing is known is a user from then on."""
    cy = ContactRecord("C3", ("A1",), "Cy", "cy@acme.test", None, T0, T0)
    sync(store, CSM, ACME, ANN, cy)
    assert {"ann@acme.test": "exec", "cy@acme.test": "unclassified"} == people(store)
    samples = [UsageSample("ws-1", "actions", NOW - DAY, 5.0, user=user) for user in ("cy@acme.test", "ann@acme.test")]
    sync(store, *samples, source="usage")
    assert {"ann@acme.test": "exec", "cy@acme.test": "user"} == people(store)


@pytest.mark.parametrize("seed", range(6))
def test_people_do_not_depend_on_the_order_of_arrival(sqlite_store: Store, seed: int) -> None:
    """Strangers, contacts, roles and mails in any order and any batches give the same people and touches."""
    other = replace(ACME, id="A2", name="Beta", domain="beta.test")
    records: list[Record] = [
        CSM,
        ACME,
        other,
        ANN,
        BOB,
        role("R1", "C1", "Executive Sponsor", account="A2"),
        mail("E1", T0 + DAY, to=("ann@acme.test", STRANGER)),
        mail("E2", T0 + 2 * DAY, to=(STRANGER, "zoe@beta.test")),
        replace(mail("E3", T0 + 3 * DAY), participants=None),
        ParticipantRecord("E3:f", "E3", "from", team_member_id="U1"),
        ParticipantRecord("E3:t", "E3", "to", address="late@beta.test"),
        replace(meeting("M1", T0 + DAY), account_ids=("A2",)),
    ]
    random.Random(seed).shuffle(records)
    for record in records:
        sync(sqlite_store, record)
    expected = {"ann@acme.test": "exec", "bob@acme.test": "user"}
    expected |= dict.fromkeys((STRANGER, "zoe@beta.test", "late@beta.test"), "unclassified")
    assert expected == people(sqlite_store)
    since = {key: at for key, at in table(sqlite_store, t.persons, "key", "created_at") if key == STRANGER}
    assert {STRANGER: T0 + DAY + MINUTE} == since
    assert {
        ("E1", "ann@acme.test", "sf:A1"),
        ("E1", "ann@acme.test", "sf:A2"),
        ("E1", STRANGER, "sf:A1"),
        ("E2", STRANGER, "sf:A1"),
        ("E2", "zoe@beta.test", "sf:A2"),
        ("E3", "late@beta.test", "sf:A2"),
        ("M1", "ann@acme.test", "sf:A2"),
    } == touched(sqlite_store)
