"""How an account is looked after day by day: executives, users, the weeks before a renewal, drift, and planted touches.

Of whoever has no captured mailbox the CRM knows only calls, which are logged by hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from sandbox.world.diary import Diary
from sandbox.world.draft import FOREVER, Draft, PersonDraft, Pin
from sandbox.world.team import Team

THIN_BEFORE = -130
"""Before this day less happens: 90-day windows do not reach back so far."""
THINNED = 3
"""So many times longer are the gaps then."""
LATE_LOGGED = 0.58
"""Share of mails and calls that are logged by hand 10 to 45 days later (12 % of all activities)."""
LATE_LOGGED_NOW = 0.12
"""The same for the last weeks."""
SLIPS = 0.22
"""Chance that the next contact is forgotten for a while."""
RENEWAL_WATCH = 92
"""Days before a renewal from which an executive is met every one to two weeks."""


@dataclass(slots=True)
class Care:
    """Writes one account's life into the diary, from day `since` to day `until`."""

    draft: Draft
    diary: Diary
    team: Team
    rng: Random
    since: int
    until: int

    def live(self) -> None:
        """All streams of the account, then its planted activities."""
        life = self.draft.life
        for sponsor in life.sponsors:
            self._executive(sponsor)
        if life.champions:
            self._users()
        if self.draft.renewal_day is not None and life.sponsors and life.exec_kinds == "mixed":
            self._before_renewal(life.sponsors[0], self.draft.renewal_day)
        for pin in life.pins:
            self._pin(pin)

    def _executive(self, sponsor: PersonDraft) -> None:
        every = self.draft.life.exec_every or 30
        day = self.since + self.rng.uniform(1, every)
        while day < self.until:
            self._meet(self._workday(day), sponsor, light=self.draft.life.exec_kinds == "light")
            day += self._gap(day, every, 0.85, 1.15, drift=2.4, slips=SLIPS / 6)

    def _users(self) -> None:
        life = self.draft.life
        every = life.user_every or 20
        day = self.since + self.rng.uniform(1, every)
        while day < self.until:
            person = self.rng.choice(life.champions)
            if life.strangers and not life.planned and self.rng.random() < 0.08:
                person = life.strangers[0]
            self._talk(self._workday(day), person)
            day += self._gap(day, every, 0.6, 1.0, drift=2.2, slips=SLIPS)

    def _before_renewal(self, sponsor: PersonDraft, renewal: int) -> None:
        """Light contact with the sponsor every 7 to 12 days; nobody bothers where the account drifts away."""
        day = max(renewal - RENEWAL_WATCH, -60, self.since) + self.rng.uniform(0, 4)
        while day < min(renewal, self.until):
            if not self._drifts(day):
                self._meet(self._workday(day), sponsor, light=True, prompt=True)
            day += self.rng.uniform(7, 11) * (2 if not self.draft.life.planned and self.rng.random() < SLIPS / 8 else 1)

    def _gap(self, day: float, every: float, low: float, high: float, *, drift: float, slips: float) -> float:
        gap = self.rng.uniform(low, high) * every
        planned = self.draft.life.planned
        if day < THIN_BEFORE and not planned and every < 27:
            gap *= THINNED
        if not planned and self.rng.random() < slips:
            gap *= 2
        return gap * drift if self._drifts(day) else gap

    def _drifts(self, day: float) -> bool:
        return self.draft.life.drift_from <= day < self.draft.life.drift_until

    def _workday(self, day: float) -> int:
        return self.diary.days.working(int(day))

    def _meet(self, day: int, sponsor: PersonDraft, *, light: bool, prompt: bool = False) -> None:
        """A meeting, a call or a mail and its answer with an executive; `prompt`: never logged late."""
        chance = self.rng.random()
        if light:
            chance = 0.75 + chance / 4 if chance < 0.8 else 0.0
        if chance < 0.76:
            persons = [sponsor]
            champions = self.draft.life.champions
            if champions and self.rng.random() < 0.3 and not self._forbidden(champions[:1], day):
                persons.append(champions[0])
            self._meeting(day, persons)
        elif chance < 0.86:
            self._call(day, sponsor, prompt=prompt)
        else:
            self._mails(day, sponsor, prompt=prompt)

    def _talk(self, day: int, person: PersonDraft) -> None:
        """A mail thread, a lone mail, a call or a meeting with a user."""
        chance = self.rng.random()
        if chance < 0.45:
            self._mails(day, person)
        elif chance < 0.70:
            self._mail(day, person, "in" if chance < 0.6 else "out")
        elif chance < 0.85:
            self._call(day, person)
        else:
            self._meeting(day, [person], late=self._late(day))

    def _mails(self, day: int, person: PersonDraft, *, prompt: bool = False) -> None:
        self._mail(day, person, "out", prompt=prompt)
        if not self._drifts(day) or self.rng.random() < 0.3:
            self._mail(self.diary.days.working(day + self.rng.randint(0, 1)), person, "in", prompt=prompt)

    def _mail(self, day: int, person: PersonDraft, direction: str, *, prompt: bool = False) -> None:
        if self._who(day) in self.team.uncaptured:
            self._call(day, person, prompt=prompt)
        elif not self._forbidden([person], day):
            late = 0 if prompt else self._late(day)
            self.diary.email(self.draft, day, self._who(day), [person], direction, late=late)

    def _call(self, day: int, person: PersonDraft, *, prompt: bool = False) -> None:
        if not self._forbidden([person], day):
            disposition = None if self.rng.random() < 0.35 else "connected"
            late = 0 if prompt else self._late(day)
            self.diary.call(self.draft, day, self._who(day), [person], disposition=disposition, late=late)

    def _meeting(self, day: int, persons: list[PersonDraft], late: int = 0) -> None:
        if self._who(day) in self.team.uncaptured:
            self._call(day, persons[0])
            return
        if self._forbidden(persons, day):
            return
        who = [self._who(day)]
        booked = None
        if not self.draft.life.planned and not late:
            booked = day - self.rng.randint(2, 16)
            if self.rng.random() < 0.15 and self.draft.owner in self.team.sales:
                who.append(self.draft.owner)
        if booked is not None and booked < self.since:
            booked = None
        self.diary.meeting(self.draft, day, list(dict.fromkeys(who)), persons, booked=booked, late=late)

    def _pin(self, pin: Pin) -> None:
        who, persons = self._who(pin.day), [pin.person]
        if who in self.team.uncaptured or pin.kind == "call":
            self.diary.call(self.draft, pin.day, who, persons, hour=pin.hour, late=pin.late)
        elif pin.kind == "meeting":
            self.diary.meeting(
                self.draft,
                pin.day,
                [who],
                persons,
                booked=pin.booked,
                cancelled=pin.cancelled,
                hour=pin.hour,
                title=pin.title,
                late=pin.late,
            )
        else:
            self.diary.email(self.draft, pin.day, who, persons, pin.kind, hour=pin.hour, waits=pin.waits, late=pin.late)

    def _forbidden(self, persons: list[PersonDraft], day: int) -> bool:
        return day < self.since or day >= self.until or self.draft.life.is_quiet(persons, day)

    def _who(self, day: int) -> str:
        return self.draft.csm_on(self.diary.days.at(day)) or self.draft.owner

    def _late(self, day: int) -> int:
        share = LATE_LOGGED if day < -60 else LATE_LOGGED_NOW
        late = not self.draft.life.planned and self.rng.random() < share
        return self.rng.randint(10, 45) if late else 0


def until_day(draft: Draft, last: int) -> int:
    """The day on which the account's activities end: the churn, or a fortnight after the demo."""
    return min(last + 15, draft.churn_day if draft.churn_day is not None else FOREVER)
