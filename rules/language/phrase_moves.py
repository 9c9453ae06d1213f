"""Phrases that look beyond one value: how a fact has moved since some days ago, and where it ranks among the customers."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from rules.language import values
from rules.language.asking import Asking, words_of, wrong
from rules.language.catalogue import Fact, Kind, described, example
from rules.language.grammar import Piece
from rules.language.ranks import PARTS
from rules.language.tree import Cut, Leaf, Moved, Ranked
from store.tables import past_facts

_STILL = (Kind.EVENT, Kind.BOOKING)
_AMOUNTS = {
    Kind.RATIO: "10 points",
    Kind.POINTS: "10 points",
    Kind.MONEY: "20%",
    Kind.SCORE: "15",
    Kind.HOURS: "8 hours",
}


def moved(asking: Asking) -> Leaf:
    """`health fell by 15 in 30 days`, `tier changed in the last 14 days`."""
    phrase = asking.phrase
    fact = asking.fact(phrase.subject)
    days = asking.days(phrase.operands[-1])
    if fact.column not in past_facts.c:
        message = f"`{fact.name}` is not kept for the past"
        raise wrong("E-TYPE", phrase.subject, message, f"try `{example(fact)}`")
    if phrase.form == "changed":
        if fact.kind in _STILL:
            asking.unsuitable(fact, phrase.subject)
        return Moved(text=asking.text, fact=fact, way="changed", days=days, place=asking.place)
    if not fact.is_number:
        fix = f"try `{example(fact)}`"
        if fact.kind not in _STILL:
            fix = f"try `{fact.name} changed in the last {days} days`"
        raise wrong("E-TYPE", phrase.subject, f"`{fact.name}` is {described(fact)}, it does not rise or fall", fix)
    if len(phrase.operands) < 2:
        fix = f"write `{fact.name} {phrase.form} by {_AMOUNTS.get(fact.kind, '2')} in {days} days`"
        raise wrong("E-UNIT", asking.whole, "the phrase does not say by how much", fix)
    piece = phrase.operands[0]
    by, share = _amount(asking, fact, piece)
    if by <= 0 and (share is None or share <= 0):
        opposite = {"fell": "rose", "rose": "fell"}[phrase.form]
        raise wrong("E-RANGE", piece, "a movement is by more than 0", f"write a number above 0, or `{opposite}`")
    leaf = Moved(text=asking.text, fact=fact, way=phrase.form, days=days, by=by, share=share, place=asking.place)
    _possible(leaf, piece)
    return leaf


def _amount(asking: Asking, fact: Fact, piece: Piece) -> tuple[float, Fraction | None]:
    """By how much in the fact's own unit; or by which share of the earlier value, for money and counts."""
    found = values.quantity(piece.text) if piece.kind == "quantity" else None
    if found and found.unit == "%":
        if fact.kind in (Kind.MONEY, Kind.COUNT) and fact.name != "tier":
            return 0.0, Fraction(found.number) / 100
        if fact.kind in (Kind.RATIO, Kind.POINTS):
            message = f"`{fact.name}` moves in percentage points"
            raise wrong("E-UNIT", piece, message, f"did you mean `{found.number} points`?")
    # A ratio that moves from 50 % to 60 % moves by 10 points, not by 20 %.
    unit = replace(fact, kind=Kind.POINTS) if fact.kind is Kind.RATIO else fact
    return asking.value(unit, piece), None


def _possible(leaf: Moved, piece: Piece) -> None:
    fact = leaf.fact
    if leaf.way == "fell" and leaf.share is not None and leaf.share > 1:
        raise wrong("E-RANGE", piece, f"`{fact.name}` cannot fall by more than 100%", "write 100% or less")
    if leaf.by > fact.high - fact.low:
        message = f"`{fact.name}` has values of {fact.low:g} to {fact.high:g}: it cannot move so far"
        raise wrong("E-RANGE", piece, message, "write a smaller number")


def ranked(asking: Asking) -> Leaf:
    """`arr is in the top 20%`, `ltv is in the bottom third of its segment`."""
    phrase = asking.phrase
    fact = asking.fact(phrase.subject)
    if not fact.is_number:
        asking.unsuitable(fact, phrase.subject)
    group = phrase.group
    if group is not None and words_of(group.text) != "segment":
        message = "a rank is among all customers or those of the same segment"
        raise wrong("E-VALUE", group, message, "write `of its segment`, or leave it out")
    cut = Cut(fact.column, phrase.side, _part(phrase.operands[0], fact, phrase.side), group is not None)
    return Ranked(text=asking.text, fact=fact, cut=cut, place=asking.place)


def _part(piece: Piece, fact: Fact, side: str) -> Fraction:
    if piece.kind in PARTS:
        return PARTS[piece.kind]
    found = values.quantity(piece.text)
    if found is None or found.unit != "%":
        number = 20 if found is None else abs(found.number)
        message = "a rank is a share of the customers, in percent or as a half, third, quarter, fifth, tenth"
        raise wrong("E-UNIT", piece, message, f"did you mean `{fact.name} is in the {side} {number}%`?")
    if not 0 < found.number < 100:
        raise wrong("E-RANGE", piece, "a share of the customers is between 0% and 100%", f"write `{side} 20%`")
    return Fraction(found.number) / 100
