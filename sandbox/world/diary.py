"""Collects what happens: gives every activity its minute, its stamp, its systems and its status over time."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from sandbox.world.draft import Draft, PersonDraft
from sandbox.world.model import Dated, Happening
from sandbox.world.when import DAY, HOUR, MINUTE, Days

_SUBJECTS = {
    "email": (
        "Next steps",
        "Question about the rollout",
        "Your invoice question",
        "Numbers for the board",
        "Re: <b>plan</b>",
    ),
    "call": ("Call", "Check-in call", "Quick question"),
    "meeting": ("Business review", "Roadmap", "Weekly sync", "Training", "Steering meeting 🚀"),
    "note": ("Note", "Handover note"),
    "task": ("Send the deck", "Prepare the review", "=SUM(A1:A9)"),
}
FIRST_MINUTE, LAST_MINUTE = 7 * 60, 16 * 60


class Diary:
    """The world's activities in the making. Days are demo days; everything lies in working hours, never 05:00-06:00."""

    def __init__(self, days: Days, rng: Random) -> None:
        self.days = days
        self.rng = rng
        self.happenings: list[Happening] = []
        self.waiting: set[str] = set()
        """Keys of mails that get no answer but a planted one."""
        self._taken: set[tuple[str, int]] = set()

    def apart(self, rng: Random) -> Diary:
        """The same diary, written on with another `rng`."""
        other = Diary(self.days, rng)
        other.happenings, other._taken, other.waiting = self.happenings, self._taken, self.waiting
        return other

    def email(
        self,
        draft: Draft,
        day: int,
        who: str,
        persons: Sequence[PersonDraft],
        direction: str,
        *,
        late: int = 0,
        automatic: bool = False,
        extra_to: int = 0,
        hour: int | None = None,
        waits: bool = False,
    ) -> None:
        """One mail; `late`: days until it is logged by hand, 0 = captured within minutes; `waits`: nobody answers it."""
        at = self._minute(draft, day, hour)
        logged = at + self.rng.randint(1, 20) * MINUTE if not late else self._by_hand(day + late)
        self._add(
            draft,
            "email",
            direction,
            (at, at, logged),
            ((who,), persons),
            automatic=automatic,
            extra_to=extra_to,
            status="done",
        )
        if waits:
            self.waiting.add(self.happenings[-1].key)

    def call(
        self,
        draft: Draft,
        day: int,
        who: str,
        persons: Sequence[PersonDraft],
        *,
        disposition: str | None = "connected",
        direction: str = "out",
        late: int = 0,
        hour: int | None = None,
    ) -> None:
        """One telephone call of a few minutes, logged by hand after it."""
        at = self._minute(draft, day, hour)
        end = at + self.rng.randint(4, 40) * MINUTE
        logged = end + self.rng.randint(2, 50) * MINUTE if not late else self._by_hand(day + late)
        self._add(
            draft, "call", direction, (at, end, logged), ((who,), persons), disposition=disposition, status="done"
        )

    def meeting(
        self,
        draft: Draft,
        day: int,
        who: Sequence[str],
        persons: Sequence[PersonDraft],
        *,
        late: int = 0,
        booked: int | None = None,
        cancelled: int | None = None,
        no_show: bool = False,
        hour: int | None = None,
        title: str | None = None,
    ) -> None:
        """One meeting. `booked`, `cancelled`: days of booking and of calling off; without booking it is logged once held."""
        at = self._minute(draft, day, hour)
        end = at + self.rng.choice((30, 45, 60)) * MINUTE
        if booked is None or booked >= day:
            logged = end + self.rng.randint(5, 60) * MINUTE if not late else self._by_hand(day + late)
            status = Dated(((logged, self.rng.choice(("done", ""))),))
        else:
            logged = self.days.at(booked, 9 * 60) + self.rng.randrange(300) * MINUTE
            status = self._course(logged, end, cancelled, no_show)
        self._add(draft, "meeting", None, (at, end, logged), (tuple(who), persons), dated=status, title=title)

    def memo(self, draft: Draft, day: int, who: str, persons: Sequence[PersonDraft], kind: str) -> None:
        """A note or a task: never a touch."""
        at = self._minute(draft, day, None)
        self._add(draft, kind, None, (at, at, at), ((who,), persons), status="done" if kind == "note" else "planned")

    def _course(self, logged: int, end: int, cancelled: int | None, no_show: bool) -> Dated:
        """How a booked meeting goes on: half of the outcomes are never filled in."""
        if cancelled is not None:
            return Dated(((logged, "planned"), (self.days.at(cancelled, 13 * 60), "cancelled")))
        if no_show:
            return Dated(((logged, "planned"), (end + HOUR, "no_show")))
        if self.rng.random() < 0.5:
            return Dated(((logged, ""),))
        return Dated(((logged, "planned"), (end + 30 * MINUTE, "done")))

    def _minute(self, draft: Draft, day: int, hour: int | None) -> int:
        """A minute of that day that no other activity of the account has: two mails of one minute would look like one."""
        minute = self.rng.randrange(FIRST_MINUTE, LAST_MINUTE) if hour is None else hour * 60
        at = self.days.at(day, minute)
        while (draft.key, at) in self._taken:
            at += MINUTE
        self._taken.add((draft.key, at))
        return at

    def _by_hand(self, day: int) -> int:
        return self.days.at(self.days.working(day), 9 * 60) + self.rng.randrange(400) * MINUTE

    def _add(
        self,
        draft: Draft,
        kind: str,
        direction: str | None,
        times: tuple[int, int, int],
        sides: tuple[tuple[str, ...], Sequence[PersonDraft]],
        *,
        status: str = "",
        dated: Dated | None = None,
        disposition: str | None = None,
        automatic: bool = False,
        extra_to: int = 0,
        title: str | None = None,
    ) -> None:
        """`times`: start, end, logging; `sides`: ours and theirs."""
        starts, ends, logged = times
        who, persons = sides
        self.happenings.append(
            Happening(
                key=f"h-{len(self.happenings) + 1:06d}",
                account=draft.key,
                kind=kind,
                direction=direction,
                starts_at=starts,
                ends_at=ends,
                logged_at=logged,
                persons=tuple(p.key for p in persons),
                teammates=who,
                systems=self._systems(draft, kind),
                subject=title or self.rng.choice(_SUBJECTS[kind]),
                status=dated if dated is not None else Dated(((logged, status),)),
                disposition=disposition,
                automatic=automatic,
                extra_to=extra_to,
            )
        )

    def _systems(self, draft: Draft, kind: str) -> tuple[str, ...]:
        """Accounts in both CRMs: a quarter of the mails and meetings is logged in both."""
        if len(draft.systems) == 1:
            return draft.systems
        chance = self.rng.random()
        if kind in ("email", "meeting") and chance < 0.25:
            return draft.systems
        return (draft.systems[0],) if chance < 0.75 else (draft.systems[1],)


def last_day(days: Days, count: int) -> int:
    """Everything that is logged after this instant happens after the demo and is left out."""
    return days.at(count, 0) + DAY
