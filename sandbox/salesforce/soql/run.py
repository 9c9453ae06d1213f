"""Runs a statement over the org's rows: picks the stamp range, filters, sorts, cuts, and shapes records as JSON wants them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from sandbox.clock import SECOND
from sandbox.salesforce import definitions
from sandbox.salesforce.errors import Refused
from sandbox.salesforce.org import Getter, Org
from sandbox.salesforce.schema import SObject
from sandbox.salesforce.soql import tree
from sandbox.salesforce.soql.bind import Binder, Column
from sandbox.salesforce.soql.parse import located, parse
from sandbox.salesforce.wire import json_value
from sandbox.versions import Row

MAX_OFFSET = 2000
"""Highest OFFSET that SOQL takes."""

Shape = Callable[[Row, str], dict[str, object]]
"""A row and the API version -> its record."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a query found. `rows` go through `shape` page by page; an aggregate has its records ready instead."""

    total: int
    rows: Sequence[Row]
    shape: Shape
    ready: list[dict[str, object]]


@dataclass(frozen=True, slots=True)
class Table:
    """A query's rows for a file: `names` as the header says them, and how to read each cell."""

    sobject: SObject
    names: tuple[str, ...]
    getters: tuple[Getter, ...]
    rows: Sequence[Row]


Check = Callable[[str, tree.Statement, list[Column]], None]
"""May refuse a statement by its object's name, itself and its columns."""


def table(org: Org, text: str, everything: bool, check: Check) -> Table:
    """One statement as a query job runs it. Refused with the vendor's error."""
    statement = parse(text)
    binder = Binder(org, statement)
    paths = [item for item in statement.fields if isinstance(item, tree.Path)]
    columns = _columns(binder, paths, text)
    check(binder.sobject.name, statement, columns)
    rows = list(_rows(org, binder, statement, everything))
    names = [".".join([*(hop.relationship or "" for _, hop in c.hops), c.field.name]) for c in columns]
    return Table(binder.sobject, tuple(names), tuple(c.get for c in columns), rows)


def run(org: Org, text: str, everything: bool) -> Result:
    """One statement as query() runs it, or queryAll() when `everything`. Refused with the vendor's error."""
    statement = parse(text)
    binder = Binder(org, statement)
    counted = [item for item in statement.fields if isinstance(item, tree.Counted)]
    plain = [item for item in statement.fields if isinstance(item, tree.Path)]
    if counted and plain:
        message = f"Field must be grouped or aggregated: {plain[0]}"
        raise Refused(400, "MALFORMED_QUERY", located(text, plain[0].at, message))
    columns = [binder.column(c.path) for c in counted]
    shape = _shape(binder, org, plain, text)
    definitions.check(statement, binder.sobject.name)
    rows = _rows(org, binder, statement, everything)
    if statement.count_all:
        return Result(sum(1 for _ in rows), [], shape, [])
    found = list(rows)
    if counted:
        record = _aggregate(counted, columns, found)
        return Result(1, [], shape, [record])
    return Result(len(found), found, shape, [])


def _aggregate(counted: list[tree.Counted], columns: list[Column], rows: list[Row]) -> dict[str, object]:
    record: dict[str, object] = {"attributes": {"type": "AggregateResult"}}
    for number, (item, column) in enumerate(zip(counted, columns, strict=True)):
        record[item.alias or f"expr{number}"] = sum(1 for row in rows if column.get(row) is not None)
    return record


def _rows(org: Org, binder: Binder, statement: tree.Statement, everything: bool) -> Iterator[Row]:
    if statement.offset > MAX_OFFSET:
        raise Refused(400, "NUMBER_OUTSIDE_VALID_RANGE", f"Maximum SOQL offset allowed is {MAX_OFFSET}")
    where = binder.test(statement.where) if statement.where else None
    keys = [(binder.sort_key(order), order) for order in statement.order]
    shown = org.shows(binder.sobject, everything)
    low, high = _stamp_range(statement.where) if statement.where else (None, None)
    source: Iterable[Row]
    if _in_stamp_order(statement.order):
        source, keys = org.rows(binder.sobject, low, high), []
    elif low is not None or high is not None:
        source = sorted(org.rows(binder.sobject, low, high), key=_id)
    else:
        source = org.source(binder.sobject).by_id()
    kept: Iterator[Row] = (row for row in source if shown(row) and (where is None or where(row)))
    if keys:
        kept = iter(_sorted(list(kept), keys))
    last = None if statement.limit is None else statement.offset + statement.limit
    return islice(kept, statement.offset, last)


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
    names = [str(key.path).lower() for key in order]
    return names in (["systemmodstamp"], ["systemmodstamp", "id"]) and not any(key.descending for key in order)


def _stamp_range(condition: tree.Condition) -> tuple[int | None, int | None]:
    """Bounds [low, high) in µs on SystemModstamp that every match obeys; None is no bound."""
    if isinstance(condition, tree.Comparison):
        return _comparison_range(condition)
    if isinstance(condition, tree.Not):
        return None, None
    ranges = [_stamp_range(part) for part in condition.parts]
    lows, highs = [r[0] for r in ranges], [r[1] for r in ranges]
    if isinstance(condition, tree.All):
        return max((v for v in lows if v is not None), default=None), min(
            (v for v in highs if v is not None), default=None
        )
    low = None if None in lows else min(v for v in lows if v is not None)
    return low, None if None in highs else max(v for v in highs if v is not None)


def _comparison_range(comparison: tree.Comparison) -> tuple[int | None, int | None]:
    literal = comparison.literals[0]
    if (
        str(comparison.path).lower() != "systemmodstamp"
        or literal.kind != "datetime"
        or not isinstance(literal.value, int)
    ):
        return None, None
    # Stamps are whole seconds; a bound that is not only widens the range, the test itself is exact.
    second = literal.value - literal.value % SECOND
    if comparison.op in (">", ">="):
        return second, None
    if comparison.op in ("<", "<="):
        return None, second + SECOND
    return (second, second + SECOND) if comparison.op == "=" else (None, None)


def _shape(binder: Binder, org: Org, paths: list[tree.Path], text: str) -> Shape:
    return record_shape(org, binder.sobject, _columns(binder, paths, text))


def _columns(binder: Binder, paths: list[tree.Path], text: str) -> list[Column]:
    """The fields that the statement selects, none of them twice."""
    columns: list[Column] = []
    seen: set[str] = set()
    for path in paths:
        column = binder.column(path)
        key = ".".join([h.name for _, h in column.hops] + [column.field.name]).lower()
        if key in seen:
            raise Refused(400, "INVALID_FIELD", located(text, path.at, f"duplicate field selected: {path}"))
        seen.add(key)
        columns.append(column)
    return columns


def record_shape(org: Org, sobject: SObject, columns: list[Column]) -> Shape:
    """Records of one object: attributes, then the columns in their order; parents nest with attributes of their own."""
    leaves = [(c.field.name, c.get) for c in columns if not c.hops]
    nested: dict[str, list[Column]] = {}
    for column in columns:
        if column.hops:
            nested.setdefault(column.hops[0][1].relationship or "", []).append(column)
    parents = [(name, _parent(org, group)) for name, group in nested.items()]
    kind = sobject.name

    def shape(row: Row, version: str) -> dict[str, object]:
        record: dict[str, object] = {"attributes": attributes(kind, row.id, version)}
        for name, get in leaves:
            record[name] = json_value(get(row))
        for name, parent in parents:
            record[name] = parent(row, version)
        return record

    return shape


def _parent(org: Org, columns: list[Column]) -> Callable[[Row, str], dict[str, object] | None]:
    """The nested record behind one relationship, None where the reference is empty."""
    owner, hop = columns[0].hops[0]
    reference = org.getter(owner, hop)
    below = [_unhopped(org, c) for c in columns]
    shapes: dict[str, Shape] = {}

    def shape(row: Row, version: str) -> dict[str, object] | None:
        target = reference(row)
        parent = org.behind(hop, str(target)) if target else None
        if parent is None:
            return None
        sobject = org.object_of(parent.id) or org.object(hop.reference_to[0])
        if sobject is None:
            return None
        if sobject.name not in shapes:
            shapes[sobject.name] = record_shape(org, sobject, below)
        return shapes[sobject.name](parent, version)

    return shape


def _unhopped(org: Org, column: Column) -> Column:
    """The same column as seen from the row behind its first hop."""
    hops = column.hops[1:]
    get = org.getter(column.owner, column.field)
    return Column(column.owner, column.field, hops, get)


def attributes(kind: str, row_id: str, version: str) -> dict[str, object]:
    """What every record begins with."""
    return {"type": kind, "url": f"/services/data/v{version}/sobjects/{kind}/{row_id}"}
