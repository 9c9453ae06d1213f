"""The `given` of a rule test: an account in good order, with the named facts in their place, as a row of facts."""

from __future__ import annotations

import re
from collections.abc import Mapping

from rules.language import values
from rules.language.catalogue import BY_NAME, FACTS, Fact, Kind, coverage_column
from rules.language.errors import Problem, did_you_mean
from rules.language.given_beside import NotGiven, instant, is_beside, put_beside, settle_cuts
from rules.language.phrases import choice_of
from store.records import DAY, Day, Instant

_LONG = 3650 * DAY
_WORDS = {
    "stale": "stale",
    "missing": "not_on_file",
    "unknown": "not_on_file",
    "not captured": "not_captured",
    "not on file": "not_on_file",
    "outdated": "outdated",
    "no source": "no_source",
    "not recorded": "not_recorded",
    "too few samples": "too_few_samples",
    "too small": "too_small",
    "no seats": "no_seats",
}
_SINCE = {f"{role} on file since": f"{role}_since" for role in ("any", "exec", "user", "unclassified")}
_HIDDEN = {
    "last unclassified contact": "last_unclassified_contact",
    "last unclassified reply": "last_unclassified_reply",
}
_COVERAGE = tuple(coverage_column(role) for role in ("any", "exec", "user"))
__all__ = ["EXTRAS", "NotGiven", "check", "row_of"]
EXTRAS = (*_SINCE, *_HIDDEN, "unclassified contacts", "activity", "captured")
"""Names only tests may use: what the seven steps of silence read besides the facts."""


def check(name: str, text: str) -> None:
    """Raise NotGiven when a test cannot give this."""
    _put({}, name, text, 0, 0)


def row_of(given: Mapping[str, str], as_of: Instant, today: Day) -> dict[str, object]:
    """The wide fact row of an account in good order; what `given` names replaces it, other facts are missing."""
    row: dict[str, object] = {"account_id": 1, "as_of": as_of, "activity_stale": 0}
    row |= dict.fromkeys(_COVERAGE)
    for fact in FACTS:
        row[fact.column], row[f"{fact.column}_state"] = None, "not_on_file"
        if fact.interval:
            row[f"{fact.column}_u"] = 0
        if fact.kind is Kind.BOOKING:
            row[f"{fact.column}_state"] = "never"
        if fact.kind is Kind.FLAG:
            row[fact.column], row[f"{fact.column}_state"] = 0, None
    for role in ("exec", "user"):
        row[f"{role}_contacts"], row[f"{role}_contacts_state"], row[f"{role}_since"] = 1, None, as_of - _LONG
    row |= {"any_since": as_of - _LONG, "unclassified_since": None, "unclassified_contacts": 0}
    row |= {"last_unclassified_contact": None, "last_unclassified_reply": None, "fact_sets": {}, "narrowed": {}}
    for name, text in sorted(given.items(), key=lambda item: not is_beside(item[0])):
        _put(row, name, text, as_of, today)
    settle_cuts(row)
    if not row["exec_since"] and not row["user_since"] and not row["unclassified_since"]:
        row["any_since"] = None
    return row


def _put(row: dict[str, object], name: str, text: str, as_of: Instant, today: Day) -> None:
    if name in EXTRAS:
        _put_extra(row, name, text, as_of)
        return
    if is_beside(name):
        put_beside(row, name, text, as_of, lambda then, fact, value: _put(then, fact, value, as_of, today))
        return
    fact = BY_NAME.get(name)
    if fact is None:
        raise NotGiven(f"unknown fact `{name}`", did_you_mean(name, sorted([*BY_NAME, *EXTRAS])), about_name=True)
    plain = " ".join(text.lower().split())
    head, _, tail = plain.rpartition(" ")
    if plain in _WORDS:
        _put_state(row, fact, _WORDS[plain])
        return
    if tail == "stale" and head:  # `-5 days stale`: the last known value of a stale source
        _put(row, name, head, as_of, today)
        _put_state(row, fact, "stale", keep=True)
        return
    if plain == "never" and fact.kind in (Kind.EVENT, Kind.BOOKING):
        row[fact.column], row[f"{fact.column}_state"] = None, "never"
        return
    row[f"{fact.column}_state"] = None
    row[fact.column] = _value(row, fact, text.strip(), as_of, today)
    if fact.name in ("exec contacts", "user contacts") and row[fact.column] == 0:
        row[f"{fact.name.split()[0]}_since"] = None


def _put_state(row: dict[str, object], fact: Fact, state: str, *, keep: bool = False) -> None:
    row[f"{fact.column}_state"] = state
    if not keep:
        row[fact.column] = None
    if fact.kind is Kind.EVENT and state == "stale":
        row["activity_stale"] = 1
    if fact.role and fact.kind is Kind.EVENT and state == "not_captured":
        row[coverage_column(fact.role)] = "the CSM"


def _put_extra(row: dict[str, object], name: str, text: str, as_of: Instant) -> None:
    plain = text.strip().lower()
    if name == "activity":
        if plain not in ("fresh", "stale"):
            raise NotGiven("activity is fresh or stale", "write `activity: stale`")
        row["activity_stale"] = int(plain == "stale")
    elif name == "captured":
        if plain not in ("yes", "no", "true", "false"):
            raise NotGiven("captured is yes or no", "write `captured: no`")
        who = None if plain in ("yes", "true") else "the CSM"
        row |= dict.fromkeys(_COVERAGE, who)
        for narrowed in row.get("narrowed", {}).values():  # type: ignore[attr-defined]
            narrowed["not_covered"] = who
    elif name == "unclassified contacts":
        if not plain.isdigit():
            raise NotGiven("unclassified contacts is a count", "write `unclassified contacts: 1`")
        row[name.replace(" ", "_")] = int(plain)
        row["exec_contacts_u"] = row["user_contacts_u"] = int(plain)
        row["unclassified_since"] = as_of - _LONG if int(plain) else None
    else:
        column = _SINCE.get(name) or _HIDDEN[name]
        row[column] = None if plain == "never" else instant(text, as_of)


def _value(row: dict[str, object], fact: Fact, text: str, as_of: Instant, today: Day) -> object:
    match fact.kind:
        case Kind.EVENT | Kind.BOOKING:
            return instant(text, as_of)
        case Kind.DATE:
            return _day(text, today)
        case Kind.FLAG:
            if text.lower() not in ("true", "false", "yes", "no"):
                raise NotGiven(f"`{fact.name}` is a flag", f"write `{fact.name}: true` or `false`")
            return int(text.lower() in ("true", "yes"))
        case Kind.CHOICE:
            try:
                return choice_of(fact, text, 0)
            except Problem as problem:
                raise NotGiven(problem.message, problem.fix) from None
        case Kind.TEXT:
            return text
    span = re.fullmatch(r"(\d+) to (\d+)", text)
    if span and fact.interval:
        row[f"{fact.column}_u"] = int(span[2]) - int(span[1])
        return int(span[1])
    found = values.quantity(text)
    if found is None:
        raise NotGiven(f"`{text}` is no value of `{fact.name}`", f"write a {fact.kind}, or stale, missing")
    try:
        number = values.as_number(fact, found, 0)
    except Problem as problem:
        raise NotGiven(problem.message, problem.fix) from None
    return int(number) if fact.kind in (Kind.COUNT, Kind.MONEY) else number


def _day(text: str, today: Day) -> Day:
    if text == "today":
        return today
    day = values.day_of(text)
    if day is not None:
        return day
    try:
        return today + instant(text, 0) // DAY
    except NotGiven:
        raise NotGiven(f"`{text}` is no date", "write `in 40 days`, `3 days ago`, today or 2026-12-31") from None
