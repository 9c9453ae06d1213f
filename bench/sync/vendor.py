"""A vendor in a process of its own: one object with many rows, its rate buckets off, told what to do line by line.

`python -m bench.sync.vendor salesforce|hubspot ROWS [TEXT]` prints one line of JSON with the address and credentials, then
answers each line of standard input with one line of JSON: `change N` (N rows get new values now), `calls` (requests
since the last `calls`, by method and path), `quit`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from daemon.clock import SystemClock
from sandbox.clock import DAY, SECOND, ScenarioClock
from sandbox.faults import FaultBook
from sandbox.hubspot.app import app as hubspot_app
from sandbox.hubspot.objecttypes import ALL_SCOPES
from sandbox.hubspot.state import HubSpotState, Token
from sandbox.hubspot.state import new_store as hubspot_store
from sandbox.requestlog import RequestLog
from sandbox.salesforce import ids
from sandbox.salesforce.app import app as salesforce_app
from sandbox.salesforce.state import Settings, new_state
from sandbox.salesforce.state import new_store as salesforce_store
from sandbox.serving import Served, Shared
from sandbox.versions import Change, VendorStore

TOKEN = "pat-na1-bench"
_SPREAD = 30 * DAY
_CLOCK = SystemClock()


class Vendor:
    """One served vendor with `rows` rows of one object."""

    def __init__(self, name: str, rows: int, text: int) -> None:
        self._clock = ScenarioClock(_CLOCK.now())
        self._log = RequestLog()
        self._rows = rows
        self._text = "x" * text  # one string for all rows: the vendor's own memory is not what is measured
        self._changed = 0
        build = {"salesforce": self._salesforce, "hubspot": self._hubspot}[name]
        self.info, app = build()
        self._served = Served(name, app, Shared(self._clock, self._log, FaultBook()))
        self.info["url"] = self._served.url

    def _salesforce(self) -> tuple[dict[str, object], ASGIApp]:
        settings = Settings(daily_limit=100_000_000)
        state = new_state(salesforce_store(self._clock), settings)
        # The peers throw the next refresh token away: with rotation none of them reads twice.
        state.switches.refresh_rotation = False
        self._store: VendorStore = state.store
        self._object = "Account"
        self._fill(self._account)
        names = ("client_id", "client_secret", "refresh_token")
        info: dict[str, object] = {name: getattr(settings, name) for name in names}
        return info, salesforce_app(state)

    def _hubspot(self) -> tuple[dict[str, object], ASGIApp]:
        state = HubSpotState(hubspot_store(self._clock), {TOKEN: Token()})
        state.switches.limits = False
        self._store = state.store
        self._object = "contacts"
        self._fill(_contact)
        info: dict[str, object] = {
            "access_token": TOKEN,
            "client_id": state.oauth.client_id,
            "client_secret": state.oauth.client_secret,
            "refresh_token": state.oauth.install(ALL_SCOPES),
        }
        return info, _with_old_properties(hubspot_app(state))

    def _id(self, n: int) -> str:
        return ids.make("001", n, "Be") if self._object == "Account" else str(10_000_000 + n)

    def _fill(self, fields: Callable[[int], dict[str, object]]) -> None:
        start, step = self._clock.now() - _SPREAD, _SPREAD // (self._rows + 1)
        with self._store.lock:
            for n in range(self._rows):
                row = Change(start + n * step, self._store.vendor, "create", self._object, self._id(n), fields(n))
                self._store.apply(row)

    def _account(self, n: int) -> dict[str, object]:
        return {
            "Name": f"Company {n}",
            "Type": "Customer" if n % 5 < 2 else "Prospect",
            "Website": f"https://www.company-{n}.example",
            "BillingCity": "Utrecht",
            "BillingCountry": "Netherlands",
            "Industry": None,
            "NumberOfEmployees": n % 5_000,
            "Description": self._text or f"A company with the number {n}, and a sentence of the usual length about it.",
        }

    def change(self, count: int) -> dict[str, object]:
        """New values in `count` rows, spread over the whole object."""
        self._changed += 1
        self._clock.advance_to(max(_CLOCK.now(), self._clock.now() + SECOND))
        name = "Name" if self._object == "Account" else "jobtitle"
        with self._store.lock:
            for n in range(0, self._rows, max(1, self._rows // count)):
                value = {name: f"changed {self._changed} {n}"}
                self._store.apply(
                    Change(self._clock.now(), self._store.vendor, "update", self._object, self._id(n), value)
                )
        self._clock.advance_to(max(_CLOCK.now(), self._clock.now() + SECOND))
        return {"changed": count}

    def calls(self) -> dict[str, object]:
        """Requests since the last time, by method and path."""
        summary = self._log.summary()
        self._log.clear()
        return {"total": summary["total"], "counts": summary["counts"]}

    def stop(self) -> None:
        """Close the port."""
        self._served.stop()


_OLD = "/properties/v2/contact/properties"
_PROPERTIES = ("firstname", "lastname", "email", "jobtitle", "createdate", "lastmodifieddate")


def _with_old_properties(app: ASGIApp) -> ASGIApp:
    """Airbyte's source still asks a path of 2016 for the names of properties; nothing else of it is older than v3."""
    answer = JSONResponse([{"name": name, "type": "string"} for name in _PROPERTIES])

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        await (answer if scope.get("path") == _OLD else app)(scope, receive, send)

    return serve


def _contact(n: int) -> dict[str, object]:
    return {
        "firstname": f"First{n}",
        "lastname": f"Last{n}",
        "email": f"person{n}@company-{n % 1_000}.example",
        "jobtitle": "Head of Operations",
    }


def _answers(vendor: Vendor) -> Iterator[dict[str, object]]:
    for line in sys.stdin:
        match line.split():
            case ["change", count]:
                yield vendor.change(int(count))
            case ["calls"]:
                yield vendor.calls()
            case ["quit"]:
                return
            case _:
                yield {"error": f"unknown command: {line.strip()}"}


def main() -> None:
    """Serve until told to quit."""
    vendor = Vendor(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 0)
    sys.stdout.write(json.dumps(vendor.info) + "\n")
    sys.stdout.flush()
    for answer in _answers(vendor):
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    vendor.stop()


if __name__ == "__main__":
    main()
