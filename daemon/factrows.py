"""What is stored of the facts of one instant, as rows to be written or compared: of all customers, or of touched ones."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, Table
from sqlalchemy.sql.expression import FromClause

from daemon.timed import timed
from rules.facts import FactSettings, customers_of, narrowed, portfolio, sets, statistics
from rules.facts.health import health_parts, stored_past
from rules.facts.moment import moment, name_then
from rules.facts.pastfacts import past_portfolio
from store import touched
from store.records import Instant
from store.statements import TimedRows


@dataclass(frozen=True, slots=True)
class FactRows:
    """The facts of one instant. `within`: the touched accounts; None: all customers.

    Where some rows stand on others, these are named as the table that they are in.
    """

    settings: FactSettings
    within: Select[int] | None
    as_of: Instant

    @classmethod
    def of(cls, conn: Connection, settings: FactSettings, accounts: Collection[int] | None, as_of: Instant) -> FactRows:
        """The accounts are those that are looked at on this connection from now on."""
        return cls(settings, None if accounts is None else touched.put(conn, accounts), as_of)

    def timed(self, what: str, build: Callable[[Instant], Select[Any]], *more: object) -> TimedRows:
        """Rows of the instant, by a name of which there is one statement for all customers and one for touched ones;
        `more`: what else it depends on.
        """
        scope = "all" if self.within is None else "touched"
        return timed(f"{what} of {scope}", self.settings, self.as_of, build, *more)

    def statistics(self, conn: Connection, days: int = 0) -> dict[str, float | None]:
        """The portfolio's statistics of the instant, which is so many days before the evaluation, by stored name."""
        found = self.timed("statistics", lambda at: statistics(at, self.settings)).read(conn)
        return {name_then(row.name, days): row.value for row in found}

    def current(self) -> TimedRows:
        """Facts, by the stored statistics and the stored past."""
        build = lambda at: portfolio(at, self.settings, self.within, stored=True, past=stored_past())  # noqa: E731
        return self.timed("facts", build)

    def past(self, days: int) -> TimedRows:
        """Facts of an instant so many days before the evaluation, by the statistics of then, which are stored."""
        return self.timed(f"past {days}", lambda at: past_portfolio(at, self.settings, days, self.within))

    def narrowed(self, facts: Table) -> TimedRows:
        """Contact by level and by function."""
        there, settings = self._mine(facts), self.settings
        build = lambda at: narrowed(at, settings, customers_of(there, at, settings))  # noqa: E731
        return self.timed(f"narrowed by {facts.name}", build)

    def sets(self, facts: Table, events: Table) -> TimedRows:
        """Facts that are sets; `events`: narrowed contact."""
        there, met, settings = self._mine(facts), self._mine(events), self.settings
        build = lambda at: sets(at, settings, customers_of(there, at, settings), met)  # noqa: E731
        return self.timed(f"sets by {facts.name}", build)

    def parts(self, facts: Table, days: int) -> TimedRows:
        """What health is made of, by facts of now, or of so many days before the evaluation."""
        there, zone, health = self._mine(facts, days or None), self.settings.timezone, self.settings.health
        build = lambda at: health_parts(there, moment(at, zone), health, days)  # noqa: E731
        return self.timed(f"parts {days} by {facts.name}", build)

    def _mine(self, table: Table, days: int | None = None) -> FromClause:
        rows = table.select() if days is None else table.select().where(table.c.days == days)
        if self.within is not None:
            rows = rows.where(table.c.account_id.in_(self.within))
        return rows.subquery(f"there_{table.name}")


def distances(statistics: Collection[str]) -> list[int]:
    """How many days before it the last full evaluation has looked at, by the names of the statistics that it left."""
    moved = {name.rpartition("@")[2] for name in statistics if not name.startswith("cut:") and "@" in name}
    return sorted(map(int, moved))
