"""How much of a vendor's daily calls are ours, and who stops first when they run short.

One shape for both CRMs: `share` caps our own calls of 24 hours, `reserve` is what a backfill leaves to the others, and
`stop` is where increments stop too. A stop is a deferral with an hour to come back, never a success.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from connectors.http import VendorError

Work = Literal["increment", "backfill"]
LOOK_AGAIN = 3_600.0
"""Seconds: a rolling day frees some calls every hour."""


def _percent(value: object) -> object:
    if isinstance(value, str):
        number = value.strip().removesuffix("%")
        if value.strip() == number:
            raise ValueError(f"{value!r} is no share: write for example 20%")
        try:
            return float(number) / 100
        except ValueError:
            raise ValueError(f"{value!r} is no share: write for example 20%") from None
    return value


Share = Annotated[float, BeforeValidator(_percent), Field(ge=0, le=1)]
"""`20%` or 0.2."""


class Quota(BaseModel):
    """Manners towards the other apps of a CRM."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    share: Share = 0.2
    """Of the calls that the vendor allows in 24 hours: so much may be ours."""
    reserve: Share = 0.2
    """A first sync pauses when less than this is left for everybody."""
    stop: Share = 0.05
    """Everything pauses when less than this is left for everybody."""


@dataclass(slots=True)
class Budget:
    """What may still be called. `spent`: our calls of the last 24 hours before this run; `made`: this run's."""

    quota: Quota
    spent: int = 0
    made: int = 0

    @property
    def ours(self) -> int:
        """Our calls in 24 hours."""
        return self.spent + self.made

    def refusal(self, work: Work, used: int, allowed: int) -> VendorError | None:
        """Why no more calls should be made for this work; None: go on. `used`, `allowed`: everybody's, in 24 hours."""
        if not allowed:
            return None
        if self.ours >= allowed * self.quota.share:
            return _pause(
                f"tierd has made {self.ours:,} calls in 24 hours, its share ({self.quota.share:.0%}) of {allowed:,}: "
                "raise quota.share, or read less often"
            )
        left = 1 - self.quota.reserve if work == "backfill" else 1 - self.quota.stop
        if used >= allowed * left:
            what = "the first sync waits" if work == "backfill" else "reading waits"
            return _pause(
                f"{used:,} of {allowed:,} daily calls are used by all apps together: {what} until less than {left:.0%} is"
            )
        return None


def _pause(why: str) -> VendorError:
    return VendorError("deferred", why, code="QUOTA", retry_after=LOOK_AGAIN)
