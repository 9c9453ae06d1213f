"""Webhooks: what changes in the portal is posted to an address, signed, in batches, again and again until it is taken.

Payloads and signature by https://developers.hubspot.com/docs/api-reference/webhooks-webhooks-v3/guide and
https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/request-validation. Delivery is
real HTTP; the times of attempts are the scenario's. HubSpot promises neither order nor single delivery, and both can be
broken here.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import requests

from sandbox.clock import MILLISECOND, MINUTE
from sandbox.hubspot.objecttypes import ObjectType
from sandbox.hubspot.state import APP_USER, HubSpotState
from sandbox.hubspot.values import text_of
from sandbox.versions import Change, Row

BATCH = 100
_TIMEOUT = 5
"""Seconds that a receiver has (the vendor's own figure)."""
_BETWEEN = MINUTE
"""Scenario time until the second attempt; it doubles with every further one."""
_BY = "hs_updated_by_user_id"
_LEGACY = frozenset({"contacts", "companies", "deals", "tickets"})
# "Decode any of the URL-encoded characters listed": those that the signature is made over as they are.
_DECODED = {
    "%3A": ":", "%2F": "/", "%3F": "?", "%40": "@", "%21": "!", "%24": "$",
    "%27": "'", "%28": "(", "%29": ")", "%2A": "*", "%2C": ",", "%3B": ";",
}  # fmt: skip

Event = dict[str, object]


def signature(secret: str, method: str, uri: str, body: bytes, timestamp: str) -> str:
    """`X-HubSpot-Signature-v3`: base64 of HMAC-SHA256 over method, decoded URI, body and timestamp (ms since 1970)."""
    for code, plain in _DECODED.items():
        uri = uri.replace(code, plain).replace(code.lower(), plain)
    message = method.encode() + uri.encode() + body + timestamp.encode()
    return base64.b64encode(hmac.new(secret.encode(), message, hashlib.sha256).digest()).decode()


@dataclass(slots=True)
class Subscription:
    """Where events go and which. `legacy` names them `company.propertyChange`, else they are `object.propertyChange` with
    an `objectTypeId`; activities and custom objects have the latter only.
    """

    url: str
    secret: str
    objects: frozenset[str] | None = None
    """Object types; None: all."""
    properties: frozenset[str] | None = None
    """Properties whose change is told; None: all."""
    legacy: bool = False
    attempts: int = 10
    """So often an event is sent before it is lost."""
    duplicate: bool = False
    """Each batch comes twice."""
    reorder: bool = False
    """The events of a batch come last one first."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One POST: how many events, which attempt it was, and what was answered (None: nothing at all)."""

    events: int
    attempt: int
    status: int | None

    @property
    def taken(self) -> bool:
        """Did the receiver take it."""
        return self.status is not None and 200 <= self.status < 300


@dataclass(slots=True)
class _Waiting:
    """An event that was not taken yet. `due`: scenario time of the next attempt."""

    event: Event
    due: int
    attempt: int = 0


@dataclass(slots=True)
class Webhooks:
    """The portal's webhooks, off until there is a subscription. Thread safe."""

    state: HubSpotState
    subscription: Subscription | None = None
    lost: int = 0
    """Events that were never taken."""
    _waiting: list[_Waiting] = field(default_factory=list)
    _ids: Iterator[int] = field(default_factory=lambda: itertools.count(3_811_000_001))
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _delivering: threading.Lock = field(default_factory=threading.Lock)
    _news: threading.Event = field(default_factory=threading.Event)
    _courier: threading.Thread | None = None
    _over: bool = False

    def __post_init__(self) -> None:
        self.state.store.listen(self._heard)
        self.state.store.clock.listen(lambda _before, _after: self._news.set())

    def subscribe(self, subscription: Subscription | None) -> None:
        """Tell this address of changes from now on; None ends it. What waited is forgotten."""
        with self._lock:
            self.subscription = subscription
            self._waiting.clear()

    def waiting(self) -> int:
        """Events that were not taken yet."""
        return len(self._waiting)

    def deliver(self) -> list[Delivery]:
        """Post every event that is due, in batches; gives what came of each. Must not be called under the store's lock:
        the receiver may ask the portal back.
        """
        done: list[Delivery] = []
        subscription = self.subscription
        # One at a time: the courier and a test that both deliver would each post what the other has under way.
        with self._delivering:
            while subscription is not None and (batch := self._due()):
                done += [self._post(subscription, batch) for _ in range(1 + subscription.duplicate)]
                self._settle(subscription, batch, taken=done[-1].taken)
        return done

    def start(self) -> None:
        """Deliver by a thread of its own, whenever something changed or the clock moved."""
        self._courier = threading.Thread(target=self._run, name="sandbox-hubspot-webhooks", daemon=True)
        self._courier.start()

    def stop(self) -> None:
        """End the thread; safe to call twice."""
        self._over = True
        self._news.set()
        if self._courier is not None:
            self._courier.join()

    def _run(self) -> None:
        while not self._over:
            self._news.wait()
            self._news.clear()
            if not self._over:
                self.deliver()

    def _due(self) -> list[_Waiting]:
        """At most a hundred events of one attempt number, the oldest first."""
        now = self.state.now
        with self._lock:
            due = [w for w in self._waiting if w.due <= now]
            return [w for w in due if w.attempt == due[0].attempt][:BATCH]

    def _settle(self, subscription: Subscription, batch: list[_Waiting], *, taken: bool) -> None:
        with self._lock:
            for waiting in batch:
                waiting.attempt += 1
                waiting.due = self.state.now + (_BETWEEN << (waiting.attempt - 1))
            over = [w for w in batch if taken or w.attempt >= subscription.attempts]
            self.lost += 0 if taken else len(over)
            gone = {id(w) for w in over}
            self._waiting = [w for w in self._waiting if id(w) not in gone]

    def _post(self, subscription: Subscription, batch: list[_Waiting]) -> Delivery:
        events = [w.event | {"attemptNumber": w.attempt} for w in batch]
        body = json.dumps(events[::-1] if subscription.reorder else events, separators=(",", ":")).encode()
        timestamp = str(self.state.store.now() // MILLISECOND)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "HubSpot Connect 2.0 (http://dev.hubspot.com/) - WebHooks",
            "X-HubSpot-Request-Timestamp": timestamp,
            "X-HubSpot-Signature-v3": signature(subscription.secret, "POST", subscription.url, body, timestamp),
            # The older signature comes along: SHA-256 over secret and body.
            "X-HubSpot-Signature-Version": "v1",
            "X-HubSpot-Signature": hashlib.sha256(subscription.secret.encode() + body).hexdigest(),
        }
        try:
            answer = requests.post(
                subscription.url, data=body, headers=headers, timeout=_TIMEOUT, allow_redirects=False
            )
        except requests.RequestException:
            return Delivery(len(batch), batch[0].attempt, None)
        return Delivery(len(batch), batch[0].attempt, answer.status_code)

    # ------------------------------------------------------------ what happened

    def _heard(self, change: Change, before: Row | None, after: Row | None) -> None:
        subscription = self.subscription
        kind = self.state.schema.type_of(change.object)
        if subscription is None or kind is None:
            return
        if subscription.objects is not None and kind.name not in subscription.objects:
            return
        events = list(self._events(subscription, kind, change, before, after))
        with self._lock:
            self._waiting += [_Waiting(event, self.state.now) for event in events]
        if events:
            self._news.set()

    def _events(
        self, subscription: Subscription, kind: ObjectType, change: Change, before: Row | None, after: Row | None
    ) -> Iterator[Event]:
        make = self._maker(subscription, kind, change, after or before)
        if change.op == "create" and after is not None:
            yield make("creation", {"changeFlag": "CREATED"})
            yield from self._changes(subscription, kind, make, None, after)
        elif change.op == "update" and after is not None:
            yield from self._changes(subscription, kind, make, before, after)
        elif change.op in ("delete", "purge"):
            yield make("deletion" if change.op == "delete" else "privacyDeletion", {"changeFlag": "DELETED"})
        elif change.op == "restore":
            yield make("restore", {"changeFlag": "RESTORED"})
        elif change.op == "merge":
            # The loser is told as a deletion, too; the survivor's new values are not told at all (amp-labs#3487).
            yield make("deletion", {"changeFlag": "DELETED"})
            ids = {"primaryObjectId": int(change.into), "mergedObjectIds": [int(change.id)]}
            yield make("merge", ids | {"newObjectId": int(change.into), "objectId": int(change.into)})
        elif change.op in ("associate", "dissociate"):
            ends = {"fromObjectId": int(change.id), "toObjectId": int(change.to_id)}
            word = self.state.schema.type_of(change.to_object)
            name = f"{kind.singular}_TO_{word.singular if word else change.to_object}".upper()
            removed = change.op == "dissociate"
            about = {"associationType": name, "associationRemoved": removed, "isPrimaryAssociation": False}
            yield make("associationChange", ends | about)

    def _changes(
        self,
        subscription: Subscription,
        kind: ObjectType,
        make: Callable[[str, Mapping[str, object]], Event],
        before: Row | None,
        after: Row,
    ) -> Iterator[Event]:
        known = self.state.schema.properties[kind.name]
        for name, value in after.fields.items():
            prop = known.get(name)
            if prop is None or name == _BY or (before.fields.get(name) if before else None) == value:
                continue
            if subscription.properties is None or name in subscription.properties:
                told = {"propertyName": name, "propertyValue": text_of(value, prop) or "", "isSensitive": False}
                yield make("propertyChange", told)

    def _maker(
        self, subscription: Subscription, kind: ObjectType, change: Change, row: Row | None
    ) -> Callable[[str, Mapping[str, object]], Event]:
        legacy = subscription.legacy and kind.name in _LEGACY
        by = row.fields.get(_BY) if row is not None else None
        source = "INTEGRATION" if by == APP_USER else "CRM_UI"

        def make(what: str, more: Mapping[str, object]) -> Event:
            event: Event = {
                "eventId": next(self._ids),
                "subscriptionId": 3_849_713,
                "portalId": self.state.portal_id,
                "appId": self.state.oauth.app_id,
                "occurredAt": change.at // MILLISECOND,
                "subscriptionType": f"{kind.singular if legacy else 'object'}.{what}",
                "attemptNumber": 0,
                "changeSource": source,
                "sourceId": f"userId:{by}" if by is not None else "userId:0",
            }
            if not what.startswith("association"):
                event["objectId"] = int(change.id)
            if not legacy:
                event["objectTypeId"] = kind.type_id
            return {**event, **more}

        return make
