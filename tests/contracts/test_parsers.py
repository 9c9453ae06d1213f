"""The vendors' recorded answers, served verbatim on loopback, read by our clients: nothing is refused or misread."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from connectors.http import VendorError
from connectors.hubspot.connector import HubSpotConnector
from connectors.hubspot.explore import HubSpotExplorer
from connectors.hubspot.links import linked
from connectors.hubspot.objects import Objects
from connectors.hubspot.records import member
from connectors.hubspot.rows import Row
from connectors.hubspot.settings import HubSpotSettings
from connectors.hubspot.streams import Stream, streams
from connectors.known import nothing_known
from connectors.means import Means
from connectors.salesforce.composite import Answer
from connectors.salesforce.schema import Schema
from connectors.salesforce.session import SalesforceSession, opened
from connectors.salesforce.settings import SalesforceSettings
from sandbox.clock import ScenarioClock
from sandbox.faults import FaultBook
from sandbox.requestlog import RequestLog
from sandbox.serving import Served, Shared
from store.records import AccountRecord, ContactRecord, TicketRecord
from tests.clocks import StepClock
from tests.sandbox.hubspot_portal import NOW

HOME = Path(__file__).parents[2].parent / "shared" / "contracts"
pytestmark = pytest.mark.skipif(not HOME.is_dir(), reason="the vendors' recordings are not beside this project")

Json = dict[str, Any]
_OWN = {"content-length", "transfer-encoding", "connection", "content-encoding", "date"}
_STREAM = {"companies": "companies", "company": "companies", "contacts": "contacts", "contact": "contacts"}


def _recordings(vendor: str) -> list[Path]:
    return sorted((HOME / vendor / "recorded").glob("*.json")) if HOME.is_dir() else []


def _exchange(path: Path) -> Json:
    found: Json = json.loads(path.read_text())
    return found


@contextmanager
def verbatim(status: int, headers: Mapping[str, str], body: Any) -> Iterator[tuple[str, StepClock]]:
    """A server that gives one answer to everything; its address, and a clock."""
    text = body if isinstance(body, str) else json.dumps(body)
    kept = {name: value for name, value in headers.items() if name.lower() not in _OWN}

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await Request(scope, receive).body()
        await Response(text, status, kept)(scope, receive, send)

    clock = ScenarioClock(NOW)
    served = Served("recorded", answer, Shared(clock, RequestLog(), FaultBook()))
    try:
        yield served.url, StepClock(clock)
    finally:
        served.stop()


# ---------------------------------------------------------------- HubSpot


def _portal(url: str) -> HubSpotSettings:
    values = {"kind": "hubspot", "base_url": url, "auth": {"access_token": "-"}, "customer": {"type": "x"}}
    return HubSpotSettings.model_validate(values)


def _ask(exchange: Json, url: str, clock: StepClock) -> Any:
    """What our client makes of the answer."""
    reading = HubSpotConnector(_portal(url), clock, nothing_known)
    session = reading._session
    path = exchange["request"]["path"]
    try:
        return session.get(path) if exchange["request"]["method"] == "GET" else session.post(path, {})
    finally:
        reading.close()


def _kind(path: str) -> str:
    found = re.search(r"/objects/(\w+)", path)
    return found.group(1).lower() if found else ""


def _stream(name: str) -> Stream:
    return next(s for s in streams(_portal("http://127.0.0.1:1")) if s.object == name)


@pytest.mark.parametrize("path", _recordings("hubspot"), ids=lambda p: p.stem)
def test_recorded_hubspot_answers_are_read(path: Path) -> None:
    """A body comes through as it was; a refusal becomes an error with its status, category and the right class."""
    exchange = _exchange(path)
    response = exchange["response"]
    status, body = response["status"], response["body"]
    with verbatim(status, response["headers"], body) as (url, clock):
        if status == 204:  # calls that archive: none of ours; a body that is not there is no success of a read
            with pytest.raises(VendorError, match="not JSON"):
                _ask(exchange, url, clock)
        elif status < 300:
            assert body == _ask(exchange, url, clock)
        else:
            with pytest.raises(VendorError) as refused:
                _ask(exchange, url, clock)
            assert status == refused.value.status
            assert body.get("category") == refused.value.code
            assert body["message"] in str(refused.value)
            assert ("retry" if status == 429 else "failed") == refused.value.kind


def test_recorded_hubspot_records_become_ours() -> None:
    """Companies, contacts, tickets and owners of the recordings: id, name and address as recorded."""
    read = {"companies": 0, "contacts": 0, "tickets": 0, "owners": 0}
    for path in _recordings("hubspot"):
        exchange = _exchange(path)
        body, asked = exchange["response"]["body"], exchange["request"]["path"]
        if exchange["response"]["status"] >= 300 or not isinstance(body, dict):
            continue
        rows = body.get("results", [body])
        if "/owners" in asked:
            for owner in rows:
                told = member(owner)
                assert (owner["id"], owner["email"], not owner["archived"]) == (told.id, told.email, told.active)
                read["owners"] += 1
        elif "associations" not in asked and _kind(asked) in (*_STREAM, "tickets", "ticket"):
            name = _STREAM.get(_kind(asked), "tickets")
            for raw in rows:
                _as_recorded(name, raw)
                read[name] += 1
    assert all(count > 1 for count in read.values()), read


def _as_recorded(name: str, raw: Json) -> None:
    stream, given = _stream(name), raw["properties"]
    (record, *_) = stream.rows(Row(str(raw["id"]), given, dict.fromkeys(stream.links, ())))
    assert isinstance(record, AccountRecord | ContactRecord | TicketRecord)
    assert str(raw["id"]) == record.id
    if isinstance(record, ContactRecord):
        assert (given.get("email") or None) == record.email
    if isinstance(record, AccountRecord):
        assert (given.get("domain") or None) == record.domain
        assert given.get("name") in (record.name, None, "")


def test_recorded_hubspot_links_are_read() -> None:
    """Integer ids and empty labels of the recorded answers read as ids in text, one set per record."""
    read = 0
    for path in _recordings("hubspot"):
        exchange = _exchange(path)
        asked, response = exchange["request"]["path"], exchange["response"]
        found = re.fullmatch(r"/crm/v4/objects/(\w+)/(\w+)/associations/(\w+)", asked)
        if found is None:
            continue
        # We ask for many records at once, which wraps what is told of each.
        links = response["body"]["results"]
        body = {"status": "COMPLETE", "results": [{"from": {"id": found[2]}, "to": links}]}
        with verbatim(200, response["headers"], body) as (url, clock):
            reading = HubSpotConnector(_portal(url), clock, nothing_known)
            told = linked(Objects(reading._session, "2026-09"), found[1], found[3], [found[2]])
            reading.close()
        ids = {str(link["toObjectId"]) for link in links}
        assert ({found[2]: ids}, []) == ({ref: set(to) for ref, to in told.targets.items()}, told.failed)
        read += len(ids)
    assert read > 2


def test_recorded_hubspot_properties_are_explored() -> None:
    """Every property that a recording describes becomes a field with its name, label, options and whether it is ours."""
    read = 0
    for path in _recordings("hubspot"):
        exchange = _exchange(path)
        body, asked = exchange["response"]["body"], exchange["request"]["path"]
        if exchange["response"]["status"] >= 300 or not re.search(r"/crm/v3/(properties|schemas)", asked):
            continue
        for described in body.get("results", [body]):
            properties = described.get("properties", [described])
            with verbatim(200, exchange["response"]["headers"], {"results": properties}) as (url, clock):
                reading = HubSpotConnector(_portal(url), clock, nothing_known)
                shape = HubSpotExplorer(_portal(url), reading._session).shape("contacts")
                reading.close()
            assert shape is not None
            for told in properties:
                field = shape.fields[told["name"]]
                assert (told["label"], told["type"]) == (field.label, field.type)
                assert [o["value"] for o in told.get("options", [])] == [o.value for o in field.options]
                assert (not told.get("hubspotDefined", False)) == field.custom
                read += 1
    assert read > 100


# ---------------------------------------------------------------- Salesforce


def _org(url: str, clock: StepClock) -> SalesforceSession:
    values = {
        "kind": "salesforce",
        "base_url": url,
        "auth": {"method": "token", "access_token": "-"},
        "customer": {"Type": "Customer"},
    }
    return opened(SalesforceSettings.model_validate(values), clock, Means())


@pytest.mark.parametrize("path", _recordings("salesforce"), ids=lambda p: p.stem)
def test_recorded_salesforce_answers_are_read(path: Path) -> None:
    """A body comes through as it was, a refusal becomes an error with the vendor's code."""
    exchange = _exchange(path)
    response = exchange["response"]
    with verbatim(response["status"], response["headers"], response["body"]) as (url, clock):
        session = _org(url, clock)
        method = exchange["request"]["method"]
        if response["status"] < 300:
            assert response["body"] == session.call(method, "query")
        else:
            with pytest.raises(VendorError) as refused:
                session.call(method, "query")
            assert (response["status"], response["body"][0]["errorCode"]) == (refused.value.status, refused.value.code)
            assert "failed" == refused.value.kind
        session.close()


def _samples() -> list[Json]:
    path = HOME / "salesforce" / "error_samples.json"
    found = json.loads(path.read_text())["samples"] if path.exists() else []
    return [s for s in found if s.get("status", 200) >= 300 and isinstance(s.get("body"), list | dict)]


@pytest.mark.parametrize("sample", _samples(), ids=lambda s: f"{s['status']} {str(s['body'])[:60]}")
def test_salesforce_error_samples_are_told_apart(sample: Json) -> None:
    """Array and object forms: code and message come through; sessions, quota and the rest are different kinds."""
    body = sample["body"]
    first = body[0] if isinstance(body, list) else body
    code = first.get("errorCode", first.get("error"))
    with verbatim(sample["status"], {"Content-Type": "application/json"}, body) as (url, clock):
        session = _org(url, clock)
        with pytest.raises(VendorError) as refused:
            session.call("GET", "query")
        session.close()
    told = refused.value
    assert code == told.code
    words = str(first.get("message", first.get("error_description"))).split()
    assert words == str(told).split()[-len(words) :]
    if code == "INVALID_SESSION_ID":
        assert "auth" == told.kind
    elif code == "REQUEST_LIMIT_EXCEEDED":
        assert ("retry" if "Concurrent" in first["message"] else "deferred") == told.kind
    elif code not in ("UNABLE_TO_LOCK_ROW", "SERVER_UNAVAILABLE", "QUERY_TIMEOUT", "UNKNOWN_EXCEPTION"):
        assert sample["status"] < 500
        assert told.kind in ("failed", "auth")


def test_recorded_describes_are_discovered() -> None:
    """Schema discovery reads every recorded describe: all fields, the stamp to follow, the prefix of ids."""
    names = []
    for path in sorted((HOME / "salesforce" / "describe").glob("*.json")):
        body = json.loads(path.read_text())["response"]["body"]
        if "fields" not in body:
            continue
        schema = Schema("/services/data/v67.0")
        found = schema.learn(body["name"], Answer(200, body, {}), NOW)
        assert found is not None
        assert {field["name"] for field in body["fields"]} == set(found.fields)
        stamped = any(field["name"] == "SystemModstamp" for field in body["fields"])  # one recording was cut down
        assert ("SystemModstamp" if stamped else None) == found.cursor_field
        assert body["keyPrefix"] == found.prefix
        assert {f["name"] for f in body["fields"] if f["calculated"]} == {
            f.name for f in found.fields.values() if f.calculated
        }
        assert () == schema.hidden(found, [field["name"] for field in body["fields"]])
        names.append(body["name"])
    assert {"Account", "Case", "Contact", "Lead"} <= set(names)
    assert 5 == len(names)
