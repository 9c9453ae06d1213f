"""When news of growth wait: nobody proposes more to a customer whose house burns."""

from __future__ import annotations

POOR_CSAT_BELOW = 0.5


def growth_waits(churn_open: bool, health: float | None, csat: float | None, red_below: float) -> str | None:
    """Why the growth rules of an account are held, None = they are not.

    `churn_open`: a churn rule of severity high or critical is active on it; `health` (0-100) and `csat` (0-1) as they are
    known, None = unknown, which holds nothing; health below `red_below` is red.
    """
    if churn_open:
        return "growth is held while a churn alert is open"
    if health is not None and health < red_below:
        return f"growth is held while health is red: {health:.4g}"
    if csat is not None and csat < POOR_CSAT_BELOW:
        return f"growth is held while the last satisfaction is below {POOR_CSAT_BELOW:.0%}: {csat:.0%}"
    return None
