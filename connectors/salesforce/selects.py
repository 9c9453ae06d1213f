"""The SELECT statements of a sync: always in the body of a composite, never in an address of their own."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

PAGE = 2_000
"""Rows on a page of a query, and ids in one IN list: 2,000 are 44,000 characters of the 100,000 that SOQL takes."""


def select(object_name: str, fields: Iterable[str], *where: str | None, order: str = "") -> str:
    """A SELECT of these fields, each once; conditions are joined by AND."""
    names = ", ".join(dict.fromkeys(fields))
    conditions = [f"({one})" for one in where if one]
    condition = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"SELECT {names} FROM {object_name}{condition}{f' ORDER BY {order}' if order else ''}"


def query_path(root: str, soql: str, resource: str = "query") -> str:
    """The address of a query below the host; a composite's part has it escaped."""
    return f"{root}/{resource}?q={quote(soql)}"
