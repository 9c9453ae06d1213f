"""Accounts are linked, parted and merged without losing anything: fields, people, touches, tickets, pins, alerts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select

from alerts.writeback import Target
from daemon.derive import derive
from daemon.pins import observe
from rules.fieldmap import Derivation
from rules.identity import Ref, pair
from store import dirty, linking, runs
from store import tables as t
from store.engine import Store
from store.records import (
    DAY,
    AccountRecord,
    Batch,
    ContactRecord,
    Merged,
    ParticipantRecord,
    Record,
    TeamMemberRecord,
    TicketRecord,
)
from store.sync import save_batch
from tests.daemon.derivation import ACME, ANN, BOB, CSM, NOW, SETTINGS, T0, mail, sync, table
from tests.rules.reading import portfolio_at

HS_CSM = TeamMemberRecord("9", "Cleo", "cleo@ours.test", True, T0)
HUB = AccountRecord("1", "Acme Inc", "else.test", None, None, T0 + DAY, T0 + 2 * DAY, True, fields={"arr": "999"})
HUB_ANN = ContactRecord("7", ("1",), "Ann", "ann@acme.test", "CEO", T0 + DAY, T0 + DAY)
HUB_ZOE = ContactRecord("8", ("1",), "Zoe", "zoe@acme.test", "Analyst", T0 + DAY, T0 + DAY)
SF_ROWS: tuple[Record, ...] = (CSM, ACME, ANN, BOB, mail("E1", NOW - 9 * DAY))
HS_ROWS: tuple[Record, ...] = (
    HS_CSM, HUB, HUB_ANN, HUB_ZOE,
    mail("H1", NOW - 5 * DAY, to=("zoe@acme.test",)),
    TicketRecord("T1", "1", "high", "open", NOW - 3 * DAY, None, NOW - 3 * DAY, NOW - 3 * DAY),
)  # fmt: skip


def decide(store: Store, a: Ref, b: Ref, verdict: str, rules: Derivation = SETTINGS) -> None:
    """A person links or parts two rows (or takes it back), as `tierd identity` does."""
    with store.write() as conn:
        if verdict == "forget":
            linking.forget(conn, *pair(a, b))
        else:
            linking.decide(conn, pair(a, b), verdict, author="cleo", at=NOW)
        dirty.mark(conn, "accounts", (a, b))
    derive(store, rules, NOW)


def facts(store: Store, as_of: int = NOW) -> dict[frozenset[Ref], dict[str, Any]]:
    """The facts of every customer, by the CRM rows that are the account."""
    with store.read() as conn:
        rows = portfolio_at(conn, as_of)
        refs: dict[int, set[Ref]] = {}
        for row in conn.execute(select(t.crm_accounts)):
            refs.setdefault(row.account_id, set()).add((row.source, row.id))
    return {frozenset(refs[row["account_id"]]): {k: v for k, v in row.items() if k != "account_id"} for row in rows}


def state(store: Store) -> dict[str, Any]:
    """Everything derived, by what it stands on and not by the numbers that accounts and persons happen to have."""
    with store.read() as conn:
        rows = conn.execute(select(t.crm_accounts)).all()
        names = {row.id: row.account_id for row in rows}
        del names
        account: dict[int, frozenset[Ref]] = {}
        for row in rows:
            account[row.account_id] = account.get(row.account_id, frozenset()) | {(row.source, row.id)}
        persons = {p.id: (account.get(p.account_id), p.key) for p in conn.execute(select(t.persons))}
        return {
            "fields": sorted(
                (repr(sorted(account[f.account_id])), *f[1:]) for f in conn.execute(select(t.account_fields))
            ),
            "persons": sorted(
                repr((sorted(account[p.account_id]), *p[2:-1]))
                for p in conn.execute(select(t.persons).where(t.persons.c.deleted_at.is_(None)))
            ),
            "touches": sorted(
                repr((x.source, x.activity_id, sorted(account[x.account_id]), persons[x.person_id][1], *x[4:]))
                for x in conn.execute(select(t.touches))
            ),
            "links": sorted(
                repr((x.source, x.contact_id, persons[x.person_id][1])) for x in conn.execute(select(t.person_contacts))
            ),
        }


def test_linked_and_parted_again_each_row_has_what_is_its_own(store: Store) -> None:
    """Linked, both rows are one account with everybody; parted, each is as before; linked again, equal to the first."""
    sync(store, *SF_ROWS)
    sync(store, *HS_ROWS, source="hs")
    apart, apart_facts = state(store), facts(store)
    assert {frozenset({("sf", "A1")}), frozenset({("hs", "1")})} == set(apart_facts)

    decide(store, ("sf", "A1"), ("hs", "1"), "link")
    together, (row,) = state(store), facts(store).values()
    assert (1, 2, 120_050, 1) == (row["exec_contacts"], row["user_contacts"], row["arr"], row["tickets_90d"])
    assert row["last_contact"] == NOW - 5 * DAY

    decide(store, ("sf", "A1"), ("hs", "1"), "part")
    assert apart == state(store)
    assert apart_facts == facts(store)

    decide(store, ("sf", "A1"), ("hs", "1"), "link")
    assert together == state(store)
    assert [row] == list(facts(store).values())


def test_a_property_or_a_domain_is_overruled_by_a_person(store: Store) -> None:
    """What a domain has linked a person parts, and the account stays parted after the next sync."""
    sync(store, *SF_ROWS)
    sync(store, HS_CSM, replace(HUB, domain="acme.test"), source="hs")
    assert 1 == len(facts(store))
    decide(store, ("sf", "A1"), ("hs", "1"), "part")
    sync(store, replace(HUB, domain="acme.test", name="Acme!", modified_at=T0 + 9 * DAY), source="hs")
    assert 2 == len(facts(store))
    decide(store, ("sf", "A1"), ("hs", "1"), "forget")
    assert 1 == len(facts(store))


def test_the_configuration_links_and_takes_it_back(store: Store) -> None:
    """Pairs of tierd.yaml count from the next derivation on, and no longer once they are out of it."""
    sync(store, *SF_ROWS)
    sync(store, *HS_ROWS, source="hs")
    configured = replace(SETTINGS, links={pair(("sf", "A1"), ("hs", "1")): "link"})
    derive(store, configured, NOW)
    assert 1 == len(facts(store))
    derive(store, SETTINGS, NOW)
    assert 2 == len(facts(store))


def test_each_field_has_its_own_precedence(store: Store) -> None:
    """By default the first source counts; a field may have another order, and the next source stands in."""
    sync(store, *SF_ROWS)
    sync(store, *HS_ROWS, source="hs")
    decide(store, ("sf", "A1"), ("hs", "1"), "link")
    other = replace(SETTINGS, precedence={"arr": ("hs", "sf")}, fingerprints={"accounts": "1"})
    derive(store, other, NOW)
    with store.write() as conn:  # settings that change derive everything anew
        conn.execute(t.settings.update().values(value="0"))
    assert derive(store, other, NOW).rows > 0
    (row,) = facts(store).values()
    assert (99_900, 20_634) == (row["arr"], row["renewal"])


def _history(store: Store, account: int) -> None:
    """The account has a tier, a pin in HubSpot and an open alert."""
    with store.write() as conn:
        conn.execute(insert(t.tiers).values(account_id=account, tier=2, tier_since=T0))
        conn.execute(insert(t.tier_history).values(account_id=account, valid_from=T0, tier=2, pinned=0))
        conn.execute(
            insert(t.tier_fields).values(
                account_id=account, source="hs", known="Tier 1", seen_at=T0, pin_origin="person", pinned_at=T0
            )
        )
        conn.execute(
            insert(t.alerts).values(
                rule="lapsed",
                account_id=account,
                episode=1,
                state="firing",
                severity="high",
                evidence="{}",
                rule_version="1",
                last_outcome_at=T0,
            )
        )
        conn.execute(insert(t.tier_runs).values(id=1, as_of=T0, started_at=T0, policy="score", status="applied"))
        for number, row in enumerate(("A", "B"), start=1):
            conn.execute(
                insert(t.tier_ledger).values(
                    id=number,
                    run_id=1,
                    account_id=account,
                    source="hs",
                    crm_id=row,
                    field="tier",
                    new_value="Tier 2",
                    reason="",
                    state="planned",
                    planned_at=T0,
                )
            )


@pytest.mark.parametrize("known_first", [True, False])
def test_r17_a_chain_of_merges_leaves_one_account_with_everything(store: Store, known_first: bool) -> None:
    """A and B became C, C and D became E: one live row E; activities, people, tickets, tiers, alerts and writes are E's.

    `known_first`: E had been read before it was said to be the others' successor.
    """
    rows = {ref: replace(HUB, id=ref, name=f"Acme {ref}", domain=None) for ref in "ABDCE"}
    people: dict[str, Record] = {
        "A": replace(HUB_ANN, account_ids=("A",)),
        "B": replace(HUB_ZOE, account_ids=("B",), email="zoe@b.test"),
    }
    sync(store, HS_CSM, rows["A"], rows["B"], rows["D"], *people.values(), source="hs")
    sync(store, mail("H1", NOW - 5 * DAY), TicketRecord("T1", "B", "high", "open", NOW, None, NOW, NOW), source="hs")
    first = dict(table(store, t.crm_accounts, "id", "account_id"))["A"]
    _history(store, first)
    if known_first:
        sync(store, rows["C"], rows["E"], source="hs")
    merges = [("A", "C"), ("B", "C"), ("C", "E"), ("D", "E")]
    for ref, into in merges:
        sync(store, rows[into], Merged("accounts", ref, into, NOW - DAY), source="hs")

    found = {row[0]: row[1:] for row in table(store, t.crm_accounts, "id", "account_id", "merged_into", "deleted_at")}
    assert {first} == {account for account, _, _ in found.values()}
    assert ["E"] == [ref for ref, (_, into, gone) in found.items() if into is None and gone is None]
    ((refs, row),) = facts(store).items()
    assert (set("ABCDE"), 1, 1, 1) == (
        {ref for _, ref in refs}, row["exec_contacts"], row["user_contacts"], row["tickets_90d"]
    )  # fmt: skip
    assert [("H1", first)] == table(store, t.touches, "activity_id", "account_id")
    assert [(first, 2)] == table(store, t.tier_history, "account_id", "tier")
    assert [(first, "Tier 1")] == table(store, t.tier_fields, "account_id", "known")
    assert [(first, "firing")] == table(store, t.alerts, "account_id", "state")
    assert [("E", "planned"), ("B", "superseded")] == sorted(table(store, t.tier_ledger, "crm_id", "state"), key=str)[
        ::-1
    ]


def test_r17_an_alias_that_nobody_has_read_means_the_row_it_became(store: Store) -> None:
    """Merges of long ago are known by their ids only; what still names such an id is the surviving row's."""
    sync(store, HS_CSM, HUB, Merged("accounts", "old", "1", T0), source="hs")
    sync(store, replace(HUB_ANN, account_ids=("old",)), mail("H1", NOW - DAY), source="hs")
    sync(store, TicketRecord("T1", "old", "high", "open", NOW, None, NOW, NOW), source="hs")
    ((_, row),) = facts(store).items()
    assert (1, 1, NOW - DAY) == (row["exec_contacts"], row["tickets_90d"], row["last_contact"])


def test_r17_a_merged_contact_is_the_person_it_became(store: Store) -> None:
    """An activity that names the retired contact touches the one that is left."""
    call = replace(mail("H1", NOW - DAY), participants=None, owner_id="9")
    sync(store, HS_CSM, HUB, HUB_ANN, replace(HUB_ZOE, email=None), source="hs")
    sync(store, call, ParticipantRecord("p", "H1", "who", "8"), source="hs")
    sync(store, Merged("contacts", "8", "7", NOW), source="hs")
    ann = dict(table(store, t.persons, "key", "id"))["ann@acme.test"]
    assert [("H1", ann)] == table(store, t.touches, "activity_id", "person_id")


def test_pins_of_a_crm_go_with_its_rows(store: Store) -> None:
    """Linked, the account is pinned by what a person set in HubSpot; parted, the pin is the HubSpot row's alone."""
    sync(store, *SF_ROWS)
    sync(store, *HS_ROWS, source="hs")
    accounts = dict(table(store, t.crm_accounts, "source", "account_id"))
    _history(store, accounts["hs"])
    decide(store, ("sf", "A1"), ("hs", "1"), "link")
    (linked,) = {a for (a,) in table(store, t.crm_accounts, "account_id")}
    assert [(linked, "hs")] == table(store, t.tier_fields, "account_id", "source")
    assert [(linked,)] == table(store, t.alerts, "account_id")
    decide(store, ("sf", "A1"), ("hs", "1"), "part")
    assert [(accounts["hs"], "hs")] == table(store, t.tier_fields, "account_id", "source")
    assert (accounts["hs"], 2) in table(store, t.tier_history, "account_id", "tier")


_REFS: tuple[Ref, ...] = (("sf", "A1"), ("sf", "A2"), ("hs", "1"), ("hs", "2"))
_STEP = st.tuples(st.sampled_from(["link", "part", "forget"]), st.sampled_from(_REFS), st.sampled_from(_REFS)).filter(
    lambda step: step[1] != step[2]
)
_MERGES: Mapping[str, tuple[str, Merged]] = {
    "sf": ("sf", Merged("accounts", "A2", "A1", NOW - DAY)),
    "hs": ("hs", Merged("accounts", "2", "1", NOW - DAY)),
}


@given(st.lists(st.one_of(_STEP, st.sampled_from(["sf", "hs"])), max_size=6))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_sequence_equals_a_fresh_derivation(tmp_path_factory: pytest.TempPathFactory, steps: list[Any]) -> None:
    """Links, partings and merges in any order end as if all of it had been known from the beginning."""
    sf: tuple[Record, ...] = (
        *SF_ROWS,
        replace(ACME, id="A2", name="Acme 2"),
        replace(BOB, id="C9", account_ids=("A2",)),
    )
    hs: tuple[Record, ...] = (*HS_ROWS, replace(HUB, id="2", name="Acme 2", domain="acme.test"))
    grown, fresh = (_empty(tmp_path_factory) for _ in range(2))
    sync(grown, *sf)
    sync(grown, *hs, source="hs")
    for step in steps:
        if isinstance(step, str):
            source, merge = _MERGES[step]
            sync(grown, merge, source=source)
        else:
            decide(grown, step[1], step[2], step[0])
    with fresh.write() as conn, grown.read() as other:
        for row in other.execute(select(t.account_links)).mappings():
            conn.execute(insert(t.account_links).values(**row))
        for source, rows in (("sf", sf), ("hs", hs)):
            runs.declare_source(conn, source, "salesforce", DAY)
            merged = tuple(merge for step in steps if step == source for _, merge in [_MERGES[source]])
            save_batch(conn, source, Batch("all", (*rows, *merged), "c"), NOW)
    derive(fresh, SETTINGS, NOW)
    assert state(fresh) == state(grown)
    assert facts(fresh) == facts(grown)
    for opened in (grown, fresh):
        opened.close()


def _empty(tmp_path_factory: pytest.TempPathFactory) -> Store:
    opened = Store(f"sqlite:///{tmp_path_factory.mktemp('store') / 'tierd.db'}")
    with opened.write() as conn:
        t.metadata.create_all(conn)
    return opened


def test_the_pin_in_force_follows_the_rows(store: Store) -> None:
    """After linking, the account's tier is the one that a person pinned in HubSpot; after parting no longer."""
    targets = {"hs": Target("tier", {1: "Tier 1", 2: "Tier 2"})}
    sync(store, *SF_ROWS)
    sync(store, *HS_ROWS, source="hs")
    accounts = dict(table(store, t.crm_accounts, "source", "account_id"))
    _history(store, accounts["hs"])
    with store.write() as conn:
        conn.execute(t.account_fields.delete().where(t.account_fields.c.field.like("tier_field%")))
        conn.execute(insert(t.tiers).values(account_id=accounts["sf"], tier=3, tier_since=T0))

    def pins() -> dict[int, Any]:
        with store.write() as conn:
            observe(conn, targets, NOW)
        return dict(table(store, t.tiers, "account_id", "pin"))

    decide(store, ("sf", "A1"), ("hs", "1"), "link")
    assert 1 == pins()[accounts["sf"]]
    decide(store, ("sf", "A1"), ("hs", "1"), "part")
    assert {accounts["sf"]: None, accounts["hs"]: 1} == pins()
    assert [] == [row for row in table(store, t.dirty, "object") if row == ("pins",)]
