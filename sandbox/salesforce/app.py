"""The imitation Salesforce over HTTP: addresses, sessions, allowance, size limits and the vendor's error bodies."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.concurrency import iterate_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from sandbox.clock import real_pause
from sandbox.salesforce import cometd, oauth, sessions
from sandbox.salesforce.calls import Call, Reply, parse_body
from sandbox.salesforce.errors import Refused, not_found
from sandbox.salesforce.resources import ROUTES, dispatch, versions
from sandbox.salesforce.state import State
from sandbox.salesforce.wire import http_date
from sandbox.serving import COST

MAX_ADDRESS = 16_384
"""Bytes of the address, and of address and headers together."""
TOKEN = "/services/oauth2/token"
METHODS = ["GET", "POST", "PATCH", "DELETE", "PUT", "HEAD"]


class Streamed(Response):
    """A body sent piece by piece, each made in a thread when the client has taken the one before.

    Starlette's own class watches for a disconnect in `receive`, which the server in front has replayed already.
    """

    def __init__(self, pieces: Iterator[bytes], status: int, headers: Mapping[str, str]) -> None:
        super().__init__(None, status, headers)
        del self.headers["content-length"]
        self._pieces = pieces

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send the head, every piece, and an empty last one."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async for piece in iterate_in_threadpool(self._pieces):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def app(state: State) -> Starlette:
    """The ASGI app of one org."""

    async def everything(request: Request) -> Response:
        raw = await request.body()
        pause, token = state.switches.token_pause_ms, _refresh_token(request, raw)
        if pause and token:
            # Requests share the event loop's thread, so nothing comes between the look and the note.
            if token in state.tokens_under_way:
                request.scope[COST] = 0
                return _response(state, oauth.busy())
            state.tokens_under_way.add(token)
            try:
                await real_pause(pause / 1000)
            finally:
                state.tokens_under_way.discard(token)
        if request.scope["path"].startswith("/cometd"):
            request.scope[COST] = 0
            return await cometd.answer(state, request, raw)
        with state.store.lock:
            state.store.catch_up()
            return _respond(state, request, raw)

    return Starlette(routes=[Route("/{path:path}", everything, methods=METHODS)])


def _refresh_token(request: Request, raw: bytes) -> str:
    """The refresh token that a token request carries, empty for every other request."""
    if request.scope["path"] != TOKEN or request.method != "POST":
        return ""
    return dict(parse_qsl(raw.decode("utf-8", "replace"))).get("refresh_token", "")


def _respond(state: State, request: Request, raw: bytes) -> Response:
    request.scope[COST] = 0
    too_long = _too_long(request)
    if too_long is not None:
        return too_long
    path = request.scope["path"]
    request.scope["path_params"] = {}
    try:
        reply = _outer(state, request, path, raw)
    except Refused as refused:
        reply = Reply(refused.status, refused.body())
    return _response(state, reply)


def _outer(state: State, request: Request, path: str, raw: bytes) -> Reply:
    """What stands before the API: tokens, the list of versions, the user's own record; then the session."""
    headers = {k.lower(): v for k, v in request.headers.items()}
    if path in (TOKEN, "/services/oauth2/revoke"):
        return _token(state, request, headers, raw)
    if path in ("/services/data", "/services/data/"):
        return _only_get(request.method, versions())
    own = path in ("/services/oauth2/userinfo", f"/id/{state.settings.org_id}/{state.settings.user_id}")
    match = re.match(r"/services/data/v(\d+\.\d)/(.+)\Z", path)
    if match is None and not own:
        raise not_found()
    sessions.check(state, headers, path)
    if match is None:
        return _only_get(request.method, _user_info(state))
    state.usage.take()
    request.scope[COST] = 1
    reply = _alone(state, request, headers, raw, *match.groups())
    state.usage.add(reply.cost - 1)
    request.scope[COST] = reply.cost
    return reply


def _alone(state: State, request: Request, headers: Mapping[str, str], raw: bytes, *below: str) -> Reply:
    """One call that came by itself: its body must be JSON and say so."""
    if raw and not headers.get("content-type", "").startswith("application/json"):
        message = "The content type of the request is not supported; use application/json"
        raise Refused(415, "UNSUPPORTED_MEDIA_TYPE", message)
    version, path = below
    method = "GET" if request.method == "HEAD" else request.method
    parameters = dict(parse_qsl(request.url.query, keep_blank_values=True))
    for pattern, _ in ROUTES:
        found = pattern.match(path)
        if found:
            request.scope["path_params"] = {k: v for k, v in found.groupdict().items() if k != "object"}
            break
    return dispatch(Call(state, version, method, path.rstrip("/"), parameters, headers, {}, parse_body(raw)))


def _token(state: State, request: Request, headers: Mapping[str, str], raw: bytes) -> Reply:
    if request.method != "POST":
        raise Refused(405, "METHOD_NOT_ALLOWED", f"HTTP Method '{request.method}' not allowed. Allowed are POST")
    if not headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return Reply(400, {"error": "invalid_request", "error_description": "content type must be form data"})
    form = oauth.with_basic(
        dict(parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True)), headers.get("authorization", "")
    )
    if request.scope["path"] != TOKEN:
        return oauth.revoke(state, form)
    server_host, port = request.scope["server"]
    return oauth.token(state, form, headers.get("host", ""), f"http://{server_host}:{port}")


def _user_info(state: State) -> Reply:
    settings = state.settings
    return Reply(
        200,
        {
            "user_id": settings.user_id,
            "organization_id": settings.org_id,
            "preferred_username": settings.username,
            "email": settings.username,
            "active": True,
        },
    )


def _only_get(method: str, reply: Reply) -> Reply:
    if method not in ("GET", "HEAD"):
        raise Refused(405, "METHOD_NOT_ALLOWED", f"HTTP Method '{method}' not allowed. Allowed are GET,HEAD")
    return reply


def _too_long(request: Request) -> Response | None:
    """414 for a long address, 431 for address and headers together; both as the web server's page, not as JSON."""
    scope = request.scope
    address = len(scope.get("raw_path") or b"") + len(scope["query_string"]) + 1
    headers = sum(len(name) + len(value) + 4 for name, value in scope["headers"])
    if address > MAX_ADDRESS:
        status, reason = 414, "URI Too Long"
    elif address + headers > MAX_ADDRESS:
        status, reason = 431, "Request Header Fields Too Large"
    else:
        return None
    page = f"<h1>Bad Message {status}</h1><pre>reason: {reason}</pre>"
    return Response(page, status, media_type="text/html;charset=iso-8859-1")


def _response(state: State, reply: Reply) -> Response:
    headers = {
        "Date": http_date(state.now),
        "Sforce-Limit-Info": f"api-usage={state.usage.used}/{state.usage.limit}",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-cache,must-revalidate,max-age=0,no-store,private",
        **reply.headers,
    }
    if reply.stream is not None:
        return Streamed(reply.stream, reply.status, headers)
    if reply.body is None:
        return Response(None, reply.status, headers)
    content = json.dumps(reply.body, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(content, reply.status, {**headers, "Content-Type": "application/json;charset=UTF-8"})
