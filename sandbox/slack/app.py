"""The imitation Slack as one ASGI app: Web API, Socket Mode, response_url, and the page people see."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from sandbox.slack import page, replies, socket
from sandbox.slack.errors import SlackError
from sandbox.slack.methods import METHODS, Method
from sandbox.slack.model import Json, Token
from sandbox.slack.state import SlackState
from sandbox.slack.wire import Call, authorise, bearer, read_arguments


def app(state: SlackState) -> Starlette:
    """The server of one workspace."""

    async def api(request: Request) -> Response:
        _learn_origin(state, request)
        return await answer(state, request)

    async def link(websocket: WebSocket) -> None:
        await socket.serve(websocket, state)

    async def response_url(request: Request) -> Response:
        return await replies.take(state, request)

    return Starlette(
        routes=[
            Route("/api/{method:path}", api, methods=["GET", "POST"]),
            Route("/actions/{team}/{key}", response_url, methods=["POST"]),
            WebSocketRoute("/link/", link),
            *page.routes(state),
        ]
    )


def _learn_origin(state: SlackState, request: Request) -> None:
    if not state.origin:
        state.origin = f"{request.url.scheme}://{request.url.netloc}"


async def answer(state: SlackState, request: Request) -> Response:
    """One Web API call: errors are HTTP 200 with ok false, but for 429."""
    name = request.path_params["method"].strip("/")
    number = hashlib.sha256(f"{name}:{state.version}:{state.clock.now()}".encode()).hexdigest()[:32]
    headers = {"x-slack-req-id": number, "cache-control": "private, no-cache, no-store, must-revalidate"}
    method = METHODS.get(name)
    token: Token | None = None
    try:
        if method is None:
            raise SlackError("unknown_method")
        args, warnings = await read_arguments(request, method.takes_json)
        with state.lock:
            token = authorise(state.tokens, bearer(request, args), method.kinds, ())
            authorise(state.tokens, token.text, method.kinds, method.scopes)
            state.throttle.call(name, method.tier, state.clock.now(), state.switches.throttled_as)
            body = _succeeded(method.handler(state, Call(name, token, args)), warnings)
    except SlackError as error:
        if error.retry_after is not None and error.status == 429:
            headers["retry-after"] = str(error.retry_after)
        return _json(error.body(), headers | _scopes(token, method), error.status)
    return _json(body, headers | _scopes(token, method))


def _succeeded(body: Json, warnings: list[str]) -> Json:
    answered: Json = {"ok": True, **body}
    if warnings:
        answered["warning"] = ",".join(warnings)
        meta: dict[str, Any] = answered.setdefault("response_metadata", {})
        meta["warnings"] = [*meta.get("warnings", []), *warnings]
    return answered


def _scopes(token: Token | None, method: Method | None) -> dict[str, str]:
    """The scope headers, which an answer to an unknown token does not have."""
    if token is None:
        return {}
    accepted = {"x-accepted-oauth-scopes": ",".join(method.scopes)} if method and method.scopes else {}
    return {"x-oauth-scopes": ",".join(token.scopes)} | accepted


def _json(body: Json, headers: dict[str, str], status: int = 200) -> Response:
    content = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Response(content, status, headers, media_type="application/json; charset=utf-8")
