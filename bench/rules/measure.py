"""What one database takes for facts, rules and a backtest, ours and by hand, on the same store in the same run."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import Connection, select, text
from sqlalchemy.sql import quoted_name

from bench.rules import handwritten
from bench.rules.reading import read_all
from bench.rules.world import NOW
from daemon.backtest import Asked, backtest
from daemon.backtest.judging import Terms
from daemon.evaluate import evaluate
from daemon.facts import refresh
from rules.facts import FactSettings
from rules.language import RuleSet, load
from rules.language.compile import evidence_columns
from store.engine import Store
from store.records import DAY
from store.tables import facts, findings, metadata

SETTINGS = FactSettings(tier_values={"crm": {1: "A", 2: "B", 3: "C"}})
DIRTY = 1_000
_ROUNDS = 4
_WEEKS = 52


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds by the clock, and of this process's own CPU (a PostgreSQL server's is not in it)."""

    wall: float
    cpu: float


@dataclass
class Figures:
    """What was measured on one database, by what it is."""

    took: dict[str, Took] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, others: Figures) -> None:
        """Take in what was measured elsewhere."""
        self.took |= others.took
        self.counts |= others.counts

    def note(self, what: str, took: Took) -> None:
        """Keep the best of several."""
        if what not in self.took or took.wall < self.took[what].wall:
            self.took[what] = took


@contextmanager
def timed(figures: Figures, what: str, say: Callable[[str], None]) -> Iterator[None]:
    """Take the time of a block."""
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    took = Took(time.perf_counter() - wall, time.process_time() - cpu)
    figures.note(what, took)
    say(f"  {what}: {took.wall:.3f} s, CPU {took.cpu:.3f} s")


def ruleset() -> RuleSet:
    """The twenty rules."""
    file = Path(__file__).with_name("rules.yaml")
    return load({file.name: file.read_text(encoding="utf-8")}, "USD")


def evidence() -> Mapping[str, Sequence[str]]:
    """The columns that each rule's finding keeps."""
    return {rule.name: evidence_columns(rule) for rule in ruleset().rules}


def measure_facts(store: Store, figures: Figures, say: Callable[[str], None], *, again: bool = True) -> None:
    """The facts of everybody, from nothing and again."""
    with timed(figures, "facts, all, into an empty table", say):
        figures.counts["customers"] = refresh(store, SETTINGS, NOW)
    if not again:
        return
    with timed(figures, "facts, all, nothing changed", say):
        changed = refresh(store, SETTINGS, NOW)
    if changed:
        raise RuntimeError(f"a second refresh at the same instant changed {changed} rows")


def measure_rules(store: Store, figures: Figures, say: Callable[[str], None]) -> None:
    """Twenty rules on everybody, ours and by hand: findings are new, then nothing has changed."""
    _equal_table(store)
    rules = ruleset()
    with store.write() as connection:
        connection.execute(text("DELETE FROM findings"))
    for what in ("all findings new", "nothing changed"):
        with timed(figures, f"rules, {what}", say):
            _evaluated(store, rules)
        with timed(figures, f"by hand, {what}", say):
            by_hand(store, rules)
    same_findings(store)
    with store.read() as connection:
        for outcome, count in connection.execute(text("SELECT outcome, count(*) FROM findings GROUP BY outcome")):
            figures.counts[outcome] = count
    say(f"  findings: {figures.counts}")


def measure_touched(
    store: Store, accounts: int, figures: Figures, say: Callable[[str], None], *, sitting: int = 0
) -> None:
    """A thousand accounts whose renewal moves: their facts, their findings, ours and by hand; and their rows merely read.

    Some rounds, which are over in seconds; `sitting`: how many such measurements came before.
    """
    rules, few = ruleset(), sorted(Random(7).sample(range(1, accounts + 1), min(DIRTY, accounts)))
    for nth in range(sitting * _ROUNDS, (sitting + 1) * _ROUNDS):
        _move(store, few, 10 if nth % 2 else -10)
        cold = " (first of the day)" if nth == 0 else ""
        with timed(figures, f"facts, {len(few):,} touched{cold}", say):
            refresh(store, SETTINGS, NOW + nth, few)
        with timed(figures, f"rules, {len(few):,} touched{cold}", say):
            _evaluated(store, rules, few)
        with timed(figures, f"by hand, {len(few):,} touched{cold}", say):
            by_hand(store, rules, few)
        with store.aside() as room, room.compute() as connection:
            _put_few(connection, few)
            with timed(figures, f"rows merely read, {len(few):,} touched{cold}", say):
                read_all(connection)


def measure_backtest(store: Store, figures: Figures, say: Callable[[str], None]) -> None:
    """A year in weeks of one rule, by the product's own backtest: every week is computed from what was on record then."""
    asked = Asked(ruleset().rule("renewal-exec-silence"), NOW - (_WEEKS - 1) * 7 * DAY, Terms(NOW))
    with timed(figures, "backtest, a year in weeks", say):
        found = backtest(store, SETTINGS, asked)
    figures.counts["backtest alerts"] = found.judgement.alerts


def by_hand(store: Store, rules: RuleSet, few: Sequence[int] | None = None) -> None:
    """The same in SQL that a person wrote."""
    among = None
    if few is not None:
        with store.write() as connection:
            _put_few(connection, few)
        among = "SELECT account_id FROM few"
    for rule in rules.rules:
        resolve, find = handwritten.statements(
            rule.name, rule.version, evidence_columns(rule), sqlite=store.is_sqlite, among=among
        )
        with store.write() as connection:
            connection.exec_driver_sql(resolve)
            connection.exec_driver_sql(find)


def _put_few(connection: Connection, few: Sequence[int]) -> None:
    connection.exec_driver_sql("CREATE TEMPORARY TABLE IF NOT EXISTS few (account_id BIGINT PRIMARY KEY)")
    connection.exec_driver_sql("DELETE FROM few")
    values = ", ".join(f"({account})" for account in few)
    connection.exec_driver_sql(f"INSERT INTO few VALUES {values}")
    if connection.dialect.name == "postgresql":  # it takes a table that it does not know for larger than it is
        connection.exec_driver_sql("ANALYZE few")


def same_findings(store: Store) -> None:
    """Both tables of findings say the same, evidence included; raises RuntimeError with the first difference."""
    both = []
    for table in ("findings", handwritten.TABLE):
        names = "rule, account_id, outcome, severity, reason, since, rule_version, evidence"
        with store.read() as connection:
            rows = connection.exec_driver_sql(f"SELECT {names} FROM {table} ORDER BY rule, account_id")
            both.append([(*row[:-1], _parsed(row[-1])) for row in rows])
    ours, theirs = both
    if ours != theirs:
        pairs = zip(ours, theirs, strict=False)
        first = next(((a, b) for a, b in pairs if a != b), (len(ours), len(theirs)))
        raise RuntimeError(f"findings differ: {first[0]} and by hand {first[1]}")


def _parsed(evidence_text: str) -> int:
    return hash(tuple(sorted(json.loads(evidence_text).items())))


def sample(store: Store, accounts: int) -> tuple[list[dict[str, Any]], set[tuple[str, str, int]]]:
    """The facts of some accounts, and what is found of them: outcome, rule and account."""
    with store.read() as connection:
        ids = connection.execute(select(facts.c.account_id).order_by(facts.c.account_id)).scalars().all()
        chosen = set(Random(11).sample(ids, min(accounts, len(ids))))
        wanted = select(facts).where(facts.c.account_id.in_(sorted(chosen)))
        rows = [dict(row) for row in connection.execute(wanted).mappings()]
        all_found = connection.execute(select(findings.c.outcome, findings.c.rule, findings.c.account_id))
        return rows, {(outcome, rule, account) for outcome, rule, account in all_found if account in chosen}


def _evaluated(store: Store, rules: RuleSet, few: Sequence[int] | None = None) -> None:
    done = evaluate(store, rules, SETTINGS, NOW, few, refresh=lambda *_: 0)
    if done.errors:
        raise RuntimeError(f"rules failed: {done.errors}")


def _equal_table(store: Store) -> None:
    with store.write() as connection:
        connection.execute(text(f"DROP TABLE IF EXISTS {handwritten.TABLE}"))
        copy = findings.to_metadata(metadata, name=handwritten.TABLE)
        copy.primary_key.name = quoted_name("pk_by_hand", None)
        try:
            for index in copy.indexes:
                index.name = quoted_name(f"{index.name}_by_hand", None)
            copy.create(connection)
        finally:
            metadata.remove(copy)


def _move(store: Store, few: Sequence[int], days: int) -> None:
    ids = ", ".join(map(str, few))
    with store.write() as connection:
        connection.exec_driver_sql(
            f"UPDATE account_fields SET num = num + {days} WHERE field = 'renewal' AND account_id IN ({ids})"
        )
