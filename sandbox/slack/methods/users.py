"""users.info, users.list, users.lookupByEmail."""

from __future__ import annotations

from sandbox.slack.errors import SlackError
from sandbox.slack.methods.places import page
from sandbox.slack.model import Json
from sandbox.slack.shapes import user_json
from sandbox.slack.state import SlackState
from sandbox.slack.wire import Call


def info(state: SlackState, call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/users.info."""
    user = state.users.get(call.text("user"))
    if user is None:
        raise SlackError("user_not_found")
    return {"user": user_json(state, user)}


def list_(state: SlackState, call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/users.list; deactivated people are in it."""
    found, meta = page(sorted(state.users.values(), key=lambda u: u.id), call, 1000, 1000, "invalid_cursor")
    return {"members": [user_json(state, user) for user in found], "cache_ts": 0, **meta}


def lookup_by_email(state: SlackState, call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/users.lookupByEmail; deactivated people are not found."""
    wanted = call.text("email").strip().lower()
    for user in state.users.values():
        if wanted and user.email and user.email.lower() == wanted and not user.deleted:
            return {"user": user_json(state, user)}
    raise SlackError("users_not_found")
