"""What a rule, or a phrase that may become one, says of the portfolio now or at a past instant; nothing is kept or told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from daemon.replay import looking
from rules.facts import FactSettings
from rules.language import Rule, RuleSet, wording
from rules.language.compile import select_findings
from rules.language.values import today_of
from store import trials
from store.engine import Store
from store.records import Instant
from store.trials import Totals

PHRASE = "phrase"
"""The name of a phrase that is tried: as a rule, and as the file that errors name."""


@dataclass(frozen=True, slots=True)
class Match:
    """An account on which it fires: `arr` in minor units, and the facts that decide it in words."""

    key: str
    name: str
    csm: str | None
    arr: int | None
    severity: str
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tried:
    """What the rule says; `matches` are the first of `totals.fires`. `computed` False: the facts of the last evaluation."""

    rule: Rule
    as_of: Instant
    computed: bool
    totals: Totals
    matches: tuple[Match, ...]

    @property
    def silent(self) -> int:
        """Customers of whom it is known not to hold."""
        return self.totals.customers - self.totals.fires - sum(self.totals.unknown.values())


def rule_of(rules: RuleSet, words: str, read: Callable[[Mapping[str, str]], RuleSet]) -> Rule:
    """The rule of that name, else a rule made of the phrase (or an `all:`, `any:`, `none:` block), with the vocabulary.

    `read` makes rules of files; what is neither raises its RuleErrors.
    """
    for rule in rules.rules:
        if rule.name == words.strip():
            return rule
    text = _as_file(words)
    vocabulary = _without(rules.files, PHRASE)
    tried = read({**vocabulary, PHRASE: text})
    return next(rule for rule in tried.rules if rule.name == PHRASE)


def _without(files: Mapping[str, str], name: str) -> Mapping[str, str]:
    return {file: text for file, text in files.items() if file != name}


def _as_file(words: str) -> str:
    """A rule file with one rule; the phrase begins at the same column whatever it is."""
    block = words.lstrip().startswith(("all:", "any:", "none:", "{"))
    lines = words.strip().splitlines() if block else ["'" + " ".join(words.split()).replace("'", "''") + "'"]
    inside = "".join(f"      {line}\n" for line in lines)
    return f"rules:\n  - rule: {PHRASE}\n    class: churn\n    severity: medium\n    when:\n{inside}"


def attempt(
    store: Store,
    settings: FactSettings,
    rule: Rule,
    *,
    now: Instant,
    as_of: Instant | None = None,
    limit: int | None = 20,
    currency: str = "USD",
) -> Tried:
    """Ask the rule of all customers; only reads. `limit`: so many matches are shown, None for all."""
    with looking(store, settings, as_of, now, [rule]) as there:
        today = today_of(there.as_of, ZoneInfo(settings.timezone))
        found = select_findings(rule, there.as_of, today)
        totals = trials.totals(there.connection, found)
        rows = trials.matches(there.connection, found, limit)
    matches = tuple(
        Match(
            row["account_key"],
            row["account_name"],
            row["csm"],
            row["arr"],
            row["severity"],
            wording.evidence_lines(rule, row, there.as_of, today, currency),
        )
        for row in rows
    )
    return Tried(rule, there.as_of, there.computed, totals, matches)
