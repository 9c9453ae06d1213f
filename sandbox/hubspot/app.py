"""The HubSpot API as a Starlette app: paths, authentication, rate buckets, error bodies."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.guard import COST
from sandbox.hubspot import (
    associations,
    errors,
    merging,
    metadata,
    oauth,
    objects,
    pipelines,
    properties,
    schemas,
    upserts,
    writes,
)
from sandbox.hubspot.call import Answer, Call, Handler
from sandbox.hubspot.limits import Ask
from sandbox.hubspot.search import Results, search
from sandbox.hubspot.state import HubSpotState, Token

_VERSIONS = ("2026-03", "2026-09")
_TOKEN_INFO = "/oauth/v2/private-apps/get/access-token-info"
_UNDATED = ("v3", "v4")
_TOO_MANY = 429
_JSON = "application/json;charset=utf-8"
_SEARCH = re.compile(r"/search$")
_BEARER = re.compile(r"Bearer (\S+)", re.IGNORECASE)


def app(state: HubSpotState) -> Starlette:
    """The API over one portal."""
    results = Results()

    def find(call: Call) -> Answer:
        return search(call, results)

    routes = [
        Route(path, _Endpoint(state, handler), methods=[method])
        for method, paths, handler in _routes(find)
        for path in paths
    ]
    routes += [
        Route(f"/oauth/{{version}}/{path}", _OAuthEndpoint(state, open_handler), methods=["POST"])
        for path, open_handler in (
            ("token", oauth.token),
            ("token/introspect", oauth.introspect),
            ("token/revoke", oauth.revoke),
        )
    ]
    routes += [
        Route(f"/oauth/{{version}}/{kind}-tokens/{{token}}", _OAuthEndpoint(state, about), methods=["GET"])
        for kind, about in (("access", oauth.about_access), ("refresh", oauth.about_refresh))
    ]
    starlette = Starlette(routes=routes, exception_handlers={404: _missing, 405: _missing})
    starlette.router.redirect_slashes = False
    starlette.add_middleware(_OneSlash)
    return starlette


def _objects(rest: str) -> tuple[str, str]:
    return f"/crm/objects/{{version}}/{{type}}{rest}", f"/crm/{{version}}/objects/{{type}}{rest}"


def _links(rest: str) -> tuple[str, str]:
    ends = "{from_type}/{to_type}"
    return f"/crm/associations/{{version}}/{ends}{rest}", f"/crm/{{version}}/associations/{ends}{rest}"


def _both(area: str, rest: str) -> tuple[str, str]:
    return f"/crm/{area}/{{version}}{rest}", f"/crm/{{version}}/{area}{rest}"


def _schemas(rest: str) -> tuple[str, str]:
    return f"/crm-object-schemas/{{version}}/schemas{rest}", f"/crm/{{version}}/schemas{rest}"


def _routes(find: Handler) -> list[tuple[str, tuple[str, ...], Handler]]:
    one = _objects("/{record_id}")
    linked = _objects("/{record_id}/associations/{to_type}")
    default = _objects("/{record_id}/associations/default/{to_type}/{to_id}")
    return [
        ("POST", _objects("/search"), find),
        ("POST", _objects("/merge"), merging.merge_records),
        ("POST", _objects("/batch/read"), objects.batch_read),
        ("POST", _objects("/batch/create"), writes.batch_create),
        ("POST", _objects("/batch/update"), writes.batch_update),
        ("POST", _objects("/batch/upsert"), upserts.batch_upsert),
        ("POST", _objects("/batch/archive"), writes.batch_archive),
        ("GET", _objects(""), objects.list_records),
        ("POST", _objects(""), writes.create_record),
        ("GET", one, objects.get_record),
        ("PATCH", one, writes.update_record),
        ("DELETE", one, writes.archive_record),
        ("PUT", default, associations.put_default_link),
        ("GET", linked, associations.list_links),
        ("POST", _links("/batch/read"), associations.batch_read_links),
        ("POST", _links("/batch/create"), associations.batch_create_links),
        ("POST", _links("/batch/archive"), associations.batch_archive_links),
        ("GET", _links("/labels"), associations.list_labels),
        ("POST", _links("/labels"), associations.create_label),
        ("GET", _both("properties", "/{type}"), properties.list_properties),
        ("POST", _both("properties", "/{type}"), properties.create_property),
        ("GET", _both("properties", "/{type}/groups"), properties.list_groups),
        ("GET", _both("properties", "/{type}/{property}"), properties.get_property),
        ("PATCH", _both("properties", "/{type}/{property}"), properties.update_property),
        ("DELETE", _both("properties", "/{type}/{property}"), properties.archive_property),
        ("GET", _schemas(""), schemas.list_schemas),
        ("POST", _schemas(""), schemas.create_schema),
        ("GET", _schemas("/{type}"), schemas.get_schema),
        ("GET", _both("pipelines", "/{type}"), pipelines.list_pipelines),
        ("GET", _both("pipelines", "/{type}/{pipeline_id}"), pipelines.get_pipeline),
        ("GET", _both("pipelines", "/{type}/{pipeline_id}/stages"), pipelines.list_stages),
        ("GET", _both("owners", ""), metadata.list_owners),
        ("GET", _both("owners", "/{owner_id}"), metadata.get_owner),
        ("GET", ("/account-info/{version}/details",), metadata.account_details),
        ("GET", ("/account-info/{version}/api-usage/daily/private-apps",), metadata.api_usage),
        ("POST", (_TOKEN_INFO,), metadata.token_info),
    ]


class _Endpoint:
    """Runs one handler: who asks, may they now, and what is answered."""

    def __init__(self, state: HubSpotState, handler: Handler) -> None:
        self._state = state
        self._handler = handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        body = await request.body()
        with self._state.store.lock:
            response = self._answer(request, body)
        await response(scope, receive, send)

    def _answer(self, request: Request, body: bytes) -> Response:
        state = self._state
        headers = {"X-HubSpot-Correlation-Id": state.correlation_id()}
        try:
            version = self._version(request)
            if len(request.url.path) + len(request.url.query) > state.switches.longest_uri:
                raise errors.Refusal(414, "URI Too Long", "VALIDATION_ERROR")
            text, token = self._token(request)
            state.store.catch_up()
            state.purge_expired()
            ask = Ask(_SEARCH.search(request.url.path) is not None, token.oauth)
            try:
                state.buckets.take(state.now, ask)
            finally:
                headers |= state.buckets.headers(state.now, ask)
            call = Call(
                state=state,
                token=token,
                token_text=text,
                path=request.url.path,
                version=version,
                params=request.path_params,
                query=request.query_params,
                body=_parsed(request, body),
            )
            return _response(self._handler(call), headers)
        except errors.Refusal as refusal:
            if refusal.status == _TOO_MANY and state.switches.retry_after is not None:
                headers["Retry-After"] = str(state.switches.retry_after)
            content = refusal.body | {"correlationId": headers["X-HubSpot-Correlation-Id"]}
            return _response(Answer(refusal.status, content), headers)
        except errors.HtmlRefusal as refusal:
            return Response(refusal.body, refusal.status, headers, "text/html;charset=iso-8859-1")

    def _version(self, request: Request) -> str:
        """The version in the path; no version in it (OAuth) reads as undated."""
        version: str = request.path_params.get("version", "v3")
        path = request.url.path
        if path == _TOKEN_INFO:
            # The one path without a dated form that we know of.
            return version
        if path.startswith("/crm/") and path.startswith(f"/crm/{version}/") != (version in _UNDATED):
            raise errors.HtmlRefusal(404, path)
        if version in _VERSIONS or (version in _UNDATED and self._state.switches.legacy_paths):
            return version
        raise errors.HtmlRefusal(404, path)

    def _token(self, request: Request) -> tuple[str, Token]:
        match = _BEARER.fullmatch(request.headers.get("authorization", ""))
        token = self._state.tokens.get(match[1]) if match else None
        if match is None or token is None:
            raise errors.unauthenticated()
        if token.expires_at is not None and token.expires_at <= self._state.now:
            raise errors.expired()
        return match[1], token


class _OAuthEndpoint:
    """Runs one handler that asks for no token, takes nothing from the buckets, and reads a form or the path's token."""

    def __init__(self, state: HubSpotState, handler: Callable[[HubSpotState, oauth.Form], Answer]) -> None:
        self._state = state
        self._handler = handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        scope[COST] = 0
        body = await request.body()
        with self._state.store.lock:
            response = self._answer(request, body)
        await response(scope, receive, send)

    def _answer(self, request: Request, body: bytes) -> Response:
        state = self._state
        headers = {"X-HubSpot-Correlation-Id": state.correlation_id()}
        version: str = request.path_params["version"]
        named: str = request.path_params.get("token", "")
        # A token in the path is v1's way; it ends up in logs, which is why v1 ends.
        if not _serves_oauth(state, version) or (named and version != "v1"):
            page = errors.HtmlRefusal(404, request.url.path)
            return Response(page.body, page.status, headers, "text/html;charset=iso-8859-1")
        fields = dict(parse_qsl(body.decode("utf-8", "replace")))
        if version == "v1":
            fields = dict(request.query_params) | fields
        content_type = request.headers.get("content-type", "").partition(";")[0].strip()
        try:
            return _response(
                self._handler(state, oauth.Form(fields, version, bool(request.url.query), content_type, named)), headers
            )
        except errors.Refusal as refusal:
            content = refusal.body | {"correlationId": headers["X-HubSpot-Correlation-Id"]}
            return _response(Answer(refusal.status, content), headers)


def _serves_oauth(state: HubSpotState, version: str) -> bool:
    if version == "v1":
        return state.switches.oauth_v1
    return version in _VERSIONS or (version == "v3" and state.switches.legacy_paths)


def _parsed(request: Request, body: bytes) -> object:
    if not body:
        return None
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise errors.Refusal(415, "Unsupported Media Type", "VALIDATION_ERROR")
    try:
        return json.loads(body)
    except ValueError as wrong:
        raise errors.invalid(f"Invalid input JSON on line 1, column 1: {wrong}") from wrong


def _response(answer: Answer, headers: dict[str, str]) -> Response:
    every = {**headers, **answer.headers}
    if answer.body is None:
        return Response(None, answer.status, every)
    content = json.dumps(answer.body, ensure_ascii=False, separators=(",", ":"))
    return Response(content, answer.status, every, _JSON)


async def _missing(request: Request, error: Exception) -> Response:
    page = errors.HtmlRefusal(getattr(error, "status_code", 404), request.url.path)
    return Response(page.body, page.status, media_type="text/html;charset=iso-8859-1")


class _OneSlash:
    """Paths mean the same with and without a slash at the end (the kit's owners path has one)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and len(scope["path"]) > 1:
            scope["path"] = scope["path"].rstrip("/")
        await self._app(scope, receive, send)
