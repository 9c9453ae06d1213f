"""The accounts that are looked at now, in a temporary table: the same statement serves one of them and ten thousand."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Column, Connection, Engine, MetaData, Select, Table, event, insert, select
from sqlalchemy.schema import CreateTable

from store.tables import RowId
from store.temporary import empty

_touched = Table(
    "touched_accounts",
    MetaData(),
    Column("account_id", RowId, primary_key=True, autoincrement=False),
    prefixes=["TEMPORARY"],
)
ACCOUNTS: Select[int] = select(_touched.c.account_id)
"""Their ids. It belongs into `IN (SELECT ...)`: as a join SQLite reads whole tables for a handful of accounts."""
_HERE = "touched_accounts"


def put(conn: Connection, accounts: Collection[int]) -> Select[int]:
    """Make these the accounts that are looked at on this connection; gives the Select of their ids."""
    wanted = frozenset(accounts)
    if conn.info.get(_HERE) != wanted:  # the same ones as for the rule before: nothing to do
        conn.execute(CreateTable(_touched, if_not_exists=True))
        empty(conn, _touched)
        if wanted:
            conn.execute(insert(_touched), [{"account_id": account} for account in sorted(wanted)])
            _count(conn)
        conn.info[_HERE] = wanted
    return ACCOUNTS


def _count(conn: Connection) -> None:
    """PostgreSQL takes a temporary table that it has not looked at for several thousand rows, and then rather reads all
    persons than those of a handful of accounts.
    """
    if conn.dialect.name == "postgresql":
        conn.exec_driver_sql(f"ANALYZE pg_temp.{_touched.name}")


def watch(engine: Engine) -> None:
    """Forget what is in the table where a transaction that may have filled it is rolled back."""
    event.listen(engine, "rollback", lambda conn: conn.info.pop(_HERE, None))
