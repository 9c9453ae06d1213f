"""Settings of a usage feed."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

_FROZEN = ConfigDict(frozen=True, extra="forbid")


class Columns(BaseModel):
    """Which column says what. Every other numeric column that `metrics` names is a metric."""

    model_config = _FROZEN
    key: str = "workspace"
    """Names the account: the mapped `usage_key`, else a CRM id, else a web domain."""
    at: str = "date"
    """ISO date or date-time, or epoch seconds or milliseconds. A date counts as its day's midnight, UTC."""
    user: str | None = None
    """E-mail address, where the feed is per user."""
    recorded_at: str | None = None
    """When the feed says the sample became known."""


class UsageSettings(BaseModel):
    """One usage feed: files, or a query."""

    model_config = _FROZEN
    kind: Literal["usage"]
    files: tuple[str, ...] = ()
    """Patterns, relative to the configuration file: usage/*.csv, usage/*.jsonl."""
    url: SecretStr | None = None
    """SQLAlchemy URL of a database; the query runs in a read-only transaction."""
    query: str | None = None
    columns: Columns = Columns()
    metrics: tuple[str, ...] = Field(min_length=1)
    history_known_at_once: bool = True
    """Samples of the first read count as known on their own day; without it, from the day they were read."""

    @model_validator(mode="after")
    def _one_way(self) -> UsageSettings:
        if bool(self.files) == bool(self.url) or bool(self.url) != bool(self.query):
            raise ValueError("give either `files`, or `url` and `query`")
        return self
