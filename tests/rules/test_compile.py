"""The compiled SQL means what the evaluator means: random conditions over random rows, on both databases."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from rules.language import load
from rules.language.catalogue import FACTS, Fact, Kind
from rules.language.compile import select_findings
from rules.language.evaluate import evaluate
from rules.language.model import Rule
from rules.language.tree import Range
from store.engine import Store
from store.tables import accounts, facts
from tests.rules.rows import AS_OF, TODAY, random_row

ROWS = 400
EXAMPLES = 60
VOCABULARY = """
vocabulary:
  renewal due:
    all: [renewal is within the next 90 days, not rolling, not renewed]
  quiet: {any: [no contact in 30 days, not renewal due]}
"""
BOUNDS = ("at least", "at most", "more than", "less than")


def phrases_for(fact: Fact) -> list[str]:
    """Every phrase form that suits a fact, with values at the borders of the rows."""
    name = fact.name
    known = [f"{name} is known", f"{name} is unknown"]
    match fact.kind:
        case Kind.EVENT:
            windows = ("15 days", "30 days", "2 weeks")
            found = [f"no {fact.event} in {window}" for window in windows]
            found += [f"{fact.event} happened in the last {window}" for window in windows]
            return [*found, f"{fact.event} never happened", *known]
        case Kind.BOOKING:
            return [f"no {fact.event} is booked", f"{fact.event} is booked", *known]
        case Kind.DATE:
            ends = ("within the next 90 days", "within the last 30 days", "in the past", "in the future")
            ages = ("more than 30 days ago", "at most 30 days ago", "less than 90 days away", "at least 1 day away")
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
    if fact.kind is Kind.COUNT:
        found += [f"{name} is between 2 and 3"] + ([f"no {name}"] if fact.name != "tier" else [])
        found += [] if fact.interval or fact.partial else [f"{name} is one of 1, 3"]
    return [*found, *known]


PHRASES = sorted({phrase for fact in FACTS for phrase in phrases_for(fact)})
PHRASES += [
    "active users are less than 80% of seats",
    "active users are at least 100% of seats",
    "adoption is at most 105% of adoption change",
    "touches 30d is more than touches 90d",
    "renewal due",
    "not quiet",
    "quiet",
]

trees = st.recursive(
    st.sampled_from(PHRASES),
    lambda inner: st.dictionaries(
        st.sampled_from(["all", "any", "none"]), st.lists(inner, min_size=1, max_size=3), min_size=1, max_size=1
    ),
    max_leaves=5,
)


def yaml_of(tree: object) -> str:
    """A condition tree as flow YAML."""
    if isinstance(tree, dict):
        ((key, items),) = tree.items()
        return f"{{{key}: [{', '.join(map(yaml_of, items))}]}}"
    return "'" + str(tree).replace("'", "''") + "'"


def rule_of(when: object, escalate: object) -> Rule:
    """A rule with this condition and escalation."""
    text = f"rules: [{{rule: r, class: churn, severity: low, when: {yaml_of(when)}, escalate: {{high: {yaml_of(escalate)}}}}}]"
    return load({"v.yaml": VOCABULARY, "r.yaml": text}).rules[0]


def test_sql_agrees_with_the_evaluator(store: Store) -> None:
    """No outcome, severity or reason differs between compiled SQL and evaluator over 24,000 random outcomes."""
    rng = random.Random(20260601)
    rows = [random_row(rng, number) for number in range(1, ROWS + 1)]
    with store.write() as connection:
        names = [
            {"id": row["account_id"], "key": f"k{row['account_id']}", "name": "n", "created_at": 0} for row in rows
        ]
        connection.execute(insert(accounts), names)
        connection.execute(insert(facts), rows)
    seen: Counter[str] = Counter()

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(trees, st.sampled_from(PHRASES))
    def agree(when: object, escalate: object) -> None:
        rule = rule_of(when, escalate)
        with store.read() as connection:
            found = {row.account_id: row for row in connection.execute(select_findings(rule, AS_OF, TODAY))}
        for row in rows:
            verdict = evaluate(rule, row, AS_OF, TODAY)
            said = found.get(row["account_id"])
            actual = ("silent", None, None) if said is None else (said.outcome, said.severity, said.reason)
            silent = verdict.truth is False
            reason = verdict.reasons[0] if verdict.reasons else None
            expected = ("silent", None, None) if silent else (verdict.outcome, verdict.severity, reason)
            assert expected == actual, (when, verdict.tree, row)
            seen[verdict.outcome] += 1

    agree()
    assert seen.total() >= 20_000
    assert min(seen["fires"], seen["silent"], seen["unknown"]) >= 2_000


def test_every_phrase_form_alone(sqlite_store: Store) -> None:
    """Each phrase form, alone, says the same in SQL and in the evaluator."""
    rng = random.Random(7)
    rows = [random_row(rng, number) for number in range(1, 81)]
    with sqlite_store.write() as connection:
        names = [
            {"id": row["account_id"], "key": f"k{row['account_id']}", "name": "n", "created_at": 0} for row in rows
        ]
        connection.execute(insert(accounts), names)
        connection.execute(insert(facts), rows)
    text = "".join(
        f"- {{rule: r{n}, class: fit, severity: low, when: {yaml_of(phrase)}}}\n" for n, phrase in enumerate(PHRASES)
    )
    with sqlite_store.read() as connection:
        for rule in load({"v.yaml": VOCABULARY, "r.yaml": f"rules:\n{text}"}).rules:
            found = {row.account_id: row.outcome for row in connection.execute(select_findings(rule, AS_OF, TODAY))}
            expected = {row["account_id"]: evaluate(rule, row, AS_OF, TODAY).outcome for row in rows}
            assert {key: value for key, value in expected.items() if value != "silent"} == found, rule.when


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
