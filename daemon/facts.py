"""Refresh the facts, current and past, all or those of touched accounts, with the statistics that rules compare with."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, Subquery, Table

from alerts.writeback import Target
from daemon import pins
from daemon.timed import timed
from rules.facts import FactSettings, customers_of, narrowed, portfolio, sets, statistics
from rules.facts.health import CHANGE_DAYS, health_parts, stored_past
from rules.facts.moment import moment, name_then
from rules.facts.pastfacts import past_portfolio
from rules.facts.ranks import all_cuts
from rules.language.model import RuleSet
from rules.language.needs import Cut, cuts_of, distances_of, facts_of_rules, members_of, narrowed_of
from store import facts, touched
from store import tables as t
from store.engine import Store
from store.factsets import keep_rows
from store.records import DAY, Instant
from store.statements import TimedRows

MOVED_HEALTH, SETS, NARROWED, PARTS = "moved_health", "sets", "narrowed", "parts"


@dataclass(frozen=True, slots=True)
class Needs:
    """What must be there besides the facts of now: distances in whole days, rank cuts, and what else is kept."""

    distances: frozenset[int] = frozenset()
    cuts: frozenset[Cut] = frozenset()
    kept: frozenset[str] = frozenset({MOVED_HEALTH, SETS, NARROWED, PARTS})

    @classmethod
    def of(cls, ruleset: RuleSet) -> Needs:
        """What these rules ask for, in a store that keeps all the rest for people to look at."""
        return cls(distances_of(ruleset), cuts_of(ruleset))

    @classmethod
    def alone(cls, ruleset: RuleSet) -> Needs:
        """What these rules ask for, and nothing else."""
        asked = {
            MOVED_HEALTH: any(fact.column == "health_change_30d" for fact in facts_of_rules(ruleset)),
            SETS: members_of(ruleset),
            NARROWED: narrowed_of(ruleset) or members_of(ruleset),  # sets stand on them
        }
        return cls(distances_of(ruleset), cuts_of(ruleset), frozenset(name for name, found in asked.items() if found))

    def stored(self, names: Collection[str]) -> bool:
        """Whether the last full evaluation has computed all of it; `names` are those of the statistics that it left."""
        moved = {name.rpartition("@")[2] for name in names if not name.startswith("cut:") and "@" in name}
        starts = [cut.key("").removesuffix("*") if cut.by_segment else cut.key(None) for cut in self.cuts]
        ranked = all(any(name.startswith(start) for name in names) for start in starts)
        return ranked and {str(day) for day in self.days} <= moved

    @property
    def ranked(self) -> tuple[Cut, ...]:
        """The cuts, always in the same order."""
        return tuple(sorted(self.cuts, key=lambda cut: cut.key(None)))

    @property
    def days(self) -> list[int]:
        """The distances, nearest first."""
        return sorted(self.distances | ({CHANGE_DAYS} if MOVED_HEALTH in self.kept else set()))


def refresh(
    store: Store,
    settings: FactSettings,
    as_of: Instant,
    accounts: Collection[int] | None = None,
    needs: Needs | None = None,
) -> int:
    """Bring the tables of facts to `as_of`, for all customers or for these accounts; each distance in one transaction.

    Tier fields that people changed in the CRM count from now on. What is already on record of a past day stays until the
    next refresh of all customers: what comes to be known today was not known then. Gives how many current rows changed or
    left scope: none for a second refresh at the same `as_of`.
    """
    wanted = needs or Needs()
    with store.write() as conn:
        within = None if accounts is None else touched.put(conn, accounts)
        pins.observe(conn, _targets(settings), as_of, within)
    for days in wanted.days:  # before the facts of now: these say how far health has moved since
        with store.write() as conn:
            missing = None if accounts is None else facts.without_past(conn, touched.put(conn, accounts), days)
            if missing is None or missing:
                _refresh_past(_Refresh.of(conn, settings, missing, as_of - days * DAY), as_of, days, wanted)
    with store.write() as conn:
        return _refresh_now(_Refresh.of(conn, settings, accounts, as_of), wanted)


@dataclass(frozen=True, slots=True)
class _Refresh:
    """The facts of one instant, of all customers or of the touched ones, in one transaction."""

    conn: Connection
    settings: FactSettings
    within: Select[int] | None
    as_of: Instant

    @classmethod
    def of(cls, conn: Connection, settings: FactSettings, accounts: Collection[int] | None, as_of: Instant) -> _Refresh:
        return cls(conn, settings, None if accounts is None else touched.put(conn, accounts), as_of)

    @property
    def full(self) -> bool:
        """All customers."""
        return self.within is None

    def rows(self, what: str, build: Callable[[Instant], Select[Any]], *more: object) -> TimedRows:
        """Rows of the instant, by a name of which there is one statement for all customers and one for touched ones;
        `more`: what else it depends on.
        """
        scope = "all" if self.full else "touched"
        return timed(f"{what} of {scope}", self.settings, self.as_of, build, *more)

    def statistics(self) -> dict[str, float | None]:
        """The portfolio's statistics of the instant."""
        found = self.rows("statistics", lambda at: statistics(at, self.settings)).read(self.conn)
        return {row.name: row.value for row in found}

    def kept(self, table: Table, days: int | None = None) -> Subquery:
        """The rows of a table of facts that were just written; `days`: of that distance."""
        rows = table.select() if days is None else table.select().where(table.c.days == days)
        if self.within is not None:
            rows = rows.where(table.c.account_id.in_(self.within))
        return rows.subquery(f"there_{table.name}")

    def beside(self, wanted: Needs) -> None:
        """Sets and narrowed contact of the customers whose facts were just written."""
        settings, there = self.settings, self.kept(t.facts)
        if NARROWED in wanted.kept:
            events = self.rows("narrowed", lambda at: narrowed(at, settings, customers_of(there, at, settings)))
            keep_rows(self.conn, t.narrowed_facts, events, self.within)
        if SETS in wanted.kept:
            met = self.kept(t.narrowed_facts)
            members = self.rows("sets", lambda at: sets(at, settings, customers_of(there, at, settings), met))
            keep_rows(self.conn, t.fact_sets, members, self.within)

    def parts(self, days: int) -> None:
        """What health is made of, by the rows that were just written; `days`: so long before the evaluation."""
        there = self.kept(t.past_facts, days) if days else self.kept(t.facts)
        zone, health = self.settings.timezone, self.settings.health
        made = self.rows(f"parts {days}", lambda at: health_parts(there, moment(at, zone), health, days))
        keep_rows(self.conn, t.health_parts, made, self.within, days)


def _refresh_past(then: _Refresh, as_of: Instant, days: int, wanted: Needs) -> None:
    """Past facts by the statistics of then, which a full evaluation computes and a touched one reads."""
    conn = then.conn
    if then.full:
        found = {name_then(name, days): value for name, value in then.statistics().items()}
        facts.write_statistics(conn, found, as_of)
    rows = then.rows(f"past {days}", lambda at: past_portfolio(at, then.settings, days, then.within))
    keep_rows(conn, t.past_facts, rows, then.within, days)
    if days == CHANGE_DAYS and PARTS in wanted.kept:
        then.parts(days)


def _refresh_now(now: _Refresh, wanted: Needs) -> int:
    conn, settings, within = now.conn, now.settings, now.within
    if now.full:
        facts.write_statistics(conn, now.statistics(), now.as_of)
        facts.forget_distances(conn, [0, *wanted.days])
    rows = now.rows("facts", lambda at: portfolio(at, settings, within, stored=True, past=stored_past()))
    changed = keep_rows(conn, t.facts, rows, within)
    now.beside(wanted)
    if PARTS in wanted.kept:
        now.parts(0)
    if now.full:
        ranked = now.rows("ranks", lambda _: all_cuts(t.facts, wanted.ranked), wanted.ranked)
        cuts = read_cuts(conn, ranked, wanted.ranked)
        facts.write_statistics(conn, cuts, now.as_of)
        facts.forget_statistics(conn, _outdated(facts.statistics(conn), wanted, cuts))
    return changed


def read_cuts(conn: Connection, rows: TimedRows, cuts: Sequence[Cut]) -> dict[str, float | None]:
    """The values of cuts by key, as `all_cuts` finds them; a segment without anybody has none."""
    found: dict[str, float | None] = {cut.key(None): None for cut in cuts if not cut.by_segment}
    if cuts:
        found |= {cuts[row.number].key(row.segment): row.value for row in rows.read(conn)}
    return found


def _outdated(stored: Collection[str], needs: Needs, cuts: Collection[str]) -> list[str]:
    """Names of cuts and of statistics of past days that nothing asks for any more."""
    days = {str(day) for day in needs.days}
    return [
        name
        for name in stored
        if (name.startswith("cut:") and name not in cuts)
        or ("@" in name and not name.startswith("cut:") and name.rpartition("@")[2] not in days)
    ]


def _targets(settings: FactSettings) -> Mapping[str, Target]:
    """Where pins are looked for: to read a value, the name of its field is not needed."""
    return {source: Target("", values) for source, values in settings.tier_values.items()}
