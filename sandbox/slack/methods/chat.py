"""chat.*: post, update, delete, permalink, ephemeral."""

from __future__ import annotations

from sandbox.slack.content import TEXT_LIMIT, pieces, read_content
from sandbox.slack.errors import SlackError, missing
from sandbox.slack.methods.places import known_channel, writable_channel
from sandbox.slack.model import Channel, Json, Message
from sandbox.slack.shapes import message_json
from sandbox.slack.state import SlackState
from sandbox.slack.wire import Call

OPTIONS = ("unfurl_links", "unfurl_media", "parse", "link_names", "mrkdwn", "reply_broadcast")

NOT_IN_UPDATES = frozenset(
    [
        "ts",
        "thread_ts",
        "reply_count",
        "reply_users_count",
        "reply_users",
        "latest_reply",
        "is_locked",
        "subscribed",
        "parent_user_id",
    ]
)
"""What no observed answer of chat.update has in its `message`."""


def post_message(state: SlackState, call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/chat.postMessage; one message a second and channel, small bursts."""
    channel = writable_channel(state, call)
    content = read_content(state, call)
    if not (content.text or content.blocks or content.attachments):
        raise SlackError("no_text")
    parts = pieces(state, content.text or "")
    thread = _thread(state, call, channel)
    state.throttle.post(channel.id, state.clock.now(), state.switches.throttled_as)
    posted: list[Message] = []
    for index, text in enumerate(parts):
        at, ts = state.stamp(channel.id)
        first = index == 0
        posted.append(
            state.add(
                Message(
                    channel.id,
                    ts,
                    at,
                    state.team.bot_user,
                    text,
                    blocks=list(content.blocks or []) if first else [],
                    attachments=list(content.attachments or []) if first else [],
                    metadata=(content.metadata or None) if first else None,
                    thread_ts=thread,
                    broadcast=thread is not None and call.flag("reply_broadcast"),
                    options={name: call.args[name] for name in OPTIONS if name in call.args},
                )
            )
        )
    return {"channel": channel.id, "ts": posted[0].ts, "message": message_json(state, posted[0])}


def _thread(state: SlackState, call: Call, channel: Channel) -> str | None:
    """The ts that heads the thread; a reply's own ts leads to its parent."""
    ts = call.text("thread_ts")
    if not ts:
        return None
    parent = state.find(channel.id, ts)
    if parent is None and not state.replies(channel.id, ts):
        raise SlackError("cannot_reply_to_message")
    return parent.thread_ts or ts if parent else ts


def update(state: SlackState, call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/chat.update; metadata stays unless given, `{}` clears it."""
    channel = known_channel(state, call)
    if not call.text("ts"):
        raise missing("ts")
    message = state.find(channel.id, call.text("ts"))
    if message is None:
        raise SlackError("message_not_found")
    if message.user != state.team.bot_user:
        raise SlackError("cant_update_message")
    window = state.switches.edit_window_us
    if window is not None and state.clock.now() - message.at > window:
        raise SlackError("edit_window_closed")
    if channel.archived:
        raise SlackError("is_inactive")
    content = read_content(state, call)
    if content.text is None and content.blocks is None and content.attachments is None:
        raise SlackError("no_text")
    if len(content.text or "") > TEXT_LIMIT:
        raise SlackError("msg_too_long")
    now: Json = {"text": message.text if content.text is None else content.text}
    if content.blocks is not None or state.switches.update_without_blocks == "drop":
        now["blocks"] = content.blocks or []
    if content.attachments is not None:
        now["attachments"] = content.attachments
    if content.metadata is not None:
        now["metadata"] = content.metadata or None
    if not (now["text"] or now.get("blocks", message.blocks) or now.get("attachments", message.attachments)):
        raise SlackError("no_text")
    state.edit(message, **now)
    shape = {name: value for name, value in message_json(state, message).items() if name not in NOT_IN_UPDATES}
    return {"channel": channel.id, "ts": message.ts, "text": message.text, "message": shape}


def delete(state: SlackState, call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/chat.delete; a parent with replies leaves a tombstone."""
    channel = known_channel(state, call)
    if not call.text("ts"):
        raise missing("ts")
    message = state.find(channel.id, call.text("ts"))
    if message is None:
        raise SlackError("message_not_found")
    if message.user != state.team.bot_user:
        raise SlackError("cant_delete_message")
    message.deleted = True
    state.changed()
    return {"channel": channel.id, "ts": message.ts}


def get_permalink(state: SlackState, call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/chat.getPermalink."""
    channel = known_channel(state, call)
    message = state.find(channel.id, call.need("message_ts"))
    if message is None:
        raise SlackError("message_not_found")
    link = f"https://{state.team.domain}.slack.com/archives/{channel.id}/p{message.ts.replace('.', '')}"
    if message.thread_ts and message.thread_ts != message.ts:
        link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}


def post_ephemeral(state: SlackState, call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/chat.postEphemeral; only `user` sees it, no history has it."""
    channel = writable_channel(state, call)
    user = call.need("user")
    if user not in channel.members or state.users[user].deleted:
        raise SlackError("user_not_in_channel")
    content = read_content(state, call)
    if not (content.text or content.blocks or content.attachments):
        raise SlackError("no_text")
    if len(content.text or "") > TEXT_LIMIT:
        raise SlackError("msg_too_long")
    at, ts = state.stamp(channel.id)
    state.add(
        Message(
            channel.id,
            ts,
            at,
            state.team.bot_user,
            content.text or "",
            blocks=content.blocks or [],
            attachments=content.attachments or [],
            thread_ts=_thread(state, call, channel),
            ephemeral_for=user,
        )
    )
    return {"message_ts": ts}
