"""Webhooks of the imitation HubSpot over real HTTP: what is told, how it is signed, and what happens to what is not taken."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from hubspot.utils.signature import Signature
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.clock import DAY, MINUTE, ScenarioClock
from sandbox.faults import FaultBook
from sandbox.hubspot.webhooks import BATCH, signature
from sandbox.requestlog import RequestLog
from sandbox.serving import Served, Shared
from tests.sandbox.hubspot_portal import DATED, NOW, Portal

SECRET = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"


class Receiver:
    """Keeps what is posted to it, and answers with `status`."""

    def __init__(self) -> None:
        self.status = 200
        self.posts: list[tuple[dict[str, str], bytes]] = []
        self.came = threading.Event()
        shared = Shared(ScenarioClock(NOW), RequestLog(), FaultBook())
        self.served = Served("receiver", Starlette(routes=[Route("/hook", self._take, methods=["POST"])]), shared)
        self.url = f"{self.served.url}/hook"

    async def _take(self, request: Request) -> Response:
        self.posts.append((dict(request.headers), await request.body()))
        self.came.set()
        return Response(None, self.status)

    def events(self) -> list[dict[str, Any]]:
        """All events that came, in order."""
        return [event for _, body in self.posts for event in json.loads(body)]

    def told(self) -> list[tuple[str, int]]:
        """(what, which record) of each event."""
        return [(e["subscriptionType"], e.get("objectId", 0)) for e in self.events()]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A served receiver."""
    receiver = Receiver()
    yield receiver
    receiver.served.stop()


def test_changes_are_told_with_all_keys(portal: Portal, receiver: Receiver) -> None:
    """A change by the API names record, property, value, source, portal and app, as the vendor's payload does."""
    portal.add("companies", "7", {"name": "a"})
    portal.webhook(receiver.url, SECRET)
    portal.call("PATCH", "/crm/objects/2026-03/companies/7", {"properties": {"arr": "5"}})
    assert portal.deliver() == [200]
    (event,) = receiver.events()
    assert event.pop("eventId") > 0
    assert event == {
        "subscriptionId": 3_849_713,
        "portalId": portal.state.portal_id,
        "appId": portal.state.oauth.app_id,
        "occurredAt": NOW // 1_000,
        "subscriptionType": "object.propertyChange",
        "attemptNumber": 0,
        "objectId": 7,
        "objectTypeId": "0-2",
        "propertyName": "arr",
        "propertyValue": "5",
        "changeSource": "INTEGRATION",
        "sourceId": "userId:2506672",
        "isSensitive": False,
    }
    assert portal.deliver() == []


def test_every_kind_of_event(portal: Portal, receiver: Receiver) -> None:
    """Creation, deletion, restore, links and merges are told; what a merge changed in the survivor is not."""
    portal.state.switches.merge_mints_id = False
    portal.webhook(receiver.url, SECRET, legacy=True, properties=["arr"])
    portal.add("companies", "1", {"name": "a", "arr": 5})
    portal.add("companies", "2", {"name": "b"})
    portal.add("contacts", "9", {"email": "a@b.example"})
    portal.link("contacts", "9", "companies", "1")
    portal.archive("companies", "1")
    portal.restore("companies", "1")
    portal.merge("companies", "2", "1")
    portal.add("notes", "4", {"hs_note_body": "x"})
    portal.deliver()
    assert receiver.told() == [
        ("company.creation", 1),
        ("company.propertyChange", 1),
        ("company.creation", 2),
        ("contact.creation", 9),
        ("contact.associationChange", 0),
        ("company.deletion", 1),
        ("company.restore", 1),
        ("company.propertyChange", 2),
        ("company.deletion", 1),
        ("company.merge", 2),
        ("object.creation", 4),
    ]
    merge = next(e for e in receiver.events() if e["subscriptionType"] == "company.merge")
    assert (merge["primaryObjectId"], merge["mergedObjectIds"]) == (2, [1])


def test_signature_is_the_one_the_vendors_kit_checks(portal: Portal, receiver: Receiver) -> None:
    """The kit's own validator takes it; so does the documented formula, over the address as it was configured."""
    portal.webhook(receiver.url, SECRET)
    portal.add("companies", "7", {"name": "Åcme"})
    portal.deliver()
    ((headers, body),) = receiver.posts
    stamp = headers["x-hubspot-request-timestamp"]
    assert stamp == str(NOW // 1_000)
    plain = b"POST" + receiver.url.encode() + body + stamp.encode()
    wanted = base64.b64encode(hmac.new(SECRET.encode(), plain, hashlib.sha256).digest()).decode()
    assert headers["x-hubspot-signature-v3"] == wanted
    by_kit = Signature.get_signature(
        client_secret=SECRET,
        request_body=body.decode(),
        signature_version="v3",
        http_uri=receiver.url,
        http_method="POST",
        timestamp=stamp,
    )
    assert by_kit == wanted
    assert headers["x-hubspot-signature"] == hashlib.sha256(SECRET.encode() + body).hexdigest()


def test_signature_is_made_over_the_decoded_address() -> None:
    """Encoded characters of the documented list are signed as they are, others as they were sent."""
    coded = signature(SECRET, "POST", "https://a.example/hook%2Fx%3Fa%20b", b"[]", "1")
    assert coded == signature(SECRET, "POST", "https://a.example/hook/x?a%20b", b"[]", "1")


def test_batches_hold_a_hundred(portal: Portal, receiver: Receiver) -> None:
    """250 changes come as three posts, in order, with event ids of their own."""
    portal.webhook(receiver.url, SECRET, objects=["notes"], properties=[])
    portal.fill("notes", 250, {"hs_note_body": "x"})
    portal.add("companies", "7", {"name": "a"})
    assert portal.deliver() == [200, 200, 200]
    assert [len(json.loads(body)) for _, body in receiver.posts] == [BATCH, BATCH, 50]
    assert [e["objectId"] for e in receiver.events()] == list(range(1, 251))
    assert len({e["eventId"] for e in receiver.events()}) == 250


def test_what_is_not_taken_comes_again_later_and_is_lost_in_the_end(portal: Portal, receiver: Receiver) -> None:
    """Any answer but a 2xx is tried again, each time with a higher number, after twice the time, so many times."""
    portal.webhook(receiver.url, SECRET, properties=[], attempts=3)
    portal.add("companies", "7", {"name": "a"})
    receiver.status = 500
    assert portal.deliver() == [500]
    assert portal.deliver() == []
    portal.clock.advance(MINUTE)
    assert portal.deliver() == [500]
    portal.clock.advance(MINUTE)
    assert portal.deliver() == []
    portal.clock.advance(MINUTE)
    receiver.status = 404
    assert portal.deliver() == [404]
    assert [e["attemptNumber"] for e in receiver.events()] == [0, 1, 2]
    assert (portal.webhooks.waiting(), portal.webhooks.lost) == (0, 1)
    portal.clock.advance(DAY)
    assert portal.deliver() == []


def test_nobody_there_is_tried_again(portal: Portal, receiver: Receiver) -> None:
    """A receiver that cannot be reached gets its events once it can."""
    portal.webhook("http://127.0.0.1:9/hook", SECRET, properties=[])
    portal.add("companies", "7", {"name": "a"})
    assert portal.deliver() == [None]
    assert portal.webhooks.subscription is not None
    portal.webhooks.subscription.url = receiver.url
    portal.clock.advance(MINUTE)
    assert portal.deliver() == [200]
    assert receiver.told() == [("object.creation", 7)]


def test_events_may_come_twice_and_in_any_order(portal: Portal, receiver: Receiver) -> None:
    """By switch a batch comes twice with the same event ids, last event first."""
    portal.webhook(receiver.url, SECRET, properties=[], duplicate=True, reorder=True)
    portal.fill("notes", 3, {"hs_note_body": "x"})
    assert portal.deliver() == [200, 200]
    assert [e["objectId"] for e in receiver.events()] == [3, 2, 1, 3, 2, 1]
    assert len({e["eventId"] for e in receiver.events()}) == 3


def test_courier_delivers_by_itself(portal: Portal, receiver: Receiver) -> None:
    """Started, the webhooks post without being asked, and end when the portal does."""
    portal.webhook(receiver.url, SECRET)
    portal.webhooks.start()
    portal.call("POST", f"{DATED}/companies", {"properties": {"name": "a"}})
    assert receiver.came.wait(10)
    portal.webhooks.stop()
    assert receiver.told()[0][0] == "object.creation"
