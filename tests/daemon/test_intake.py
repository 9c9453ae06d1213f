"""The whole daemon with everything that comes in: a push is derived, a webhook and a change event bring syncs forward."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import select

from daemon.clock import SystemClock
from daemon.config import load
from daemon.run import StopRequest, work
from daemon.wiring import Daemon, build
from sandbox.salesforce.state import Settings as OrgSettings
from store import tables as t
from store.migrate import upgrade
from store.records import MINUTE
from tests.acceptance.world import until
from tests.sandbox.hubspot_portal import Portal
from tests.sandbox.salesforce_org import Org, serving

KEY = "a-key-of-some-length"
ORG = OrgSettings()
CONFIG = """
own_domains: [ours.test]
store: {store}
rules: [rules.yaml]
sources:
  salesforce:
    kind: salesforce
    base_url: {org}
    auth: {{method: client_credentials, client_id: {client}, client_secret: {{env: SF}}}}
    customer: {{Type: Customer}}
    every: 1h
    hints: {{settle_seconds: 0, gap_seconds: 1}}
  hubspot:
    kind: hubspot
    base_url: {portal}
    auth: {{access_token: {{env: HS}}}}
    customer: {{lifecyclestage: customer}}
    every: 1h
    hints: {{client_secret: {{env: APP}}, url: "https://tierd.test/hints/hubspot", settle_seconds: 0, gap_seconds: 1}}
  events: {{kind: usage, push: true, content: features, columns: {{key: workspace, at: at, feature: event}}}}
health: {{bind: "127.0.0.1:0"}}
ingest: {{bind: "127.0.0.1:0", keys: [{{env: KEY}}]}}
"""
RULES = (
    "rules:\n  - {rule: quiet, class: churn, severity: high, when: no exec contact in 15 days, say: Q., play: Call.}\n"
)


@pytest.fixture
def org() -> Iterator[Org]:
    """An org whose time is ours, so that its tokens and events are of today."""
    with serving(now=SystemClock().now()) as served:
        served.switch(comet_timeout_ms=200)
        yield served


@pytest.fixture
def portal() -> Iterator[Portal]:
    """A portal with a customer."""
    served = Portal()
    served.add("companies", "1", {"name": "Acme", "domain": "acme.test", "lifecyclestage": "customer"})
    yield served
    served.stop()


@pytest.fixture
def daemon(tmp_path: Path, sqlite_url: str, org: Org, portal: Portal) -> Iterator[Daemon]:
    """A daemon at work, its first syncs done."""
    text = CONFIG.format(store=sqlite_url, org=org.served.url, portal=portal.served.url, client=ORG.client_id)
    (tmp_path / "tierd.yaml").write_text(text)
    (tmp_path / "rules.yaml").write_text(RULES)
    secrets = {"SF": ORG.client_secret, "HS": "pat-na1-tests", "APP": "app-secret", "KEY": KEY}
    daemon = build(load(tmp_path / "tierd.yaml", secrets), SystemClock())
    upgrade(daemon.store)
    daemon.work.declare_sources()
    daemon.schedule.prepare(daemon.clock.now())
    request, ready = StopRequest(), threading.Event()
    thread = threading.Thread(target=work, args=(daemon.crew, daemon.clock, request, ready.set))
    thread.start()
    try:
        assert ready.wait(30)
        until(lambda: {row.source for row in runs(daemon)} >= {"salesforce", "hubspot"}, "the first syncs")
        yield daemon
    finally:
        request.make()
        thread.join(60)
        request.close()
        daemon.close()


def runs(daemon: Daemon) -> list[Any]:
    """The runs that have ended."""
    with daemon.store.read() as conn:
        return list(conn.execute(select(t.sync_runs).where(t.sync_runs.c.ended_at.is_not(None))).all())


def count(daemon: Daemon, source: str) -> int:
    """How often a source was read so far."""
    return sum(row.source == source and row.kind == "increment" for row in runs(daemon))


def test_everything_that_comes_in(daemon: Daemon, org: Org, portal: Portal) -> None:
    """A push finds its account; a signed webhook and a change event are syncs within seconds, where the hour is not up."""
    server = daemon.intake.server
    assert server is not None
    headers = {"Authorization": f"Bearer {KEY}"}
    row = {"workspace": "acme.test", "at": "2026-02-20", "event": "sso"}
    assert 200 == requests.post(f"{server.address}/usage", json=[row], headers=headers, timeout=30).status_code
    with daemon.store.read() as conn:
        account = conn.execute(select(t.accounts.c.id)).scalar()
    until(lambda: [(account, "sso")] == _features(daemon), "the push to be derived")

    before = count(daemon, "hubspot")
    portal.clock.advance_to(portal.clock.now() + MINUTE)
    portal.change("companies", "1", at=portal.clock.now(), name="Acme Ltd")
    body = json.dumps([{"eventId": 1, "portalId": portal.state.portal_id}]).encode()
    stamp = str(daemon.clock.now() // 1_000)
    signed = hmac.new(b"app-secret", b"POSThttps://tierd.test/hints/hubspot" + body + stamp.encode(), hashlib.sha256)
    sent = {"X-HubSpot-Signature-v3": base64.b64encode(signed.digest()).decode(), "X-HubSpot-Request-Timestamp": stamp}
    assert 200 == requests.post(f"{server.address}/hints/hubspot", data=body, headers=sent, timeout=30).status_code
    until(lambda: count(daemon, "hubspot") > before, "the webhook's sync")

    # Deaf until it is connected, the listener asks for a sync then; an event comes after that. Either way Beta is read.
    org.add("Account", "001", 1, at=org.clock.now(), Name="Beta", Type="Customer")
    until(lambda: "Beta" in _names(daemon), "the change event's sync")


def _features(daemon: Daemon) -> list[tuple[int, str]]:
    with daemon.store.read() as conn:
        rows = conn.execute(select(t.features.c.account_id, t.features.c.feature)).all()
    return [(row.account_id, row.feature) for row in rows]


def _names(daemon: Daemon) -> set[str | None]:
    with daemon.store.read() as conn:
        return set(conn.execute(select(t.accounts.c.name)).scalars())
