"""Static findings on rules that can be read: never or always true, covered by another rule, resting on what is not there.

Reasoning by the limits that phrases put on one fact at a time; what it does not see it does not report.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import ClassVar

from rules.language.calendar import BusinessDays
from rules.language.errors import RuleError
from rules.language.model import SEVERITIES, Rule, RuleSet
from rules.language.normal import Sides, TooMany, alternatives, clash, implies, impossible, sides, within
from rules.language.tree import Against, All, Happened, Leaf, Moved, Named, Node, Place, Silence, leaves, parts_of
from rules.language.wording import span
from store.records import DAY

FINDINGS: Mapping[str, str] = {
    "W-NEVER": "the condition can never hold",
    "W-ALWAYS": "the condition holds on every account whose facts are known",
    "W-ESCALATE": "an escalation that can never be reached",
    "W-EQUAL": "two rules with the same condition",
    "W-SUBSUMED": "wherever one rule fires, another one fires as well",
    "W-SHADOWED": "an entry of an ordered list that an earlier one always decides",
    "W-SOURCE": "a fact that no source supplies",
    "W-HISTORY": "a window longer than the history that is kept",
}


@dataclass(frozen=True, slots=True)
class Finding(RuleError):
    """What is odd about a rule that can be read."""

    level: ClassVar[str] = "warning"


def findings(
    ruleset: RuleSet, *, supplied: Collection[str] | None = None, history_days: int | None = None
) -> list[Finding]:
    """Everything odd about a rule set, in the order of its files.

    `supplied`: columns of the facts that the sources have (None = not known, not checked). `history_days`: how long
    rows are kept (None = for good).
    """
    found: list[Finding] = []
    found += [one for rule in ruleset.rules for one in _alone(rule)]
    found += _pairs(ruleset.rules)
    if supplied is not None:
        found += _unsupplied(ruleset, supplied)
    if history_days is not None:
        found += _too_long(ruleset, history_days)
    numbered = {name: number for number, name in enumerate(ruleset.files)}
    placed = [_with_line(one, ruleset.files) for one in dict.fromkeys(found)]
    return sorted(placed, key=lambda one: (numbered.get(one.place.file, 0), one.place.line, one.place.column))


def shadowed(entries: Sequence[tuple[str, Node, Place]]) -> list[Finding]:
    """Entries of an ordered list, first match decides, that never decide: (name, condition, place)."""
    found: list[Finding] = []
    for number, (name, node, place) in enumerate(entries):
        for earlier, before, _ in entries[:number]:
            if _safely(lambda node=node, before=before: implies(node, before)):  # type: ignore[misc]
                fix = f"put it before `{earlier}`, or leave it out"
                found.append(Finding("W-SHADOWED", place, f"`{name}` never decides: `{earlier}` comes first", fix))
                break
    return found


# ---------------------------------------------------------------- one rule


def _alone(rule: Rule) -> Iterator[Finding]:
    never = _never(rule.when)
    if never:
        yield Finding("W-NEVER", never[0], f"`{rule.name}` never fires: {never[1]}", never[2])
        return
    if _safely(lambda: impossible(alternatives(rule.when, holds=False))):
        message = f"`{rule.name}` fires on every account whose facts are known"
        yield Finding("W-ALWAYS", rule.place, message, "add the phrase that singles accounts out")
    for number, (severity, node) in enumerate(rule.escalate):
        together = All((rule.when, node))
        place = _place(node, rule.place)
        if _never(together):
            message = f"`{rule.name}` never becomes {severity}: that never holds together with `when`"
            yield Finding("W-ESCALATE", place, message, "compare the two, and mend the bound that is wrong")
        elif _safely(lambda node=node: implies(rule.when, node)):  # type: ignore[misc]
            message = f"`{rule.name}` is always {severity}: that holds whenever `when` does"
            yield Finding("W-ESCALATE", place, message, f"write `severity: {severity}` and leave this line out")
        else:
            yield from _outranked(rule, number, severity, node)


def _outranked(rule: Rule, number: int, severity: str, node: Node) -> Iterator[Finding]:
    for higher, before in rule.escalate[:number]:
        if _safely(lambda before=before: implies(node, before)):  # type: ignore[misc]
            message = f"`{rule.name}` is never {severity}: wherever that holds it is {higher} already"
            yield Finding("W-ESCALATE", _place(node, rule.place), message, "leave this line out, or widen it")
            return


def _never(node: Node) -> tuple[Place, str, str] | None:
    """Where, why and how to mend it; None when the condition can hold."""
    try:
        clashes = [clash(one) for one in alternatives(node)]
    except TooMany:
        return None
    if not clashes or any(found is None for found in clashes):
        return None
    first = clashes[0]
    assert first is not None
    shown = [f"`{one.leaf.text}` {'' if one.written else 'being false '}".strip() for one in first]
    words = " and ".join(dict.fromkeys(shown))
    why = f"{words} cannot hold together" if len(set(shown)) > 1 else f"{words} cannot hold"
    return first[-1].leaf.place, why, "change one of their bounds, or use `any:` where either is meant"


def _place(node: Node, otherwise: Place) -> Place:
    if isinstance(node, Leaf | Named):
        return node.place
    return next((_place(part, otherwise) for part in parts_of(node)), otherwise)


# ---------------------------------------------------------------- pairs


def _pairs(rules: Sequence[Rule]) -> Iterator[Finding]:
    about = {rule.name: {leaf.fact.name for leaf in leaves(rule.when)} for rule in rules}
    dull = {rule.name for rule in rules if any(one.code in ("W-NEVER", "W-ALWAYS") for one in _alone(rule))}
    lively = [rule for rule in rules if rule.name not in dull]
    both = {rule.name: found for rule in lively if (found := _sides(rule)) is not None}
    inside = {
        (one, other)
        for one, other in permutations(both, 2)
        # What implies a phrase about a fact says something about that fact.
        if about[other] <= about[one] and within(both[one], both[other])
    }
    order = {rule.name: number for number, rule in enumerate(rules)}
    named = {rule.name: rule for rule in rules}
    for one, other in sorted(inside, key=lambda pair: (order[pair[0]], order[pair[1]])):
        place = named[one].place
        if (other, one) not in inside:
            yield Finding(
                "W-SUBSUMED",
                place,
                f"wherever `{one}` fires, `{other}` fires as well",
                _merge(named[one], named[other]),
            )
        elif order[one] > order[other]:
            yield Finding("W-EQUAL", place, f"`{one}` has the same condition as `{other}`", "keep one of them")


def _sides(rule: Rule) -> Sides | None:
    try:
        return sides(rule.when)
    except TooMany:
        return None


def _merge(narrow: Rule, wide: Rule) -> str:
    if SEVERITIES.index(narrow.severity) > SEVERITIES.index(wide.severity):
        return f"make it `escalate: {{{narrow.severity}: ...}}` of `{wide.name}`, or exclude one from the other"
    return f"leave it out, or exclude its accounts from `{wide.name}`"


# ---------------------------------------------------------------- what is not there


def _unsupplied(ruleset: RuleSet, supplied: Collection[str]) -> Iterator[Finding]:
    for rule in ruleset.rules:
        for leaf in _leaves(rule):
            facts = (leaf.fact, leaf.other) if isinstance(leaf, Against) else (leaf.fact,)
            for fact in facts:
                if fact.column not in supplied:
                    message = f"`{rule.name}` stays unknown: no source supplies `{fact.name}`"
                    fix = "map it in tierd.yaml, add the source that has it, or leave the phrase out"
                    yield Finding("W-SOURCE", leaf.place, message, fix)


def _too_long(ruleset: RuleSet, days: int) -> Iterator[Finding]:
    for rule in ruleset.rules:
        for leaf in _leaves(rule):
            length = _length(leaf)
            if length > days * DAY:
                message = (
                    f"`{rule.name}` looks back {span(length)}, and the oldest activity on record is {days} days old"
                )
                yield Finding("W-HISTORY", leaf.place, message, f"write at most {days} days")


def _length(leaf: Leaf) -> int:
    if isinstance(leaf, Moved):
        return leaf.days * DAY
    if isinstance(leaf, Silence | Happened) and leaf.window is not None:
        # Five business days are a week.
        return leaf.window.days * DAY * 7 // 5 if isinstance(leaf.window, BusinessDays) else leaf.window
    return 0


def _leaves(rule: Rule) -> Iterator[Leaf]:
    for node in rule.conditions:
        yield from leaves(node)


def _with_line(one: Finding, files: Mapping[str, str]) -> Finding:
    lines = files.get(one.place.file, "").splitlines()
    line = lines[one.place.line - 1] if 0 < one.place.line <= len(lines) else ""
    return Finding(one.code, one.place, one.message, one.fix, line)


def _safely(check: Callable[[], bool]) -> bool:
    try:
        return check()
    except TooMany:
        return False


__all__ = ["FINDINGS", "Finding", "findings", "shadowed"]
