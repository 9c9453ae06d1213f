"""Plain words for people: a fact's value, a rule's sentence, its evidence, and what would clear it."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterable

from rules.language.catalogue import BY_NAME, Fact, Kind
from rules.language.evaluate import Outcome, Row, outcome
from rules.language.model import Rule
from rules.language.tree import (
    Against,
    All,
    Any,
    Booked,
    DateIn,
    Flag,
    Happened,
    Known,
    Leaf,
    Named,
    Node,
    Not,
    OneOf,
    Range,
    Silence,
    facts_of,
    leaves,
)
from rules.language.values import today_of
from store.records import DAY, HOUR, Day, Instant

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_FIXED = ("segment", "lifecycle", "rolling", "auto renews", "strategic")
_DONE = {"renewed": "it is renewed", "rolling": "it is a rolling contract"}
_SIGN = {"USD": "$", "EUR": "€", "GBP": "£"}


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
    found = dict.fromkeys(fact for leaf in deciding(tree) for fact in facts_of(leaf))
    return tuple(f"{fact.shown}: {show(fact, row, as_of, day, currency, lasting=lasting)}" for fact in found)


def deciding(tree: Outcome) -> Iterable[Leaf]:
    """The phrases that make the condition what it is: false branches of a true `any` say nothing."""
    if isinstance(tree.node, Leaf):
        yield tree.node
        return
    for part in tree.parts:
        if isinstance(tree.node, Any) and tree.truth and not part.truth:
            continue
        yield from deciding(part)


def show(fact: Fact, row: Row, as_of: Instant, today: Day, currency: str = "USD", *, lasting: bool = False) -> str:
    """A fact's value in plain words: `in 40 days (2026-04-11)`, `never`, `unknown: levels not known`.

    `lasting`: by date alone (`2026-04-11`), because what is read days later must not count days.
    """
    value, state = row.get(fact.column), row.get(f"{fact.column}_state")
    if state == "never":
        return "none" if fact.kind is Kind.BOOKING else "never"
    shown = None
    if value is not None:
        shown = _lasting(fact, value, row, today) if lasting else None
        shown = shown or _shown(fact, value, as_of, today, currency)
    more = row.get(f"{fact.column}_u") if fact.interval else None
    if shown and isinstance(more, int) and more > 0 and isinstance(value, int):
        shown = f"{value} to {value + more} (levels of {more} not known)"
    if state is None:
        return shown or "unknown: not on file"
    reason = str(state).replace("_", " ")
    return f"unknown: {reason} (last known: {shown})" if shown else f"unknown: {reason}"


def _lasting(fact: Fact, value: object, row: Row, today: Day) -> str | None:
    """The value where it is a moment or moves a little every day; None = it reads the same on any day."""
    if not isinstance(value, int | float):
        return None
    match fact.kind:
        case Kind.EVENT | Kind.BOOKING:
            return date(today_of(int(value)))
        case Kind.DATE:
            return date(int(value))
        case Kind.RATIO | Kind.POINTS | Kind.SCORE:
            share = fact.kind is not Kind.SCORE
            number = f"{round(value * 100 if share else value, 1):,.1f}".removesuffix(".0")
            unit = {Kind.RATIO: "%", Kind.POINTS: " points"}.get(fact.kind, "")
            return f"{number}{unit} as of {date(today)}"
        case Kind.DAYS if fact.name == "touch due in":
            return f"due {date(_due(int(value), row, today))}"
    return None


def _due(due_in: int, row: Row, today: Day) -> Day:
    """The day the next touch is due: counted from the last one where it is known, so that no hour of day moves it."""
    last, cadence = row.get("last_contact"), row.get("cadence")
    if isinstance(last, int | float) and isinstance(cadence, int | float):
        return today_of(int(last)) + int(cadence)
    return today + due_in


def _shown(fact: Fact, value: object, as_of: Instant, today: Day, currency: str) -> str:
    if not isinstance(value, int | float):
        return str(value).replace("_", " ") if fact.kind is Kind.CHOICE else str(value)
    match fact.kind:
        case Kind.EVENT | Kind.BOOKING:
            return f"{_distance(int(value) - as_of)} ({date(today_of(int(value)))})"
        case Kind.DATE:
            return f"{_days_away(int(value) - today)} ({date(int(value))})"
        case Kind.FLAG:
            return "yes" if value else "no"
        case Kind.MONEY:
            return money(int(value), currency)
        case Kind.RATIO:
            return f"{_number(value * 100)}%"
        case Kind.POINTS:
            return f"{_number(value * 100)} points"
        case Kind.DAYS if fact.name == "touch due in":
            return f"{_plural(-value, 'day')} overdue" if value < 0 else _days_away(int(value))
        case Kind.DAYS:
            return _plural(value, "day")
        case Kind.HOURS:
            return _plural(value, "hour")
    return _number(value)


def money(minor: int, currency: str = "USD") -> str:
    """`$50,000` of minor units."""
    sign = _SIGN.get(currency, f"{currency} ")
    whole, cents = divmod(abs(minor), 100)
    return f"{'-' if minor < 0 else ''}{sign}{whole:,}{f'.{cents:02}' if cents else ''}"


def span(microseconds: int) -> str:
    """A duration in its largest whole unit: `15 days`, `36 hours`."""
    if microseconds % DAY == 0:
        return _plural(microseconds // DAY, "day")
    return _plural(microseconds / HOUR, "hour")


def _number(value: float) -> str:
    return f"{value:,.2f}".rstrip("0").rstrip(".") if value != int(value) else f"{int(value):,}"


def _plural(value: float, unit: str) -> str:
    return f"{_number(value)} {unit}{'' if abs(value) == 1 else 's'}"


def date(day: Day) -> str:
    """`2026-04-11`."""
    return (dt.date(1970, 1, 1) + dt.timedelta(days=day)).isoformat()


def _days_away(days: int) -> str:
    if days == 0:
        return "today"
    return f"in {_plural(days, 'day')}" if days > 0 else f"{_plural(-days, 'day')} ago"


def _distance(microseconds: int) -> str:
    ahead = abs(microseconds)
    words = _plural(ahead // DAY, "day") if ahead >= DAY else _plural(ahead // HOUR, "hour")
    return f"in {words}" if microseconds > 0 else f"{words} ago"


# ---------------------------------------------------------------- what would clear it


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
        case Silence():
            return f"there is {_a(fact.event)} or a meeting{_with(fact)} is booked for the next 14 days"
        case Happened(window=window):
            return f"{name} never happened" if window is None else f"there was no {fact.event} in {span(window)}"
        case Booked():
            return f"no {fact.event} is booked"
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
            share = f"{_number(leaf.factor * 100)}% of " if leaf.factor != 1 else ""
            return f"{name} is {opposite} {share}{other.shown}"
        case Range():
            return f"{name} {_be(fact)} {_outside(leaf)}"
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
        case Happened(window=None):
            return f"there is {_a(fact.event)}"
        case OneOf(values=values):
            return f"{name} is {' or '.join(str(value).replace('_', ' ') for value in values)}"
    return f"it holds that {leaf.text}"


def _outside(leaf: Range) -> str:
    words = []
    if not math.isinf(leaf.low):
        words.append(
            f"{_amount(leaf.fact, leaf.low)} or less" if leaf.low_open else f"less than {_amount(leaf.fact, leaf.low)}"
        )
    if not math.isinf(leaf.high):
        words.append(
            f"{_amount(leaf.fact, leaf.high)} or more"
            if leaf.high_open
            else f"more than {_amount(leaf.fact, leaf.high)}"
        )
    if leaf.fact.low == leaf.low == leaf.high:
        return f"more than {_amount(leaf.fact, leaf.high)}"
    return " or ".join(words)


def _amount(fact: Fact, value: float) -> str:
    if fact.kind in (Kind.DAYS, Kind.HOURS):
        return _plural(value, "day" if fact.kind is Kind.DAYS else "hour")
    return _shown(fact, int(value) if fact.kind is Kind.MONEY else value, 0, 0, "USD")


def _be(fact: Fact) -> str:
    return "are" if fact.kind is Kind.COUNT and fact.name.endswith("s") else "is"


def _after_verb(phrase: str) -> str:
    return re.split(r"\b(?:is|are)\b", phrase, maxsplit=1)[-1].strip()


def _a(event: str) -> str:
    return f"an {event}" if event.startswith("exec") else f"a {event}"


def _with(fact: Fact) -> str:
    return {"exec": " with an exec", "user": " with a user"}.get(fact.role, "")
