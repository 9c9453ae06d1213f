"""The demo's workspace: a user for every teammate, the alert and the operator channel, the app in both."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from sandbox.slack.model import Channel, Team, User
from sandbox.slack.state import Clock, SlackState

ALERTS, OPERATORS = "customer-alerts", "tierd-operators"


@dataclass(frozen=True, slots=True)
class Person:
    """A teammate to be given a Slack user; `title` is shown beside the name."""

    email: str
    name: str
    title: str = ""


def user_id(email: str) -> str:
    """The Slack id of the person with this address, the same in every run."""
    return "U0" + hashlib.sha256(email.strip().lower().encode()).hexdigest()[:9].upper()


def build(clock: Clock, people: Iterable[Person], team: Team | None = None) -> SlackState:
    """A workspace in which everybody and the bot are in both channels; see `channel_ids`."""
    team = team or Team()
    users = [User(user_id(p.email), _handle(p.email), p.name, p.email, title=p.title) for p in people]
    everybody = {team.bot_user, *(user.id for user in users)}
    channels = [Channel(channel_id(name), name, set(everybody), clock.now()) for name in (ALERTS, OPERATORS)]
    return SlackState(clock, team, users, channels)


def channel_id(name: str) -> str:
    """The id of a channel of the demo, the same in every run."""
    return "C0" + hashlib.sha256(name.encode()).hexdigest()[:9].upper()


def channel_ids() -> dict[str, str]:
    """`{"alerts": "C...", "operators": "C..."}` as the sandbox's JSON line tells them."""
    return {"alerts": channel_id(ALERTS), "operators": channel_id(OPERATORS)}


def _handle(email: str) -> str:
    local = unicodedata.normalize("NFKD", email.partition("@")[0]).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9._-]", "", local.lower()) or "person"
