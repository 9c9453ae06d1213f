"""The facts as they are kept beside the facts as they are computed from nothing, in a snapshot that keeps nothing."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    case,
    delete,
    distinct,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    true,
)
from sqlalchemy.schema import CreateTable

from store.engine import Store
from store.records import DAY, Instant
from store.statements import Rows, run_on
from store.tables import evaluations, fact_sets, facts, health_parts, narrowed_facts, past_facts
from store.temporary import like

TABLES = (facts, past_facts, fact_sets, narrowed_facts, health_parts)
"""Those that are compared."""
_UNTOLD = ("stale", "not_captured")
"""States that come and go with the freshness of a source and with a team member's capture, of which nothing is kept: a fact
that has or had one of them is not compared."""
_UNTOLD_OF = {fact_sets.name: (*_UNTOLD, "unknown")}
"""A feature is unknown where its feed is stale, too."""
_NOT_COMPARED = ("account_id", "as_of", "activity_stale", "not_covered")


@dataclass(frozen=True, slots=True)
class Kept:
    """What is compared at a time: a table, and of one that keeps several distances the rows of one, in days."""

    table: Table
    days: int | None = None

    @property
    def rows(self) -> ColumnElement[bool]:
        """Which rows of the table these are."""
        return true() if self.days is None else self.table.c.days == self.days

    @property
    def shift(self) -> int:
        """Microseconds between the instant that the rows are of and the evaluation that wrote them."""
        return (self.days or 0) * DAY

    def of(self, column: str) -> str:
        """How a column is called among those of all tables; facts go by their own names."""
        return column if self.table is facts else f"{self.table.name}.{column}"

    @property
    def stamped(self) -> Kept:
        """Where it says of which instant the rows of an account are."""
        return Kept(past_facts, self.days) if self.days else Kept(facts)


@dataclass(frozen=True, slots=True)
class Differences:
    """What differs: how many accounts by column, the ids, and those of which a row is on one side only."""

    columns: Mapping[str, int]
    accounts: Sequence[int]
    missing: Sequence[int]
    surplus: Sequence[int]

    @property
    def all(self) -> frozenset[int]:
        """Every account of which something differs."""
        return frozenset({*self.accounts, *self.missing, *self.surplus})


@contextmanager
def snapshot(store: Store) -> Iterator[Connection]:
    """One transaction over a consistent state of the store, with empty tables for fresh facts; nothing is kept."""
    with store.engine.connect() as plain:
        connection = plain if store.is_sqlite else plain.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin() as transaction:
            for table in TABLES:
                connection.execute(CreateTable(fresh(table)))
            yield connection
            transaction.rollback()


@cache
def fresh(table: Table) -> Table:
    """The temporary table of what is computed."""
    return like(table, f"{table.name}_from_nothing")


def evaluated_since(conn: Connection, full: Instant, kept: Kept) -> list[Instant]:
    """The evaluations after the last full one that have written such rows."""
    where, at = kept.stamped, kept.stamped.table.c.as_of
    found = select(at).where(where.rows, at > full - where.shift).distinct().order_by(at)
    return [then + where.shift for then in conn.execute(found).scalars()]


def last_evaluated(conn: Connection) -> Instant | None:
    """The instant of the last evaluation, full or of touched accounts."""
    found: Instant | None = conn.scalar(select(func.max(evaluations.c.as_of)))
    return found


def computed_beside(conn: Connection, full: Instant) -> tuple[Sequence[int], Sequence[str]]:
    """Which past days and which rank cuts, by their names, the full evaluation at that instant has said to compute."""
    e = evaluations.c
    detail = json.loads(conn.scalar(select(e.detail).where(e.as_of == full, e.scope == "full")) or "{}")
    return detail.get("days", ()), detail.get("cuts", ())


def written_at(conn: Connection, as_of: Instant, kept: Kept) -> frozenset[int]:
    """The accounts of which the evaluation at this instant has written such rows."""
    where = kept.stamped
    c = where.table.c
    return frozenset(conn.execute(select(c.account_id).where(where.rows, c.as_of == as_of - where.shift)).scalars())


def clear(conn: Connection, table: Table, accounts: Select[int] | None = None) -> None:
    """Forget what was computed, of all or of these accounts."""
    gone = delete(fresh(table))
    conn.execute(gone if accounts is None else gone.where(fresh(table).c.account_id.in_(accounts)))


def compute(conn: Connection, table: Table, rows: Rows) -> None:
    """Put what `rows` computes beside what is kept in the table."""
    room = fresh(table)
    names = [column.name for column in room.columns]
    run_on(conn, f"compute {table.name}", rows, lambda found: insert(room).from_select(names, found))


def differences(conn: Connection, kept: Kept, full: Instant, in_scope: Select[int] | None) -> Differences:
    """Where kept and fresh rows differ. Of accounts without kept rows those are missing that `in_scope` selects.

    The past of accounts that were touched since the last `full` evaluation is not compared: the next one computes it.
    """
    mine, room = kept.table, fresh(kept.table)
    same = and_(*(mine.c[key.name] == room.c[key.name] for key in mine.primary_key), kept.rows)
    both = select(mine.c.account_id).join(room, same)
    differs = _differing(mine)
    missing = select(room.c.account_id).where(~exists(select(literal(1)).where(same).correlate(room)))
    if in_scope is not None:
        missing = missing.where(room.c.account_id.in_(in_scope))
    surplus = select(mine.c.account_id).where(kept.rows, ~exists(select(literal(1)).where(same).correlate(mine)))
    if kept.days:
        since = select(facts.c.account_id).where(facts.c.as_of > full)
        both, surplus = (rows.where(mine.c.account_id.not_in(since)) for rows in (both, surplus))
        missing = missing.where(room.c.account_id.not_in(since))
    counts = both.with_only_columns(
        *(func.count(distinct(case((when, mine.c.account_id)))).label(name) for name, when in differs.items())
    )
    counted = conn.execute(counts).mappings().one()
    return Differences(
        {kept.of(str(name)): int(count) for name, count in sorted(counted.items()) if count},
        *(_ids(conn, found) for found in (both.where(or_(*differs.values())), missing, surplus)),
    )


def untold(conn: Connection, table: Table, column: str, days: int = 0) -> bool:
    """Is there a customer of whom this fact has a state of which nothing is kept."""
    found = select(table.c.account_id).where(table.c[f"{column}_state"].in_(_UNTOLD))
    if days:
        found = found.where(table.c.days == days)
    return conn.execute(found.limit(1)).first() is not None


def _ids(conn: Connection, found: Select[int]) -> Sequence[int]:
    return sorted(set(conn.execute(found).scalars()))


def _differing(table: Table) -> dict[str, ColumnElement[bool]]:
    """Column -> that it differs; of a fact its state and what is unclassified of it included."""
    found: dict[str, ColumnElement[bool]] = {}
    room, skipped = fresh(table), {*_NOT_COMPARED, *(key.name for key in table.primary_key)}
    for column in table.columns:
        name = column.name
        if name in skipped or name.endswith(("_state", "_u")):
            continue
        parts = [part for part in (name, f"{name}_state", f"{name}_u") if part in table.c]
        differs = or_(*(table.c[part].is_distinct_from(room.c[part]) for part in parts))
        told_by = name if name == "state" else f"{name}_state"
        if told_by in table.c:
            hidden = _UNTOLD_OF.get(table.name, _UNTOLD)
            states = [func.coalesce(side.c[told_by], literal("")) for side in (table, room)]
            differs = and_(differs, *(state.not_in(hidden) for state in states))
        found[name] = differs
    return found


def ids_of(found: Collection[Differences]) -> frozenset[int]:
    """Every account of which something differs in one of these."""
    return frozenset().union(*(one.all for one in found))
