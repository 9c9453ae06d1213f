"""The accounts that are looked at now, in a temporary table: the same statement serves one of them and ten thousand.

Beside it, as much of their facts as the rules read: twenty rules then walk through short rows, not each through long ones.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, cast

from sqlalchemy import Column, Connection, Engine, MetaData, Select, Table, delete, event, insert, select
from sqlalchemy.schema import CreateTable, DropTable
from sqlalchemy.sql.visitors import replacement_traverse

from store.tables import RowId, facts

_touched = Table(
    "touched_accounts",
    MetaData(),
    Column("account_id", RowId, primary_key=True, autoincrement=False),
    prefixes=["TEMPORARY"],
)
ACCOUNTS: Select[int] = select(_touched.c.account_id)
"""Their ids. It belongs into `IN (SELECT ...)`: as a join SQLite reads whole tables for a handful of accounts."""
_HERE, _COLUMNS = "touched_accounts", "touched_facts"


def _copied(column: Column[Any]) -> Column[Any]:
    return Column(column.name, column.type, primary_key=column.primary_key, autoincrement=False)


touched_facts = Table(_COLUMNS, MetaData(), *map(_copied, facts.columns))
"""As it is named in statements; what there is of its columns in the database is what `put_facts` put there."""


def put(conn: Connection, accounts: Collection[int]) -> Select[int]:
    """Make these the accounts that are looked at on this connection; gives the Select of their ids."""
    wanted = frozenset(accounts)
    if conn.info.get(_HERE) != wanted:  # the same ones as for the rule before: nothing to do
        conn.execute(CreateTable(_touched, if_not_exists=True))
        conn.execute(delete(_touched))
        if wanted:
            conn.execute(insert(_touched), [{"account_id": account} for account in sorted(wanted)])
        conn.info[_HERE] = wanted
    return ACCOUNTS


def put_facts(conn: Connection, accounts: Select[int], names: Collection[str]) -> None:
    """Copy these columns of the facts of `accounts` into `touched_facts`, in the place of those that are there."""
    columns = sorted({"account_id", *names})
    table = Table(_COLUMNS, MetaData(), *(_copied(touched_facts.c[name]) for name in columns), prefixes=["TEMPORARY"])
    if conn.info.get(_COLUMNS) != columns:  # other rules than before
        conn.execute(DropTable(table, if_exists=True))
        conn.execute(CreateTable(table))
        conn.info[_COLUMNS] = columns
    conn.execute(delete(table))
    rows = select(*(facts.c[name] for name in columns)).where(facts.c.account_id.in_(accounts))
    conn.execute(insert(table).from_select(columns, rows))


def short(rows: Select[Any]) -> Select[Any]:
    """A Select over the facts as one over `touched_facts`."""

    def other(element: Any, **_: Any) -> Any:
        if element is facts:
            return touched_facts
        return touched_facts.c[element.name] if isinstance(element, Column) and element.table is facts else None

    return cast("Select[Any]", replacement_traverse(rows, {}, other))


def watch(engine: Engine) -> None:
    """Forget what is in the tables where a transaction that may have filled them is rolled back."""

    def forget(conn: Connection) -> None:
        for name in (_HERE, _COLUMNS):
            conn.info.pop(name, None)

    event.listen(engine, "rollback", forget)
