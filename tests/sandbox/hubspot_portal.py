"""A HubSpot portal on loopback for tests: a few owners, and plain calls with a token."""

from __future__ import annotations

from collections.abc import Mapping

import requests

from sandbox.clock import ScenarioClock, parse_instant
from sandbox.faults import FaultBook
from sandbox.hubspot.app import app
from sandbox.hubspot.state import HubSpotState, Token, new_store
from sandbox.requestlog import RequestLog
from sandbox.serving import Served, Shared
from sandbox.versions import Change

NOW = parse_instant("2026-03-02T06:00:00Z")
TOKEN = "pat-na1-tests"
DATED = "/crm/objects/2026-09"


class Portal:
    """A served portal. `limits` are off unless a test is about them."""

    def __init__(self) -> None:
        self.clock = ScenarioClock(NOW)
        self.state = HubSpotState(new_store(self.clock), {TOKEN: Token()})
        self.state.switches.limits = False
        self.shared = Shared(self.clock, RequestLog(), FaultBook())
        self.served = Served("hubspot", app(self.state), self.shared)
        self.session = requests.Session()
        for owner_id, first in (("101", "Ana"), ("102", "Ben")):
            fields = {"email": f"{first.lower()}@tierd-demo.example", "firstName": first, "lastName": "Lee"}
            self.add("owners", owner_id, fields, at=NOW - 1_000_000)

    def add(self, object_name: str, row_id: str, fields: Mapping[str, object], at: int = NOW) -> None:
        """Put a record in, created and modified at `at`."""
        self.state.store.apply(Change(at, "hubspot", "create", object_name, row_id, fields))

    def change(self, object_name: str, row_id: str, at: int = NOW, **fields: object) -> None:
        """Change a record at `at`."""
        self.state.store.apply(Change(at, "hubspot", "update", object_name, row_id, fields))

    def link(self, object_name: str, row_id: str, to_object: str, to_id: str, label: str | None = None) -> None:
        """Link two records."""
        fields = {"label": label} if label else {}
        self.state.store.apply(Change(NOW, "hubspot", "associate", object_name, row_id, fields, to_object, to_id))

    def call(self, method: str, path: str, json: object = None, token: str | None = TOKEN) -> requests.Response:
        """One request; the path includes the query string."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self.session.request(method, self.served.url + path, json=json, headers=headers, timeout=10)

    def search(self, kind: str, **body: object) -> requests.Response:
        """POST search on the dated path."""
        return self.call("POST", f"{DATED}/{kind}/search", body)

    def stop(self) -> None:
        """Close the sockets."""
        self.session.close()
        self.served.stop()


def ids(response: requests.Response) -> list[str]:
    """Ids of a page of results."""
    return [r["id"] for r in response.json()["results"]]
