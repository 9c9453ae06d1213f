"""The facts of one account at any instant, computed: for explanations, of which the past is a part."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection, Double, Select, Text, bindparam, cast, select
from sqlalchemy.sql.expression import FromClause

from daemon.facts import Needs, read_cuts
from daemon.timed import timed
from rules.facts import FactSettings, customers_at, narrowed, portfolio, sets, statistics
from rules.facts.health import CHANGE_DAYS
from rules.facts.moment import given_name, once
from rules.facts.ranks import all_cuts
from rules.facts.sets import Customers
from store import tables as t
from store.engine import Store
from store.records import DAY, Instant
from store.statements import TimedRows
from store.tables import RowId

_ACCOUNT: Select[int] = select(bindparam("account", None, RowId))
_PAST_COLUMNS = [c.name for c in t.past_facts.columns if c.name not in ("account_id", "days", "as_of")]


def facts_at(
    store: Store, settings: FactSettings, as_of: Instant, account_id: int, needs: Needs | None = None
) -> Mapping[str, Any] | None:
    """Every column of the facts of one account at any instant; None = no customer in scope then.

    Statistics are those of `as_of`. With `needs` the row also has what the evaluator looks up beside the columns: past
    values (`health@30`), cuts by their key, sets and narrowed contact.
    """
    with store.read() as conn:
        then = {days: _At(conn, settings, account_id, as_of - days * DAY).row() for days in (needs or Needs()).days}
        now = _At(conn, settings, account_id, as_of)
        row = now.row_since(then[CHANGE_DAYS])
        if row is None or needs is None:
            return row
        for days, past in then.items():
            row |= {f"{name}@{days}": None if past is None else past[name] for name in _PAST_COLUMNS}
        return row | now.beside() | now.cuts(needs)


@dataclass(frozen=True, slots=True)
class _At:
    """One account at one instant."""

    conn: Connection
    settings: FactSettings
    account_id: int
    as_of: Instant

    def row(self) -> dict[str, Any] | None:
        """The facts as columns, but for how health has moved."""
        return self._row("facts", None)

    def row_since(self, past: Mapping[str, Any] | None) -> dict[str, Any] | None:
        """The facts as columns; `past` is the row of 30 days before."""
        health, state = (past["health"], past["health_state"]) if past else (None, None)
        return self._row("moving facts", _HEALTH_THEN, health_then=health, health_then_state=state)

    def _row(self, what: str, past: FromClause | None, **bound: Any) -> dict[str, Any] | None:
        found = self._rows("statistics", lambda at: statistics(at, self.settings)).read(self.conn)
        given = {given_name(row.name): row.value for row in found}
        make = partial(portfolio, settings=self.settings, accounts=_ACCOUNT, given=True, past=past)
        row = self._rows(what, make, **bound, **given).read(self.conn).mappings().one_or_none()
        return None if row is None else dict(row)

    def beside(self) -> dict[str, Any]:
        """The members of sets, and contact narrowed to a level or function, as the evaluator looks them up."""
        members = self._rows("sets", lambda at: sets(at, self.settings, *self._events(at))).read(self.conn)
        narrows = self._rows("narrowed", lambda at: self._events(at)[1].select()).read(self.conn)
        return {
            "fact_sets": {(row.fact, row.value): row.state or True for row in members},
            "narrowed": {(row["by"], row["value"]): dict(row) for row in narrows.mappings()},
        }

    def _events(self, at: Instant) -> tuple[Customers, FromClause]:
        """The account, and contact narrowed to a level or function."""
        among = customers_at(at, self.settings, _ACCOUNT)
        return among, narrowed(at, self.settings, among).subquery("events")

    def cuts(self, needs: Needs) -> dict[str, Any]:
        """The values of the cuts over all customers of then."""

        def ranks(at: Instant) -> Select[Any]:
            return all_cuts(once(portfolio(at, self.settings), "everybody"), needs.ranked)

        rows = self._rows("ranks", ranks, needs.ranked)
        return read_cuts(self.conn, rows, needs.ranked)

    def _rows(self, what: str, build: Callable[[Instant], Select[Any]], *more: object, **bound: Any) -> TimedRows:
        given = {"account": self.account_id, **bound}
        return timed(f"{what} of one", self.settings, self.as_of, build, *more, bound=given)


def _health_then() -> FromClause:
    """Health of 30 days before, as parameters."""
    columns = (
        bindparam("account", None, RowId).label("account_id"),
        cast(bindparam("health_then", None, Double), Double).label("health"),
        cast(bindparam("health_then_state", None, Text), Text).label("health_state"),
    )
    return select(*columns).subquery("health_then")


_HEALTH_THEN = _health_then()
