"""The slow, obvious reading of step 5 of silence, record by record: what the statement is held against."""

from __future__ import annotations

from itertools import pairwise

from store.records import DAY
from tests.rules.derived_rows import Row, Rows
from tests.rules.facts_reference import on_record, past, standing


def captured(rows: Rows, member: int, as_of: int) -> bool:
    """Has the member a captured mail or meeting within 7 days or thrice the own median gap, days away not counted."""
    times = sorted(
        c["occurred_at"]
        for c in rows.tables["captures"]
        if c["member_id"] == member and c["occurred_at"] <= as_of and c["recorded_at"] <= as_of
    )
    if not times:
        return False
    gaps = sorted(_present(rows, member, a, b, as_of) for a, b in pairwise(t for t in times if t > as_of - 90 * DAY))
    patience: float = 7 * DAY
    if len(gaps) >= 5:
        patience = max(patience, 3 * (gaps[(len(gaps) - 1) // 2] + gaps[len(gaps) // 2]) / 2)
    return _present(rows, member, times[-1], as_of, as_of) < patience


def _present(rows: Rows, member: int, since: int, until: int, as_of: int) -> int:
    """Microseconds from `since` to `until` that the member was not away."""
    away = 0
    for spell in rows.tables["absences"]:
        if spell["member_id"] == member and spell["recorded_at"] <= as_of:
            away += max(0, min(until, spell["until_at"]) - max(since, spell["from_at"]))
    return until - since - away


def team(rows: Rows, account: int, role: str, as_of: int) -> list[Row]:
    """The active team members who touched somebody of the role at the account within 180 days."""
    persons = {
        p["id"]
        for p in rows.tables["persons"]
        if p["account_id"] == account and role in ("any", standing(rows, p, as_of))
    }
    touches = [t for t in past(rows.tables["touches"], as_of, 180) if on_record(t, as_of) and t["person_id"] in persons]
    activities = {(t["source"], t["activity_id"]) for t in touches}
    members = {m["member_id"] for m in rows.tables["touch_members"] if (m["source"], m["activity_id"]) in activities}
    return [m for m in rows.tables["members"] if m["id"] in members and m["active"]]


def not_covered(rows: Rows, account: int, csm: str | None, role: str, as_of: int) -> str | None:
    """Step 5: who is not captured, the CSM before the team; None = the role is covered."""
    here = team(rows, account, role, as_of)
    if csm is None and not here:
        return "no CSM"
    if csm is not None:
        member = next((m for m in rows.tables["members"] if m["key"] == csm), None)
        if member is None:
            return csm
        if not captured(rows, member["id"], as_of):
            return str(member["name"])
    return min((str(m["name"]) for m in here if not captured(rows, m["id"], as_of)), default=None)
