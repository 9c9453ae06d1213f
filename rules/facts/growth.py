"""What an account's ARR was 365 days ago, where that is known and not only taken for granted."""

from __future__ import annotations

from sqlalchemy import CTE, case, func, or_, select

from rules.facts.moment import Moment, once
from store.tables import account_fields, sources

YEAR_DAYS = 365


def arr_then(m: Moment, scope: CTE) -> CTE:
    """One row per customer whose ARR of 365 days ago is on record: `arr_then`, minor units.

    On record is what the CRM's own history says, and what a sync has seen: of a value that the first sync found
    (`history` none) nobody knows for how long it had been so, but since that sync.
    """
    f, then = account_fields.c, m.ago(YEAR_DAYS)
    in_force = (f.valid_from <= then, or_(f.valid_to.is_(None), f.valid_to > then), f.recorded_at <= m.as_of)
    on_record = or_(f.history != "none", sources.c.first_synced_at <= then)
    query = (
        select(f.account_id, func.max(case((on_record, f.num))).label("arr_then"))
        .select_from(account_fields)
        .join(sources, sources.c.source == f.source, isouter=True)
        .where(f.account_id.in_(select(scope.c.account_id)), f.field == "arr", *in_force)
        .group_by(f.account_id)
    )
    return once(query, "arr_then")
