"""What every phrase form reads is kept with its finding, on both databases, and says the same again."""

from __future__ import annotations

import json
import random

from sqlalchemy import select

from daemon.evaluate import evaluate
from rules.facts.settings import FactSettings
from rules.language import load
from rules.language.catalogue import BY_COLUMN
from rules.language.evaluate import evaluate as judge
from rules.language.needs import cuts_of
from store.engine import Store
from store.tables import findings
from tests.rules.rows import AS_OF, FEATURES, TAGS, TODAY, put, random_cuts, random_row

PHRASES = (
    "health fell by 15 in 30 days",
    "strong exec relationships fell by 1 in 30 days",
    "arr fell by 20% in 90 days",
    "tier changed in the last 14 days",
    "arr is in the top 20%",
    "ltv is in the bottom third of its segment",
    *(f'tagged "{tag}"' for tag in TAGS),
    *(f'feature "{name}" is not adopted' for name in FEATURES),
    "functions reached do not include it",
    "no contact with level c level in 30 days",
    "reply with function it happened in the last 30 days",
    "no exec contact in 10 business days",
)


def test_a_finding_keeps_what_its_rule_read(store: Store) -> None:
    """The evidence is JSON, and the evaluator says of it what SQL said of the account, severity and all."""
    rng = random.Random(4)
    text = "".join(
        f"- {{rule: r{n}, class: fit, severity: low, when: {json.dumps(phrase)}, escalate: {{high: arr is in the top half}}}}\n"
        for n, phrase in enumerate(PHRASES)
    )
    rules = load({"r.yaml": f"rules:\n{text}"})
    cuts = random_cuts(rng, BY_COLUMN, cuts_of(rules))
    with store.write() as connection:
        put(connection, [random_row(rng, number, cuts) for number in range(1, 201)], cuts)
    done = evaluate(store, rules, FactSettings(), AS_OF, refresh=lambda *_: 0)
    assert {} == done.errors
    with store.read() as connection:
        rows = connection.execute(select(findings)).all()
    assert {rule.name for rule in rules.rules} == {row.rule for row in rows}
    for row in rows:
        verdict = judge(rules.rule(row.rule), json.loads(row.evidence), AS_OF, TODAY)
        assert (row.outcome, row.severity) == (verdict.outcome, verdict.severity), row
        assert row.reason == (verdict.reasons[0] if verdict.reasons else None), row


def test_a_second_evaluation_changes_nothing(store: Store) -> None:
    """The same rows at the same instant give the same findings, byte for byte."""
    rng = random.Random(5)
    rules = load({"r.yaml": f"rules: [{{rule: r, class: fit, severity: low, when: {{any: {json.dumps(PHRASES)}}}}}]"})
    cuts = random_cuts(rng, BY_COLUMN, cuts_of(rules))
    with store.write() as connection:
        put(connection, [random_row(rng, number, cuts) for number in range(1, 51)], cuts)
    assert evaluate(store, rules, FactSettings(), AS_OF, refresh=lambda *_: 0).changed > 0
    assert evaluate(store, rules, FactSettings(), AS_OF, refresh=lambda *_: 0).changed == 0
    assert evaluate(store, rules, FactSettings(), AS_OF, [1, 2, 3], refresh=lambda *_: 0).changed == 0
