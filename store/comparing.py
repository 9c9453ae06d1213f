"""The facts as they are kept beside the facts as they are computed from nothing, in a snapshot that keeps nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    MetaData,
    Select,
    Table,
    and_,
    case,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
)
from sqlalchemy.schema import CreateTable

from store.engine import Store
from store.records import Instant
from store.tables import evaluations, facts

_fresh = Table(
    "facts_from_nothing",
    MetaData(),
    # Without its foreign keys: a temporary table may not refer to one that stays.
    *(Column(c.name, c.type, primary_key=c.primary_key, autoincrement=False) for c in facts.columns),
    prefixes=["TEMPORARY"],
)
_UNTOLD = ("stale", "not_captured")
"""States that come and go with the freshness of a source and with a team member's capture, of which nothing is kept: a fact
that has or had one of them is not compared."""
_NOT_COMPARED = ("account_id", "as_of", "activity_stale", "not_covered")


@dataclass(frozen=True, slots=True)
class Differences:
    """What differs: how many accounts by column, the ids, and those that are on one side only."""

    columns: Mapping[str, int]
    accounts: Sequence[int]
    missing: Sequence[int]
    surplus: Sequence[int]

    @property
    def all(self) -> list[int]:
        """Every account of which something differs."""
        return sorted({*self.accounts, *self.missing, *self.surplus})


@contextmanager
def snapshot(store: Store) -> Iterator[Connection]:
    """One transaction over a consistent state of the store, with an empty table for fresh facts; nothing is kept."""
    with store.engine.connect() as plain:
        connection = plain if store.is_sqlite else plain.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin() as transaction:
            connection.execute(CreateTable(_fresh))
            yield connection
            transaction.rollback()


def evaluated_since(conn: Connection, full: Instant) -> list[Instant]:
    """The instants of which there are facts that were written after that of the last full evaluation."""
    return list(
        conn.execute(select(facts.c.as_of).where(facts.c.as_of > full).distinct().order_by(facts.c.as_of)).scalars()
    )


def last_evaluated(conn: Connection) -> Instant | None:
    """The instant of the last evaluation, full or of touched accounts."""
    found: Instant | None = conn.scalar(select(func.max(evaluations.c.as_of)))
    return found


def written_at(as_of: Instant) -> Select[int]:
    """The accounts whose facts were written at this instant."""
    return select(facts.c.account_id).where(facts.c.as_of == as_of)


def compute(conn: Connection, rows: Select[Any], instead_of: Select[int] | None = None) -> None:
    """Put what `rows` computes into the table of fresh facts, instead of the rows of these accounts."""
    if instead_of is not None:
        conn.execute(delete(_fresh).where(_fresh.c.account_id.in_(instead_of)))
    conn.execute(insert(_fresh).from_select([c.name for c in _fresh.columns], rows))


def differences(conn: Connection, in_scope: Select[int] | None) -> Differences:
    """Where kept and fresh facts differ. Of the accounts without kept facts those are missing that `in_scope` selects."""
    both = select(facts.c.account_id).join(_fresh, _fresh.c.account_id == facts.c.account_id)
    differs = _differing()
    counts = both.with_only_columns(*(func.sum(case((when, 1), else_=0)).label(name) for name, when in differs.items()))
    counted = {name: int(count or 0) for name, count in conn.execute(counts).mappings().one().items()}
    kept, fresh = facts.c.account_id, _fresh.c.account_id
    missing = select(fresh).where(fresh.not_in(select(kept)))
    if in_scope is not None:
        missing = missing.where(fresh.in_(in_scope))
    return Differences(
        {name: count for name, count in sorted(counted.items()) if count},
        conn.execute(both.where(or_(*differs.values())).order_by(kept)).scalars().all(),
        conn.execute(missing.order_by(fresh)).scalars().all(),
        conn.execute(select(kept).where(kept.not_in(select(fresh))).order_by(kept)).scalars().all(),
    )


def _differing() -> dict[str, ColumnElement[bool]]:
    """Column of a fact -> that it differs, its state and what is unclassified of it included."""
    found: dict[str, ColumnElement[bool]] = {}
    for column in facts.columns:
        name = column.name
        if name in _NOT_COMPARED or name.endswith(("_state", "_u")):
            continue
        parts = [part for part in (name, f"{name}_state", f"{name}_u") if part in facts.c]
        differs = or_(*(facts.c[part].is_distinct_from(_fresh.c[part]) for part in parts))
        if f"{name}_state" in facts.c:
            states = [func.coalesce(table.c[f"{name}_state"], literal("")) for table in (facts, _fresh)]
            differs = and_(differs, *(state.not_in(_UNTOLD) for state in states))
        found[name] = differs
    return found
