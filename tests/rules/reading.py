"""Reads facts as tests want them: of rows put together by hand, or of a store, by statements that are built once."""

from __future__ import annotations

from functools import partial
from typing import Any

from sqlalchemy import Connection

from daemon.timed import timed
from rules.facts import FactSettings, portfolio
from store.records import Instant
from tests.rules.derived_rows import NOW, Rows

Row = dict[str, Any]
PLAIN = FactSettings()


def facts_of(conn: Connection, rows: Rows, as_of: Instant = NOW, settings: FactSettings = PLAIN) -> dict[int, Row]:
    """Account -> its row of facts, of these rows alone; the connection is left as it was."""
    with conn.begin() as transaction:
        rows.save(conn)
        found = portfolio_at(conn, as_of, settings)
        transaction.rollback()
    return {row["account_id"]: row for row in found}


def portfolio_at(
    conn: Connection, as_of: Instant, settings: FactSettings = PLAIN, *, stored: bool | None = None
) -> list[Row]:
    """The facts of every customer at an instant, computed from nothing; with the statistics that are `stored`, or its own."""
    build = partial(portfolio, settings=settings, stored=stored)
    rows = timed(f"portfolio of a test, stored: {stored}", settings, as_of, build)
    return [dict(row) for row in rows.read(conn).mappings()]
