"""What becomes of deleted, merged, archived and undeleted rows, in process and over the control server's routes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.clock import DAY, HOUR, MINUTE, iso_ms
from sandbox.salesforce.control import routes
from sandbox.versions import At, On
from tests.sandbox.salesforce_org import NOW, Org, serving, sf_id

LOSER, WINNER = sf_id("001", 1), sf_id("001", 2)


@pytest.fixture
def org() -> Iterator[Org]:
    """Two accounts; three contacts, a deal, a case, a task, an event and a subsidiary at the first."""
    with serving() as served:
        for number in (1, 2, 3):
            served.add("Account", "001", number, at=NOW - DAY, Name=f"A{number}")
        served.change("update", "Account", sf_id("001", 3), NOW - DAY, ParentId=LOSER)
        for number in range(3):
            served.add("Contact", "003", number, at=NOW - DAY, LastName="P", AccountId=LOSER)
        served.add("Opportunity", "006", 1, at=NOW - DAY, Name="Deal", AccountId=LOSER)
        served.add("Case", "500", 1, at=NOW - DAY, AccountId=LOSER)
        served.add("Task", "00T", 1, at=NOW - DAY, WhatId=LOSER, AccountId=LOSER, Status="Completed")
        served.add("Event", "00U", 1, at=NOW - DAY, WhatId=LOSER, EndDateTime=At(NOW))
        yield served


def _control(org: Org, path: str, body: Any) -> Any:
    return next(act for _, known, act in routes(org.state) if known == f"/salesforce/{path}")(body)


def _one(org: Org, soql: str) -> dict[str, Any]:
    records = org.query(soql, "queryAll").json()["records"]
    assert 1 == len(records)
    return {k: v for k, v in records[0].items() if k != "attributes"}


@pytest.mark.parametrize("over_control", [False, True])
def test_a_merge_moves_the_children_and_their_stamps(org: Org, over_control: bool) -> None:
    """The loser is deleted with MasterRecordId, everything that pointed to it points to the winner with a new modstamp."""
    org.clock.advance(HOUR)
    if over_control:
        _control(org, "merge", {"object": "Account", "loser": LOSER, "winner": WINNER})
    else:
        org.state.merge("Account", LOSER, WINNER)
    assert {"IsDeleted": True, "MasterRecordId": WINNER} == _one(
        org, f"SELECT IsDeleted, MasterRecordId FROM Account WHERE Id = '{LOSER}'"
    )
    moved = "2026-03-02T07:00:00.000+0000"
    for name, field in (
        ("Contact", "AccountId"),
        ("Opportunity", "AccountId"),
        ("Case", "AccountId"),
        ("Task", "WhatId"),
        ("Task", "AccountId"),
        ("Event", "WhatId"),
    ):
        rows = org.query(f"SELECT {field}, SystemModstamp FROM {name}").json()["records"]
        assert {(WINNER, moved)} == {(r[field], r["SystemModstamp"]) for r in rows}, name
    assert WINNER == _one(org, f"SELECT ParentId FROM Account WHERE Id = '{sf_id('001', 3)}'")["ParentId"]
    assert moved == _one(org, f"SELECT SystemModstamp FROM Account WHERE Id = '{WINNER}'")["SystemModstamp"]


def test_a_merge_of_contacts_moves_tasks_and_participants(org: Org) -> None:
    """WhoId and relation rows follow the winner."""
    org.change("update", "Task", sf_id("00T", 1), NOW, WhoId=sf_id("003", 0))
    org.add("TaskRelation", "0RT", 1, TaskId=sf_id("00T", 1), RelationId=sf_id("003", 0))
    org.state.merge("Contact", sf_id("003", 0), sf_id("003", 1))
    assert sf_id("003", 1) == _one(org, "SELECT WhoId FROM Task")["WhoId"]
    assert sf_id("003", 1) == _one(org, "SELECT RelationId FROM TaskRelation")["RelationId"]


def test_deleted_rows_come_back(org: Org) -> None:
    """An undeleted row is live with a new modstamp and leaves /deleted; after the bin was emptied it never comes back."""
    contact = sf_id("003", 0)
    org.state.delete("Contact", contact)
    assert _one(org, f"SELECT IsDeleted FROM Contact WHERE Id = '{contact}'")["IsDeleted"]
    org.clock.advance(MINUTE)
    org.state.undelete("Contact", contact)
    assert {"IsDeleted": False, "SystemModstamp": "2026-03-02T06:01:00.000+0000"} == _one(
        org, f"SELECT IsDeleted, SystemModstamp FROM Contact WHERE Id = '{contact}'"
    )
    window = f"start={iso_ms(NOW - HOUR)}&end={iso_ms(NOW + HOUR)}"
    assert [] == org.ask("GET", f"sobjects/Contact/deleted?{window}").json()["deletedRecords"]
    org.state.delete("Contact", contact)
    assert 1 == org.state.empty_bin()
    with pytest.raises(KeyError):
        org.state.undelete("Contact", contact)


def test_the_bin_is_emptied_by_object_or_by_id(org: Org) -> None:
    """Over control: these ids, one object, everything; the count says how many rows went."""
    for number in range(3):
        _control(org, "delete", {"object": "Contact", "id": sf_id("003", number)})
    _control(org, "delete", {"object": "Case", "id": sf_id("500", 1)})
    assert {"purged": 1} == _control(org, "empty-bin", {"object": "Contact", "ids": [sf_id("003", 0)]})
    assert {"purged": 2} == _control(org, "empty-bin", {"object": "Contact"})
    assert {"purged": 1} == _control(org, "empty-bin", {})
    assert [] == org.ids("SELECT Id FROM Contact", "queryAll") + org.ids("SELECT Id FROM Case", "queryAll")


def test_a_task_may_be_archived_by_hand(org: Org) -> None:
    """An archived activity shows in queryAll alone, is not deleted, and says IsArchived."""
    _control(org, "archive", {"ids": [sf_id("00T", 1)]})
    assert [] == org.ids("SELECT Id FROM Task")
    assert {"IsArchived": True, "IsDeleted": False} == _one(org, "SELECT IsArchived, IsDeleted FROM Task")


def test_old_tasks_are_archived_by_age(org: Org) -> None:
    """A completed task of 400 days ago is archived, an open one is not."""
    for number, status in ((2, "Completed"), (3, "Not Started")):
        org.add("Task", "00T", number, Status=status, ActivityDate=On((NOW - 400 * DAY) // DAY))
    assert {sf_id("00T", 1), sf_id("00T", 3)} == set(org.ids("SELECT Id FROM Task"))
    assert 3 == len(org.ids("SELECT Id FROM Task", "queryAll"))


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("switches", {"no_such": 1}),
        ("switches", {"bulk_polls": "two"}),
        ("merge", {"object": "Account"}),
        ("delete", []),
    ],
)
def test_control_refuses_what_makes_no_sense(org: Org, path: str, body: Any) -> None:
    """Unknown switches and values of another type, missing keys, a body that is no object."""
    act = next(a for method, known, a in routes(org.state) if (method, known) == ("POST", f"/salesforce/{path}"))
    with pytest.raises((ValueError, TypeError)):
        act(body)
    assert 1 == org.state.switches.bulk_polls
