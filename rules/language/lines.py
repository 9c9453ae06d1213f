"""One line of evidence for what reads beside the facts: a movement, a rank, a set, an event with one level or function."""

from __future__ import annotations

from rules.language.amounts import amount, show
from rules.language.beside import Row, cut_of, member_of, narrowed_of, past_key
from rules.language.catalogue import BY_COLUMN, Fact
from rules.language.evaluate import outcome
from rules.language.ranks import share_of
from rules.language.sets import FEATURES, TAGS
from rules.language.tree import Happened, InSet, Leaf, Moved, Narrow, Ranked, Silence
from store.records import DAY, Day, Instant


def line_of(
    leaf: Leaf, row: Row, as_of: Instant, today: Day, currency: str = "USD", *, lasting: bool = False
) -> str | None:
    """`health: 55; 30 days before: 70`; None for a phrase whose facts alone say everything."""
    match leaf:
        case Moved(fact=fact, days=days):
            now = show(fact, row, as_of, today, currency, lasting=lasting)
            then = show(fact, _past(fact, row, days), as_of - days * DAY, today - days, currency, lasting=lasting)
            return f"{fact.shown}: {now}; {days} days before: {then}"
        case Ranked(fact=fact):
            return f"{fact.shown}: {show(fact, row, as_of, today, currency, lasting=lasting)}; {_border(leaf, row)}"
        case InSet():
            return _member(leaf, row)
        case Silence(narrow=Narrow() as narrow) | Happened(narrow=Narrow() as narrow):
            why = outcome(leaf, row, as_of, today).reason
            last = _narrowed(leaf.fact, narrow, row)
            known = show(leaf.fact, last, as_of, today, currency, lasting=lasting)
            words = f"unknown: {why.partition(': ')[2]}" if why else known
            return f"{leaf.fact.shown} with {narrow.shown}: {words}"
    return None


def _past(fact: Fact, row: Row, days: int) -> Row:
    names = (fact.column, f"{fact.column}_state", f"{fact.column}_u", "last_contact", "cadence")
    return {name: row.get(past_key(name, days)) for name in names}


def _narrowed(fact: Fact, narrow: Narrow, row: Row) -> Row:
    last = narrowed_of(row, narrow.by, narrow.value, fact.column)
    return {fact.column: last, f"{fact.column}_state": "never" if last is None else None}


def _border(leaf: Ranked, row: Row) -> str:
    value, state = cut_of(row, leaf.cut)
    share = share_of(leaf.cut)
    if state is not None:
        return f"the {share} is unknown: {state.replace('_', ' ')}"
    if not isinstance(value, int | float):
        return f"nobody is in the {share}"
    border = amount(BY_COLUMN[leaf.cut.column], value)
    return f"the {share} {'begins' if leaf.cut.side == 'top' else 'ends'} at {border}"


def _member(leaf: InSet, row: Row) -> str:
    state, whole = member_of(row, leaf.fact, leaf.value), member_of(row, leaf.fact, "")
    if leaf.fact is FEATURES:
        words = "unknown: not on file" if state is None else str(state).replace("_", " ")
        return f"feature {leaf.value}: {words}"
    words = "yes" if state is not None else "no" if whole is None else f"unknown: {str(whole).replace('_', ' ')}"
    return f"tag {leaf.value}: {words}" if leaf.fact is TAGS else f"{leaf.value} reached: {words}"
