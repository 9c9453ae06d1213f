"""The tiers that should be: scores, cuts, what each day's apply records, pins by hand, and what the CRMs hold at the end."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import floor

from sandbox.world.model import Company
from sandbox.world.truth_book import Book
from sandbox.world.truth_contract import Contract
from sandbox.world.truth_growth import arr_growth
from sandbox.world.when import DAY

WEIGHTS = {"arr": 0.45, "potential": 0.30, "arr_growth": 0.15, "market_fit": 0.10}
SHARES = (0.15, 0.50)
BAND = 0.02
UP_DAYS, DOWN_DAYS = 14, 30
TOP, LOWEST = 1, 3


@dataclass(frozen=True, slots=True)
class Ranking:
    """One apply's arithmetic: scores, the tier by place, and the cut below tier 1 and below tier 2."""

    scores: dict[str, float]
    targets: dict[str, int]
    cuts: tuple[float, ...]


@dataclass(slots=True)
class Tiers:
    """Every apply in turn: the first before the first evaluation, then one after each day's."""

    book: Book
    applied: list[dict[str, int]] = field(default_factory=list)
    """Per demo day what the apply of that day leaves recorded, by account."""
    rankings: list[Ranking] = field(default_factory=list)
    proposed: list[dict[str, int]] = field(default_factory=list)
    """Per demo day the downgrades of tier 1 that wait for somebody's word."""

    def run(self, days: int) -> Tiers:
        """Apply on the days 0 .. days - 1."""
        for day in range(days):
            self._apply(day)
        return self

    def in_force(self, company: Company, day: int) -> int | None:
        """The tier at the evaluation of a demo day: a person's, else the one that was applied before."""
        edit = pinned(company, self.book.day(day))
        return edit if edit is not None else self.applied[max(day - 1, 0)].get(company.key)

    def _apply(self, day: int) -> None:
        as_of = self.book.day(day)
        inside = [c for c in self.book.world.companies if Contract(self.book, c, as_of).in_scope()]
        first = {c.key for c in inside if c.strategic or Contract(self.book, c, as_of).onboarding()}
        growth = {c.key: arr_growth(self.book, c, as_of) for c in inside}
        ranking = rank([c for c in inside if c.key not in first], as_of, growth)
        self.rankings.append(ranking)
        recorded = dict(self.applied[-1]) if self.applied else {}
        proposed: dict[str, int] = {}
        recorded.update(dict.fromkeys(first, TOP))
        for key, target in ranking.targets.items():
            now = recorded.get(key)
            if now is None or (target < now and self._held(key, target - 1, up=True)):
                recorded[key] = target
            elif target > now and self._held(key, target - 2, up=False):
                (proposed if now == TOP else recorded)[key] = target
        self.applied.append(recorded)
        self.proposed.append(proposed)

    def _held(self, key: str, cut: int, *, up: bool) -> bool:
        """Was the score beyond the cut by the band at every evaluation of 14 days (up) or 30 days (down)."""
        days = UP_DAYS if up else DOWN_DAYS
        if len(self.rankings) <= days:
            return False
        return all(_beyond(r, key, cut, up=up) for r in self.rankings[-days - 1 :])


def rank(companies: Iterable[Company], as_of: int, growth: Mapping[str, float | None] | None = None) -> Ranking:
    """Scores 0..1 of the customers that are ranked, best first by score, ARR and key, and the tier of each place.

    `growth`: of ARR, by account, where it is known.
    """
    ranked = list(companies)
    grown = growth or {}
    inputs = {name: {c.key: v for c in ranked if (v := _input(c, name, as_of, grown)) is not None} for name in WEIGHTS}
    among = {name: sorted(values.values()) for name, values in inputs.items()}
    scores = {c.key: s for c in ranked if (s := _score(c.key, inputs, among)) is not None}
    order = sorted(scores, key=lambda key: (-scores[key], -inputs["arr"].get(key, 0.0), key))
    sizes = [floor(share * len(order) + 0.5) for share in SHARES]
    cuts = tuple((scores[order[n - 1]] + scores[order[n]]) / 2 if 0 < n < len(order) else float("nan") for n in sizes)
    targets = {key: 1 + sum(place >= n for n in sizes) for place, key in enumerate(order)}
    return Ranking(scores, targets, cuts)


def pinned(company: Company, as_of: int) -> int | None:
    """The tier that a person has set, as the last sync has seen it; None when nobody has, or the field was emptied."""
    tier = None
    for at, value, _ in sorted(company.tier_edits, key=lambda edit: edit[0]):
        if at <= as_of:
            tier = value
    return tier


def _input(company: Company, name: str, as_of: int, growth: Mapping[str, float | None]) -> float | None:
    if name == "arr_growth":
        return growth.get(company.key)
    value = company.arr.at(as_of) if name == "arr" else getattr(company, name)
    return float(value) if isinstance(value, int | float) else None


def _score(key: str, inputs: dict[str, dict[str, float]], among: dict[str, list[float]]) -> float | None:
    weight = total = 0.0
    for name, share in WEIGHTS.items():
        if key in inputs[name]:
            weight += share
            total += share * percentile(inputs[name][key], among[name])
    return floor(total / weight * 1_000_000 + 0.5) / 1_000_000 if weight else None


def percentile(value: float, among: list[float]) -> float:
    """(below + half of the other equals) / (n - 1); 0.5 when there is only one. `among` is sorted."""
    if len(among) == 1:
        return 0.5
    below = bisect_left(among, value)
    equals = bisect_right(among, value) - below
    return (below + (equals - 1) / 2) / (len(among) - 1)


def _beyond(ranking: Ranking, key: str, cut: int, *, up: bool) -> bool:
    if key not in ranking.scores:
        return False
    score, level = ranking.scores[key], ranking.cuts[cut]
    return score >= level + BAND if up else score <= level - BAND


def crm_end(tiers: Tiers, company: Company, days: int) -> dict[str, object] | None:
    """What each CRM's tier field should hold after the demo: None for accounts that tierd never gave a tier.

    A person sets the tier in Salesforce where the account is there; while it stands, tierd writes it nowhere.
    """
    end = tiers.book.day(days - 1) + DAY // 24
    applied = tiers.applied[-1].get(company.key)
    if applied is None:
        return None
    edit = pinned(company, end)
    edited = "salesforce" if company.salesforce_id else "hubspot"
    return {system: edit if edit is not None and system == edited else applied for system in company.systems}
