"""What may be set about alerts and about Slack."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, field_validator, model_validator

from store.records import DAY, HOUR, MINUTE, SECOND

_UNITS = {"s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY, "w": 7 * DAY}
_DURATION = re.compile(r"\s*(\d+)\s*([smhdw])\s*")
_SHARE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*%\s*")
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def _duration(value: object) -> int:
    # A bare number would have to be read in some unit: nobody is asked to guess which.
    match = _DURATION.fullmatch(str(value))
    if not match:
        raise ValueError(f"{value!r} is no duration; write for example 90s, 15m, 12h, 3d or 2w")
    return int(match.group(1)) * _UNITS[match.group(2)]


def _share(value: object) -> object:
    if not isinstance(value, str):
        return value
    match = _SHARE.fullmatch(value)
    if not match:
        raise ValueError(f"{value!r} is no share; write for example 5%")
    return float(match.group(1)) / 100


Duration = Annotated[int, BeforeValidator(_duration), Field(gt=0)]
"""Microseconds; written `3d`, `12h`, `15m`, `90s`."""
Share = Annotated[float, BeforeValidator(_share), Field(gt=0, le=1)]
"""0..1; written `5%`."""


class AlertSettings(BaseModel):
    """Noise budget, timing and links of alerts (`alerts:` in the configuration)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    flap_window: Duration = 3 * DAY
    """A rule that fires again within it re-opens its episode; a conversation ends when all has been clear so long."""
    parent_max_age: Duration = 7 * DAY
    """News in a conversation whose parent message is older starts a new parent."""
    first_run_per_csm: int = Field(default=5, ge=0)
    high_per_csm_day: int = Field(default=5, ge=0)
    digest_at: str = "07:00"
    storm_share: Share = 0.05
    storm_at_least: int = Field(default=10, ge=1)
    """A storm needs as many accounts at least, so that a small portfolio is not held at its second alert."""
    expire_after: Duration = 3 * DAY
    """A message that could not be sent for so long is given up, and the operators are told."""
    links: dict[str, str] = Field(default_factory=dict)
    """Source name -> address of an account in that CRM, with `{id}` in it."""

    @field_validator("digest_at")
    @classmethod
    def _clock_time(cls, value: str) -> str:
        if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
            raise ValueError(f"{value!r} is no time of day; write for example 07:00")
        return value


class Channels(BaseModel):
    """Slack channel ids; names can be renamed, ids cannot."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    alerts: str = Field(pattern=r"^[CDG][A-Z0-9]+$")
    operators: str = Field(pattern=r"^[CDG][A-Z0-9]+$")


class SlackSettings(BaseModel):
    """How to reach Slack (`slack:` in the configuration)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bot_token: SecretStr
    app_token: SecretStr | None = None
    """Without it nobody can press buttons: Socket Mode needs an app-level token."""
    channels: Channels
    base_url: str = "https://slack.com/api/"
    team_id: str | None = None
    """Pins the workspace: another one is refused at start."""
    operators: tuple[str, ...] = ()
    """Slack user ids that may act on every account."""
    routes: dict[str, str] = Field(default_factory=dict)
    """A rule's `notify` -> channel id; `owner` goes to the alert channel unless it is named here."""
    timeout: Duration = 10 * SECOND
    lease: Duration = 60 * SECOND
    verify_window: Duration = 30 * SECOND
    """How long an uncertain message is looked for before it is sent again."""
    pace: Duration = SECOND
    """Between two messages in one channel."""

    @field_validator("base_url")
    @classmethod
    def _address(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
            raise ValueError("must be https; plain http only towards loopback")
        return value if value.endswith("/") else f"{value}/"

    @model_validator(mode="after")
    def _timeout_within_lease(self) -> SlackSettings:
        if self.timeout >= self.lease:
            raise ValueError("timeout must be shorter than lease: another worker could take over a call in flight")
        if self.timeout >= self.verify_window:
            raise ValueError("verify_window must be longer than timeout: Slack may accept a message late")
        return self
