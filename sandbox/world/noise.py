"""What lies around in a CRM and is no touch: newsletters, auto-replies, called-off and internal meetings, notes, tasks."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from sandbox.world.companies import Roster
from sandbox.world.diary import Diary
from sandbox.world.draft import Draft, PersonDraft
from sandbox.world.streams import THIN_BEFORE
from sandbox.world.team import Team
from sandbox.world.when import DAY

EVERY = 38
"""Mean days between two pieces of noise on a customer's record."""
CIRCULAR = 6
"""So many people in To make a mail a circular."""


@dataclass(slots=True)
class Noise:
    """Litters one account."""

    draft: Draft
    diary: Diary
    team: Team
    rng: Random

    def scatter(self, since: int, until: int) -> None:
        """Noise over a customer's life. Accounts of stories get none that could look like a booked meeting."""
        day = since + self.rng.uniform(0, EVERY)
        while day < until:
            on = self.diary.days.working(int(day))
            if on < until:
                self._one(on)
            day += self.rng.uniform(0.3, 1.7) * EVERY * (2 if day < THIN_BEFORE else 1)

    def prospecting(self, since: int, until: int) -> None:
        """What sales does with accounts that are no customers."""
        person = next((p for p in self.draft.people if p.email), None)
        owner, rng = self.draft.owner, self.rng
        if person is None or owner not in self.team.sales:
            return
        for _ in range(rng.randint(0, 5)):
            day = self.diary.days.working(rng.randint(since, max(since + 1, until - 3)))
            if rng.random() < 0.7:
                self.diary.email(self.draft, day, owner, [person], rng.choice(("out", "out", "in")))
            else:
                self.diary.call(
                    self.draft, day, owner, [person], disposition=rng.choice(("connected", "no_answer", None))
                )

    def _one(self, day: int) -> None:
        draft, diary, rng, chance = self.draft, self.diary, self.rng, self.rng.random()
        who = draft.csm_on(diary.days.at(day)) or draft.owner
        # Whoever is taken off the file later is in no activity, so that nothing stands on a deleted contact.
        persons = [p for p in draft.people if p.email and self._is_around(p, day)]
        inbox = [p for p in draft.people if p.role_address]
        someone = [rng.choice(persons)]
        if who in self.team.uncaptured:
            diary.memo(draft, day, who, someone, "note")
            return
        if chance < 0.22:
            diary.email(draft, day, who, someone, "out", automatic=True, extra_to=rng.choice((0, 0, 8, 25)))
        elif chance < 0.34:
            diary.email(draft, day, who, someone, "in", automatic=True)
        elif chance < 0.42 and inbox:
            diary.email(draft, day, who, inbox[:1], rng.choice(("in", "out")))
        elif chance < 0.64:
            diary.memo(draft, day, who, someone, "note" if chance < 0.54 else "task")
        elif chance < 0.72:
            diary.meeting(draft, day, [who, self.team.support], [])
        elif chance < 0.84:
            diary.call(draft, day, who, someone, disposition=rng.choice(("no_answer", "left_voicemail")))
        elif chance < 0.88 and len(persons) >= CIRCULAR:
            diary.email(draft, day, who, persons[: CIRCULAR + 1], "out")
        elif not draft.life.planned:
            self._called_off(day, who, someone)

    def _is_around(self, person: PersonDraft, day: int) -> bool:
        if not person.registered or person.linked_at or person.also_at:
            return False
        if person.role_address or person.at_duplicate or person.removed_at is not None:
            return False
        return person.on_file_at < self.diary.days.at(day, 0)

    def _called_off(self, day: int, who: str, someone: list[PersonDraft]) -> None:
        booked = day - self.rng.randint(3, 12)
        if self.rng.random() < 0.6:
            self.diary.meeting(self.draft, day, [who], someone, booked=booked, cancelled=day - 1)
        else:
            self.diary.meeting(self.draft, day, [who], someone, booked=booked, no_show=True)


def keep_captured(roster: Roster, diary: Diary, since: int, until: int) -> None:
    """One mail a working day for everybody whose mailbox is captured: who works, writes. Stories are left alone."""
    team, days, rng = roster.team, diary.days, roster.rng
    seen = {
        (who, days.day_of(h.logged_at))
        for h in diary.happenings
        if h.kind in ("email", "meeting") and not h.automatic and h.logged_at - h.ends_at < DAY
        for who in h.teammates
    }
    books = _books(roster, since)
    leaving = {t.key: t.leaves_at for t in team.everyone}
    for who in team.captured:
        own, leaves = books[who], leaving[who]
        for day in range(since, until):
            gone = leaves is not None and days.at(day) >= leaves
            if days.weekday(day) < 5 and not gone and (who, day) not in seen:
                draft = rng.choice(own)
                person = draft.life.champions[0] if draft.life.champions else next(p for p in draft.people if p.email)
                diary.email(draft, day, who, [person], "out")


def _books(roster: Roster, since: int) -> dict[str, list[Draft]]:
    """Accounts that each of ours may write to besides the plan: CSMs their own customers, sales the prospects.

    Only such as have been on file for a while on day `since`.
    """
    early = roster.days.at(since - 20)
    known = [d for d in roster.drafts if d.created_at < early and any(p.email for p in d.people)]
    plain = [d for d in known if d.kind == "customer" and not d.cast and d.churn_day is None and d.life.champions]
    prospects = [d for d in known if d.kind == "prospect" and d.parent is None and not d.children]
    books = {
        who: [d for d in plain if (d.csm[-1][1] or d.owner) == who] or prospects
        for who in (*roster.team.csms, roster.team.leaver)
    }
    return books | dict.fromkeys(roster.team.sales, prospects) | {roster.team.support: plain}
