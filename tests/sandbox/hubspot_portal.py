"""A HubSpot portal on loopback for tests: a few owners, plain calls with a token, and what people do in the portal.

Its traps are `portal.state.switches` (see `sandbox.hubspot.switches`), its faults `portal.shared.faults`, its clock
`portal.clock`, what was asked of it `portal.shared.log`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import requests

from sandbox.clock import ScenarioClock, parse_instant
from sandbox.faults import FaultBook
from sandbox.hubspot.app import app
from sandbox.hubspot.hands import Hands
from sandbox.hubspot.objecttypes import ObjectType
from sandbox.hubspot.schema import Property
from sandbox.hubspot.state import HubSpotState, Token, new_store
from sandbox.hubspot.webhooks import Webhooks
from sandbox.requestlog import RequestLog
from sandbox.serving import Served, Shared

NOW = parse_instant("2026-03-02T06:00:00Z")
TOKEN = "pat-na1-tests"
DATED = "/crm/objects/2026-09"


class Portal(Hands):
    """A served portal, and everything that `Hands` do in it. `limits` are off unless a test is about them."""

    def __init__(self) -> None:
        self.clock = ScenarioClock(NOW)
        state = HubSpotState(new_store(self.clock), {TOKEN: Token()})
        super().__init__(state, Webhooks(state))
        self.state.switches.limits = False
        self.shared = Shared(self.clock, RequestLog(), FaultBook())
        self.served = Served("hubspot", app(self.state), self.shared)
        self.session = requests.Session()
        for owner_id, first in (("101", "Ana"), ("102", "Ben")):
            fields = {"email": f"{first.lower()}@tierd-demo.example", "firstName": first, "lastName": "Lee"}
            self.add("owners", owner_id, fields, at=NOW - 1_000_000)

    def add(
        self,
        object_name: str,
        row_id: str,
        fields: Mapping[str, object],
        at: int | None = NOW,
        *,
        search_after: int = 0,
    ) -> None:
        """Put a record in, created and modified at `at`; search finds it so many microseconds after now."""
        super().add(object_name, row_id, fields, at, search_after=search_after)

    def change(self, object_name: str, row_id: str, at: int = NOW, search_after: int = 0, **fields: object) -> None:
        """Change a record at `at`; search sees it as it was for so many microseconds after now."""
        self.update(object_name, row_id, fields, at, search_after=search_after)

    def add_property(self, object_name: str, prop: Property) -> None:
        """Make a property, or change one."""
        self.state.schema.put(object_name, prop)

    def add_type(self, name: str, *properties: Property, required: Iterable[str] = ()) -> ObjectType:
        """Make a custom object; its table is `ObjectType.name`, to be used for `add`, `change` and paths."""
        return self.state.add_type(name, properties, required=required)

    def scopes(self, *without: str, token: str = TOKEN) -> None:
        """Take scopes from a token from now on."""
        self.take_scopes(token, *without)

    def oauth(self, path: str = "/oauth/2026-03/token", **fields: str) -> requests.Response:
        """POST of a form to an OAuth endpoint, with the app's id and secret unless others are given."""
        own = {"client_id": self.state.oauth.client_id, "client_secret": self.state.oauth.client_secret}
        return self.session.post(self.served.url + path, data=own | fields, timeout=10)

    # ------------------------------------------------------------ calls

    def call(self, method: str, path: str, json: object = None, token: str | None = TOKEN) -> requests.Response:
        """One request; the path includes the query string."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self.session.request(method, self.served.url + path, json=json, headers=headers, timeout=10)

    def search(self, kind: str, **body: object) -> requests.Response:
        """POST search on the dated path."""
        return self.call("POST", f"{DATED}/{kind}/search", body)

    def stop(self) -> None:
        """Close the sockets."""
        self.webhooks.stop()
        self.session.close()
        self.served.stop()


def ids(response: requests.Response) -> list[str]:
    """Ids of a page of results."""
    return [r["id"] for r in response.json()["results"]]
