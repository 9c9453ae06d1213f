"""Runs a statement over the org's rows, for pages of JSON or for a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sandbox.salesforce import definitions
from sandbox.salesforce.org import Getter, Org
from sandbox.salesforce.schema import SObject
from sandbox.salesforce.soql import tree
from sandbox.salesforce.soql.aggregate import Grouping, is_aggregate
from sandbox.salesforce.soql.bind import Binder, Column, find_object
from sandbox.salesforce.soql.parse import parse
from sandbox.salesforce.soql.plan import matches
from sandbox.salesforce.soql.shape import Shape, columns_of, shape_of
from sandbox.versions import Row


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


def run(org: Org, text: str, everything: bool) -> Result:
    """One statement as query() runs it, or queryAll() when `everything`. Refused with the vendor's error."""
    statement, binder = _bound(org, text)
    if is_aggregate(statement):
        grouping = Grouping(binder, statement)
        records = grouping.records(matches(org, binder, tree.bare(statement), everything))
        return Result(len(records), [], _no_shape, records)
    shape = shape_of(org, binder, statement, everything)
    rows = matches(org, binder, statement, everything)
    if statement.count_all and statement.where is None and statement.limit is None and not everything:
        return Result(org.count(binder.sobject), [], shape, [])
    if statement.count_all:
        return Result(sum(1 for _ in rows), [], shape, [])
    found = org.source(binder.sobject).keep(rows)
    return Result(len(found), found, shape, [])


def table(org: Org, text: str, everything: bool, check: Check) -> Table:
    """One statement as a query job runs it. Refused with the vendor's error."""
    statement, binder = _bound(org, text)
    columns = columns_of(binder, statement.paths, text)
    check(binder.sobject.name, statement, columns)
    rows = org.source(binder.sobject).keep(matches(org, binder, statement, everything))
    names = [".".join([*(hop.relationship or "" for _, hop in c.hops), c.field.name]) for c in columns]
    return Table(binder.sobject, tuple(names), tuple(c.get for c in columns), rows)


def _bound(org: Org, text: str) -> tuple[tree.Statement, Binder]:
    statement = parse(text)
    sobject = find_object(org, text, statement.object, statement.object_at)
    definitions.check(statement, sobject.name)
    return statement, Binder(org, text, sobject)


def _no_shape(_row: Row, _version: str) -> dict[str, object]:
    return {}
