"""Fill an empty store with the world as fast as its database takes rows: indexes last, foreign keys not looked at."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any, cast

import psycopg

from bench.rules.world import COLUMNS, Row, world
from store.engine import Store
from store.tables import metadata


def fill(store: Store, accounts: int) -> None:
    """Make the tables, fill them, index them, and gather what the database's own upkeep would gather."""
    with store.write() as connection:
        metadata.create_all(connection)
    indexes = [index for table in COLUMNS for index in metadata.tables[table].indexes]
    with store.write() as connection:
        for index in indexes:
            index.drop(connection)
    raw = store.engine.raw_connection()
    try:
        driver: Any = raw.driver_connection
        write = _sqlite(driver) if store.is_sqlite else _postgresql(driver)
        for rows in world(accounts):
            for table in COLUMNS:
                if rows[table]:
                    write(table, rows[table])
        driver.commit()
    finally:
        raw.invalidate()  # its settings must not come back from the pool
    with store.write() as connection:
        for index in sorted(indexes, key=lambda index: str(index.name)):
            index.create(connection)
    if not store.is_sqlite:
        with store.engine.connect() as plain:
            connection = plain.execution_options(isolation_level="AUTOCOMMIT")
            connection.exec_driver_sql("VACUUM ANALYZE")


def _sqlite(driver: sqlite3.Connection) -> Any:
    for pragma in ("foreign_keys=OFF", "synchronous=OFF", "journal_mode=OFF", "cache_size=-500000"):
        driver.execute(f"PRAGMA {pragma}")
    driver.execute("BEGIN")

    def write(table: str, rows: Iterable[Row]) -> None:
        names = ", ".join(f'"{name}"' for name in COLUMNS[table])
        marks = ", ".join("?" * len(COLUMNS[table]))
        driver.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)

    return write


def _postgresql(driver: Any) -> Any:
    connection = cast("psycopg.Connection[Any]", driver)
    connection.execute("SET session_replication_role = replica")  # foreign keys hold by the way the world is made

    def write(table: str, rows: Iterable[Row]) -> None:
        names = ", ".join(f'"{name}"' for name in COLUMNS[table])
        with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({names}) FROM STDIN".encode()) as copy:
            for row in rows:
                copy.write_row(row)

    return write
