"""Refresh the facts, current and past, all or those of touched accounts, with the statistics that rules compare with."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Select, Table

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
from store.engine import Aside, Store
from store.factsets import collect, settle
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

    They are computed before it, in one that nobody waits for: of a large portfolio that takes minutes.

    Tier fields that people changed in the CRM count from now on. What is already on record of a past day stays until the
    next refresh of all customers: what comes to be known today was not known then. Gives how many current rows changed or
    left scope: none for a second refresh at the same `as_of`.
    """
    wanted = needs or Needs()
    with store.write() as conn:
        within = None if accounts is None else touched.put(conn, accounts)
        pins.observe(conn, _targets(settings), as_of, within)
    with store.aside() as room:
        for days in wanted.days:  # before the facts of now: these say how far health has moved since
            _refresh_past(_Refresh(room, settings, accounts, as_of - days * DAY), as_of, days, wanted)
        return _refresh_now(_Refresh(room, settings, accounts, as_of), wanted)


@dataclass(frozen=True, slots=True)
class _Refresh:
    """The facts of one instant, of all customers or of the touched ones: computed aside, then written at once."""

    room: Aside
    settings: FactSettings
    accounts: Collection[int] | None
    as_of: Instant

    @property
    def full(self) -> bool:
        """All customers."""
        return self.accounts is None

    def within(self, conn: Connection) -> Select[int] | None:
        """The ids of the touched ones; None: all."""
        return None if self.accounts is None else touched.put(conn, self.accounts)

    def rows(self, what: str, build: Callable[[Instant], Select[Any]], *more: object) -> TimedRows:
        """Rows of the instant, by a name of which there is one statement for all customers and one for touched ones;
        `more`: what else it depends on.
        """
        scope = "all" if self.full else "touched"
        return timed(f"{what} of {scope}", self.settings, self.as_of, build, *more)

    def statistics(self, as_of: Instant, days: int = 0) -> None:
        """Keep the portfolio's statistics of the instant, `days` before the evaluation at `as_of`; the facts read them."""
        with self.room.compute() as conn:
            rows = self.rows("statistics", lambda at: statistics(at, self.settings)).read(conn)
            found = {name_then(row.name, days): row.value for row in rows}
        with self.room.write() as conn:
            facts.write_statistics(conn, found, as_of)

    def beside(self, conn: Connection, there: Table, wanted: Needs) -> list[Table]:
        """Compute narrowed contact and sets of the customers whose facts are `there`; the tables that they are of."""
        settings, computed = self.settings, []
        if NARROWED in wanted.kept:
            events = self.rows("narrowed", lambda at: narrowed(at, settings, customers_of(there, at, settings)))
            met = collect(conn, t.narrowed_facts, events)
            computed.append(t.narrowed_facts)
            if SETS in wanted.kept:
                members = self.rows("sets", lambda at: sets(at, settings, customers_of(there, at, settings), met))
                collect(conn, t.fact_sets, members)
                computed.append(t.fact_sets)
        return computed

    def parts(self, conn: Connection, there: Table, days: int) -> None:
        """Compute what health is made of, by the facts `there`; `days`: so long before the evaluation."""
        zone, health = self.settings.timezone, self.settings.health
        made = self.rows(f"parts {days}", lambda at: health_parts(there, moment(at, zone), health, days))
        collect(conn, t.health_parts, made)


def _refresh_past(then: _Refresh, as_of: Instant, days: int, wanted: Needs) -> None:
    """Past facts by the statistics of then, which a full evaluation computes and a touched one reads."""
    if then.full:
        then.statistics(as_of, days)
    with then.room.compute() as conn:
        within = then.within(conn)
        if within is not None:
            then = replace(then, accounts=facts.without_past(conn, within, days))
            if not then.accounts:
                return
            within = then.within(conn)
        rows = then.rows(f"past {days}", lambda at: past_portfolio(at, then.settings, days, within))
        there = collect(conn, t.past_facts, rows)
        kept = [t.past_facts]
        if days == CHANGE_DAYS and PARTS in wanted.kept:
            then.parts(conn, there, days)
            kept.append(t.health_parts)
    with then.room.write() as conn:
        for table in kept:
            settle(conn, table, within, days)


def _refresh_now(now: _Refresh, wanted: Needs) -> int:
    settings = now.settings
    if now.full:
        now.statistics(now.as_of)
    with now.room.compute() as conn:
        within = now.within(conn)
        rows = now.rows("facts", lambda at: portfolio(at, settings, within, stored=True, past=stored_past()))
        there = collect(conn, t.facts, rows)
        beside = now.beside(conn, there, wanted)
        if PARTS in wanted.kept:
            now.parts(conn, there, 0)
    with now.room.write() as conn:
        changed = settle(conn, t.facts, within)
        for table in beside:
            settle(conn, table, within)
        if PARTS in wanted.kept:
            settle(conn, t.health_parts, within, 0)
        if now.full:
            facts.forget_distances(conn, [0, *wanted.days])
    if now.full:
        _rank(now, wanted)
    return changed


def _rank(now: _Refresh, wanted: Needs) -> None:
    """Keep the cuts of ranks over the facts that were just written."""
    with now.room.compute() as conn:
        ranked = now.rows("ranks", lambda _: all_cuts(t.facts, wanted.ranked), wanted.ranked)
        cuts = read_cuts(conn, ranked, wanted.ranked)
    with now.room.write() as conn:
        facts.write_statistics(conn, cuts, now.as_of)
        facts.forget_statistics(conn, _outdated(facts.statistics(conn), wanted, cuts))


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
