"""What would clear a rule, in plain words made from its condition."""

from __future__ import annotations

import math
import re

from rules.language.amounts import amount, number, span
from rules.language.catalogue import Fact, Kind
from rules.language.evaluate import Outcome, Row, outcome
from rules.language.model import Rule
from rules.language.ranks import place_of
from rules.language.sets import FEATURES, TAGS, said_of
from rules.language.tree import (
    Against,
    All,
    Any,
    Booked,
    DateIn,
    Flag,
    Happened,
    InSet,
    Known,
    Leaf,
    Moved,
    Named,
    Node,
    Not,
    OneOf,
    Range,
    Ranked,
    Silence,
    leaves,
)
from rules.language.values import today_of
from store.records import Day, Instant

_FIXED = ("segment", "lifecycle", "rolling", "auto renews", "strategic")
_DONE = {"renewed": "it is renewed", "rolling": "it is a rolling contract"}


def clears_when(rule: Rule, row: Row | None = None, as_of: Instant = 0, today: Day | None = None) -> str:
    """What stands behind `Clears when`, made from the tree. With a row, only the branches that hold there are named."""
    tree = None if row is None else outcome(rule.when, row, as_of, today_of(as_of) if today is None else today)
    return _undone(rule.when, tree)


def _undone(node: Node, tree: Outcome | None) -> str:
    parts = tree.parts if tree else ()
    match node:
        case All(nodes):
            movable = [(part, _sub(parts, i)) for i, part in enumerate(nodes) if not _fixed(part)] or [
                (nodes[0], _sub(parts, 0))
            ]
            return " or ".join(dict.fromkeys(_undone(part, sub) for part, sub in movable))
        case Any(nodes):
            held = [(part, _sub(parts, i)) for i, part in enumerate(nodes) if not tree or parts[i].truth is not False]
            each = [_scoped(part, _undone(part, sub), alone=len(held) == 1) for part, sub in held]
            return " and ".join(dict.fromkeys(each))
        case Named(part=part):
            return _undone(part, _sub(parts, 0))
        case Not(part=Leaf() as leaf):
            return done(leaf)
        case Not(part=Named(name)):
            return f"`{name}` holds"
        case Not(part=part):
            return " or ".join(dict.fromkeys(done(leaf) for leaf in leaves(part)))
        case Leaf():
            return undone(node)


def _sub(parts: tuple[Outcome, ...], index: int) -> Outcome | None:
    return parts[index] if parts else None


def _fixed(node: Node) -> bool:
    """What no action of ours changes: the segment, the kind of contract."""
    leaf = node.part if isinstance(node, Not) else node
    return isinstance(leaf, OneOf | Flag) and leaf.fact.name in _FIXED


def _scoped(node: Node, words: str, *, alone: bool) -> str:
    scopes = [part for part in node.parts if isinstance(part, OneOf) and _fixed(part)] if isinstance(node, All) else []
    if alone or not scopes:
        return words
    return f"{words} ({', '.join(str(value).replace('_', ' ') for value in scopes[0].values)})"


def undone(leaf: Leaf) -> str:
    """What makes a phrase that holds false."""
    fact, name = leaf.fact, leaf.fact.shown
    match leaf:
        case Silence() | Happened() | Booked():
            return _broken(leaf)
        case Known():
            return f"{name} is unknown"
        case Flag():
            return f"{name} is no longer set"
        case OneOf(values=values):
            return f"{name} is not {' or '.join(str(value).replace('_', ' ') for value in values)}"
        case DateIn():
            return f"{name} is no longer {_after_verb(leaf.text)}"
        case Against(op=op, other=other):
            opposite = {"<": "at least", "<=": "more than", ">": "at most", ">=": "less than", "=": "other than"}[op]
            share = f"{number(leaf.factor * 100)}% of " if leaf.factor != 1 else ""
            return f"{name} is {opposite} {share}{other.shown}"
        case Range():
            return f"{name} {_be(fact)} {_outside(leaf)}"
        case Moved(way=way):
            verb = {"fell": "fall", "rose": "rise", "changed": "change"}[way]
            return f"{name} did not {verb} {leaf.text.partition(way)[2].strip()}"
        case Ranked(cut=cut):
            return f"{name} is no longer {place_of(cut)}"
        case InSet():
            return _left(leaf)
    raise TypeError(f"no words for {type(leaf).__name__}")


def done(leaf: Leaf) -> str:
    """What makes a phrase that does not hold true."""
    fact, name = leaf.fact, leaf.fact.shown
    match leaf:
        case Booked():
            return f"{_a(fact.event)} is booked"
        case Flag():
            return _DONE.get(fact.name, f"{name} is set")
        case Known():
            return f"{name} is known"
        case Happened(window=None, narrow=narrow):
            return _comes(fact.event) + (f" with {narrow.shown}" if narrow else "")
        case Range() if leaf.low == leaf.high:
            return f"{name} {_be(fact)} {amount(fact, leaf.low)}"
        case Ranked(cut=cut):
            return f"{name} is {place_of(cut)}"
        case InSet():
            return _entered(leaf)
        case OneOf(values=values):
            return f"{name} is {' or '.join(str(value).replace('_', ' ') for value in values)}"
    return f"it holds that {leaf.text}"


def _broken(leaf: Silence | Happened | Booked) -> str:
    """What makes a phrase about what happens false."""
    fact = leaf.fact
    if isinstance(leaf, Booked):
        return f"no {fact.event} is booked"
    who = f" with {leaf.narrow.shown}" if leaf.narrow else ""
    if isinstance(leaf, Silence):
        booked = f" or a meeting{who or _with(fact)} is booked for the next 14 days" if fact.role else ""
        return f"{_comes(fact.event)}{who}{booked}"
    if leaf.window is None:
        return f"{fact.shown}{who} never happened"
    return f"there was no {fact.event}{who} in {span(leaf.window)}"


def _comes(event: str) -> str:
    """`there is an exec contact`; `a survey is answered`."""
    noun, _, verb = event.rpartition(" ")
    article = "" if noun == "feedback" else "a "
    return f"{article}{noun} is {verb}" if verb in ("answered", "asked") else f"there is {_a(event)}"


def _left(leaf: InSet) -> str:
    if leaf.fact is TAGS:
        return f'it is no longer tagged "{leaf.value}"'
    if leaf.fact is FEATURES:
        return f'feature "{leaf.value}" is no longer {said_of(leaf.states)}'
    return f"nobody of {leaf.value} is reached any more"


def _entered(leaf: InSet) -> str:
    if leaf.fact is TAGS:
        return f'it is tagged "{leaf.value}"'
    if leaf.fact is FEATURES:
        return f'feature "{leaf.value}" is {said_of(leaf.states)}'
    return f"somebody of {leaf.value} is reached"


def _outside(leaf: Range) -> str:
    words = []
    if not math.isinf(leaf.low):
        words.append(
            f"{amount(leaf.fact, leaf.low)} or less" if leaf.low_open else f"less than {amount(leaf.fact, leaf.low)}"
        )
    if not math.isinf(leaf.high):
        words.append(
            f"{amount(leaf.fact, leaf.high)} or more" if leaf.high_open else f"more than {amount(leaf.fact, leaf.high)}"
        )
    if leaf.fact.low == leaf.low == leaf.high:
        return f"more than {amount(leaf.fact, leaf.high)}"
    return " or ".join(words)


def _be(fact: Fact) -> str:
    return "are" if fact.kind is Kind.COUNT and fact.name.endswith("s") else "is"


def _after_verb(phrase: str) -> str:
    return re.split(r"\b(?:is|are)\b", phrase, maxsplit=1)[-1].strip()


def _a(event: str) -> str:
    return f"an {event}" if event.startswith("exec") else f"a {event}"


def _with(fact: Fact) -> str:
    return {"exec": " with an exec", "user": " with a user"}.get(fact.role, "")
