"""conversations.history and conversations.replies: what was said, as far as it is visible yet."""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.slack.errors import SlackError, missing
from sandbox.slack.methods.places import known_channel, page
from sandbox.slack.model import Json, Message
from sandbox.slack.shapes import message_json
from sandbox.slack.stamps import from_ts
from sandbox.slack.state import SlackState
from sandbox.slack.wire import Call

MOST = 999
RESTRICTED_MOST = 15
FAR = 1 << 62


def history(state: SlackState, call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/conversations.history: top-level messages, newest first."""
    channel = known_channel(state, call)
    if state.team.bot_user not in channel.members:
        raise SlackError("not_in_channel")
    posts = [
        m
        for m in state.posts.get(channel.id, ())
        if (m.thread_ts is None or m.broadcast) and (not m.deleted or state.replies(channel.id, m.ts))
    ]
    seen = _within(state, call, posts)
    if state.switches.history_order == "newest_first":
        seen.reverse()
    latest = {"latest": call.text("latest")} if call.text("latest") else {}
    oldest = {"oldest": call.text("oldest")} if call.text("oldest") else {}
    return {**_answer(state, call, seen), "pin_count": 0, **latest, **oldest}


def replies(state: SlackState, call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/conversations.replies: the parent, then its replies, oldest first."""
    channel = known_channel(state, call)
    if state.team.bot_user not in channel.members:
        raise SlackError("channel_not_found")
    if not call.text("ts"):
        raise missing("ts")
    here = state.posts.get(channel.id, ())
    parent = next((m for m in here if m.ts == call.text("ts")), None)
    if parent is not None and parent.thread_ts:
        parent = next((m for m in here if parent and m.ts == parent.thread_ts), None)
    answers = state.replies(channel.id, parent.ts) if parent else []
    if parent is None or (parent.deleted and not answers) or not _visible(state, parent):
        raise SlackError("thread_not_found")
    return _answer(state, call, [parent, *_within(state, call, answers)])


def _visible(state: SlackState, message: Message) -> bool:
    return message.posted_at + state.switches.visibility_lag_us <= state.clock.now()


def _bound(call: Call, name: str, default: int) -> int:
    text = call.text(name)
    if not text or text == "now":
        return default
    at = from_ts(text)
    if at is None:
        raise SlackError(f"invalid_ts_{name}")
    return at


def _within(state: SlackState, call: Call, messages: Sequence[Message]) -> list[Message]:
    """The visible ones between `oldest` and `latest`; the bounds themselves only with `inclusive`."""
    oldest, latest = _bound(call, "oldest", -1), _bound(call, "latest", FAR)
    if call.flag("inclusive"):
        oldest, latest = oldest - 1, latest + 1
    return [m for m in messages if oldest < m.at < latest and _visible(state, m)]


def _answer(state: SlackState, call: Call, messages: Sequence[Message]) -> Json:
    restricted = state.limits.history_restricted
    most = RESTRICTED_MOST if restricted else MOST
    found, meta = page(messages, call, min(100, most), most, "invalid_cursor")
    whole = call.flag("include_all_metadata")
    more = bool(meta["response_metadata"]["next_cursor"])
    answer: Json = {"messages": [message_json(state, m, whole) for m in found], "has_more": more}
    return answer | (meta if more else {})
