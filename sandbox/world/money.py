"""Opportunities and support tickets of an account."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from sandbox.world.draft import Draft
from sandbox.world.model import Dated, Deal, Ticket
from sandbox.world.when import DAY, HOUR, MINUTE, Days

OPENS_BEFORE = 120
"""Days before a renewal at which its opportunity is opened."""
HORIZON = 150
"""So far the world knows what becomes of open renewals: the demo and the 120 days after it."""
OPEN_STAGE = "Negotiation"


@dataclass(slots=True)
class Ledger:
    """Writes deals and tickets."""

    days: Days
    rng: Random
    deals: list[Deal] = field(default_factory=list)
    tickets: list[Ticket] = field(default_factory=list)

    def trade(self, draft: Draft) -> None:
        """First sale, past renewals, and the next renewal with what becomes of it."""
        start = draft.contract_start
        if start is None:
            return
        self._closed(draft, start, "New Business", _price(draft))
        boundary = draft.renewal_day if draft.renewal_day is not None else 0
        for year in range(start + 365, min(boundary, 1) - 60, 365):
            if year > -800:
                self._closed(draft, year - self.rng.randint(3, 45), "Renewal", _price(draft))
        for day, amount in draft.won_renewals:
            if day < 0:
                self._closed(draft, day, "Renewal", amount or _price(draft))
        if draft.renewal_day is not None and draft.has_open_renewal and draft.renewal_day - OPENS_BEFORE < HORIZON:
            self._next_renewal(draft, draft.renewal_day)
        if draft.renewal_day is not None and draft.auto_renews and not draft.cast and draft.churn_day is None:
            self._roll_on(draft, draft.renewal_day, 30 if draft.term_days == 30 else 365)
        if draft.life.offers is not None:
            for opened, won in draft.life.offers:
                self._expansion(draft, opened, won)
        elif draft.kind == "customer" and self.rng.random() < 0.15:
            won = self.rng.randint(-90, 60)
            self._expansion(draft, won - 45, won)

    def support(self, draft: Draft, first: int, until: int) -> None:
        """A handful of tickets; drifting accounts write more."""
        if draft.life.tickets is not None:
            self._counted(draft)
            return
        every = {"enterprise": 40, "mid_market": 75, "smb": 130}[draft.segment]
        day = first + self.rng.uniform(0, every)
        while day < until:
            opened = self.days.at(int(day), 8 * 60) + self.rng.randrange(480) * MINUTE
            closed = opened + self.rng.randint(1, 12) * DAY + 2 * HOUR if self.rng.random() < 0.93 else None
            priority = self.rng.choice(("Low", "Medium", "Medium", "High"))
            key = f"t-{len(self.tickets) + 1:05d}"
            self.tickets.append(Ticket(key, draft.key, priority, opened, closed, draft.systems[:1]))
            day += self.rng.uniform(0.4, 1.6) * every * (0.5 if draft.life.drift_from <= day else 1)

    def _counted(self, draft: Draft) -> None:
        """The tickets that a story plants."""
        for day, closes, priority in draft.life.tickets or ():
            opened = self.days.at(day, 9 * 60) + self.rng.randrange(300) * MINUTE
            closed = None if closes is None else self.days.at(closes, 15 * 60)
            key = f"t-{len(self.tickets) + 1:05d}"
            self.tickets.append(Ticket(key, draft.key, priority, opened, closed, draft.systems[:1]))

    def _next_renewal(self, draft: Draft, renewal: int) -> None:
        """Open until a story or the account's fate closes it; the CRM's date moves on some days after it is won."""
        lost = draft.lost_renewal
        won = next((day for day, _ in draft.won_renewals if day >= 0), None)
        fate = lost is None and won is None and not draft.cast and draft.churn_day is None
        if fate and not draft.auto_renews and renewal <= HORIZON:
            late = self.rng.random() < 0.04
            won = (
                renewal + self.rng.randint(1, 5)
                if late
                else max(renewal - self.rng.randint(2, 55), renewal - OPENS_BEFORE + 5)
            )
            if won < 0:
                won = min(won, -2)
            moves = won + self.rng.randint(1, 5) if self.rng.random() < 0.7 else renewal + 2
            draft.renewal_moves.append((self.days.at(moves, 15 * 60), renewal + 365))
        opened = self.days.at(renewal - OPENS_BEFORE, 11 * 60)
        end = won if won is not None else lost
        stages: tuple[tuple[int, object], ...] = ((opened, OPEN_STAGE),)
        closes: tuple[tuple[int, object], ...] = ((opened, self.days.calendar(renewal)),)
        if end is not None:
            at = self.days.at(end, 14 * 60)
            opened = min(opened, at - 10 * DAY)
            stages = ((opened, OPEN_STAGE), (at, "Closed Won" if won is not None else "Closed Lost"))
            closes = ((opened, self.days.calendar(renewal)), (at, self.days.calendar(end)))
        self._add(draft, "Renewal", _price(draft), closes, stages)

    def _roll_on(self, draft: Draft, renewal: int, term: int) -> None:
        """An auto-renewing contract: its date moves on by a term the day after it has passed."""
        while renewal < HORIZON:
            draft.renewal_moves.append((self.days.at(renewal + 1, 15 * 60), renewal + term))
            renewal += term

    def _closed(self, draft: Draft, day: int, kind: str, amount: int | None) -> None:
        opened, at = self.days.at(day - 40, 11 * 60), self.days.at(day, 14 * 60)
        closes = ((opened, self.days.calendar(day)),)
        self._add(draft, kind, amount, closes, ((opened, OPEN_STAGE), (at, "Closed Won")))

    def _expansion(self, draft: Draft, first: int, day: int) -> None:
        opened = self.days.at(first, 11 * 60)
        amount = round((draft.arr or 0) * 0.2 / 100) * 100
        closes = ((opened, self.days.calendar(day)),)
        self._add(
            draft,
            "Expansion",
            amount,
            closes,
            ((opened, OPEN_STAGE), (self.days.at(day, 14 * 60), "Closed Won")),
        )

    def _add(
        self,
        draft: Draft,
        kind: str,
        amount: int | None,
        closes: tuple[tuple[int, object], ...],
        stages: tuple[tuple[int, object], ...],
    ) -> None:
        # What was sold before the account was in the CRM came in with it, a day later.
        earliest = draft.created_at + DAY
        closes = tuple((max(at, earliest), day) for at, day in closes)
        stages = tuple((max(at, earliest), stage) for at, stage in stages)
        key = f"d-{len(self.deals) + 1:05d}"
        name = f"{draft.name} - {kind}"
        self.deals.append(
            Deal(key, draft.key, name, kind, amount, Dated(closes), Dated(stages), stages[0][0], draft.systems[:1])
        )


def _price(draft: Draft) -> int | None:
    """What a contract costs: the ARR, and where line items tell that apart, services on top of it."""
    return draft.arr // 100 * 125 if draft.arr is not None and draft.arr_in == "items" else draft.arr
