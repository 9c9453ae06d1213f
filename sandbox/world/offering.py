"""The company's newest offering: when it came, and to which customers a meeting has shown it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sandbox.world.draft import Draft
from sandbox.world.model import Happening
from sandbox.world.when import DAY

NAME = "Insights"
BEFORE_START = 57
"""It came so many days before day 0, so that it is out for more than 60 days from day 4 on."""
TITLE = "Insights: what it does for you"
SHOWN_UNTIL = 3
"""Before this day everybody has seen it to whom it is shown in good time."""


def released(start: int) -> int:
    """The day of its release as days since 1970. `start`: the first evaluation."""
    return start // DAY - BEFORE_START


def show(happenings: Iterable[Happening], drafts: Iterable[Draft], start: int) -> list[Happening]:
    """All activities; the first meeting with each customer since the release has it in its title, where no story says
    that it was not shown.
    """
    seen = {d.key for d in drafts if not d.life.unshown}
    people = {p.key for d in drafts for p in d.people if p.registered and not p.role_address}
    until = start + SHOWN_UNTIL * DAY
    since = released(start) * DAY
    found = list(happenings)
    for place, one in sorted(enumerate(found), key=lambda pair: (pair[1].starts_at, pair[1].key)):
        if one.account in seen and one.starts_at >= since and _was_held(one, until) and people & set(one.persons):
            seen.discard(one.account)
            found[place] = replace(one, subject=TITLE)
    return found


def _was_held(happening: Happening, until: int) -> bool:
    known = max(happening.ends_at, happening.logged_at) < until
    return known and happening.kind == "meeting" and happening.status.changes[-1][1] in ("done", "")
