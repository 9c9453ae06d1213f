"""What follows the rows of a CRM into another account: tiers, pins, open alerts, writes that wait."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Connection, Row, case, delete, func, insert, select, update

from store import dirty
from store.refs import Ref
from store.tables import alerts, conversations, crm_accounts, tier_fields, tier_history, tier_ledger, tiers

OPEN_ALERTS = ("pending", "firing", "recovering")
OPEN_WRITES = ("planned", "sending", "parked")
PINS = "pins"
"""Kind of dirty row: the account (its number as text) whose pin must be looked at again."""


def follow(conn: Connection, moved: Mapping[Ref, tuple[int, int]], emptied: Collection[int]) -> None:
    """Rows went from one account to another (`moved`); `emptied` are the accounts that have no row any more.

    What tierd knows of a CRM's tier field goes with that CRM's rows, and so comes back when they part again. The tier
    in force and its history are copied to an account that has none. Alerts and writes leave an emptied account.
    """
    ways = sorted({(source, old, new) for (source, _), (old, new) in moved.items()})
    for source, old, new in ways:
        _field(conn, source, old, new)
    for old, new in sorted({(old, new) for _, old, new in ways}):
        _tier(conn, old, new)
        if old in emptied:
            _alerts(conn, old, new)
    for (source, ref), (old, new) in sorted(moved.items()):
        c = tier_ledger.c
        mine = (c.source == source) & (c.crm_id == ref) & (c.account_id == old) & c.state.in_(OPEN_WRITES)
        conn.execute(update(tier_ledger).where(mine).values(account_id=new))
    dirty.mark(conn, PINS, (("", str(account)) for _, old, new in ways for account in (old, new)))


def _field(conn: Connection, source: str, old: int, new: int) -> None:
    """What is known of the tier field, unless the account keeps other rows of that CRM, or has such rows already."""
    row, f = crm_accounts.c, tier_fields.c
    kept = select(row.id).where(row.source == source, row.account_id == old, row.deleted_at.is_(None)).limit(1)
    if conn.execute(kept).scalar() is not None:
        return
    known = conn.execute(select(tier_fields).where(f.account_id == old, f.source == source)).mappings().one_or_none()
    if known is None:
        return
    conn.execute(delete(tier_fields).where(f.account_id == old, f.source == source))
    there = conn.execute(select(f.source).where(f.account_id == new, f.source == source)).one_or_none()
    if there is None:
        conn.execute(insert(tier_fields).values(**dict(known) | {"account_id": new}))


def _tier(conn: Connection, old: int, new: int) -> None:
    if conn.execute(select(tiers.c.account_id).where(tiers.c.account_id == new)).scalar() is not None:
        return
    tier = conn.execute(select(tiers).where(tiers.c.account_id == old)).mappings().one_or_none()
    if tier is None:
        return
    conn.execute(insert(tiers).values(**dict(tier) | {"account_id": new}))
    h = tier_history.c
    if conn.execute(select(h.account_id).where(h.account_id == new).limit(1)).scalar() is None:
        history = conn.execute(select(tier_history).where(h.account_id == old)).mappings().all()
        if history:
            conn.execute(insert(tier_history), [{**row, "account_id": new} for row in history])


def _alerts(conn: Connection, old: int, new: int) -> None:
    """Open alerts and conversations, but where the other account has one of its own: then the old one ends with it."""
    a, talk = alerts.c, conversations.c
    here = {row.rule: row for row in _episodes(conn, new)}
    for alert in conn.execute(select(alerts).where(a.account_id == old, a.state.in_(OPEN_ALERTS)).order_by(a.id)).all():
        mine = here.get(alert.rule)
        if mine is not None and mine.open:
            continue
        episode = 1 if mine is None else mine.latest + 1
        moving = update(alerts).where(a.id == alert.id)
        conn.execute(moving.values(account_id=new, episode=max(episode, alert.episode)))
    for row in conn.execute(select(conversations).where(talk.account_id == old, talk.closed_at.is_(None))).all():
        other = select(talk.id).where(
            talk.account_id == new, talk.destination == row.destination, talk.closed_at.is_(None)
        )
        if conn.execute(other.limit(1)).scalar() is None:
            conn.execute(update(conversations).where(talk.id == row.id).values(account_id=new))


def _episodes(conn: Connection, account: int) -> list[Row[Any]]:
    a = alerts.c
    is_open = func.sum(case((a.state.in_(OPEN_ALERTS), 1), else_=0))
    query = select(a.rule, func.max(a.episode).label("latest"), is_open.label("open"))
    return list(conn.execute(query.where(a.account_id == account).group_by(a.rule)))


def redirect(conn: Connection, source: str, retired: Mapping[str, str]) -> None:
    """Writes that wait for a row which a merge retired go to the row it became (`retired`: id -> that row's id)."""
    c = tier_ledger.c
    for ref, into in sorted(retired.items()):
        mine = (c.source == source) & (c.crm_id == ref) & c.state.in_(OPEN_WRITES)
        waiting = conn.execute(select(tier_ledger).where(mine).order_by(c.id)).all()
        for row in waiting:
            same = (c.source == source) & (c.crm_id == into) & (c.state == "planned")
            doubled = row.state == "planned" and conn.execute(select(c.id).where(same).limit(1)).scalar() is not None
            ending = {"state": "superseded", "error": f"the record was merged into {into}"}
            conn.execute(update(tier_ledger).where(c.id == row.id).values(**(ending if doubled else {"crm_id": into})))
