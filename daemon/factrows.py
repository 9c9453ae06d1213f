"""What is stored of the facts of one instant, as rows to be written or compared: of all customers, or of touched ones."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, select

from daemon.timed import timed
from rules.facts import FactSettings, in_scope, narrowed, portfolio, sets, statistics
from rules.facts.health import health_parts, stored_past
from rules.facts.moment import moment, name_then
from rules.facts.pastfacts import past_portfolio
from store import facts, touched
from store import tables as t
from store.factsets import keep_rows
from store.records import Instant
from store.statements import TimedRows


@dataclass(frozen=True, slots=True)
class FactRows:
    """The facts of one instant, in one transaction. `within`: the touched accounts; None: all customers."""

    conn: Connection
    settings: FactSettings
    within: Select[int] | None
    as_of: Instant

    @classmethod
    def of(cls, conn: Connection, settings: FactSettings, accounts: Collection[int] | None, as_of: Instant) -> FactRows:
        """The accounts are those that are looked at on this connection from now on."""
        return cls(conn, settings, None if accounts is None else touched.put(conn, accounts), as_of)

    @property
    def full(self) -> bool:
        """All customers."""
        return self.within is None

    def timed(self, what: str, build: Callable[[Instant], Select[Any]], *more: object) -> TimedRows:
        """Rows of the instant, by a name of which there is one statement for all customers and one for touched ones;
        `more`: what else it depends on.
        """
        scope = "all" if self.full else "touched"
        return timed(f"{what} of {scope}", self.settings, self.as_of, build, *more)

    def statistics(self, days: int = 0) -> dict[str, float | None]:
        """The portfolio's statistics of the instant, which is so many days before the evaluation, by stored name."""
        found = self.timed("statistics", lambda at: statistics(at, self.settings)).read(self.conn)
        return {name_then(row.name, days): row.value for row in found}

    def scope(self) -> TimedRows:
        """The customers."""
        return self.timed("scope", lambda at: in_scope(at, self.settings, self.within))

    def current(self) -> TimedRows:
        """Facts, by the stored statistics and the stored past."""
        build = lambda at: portfolio(at, self.settings, self.within, stored=True, past=stored_past())  # noqa: E731
        return self.timed("facts", build)

    def past(self, days: int) -> TimedRows:
        """Facts of an instant so many days before the evaluation, by the statistics of then, which are stored."""
        return self.timed(f"past {days}", lambda at: past_portfolio(at, self.settings, days, self.within))

    def sets(self) -> TimedRows:
        """Facts that are sets."""
        return self.timed("sets", lambda at: sets(at, self.settings, self.within))

    def narrowed(self) -> TimedRows:
        """Contact by level and by function."""
        return self.timed("narrowed", lambda at: narrowed(at, self.settings, self.within))

    def parts(self, days: int) -> TimedRows:
        """What health is made of, by the facts that are stored; `days`: so long before the evaluation."""
        there, zone, health = self._stored(days).subquery("there"), self.settings.timezone, self.settings.health
        return self.timed(f"parts {days}", lambda at: health_parts(there, moment(at, zone), health, days))

    def keep_parts(self, days: int) -> None:
        """Store what health is made of, by the rows of facts that were just written."""
        facts.write(self.conn, self.parts(days), t.health_parts)
        rows = self._stored(days).subquery("there")
        facts.drop(self.conn, select(rows.c.account_id), self.within, t.health_parts, days)

    def keep_sets(self) -> None:
        """Store the facts that are sets."""
        keep_rows(self.conn, t.fact_sets, self.sets(), self.within)

    def keep_narrowed(self) -> None:
        """Store contact by level and by function."""
        keep_rows(self.conn, t.narrowed_facts, self.narrowed(), self.within)

    def keep_past(self, days: int) -> None:
        """Store the facts of so many days before the evaluation."""
        facts.write(self.conn, self.past(days), t.past_facts)
        facts.drop(self.conn, self.scope(), self.within, t.past_facts, days)
        if self.within is not None:
            facts.stamp(self.conn, self.within, self.as_of, t.past_facts, days)

    def keep_current(self) -> int:
        """Store the facts of now; how many rows changed or left scope."""
        changed = facts.write(self.conn, self.current())
        left = facts.drop(self.conn, self.scope(), self.within)
        if self.within is not None:
            facts.stamp(self.conn, self.within, self.as_of)
        return changed + left

    def _stored(self, days: int) -> Select[Any]:
        rows = t.facts.select() if days == 0 else t.past_facts.select().where(t.past_facts.c.days == days)
        return rows if self.within is None else rows.where(rows.selected_columns.account_id.in_(self.within))


def distances(statistics: Collection[str]) -> list[int]:
    """How many days before it the last full evaluation has looked at, by the names of the statistics that it left."""
    moved = {name.rpartition("@")[2] for name in statistics if not name.startswith("cut:") and "@" in name}
    return sorted(map(int, moved))
