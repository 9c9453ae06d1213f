"""Refresh the facts, current and past, all or those of touched accounts, with the statistics that rules compare with."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, Table

from alerts.writeback import Target
from daemon import pins
from daemon.factrows import FactRows, distances
from rules.facts import FactSettings
from rules.facts.health import CHANGE_DAYS
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
        moved = set(distances(names))
        starts = [cut.key("").removesuffix("*") if cut.by_segment else cut.key(None) for cut in self.cuts]
        ranked = all(any(name.startswith(start) for name in names) for start in starts)
        return ranked and set(self.days) <= moved

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
            _refresh_past(_Work(room, settings, accounts, as_of - days * DAY), as_of, days, wanted)
        return _refresh_now(_Work(room, settings, accounts, as_of), wanted)


@dataclass(frozen=True, slots=True)
class _Work:
    """The facts of one instant, of all customers or of the touched ones: computed aside, then written at once."""

    room: Aside
    settings: FactSettings
    accounts: Collection[int] | None
    as_of: Instant

    @property
    def full(self) -> bool:
        """All customers."""
        return self.accounts is None

    def rows(self, conn: Connection) -> FactRows:
        """What is to be computed."""
        return FactRows.of(conn, self.settings, self.accounts, self.as_of)

    def statistics(self, as_of: Instant, days: int = 0) -> None:
        """Keep the portfolio's statistics of the instant, `days` before the evaluation at `as_of`; the facts read them."""
        with self.room.compute() as conn:
            found = self.rows(conn).statistics(conn, days)
        with self.room.write() as conn:
            facts.write_statistics(conn, found, as_of)


def _refresh_past(then: _Work, as_of: Instant, days: int, wanted: Needs) -> None:
    """Past facts by the statistics of then, which a full evaluation computes and a touched one reads."""
    if then.full:
        then.statistics(as_of, days)
    with then.room.compute() as conn:
        if then.accounts is not None:
            missing = facts.without_past(conn, touched.put(conn, then.accounts), days)
            if not missing:
                return
            then = replace(then, accounts=missing)
        rows = then.rows(conn)
        there = collect(conn, t.past_facts, rows.past(days))
        kept = [t.past_facts]
        if days == CHANGE_DAYS and PARTS in wanted.kept:
            collect(conn, t.health_parts, rows.parts(there, days))
            kept.append(t.health_parts)
    with then.room.write() as conn:
        for table in kept:
            settle(conn, table, rows.within, days)


def _refresh_now(now: _Work, wanted: Needs) -> int:
    if now.full:
        now.statistics(now.as_of)
    with now.room.compute() as conn:
        rows = now.rows(conn)
        there = collect(conn, t.facts, rows.current())
        beside: dict[Table, int | None] = {}
        if NARROWED in wanted.kept:
            events, beside[t.narrowed_facts] = collect(conn, t.narrowed_facts, rows.narrowed(there)), None
            if SETS in wanted.kept:
                collect(conn, t.fact_sets, rows.sets(there, events))
                beside[t.fact_sets] = None
        if PARTS in wanted.kept:
            collect(conn, t.health_parts, rows.parts(there, 0))
            beside[t.health_parts] = 0
    with now.room.write() as conn:
        changed = settle(conn, t.facts, rows.within)
        for table, days in beside.items():
            settle(conn, table, rows.within, days)
        if rows.within is None:
            facts.forget_distances(conn, [0, *wanted.days])
        else:
            facts.stamp(conn, rows.within, now.as_of)
    if now.full:
        _rank(now, wanted)
    return changed


def _rank(now: _Work, wanted: Needs) -> None:
    """Keep the cuts of ranks over the facts that were just written."""
    with now.room.compute() as conn:
        ranked = now.rows(conn).timed("ranks", lambda _: all_cuts(t.facts, wanted.ranked), wanted.ranked)
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
