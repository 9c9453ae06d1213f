"""The control server: the scenario clock, the request log, faults and switches, and what people do in the CRMs and in Slack."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.clock import SECOND, ScenarioClock, iso_ms, parse_instant
from sandbox.desk import Desk, EditRefused
from sandbox.faults import parse_fault, parse_soak
from sandbox.hubspot.hands import ACTS, Hands
from sandbox.salesforce import control as salesforce_control
from sandbox.salesforce.state import State as SalesforceState
from sandbox.serving import Shared
from sandbox.slack.payloads import NotThere
from sandbox.slack.state import SlackState
from sandbox.versions import VendorStore

_MOST_FOUND = 200


class BadRequest(Exception):
    """A control request that makes no sense; the text says why."""


@dataclass(frozen=True, slots=True)
class Backstage:
    """What the control server works on. `truth` may be slow; it is called once."""

    shared: Shared
    desks: Mapping[str, Desk]
    slack: SlackState
    switches: Mapping[str, object]
    """Vendor -> its settable switches (a dataclass instance)."""
    salesforce: SalesforceState
    hubspot: Hands
    stores: Mapping[str, VendorStore]
    """Vendor -> its database."""
    truth: Callable[[], Mapping[str, object]]
    info: Callable[[], Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class Ask:
    """A request to the control server: parsed body (an empty object if none), query and path parameters."""

    body: Any
    query: QueryParams
    path: Mapping[str, str]


Act = Callable[[Ask], Any]


def app(stage: Backstage) -> Starlette:
    """The control API. Errors are `{"error": text}` with 400 or 404."""
    control = _Control(stage)
    table: list[tuple[str, str, Act]] = [
        ("GET", "/", control.get_info),
        ("GET", "/clock", control.get_clock),
        ("POST", "/clock", control.set_clock),
        ("GET", "/requests", control.get_requests),
        ("DELETE", "/requests", control.clear_requests),
        ("GET", "/faults", control.get_faults),
        ("POST", "/faults", control.add_faults),
        ("DELETE", "/faults", control.clear_faults),
        ("POST", "/soak", control.soak),
        ("POST", "/time", control.time),
        ("POST", "/hold", control.hold),
        ("POST", "/switches", control.switch),
        ("GET", "/truth", control.get_truth),
        ("POST", "/hubspot/{act}", control.hubspot),
        ("GET", "/crm/{vendor}/{object}", control.find_records),
        ("GET", "/crm/{vendor}/{object}/{record_id}", control.get_record),
        ("PATCH", "/crm/{vendor}/{object}/{record_id}", control.edit_record),
        ("GET", "/slack/messages", control.get_messages),
        ("POST", "/slack/click", control.click),
        ("POST", "/slack/submit", control.submit),
        *((method, path, _of_body(act)) for method, path, act in salesforce_control.routes(stage.salesforce)),
    ]
    return Starlette(routes=[Route(path, _endpoint(act), methods=[method]) for method, path, act in table])


def _of_body(act: Callable[[Any], Any]) -> Act:
    return lambda ask: act(ask.body)


def clock_state(clock: ScenarioClock) -> dict[str, object]:
    """`{"now", "limit", "now_iso"}`: microseconds, and the same for people to read."""
    return {"now": clock.now(), "limit": clock.limit, "now_iso": iso_ms(clock.now())}


class _Control:
    """One method per route: what was asked -> JSON value."""

    def __init__(self, stage: Backstage) -> None:
        self._stage = stage
        self._clock = stage.shared.clock
        self._truth_lock = threading.Lock()
        self._truth: Mapping[str, object] | None = None

    def get_info(self, _: Ask) -> Any:
        return self._stage.info()

    def get_clock(self, _: Ask) -> Any:
        return clock_state(self._clock)

    def set_clock(self, ask: Ask) -> Any:
        """`{"to"}`, `{"advance_seconds"}`, `{"limit"}` or several of them; the limit is set first."""
        wanted = _object(ask.body, {"to", "advance_seconds", "limit"})
        if "limit" in wanted:
            self._clock.set_limit(None if wanted["limit"] is None else _instant(wanted["limit"]))
        before = self._clock.now()
        target = before
        if "to" in wanted:
            target = _instant(wanted["to"])
        elif "advance_seconds" in wanted:
            target = before + round(float(wanted["advance_seconds"]) * SECOND)
        self._clock.advance_to(target)
        return clock_state(self._clock) | {"cut": self._clock.now() < target}

    def get_requests(self, ask: Ask) -> Any:
        since = ask.query.get("since", "0")
        if not since.isdigit():
            raise BadRequest("since is a sequence number")
        bodies = ask.query.get("bodies") == "1"
        return self._stage.shared.log.summary(int(since), ask.query.get("vendor"), bodies)

    def clear_requests(self, _: Ask) -> Any:
        self._stage.shared.log.clear()
        return {"ok": True}

    def get_faults(self, _: Ask) -> Any:
        return {"faults": self._stage.shared.faults.waiting()}

    def add_faults(self, ask: Ask) -> Any:
        """One fault or a list; none is added if one is wrong."""
        raw = ask.body if isinstance(ask.body, list) else [ask.body]
        faults = [parse_fault(_object(item)) for item in raw]
        for fault in faults:
            self._stage.shared.faults.add(fault)
        return {"faults": self._stage.shared.faults.waiting()}

    def clear_faults(self, _: Ask) -> Any:
        self._stage.shared.faults.clear()
        return {"ok": True}

    def soak(self, ask: Ask) -> Any:
        """`{"rate", "faults": [...], "seed"?, "vendor"?, "times"?}`: a share of all requests goes wrong."""
        self._stage.shared.faults.soak(parse_soak(_object(ask.body)))
        return {"faults": self._stage.shared.faults.waiting()}

    def time(self, ask: Ask) -> Any:
        """`{"vendor", "lag_seconds"?, "skew_seconds"?}`: the vendor's waiting changes show so much later than their
        stamps; what it stamps itself is off by so much.
        """
        wanted = _object(ask.body, {"vendor", "lag_seconds", "skew_seconds"})
        store = self._stage.stores[str(wanted["vendor"])]
        store.lag = round(float(wanted.get("lag_seconds", store.lag / SECOND)) * SECOND)
        store.skew = round(float(wanted.get("skew_seconds", store.skew / SECOND)) * SECOND)
        return {"lag_seconds": store.lag / SECOND, "skew_seconds": store.skew / SECOND}

    def hold(self, ask: Ask) -> Any:
        """`{"vendor", "held"}`: while held, the vendor's requests wait unanswered."""
        wanted = _object(ask.body, {"vendor", "held"})
        self._stage.shared.faults.hold(str(wanted["vendor"]), wanted.get("held", True) is True)
        return {"ok": True}

    def switch(self, ask: Ask) -> Any:
        """`{vendor: {switch: value}}`; Salesforce also takes `hide` and `show` with lists of object or field names."""
        for vendor, wanted in _object(ask.body, {*self._stage.switches, "salesforce"}).items():
            if vendor == "salesforce":
                values = _object(wanted, {"hide", "show"})
                self._stage.salesforce.hide(*values.get("hide", []))
                self._stage.salesforce.show(*values.get("show", []))
            else:
                _set(self._stage.switches[vendor], _object(wanted))
        return {"ok": True}

    def hubspot(self, ask: Ask) -> Any:
        """What `Hands` do, by name: the body holds the arguments, a list those without names under `values`."""
        act = ask.path["act"]
        if act not in ACTS:
            raise KeyError(act)
        wanted = dict(_object(ask.body))
        values = wanted.pop("values", [])
        with self._stage.stores["hubspot"].lock if act != "deliver" else contextlib.nullcontext():
            self._stage.stores["hubspot"].catch_up()
            return {"result": getattr(self._stage.hubspot, act)(*values, **wanted)}

    def get_truth(self, _: Ask) -> Any:
        with self._truth_lock:
            if self._truth is None:
                self._truth = self._stage.truth()
        return self._truth

    def find_records(self, ask: Ask) -> Any:
        desk, object_name = self._desk(ask)
        limit = ask.query.get("limit", "20")
        if not limit.isdigit():
            raise BadRequest("limit is a number")
        text = ask.query.get("q", "")
        return {"records": desk.find(object_name, text, min(int(limit), _MOST_FOUND))}

    def get_record(self, ask: Ask) -> Any:
        desk, object_name = self._desk(ask)
        record = desk.get(object_name, ask.path["record_id"])
        if record is None:
            raise KeyError(ask.path["record_id"])
        return record

    def edit_record(self, ask: Ask) -> Any:
        """The body is `{field: value}`; `?by=` names the person by id or e-mail."""
        desk, object_name = self._desk(ask)
        by = ask.query.get("by")
        return desk.edit(object_name, ask.path["record_id"], _object(ask.body), by)

    def get_messages(self, _: Ask) -> Any:
        return {"messages": self._stage.slack.messages()}

    def click(self, ask: Ask) -> Any:
        """`{"user": id or e-mail, "channel": id or name, "ts", "action_id", "value"?, "block_id"?, "values"?}`."""
        wanted = _object(ask.body, {"user", "channel", "ts", "action_id", "value", "block_id", "values"})
        slack = self._stage.slack
        envelope = slack.click(
            self._user(wanted["user"]),
            self._channel(wanted["channel"]),
            str(wanted["ts"]),
            str(wanted["action_id"]),
            wanted.get("value"),
            block_id=wanted.get("block_id"),
            values=wanted.get("values"),
        )
        return {"ok": True, "envelope_id": envelope}

    def submit(self, ask: Ask) -> Any:
        """`{"user", "view_id", "values"}`: a person submits a modal."""
        wanted = _object(ask.body, {"user", "view_id", "values"})
        envelope = self._stage.slack.submit(self._user(wanted["user"]), str(wanted["view_id"]), wanted["values"])
        return {"ok": True, "envelope_id": envelope}

    def _desk(self, ask: Ask) -> tuple[Desk, str]:
        return self._stage.desks[ask.path["vendor"]], ask.path["object"]

    def _user(self, who: object) -> str:
        wanted = str(who).lower()
        users = self._stage.slack.users.values()
        return next((u.id for u in users if wanted in (u.id.lower(), (u.email or "").lower())), str(who))

    def _channel(self, which: object) -> str:
        named = self._stage.slack.channel_named(str(which))
        return named.id if named is not None else str(which)


def _endpoint(act: Act) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        raw = await request.body()
        try:
            body = json.loads(raw) if raw else {}
            # In a thread: the truth takes seconds, and the clock must answer meanwhile.
            return JSONResponse(await run_in_threadpool(act, Ask(body, request.query_params, request.path_params)))
        except (BadRequest, EditRefused, ValueError, TypeError) as wrong:
            return JSONResponse({"error": str(wrong)}, 400)
        except (KeyError, NotThere) as missing:
            return JSONResponse({"error": f"not there: {missing}"}, 404)

    return endpoint


def _object(value: Any, known: set[str] | None = None) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadRequest("the body must be a JSON object")
    unknown = sorted(set(value) - known) if known is not None else []
    if unknown:
        raise BadRequest(f"unknown key: {unknown[0]}; known: {', '.join(sorted(known or ()))}")
    return value


def _instant(value: object) -> int:
    if not isinstance(value, str | int):
        raise BadRequest("an instant is microseconds or ISO 8601 text")
    return parse_instant(value)


def _set(switches: object, wanted: Mapping[str, Any]) -> None:
    """Set the attributes of a dataclass from JSON; a list becomes a set where a set is."""
    assert is_dataclass(switches)
    known = {f.name for f in fields(switches)}
    for name, value in _object(dict(wanted), known).items():
        now = getattr(switches, name)
        if isinstance(now, set):
            setattr(switches, name, set(value))
        elif isinstance(now, float) and isinstance(value, int) and not isinstance(value, bool):
            setattr(switches, name, float(value))
        elif now is not None and value is not None and type(value) is not type(now):
            raise BadRequest(f"{name} is a {type(now).__name__}")
        else:
            setattr(switches, name, value)
