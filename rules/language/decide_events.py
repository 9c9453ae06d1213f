"""The seven steps of silence, that something happened, and what is booked."""

from __future__ import annotations

from dataclasses import dataclass

from rules.language.beside import Row, narrowed_of
from rules.language.calendar import Span, start_of
from rules.language.catalogue import Fact, booking_of, coverage_column, role_columns
from rules.language.decide import Decided, integer, missing, plain
from rules.language.tree import Booked, Happened, Narrow, Silence
from store.records import DAY, Instant

BOOKED_AHEAD = 14 * DAY
"""A meeting booked within this time breaks silence (step 2)."""


@dataclass(frozen=True, slots=True)
class _Parties:
    """Whom an event is with, as far as the row has it."""

    last: int | None
    nobody: str | None
    """Why there is nobody with whom it could be; None = there is somebody."""
    hidden: int | None
    """The latest event with somebody who may be one of them."""
    hides: str
    since: tuple[int | None, ...]
    """Since when the first of them is on file."""
    uncovered: object
    """Who of ours is not captured, as far as they are concerned; None = all are."""


def event(leaf: Silence | Happened | Booked, row: Row, as_of: Instant) -> Decided:
    """Decide a phrase about what happens."""
    match leaf:
        case Booked(fact=fact):
            return _booked(fact, row, as_of)
        case Happened(window=window):
            return _happened(leaf, row, window, as_of)
        case Silence(window=window):
            happened, why = _happened(leaf, row, window, as_of)
            if happened:
                return False, None
            if _booked_ahead(leaf, row, as_of):
                return False, None
            return (None, why) if why else (True, None)


def _booked(fact: Fact, row: Row, as_of: Instant) -> Decided:
    """A booking that is on record stands, also where not everything is captured; that there is none is then not known."""
    state, at = row.get(f"{fact.column}_state"), integer(row, fact.column)
    if state == "never":
        return False, None
    if at is not None and state in (None, "not_captured"):
        return at > as_of, None
    return None, missing(fact, row)


def booking_for(leaf: Silence) -> Fact | None:
    """The booking that breaks this silence; None where none does, or one that narrowed facts have."""
    return booking_of(leaf.fact) if leaf.narrow is None else None


def _booked_ahead(leaf: Silence, row: Row, as_of: Instant) -> bool:
    if leaf.narrow is not None:
        ahead = _whole(narrowed_of(row, leaf.narrow.by, leaf.narrow.value, "next_meeting"))
    else:
        booking = booking_for(leaf)
        ahead = integer(row, booking.column) if booking else None
    return ahead is not None and as_of < ahead <= as_of + BOOKED_AHEAD


def _happened(leaf: Silence | Happened, row: Row, window: Span | None, as_of: Instant) -> Decided:
    cutoff = None if window is None else start_of(window, as_of)
    parties = _parties(leaf, row)
    if parties.last is not None and (cutoff is None or parties.last > cutoff):
        return True, None
    why = _gap(leaf, parties, row, cutoff)
    return (None, why) if why else (False, None)


def _parties(leaf: Silence | Happened, row: Row) -> _Parties:
    fact = leaf.fact
    if leaf.narrow is not None:
        return _narrowed(fact, leaf.narrow, row)
    last = integer(row, fact.column)
    if not fact.role:
        return _Parties(last, None, None, "", (), None)
    uncovered = row.get(coverage_column(fact.role))
    count, since = role_columns(fact.role)
    if count is None:
        nobody = "nobody on file" if row.get(since) is None else None
        return _Parties(last, nobody, None, "", (integer(row, since),), uncovered)
    somebody = row.get(count) or row.get("unclassified_contacts")
    return _Parties(
        last,
        None if somebody else f"no {fact.role} on file",
        integer(row, fact.unclassified) if fact.unclassified else None,
        "levels not known",
        (integer(row, since), integer(row, "unclassified_since")),
        uncovered,
    )


def _narrowed(fact: Fact, narrow: Narrow, row: Row) -> _Parties:
    def number(value: str, column: str) -> int | None:
        return _whole(narrowed_of(row, narrow.by, value, column))

    known = number(narrow.value, "contacts") is not None
    somebody = number(narrow.value, "contacts") or number("", "contacts")
    return _Parties(
        number(narrow.value, fact.column),
        None if somebody else f"no {narrow.shown} on file",
        number("", fact.column),
        f"{narrow.by}s not known",
        (number(narrow.value, "since"), number("", "since")),
        narrowed_of(row, narrow.by, narrow.value if known else "", "not_covered"),
    )


def _whole(found: object) -> int | None:
    return int(found) if isinstance(found, int | float) else None


def _gap(leaf: Silence | Happened, parties: _Parties, row: Row, cutoff: Instant | None) -> str | None:
    """Steps 3 to 6 of silence: why the absence of an event in the window (None = ever) cannot be told; None = it can."""
    fact = leaf.fact
    state = row.get(f"{fact.column}_state")
    if not fact.role:
        return None if state == "never" else missing(fact, row)
    if parties.nobody:
        return parties.nobody
    if parties.hidden is not None and (cutoff is None or parties.hidden > cutoff):
        return parties.hides
    if row.get("activity_stale") == 1 or state == "stale":
        return "stale"
    unseen = state == "not_captured"  # that somebody is not captured who met others here is nothing to narrowed events
    if parties.uncovered is not None or (unseen and leaf.narrow is None):
        return "not captured"
    if state not in (None, "never", "not_captured"):
        return plain(state)
    if state is None and row.get(fact.column) is None:
        return "not on file"
    if cutoff is not None and not any(stamp is not None and stamp <= cutoff for stamp in parties.since):
        return "too new"
    return None
