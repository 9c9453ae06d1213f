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
from sandbox.hubspot.history import Version
from sandbox.hubspot.linktypes import PARENT
from sandbox.hubspot.merging import merge
from sandbox.hubspot.objecttypes import ALL_SCOPES, ObjectType
from sandbox.hubspot.schema import Condition, Property
from sandbox.hubspot.state import HubSpotState, Token, new_store
from sandbox.requestlog import RequestLog
from sandbox.serving import Served, Shared
from sandbox.versions import Change

NOW = parse_instant("2026-03-02T06:00:00Z")
TOKEN = "pat-na1-tests"
DATED = "/crm/objects/2026-09"


class Portal:
    """A served portal. `limits` are off unless a test is about them. Times are UTC microseconds."""

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

    # ------------------------------------------------------------ records

    def add(
        self, object_name: str, row_id: str, fields: Mapping[str, object], at: int = NOW, search_after: int = 0
    ) -> None:
        """Put a record in, created and modified at `at`; search finds it so many microseconds after now."""
        self._apply("create", object_name, row_id, at, fields=fields, search_after=search_after)

    def fill(
        self, object_name: str, count: int, fields: Mapping[str, object], first_id: int = 1, at: int = NOW
    ) -> None:
        """Put `count` records in, one millisecond apart from `at` on; `{n}` in a text stands for the record's id."""
        for n in range(count):
            own = {k: v.replace("{n}", str(first_id + n)) if isinstance(v, str) else v for k, v in fields.items()}
            self.state.store.apply(Change(at + n * 1_000, "hubspot", "create", object_name, str(first_id + n), own))

    def change(self, object_name: str, row_id: str, at: int = NOW, search_after: int = 0, **fields: object) -> None:
        """Change a record at `at`; search sees it as it was for so many microseconds after now."""
        self._apply("update", object_name, row_id, at, fields=fields, search_after=search_after)

    def archive(self, object_name: str, row_id: str) -> None:
        """Archive a record now: it leaves the lists for the archived one, and its stamp alone."""
        self._apply("delete", object_name, row_id, self.clock.now())

    def restore(self, object_name: str, row_id: str) -> None:
        """Bring an archived record back now; by switch its stamp moves."""
        row = self.state.store.get(object_name, row_id)
        assert row is not None
        at = self.clock.now() if self.state.switches.restore_moves_stamp else row.modified_at
        self._apply("restore", object_name, row_id, at)

    def purge(self, object_name: str, row_id: str) -> None:
        """Take a record out of every list, as after 90 days or a deletion for privacy."""
        self._apply("purge", object_name, row_id, self.clock.now())

    def merge(self, object_name: str, primary_id: str, other_id: str) -> str:
        """Merge two records now; gives the survivor's id, by switch a new one."""
        kind = self.state.schema.type_of(object_name)
        assert kind is not None
        primary, other = (self.state.live(kind.name, i) for i in (primary_id, other_id))
        assert primary is not None
        assert other is not None
        return merge(self.state, kind, primary, other, self.clock.now()).id

    def past(self, object_name: str, row_id: str, name: str, *values: tuple[int, object]) -> None:
        """Give a property a history by hand: (since, value) pairs, written by people."""
        versions = [Version(at, value, "CRM_UI", "userId:9000101", 9_000_101) for at, value in values]
        self.state.put_history(object_name, row_id, name, versions)

    # ------------------------------------------------------------ links

    def link(self, object_name: str, row_id: str, to_object: str, to_id: str, label: str | None = None) -> None:
        """Link two records; neither's stamp moves."""
        fields = {"label": label, "label_back": self.state.schema.links.back(label)} if label else {}
        self.state.store.apply(Change(NOW, "hubspot", "associate", object_name, row_id, fields, to_object, to_id))

    def unlink(self, object_name: str, row_id: str, to_object: str, to_id: str) -> None:
        """Take a link away; neither's stamp moves."""
        self.state.store.apply(Change(NOW, "hubspot", "dissociate", object_name, row_id, {}, to_object, to_id))

    def parent(self, child_id: str, parent_id: str, at: int = NOW) -> None:
        """Put a company under another one: a labelled link, and `hs_parent_company_id`."""
        self.link("companies", child_id, "companies", parent_id, PARENT)
        self.change("companies", child_id, at, hs_parent_company_id=int(parent_id))

    # ------------------------------------------------------------ schema and access

    def add_property(self, object_name: str, prop: Property) -> None:
        """Make a property, or change one."""
        self.state.schema.put(object_name, prop)

    def drop_property(self, object_name: str, name: str) -> None:
        """Archive a property: it leaves records, lists and searches."""
        self.state.schema.archive(object_name, name)

    def require(self, object_name: str, *names: str) -> None:
        """Make properties required, as an administrator does; in force on 2026-09."""
        self.state.schema.required.setdefault(object_name, set()).update(names)

    def require_if(self, object_name: str, when: str, equals: str, needs: str) -> None:
        """Make a property required while another one has a value; in force on 2026-09."""
        self.state.schema.conditions.setdefault(object_name, []).append(Condition(when, equals, needs))

    def add_type(self, name: str, *properties: Property, required: Iterable[str] = ()) -> ObjectType:
        """Make a custom object; its table is `ObjectType.name`, to be used for `add`, `change` and paths."""
        return self.state.add_type(name, properties, required=required)

    def scopes(self, *without: str, token: str = TOKEN) -> None:
        """Take scopes from a token from now on."""
        self.state.tokens[token].scopes -= set(without)

    def install(self, scopes: frozenset[str] = ALL_SCOPES) -> str:
        """Install the OAuth app (`state.oauth` has its id and secret); gives the refresh token."""
        return self.state.oauth.install(scopes)

    def service_key(self, name: str = "pat-na1-service-key", scopes: frozenset[str] = ALL_SCOPES) -> str:
        """Make a service key; gives it."""
        self.state.tokens[name] = Token(scopes, service_key=True)
        return name

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
        self.session.close()
        self.served.stop()

    def _apply(
        self,
        op: str,
        object_name: str,
        row_id: str,
        at: int,
        *,
        fields: Mapping[str, object] | None = None,
        search_after: int = 0,
    ) -> None:
        known = self.state.store.get(object_name, row_id)
        self.state.store.apply(Change(at, "hubspot", op, object_name, row_id, fields or {}))
        if search_after:
            self.state.hold_back(object_name, row_id, self.clock.now() + search_after, known)


def ids(response: requests.Response) -> list[str]:
    """Ids of a page of results."""
    return [r["id"] for r in response.json()["results"]]
