"""Refresh the facts, current and past, all or those of touched accounts, with the statistics that rules compare with."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

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
from store.engine import Store
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
            NARROWED: narrowed_of(ruleset),
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

    Tier fields that people changed in the CRM count from now on. Gives how many current rows changed or left scope:
    none for a second refresh at the same `as_of`.
    """
    wanted = needs or Needs()
    with store.write() as conn:
        within = None if accounts is None else touched.put(conn, accounts)
        pins.observe(conn, _targets(settings), as_of, within)
    for days in wanted.days:  # before the facts of now: these say how far health has moved since
        with store.write() as conn:
            _refresh_past(FactRows.of(conn, settings, accounts, as_of - days * DAY), as_of, days, wanted)
    with store.write() as conn:
        return _refresh_now(FactRows.of(conn, settings, accounts, as_of), wanted)


def _refresh_past(then: FactRows, as_of: Instant, days: int, wanted: Needs) -> None:
    """Past facts by the statistics of then, which a full evaluation computes and a touched one reads."""
    if then.full:
        facts.write_statistics(then.conn, then.statistics(days), as_of)
    then.keep_past(days)
    if days == CHANGE_DAYS and PARTS in wanted.kept:
        then.keep_parts(days)


def _refresh_now(now: FactRows, wanted: Needs) -> int:
    conn = now.conn
    if now.full:
        facts.write_statistics(conn, now.statistics(), now.as_of)
        facts.forget_distances(conn, [0, *wanted.days])
    changed = now.keep_current()
    if SETS in wanted.kept:
        now.keep_sets()
    if NARROWED in wanted.kept:
        now.keep_narrowed()
    if PARTS in wanted.kept:
        now.keep_parts(0)
    if now.full:
        ranked = now.timed("ranks", lambda _: all_cuts(t.facts, wanted.ranked), wanted.ranked)
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
