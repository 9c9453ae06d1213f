"""The compiled SQL means what the evaluator means: random conditions over random rows, on both databases."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Iterator

import pytest
from sqlalchemy import Column, insert
from sqlalchemy.sql import visitors

from rules.language import load
from rules.language.calendar import Calendar
from rules.language.catalogue import BY_COLUMN, FACTS, Fact, Kind
from rules.language.compile import columns_read, select_findings
from rules.language.evaluate import evaluate
from rules.language.model import Rule, RuleSet
from rules.language.needs import cuts_of
from rules.language.sets import FUNCTIONS
from rules.language.tree import Leaf, Range, leaves
from store.engine import Store
from store.tables import accounts, facts, past_facts
from tests.rules.rows import AS_OF, FEATURES, TAGS, TODAY, put, random_cuts, random_row

ROWS = 5_000
RULES = 101
SILENT = ("silent", None, None)
CALENDAR = Calendar(holidays=frozenset({TODAY - 4, TODAY + 3}), zone="Europe/Berlin")
VOCABULARY = """
vocabulary:
  renewal due:
    all: [renewal is within the next 90 days, not rolling, not renewed]
  quiet: {any: [no contact in 30 days, not renewal due]}
"""
WITH = ("level c level", "level manager", "function it", "function finance")
BOUNDS = ("at least", "at most", "more than", "less than")


def phrases_for(fact: Fact) -> list[str]:
    """Every phrase form that suits a fact, with values at the borders of the rows."""
    name = fact.name
    known = [f"{name} is known", f"{name} is unknown"]
    known += [f"{name} changed in the last 30 days"] if has_past(fact) else []
    match fact.kind:
        case Kind.EVENT:
            windows = ("15 days", "30 days", "2 weeks", "10 business days")
            found = [f"no {fact.event} in {window}" for window in windows]
            found += [f"{fact.event} happened in the last {window}" for window in windows]
            return [*found, f"{fact.event} never happened", *known]
        case Kind.BOOKING:
            return [f"no {fact.event} is booked", f"{fact.event} is booked", *known]
        case Kind.DATE:
            ends: tuple[str, ...] = (
                "within the next 90 days",
                "within the last 30 days",
                "in the past",
                "in the future",
            )
            ends += ("within the next 10 business days", "within the last 3 business days")
            ages: tuple[str, ...] = (
                "more than 5 business days ago",
                "at least 1 business day away",
                "less than 4 business days away",
            )
            ages += ("more than 30 days ago", "at most 30 days ago", "less than 90 days away", "at least 1 day away")
            return [f"{name} is {end}" for end in (*ends, *ages, "before 2026-06-02", "after 2026-05-31")] + known
        case Kind.FLAG:
            return [name, f"not {name}", *known]
        case Kind.CHOICE:
            first, second = (choice.replace("_", " ") for choice in fact.choices[:2])
            return [f"{name} is {first}", f"{name} is not {second}", f"{name} is one of {first}, {second}", *known]
        case Kind.TEXT:
            return [f'{name} is "Ann Lee"', f"""{name} is not "O'Hara\"""", *known]
    values = {
        Kind.MONEY: "50k",
        Kind.RATIO: "75%",
        Kind.POINTS: "-10 points",
        Kind.SCORE: "60",
        Kind.DAYS: "2 days",
        Kind.HOURS: "2 hours",
    }
    value = values.get(fact.kind, "1" if fact.high == 2 else "2")
    found = [f"{name} is {bound} {value}" for bound in BOUNDS] + [f"{name} is {value}", f"{name} is not {value}"]
    found += moves_of(fact) if has_past(fact) else []
    found += [
        f"{name} is in the top 20%",
        f"{name} is not in the bottom third",
        f"{name} is in the top half of its segment",
    ]
    if fact.kind is Kind.COUNT:
        found += [f"{name} is between 2 and 3"] + ([f"no {name}"] if fact.name != "tier" else [])
        found += [] if fact.interval or fact.partial else [f"{name} is one of 1, 3"]
    return [*found, *known]


def has_past(fact: Fact) -> bool:
    """True for what may move: everything but instants, and what is not kept for the past."""
    return fact.kind not in (Kind.EVENT, Kind.BOOKING) and fact.column in past_facts.c


def moves_of(fact: Fact) -> list[str]:
    """How a number may fall and rise."""
    amounts = {Kind.RATIO: "55 points", Kind.POINTS: "10 points", Kind.DAYS: "2 days", Kind.HOURS: "2 hours"}
    by = amounts.get(fact.kind, "50k" if fact.kind is Kind.MONEY else "1")
    found = [f"{fact.name} fell by {by} in 30 days", f"{fact.name} rose by {by} in 90 days"]
    if fact.kind in (Kind.MONEY, Kind.COUNT) and fact.name != "tier":
        found += [f"{fact.name} fell by 50% in 14 days", f"{fact.name} rose by 33.3% in 30 days"]
    return found


PHRASES = sorted({phrase for fact in FACTS for phrase in phrases_for(fact)})
NEW = [
    *(f"no {event} with {who} in 30 days" for event in ("contact", "reply") for who in WITH),
    *(f"{event} with {who} happened in the last 15 days" for event in ("contact", "reply") for who in WITH),
    *(f"reply with {who} never happened" for who in WITH),
    *(f'{no}tagged "{tag}"' for no in ("", "not ") for tag in TAGS),
    *(
        f'feature "{name}" is {state}'
        for name in (*FEATURES, "Other")
        for state in ("adopted", "not offered", "lapsed")
    ),
    *(f"functions reached {verb} {function}" for verb in ("include", "do not include") for function in FUNCTIONS[:4]),
    "newest offering was not shown",
    "health fell by 15 in 30 days",
    "adoption rose by 10 points in 90 days",
    "arr fell by 20% in 90 days",
    "tier changed in the last 14 days",
    "arr is in the top 20%",
    "ltv is in the bottom third of its segment",
]
PHRASES += NEW
PHRASES += [
    "active users are less than 80% of seats",
    "active users are at least 100% of seats",
    "adoption is at most 105% of adoption change",
    "touches 30d is more than touches 90d",
    "renewal due",
    "not quiet",
    "quiet",
]


def yaml_of(tree: object) -> str:
    """A condition tree as flow YAML."""
    if isinstance(tree, dict):
        ((key, items),) = tree.items()
        return f"{{{key}: [{', '.join(map(yaml_of, items))}]}}"
    return "'" + str(tree).replace("'", "''") + "'"


def rule_of(when: object, escalate: object) -> Rule:
    """A rule with this condition and escalation."""
    text = f"rules: [{{rule: r, class: churn, severity: low, when: {yaml_of(when)}, escalate: {{high: {yaml_of(escalate)}}}}}]"
    return load({"v.yaml": VOCABULARY, "r.yaml": text}, calendar=CALENDAR).rules[0]


def random_tree(rng: random.Random, phrases: Iterator[str], depth: int = 2) -> object:
    """A condition whose phrases come from an endless list, so that each of them is used."""
    if depth == 0 or rng.random() < 0.35:
        return next(phrases)
    inner = [random_tree(rng, phrases, depth - 1) for _ in range(rng.choice((1, 2)))]
    return {rng.choice(("all", "any", "none")): inner}


def random_rules(rng: random.Random) -> RuleSet:
    """Many rules whose conditions use every phrase form."""
    shuffled = rng.sample(PHRASES, len(PHRASES)) + NEW
    rng.shuffle(shuffled)
    phrases = itertools.cycle(shuffled)
    text = "".join(
        f"- {{rule: r{n}, class: fit, severity: low, when: {yaml_of(random_tree(rng, phrases))}, "
        f"escalate: {{high: {yaml_of(next(phrases))}}}}}\n"
        for n in range(RULES)
    )
    return load({"v.yaml": VOCABULARY, "r.yaml": f"rules:\n{text}"}, calendar=CALENDAR)


def test_sql_agrees_with_the_evaluator(both_stores: tuple[Store, Store]) -> None:
    """No outcome, severity or reason differs between compiled SQL and evaluator over 500,000 random outcomes, on SQLite
    and on PostgreSQL.
    """
    rng = random.Random(20260601)
    ruleset = random_rules(rng)
    cuts = random_cuts(rng, BY_COLUMN, cuts_of(ruleset))
    rows = [random_row(rng, number, cuts) for number in range(1, ROWS + 1)]
    for store in both_stores:
        with store.write() as connection:
            put(connection, rows, cuts)
    seen: Counter[str] = Counter()
    used: Counter[str] = Counter()
    for rule in ruleset.rules:
        used.update(type(leaf).__name__ for node in rule.conditions for leaf in leaves(node))
        by_sqlite, by_postgresql = (_found(store, rule) for store in both_stores)
        for row in rows:
            verdict = evaluate(rule, row, AS_OF, TODAY)
            reason = verdict.reasons[0] if verdict.reasons else None
            expected = SILENT if verdict.truth is False else (verdict.outcome, verdict.severity, reason)
            account = row["account_id"]
            actual = (by_sqlite.get(account, SILENT), by_postgresql.get(account, SILENT))
            assert (expected, expected) == actual, (rule.when, verdict.tree, row)
            seen[verdict.outcome] += 1
    assert seen.total() >= 500_000
    assert min(seen["fires"], seen["silent"], seen["unknown"]) >= 50_000
    assert {kind.__name__ for kind in Leaf.__subclasses__()} == set(used)


def _found(store: Store, rule: Rule) -> dict[object, tuple[object, ...]]:
    asked = select_findings(rule, AS_OF, TODAY)
    read = {part.name for part in visitors.iterate(asked) if isinstance(part, Column) and part.table is facts}
    assert read <= {"account_id"} | columns_read(rule), rule.name  # of touched accounts nothing else is at hand
    with store.read() as connection:
        once = connection.execution_options(compiled_cache=None)  # no statement is asked again
        said = once.execute(asked.with_only_columns(*list(asked.selected_columns)[:4]))
        return {account: (outcome, severity, reason) for account, outcome, severity, reason in said}


def test_every_phrase_form_alone(sqlite_store: Store) -> None:
    """Each phrase form, alone, says the same in SQL and in the evaluator, and again on the evidence that SQL keeps."""
    rng = random.Random(7)
    text = "".join(
        f"- {{rule: r{n}, class: fit, severity: low, when: {yaml_of(phrase)}}}\n" for n, phrase in enumerate(PHRASES)
    )
    ruleset = load({"v.yaml": VOCABULARY, "r.yaml": f"rules:\n{text}"}, calendar=CALENDAR)
    cuts = random_cuts(rng, BY_COLUMN, cuts_of(ruleset))
    rows = [random_row(rng, number, cuts) for number in range(1, 81)]
    with sqlite_store.write() as connection:
        put(connection, rows, cuts)
    with sqlite_store.read() as opened:
        connection = opened.execution_options(compiled_cache=None)  # no statement is asked again
        for rule in ruleset.rules:
            found = {row.account_id: row for row in connection.execute(select_findings(rule, AS_OF, TODAY))}
            expected = {row["account_id"]: evaluate(rule, row, AS_OF, TODAY) for row in rows}
            said = {key: (row.outcome, row.reason) for key, row in found.items()}
            assert {
                key: (verdict.outcome, verdict.reasons[0] if verdict.reasons else None)
                for key, verdict in expected.items()
                if verdict.truth is not False
            } == said, rule.when
            again = {key: evaluate(rule, dict(row._mapping), AS_OF, TODAY) for key, row in found.items()}
            assert {key: verdict.outcome for key, verdict in again.items()} == {
                key: outcome for key, (outcome, _) in said.items()
            }, rule.when
            for key, verdict in again.items():
                assert verdict.tree.used == expected[key].tree.used or not isinstance(rule.when, Leaf), rule.when


@pytest.mark.parametrize("share", [7, 29, 80, 105])
def test_share_of_another_fact_is_exact(store: Store, share: int) -> None:
    """28 of 35 is at least 80 % and not less, although 0.8 x 35 is more than 28 in doubles; on both databases."""
    pairs = [(seats * share // 100 + off, seats) for seats in range(1, 120) for off in (-1, 0, 1)]
    rows: list[dict[str, object]] = [
        {"account_id": n, "as_of": AS_OF, "active_users": mine, "seats": seats}
        for n, (mine, seats) in enumerate(pairs, 1)
    ]
    with store.write() as connection:
        names = [{"id": n, "key": f"k{n}", "name": "n", "created_at": 0} for n in range(1, len(pairs) + 1)]
        connection.execute(insert(accounts), names)
        connection.execute(insert(facts), rows)
    rule = rule_of(f"active users are at least {share}% of seats", "tier is known")
    expected = {n for n, (mine, seats) in enumerate(pairs, 1) if mine * 100 >= share * seats}
    with store.read() as connection:
        assert {row.account_id for row in connection.execute(select_findings(rule, AS_OF, TODAY))} == expected
    assert {row["account_id"] for row in rows if evaluate(rule, row, AS_OF, TODAY).truth} == expected


@pytest.mark.parametrize("written", ["-20%", "-19.9999999996%", "-20.00000000001%"])
def test_threshold_is_as_fine_as_a_ratio(written: str) -> None:
    """A bound is read exactly and rounded to nine decimals, as ratios are stored: the double next to -0.2 meets it."""
    leaf = rule_of(f"adoption change is at most {written}", "tier is known").when
    assert isinstance(leaf, Range)
    assert leaf.high == -0.2


def test_share_of_large_sums_is_exact(store: Store) -> None:
    """Eight of ten billion, and a cent less: neither overflows, and the cent counts."""
    rows: list[dict[str, object]] = [
        {"account_id": n, "as_of": AS_OF, "arr": 8 * 10**11 - off, "ltv": 10**12} for n, off in ((1, 0), (2, 1))
    ]
    with store.write() as connection:
        connection.execute(insert(accounts), [{"id": n, "key": f"k{n}", "name": "n", "created_at": 0} for n in (1, 2)])
        connection.execute(insert(facts), rows)
    rule = rule_of("arr is at least 80% of ltv", "tier is known")
    with store.read() as connection:
        assert [row.account_id for row in connection.execute(select_findings(rule, AS_OF, TODAY))] == [1]
    assert [evaluate(rule, row, AS_OF, TODAY).truth for row in rows] == [True, False]
