"""The outbox: what is to be sent to Slack, who has claimed it, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, and_, case, exists, func, insert, select, update

from store.records import DeliveryRow, Instant
from store.tables import conversations, deliveries, slack_users

LIVE = ("pending", "sending", "uncertain")
_COLUMNS = [deliveries.c[f.name] for f in fields(DeliveryRow)]


def enqueue(connection: Connection, rows: Sequence[DeliveryRow]) -> int:
    """Add rows at the end of the queue and return how many were new; a known id changes nothing.

    An edit replaces the edits of its conversation that nobody has begun to send.
    """
    if not rows:
        return 0
    known = set(connection.scalars(select(deliveries.c.id).where(deliveries.c.id.in_([row.id for row in rows]))))
    seq = connection.scalar(select(func.max(deliveries.c.seq))) or 0
    added = 0
    for row in rows:
        if row.id in known:
            continue
        known.add(row.id)
        if row.op == "update" and row.conversation_id is not None:
            _supersede(connection, row.conversation_id)
        added += 1
        connection.execute(insert(deliveries).values({**asdict(row), "seq": seq + added}))
    return added


def _supersede(connection: Connection, conversation_id: int) -> None:
    older = and_(
        deliveries.c.conversation_id == conversation_id, deliveries.c.op == "update", deliveries.c.state == "pending"
    )
    connection.execute(update(deliveries).where(older).values(state="superseded"))


def _ready_at() -> ColumnElement[int]:
    return case((deliveries.c.state == "sending", deliveries.c.lease_until), else_=deliveries.c.not_before)


def _heads() -> Select[Any]:
    """The first unfinished row of each lane: what is behind it waits."""
    earlier = deliveries.alias("earlier")
    ahead = exists().where(
        earlier.c.lane == deliveries.c.lane, earlier.c.seq < deliveries.c.seq, earlier.c.state.in_(LIVE)
    )
    return select(*_COLUMNS).where(deliveries.c.state.in_(LIVE), ~ahead)


def due(connection: Connection, now: Instant, limit: int) -> list[DeliveryRow]:
    """Heads of lanes that may be sent (pending), looked for (uncertain) or taken over (sending, lease expired) now."""
    rows = connection.execute(_heads().where(_ready_at() <= now).order_by(deliveries.c.seq).limit(limit))
    return [_row(row) for row in rows.mappings()]


def next_due(connection: Connection) -> Instant | None:
    """When the earliest head of a lane becomes due; None = the outbox is empty."""
    ready = _heads().with_only_columns(func.min(_ready_at()))
    return connection.scalar(ready)


def get(connection: Connection, delivery_id: str) -> DeliveryRow | None:
    """One row."""
    row = connection.execute(select(*_COLUMNS).where(deliveries.c.id == delivery_id)).mappings().one_or_none()
    return None if row is None else _row(row)


def claim(connection: Connection, row: DeliveryRow, worker: str, now: Instant, lease_us: int) -> bool:
    """Take one pending row for an attempt; False = somebody else was faster, or it is no longer pending."""
    mine = and_(deliveries.c.id == row.id, deliveries.c.state == "pending")
    result = connection.execute(
        update(deliveries)
        .where(mine)
        .values(
            state="sending",
            attempts=deliveries.c.attempts + 1,
            first_claim_at=func.coalesce(deliveries.c.first_claim_at, now),
            last_try_at=now,
            lease_until=now + lease_us,
            claimed_by=worker,
        )
    )
    return result.rowcount == 1


def change(connection: Connection, row: DeliveryRow, **values: Any) -> bool:
    """Write the outcome of an attempt; False = the row has moved on since it was read (a lost lease)."""
    same = and_(deliveries.c.id == row.id, deliveries.c.state == row.state, deliveries.c.attempts == row.attempts)
    return connection.execute(update(deliveries).where(same).values(**values)).rowcount == 1


def expired(connection: Connection, now: Instant) -> list[DeliveryRow]:
    """Pending rows that have waited too long."""
    over = and_(deliveries.c.state == "pending", deliveries.c.not_after <= now)
    rows = connection.execute(select(*_COLUMNS).where(over).order_by(deliveries.c.seq))
    return [_row(row) for row in rows.mappings()]


def hold_channel(connection: Connection, destination: str | None, until: Instant) -> None:
    """Nothing pending is sent to a destination (None: to any) before `until`."""
    waiting = and_(deliveries.c.state == "pending", deliveries.c.not_before < until)
    if destination is not None:
        waiting = and_(waiting, deliveries.c.destination == destination)
    connection.execute(update(deliveries).where(waiting).values(not_before=until))


def sent(connection: Connection, row: DeliveryRow, channel: str, ts: str, now: Instant) -> bool:
    """Record that Slack has the message; a parent's place is kept with its conversation, in the same transaction."""
    done = change(connection, row, state="sent", channel=channel, ts=ts, sent_at=now, lease_until=None, error=None)
    if done and row.op == "post" and row.conversation_id is not None:
        parent = conversations.c.id == row.conversation_id
        connection.execute(update(conversations).where(parent).values(channel=channel, ts=ts))
    return done


def place(connection: Connection, conversation_id: int) -> tuple[str | None, str | None]:
    """(channel, ts) of a conversation's parent; (None, None) before it was sent."""
    query = select(conversations.c.channel, conversations.c.ts).where(conversations.c.id == conversation_id)
    row = connection.execute(query).one_or_none()
    return (None, None) if row is None else (row.channel, row.ts)


def place_of_key(connection: Connection, key: str) -> tuple[str | None, str | None]:
    """(channel, ts) of the parent of the conversation with this key."""
    query = select(conversations.c.channel, conversations.c.ts).where(conversations.c.key == key)
    row = connection.execute(query).one_or_none()
    return (None, None) if row is None else (row.channel, row.ts)


def counts(connection: Connection) -> dict[str, int]:
    """How many rows are in each state, and `possible_duplicate`."""
    query = select(deliveries.c.state, func.count().label("number")).group_by(deliveries.c.state)
    found = {row.state: int(row.number) for row in connection.execute(query)}
    doubled = select(func.count()).where(deliveries.c.possible_duplicate > 0)
    return {**found, "possible_duplicate": connection.scalar(doubled) or 0}


def last_said(connection: Connection, conversation_ids: Sequence[int]) -> dict[int, tuple[str, Instant]]:
    """(body, when it was queued) of the newest state of each conversation's parent that was sent or is still to be."""
    given_up = ("superseded", "dead", "expired")
    mine = and_(
        deliveries.c.conversation_id.in_(conversation_ids),
        deliveries.c.kind == "alert",
        deliveries.c.state.not_in(given_up),
    )
    newest = select(func.max(deliveries.c.seq)).where(mine).group_by(deliveries.c.conversation_id)
    columns = (deliveries.c.conversation_id, deliveries.c.body, deliveries.c.created_at)
    rows = connection.execute(select(*columns).where(deliveries.c.seq.in_(newest)))
    return {row.conversation_id: (row.body, row.created_at) for row in rows}


def slack_user(connection: Connection, email: str, newer_than: Instant) -> tuple[bool, str | None]:
    """(is it known, the Slack id or None) of an address that was looked up after `newer_than`."""
    query = select(slack_users.c.slack_id).where(slack_users.c.email == email, slack_users.c.checked_at > newer_than)
    row = connection.execute(query).one_or_none()
    return (row is not None, None if row is None else row.slack_id)


def save_slack_user(connection: Connection, email: str, slack_id: str | None, now: Instant) -> None:
    """Keep one look-up, also that Slack does not know the address."""
    changed = connection.execute(
        update(slack_users).where(slack_users.c.email == email).values(slack_id=slack_id, checked_at=now)
    )
    if not changed.rowcount:
        connection.execute(insert(slack_users).values(email=email, slack_id=slack_id, checked_at=now))


def _row(row: RowMapping) -> DeliveryRow:
    return DeliveryRow(**row)
