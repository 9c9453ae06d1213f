"""Settings of a Salesforce source."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from connectors.hints import Hints
from connectors.http import checked_address
from connectors.mapping import FieldMapping
from connectors.quota import Quota

_FROZEN = ConfigDict(frozen=True, extra="forbid")

Address = Annotated[str, AfterValidator(checked_address)]


class ClientCredentials(BaseModel):
    """OAuth client credentials of an External Client App; needs the My Domain address."""

    model_config = _FROZEN
    method: Literal["client_credentials"]
    client_id: str
    client_secret: SecretStr


class JwtBearer(BaseModel):
    """OAuth JWT bearer: signed with the private key whose certificate the External Client App holds."""

    model_config = _FROZEN
    method: Literal["jwt"]
    client_id: str
    username: str
    private_key: SecretStr
    audience: Address = "https://login.salesforce.com"


class RefreshToken(BaseModel):
    """OAuth refresh token of a user's consent (scopes `api refresh_token`). Where the External Client App rotates it,
    the newer ones are kept in the data folder; this one only begins the family.
    """

    model_config = _FROZEN
    method: Literal["refresh_token"]
    client_id: str
    client_secret: SecretStr | None = None
    """Left out where the app asks for none of its refresh flow."""
    refresh_token: SecretStr


class AccessToken(BaseModel):
    """A session that somebody else opened; it cannot be renewed."""

    model_config = _FROZEN
    method: Literal["token"]
    access_token: SecretStr


Auth = Annotated[ClientCredentials | JwtBearer | RefreshToken | AccessToken, Field(discriminator="method")]


class ActivityFields(BaseModel):
    """Fields that an org adds to its activities; Salesforce itself has no outcome of a meeting and no bulk mark."""

    model_config = _FROZEN
    meeting_status: str | None = None
    """Event field with Planned, Held, Cancelled or No Show; an empty one counts as held."""
    meeting_uid: str | None = None
    """Event field with the calendar's iCalUID, by which copies in two CRMs are one."""
    automatic: str | None = None
    """EmailMessage checkbox for newsletters, sequences and automatic replies."""


class ChangeEventHints(Hints):
    """Change Data Capture events of the objects that Setup has selected, by the Streaming API."""

    channel: str = Field("/data/ChangeEvents", pattern=r"^/data/[A-Za-z]\w{0,79}$")
    """All selected objects; or one's own channel, /data/Name__chn."""


class SalesforceSettings(FieldMapping):
    """One Salesforce org."""

    kind: Literal["salesforce"]
    base_url: Address
    api_version: str = Field("67.0", pattern=r"^\d+\.0$")
    auth: Auth
    write_auth: Auth | None = None
    """Separate credentials for writing; without them the reading ones write."""
    org_id: str | None = Field(None, pattern=r"^00D[A-Za-z0-9]{12,15}$")
    """Pin: tierd refuses to talk to another org than this."""
    activities: ActivityFields = ActivityFields()
    overlap_minutes: int = Field(5, ge=1, le=60)
    """How far each read reaches back before the newest row seen: rows become visible seconds late."""
    quota: Quota = Quota()
    """How much of the org's daily API calls tierd takes, and when it stands back."""
    session_minutes: int = Field(120, ge=15, le=1440)
    """The org's session timeout (Setup, Session Settings): a token that idles longer is renewed before it is refused."""
    timeout_seconds: float = Field(60, gt=0, le=600)
    """How long an answer may keep us waiting between two pieces of it."""
    bulk_rows: int = Field(10_000, ge=0)
    """A first sync reads what an object has beyond its first page through the Bulk API when it is more than this.
    Salesforce advises Bulk from 2,000 on; up to five pages, that share their calls with other objects, REST costs less.
    """
    bulk_chunk: int = Field(500_000, ge=1_000)
    """Rows of one query job at most."""
    hints: ChangeEventHints | None = None
    """Change events that bring the next sync forward; polling goes on as it is."""
