"""A CRM in which anything may change at any time: what incremental facts are held against."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from typing import Any

from store.records import (
    DAY,
    HOUR,
    MINUTE,
    AccountRecord,
    ActivityRecord,
    ActivityStatus,
    ContactRecord,
    Gone,
    Instant,
    Merged,
    OpportunityRecord,
    Record,
    TeamMemberRecord,
    TicketRecord,
    UsageSample,
)
from tests.daemon.derivation import T0, mail, meeting

BEYOND = T0 + 900 * DAY
"""Meetings to come lie behind this: what the mere passing of time changes is no event."""
_TITLES = ("CEO", "VP Sales", "Head of IT", "Director Finance", "Manager", "Office clerk", None)
_STAGES = ((False, False), (True, True), (True, False))


@dataclass
class World:
    """The rows as the CRM has them now, and the events that change them."""

    seed: int
    accounts: dict[str, AccountRecord] = field(default_factory=dict)
    contacts: dict[str, ContactRecord] = field(default_factory=dict)
    activities: dict[str, ActivityRecord] = field(default_factory=dict)
    deals: dict[str, OpportunityRecord] = field(default_factory=dict)
    tickets: dict[str, TicketRecord] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.number = 0

    def begin(self) -> list[Record]:
        """The first rows: our two CSMs and some customers."""
        members = [TeamMemberRecord(f"U{n}", f"Csm {n}", f"csm{n}@ours.test", True, T0) for n in (1, 2)]
        return [*members, *(row for _ in range(5) for row in self.account(T0)), *self.contact(T0), *self.contact(T0)]

    def event(self, now: Instant) -> tuple[str, list[Record]]:
        """(source, rows) of one thing that happens, or that a sync finds late."""
        if self.random.random() < 0.12:
            key, metric = f"ws-{self.random.randint(1, 8)}", self.random.choice(("active_users", "active_users_28d"))
            samples = [
                UsageSample(key, metric, now - n * 7 * DAY, float(self.random.randint(5, 60)), recorded_at=now - DAY)
                for n in range(self.random.randint(1, 18))
            ]
            return "usage", list(samples)
        makers = (
            self.account, self.account_changes, self.account_changes, self.account_ends, self.contact, self.contact,
            self.contact_changes, self.contact_ends, self.activity, self.activity, self.activity, self.activity,
            self.activity_changes, self.deal, self.deal_changes, self.ticket, self.member_changes,
        )  # fmt: skip
        return "sf", self.random.choice(makers)(now)

    # ------------------------------------------------------------ accounts

    def account(self, now: Instant) -> list[Record]:
        ref = self._ref("A")
        fields = {"CSM__c": "U1", "Workspace__c": f"ws-{len(self.accounts) + 1}", **self._fields()}
        row = AccountRecord(ref, ref, f"{ref.lower()}.test", "U1", None, now - DAY, now, True, fields=fields)
        self.accounts[ref] = row
        return [row]

    def account_changes(self, now: Instant) -> list[Record]:
        if not self.accounts:
            return []
        ref = self._one(self.accounts)
        row = self.accounts[ref]
        also: dict[str, Any] = {"fields": {**row.fields, **self._fields()}, "modified_at": now}
        also |= {"customer": self.random.random() < 0.8} if self.random.random() < 0.3 else {}
        self.accounts[ref] = replace(row, **also)
        return [self.accounts[ref]]

    def account_ends(self, now: Instant) -> list[Record]:
        if len(self.accounts) < 3:
            return []
        ref = self._one(self.accounts)
        del self.accounts[ref]
        if self.random.random() < 0.5:
            return [Gone("accounts", ref, now - HOUR)]
        return [Merged("accounts", ref, self._one(self.accounts), now - HOUR)]

    def _fields(self) -> dict[str, Any]:
        r = self.random
        made = {
            "ARR__c": str(r.randint(1_000, 300_000)),
            "Renewal_Date__c": f"2026-{r.randint(1, 12):02}-{r.randint(1, 28):02}",
            "CSM__c": r.choice(("U1", "U2", None)),
            "Tier__c": r.choice(("Tier 1", "Tier 2", "Tier 3", None)),
            "Type": r.choice(("Customer", "Customer", "Former Customer")),
        }
        return {name: made[name] for name in r.sample(sorted(made), r.randint(1, 3))}

    # ------------------------------------------------------------ people

    def contact(self, now: Instant) -> list[Record]:
        if not self.accounts:
            return []
        ref, at = self._ref("C"), now - self.random.randint(0, 100) * DAY
        row = ContactRecord(
            ref, (self._one(self.accounts),), ref, f"{ref.lower()}@people.test", self.random.choice(_TITLES), at, now,
            fields={"User__c": self.random.choice(("true", None))},
        )  # fmt: skip
        self.contacts[ref] = row
        return [row]

    def contact_changes(self, now: Instant) -> list[Record]:
        if not self.contacts or not self.accounts:
            return []
        ref = self._one(self.contacts)
        row = replace(self.contacts[ref], title=self.random.choice(_TITLES), modified_at=now)
        if self.random.random() < 0.4:
            row = replace(row, account_ids=(self._one(self.accounts),))
        self.contacts[ref] = row
        return [row]

    def contact_ends(self, now: Instant) -> list[Record]:
        if len(self.contacts) < 2:
            return []
        ref = self._one(self.contacts)
        del self.contacts[ref]
        if self.random.random() < 0.5:
            return [Gone("contacts", ref, now - HOUR)]
        return [Merged("contacts", ref, self._one(self.contacts), now - HOUR)]

    def member_changes(self, now: Instant) -> list[Record]:
        return [TeamMemberRecord("U2", self._ref("Csm "), "csm2@ours.test", self.random.random() < 0.8, now)]

    # ------------------------------------------------------------ activities

    def activity(self, now: Instant) -> list[Record]:
        if not self.contacts:
            return []
        contact, ref = self._one(self.contacts), self._ref("E")
        ago = self.random.choice((HOUR, DAY, 20 * DAY, 80 * DAY, 300 * DAY))  # some are logged long after
        logged = now - self.random.randint(1, 50) * MINUTE
        if self.random.random() < 0.5:
            at = BEYOND + self.random.randint(1, 30) * DAY if self.random.random() < 0.2 else now - ago
            row = meeting(ref, at, created_at=min(logged, at + DAY), modified_at=now)
            row = replace(row, participants=tuple(replace(p, contact_id=contact) for p in row.participants or ()))
        else:
            address = self.contacts[contact].email or ""
            row = mail(ref, now - ago, to=(address,), created_at=logged, modified_at=now)
            if self.random.random() < 0.4:
                row = replace(row, direction="in")
        self.activities[ref] = row
        return [row]

    def activity_changes(self, now: Instant) -> list[Record]:
        if not self.activities:
            return []
        ref = self._one(self.activities)
        if self.random.random() < 0.4:
            del self.activities[ref]
            return [Gone("activities", ref, now - HOUR)]
        status = self.random.choice((ActivityStatus.DONE, ActivityStatus.CANCELLED, ActivityStatus.NO_SHOW))
        self.activities[ref] = replace(self.activities[ref], status=status, modified_at=now)
        return [self.activities[ref]]

    # ------------------------------------------------------------ deals and tickets

    def deal(self, now: Instant) -> list[Record]:
        if not self.accounts:
            return []
        ref, (closed, won) = self._ref("O"), self.random.choice(_STAGES)
        close_on = now // DAY + self.random.randint(-400, 200)
        row = OpportunityRecord(
            ref, self._one(self.accounts), ref, self.random.choice(("Renewal", "New")), None,
            self.random.randint(1, 90) * 100_000, close_on, closed, won, now - DAY, now,
        )  # fmt: skip
        self.deals[ref] = row
        return [row]

    def deal_changes(self, now: Instant) -> list[Record]:
        if not self.deals:
            return []
        ref, (closed, won) = self._one(self.deals), self.random.choice(_STAGES)
        if self.random.random() < 0.2:
            del self.deals[ref]
            return [Gone("opportunities", ref, now - HOUR)]
        self.deals[ref] = replace(self.deals[ref], closed=closed, won=won, close_on=now // DAY, modified_at=now)
        return [self.deals[ref]]

    def ticket(self, now: Instant) -> list[Record]:
        if not self.accounts:
            return []
        if self.tickets and self.random.random() < 0.4:
            ref = self._one(self.tickets)
            self.tickets[ref] = replace(self.tickets[ref], closed_at=now - HOUR, status="Closed", modified_at=now)
            return [self.tickets[ref]]
        ref, opened = self._ref("T"), now - self.random.randint(0, 100) * DAY
        priority = self.random.choice(("Urgent", "Low"))
        self.tickets[ref] = TicketRecord(ref, self._one(self.accounts), priority, "New", opened, None, opened, now)
        return [self.tickets[ref]]

    def _ref(self, kind: str) -> str:
        self.number += 1
        return f"{kind}{self.number}"

    def _one(self, rows: dict[str, Any]) -> str:
        return self.random.choice(sorted(rows))
