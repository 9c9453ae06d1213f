"""/composite/batch: up to 25 independent requests in one, each counted as a call of its own (REST guide, composite batch)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from sandbox.salesforce.calls import Call, Reply
from sandbox.salesforce.errors import Refused

MAX_PARTS = 25
_URL = re.compile(r"/?(?:services/data/)?v(\d+\.\d)/(.+)\Z")
_KEYS = frozenset({"method", "url", "richInput", "binaryPartName", "binaryPartNameAlias"})
_ALLOWED = re.compile(r"(limits|query|queryAll|sobjects|search|connect|chatter|actions)(/|\Z)")

Dispatch = Callable[[Call], Reply]


def batch(call: Call, dispatch: Dispatch) -> Reply:
    """POST composite/batch: 200 with a result per part; `haltOnError` skips what follows a failure with status 412."""
    body = call.record()
    raw = body.get("batchRequests")
    if not isinstance(raw, list) or not raw:
        raise Refused(400, "JSON_PARSER_ERROR", "batchRequests must be a list of subrequests")
    if len(raw) > MAX_PARTS:
        raise Refused(400, "LIMIT_EXCEEDED", f"A batch request can have at most {MAX_PARTS} subrequests")
    parts = [_part(call, item) for item in raw]
    results: list[dict[str, Any]] = []
    halt = body.get("haltOnError") is True
    for part in parts:
        if halt and any(r["statusCode"] >= 400 for r in results):
            message = "The request was not processed because another part of the batch failed and haltOnError is set."
            results.append(_result(Reply(412, [{"errorCode": "BATCH_PROCESSING_HALTED", "message": message}])))
            continue
        try:
            results.append(_result(dispatch(part)))
        except Refused as refused:
            results.append(_result(Reply(refused.status, refused.body())))
    failed = any(r["statusCode"] >= 400 for r in results)
    return Reply(200, {"hasErrors": failed, "results": results}, cost=len(parts))


def _part(call: Call, item: Any) -> Call:
    if not isinstance(item, dict):
        raise Refused(400, "JSON_PARSER_ERROR", "Each subrequest must be a JSON object")
    unknown = sorted(set(item) - _KEYS)
    if unknown:
        raise Refused(400, "JSON_PARSER_ERROR", f"Unrecognized field '{unknown[0]}' in a subrequest")
    method, url = item.get("method"), item.get("url")
    if not isinstance(method, str) or not isinstance(url, str):
        raise Refused(400, "JSON_PARSER_ERROR", "method and url are required in each subrequest")
    split = urlsplit(url)
    match = _URL.match(split.path)
    if match is None or split.scheme or not _ALLOWED.match(match.group(2)):
        raise Refused(400, "INVALID_INPUT", f"The url of a subrequest is not supported: {url}")
    return Call(
        state=call.state,
        version=match.group(1),
        method=method.upper(),
        path=unquote(match.group(2)).rstrip("/"),
        query=dict(parse_qsl(split.query, keep_blank_values=True)),
        headers=call.headers,
        params={},
        body=item.get("richInput"),
    )


def _result(reply: Reply) -> dict[str, Any]:
    return {"statusCode": reply.status, "result": reply.body}
