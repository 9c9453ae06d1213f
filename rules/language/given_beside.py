"""What a test may give beside current facts: past values, cuts, tags, features, functions, contact by level or function."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Table

from rules.language import values
from rules.language.asking import chosen, words_of
from rules.language.catalogue import BY_NAME, Fact
from rules.language.errors import Problem, did_you_mean
from rules.language.ranks import PARTS
from rules.language.sets import FEATURES, FUNCTIONS, LEVELS, NARROWABLE, REACHED, STATES, TAGS
from rules.language.tree import Cut
from store.records import DAY, Instant
from store.tables import fact_sets, narrowed_facts, past_facts, portfolio_stats

PutFact = Callable[[dict[str, object], str, str], None]
_PAST = re.compile(r"(?P<fact>.+) (?P<days>\d+) days? ago")
_CUT = re.compile(r"(?P<side>top|bottom) (?P<part>\S+) of (?P<fact>.+?)(?P<own> in its segment)?")
_FEATURE = re.compile(r'feature "?(?P<name>[^"]+)"?')
_CONTACTS = re.compile(r"contacts with (?P<by>level|function) (?P<value>.+?)(?P<since> since)?")
_LAST = re.compile(r"last (?P<event>contact|reply) with (?P<by>level|function) (?P<value>.+)")
_NEXT = re.compile(r"next meeting with (?P<by>level|function) (?P<value>.+)")
_LONG = 3650 * DAY
ITS_SEGMENT = ":its segment"


class NotGiven(ValueError):
    """A test gives something that is no fact, or a value the fact cannot have."""

    def __init__(self, message: str, fix: str, *, about_name: bool = False) -> None:
        super().__init__(message)
        self.message, self.fix, self.about_name = message, fix, about_name


def is_beside(name: str) -> bool:
    """True for a name that is none of the current facts, but of what lies beside them."""
    plain = name.lower()
    forms = (_PAST, _CUT, _FEATURE, _CONTACTS, _LAST, _NEXT)
    return plain in ("tags", "functions reached") or any(form.fullmatch(plain) for form in forms)


def put_beside(row: dict[str, object], name: str, text: str, as_of: Instant, put: PutFact) -> None:
    """Put what is given into the row; `put` does it for a current fact. Raises NotGiven."""
    try:
        _put(row, name, text, as_of, put)
    except Problem as problem:
        raise NotGiven(problem.message, problem.fix) from None


def _put(row: dict[str, object], name: str, text: str, as_of: Instant, put: PutFact) -> None:
    plain = name.lower()
    sets: dict[tuple[str, str], object] = row.setdefault("fact_sets", {})  # type: ignore[assignment]
    if plain == "tags":
        sets |= {(TAGS.column, tag): True for tag in _listed(text)}
    elif plain == "functions reached":
        known = (*FUNCTIONS, "unknown")
        sets |= {(REACHED.column, chosen(one, known, "`functions reached`", 0)): True for one in _listed(text)}
    elif match := _CONTACTS.fullmatch(plain):
        _put_contacts(row, match, text, as_of)
    elif match := _LAST.fullmatch(plain):
        _put_last(row, match, text, as_of)
    elif match := _NEXT.fullmatch(plain):
        never = text.strip().lower() == "never"
        _narrowed(row, match, as_of)["next_meeting"] = None if never else instant(text, as_of)
    elif match := _PAST.fullmatch(plain):
        _put_past(row, _fact(match["fact"]), int(match["days"]), text, put)
    elif match := _CUT.fullmatch(plain):
        _put_cut(row, match, text)
    elif match := _FEATURE.fullmatch(name) or _FEATURE.fullmatch(plain):
        sets[FEATURES.column, match["name"]] = chosen(text, STATES, "a feature", 0)


def _listed(text: str) -> list[str]:
    return [] if text.strip().lower() == "none" else [part.strip() for part in text.split(",") if part.strip()]


def _fact(name: str) -> Fact:
    fact = BY_NAME.get(words_of(name))
    if fact is None:
        raise NotGiven(f"unknown fact `{name}`", did_you_mean(name, sorted(BY_NAME)), about_name=True)
    return fact


def _put_past(row: dict[str, object], fact: Fact, days: int, text: str, put: PutFact) -> None:
    then: dict[str, object] = {}
    put(then, fact.name, text)
    names = (fact.column, f"{fact.column}_state", f"{fact.column}_u")
    row.update({f"{name}@{days}": then[name] for name in names if name in then})


def _put_cut(row: dict[str, object], match: re.Match[str], text: str) -> None:
    fact = _fact(match["fact"])
    share = values.quantity(match["part"])
    part = PARTS.get(match["part"]) or (share and share.unit == "%" and values.fraction(share.number) / 100)
    if not part or not fact.is_number:
        raise NotGiven(f"`{match[0]}` is no rank", "write `top 20% of arr: 50k`", about_name=True)
    cut = Cut(fact.column, match["side"], part, match["own"] is not None)
    if text.strip().lower() == "nobody":
        row[cut.own] = None
        return
    found = values.quantity(text)
    if found is None:
        raise NotGiven(f"`{text}` is no value of `{fact.name}`", "write the value at the border, or nobody")
    row[cut.own] = values.as_number(fact, found, 0)


def _narrowed(row: dict[str, object], match: re.Match[str], as_of: Instant) -> dict[str, object]:
    """The row of narrowed facts: one person on file since long, as of an account in good order."""
    by = match["by"]
    known = (*(LEVELS if by == "level" else FUNCTIONS), "unknown")
    value = chosen(match["value"], known, by, 0)
    narrowed: dict[tuple[str, str], dict[str, object]] = row.setdefault("narrowed", {})  # type: ignore[assignment]
    fresh: dict[str, object] = {"contacts": 1, "since": as_of - _LONG, "last_contact": None, "last_reply": None}
    fresh |= {"next_meeting": None, "not_covered": row.get("not_covered")}
    for fact in NARROWABLE.values():  # that touches are known is part of good order
        if row.get(fact.column) is None and row.get(f"{fact.column}_state") == "not_on_file":
            row[f"{fact.column}_state"] = "never"
    return narrowed.setdefault((by, "" if value == "unknown" else value), fresh)


def _put_contacts(row: dict[str, object], match: re.Match[str], text: str, as_of: Instant) -> None:
    found = _narrowed(row, match, as_of)
    if match["since"]:
        found["since"] = instant(text, as_of)
    elif not text.strip().isdigit():
        raise NotGiven(f"`{match[0]}` is a count", f"write `{match[0]}: 1`")
    else:
        found["contacts"] = int(text)
        found["since"] = found["since"] if int(text) else None


def _put_last(row: dict[str, object], match: re.Match[str], text: str, as_of: Instant) -> None:
    found = _narrowed(row, match, as_of)
    found[f"last_{match['event']}"] = None if text.strip().lower() == "never" else instant(text, as_of)


def instant(text: str, as_of: Instant) -> Instant:
    """`15 days ago`, `in 5 days`."""
    ahead = re.fullmatch(r"in (.+)", text.strip())
    back = re.fullmatch(r"(.+) ago", text.strip())
    span = values.duration((ahead or back or ["", ""])[1])
    if span is None:
        raise NotGiven(f"`{text}` is no moment", "write `15 days ago`, `in 5 days`, never, stale or missing")
    return as_of + (span if ahead else -span)


def settle_cuts(row: dict[str, object]) -> None:
    """Cuts of the account's own segment under the segment's name; where it has none, there is no such cut."""
    segment = row.get("segment") if row.get("segment_state") is None else None
    for name in [name for name in row if name.startswith("cut:") and name.endswith(ITS_SEGMENT)]:
        value = row.pop(name)
        if segment is not None:
            row[f"{name.removesuffix(ITS_SEGMENT)}:{segment}"] = value


BESIDE = (past_facts, fact_sets, narrowed_facts, portfolio_stats)
"""The tables of what lies beside the facts."""


def rows_beside(row: Mapping[str, Any], as_of: Instant) -> list[tuple[Table, Mapping[str, object]]]:
    """What lies beside a row, as rows of its tables."""
    head = {"account_id": row["account_id"]}
    found: list[tuple[Table, Mapping[str, object]]] = []
    past: dict[int, dict[str, object]] = {}
    for name, value in row.items():
        column, at, days = name.partition("@")
        if at:
            past.setdefault(int(days), {})[column] = value
        elif name.startswith("cut:"):
            found.append((portfolio_stats, {"name": name, "value": value, "as_of": as_of}))
    for distance, then in past.items():
        found.append((past_facts, then | head | {"days": distance, "as_of": as_of - distance * DAY}))
    for (fact, value), state in row.get("fact_sets", {}).items():
        found.append((fact_sets, head | {"fact": fact, "value": value, "state": None if state is True else state}))
    for (by, value), narrowed in row.get("narrowed", {}).items():
        found.append((narrowed_facts, head | {"by": by, "value": value, **narrowed}))
    return found
