"""Small tools that the query modules share: lists of (source, id), and upserts that both databases understand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import CTE, ColumnElement, Connection, Table, Text, and_, column, false, or_, values
from sqlalchemy.dialects import postgresql, sqlite

T = TypeVar("T")
Ref = tuple[str, str]
"""(source, id): names one row of one CRM."""

_IN = 5_000
"""How many values go into one IN list: well below SQLite's 32,766 parameters."""


def by_source(source: ColumnElement[Any], key: ColumnElement[Any], refs: Iterable[Ref]) -> ColumnElement[bool]:
    """Rows named by `refs`. A list of row values would not use the index on SQLite; source = x AND id IN (...) does."""
    ids: defaultdict[str, list[str]] = defaultdict(list)
    for name, ref in sorted(set(refs)):
        ids[name].append(ref)
    return or_(false(), *(and_(source == name, key.in_(values)) for name, values in ids.items()))


def listed(name: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> CTE:
    """Rows of texts as a table to join with: as lists (a IN ... AND b IN ...) SQLite would try every pair."""
    data = [tuple(row) for row in rows]
    return values(*(column(c, Text) for c in columns), name=name).data(data).cte(name)


def chunks(items: Sequence[T], size: int = _IN) -> Iterator[Sequence[T]]:
    """Slices of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def upsert(conn: Connection, table: Table, rows: Sequence[Mapping[str, Any]], *, keep: Iterable[str] = ()) -> None:
    """INSERT ... ON CONFLICT (primary key) DO UPDATE. Columns in `keep` stay as they are on a row that exists."""
    if not rows:
        return
    insert = (sqlite if conn.dialect.name == "sqlite" else postgresql).insert(table)
    keys = [column.name for column in table.primary_key]
    kept = {*keys, *keep}
    changing = {name: insert.excluded[name] for name in rows[0] if name not in kept}
    statement = (
        insert.on_conflict_do_update(index_elements=keys, set_=changing)
        if changing
        else insert.on_conflict_do_nothing(index_elements=keys)
    )
    conn.execute(statement, [dict(row) for row in rows])
