"""Of an account tree one account is evaluated: what is below rolls up, and comes back when the tree changes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from daemon.derive import derive
from rules.facts.behind import named_people
from rules.trees import MOST_LEVELS, cyclic, rolls_up_to
from store import tables as t
from store.engine import Store
from store.evidence import persons_of, touches_of
from store.records import (
    DAY,
    AccountRecord,
    ContactRecord,
    Merged,
    OpportunityRecord,
    Record,
    TicketRecord,
    UsageSample,
)
from tests.daemon.derivation import ANN, CSM, NOW, SETTINGS, T0, mail, sync, table
from tests.daemon.test_derive_identity import facts, state

TOP = replace(SETTINGS, evaluate="top")
EACH = replace(SETTINGS, evaluate="each")


def account(ref: str, parent: str | None = None, arr: str | None = None, **also: Any) -> AccountRecord:
    """A customer in a tree; `arr` in whole units."""
    fields = {"ARR__c": arr, "Workspace__c": f"ws-{ref}", "CSM__c": "U1"}
    values: dict[str, Any] = {"created_at": T0, "modified_at": T0, "customer": True, "fields": fields} | also
    return AccountRecord(ref, f"Account {ref}", f"{ref.lower()}.test", "U1", parent, **values)


def people(ref: str, n: int) -> ContactRecord:
    """An executive at an account."""
    return ContactRecord(f"P{n}", (ref,), f"Person {n}", f"p{n}@{ref.lower()}.test", "CEO", T0, T0)


def won(ref: str, on: str, amount: int) -> OpportunityRecord:
    """A deal that was won 100 days ago."""
    day = NOW // DAY - 100
    return OpportunityRecord(ref, on, ref, "New", "Won", amount, day, True, True, T0, T0)


CHILD = account("CHILD", "TOP")
RECORDS: tuple[Record, ...] = (
    CSM,
    account("TOP", None, "1000"),
    CHILD,
    people("TOP", 1),
    people("CHILD", 2),
    mail("E1", NOW - 3 * DAY, to=("p2@child.test",)),
    mail("E2", NOW - 2 * DAY, to=("stranger@child.test",)),
    TicketRecord("T1", "CHILD", "high", "open", NOW - DAY, None, NOW - DAY, NOW - DAY),
    won("O1", "TOP", 500),
    won("O2", "CHILD", 700),
)


def names(store: Store) -> dict[str, dict[str, Any]]:
    """Facts by the ids of the rows."""
    return {"+".join(sorted(ref for _, ref in refs)): row for refs, row in facts(store).items()}


def test_everything_below_rolls_up_to_the_account_that_carries_the_arr(store: Store) -> None:
    """Contacts, touches, tickets, money and strangers of the child count for the parent, and only there."""
    sync(store, *RECORDS)
    found = names(store)
    assert {"TOP"} == set(found)
    row = found["TOP"]
    assert (2, 1, 1, 1_200, 100_000) == (
        row["exec_contacts"], row["unclassified_contacts"], row["tickets_90d"], row["ltv"], row["arr"]
    )  # fmt: skip
    assert NOW - 2 * DAY == row["last_contact"]
    homes = dict(table(store, t.persons, "key", "home_id"))
    child = dict(table(store, t.crm_accounts, "id", "account_id"))["CHILD"]
    assert {"p1@top.test": None, "p2@child.test": child, "stranger@child.test": child} == homes


def test_a_child_that_carries_arr_is_evaluated_itself(store: Store) -> None:
    """As soon as it does, it has its own people and money again; and no longer, when it does not."""
    sync(store, *RECORDS)
    before, together = state(store), names(store)
    sync(store, replace(CHILD, fields={**CHILD.fields, "ARR__c": "300"}, modified_at=NOW - DAY))
    found = names(store)
    assert {"TOP": (1, 0, 500, 100_000), "CHILD": (1, 1, 700, 30_000)} == {
        name: (row["exec_contacts"], row["tickets_90d"], row["ltv"], row["arr"]) for name, row in found.items()
    }
    sync(store, replace(CHILD, modified_at=NOW))
    assert {"TOP"} == set(names(store))
    assert together["TOP"]["exec_contacts"] == names(store)["TOP"]["exec_contacts"]
    assert before["persons"] == state(store)["persons"]
    assert before["touches"] == state(store)["touches"]


def test_the_top_gathers_the_money_of_all(store: Store) -> None:
    """With `top` everything rolls up: ARR and seats add up; it is a customer when any of them is."""
    records: list[Record] = [account("TOP", customer=False), account("A", "TOP", "1000"), account("B", "A", "500"), CSM]
    sync(store, *records, settings=TOP)
    found = names(store)
    assert {"TOP"} == set(found)
    assert (150_000, "cleo@ours.test") == (found["TOP"]["arr"], found["TOP"]["csm"])


def test_each_evaluates_every_account(store: Store) -> None:
    """Nothing rolls up."""
    sync(store, *RECORDS, settings=EACH)
    assert {"TOP", "CHILD"} == set(names(store))


def test_a_parent_that_comes_later_takes_what_is_below(store: Store) -> None:
    """Until then the child is evaluated itself; a parent that is deleted lets go of it."""
    sync(store, *(r for r in RECORDS if getattr(r, "id", "") != "TOP"))
    assert {"CHILD"} == set(names(store))
    sync(store, account("TOP", None, "1000"))
    assert {"TOP": 2} == {name: row["exec_contacts"] for name, row in names(store).items()}
    sync(store, account("TOP", None, "1000", deleted_at=NOW - DAY, modified_at=NOW - DAY))
    assert {"CHILD": 1} == {name: row["exec_contacts"] for name, row in names(store).items()}


def test_a_parent_that_was_merged_is_the_one_it_became(store: Store) -> None:
    """A child that still names the retired parent rolls up to the row that is left."""
    sync(store, *RECORDS)
    sync(store, account("NEW", None, "2000"), Merged("accounts", "TOP", "NEW", NOW - DAY))
    assert {"NEW+TOP"} == set(names(store))
    assert 2 == names(store)["NEW+TOP"]["exec_contacts"]


def test_usage_of_the_child_is_the_parents(store: Store) -> None:
    """Samples under the child's workspace key add up with the parent's, and follow the tree."""
    sync(store, *RECORDS)
    samples = [UsageSample(f"ws-{ref}", "active_users_28d", NOW - DAY, 5.0) for ref in ("TOP", "CHILD")]
    sync(store, *samples, source="usage")
    assert {"TOP": 10} == {name: row["active_users"] for name, row in names(store).items()}
    sync(store, replace(CHILD, parent_id=None, modified_at=NOW))
    assert {"TOP": 5, "CHILD": 5} == {name: row["active_users"] for name, row in names(store).items()}


def test_a_cycle_is_no_tree(store: Store) -> None:
    """Accounts above themselves are evaluated themselves, and derivation ends."""
    sync(store, CSM, account("A", "B"), account("B", "C"), account("C", "A"), settings=TOP)
    assert {"A", "B", "C"} == set(names(store))
    sync(store, account("A", None, modified_at=NOW), settings=TOP)
    assert {"A"} == set(names(store))


def test_a_setting_that_changes_grows_the_trees_anew(store: Store) -> None:
    """From each to top and back."""
    one, other = replace(EACH, fingerprints={"accounts": "1"}), replace(TOP, fingerprints={"accounts": "2"})
    sync(store, *RECORDS, settings=one)
    before = state(store)
    derive(store, other, NOW)
    assert {"TOP"} == set(names(store))
    derive(store, one, NOW)
    assert before == state(store)


def test_what_rolls_up_to_what() -> None:
    """The nearest above that carries ARR; where there is none, itself; a tree too deep is none."""
    parents = {1: None, 2: 1, 3: 2, 4: 3}
    assert {1: None, 2: 1, 3: 1, 4: 1} == rolls_up_to(parents, {1: 5}, "arr_carrier")
    assert {1: None, 2: None, 3: 2, 4: 2} == rolls_up_to(parents, {2: 5}, "arr_carrier")
    assert {1: None, 2: None, 3: None, 4: None} == rolls_up_to(parents, {4: 5, 1: 0}, "arr_carrier") | {
        3: None,
        2: None,
    }
    deep = {n: n - 1 if n > 1 else None for n in range(1, MOST_LEVELS + 5)}
    tops = rolls_up_to(deep, {}, "top")
    assert (1, None) == (tops[MOST_LEVELS + 1], tops[MOST_LEVELS + 2])


@given(
    st.dictionaries(st.integers(0, 8), st.none() | st.integers(0, 8)), st.sampled_from(["arr_carrier", "top", "each"])
)
def test_nobody_rolls_up_to_one_that_rolls_up(parents: dict[int, int | None], level: str) -> None:
    """Whatever the tree, each account counts exactly once; a cycle never rolls up."""
    parents |= {up: None for up in parents.values() if up is not None and up not in parents}
    tops = rolls_up_to(parents, {n: n % 3 for n in parents}, level)
    assert all(tops[top] is None for top in tops.values() if top is not None)
    assert all(tops[account] is None for account in cyclic(parents))


def test_contacts_on_parent_and_child_are_one_person(store: Store) -> None:
    """The same address on both is one executive of the evaluated account."""
    twice = replace(ANN, id="C8", account_ids=("CHILD",))
    sync(store, *RECORDS, replace(ANN, account_ids=("TOP",)), twice)
    assert 3 == names(store)["TOP"]["exec_contacts"]


def test_evidence_names_the_account_below(store: Store) -> None:
    """Whom one meets at a child is named with it."""
    sync(store, *RECORDS)
    top = dict(table(store, t.crm_accounts, "id", "account_id"))["TOP"]
    with store.read() as conn:
        people_on_file = {person.name for person in persons_of(conn, top, NOW)}
        touched = {touch.person for touch in touches_of(conn, top, NOW)}
        only = select(t.accounts.c.id.label("account_id")).where(t.accounts.c.id == top)
        named = {row.name for row in conn.execute(named_people(NOW, only, 5))}
    assert {"Person 1", "Person 2 (Account CHILD)", "stranger@child.test (Account CHILD)"} == people_on_file
    assert {"Person 2 (Account CHILD)", "stranger@child.test (Account CHILD)"} == touched
    assert {"Person 1", "Person 2 (Account CHILD)"} == named
