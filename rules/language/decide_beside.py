"""Movement, rank and membership: phrases that read more than the current facts."""

from __future__ import annotations

from rules.language.beside import Row, cut_of, member_of
from rules.language.catalogue import Kind, coverage_column
from rules.language.decide import Decided, integer, missing, num, plain, steps
from rules.language.sets import HIDDEN_FUNCTION, REACHED
from rules.language.tree import InSet, Moved, Ranked

PLAIN_KINDS = (Kind.CHOICE, Kind.TEXT, Kind.FLAG, Kind.DATE)
"""Kinds that change as a whole, and do not move by so much."""


def beside(leaf: Moved | Ranked | InSet, row: Row) -> Decided:
    """Decide a phrase that reads beside the facts."""
    match leaf:
        case Moved():
            return _moved(leaf, row)
        case Ranked():
            return _ranked(leaf, row)
        case InSet():
            return _in_set(leaf, row)


# ---------------------------------------------------------------- movement


def _moved(leaf: Moved, row: Row) -> Decided:
    """Now against then; both are needed. Of counts by level each is an interval, and all of both must agree."""
    fact, suffix = leaf.fact, f"@{leaf.days}"
    why = missing(fact, row)
    if why:
        return None, why
    why = missing(fact, row, suffix)
    if why:
        return None, f"{why} {leaf.days} days ago"
    if fact.kind in PLAIN_KINDS:
        return row[fact.column] != row[fact.column + suffix], None
    now, then = num(row, fact.column), num(row, fact.column + suffix)
    if leaf.share is not None and then == 0:
        return None, f"0 {leaf.days} days ago"
    now_most = now + _more(leaf, row, "")
    then_most = then + _more(leaf, row, suffix)
    if leaf.way == "changed":
        apart = steps(now) > steps(then_most) or steps(now_most) < steps(then)
        same = steps(now) == steps(now_most) == steps(then) == steps(then_most)
        return (True, None) if apart else (False, None) if same else (None, "levels not known")
    # Surely, when even the ends that are nearest to each other lie far enough apart.
    if leaf.way == "fell":
        surely, perhaps = _far(leaf, then, now_most), _far(leaf, then_most, now)
    else:
        surely, perhaps = _far(leaf, then_most, now), _far(leaf, then, now_most)
    return (True, None) if surely else (None, "levels not known") if perhaps else (False, None)


def _more(leaf: Moved, row: Row, suffix: str) -> int:
    return integer(row, f"{leaf.fact.column}_u{suffix}") or 0 if leaf.fact.interval else 0


def _far(leaf: Moved, then: float, now: float) -> bool:
    """It moved by at least so much. With a share all of it is multiplied out, which is exact for money and counts."""
    if leaf.share is None:
        return steps(then - now if leaf.way == "fell" else now - then) >= steps(leaf.by)
    of, per = leaf.share.numerator, leaf.share.denominator
    if leaf.way == "fell":
        return then * float(per - of) >= now * float(per)
    return now * float(per) >= then * float(per + of)


# ---------------------------------------------------------------- rank


def _ranked(leaf: Ranked, row: Row) -> Decided:
    fact, top = leaf.fact, leaf.cut.side == "top"
    why = missing(fact, row)
    if why:
        return None, why
    cut, state = cut_of(row, leaf.cut)
    if state:
        return None, plain(state)
    if cut is None:
        return False, None
    assert isinstance(cut, int | float), leaf.cut
    low = num(row, fact.column)
    high = low + (integer(row, f"{fact.column}_u") or 0 if fact.interval else 0)
    if low >= cut if top else high <= cut:
        return True, None
    return (False, None) if (high < cut if top else low > cut) else (None, "levels not known")


# ---------------------------------------------------------------- sets


def _in_set(leaf: InSet, row: Row) -> Decided:
    fact = leaf.fact
    state, whole = member_of(row, fact, leaf.value), member_of(row, fact, "")
    if state is None and whole is not None:
        return None, plain(whole)
    if leaf.states:
        if state is None or state == "unknown":
            return None, f"{leaf.value} not {'known' if state else 'on file'}"
        return state in leaf.states, None
    if state is not None:
        return True, None
    return _not_reached(row) if fact is REACHED else (False, None)


def _not_reached(row: Row) -> Decided:
    """That a function was not reached stands on all touches, and on everybody's function."""
    if row.get("activity_stale") == 1:
        return None, "stale"
    if row.get(coverage_column("any")) is not None:
        return None, "not captured"
    if member_of(row, REACHED, HIDDEN_FUNCTION) is not None:
        return None, "functions not known"
    return False, None
