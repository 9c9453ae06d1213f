"""One evaluation over stored facts: findings by difference, isolation of a broken rule, nothing changed the second time."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from functools import cache

from sqlalchemy import delete, insert, select, update

from daemon.evaluate import Evaluation, evaluate
from daemon.facts import Needs
from rules.facts.settings import FactSettings
from rules.language import RuleSet, load
from rules.language.evaluate import evaluate as reference
from rules.language.given import row_of
from store import findings, rulesets
from store.engine import Store, dialect_name
from store.records import DAY, Instant
from store.tables import accounts, evaluations, facts, metadata
from store.tables import findings as findings_table
from tests.rules.rows import AS_OF, TODAY
from tests.rules.test_language import shipped

SETTINGS = FactSettings()
QUIET = {"renewal": "in 40 days", "last exec contact": "20 days ago"}
RECENT = {"renewal": "in 40 days", "last exec contact": "3 days ago"}
STALE = {"renewal": "in 40 days", "last exec contact": "20 days ago stale"}


class Customers:
    """Facts by account: `refresh` writes them, as the real one does from the store's rows."""

    def __init__(self, store: Store, given: Mapping[int, Mapping[str, str]]) -> None:
        self.given = dict(given)
        names = [{"id": n, "key": f"sf:{n:03}", "name": f"Account {n}", "created_at": 0} for n in range(1, 10)]
        with store.write() as connection:
            connection.execute(insert(accounts), names)

    def refresh(
        self,
        store: Store,
        _settings: FactSettings,
        as_of: Instant,
        only: Collection[int] | None = None,
        _needs: Needs | None = None,
    ) -> int:
        """Replace the rows of facts that differ."""
        wanted = {n: row_of(facts_given, as_of, TODAY) | {"account_id": n} for n, facts_given in self.given.items()}
        with store.write() as connection:
            for n in sorted(wanted if only is None else set(only)):
                connection.execute(delete(facts).where(facts.c.account_id == n))
                if n in wanted:
                    row = {name: value for name, value in wanted[n].items() if name in facts.c}
                    connection.execute(insert(facts).values(row))
        return len(wanted)

    def evaluate(
        self, store: Store, ruleset: RuleSet, as_of: Instant, only: Collection[int] | None = None
    ) -> Evaluation:
        """One evaluation with these facts."""
        return evaluate(store, ruleset, SETTINGS, as_of, only, refresh=self.refresh)


@cache
def ruleset() -> RuleSet:
    """The rules that ship."""
    return load(shipped())


def rows(store: Store, rule: str = "renewal-exec-silence") -> dict[int, tuple[str, str, str | None, Instant]]:
    """(outcome, severity, reason, since) by account of one rule."""
    columns = (findings_table.c.outcome, findings_table.c.severity, findings_table.c.reason, findings_table.c.since)
    query = select(findings_table.c.account_id, *columns).where(findings_table.c.rule == rule)
    with store.read() as connection:
        return {row[0]: tuple(row[1:]) for row in connection.execute(query)}


def dump(store: Store) -> list[object]:
    """Every row of every table that an evaluation may write."""
    with store.read() as connection:
        tables = [findings_table, evaluations, metadata.tables["rule_sets"]]
        return [row for table in tables for row in connection.execute(select(table).order_by(*table.primary_key))]


def test_findings_hold_what_fires_and_what_is_unknown(store: Store) -> None:
    """Firing and unknown accounts have a row with severity, reason and since; silent ones have none."""
    customers = Customers(store, {1: QUIET, 2: RECENT, 3: STALE, 4: {**QUIET, "renewal": "in 20 days"}})
    done = customers.evaluate(store, ruleset(), AS_OF)
    assert rows(store) == {
        1: ("fires", "high", None, AS_OF),
        3: ("unknown", "high", "last exec contact: stale", AS_OF),
        4: ("fires", "critical", None, AS_OF),
    }
    run = next(run for run in done.rules if run.rule == "renewal-exec-silence")
    assert (run.fires, run.unknown, done.customers, done.scope) == (2, {"last exec contact: stale": 1}, 4, "full")


def test_a_second_evaluation_changes_no_row(store: Store) -> None:
    """At the same instant nothing is written again."""
    customers = Customers(store, {1: QUIET, 2: RECENT, 3: STALE})
    first = customers.evaluate(store, ruleset(), AS_OF)
    before = dump(store)
    second = customers.evaluate(store, ruleset(), AS_OF)
    assert first.changed > 0
    assert second.changed == 0
    assert dump(store) == before


def test_since_stays_while_the_outcome_does(store: Store) -> None:
    """Later evaluations keep `since`, also when severity changes; another outcome starts anew."""
    customers = Customers(store, {1: QUIET, 2: QUIET})
    customers.evaluate(store, ruleset(), AS_OF)
    customers.given = {1: {**QUIET, "renewal": "in 20 days"}, 2: STALE}
    customers.evaluate(store, ruleset(), AS_OF + DAY)
    assert rows(store) == {
        1: ("fires", "critical", None, AS_OF),
        2: ("unknown", "high", "last exec contact: stale", AS_OF + DAY),
    }


def test_findings_that_clear_or_leave_scope_are_gone(store: Store) -> None:
    """An account that turns silent, and one that is no customer any more, lose their rows."""
    customers = Customers(store, {1: QUIET, 2: QUIET, 3: QUIET})
    customers.evaluate(store, ruleset(), AS_OF)
    customers.given = {1: RECENT, 3: QUIET}
    with store.write() as connection:
        connection.execute(delete(facts).where(facts.c.account_id == 2))
    customers.evaluate(store, ruleset(), AS_OF + DAY)
    assert list(rows(store)) == [3]


def test_touched_accounts_only(store: Store) -> None:
    """With `accounts` the others keep their findings, whatever their facts say now."""
    customers = Customers(store, {1: QUIET, 2: QUIET})
    customers.evaluate(store, ruleset(), AS_OF)
    customers.given = {1: RECENT, 2: RECENT}
    done = customers.evaluate(store, ruleset(), AS_OF + DAY, [1])
    assert (list(rows(store)), done.scope) == ([2], "touched")


def test_a_removed_rule_loses_its_findings(store: Store) -> None:
    """Rules that are not in the set any more leave nothing behind."""
    customers = Customers(store, {1: QUIET})
    customers.evaluate(store, ruleset(), AS_OF)
    files = {name: text for name, text in shipped().items() if name in ("vocabulary.yaml", "growth.yaml")}
    kept = load(files)
    customers.evaluate(store, kept, AS_OF)
    with store.read() as connection:
        found = set(connection.execute(select(findings_table.c.rule)).scalars())
    assert "strong-adoption-no-users" in found
    assert found <= {rule.name for rule in kept.rules}


REFUSE = {
    "sqlite": [
        (
            "CREATE TRIGGER refuse BEFORE DELETE ON findings WHEN OLD.rule = 'renewal-exec-silence' "
            "BEGIN SELECT RAISE(ABORT, 'refused by the database'); END"
        )
    ],
    "postgresql": [
        (
            "CREATE FUNCTION refuse() RETURNS trigger AS "
            "$$ BEGIN RAISE EXCEPTION 'refused by the database'; END $$ LANGUAGE plpgsql"
        ),
        (
            "CREATE TRIGGER refuse BEFORE DELETE ON findings FOR EACH ROW "
            "WHEN (OLD.rule = 'renewal-exec-silence') EXECUTE FUNCTION refuse()"
        ),
    ],
}


def test_a_rule_that_fails_keeps_its_findings_and_is_reported(store: Store) -> None:
    """One rule whose statement the database refuses changes nothing of its own and stops no other."""
    customers = Customers(store, {1: QUIET, 2: {**QUIET, "touch due in": "-9 days"}})
    customers.evaluate(store, ruleset(), AS_OF)
    before = rows(store)
    with store.write() as connection:
        for statement in REFUSE[dialect_name(connection)]:
            connection.exec_driver_sql(statement)
    customers.given = {1: RECENT, 2: RECENT}
    done = customers.evaluate(store, ruleset(), AS_OF + DAY)
    assert done.errors == {"renewal-exec-silence": "refused by the database"}
    assert rows(store) == before
    assert rows(store, "touch-overdue")[2][0] == "unknown"


def test_alerting_runs_after_all_rules(store: Store) -> None:
    """The alerting step is handed the store, the rules and the instant, and sees every rule's findings."""
    seen: list[tuple[int, Instant]] = []

    def advance(opened: Store, rules: RuleSet, as_of: Instant) -> str:
        seen.append((len(rows(opened)), as_of))
        return f"{len(rules.rules)} rules"

    customers = Customers(store, {1: QUIET, 2: QUIET})
    done = evaluate(store, ruleset(), SETTINGS, AS_OF, refresh=customers.refresh, advance=advance)
    found = len(rows(store))
    assert found > 0
    assert (seen, done.advanced) == ([(found, AS_OF)], f"{len(ruleset().rules)} rules")


def test_the_evaluation_is_recorded_without_a_clock(store: Store) -> None:
    """Its row holds counts per rule and is stamped with `as_of` alone."""
    Customers(store, {1: QUIET, 3: STALE}).evaluate(store, ruleset(), AS_OF)
    with store.read() as connection:
        row = connection.execute(select(evaluations)).one()
    assert (row.as_of, row.scope, row.started_at, row.ended_at) == (AS_OF, "full", AS_OF, AS_OF)
    told = json.loads(row.detail)["rules"]["renewal-exec-silence"]
    assert told == {"error": None, "fires": 1, "unknown": {"last exec contact: stale": 1}}


def test_evidence_is_enough_to_say_the_same_again(store: Store) -> None:
    """The evaluator reaches the finding's outcome, severity and reason from its stored evidence alone."""
    customers = Customers(store, {1: QUIET, 3: STALE, 4: {**QUIET, "exec contacts": "0"}})
    customers.evaluate(store, ruleset(), AS_OF)
    with store.read() as connection:
        stored = connection.execute(select(findings_table)).mappings().all()
    assert len(stored) > 3
    for row in stored:
        evidence = json.loads(row["evidence"])
        assert list(evidence) == sorted(evidence)
        verdict = reference(ruleset().rule(row["rule"]), evidence, AS_OF, TODAY)
        again = (verdict.outcome, verdict.severity, verdict.reasons[0] if verdict.reasons else None)
        assert again == (row["outcome"], row["severity"], row["reason"])


def test_export_has_no_surrogate_ids(store: Store) -> None:
    """The export is the same text when the accounts have other row ids, sorted by rule and account key."""
    Customers(store, {1: QUIET, 2: STALE}).evaluate(store, ruleset(), AS_OF)
    with store.read() as connection:
        before = findings.export(connection)
    with store.write() as connection:
        moved = [{"id": 100 - n, "key": f"k{n}", "name": "n", "created_at": 0} for n in (1, 2)]
        connection.execute(insert(accounts), moved)
        for n in (1, 2):
            connection.execute(update(facts).where(facts.c.account_id == n).values(account_id=100 - n))
            connection.execute(
                update(findings_table).where(findings_table.c.account_id == n).values(account_id=100 - n)
            )
            connection.execute(update(accounts).where(accounts.c.id == n).values(key=f"old{n}"))
            connection.execute(update(accounts).where(accounts.c.id == 100 - n).values(key=f"sf:{n:03}"))
    with store.read() as connection:
        assert findings.export(connection) == before
    keys = [(line["rule"], line["account"]) for line in map(json.loads, before.splitlines())]
    assert keys == sorted(keys)
    assert len(keys) == len(before.splitlines()) > 2


def test_the_last_good_rules_are_the_newest(store: Store) -> None:
    """Rule files that were read well are kept; files that come back are in force again."""
    with store.write() as connection:
        assert rulesets.last(connection) is None
        rulesets.keep(connection, "one", {"a": "1"}, AS_OF)
        rulesets.keep(connection, "two", {"a": "2"}, AS_OF + 1)
        assert rulesets.last(connection) == ("two", {"a": "2"})
        rulesets.keep(connection, "one", {"a": "1"}, AS_OF + 2)
        assert rulesets.last(connection) == ("one", {"a": "1"})
