"""Who of ours holds which relationship, and what has to be handed over, on both databases."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection

from rules.facts import hand_overs, holders, pair_strengths, team_coverage, unknown_people
from store.engine import Store
from store.records import DAY
from tests.rules import facts_reference as reference
from tests.rules.derived_rows import LONG_AGO, NOW, Rows, ago, captured


@pytest.fixture
def connection(store: Store) -> Iterator[Connection]:
    """A connection whose transactions the tests roll back."""
    with store.engine.connect() as conn:
        yield conn


def asked(conn: Connection, rows: Rows, query: Any) -> list[dict[str, Any]]:
    """What a list says of these rows."""
    with conn.begin() as transaction:
        rows.save(conn)
        found = [dict(row) for row in conn.execute(query).mappings()]
        transaction.rollback()
    return found


def customer(rows: Rows, **values: Any) -> int:
    """An account with facts: a customer in scope."""
    account = rows.account()
    rows.add(
        "facts", account_id=account, as_of=NOW, **({"name": f"Account {account}", "csm": "csm@us.example"} | values)
    )
    return account


def touch(rows: Rows, person: int, members: list[int], kind: str, at: int, *, way: str = "out", **more: Any) -> None:
    """A touch of a person with several of ours."""
    rows.touch(person, kind, at, way=way, **more)
    ref = rows.tables["touches"][-1]["activity_id"]
    for member in members:
        rows.add("touch_members", source="salesforce", activity_id=ref, member_id=member)


@pytest.mark.parametrize("seed", range(4))
def test_strength_of_a_pair_is_that_of_the_touches_they_share(connection: Connection, seed: int) -> None:
    """Random touches: the formula of one person over those of one member; no pair without a touch in 365 days."""
    rng, rows = random.Random(seed), Rows()
    rows.source()
    account = rows.account()
    persons = [rows.person(account) for _ in range(3)]
    members = [rows.member(f"m{n}@us.example", f"M{n}") for n in range(3)]
    mine: dict[tuple[int, int], list[dict[str, Any]]] = {}
    for _ in range(60):
        person, who = rng.choice(persons), rng.sample(members, rng.choice((1, 1, 2)))
        gone = rng.choice((None, None, None, NOW - DAY, NOW + DAY))
        kind, way = rng.choice(("email", "email", "call", "meeting")), rng.choice(("in", "out"))
        touch(rows, person, who, kind, ago(rng.choice((0, 1, 10, 89, 90, 200, 364, 365, 400))), way=way, withdrawn=gone)
        for member in who:
            mine.setdefault((person, member), []).append(rows.tables["touches"][-1])
    expected = {pair: reference.strength(touches, NOW) for pair, touches in mine.items()}
    found = asked(connection, rows, pair_strengths(NOW))
    got = {(row["person_id"], row["member_id"]): row["strength"] for row in found}
    assert {pair: power for pair, power in expected.items() if power} == got


def leaver(rows: Rows) -> tuple[int, int, int]:
    """Lea has left; she has a strong pair and one of no weight at one customer, and Ann took part in one meeting."""
    rows.source()
    account = customer(rows)
    strong, weak = rows.person(account), rows.person(account)
    ann, lea = rows.member("csm@us.example", "Ann"), rows.member("lea@us.example", "Lea")
    rows.tables["members"][lea - 1]["active"] = 0
    for day in (5, 30, 60, 200):
        touch(rows, strong, [lea, ann] if day == 5 else [lea], "meeting", ago(day))
    touch(rows, weak, [lea], "email", ago(10))
    return account, strong, lea


def test_who_left_has_relationships_to_hand_over(connection: Connection) -> None:
    """Only those of at least 20, with the account's CSM, the strength and the last touch; told once."""
    rows = Rows()
    account, _, lea = leaver(rows)
    (line,) = asked(connection, rows, hand_overs(NOW, untold=True))
    assert ("Lea", f"Account {account}", "csm@us.example", "Person 1") == (
        line["member"], line["account"], line["csm"], line["person"],
    )  # fmt: skip
    assert (ago(5), 0) == (line["last_contact"], line["since"])
    assert line["strength"] >= 6_000
    told = rows.add("handovers", member_id=lea, account_id=account, since=0, told_at=NOW, told_to=None)
    assert [line["recipient"]] == [row["recipient"] for row in asked(connection, rows, hand_overs(NOW, untold=True))]
    told["told_to"] = line["recipient"]
    assert [] == asked(connection, rows, hand_overs(NOW, untold=True))
    assert 1 == len(asked(connection, rows, hand_overs(NOW)))


def test_who_left_the_customers_side_is_not_handed_over(connection: Connection) -> None:
    """A contact that was deleted needs nobody."""
    rows = Rows()
    leaver(rows)
    rows.tables["persons"][0]["deleted_at"] = ago(1)
    assert [] == asked(connection, rows, hand_overs(NOW))


def test_a_change_of_the_csm_is_a_hand_over_at_that_account(connection: Connection) -> None:
    """The former CSM is active and has another account: only the one that changed hands is listed, since when it did."""
    rows = Rows()
    rows.source()
    changed, kept = customer(rows), customer(rows)
    bob = rows.member("bob@us.example", "Bob")
    rows.member("csm@us.example", "Ann")
    for account in (changed, kept):
        person = rows.person(account)
        for day in (1, 20, 40):
            touch(rows, person, [bob], "meeting", ago(day))
    for row in rows.tables["account_fields"]:
        if row["account_id"] == changed and row["field"] == "csm":
            row.update(valid_from=ago(3), recorded_at=ago(3))
    rows.field(changed, "csm", "bob@us.example", until=ago(3))
    (line,) = asked(connection, rows, hand_overs(NOW))
    assert (changed, "Bob", ago(3)) == (line["account_id"], line["member"], line["since"])
    assert {changed, kept} == {row["account_id"] for row in asked(connection, rows, hand_overs(NOW, "bob@us.example"))}


def test_holders_of_an_account_are_the_strongest_first(connection: Connection) -> None:
    """Lea's four meetings before Ann's one."""
    rows = Rows()
    account, _, _ = leaver(rows)
    found = [(row["person"], row["member"], row["active"]) for row in asked(connection, rows, holders(NOW, account))]
    assert [("Person 1", "Lea", 0), ("Person 1", "Ann", 1), ("Person 2", "Lea", 0)] == found


def test_unknown_people_who_settle_most_come_first(connection: Connection) -> None:
    """Two rules wait at the second account; within one, who was touched last comes first; execs and leavers are not asked."""
    rows = Rows()
    rows.source()
    quiet, waiting = customer(rows), customer(rows, csm="bob@us.example")
    first, never, recent = (rows.person(where, "unclassified") for where in (quiet, waiting, waiting))
    rows.person(waiting, "exec")
    rows.person(waiting, "other")
    rows.person(waiting, "unclassified", deleted=ago(1))
    nobody_knows = rows.person(quiet, None, since=LONG_AGO)
    rows.touch(recent, "email", ago(3))
    rows.touch(first, "email", ago(1))
    for rule, reason in (("a", "last exec contact: levels not known"), ("b", "levels not known"), ("c", "stale")):
        rows.add(
            "findings", rule=rule, account_id=waiting, outcome="unknown", severity="high", reason=reason,
            since=NOW, rule_version="1", evidence="{}",
        )  # fmt: skip
    found = asked(connection, rows, unknown_people(NOW))
    expected = [(recent, 2), (never, 2), (first, 0), (nobody_knows, 0)]
    assert expected == [(row["person_id"], row["settles"]) for row in found]
    mine = asked(connection, rows, unknown_people(NOW, ["bob@us.example"]))
    assert [recent, never] == [row["person_id"] for row in mine]


def test_coverage_of_the_team_names_channels_and_patience(connection: Connection) -> None:
    """Whoever is not captured comes first; a mail yesterday and a meeting last month are told apart; days away are left out."""
    rows = Rows()
    rows.source()
    customer(rows)
    ann, bob = rows.member("csm@us.example", "Ann"), rows.member("bob@us.example", "Bob")
    rows.member("gone@us.example", "Gone")
    rows.tables["members"][-1]["active"] = 0
    captured(rows, ann, days=10)
    rows.capture(bob, ago(20))
    rows.add("absences", member_id=bob, from_at=ago(18), until_at=ago(8), author="x", recorded_at=ago(18))
    for n, kind in ((0, "email"), (1, "meeting")):
        ref = {"source": "salesforce", "id": f"c{n}", "created_at": LONG_AGO, "modified_at": LONG_AGO, "payload": ""}
        rows.add("crm_activities", **ref, kind=kind, status="done", starts_at=ago(n), ends_at=ago(n))
    seen = asked(connection, rows, team_coverage(NOW))
    assert [("Bob", 0, 10 * DAY, 0), ("Ann", 1, 0, 1)] == [
        (row["name"], row["captured"], row["quiet"] // DAY * DAY, row["accounts"]) for row in seen
    ]
    assert 7 * DAY == seen[0]["patience"]
    assert (seen[1]["last_email"] > seen[1]["last_meeting"]) is True
