"""Which rows a statement must look at, and in which order they come: indexes by Id and by SystemModstamp do most of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from sandbox.clock import SECOND
from sandbox.salesforce import ids
from sandbox.salesforce.errors import Refused
from sandbox.salesforce.org import Getter, Org
from sandbox.salesforce.soql import tree
from sandbox.salesforce.soql.bind import Binder
from sandbox.versions import Row

MAX_OFFSET = 2000
"""Highest OFFSET that SOQL takes."""
_MANY = 500
"""More ids than this in a condition are not looked up one by one."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What every match obeys: `low` <= SystemModstamp < `high` in µs, Id > `after` if its stamp is `low` (or no low is set).

    `only` are the ids that alone can match.
    """

    low: int | None = None
    high: int | None = None
    after: str | None = None
    only: frozenset[str] | None = None


def matches(org: Org, binder: Binder, statement: tree.Statement, everything: bool) -> Iterator[Row]:
    """The statement's rows: filtered, in order, cut by LIMIT and OFFSET."""
    if statement.offset > MAX_OFFSET:
        raise Refused(400, "NUMBER_OUTSIDE_VALID_RANGE", f"Maximum SOQL offset allowed is {MAX_OFFSET}")
    where = binder.test(statement.where) if statement.where else None
    keys = [(binder.sort_key(order), order) for order in statement.order]
    shown = org.shows(binder.sobject, everything)
    bounds = bounds_of(statement.where) if statement.where else Bounds()
    source, ordered = _source(org, binder, statement, bounds)
    kept: Iterator[Row] = (row for row in source if shown(row) and (where is None or where(row)))
    if keys and not ordered:
        kept = iter(_sorted(list(kept), keys))
    last = None if statement.limit is None else statement.offset + statement.limit
    return islice(kept, statement.offset, last)


def _source(org: Org, binder: Binder, statement: tree.Statement, bounds: Bounds) -> tuple[Iterable[Row], bool]:
    """Rows among which all matches are, and whether they come in the statement's order; by Id if it has none."""
    table = org.source(binder.sobject)
    by_stamp, by_id = _in_stamp_order(statement.order), _in_id_order(statement.order)
    if bounds.only is not None and len(bounds.only) <= _MANY:
        found = [row for row_id in sorted(bounds.only) if (row := table.rows.get(row_id)) is not None]
        return found, by_id or not statement.order
    if by_stamp:
        return table.by_modified(bounds.low, bounds.high, bounds.after), True
    if bounds.low is not None or bounds.high is not None:
        return sorted(table.by_modified(bounds.low, bounds.high), key=_id), by_id or not statement.order
    return table.by_id(bounds.after), by_id or not statement.order


def _id(row: Row) -> str:
    return row.id


def _sorted(rows: list[Row], keys: list[tuple[Getter, tree.Order]]) -> list[Row]:
    """Stable sorts from the last key to the first; nulls stand at one end whatever the direction."""
    for get, order in reversed(keys):
        nulls = [row for row in rows if get(row) is None]
        valued = [row for row in rows if get(row) is not None]
        valued.sort(key=get, reverse=order.descending)  # type: ignore[arg-type]  # values of one field compare
        rows = valued + nulls if order.nulls_last else nulls + valued
    return rows


def _in_stamp_order(order: tuple[tree.Order, ...]) -> bool:
    """Whether the table's own index is the order asked for: SystemModstamp, Id, both ascending."""
    return _names(order) in (["systemmodstamp"], ["systemmodstamp", "id"]) and not any(k.descending for k in order)


def _in_id_order(order: tuple[tree.Order, ...]) -> bool:
    return _names(order)[:1] == ["id"] and not order[0].descending


def _names(order: tuple[tree.Order, ...]) -> list[str]:
    return [str(key.path).lower() if isinstance(key.path, tree.Path) else "" for key in order]


def bounds_of(condition: tree.Condition) -> Bounds:
    """The bounds that a condition sets on Id and SystemModstamp; wider than need be is fine, the test itself is exact."""
    if isinstance(condition, tree.Comparison):
        return _comparison_bounds(condition)
    if isinstance(condition, tree.Not):
        return Bounds()
    parts = [bounds_of(part) for part in condition.parts]
    return _both(parts) if isinstance(condition, tree.All) else _either(parts)


def _both(parts: list[Bounds]) -> Bounds:
    low = max((b.low for b in parts if b.low is not None), default=None)
    high = min((b.high for b in parts if b.high is not None), default=None)
    # An `after` that came with a lower stamp than the highest says nothing about rows of the highest.
    after = max((b.after for b in parts if b.after is not None and b.low in (None, low)), default=None)
    sets = [b.only for b in parts if b.only is not None]
    return Bounds(low, high, after, frozenset.intersection(*sets) if sets else None)


def _either(parts: list[Bounds]) -> Bounds:
    """`(SystemModstamp = t AND Id > x) OR SystemModstamp > t` begins after (t, x): the keyset form of R3."""
    if any(b.only is not None for b in parts):
        every = [b.only for b in parts if b.only is not None]
        return Bounds(only=frozenset().union(*every)) if len(every) == len(parts) else Bounds()
    lows, highs = [b.low for b in parts], [b.high for b in parts]
    if None in lows:
        same = {b.after for b in parts}
        return Bounds(after=same.pop() if len(same) == 1 and set(lows) == {None} else None)
    low = min(v for v in lows if v is not None)
    first = [b for b in parts if b.low == low]
    after = min((b.after for b in first if b.after is not None), default=None) if all(b.after for b in first) else None
    return Bounds(low, None if None in highs else max(v for v in highs if v is not None), after)


def _comparison_bounds(comparison: tree.Comparison) -> Bounds:
    if comparison.join is not None or not isinstance(comparison.path, tree.Path):
        return Bounds()
    name, op = str(comparison.path).lower(), comparison.op
    if name == "id" and op in ("=", "in", ">", ">="):
        return _id_bounds(op, [ids.normal(str(literal.value)) for literal in comparison.literals])
    value = comparison.literals[0].value
    if name != "systemmodstamp" or comparison.literals[0].kind != "datetime" or not isinstance(value, int):
        return Bounds()
    # Stamps are whole seconds: what lies above a second begins with the next, what lies above part of one with that too.
    second = value - value % SECOND
    match op:
        case ">":
            return Bounds(low=second + SECOND)
        case ">=":
            return Bounds(low=second if value == second else second + SECOND)
        case "<":
            return Bounds(high=second if value == second else second + SECOND)
        case "<=":
            return Bounds(high=second + SECOND)
        case "=":
            return Bounds(low=second, high=second + SECOND)
    return Bounds()


def _id_bounds(op: str, wanted: list[str | None]) -> Bounds:
    known = [text for text in wanted if text is not None]
    if op in ("=", "in"):
        return Bounds(only=frozenset(known))
    if not known:
        return Bounds()
    # `after` leaves out the id itself, so >= begins just before it: at the same id without its last character.
    return Bounds(after=known[0] if op == ">" else known[0][:-1])
