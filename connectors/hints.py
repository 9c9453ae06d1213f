"""Hints that something has changed in a CRM: they bring its next sync forward and carry no data. Polling stays the truth."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Hints(BaseModel):
    """How soon after a hint a source is read, and how often at most."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    settle_seconds: float = Field(10.0, ge=0, le=600)
    """Between a hint and the sync: more hints come with it, and the vendor's search finds the change only by then."""
    gap_seconds: float = Field(60.0, ge=1, le=3_600)
    """Between two syncs that hints begin: hints cost no calls, the syncs do."""
