"""CRM search: filters, sorts, pages up to 10,000 results, over an index that may lag behind the records."""

from __future__ import annotations

import fnmatch
import json
import re
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from sandbox.clock import MILLISECOND
from sandbox.hubspot import errors
from sandbox.hubspot.call import Answer, Call
from sandbox.hubspot.schema import ObjectType, Property
from sandbox.hubspot.state import HubSpotState, shown, value_of
from sandbox.hubspot.values import comparable, comparable_filter
from sandbox.versions import Row

_MOST = 10_000
_GROUPS, _FILTERS, _ALL_FILTERS = 5, 10, 25
_QUERY = 3_000
_WORDS = re.compile(r"[^\W_]+")
_KEPT = 8

Test = Callable[[Row], bool]
_KNOWN_KEYS = frozenset({"filterGroups", "filters", "sorts", "query", "properties", "limit", "after"})


@dataclass(frozen=True, slots=True)
class Window:
    """Stamps that can match at all, in microseconds: since <= stamp < until."""

    since: int | None = None
    until: int | None = None


class Results:
    """The last few result lists, so that paging through many rows does not search anew for each page."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[object, ...], list[Row]] = OrderedDict()

    def get(self, key: tuple[object, ...], find: Callable[[], list[Row]]) -> list[Row]:
        """The list under `key`, found if it is not known."""
        if key not in self._kept:
            self._kept[key] = find()
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]


def search(call: Call, results: Results) -> Answer:
    """POST search: `total` counts every match, `paging.next.after` is an offset, and offsets end at 10,000."""
    kind = call.readable()
    body = call.object_body()
    unknown = sorted(set(body) - _KNOWN_KEYS)
    if unknown:
        raise errors.invalid(f'Invalid input JSON on line 1, column 1: Unrecognized field "{unknown[0]}"')
    limit, after = _page_of(body)
    groups = _groups(body)
    query = str(body.get("query") or "")
    if len(query) > _QUERY:
        raise errors.bad_request(f"query must be at most {_QUERY} characters")
    sort = _sort_of(call.state, kind, body.get("sorts"))
    tests = [[_test(call.state, kind, f) for f in group] for group in groups]
    window = _window(kind, groups[0]) if len(groups) == 1 and not query else Window()
    cutoff = call.state.now - call.state.switches.search_lag
    lags = call.state.switches.search_lag > 0

    def find() -> list[Row]:
        rows = _indexed(call.state, kind, window, cutoff if lags else None)
        found = [r for r in rows if _matches(r, tests) and (not query or _says(kind, r, query))]
        return _sorted(found, kind, sort)

    asked = json.dumps([kind.name, groups, query, body.get("sorts")], sort_keys=True)
    rows = results.get((asked, call.state.store.revision, cutoff if lags else None), find)
    size = min(limit, call.state.switches.search_page or limit)
    page = rows[after : min(after + size, _MOST)]
    properties = tuple(map(str, _strings(body.get("properties"))))
    answer: dict[str, object] = {
        "total": len(rows),
        "results": [shown(call.state, kind, row, properties) for row in page],
    }
    if after + len(page) < len(rows) and size:
        answer["paging"] = {"next": {"after": str(after + len(page))}}
    return Answer(200, answer)


def _page_of(body: dict[str, object]) -> tuple[int, int]:
    limit, after = body.get("limit", 10), body.get("after", 0)
    if isinstance(limit, bool) or not isinstance(limit, int) or not 0 <= limit <= 200:
        raise errors.bad_request("limit must be between 0 and 200")
    text = "0" if after in (None, "") else str(after)
    if not text.isdigit():
        raise errors.bad_request(f"after must be a number: {text}")
    if int(text) >= _MOST:
        raise errors.bad_request(f"paging is limited to {_MOST} results")
    return limit, int(text)


def _groups(body: dict[str, object]) -> list[list[dict[str, object]]]:
    """Filter groups; a bare `filters` is one group, and none at all is a group without filters."""
    groups = body.get("filterGroups") or []
    if not isinstance(groups, list):
        raise errors.invalid("Invalid input JSON: 'filterGroups' must be a list")
    lists = [g.get("filters") if isinstance(g, dict) else None for g in groups]
    if body.get("filters"):
        lists.append(body["filters"])
    found: list[list[dict[str, object]]] = []
    for filters in lists:
        if not isinstance(filters, list) or not all(isinstance(f, dict) for f in filters):
            raise errors.invalid("Invalid input JSON: 'filters' must be a list of objects")
        found.append(filters)
    if len(found) > _GROUPS:
        raise errors.bad_request(f"no more than {_GROUPS} filterGroups are allowed")
    if any(len(f) > _FILTERS for f in found) or sum(map(len, found)) > _ALL_FILTERS:
        raise errors.bad_request(f"no more than {_FILTERS} filters per group and {_ALL_FILTERS} in all are allowed")
    return found or [[]]


def _sort_of(state: HubSpotState, kind: ObjectType, sorts: object) -> tuple[Property, bool] | None:
    """(property, descending); None: by id, which is the order of creation."""
    rules = sorts if isinstance(sorts, list) else []
    if len(rules) > 1:
        raise errors.bad_request("only one sort is allowed")
    for rule in rules:
        if isinstance(rule, dict):
            name, descending = str(rule.get("propertyName")), rule.get("direction") == "DESCENDING"
        else:
            name, descending = str(rule).removeprefix("-"), str(rule).startswith("-")
        return _property(state, kind, name), descending
    return None


def _property(state: HubSpotState, kind: ObjectType, name: str) -> Property:
    prop = state.schema.properties[kind.name].get(name)
    if prop is None:
        raise errors.bad_request(f"Property {name} does not exist")
    return prop


def _window(kind: ObjectType, filters: list[dict[str, object]]) -> Window:
    """Bounds on the modification stamp that the filters of a single group set."""
    since: int | None = None
    until: int | None = None
    prop = Property(kind.modified, "datetime")
    for f in filters:
        if f.get("propertyName") != kind.modified:
            continue
        operator = f.get("operator")
        if operator in ("GTE", "GT", "BETWEEN", "EQ"):
            since = max(since or 0, int(comparable_filter(prop, f.get("value"))) * MILLISECOND)
        if operator in ("LTE", "LT", "EQ", "BETWEEN"):
            last = f.get("highValue") if operator == "BETWEEN" else f.get("value")
            bound = (int(comparable_filter(prop, last)) + 1) * MILLISECOND
            until = bound if until is None else min(until, bound)
    return Window(since, until)


def _indexed(state: HubSpotState, kind: ObjectType, window: Window, cutoff: int | None) -> Iterator[Row]:
    """Live rows as the index knows them: with a cutoff, as they were then."""
    table = state.store.table(kind.name)
    for row in table.by_modified(window.since, window.until if cutoff is None else None):
        known = row if cutoff is None or row.modified_at <= cutoff else row.as_of(cutoff)
        if known is not None and row.deleted_at is None:
            yield known


def _matches(row: Row, groups: list[list[Test]]) -> bool:
    return any(all(test(row) for test in group) for group in groups)


def _sorted(rows: list[Row], kind: ObjectType, sort: tuple[Property, bool] | None) -> list[Row]:
    rows.sort(key=lambda row: int(row.id))
    if sort is None:
        return rows
    prop, descending = sort
    keyed = [(comparable(prop, value_of(row, prop, kind)), row) for row in rows]
    have = [pair for pair in keyed if pair[0] is not None]
    have.sort(key=lambda pair: pair[0], reverse=descending)  # type: ignore[arg-type, return-value]
    return [row for _, row in have] + [row for value, row in keyed if value is None]


def _test(state: HubSpotState, kind: ObjectType, f: dict[str, object]) -> Test:
    """One filter as a test of a row."""
    name, operator = str(f.get("propertyName")), str(f.get("operator"))
    if name.startswith("associations."):
        return _link_test(state, kind, name.removeprefix("associations."), f)
    if name == "hs_lastmodifieddate" and kind.modified != name:
        # Contacts take this filter and silently find nothing (airbytehq/airbyte#85019).
        return _never
    prop = _property(state, kind, name)
    if operator in _PRESENCE:
        present = _PRESENCE[operator]
        return lambda row: (comparable(prop, value_of(row, prop, kind)) is not None) == present
    make = _OPERATORS.get(operator)
    if make is None:
        raise errors.bad_request(f"Invalid operator: {operator}")
    if prop.kind == "datetime" and operator in ("GT", "GTE", "BETWEEN") and str(f.get("value")) == "0":
        # A search from the epoch breaks the vendor (estuary source-hubspot-native, shared.py).
        raise errors.Refusal(500, "internal error", "INTERNAL_ERROR")
    try:
        holds = make(prop, f)
    except (ValueError, TypeError):
        raise errors.bad_request(f"{f.get('value')} is not a valid value for {name} with {operator}") from None
    return lambda row: holds(comparable(prop, value_of(row, prop, kind)))


def _never(_: Row) -> bool:
    return False


Holds = Callable[[float | str | None], bool]


def _bound(prop: Property, f: dict[str, object], key: str = "value") -> float | str:
    raw = f.get(key)
    if raw is None or raw == "":
        raise ValueError(key)
    return comparable_filter(prop, raw)


def _equal(prop: Property, f: dict[str, object]) -> Holds:
    wanted = _bound(prop, f)
    return lambda value: value == wanted


def _not_equal(prop: Property, f: dict[str, object]) -> Holds:
    wanted = _bound(prop, f)
    return lambda value: value is not None and value != wanted


def _less(prop: Property, f: dict[str, object]) -> Holds:
    wanted = _bound(prop, f)
    return lambda value: value is not None and value < wanted  # type: ignore[operator]


def _at_most(prop: Property, f: dict[str, object]) -> Holds:
    wanted = _bound(prop, f)
    return lambda value: value is not None and value <= wanted  # type: ignore[operator]


def _more(prop: Property, f: dict[str, object]) -> Holds:
    wanted = _bound(prop, f)
    return lambda value: value is not None and value > wanted  # type: ignore[operator]


def _at_least(prop: Property, f: dict[str, object]) -> Holds:
    wanted = _bound(prop, f)
    return lambda value: value is not None and value >= wanted  # type: ignore[operator]


def _between(prop: Property, f: dict[str, object]) -> Holds:
    low, high = _bound(prop, f), _bound(prop, f, "highValue")
    return lambda value: value is not None and low <= value <= high  # type: ignore[operator]


def _one_of(prop: Property, f: dict[str, object]) -> Holds:
    # Text must be given in lower case here: https://developers.hubspot.com/docs/api-reference/search/guide
    wanted = {comparable_filter(prop, v, fold=False) for v in _strings(f.get("values"), needed=True)}
    return lambda value: value in wanted


def _none_of(prop: Property, f: dict[str, object]) -> Holds:
    wanted = {comparable_filter(prop, v, fold=False) for v in _strings(f.get("values"), needed=True)}
    return lambda value: value is not None and value not in wanted


def _has_token(prop: Property, f: dict[str, object]) -> Holds:
    pattern = str(_bound(prop, f)).lower()
    return lambda value: value is not None and _token_in(str(value).lower(), pattern)


def _has_no_token(prop: Property, f: dict[str, object]) -> Holds:
    pattern = str(_bound(prop, f)).lower()
    return lambda value: value is None or not _token_in(str(value).lower(), pattern)


_PRESENCE = {"HAS_PROPERTY": True, "NOT_HAS_PROPERTY": False}
_OPERATORS: dict[str, Callable[[Property, dict[str, object]], Holds]] = {
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


def _link_test(state: HubSpotState, kind: ObjectType, word: str, f: dict[str, object]) -> Test:
    """`associations.contact` EQ an id, or IN some ids."""
    to_kind = state.schema.type_of(word)
    if to_kind is None or f.get("operator") not in ("EQ", "IN"):
        raise errors.bad_request(f"associations.{word} takes EQ and IN only")
    wanted = set(_strings(f.get("values"))) if f.get("operator") == "IN" else {str(f.get("value"))}
    return lambda row: not wanted.isdisjoint(state.store.links(kind.name, row.id, to_kind.name))


def _says(kind: ObjectType, row: Row, query: str) -> bool:
    """Every word of the query begins some word of the record's searchable properties."""
    text = " ".join(str(row.fields.get(name) or "") for name in kind.searchable).lower()
    words = sorted(_WORDS.findall(text))
    return all(_begins(words, w) for w in _WORDS.findall(query.lower()))


def _begins(words: list[str], start: str) -> bool:
    index = bisect_right(words, start)
    return any(w.startswith(start) for w in words[max(0, index - 1) : index + 1])


def _strings(values: object, needed: bool = False) -> Iterable[str]:
    if values is None and not needed:
        return []
    if not isinstance(values, list) or (needed and not values):
        raise errors.bad_request("values must be a list that is not empty")
    return [str(v) for v in values]
