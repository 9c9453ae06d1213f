"""The portfolio as it was at any instant, computed into tables of its own: what trying, comparing and backtesting rules stand on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection

from rules.facts import FactSettings, portfolio, statistics
from store import facts
from store.engine import Store
from store.records import Instant
from store.scratch import empty, scratch
from store.status import evaluated_at


@dataclass(frozen=True, slots=True)
class Portfolio:
    """A connection on which the table of facts is the portfolio at `as_of`; `computed` False: that of the last evaluation."""

    connection: Connection
    as_of: Instant
    computed: bool


@contextmanager
def looking(store: Store, settings: FactSettings, as_of: Instant | None, now: Instant) -> Iterator[Portfolio]:
    """The portfolio at `as_of`; None: as the last full evaluation left it, or at `now` where there was none. Only reads."""
    if as_of is None:
        with store.read() as connection:
            last = evaluated_at(connection)
            if last is not None:
                yield Portfolio(connection, last, computed=False)
                return
    at = now if as_of is None else as_of
    with scratch(store) as connection:
        fill(connection, settings, at)
        yield Portfolio(connection, at, computed=True)


def fill(connection: Connection, settings: FactSettings, as_of: Instant) -> None:
    """Compute the portfolio at `as_of` into the connection's own tables (see store.scratch), instead of what they held."""
    empty(connection)
    found = {row.name: row.value for row in connection.execute(statistics(as_of, settings))}
    facts.write_statistics(connection, found, as_of)
    facts.write(connection, portfolio(as_of, settings, stored=True))
