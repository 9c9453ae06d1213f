"""R16, R18: a contact that is deleted in HubSpot keeps what it took part in, from the portal to the champions lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from daemon.derive import derive
from daemon.parts import source_mapping
from rules.facts.champions import champions_lost
from rules.facts.moment import moment
from rules.fieldmap import Derivation
from sandbox.clock import DAY
from store import tables as t
from store.engine import Store
from tests.requirements.hubspot import SOURCE, Desk
from tests.sandbox.hubspot_portal import NOW, Portal

ANN, BOB, EVE = "1", "2", "3"
MEETINGS = tuple(str(n) for n in range(1, 6))


def text(at: int) -> str:
    """An instant as HubSpot writes it."""
    return datetime.fromtimestamp(at / 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


@pytest.fixture
def desk(store: Store) -> Iterator[Desk]:
    """A customer with three people; Ann has met us five times, the last time with Bob."""
    portal = Portal()
    desk = Desk(portal, store)
    portal.add("companies", "1", {"name": "Acme", "domain": "acme.test", "lifecyclestage": "customer"})
    for ref, name in ((ANN, "ann"), (BOB, "bob"), (EVE, "eve")):
        portal.add("contacts", ref, {"firstname": name, "email": f"{name}@acme.test"})
        portal.link("contacts", ref, "companies", "1")
    for n, ref in enumerate(MEETINGS):
        at = NOW - (3 + 7 * n) * DAY
        times = {
            "hs_timestamp": text(at),
            "hs_meeting_start_time": text(at),
            "hs_meeting_end_time": text(at + DAY // 24),
        }
        portal.add("meetings", ref, {**times, "hs_meeting_outcome": "COMPLETED", "hubspot_owner_id": "101"})
        portal.link("meetings", ref, "contacts", ANN)
        portal.link("meetings", ref, "companies", "1")
    portal.link("meetings", MEETINGS[0], "contacts", BOB)
    try:
        settle(desk, "sync")
        yield desk
    finally:
        desk.close()
        portal.stop()


def settle(desk: Desk, *runs: str) -> list[int]:
    """What the daemon does after each run: derive. Gives how many rows each run changed."""
    mappings = {SOURCE: source_mapping(desk.settings())}
    settings = Derivation(order=(SOURCE,), own_domains=frozenset({"tierd-demo.example"}), mappings=mappings)
    changed = []
    for name in runs:
        run = desk.sync() if name == "sync" else desk.sweep(name)
        assert "ok" == run.status
        derive(desk.store, settings, desk.clock.now())
        changed.append(run.saved.changed)
    return changed


def met(desk: Desk) -> dict[str, list[str]]:
    """Key of a person -> the meetings with him or her."""
    found: dict[str, list[str]] = {}
    on = t.touches.join(t.persons, t.persons.c.id == t.touches.c.person_id)
    with desk.store.read() as conn:
        rows = conn.execute(select(t.persons.c.key, t.touches.c.activity_id).select_from(on)).all()
    for key, activity in sorted((row.key, row.activity_id) for row in rows):
        found.setdefault(key.partition("@")[0], []).append(activity)
    return found


def lost(desk: Desk) -> int:
    """The fact `champions_lost` of the customer."""
    with desk.store.read() as conn:
        scope = select(t.accounts.c.id.label("account_id")).cte("scope")
        found = conn.execute(select(champions_lost(moment(desk.clock.now(), "UTC"), scope))).all()
    return sum(row.champions_lost for row in found)


@pytest.mark.parametrize(
    "sweeps",
    [("archived", "associations"), ("associations", "archived"), ("associations",), ("archived", "reconcile")],
    ids=["known first", "links first", "links alone", "the whole list"],
)
def test_r18_a_deleted_contact_keeps_what_it_took_part_in(desk: Desk, sweeps: Sequence[str]) -> None:
    """HubSpot shows no link to an archived contact; the meetings were with her all the same, and she was a champion."""
    before = met(desk)
    assert {"ann": list(MEETINGS), "bob": [MEETINGS[0]]} == before
    desk.portal.clock.advance(DAY)
    desk.portal.archive("contacts", ANN)
    settle(desk, "sync", *sweeps)
    assert (before, 1) == (met(desk), lost(desk))
    assert [0, 0, 0, 0] == settle(desk, "sync", "archived", "associations", "reconcile")
    assert (before, 1) == (met(desk), lost(desk))


def test_r18_a_meeting_that_is_changed_before_the_deletion_is_known(desk: Desk) -> None:
    """It comes without her; once she is known as deleted she is back in it, and a later change does not take her out."""
    before = met(desk)
    desk.portal.clock.advance(DAY)
    desk.portal.archive("contacts", ANN)
    for title in ("Notes", "More notes"):
        desk.portal.clock.advance(DAY)
        desk.portal.change("meetings", MEETINGS[0], at=desk.portal.state.now, hs_meeting_title=title)
        settle(desk, "sync", "archived")
        assert (before, 1) == (met(desk), lost(desk))
    # The row is as the portal has it and not damaged: nothing is read again.
    assert [0, 0] == settle(desk, "associations", "reconcile")


def test_r18_who_was_unlinked_before_the_deletion_took_no_part(desk: Desk) -> None:
    """A correction is one, although the contact is deleted a day later."""
    desk.portal.clock.advance(DAY)
    desk.portal.unlink("meetings", MEETINGS[0], "contacts", ANN)
    settle(desk, "associations")
    assert list(MEETINGS[1:]) == met(desk)["ann"]
    desk.portal.clock.advance(DAY)
    desk.portal.archive("contacts", ANN)
    settle(desk, "archived", "associations")
    assert list(MEETINGS[1:]) == met(desk)["ann"]


def test_r18_whoever_takes_the_place_of_the_unlinked_is_touched_alone(desk: Desk) -> None:
    """A meeting re-read with another contact is with that one."""
    desk.portal.clock.advance(DAY)
    desk.portal.unlink("meetings", MEETINGS[1], "contacts", ANN)
    desk.portal.link("meetings", MEETINGS[1], "contacts", EVE)
    desk.portal.change("meetings", MEETINGS[1], at=desk.portal.state.now, hs_meeting_title="With Eve")
    settle(desk, "sync")
    assert {"ann": [MEETINGS[0], *MEETINGS[2:]], "bob": [MEETINGS[0]], "eve": [MEETINGS[1]]} == met(desk)


def test_r16_a_contact_that_is_restored_is_no_loss(desk: Desk) -> None:
    """Back on file with all meetings; a link that is taken away now counts again."""
    before = met(desk)
    desk.portal.clock.advance(DAY)
    desk.portal.archive("contacts", ANN)
    settle(desk, "sync", "archived", "associations")
    desk.portal.clock.advance(DAY)
    desk.portal.restore("contacts", ANN)
    settle(desk, "sync", "archived", "associations")
    assert (before, 0) == (met(desk), lost(desk))
    desk.portal.unlink("meetings", MEETINGS[0], "contacts", ANN)
    settle(desk, "associations")
    assert list(MEETINGS[1:]) == met(desk)["ann"]
