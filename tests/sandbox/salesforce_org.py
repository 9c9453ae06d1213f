"""A served imitation Salesforce for tests: an org with a few rows, its address, and requests with a session.

With `serving() as org` a test sets the stage through `org` and `org.state` (sandbox/salesforce/state.py); the control
server offers the same below /salesforce (sandbox/salesforce/control.py):

rows      `org.add`, `org.change(op, ...)`, `org.late(..., at, commit_at)`; `org.state.put` (JSON values), `.delete`,
          `.undelete`, `.merge`, `.empty_bin`, `.purge`, `.forget_deletions`, `.org.archived`, `.shift` (no stamp moves),
          `.generate(object, count, fields, at)` (a million rows made on demand)
schema    `org.state.org.catalogue.define / drop / add_fields / drop_field / alter`, `.hide`, `.show`, `.unfilter`,
          `.formula`, `.history.track(object, *fields)`, `.einstein(on, **addresses)`, `.events.select(*objects)`
refusals  `.rules` (Rule), `.row_faults` (RowFault), `.lock_rows`, `.query_faults` (QueryFault), `.no_bulk`,
          `.bulk.script(Fate(...))`, `.expire_cursors()`; scripted HTTP trouble: `org.faults`
sessions  `.authorize()` (access and refresh token), `.end_session`, `.revoke_sessions()`, `.grants.revoke_all()`,
          `org.split_hosts()` (tokens at `org.login.url`, the API elsewhere)
limits    `.usage.put(used, limit)` (79 of 100), `.usage.crowded` (so many ConcurrentRequests refusals)
switches  `org.switch(name=value)`: pace of jobs, page sizes, what /deleted keeps, rotation, timeouts, and what the
          vendor does where sources disagree: all in sandbox/salesforce/switches.py, one line each
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.clock import SECOND, ScenarioClock, parse_instant
from sandbox.faults import FaultBook
from sandbox.requestlog import RequestLog
from sandbox.salesforce import ids
from sandbox.salesforce.app import app
from sandbox.salesforce.state import Settings, State, new_state, new_store
from sandbox.serving import Served, Shared
from sandbox.versions import Change

NOW = parse_instant("2026-03-02T06:00:00Z")
VERSION = "67.0"
TIMEOUT = 30


@cache
def key_pair() -> tuple[str, str]:
    """(private, public) PEM for the JWT bearer flow, made once."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


def sf_id(prefix: str, number: int) -> str:
    """The number-th id of an object in these tests."""
    return ids.make(prefix, number, "Te")


@dataclass
class Org:
    """The served org and short ways to ask it."""

    state: State
    clock: ScenarioClock
    log: RequestLog
    faults: FaultBook
    served: Served
    login: Served
    """The same org at a second address, which is only a login host once `split_hosts` was called."""
    session: requests.Session = field(default_factory=requests.Session)

    def add(self, object_name: str, prefix: str, number: int, at: int | None = None, **fields: object) -> str:
        """Create a row as the world does; returns its id."""
        row_id = sf_id(prefix, number)
        with self.state.store.lock:
            change = Change(NOW if at is None else at, "salesforce", "create", object_name, row_id, fields)
            self.state.store.apply(change)
        return row_id

    def change(self, op: str, object_name: str, row_id: str, at: int, into: str = "", **fields: object) -> None:
        """Any other change of a row, as the world makes it."""
        with self.state.store.lock:
            self.state.store.apply(Change(at, "salesforce", op, object_name, row_id, fields, into=into))

    def late(self, op: str, object_name: str, row_id: str, *, at: int, commit_at: int, **fields: object) -> None:
        """A change with the stamp `at` that readers see from `commit_at` on (R2)."""
        change = Change(at, "salesforce", op, object_name, row_id, fields)
        self.state.commit_later(change, commit_at)

    def ask(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> requests.Response:
        """One request below the API version, with the fixed session."""
        token = self.state.settings.access_token
        sent = {"Authorization": f"Bearer {token}", **(headers or {})}
        data = None
        if body is not None:
            data, sent["Content-Type"] = json.dumps(body), "application/json"
        url = path if path.startswith("/") else f"/services/data/v{VERSION}/{path}"
        return self.session.request(method, self.served.url + url, data=data, headers=sent, timeout=TIMEOUT)

    def query(self, soql: str, resource: str = "query", **headers: str) -> requests.Response:
        """One query."""
        return self.ask("GET", f"{resource}?q={quote(soql)}", headers=headers)

    def ids(self, soql: str, resource: str = "query") -> list[str]:
        """Ids that a query finds, all pages."""
        answer = self.query(soql, resource).json()
        found = [r["Id"] for r in answer["records"]]
        while not answer["done"]:
            answer = self.ask("GET", answer["nextRecordsUrl"]).json()
            found += [r["Id"] for r in answer["records"]]
        return found

    def job(self, soql: str, operation: str = "query", **settings: str) -> requests.Response:
        """A query job of Bulk API 2.0."""
        return self.ask("POST", "jobs/query", {"operation": operation, "query": soql, "contentType": "CSV", **settings})

    def finish(self, job_id: str) -> str:
        """Poll a job until it has ended; its last state."""
        for _ in range(100):
            state: str = self.ask("GET", f"jobs/query/{job_id}").json()["state"]
            if state not in ("UploadComplete", "InProgress"):
                return state
        raise AssertionError("the job does not end")

    def results(self, job_id: str, **query: str | int) -> requests.Response:
        """One page of a job's results."""
        return self.ask("GET", f"jobs/query/{job_id}/results?{urlencode(query)}", headers={"Accept": "text/csv"})

    def update(
        self, *records: Mapping[str, Any], all_or_none: bool = False, headers: Mapping[str, str] | None = None
    ) -> requests.Response:
        """PATCH of a collection of accounts."""
        listed = [{"attributes": {"type": "Account"}, **r} for r in records]
        return self.ask("PATCH", "composite/sobjects", {"allOrNone": all_or_none, "records": listed}, headers)

    def batch(self, *parts: Mapping[str, Any], halt: bool = False) -> requests.Response:
        """One composite/batch of these subrequests; urls below the version."""
        listed = [{"method": "GET", **part, "url": f"v{VERSION}/{part['url']}"} for part in parts]
        return self.ask("POST", "composite/batch", {"haltOnError": halt, "batchRequests": listed})

    def split_hosts(self) -> str:
        """From now on tokens are asked for at `login.url` and the API lives at the instance_url, which is returned."""
        self.state.switches.instance_url = self.served.url
        return self.login.url

    def switch(self, **values: object) -> None:
        """Set switches (sandbox/salesforce/switches.py) of the running org."""
        for name, value in values.items():
            if not hasattr(self.state.switches, name):
                raise AttributeError(name)
            setattr(self.state.switches, name, value)

    def composite(self, *parts: Mapping[str, Any], all_or_none: bool = False) -> requests.Response:
        """One composite of these subrequests; urls below the version, reference ids r0, r1, ..."""
        listed = []
        for number, part in enumerate(parts):
            url = str(part["url"])
            full = url if url.startswith("/") else f"/services/data/v{VERSION}/{url}"
            listed.append({"method": "GET", "referenceId": f"r{number}", **part, "url": full})
        return self.ask("POST", "composite", {"allOrNone": all_or_none, "compositeRequest": listed})


@contextmanager
def serving(settings: Settings | None = None, now: int = NOW) -> Iterator[Org]:
    """An org on a free port until the block ends."""
    clock, log, faults = ScenarioClock(now), RequestLog(), FaultBook()
    state = new_state(new_store(clock), settings or Settings(public_key=key_pair()[1]))
    shared = Shared(clock, log, faults)
    served, login = (Served("salesforce", app(state), shared) for _ in range(2))
    org = Org(state, clock, log, faults, served, login)
    try:
        yield org
    finally:
        org.session.close()
        served.stop()
        login.stop()


def seconds(number: float) -> int:
    """Microseconds."""
    return round(number * SECOND)
