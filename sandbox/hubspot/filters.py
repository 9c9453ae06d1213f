"""The filters of a CRM search: each as a test of a row, and what they say about stamps and ids, which an index answers."""

from __future__ import annotations

import fnmatch
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sandbox.clock import MILLISECOND
from sandbox.hubspot import errors
from sandbox.hubspot.objecttypes import ObjectType
from sandbox.hubspot.schema import Property
from sandbox.hubspot.state import HubSpotState, value_of
from sandbox.hubspot.values import comparable, comparable_filter
from sandbox.versions import Row

_WORDS = re.compile(r"[^\W_]+")
_WHOLE = re.compile(r"\d+")

Filter = dict[str, object]
Test = Callable[[Row], bool]
Holds = Callable[[float | str | None], bool]


@dataclass(frozen=True, slots=True)
class Group:
    """Filters that must all hold. `since` <= stamp < `until` (microseconds) and id > `after` are read from them;
    `tests` are all of them, `rest` those that the bounds do not say already.
    """

    tests: tuple[Test, ...]
    rest: tuple[Test, ...]
    since: int | None = None
    until: int | None = None
    after: str | None = None

    def holds(self, row: Row) -> bool:
        """Does every filter hold."""
        return all(test(row) for test in self.tests)


def group_of(state: HubSpotState, kind: ObjectType, filters: list[Filter]) -> Group:
    """One filter group. Raises the vendor's 400 for what it does not know."""
    tests = [test_of(state, kind, f) for f in filters]
    rest: list[Test] = []
    sinces: list[int] = []
    untils: list[int] = []
    afters: list[int] = []
    stamp = Property(kind.modified, "datetime")
    for f, test in zip(filters, tests, strict=True):
        name, operator = f.get("propertyName"), str(f.get("operator"))
        if name == kind.modified and operator in _BOUNDS:
            low, high = _BOUNDS[operator]
            if low is not None:
                sinces.append((int(comparable_filter(stamp, f.get("value"))) + low) * MILLISECOND)
            if high is not None:
                last = f.get("highValue") if operator == "BETWEEN" else f.get("value")
                untils.append((int(comparable_filter(stamp, last)) + high) * MILLISECOND)
        elif name == "hs_object_id" and operator in ("GT", "GTE") and _WHOLE.fullmatch(str(f.get("value"))):
            afters.append(int(str(f.get("value"))) - (operator == "GTE"))
        else:
            rest.append(test)
    return Group(
        tests=tuple(tests),
        rest=tuple(rest),
        since=max(sinces, default=None),
        until=min(untils, default=None),
        after=str(max(afters)) if afters else None,
    )


# What an operator says of the stamp: (first millisecond, first one after the last), as offsets from its values.
_BOUNDS: dict[str, tuple[int | None, int | None]] = {
    "GTE": (0, None),
    "GT": (1, None),
    "LTE": (None, 1),
    "LT": (None, 0),
    "EQ": (0, 1),
    "BETWEEN": (0, 1),
}


def test_of(state: HubSpotState, kind: ObjectType, f: Filter) -> Test:
    """One filter as a test of a row."""
    name, operator = str(f.get("propertyName")), str(f.get("operator"))
    if name.startswith("associations."):
        return _link_test(state, kind, name.removeprefix("associations."), f)
    if name == "hs_lastmodifieddate" and kind.modified != name:
        # Contacts take this filter and silently find nothing (airbytehq/airbyte#85019).
        return _never
    prop = property_of(state, kind, name)
    if operator in _PRESENCE:
        present = _PRESENCE[operator]
        return lambda row: (comparable(prop, value_of(state, row, prop, kind)) is not None) == present
    make = _OPERATORS.get(operator)
    if make is None:
        raise errors.bad_request(f"Invalid operator: {operator}")
    from_epoch = prop.kind == "datetime" and operator in ("GT", "GTE", "BETWEEN") and str(f.get("value")) == "0"
    if from_epoch and state.switches.epoch_breaks:
        # A search from the epoch breaks the vendor (estuary source-hubspot-native, shared.py).
        raise errors.Refusal(500, "internal error", "INTERNAL_ERROR")
    try:
        holds = make(prop, f)
    except (ValueError, TypeError):
        raise errors.bad_request(f"{f.get('value')} is not a valid value for {name} with {operator}") from None
    return lambda row: holds(comparable(prop, value_of(state, row, prop, kind)))


def property_of(state: HubSpotState, kind: ObjectType, name: str) -> Property:
    """A property that can be searched by; 400 if there is none of that name."""
    prop = state.schema.properties[kind.name].get(name)
    if prop is None or prop.archived:
        raise errors.bad_request(f"Property {name} does not exist")
    return prop


def says(kind: ObjectType, query: str) -> Test:
    """Every word of the query begins some word of the record's searchable properties."""
    wanted = _WORDS.findall(query.lower())

    def test(row: Row) -> bool:
        text = " ".join(str(row.fields.get(name) or "") for name in kind.searchable).lower()
        words = sorted(_WORDS.findall(text))
        return all(_begins(words, word) for word in wanted)

    return test


def strings(values: object, needed: bool = False) -> Iterable[str]:
    """A list of texts; 400 if it is none, or is empty though `needed`."""
    if values is None and not needed:
        return []
    if not isinstance(values, list) or (needed and not values):
        raise errors.bad_request("values must be a list that is not empty")
    return [str(v) for v in values]


def _never(_: Row) -> bool:
    return False


def _bound(prop: Property, f: Filter, key: str = "value") -> float | str:
    raw = f.get(key)
    if raw is None or raw == "":
        raise ValueError(key)
    return comparable_filter(prop, raw)


def _equal(prop: Property, f: Filter) -> Holds:
    wanted = _bound(prop, f)
    return lambda value: value == wanted


def _not_equal(prop: Property, f: Filter) -> Holds:
    wanted = _bound(prop, f)
    return lambda value: value is not None and value != wanted


def _less(prop: Property, f: Filter) -> Holds:
    wanted = _bound(prop, f)
    return lambda value: value is not None and value < wanted  # type: ignore[operator]


def _at_most(prop: Property, f: Filter) -> Holds:
    wanted = _bound(prop, f)
    return lambda value: value is not None and value <= wanted  # type: ignore[operator]


def _more(prop: Property, f: Filter) -> Holds:
    wanted = _bound(prop, f)
    return lambda value: value is not None and value > wanted  # type: ignore[operator]


def _at_least(prop: Property, f: Filter) -> Holds:
    wanted = _bound(prop, f)
    return lambda value: value is not None and value >= wanted  # type: ignore[operator]


def _between(prop: Property, f: Filter) -> Holds:
    low, high = _bound(prop, f), _bound(prop, f, "highValue")
    return lambda value: value is not None and low <= value <= high  # type: ignore[operator]


def _one_of(prop: Property, f: Filter) -> Holds:
    # Text must be given in lower case here: https://developers.hubspot.com/docs/api-reference/search/guide
    wanted = {comparable_filter(prop, v, fold=False) for v in strings(f.get("values"), needed=True)}
    return lambda value: value in wanted


def _none_of(prop: Property, f: Filter) -> Holds:
    wanted = {comparable_filter(prop, v, fold=False) for v in strings(f.get("values"), needed=True)}
    return lambda value: value is not None and value not in wanted


def _has_token(prop: Property, f: Filter) -> Holds:
    pattern = str(_bound(prop, f)).lower()
    return lambda value: value is not None and _token_in(str(value).lower(), pattern)


def _has_no_token(prop: Property, f: Filter) -> Holds:
    pattern = str(_bound(prop, f)).lower()
    return lambda value: value is None or not _token_in(str(value).lower(), pattern)


_PRESENCE = {"HAS_PROPERTY": True, "NOT_HAS_PROPERTY": False}
_OPERATORS: dict[str, Callable[[Property, Filter], Holds]] = {
    "EQ": _equal,
    "NEQ": _not_equal,
    "LT": _less,
    "LTE": _at_most,
    "GT": _more,
    "GTE": _at_least,
    "BETWEEN": _between,
    "IN": _one_of,
    "NOT_IN": _none_of,
    "CONTAINS_TOKEN": _has_token,
    "NOT_CONTAINS_TOKEN": _has_no_token,
}


def _token_in(value: str, pattern: str) -> bool:
    return any(fnmatch.fnmatchcase(word, pattern) for word in (value, *_WORDS.findall(value)))


def _link_test(state: HubSpotState, kind: ObjectType, word: str, f: Filter) -> Test:
    """`associations.contact` EQ an id, or IN some ids."""
    to_kind = state.schema.type_of(word)
    if to_kind is None or f.get("operator") not in ("EQ", "IN"):
        raise errors.bad_request(f"associations.{word} takes EQ and IN only")
    wanted = set(strings(f.get("values"))) if f.get("operator") == "IN" else {str(f.get("value"))}
    return lambda row: not wanted.isdisjoint(state.store.links(kind.name, row.id, to_kind.name))


def _begins(words: list[str], start: str) -> bool:
    index = bisect_right(words, start)
    return any(w.startswith(start) for w in words[max(0, index - 1) : index + 1])
