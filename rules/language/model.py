"""A rule and a rule set as the engine uses them, after reading and typing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from rules.language.tree import NOWHERE, All, Any, Leaf, Named, Node, Not, Place

SEVERITIES = ("low", "medium", "high", "critical")
"""From the least to the most severe."""
CLASSES = ("churn", "growth", "cadence", "service", "fit", "data")
OUTCOMES = ("fires", "silent", "unknown")
STATUSES = ("live", "shadow")
"""`shadow`: evaluated and counted, its findings are kept, nobody is told."""


@dataclass(frozen=True, slots=True)
class Step:
    """One instant of a timeline test: from `at_us` after the start these facts hold, and the alert is `expect`."""

    at_us: int
    given: Mapping[str, str]
    expect: str
    """pending | firing | recovering | clear"""


@dataclass(frozen=True, slots=True)
class RuleTest:
    """One test beside a rule: facts as written, and what the condition is at `as_of`."""

    given: Mapping[str, str]
    expect: str
    place: Place
    name: str = ""
    severity: str | None = None
    as_of_day: int | None = None
    timeline: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; durations are microseconds. `version` changes when what it means changes, not when its wording does."""

    name: str
    klass: str
    severity: str
    when: Node
    for_us: int = 0
    keep_firing_us: int = 86_400_000_000
    escalate: tuple[tuple[str, Node], ...] = ()
    """(severity, condition), the most severe first."""
    say: str = ""
    play: str = ""
    notify: str = "owner"
    tests: tuple[RuleTest, ...] = ()
    place: Place = field(default=NOWHERE, compare=False)
    version: str = ""
    status: str = "live"

    @property
    def conditions(self) -> tuple[Node, ...]:
        """Everything it asks: the condition, then what raises its severity."""
        return (self.when, *(node for _, node in self.escalate))


@dataclass(frozen=True, slots=True)
class RuleSet:
    """All rules of the files, in their order, and the vocabulary; `version` is the hash of the files."""

    rules: tuple[Rule, ...]
    vocabulary: Mapping[str, Node]
    files: Mapping[str, str]
    version: str

    def rule(self, name: str) -> Rule:
        """The rule of that name; KeyError when there is none."""
        for rule in self.rules:
            if rule.name == name:
                return rule
        raise KeyError(name)


def meaning(node: Node) -> str:
    """The canonical text of a condition: equal text = equal meaning, wherever and however it was written."""
    match node:
        case All(parts) | Any(parts):
            return f"{type(node).__name__}({', '.join(map(meaning, parts))})"
        case Not(part=part):
            return f"Not({meaning(part)})"
        case Named(part=part):
            return meaning(part)
        case Leaf():
            # What stands at its default is left out, so that a new field of the language changes no version.
            told = {name: (getattr(node, name), about.default) for name, about in node.__dataclass_fields__.items()}
            left = [name for name in sorted(told) if name not in ("text", "place", "fact", "other")]
            values = [f"{name}={told[name][0]!r}" for name in left if told[name][0] != told[name][1]]
            other = getattr(node, "other", None)
            values += [f"other={other.name}"] if other else []
            return f"{type(node).__name__}({', '.join([node.fact.name, *values])})"


def version_of(rule: Rule) -> str:
    """Hash of what decides the alert: condition, severities and durations."""
    escalate = [(severity, meaning(node)) for severity, node in rule.escalate]
    told = [rule.name, rule.klass, rule.severity, meaning(rule.when), rule.for_us, rule.keep_firing_us, escalate]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]


def files_version(files: Mapping[str, str]) -> str:
    """Hash of the rule files' names and texts."""
    return hashlib.sha256(json.dumps(sorted(files.items())).encode()).hexdigest()
