"""What lies around in a CRM and is no touch: newsletters, auto-replies, called-off and internal meetings, notes, tasks."""

from __future__ import annotations

from random import Random

from sandbox.world.diary import Diary
from sandbox.world.draft import Draft, PersonDraft
from sandbox.world.team import Team

EVERY = 38
"""Mean days between two pieces of noise on a customer's record."""


def scatter(draft: Draft, diary: Diary, team: Team, rng: Random, since: int, until: int) -> None:
    """Noise over the life of one customer. Accounts of stories get none that could look like a booked meeting."""
    with_address = [p for p in draft.people if p.email and not p.role_address]
    inbox = [p for p in draft.people if p.role_address]
    day = since + rng.uniform(0, EVERY)
    while day < until:
        on = diary.days.working(int(day))
        who = draft.csm_on(diary.days.at(on)) or draft.owner
        if on < until:
            _one(draft, diary, team, rng, on, who, with_address, inbox)
        day += rng.uniform(0.3, 1.7) * EVERY


def _one(
    draft: Draft,
    diary: Diary,
    team: Team,
    rng: Random,
    day: int,
    who: str,
    persons: list[PersonDraft],
    inbox: list[PersonDraft],
) -> None:
    chance = rng.random()
    someone = [rng.choice(persons)]
    planned = draft.life.planned
    if chance < 0.22:
        diary.email(draft, day, who, someone, "out", automatic=True, extra_to=rng.choice((0, 0, 8, 25)))
    elif chance < 0.34:
        diary.email(draft, day, who, someone, "in", automatic=True)
    elif chance < 0.42 and inbox:
        diary.email(draft, day, who, inbox[:1], rng.choice(("in", "out")))
    elif chance < 0.54:
        diary.memo(draft, day, who, someone, "note")
    elif chance < 0.64:
        diary.memo(draft, day, who, someone, "task")
    elif chance < 0.72:
        diary.meeting(draft, day, [who, team.support], [])
    elif chance < 0.84:
        diary.call(draft, day, who, someone, disposition=rng.choice(("no_answer", "left_voicemail")))
    elif chance < 0.88 and len(persons) > 5:
        diary.email(draft, day, who, persons[:7] if len(persons) > 6 else persons[:6], "out")
    elif not planned:
        _called_off(draft, diary, rng, day, who, someone)


def _called_off(draft: Draft, diary: Diary, rng: Random, day: int, who: str, someone: list[PersonDraft]) -> None:
    booked = day - rng.randint(3, 12)
    if rng.random() < 0.6:
        diary.meeting(draft, day, [who], someone, booked=booked, cancelled=day - 1)
    else:
        diary.meeting(draft, day, [who], someone, booked=booked, no_show=True)


def prospecting(draft: Draft, diary: Diary, team: Team, rng: Random, since: int, until: int) -> None:
    """What sales does with accounts that are no customers."""
    person = next((p for p in draft.people if p.email), None)
    if person is None or draft.owner not in team.sales:
        return
    for _ in range(rng.randint(0, 5)):
        day = diary.days.working(rng.randint(since, max(since + 1, until - 3)))
        if rng.random() < 0.7:
            diary.email(draft, day, draft.owner, [person], rng.choice(("out", "out", "in")))
        else:
            diary.call(draft, day, draft.owner, [person], disposition=rng.choice(("connected", "no_answer", None)))


def keep_captured(drafts: list[Draft], diary: Diary, team: Team, rng: Random, since: int, until: int) -> None:
    """One mail a working day for everybody whose mailbox is captured: who works, writes. Stories are left alone."""
    seen = {
        (who, diary.days.day_of(h.logged_at))
        for h in diary.happenings
        if h.kind in ("email", "meeting") and not h.automatic
        for who in h.teammates
    }
    plain = [d for d in drafts if not d.cast and d.kind == "customer" and d.churn_day is None and d.life.champions]
    books: dict[str, list[Draft]] = {}
    for draft in plain:
        books.setdefault(draft.csm[-1][1] or draft.owner, []).append(draft)
    prospects = [d for d in drafts if d.kind == "prospect" and any(p.email for p in d.people)]
    for who in team.captured:
        leaves = next(t.leaves_at for t in team.everyone if t.key == who)
        own = books.get(who) or (plain if who == team.support else prospects)
        for day in range(since, until):
            gone = leaves is not None and diary.days.at(day) >= leaves
            if diary.days.weekday(day) < 5 and not gone and (who, day) not in seen:
                draft = rng.choice(own)
                person = draft.life.champions[0] if draft.life.champions else next(p for p in draft.people if p.email)
                diary.email(draft, day, who, [person], "out")
