"""When the twenty rules fire, in two values and without SQL: what rule libraries are given, each in its own words.

Forms: ["all", ...], ["any", ...], ["null", column], ["set", column], ["cmp", column, operator, value],
["sum", [columns], operator, value], ["share", column, of, other, times]: column * of < other * times.
"""

from __future__ import annotations

from typing import Any

from bench.rules.world import NOW, TODAY
from store.records import DAY

Form = list[Any]


def _all(*parts: Form) -> Form:
    return ["all", *parts]


def _any(*parts: Form) -> Form:
    return ["any", *parts]


def _cmp(column: str, how: str, value: float | str) -> Form:
    return ["cmp", column, how, value]


def _fact(column: str, how: str, value: float | str) -> Form:
    return _all(["null", f"{column}_state"], _cmp(column, how, value))


def _renewal(days: int) -> Form:
    return _all(["null", "renewal_state"], _cmp("renewal", ">=", TODAY), _cmp("renewal", "<=", TODAY + days))


def _told(event: str, role: str, days: int | None) -> Form:
    """Steps 3 to 6: the absence can be told."""
    state, hidden = f"{event}_state", f"last_unclassified_{event.rpartition('_')[2]}"
    cutoff = None if days is None else NOW - days * DAY
    parts: list[Form] = []
    if role == "any":
        parts.append(["set", "any_since"])
    else:
        parts.append(_any(_cmp(f"{role}_contacts", ">", 0), _cmp("unclassified_contacts", ">", 0)))
        parts.append(["null", hidden] if cutoff is None else _any(["null", hidden], _cmp(hidden, "<=", cutoff)))
    parts += [_cmp("activity_stale", "==", 0), ["null", "not_covered"]]
    parts.append(_any(_cmp(state, "==", "never"), _all(["null", state], ["set", event])))
    if cutoff is not None:
        stamps = ["any_since"] if role == "any" else [f"{role}_since", "unclassified_since"]
        parts.append(_any(*(_cmp(stamp, "<=", cutoff) for stamp in stamps)))
    return _all(*parts)


def _silence(event: str, role: str, days: int) -> Form:
    booking = "next_meeting" if role == "any" else f"next_{role}_meeting"
    unseen = _any(["null", event], _cmp(event, "<=", NOW - days * DAY))
    free = _any(["null", booking], _cmp(booking, "<=", NOW), _cmp(booking, ">", NOW + 14 * DAY))
    return _all(unseen, free, _told(event, role, days))


_DUE = _all(_renewal(90), _fact("rolling", "==", 0), _fact("renewed", "==", 0))
_RICH, _BIG = _fact("arr", ">=", 20_000_000), _fact("segment", "==", "enterprise")
_TIER_1 = _fact("tier", "==", 1)
_STALE = (_cmp("touches_90d_state", "==", "stale"), _cmp("touches_90d_state", "==", "not_captured"))

CONDITIONS: dict[str, Form] = {
    "renewal-exec-silence": _all(_DUE, _silence("last_exec_contact", "exec", 15)),
    "renewal-no-exec-on-file": _all(_DUE, _fact("exec_contacts", "==", 0), _cmp("exec_contacts_u", "==", 0)),
    "adoption-drop-user-silence": _all(_fact("adoption_change", "<=", -0.2), _silence("last_user_contact", "user", 30)),
    "single-threaded": _all(
        _BIG,
        ["null", "strong_exec_relationships_state"],
        ["sum", ["strong_exec_relationships", "strong_exec_relationships_u"], "<", 2],
        _DUE,
    ),
    "strong-adoption-no-users": _all(
        _fact("adoption", ">=", 0.75),
        _fact("user_relationships", "==", 0),
        _cmp("user_relationships_u", "==", 0),
    ),
    "lapsed": _all(_fact("renewal", "<=", TODAY - 1), _fact("renewed", "==", 0)),
    "touch-overdue": _all(
        _fact("touch_due_in", "<", -90),
        _any(
            _cmp("next_meeting_state", "==", "never"),
            _all(
                _any(["null", "next_meeting_state"], _cmp("next_meeting_state", "==", "not_captured")),
                _cmp("next_meeting", "<=", NOW),
            ),
        ),
    ),
    "first-word-is-commercial": _all(_renewal(120), _silence("last_contact", "any", 60)),
    "one-sided": _all(_fact("strong_user_relationships", ">=", 2), _silence("last_exec_contact", "exec", 60)),
    "exec-in-touch": _all(_cmp("last_exec_contact", ">", NOW - 7 * DAY), _RICH),
    "big-and-silent": _all(_RICH, _silence("last_contact", "any", 45)),
    "urgent-ticket": _fact("urgent_tickets", ">=", 1),
    "tickets-pile-up": _all(_fact("open_tickets", ">=", 1), _TIER_1),
    "onboarding-silence": _all(_fact("lifecycle", "==", "onboarding"), _silence("last_contact", "any", 14)),
    "never-met-an-exec": _all(
        _fact("arr", ">=", 10_000_000), ["null", "last_exec_contact"], _told("last_exec_contact", "exec", None)
    ),
    "tier-1-untouched": _all(_TIER_1, _fact("touches_90d", "<", 2)),
    "seats-unused": _all(
        _renewal(90),
        ["null", "active_users_state"],
        ["null", "seats_state"],
        ["share", "active_users", 10, "seats", 7],
    ),
    "potential-unmet": _all(_fact("potential", ">=", 15_000_000), _fact("meetings_90d", "<", 1)),
    "weak-relationship": _all(_BIG, _fact("relationship", "<", 20)),
    "replies-dried-up": _all(
        _any(_TIER_1, _fact("tier", "==", 2)),
        _cmp("touches_90d", ">=", 4),
        _any(["null", "touches_90d_state"], *_STALE),
        _silence("last_reply", "any", 60),
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
