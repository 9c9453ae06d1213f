"""Which accounts the demo shows in full: one that was told, one that is not told yet, one of which nothing can be said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from daemon.explain import Explanation, explain
from rules.facts.settings import FactSettings
from rules.language.evaluate import evaluate
from rules.language.forecast import next_change
from rules.language.model import Rule, RuleSet
from rules.language.values import today_of
from store.engine import Store
from store.records import Instant
from store.tables import accounts, facts, findings

_SOON, _LATER = 3, 14  # days ahead that make a good example
# What an executive misses first, and what a stranger understands at once, stands in front.
_RULES = ("renewal-exec-silence", "adoption-drop-user-silence", "lapsed", "single-threaded")
_REASONS = ("not captured", "levels not known", "no exec on file", "too new")


@dataclass(frozen=True, slots=True)
class Pick:
    """One account with the rule that is shown of it."""

    what: str
    """told | not yet | cannot say"""
    title: str
    rule: str
    told: Explanation


@dataclass(frozen=True, slots=True)
class Looker:
    """Explains accounts at one instant."""

    store: Store
    rules: RuleSet
    settings: FactSettings
    as_of: Instant

    def at(self, key: str) -> Explanation:
        """The real explanation, as `tierd explain` gives it."""
        return explain(self.store, self.rules, self.settings, key, self.as_of)

    def rule(self, name: str) -> Rule:
        """The rule of that name."""
        return next(rule for rule in self.rules.rules if rule.name == name)


def picks(looker: Looker, truth_table: Sequence[Mapping[str, Any]]) -> list[Pick]:
    """Up to three: whatever the world has to offer."""
    found = [_told(looker, truth_table), _not_yet(looker), _cannot_say(looker)]
    return [pick for pick in found if pick is not None]


def _told(looker: Looker, truth_table: Sequence[Mapping[str, Any]]) -> Pick | None:
    """Still open, told by a message of its own, by a rule that needs no explanation; told midway, so that before and after show."""
    rows = [
        row
        for row in truth_table
        if row["verdict"] == "caught"
        and row["seen"]["closed_day"] is None
        and row["told"]
        and row["told"]["where"] == "alert"
    ]
    middle = max((row["told"]["day"] for row in rows), default=0) / 2
    rows.sort(key=lambda row: (_order(_RULES, row["rule"]), abs(row["told"]["day"] - middle), row["account"]))
    for row in rows[:8]:
        told = looker.at(_key(looker.store, row["account_id"]))
        if told.rule(row["rule"]).verdict.truth and any(touch.standing == "exec" for touch in told.touches):
            day = row["told"]["day"]
            return Pick("told", f"Told on day {day}, by a message of its own", row["rule"], told)
    return None


def _not_yet(looker: Looker) -> Pick | None:
    """Nothing is wrong today, and a day is known on which it will be if nobody does anything."""
    today = today_of(looker.as_of)
    rules = [looker.rule(name) for name in _RULES[:2]]
    for key, row in _portfolio(looker.store):
        for rule in rules:
            booked = row["next_exec_meeting"] or row["next_user_meeting"]
            if booked or evaluate(rule, row, looker.as_of, today).truth is not False:
                continue
            change = next_change(rule, row, looker.as_of, today, _LATER)
            if change is not None and change.truth and change.days >= _SOON:
                return Pick("not yet", f"Not told yet: it will be in {change.days} days", rule.name, looker.at(key))
    return None


def _cannot_say(looker: Looker) -> Pick | None:
    query = (
        select(accounts.c.key, findings.c.rule, findings.c.reason)
        .join(accounts, accounts.c.id == findings.c.account_id)
        .join(facts, facts.c.account_id == findings.c.account_id)
        .where(findings.c.outcome == "unknown", facts.c.renewal_state.is_(None))
        .order_by(facts.c.arr.desc(), accounts.c.key, findings.c.rule)
    )
    with looker.store.read() as conn:
        rows = [(row.key, row.rule, row.reason or "") for row in conn.execute(query)]
    if not rows:
        return None
    key, rule, reason = min(rows, key=lambda row: (_plainness(row[2]), _order(_RULES, row[1])))
    return Pick("cannot say", f"Cannot say, and says so: {reason}", rule, looker.at(key))


def _plainness(reason: str) -> int:
    return next((number for number, words in enumerate(_REASONS) if words in reason), len(_REASONS))


def _portfolio(store: Store) -> Iterator[tuple[str, Mapping[str, object]]]:
    query = select(accounts.c.key, *facts.c).join(facts, facts.c.account_id == accounts.c.id)
    with store.read() as conn:
        rows = conn.execute(query.order_by(facts.c.arr.desc(), accounts.c.key)).mappings().all()
    for row in rows:
        yield row["key"], {name: value for name, value in row.items() if name != "key"}


def _key(store: Store, account_id: int) -> str:
    with store.read() as conn:
        return str(conn.execute(select(accounts.c.key).where(accounts.c.id == account_id)).scalar_one())


def _order(names: Sequence[str], name: str) -> int:
    return names.index(name) if name in names else len(names)
