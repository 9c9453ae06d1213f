"""The slow, obvious reading of strength, silence and adoption, row by row: what the facts' SQL is held against."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from store.records import DAY, HOUR
from tests.rules.derived_rows import Row, Rows

ACTIVITY = {
    "accounts",
    "contacts",
    "tasks",
    "events",
    "emails",
    "task_relations",
    "event_relations",
    "email_relations",
    "calls",
    "meetings",
}


def known(row: Row, as_of: int) -> bool:
    end = row.get("valid_to")
    return row["valid_from"] <= as_of and row["recorded_at"] <= as_of and (end is None or end > as_of)


def on_record(touch: Row, as_of: int) -> bool:
    withdrawn = touch["withdrawn_at"]
    return touch["recorded_at"] <= as_of and (withdrawn is None or withdrawn > as_of)


def past(touches: Iterable[Row], as_of: int, days: int | None = None) -> list[Row]:
    """Touches on record that happened, within the last `days`."""
    held = [t for t in touches if on_record(t, as_of) and t["occurred_at"] <= as_of]
    return [t for t in held if days is None or t["occurred_at"] > as_of - days * DAY]


def nine_decimals(value: float) -> float:
    """Rounded half up, so that what is just 20 % equals the 20 % of a threshold."""
    return math.floor(value * 1e9 + 0.5) / 1e9


def hundredths(points: float) -> int:
    return math.floor(points * 100 + 0.5)


def strength(touches: Iterable[Row], as_of: int) -> int:
    """Hundredths, for the touches of one person."""
    year = past(touches, as_of, 365)
    if not year:
        return 0
    quarter = past(year, as_of, 90)
    times = [t["occurred_at"] for t in year]
    age, history = (as_of - max(times)) // DAY, (max(times) - min(times)) // DAY
    weight = sum({"meeting": 3, "call": 2, "email": 1}[t["kind"]] for t in quarter)
    meetings = sum(t["kind"] == "meeting" for t in quarter)
    inward, outward = sum(t["inbound"] for t in year), sum(t["outbound"] for t in year)
    balance = min(inward, outward) / max(inward, outward) if max(inward, outward) else 0.0
    points = 30.0 * 2 ** (-age / 60)
    points += 25.0 * min(weight / 12, 1.0)
    points += 15.0 * balance
    points += 15.0 * min(meetings / 3, 1.0)
    points += 15.0 * min(history / 330, 1.0)
    return hundredths(points) if inward else min(hundredths(points), 1_900)


def standing(rows: Rows, person: Row, as_of: int) -> str:
    for level in rows.tables["person_levels"]:
        if level["person_id"] == person["id"] and known(level, as_of):
            return str(level["standing"])
    return "unclassified"


def people(rows: Rows, account: int, as_of: int) -> dict[str, Any]:
    """The columns of the facts that persons and touches make, before steps 4 and 5 take any away."""
    persons = [p for p in rows.tables["persons"] if p["account_id"] == account and p["created_at"] <= as_of]
    found: dict[str, Any] = {}
    everyone = [(p, standing(rows, p, as_of)) for p in persons]

    def touches_of(who: set[str]) -> list[Row]:
        ids = {p["id"] for p, s in everyone if s in who}
        return [t for t in rows.tables["touches"] if t["person_id"] in ids and on_record(t, as_of)]

    every = {"exec", "user", "unclassified"}
    for name, who in (("", every), ("exec_", {"exec"}), ("user_", {"user"}), ("unclassified_", {"unclassified"})):
        held = past(touches_of(who), as_of)
        found[f"last_{name}contact"] = max((t["occurred_at"] for t in held), default=None)
        found[f"last_{name}reply"] = max((t["occurred_at"] for t in held if t["inbound"]), default=None)
        booked = [t["starts_at"] for t in touches_of(who) if t["kind"] == "meeting" and t["starts_at"] > as_of]
        if name != "unclassified_":
            found[f"next_{name}meeting"] = min(booked, default=None)
        here = [p for p, s in everyone if s in who and (p["deleted_at"] is None or p["deleted_at"] > as_of)]
        found[f"{name or 'any_'}since"] = min((p["created_at"] for p in here), default=None)
        powers = [strength([t for t in rows.tables["touches"] if t["person_id"] == p["id"]], as_of) for p in here]
        found[f"{name}contacts"] = len(here)
        found[f"strong_{name}relationships"] = sum(power >= 6_000 for power in powers)
        found[f"{name}relationships"] = sum(power >= 2_000 for power in powers)
        found[f"best_{name}"] = max(powers, default=None)
    found["last_meeting"] = max(
        (t["occurred_at"] for t in past(touches_of(every), as_of) if t["kind"] == "meeting"), default=None
    )
    best = [found[name] for name in ("best_exec_", "best_user_") if found[name] is not None]
    found["relationship"] = (sum(best) * 2 + len(best)) // (2 * len(best)) / 100 if best else None
    return found


def not_covered(rows: Rows, csm: str | None, as_of: int) -> str | None:
    """Step 5 for the CSM."""
    if csm is None:
        return "no CSM"
    member = next((m for m in rows.tables["members"] if m["key"] == csm), None)
    if member is None:
        return csm
    times = sorted(
        c["occurred_at"]
        for c in rows.tables["captures"]
        if c["member_id"] == member["id"] and c["occurred_at"] <= as_of and c["recorded_at"] <= as_of
    )
    recent = [t for t in times if t > as_of - 90 * DAY]
    gaps = sorted(later - earlier for earlier, later in pairwise(recent))
    patience: float = 7 * DAY
    if len(gaps) >= 5:
        middle = (gaps[(len(gaps) - 1) // 2] + gaps[len(gaps) // 2]) / 2
        patience = max(patience, 3 * middle)
    return None if times and as_of - times[-1] < patience else str(member["name"])


def activity_stale(rows: Rows, account: int, as_of: int) -> bool:
    """Step 4: a source that the account is in has an activity stream that is too old."""
    linked = {
        r["source"]
        for r in rows.tables["crm_accounts"]
        if r["account_id"] == account and (r.get("deleted_at") is None or r["deleted_at"] > as_of)
    }
    for stream in rows.tables["freshness"]:
        if stream["source"] not in linked or stream["stream"] not in ACTIVITY:
            continue
        source = next(s for s in rows.tables["sources"] if s["source"] == stream["source"])
        since = stream["fresh_at"] if stream["fresh_at"] is not None else source["first_synced_at"]
        if since is not None and as_of - since > max(3 * source["interval_us"], HOUR):
            return True
    return False


def adoption_change(samples: Iterable[tuple[int, float]], as_of: int, rhythm: float) -> float | str:
    """Ratio, or why there is none; `samples` are (instant, value), one per instant."""
    later = [v for at, v in samples if as_of - 30 * DAY < at <= as_of]
    earlier = [v for at, v in samples if as_of - 120 * DAY < at <= as_of - 30 * DAY]
    for window, days in ((later, 30), (earlier, 90)):
        if len(window) < 3 or len(window) < days * DAY / rhythm / 2:
            return "too_few_samples"
    now, before = sum(later) / len(later), sum(earlier) / len(earlier)
    if before == 0 or (before < 10 and nine_decimals(before - now) < 3):
        return "too_small"
    return nine_decimals(now / before - 1)
