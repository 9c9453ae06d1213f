"""Random rows of facts with nulls, never and stale values, near the borders that the phrases of these tests use."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, insert

from rules.language.catalogue import FACTS, Fact, Kind
from rules.language.sets import FUNCTIONS, STATES
from rules.language.values import today_of
from store.records import DAY, Instant
from store.tables import accounts, fact_sets, facts, narrowed_facts, past_facts, portfolio_stats

AS_OF: Instant = 1_780_293_600_000_000
"""2026-06-01T06:00:00Z."""
TODAY = today_of(AS_OF)
MISSING = ("not_on_file", "outdated", "levels_not_known", "no_source", "too_few_samples")
AGES = (0, 1, 14, 15, 16, 29, 30, 31, 60, 200)
DISTANCES = (14, 30, 90)
TAGS = ("beta", "O'Brien & Söhne: a name of more than twenty-four letters")
FEATURES = ("SSO", "Audit \\ log 100%")
NARROWS = (("level", "c_level"), ("level", "manager"), ("level", ""), ("function", "it"), ("function", ""))


def random_row(rng: random.Random, account_id: int, cuts: dict[str, object] | None = None) -> dict[str, object]:
    """One row of store.tables.facts; a third of its facts have no fresh value. With what lies beside it, and the cuts."""
    row: dict[str, object] = {"account_id": account_id, "as_of": AS_OF}
    for fact in FACTS:
        _put(rng, row, fact)
    for column in (
        "last_unclassified_contact",
        "last_unclassified_reply",
        "any_since",
        "exec_since",
        "user_since",
        "unclassified_since",
    ):
        row[column] = None if rng.random() < 0.4 else _past(rng)
    row["unclassified_contacts"] = rng.choice([None, 0, 0, 0, 1, 2])
    row["activity_stale"] = rng.choice([None, 0, 0, 0, 1])
    for column in ("not_covered", "not_covered_exec", "not_covered_user"):
        row[column] = rng.choice([None, None, None, "Ann Lee"])
    for days in DISTANCES:
        _put_past(rng, row, days)
    row["fact_sets"] = dict(_members(rng))
    row["narrowed"] = {key: _narrowed(rng) for key in NARROWS if rng.random() < 0.6}
    return row | (cuts or {})


def _put_past(rng: random.Random, row: dict[str, object], days: int) -> None:
    """The same facts some days ago: often the same value, sometimes no row at all."""
    if rng.random() < 0.05:
        return
    for fact in FACTS:
        then: dict[str, object] = {}
        _put(rng, then, fact)
        if rng.random() < 0.2 and row[f"{fact.column}_state"] is None:
            then = {name: row[name] for name in then}
        row.update({f"{name}@{days}": value for name, value in then.items()})


def _members(rng: random.Random) -> Iterator[tuple[tuple[str, str], object]]:
    for fact, values in (("tags", TAGS), ("functions_reached", (*FUNCTIONS[:3], "unknown"))):
        yield from (((fact, value), True) for value in values if rng.random() < 0.35)
        if rng.random() < 0.1:
            yield (fact, ""), "not_recorded"
    yield from ((("features", value), rng.choice(STATES)) for value in FEATURES if rng.random() < 0.8)


def _narrowed(rng: random.Random) -> dict[str, object]:
    last = {name: None if rng.random() < 0.4 else _past(rng) for name in ("since", "last_contact", "last_reply")}
    ahead = rng.choice((None, None, AS_OF, AS_OF + 14 * DAY, AS_OF + 14 * DAY + 1))
    beside = {"next_meeting": ahead, "not_covered": rng.choice((None, None, None, "Ann Lee"))}
    return {"contacts": rng.choice((0, 1, 3)), **last, **beside}


def random_cuts(rng: random.Random, columns: Iterable[str], cuts: Iterable[Any]) -> dict[str, object]:
    """A value for some of the cuts, nobody for some, and nothing known of the others; `columns` are those of numbers."""
    found: dict[str, object] = {}
    kinds = {fact.column: fact for fact in FACTS}
    for cut in sorted(cuts, key=repr):
        assert cut.column in columns
        for segment in ("enterprise", "mid_market", "smb") if cut.by_segment else (None,):
            dice = rng.random()
            if dice < 0.8:
                found[cut.key(segment)] = _value(rng, kinds[cut.column]) if dice < 0.65 else None
    return found


def put(connection: Connection, rows: Sequence[Mapping[str, object]], cuts: Mapping[str, object] | None = None) -> None:
    """Write rows, and what lies beside them, into their tables."""
    ids = [row["account_id"] for row in rows]
    connection.execute(insert(accounts), [{"id": n, "key": f"k{n}", "name": "n", "created_at": 0} for n in ids])
    connection.execute(
        insert(facts), [{c: row.get(c) for c in (column.name for column in facts.columns)} for row in rows]
    )
    past, sets, narrowed = [], [], []
    for row in rows:
        head = {"account_id": row["account_id"]}
        for days in DISTANCES:
            if f"name_state@{days}" in row:
                then = {c: row.get(f"{c}@{days}") for c in (column.name for column in past_facts.columns)}
                past.append(then | head | {"days": days, "as_of": AS_OF - days * DAY})
        for (fact, value), state in row.get("fact_sets", {}).items():  # type: ignore[attr-defined]
            sets.append(head | {"fact": fact, "value": value, "state": None if state is True else state})
        for (by, value), found in row.get("narrowed", {}).items():  # type: ignore[attr-defined]
            narrowed.append(head | {"by": by, "value": value, **found})
    stats = [{"name": name, "value": value, "as_of": AS_OF} for name, value in (cuts or {}).items()]
    for table, found in ((past_facts, past), (fact_sets, sets), (narrowed_facts, narrowed), (portfolio_stats, stats)):
        if found:
            connection.execute(insert(table), found)


def _past(rng: random.Random) -> Instant:
    return AS_OF - rng.choice(AGES) * DAY + rng.choice((-1, 0, 0, 1))


def _put(rng: random.Random, row: dict[str, object], fact: Fact) -> None:
    dice = rng.random()
    state: str | None = None
    if dice < 0.12:
        state = rng.choice(MISSING)
    elif dice < 0.24:
        state = rng.choice(("stale", "not_captured"))
    elif dice < 0.36 and fact.kind in (Kind.EVENT, Kind.BOOKING):
        state = "never"
    keeps = state is None or (state in ("stale", "not_captured") and rng.random() < 0.6)
    row[f"{fact.column}_state"] = state
    row[fact.column] = _value(rng, fact) if keeps and rng.random() > 0.03 else None
    if fact.interval:
        row[f"{fact.column}_u"] = rng.choice([None, 0, 0, 1, 2])


def _value(rng: random.Random, fact: Fact) -> object:
    match fact.kind:
        case Kind.EVENT:
            return _past(rng)
        case Kind.BOOKING:
            return AS_OF + rng.choice((0, 1, 13, 14, 15, 40)) * DAY + rng.choice((-1, 0, 1))
        case Kind.DATE:
            return TODAY + rng.choice((-31, -30, -1, 0, 1, 29, 30, 31, 89, 90, 91, 200))
        case Kind.FLAG:
            return rng.choice((0, 1))
        case Kind.MONEY:
            return rng.choice((0, 4_999_999, 5_000_000, 5_000_001, 10_000_000))
        case Kind.RATIO | Kind.POINTS:
            return rng.choice((-0.4, -0.2, -0.19999999999, -0.1, 0.0, 0.1 + 0.2, 0.74, 0.75, 0.8, 1.2))
        case Kind.SCORE:
            return rng.choice((0.0, 59.99, 60.0, 60.01, 100.0))
        case Kind.DAYS | Kind.HOURS:
            return float(rng.choice((-3, -2, -1, 0, 2, 7)))
        case Kind.CHOICE:
            return rng.choice(fact.choices)
        case Kind.TEXT:
            return rng.choice(("Ann Lee", "O'Hara", "smb"))
    return rng.choice((0, 1, 2, 3))
