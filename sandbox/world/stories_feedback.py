"""Stories about feedback: who has answered a survey in 180 days. Nobody records who was asked, so that nothing fires."""

from __future__ import annotations

from functools import partial

from sandbox.world.casting import Cast

STALE = "feedback-stale"
HALF_A_YEAR = 180
PROMOTER = 9


def _answered(cast: Cast, days: tuple[int, ...], why: str) -> None:
    draft = cast.take("mid_market", "smb")
    draft.life.answers = [(day, PROMOTER) for day in days]
    cast.tell(STALE, draft, "decoy", why)


def _answered_once(cast: Cast, day: int) -> None:
    draft = cast.take("mid_market", "smb")
    draft.life.answers = [(day - HALF_A_YEAR, PROMOTER)]
    why = f"the last answer is 180 days old on day {day}; nobody records who was asked for feedback"
    cast.tell(STALE, draft, "unknown", why, day)


FEEDBACK_ACTS = (
    partial(_answered, days=(30 - HALF_A_YEAR,), why="answered a survey; the answer is 179 days old on the last day"),
    partial(_answered_once, day=5),
    partial(_answered, days=(-400, -30), why="answered two surveys, the later a month before the demo"),
    partial(_answered_once, day=11),
    partial(_answered, days=(-2,), why="answered a survey two days before the demo"),
)
