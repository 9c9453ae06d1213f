"""Facts computed from nothing and compared with those that are kept, table by table, each for the instant that it holds for.

What others stand on comes first: the portfolio's statistics, then the past, the facts with their sets and narrowed events,
and what health is made of.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import Connection, Table, select

from daemon.factrows import FactRows
from daemon.facts import read_cuts
from rules.facts import MEDIAN_CHANGE, FactSettings, in_scope
from rules.facts.freshness import stale_sources
from rules.facts.health import CHANGE_DAYS
from rules.facts.moment import moment, name_then
from rules.facts.ranks import all_cuts
from rules.language.needs import Cut
from store import comparing, facts, touched
from store import tables as t
from store.comparing import Differences, Kept
from store.engine import Store
from store.factsets import keep_rows
from store.records import Instant
from store.statements import TimedRows

_OF_NOW = (Kept(t.facts), Kept(t.narrowed_facts), Kept(t.fact_sets))


@dataclass
class Proof:
    """One verification: what was evaluated when, and the statistics that were found to differ."""

    store: Store
    settings: FactSettings
    full: Instant
    last: Instant
    """The last evaluation, full or of touched accounts."""
    days: Sequence[int]
    ranked: Sequence[Cut]
    """Cuts that there must be; others that are stored are compared, too."""
    statistics: set[str] = field(default_factory=set)
    cuts: tuple[Mapping[str, float | None], Mapping[str, float | None]] = ({}, {})
    """Rank cuts as computed and as stored, as far as they are compared."""

    def found(self) -> list[tuple[Kept, Differences]]:
        """Compare and mend, table by table."""
        self._statistics()
        past = [self._compared([Kept(t.past_facts, days)]) for days in self.days]
        now = self._compared(_OF_NOW)
        self._mend_statistics(*self.cuts)
        parts = [self._compared([Kept(t.health_parts, days)]) for days in (0, CHANGE_DAYS)]
        return [one for group in (*past, now, *parts) for one in group]

    def _statistics(self) -> None:
        """Medians and rhythms, of now and of the past: facts are computed by those that are stored."""
        with self.store.read() as conn:
            stored = facts.statistics(conn)
            fresh = {name: value for days in (0, *self.days) for name, value in self._medians(conn, days)}
        self._mend_statistics(fresh, {name: stored[name] for name in fresh if name in stored})

    def _medians(self, conn: Connection, days: int) -> Iterator[tuple[str, float | None]]:
        kept = Kept(t.past_facts, days) if days else Kept(t.facts)
        at = self.full - kept.shift
        stale = stale_sources(moment(at, self.settings.timezone)).c
        # Of a source that was stale then nothing is kept: whose change was left out of the median cannot be told.
        old = conn.execute(select(stale.source).where(stale.usage == 1)).first() is not None
        hidden = name_then(MEDIAN_CHANGE, days)
        for name, value in FactRows.of(conn, self.settings, None, at).statistics(conn, days).items():
            if name != hidden or not (old or comparing.untold(conn, kept.table, "adoption_change", days)):
                yield name, value

    def _mend_statistics(self, fresh: Mapping[str, float | None], stored: Mapping[str, float | None]) -> None:
        wrong = {name: value for name, value in fresh.items() if name not in stored or stored[name] != value}
        gone = stored.keys() - fresh.keys()
        if wrong or gone:
            with self.store.write() as conn:
                facts.write_statistics(conn, wrong, self.full)
                facts.forget_statistics(conn, gone)
        self.statistics |= {*wrong, *gone}

    def _compared(self, group: Sequence[Kept]) -> list[tuple[Kept, Differences]]:
        """Tables that are written together, against what is computed now; what differs is mended."""
        with comparing.snapshot(self.store) as conn:
            found = [(kept, self._differences(conn, kept)) for kept in group]
            wrong = comparing.ids_of([one for _, one in found])
            later = {
                at: comparing.written_at(conn, at, group[0])
                for at in comparing.evaluated_since(conn, self.full, group[0])
            }
        groups = {at: wrong & ids for at, ids in later.items()}
        groups[self.full] = wrong.difference(*later.values())
        for at, accounts in sorted(groups.items()):
            if accounts:
                self._mend(group, at, accounts)
        return found

    def _differences(self, conn: Connection, kept: Kept) -> Differences:
        comparing.compute(conn, kept.table, self._rows(conn, kept, None, self.full))
        if kept.table is t.facts:
            self._cuts(conn)
        for at in comparing.evaluated_since(conn, self.full, kept):
            those = comparing.written_at(conn, at, kept)
            comparing.clear(conn, kept.table, touched.put(conn, those))
            comparing.compute(conn, kept.table, self._rows(conn, kept, those, at))
        scope = in_scope(self.last - kept.shift, self.settings) if self.last > self.full else None
        return comparing.differences(conn, kept, self.full, scope)

    def _rows(self, conn: Connection, kept: Kept, accounts: Collection[int] | None, at: Instant) -> TimedRows:
        """What is computed from nothing; health by the facts that are stored, which were compared before."""
        rows = FactRows.of(conn, self.settings, accounts, at - kept.shift)
        return _made(rows, kept, comparing.fresh(t.facts), comparing.fresh(t.narrowed_facts))

    def _cuts(self, conn: Connection) -> None:
        """Rank cuts, by the fresh facts of the last full evaluation."""
        room, stored = comparing.fresh(t.facts), facts.statistics(conn)
        names = {name: Cut.of(name) for name in sorted(stored) if name.startswith("cut:")}
        sides = (t.facts, room)
        cuts = tuple(
            cut
            for cut in dict.fromkeys([*names.values(), *self.ranked])
            if not any(comparing.untold(conn, side, column) for side in sides for column in _ranked_by(cut))
        )
        if cuts:
            rows = FactRows.of(conn, self.settings, None, self.full).timed(
                "verified ranks", lambda _: all_cuts(room, cuts), cuts
            )
            self.cuts = read_cuts(conn, rows, cuts), {name: stored[name] for name, cut in names.items() if cut in cuts}

    def _mend(self, group: Sequence[Kept], at: Instant, accounts: Collection[int]) -> None:
        """Write the rows of these accounts again, as of the evaluation that they hold for; who has left since stays out."""
        with self.store.write() as conn:
            for kept in group:
                rows = FactRows.of(conn, self.settings, accounts, at - kept.shift)
                keep_rows(conn, kept.table, _made(rows, kept, t.facts, t.narrowed_facts), rows.within, kept.days)
                if kept.table is t.facts:
                    facts.stamp(conn, touched.put(conn, accounts), at)
                if at != self.last:
                    scope = in_scope(self.last - kept.shift, self.settings, touched.put(conn, accounts))
                    gone = set(accounts).difference(conn.execute(scope).scalars())
                    facts.forget(conn, touched.put(conn, gone), kept.table, kept.days)


def _made(rows: FactRows, kept: Kept, there: Table, events: Table) -> TimedRows:
    days = kept.days or 0
    makers: Mapping[Table, Callable[[], TimedRows]] = {
        t.facts: rows.current,
        t.narrowed_facts: partial(rows.narrowed, there),
        t.fact_sets: partial(rows.sets, there, events),
        t.past_facts: partial(rows.past, days),
        t.health_parts: partial(rows.parts, t.past_facts if days else t.facts, days),
    }
    return makers[kept.table]()


def _ranked_by(cut: Cut) -> tuple[str, ...]:
    return (cut.column, "segment") if cut.by_segment else (cut.column,)
