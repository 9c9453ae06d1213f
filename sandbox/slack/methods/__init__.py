"""The Web API methods of the imitation, in one table: handler, rate tier, scopes, token kinds, JSON body or not.

Tiers, scopes and JSON support are those of the vendor's reference pages (docs.slack.dev/reference/methods).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sandbox.slack.methods import apps, chat, conversations, history, users, views
from sandbox.slack.model import Json
from sandbox.slack.state import SlackState
from sandbox.slack.wire import Call

Handler = Callable[[SlackState, Call], Json]

WRITE = ("chat:write",)
READ = ("channels:read", "groups:read", "im:read", "mpim:read")
HISTORY = ("channels:history", "groups:history", "im:history", "mpim:history")
OPEN = ("channels:manage", "groups:write", "im:write", "mpim:write")


@dataclass(frozen=True, slots=True)
class Method:
    """One Web API method; `tier` t1 to t4 are calls per minute, others are not limited by count."""

    handler: Handler
    tier: str
    scopes: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ("bot", "user")
    takes_json: bool = True


METHODS: dict[str, Method] = {
    "apps.connections.open": Method(apps.connections_open, "t3", ("connections:write",), ("app",)),
    "auth.test": Method(apps.auth_test, "special", (), ("bot", "user", "app")),
    "chat.delete": Method(chat.delete, "t3", WRITE),
    "chat.getPermalink": Method(chat.get_permalink, "special", takes_json=False),
    "chat.postEphemeral": Method(chat.post_ephemeral, "t4", WRITE),
    "chat.postMessage": Method(chat.post_message, "special", WRITE),
    "chat.update": Method(chat.update, "t3", WRITE),
    "conversations.history": Method(history.history, "t3", HISTORY),
    "conversations.info": Method(conversations.info, "t3", READ, takes_json=False),
    "conversations.join": Method(conversations.join, "t3", ("channels:join",)),
    "conversations.list": Method(conversations.list_, "t2", READ, takes_json=False),
    "conversations.members": Method(conversations.members, "t4", READ, takes_json=False),
    "conversations.open": Method(conversations.open_, "t3", OPEN),
    "conversations.replies": Method(history.replies, "t3", HISTORY, takes_json=False),
    "users.info": Method(users.info, "t4", ("users:read",), takes_json=False),
    "users.list": Method(users.list_, "t2", ("users:read",), takes_json=False),
    "users.lookupByEmail": Method(users.lookup_by_email, "t3", ("users:read.email",), takes_json=False),
    "views.open": Method(views.open_, "t4"),
    "views.publish": Method(views.publish, "t4"),
    "views.update": Method(views.update, "t4"),
}
