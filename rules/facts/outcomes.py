"""Which customers were lost, and when: what rules are judged by afterwards."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Select, cast, func, select

from rules.facts.contracts import lost_renewals
from rules.facts.moment import moment
from rules.facts.settings import FactSettings
from store.records import DAY, Instant
from store.tables import account_fields


def churned(as_of: Instant, settings: FactSettings) -> Select[Any]:
    """(account_id, at) of every loss that is on record at `as_of`; the mapped one, else that of a lost renewal.

    A mapped loss of which nobody knows since when (no history, and it was there at the first sync) has no date and is
    left out; one of a renewal counts from the day after its date.
    """
    m, f = moment(as_of, settings.timezone), account_fields.c
    mapped = (
        select(f.account_id, func.min(f.valid_from).label("at"))
        .where(f.field == "churned", f.num == 1, f.history != "none", f.valid_from <= as_of, f.recorded_at <= as_of)
        .group_by(f.account_id)
    )
    lost = lost_renewals(m, settings)
    after = (cast(lost.c.day, BigInteger) + 1) * DAY
    both = mapped.union_all(select(lost.c.account_id, after)).subquery("losses")
    return select(both.c.account_id, func.min(both.c.at).label("at")).group_by(both.c.account_id)
