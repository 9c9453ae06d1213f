"""Tier runs, scores, the tier of each account with its pin and history."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from store.records import Instant
from store.refs import chunks, upsert
from store.tables import accounts, tier_history, tier_runs, tier_scores, tiers

# What a plan reads of a customer; columns of the facts.
INPUTS = ("account_id", "arr", "potential", "arr_growth", "market_fit", "strategic", "lifecycle")


def run_at(conn: Connection, as_of: Instant) -> Row[Any] | None:
    """The tier run of this instant."""
    return conn.execute(select(tier_runs).where(tier_runs.c.as_of == as_of)).one_or_none()


def runs(conn: Connection) -> int:
    """How many tier runs there have been."""
    return conn.execute(select(func.count()).select_from(tier_runs)).scalar_one()


def start_run(conn: Connection, as_of: Instant, policy: str, now: Instant) -> int:
    """A new run; gives its id."""
    row = {"as_of": as_of, "started_at": now, "ended_at": None, "policy": policy, "status": "planned", "detail": None}
    return int(conn.execute(tier_runs.insert().values(row).returning(tier_runs.c.id)).scalar_one())


def finish_run(conn: Connection, run_id: int, status: str, detail: Mapping[str, object], now: Instant) -> None:
    """The run's end; `status`: applied | partial | held."""
    values = {"status": status, "detail": json.dumps(detail, sort_keys=True), "ended_at": now}
    conn.execute(update(tier_runs).where(tier_runs.c.id == run_id).values(**values))


def save_scores(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """The scores of one evaluation (columns of `tier_scores`)."""
    upsert(conn, tier_scores, rows)


def scores(conn: Connection, account_ids: Collection[int], begin: Instant) -> dict[int, list[Row[Any]]]:
    """Account -> its evaluations in ascending order since `begin`, the one that was then the latest included."""
    s = tier_scores.c
    first = conn.execute(select(func.max(s.as_of)).where(s.as_of <= begin)).scalar_one()
    found: defaultdict[int, list[Row[Any]]] = defaultdict(list)
    for some in chunks(sorted(account_ids)):
        query = select(tier_scores).where(s.account_id.in_(some), s.as_of >= (begin if first is None else first))
        for row in conn.execute(query.order_by(s.as_of)):
            found[row.account_id].append(row)
    return found


def names(conn: Connection, account_ids: Collection[int]) -> dict[int, Row[Any]]:
    """Account -> id, key, name."""
    c = accounts.c
    found: dict[int, Row[Any]] = {}
    for some in chunks(sorted(account_ids)):
        found |= {row.id: row for row in conn.execute(select(c.id, c.key, c.name).where(c.id.in_(some)))}
    return found


def recorded(conn: Connection, account_ids: Collection[int] | None = None) -> dict[int, Row[Any]]:
    """Account -> its row of `tiers`, of all accounts or of these."""
    if account_ids is None:
        return {row.account_id: row for row in conn.execute(select(tiers))}
    found: dict[int, Row[Any]] = {}
    for some in chunks(sorted(account_ids)):
        query = select(tiers).where(tiers.c.account_id.in_(some))
        found |= {row.account_id: row for row in conn.execute(query)}
    return found


_ASSIGNED = ("tier", "tier_since", "computed", "proposed", "proposed_at")
_PINNED = ("pin", "pin_origin", "pin_author", "pinned_at")


def assign(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Record tiers (account_id and the columns of an apply); pins stay as they are."""
    upsert(conn, tiers, rows, keep=_PINNED)


def set_pins(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Record pins, or their absence (account_id, pin, pin_origin, pinned_at); tiers stay as they are."""
    upsert(conn, tiers, [{"pin_author": None, **row} for row in rows], keep=_ASSIGNED)


def note_in_force(conn: Connection, account_ids: Collection[int], since: Mapping[int, Instant]) -> None:
    """Continue the history of the tier in force where it has changed: the pin's value, else the tier recorded.

    `since`: from when the change counts, per account; never before what the history already says.
    """
    h = tier_history.c
    for some in chunks(sorted(account_ids)):
        open_now = {
            row.account_id: row
            for row in conn.execute(select(tier_history).where(h.account_id.in_(some), h.valid_to.is_(None)))
        }
        for row in conn.execute(select(tiers).where(tiers.c.account_id.in_(some)).order_by(tiers.c.account_id)):
            pinned = row.pin_origin is not None
            now, last = (row.pin if pinned else row.tier, int(pinned)), open_now.get(row.account_id)
            if last is None and now == (None, 0):
                continue
            if last is not None and (last.tier, last.pinned) == now:
                continue
            begin = since[row.account_id]
            if last is not None:
                begin = max(begin, last.valid_from + 1)
                ending = update(tier_history).where(h.account_id == row.account_id, h.valid_to.is_(None))
                conn.execute(ending.values(valid_to=begin))
            key = {"account_id": row.account_id, "valid_from": begin, "valid_to": None}
            conn.execute(tier_history.insert().values(key | {"tier": now[0], "pinned": now[1]}))
