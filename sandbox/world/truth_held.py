"""On which days news of growth wait, by the last line of domain.md section 9: churn is open, or the customer is unhappy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sandbox.world.truth_alerts import Fire, open_on, severity_on
from sandbox.world.truth_book import Book
from sandbox.world.truth_case import health_at
from sandbox.world.truth_logic import Unknown
from sandbox.world.truth_rules import RULES, Outcome

RED_BELOW = 50
URGENT = ("high", "critical")
Series = Mapping[tuple[str, str], Sequence[Outcome | None]]
Fires = Mapping[tuple[str, str], Sequence[Fire]]


def held_days(book: Book, key: tuple[str, str], fire: Fire, outcomes: Series, fires: Fires) -> list[int]:
    """The days on which an alert of growth is open and is no news: it is held, or has just turned false.

    `key`: account and rule. Of satisfaction this world knows no CSAT.
    """
    account = key[0]
    days = [day for day in range(book.world.days) if open_on(fire, day)]
    return [
        day
        for day in days
        if _is_false(outcomes[key][day]) or _red(book, account, day) or _churn_open(account, day, outcomes, fires)
    ]


def _is_false(outcome: Outcome | None) -> bool:
    return outcome is not None and outcome.truth is False


def _churn_open(account: str, day: int, outcomes: Series, fires: Fires) -> bool:
    return any(
        open_on(fire, day) and severity_on(outcomes[account, name], day) in URGENT
        for name, rule in RULES.items()
        if rule.churn
        for fire in fires[account, name]
    )


def _red(book: Book, account: str, day: int) -> bool:
    health = health_at(book, book.companies[account], book.day(day))
    return not isinstance(health, Unknown) and health < RED_BELOW
