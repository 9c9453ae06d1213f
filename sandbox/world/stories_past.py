"""Ten customers that were lost during the history, with the day on which a rule would have said so."""

from __future__ import annotations

from sandbox.world.casting import Cast, drop, fading, silent_since, steps
from sandbox.world.draft import Draft

FIRST_RENEWALS, THEN_USAGE, THEN_PEOPLE = 4, 3, 2


def lost_customers(cast: Cast, former: list[Draft]) -> None:
    """Plants ten of the former customers. Days are negative: `first_day` is the rule's, `clear_day` that of the churn."""
    for draft in former:
        cast.people.staff(draft)
        draft.life.sponsors = draft.execs()[:2] if draft.segment == "enterprise" else draft.execs()[:1]
    for n, draft in enumerate(former[:10]):
        draft.life.planned = draft.cast = True
        assert draft.churn_day is not None
        if n < FIRST_RENEWALS:
            _silent(cast, draft, draft.churn_day)
        elif n < FIRST_RENEWALS + THEN_USAGE:
            _unused(cast, draft, draft.churn_day)
        elif n < FIRST_RENEWALS + THEN_USAGE + THEN_PEOPLE:
            _alone(cast, draft, draft.churn_day)
        else:
            _lapsed(cast, draft, draft.churn_day)
    for draft in former[10:]:
        assert draft.churn_day is not None
        draft.life.state = "at_risk"
        draft.life.drift_from = draft.churn_day - cast.rng.randint(60, 150)
        draft.life.curve.bends = [(draft.life.drift_from, 1.0), (draft.churn_day, 0.4)]


def _silent(cast: Cast, draft: Draft, churn: int) -> None:
    silent_since(draft, "exec", churn - 80, draft.life.sponsors[0])
    cast.tell(
        "renewal-exec-silence",
        draft,
        "former",
        "executives silent 64 days before the loss",
        churn - 64,
        clear_day=churn,
    )


def _unused(cast: Cast, draft: Draft, churn: int) -> None:
    draft.seats, draft.life.curve = 260, steps(100, drop(churn - 95, 0.52))
    silent_since(draft, "user", churn - 120, draft.life.champions[0])
    draft.life.exec_every = 8
    cast.tell("adoption-drop-user-silence", draft, "former", "usage fell, users silent", churn - 83, clear_day=churn)


def _alone(cast: Cast, draft: Draft, churn: int) -> None:
    first, *rest = draft.execs()
    draft.life.sponsors = rest[:1] if draft.segment == "enterprise" else []
    draft.life.pins += fading(first, churn - 70)
    cast.tell("single-threaded", draft, "former", "the last strong executive faded", churn - 70, clear_day=churn)


def _lapsed(cast: Cast, draft: Draft, churn: int) -> None:
    draft.renewal_day = churn - 20
    cast.tell(
        "lapsed", draft, "former", "the contract ended 20 days before the loss was booked", churn - 19, clear_day=churn
    )
