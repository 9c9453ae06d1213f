"""A snapshot of the store in which some tables are empty ones of the same names: what is computed into them is gone afterwards.

So the statements of an evaluation run unchanged over another instant, or other rules, and the store is only read.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from sqlalchemy import (
    Connection,
    FromClause,
    NestedTransaction,
    NullPool,
    Table,
    case,
    column,
    create_engine,
    select,
    table,
    text,
)
from sqlalchemy.schema import CreateTable

from store import factsets, temporary
from store.engine import Aside, Store
from store.tables import dirty, fact_sets, facts, health_parts, metadata, narrowed_facts, past_facts, portfolio_stats
from store.temporary import ONLY_READS, like

COMPUTED: tuple[Table, ...] = (facts, past_facts, fact_sets, narrowed_facts, health_parts, portfolio_stats)
"""The tables of the portfolio: everything that a full evaluation computes before it asks the rules."""
_SHADOWED = (*COMPUTED, dirty)
"""What is still to be derived is nothing of a past instant, and nobody may take it from here."""
_HAPPENED = ("occurred_at", "valid_from", "at")
"""The column beside `recorded_at` that says when it was so."""


class Scratch(Store):
    """The store of one such snapshot: reading and writing are on its one connection, and what is written is the portfolio's."""

    def __init__(self, real: Store, connection: Connection) -> None:
        self.url, self.is_sqlite, self.engine = real.url, real.is_sqlite, real.engine
        self.connection = connection
        self._reading: NestedTransaction | None = None

    def only_read(self) -> None:
        """Refuse every change of the store itself, on PostgreSQL; on SQLite `_only_reading` does."""
        if not self.is_sqlite:
            self._reading = self.connection.begin_nested()
            self.connection.execute(text("SET TRANSACTION READ ONLY"))  # temporary tables may still be filled
            self.connection.info[ONLY_READS] = True

    def clear(self) -> None:
        """Empty the tables of the portfolio, for the next instant."""
        if self._reading is not None:  # what it may do is that of the transaction around it again
            self._reading.commit()
            del self.connection.info[ONLY_READS]
        for one in (*COMPUTED, *factsets.rooms()):
            temporary.empty(self.connection, one)
        self.only_read()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """The snapshot's connection."""
        yield self.connection

    @contextmanager
    def write(self, patience: float | None = None) -> Iterator[Connection]:
        """The same one; it is committed never."""
        del patience
        yield self.connection

    @contextmanager
    def aside(self) -> Iterator[Aside]:
        """The same one, for everything."""
        yield _Here(self, self.connection)


class _Here(Aside):
    """Computing and writing in the snapshot's one transaction."""

    @contextmanager
    def compute(self) -> Iterator[Connection]:
        yield self._connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        yield self._connection


@contextmanager
def scratch(store: Store, *, one_clock: bool = False) -> Iterator[Scratch]:
    """A consistent snapshot in one transaction, the tables of the portfolio being empty and its own.

    Nothing is kept, and on PostgreSQL nothing else can be written. `one_clock`: every row counts as recorded when it
    happened, so that a late entry is seen before anybody had made it.
    """
    if store.is_sqlite:
        with store.read() as connection:
            _shadow(connection, "main", one_clock=one_clock)
            with factsets.room(connection), _only_reading(connection):
                yield Scratch(store, connection)
        return
    # A connection of its own: a plan that another transaction has prepared names the real tables.
    engine = create_engine(store.engine.url, poolclass=NullPool, isolation_level="REPEATABLE READ")
    try:
        with engine.connect() as connection, connection.begin() as transaction:
            schema = str(connection.scalar(text("SELECT current_schema()")))
            _shadow(connection, schema, one_clock=one_clock)
            with factsets.room(connection):
                apart = Scratch(store, connection)
                apart.only_read()
                yield apart
            transaction.rollback()
    finally:
        engine.dispose()


@contextmanager
def _only_reading(connection: Connection) -> Iterator[None]:
    """Refuse every change of the store itself."""
    changes = {sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE}

    def judge(action: int, _first: str | None, _second: str | None, database: str | None, _inner: str | None) -> int:
        return sqlite3.SQLITE_DENY if action in changes and database == "main" else sqlite3.SQLITE_OK

    driver = cast("sqlite3.Connection", connection.connection.dbapi_connection)
    driver.set_authorizer(judge)
    try:
        yield
    finally:
        driver.set_authorizer(None)


def _shadow(connection: Connection, schema: str, *, one_clock: bool) -> None:
    for one in _SHADOWED:
        connection.execute(CreateTable(like(one, one.name)))
    for one in metadata.sorted_tables if one_clock else ():
        if "recorded_at" in one.c:
            _at_once(connection, one, schema)


def _at_once(connection: Connection, real: Table, schema: str) -> None:
    """A view in the table's place, in which nothing was recorded later than it happened."""
    happened = next((name for name in _HAPPENED if name in real.c), None)
    if happened is None:  # a table of what is now, not of what was
        return
    below: FromClause = table(real.name, *(column(c.name) for c in real.columns), schema=schema)
    earlier = case((below.c.recorded_at > below.c[happened], below.c[happened]), else_=below.c.recorded_at)
    columns = [earlier.label(c.name) if c.name == "recorded_at" else below.c[c.name] for c in real.columns]
    body = select(*columns).compile(connection, compile_kwargs={"literal_binds": True})
    connection.exec_driver_sql(f"CREATE TEMPORARY VIEW {real.name} AS {body}")
