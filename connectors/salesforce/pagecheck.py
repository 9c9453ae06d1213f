"""Pages of a query, and whether an answer can be the page that was asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from connectors.salesforce.composite import Answer, Ask
from connectors.salesforce.cursors import Cursor
from connectors.salesforce.streams import Stream
from connectors.salesforce.values import instant
from store.records import Instant

_OFFSET = re.compile(r"-(\d+)\Z")


@dataclass(frozen=True, slots=True)
class Page:
    """One page to ask for: a stream, its query or the address of its next page, and the cursor before it."""

    stream: Stream
    ask: Ask
    cursor: Cursor
    seen: int = 0
    """Rows on the pages of this query before it."""


@dataclass(frozen=True, slots=True)
class Rows:
    """What a page brought; `following`: the address of the next page."""

    rows: Sequence[Mapping[str, Any]]
    cursor: Cursor
    seen: int
    following: str | None


def rows_of(page: Page, answer: Answer) -> Rows | None:
    """The rows in the order of the query, and the cursor behind them.

    None: this is not the page that was asked for. Proxies and caches have given pages twice, in part, or those of
    another query; rows that are passed over once are never asked for again, so the page counts as not read.
    """
    rows = whole(page.stream.object, answer.body, page.seen)
    if rows is None:
        return None
    field = page.cursor.field or ""
    keyed = [(instant(row.get(field)), str(row["Id"]), row) for row in rows]
    if any(at is None for at, _, _ in keyed):
        return None
    ordered = sorted(keyed, key=lambda one: (one[0] or 0, one[1]))
    cursor = page.cursor
    if ordered and page.seen and (ordered[0][0] or 0, ordered[0][1]) <= _place(cursor):
        return None
    sorted_rows = [row for _, _, row in ordered]
    following = answer.body.get("nextRecordsUrl")
    return Rows(sorted_rows, cursor.behind(sorted_rows), page.seen + len(rows), following)


def whole(object_name: str, body: Any, seen: int) -> list[Any] | None:
    """The rows of an answer, if it is a page of this object and none of its rows is missing.

    `totalSize` counts the rows of the whole query, the end of `nextRecordsUrl` those on the pages so far.
    """
    if not isinstance(body, dict) or not isinstance(body.get("records"), list) or "done" not in body:
        return None
    rows: list[Any] = body["records"]
    if not all(_is_row(row, object_name) for row in rows):
        return None
    following = body.get("nextRecordsUrl")
    if body["done"]:
        expected = body.get("totalSize")
    else:
        if not following:
            return None
        match = _OFFSET.search(following)
        expected = int(match.group(1)) if match else None
    return rows if expected in (None, seen + len(rows)) else None


def _is_row(row: Any, object_name: str) -> bool:
    if not isinstance(row, dict) or not isinstance(row.get("attributes"), dict) or not row.get("Id"):
        return False
    return str(row["attributes"].get("type")).casefold() == object_name.casefold()


def next_page(page: Page, ask: Ask, rows: Rows) -> Page:
    """The page behind one that was read."""
    return replace(page, ask=ask, cursor=rows.cursor, seen=rows.seen)


def _place(cursor: Cursor) -> tuple[Instant, str]:
    return instant(cursor.at) or 0, cursor.id
