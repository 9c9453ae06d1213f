"""The hidden state of the customers that no story needs: who grows, who drifts away, who comes back, who is lost."""

from __future__ import annotations

from random import Random

from sandbox.world.casting import ALWAYS
from sandbox.world.draft import Draft
from sandbox.world.ranks import cadence, is_onboarding

LOST, DRIFTING, GROWING = 0.08, 0.05, 0.14
"""Shares of the customers outside the stories; of the lost ones four in five drift away first."""
FIRST_LOSS, LAST_LOSS = 26, 136
"""Days between which customers are lost: the demo and the 120 days after it."""
_MEETS_EXECUTIVES = {"enterprise": 24.0, "mid_market": 29.0, "smb": 33.0}


def decide(draft: Draft, rng: Random) -> None:
    """Gives one customer its hidden state and what follows from it for usage and contact."""
    chance = rng.random()
    if is_onboarding(draft):
        draft.life.state = "onboarding"
    elif chance < LOST:
        _lose(draft, rng)
    elif chance < LOST + DRIFTING:
        _drift(draft, rng)
    elif chance < LOST + DRIFTING + GROWING:
        draft.life.state = "growing"
        draft.life.curve.bends = [(-200, 0.85), (60, 1.1)]


def _lose(draft: Draft, rng: Random) -> None:
    day = rng.randint(FIRST_LOSS, LAST_LOSS)
    draft.churn_day = draft.lost_renewal = day
    draft.auto_renews = False
    if draft.renewal_day is not None and draft.renewal_day > 0:
        draft.renewal_day, draft.has_open_renewal = day, True
        draft.contract_start = day - 365 * rng.randint(1, 3) - (365 if day > 200 else 0)
        draft.term_days = 365
    if rng.random() < 0.8:
        draft.life.state = "at_risk"
        draft.life.drift_from = day - rng.randint(80, 150)
        draft.life.quiet += [("exec", day - rng.randint(60, 115), day), ("user", day - rng.randint(50, 110), day)]
        share = draft.life.curve.shares[0][1]
        draft.life.curve.bends = [(draft.life.drift_from, 1.0), (day, rng.uniform(0.3, 0.55))]
        draft.life.curve.shares = [(ALWAYS, share), (day - 60, share * 0.85), (day - 30, share * 0.7)]


def _drift(draft: Draft, rng: Random) -> None:
    """Drifts for some weeks and comes back."""
    draft.life.state = "drifting"
    since = rng.randint(-60, 5)
    until = since + rng.randint(25, 60)
    draft.life.drift_from, draft.life.drift_until = since, until
    draft.life.curve.bends = [(since, 1.0), (since + 20, 0.75), (until, 0.8), (until + 15, 1.0)]


def set_rhythm(draft: Draft) -> None:
    """How often executives and users are met, where no story has said so."""
    life = draft.life
    if life.exec_every is None:
        young = draft.contract_start is not None and draft.contract_start > -330
        life.exec_every = 12.0 if is_onboarding(draft) else 18.0 if young else _MEETS_EXECUTIVES[draft.segment]
    if life.user_every is None:
        life.user_every = min(float(cadence(draft)), 26.0)
