"""The accounts that a report shows: losses without a warning and alerts that nothing came of, with what the rule saw."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from daemon.backtest.episodes import Customer, Episode
from daemon.backtest.judging import Warned
from daemon.backtest.walk import Walk
from rules.language import wording
from rules.language.evaluate import Outcome, Row, outcome
from rules.language.model import Rule
from rules.language.tree import Leaf, Named, Not, facts_of
from rules.language.values import today_of
from store.records import DAY, Day, Instant


@dataclass(frozen=True, slots=True)
class Case:
    """One account that is shown: a miss or a false alarm, with what the rule saw. `days`: the warning's lead, if any."""

    key: str
    name: str
    csm: str | None
    arr: int | None
    at: Instant
    """When the outcome came, or when the false alarm was raised."""
    days: float | None
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shower:
    """Puts accounts into words."""

    rule: Rule
    zone: ZoneInfo
    currency: str

    def miss(self, one: Warned, walk: Walk, name: tuple[str, str]) -> Case:
        """An outcome that was not warned of in time: what the rule saw when it still was time."""
        size = walk.sizes.get(one.account, Customer(None, None))
        at, row = walk.rows.get(one.account, (one.at, {}))
        days = None if one.lead is None else one.lead / DAY
        evidence = self._why_not(row, at) if row else ("nothing on record at that time",)
        return Case(*name, size.csm, size.arr, one.at, days, evidence)

    def alarm(self, episode: Episode, name: tuple[str, str]) -> Case:
        """An alert that nothing came of, with what it stood on."""
        at = episode.fired_at
        lines = wording.evidence_lines(self.rule, episode.row, at, today_of(at, self.zone), self.currency)
        return Case(*name, episode.customer.csm, episode.customer.arr, at, None, lines)

    def _why_not(self, row: Row, at: Instant) -> tuple[str, ...]:
        today = today_of(at, self.zone)
        tree = outcome(self.rule.when, row, at, today)
        if tree.truth:
            return (f"held on {wording.date(today)}, but not long enough, or it had fired too long before",)
        lines = [
            f"{'✘' if part.truth is False else '?'} {_phrase(part)}{self._values(leaf, row, at, today)}"
            for part, leaf in _deciding(tree, wanted=tree.truth)
        ]
        return tuple(dict.fromkeys(lines))

    def _values(self, leaf: Leaf, row: Row, at: Instant, today: Day) -> str:
        special = wording.line_of(leaf, row, at, today, self.currency)
        shown = [f"{fact.shown}: {wording.show(fact, row, at, today, self.currency)}" for fact in facts_of(leaf)]
        return "".join(f" ({words})" for words in ([special] if special else shown))


def _phrase(part: Outcome) -> str:
    node = part.node
    return node.text if isinstance(node, Leaf | Not) else node.name if isinstance(node, Named) else ""


def _deciding(tree: Outcome, *, wanted: bool | None) -> list[tuple[Outcome, Leaf]]:
    """The phrases that keep the condition from holding: those with the same answer as the whole."""
    node = tree.node
    if isinstance(node, Leaf):
        return [(tree, node)]
    if isinstance(node, Not) and isinstance(node.part, Leaf):
        return [(tree, node.part)]
    return [found for part in tree.parts if part.truth is wanted for found in _deciding(part, wanted=part.truth)]
