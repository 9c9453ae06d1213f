"""Hints bring a sync forward, are never trusted for data, and may be lost, doubled or forged without harm."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from pydantic import SecretStr
from sqlalchemy import select

from connectors.hints import Hints
from connectors.hubspot.connector import HubSpotConnector
from connectors.hubspot.hints import HubSpotHints
from connectors.hubspot.settings import HubSpotSettings
from connectors.known import nothing_known
from daemon.ingest.hintdesk import Effect, HintDesk
from daemon.schedule import Due, Every, Schedule, Task
from daemon.sync import run_sync
from store import runs
from store import tables as t
from store.engine import Store
from store.records import MINUTE, SECOND, StreamTrouble
from store.schedule import rows
from store.sync import save_trouble
from tests.clocks import StepClock
from tests.daemon.listener import Listener, Watch
from tests.sandbox.hubspot_portal import NOW, TOKEN, Portal

SECRET = "app-secret"
TASK = "sync:hubspot"


@pytest.fixture
def portal() -> Iterator[Portal]:
    """A portal with one company."""
    served = Portal()
    served.add("companies", "1", {"name": "Acme", "domain": "acme.test", "lifecyclestage": "customer"})
    yield served
    served.stop()


@pytest.fixture
def listener(store: Store, portal: Portal, unused_port: int) -> Iterator[Listener]:
    """A listener for the portal's webhooks, and the schedule of its sync: read a minute ago, due in four."""
    url = f"http://127.0.0.1:{unused_port}/hints/hubspot"
    hints = HubSpotHints.model_validate({"client_secret": SecretStr(SECRET), "url": url})
    clock = Watch(NOW)
    with Listener(
        store, {}, {"hubspot": (hints, portal.state.portal_id)}, {"bind": f"127.0.0.1:{unused_port}", "keys": []}, clock
    ) as made:
        plan = schedule(store)
        plan.prepare(NOW - MINUTE)
        run(plan, NOW - MINUTE)
        portal.webhook(url, SECRET)
        yield made


def schedule(store: Store) -> Schedule:
    """One task, every five minutes."""
    return Schedule(store, [Task(TASK, Every(5 * MINUTE), lambda _as_of: None)])


def run(plan: Schedule, now: int) -> None:
    """The task, in no time."""
    (due,) = plan.due(now, [TASK])
    plan.started(due, now)
    plan.ended(due, now, None)


def next_due(store: Store) -> int:
    """When the sync is due."""
    with store.read() as conn:
        return rows(conn)[TASK].next_due


def signed(listener: Listener, body: bytes, at: int, **change: str) -> dict[str, str]:
    """Headers as HubSpot sends them."""
    url = change.get("url", f"{listener.server.address}/hints/hubspot")
    stamp = str(at // 1_000)
    given = f"POST{url}".encode() + body + stamp.encode()
    digest = hmac.new(change.get("secret", SECRET).encode(), given, hashlib.sha256).digest()
    return {"X_HubSpot_Signature_v3": base64.b64encode(digest).decode(), "X_HubSpot_Request_Timestamp": stamp}


def events(portal: Portal, **change: Any) -> bytes:
    """A batch of one event."""
    event = {"eventId": 1, "portalId": portal.state.portal_id, "subscriptionType": "object.propertyChange"}
    return json.dumps([event | change]).encode()


def test_a_change_in_the_portal_brings_the_sync_forward(listener: Listener, store: Store, portal: Portal) -> None:
    """HubSpot's own webhook, signed and posted: the sync is due in ten seconds, and its worker looks up."""
    assert NOW + 4 * MINUTE == next_due(store)
    portal.change("companies", "1", name="Acme Ltd")
    assert [200] == portal.deliver()
    assert NOW + 10 * SECOND == next_due(store)
    assert ["hubspot"] == listener.woken
    assert [] == _rows(store), "the webhook's own values go nowhere"


def _rows(store: Store) -> list[Any]:
    with store.read() as conn:
        return list(conn.execute(select(t.crm_accounts.c.id, t.crm_accounts.c.name).order_by(t.crm_accounts.c.id)))


def test_many_hints_are_one_sync(listener: Listener, store: Store, portal: Portal) -> None:
    """Hints that come before the sync change nothing more; the next sync by a hint comes a minute after that one."""
    for name in ("a", "b", "c"):
        portal.change("companies", "1", name=name)
        portal.deliver()
    assert (NOW + 10 * SECOND, ["hubspot"]) == (next_due(store), listener.woken)
    run(schedule(store), NOW + 10 * SECOND)
    listener.clock.at = NOW + 20 * SECOND
    portal.clock.advance_to(NOW + 20 * SECOND)
    portal.change("companies", "1", name="d")
    portal.deliver()
    assert NOW + 70 * SECOND == next_due(store)


def test_a_hint_during_a_sync_is_not_lost(listener: Listener, store: Store, portal: Portal) -> None:
    """What the running sync has read already may be from before the change: it runs once more."""
    plan = schedule(store)
    listener.clock.at = NOW + 4 * MINUTE
    portal.clock.advance_to(NOW + 4 * MINUTE)
    (due,) = plan.due(NOW + 4 * MINUTE, [TASK])
    plan.started(due, NOW + 4 * MINUTE)
    portal.change("companies", "1", name="b")
    assert [200] == portal.deliver()
    plan.ended(due, NOW + 4 * MINUTE + 5 * SECOND, None)
    assert NOW + 5 * MINUTE == next_due(store)
    second = Due(due.task, NOW + 5 * MINUTE, NOW + 5 * MINUTE)
    plan.started(second, NOW + 5 * MINUTE)
    plan.ended(second, NOW + 5 * MINUTE, None)
    assert NOW + 10 * MINUTE == next_due(store), "served: the next one is the ordinary one"


def test_a_source_out_of_quota_is_left_alone(listener: Listener, store: Store, portal: Portal) -> None:
    """It is read when it may be."""
    with store.write() as conn:
        runs.declare_source(conn, "hubspot", "hubspot", 5 * MINUTE)
        save_trouble(conn, "hubspot", StreamTrouble("contacts", "deferred", "quota"))
    portal.change("companies", "1", name="b")
    assert [200] == portal.deliver()
    assert (NOW + 4 * MINUTE, []) == (next_due(store), listener.woken)


def test_the_same_call_again_is_a_replay(listener: Listener, store: Store, portal: Portal) -> None:
    """It is answered, and does nothing."""
    body = events(portal)
    headers = signed(listener, body, NOW)
    assert {"effect": "sooner"} == listener.post("/hints/hubspot", body, key=None, **headers).json()
    run(schedule(store), NOW + 10 * SECOND)
    listener.clock.at = NOW + 4 * MINUTE
    assert {"effect": "replay"} == listener.post("/hints/hubspot", body, key=None, **headers).json()
    listener.clock.at = NOW + 20 * MINUTE
    fresh = signed(listener, body, listener.clock.at)
    listener.post("/hints/hubspot", body, key=None, **fresh)
    with store.read() as conn:
        assert 1 == len(conn.execute(select(t.hint_nonces)).all()), "old ones are forgotten"


@pytest.mark.parametrize(
    ("change", "age", "said"),
    [
        ({"secret": "other"}, 0, "the signature is wrong"),
        ({"url": "http://elsewhere.test/hints/hubspot"}, 0, "the signature is wrong"),
        ({}, 5 * MINUTE + SECOND, "more than 5 minutes"),
        ({}, -5 * MINUTE - SECOND, "more than 5 minutes"),
    ],
)
def test_what_is_not_proved_is_refused(
    listener: Listener, store: Store, portal: Portal, *, change: dict[str, str], age: int, said: str
) -> None:
    """401, and nothing moves; the secret is in no answer."""
    body = events(portal)
    answer = listener.post("/hints/hubspot", body, key=None, **signed(listener, body, NOW - age, **change))
    assert (401, True) == (answer.status_code, said in answer.json()["error"])
    assert SECRET not in answer.text
    assert (NOW + 4 * MINUTE, []) == (next_due(store), listener.woken)


def test_other_forms_are_refused(listener: Listener, portal: Portal, store: Store) -> None:
    """No signature, a changed body, no list, another portal, another source, a body without end."""
    body = events(portal)
    headers = signed(listener, body, NOW)

    def post(path: str, sent: bytes, **given: str) -> requests.Response:
        return listener.post(path, sent, key=None, **given)

    assert 401 == post("/hints/hubspot", body).status_code
    assert 401 == post("/hints/hubspot", body + b" ", **headers).status_code
    assert 401 == post("/hints/hubspot", body, **(headers | {"X_HubSpot_Request_Timestamp": "soon"})).status_code
    assert 400 == post("/hints/hubspot", b"{}", **signed(listener, b"{}", NOW)).status_code
    assert 404 == post("/hints/salesforce", body, **headers).status_code
    assert 413 == post("/hints/hubspot", b" " * 1_000_001, **headers).status_code
    foreign = events(portal, portalId=1)
    assert {"effect": "none"} == post("/hints/hubspot", foreign, **signed(listener, foreign, NOW)).json()
    assert NOW + 4 * MINUTE == next_due(store)


def test_the_query_is_signed_as_hubspot_decodes_it(listener: Listener, portal: Portal) -> None:
    """Twelve encoded characters are decoded before the signature, all others are not."""
    body = events(portal)
    address = f"{listener.server.address}/hints/hubspot"
    sent = f"{address}?to=https%3A%2F%2Fa.test%2f%40x%3Fb&c=%20%25"
    as_signed = f"{address}?to=https://a.test/@x?b&c=%20%25"
    headers = {k.replace("_", "-"): v for k, v in signed(listener, body, NOW, url=as_signed).items()}
    assert 200 == requests.post(sent, data=body, headers=headers, timeout=30).status_code


def test_without_its_task_a_hint_does_nothing(sqlite_store: Store) -> None:
    """A source that is not read by this process has nothing to bring forward."""
    desk = HintDesk(sqlite_store, Watch(NOW), {"crm": Hints.model_validate({})}, lambda _name: None)
    assert Effect.ENOUGH == desk.take("crm")
    assert {("crm", "enough"): 1} == desk.counts


@pytest.mark.parametrize("heard", [True, False])
def test_lost_hints_change_when_and_not_what(listener: Listener, store: Store, portal: Portal, heard: bool) -> None:
    """With hints the rows are there after seconds, without after the interval; in the end they are the same."""
    connector = HubSpotConnector(
        HubSpotSettings.model_validate(
            {"kind": "hubspot", "base_url": portal.served.url, "auth": {"access_token": TOKEN},
             "customer": {"lifecyclestage": "customer"}}
        ),
        StepClock(portal.clock),
        nothing_known,
    )  # fmt: skip
    run_sync(store, "hubspot", connector, StepClock(portal.clock))
    assert [("1", "Acme")] == _rows(store)
    if not heard:
        portal.webhook("http://127.0.0.1:9/nowhere", SECRET)
    listener.clock.at = portal.clock.now()
    portal.change("companies", "1", at=portal.clock.now(), name="Acme Ltd")
    assert [200 if heard else None] == portal.deliver()
    due = next_due(store)
    assert heard == (due < NOW + 2 * MINUTE)
    portal.clock.advance_to(max(due, portal.clock.now()))
    run_sync(store, "hubspot", connector, StepClock(portal.clock))
    connector.close()
    assert [("1", "Acme Ltd")] == _rows(store)
