"""An explanation as plain data, for --json: every fact, every rule with its tree, what would clear it and what time changes."""

from __future__ import annotations

from typing import Any

from daemon.explain import Explanation, RuleLine
from daemon.explainrows import moment
from rules.language.evaluate import Outcome
from rules.language.tree import All, Leaf, Named, Not
from rules.language.tree import Any as AnyOf

_ANSWERS = {True: "true", False: "false", None: "unknown"}


def as_data(told: Explanation, *, only: str | None = None) -> dict[str, Any]:
    """Everything, or one rule with all facts. Values stand as stored beside their words; instants are UTC texts."""
    return {
        "account": {"key": told.account.key, "name": told.account.name, "ids": [list(ref) for ref in told.account.ids]},
        "as_of": moment(told.as_of),
        "in_scope": told.in_scope,
        "facts": [
            {
                "fact": fact.column.replace("_", " "),
                "value": told.row.get(fact.column),
                "shown": fact.value,
                "state": fact.state,
                "unit": fact.unit or None,
                "rows": list(fact.rows),
                "source": fact.source,
                "complete_up_to": None if fact.fresh_at is None else moment(fact.fresh_at),
            }
            for fact in told.facts
        ],
        "rules": [_rule(line) for line in told.rules if only in (None, line.rule.name)],
        "sources": [
            {
                "source": row.source,
                "stream": row.stream,
                "status": row.status,
                "complete_up_to": None if row.fresh_at is None else moment(row.fresh_at),
            }
            for row in told.sources
        ],
    }


def _rule(line: RuleLine) -> dict[str, Any]:
    change = line.change
    return {
        "rule": line.rule.name,
        "outcome": line.verdict.outcome,
        "severity": line.verdict.severity if line.verdict.truth else None,
        "sentence": line.sentence if line.verdict.truth else None,
        "reasons": list(line.verdict.reasons),
        "clears_when": line.clears_when,
        "by_time_alone": None
        if change is None
        else {"at": moment(change.at), "days": change.days, "becomes": _ANSWERS[change.truth], "reason": change.reason},
        "tree": _tree(line.verdict.tree),
    }


def _tree(outcome: Outcome) -> dict[str, Any]:
    found: dict[str, Any] = {"says": _says(outcome), "is": _ANSWERS[outcome.truth]}
    if outcome.reason:
        found["reason"] = outcome.reason
    if outcome.used:
        found["used"] = dict(outcome.used)
    if outcome.parts:
        found["parts"] = [_tree(part) for part in outcome.parts]
    return found


def _says(outcome: Outcome) -> str:
    match outcome.node:
        case All():
            return "all"
        case AnyOf():
            return "any"
        case Not(text=text):
            return text or "none"
        case Named(name):
            return name
        case Leaf(text=text):
            return text
    raise TypeError(type(outcome.node).__name__)
