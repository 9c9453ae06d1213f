"""The truth table: for every alert that should have been and every one that was, what was expected, seen and said."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from daemon.demo.seen import Accounts, Seen

CAUGHT, MISSED, FALSE, UNDECIDABLE = "caught", "missed", "false", "undecidable"
Row = dict[str, Any]
"""JSON: account, rule, expected, seen, told, verdict, remark."""
_Key = tuple[int | None, str]


def table(truth: Mapping[str, Any], alerts: Sequence[Seen], accounts: Accounts) -> list[Row]:
    """One row per expected or seen alert, and one per (account, rule) of which nothing can be said on some day.

    `caught`: opened on the very day, told, and closed on the very day. `missed`: not so. `false`: open while it should
    not be. `undecidable`: the world itself does not say; such days count neither way. Rules that the truth does not know
    have no row.
    """
    fires = _by_key(truth["fires"], accounts)
    vague = _by_key(truth["undecidable"], accounts)
    seen: dict[_Key, list[Seen]] = defaultdict(list)
    for alert in alerts:
        seen[alert.account_id, alert.rule].append(alert)
    rows: list[Row] = []
    judged = frozenset(truth["rules"])
    for key in sorted((key for key in {*fires, *seen, *vague} if key[1] in judged), key=lambda k: (k[0] or -1, k[1])):
        vague_days = {day for entry in vague.get(key, ()) for day in entry["days"]}
        rows += _pair(key, fires.get(key, ()), seen.get(key, ()), (vague_days, truth["days"]))
        rows += [_vague(key, entry) for entry in vague.get(key, ())]
    return rows


def verdicts(rows: Iterable[Row]) -> dict[str, int]:
    """How many of each verdict."""
    counts = Counter(row["verdict"] for row in rows)
    return {verdict: counts[verdict] for verdict in (CAUGHT, MISSED, FALSE, UNDECIDABLE)}


def _by_key(entries: Iterable[Mapping[str, Any]], accounts: Accounts) -> dict[_Key, list[Mapping[str, Any]]]:
    found: dict[_Key, list[Mapping[str, Any]]] = defaultdict(list)
    for entry in entries:
        found[accounts.of(entry), entry["rule"]].append(entry)
    return found


def _pair(
    key: _Key, expected: Sequence[Mapping[str, Any]], seen: Sequence[Seen], when: tuple[set[int], int]
) -> list[Row]:
    """Match what opened on the same day first, then whatever is left in order of time.

    `when`: the days of which nothing can be said, and how many days there are.
    """
    left = list(seen)
    pairs: list[tuple[Mapping[str, Any] | None, Seen | None]] = []
    for fire in expected:
        same = next((one for one in left if one.opened_day == fire["opened_day"]), None)
        if same is not None:
            left.remove(same)
        pairs.append((fire, same))
    pairs = [(fire, left.pop(0) if one is None and left else one) for fire, one in pairs]
    pairs += [(None, one) for one in left]
    return [_row(key, fire, one, when) for fire, one in pairs]


def _row(key: _Key, fire: Mapping[str, Any] | None, one: Seen | None, when: tuple[set[int], int]) -> Row:
    verdict, remark = _verdict(fire, one, *when)
    named = fire["name"] if fire is not None else one.account if one is not None else ""
    return {
        "account": named,
        "account_id": key[0],
        "rule": key[1],
        "expected": None if fire is None else {k: fire[k] for k in ("opened_day", "closed_day", "severity")},
        "seen": None if one is None else {"opened_day": one.opened_day, "closed_day": one.closed_day},
        "told": None if one is None or one.told_where is None else {"day": one.told_day, "where": one.told_where},
        "verdict": verdict,
        "remark": remark,
    }


def _verdict(fire: Mapping[str, Any] | None, one: Seen | None, vague: set[int], days: int) -> tuple[str, str]:
    if one is None:
        return MISSED, "never opened"
    if fire is None:
        return (UNDECIDABLE, "nobody can say") if one.opened_day in vague else (FALSE, "should not be open")
    if one.opened_day != fire["opened_day"]:
        early = one.opened_day < fire["opened_day"]
        return (FALSE if early else MISSED), f"opened on day {one.opened_day}, not {fire['opened_day']}"
    untold = _untold(fire, one, days)
    if untold:
        return MISSED, untold
    if one.closed_day != fire["closed_day"]:
        early = one.closed_day is not None and (fire["closed_day"] is None or one.closed_day < fire["closed_day"])
        return (MISSED if early else FALSE), f"closed on day {one.closed_day}, not {fire['closed_day']}"
    return CAUGHT, ""


def _untold(fire: Mapping[str, Any], one: Seen, days: int) -> str:
    """What is wrong with when people were told; empty = nothing. News of growth wait while they are held."""
    end = days if fire["closed_day"] is None else fire["closed_day"]
    due = next((day for day in range(one.opened_day, end) if day not in fire["held"]), None)
    if due is None:
        return ""
    if one.told_where is None:
        return "nobody was told"
    return f"told on day {one.told_day} only" if one.told_day is not None and one.told_day > due + 1 else ""


def _vague(key: _Key, entry: Mapping[str, Any]) -> Row:
    return {
        "account": entry["name"],
        "account_id": key[0],
        "rule": key[1],
        "expected": None,
        "seen": None,
        "told": None,
        "verdict": UNDECIDABLE,
        "remark": entry["reason"],
        "days": entry["days"],
    }
