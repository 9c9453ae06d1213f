"""How persons come off file: deleted, moved, merged, under another address; and since when mail to them bounces."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from rules.facts import FactSettings
from rules.facts.champions import champions_lost
from rules.facts.moment import moment
from store import tables as t
from store.engine import Store
from store.records import DAY, ContactRecord, Gone, Merged, Record
from tests.daemon.derivation import ACME, ANN, BOB, CSM, NOW, T0, meeting, sync, table

SET = FactSettings()
OTHER = replace(ACME, id="A2", name="Other", domain="other.test")
LEFT = NOW - 10 * DAY


def standing(store: Store) -> dict[str, tuple[str | None, int | None, int | None]]:
    """Key at Acme -> (left as, when, bounced since)."""
    acme = dict(table(store, t.accounts, "key", "id"))["sf:A1"]
    rows = table(store, t.persons, "account_id", "key", "left_as", "deleted_at", "bounced_at")
    return {key: (how, when, bounced) for account, key, how, when, bounced in rows if account == acme}


def later(contact: ContactRecord, **changed: Any) -> ContactRecord:
    """The contact as the CRM has it after a change."""
    return replace(contact, modified_at=LEFT, **changed)


@pytest.mark.parametrize(
    ("change", "how"),
    [
        (Gone("contacts", "C1", LEFT), "deleted"),
        (later(ANN, account_ids=("A2",)), "moved"),
        (later(ANN, account_ids=()), "moved"),
        (Merged("contacts", "C1", "C2", LEFT), "merged"),
        (later(ANN, email="ann.lee@acme.test"), "readdressed"),
    ],
    ids=["deleted", "moved", "on no account", "merged", "readdressed"],
)
def test_how_a_person_left(store: Store, change: Record, how: str) -> None:
    """Each way has its word, and the stamp of the contact itself."""
    sync(store, CSM, ACME, OTHER, ANN, BOB)
    assert {(None, None, None)} == set(standing(store).values())
    sync(store, change)
    assert (how, LEFT, None) == standing(store)["ann@acme.test"]
    assert (None, None, None) == standing(store)["bob@acme.test"]


def test_who_comes_back_has_not_left(store: Store) -> None:
    """A contact that is moved back is on file again."""
    sync(store, CSM, ACME, OTHER, ANN, BOB)
    sync(store, later(ANN, account_ids=("A2",)))
    sync(store, replace(ANN, modified_at=LEFT + DAY))
    assert (None, None, None) == standing(store)["ann@acme.test"]


def test_a_bounce_counts_since_a_sync_has_seen_it(store: Store) -> None:
    """What bounced at the first sync has no date; delivered again it does not bounce."""
    sync(store, CSM, ACME, ANN, replace(BOB, bounced=True))
    sync(store, later(ANN, bounced=True))
    assert (None, None, LEFT) == standing(store)["ann@acme.test"]
    assert (None, None, None) == standing(store)["bob@acme.test"]
    sync(store, replace(ANN, modified_at=LEFT + DAY))
    assert (None, None, None) == standing(store)["ann@acme.test"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (Gone("contacts", "C1", LEFT), 1),
        (later(ANN, account_ids=("A2",)), 1),
        (later(ANN, bounced=True), 1),
        (Merged("contacts", "C1", "C2", LEFT), 0),
        (later(ANN, email="ann.lee@acme.test"), 0),
    ],
    ids=["deleted", "moved", "bounced", "merged", "readdressed"],
)
def test_champions_are_lost_as_the_crm_says(store: Store, change: Record, expected: int) -> None:
    """A strong contact from the CRM's rows to the number, whichever way it goes."""
    talks = [meeting(f"M{n}", LEFT - (3 + 7 * n) * DAY) for n in range(5)]
    sync(store, CSM, ACME, OTHER, ANN, BOB, *talks)
    sync(store, change)
    with store.read() as conn:
        scope = select(t.accounts.c.id.label("account_id")).where(t.accounts.c.key == "sf:A1").cte("scope")
        found = conn.execute(select(champions_lost(moment(NOW, "UTC"), scope))).all()
    assert expected == sum(row.champions_lost for row in found)
    assert T0 < LEFT
