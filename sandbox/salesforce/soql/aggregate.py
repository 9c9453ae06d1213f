"""COUNT, COUNT_DISTINCT, SUM, AVG, MIN, MAX and GROUP BY: rows of a kind of their own, AggregateResult."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sandbox.salesforce.errors import Refused
from sandbox.salesforce.schema import ID_TYPES, NUMBER_TYPES, TEXT_TYPES, Field
from sandbox.salesforce.soql import tree
from sandbox.salesforce.soql.bind import Binder, Column
from sandbox.salesforce.soql.compare import ORDERED, comparable
from sandbox.salesforce.soql.parse import located
from sandbox.salesforce.wire import json_value
from sandbox.versions import Row

MAX_GROUPS = 2000
"""A grouped result is one page; there is no second."""
_GROUPED = frozenset({"boolean", "int", "date", "datetime", "double", "currency"}) | ID_TYPES | TEXT_TYPES
_ORDERABLE = frozenset({"date", "datetime"}) | ID_TYPES | TEXT_TYPES | NUMBER_TYPES
_TAKES = {
    "count": _ORDERABLE,
    "count_distinct": _ORDERABLE,
    "min": _ORDERABLE,
    "max": _ORDERABLE,
    "sum": NUMBER_TYPES,
    "avg": NUMBER_TYPES,
}

Measure = Callable[[list[Row]], object]


def is_aggregate(statement: tree.Statement) -> bool:
    """Whether the statement gives AggregateResults instead of rows."""
    return bool(statement.group) or any(isinstance(item, tree.Aggregate) for item in statement.items)


class Grouping:
    """One aggregate statement bound to its object: checks first, then `records`."""

    def __init__(self, binder: Binder, statement: tree.Statement) -> None:
        self._binder = binder
        self._statement = statement
        self._columns = [self._groupable(path) for path in statement.group]
        self._keys = [str(path).lower() for path in statement.group]
        self._outputs = self._select()
        if statement.having is not None and not statement.group:
            raise self._refuse(statement.object_at, "MALFORMED_QUERY", "HAVING needs a GROUP BY")
        if not statement.group and statement.limit is not None:
            message = "Non-grouped query that uses overall aggregate functions cannot also use LIMIT"
            raise self._refuse(statement.object_at, "MALFORMED_QUERY", message)
        self._holds = self._having(statement.having) if statement.having is not None else None
        self._order = [(self._measure_or_key(order.path), order) for order in statement.order]

    def records(self, rows: Iterable[Row]) -> list[dict[str, object]]:
        """A record per group, in the order asked for; one for all rows without GROUP BY."""
        groups = [rows for rows in self._groups(rows) if self._holds is None or self._holds(rows)]
        for measure, order in reversed(self._order):
            groups = _sorted(groups, measure, order)
        first = self._statement.offset
        last = None if self._statement.limit is None else first + self._statement.limit
        groups = groups[first:last]
        if len(groups) > MAX_GROUPS:
            message = (
                "Aggregate query does not support queryMore(), use LIMIT to restrict the results to a single batch"
            )
            raise Refused(400, "EXCEEDED_ID_LIMIT", message)
        return [self._record(group) for group in groups]

    def _record(self, group: list[Row]) -> dict[str, object]:
        record: dict[str, object] = {"attributes": {"type": "AggregateResult"}}
        for name, measure in self._outputs:
            record[name] = json_value(measure(group))
        return record

    def _groups(self, rows: Iterable[Row]) -> list[list[Row]]:
        if not self._statement.group:
            return [list(rows)]
        keys = [comparable(c.get, c.field.type) for c in self._columns]
        groups: dict[tuple[object, ...], list[Row]] = {}
        for row in rows:
            groups.setdefault(tuple(key(row) for key in keys), []).append(row)
        return list(groups.values())

    def _select(self) -> list[tuple[str, Measure]]:
        outputs: list[tuple[str, Measure]] = []
        unnamed = 0
        for item in self._statement.items:
            if isinstance(item, tree.Aggregate):
                name = item.alias or f"expr{unnamed}"
                unnamed += item.alias is None
                outputs.append((name, self._measure(item)))
            elif isinstance(item, tree.Column):
                if str(item.path).lower() not in self._keys:
                    message = f"Field must be grouped or aggregated: {item.path}"
                    raise self._refuse(item.path.at, "MALFORMED_QUERY", message)
                outputs.append((item.alias or item.path.names[-1], self._key(item.path)))
            else:
                raise self._refuse(
                    self._statement.object_at, "MALFORMED_QUERY", "Only fields can be grouped or aggregated"
                )
        names = [name for name, _ in outputs]
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise self._refuse(self._statement.object_at, "MALFORMED_QUERY", f"duplicate alias: {twice}")
        return outputs

    def _measure_or_key(self, path: tree.Path | tree.Aggregate) -> Measure:
        if isinstance(path, tree.Aggregate):
            return self._measure(path)
        if str(path).lower() not in self._keys:
            raise self._refuse(path.at, "MALFORMED_QUERY", f"Ordered field must be grouped or aggregated: {path}")
        column = self._binder.column(path)
        get = comparable(column.get, column.field.type)
        return lambda group: get(group[0])

    def _key(self, path: tree.Path) -> Measure:
        get = self._binder.column(path).get
        return lambda group: get(group[0])

    def _measure(self, item: tree.Aggregate) -> Measure:
        column = self._binder.column(item.path)
        if column.field.type not in _TAKES[item.function] or not column.field.filterable:
            message = f"field {column.field.name} does not support aggregate operator {item.function.upper()}"
            raise self._refuse(item.path.at, "MALFORMED_QUERY", message)
        return _measure(item.function, column)

    def _groupable(self, path: tree.Path) -> Column:
        column = self._binder.column(path)
        if not groupable(column.field):
            message = f"field '{path}' can not be grouped in a query call"
            raise self._refuse(path.at, "MALFORMED_QUERY", message)
        return column

    def _having(self, condition: tree.Condition) -> Callable[[list[Row]], bool]:
        if isinstance(condition, tree.Comparison):
            return self._having_one(condition)
        if isinstance(condition, tree.Not):
            inner = self._having(condition.inner)
            return lambda group: not inner(group)
        parts = [self._having(part) for part in condition.parts]
        if isinstance(condition, tree.All):
            return lambda group: all(part(group) for part in parts)
        return lambda group: any(part(group) for part in parts)

    def _having_one(self, comparison: tree.Comparison) -> Callable[[list[Row]], bool]:
        if not isinstance(comparison.path, tree.Aggregate):
            test = self._binder.test(comparison)
            self._measure_or_key(comparison.path)
            return lambda group: test(group[0])
        measure, wanted = self._measure(comparison.path), comparison.literals[0].value
        if comparison.op in ("=", "!="):
            return lambda group: (measure(group) == wanted) is (comparison.op == "=")
        compare = ORDERED.get(comparison.op)
        if compare is None:
            raise self._refuse(comparison.at, "MALFORMED_QUERY", f"HAVING does not take the operator {comparison.op}")
        return lambda group: (value := measure(group)) is not None and compare(value, wanted)

    def _refuse(self, at: int, code: str, message: str) -> Refused:
        return Refused(400, code, located(self._statement.text, at, message))


def groupable(field: Field) -> bool:
    """Whether GROUP BY takes the field: no numbers with fractions, no long text, no compounds."""
    if field.type == "textarea" and field.length > 255:
        return False
    return field.type in _GROUPED - {"datetime", "double", "currency", "multipicklist"} and field.filterable


def _measure(function: str, column: Column) -> Measure:
    get = column.get
    order = comparable(get, column.field.type)

    def values(group: list[Row]) -> list[float]:
        return [float(v) for row in group if isinstance(v := get(row), int | float)]

    def extreme(pick: Callable[..., Row]) -> Measure:
        def found(group: list[Row]) -> object:
            known = [row for row in group if order(row) is not None]
            return get(pick(known, key=order)) if known else None

        return found

    measures: dict[str, Measure] = {
        "count": lambda group: sum(1 for row in group if get(row) is not None),
        "count_distinct": lambda group: len({value for row in group if (value := order(row)) is not None}),
        "sum": lambda group: sum(found) if (found := values(group)) else None,
        "avg": lambda group: sum(found) / len(found) if (found := values(group)) else None,
        "min": extreme(min),
        "max": extreme(max),
    }
    return measures[function]


def _sorted(groups: list[list[Row]], measure: Measure, order: tree.Order) -> list[list[Row]]:
    nulls = [group for group in groups if measure(group) is None]
    valued = [group for group in groups if measure(group) is not None]
    valued.sort(key=measure, reverse=order.descending)  # type: ignore[arg-type]  # values of one field compare
    return valued + nulls if order.nulls_last else nulls + valued
