"""Binds a parsed statement to the org: resolves paths, checks types, and makes plain functions over rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sandbox.clock import DAY, SECOND
from sandbox.salesforce import ids
from sandbox.salesforce.errors import Refused
from sandbox.salesforce.objects import NAME_OBJECT
from sandbox.salesforce.org import Getter, Org
from sandbox.salesforce.schema import ID_TYPES, TEXT_TYPES, Field, SObject
from sandbox.salesforce.soql import tree
from sandbox.salesforce.soql.compare import (
    ORDERED,
    Test,
    accepts,
    among,
    comparable,
    in_range,
    including,
    like_pattern,
    single,
)
from sandbox.salesforce.soql.parse import located
from sandbox.versions import Row

_HINT = (
    "If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. "
    "Please reference your WSDL or the describe call for the appropriate names."
)
_OBJECT_HINT = (
    "If you are attempting to use a custom object, be sure to append the '__c' after the entity name. "
    "Please reference your WSDL or the describe call for the appropriate names."
)
_RELATIONSHIP_HINT = (
    "If you are attempting to use a custom relationship, be sure to append the '__r' after the custom relationship name. "
    "Please reference your WSDL or the describe call for the appropriate names."
)
MAX_HOPS = 5
"""Child-to-parent relationships in one path."""


@dataclass(frozen=True, slots=True)
class Column:
    """A resolved path: `hops` are the reference fields on the way, `get` reads the last field from the statement's row."""

    owner: SObject
    field: Field
    hops: tuple[tuple[SObject, Field], ...]
    get: Getter


def find_object(org: Org, text: str, name: str, at: int) -> SObject:
    """The object that FROM names. INVALID_TYPE when there is none for the caller."""
    sobject = org.object(name)
    if sobject is None or not sobject.queryable:
        message = f"sObject type '{name}' is not supported. {_OBJECT_HINT}"
        raise Refused(400, "INVALID_TYPE", located(text, at, message))
    return sobject


class Binder:
    """Resolves names over one object; every refusal carries the vendor's row and column in `text`."""

    def __init__(self, org: Org, text: str, sobject: SObject) -> None:
        self._org = org
        self._text = text
        self.sobject = sobject

    def column(self, path: tree.Path) -> Column:
        """The field that a path names. INVALID_FIELD when there is none."""
        here = self.sobject
        hops: list[tuple[SObject, Field]] = []
        get_row: Callable[[Row], Row | None] = _same
        if len(path.names) - 1 > MAX_HOPS:
            raise self._refuse(path.at, "INVALID_FIELD", f"Too many levels of relationships in field path '{path}'")
        for name in path.names[:-1]:
            if here is self.sobject and not hops and name.lower() == here.name.lower():
                continue
            hop = here.by_relationship.get(name.lower())
            if hop is None or self._org.field(here, hop.name) is None:
                message = f"Didn't understand relationship '{name}' in field path. {_RELATIONSHIP_HINT}"
                raise self._refuse(path.at, "INVALID_FIELD", message)
            hops.append((here, hop))
            get_row = _follow(self._org, get_row, hop, self._org.getter(here, hop))
            target = None if hop.polymorphic else self._org.object(hop.reference_to[0])
            here = target or NAME_OBJECT
        field = self._org.field(here, path.names[-1])
        if field is None:
            message = f"No such column '{path.names[-1]}' on entity '{here.name}'. {_HINT}"
            raise self._refuse(path.at, "INVALID_FIELD", message)
        last = self._org.getter(here, field)
        return Column(here, field, tuple(hops), last if not hops else _through(get_row, last))

    def test(self, condition: tree.Condition) -> Test:
        """A condition as a function over rows."""
        if isinstance(condition, tree.All):
            parts = [self.test(p) for p in condition.parts]
            return lambda row: all(part(row) for part in parts)
        if isinstance(condition, tree.Any):
            parts = [self.test(p) for p in condition.parts]
            return lambda row: any(part(row) for part in parts)
        if isinstance(condition, tree.Not):
            inner = self.test(condition.inner)
            return lambda row: not inner(row)
        return self._comparison(condition)

    def sort_key(self, order: tree.Order) -> Getter:
        """What ORDER BY compares; None for null."""
        if isinstance(order.path, tree.Aggregate):
            raise self._refuse(order.path.at, "MALFORMED_QUERY", "Ordered field must be grouped or aggregated")
        column = self.column(order.path)
        if not column.field.sortable:
            raise self._refuse(
                order.path.at, "INVALID_FIELD", f"field '{order.path}' can not be sorted in a query call"
            )
        return comparable(column.get, column.field.type)

    def _comparison(self, comparison: tree.Comparison) -> Test:
        if isinstance(comparison.path, tree.Aggregate):
            raise self._refuse(comparison.at, "MALFORMED_QUERY", "aggregate functions belong in HAVING, not in WHERE")
        column = self.column(comparison.path)
        if not self._org.may_filter(column.owner, column.field) or column.field.type == "address":
            message = f"field '{column.field.name}' can not be filtered in a query call"
            raise self._refuse(comparison.at, "INVALID_FIELD", message)
        get, op, kind = comparable(column.get, column.field.type), comparison.op, column.field.type
        if comparison.join is not None:
            return self._join(column, get, comparison.join, op == "in")
        if (op in ("includes", "excludes")) > (kind == "multipicklist"):
            raise self._refuse(comparison.at, "INVALID_QUERY_FILTER_OPERATOR", f"invalid operator on {kind} field")
        if (op == "like" and kind not in TEXT_TYPES) or (op in ORDERED and kind == "boolean"):
            name = "id" if kind in ID_TYPES else kind
            raise self._refuse(comparison.at, "INVALID_QUERY_FILTER_OPERATOR", f"invalid operator on {name} field")
        operands = [self._operand(column.field, literal) for literal in comparison.literals]
        if op == "like":
            pattern = like_pattern(str(comparison.literals[0].value))
            return lambda row: (value := get(row)) is not None and pattern.fullmatch(str(value)) is not None
        if comparison.literals[0].kind == "relative" and len(operands) == 1:
            return in_range(get, op, operands[0])
        if op in ("includes", "excludes"):
            return including(get, operands, op == "includes")
        if op in ("in", "not-in"):
            return among(get, operands, op == "in")
        return single(get, op, operands[0])

    def _join(self, column: Column, get: Getter, join: tree.SemiJoin, inside: bool) -> Test:
        """The set of another query's values; both sides must be ids."""
        inner = Binder(self._org, self._text, find_object(self._org, self._text, join.object, join.object_at))
        wanted = inner.column(join.path)
        if column.field.type not in ID_TYPES or wanted.field.type not in ID_TYPES:
            message = "The inner and outer fields of a semi join must be ids"
            raise self._refuse(join.path.at, "MALFORMED_QUERY", message)
        test = inner.test(join.where) if join.where is not None else None
        shown = self._org.shows(inner.sobject, everything=False)
        found = {
            wanted.get(row)
            for row in self._org.source(inner.sobject).by_id()
            if shown(row) and (test is None or test(row))
        }
        return among(get, found - {None}, inside)

    def _operand(self, field: Field, literal: tree.Literal) -> object:
        """The literal as `comparable` would give it. INVALID_FIELD when its type does not fit the field."""
        if literal.kind == "null":
            return None
        wanted, fits = accepts(field)
        if literal.kind not in fits:
            quotes = "should be enclosed in quotes" if wanted == "string" else "should not be enclosed in quotes"
            message = f"value of filter criterion for field '{field.name}' must be of type {wanted} and {quotes}"
            raise self._refuse(literal.at, "INVALID_FIELD", message)
        if field.type in ID_TYPES:
            found = ids.normal(str(literal.value))
            if found is None and literal.value != "":
                raise self._refuse(literal.at, "INVALID_QUERY_FILTER_OPERATOR", f"invalid ID field: {literal.value}")
            return found
        return self._normal(field, literal)

    def _normal(self, field: Field, literal: tree.Literal) -> object:
        if literal.kind == "string":
            # An empty string matches what is empty, and the org keeps no empty strings.
            return str(literal.value).casefold() or None
        if literal.kind == "relative" and isinstance(literal.value, tuple):
            first, last = literal.value
            today = self._org.store.clock.now() // DAY
            unit = DAY // SECOND if field.type == "datetime" else 1
            return (today + first) * unit, (today + last) * unit
        if literal.kind == "datetime" and isinstance(literal.value, int):
            return literal.value / SECOND
        return literal.value

    def _refuse(self, at: int, code: str, message: str) -> Refused:
        return Refused(400, code, located(self._text, at, message))


def _same(row: Row) -> Row | None:
    return row


def _follow(
    org: Org, before: Callable[[Row], Row | None], hop: Field, reference: Getter
) -> Callable[[Row], Row | None]:
    def step(row: Row) -> Row | None:
        here = before(row)
        target = None if here is None else reference(here)
        return org.behind(hop, str(target)) if target else None

    return step


def _through(get_row: Callable[[Row], Row | None], last: Getter) -> Getter:
    return lambda row: None if (parent := get_row(row)) is None else last(parent)
