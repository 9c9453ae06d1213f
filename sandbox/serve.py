"""Put the sandbox together: the world, the three vendors, the CRM page, the usage feed and the control server."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import BaseModel, ConfigDict, Field

from sandbox import control
from sandbox.clock import DAY, HOUR, MINUTE, ScenarioClock, parse_instant
from sandbox.crmpage import app as crmpage
from sandbox.desk import Desk, HubSpotDesk, SalesforceDesk
from sandbox.faults import FaultBook
from sandbox.hubspot import app as hubspot_app
from sandbox.hubspot.hands import Hands
from sandbox.hubspot.state import HubSpotState, Token, new_store
from sandbox.hubspot.webhooks import Webhooks
from sandbox.requestlog import RequestLog
from sandbox.salesforce import app as salesforce_app
from sandbox.salesforce import state as salesforce
from sandbox.serving import Served, Shared
from sandbox.slack import app as slack_app
from sandbox.slack import workspace
from sandbox.versions import Change
from sandbox.world import generate, offering, project, surveys, usage
from sandbox.world.model import Teammate, World
from sandbox.world.project_salesforce import TRACKED

FIRST_EVALUATION = parse_instant("2026-03-02T06:00:00Z")
BEFORE_START = 90 * MINUTE
"""The scenario begins so long before the first evaluation, so that there is time for the first sync."""
FEED_AT = 5 * HOUR
"""Time of day (UTC) at which the day's usage file is there."""
HUBSPOT_TOKEN = "pat-na1-5a9d2c1e-tierd-demo"


class Ports(BaseModel):
    """0 takes a free one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    salesforce: int = 0
    hubspot: int = 0
    slack: int = 0
    crm: int = 0
    control: int = 0


class Settings(BaseModel):
    """What `tierd sandbox` can choose. `start` is the first evaluation in UTC microseconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = 7
    accounts: int = Field(default=750, ge=60)
    csms: int = Field(default=6, ge=1)
    days: int = Field(default=30, ge=1)
    history_days: int = Field(default=425, ge=60)
    start: int = FIRST_EVALUATION
    ports: Ports = Ports()
    usage_dir: Path | None = None
    """None: a temporary folder, removed at the end."""


class Sandbox:
    """Everything that runs. Its parts are there for tests; clients use `info()`."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.world = _world(settings)
        self.clock = ScenarioClock(settings.start - BEFORE_START)
        self.shared = Shared(self.clock, RequestLog(), FaultBook())
        self._scratch = Path(tempfile.mkdtemp(prefix="tierd-sandbox-"))
        self.usage_dir = settings.usage_dir or self._scratch / "usage"
        changes = project.changes(self.world)
        self.salesforce = self._salesforce(changes)
        self.hubspot = HubSpotState(new_store(self.clock), {HUBSPOT_TOKEN: Token()})
        self.hubspot.store.load(changes)
        self.webhooks = Webhooks(self.hubspot)
        self.slack = workspace.build(self.clock, map(_in_slack, self.world.teammates))
        self.desks: dict[str, Desk] = {
            "salesforce": SalesforceDesk(self.salesforce),
            "hubspot": HubSpotDesk(self.hubspot),
        }
        self._feed()
        self._serve()

    def info(self) -> dict[str, object]:
        """The JSON line of `tierd sandbox --json`."""
        org = self.salesforce.settings
        return {
            "salesforce": {
                "base_url": self._urls["salesforce"],
                "client_id": org.client_id,
                "client_secret": org.client_secret,
                "username": org.username,
                "private_key_file": str(self._key_file),
                "access_token": org.access_token,
                "refresh_token": org.refresh_token,
                "org_id": org.org_id,
            },
            "hubspot": {
                "base_url": self._urls["hubspot"],
                "access_token": HUBSPOT_TOKEN,
                "portal_id": self.hubspot.portal_id,
            },
            "slack": {
                "base_url": self.slack.base_url,
                "bot_token": self.slack.bot_token,
                "app_token": self.slack.app_token,
                "page": self.slack.page_url,
                "team_id": self.slack.team.id,
                "channels": workspace.channel_ids(),
            },
            "crm": {"page": self._urls["crm"]},
            "usage": {"directory": str(self.usage_dir)},
            "surveys": {"directory": str(self.usage_dir / surveys.FOLDER)},
            "offering": {"name": offering.NAME, "released": usage.iso(offering.released(self.settings.start))},
            "control": {"base_url": self.control_url},
        }

    @property
    def control_url(self) -> str:
        """Base address of the control server."""
        return self._urls["control"]

    def truth(self) -> Mapping[str, object]:
        """The planted stories and what should fire when; takes seconds."""
        from sandbox.world.truth import truth  # noqa: PLC0415 - only those who ask wait for it to load

        return truth(self.world)

    def stop(self) -> None:
        """Close everything and remove what was written to temporary places."""
        self.slack.hub.close()
        self.webhooks.stop()
        for served in self._served:
            served.stop()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _salesforce(self, changes: Iterable[Change]) -> salesforce.State:
        private, public = _key_pair()
        self._key_file = self._scratch / "salesforce-jwt.pem"
        self._key_file.touch(mode=0o600)
        self._key_file.write_text(private)
        state = salesforce.new_state(salesforce.new_store(self.clock), salesforce.Settings(public_key=public))
        state.history.track("Account", *TRACKED)
        state.load(changes)
        return state

    def _feed(self) -> None:
        """Write the usage history, and from then on each day's file as the clock passes 05:00."""
        self.usage_dir.mkdir(parents=True, exist_ok=True)
        usage.write_history(self.world, self.usage_dir, self.clock.now())
        surveys.write_answers(self.world, self.usage_dir)
        self.clock.listen(self._feed_between)

    def _feed_between(self, before: int, after: int) -> None:
        for day in range((before - FEED_AT) // DAY + 1, (after - FEED_AT) // DAY + 1):
            usage.write_day(self.world, self.usage_dir, day)

    def _serve(self) -> None:
        ports = self.settings.ports
        stage = control.Backstage(
            shared=self.shared,
            desks=self.desks,
            slack=self.slack,
            switches={
                "hubspot": self.hubspot.switches,
                "slack": self.slack.switches,
                "slack_limits": self.slack.limits,
            },
            salesforce=self.salesforce,
            hubspot=Hands(self.hubspot, self.webhooks),
            stores={"salesforce": self.salesforce.store, "hubspot": self.hubspot.store},
            truth=self.truth,
            info=self.info,
        )
        # What the control server and the CRM page are asked is no traffic of the product's.
        backstage = Shared(self.clock, RequestLog(keep=100), FaultBook())
        self._served = [
            Served("salesforce", salesforce_app.app(self.salesforce), self.shared, ports.salesforce),
            Served("hubspot", hubspot_app.app(self.hubspot), self.shared, ports.hubspot),
            Served("slack", slack_app.app(self.slack), self.shared, ports.slack),
            Served("crm", crmpage.app(self.desks), backstage, ports.crm),
            Served("control", control.app(stage), backstage, ports.control),
        ]
        self._urls = {served.vendor: served.url for served in self._served}
        self.slack.origin = self._urls["slack"]
        self.webhooks.start()


def start(settings: Settings | None = None) -> Sandbox:
    """Generate the world and serve it; returns once every server listens. OSError if a port is taken."""
    return Sandbox(settings or Settings())


def _world(settings: Settings) -> World:
    return generate.generate(
        seed=settings.seed,
        start=settings.start,
        days=settings.days,
        accounts=settings.accounts,
        csms=settings.csms,
        history_days=settings.history_days,
    )


def _in_slack(teammate: Teammate) -> workspace.Person:
    return workspace.Person(teammate.key, teammate.name, teammate.role)


def _key_pair() -> tuple[str, str]:
    """(private, public) as PEM, made anew for every sandbox: no key lies in the repository."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()
