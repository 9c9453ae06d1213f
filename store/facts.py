"""The portfolio's statistics as the last full evaluation has stored them, and what nothing asks for any more."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import Connection, Select, Table, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from store.records import Instant
from store.tables import facts, health_parts, past_facts, portfolio_stats

_KEPT_PER_DISTANCE = (past_facts, health_parts)


def forget(conn: Connection, accounts: Select[int], table: Table = facts, days: int | None = None) -> None:
    """Remove what is kept of these accounts; `days`: of one distance of a table that has some."""
    gone = delete(table).where(table.c.account_id.in_(accounts))
    conn.execute(gone if days is None else gone.where(table.c.days == days))


def without_past(conn: Connection, accounts: Select[int], days: int) -> list[int]:
    """Those of these accounts of which nothing is kept of so many days before."""
    ids = accounts.subquery("asked")
    there = select(past_facts.c.account_id).where(
        past_facts.c.account_id == ids.c.account_id, past_facts.c.days == days
    )
    return list(conn.execute(select(ids.c.account_id).where(~there.exists())).scalars())


def stamp(conn: Connection, accounts: Select[int], as_of: Instant) -> None:
    """Keep that the facts of these accounts hold at `as_of`, also those that are equal to what they were before.

    What is kept beside them (sets, narrowed events) may have changed where they have not, and says no instant itself.
    """
    older = facts.c.account_id.in_(accounts) & (facts.c.as_of != as_of)
    conn.execute(update(facts).where(older).values(as_of=as_of))


def forget_distances(conn: Connection, kept: Collection[int]) -> None:
    """Remove past facts of distances that nothing asks for any more; `kept` are those that stay, in days."""
    for table in _KEPT_PER_DISTANCE:
        conn.execute(delete(table).where(table.c.days.not_in(sorted(kept))))


def statistics(conn: Connection) -> dict[str, float | None]:
    """Everything that the last full evaluation has stored, by name."""
    return {row.name: row.value for row in conn.execute(select(portfolio_stats.c.name, portfolio_stats.c.value))}


def write_statistics(conn: Connection, found: Mapping[str, float | None], as_of: Instant) -> None:
    """Replace statistics by those of a full evaluation; the same ones are left alone."""
    had = statistics(conn)
    for name, value in sorted(found.items()):
        if name in had and had[name] == value:
            continue
        insert = (sqlite if conn.dialect.name == "sqlite" else postgresql).insert(portfolio_stats)
        row = {"name": name, "value": value, "as_of": as_of}
        conn.execute(insert.values(row).on_conflict_do_update(index_elements=["name"], set_=row))


def forget_statistics(conn: Connection, names: Collection[str]) -> None:
    """Remove these statistics."""
    conn.execute(delete(portfolio_stats).where(portfolio_stats.c.name.in_(sorted(names))))
