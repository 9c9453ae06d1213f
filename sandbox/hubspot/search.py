"""CRM search: filters, sorts, pages up to 10,000 results, over an index that may lag behind the records."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from sandbox.hubspot import errors
from sandbox.hubspot.call import Answer, Call
from sandbox.hubspot.filters import Filter, Group, Test, group_of, property_of, says, strings
from sandbox.hubspot.objecttypes import ObjectType
from sandbox.hubspot.schema import Property
from sandbox.hubspot.searchindex import Found, Index, Sort
from sandbox.hubspot.state import HubSpotState, shown
from sandbox.versions import Row

_MOST = 10_000
_QUERY = 3_000
_OTHERS_STAMP = "hs_lastmodifieddate"
_KEPT = 8
_KNOWN_KEYS = frozenset({"filterGroups", "filters", "sorts", "query", "properties", "limit", "after"})


class Results:
    """The last few results, so that paging through many rows does not begin anew for each page."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[object, ...], Found] = OrderedDict()

    def get(self, key: tuple[object, ...], find: Callable[[], Found]) -> Found:
        """The result under `key`, found if it is not known."""
        if key not in self._kept:
            self._kept[key] = find()
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]


def search(call: Call, results: Results) -> Answer:
    """POST search: `total` counts every match, `paging.next.after` is an offset, and offsets end at 10,000."""
    kind, state = call.readable(), call.state
    body = call.object_body()
    unknown = sorted(set(body) - _KNOWN_KEYS)
    if unknown:
        raise errors.invalid(f'Invalid input JSON on line 1, column 1: Unrecognized field "{unknown[0]}"')
    longest = state.switches.search_body_limit
    if longest and len(json.dumps(body, ensure_ascii=False, separators=(",", ":"))) > longest:
        raise errors.bad_request(f"the body must be at most {longest} characters")
    limit, after = _page_of(body)
    listed = _groups(state, body)
    text = str(body.get("query") or "")
    if len(text) > _QUERY:
        raise errors.bad_request(f"query must be at most {_QUERY} characters")
    sort = _sort_of(state, kind, body.get("sorts"))
    groups = [group_of(state, kind, filters) for filters in listed]
    query = says(kind, text) if text else None
    properties = tuple(map(str, strings(body.get("properties"))))

    def find() -> Found:
        index = Index(state, kind)
        found = index.find(groups, query, sort)
        found.total += index.ghosts(groups, query)
        return found

    asked = json.dumps([kind.name, listed, text, body.get("sorts")], sort_keys=True)
    # An index that lags knows more as time goes by, though nothing changes.
    lagging = state.now if state.lags(kind.name) else None
    found = results.get((asked, state.store.revision, lagging), find)
    page = _page(state, found, limit, after)
    strays = _strays(state, Index(state, kind), groups, query, limit - len(page.rows)) if after == 0 else []
    half = len(page.rows) // 2
    rows = page.rows[:half] + strays + page.rows[half:]
    answer: dict[str, object] = {
        "total": found.total,
        "results": [shown(state, kind, row, properties) for row in rows],
    }
    if page.following is not None:
        answer["paging"] = {"next": {"after": str(page.following)}}
    return Answer(200, answer)


@dataclass(frozen=True, slots=True)
class _Page:
    rows: list[Row]
    following: int | None


def _page(state: HubSpotState, found: Found, limit: int, after: int) -> _Page:
    """The rows from offset `after` on. By switch some slots of the index are empty: pages are short, or bare."""
    sizes = [min(size, limit) for size in state.switches.search_pages]
    if sizes and limit:
        number = after // limit
        first = sum(sizes[:number]) + limit * max(0, number - len(sizes))
        rows = found.page(first, first + (sizes[number] if number < len(sizes) else limit))
        return _Page(rows, after + limit if first + len(rows) < found.total else None)
    size = min(limit, state.switches.search_page or limit)
    if after == 0:
        size = max(min(size, 1), size - state.switches.search_strays)
    rows = found.page(after, min(after + size, _MOST))
    following = after + len(rows)
    return _Page(rows, following if rows and following < found.total else None)


def _strays(state: HubSpotState, index: Index, groups: list[Group], query: Test | None, room: int) -> list[Row]:
    most = min(state.switches.search_strays, room)
    return index.strays(groups, query, most) if most > 0 else []


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


def _groups(state: HubSpotState, body: dict[str, object]) -> list[list[Filter]]:
    """Filter groups; a bare `filters` is one group, and none at all is a group without filters."""
    groups = body.get("filterGroups") or []
    if not isinstance(groups, list):
        raise errors.invalid("Invalid input JSON: 'filterGroups' must be a list")
    lists = [g.get("filters") if isinstance(g, dict) else None for g in groups]
    if body.get("filters"):
        lists.append(body["filters"])
    found: list[list[Filter]] = []
    for filters in lists:
        if not isinstance(filters, list) or not all(isinstance(f, dict) for f in filters):
            raise errors.invalid("Invalid input JSON: 'filters' must be a list of objects")
        found.append(filters)
    switches = state.switches
    if len(found) > switches.filter_groups:
        raise errors.bad_request(f"no more than {switches.filter_groups} filterGroups are allowed")
    each, every = switches.filters_per_group, switches.filters_in_all
    if any(len(f) > each for f in found) or sum(map(len, found)) > every:
        raise errors.bad_request(f"no more than {each} filters per group and {every} in all are allowed")
    lists_of_values = [f["values"] for filters in found for f in filters if isinstance(f.get("values"), list)]
    if any(len(values) > switches.filter_values for values in lists_of_values if isinstance(values, list)):
        raise errors.bad_request(f"no more than {switches.filter_values} values are allowed")
    return found or [[]]


def _sort_of(state: HubSpotState, kind: ObjectType, sorts: object) -> Sort:
    rules = sorts if isinstance(sorts, list) else []
    if len(rules) > 1:
        raise errors.bad_request("only one sort is allowed")
    for rule in rules:
        if isinstance(rule, dict):
            name, descending = str(rule.get("propertyName")), rule.get("direction") == "DESCENDING"
        else:
            name, descending = str(rule).removeprefix("-"), str(rule).startswith("-")
        if name == _OTHERS_STAMP and kind.modified != name:
            # Contacts take the other objects' stamp, which they lack: the rows come as they are.
            return Property(name, "datetime"), descending
        return property_of(state, kind, name), descending
    return None
