"""Finding the conversation a call means, and whether the bot may use it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import TypeVar

from sandbox.slack.errors import SlackError
from sandbox.slack.model import Channel, Json
from sandbox.slack.state import SlackState
from sandbox.slack.wire import Call

T = TypeVar("T")


def known_channel(state: SlackState, call: Call, argument: str = "channel") -> Channel:
    """The conversation with this id, if the bot may know of it. Raises SlackError channel_not_found."""
    channel = state.channels.get(call.text(argument))
    if channel is None or (channel.private and state.team.bot_user not in channel.members):
        raise SlackError("channel_not_found")
    return channel


def writable_channel(state: SlackState, call: Call) -> Channel:
    """Where a new message goes: an id, a channel's name, or a person's id for a direct message. Raises SlackError."""
    name = call.text("channel")
    person = state.users.get(name)
    if person is not None:
        if person.deleted or person.is_bot:
            raise SlackError("channel_not_found")
        channel, _ = state.direct_message([name])
    else:
        channel = state.channels.get(name) or state.channel_named(name)
    if channel is None or (channel.private and state.team.bot_user not in channel.members):
        raise SlackError("channel_not_found")
    if channel.archived:
        raise SlackError("is_archived")
    if state.team.bot_user not in channel.members and "chat:write.public" not in call.token.scopes:
        raise SlackError("not_in_channel")
    if channel.restriction:
        raise SlackError(channel.restriction if call.method == "chat.postMessage" else "restricted_action")
    return channel


def page(items: Sequence[T], call: Call, default: int, most: int, bad_limit: str) -> tuple[Sequence[T], Json]:
    """One page of a list by `cursor` and `limit`, and the answer's response_metadata. Raises SlackError invalid_cursor."""
    limit = call.number("limit", default)
    if limit is None or limit < 0 or (limit > most and bad_limit == "invalid_limit"):
        raise SlackError(bad_limit)
    size = min(limit or default, most)
    start = _offset(call.text("cursor"))
    if start > len(items):
        raise SlackError("invalid_cursor")
    following = start + size
    cursor = base64.b64encode(f"next:{following}".encode()).decode() if following < len(items) else ""
    return items[start:following], {"response_metadata": {"next_cursor": cursor}}


def _offset(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        kind, _, number = base64.b64decode(cursor, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise SlackError("invalid_cursor") from None
    if kind != "next" or not number.isdigit():
        raise SlackError("invalid_cursor")
    return int(number)
