"""Our answers to the customers' mails: the same day, but for a few that are forgotten until somebody is in touch anyway."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from random import Random

from sandbox.world.model import Dated, Happening
from sandbox.world.when import DAY, HOUR, MINUTE

FORGOTTEN = 0.03
"""Share of the mails that wait."""
SOON = 20 * HOUR
"""Whoever is reached within this time needs no answer besides."""
LATELY = 4 * DAY
"""Of mails from earlier than this before the demo only those are answered that nothing has followed."""


def answer(
    happenings: Iterable[Happening],
    start: int,
    rng: Random,
    waiting: AbstractSet[str] = frozenset(),
    careful: AbstractSet[str] = frozenset(),
) -> list[Happening]:
    """All activities with the answers added. `start`: the first evaluation; `waiting`: keys of mails that get none;
    `careful`: accounts whose mails are never forgotten otherwise.
    """
    known = list(happenings)
    reached = _reached(known)
    open_ = [h for h in known if h.key not in waiting and _waits(h, reached, start)]
    answered = [mail for mail in open_ if rng.random() >= FORGOTTEN or mail.account in careful]
    first = 1 + max((int(h.key.removeprefix("h-")) for h in known), default=0)
    taken = {(h.account, h.starts_at) for h in known}
    return known + [_answer(mail, f"h-{number:06d}", rng, taken) for number, mail in enumerate(answered, first)]


def _waits(mail: Happening, reached: Mapping[tuple[str, str], list[int]], start: int) -> bool:
    """Is it a mail of theirs that nothing of ours follows in time."""
    if mail.kind != "email" or mail.direction != "in" or mail.automatic or not mail.persons or not mail.teammates:
        return False
    until = start if mail.starts_at < start - LATELY else mail.starts_at + SOON
    followed = (at for who in mail.persons for at in reached[mail.account, who])
    return not any(mail.starts_at < at < until for at in followed)


def _reached(happenings: Iterable[Happening]) -> dict[tuple[str, str], list[int]]:
    """(account, person) -> when something of ours has reached them, as far as one can be sure of it."""
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    for happening in happenings:
        if _reaches(happening):
            for who in happening.persons:
                found[happening.account, who].append(happening.ends_at)
    return found


def _reaches(happening: Happening) -> bool:
    if happening.automatic or happening.extra_to or happening.kind not in ("email", "call", "meeting"):
        return False
    if happening.kind == "meeting":
        return happening.status.changes[-1][1] in ("done", "")
    return happening.disposition in ("connected", None) and (happening.kind, happening.direction) != ("email", "in")


def _answer(mail: Happening, key: str, rng: Random, taken: set[tuple[str, int]]) -> Happening:
    """A few hours later, in a minute that no other activity of the account has; in the CRM not before the mail itself is."""
    at = mail.starts_at + rng.randint(40, 4 * 60) * MINUTE
    while (mail.account, at) in taken:
        at += MINUTE
    taken.add((mail.account, at))
    logged = max(at, mail.logged_at) + rng.randint(1, 20) * MINUTE
    return replace(
        mail,
        key=key,
        direction="out",
        starts_at=at,
        ends_at=at,
        logged_at=logged,
        subject=f"Re: {mail.subject.removeprefix('Re: ')}",
        status=Dated(((logged, "done"),)),
    )
