"""A snapshot of the store in which some tables are empty ones of the same names: what is computed into them is gone afterwards.

So the statements of an evaluation run unchanged over another instant, or other rules, and the store is only read.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import (
    Column,
    Connection,
    FromClause,
    MetaData,
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

from store.engine import Store
from store.tables import fact_sets, facts, health_parts, metadata, narrowed_facts, past_facts, portfolio_stats

COMPUTED: tuple[Table, ...] = (facts, past_facts, fact_sets, narrowed_facts, health_parts, portfolio_stats)
"""The tables of the portfolio: everything that a full evaluation computes before it asks the rules."""
_HAPPENED = ("occurred_at", "valid_from", "at")
"""The column beside `recorded_at` that says when it was so."""


@contextmanager
def scratch(store: Store, *, one_clock: bool = False) -> Iterator[Connection]:
    """A connection in one transaction over a consistent snapshot, the tables of the portfolio being empty and its own.

    Nothing is kept, and on PostgreSQL nothing else can be written. `one_clock`: every row counts as recorded when it
    happened, so that a late entry is seen before anybody had made it.
    """
    if store.is_sqlite:
        with store.read() as connection:
            _shadow(connection, "main", one_clock=one_clock)
            yield connection
        return
    # A connection of its own: a plan that another transaction has prepared names the real tables.
    engine = create_engine(store.engine.url, poolclass=NullPool, isolation_level="REPEATABLE READ")
    try:
        with engine.connect() as connection, connection.begin() as transaction:
            schema = str(connection.scalar(text("SELECT current_schema()")))
            _shadow(connection, schema, one_clock=one_clock)
            connection.execute(text("SET TRANSACTION READ ONLY"))  # temporary tables may still be filled
            yield connection
            transaction.rollback()
    finally:
        engine.dispose()


def empty(connection: Connection) -> None:
    """Clear the tables of the portfolio, for the next instant."""
    for one in COMPUTED:
        connection.execute(one.delete())


def _shadow(connection: Connection, schema: str, *, one_clock: bool) -> None:
    for one in COMPUTED:
        # Without its foreign keys: a temporary table may not refer to one that stays.
        columns = [Column(c.name, c.type, primary_key=c.primary_key, autoincrement=False) for c in one.columns]
        connection.execute(CreateTable(Table(one.name, MetaData(), *columns, prefixes=["TEMPORARY"])))
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
