"""Plain words for people: a fact's value, a rule's sentence, its evidence, and what would clear it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from rules.language.amounts import date, money, show, span
from rules.language.beside import Row
from rules.language.catalogue import BY_NAME, Fact
from rules.language.clearing import clears_when, done, undone
from rules.language.evaluate import Outcome, outcome
from rules.language.lines import line_of
from rules.language.model import Rule
from rules.language.tree import Any, Leaf, facts_of
from rules.language.values import today_of
from store.records import Day, Instant

__all__ = [
    "clears_when",
    "date",
    "deciding",
    "done",
    "evidence_lines",
    "line_of",
    "money",
    "placeholders",
    "sentence",
    "show",
    "span",
    "undone",
]

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def placeholders(say: str) -> list[Fact]:
    """The facts a sentence names, in its order."""
    names = (" ".join(match.lower().replace("_", " ").split()) for match in _PLACEHOLDER.findall(say))
    return [BY_NAME[name] for name in names if name in BY_NAME]


def sentence(
    rule: Rule, row: Row, as_of: Instant, today: Day | None = None, currency: str = "USD", *, lasting: bool = False
) -> str:
    """The rule's `say` with values for its placeholders; without one, the phrases that hold with their values.

    `lasting`: in words that are still true when they are read days later.
    """
    day = today_of(as_of) if today is None else today
    if rule.say:
        words = iter([show(fact, row, as_of, day, currency, lasting=lasting) for fact in placeholders(rule.say)])
        return _PLACEHOLDER.sub(lambda _: next(words), rule.say)
    lines = evidence_lines(rule, row, as_of, day, currency, lasting=lasting)
    return f"{rule.name.replace('-', ' ').capitalize()}: {'; '.join(lines)}."


def evidence_lines(
    rule: Rule, row: Row, as_of: Instant, today: Day | None = None, currency: str = "USD", *, lasting: bool = False
) -> tuple[str, ...]:
    """`renewal in 40 days (2026-04-11)`: each fact that decides the rule, once, with its value."""
    day = today_of(as_of) if today is None else today
    tree = outcome(rule.when, row, as_of, day)
    said: dict[str, None] = {}
    for leaf in deciding(tree):
        special = line_of(leaf, row, as_of, day, currency, lasting=lasting)
        said |= dict.fromkeys([special] if special else _plain(leaf, row, as_of, day, currency, lasting=lasting))
    return tuple(said)


def _plain(leaf: Leaf, row: Row, as_of: Instant, today: Day, currency: str, *, lasting: bool) -> Iterator[str]:
    for fact in facts_of(leaf):
        yield f"{fact.shown}: {show(fact, row, as_of, today, currency, lasting=lasting)}"


def deciding(tree: Outcome) -> Iterable[Leaf]:
    """The phrases that make the condition what it is: false branches of a true `any` say nothing."""
    if isinstance(tree.node, Leaf):
        yield tree.node
        return
    for part in tree.parts:
        if isinstance(tree.node, Any) and tree.truth and not part.truth:
            continue
        yield from deciding(part)
