"""The Streaming API: handshake, subscription, long polling, what its events tell, and how it refuses."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from sandbox.clock import DAY, MINUTE, SECOND
from tests.sandbox.salesforce_org import NOW, TIMEOUT, Org, serving, sf_id

ALL = "/data/ChangeEvents"


class Subscriber:
    """A Bayeux client by hand."""

    def __init__(self, org: Org, token: str | None = None) -> None:
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {token or org.state.settings.access_token}"
        self._url = f"{org.served.url}/cometd/67.0"
        self.client = ""

    def send(self, channel: str, **more: Any) -> list[dict[str, Any]]:
        """One message; its replies."""
        message = {"channel": channel, "id": "1", **({"clientId": self.client} if self.client else {}), **more}
        answer = self.session.post(self._url, json=[message], timeout=TIMEOUT)
        replies: list[dict[str, Any]] = answer.json()
        return replies

    def handshake(self) -> dict[str, Any]:
        """Begin."""
        reply = self.send(
            "/meta/handshake", version="1.0", minimumVersion="1.0", supportedConnectionTypes=["long-polling"]
        )[0]
        self.client = reply.get("clientId", "")
        return reply

    def subscribe(self, channel: str, replay: int = -1) -> dict[str, Any]:
        """To a channel, from a replay id on."""
        return self.send("/meta/subscribe", subscription=channel, ext={"replay": {channel: replay}})[0]

    def connect(self) -> list[dict[str, Any]]:
        """Events, then the reply."""
        return self.send("/meta/connect", connectionType="long-polling")

    def headers(self) -> list[dict[str, Any]]:
        """The headers of the events of one connect."""
        return [m["data"]["payload"]["ChangeEventHeader"] for m in self.connect() if "data" in m]


@pytest.fixture
def org() -> Iterator[Org]:
    """An org with an account, whose connects wait half a second."""
    with serving() as served:
        served.add("Account", "001", 1, at=NOW - DAY, Name="Acme")
        served.switch(comet_timeout_ms=500)
        yield served


@pytest.fixture
def subscriber(org: Org) -> Iterator[Subscriber]:
    """A client after its handshake and its first connect."""
    client = Subscriber(org)
    assert client.handshake()["successful"]
    assert client.connect()[0]["successful"]
    yield client
    client.session.close()


def test_the_handshake_and_the_first_connect(org: Org) -> None:
    """The reply names the client; the first connect comes back at once with the advice to retry."""
    client = Subscriber(org)
    reply = client.handshake()
    assert (True, ["long-polling"], True) == (
        reply["successful"],
        reply["supportedConnectionTypes"],
        reply["ext"]["replay"],
    )
    first = client.connect()
    assert [{"reconnect": "retry", "interval": 0, "timeout": 500}] == [m["advice"] for m in first]
    assert 0 == org.state.usage.used
    client.session.close()


def test_a_change_is_told(org: Org, subscriber: Subscriber) -> None:
    """Object, kind, ids and changed fields of an update; a waiting connect comes back when something happens."""
    assert subscriber.subscribe(ALL)["successful"]
    got: list[dict[str, Any]] = []
    waiting = threading.Thread(target=lambda: got.extend(subscriber.connect()))
    org.switch(comet_timeout_ms=20_000)
    waiting.start()
    org.change("update", "Account", sf_id("001", 1), NOW, Name="New", Phone=None)
    waiting.join(TIMEOUT)
    event, reply = got
    assert (ALL, "/meta/connect", True) == (event["channel"], reply["channel"], reply["successful"])
    payload = event["data"]["payload"]
    header = payload["ChangeEventHeader"]
    assert ("Account", "UPDATE", [sf_id("001", 1)], ["Name", "LastModifiedDate"]) == tuple(
        header[k] for k in ("entityName", "changeType", "recordIds", "changedFields")
    )
    assert ("New", NOW // 1000) == (payload["Name"], header["commitTimestamp"])
    assert "Phone" not in payload


def test_every_kind_of_change(org: Org, subscriber: Subscriber) -> None:
    """CREATE, UPDATE, DELETE and UNDELETE on the object's own channel; other objects stay out of it."""
    subscriber.subscribe("/data/AccountChangeEvent")
    row = org.add("Account", "001", 2, Name="B")
    org.add("Contact", "003", 1, LastName="P")
    org.change("update", "Account", row, NOW, Name="C")
    org.state.delete("Account", row)
    org.state.undelete("Account", row)
    headers = subscriber.headers()
    assert ["CREATE", "UPDATE", "DELETE", "UNDELETE"] == [h["changeType"] for h in headers]
    assert {"Account"} == {h["entityName"] for h in headers}
    assert [] == subscriber.headers()


def test_events_are_replayed_for_three_days(org: Org, subscriber: Subscriber) -> None:
    """From -2 all that are kept, from an id those after it, and an id that is gone is refused."""
    subscriber.subscribe(ALL)
    for number in range(3):
        org.add("Account", "001", 10 + number, Name="x")
    ids = [m["data"]["event"]["replayId"] for m in subscriber.connect() if "data" in m]
    other = Subscriber(org)
    other.handshake()
    other.connect()
    assert other.subscribe(ALL, ids[0])["successful"]
    assert 2 == len(other.headers())
    assert other.subscribe(ALL, -2)["successful"]
    assert 3 <= len(other.headers())
    org.clock.advance(3 * DAY + SECOND)
    org.add("Account", "001", 20, at=org.clock.now(), Name="x")
    other.handshake()
    refused = other.subscribe(ALL, ids[0])
    assert not refused["successful"]
    assert refused["error"].startswith("400::The replayId")
    other.session.close()


def test_subscriptions_are_checked(org: Org, subscriber: Subscriber) -> None:
    """A channel of an object that is not selected does not exist; custom objects have theirs once selected."""
    name = "/data/Subscription__ChangeEvent"
    assert "does not exist" in subscriber.subscribe(name)["error"]
    org.state.events.select("Subscription__c")
    assert subscriber.subscribe(name)["successful"]
    org.add("Subscription__c", "a00", 1, Name="S")
    assert ["Subscription__c"] == [h["entityName"] for h in subscriber.headers()]
    assert "leading '/'" in subscriber.subscribe("data")["error"]
    assert "not specified" in subscriber.subscribe("")["error"]


def test_an_unknown_client_must_shake_hands_again(org: Org, subscriber: Subscriber) -> None:
    """After two minutes of silence, after a disconnect and on command: 403::Unknown client with that advice."""
    org.clock.advance(2 * MINUTE)
    reply = subscriber.connect()[0]
    assert ("403::Unknown client", "handshake") == (reply["error"], reply["advice"]["reconnect"])
    subscriber.handshake()
    assert subscriber.send("/meta/disconnect")[0]["successful"]
    assert "403::Unknown client" == subscriber.connect()[0]["error"]
    subscriber.handshake()
    org.state.listeners.clear()
    assert "403::Unknown client" == subscriber.subscribe(ALL)["error"]


def test_a_dead_session_is_told_on_every_channel(org: Org) -> None:
    """A refused handshake nests 401 in ext; a connect with a session that died says reconnect none."""
    stranger = Subscriber(org, "nope")
    reply = stranger.handshake()
    assert ("403::Handshake denied", {"sfdc": {"failureReason": "401::Authentication invalid"}}) == (
        reply["error"],
        reply["ext"],
    )
    token = org.state.authorize()["access_token"]
    client = Subscriber(org, token)
    client.handshake()
    client.connect()
    org.state.end_session(token)
    reply = client.connect()[0]
    assert ("401::Authentication invalid", "none") == (reply["error"], reply["advice"]["reconnect"])
    del client.session.headers["Authorization"]
    assert "401::Request requires authentication" == client.connect()[0]["error"]
    for each in (stranger, client):
        each.session.close()


def test_cookies_and_connection_types_matter(org: Org, subscriber: Subscriber) -> None:
    """A client that drops its cookie is refused, and only long polling is spoken."""
    assert (
        "400::Invalid connection type websocket"
        == subscriber.send("/meta/connect", connectionType="websocket")[0]["error"]
    )
    subscriber.session.cookies.clear()
    assert "no BAYEUX_BROWSER cookie" in subscriber.connect()[0]["error"]
    org.switch(comet_cookies=False)
    assert subscriber.connect()[0]["successful"]
    assert not subscriber.send("/meta/handshake", supportedConnectionTypes=["callback-polling"])[0]["successful"]


def test_the_address_names_the_version(org: Org) -> None:
    """No version, an old one, no POST and no JSON are refused as the guide says."""
    base = f"{org.served.url}/cometd"
    asked = [
        requests.post(base, json=[{}], timeout=TIMEOUT),
        requests.post(f"{base}/22.0", json=[{}], timeout=TIMEOUT),
        requests.post(f"{base}/67.0", data="no", timeout=TIMEOUT),
        requests.get(f"{base}/67.0", timeout=TIMEOUT),
    ]
    assert [400, 400, 400, 405] == [a.status_code for a in asked]
