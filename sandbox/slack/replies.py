"""The response_url: where an app answers an interaction without a token, five times within thirty minutes."""

from __future__ import annotations

import json

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.slack import interact
from sandbox.slack.content import read_blocks
from sandbox.slack.errors import SlackError
from sandbox.slack.model import Json, Message, ResponseUrl
from sandbox.slack.stamps import SECOND
from sandbox.slack.state import SlackState

USES = 5
LIFE_US = 1800 * SECOND


async def take(state: SlackState, request: Request) -> Response:
    """Take one reply; a wrong, spent or old address is 404, a bad message 400 or 200 with ok false."""
    raw = await request.body()
    try:
        answer = json.loads(raw)
    except ValueError:
        return Response("invalid_payload", 400)
    if not isinstance(answer, dict):
        return Response("invalid_payload", 400)
    with state.lock:
        place = state.response_urls.get(request.path_params["key"])
        if place is None or request.path_params["team"] != state.team.id:
            return JSONResponse({"ok": False, "error": "invalid_url"}, 404)
        if state.clock.now() - place.at > LIFE_US:
            return JSONResponse({"ok": False, "error": "expired_url"}, 404)
        if place.uses >= USES:
            return JSONResponse({"ok": False, "error": "used_url"}, 404)
        try:
            _apply(state, place, answer)
        except SlackError as error:
            return JSONResponse(error.body(), 200)
        place.uses += 1
    return JSONResponse({"ok": True})


def _apply(state: SlackState, place: ResponseUrl, answer: Json) -> None:
    source = _source(state, place)
    if answer.get("delete_original"):
        if source is None:
            raise SlackError("no_text")
        source.deleted = True
        state.changed()
        return
    blocks = read_blocks(state, answer.get("blocks"))
    if not answer.get("text") and not blocks:
        raise SlackError("no_text")
    if answer.get("replace_original") and source is not None:
        state.edit(source, text=str(answer.get("text") or ""), blocks=blocks or [])
        return
    thread = answer.get("thread_ts") or (source.thread_ts if source and source.thread_ts else None)
    interact.respond(state, place.channel, place.user, answer | {"blocks": blocks or []}, thread)


def _source(state: SlackState, place: ResponseUrl) -> Message | None:
    if place.ts is None:
        return None
    return state.find(place.channel, place.ts) or next(
        (m for m in state.ephemerals if m.ts == place.ts and m.channel == place.channel and not m.deleted), None
    )
