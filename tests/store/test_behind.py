"""The rows that messages name: read for several accounts at once, cut short, as known at the instant."""

from __future__ import annotations

from sqlalchemy import select

from alerts.settings import AlertSettings
from daemon.alerting.behind import rows_behind
from daemon.alerting.book import AlertPolicy
from daemon.facts import refresh
from rules.facts import FactSettings
from store.engine import Store
from store.records import DAY, HOUR, Behind, NamedTouch, UsageMeans
from store.tables import facts
from tests.rules.derived_rows import NOW, TODAY, Rows, ago, orderly

POLICY = AlertPolicy(AlertSettings(), "C1", "C2")


def behind(store: Store, rows: Rows, *accounts: int) -> dict[int, Behind]:
    """Save the rows, bring the facts to NOW, and read."""
    with store.write() as conn:
        rows.save(conn)
    refresh(store, FactSettings(), NOW)
    with store.read() as conn:
        return rows_behind(conn, POLICY, NOW, accounts)


def test_the_row_of_every_fact_of_touches_is_found(store: Store) -> None:
    """Last contact by standing and the next meeting: what is withdrawn, not logged yet or of somebody else is none."""
    rows = orderly()
    account, other = rows.account(), rows.account()
    boss, user = rows.person(account), rows.person(account, "user")
    rows.touch(boss, "meeting", ago(20))
    rows.touch(boss, "email", ago(25))
    rows.touch(boss, "call", ago(3), withdrawn=ago(2))
    rows.touch(boss, "email", ago(1), logged=NOW + DAY)
    rows.touch(user, "call", ago(5))
    rows.touch(rows.person(other), "meeting", ago(2))
    rows.booking(boss, NOW + 9 * DAY, logged=ago(4))
    rows.booking(boss, NOW + 5 * DAY, logged=ago(4), withdrawn=ago(1))
    found = behind(store, rows, account)
    assert list(found) == [account]
    assert found[account].touches == (
        NamedTouch("Person 1", None, "exec", "email", ago(25)),
        NamedTouch("Person 1", None, "exec", "meeting", ago(20)),
        NamedTouch("Person 2", None, "user", "call", ago(5)),
    )
    assert NamedTouch("Person 1", None, "exec", "meeting", NOW + 9 * DAY) == found[account].bookings[0]
    with store.read() as conn:
        row = conn.execute(select(facts).where(facts.c.account_id == account)).one()
    assert (row.last_exec_contact, row.last_user_contact, row.next_exec_meeting) == (
        ago(20),
        ago(5),
        NOW + 9 * DAY,
    )


def test_persons_are_the_strongest_and_all_are_counted(store: Store) -> None:
    """Six execs on file: the four strongest are named; who has left or has no known level is not."""
    rows = orderly()
    account = rows.account()
    people = [rows.person(account) for _ in range(6)]
    rows.person(account, deleted=ago(1))
    rows.person(account, None)
    rows.touch(people[4], "meeting", ago(2))
    rows.touch(people[2], "email", ago(2), way="in")
    found = behind(store, rows, account)[account]
    assert [person.name for person in found.people] == ["Person 5", "Person 3", "Person 1", "Person 2"]
    assert found.people[0].strength > found.people[1].strength > found.people[2].strength == 0
    assert found.on_file == {"exec": 6}


def test_means_are_those_of_the_adoption_change(store: Store) -> None:
    """Their relation is the fact, and two workspaces sampled at one instant add up."""
    rows = orderly()
    account = rows.account(contract_start=TODAY - 200, seats=40)
    rows.link(account)
    for day in range(125):
        rows.sample(account, NOW - HOUR - day * DAY, 10 if day < 30 else 20)
        rows.sample(account, NOW - HOUR - day * DAY, 30, "active_users_28d")
    found = behind(store, rows, account)[account]
    assert found.means == UsageMeans("active_users", 10.0, 20.0)
    assert (found.active_users, found.seats) == (30, 40)
    with store.read() as conn:
        assert conn.scalar(select(facts.c.adoption_change)) == -0.5


def test_nothing_is_asked_for_nobody(store: Store) -> None:
    """Without accounts there is no statement; an account without rows has an empty entry."""
    rows = orderly()
    account = rows.account()
    assert behind(store, rows) == {}
    with store.read() as conn:
        found = rows_behind(conn, POLICY, NOW, [account])[account]
    assert (found.people, found.touches, found.bookings, found.means) == ((), (), (), None)
