"""Phrases about numbers: compared with a number or with another fact, between two, one of some, none."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from rules.language import values
from rules.language.asking import Asking, words_of, wrong
from rules.language.catalogue import BY_EVENT, BY_NAME, Fact, Kind, described
from rules.language.errors import Problem
from rules.language.grammar import Piece
from rules.language.tree import Against, Leaf, OneOf, Range

_OPS: Mapping[str, str] = {"ge": ">=", "le": "<=", "gt": ">", "lt": "<"}


def names_number(piece: Piece) -> bool:
    """True when an operand is another fact that is a number."""
    other = BY_NAME.get(words_of(piece.text)) if piece.kind == "words" else None
    return other is not None and other.is_number


def none(asking: Asking) -> Leaf:
    """`no open tickets`: the count is 0."""
    subject = asking.phrase.subject
    name = words_of(subject.text)
    if name in BY_EVENT and name not in BY_NAME:
        message = f"`no {name}` needs a window"
        raise wrong("E-UNIT", asking.whole, message, f"write `no {name} in 15 days`")
    fact = asking.fact(subject)
    if fact.kind is not Kind.COUNT or fact.name == "tier":
        asking.unsuitable(fact, subject)
    return Range(text=asking.text, fact=fact, low=0.0, high=0.0, place=asking.place)


def against(asking: Asking, fact: Fact) -> Leaf:
    """The number against another fact, or a share of it."""
    phrase = asking.phrase
    operand = phrase.operands[0]
    piece = operand.of or operand
    other = asking.fact(piece)
    plain = fact.is_number and other.is_number and not fact.interval and not other.interval
    if phrase.form in ("between", "is_not") or not plain:
        message = f"`{fact.name}` and `{other.name}` cannot be compared like this"
        fix = "compare two plain numbers with at least, at most, more than or less than"
        raise wrong("E-TYPE", asking.whole, message, fix)
    if fact.kind is not other.kind:
        message = f"`{fact.name}` is {described(fact)}, `{other.name}` {described(other)}"
        raise wrong("E-TYPE", piece, message, f"compare `{fact.name}` with another {fact.kind}")
    part = _share(operand, other) if operand.of else Fraction(1)
    op = _OPS.get(phrase.op, "=")
    return Against(text=asking.text, fact=fact, op=op, share=part, other=other, place=asking.place)


def _share(operand: Piece, other: Fact) -> Fraction:
    share = values.quantity(operand.text)
    if share is None or share.unit != "%":
        message = f"a share of `{other.name}` is written in percent"
        raise wrong("E-UNIT", operand, message, f"write `80% of {other.name}`")
    return Fraction(share.number) / 100


def number(asking: Asking, fact: Fact) -> Leaf:
    """The number against numbers."""
    phrase = asking.phrase
    numbers = [asking.value(fact, piece) for piece in phrase.operands]
    if phrase.form in ("one_of", "not_one_of"):
        return _whole(asking, fact, numbers)
    first = numbers[0]
    low, high = first, first
    if phrase.form == "between":
        low, high = numbers
        if low > high:
            raise wrong(
                "E-RANGE", phrase.operands[0], "the lower bound is above the upper one", "write the smaller one first"
            )
    elif phrase.form == "compare":
        low, high = (first, float("inf")) if phrase.op in ("ge", "gt") else (-float("inf"), first)
    leaf = Range(
        text=asking.text,
        fact=fact,
        low=low,
        high=high,
        low_open=phrase.op == "gt",
        high_open=phrase.op == "lt",
        place=asking.place,
    )
    _reachable(leaf, phrase.operands[0])
    return leaf


def _whole(asking: Asking, fact: Fact, numbers: list[float]) -> Leaf:
    if fact.interval or fact.partial or any(number != int(number) for number in numbers):
        asking.unsuitable(fact)
    found: list[int] = []
    for value, piece in zip(numbers, asking.phrase.operands, strict=True):
        if not fact.low <= value <= fact.high:
            raise wrong("E-RANGE", piece, f"`{fact.name}` is never {value:g}", "leave it out")
        if int(value) in found:
            raise wrong("E-DUPLICATE", piece, f"`{piece.text}` stands there twice", "leave one of them out")
        found.append(int(value))
    return OneOf(text=asking.text, fact=fact, values=tuple(found), place=asking.place)


def _reachable(leaf: Range, piece: Piece) -> None:
    """Refuse a comparison that the fact's own bounds decide."""
    fact = leaf.fact
    if not leaf.below(fact.low) or not leaf.above(fact.high):
        cause = "can never hold"
    elif leaf.above(fact.low) and leaf.below(fact.high):
        cause = "always holds"
    else:
        return
    message = f"`{fact.name}` has values of {_bounds(fact)}: this {cause}"
    raise Problem("E-RANGE", piece.start, len(piece.text), message, "choose a value inside that range")


def _bounds(fact: Fact) -> str:
    def shown(value: float) -> str:
        return f"{value * 100:g}%" if fact.kind is Kind.RATIO else f"{value:g}"

    if fact.high == float("inf"):
        return f"{shown(fact.low)} and more"
    return f"{shown(fact.low)} to {shown(fact.high)}"
