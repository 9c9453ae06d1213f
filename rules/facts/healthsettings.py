"""What an operator may set about health: weights, per segment too, the ends of each scale, and the bands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

_FROZEN = ConfigDict(frozen=True, extra="forbid")

Component = Literal[
    "adoption_change",
    "adoption",
    "user_relationships",
    "exec_relationships",
    "engagement",
    "support",
    "satisfaction",
]
COMPONENTS: tuple[Component, ...] = get_args(Component)
"""The seven, in the order in which their contributions add up."""
Band = Literal["green", "yellow", "red"]


class HealthWeights(BaseModel):
    """How much each component counts; the weight of a missing one is spread over the others in proportion."""

    model_config = _FROZEN

    adoption_change: float = Field(default=25, ge=0, le=100)
    adoption: float = Field(default=15, ge=0, le=100)
    user_relationships: float = Field(default=15, ge=0, le=100)
    exec_relationships: float = Field(default=15, ge=0, le=100)
    engagement: float = Field(default=10, ge=0, le=100)
    support: float = Field(default=10, ge=0, le=100)
    satisfaction: float = Field(default=10, ge=0, le=100)

    @model_validator(mode="after")
    def _something(self) -> HealthWeights:
        if not sum(getattr(self, name) for name in COMPONENTS):
            raise ValueError("all weights are 0: give at least one component a weight")
        return self


class HealthScales(BaseModel):
    """Where each component's score of 0 and of 100 lies; between them it is linear, beyond them it stays."""

    model_config = _FROZEN

    adoption_change: tuple[float, float] = (-0.4, 0.1)
    """Ratios."""
    adoption: tuple[float, float] = (0.0, 1.0)
    strong_relationships: int = Field(default=3, ge=1)
    """So many strong users, or execs, are 100; none is 0."""
    silent_days: int = Field(default=60, ge=1)
    """So many days since the last contact are 0; none is 100."""
    open_ticket: float = Field(default=10, ge=0, le=100)
    urgent_ticket: float = Field(default=30, ge=0, le=100)
    """Points that one takes off 100."""

    @model_validator(mode="after")
    def _apart(self) -> HealthScales:
        for name in ("adoption_change", "adoption"):
            low, high = getattr(self, name)
            if low == high:
                raise ValueError(f"both ends of `{name}` are {low}: the score of 0 and of 100 must lie apart")
        return self


class HealthSettings(BaseModel):
    """How health is computed (section `health_score` of the configuration)."""

    model_config = _FROZEN

    weights: HealthWeights = HealthWeights()
    by_segment: Mapping[str, HealthWeights] = {}
    """Segment -> the weights that hold for it instead; what a segment leaves out is as in `weights`."""
    scales: HealthScales = HealthScales()
    green: float = Field(default=75, ge=0, le=100)
    yellow: float = Field(default=50, ge=0, le=100)
    """Lower bounds; below yellow is red."""

    @model_validator(mode="before")
    @classmethod
    def _inherit(cls, data: object) -> object:
        """A segment that names some weights only has the others from `weights`."""
        if not isinstance(data, Mapping) or not isinstance(data.get("by_segment"), Mapping):
            return data
        general = data.get("weights")
        if isinstance(general, HealthWeights):
            general = general.model_dump()
        if not isinstance(general, Mapping):
            return data
        segments = {
            name: {**general, **own} if isinstance(own, Mapping) else own for name, own in data["by_segment"].items()
        }
        return {**data, "by_segment": segments}

    @model_validator(mode="after")
    def _in_order(self) -> HealthSettings:
        if self.yellow >= self.green:
            raise ValueError("`yellow` must be less than `green`: both are lower bounds of health")
        return self

    def band(self, health: float) -> Band:
        """The band of a health of 0 to 100; its lower bound belongs to it."""
        return "green" if health >= self.green else "yellow" if health >= self.yellow else "red"
