"""Read the rows of a query on a foreign database, in a read-only transaction, a few thousand at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import SecretStr

_ROWS = 5_000


def query_rows(url: SecretStr, query: str) -> Iterator[Sequence[Mapping[str, Any]]]:
    """Groups of rows, the first group maybe empty; raises SQLAlchemyError. Nothing that the query does is kept."""
    from sqlalchemy import create_engine, text
    from sqlalchemy.pool import NullPool

    engine = create_engine(url.get_secret_value(), poolclass=NullPool)
    try:
        with engine.connect() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(text("SET TRANSACTION READ ONLY"))
            elif engine.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA query_only=ON")
            # A cursor on the server where the driver has one: the whole answer never lies in memory.
            streamed = connection.execution_options(stream_results=True, max_row_buffer=_ROWS)
            answer = streamed.execute(text(query)).mappings()
            yield [dict.fromkeys(answer.keys())]
            while rows := answer.fetchmany(_ROWS):
                yield [dict(row) for row in rows]
            connection.rollback()
    finally:
        engine.dispose()
