"""Ask each CSM who the unknown persons at his or her customers are, weekly at most; tell what is to be handed over, once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import Connection

from alerts import handover, who
from alerts.handover import HandOverLine
from alerts.message import Message
from alerts.who import MOST, WhoItem, WhoView
from alerts.words import day_of
from daemon.alerting.book import AlertPolicy
from daemon.alerting.outbox import opaque, operators_row, row
from daemon.alerting.views import person
from rules.facts import hand_overs, unknown_people
from store import deliveries, flags, roster
from store.alertviews import crm_ids, member
from store.engine import Store
from store.records import DAY, DeliveryRow, Instant

WEEK: Instant = 7 * DAY
Row = Mapping[str, Any]


def person_ref(row: Row) -> str:
    """What a button carries of a person: the id, and a check that it still is that person."""
    return f"{row['person_id']}.{opaque('person', row['key'])[:12]}"


def ask(store: Store, policy: AlertPolicy, at: Instant) -> int:
    """Queue one message per active CSM with unknown persons who was not asked within a week; how many."""
    with store.read() as connection:
        due = [csm for csm in roster.csms_with_unknown(connection) if _is_due(connection, csm, at)]
        everyone = roster.rows(connection, unknown_people(at, due)) if due else []
    by_csm: dict[str, list[Row]] = {}
    for one in everyone:
        by_csm.setdefault(one["csm"], []).append(one)
    queued = 0
    for csm, rows in sorted(by_csm.items()):
        with store.write() as connection:
            queued += _ask(connection, policy, csm, rows, at)
    return queued


def _is_due(connection: Connection, csm: str, at: Instant) -> bool:
    to, asked = member(connection, csm), flags.get(connection, _flag(csm))
    return to is not None and to.active and (asked is None or at - int(asked) >= WEEK)


def _flag(csm: str) -> str:
    return f"who:asked:{csm}"


def _ask(connection: Connection, policy: AlertPolicy, csm: str, rows: Sequence[Row], at: Instant) -> int:
    to = member(connection, csm)
    shown = rows[:MOST]
    links = crm_ids(connection, [one["account_id"] for one in shown])
    items = [_item(one, policy, links.get(one["account_id"], ())) for one in shown]
    view = WhoView(person(to), items, len(rows) - len(shown), day_of(at, policy.timezone))
    flags.put(connection, _flag(csm), str(at))
    return deliveries.enqueue(connection, [_row(who.render(view), policy, ("who", csm, at), f"digest|{csm}", at)])


def _item(one: Row, policy: AlertPolicy, links: Sequence[tuple[str, str]]) -> WhoItem:
    urls = [policy.links[source].replace("{id}", ref) for source, ref in links if source in policy.links]
    touched = one["last_contact"]
    return WhoItem(
        key=person_ref(one),
        name=one["person"],
        account=one["account"],
        url=urls[0] if urls else None,
        title=one["title"],
        last_touch=None if touched is None else day_of(touched, policy.timezone),
        settles=one["settles"],
    )


def tell_hand_overs(store: Store, policy: AlertPolicy, at: Instant) -> int:
    """Queue one message per member who has something to hand over that nobody takes over; how many.

    To the operators' channel: these accounts have no CSM and no lead. The others are in their owners' digests.
    """
    queued = 0
    with store.write() as connection:
        roster.back_again(connection)
        lines = [row for row in roster.rows(connection, hand_overs(at, untold=True)) if row["recipient"] is None]
        for (key, name, left), group in groupby(
            lines, key=lambda one: (one["member_key"], one["member"], one["since"] == 0)
        ):
            mine = list(group)
            roster.told(connection, mine, at)
            note = handover.render(name, [_line(connection, one, policy) for one in mine], left=left)
            channel = policy.operators_channel
            queued += deliveries.enqueue(
                connection, [operators_row(note, cause=("handover", key, left, at), destination=channel, at=at)]
            )
    return queued


def _line(connection: Connection, one: Row, policy: AlertPolicy) -> HandOverLine:
    csm = member(connection, one["csm"])
    name = one["csm"] if csm is None else csm.name
    return HandOverLine(
        one["account"], name, one["person"], one["strength"], day_of(one["last_contact"], policy.timezone)
    )


def _row(message: Message, policy: AlertPolicy, cause: Sequence[object], lane: str, at: Instant) -> DeliveryRow:
    return row(
        message,
        cause=cause,
        lane=lane,
        destination=policy.alerts_channel,
        op="post",
        kind="who",
        at=at,
        expire_after=policy.settings.expire_after,
    )
