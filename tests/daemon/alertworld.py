"""A small portfolio for alerting tests: accounts with facts, findings that a test sets by hand, and what was queued."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert, select, update

from alerts.settings import AlertSettings
from alerts.view import RuleText
from daemon.alerting import Advance, AlertPolicy, AlertRule, advance, digest
from store.engine import Store
from store.records import DAY, HOUR, Behind, Instant
from store.tables import (
    accounts,
    alerts,
    conversations,
    crm_accounts,
    deliveries,
    facts,
    findings,
    members,
    settings,
    told,
    transitions,
)

START: Instant = 20_514 * DAY + 6 * HOUR
"""2 March 2026, 06:00 UTC, a Monday."""
ANN, BOB, LEA = "ann@x.example", "bob@x.example", "lea@x.example"
ALERTS, OPERATORS = "C0ALERTS", "C0OPERATORS"


def _words(name: str) -> Any:
    def words(evidence: Mapping[str, Any], _as_of: Instant, _behind: Behind) -> RuleText:
        return RuleText(f"{name} says {evidence.get('why', 'so')}.", ("proof: 1",), "it is over", "call them")

    return words


def rule(name: str, klass: str = "churn", **more: Any) -> AlertRule:
    """A rule whose words name it and its evidence."""
    return AlertRule(name, klass, more.pop("version", "v1"), _words(name), **more)


RULES = {
    r.name: r
    for r in (
        rule("silence"),
        rule("drop", keep_firing_us=0),
        rule("lapsed", for_us=7 * DAY),
        rule("single"),
        rule("champions", "growth"),
    )
}


@dataclass
class World:
    """The store with helpers. Account ids count from 1; all belong to Ann unless said."""

    store: Store
    policy: AlertPolicy
    rules: dict[str, AlertRule]
    at: Instant = START

    def account(self, number: int, csm: str | None = ANN, **known: Any) -> int:
        """A customer in scope."""
        with self.store.write() as c:
            name = known.pop("name", f"Account {number}")
            c.execute(insert(accounts).values(id=number, key=f"sf:{number}", name=name, created_at=0))
            crm = {"source": "sf", "id": f"001{number}", "name": name, "fields": "{}", "account_id": number}
            c.execute(insert(crm_accounts).values(**crm, created_at=0, modified_at=0, payload=""))
            values = {"arr": 5_000_000, "renewal": START // DAY + 40, "tier": 1, **known}
            c.execute(insert(facts).values(account_id=number, as_of=self.at, name=name, csm=csm, **values))
        return number

    def finds(self, rule: str, account: int, severity: str = "high", outcome: str = "fires", **evidence: Any) -> None:
        """The rule fires (or is unknown) on the account from now on."""
        reason = evidence.pop("reason", "stale") if outcome == "unknown" else None
        row = {"rule": rule, "account_id": account, "outcome": outcome, "severity": severity, "reason": reason}
        row |= {"since": self.at, "rule_version": "v1", "evidence": json.dumps(evidence, sort_keys=True)}
        self.clears(rule, account)
        with self.store.write() as c:
            c.execute(insert(findings).values(row))

    def clears(self, rule: str, account: int) -> None:
        """The rule has no finding on the account any more."""
        with self.store.write() as c:
            c.execute(delete(findings).where(findings.c.rule == rule, findings.c.account_id == account))

    def change(self, account: int, **values: Any) -> None:
        """Change facts of an account."""
        with self.store.write() as c:
            c.execute(update(facts).where(facts.c.account_id == account).values(values))

    def leave(self, account: int) -> None:
        """The account is no customer in scope any more."""
        with self.store.write() as c:
            c.execute(delete(findings).where(findings.c.account_id == account))
            c.execute(delete(facts).where(facts.c.account_id == account))

    def run(self, days: float = 0) -> Advance:
        """Let time pass, then take one alerting step."""
        self.at += round(days * DAY)
        return advance(self.store, self.rules, self.policy, self.at)

    def digest(self) -> int:
        """The digest an hour after the last step."""
        return digest(self.store, self.rules, self.policy, self.at + HOUR)

    def begin(self) -> World:
        """Get the first run over with."""
        self.run()
        self.at += DAY
        return self

    def rows(self, table: Any) -> list[dict[str, Any]]:
        """All rows of a table."""
        with self.store.read() as c:
            return [dict(row) for row in c.execute(select(table)).mappings()]

    def alert(self, rule: str, account: int = 1) -> dict[str, Any]:
        """The newest episode."""
        found = [row for row in self.rows(alerts) if row["rule"] == rule and row["account_id"] == account]
        return max(found, key=lambda row: int(row["episode"]))

    def queued(self) -> list[tuple[str, str, str]]:
        """(op, state, text) of every delivery in order; marks as they are."""
        rows = sorted(self.rows(deliveries), key=lambda row: int(row["seq"]))
        return [(row["op"], row["state"], json.loads(row["body"])["text"]) for row in rows]

    def ops(self) -> list[str]:
        """Kinds of the deliveries that are to be sent, in order: `post alert`."""
        rows = sorted(self.rows(deliveries), key=lambda row: int(row["seq"]))
        return [f"{row['op']} {row['kind']}" for row in rows if row["state"] != "superseded"]

    def last_body(self) -> str:
        """The newest delivery's body."""
        return str(max(self.rows(deliveries), key=lambda row: int(row["seq"]))["body"])

    def reasons(self) -> dict[str, str]:
        """What was told, by rule and account: kind and reason."""
        names = {row["id"]: f"{row['rule']}/{row['account_id']}" for row in self.rows(alerts)}
        return {names[row["alert_id"]]: f"{row['kind']}: {row['reason']}" for row in self.rows(told)}

    def decisions(self, rule: str) -> list[str]:
        """Why each change of a rule's alerts was told as it was, or not."""
        mine = {row["id"] for row in self.rows(alerts) if row["rule"] == rule}
        changes = sorted(self.rows(transitions), key=lambda row: int(row["id"]))
        return [row["reason"] for row in changes if row["alert_id"] in mine and row["kind"].startswith("told:")]

    def snapshot(self) -> str:
        """Every row that alerting writes."""
        tables = (alerts, transitions, conversations, told, deliveries, settings)
        return json.dumps({table.name: self.rows(table) for table in tables}, sort_keys=True)


def world(store: Store, **settings_: Any) -> World:
    """Ann, and Bob whose lead is Lea; an empty portfolio."""
    people = ((ANN, "Ann", 1, LEA), (BOB, "Bob", 1, LEA), (LEA, "Lea", 1, None))
    with store.write() as c:
        for key, name, active, lead in people:
            c.execute(insert(members).values(key=key, name=name, email=key, active=active, manager_key=lead))
    policy = AlertPolicy(
        AlertSettings(**settings_), ALERTS, OPERATORS, links={"sf": "https://crm.example/{id}"}, chunk=2
    )
    return World(store, policy, dict(RULES))
