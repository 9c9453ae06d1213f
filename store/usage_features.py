"""What accounts make of each feature, summed up from the rows of the feeds; and the catalogue of features."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, and_, delete, distinct, func, select

from store import dirty
from store.records import DAY, Day
from store.refs import chunks, upsert
from store.tables import feature_catalogue, feature_uses, features, usage_samples

WINDOW = 28 * DAY
"""Adopted means used within this time."""


@dataclass(frozen=True, slots=True)
class CatalogueRow:
    """One name that a feed uses for a feature, and what the configuration says about that feature."""

    name: str
    feature: str
    title: str
    offering: str | None
    list_value: int | None
    """Minor units a year."""
    released: Day | None
    offered: bool
    """To everybody, unless a feed says otherwise."""


def save_catalogue(conn: Connection, wanted: Sequence[CatalogueRow]) -> bool:
    """Bring the catalogue to `wanted`; True = it changed, and every account with features is looked at again."""
    rows = {row.name: asdict(row) | {"offered": int(row.offered)} for row in wanted}
    have = {row["name"]: dict(row) for row in conn.execute(select(feature_catalogue)).mappings()}
    if rows == have:
        return False
    conn.execute(delete(feature_catalogue))
    upsert(conn, feature_catalogue, list(rows.values()))
    used = conn.execute(select(feature_uses.c.account_id).distinct().where(feature_uses.c.account_id.is_not(None)))
    dirty.mark(conn, "features", (("", str(account)) for account in used.scalars()))
    return True


def having_any(conn: Connection, accounts: Collection[int]) -> set[int]:
    """Those of these accounts that have or had use of features."""
    found: set[int] = set()
    for some in chunks(sorted(accounts)):
        for table in (feature_uses, features):
            query = select(table.c.account_id).distinct().where(table.c.account_id.in_(some))
            found |= set(conn.execute(query).scalars())
    return found


def refresh(conn: Connection, accounts: Collection[int], active_users: str) -> set[int]:
    """Sum up the use of features of these accounts; `active_users` is the metric that counts them. Those that changed."""
    changed: set[int] = set()
    for some in chunks(sorted(accounts), 500):
        wanted = {(row["account_id"], row["feature"]): row for row in _summed(conn, some, active_users)}
        where = features.c.account_id.in_(some)
        have = {
            (r["account_id"], r["feature"]): dict(r) for r in conn.execute(select(features).where(where)).mappings()
        }
        fresh = [row for key, row in wanted.items() if have.get(key) != row]
        upsert(conn, features, fresh)
        gone = sorted(set(have) - set(wanted))
        for account, feature in gone:
            conn.execute(delete(features).where(features.c.account_id == account, features.c.feature == feature))
        changed |= {row["account_id"] for row in fresh} | {account for account, _ in gone}
    return changed


def _summed(conn: Connection, accounts: Sequence[int], active_users: str) -> list[dict[str, Any]]:
    u, known = feature_uses.c, feature_catalogue.c
    named = func.coalesce(known.feature, u.feature).label("feature")
    rows = (
        select(u.account_id, named, u.at, u.user, u.uses, u.users, u.offered, u.recorded_at)
        .outerjoin(feature_catalogue, known.name == u.feature)
        .where(u.account_id.in_(accounts))
        .cte("named_uses")
    )
    r = rows.c
    used = r.uses > 0
    spans = conn.execute(
        select(
            r.account_id, r.feature, func.max(r.recorded_at).label("recorded_at"),
            func.min(r.at).filter(used).label("first"), func.max(r.at).filter(used).label("last"),
        ).group_by(r.account_id, r.feature)
    ).all()  # fmt: skip
    users = _users(conn, rows)
    offered = _offered(conn, rows)
    found = []
    for span in spans:
        key = (span.account_id, span.feature)
        active = _active(conn, span.account_id, active_users, span.last) if span.last is not None else None
        count = users.get(key)
        said = offered.get(key, (None, None))
        found.append(
            {
                "account_id": span.account_id, "feature": span.feature,
                "first_used_at": span.first, "last_used_at": span.last,
                "users": count, "active_users": active,
                "share": count / active if count is not None and active else None,
                "offered": said[0], "offered_at": said[1], "recorded_at": span.recorded_at,
            }
        )  # fmt: skip
    return found


def _users(conn: Connection, rows: Any) -> dict[tuple[int, str], int]:
    """Different users in the 28 days up to the last use: those that the feed names, else the most that it counted."""
    r = rows.c
    latest = select(r.account_id, r.feature, func.max(r.at).label("at")).where(r.uses > 0)
    last = latest.group_by(r.account_id, r.feature).subquery("last_use")
    same = and_(last.c.account_id == r.account_id, last.c.feature == r.feature)
    named = func.count(distinct(func.nullif(r.user, "")))
    query = (
        select(r.account_id, r.feature, named.label("named"), func.max(r.users).label("counted"))
        .join(last, same)
        .where(r.uses > 0, r.at > last.c.at - WINDOW)
        .group_by(r.account_id, r.feature)
    )
    found = {}
    for row in conn.execute(query):
        if row.named or row.counted is not None:
            found[row.account_id, row.feature] = max(row.named, row.counted or 0)
    return found


def _offered(conn: Connection, rows: Any) -> dict[tuple[int, str], tuple[int, int]]:
    """What a feed said last about being offered, and when; of two that speak at once, the yes."""
    r = rows.c
    query = select(r.account_id, r.feature, r.at, r.offered).where(r.offered.is_not(None))
    return {
        (row.account_id, row.feature): (row.offered, row.at) for row in conn.execute(query.order_by(r.at, r.offered))
    }


def _active(conn: Connection, account: int, metric: str, at: int) -> int | None:
    """The account's active users when the feature was last used: the newest sample of the 28 days up to the day's end."""
    s = usage_samples.c
    near = and_(s.account_id == account, s.metric == metric, s.at > at - WINDOW, s.at < at + DAY)
    latest = select(func.max(s.at)).where(near).scalar_subquery()
    value = conn.execute(select(func.sum(s.value)).where(near, s.at == latest)).scalar()
    return None if value is None else int(value + 0.5)
