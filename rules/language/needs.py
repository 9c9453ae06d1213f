"""What a rule set asks of the facts besides their current values: distances in the past, cuts of ranks, narrowed events."""

from __future__ import annotations

from collections.abc import Iterator

from rules.language.calendar import BusinessDays
from rules.language.catalogue import Fact
from rules.language.model import Rule, RuleSet
from rules.language.tree import Cut, DateIn, Happened, InSet, Leaf, Moved, Narrow, Ranked, Silence, facts_of, leaves
from rules.language.wording import placeholders

__all__ = ["Cut", "by_business_days", "cuts_of", "distances_of", "facts_of_rules", "members_of", "narrowed_of"]


def distances_of(ruleset: RuleSet) -> frozenset[int]:
    """How many days before the evaluation the facts are compared with: what store.tables.past_facts must hold."""
    return frozenset(leaf.days for leaf in _leaves(ruleset) if isinstance(leaf, Moved))


def cuts_of(ruleset: RuleSet) -> frozenset[Cut]:
    """The cuts whose values store.tables.portfolio_stats must hold."""
    return frozenset(leaf.cut for leaf in _leaves(ruleset) if isinstance(leaf, Ranked))


def narrowed_of(ruleset: RuleSet) -> frozenset[Narrow]:
    """The levels and functions that contact is narrowed to."""
    found = (leaf.narrow for leaf in _leaves(ruleset) if isinstance(leaf, Silence | Happened))
    return frozenset(narrow for narrow in found if narrow is not None)


def members_of(ruleset: RuleSet) -> frozenset[tuple[str, str]]:
    """(set, value) of the sets that are asked for: tags, functions reached, features."""
    return frozenset((leaf.fact.column, leaf.value) for leaf in _leaves(ruleset) if isinstance(leaf, InSet))


def facts_of_rules(ruleset: RuleSet) -> frozenset[Fact]:
    """Every fact that a condition compares or a sentence names."""
    compared = {fact for leaf in _leaves(ruleset) for fact in facts_of(leaf)}
    return frozenset(compared.union(*(placeholders(rule.say) for rule in ruleset.rules)))


def by_business_days(rule: Rule) -> bool:
    """Whether one of its conditions counts business days: its borders do not move evenly with time."""
    return any(_business(leaf) for node in rule.conditions for leaf in leaves(node))


def _business(leaf: Leaf) -> bool:
    match leaf:
        case DateIn(calendar=calendar):
            return calendar is not None
        case Silence(window=window) | Happened(window=window):
            return isinstance(window, BusinessDays)
        case _:
            return False


def _leaves(ruleset: RuleSet) -> Iterator[Leaf]:
    for rule in ruleset.rules:
        for node in rule.conditions:
            yield from leaves(node)
