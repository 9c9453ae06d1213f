"""The page: what a person of the workspace sees and may do, drawn from the state as it is now."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from sandbox.slack import interact
from sandbox.slack.model import Json
from sandbox.slack.mrkdwn import mrkdwn, plain
from sandbox.slack.payloads import NotThere
from sandbox.slack.screen import Screen, draw, people
from sandbox.slack.state import SlackState

COST = "sandbox.cost"
"""Scope key of the request log: what people do on the page is no API call."""

HERE = Path(__file__).parent
STATIC = {"page.js": "text/javascript", "page.css": "text/css"}
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "form-action 'self'; img-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    "cache-control": "no-store",
}

Handler = Callable[[Request], Awaitable[Response]]


def environment() -> Environment:
    """Jinja with everything escaped, whatever the file is called."""
    env = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters["plain"] = plain
    env.globals["mrkdwn"] = mrkdwn
    return env


def routes(state: SlackState) -> list[Route]:
    """The page, its parts for live refresh, its two static files, and what a person does on it."""
    env = environment()

    def render(template: str, screen: Screen) -> str:
        return env.get_template(template).render(s=screen)

    async def page(request: Request) -> Response:
        request.scope[COST] = 0
        with state.lock:
            screen = draw(state, request.query_params)
            return HTMLResponse(render("page.html", screen), headers=HEADERS)

    async def parts(request: Request) -> Response:
        request.scope[COST] = 0
        with state.lock:
            version = f"{state.version}:{state.clock.now()}"
            if request.query_params.get("since") == version:
                return Response(status_code=204)
            screen = draw(state, request.query_params)
            found: Json = {"version": version, "view": f"{screen.view_key}"}
            found |= {name: render(f"_{name}.html", screen) for name in ("side", "main", "modal")}
        return JSONResponse(found, headers=HEADERS)

    async def static(request: Request) -> Response:
        request.scope[COST] = 0
        name = request.path_params["name"]
        if name not in STATIC:
            return Response(status_code=404)
        return Response((HERE / "static" / name).read_bytes(), media_type=STATIC[name], headers=HEADERS)

    async def home(_request: Request) -> Response:
        return RedirectResponse("/page")

    return [
        Route("/", home),
        Route("/page", page),
        Route("/page/parts", parts),
        Route("/page/static/{name}", static),
        Route("/page/do", _doing(state), methods=["POST"]),
    ]


def _doing(state: SlackState) -> Handler:
    async def do(request: Request) -> Response:
        """A person's deed as JSON; only this page may send one (a foreign form cannot send this content type)."""
        request.scope[COST] = 0
        if request.headers.get("content-type") != "application/json":
            return JSONResponse({"error": "send JSON"}, 415)
        deed: dict[str, Any] = json.loads(await request.body())
        if deed.get("user") not in {person.id for person in people(state)}:
            return JSONResponse({"error": "no such person"}, 404)
        try:
            _act(state, deed)
        except NotThere as error:
            return JSONResponse({"error": str(error)}, 404)
        except (KeyError, TypeError):
            return JSONResponse({"error": "incomplete"}, 400)
        return JSONResponse({})

    return do


def _act(state: SlackState, deed: Json) -> None:
    user, what = str(deed["user"]), deed["do"]
    if what == "click" and deed.get("view"):
        interact.click_view(
            state, user, deed["view"], deed["action_id"], value=deed.get("value"), values=deed.get("values")
        )
    elif what == "click":
        state.click(
            user,
            deed["channel"],
            deed["ts"],
            deed["action_id"],
            deed.get("value"),
            block_id=deed.get("block_id"),
            values=deed.get("values"),
        )
    elif what == "submit":
        state.submit(user, deed["view"], deed["values"])
    elif what == "close":
        interact.close_view(state, user, deed["view"])
    elif what == "dismiss":
        _dismiss(state, user, deed["ts"])
    elif what == "home":
        interact.open_home(state, user)
    elif what == "write" and str(deed["text"]).startswith("/"):
        state.slash(user, deed["channel"], deed["text"])
    elif what == "write" and str(deed["text"]).strip():
        state.say(user, deed["channel"], _typed(deed["text"]), deed.get("thread"))
    else:
        raise KeyError(what)


def _typed(text: str) -> str:
    """What a person types is text: Slack's own client escapes it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _dismiss(state: SlackState, user: str, ts: str) -> None:
    with state.lock:
        for message in state.ephemerals:
            if message.ts == ts and message.ephemeral_for == user:
                message.deleted = True
        state.changed()
