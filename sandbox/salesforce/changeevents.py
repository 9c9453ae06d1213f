"""Change Data Capture: an event for every change of a selected object, kept for three days."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from sandbox.clock import DAY
from sandbox.salesforce.org import Org
from sandbox.salesforce.wire import json_value, stamp
from sandbox.versions import Row

KEPT = 3 * DAY
ALL = "/data/ChangeEvents"
NEW, EVERYTHING = -1, -2
"""Replay ids that a subscriber may name besides those of events."""
SELECTED = ("Account", "Contact", "Opportunity", "Case", "Task", "Event", "User")


Payload = dict[str, object]


@dataclass(frozen=True, slots=True)
class Event:
    """One change as subscribers get it; `replay_id` rises with each."""

    replay_id: int
    at: int
    entity: str
    payload: Payload


@dataclass
class Listener:
    """A client of the Streaming API; `channels` -> replay id of the last event it was given there."""

    token: str
    cookie: str
    seen_at: int
    channels: dict[str, int] = field(default_factory=dict)
    connects: int = 0


def channel_of(object_name: str) -> str:
    """/data/AccountChangeEvent, /data/Custom__ChangeEvent."""
    if object_name.endswith("__c"):
        return f"/data/{object_name.removesuffix('__c')}__ChangeEvent"
    return f"/data/{object_name}ChangeEvent"


class EventLog:
    """The events of one org; hold the store's lock while you use it."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._events: deque[Event] = deque()
        self._watched: set[str] = set()
        self._last = 0
        self.selected: set[str] = set()
        self.select(*SELECTED)

    def select(self, *names: str) -> None:
        """From now on tell the changes of these objects and of no others."""
        self.selected = set(names)
        for name in self.selected - self._watched:
            self._watched.add(name)
            self._org.store.watch(name, lambda before, after, name=name: self._note(name, before, after))  # type: ignore[misc]

    def knows(self, channel: str) -> bool:
        """Whether there is such a channel."""
        return channel == ALL or channel in {channel_of(name) for name in self.selected}

    def start(self, replay: int) -> int | None:
        """The replay id after which a subscriber begins that asked for `replay`; None for one that is not to be had."""
        self._forget()
        oldest = self._events[0].replay_id if self._events else self._last + 1
        if replay == NEW:
            return self._last
        if replay == EVERYTHING:
            return oldest - 1
        return replay if oldest - 1 <= replay <= self._last else None

    def after(self, channel: str, replay_id: int) -> Iterator[Event]:
        """Events of a channel that came after one."""
        self._forget()
        for event in self._events:
            if event.replay_id > replay_id and channel in (ALL, channel_of(event.entity)):
                yield event

    def _forget(self) -> None:
        oldest = self._org.store.clock.now() - KEPT
        while self._events and self._events[0].at < oldest:
            self._events.popleft()

    def _note(self, name: str, before: Row | None, after: Row) -> None:
        if name not in self.selected or after.commit_at < self._org.store.clock.now() - KEPT:
            return
        self._forget()
        kind, changed = _difference(before, after)
        if kind == "UPDATE" and not changed:
            return
        self._last += 1
        payload: Payload = {
            "ChangeEventHeader": {
                "commitNumber": 10_000_000 + self._last,
                "commitUser": after.fields.get("LastModifiedById") or self._org.user_id,
                "sequenceNumber": 1,
                "entityName": name,
                "changeType": kind,
                "changedFields": [*sorted(changed), "LastModifiedDate"] if kind == "UPDATE" else [],
                "changeOrigin": "",
                "transactionKey": f"00000000-0000-0000-0000-{self._last:012x}",
                "commitTimestamp": after.modified_at // 1000,
                "recordIds": [after.id],
            },
            "LastModifiedDate": stamp(after.modified_at),
        }
        if kind != "DELETE":
            payload |= {field: json_value(value) for field, value in changed.items()}
        self._events.append(Event(self._last, after.commit_at, name, payload))


def _difference(before: Row | None, after: Row) -> tuple[str, dict[str, object]]:
    """What kind of change it is, and the fields with their new values."""
    if before is None:
        return "CREATE", {k: v for k, v in after.fields.items() if v is not None}
    if after.deleted_at is not None:
        return ("DELETE", {}) if before.deleted_at is None else ("UPDATE", {})
    if before.deleted_at is not None:
        return "UNDELETE", {k: v for k, v in after.fields.items() if v is not None}
    return "UPDATE", {k: v for k, v in after.fields.items() if before.fields.get(k) != v}
