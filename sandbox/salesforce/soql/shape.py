"""Records as JSON wants them: attributes first, parents and children nested, TYPEOF by the kind of row behind."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from sandbox.salesforce.errors import Refused
from sandbox.salesforce.org import Org
from sandbox.salesforce.schema import SObject
from sandbox.salesforce.soql import tree
from sandbox.salesforce.soql.bind import Binder, Column
from sandbox.salesforce.soql.parse import located
from sandbox.salesforce.soql.plan import matches
from sandbox.salesforce.wire import json_value
from sandbox.versions import Row

Shape = Callable[[Row, str], dict[str, object]]
"""A row and the API version -> its record."""

Part = Callable[[Row, str], object]
"""The same for one nested value."""


def shape_of(org: Org, binder: Binder, statement: tree.Statement, everything: bool) -> Shape:
    """The shape that a statement's select list asks for."""
    aliased = next((item for item in statement.items if isinstance(item, tree.Column) and item.alias), None)
    if aliased is not None:
        message = "only aggregate expressions use field aliasing"
        raise Refused(400, "MALFORMED_QUERY", located(statement.text, aliased.path.at, message))
    columns = columns_of(binder, statement.paths, statement.text)
    parts: list[tuple[str, Part]] = []
    for item in statement.items:
        if isinstance(item, tree.Children):
            parts.append((item.statement.object, _children(org, binder, item.statement, everything)))
        elif isinstance(item, tree.TypeOf):
            parts.append(_typeof(org, binder, item, statement.text))
    flat = record_shape(org, binder.sobject, columns)
    if not parts:
        return flat

    def shape(row: Row, version: str) -> dict[str, object]:
        record = flat(row, version)
        for name, part in parts:
            record[name] = part(row, version)
        return record

    return shape


def columns_of(binder: Binder, paths: list[tree.Path], text: str) -> list[Column]:
    """The fields of a select list, none of them twice."""
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


def _parent(org: Org, columns: list[Column]) -> Part:
    """The nested record behind one relationship, None where the reference is empty."""
    owner, hop = columns[0].hops[0]
    reference = org.getter(owner, hop)
    below = [Column(c.owner, c.field, c.hops[1:], org.getter(c.owner, c.field)) for c in columns]
    shapes: dict[str, Shape] = {}

    def shape(row: Row, version: str) -> object:
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


def _typeof(org: Org, binder: Binder, item: tree.TypeOf, text: str) -> tuple[str, Part]:
    hop = binder.sobject.by_relationship.get(str(item.path).lower())
    if hop is None or not hop.polymorphic or org.field(binder.sobject, hop.name) is None:
        message = (
            f"Didn't understand relationship '{item.path}' in field path. TYPEOF takes a polymorphic relationship."
        )
        raise Refused(400, "INVALID_FIELD", located(text, item.path.at, message))
    shapes: dict[str, Shape] = {}
    for name, at, paths in item.branches:
        sobject = org.object(name)
        if sobject is None or sobject.name not in hop.reference_to:
            message = f"sObject type '{name}' is not supported in TYPEOF of {item.path}"
            raise Refused(400, "INVALID_TYPE", located(text, at, message))
        shapes[sobject.name] = record_shape(org, sobject, columns_of(Binder(org, text, sobject), list(paths), text))
    reference = org.getter(binder.sobject, hop)

    @cache
    def otherwise(name: str) -> Shape | None:
        sobject = org.object(name)
        if sobject is None or not item.otherwise:
            return None
        return record_shape(org, sobject, columns_of(Binder(org, text, sobject), list(item.otherwise), text))

    def part(row: Row, version: str) -> object:
        target = reference(row)
        there = org.row(str(target)) if target else None
        sobject = None if there is None else org.object_of(there.id)
        if there is None or sobject is None:
            return None
        shape = shapes.get(sobject.name) or otherwise(sobject.name)
        return {"attributes": attributes(sobject.name, there.id, version)} if shape is None else shape(there, version)

    return hop.relationship or "", part


def _children(org: Org, binder: Binder, statement: tree.Statement, everything: bool) -> Part:
    """The rows that point here by one relationship, as a query result of their own; null when there is none."""
    wanted = statement.object.lower()
    known = {name.lower(): pair for name, pair in org.catalogue.references(binder.sobject).items()}
    child, hop = known.get(wanted, (None, None))
    if child is None or hop is None or org.object(child.name) is None:
        message = (
            f"Didn't understand relationship '{statement.object}' in FROM part of query call. If you are attempting to "
            "use a custom relationship, be sure to append the '__r' after the custom relationship name. "
            "Please reference your WSDL or the describe call for the appropriate names."
        )
        raise Refused(400, "INVALID_TYPE", located(statement.text, statement.object_at, message))
    inner = Binder(org, statement.text, child)
    shape = shape_of(org, inner, statement, everything)
    parent = org.getter(child, hop)
    below: dict[str, list[Row]] = {}
    unlimited = tree.without_limit(statement)
    for row in matches(org, inner, unlimited, everything):
        rows = below.setdefault(str(parent(row) or ""), [])
        if statement.limit is None or len(rows) < statement.limit:
            rows.append(row)

    def part(row: Row, version: str) -> object:
        rows = below.get(row.id)
        if not rows:
            return None
        return {"totalSize": len(rows), "done": True, "records": [shape(r, version) for r in rows]}

    return part


def attributes(kind: str, row_id: str, version: str) -> dict[str, object]:
    """What every record begins with."""
    return {"type": kind, "url": f"/services/data/v{version}/sobjects/{kind}/{row_id}"}
