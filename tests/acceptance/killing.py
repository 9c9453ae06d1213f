"""A run that is killed again and again, and what it must have in common with one that is left alone."""

from __future__ import annotations

import json
import random
import re
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import select

from sandbox.requestlog import Entry
from store import findings
from store.records import DAY, HOUR, MINUTE, Instant
from store.tables import (
    accounts,
    alerts,
    conversations,
    deliveries,
    schedule,
    sync_runs,
    tier_ledger,
    told,
    transitions,
)
from tests.acceptance.world import Stage, until

PHASES = ("sync:salesforce", "sync:hubspot", "sync:product-usage", "evaluate", "sending", "tiers", "digest")
"""What a day's work consists of, in the order in which it is begun."""
_EARLY = PHASES[:3]
_BEFORE = 10 * MINUTE  # before the day's evaluation all its syncs are over
_OVER = 4 * HOUR  # after the day's evaluation: nothing is left to do
_LOOKING_UP = 2.0  # real seconds
_BY_SLACK = re.compile("[0-9a-f]{5}")
_STAMPS = ("LastModifiedDate", "SystemModstamp", "hs_lastmodifieddate", "lastmodifieddate")


@dataclass
class Killer:
    """Kills the daemon `kills` times in `days` days at instants that the seed draws, and starts it again each time."""

    stage: Stage
    seed: int
    kills: int
    days: int
    met: Counter[str] = field(default_factory=Counter)
    """What was under way in the store when the daemon died; one kill may meet several."""

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._nap = threading.Event()
        rest = self.kills - 2
        self._plan = {day: rest // self.days + (day < rest % self.days) for day in range(self.days)}
        assert max(self._plan.values()) <= len(PHASES)

    def first(self) -> None:
        """The first sync and tier run, killed once while it reads and once while it writes tiers."""
        child, requests = self.stage.child, self._random.randrange(1, 50)
        for wanted in (lambda asked: len(asked) >= requests, lambda asked: any(map(_writes, asked))):
            mark = self._last()
            child._launch("first")
            until(partial(self._first_is, wanted, mark), "a request of the first sync")
            self._kill()
        child.first()

    def during(self, day: int) -> None:
        """Let the day begin, and kill the daemon in some of its phases."""
        as_of = self.stage.start + day * DAY
        chosen = [PHASES[number] for number in sorted(self._random.sample(range(len(PHASES)), self._plan[day]))]
        before = as_of - _BEFORE
        self.stage.control.limit(before)
        self._kill_in([phase for phase in chosen if phase in _EARLY], as_of, before)
        until(lambda: self.stage.sandbox.clock.now() >= before, "the hour before the evaluation")
        self._hold("sending" in chosen)
        self.stage.control.limit(as_of + _OVER)
        self._kill_in([phase for phase in chosen if phase not in _EARLY], as_of, as_of + _OVER)

    def _kill_in(self, phases: list[str], as_of: Instant, end: Instant) -> None:
        """Kill once in each of these phases, or at `end` where one is not met, and start again each time."""
        for phase in phases:
            if phase == "sending":
                self._wait_for_message(as_of)
            else:
                until(partial(self._is_in_or_over, phase, as_of, end), phase)
                self._nap.wait(self._random.uniform(0, 0.15))
            self._kill()
            if phase == "sending":
                self._hold(held=False)
            self.stage.child.run()

    def _first_is(self, wanted: Callable[[list[Entry]], bool], mark: int) -> bool:
        process = self.stage.child.process
        assert process is not None
        return wanted(self._asked(mark)) or process.poll() is not None

    def _wait_for_message(self, as_of: Instant) -> None:
        """Slack has been asked for something and does not answer: mostly, it has a message that it does not confirm."""
        asked = time.monotonic()
        while not (self._sending() or self.stage.sandbox.clock.now() >= as_of + _OVER):
            now = time.monotonic()
            if self.stage.sandbox.clock.now() < as_of:
                asked = now
            if now - asked > _LOOKING_UP:
                return  # no message is under way: a person is looked up
            self._nap.wait(0.01)

    def _hold(self, held: bool) -> None:
        self.stage.control.post("/hold", {"vendor": "slack", "held": held})

    def _kill(self) -> None:
        """Kill, and note what the store says was under way."""
        child = self.stage.child
        child.kill()
        assert child.process is not None
        assert child.process.returncode == -signal.SIGKILL
        begun = schedule.c.last_completed.is_(None) | (schedule.c.last_completed < schedule.c.last_started)
        with self.stage.store.read() as connection:
            running = connection.scalars(select(schedule.c.task).where(schedule.c.last_started.is_not(None), begun))
            met = {name.split(":")[0] for name in running}
            if connection.scalar(select(tier_ledger.c.id).where(tier_ledger.c.state == "sending").limit(1)):
                met.add("writing tiers")
            if connection.scalar(select(sync_runs.c.id).where(sync_runs.c.status == "running").limit(1)):
                met.add("reading")
        self.met.update(met | ({"sending"} if self._sending() else set()) or {"nothing"})

    def _sending(self) -> bool:
        with self.stage.store.read() as connection:
            sending = select(deliveries.c.id).where(deliveries.c.state == "sending")
            return connection.scalar(sending.limit(1)) is not None

    def _is_in_or_over(self, phase: str, as_of: Instant, end: Instant) -> bool:
        with self.stage.store.read() as connection:
            row = connection.execute(select(schedule).where(schedule.c.task == phase)).one_or_none()
        today = as_of - HOUR
        begun = row is not None and (row.last_started or 0) >= today > (row.last_completed or 0)
        return begun or self.stage.sandbox.clock.now() >= end

    def _asked(self, since: int) -> list[Entry]:
        return self.stage.sandbox.shared.log.entries(since)

    def _last(self) -> int:
        return max((entry.seq for entry in self._asked(0)), default=0)


def _writes(entry: Entry) -> bool:
    return entry.path.endswith("/batch/update") or entry.method == "PATCH" or '"PATCH"' in entry.body


@dataclass(frozen=True)
class Outcome:
    """What a run has led to, without anything that may depend on when the daemon was where."""

    told: frozenset[tuple[Any, ...]]
    """(destination, account, rule, opened, closed, state, how it was told, final text of its message)."""
    changes: Counter[tuple[Any, ...]]
    """(account, rule, instant, transition, reason)."""
    findings: str
    messages: Mapping[str, tuple[Any, ...]]
    """Delivery id -> (channel, thread's parent, final text, final blocks)."""
    repeated: tuple[str, ...]
    """Delivery ids that more than one Slack message carries."""
    crm: Mapping[tuple[str, str], Mapping[str, Any]]
    """(CRM, account) -> its fields but the stamps."""


def outcome(stage: Stage) -> Outcome:
    """Look at the store, at Slack and at the CRMs."""
    shown = [message for message in stage.messages() if not message["deleted"]]
    first_id = {(m["channel"], m["ts"]): _delivery(m["history"][0] if m["history"] else m) for m in shown}
    texts = {(m["channel"], m["ts"]): m["text"] for m in shown}
    told_query = (
        select(
            told.c.destination, accounts.c.key, alerts.c.rule, alerts.c.fired_at, alerts.c.closed_at, alerts.c.state,
            told.c.kind, conversations.c.channel, conversations.c.ts,
        )
        .join(alerts, alerts.c.id == told.c.alert_id)
        .join(accounts, accounts.c.id == alerts.c.account_id)
        .outerjoin(conversations, conversations.c.id == told.c.conversation_id)
    )  # fmt: skip
    changes_query = (
        select(accounts.c.key, alerts.c.rule, transitions.c.at, transitions.c.kind, transitions.c.reason)
        .join(alerts, alerts.c.id == transitions.c.alert_id)
        .join(accounts, accounts.c.id == alerts.c.account_id)
    )
    with stage.store.read() as connection:
        told_rows = [(*row[:-2], texts.get((row.channel, row.ts))) for row in connection.execute(told_query)]
        changes = Counter(tuple(row) for row in connection.execute(changes_query))
        exported = findings.export(connection)
    counted = Counter(first_id.values())
    return Outcome(
        told=frozenset(told_rows),
        changes=changes,
        findings=exported,
        messages={
            first_id[m["channel"], m["ts"]]: (
                m["channel"], first_id.get((m["channel"], m["thread_ts"])), m["text"], _shown(stage, m["blocks"])
            )
            for m in shown
        },
        repeated=tuple(name for name, count in counted.items() if count > 1),
        crm=_crm(stage),
    )  # fmt: skip


def _shown(stage: Stage, blocks: Any) -> str:
    """The blocks without the ids that Slack has given them in its own order, and without the CRM page's port."""
    ours = [{**block, "block_id": ""} if _BY_SLACK.fullmatch(block["block_id"]) else block for block in blocks or ()]
    return json.dumps(ours, sort_keys=True, ensure_ascii=False).replace(stage.info["crm"]["page"], "crm:")


def _delivery(message: Mapping[str, Any]) -> str:
    return str(message["metadata"]["event_payload"]["delivery_id"])


def _crm(stage: Stage) -> dict[tuple[str, str], dict[str, Any]]:
    """Every account of both CRMs as people see it."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for vendor, name in (("salesforce", "Account"), ("hubspot", "companies")):
        for record in stage.sandbox.desks[vendor].find(name, "", 10_000):
            fields = record["fields"]
            assert isinstance(fields, dict)
            found[vendor, str(record["id"])] = {k: v for k, v in fields.items() if k not in _STAMPS}
    return found
