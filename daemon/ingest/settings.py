"""Settings of the ingest listener."""

from __future__ import annotations

import ipaddress

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

_SHORTEST_KEY = 16


class IngestSettings(BaseModel):
    """Where pushes and webhooks come in. TLS is the business of a reverse proxy before it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bind: str = "127.0.0.1:9465"
    allow_remote: bool = False
    """Needed for an address that is not this machine's own: what comes in there has no TLS yet."""
    keys: tuple[SecretStr, ...] = ()
    """Any of them opens /usage, so that a new one can be given out before the old one goes; none: there is no /usage."""
    max_body: int = Field(5_000_000, ge=1_000, le=100_000_000)
    """Bytes of one push."""
    max_rows: int = Field(10_000, ge=1, le=100_000)
    """Rows of one push: they are one transaction."""
    per_second: float = Field(10.0, gt=0, le=1_000)
    """Calls that are answered; more get 429."""
    burst: int = Field(50, ge=1, le=10_000)
    """Calls that may come at once."""
    at_once: int = Field(8, ge=1, le=100)
    """Calls that are worked on or wait for the store; more get 503."""
    patience_seconds: float = Field(5.0, gt=0, le=60)
    """How long a call waits for the store before it gets 503."""

    @field_validator("bind")
    @classmethod
    def _address(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        if not host or not port.isdigit() or int(port) > 65_535:
            raise ValueError(f"{value!r} is no address; write for example 127.0.0.1:9465")
        return value

    @field_validator("keys")
    @classmethod
    def _long_enough(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        # An empty one is a secret that this command does not need and that was not looked up.
        if any(0 < len(key.get_secret_value()) < _SHORTEST_KEY for key in value):
            raise ValueError(f"a key is shorter than {_SHORTEST_KEY} characters: make one with `openssl rand -hex 32`")
        return value

    @model_validator(mode="after")
    def _near(self) -> IngestSettings:
        if not self.allow_remote and not _own(self.bind.rpartition(":")[0].strip("[]")):
            raise ValueError(
                f"`bind: {self.bind}` can be reached from other machines, without TLS: bind 127.0.0.1 behind a reverse "
                "proxy, or write `allow_remote: true`"
            )
        return self


def _own(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
