"""/composite: up to 25 requests in one API call, each with its own status, headers and body."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from sandbox.salesforce.calls import Call, Reply
from sandbox.salesforce.errors import Refused
from sandbox.salesforce.writing import put_back

MAX_PARTS = 25
MAX_HEAVY = 5
"""Of them queries (their next pages too) and collections."""

_URL = re.compile(r"/services/data/v(\d+\.\d)/(.+)\Z")
_HEAVY = re.compile(r"(query|queryAll)(/|\Z)|composite/sobjects(/|\Z)")
_ALLOWED = re.compile(r"(query|queryAll|sobjects|composite/sobjects)(/|\Z)")
_FORBIDDEN_HEADERS = frozenset({"accept", "authorization", "content-type"})
"""A part inherits these three from the whole request and must not bring its own; no other header is inherited."""
_REFERENCE = re.compile(r"@\{([A-Za-z][A-Za-z0-9_]*)((?:\.[A-Za-z0-9_]+|\[\d+\])*)\}")

Dispatch = Callable[[Call], Reply]


@dataclass(frozen=True, slots=True)
class Part:
    """One subrequest after its checks; `path` is below the version."""

    name: str
    method: str
    version: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


def composite(call: Call, dispatch: Dispatch) -> Reply:
    """POST composite: 200 with one answer per part, in order. 400 for the whole when it is malformed or too big."""
    body = call.record()
    raw = body.get("compositeRequest")
    if not isinstance(raw, list) or not raw:
        raise Refused(400, "JSON_PARSER_ERROR", "compositeRequest must be a list of subrequests")
    if len(raw) > MAX_PARTS:
        raise Refused(400, "LIMIT_EXCEEDED", f"A composite request can have at most {MAX_PARTS} subrequests")
    parts = [_part(item) for item in raw]
    names = [part.name for part in parts]
    if len(set(names)) < len(names):
        raise Refused(400, "INVALID_INPUT", "Each subrequest must have a unique referenceId")
    if sum(1 for part in parts if _HEAVY.match(part.path)) > MAX_HEAVY:
        message = f"A composite request can have at most {MAX_HEAVY} query and sObject Collections subrequests"
        raise Refused(400, "LIMIT_EXCEEDED", message)
    answers = _answers(call, parts, dispatch, body.get("allOrNone") is True)
    # The guide counts the whole as one call; a third-party list says that parts count apart, hence the switch (R26).
    cost = len(parts) if call.state.switches.composite_counts_parts else 1
    return Reply(200, {"compositeResponse": answers}, cost=cost)


def _answers(call: Call, parts: list[Part], dispatch: Dispatch, all_or_none: bool) -> list[dict[str, Any]]:
    with call.state.store.noting() as before:
        answers = _answer_all(call, parts, dispatch)
    if all_or_none and any(a["httpStatusCode"] >= 400 for a in answers):
        for object_name, row_id, row in reversed(before):
            put_back(call.state, object_name, row_id, row)
        answers = [a if a["httpStatusCode"] >= 400 else _halted(a) for a in answers]
    return answers


def _answer_all(call: Call, parts: list[Part], dispatch: Dispatch) -> list[dict[str, Any]]:
    bodies: dict[str, Any] = {}
    answers: list[dict[str, Any]] = []
    for part in parts:
        reply = _answer(call, part, bodies, dispatch)
        bodies[part.name] = reply.body
        answers.append(
            {
                "body": reply.body,
                "httpHeaders": dict(reply.headers),
                "httpStatusCode": reply.status,
                "referenceId": part.name,
            }
        )
    return answers


def _answer(call: Call, part: Part, bodies: dict[str, Any], dispatch: Dispatch) -> Reply:
    try:
        if not _ALLOWED.match(part.path):
            raise Refused(400, "INVALID_INPUT", f"The resource {part.path} is not supported in a composite request")
        inner = Call(
            state=call.state,
            version=part.version,
            method=part.method,
            path=_filled(part.path, bodies),
            query={name: _filled(value, bodies) for name, value in part.query.items()},
            headers=part.headers,
            params={},
            body=_filled_body(part.body, bodies),
        )
        return dispatch(inner)
    except Refused as refused:
        return Reply(refused.status, refused.body())


def _part(item: Any) -> Part:
    if not isinstance(item, dict):
        raise Refused(400, "JSON_PARSER_ERROR", "Each subrequest must be a JSON object")
    unknown = sorted(set(item) - {"method", "url", "referenceId", "body", "httpHeaders"})
    if unknown:
        raise Refused(400, "JSON_PARSER_ERROR", f"Unrecognized field '{unknown[0]}' in a subrequest")
    method, url, name = (item.get(key) for key in ("method", "url", "referenceId"))
    if not all(isinstance(v, str) for v in (method, url, name)):
        raise Refused(400, "JSON_PARSER_ERROR", "method, url and referenceId are required in each subrequest")
    split = urlsplit(str(url))
    match = _URL.match(split.path)
    if match is None or split.scheme or re.search(r"\s", str(url)):
        raise Refused(
            400, "INVALID_INPUT", f"The url of a subrequest must be an escaped path below /services/data: {url}"
        )
    headers = {str(k).lower(): str(v) for k, v in (item.get("httpHeaders") or {}).items()}
    forbidden = sorted(_FORBIDDEN_HEADERS & set(headers))
    if forbidden:
        raise Refused(400, "INVALID_INPUT", f"The header {forbidden[0]} can't be set in a subrequest")
    query = dict(parse_qsl(split.query, keep_blank_values=True))
    path = unquote(match.group(2)).rstrip("/")
    return Part(str(name), str(method).upper(), match.group(1), path, query, headers, item.get("body"))


def _filled_body(value: Any, bodies: dict[str, Any]) -> Any:
    if isinstance(value, str):
        return _filled(value, bodies)
    if isinstance(value, list):
        return [_filled_body(v, bodies) for v in value]
    if isinstance(value, dict):
        return {k: _filled_body(v, bodies) for k, v in value.items()}
    return value


def _filled(text: str, bodies: dict[str, Any]) -> str:
    """`@{ref.path[0].name}` replaced by what an earlier part answered."""

    def look_up(match: re.Match[str]) -> str:
        value: Any = bodies.get(match.group(1))
        for name, index in re.findall(r"\.([A-Za-z0-9_]+)|\[(\d+)\]", match.group(2)):
            found = isinstance(value, dict) and name in value
            listed = isinstance(value, list) and index != "" and int(index) < len(value)
            if not found and not listed:
                message = f"Invalid reference specified. No value for {match.group(0)[2:-1]} found in {match.group(1)}"
                raise Refused(400, "PROCESSING_HALTED", message)
            value = value[name] if found else value[int(index)]
        return str(value)

    return _REFERENCE.sub(look_up, text)


def _halted(answer: dict[str, Any]) -> dict[str, Any]:
    message = "The transaction was rolled back since another operation in the same transaction failed."
    body = [{"errorCode": "PROCESSING_HALTED", "message": message}]
    return {**answer, "body": body, "httpHeaders": {}, "httpStatusCode": 400}
