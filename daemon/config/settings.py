"""The whole of tierd.yaml as frozen models; each part's settings class lives beside its code, here they are composed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    field_validator,
    model_validator,
)
from sqlalchemy import make_url

from alerts.settings import AlertSettings, Duration, SlackSettings
from alerts.writeback import WritebackSettings
from connectors.hubspot.settings import HubSpotSettings
from connectors.salesforce.settings import SalesforceSettings
from connectors.usage.settings import UsageSettings
from daemon.config.identity import IdentitySettings
from daemon.config.workdays import CalendarSettings
from daemon.ingest.settings import IngestSettings
from daemon.schedule import At, Every, Trigger
from rules.facts.healthsettings import HealthSettings
from rules.facts.settings import Feature, Offering, OpportunityTypes, Segments, UsageNames
from rules.language.calendar import Calendar
from rules.tiers import TierSettings
from store.records import DAY, HOUR, MINUTE

_FROZEN = ConfigDict(frozen=True, extra="forbid")
_CLOCK_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_SOURCE_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")


def _clock_time(value: str) -> str:
    if not _CLOCK_TIME.fullmatch(value):
        raise ValueError(f"{value!r} is no time of day; write for example '06:00' (UTC)")
    return value


ClockTime = Annotated[str, AfterValidator(_clock_time)]
"""`06:00`, UTC."""


class Paced(BaseModel):
    """When something runs: again and again (`every: 5m`), or daily (`at: "05:30"`, UTC)."""

    model_config = _FROZEN

    every: Duration | None = None
    at: ClockTime | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Paced:
        if self.every is not None and self.at is not None:
            raise ValueError("`every` and `at` exclude each other: keep one")
        if self.every is not None and self.every < MINUTE:
            raise ValueError("`every` is less than a minute: write 1m or more")
        return self

    def trigger(self, default: Duration) -> Trigger:
        """How the schedule computes the next due instant."""
        return At(self.at) if self.at is not None else Every(self.every or default)

    def no_faster(self, interval: int, default: Duration) -> tuple[Trigger, int]:
        """When a sweep of that interval runs, and how often: never more often than the source is read, and with it where
        that is daily, so that it costs no log-in of its own.
        """
        if self.at is None:
            interval = max(interval, self.every or default)
            return Every(interval, delay=interval), interval
        days = -(-interval // DAY)
        return At(self.at, days), days * DAY

    def interval(self, default: Duration) -> int:
        """Microseconds between two runs: what staleness is measured by."""
        return 24 * HOUR if self.at is not None else self.every or default


class SalesforceSource(Paced, SalesforceSettings):
    """One Salesforce org under `sources`."""


class HubSpotSource(Paced, HubSpotSettings):
    """One HubSpot portal under `sources`."""


class UsageSource(Paced, UsageSettings):
    """One feed of product usage under `sources`."""


Source = Annotated[SalesforceSource | HubSpotSource | UsageSource, Field(discriminator="kind")]
CrmSource = SalesforceSource | HubSpotSource
DEFAULT_EVERY = {"salesforce": 5 * MINUTE, "hubspot": 5 * MINUTE, "usage": HOUR}
"""Microseconds between two syncs where the source does not say."""


class Evaluation(Paced):
    """When all accounts are evaluated."""

    after_sync: bool = True
    """Besides, evaluate the accounts that a sync has touched, at once."""


class Tiers(TierSettings):
    """The tier policy and its hour."""

    at: ClockTime = "06:05"


class Health(BaseModel):
    """Where the health pages listen."""

    model_config = _FROZEN

    bind: str = "127.0.0.1:9464"

    @field_validator("bind")
    @classmethod
    def _address(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        if not host or not port.isdigit() or int(port) > 65_535:
            raise ValueError(f"{value!r} is no address; write for example 127.0.0.1:9464")
        return value


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _plain_text(value: str | SecretStr) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


class Config(BaseModel):
    """The file tierd.yaml."""

    model_config = _FROZEN

    timezone: str = "UTC"
    calendar: CalendarSettings = CalendarSettings()
    """What a business day is."""
    store: str | SecretStr = "sqlite:///tierd.db"
    """A PostgreSQL address with a password in it comes from `{env: NAME}` or `{file: path}`."""
    data: Path | None = None
    """Folder for rotated tokens and for files that a sync removes after use; without it, beside the SQLite file."""
    tokens: Literal["file", "keyring"] = "file"
    """Where rotated tokens are kept; the keyring needs the extra tierd[keyring]."""
    own_domains: Annotated[tuple[str, ...], Field(min_length=1)]
    """E-mail domains of one's own people."""
    currency: str = Field(default="USD", pattern=r"^[A-Z]{3}$")
    sources: Annotated[dict[str, Source], Field(min_length=1)]
    identity: IdentitySettings = IdentitySettings()
    usage: UsageNames = UsageNames()
    features: dict[str, Feature] = {}
    """What can be used in the product, by the name that everything else uses."""
    offerings: dict[str, Offering] = {}
    """Packages and add-ons, by the name that the features' `offering` has."""
    opportunities: OpportunityTypes = OpportunityTypes()
    segments: Segments = Segments()
    health_score: HealthSettings = HealthSettings()
    """What health is made of; where the health pages listen is in `health`."""
    rules: Annotated[tuple[str, ...], BeforeValidator(_as_list), Field(min_length=1)] = ("rules/*.yaml",)
    slack: SlackSettings | None = None
    """Without it nothing is said: messages wait in the store, `tierd preview` shows them."""
    alerts: AlertSettings = AlertSettings()
    tiers: Tiers = Tiers()
    writeback: WritebackSettings = WritebackSettings()
    evaluate: Evaluation = Evaluation()
    health: Health = Health()
    ingest: IngestSettings | None = None
    """Where pushes of usage and webhooks come in; without it nothing listens for them."""

    _folder: Path = PrivateAttr(default=Path())
    _secrets: tuple[str, ...] = PrivateAttr(default=())
    _left_out: dict[str, str] = PrivateAttr(default_factory=dict)

    @property
    def folder(self) -> Path:
        """The folder of tierd.yaml: relative paths start here."""
        return self._folder

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every secret's text, for masking it in logs."""
        return self._secrets

    @property
    def left_out(self) -> dict[str, str]:
        """Sources that a running daemon goes on without, and why."""
        return self._left_out

    def placed(self, folder: Path, secrets: tuple[str, ...], left_out: dict[str, str]) -> Config:
        """This configuration with what is known of it besides its text."""
        self._folder, self._secrets, self._left_out = folder, secrets, left_out
        return self

    @property
    def crms(self) -> dict[str, CrmSource]:
        """The sources that have accounts."""
        return {name: source for name, source in self.sources.items() if not isinstance(source, UsageSource)}

    @property
    def feeds(self) -> dict[str, UsageSource]:
        """The sources of usage."""
        return {name: source for name, source in self.sources.items() if isinstance(source, UsageSource)}

    @property
    def workdays(self) -> Calendar:
        """The business calendar in the configured zone."""
        return self.calendar.calendar(self.timezone)

    @property
    def store_url(self) -> str:
        """The store's address; a relative SQLite path starts at the folder of tierd.yaml."""
        url = _plain_text(self.store)
        prefix = "sqlite:///"
        path = url.removeprefix(prefix)
        if not url.startswith(prefix) or path.startswith("/") or not path:
            return url
        return f"{prefix}{(self.folder / path).resolve()}"

    @property
    def data_folder(self) -> Path:
        """Where files other than the store are kept; it may not be there yet."""
        if self.data is not None:
            return (self.folder / self.data).resolve()
        prefix = "sqlite:///"
        url = self.store_url
        return Path(url.removeprefix(prefix)).parent if url.startswith(prefix) and url != prefix else self.folder

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError(f"{value!r} is no time zone; write for example Europe/Berlin")
        ZoneInfo(value)
        return value

    @field_validator("store")
    @classmethod
    def _url(cls, value: str | SecretStr) -> str | SecretStr:
        if not _plain_text(value).startswith(("sqlite:///", "postgresql://", "postgresql+psycopg://")):
            raise ValueError("a store is sqlite:///path or postgresql://user@host/database")
        if isinstance(value, str) and make_url(value).password:
            raise ValueError("a password does not belong into the file: write `store: {env: NAME}` or `{file: path}`")
        return value

    @field_validator("own_domains")
    @classmethod
    def _domains(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        wrong = [domain for domain in value if "@" in domain or "." not in domain]
        if wrong:
            raise ValueError(f"{wrong[0]!r} is no e-mail domain; write for example acme.com")
        return tuple(domain.lower() for domain in value)

    @field_validator("sources")
    @classmethod
    def _names(cls, value: dict[str, Source]) -> dict[str, Source]:
        for name in value:
            if not _SOURCE_NAME.fullmatch(name):
                raise ValueError(f"`{name}` cannot name a source: use small letters, digits and hyphens")
        return value

    @field_validator("features")
    @classmethod
    def _feature_names(cls, value: dict[str, Feature]) -> dict[str, Feature]:
        owner: dict[str, str] = {}
        for feature, about in value.items():
            for name in {feature, *about.names}:
                if owner.setdefault(name, feature) != feature:
                    raise ValueError(f"{name!r} is a name of `{owner[name]}` and of `{feature}`: keep one")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Config:
        pushed = [name for name, feed in self.feeds.items() if feed.push]
        if pushed and (self.ingest is None or not self.ingest.keys):
            raise ValueError(f"`{pushed[0]}` is pushed to the ingest listener: add `ingest: {{keys: [...]}}`")
        hinted = [n for n, source in self.crms.items() if isinstance(source, HubSpotSource) and source.hints]
        if hinted and self.ingest is None:
            raise ValueError(f"the webhooks of `{hinted[0]}` need the ingest listener: add `ingest: {{}}`")
        if not self.crms:
            raise ValueError("`sources` needs a CRM: add one of kind salesforce or hubspot")
        strange = sorted(self.identity.sources_named() - set(self.crms))
        if strange:
            raise ValueError(f"`identity` names {strange[0]!r}, which is no CRM here: {', '.join(self.crms)}")
        if self.writeback.enabled and not any(source.tier for source in self.crms.values()):
            raise ValueError(
                "`writeback` is enabled, but no source has a `tier` field to write to: add one, or disable it"
            )
        return self
