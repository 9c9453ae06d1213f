"""What a Slack workspace holds, as plain data: people, conversations, messages, views, tokens.

Instants are scenario time in UTC microseconds; `ts` is Slack's own text stamp, seconds with six decimals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]

BOT_SCOPES = (
    "channels:history",
    "channels:join",
    "channels:read",
    "chat:write",
    "commands",
    "groups:history",
    "groups:read",
    "im:history",
    "im:read",
    "im:write",
    "mpim:write",
    "users:read",
    "users:read.email",
)


@dataclass(frozen=True, slots=True)
class Team:
    """The workspace and the one app that is installed in it."""

    id: str = "T0TIERD001"
    name: str = "Tierd Demo"
    domain: str = "tierd-demo"
    app_id: str = "A0TIERD001"
    app_name: str = "tierd"
    bot_id: str = "B0TIERD001"
    bot_user: str = "U0TIERDBOT"


@dataclass(frozen=True, slots=True)
class User:
    """A person (or the bot's user) of the workspace."""

    id: str
    name: str
    """Handle, without spaces."""
    real_name: str
    email: str | None = None
    tz: str = "Etc/UTC"
    deleted: bool = False
    is_bot: bool = False
    title: str = ""


@dataclass(slots=True)
class Channel:
    """A public or private channel (C...), a direct message (D...) or a group one (G...)."""

    id: str
    name: str
    members: set[str] = field(default_factory=set)
    created_at: int = 0
    private: bool = False
    archived: bool = False
    kind: Literal["channel", "im", "mpim"] = "channel"
    user: str = ""
    """The person at the other end of a direct message."""
    restriction: str = ""
    """An error code that every post meets, for example restricted_action_read_only_channel."""
    ext_shared: bool = False


@dataclass(frozen=True, slots=True)
class Edit:
    """What a message said before one of its edits, and when that edit was made."""

    at: int
    text: str
    blocks: Sequence[Json]
    metadata: Json | None


@dataclass(slots=True)
class Message:
    """One message as the workspace keeps it."""

    channel: str
    ts: str
    at: int
    user: str
    text: str
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    metadata: Json | None = None
    thread_ts: str | None = None
    broadcast: bool = False
    bot: bool = True
    edited_at: int | None = None
    edited_ts: str | None = None
    deleted: bool = False
    history: list[Edit] = field(default_factory=list)
    posted_at: int = 0
    """Scenario time of the call; `at` runs ahead of it where the clock stood still."""
    ephemeral_for: str | None = None
    """The only person who sees it; such a message is in no history."""
    options: Mapping[str, object] = field(default_factory=dict)
    """What the caller asked for: unfurl_links, unfurl_media, parse, link_names, mrkdwn."""


@dataclass(slots=True)
class View:
    """A modal or an App Home as one person has it open."""

    id: str
    user: str
    type: Literal["modal", "home"]
    body: Json
    hash: str
    trouble: str = ""
    """What the person reads when the app did not answer or refused the submission."""
    errors: dict[str, str] = field(default_factory=dict)
    """block_id -> text, as the app's `response_action: errors` gave them."""
    submitting: bool = False


@dataclass(slots=True)
class Token:
    """A bot (xoxb-), user (xoxp-) or app-level (xapp-) token; `trouble` is the error its every use meets."""

    text: str
    kind: Literal["bot", "user", "app"]
    scopes: tuple[str, ...]
    trouble: str = ""


@dataclass(slots=True)
class Trigger:
    """What lets the app open one modal for one person, for a few seconds of real time."""

    user: str
    at: float
    """Real seconds on the monotonic clock."""
    used: bool = False


@dataclass(slots=True)
class ResponseUrl:
    """A reply address handed out with an interaction: five uses within thirty minutes."""

    channel: str
    user: str
    ts: str | None
    at: int
    uses: int = 0


@dataclass(slots=True)
class Switches:
    """Behaviour of Slack that is not known for certain, or that a test wants otherwise; the strict side is the default."""

    long_text: Literal["msg_too_long", "split", "pass"] = "msg_too_long"
    """`text` above 4,000 characters: refused, posted in several messages, or taken as it is."""
    update_without_blocks: Literal["keep", "drop"] = "keep"
    """A chat.update with text and no `blocks`: the old blocks stay, or go."""
    history_order: Literal["newest_first", "oldest_first"] = "newest_first"
    visibility_lag_us: int = 0
    """A new message is in history and replies only after this much scenario time."""
    blocks_text_limit: int = 12_000
    """All block text of a message; refusals were seen at 13,200, the vendor names no number."""
    metadata_limit: int = 4_000
    """Characters of the metadata as JSON; the vendor names no number."""
    text_units: Literal["code_points", "utf16"] = "code_points"
    trigger_seconds: float = 3.0
    """Real seconds for which a trigger_id is good: like the ack, a budget of the app's process, not of the scenario."""
    edit_window_us: int | None = None
    """After this age chat.update answers edit_window_closed; None is never."""
    throttled_as: Literal["429", "ratelimited", "rate_limited"] = "429"
    """The usual 429, or a 200 with that error code."""


@dataclass(slots=True)
class Limits:
    """Rate limits on the scenario clock."""

    enforced: bool = True
    post_per_second: float = 1.0
    post_burst: int = 3
    workspace_per_minute: int | None = None
    """Ceiling over all channels; the vendor says "several hundred", so it is off."""
    tiers: bool = True
    history_restricted: bool = False
    """1 history call a minute and 15 messages a page, as for commercially distributed apps."""
    per_minute: Mapping[str, int] = field(default_factory=lambda: {"t1": 1, "t2": 20, "t3": 50, "t4": 100})
