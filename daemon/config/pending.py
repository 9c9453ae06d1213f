"""Sections whose own settings classes are still being written."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, SecretStr

from connectors.mapping import FieldMapping


class _Token(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    access_token: SecretStr


class HubSpotSettings(FieldMapping):
    """One HubSpot portal."""

    kind: Literal["hubspot"]
    base_url: str = "https://api.hubapi.com"
    auth: _Token
    read_version: str = "2026-09"
    write_version: str = "2026-03"
    portal_id: str | None = None


class UsageSettings(BaseModel):
    """One usage feed."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: Literal["usage"]
    files: list[str] = []
    key: str = "usage_key"
    columns: dict[str, str] = {}


class TierSettings(BaseModel):
    """The tier policy."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    policy: str = "score"
    names: tuple[str, ...] = ("1", "2", "3")
    cadence: str = "A"
