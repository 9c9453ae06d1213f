"""What the Salesforce half of the requirement tests shares: an org with people, and syncs of new processes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from connectors.means import Means
from connectors.salesforce.connector import SalesforceConnector
from connectors.salesforce.session import SalesforceSession, opened
from connectors.salesforce.settings import AccessToken, JwtBearer, RefreshToken
from daemon.sync import SyncRun, run_sync
from daemon.tokens import file_keep
from sandbox.salesforce.state import Settings as OrgSettings
from store.engine import Store
from tests.clocks import StepClock
from tests.connectors.test_salesforce import settings
from tests.sandbox.salesforce_org import Org, key_pair

ORG = OrgSettings(public_key=key_pair()[1])
REFRESH = RefreshToken(
    method="refresh_token",
    client_id=ORG.client_id,
    client_secret=SecretStr(ORG.client_secret),
    refresh_token=SecretStr(ORG.refresh_token),
)
JWT = JwtBearer(
    method="jwt", client_id=ORG.client_id, username=ORG.username, private_key=SecretStr(key_pair()[0]),
    audience="https://login.salesforce.com",
)  # fmt: skip
FIXED = AccessToken(method="token", access_token=SecretStr(ORG.access_token))


def means(org: Org, folder: Path) -> Means:
    """What the daemon would hand down, with its files in a folder."""
    return Means(keep=file_keep(folder, "sf", StepClock(org.clock)), spool=folder)


@contextmanager
def connected(org: Org, folder: Path, **also: Any) -> Iterator[SalesforceConnector]:
    """A process's connector."""
    connector = SalesforceConnector(settings(org, **also), StepClock(org.clock), means(org, folder))
    try:
        yield connector
    finally:
        connector.close()


@contextmanager
def talking(org: Org, folder: Path, **also: Any) -> Iterator[SalesforceSession]:
    """A process's session, without the reader above it."""
    session = opened(settings(org, **also), StepClock(org.clock), means(org, folder))
    try:
        yield session
    finally:
        session.close()


def sync(org: Org, store: Store, folder: Path, **also: Any) -> SyncRun:
    """One sync of a process that starts anew."""
    with connected(org, folder, **also) as connector:
        return run_sync(store, "sf", connector, StepClock(org.clock))


def calls(org: Org, since: int = 0) -> list[str]:
    """Paths of the requests so far, below the version; token requests as `token`."""
    return ["token" if "oauth2" in entry.path else entry.path.split("/v67.0/")[-1] for entry in org.log.entries(since)]


def people(org: Org, count: int, first: int = 1) -> list[str]:
    """So many contacts, all made in the same instant."""
    return [
        org.add("Contact", "003", n, LastName=f"L{n}", Email=f"p{n}@acme.test") for n in range(first, first + count)
    ]
