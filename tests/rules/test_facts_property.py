"""Usage, replies, surveys, load, features and sets: the statements against a reading record by record, on random rows."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection

from rules.facts import FactSettings, UsageNames, customers_at, narrowed, sets
from store.engine import Store
from store.records import DAY, HOUR
from tests.rules import service_reference as reference
from tests.rules.derived_rows import NOW, TODAY, Rows, ago, orderly
from tests.rules.reading import portfolio_at

DAYS = (0, 0.5, 1, 13, 14, 15, 27, 28, 29, 30, 31, 60, 89, 90, 91, 150, 180, 181, 400)
FUNCTIONS = ("it", "finance", "unknown", None)


@pytest.fixture
def connection(store: Store) -> Iterator[Connection]:
    """A connection whose transactions the tests roll back."""
    with store.engine.connect() as conn:
        yield conn


def instant(dice: random.Random) -> int:
    """Near the edges of the windows, to the microsecond; sometimes still to come."""
    return ago(dice.choice((*DAYS, -1))) + dice.choice((-1, 0, 0, 1))


def logged(dice: random.Random, at: int) -> int:
    """When it became known: at once, or late."""
    return at + dice.choice((0, 0, 0, 20 * DAY))


def random_rows(dice: random.Random) -> Rows:
    """A few customers with everything that these facts read."""
    rows = orderly()
    for name, price, default in (("sso", 100, 1), ("audit", None, 0), ("api", 7, 1)):
        rows.feature(
            name, f"{name} used", list_value=price, offered=default, released=dice.choice((None, TODAY, TODAY + 1))
        )
    for _ in range(dice.randint(6, 12)):
        account = rows.account(arr=dice.choice((0, 5_000_000)))
        rows.link(account)
        people(dice, rows, account)
        said(dice, rows, account)
        used(dice, rows, account)
    return rows


def people(dice: random.Random, rows: Rows, account: int) -> None:
    persons = []
    for _ in range(dice.randint(0, 4)):
        gone = dice.choice((None, None, None, instant(dice)))
        person = rows.person(account, dice.choice(("exec", "exec", "user", None)), since=instant(dice), deleted=gone)
        if rows.tables["person_levels"] and rows.tables["person_levels"][-1]["person_id"] == person:
            rows.tables["person_levels"][-1] |= {
                "level": dice.choice((None, 1, 3, 5)),
                "function": dice.choice(FUNCTIONS),
            }
        persons.append(person)
    for _ in range(dice.randint(0, 12) if persons else 0):
        at = instant(dice)
        taken = None if dice.random() < 0.8 else instant(dice)
        rows.touch(
            dice.sample(persons, dice.randint(1, len(persons))),
            dice.choice(("email", "email", "email", "call", "meeting")),
            at,
            way=dice.choice(("in", "out")),
            logged=logged(dice, at),
            withdrawn=taken,
        )


def said(dice: random.Random, rows: Rows, account: int) -> None:
    for _ in range(dice.randint(0, 3)):
        at, kind = instant(dice), dice.choice(("csat", "nps"))
        rows.answer(account, at, dice.randint(0, 10), kind, recorded_at=logged(dice, at))
    for at in {instant(dice) for _ in range(dice.randint(0, 2))}:
        rows.pulse(account, at, dice.randint(-2, 2))
        rows.ask(account, at, dice.choice(("feedback", "reference")))
        rows.review(account, at)
        rows.exception(account, at)
    for _ in range(dice.randint(0, 2)):
        rows.ticket(account, instant(dice))


def used(dice: random.Random, rows: Rows, account: int) -> None:
    rhythm = dice.choice((1, 1, 2, 7))
    for day in range(0, dice.choice((0, 60, 125)), rhythm):
        if dice.random() < 0.7:
            rows.sample(account, ago(day), dice.choice((0, 1, 5, 12)))
    if dice.random() < 0.7:
        rows.sample(account, ago(dice.choice((0, 27))), dice.choice((0, 3, 4, 10)), "active_users_28d")
    taken = set()
    for _ in range(dice.randint(0, 8)):
        at, user = instant(dice), dice.choice(("", "ann@a.example", "bob@a.example"))
        feature = dice.choice(("sso", "sso used", "audit", "api", "page view"))
        if (feature, user, at) not in taken:
            taken.add((feature, user, at))
            count, offer = dice.choice((None, None, 0, 3)), dice.choice((None, None, 0, 1))
            rows.use(account, feature, at, dice.choice((0, 1, 2)), user=user, users=count, offered=offer,
                     recorded_at=logged(dice, at))  # fmt: skip


def stored(conn: Connection, rows: Rows, as_of: int, facts: FactSettings) -> tuple[Any, Any, Any]:
    with conn.begin() as transaction:
        rows.save(conn)
        found = portfolio_at(conn, as_of, facts)
        among = customers_at(as_of, facts)
        narrow = narrowed(as_of, facts, among)
        some = [tuple(row) for row in conn.execute(sets(as_of, facts, among, narrow.subquery("events")))]
        events = [tuple(row) for row in conn.execute(narrow)]
        transaction.rollback()
    return found, some, events


def expected(rows: Rows, account: int, as_of: int, rhythm: int) -> dict[str, Any]:
    """The facts of one account, as the reference reads them."""
    of = [s for s in rows.tables["usage_samples"] if s["account_id"] == account]
    samples = [(s["at"], float(s["value"])) for s in of if s["metric"] == "active_users"]
    within = any(as_of - 120 * DAY < s["at"] <= as_of for s in of)
    latest = [s for s in of if s["metric"] == "active_users_28d" and as_of - 28 * DAY < s["at"] <= as_of]
    active = int(latest[-1]["value"]) if latest else (0 if within else None)
    states = reference.feature_states(rows, account, as_of, as_of // DAY, active)
    seen = "unknown" not in states.values()
    adopted = sum(state in ("adopted", "thriving") for state in states.values())
    offered = sum(state in ("offered", "adopted", "thriving", "lapsed") for state in states.values())
    load = reference.load(rows, account, as_of)
    arr = next(f["num"] for f in rows.tables["account_fields"] if f["account_id"] == account and f["field"] == "arr")
    return {
        "usage_frequency": reference.frequency(samples, as_of, rhythm),
        "usage_trend": reference.trend(samples, as_of, rhythm),
        "awaiting_reply": reference.awaiting_reply(rows, account, as_of),
        "unanswered_outreach": reference.unanswered_outreach(rows, account, as_of),
        **reference.voice(rows, account, as_of),
        "load": load,
        "load_per_arr": load * 100_000 / arr if load is not None and arr else None,
        "features_adopted": adopted if seen else None,
        "features_offered": offered if seen else None,
        "whitespace": reference.whitespace(rows, states) if seen else None,
        "features": states,
        "narrowed": reference.narrowed(rows, account, as_of),
    }


@pytest.mark.parametrize("seed", range(10))
def test_statements_equal_the_reference(connection: Connection, seed: int) -> None:
    """Every fact, set and narrowed event of every customer, now and at an instant before."""
    dice = random.Random(seed)
    rows, rhythm = random_rows(dice), dice.choice((DAY, 36 * HOUR, 36 * HOUR + 1, 7 * DAY))
    facts = FactSettings(usage=UsageNames(interval=rhythm))
    for as_of in (NOW, ago(30)):
        found, some, events = stored(connection, rows, as_of, facts)
        for row in found:
            account = row["account_id"]
            wanted = expected(rows, account, as_of, rhythm)
            got: dict[str, Any] = {
                name: row[name] if row[name] is not None else row[f"{name}_state"] if name.startswith("last_") else None
                for name in wanted
                if name not in ("features", "narrowed")
            }
            got["features"] = {value: state for who, fact, value, state in some if (who, fact) == (account, "features")}
            got["narrowed"] = {(by, value): tuple(rest) for who, by, value, *rest, _ in events if who == account}
            assert got == {
                name: pytest.approx(value, abs=2e-9) if isinstance(value, float) else value
                for name, value in wanted.items()
            }
