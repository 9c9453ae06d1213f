"""The seven steps of silence, that something happened, and what is booked, as SQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any as Anything

from sqlalchemy import ColumnElement, and_, case, false, func, not_, null, or_, select, true

from rules.language.beside import narrowed_columns, narrowed_key
from rules.language.calendar import Span, start_of
from rules.language.catalogue import Fact, coverage_column, role_columns
from rules.language.decide_events import BOOKED_AHEAD, booking_for
from rules.language.sql import Condition, Whens, Words, absent, plain, state_of, text, value_of
from rules.language.tree import Booked, Happened, Narrow, Silence
from store.records import Instant
from store.tables import facts, narrowed_facts

Column = ColumnElement[Anything]
_OF_SOME = ("contacts", "since", "not_covered")


@dataclass(frozen=True, slots=True)
class _Parties:
    """Whom an event is with: the columns of `decide_events._Parties`."""

    last: Column
    nobody: Condition
    nobody_words: str
    hidden: Column | None
    hides: str
    since: tuple[Column, ...]
    uncovered: Column


def event(leaf: Silence | Happened | Booked, as_of: Instant) -> Condition:
    """The truth of a phrase about what happens; NULL = unknown."""
    state, at = state_of(leaf.fact), value_of(leaf.fact)
    match leaf:
        case Booked():
            on_record = or_(state.is_(None), state == "not_captured")
            return case((state == "never", false()), (on_record, at > as_of), else_=null())
        case Happened(window=window):
            seen = _seen(leaf, window, as_of)
            return case((seen, true()), (_gap(leaf, as_of).is_not(None), null()), else_=false())
        case Silence(window=window):
            return case(
                (_seen(leaf, window, as_of), false()),
                (_booked_ahead(leaf, as_of), false()),
                (_gap(leaf, as_of).is_not(None), null()),
                else_=true(),
            )


def why(leaf: Silence | Happened | Booked, as_of: Instant) -> Words:
    """Why such a phrase is unknown."""
    if isinstance(leaf, Booked):
        return case(*absent(leaf.fact), else_=null())
    return _gap(leaf, as_of)


def narrowed(leaf: Silence | Happened, narrow: Narrow) -> dict[str, Column]:
    """What it reads of narrowed events, by its key in the evidence."""
    found = narrowed_columns(leaf.fact, narrow)
    return {narrowed_key(narrow.by, value, name): _column(narrow.by, value, name) for value, name in found}


def _column(by: str, value: str, name: str) -> Column:
    key = narrowed_facts.c
    mine = and_(key.account_id == facts.c.account_id, key.by == by, key.value == value)
    return select(key[name]).where(mine).correlate(facts).scalar_subquery()


def _seen(leaf: Silence | Happened, window: Span | None, as_of: Instant) -> Condition:
    last = _parties(leaf).last
    return last.is_not(None) if window is None else last > start_of(window, as_of)


def _booked_ahead(leaf: Silence, as_of: Instant) -> Condition:
    booking = booking_for(leaf)
    if leaf.narrow is not None:
        ahead = _column(leaf.narrow.by, leaf.narrow.value, "next_meeting")
    elif booking is not None:
        ahead = value_of(booking)
    else:
        return false()
    return and_(ahead > as_of, ahead <= as_of + BOOKED_AHEAD)


def _parties(leaf: Silence | Happened) -> _Parties:
    fact, column = leaf.fact, facts.c
    if leaf.narrow is not None:
        return _narrowed(fact, leaf.narrow)
    if not fact.role:
        return _Parties(value_of(fact), false(), "", None, "", (), null())
    count, since = role_columns(fact.role)
    uncovered = column[coverage_column(fact.role)]
    if count is None:
        return _Parties(
            value_of(fact), column[since].is_(None), "nobody on file", None, "", (column[since],), uncovered
        )
    nobody = and_(func.coalesce(column[count], 0) == 0, func.coalesce(column.unclassified_contacts, 0) == 0)
    hidden = column[fact.unclassified] if fact.unclassified else None
    stamps = (column[since], column.unclassified_since)
    words = f"no {fact.role} on file"
    return _Parties(value_of(fact), nobody, words, hidden, "levels not known", stamps, uncovered)


def _narrowed(fact: Fact, narrow: Narrow) -> _Parties:
    mine = {name: _column(narrow.by, narrow.value, name) for name in (*_OF_SOME, fact.column)}
    unclear = {name: _column(narrow.by, "", name) for name in (*_OF_SOME, fact.column)}
    uncovered = case((mine["contacts"].is_not(None), mine["not_covered"]), else_=unclear["not_covered"])
    return _Parties(
        mine[fact.column],
        and_(func.coalesce(mine["contacts"], 0) == 0, func.coalesce(unclear["contacts"], 0) == 0),
        f"no {narrow.shown} on file",
        unclear[fact.column],
        f"{narrow.by}s not known",
        (mine["since"], unclear["since"]),
        uncovered,
    )


def _gap(leaf: Silence | Happened, as_of: Instant) -> Words:
    """Steps 3 to 6 of silence as a text, NULL = the absence can be told."""
    fact, state, parties = leaf.fact, state_of(leaf.fact), _parties(leaf)
    if not fact.role:
        return case((state == "never", null()), *absent(fact), else_=null())
    cutoff = None if leaf.window is None else start_of(leaf.window, as_of)
    whys: Whens = [(parties.nobody, text(parties.nobody_words))]
    if parties.hidden is not None:
        hides = parties.hidden.is_not(None) if cutoff is None else parties.hidden > cutoff
        whys.append((hides, text(parties.hides)))
    # That somebody is not captured who met others here is nothing to narrowed events.
    unseen = state == "not_captured" if leaf.narrow is None else false()
    whys += [
        (or_(facts.c.activity_stale == 1, state == "stale"), text("stale")),
        (or_(parties.uncovered.is_not(None), unseen), text("not captured")),
        (state.not_in(("never", "not_captured")), plain(state)),
        (and_(state.is_(None), value_of(fact).is_(None)), text("not on file")),
    ]
    if cutoff is not None:
        old = [func.coalesce(stamp <= cutoff, false()) for stamp in parties.since]
        whys.append((not_(or_(*old)), text("too new")))
    return case(*whys, else_=null())
