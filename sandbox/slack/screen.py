"""One person's screen as data: conversations at the left, messages with their threads, the open modal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sandbox.slack.model import Channel, Json, Message, User, View
from sandbox.slack.state import SlackState

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SHOWN = 200
"""Top-level messages on one screen, the newest ones."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A conversation at the left."""

    id: str
    name: str
    sign: str
    count: int
    """Messages in it, replies too."""


@dataclass(frozen=True, slots=True)
class Line:
    """A message as a reader sees it."""

    ts: str
    channel: str
    thread: str
    author: str
    initials: str
    bot: bool
    day: str
    time: str
    text: str
    blocks: list[Json]
    edited: str
    private: bool
    deleted: bool
    replies: list[Line] = field(default_factory=list)


@dataclass(slots=True)
class Screen:
    """Everything the templates need."""

    team: str
    app: str
    me: User
    people: list[User]
    places: list[Entry]
    here: Entry
    now: str
    names: dict[str, str]
    lines: list[Line]
    thread: str
    version: str
    home: View | None
    view: View | None
    hidden: int

    @property
    def view_key(self) -> str:
        """Changes when the modal must be drawn anew."""
        if self.view is None:
            return ""
        errors = ",".join(f"{k}={v}" for k, v in self.view.errors.items())
        return f"{self.view.id}:{self.view.hash}:{self.view.submitting}:{self.view.trouble}:{errors}"


def people(state: SlackState) -> list[User]:
    """Whom one can act as: living people, by name."""
    return sorted((u for u in state.users.values() if not u.is_bot and not u.deleted), key=lambda u: u.real_name)


def draw(state: SlackState, query: Mapping[str, str]) -> Screen:
    """The screen that `user`, `channel` and `thread` of the query ask for; hold the state's lock."""
    everybody = people(state)
    me = next((u for u in everybody if u.id == query.get("user")), everybody[0])
    places = _places(state, me)
    here = next((p for p in places if p.id == query.get("channel")), places[0])
    names = {u.id: u.real_name for u in state.users.values()} | {c.id: c.name for c in state.channels.values()}
    lines, hidden = _lines(state, here.id, me)
    mine = [v for v in state.views.values() if v.user == me.id]
    return Screen(
        state.team.name,
        state.team.app_name,
        me,
        everybody,
        places,
        here,
        _moment(state.clock.now(), "%A %-d %B %Y, %H:%M UTC"),
        names,
        lines,
        query.get("thread", ""),
        f"{state.version}:{state.clock.now()}",
        next((v for v in mine if v.type == "home"), None) if here.id == "home" else None,
        next((v for v in reversed(mine) if v.type == "modal"), None),
        hidden,
    )


def _places(state: SlackState, me: User) -> list[Entry]:
    mine = [c for c in state.channels.values() if me.id in c.members and not c.archived]
    channels = sorted((c for c in mine if c.kind == "channel"), key=lambda c: c.name)
    direct = sorted((c for c in mine if c.kind != "channel"), key=lambda c: c.id)
    entries = [_entry(state, c, me) for c in (*channels, *direct)]
    if any(v.type == "home" and v.user == me.id for v in state.views.values()):
        entries.append(Entry("home", f"{state.team.app_name}-home", "⌂", 0))
    return entries or [Entry("", "nothing here", "", 0)]


def _entry(state: SlackState, channel: Channel, me: User) -> Entry:
    count = sum(not m.deleted for m in state.posts.get(channel.id, ()))
    if channel.kind == "channel":
        return Entry(channel.id, channel.name, "#", count)
    others = sorted(channel.members - {me.id})
    return Entry(channel.id, ", ".join(state.users[u].real_name for u in others), "●", count)


def _lines(state: SlackState, channel: str, me: User) -> tuple[list[Line], int]:
    posts = state.posts.get(channel, [])
    private = [m for m in state.ephemerals if m.channel == channel and m.ephemeral_for == me.id and not m.deleted]
    threads: dict[str, list[Message]] = {}
    for message in sorted((*posts, *private), key=lambda m: m.at):
        if message.thread_ts and message.thread_ts != message.ts and not message.deleted:
            threads.setdefault(message.thread_ts, []).append(message)
    top = [
        m
        for m in sorted((*posts, *private), key=lambda m: m.at)
        if m.thread_ts in (None, m.ts) and (not m.deleted or m.ts in threads)
    ]
    shown = top[-SHOWN:]
    return [_line(state, m, threads.get(m.ts, ())) for m in shown], len(top) - len(shown)


def _line(state: SlackState, message: Message, replies: Iterable[Message]) -> Line:
    author = state.users.get(message.user)
    name = author.real_name if author else "Slack"
    return Line(
        message.ts,
        message.channel,
        message.thread_ts or message.ts,
        name,
        "".join(part[0] for part in name.split()[:2]).upper(),
        message.bot,
        _moment(message.at, "%A %-d %B %Y"),
        _moment(message.at, "%H:%M"),
        message.text,
        message.blocks,
        _moment(message.edited_at, "%A %-d %B %Y, %H:%M UTC") if message.edited_at else "",
        message.ephemeral_for is not None,
        message.deleted,
        [_line(state, reply, ()) for reply in replies],
    )


def _moment(at: int, form: str) -> str:
    return (EPOCH + timedelta(microseconds=at)).strftime(form)
