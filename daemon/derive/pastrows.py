"""CRM rows with what is known of their past, as the field mapping reads them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from sqlalchemy import Connection, Row

from rules.past import CRM, Line, PastRow
from store import account_fields, history
from store.records import Instant, Scalar
from store.refs import Ref

Lines = dict[str, list[Line]]


def own_row(conn: Connection, rows: Sequence[Row[Any]]) -> dict[Ref, PastRow]:
    """Account rows with their past; columns of the row itself are fields that begin with @."""
    known = lines_of(conn, "accounts", ((row.source, row.id) for row in rows))
    return {
        (row.source, row.id): past_row(
            row, _columns(row, "name", "owner_id", "customer"), known.get((row.source, row.id))
        )
        for row in rows
    }


def related_rows(conn: Connection, refs: Sequence[Ref]) -> dict[Ref, dict[str, list[PastRow]]]:
    """Per CRM account: the rows of each other object, those that left too."""
    found: defaultdict[Ref, defaultdict[str, list[PastRow]]] = defaultdict(lambda: defaultdict(list))
    deals = account_fields.opportunities(conn, refs)
    objects = account_fields.objects(conn, refs)
    by_kind: defaultdict[str, list[Row[Any]]] = defaultdict(list)
    for row in deals:
        by_kind["opportunities"].append(row)
    for row in objects:
        by_kind[f"objects:{row.object}"].append(row)
    for kind, rows in by_kind.items():
        known = lines_of(conn, kind, ((row.source, row.id) for row in rows))
        for row in rows:
            past = past_row(row, {}, known.get((row.source, row.id)))
            found[row.source, row.crm_account_id][kind.removeprefix("objects:")].append(past)
    return {ref: dict(kinds) for ref, kinds in found.items()}


def lines_of(conn: Connection, kind: str, refs: Iterable[Ref]) -> dict[Ref, Lines]:
    """What is known of the past of these rows, by field, oldest first."""
    found: defaultdict[Ref, defaultdict[str, list[Line]]] = defaultdict(lambda: defaultdict(list))
    for row in history.lines(conn, kind, refs):
        line = Line(row.changed_at, json.loads(row.value), row.origin, row.author)
        found[row.source, row.id][row.field].append(line)
    return {ref: {name: _told(lines) for name, lines in fields.items()} for ref, fields in found.items()}


def _told(lines: list[Line]) -> list[Line]:
    """Where the CRM has a history, what a sync took for the value since creation is none of it."""
    if any(line.origin == CRM for line in lines):
        return [line for line in lines if line.origin == CRM or line.at > 0]
    return lines


def _columns(row: Row[Any], *names: str) -> dict[str, Scalar]:
    return {f"@{name}": getattr(row, name) for name in names}


class StampedRow(Protocol):
    """A row of a mirrored table that has raw fields."""

    @property
    def id(self) -> str: ...  # noqa: D102 - as the column
    @property
    def created_at(self) -> Instant: ...  # noqa: D102
    @property
    def modified_at(self) -> Instant: ...  # noqa: D102
    @property
    def deleted_at(self) -> Instant | None: ...  # noqa: D102
    @property
    def fields(self) -> str: ...  # noqa: D102


def past_row(row: StampedRow, columns: Mapping[str, Scalar], lines: Lines | None) -> PastRow:
    """A row with what is known of its past; `columns` join its raw fields."""
    return PastRow(
        id=row.id,
        created_at=row.created_at,
        modified_at=row.modified_at,
        deleted_at=row.deleted_at,
        now={**json.loads(row.fields), **columns},
        lines=lines or {},
    )
