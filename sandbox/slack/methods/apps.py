"""auth.test and apps.connections.open: who am I, and where do I listen."""

from __future__ import annotations

from sandbox.slack.model import Json
from sandbox.slack.state import SlackState
from sandbox.slack.wire import Call


def auth_test(state: SlackState, call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/auth.test; an app-level token is told of its app only."""
    team = state.team
    if call.token.kind == "app":
        return {"app_name": team.app_name, "app_id": team.app_id}
    return {
        "url": f"https://{team.domain}.slack.com/",
        "team": team.name,
        "user": team.app_name,
        "team_id": team.id,
        "user_id": team.bot_user,
        "bot_id": team.bot_id,
        "is_enterprise_install": False,
    }


def connections_open(state: SlackState, _call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/apps.connections.open; the address opens one socket, once."""
    origin = state.origin.replace("http://", "ws://", 1)
    return {"url": f"{origin}/link/?ticket={state.hub.new_ticket()}&app_id={state.team.app_id}"}
