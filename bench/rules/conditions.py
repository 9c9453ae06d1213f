"""When the twenty rules fire, and when that cannot be ruled out, in two values and without SQL: what rule libraries are given.

Forms: ["all", ...], ["any", ...], ["null", column], ["set", column], ["cmp", column, operator, value],
["sum", [columns], operator, value], ["share", column, of, other, times]: column * of < other * times. A form that looks at
a null is false, but for "null" itself. What is possible and does not fire cannot be decided.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bench.rules.world import NOW, TODAY
from store.records import DAY

Form = list[Any]


@dataclass(frozen=True, slots=True)
class Condition:
    """A rule, or a part of one: when it is true, and when it is not false."""

    fires: Form
    possible: Form


def _all(*parts: Form) -> Form:
    return ["all", *parts]


def _any(*parts: Form) -> Form:
    return ["any", *parts]


def _cmp(column: str, how: str, value: float | str) -> Form:
    return ["cmp", column, how, value]


def _null(column: str) -> Form:
    return ["null", column]


def _set(column: str) -> Form:
    return ["set", column]


def _both(*parts: Condition) -> Condition:
    return Condition(_all(*(part.fires for part in parts)), _all(*(part.possible for part in parts)))


def _fact(column: str, *tests: tuple[str, float | str]) -> Condition:
    """A fresh value that meets the tests."""
    met, state = _all(*(_cmp(column, how, value) for how, value in tests)), f"{column}_state"
    return Condition(_all(_null(state), met), _any(_set(state), _null(column), met))


def _known(column: str) -> Condition:
    """There is a value; not known while it is stale."""
    state = f"{column}_state"
    there = _all(_null(state), _set(column))
    return Condition(there, _any(_cmp(state, "==", "stale"), there))


def _level(column: str, certain: Form, possible: Form) -> Condition:
    """A count by level, from `column` to `column` with `column_u`."""
    state = f"{column}_state"
    return Condition(_all(_null(state), certain), _any(_set(state), _null(column), possible))


def _few(column: str, limit: float) -> Condition:
    """Fewer than that; a number that can only be higher while its source is stale or not captured."""
    state, less = f"{column}_state", _cmp(column, "<", limit)
    other = _all(_set(state), _cmp(state, "!=", "stale"), _cmp(state, "!=", "not_captured"))
    return Condition(_all(_null(state), less), _any(_null(column), less, other))


def _many(column: str, least: float) -> Condition:
    """At least that, and no less while its source is stale or not captured."""
    state, there = f"{column}_state", _cmp(column, ">=", least)
    old = (_cmp(state, "==", "stale"), _cmp(state, "==", "not_captured"))
    return Condition(_all(there, _any(_null(state), *old)), _any(_set(state), _null(column), there))


def _told(event: str, role: str, days: int | None) -> Form:
    """Steps 3 to 6: the absence can be told."""
    state, hidden = f"{event}_state", f"last_unclassified_{event.rpartition('_')[2]}"
    cutoff = None if days is None else NOW - days * DAY
    parts: list[Form] = []
    if role == "any":
        parts.append(_set("any_since"))
    else:
        parts.append(_any(_cmp(f"{role}_contacts", ">", 0), _cmp("unclassified_contacts", ">", 0)))
        parts.append(_null(hidden) if cutoff is None else _any(_null(hidden), _cmp(hidden, "<=", cutoff)))
    parts += [_cmp("activity_stale", "==", 0), _null("not_covered")]
    parts.append(_any(_cmp(state, "==", "never"), _all(_null(state), _set(event))))
    if cutoff is not None:
        stamps = ["any_since"] if role == "any" else [f"{role}_since", "unclassified_since"]
        parts.append(_any(*(_cmp(stamp, "<=", cutoff) for stamp in stamps)))
    return _all(*parts)


def _untold(event: str, role: str, days: int) -> Form:
    """One of steps 3 to 6 is in the way, for persons of one role."""
    state, hidden, cutoff = f"{event}_state", f"last_unclassified_{event.rpartition('_')[2]}", NOW - days * DAY
    nobody = (_any(_null(count), _cmp(count, "<=", 0)) for count in (f"{role}_contacts", "unclassified_contacts"))
    new = (_any(_null(stamp), _cmp(stamp, ">", cutoff)) for stamp in (f"{role}_since", "unclassified_since"))
    return _any(
        _all(*nobody),
        _cmp(hidden, ">", cutoff),
        _any(_null("activity_stale"), _cmp("activity_stale", "!=", 0)),
        _set("not_covered"),
        _any(_all(_null(state), _null(event)), _all(_set(state), _cmp(state, "!=", "never"))),
        _all(*new),
    )


def _silence(event: str, role: str, days: int) -> Condition:
    booking = "next_meeting" if role == "any" else f"next_{role}_meeting"
    unseen = _any(_null(event), _cmp(event, "<=", NOW - days * DAY))
    free = _any(_null(booking), _cmp(booking, "<=", NOW), _cmp(booking, ">", NOW + 14 * DAY))
    return Condition(_all(unseen, free, _told(event, role, days)), _all(unseen, free))


def _renewal(days: int) -> Condition:
    return _fact("renewal", (">=", TODAY), ("<=", TODAY + days))


_EXEC = "last_exec_contact"
_DUE = _both(_renewal(90), _fact("rolling", ("==", 0)), _fact("renewed", ("==", 0)))
_RICH, _BIG = _fact("arr", (">=", 20_000_000)), _fact("segment", ("==", "enterprise"))
_TIER_1 = _fact("tier", ("==", 1))
_SEEN = _cmp(_EXEC, ">", NOW - 7 * DAY)
_IN_TOUCH = Condition(_SEEN, _any(_SEEN, _untold(_EXEC, "exec", 7)))
_NEVER_MET = Condition(_all(_null(_EXEC), _told(_EXEC, "exec", None)), _null(_EXEC))
_BOOKED = "next_meeting_state"
_PAST = _cmp("next_meeting", "<=", NOW)
_UNBOOKED = Condition(
    _any(_cmp(_BOOKED, "==", "never"), _all(_any(_null(_BOOKED), _cmp(_BOOKED, "==", "not_captured")), _PAST)),
    _any(_null("next_meeting"), _PAST, _all(_set(_BOOKED), _cmp(_BOOKED, "!=", "not_captured"))),
)
_SHARE: Form = ["share", "active_users", 10, "seats", 7]
_SEATS = Condition(
    _all(_null("active_users_state"), _null("seats_state"), _SHARE),
    _any(_set("active_users_state"), _set("seats_state"), _null("active_users"), _null("seats"), _SHARE),
)
_SINGLE, _NOBODY, _SOME = "strong_exec_relationships", "user_relationships", "strong_user_relationships"

CONDITIONS: dict[str, Condition] = {
    "renewal-exec-silence": _both(_DUE, _silence(_EXEC, "exec", 15)),
    "renewal-no-exec-on-file": _both(
        _DUE,
        _level(
            "exec_contacts",
            _all(_cmp("exec_contacts", "==", 0), _cmp("exec_contacts_u", "==", 0)),
            _cmp("exec_contacts", "<=", 0),
        ),
    ),
    "adoption-drop-user-silence": _both(
        _known("adoption_change"), _fact("adoption_change", ("<=", -0.2)), _silence("last_user_contact", "user", 30)
    ),
    "single-threaded": _both(
        _BIG, _level(_SINGLE, ["sum", [_SINGLE, f"{_SINGLE}_u"], "<", 2], _cmp(_SINGLE, "<", 2)), _DUE
    ),
    "strong-adoption-no-users": _both(
        _known("adoption"),
        _fact("adoption", (">=", 0.75)),
        _level(_NOBODY, _all(_cmp(_NOBODY, "==", 0), _cmp(f"{_NOBODY}_u", "==", 0)), _cmp(_NOBODY, "<=", 0)),
    ),
    "lapsed": _both(_fact("renewal", ("<=", TODAY - 1)), _fact("renewed", ("==", 0))),
    "touch-overdue": _both(_few("touch_due_in", -90), _UNBOOKED),
    "first-word-is-commercial": _both(_renewal(120), _silence("last_contact", "any", 60)),
    "one-sided": _both(
        _level(_SOME, _cmp(_SOME, ">=", 2), _any(_null(f"{_SOME}_u"), ["sum", [_SOME, f"{_SOME}_u"], ">=", 2])),
        _silence(_EXEC, "exec", 60),
    ),
    "exec-in-touch": _both(_IN_TOUCH, _RICH),
    "big-and-silent": _both(_RICH, _silence("last_contact", "any", 45)),
    "urgent-ticket": _fact("urgent_tickets", (">=", 1)),
    "tickets-pile-up": _both(_fact("open_tickets", (">=", 1)), _TIER_1),
    "onboarding-silence": _both(_fact("lifecycle", ("==", "onboarding")), _silence("last_contact", "any", 14)),
    "never-met-an-exec": _both(_fact("arr", (">=", 10_000_000)), _NEVER_MET),
    "tier-1-untouched": _both(_TIER_1, _few("touches_90d", 2)),
    "seats-unused": _both(_known("active_users"), _renewal(90), _SEATS),
    "potential-unmet": _both(_fact("potential", (">=", 15_000_000)), _few("meetings_90d", 1)),
    "weak-relationship": _both(_BIG, _fact("relationship", ("<", 20))),
    "replies-dried-up": _both(
        _fact("tier", (">=", 1), ("<=", 2)), _many("touches_90d", 4), _silence("last_reply", "any", 60)
    ),
}


def columns(form: Form) -> set[str]:
    """The columns that a form looks at."""
    match form:
        case ["all" | "any", *parts]:
            return set().union(*map(columns, parts))
        case ["sum", names, _, _]:
            return set(names)
        case ["share", column, _, other, _]:
            return {column, other}
    return {form[1]}
