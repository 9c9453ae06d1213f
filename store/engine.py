"""Open the store: SQLite with the settings that survive a kill, or PostgreSQL by URL."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.pool import NullPool, QueuePool
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction
from sqlalchemy.types import NullType

from store import portions, touched

_BUSY_MS = 30_000
_CONNECT_SECONDS = 10
# SQLite's own 2 MiB hold the facts of a few hundred accounts: each rule would fetch those of a thousand again. It is per
# connection, and a sync promises to stay small; what computes facts and asks rules comes back to the same pages, and takes
# more of a large store.
_CACHE_KIB = 16 * 1024
_ROOMY_KIB = 256 * 1024
_ROOMY_SHARE = 20
# Any number of one's own but that of daemon/lock.py; PostgreSQL counts them per database.
_TURN = text("SELECT pg_advisory_xact_lock(7083614)")
# Facts and rules of a thousand touched accounts write some 1,200 pages. With 1,000, SQLite's own limit, the rules' commit
# carried these over into the store each time; with 4,000 the log is 16 MB, and pages written several times go over once.
_CHECKPOINT_PAGES = 4_000
# Facts and rules of touched accounts are some 150 statements: of 128, Python's own limit, each is gone when it comes again, and
# to prepare them takes longer than a thousand accounts.
_PREPARED = 500
_SNAPSHOT: dict[str, Any] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


class Store:
    """One database. `read()` and `write()` give a connection inside one transaction; threads share the Store, never a connection."""

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        self.url = url
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        # Parameters are what the rows hold: subjects, addresses. They stay out of every error's text.
        if self.is_sqlite:
            # The one given back last comes first: it has the statements prepared and the pages read.
            pooled = {"poolclass": QueuePool, "pool_size": 8, "max_overflow": 16, "pool_use_lifo": True}
            prepared = {"cached_statements": _PREPARED}
            self.engine = create_engine(parsed, hide_parameters=True, connect_args=prepared, **pooled)
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        else:
            pool = NullPool if parsed.query.get("pool") == "none" else QueuePool
            patient = {} if "connect_timeout" in parsed.query else {"connect_timeout": _CONNECT_SECONDS}
            self.engine = create_engine(parsed, hide_parameters=True, poolclass=pool, connect_args=patient)
        touched.watch(self.engine)
        portions.watch(self.engine)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent snapshot; nothing it does is kept."""
        with self.engine.connect() as plain:
            options = {} if self.is_sqlite else _SNAPSHOT
            connection = plain.execution_options(**options)
            with connection.begin() as transaction:
                yield connection
                transaction.rollback()

    @contextmanager
    def write(self, patience: float | None = None) -> Iterator[Connection]:
        """One transaction, committed when the block ends and rolled back when it raises. Keep it short: the others wait.

        Writers take turns, on PostgreSQL as on SQLite: what one of them has read is still so when it writes.
        `patience`: seconds to wait for one's turn, then OperationalError; None: as long as it takes (SQLite: 30 s).
        """
        with self.engine.connect() as connection, _writing(connection, patience):
            yield connection

    @contextmanager
    def aside(self) -> Iterator[Aside]:
        """A connection of one's own for long computations, whose results are then written in short transactions."""
        with self.engine.connect() as connection:
            if self.is_sqlite:
                _make_roomy(connection)
            yield Aside(self, connection)

    def close(self) -> None:
        """Give every connection back; unclosed ones warn on Python 3.13."""
        self.engine.dispose()


class Aside:
    """One connection: what is computed on it, into temporary tables, is there when it writes, and nobody waits meanwhile."""

    def __init__(self, store: Store, connection: Connection) -> None:
        self._store, self._connection = store, connection

    @contextmanager
    def compute(self) -> Iterator[Connection]:
        """A transaction over a consistent snapshot, committed when the block ends; only temporary tables may change."""
        options: dict[str, Any] = {} if self._store.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        connection = self._connection.execution_options(tierd_write=False, tierd_patience=None, **options)
        with connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """As `Store.write`."""
        if not self._store.is_sqlite:
            self._connection.execution_options(isolation_level="READ COMMITTED")
        with _writing(self._connection, None):
            yield self._connection


@contextmanager
def _writing(connection: Connection, patience: float | None) -> Iterator[None]:
    milliseconds = None if patience is None else max(1, round(patience * 1_000))
    connection = connection.execution_options(tierd_write=True, tierd_patience=milliseconds)
    with connection.begin():
        if connection.dialect.name != "sqlite":
            if milliseconds is not None:
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = {milliseconds}")
            connection.execute(_TURN)
        yield


def _prepare_sqlite(dbapi: sqlite3.Connection, _record: Any) -> None:
    dbapi.isolation_level = None  # the driver must not begin transactions on its own; `_begin_sqlite` does
    cursor = dbapi.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",  # with NORMAL a committed transaction may roll back after power loss
        "foreign_keys=ON",
        f"busy_timeout={_BUSY_MS}",
        f"wal_autocheckpoint={_CHECKPOINT_PAGES}",
        f"cache_size=-{_CACHE_KIB}",
        f"temp.cache_size=-{_CACHE_KIB}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
    _give_rounding(dbapi)


def _make_roomy(connection: Connection) -> None:
    """Keep a twentieth of the store in memory, for as long as the pool keeps the connection: pages read for the facts are
    there for the rules that come next.
    """
    driver: Any = connection.connection.driver_connection
    sizes = (driver.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
    kib = max(_CACHE_KIB, min(_ROOMY_KIB, math.prod(sizes) // 1024 // _ROOMY_SHARE))
    driver.execute(f"PRAGMA cache_size=-{kib}")


def _give_rounding(dbapi: sqlite3.Connection) -> None:
    """SQLite's own are a compile-time option. A double stays one, as on PostgreSQL: it may be beyond 64 bits."""
    dbapi.create_function("floor", 1, lambda x: None if x is None else float(math.floor(x)), deterministic=True)
    try:
        dbapi.execute("SELECT ceil(1.5)")
    except sqlite3.OperationalError:
        dbapi.create_function("ceil", 1, lambda x: None if x is None else float(math.ceil(x)), deterministic=True)


class _Floor(GenericFunction[Any]):
    """`func.floor`; SQLAlchemy lays a function of Python over SQLite's own, which fifteen calls per customer feel."""

    name = "floor"
    inherit_cache = True
    type = NullType()


@compiles(_Floor, "sqlite")
def _floor_on_sqlite(element: _Floor, compiler: SQLCompiler, **words: Any) -> str:
    return f"(-ceil(-({compiler.process(element.clauses, **words)})))"


def _begin_sqlite(connection: Connection) -> None:
    # A deferred transaction that later writes can fail at once with SQLITE_BUSY, whatever the busy timeout says.
    options = connection.get_execution_options()
    immediate = options.get("tierd_write", False)
    wanted = options.get("tierd_patience") or _BUSY_MS
    if connection.info.get("busy_ms", _BUSY_MS) != wanted:
        connection.exec_driver_sql(f"PRAGMA busy_timeout={wanted}")
        connection.info["busy_ms"] = wanted
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def dialect_name(bind: Connection | Engine) -> str:
    """`sqlite` or `postgresql`: for the few statements whose syntax differs (upsert)."""
    return bind.dialect.name
