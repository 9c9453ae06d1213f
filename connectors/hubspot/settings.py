"""Settings of a HubSpot source."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, SecretStr, Tag, field_validator

from connectors.http import READ_TIMEOUT, checked_address
from connectors.hubspot.hints import HubSpotHints
from connectors.mapping import FieldMapping, MappedField
from connectors.quota import Quota

_FROZEN = ConfigDict(frozen=True, extra="forbid")
Version = Annotated[str, Field(pattern=r"^\d{4}-\d{2}$")]


class Token(BaseModel):
    """A Service Key or the token of an existing private app."""

    model_config = _FROZEN
    method: Literal["token"] = "token"
    access_token: SecretStr


class OAuth(BaseModel):
    """An OAuth app that was installed in the portal: access tokens of half an hour, renewed by the refresh token."""

    model_config = _FROZEN
    method: Literal["oauth"]
    client_id: str
    client_secret: SecretStr
    refresh_token: SecretStr


def _method(value: Any) -> str:
    given = value.get("method") if isinstance(value, dict) else getattr(value, "method", None)
    return str(given or "token")


Auth = Annotated[Annotated[Token, Tag("token")] | Annotated[OAuth, Tag("oauth")], Discriminator(_method)]


class ActivityProperties(BaseModel):
    """Properties that a portal adds to its activities."""

    model_config = _FROZEN
    automatic: str | None = None
    """E-mail checkbox for newsletters, sequences and automatic replies."""


class HubSpotSettings(FieldMapping):
    """One HubSpot portal."""

    kind: Literal["hubspot"]
    base_url: Annotated[str, AfterValidator(checked_address)] = "https://api.hubapi.com"
    auth: Auth
    write_auth: Auth | None = None
    """Separate credentials for writing; without them the reading ones write."""
    read_version: Version = "2026-09"
    write_version: Version = "2026-03"
    """From 2026-09 on an update is refused when the record lacks any property that the portal requires."""
    portal_id: int | None = None
    """Pin: tierd refuses to talk to another portal than this."""
    link_property: str = "salesforceaccountid"
    """Company property that holds the id of the same account in Salesforce."""
    deal_amount: str = "amount"
    """Deal property that holds the amount; with several currencies `amount_in_home_currency`."""
    activities: ActivityProperties = ActivityProperties()
    overlap_minutes: int = Field(5, ge=1, le=60)
    searches_per_second: float = Field(2.0, gt=0, le=5)
    """Of the 5 that the whole portal has."""
    calls_per_second: float = Field(9.0, gt=0, le=25)
    """Other calls; the whole portal has 10 to 25, by its subscription."""
    quota: Quota = Quota()
    """Of the day's calls."""
    history: bool = True
    """Read the past of mapped fields once, 50 records a call."""
    hints: HubSpotHints | None = None
    """Webhooks that bring the next sync forward; polling goes on as it is."""
    timeout_seconds: float = Field(READ_TIMEOUT, gt=0, le=600)
    """How long one call may go without an answer."""

    @field_validator("currencies")
    @classmethod
    def _converts_itself(cls, value: object) -> object:
        if value is not None:
            raise ValueError("HubSpot converts by itself: leave it out, and map amount_in_home_currency")
        return value

    @field_validator("csm", "fields")
    @classmethod
    def _no_path(cls, value: object) -> object:
        options = value if isinstance(value, tuple) else [o for some in value.values() for o in some]  # type: ignore[attr-defined]
        if any(isinstance(option, MappedField) and option.path for option in options):
            raise ValueError("HubSpot's objects belong to a company by association: leave `path` out")
        return value
