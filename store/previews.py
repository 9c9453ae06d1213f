"""What a preview reads from its throw-away store: the CSMs, and the messages that belong to one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select

from store.tables import alerts, conversations, deliveries, facts, interactions, members, settings, told, transitions


@dataclass(frozen=True, slots=True)
class Member:
    """One of our people who is CSM of a customer."""

    key: str
    name: str
    email: str | None


@dataclass(frozen=True, slots=True)
class Queued:
    """One queued message. `mine`: it is about an account of the CSM asked for."""

    kind: str
    body: str
    mine: bool


def csms(connection: Connection) -> Sequence[Member]:
    """Everybody who is CSM of a customer, by name."""
    statement = (
        select(members.c.key, members.c.name, members.c.email)
        .where(members.c.key.in_(select(facts.c.csm).where(facts.c.csm.is_not(None))))
        .order_by(members.c.name, members.c.key)
    )
    return [Member(*row) for row in connection.execute(statement)]


def messages(connection: Connection, csm: str) -> Sequence[Queued]:
    """Every queued message to CSMs in its order."""
    statement = (
        select(deliveries.c.kind, deliveries.c.body, facts.c.csm)
        .outerjoin(conversations, conversations.c.id == deliveries.c.conversation_id)
        .outerjoin(facts, facts.c.account_id == conversations.c.account_id)
        .where(deliveries.c.kind != "operators", deliveries.c.state != "superseded")
        .order_by(deliveries.c.seq)
    )
    return [Queued(kind, body, owner == csm) for kind, body, owner in connection.execute(statement)]


def forget_alerts(connection: Connection) -> None:
    """Let the next evaluation be the first one: what was told before is not in a preview's way."""
    for table in (told, transitions, deliveries, interactions, alerts, conversations):
        connection.execute(delete(table))
    connection.execute(delete(settings).where(settings.c.name.startswith("alerting:")))
