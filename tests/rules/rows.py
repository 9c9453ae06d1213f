"""Random rows of facts with nulls, never and stale values, near the borders that the phrases of these tests use."""

from __future__ import annotations

import random

from rules.language.catalogue import FACTS, Fact, Kind
from rules.language.values import today_of
from store.records import DAY, Instant

AS_OF: Instant = 1_780_293_600_000_000
"""2026-06-01T06:00:00Z."""
TODAY = today_of(AS_OF)
MISSING = ("not_on_file", "outdated", "levels_not_known", "no_source", "too_few_samples")
AGES = (0, 1, 14, 15, 16, 29, 30, 31, 60, 200)


def random_row(rng: random.Random, account_id: int) -> dict[str, object]:
    """One row of store.tables.facts; a third of its facts have no fresh value."""
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
    return row


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
