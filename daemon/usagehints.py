"""What usage is lost for want of an account, the largest first, and which accounts are called most like it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from sqlalchemy import Connection

from store import usage_report
from store.records import Instant

_NEAREST = 3
_LIKE_ENOUGH = 0.35
"""Of the trigrams that two names have, the share that they share (Dice)."""


@dataclass(frozen=True, slots=True)
class Lost:
    """One name without an account. `nearest`: what might be meant, the best first; of an ambiguous one, all it fits."""

    source: str
    name: str
    reason: str
    rows: int
    users: int
    last_at: Instant
    total: float
    nearest: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unmatched:
    """The report."""

    metric: str
    lost_rows: int
    lost_names: int
    matched_rows: int
    lost: tuple[Lost, ...]


def unmatched(conn: Connection, metric: str, limit: int, source: str | None = None) -> Unmatched:
    """What is lost, the largest sums of the metric first; hints for the first `limit`."""
    rows = [row for row in usage_report.lost(conn, metric) if source in (None, row.source)]
    names = _Names(usage_report.account_names(conn)) if rows else None
    found = []
    for row in rows[:limit]:
        nearest = usage_report.bearers_of(conn, row.name) if row.reason == "ambiguous" else []
        if not nearest and names is not None:
            nearest = names.nearest(row.name)
        found.append(Lost(**asdict(row), nearest=tuple(nearest)))
    matched = usage_report.matched_rows(conn, source)
    return Unmatched(metric, sum(row.rows for row in rows), len(rows), matched, tuple(found))


class _Names:
    """Names of accounts by their trigrams, so that the nearest of many are found without comparing with each."""

    def __init__(self, rows: Iterable[tuple[int, str]]) -> None:
        self._names: list[tuple[int, str]] = []
        self._size: list[int] = []
        self._by_gram: defaultdict[str, list[int]] = defaultdict(list)
        for account, name in rows:
            grams = _trigrams(name)
            if grams:
                for gram in grams:
                    self._by_gram[gram].append(len(self._names))
                self._names.append((account, name))
                self._size.append(len(grams))

    def nearest(self, name: str) -> list[str]:
        grams = _trigrams(name)
        shared = Counter(number for gram in grams for number in self._by_gram.get(gram, ()))
        ranked = sorted(
            ((2 * count / (len(grams) + self._size[number]), number) for number, count in shared.items()),
            key=lambda pair: (-pair[0], self._names[pair[1]][1]),
        )
        best: dict[int, str] = {}
        for likeness, number in ranked:
            if likeness < _LIKE_ENOUGH or len(best) == _NEAREST:
                break
            account, called = self._names[number]
            best.setdefault(account, called)
        return list(best.values())


_ENDINGS = (".com", ".net", ".org", ".io", ".de", ".co.uk", ".fr", ".eu")


def _trigrams(name: str) -> set[str]:
    word = name.casefold()
    for ending in _ENDINGS:
        word = word.removesuffix(ending)
    word = "".join(char for char in word if char.isalnum())
    padded = f"  {word} " if word else ""
    return {padded[i : i + 3] for i in range(len(padded) - 2)}
