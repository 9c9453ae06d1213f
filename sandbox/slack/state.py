"""The imitation workspace: who is in it, what was said, which tokens open it; the clock is the scenario's."""

from __future__ import annotations

import hashlib
import itertools
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from sandbox.slack import interact
from sandbox.slack.hub import Hub
from sandbox.slack.limits import Throttle
from sandbox.slack.model import (
    BOT_SCOPES,
    Channel,
    Edit,
    Json,
    Limits,
    Message,
    ResponseUrl,
    Switches,
    Team,
    Token,
    Trigger,
    User,
    View,
)
from sandbox.slack.stamps import to_ts


class Clock(Protocol):
    """Scenario time."""

    def now(self) -> int:
        """UTC microseconds."""


class SlackState:
    """Everything the server knows. All access goes through one lock; a change moves `version`, which pages watch."""

    def __init__(self, clock: Clock, team: Team, users: Iterable[User], channels: Iterable[Channel]) -> None:
        self.clock = clock
        self.team = team
        bot = User(team.bot_user, team.app_name, team.app_name, is_bot=True)
        self.users: dict[str, User] = {user.id: user for user in (bot, *users)}
        self.channels: dict[str, Channel] = {channel.id: channel for channel in channels}
        self.posts: dict[str, list[Message]] = {}
        self.ephemerals: list[Message] = []
        self.views: dict[str, View] = {}
        self.triggers: dict[str, Trigger] = {}
        self.response_urls: dict[str, ResponseUrl] = {}
        self.switches = Switches()
        self.limits = Limits()
        self.throttle = Throttle(self.limits)
        self.hub = Hub(team.app_id)
        self.subscriptions: set[str] = set()
        """Event types the app hears of: app_home_opened, message."""
        self.origin = ""
        """http://host:port of the server, learnt from the first request where nobody set it."""
        self.bot_token = f"xoxb-{self.secret('bot')}"
        self.app_token = f"xapp-1-{team.app_id}-{self.secret('app')}"
        self.tokens: dict[str, Token] = {
            self.bot_token: Token(self.bot_token, "bot", BOT_SCOPES),
            self.app_token: Token(self.app_token, "app", ("connections:write",)),
        }
        self.lock = threading.RLock()
        self.version = 0
        self._last: dict[str, int] = {}
        self._numbers = itertools.count(1)

    @property
    def base_url(self) -> str:
        """What a client takes as base_url."""
        return f"{self.origin}/api/"

    @property
    def page_url(self) -> str:
        """What a person opens."""
        return f"{self.origin}/page"

    def secret(self, kind: str) -> str:
        """An opaque word that is the same in every run of the same workspace."""
        return hashlib.sha256(f"{self.team.id}:{kind}".encode()).hexdigest()[:32]

    def opaque(self, prefix: str) -> str:
        """A new id such as V0A1B2C3D4: unique, and the same in every equal run."""
        number = next(self._numbers)
        return prefix + hashlib.sha256(f"{self.team.id}:{prefix}:{number}".encode()).hexdigest()[:10].upper()

    def short_id(self) -> str:
        """A new block or action id of five characters, as Slack gives where the app gave none."""
        return f"{next(self._numbers):05x}"

    def changed(self) -> None:
        """A person's view is out of date."""
        self.version += 1

    def stamp(self, channel: str) -> tuple[int, str]:
        """The next instant and ts of a channel: scenario time, but always after the one before."""
        at = max(self.clock.now(), self._last.get(channel, 0) + 1)
        self._last[channel] = at
        return at, to_ts(at)

    def channel_named(self, name: str) -> Channel | None:
        """A public or private channel by its name, with or without "#"."""
        wanted = name.removeprefix("#")
        return next((c for c in self.channels.values() if c.kind == "channel" and c.name == wanted), None)

    def direct_message(self, users: Sequence[str], create: bool = True) -> tuple[Channel | None, bool]:
        """The conversation of the bot with these people, and whether it was there before."""
        everybody = {self.team.bot_user, *users}
        kind: Json = {"kind": "im", "user": users[0]} if len(users) == 1 else {"kind": "mpim", "user": ""}
        for channel in self.channels.values():
            if channel.kind == kind["kind"] and channel.members == everybody:
                return channel, True
        if not create:
            return None, False
        key = hashlib.sha256(":".join(sorted(everybody)).encode()).hexdigest()[:9].upper()
        prefix = "D0" if len(users) == 1 else "G0"
        name = users[0] if len(users) == 1 else "mpdm-" + "--".join(self.users[u].name for u in users) + "-1"
        channel = Channel(
            prefix + key, name, everybody, self.clock.now(), private=True, kind=kind["kind"], user=kind["user"]
        )
        self.channels[channel.id] = channel
        self.changed()
        return channel, False

    def add(self, message: Message) -> Message:
        """Keep a message; an ephemeral one is kept apart."""
        message.posted_at = self.clock.now()
        (self.ephemerals if message.ephemeral_for else self.posts.setdefault(message.channel, [])).append(message)
        self.changed()
        return message

    def edit(self, message: Message, **now: object) -> None:
        """Replace what a message says, keep what it said, stamp it edited."""
        at = self.clock.now()
        message.history.append(Edit(at, message.text, list(message.blocks), message.metadata))
        for name, value in now.items():
            setattr(message, name, value)
        previous = message.edited_at or message.at
        message.edited_at = max(at, previous + 1)
        message.edited_ts = to_ts(message.edited_at)
        self.changed()

    def find(self, channel: str, ts: str) -> Message | None:
        """The message with this ts, deleted ones and ephemeral ones left out."""
        return next((m for m in self.posts.get(channel, ()) if m.ts == ts and not m.deleted), None)

    def replies(self, channel: str, ts: str) -> list[Message]:
        """What stands in the thread under a message, oldest first, without the message itself."""
        return [m for m in self.posts.get(channel, ()) if m.thread_ts == ts and m.ts != ts and not m.deleted]

    def messages(self) -> list[Json]:
        """Every message ever posted, ephemeral and deleted ones too, in order of posting, for GET /slack/messages."""
        with self.lock:
            everything = [m for posts in self.posts.values() for m in posts] + self.ephemerals
            return [self._told(m) for m in sorted(everything, key=lambda m: (m.at, m.channel))]

    def _told(self, m: Message) -> Json:
        channel = self.channels.get(m.channel)
        return {
            "channel": m.channel,
            "channel_name": channel.name if channel else "",
            "channel_user": channel.user if channel else "",
            "ts": m.ts,
            "at": m.at,
            "user": m.user,
            "bot": m.bot,
            "text": m.text,
            "blocks": m.blocks,
            "metadata": m.metadata,
            "thread_ts": m.thread_ts,
            "edited": m.edited_at,
            "deleted": m.deleted,
            "ephemeral_for": m.ephemeral_for,
            "options": dict(m.options),
            "history": [
                {"at": e.at, "text": e.text, "blocks": list(e.blocks), "metadata": e.metadata} for e in m.history
            ],
        }

    def click(
        self,
        user: str,
        channel: str,
        ts: str,
        action_id: str,
        value: str | None = None,
        *,
        block_id: str | None = None,
        values: Mapping[str, Mapping[str, Json]] | None = None,
    ) -> str:
        """A person uses a button, menu or date picker of a message; see `interact.click`."""
        return interact.click(self, user, channel, ts, action_id, value=value, block_id=block_id, values=values)

    def submit(self, user: str, view_id: str, values: Mapping[str, Mapping[str, Json]]) -> str:
        """A person submits a modal; see `interact.submit`."""
        return interact.submit(self, user, view_id, values)

    def slash(self, user: str, channel: str, line: str) -> str:
        """A person sends "/command text"; see `interact.slash`."""
        return interact.slash(self, user, channel, line)

    def say(self, user: str, channel: str, text: str, thread_ts: str | None = None) -> Message:
        """A person writes a message; see `interact.say`."""
        return interact.say(self, user, channel, text, thread_ts)
