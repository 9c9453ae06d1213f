"""How values of one field are compared: text without case, instants in seconds, null as a value, date words as ranges."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable

from sandbox.clock import SECOND
from sandbox.salesforce.org import Getter
from sandbox.salesforce.schema import ID_TYPES, NUMBER_TYPES, TEXT_TYPES, Field
from sandbox.versions import At, On, Row

Test = Callable[[Row], bool]

ORDERED: dict[str, Callable[[object, object], bool]] = {
    "<": operator.lt,  # type: ignore[dict-item]  # both sides are of one type by then
    "<=": operator.le,  # type: ignore[dict-item]
    ">": operator.gt,  # type: ignore[dict-item]
    ">=": operator.ge,  # type: ignore[dict-item]
}


def accepts(field: Field) -> tuple[str, frozenset[str]]:
    """The vendor's word for the field's type and the kinds of literals that it takes."""
    if field.type in TEXT_TYPES or field.type in ID_TYPES:
        return "string", frozenset({"string"})
    if field.type in NUMBER_TYPES:
        return ("int" if field.type == "int" else "double"), frozenset({"number"})
    if field.type == "datetime":
        return "dateTime", frozenset({"datetime", "relative"})
    if field.type == "date":
        return "date", frozenset({"date", "relative"})
    return "boolean", frozenset({"bool"})


def including(get: Getter, wanted: list[object], inside: bool) -> Test:
    """INCLUDES and EXCLUDES of a multi-select picklist: one of `a;b` must all be among the chosen values."""
    sets = [frozenset(str(value).split(";")) for value in wanted if value is not None]

    def test(row: Row) -> bool:
        chosen = frozenset(str(get(row) or "").split(";"))
        return any(needed <= chosen for needed in sets) is inside

    return test


def comparable(get: Getter, kind: str) -> Getter:
    """Text folded to one case (empty is null), instants in seconds, days as numbers."""
    if kind in TEXT_TYPES:
        return lambda row: str(value).casefold() if (value := get(row)) not in (None, "") else None
    if kind == "datetime":
        return lambda row: value.us // SECOND if isinstance(value := get(row), At) else None
    if kind == "date":
        return lambda row: value.day if isinstance(value := get(row), On) else None
    return get


def single(get: Getter, op: str, wanted: object) -> Test:
    """One comparison with one value."""
    if op == "=":
        return lambda row: get(row) == wanted
    if op == "!=":
        # Two-valued logic: null is a value like any other, so != finds it.
        return lambda row: get(row) != wanted
    if wanted is None:
        return _never
    compare = ORDERED[op]
    return lambda row: (value := get(row)) is not None and compare(value, wanted)


def _never(_: Row) -> bool:
    return False


def among(get: Getter, wanted: Iterable[object], inside: bool) -> Test:
    """IN and NOT IN."""
    chosen = set(wanted)
    return lambda row: (get(row) in chosen) is inside


def in_range(get: Getter, op: str, bounds: object) -> Test:
    """A date word means a range of days: = lies in it, < lies before it."""
    assert isinstance(bounds, tuple)
    low, high = bounds
    compare: dict[str, Callable[[float], bool]] = {
        "=": lambda v: low <= v < high,
        "in": lambda v: low <= v < high,
        "!=": lambda v: not low <= v < high,
        "not-in": lambda v: not low <= v < high,
        "<": lambda v: v < low,
        "<=": lambda v: v < high,
        ">": lambda v: v >= high,
        ">=": lambda v: v >= low,
    }
    test, of_null = compare[op], op in ("!=", "not-in")
    return lambda row: test(value) if isinstance(value := get(row), int | float) else of_null


def like_pattern(pattern: str) -> re.Pattern[str]:
    """% any run, _ any one character, backslash before either makes it plain; letter case does not count."""
    out = ""
    for piece in re.findall(r"\\.|.", pattern, flags=re.DOTALL):
        out += {"%": ".*", "_": "."}.get(piece) or re.escape(piece[1:] if len(piece) == 2 else piece)
    return re.compile(out, re.IGNORECASE | re.DOTALL)
