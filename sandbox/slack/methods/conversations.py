"""conversations.open, info, join, list, members."""

from __future__ import annotations

from sandbox.slack.errors import SlackError
from sandbox.slack.methods.places import known_channel, page
from sandbox.slack.model import Channel, Json
from sandbox.slack.shapes import channel_json
from sandbox.slack.state import SlackState
from sandbox.slack.wire import Call

TYPES = ("public_channel", "private_channel", "mpim", "im")
MOST_PEOPLE = 8


def open_(state: SlackState, call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/conversations.open; one person gives a D..., several a G...."""
    if call.text("channel"):
        channel = known_channel(state, call)
        if channel.kind == "channel":
            raise SlackError("method_not_supported_for_channel_type")
        return _opened(state, call, channel, already=True)
    users = [user.strip() for user in call.text("users").split(",") if user.strip()]
    if not users:
        raise SlackError("users_list_not_supplied")
    if len(users) > MOST_PEOPLE:
        raise SlackError("too_many_users")
    for user in users:
        known = state.users.get(user)
        if known is None:
            raise SlackError("user_not_found")
        if known.deleted:
            raise SlackError("user_disabled")
    if state.team.bot_user in users:
        raise SlackError("invalid_user_combination")
    found, already = state.direct_message(users, create=not call.flag("prevent_creation"))
    if found is None:
        raise SlackError("channel_not_found")
    return _opened(state, call, found, already)


def _opened(state: SlackState, call: Call, channel: Channel, already: bool) -> Json:
    whole = call.flag("return_im")
    shape = channel_json(state, channel) if whole else {"id": channel.id}
    shape.pop("is_user_deleted", None)
    answer: Json = {"channel": shape}
    return ({"no_op": True, "already_open": True} | answer) if already else answer


def info(state: SlackState, call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/conversations.info."""
    channel = known_channel(state, call)
    shape = channel_json(state, channel)
    if call.flag("include_num_members") and channel.kind != "im":
        shape["num_members"] = len(channel.members)
    return {"channel": shape}


def join(state: SlackState, call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/conversations.join; joining twice is a warning."""
    channel = known_channel(state, call)
    if channel.archived:
        raise SlackError("is_archived")
    if channel.private:
        raise SlackError("method_not_supported_for_channel_type")
    already = state.team.bot_user in channel.members
    channel.members.add(state.team.bot_user)
    answer: Json = {"channel": channel_json(state, channel)}
    if already:
        answer |= {"warning": "already_in_channel", "response_metadata": {"warnings": ["already_in_channel"]}}
    return answer


def _type(channel: Channel) -> str:
    if channel.kind != "channel":
        return channel.kind
    return "private_channel" if channel.private else "public_channel"


def list_(state: SlackState, call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/conversations.list; public channels unless `types` says more."""
    types = [t.strip() for t in call.text("types", "public_channel").split(",")]
    if not set(types) <= set(TYPES):
        raise SlackError("invalid_types")
    bot = state.team.bot_user
    listed = [
        channel
        for channel in sorted(state.channels.values(), key=lambda c: c.id)
        if _type(channel) in types
        and (not channel.private or bot in channel.members)
        and not (channel.archived and call.flag("exclude_archived"))
    ]
    found, meta = page(listed, call, 100, 1000, "invalid_limit")
    shapes = [channel_json(state, c) | ({} if c.kind == "im" else {"num_members": len(c.members)}) for c in found]
    return {"channels": shapes, **meta}


def members(state: SlackState, call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/conversations.members."""
    channel = known_channel(state, call)
    found, meta = page(sorted(channel.members), call, 100, 1000, "invalid_limit")
    return {"members": list(found), **meta}
