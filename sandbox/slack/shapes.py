"""Our records in the shapes that Slack's answers have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.slack.model import Channel, Json, Message, User, View
from sandbox.slack.stamps import SECOND

if TYPE_CHECKING:
    from sandbox.slack.state import SlackState


def user_json(state: SlackState, user: User) -> Json:
    """A user object; `profile.fields` is null, as live recordings show it."""
    first, _, last = user.real_name.partition(" ")
    profile: Json = {
        "title": user.title,
        "phone": "",
        "skype": "",
        "real_name": user.real_name,
        "real_name_normalized": user.real_name,
        "display_name": user.name,
        "display_name_normalized": user.name,
        "fields": None,
        "status_text": "",
        "status_text_canonical": "",
        "status_emoji": "",
        "status_emoji_display_info": [],
        "status_expiration": 0,
        "avatar_hash": "",
        "first_name": first,
        "last_name": last,
        "team": state.team.id,
    }
    if user.email:
        profile["email"] = user.email
    person = {} if user.is_bot else {"is_email_confirmed": not user.deleted}
    return {
        "id": user.id,
        "team_id": state.team.id,
        "name": user.name,
        "deleted": user.deleted,
        "color": "757575",
        "real_name": user.real_name,
        "tz": user.tz,
        "tz_label": user.tz,
        "tz_offset": 0,
        "profile": profile,
        "is_admin": False,
        "is_owner": False,
        "is_primary_owner": False,
        "is_restricted": False,
        "is_ultra_restricted": False,
        "is_bot": user.is_bot,
        "is_app_user": False,
        "updated": 0,
        **person,
    }


def channel_json(state: SlackState, channel: Channel) -> Json:
    """A conversation object as the calling bot sees it."""
    if channel.kind == "im":
        return {
            "id": channel.id,
            "created": channel.created_at // SECOND,
            "is_archived": channel.archived,
            "is_im": True,
            "is_org_shared": False,
            "context_team_id": state.team.id,
            "user": channel.user,
            "is_user_deleted": state.users[channel.user].deleted,
            "priority": 0,
        }
    return {
        "id": channel.id,
        "name": channel.name,
        "is_channel": channel.kind == "channel" and not channel.private,
        "is_group": channel.private,
        "is_im": False,
        "is_mpim": channel.kind == "mpim",
        "is_private": channel.private,
        "created": channel.created_at // SECOND,
        "creator": state.team.bot_user,
        "is_archived": channel.archived,
        "is_general": False,
        "unlinked": 0,
        "name_normalized": channel.name,
        "is_shared": channel.ext_shared,
        "is_org_shared": False,
        "is_ext_shared": channel.ext_shared,
        "is_pending_ext_shared": False,
        "pending_shared": [],
        "pending_connected_team_ids": [],
        "parent_conversation": None,
        "shared_team_ids": [state.team.id],
        "context_team_id": state.team.id,
        "is_member": state.team.bot_user in channel.members,
        "topic": {"value": "", "creator": "", "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0},
        "previous_names": [],
    }


def _author(state: SlackState, message: Message) -> Json:
    author: Json = {"user": message.user, "type": "message", "ts": message.ts}
    if message.bot:
        team = state.team
        author |= {
            "bot_id": team.bot_id,
            "app_id": team.app_id,
            "bot_profile": {
                "id": team.bot_id,
                "deleted": False,
                "name": team.app_name,
                "updated": 0,
                "app_id": team.app_id,
                "icons": {},
                "team_id": team.id,
            },
        }
    return author | {"text": message.text, "team": state.team.id}


def _thread(state: SlackState, message: Message) -> Json:
    """What a message says of the thread it heads or stands in."""
    replies = state.replies(message.channel, message.ts)
    if replies:
        people = list(dict.fromkeys(reply.user for reply in replies))
        return {
            "thread_ts": message.ts,
            "reply_count": len(replies),
            "reply_users_count": len(people),
            "reply_users": people[:5],
            "latest_reply": replies[-1].ts,
            "is_locked": False,
            "subscribed": True,
        }
    if message.thread_ts and message.thread_ts != message.ts:
        parent = state.find(message.channel, message.thread_ts)
        return {"thread_ts": message.thread_ts, "parent_user_id": parent.user if parent else "USLACKBOT"}
    return {}


def message_json(state: SlackState, message: Message, all_metadata: bool = True) -> Json:
    """A message object; without `all_metadata` its metadata is cut to the event type."""
    if message.deleted:
        return {
            "type": "message",
            "subtype": "tombstone",
            "user": "USLACKBOT",
            "hidden": True,
            "text": "This message was deleted.",
            "ts": message.ts,
            **_thread(state, message),
        }
    shape = _author(state, message) | _thread(state, message)
    if message.broadcast:
        shape["subtype"] = "thread_broadcast"
    if message.blocks:
        shape["blocks"] = message.blocks
    if message.attachments:
        shape["attachments"] = message.attachments
    if message.edited_ts:
        shape["edited"] = {"user": message.user, "ts": message.edited_ts}
    if message.metadata:
        shape["metadata"] = message.metadata if all_metadata else {"event_type": message.metadata["event_type"]}
    return shape


def view_json(state: SlackState, view: View, values: Json | None = None) -> Json:
    """A view object, with what stands in its inputs where that is known."""
    body = view.body
    return {
        "id": view.id,
        "team_id": state.team.id,
        "type": view.type,
        "blocks": body.get("blocks", []),
        "private_metadata": body.get("private_metadata", ""),
        "callback_id": body.get("callback_id", ""),
        "external_id": body.get("external_id", ""),
        "state": {"values": values or {}},
        "hash": view.hash,
        "title": body.get("title") or {"type": "plain_text", "text": "View Title", "emoji": True},
        "clear_on_close": bool(body.get("clear_on_close", False)),
        "notify_on_close": bool(body.get("notify_on_close", False)),
        "close": body.get("close"),
        "submit": body.get("submit"),
        "previous_view_id": None,
        "root_view_id": view.id,
        "app_id": state.team.app_id,
        "app_installed_team_id": state.team.id,
        "bot_id": state.team.bot_id,
    }
