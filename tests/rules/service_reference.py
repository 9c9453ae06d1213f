"""The slow, obvious reading of usage, replies, surveys, load, features and sets: what the facts' SQL is held against."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from store.records import DAY, HOUR
from tests.rules.derived_rows import Row, Rows
from tests.rules.facts_reference import known, nine_decimals, on_record, past, standing

LEVELS = {5: "c_level", 4: "vp", 3: "director", 2: "manager", 1: "individual"}


def by_then(rows: Iterable[Row], as_of: int, days: int | None = None) -> list[Row]:
    """Rows that happened, within the last `days`, and were recorded by then."""
    found = [row for row in rows if row["at"] <= as_of and row["recorded_at"] <= as_of]
    return [row for row in found if days is None or row["at"] > as_of - days * DAY]


def mine(rows: Iterable[Row], account: int) -> list[Row]:
    return [row for row in rows if row["account_id"] == account]


def frequency(samples: Iterable[tuple[int, float]], as_of: int, rhythm: float) -> str | None:
    """`samples` are (instant, value); None where the rhythm is too slow to tell, or where there are none."""
    if rhythm > 1.5 * DAY or not any(as_of - 120 * DAY < at <= as_of for at, _ in samples):
        return None
    days = {(as_of - at) // DAY for at, value in samples if as_of - 14 * DAY < at <= as_of and value > 0}
    if len(days) >= 9:
        return "daily"
    return "weekly" if len(days) >= 5 else "occasional" if len(days) >= 2 else "inactive"


def trend(samples: Iterable[tuple[int, float]], as_of: int, rhythm: float) -> float | None:
    """The slope of the least-squares line over 90 days, per 30 days, over the mean."""
    points = [((at - as_of) / DAY, value) for at, value in samples if as_of - 90 * DAY < at <= as_of]
    if len(points) < 3 or len(points) < 90 * DAY / rhythm / 2:
        return None
    middle_x, middle_y = (math.fsum(axis) / len(points) for axis in zip(*points, strict=True))
    if middle_y == 0:
        return None
    slope = math.fsum((x - middle_x) * (y - middle_y) for x, y in points) / math.fsum(
        (x - middle_x) ** 2 for x, _ in points
    )
    return nine_decimals(slope * 30 / middle_y)


def awaiting_reply(rows: Rows, account: int, as_of: int) -> int:
    """Whole hours since the oldest inbound mail after which nothing of ours reached anybody who was on it."""
    here = past(mine(rows.tables["touches"], account), as_of)
    mails: defaultdict[str, list[Row]] = defaultdict(list)
    for touch in here:
        if touch["kind"] == "email" and touch["inbound"]:
            mails[touch["activity_id"]].append(touch)
    waiting = []
    for people in mails.values():
        who, at = {t["person_id"] for t in people}, people[0]["occurred_at"]
        if not any(t["outbound"] and t["person_id"] in who and t["occurred_at"] > at for t in here):
            waiting.append(at)
    return (as_of - min(waiting)) // HOUR if waiting else 0


def unanswered_outreach(rows: Rows, account: int, as_of: int) -> int:
    """The largest number of mails to one exec on file in 30 days that came after everything this exec took part in."""
    counts = [0]
    for person in mine(rows.tables["persons"], account):
        gone = person["deleted_at"] is not None and person["deleted_at"] <= as_of
        if gone or standing(rows, person, as_of) != "exec":
            continue
        touches = [t for t in rows.tables["touches"] if t["person_id"] == person["id"]]
        replies = [t["occurred_at"] for t in past(touches, as_of) if t["inbound"]]
        mails = [t for t in past(touches, as_of, 30) if t["kind"] == "email" and t["outbound"]]
        counts.append(sum(all(t["occurred_at"] >= reply for reply in replies) for t in mails))
    return max(counts)


def voice(rows: Rows, account: int, as_of: int) -> dict[str, Any]:
    """Survey scores, pulse and recorded instants; an instant is 'not_recorded' or 'never' where there is none."""
    tables, found = rows.tables, {}
    answers = mine(tables["survey_answers"], account)
    for name, days, divisor in (("csat", 180, 10_000), ("nps", 180, 1)):
        latest = by_then([a for a in answers if a["kind"] == name], as_of, days)
        newest = max((a["at"] for a in latest), default=None)
        values = [a["value"] for a in latest if a["at"] == newest]
        found[name] = min(values) / divisor if values else None
    pulses = sorted(by_then(mine(tables["pulses"], account), as_of, 90), key=lambda p: p["at"])
    found["pulse"] = pulses[-1]["value"] if pulses else None
    asks = tables["asks"]
    for name, table, kept in (
        ("last_survey_answer", tables["survey_answers"], answers),
        ("last_feedback_ask", asks, mine([a for a in asks if a["kind"] == "feedback"], account)),
        ("last_reference_ask", asks, mine([a for a in asks if a["kind"] == "reference"], account)),
        ("last_tier_review", tables["tier_reviews"], mine(tables["tier_reviews"], account)),
    ):
        if not any(row["recorded_at"] <= as_of for row in table):
            found[name] = "not_recorded"
        else:
            found[name] = max((row["at"] for row in by_then(kept, as_of)), default="never")
    return found


def load(rows: Rows, account: int, as_of: int) -> int | None:
    """Tickets opened, activities that the customer took part in, and exceptions, in 90 days; None without tickets."""
    tickets = [t for t in rows.tables["crm_tickets"] if t["created_at"] <= as_of]
    if not any(t["source"] == "salesforce" for t in tickets):
        return None
    opened = sum(t["crm_account_id"] == f"salesforce-{account}" and t["opened_at"] > as_of - 90 * DAY for t in tickets)
    inbound = {t["activity_id"] for t in past(mine(rows.tables["touches"], account), as_of, 90) if t["inbound"]}
    made = by_then(mine(rows.tables["exceptions"], account), as_of, 90)
    return int(opened) + len(inbound) + len(made)


def feature_states(rows: Rows, account: int, as_of: int, today: int, active: int | None) -> dict[str, str]:
    """Feature -> its state; `active` are the active users of the account, None where it has no usage at all."""
    tables = rows.tables
    names = {row["name"]: row["feature"] for row in tables["feature_catalogue"]}
    sold = {row["feature"]: row for row in tables["feature_catalogue"]}
    uses = [u for u in by_then(mine(tables["feature_uses"], account), as_of) if not names or u["feature"] in names]
    any_feed = any(u["recorded_at"] <= as_of for u in tables["feature_uses"])
    seen = bool(uses) or (active is not None and any_feed)
    found = {}
    for feature in {*sold, *(names.get(u["feature"], u["feature"]) for u in uses)}:
        these = [u for u in uses if names.get(u["feature"], u["feature"]) == feature]
        used = [u for u in these if u["uses"] > 0]
        recent = by_then(used, as_of, 28)
        users = max(
            len({u["user"] for u in recent if u["user"]}), max((u.get("users") or 0 for u in recent), default=0)
        )
        said = max(((u["at"], u["offered"]) for u in these if u.get("offered") is not None), default=None)
        row = sold.get(feature, {"offered": 1, "released": None})
        by_default = row["offered"] == 1 and (row["released"] is None or row["released"] <= today)
        if recent:
            thrives = users and active and users * 10 >= active * 3
            found[feature] = "thriving" if thrives else "adopted"
        elif not seen:
            found[feature] = "unknown"
        elif said is not None and said[1] == 0:
            found[feature] = "not_offered"
        elif used:
            found[feature] = "lapsed"
        else:
            found[feature] = "offered" if said is not None or by_default else "not_offered"
    return found


def whitespace(rows: Rows, states: dict[str, str]) -> int:
    """List value of what is on offer and not adopted."""
    prices = {row["feature"]: row["list_value"] or 0 for row in rows.tables["feature_catalogue"]}
    return sum(prices.get(feature, 0) for feature, state in states.items() if state in ("offered", "lapsed"))


def narrowed(rows: Rows, account: int, as_of: int) -> dict[tuple[str, str], tuple[int, Any, Any, Any, Any]]:
    """(by, value) -> (persons on file, since, last contact, last reply, next meeting)."""
    groups: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
    for person in mine(rows.tables["persons"], account):
        if person["created_at"] > as_of:
            continue
        level = next(
            (r for r in rows.tables["person_levels"] if r["person_id"] == person["id"] and known(r, as_of)), {}
        )
        function = level.get("function") or "unknown"
        groups["level", LEVELS.get(level.get("level") or 0, "")].append(person)
        groups["function", "" if function == "unknown" else function].append(person)
    meetings = [t for t in rows.tables["touches"] if t["kind"] == "meeting" and on_record(t, as_of)]
    booked = [t for t in meetings if t["starts_at"] > as_of]
    found = {}
    for key, persons in groups.items():
        here = [p for p in persons if p["deleted_at"] is None or p["deleted_at"] > as_of]
        ids = {p["id"] for p in persons}
        touches = [t for t in past(rows.tables["touches"], as_of) if t["person_id"] in ids and on_record(t, as_of)]
        found[key] = (
            len(here),
            min((p["created_at"] for p in here), default=None),
            max((t["occurred_at"] for t in touches), default=None),
            max((t["occurred_at"] for t in touches if t["inbound"]), default=None),
            min((t["starts_at"] for t in booked if t["person_id"] in ids), default=None),
        )
    return found
