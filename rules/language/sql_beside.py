"""Movement, rank and membership as SQL: scalar subqueries on the primary keys of the tables beside the facts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any as Anything

from sqlalchemy import ColumnElement, Text, and_, case, exists, false, func, literal, null, or_, select, true

from rules.language.beside import NOT_RANKED, member_key, members_of, past_key
from rules.language.catalogue import Fact, coverage_column
from rules.language.decide_beside import PLAIN_KINDS
from rules.language.sets import HIDDEN_FUNCTION, REACHED
from rules.language.sql import Condition, Whens, Words, absent, double, more_of, plain, state_of, steps, text, value_of
from rules.language.tree import Cut, InSet, Moved, Ranked
from store.tables import fact_sets, facts, past_facts, portfolio_stats

Column = ColumnElement[Anything]


def beside(leaf: Moved | Ranked | InSet) -> Condition:
    """The truth of such a phrase; NULL = unknown."""
    match leaf:
        case Moved():
            return _moved(leaf)
        case Ranked():
            return _ranked(leaf)
        case InSet():
            return _in_set(leaf)


def why(leaf: Moved | Ranked | InSet) -> Words:
    """Why such a phrase is unknown."""
    match leaf:
        case Moved():
            return _why_not_moved(leaf)
        case Ranked():
            segment = [(_no_segment(), text("no segment"))] if leaf.cut.by_segment else []
            ranks = (_is_computed(leaf.cut), text("levels not known"))
            return case(*absent(leaf.fact), *segment, ranks, else_=text(NOT_RANKED.replace("_", " ")))
        case InSet():
            return _why_not_in_set(leaf)


def evidence(leaf: Moved | Ranked | InSet) -> Mapping[str, Column]:
    """What it reads beside the facts, by its key in the evidence."""
    match leaf:
        case Moved(fact=fact, days=days):
            names = (fact.column, f"{fact.column}_state", *([f"{fact.column}_u"] if fact.interval else []))
            return {past_key(name, days): _past(name, days) for name in names}
        case Ranked(cut=cut):
            segment = [(_no_segment(), text("no_segment"))] if cut.by_segment else []
            state = case(*segment, (_is_computed(cut), null()), else_=text(NOT_RANKED))
            return {cut.own: _cut(cut), f"{cut.own}_state": state}
        case InSet(fact=fact):
            return {member_key(fact, value): _member(fact, value) for value in members_of(leaf)}


# ---------------------------------------------------------------- movement


@dataclass(frozen=True, slots=True)
class _Ends:
    """The least and the most that a number may be."""

    least: Column
    most: Column


def _past(name: str, days: int) -> Column:
    key = past_facts.c
    mine = and_(key.account_id == facts.c.account_id, key.days == days)
    return select(key[name]).where(mine).correlate(facts).scalar_subquery()


def _moved(leaf: Moved) -> Condition:
    fact = leaf.fact
    then, then_state = _past(fact.column, leaf.days), _past(f"{fact.column}_state", leaf.days)
    there = and_(state_of(fact).is_(None), then_state.is_(None))
    if fact.kind in PLAIN_KINDS:
        return case((there, value_of(fact) != then), else_=null())
    ends = _now(fact), _then(fact, leaf.days)
    both = and_(there, value_of(fact).is_not(None), then.is_not(None))
    return case((both, _changed(*ends) if leaf.way == "changed" else _far_apart(leaf, *ends)), else_=null())


def _now(fact: Fact) -> _Ends:
    number = double(value_of(fact))
    return _Ends(number, number + double(more_of(fact)) if fact.interval else number)


def _then(fact: Fact, days: int) -> _Ends:
    number = double(_past(fact.column, days))
    more = func.coalesce(_past(f"{fact.column}_u", days), 0) if fact.interval else None
    return _Ends(number, number if more is None else number + double(more))


def _changed(now: _Ends, then: _Ends) -> Condition:
    apart = or_(steps(now.least) > steps(then.most), steps(now.most) < steps(then.least))
    same = and_(
        steps(now.least) == steps(now.most),
        steps(now.most) == steps(then.least),
        steps(then.least) == steps(then.most),
    )
    return case((apart, true()), (same, false()), else_=null())


def _far_apart(leaf: Moved, now: _Ends, then: _Ends) -> Condition:
    far: Callable[[Column, Column], Condition] = _share(leaf) if leaf.share is not None else _amount(leaf)
    if leaf.way == "fell":
        surely, perhaps = far(then.least, now.most), far(then.most, now.least)
    else:
        surely, perhaps = far(then.most, now.least), far(then.least, now.most)
    from_nothing = [(then.least == 0, null())] if leaf.share is not None else []
    return case(*from_nothing, (surely, true()), (perhaps, null()), else_=false())


def _amount(leaf: Moved) -> Callable[[Column, Column], Condition]:
    def far(then: Column, now: Column) -> Condition:
        return steps(then - now if leaf.way == "fell" else now - then) >= steps(literal(leaf.by))

    return far


def _share(leaf: Moved) -> Callable[[Column, Column], Condition]:
    assert leaf.share is not None
    of, per = leaf.share.numerator, leaf.share.denominator

    def far(then: Column, now: Column) -> Condition:
        if leaf.way == "fell":
            return double(then, per - of) >= double(now, per)
        return double(now, per) >= double(then, per + of)

    return far


def _why_not_moved(leaf: Moved) -> Words:
    fact = leaf.fact
    then, then_state = _past(fact.column, leaf.days), _past(f"{fact.column}_state", leaf.days)
    ago = text(f" {leaf.days} days ago")
    whys: Whens = [
        *absent(fact),
        (then_state.is_not(None), plain(then_state) + ago),
        (then.is_(None), text(f"not on file {leaf.days} days ago")),
    ]
    if leaf.share is not None:
        whys.append((then == 0, text(f"0 {leaf.days} days ago")))
    return case(*whys, else_=text("levels not known"))


# ---------------------------------------------------------------- rank


def _cut_name(cut: Cut) -> Column:
    return (
        literal(cut.key("").removesuffix("*"), Text).op("||")(facts.c.segment)
        if cut.by_segment
        else text(cut.key(None))
    )


def _cut(cut: Cut) -> Column:
    named = portfolio_stats.c.name == _cut_name(cut)
    known = and_(named, facts.c.segment_state.is_(None)) if cut.by_segment else named
    return select(portfolio_stats.c.value).where(known).correlate(facts).scalar_subquery()


def _is_computed(cut: Cut) -> Condition:
    named = portfolio_stats.c.name == _cut_name(cut)
    return exists(select(portfolio_stats.c.name).where(named).correlate(facts))


def _no_segment() -> Condition:
    return or_(facts.c.segment_state.is_not(None), facts.c.segment.is_(None))


def _ranked(leaf: Ranked) -> Condition:
    fact, cut = leaf.fact, leaf.cut
    low, border = value_of(fact), _cut(cut)
    high = low + more_of(fact) if fact.interval else low
    inside, outside = (low >= border, high < border) if cut.side == "top" else (high <= border, low > border)
    unknown: Whens = [(or_(state_of(fact).is_not(None), low.is_(None)), null())]
    if cut.by_segment:
        unknown.append((_no_segment(), null()))
    nobody = (and_(border.is_(None), _is_computed(cut)), false())
    return case(*unknown, (inside, true()), (outside, false()), nobody, else_=null())


# ---------------------------------------------------------------- sets


def _member(fact: Fact, value: str) -> Column:
    """The state of a value in a set, `yes` where it has none; NULL = it is not in there."""
    key = fact_sets.c
    mine = and_(key.account_id == facts.c.account_id, key.fact == fact.column, key.value == value)
    return select(func.coalesce(key.state, "yes")).where(mine).correlate(facts).scalar_subquery()


def _in_set(leaf: InSet) -> Condition:
    fact, state = leaf.fact, _member(leaf.fact, leaf.value)
    if leaf.states:
        return case((or_(state.is_(None), state == "unknown"), null()), else_=state.in_(leaf.states))
    whens: Whens = [(state.is_not(None), true()), (_member(fact, "").is_not(None), null())]
    whens += [(when, null()) for when, _ in _hidden()] if fact is REACHED else []
    return case(*whens, else_=false())


def _hidden() -> Whens:
    """Why it cannot be told that a function was not reached."""
    return [
        (facts.c.activity_stale == 1, text("stale")),
        (facts.c[coverage_column("any")].is_not(None), text("not captured")),
        (_member(REACHED, HIDDEN_FUNCTION).is_not(None), text("functions not known")),
    ]


def _why_not_in_set(leaf: InSet) -> Words:
    state, whole = _member(leaf.fact, leaf.value), _member(leaf.fact, "")
    whens: Whens = [(and_(state.is_(None), whole.is_not(None)), plain(whole))]
    if leaf.states:
        whens += [(state.is_(None), text(f"{leaf.value} not on file"))]
        return case(*whens, else_=text(f"{leaf.value} not known"))
    whens += _hidden() if leaf.fact is REACHED else []
    return case(*whens, else_=null())
