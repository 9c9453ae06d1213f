"""Gives planted stories their accounts, and the few moves that stories are made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from sandbox.world.companies import Roster
from sandbox.world.draft import FOREVER, Curve, Draft, Life, PersonDraft, Pin
from sandbox.world.model import Story
from sandbox.world.people import People

ALWAYS = -FOREVER
EXEC_WINDOW = 15
USER_WINDOW = 30
OLD = -110
"""What happened before this day is logged by day -60, late or not."""


@dataclass(slots=True)
class Cast:
    """Takes customers for stories and keeps the list of what was planted."""

    roster: Roster
    people: People
    rng: Random
    stories: list[Story] = field(default_factory=list)
    dated: float = 0.8
    """Share of the accounts that get a renewal date, far away, where their story needs none."""
    anew: bool = False
    """Everybody has contacts and a fate already: who is taken begins anew, and the others stay as they are."""

    def take(
        self,
        *segments: str,
        systems: tuple[str, ...] | None = None,
        attention: int | None = None,
        execs: int = 1,
        poorest: bool = False,
    ) -> Draft:
        """An account in good order that no story has yet: three years old, captured, known people, no renewal date.

        `attention`: of this tier, as far from the cuts as can be; `poorest`: the one of the least ARR. Raises LookupError
        when the world is too small.
        """
        pool = [d for d in self.roster.of_kind("customer") if self._fits(d, segments, systems, attention)]
        if not pool:
            raise LookupError("the world has too few customers to hold every story; ask for more accounts")
        draft = max(pool, key=lambda d: d.attention_margin) if attention is not None else pool[0]
        if poorest:
            draft = min(pool, key=lambda d: d.arr or 0)
            if draft.segment == "smb" and not self._is_poor(draft):
                raise LookupError("no customer is left that pays little")
        if self.anew:
            draft.people, draft.life = [], Life(curve=Curve(level=draft.life.curve.level))
        self._tidy(draft)
        self.people.staff(draft)
        while len(draft.execs()) < execs:
            self.people.add(draft, executive=True)
        draft.life.sponsors = draft.execs()[:1] if draft.segment != "enterprise" else draft.execs()[:2]
        return draft

    def tell(
        self,
        rule: str,
        draft: Draft,
        kind: str,
        why: str,
        first_day: int | None = None,
        *,
        clear_day: int | None = None,
    ) -> None:
        """Adds one story to the list."""
        self.stories.append(Story(rule, draft.key, kind, why, first_day, clear_day))

    def hand_over(self, draft: Draft, to: str, day: int) -> None:
        """Another CSM has the account from the afternoon of that day on."""
        if draft.csm_in == "none":
            draft.csm_in = "property" if draft.systems == ("hubspot",) else "field"
            draft.owner = self.roster.team.sales[0]
        draft.csm.append((self.roster.days.at(day, 14 * 60), to))

    def hand_to_newcomer(self, draft: Draft, first_day: int) -> None:
        """The CSM of whom nothing is captured has it from `first_day` on: what looks like silence is not known then."""
        self.hand_over(draft, self.roster.team.newcomer, first_day - 1)

    def _is_poor(self, draft: Draft) -> bool:
        """Is it among the fifth of the customers that pays least."""
        paid = sorted(d.arr or 0 for d in self.roster.of_kind("customer"))
        return (draft.arr or 0) <= paid[len(paid) // 5]

    def left(self) -> int:
        """How many accounts no story has yet that one could take."""
        return sum(self._fits(d, (), None, None) for d in self.roster.of_kind("customer"))

    def _fits(
        self, draft: Draft, segments: tuple[str, ...], systems: tuple[str, ...] | None, attention: int | None
    ) -> bool:
        if draft.cast or draft.strategic or draft.contract_start is None or draft.contract_start > -100:
            return False
        eventful = draft.churn_day is not None or draft.tier_edits or len(draft.csm) > 1
        if self.anew and (eventful or draft.life.state not in ("healthy", "growing")):
            return False
        if segments and draft.segment not in segments:
            return False
        return systems in (None, draft.systems) and attention in (None, draft.attention)

    def _tidy(self, draft: Draft) -> None:
        days = self.roster.days
        draft.cast = draft.life.planned = True
        draft.contract_start = -1000 + self.rng.randrange(60)
        draft.created_at = days.at(draft.contract_start - 90, 9 * 60)
        draft.csm = [(draft.created_at, draft.csm[0][1])]
        # Far away where a story does not say otherwise: neither due nor past while the demo lasts.
        draft.renewal_day = self.rng.randint(140, 330) if self.rng.random() < self.dated else None
        draft.has_open_renewal = False
        draft.auto_renews, draft.term_days = False, 365
        draft.workspace = draft.workspace or f"ws-{draft.key}"
        draft.seats = draft.seats or 80
        draft.life.curve.shares = [(ALWAYS, 0.58)]


def renews(draft: Draft, day: int, *, deal: bool = True) -> None:
    """Gives the account a renewal date, with an open renewal opportunity."""
    draft.renewal_day, draft.has_open_renewal = day, deal
    draft.contract_start = day - 365 * (1 + (day + 900) // 365)


def loses(draft: Draft, day: int) -> None:
    """The hidden state brings the loss of the customer on that day."""
    draft.churn_day = draft.lost_renewal = day
    draft.life.state = "at_risk"


def silent_since(draft: Draft, role: str, last: int, person: PersonDraft, until: int = FOREVER) -> None:
    """The last contact with that role (exec | user | all) is a mail of ours on day `last`, until day `until`."""
    draft.life.quiet.append((role, last, until))
    draft.life.pins.append(Pin(last, "out", person))


def only_as_planted(draft: Draft) -> None:
    """Nothing happens but what is pinned, ordered or offered, and no ticket is written that is not counted."""
    draft.life.quiet.append(("all", ALWAYS, FOREVER))
    draft.life.tickets, draft.life.offers = [], []


def regular(draft: Draft, person: PersonDraft, kind: str, step: int, *, first: int = -345, until: int = 46) -> None:
    """One activity with somebody every `step` days; meetings and calls every 15 days make a strong relationship.

    What is old was logged late: that is on record long before the demo.
    """
    draft.life.pins += [
        Pin(day, kind, person, late=10 + day % 36 if day < OLD else 0) for day in range(first, until, step)
    ]


def in_second_year(draft: Draft) -> None:
    """The contract is so young that only its first year is paid."""
    draft.contract_start = -400


def without_executives(draft: Draft) -> None:
    """Only users and shared inboxes are on file, nobody who is an executive or might be one."""
    draft.people = [p for p in draft.people if p.standing in ("user", "nobody")]
    draft.life.sponsors, draft.life.strangers = [], []


def never_met(draft: Draft, role: str) -> None:
    """Nobody of that role was ever in touch."""
    draft.life.quiet.append((role, ALWAYS, FOREVER))


def steps(level: int, bends: list[tuple[int, float]], share: float = 0.55) -> Curve:
    """Usage without rhythm and noise, so that a percentage can be planted exactly."""
    return Curve(level=level, weekend=1.0, noise=0.0, bends=bends, shares=[(ALWAYS, share)])


def drop(day: int, to: float) -> list[tuple[int, float]]:
    """Usage falls to the factor `to` from one day to the next."""
    return [(day - 1, 1.0), (day, to)]


def fading(person: PersonDraft, falls_on: int) -> list[Pin]:
    """Meetings by which this relationship is strong (66) until the day before `falls_on` and then no longer (54):
    on that day one of the two meetings of the last 90 days is older than that.
    """
    return [
        Pin(falls_on - 62, "meeting", person),
        *(Pin(falls_on - 91 - 30 * n, "meeting", person) for n in range(10)),
    ]
