"""Why an account fires, does not, or cannot be told: every fact with its rows, every rule as a tree, what changes next."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from daemon.explainrows import Behind, rows_behind
from daemon.facts import Needs
from daemon.factsat import facts_at
from rules.facts.notes import NOTES, Note
from rules.facts.settings import FactSettings
from rules.language import wording
from rules.language.catalogue import FACTS, Kind
from rules.language.evaluate import Row, Verdict, evaluate
from rules.language.forecast import Change, next_change
from rules.language.model import Rule, RuleSet
from rules.language.values import today_of
from store import evidence
from store.engine import Store
from store.evidence import FoundAccount, PersonRow, SourceRow, TierRow, TouchRow
from store.records import DAY, Day, Instant

FactsAt = Callable[[Store, FactSettings, Instant, int, Needs], Mapping[str, object] | None]


_UNITS: Mapping[Kind, str] = {
    Kind.EVENT: "instant",
    Kind.BOOKING: "instant",
    Kind.DATE: "date",
    Kind.FLAG: "yes or no",
    Kind.MONEY: "money",
    Kind.RATIO: "%",
    Kind.POINTS: "points",
    Kind.SCORE: "of 100",
}
"""Of facts whose catalogue entry has none."""


class AccountNotFound(LookupError):
    """No account has that key, CRM id or name; write a part of its name, or an id as the CRM shows it."""


class AccountAmbiguous(LookupError):
    """Several accounts have that name; `candidates` lists them with their ids."""

    def __init__(self, text: str, candidates: Sequence[FoundAccount]) -> None:
        self.candidates = tuple(candidates)
        shown = "\n".join(
            f"  {found.name}: {', '.join(id_ for _, id_ in found.ids) or found.key}" for found in candidates
        )
        super().__init__(f"`{text}` may be several accounts; name one by its id:\n{shown}")


@dataclass(frozen=True, slots=True)
class FactLine:
    """One fact: its value in words, its state (value, never, stale or why it is missing), and the rows that made it."""

    column: str
    name: str
    value: str
    state: str
    rows: tuple[str, ...] = ()
    unit: str = ""
    source: str = ""
    """What feeds it, in words."""
    fresh_at: Instant | None = None
    """Up to when the oldest of its streams is complete; None: it stands on no stream that was ever read."""


@dataclass(frozen=True, slots=True)
class RuleLine:
    """One rule on the account. `change` is the next change by time alone; `fires_at` counts the rule's `for` in."""

    rule: Rule
    verdict: Verdict
    sentence: str
    clears_when: str
    change: Change | None

    @property
    def fires_at(self) -> Instant | None:
        """When it will fire if nothing but time happens; None when it fires already or time does not bring it."""
        if self.verdict.truth or self.change is None or not self.change.truth:
            return None
        return self.change.at + self.rule.for_us


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything tierd knows of one account at one instant, and what each rule makes of it."""

    account: FoundAccount
    as_of: Instant
    today: Day
    currency: str
    in_scope: bool
    """False: no customer then, so nothing was evaluated."""
    row: Row
    facts: tuple[FactLine, ...]
    rules: tuple[RuleLine, ...]
    persons: tuple[PersonRow, ...]
    touches: tuple[TouchRow, ...]
    sources: tuple[SourceRow, ...]
    tier: TierRow | None

    def rule(self, name: str) -> RuleLine:
        """What that rule says; KeyError when there is no such rule."""
        for line in self.rules:
            if line.rule.name == name:
                return line
        raise KeyError(name)


def find(store: Store, text: str) -> FoundAccount:
    """The account a person means by name, key or CRM id; raises AccountNotFound or AccountAmbiguous."""
    with store.read() as connection:
        found = evidence.find_accounts(connection, text)
    if not found:
        raise AccountNotFound(f"no account has the id, key or name `{text}`; a part of the name is enough")
    if len(found) > 1:
        raise AccountAmbiguous(text, found)
    return found[0]


def explain(
    store: Store,
    ruleset: RuleSet,
    settings: FactSettings,
    account: str,
    as_of: Instant,
    *,
    currency: str = "USD",
    at: FactsAt = facts_at,
) -> Explanation:
    """Explain one account at any instant; reads only. Raises AccountNotFound or AccountAmbiguous."""
    found = find(store, account)
    computed = at(store, settings, as_of, found.id, Needs.of(ruleset))
    row: Row = computed or {}
    today = today_of(as_of, ZoneInfo(settings.timezone))
    with store.read() as connection:
        persons = tuple(evidence.persons_of(connection, found.id, as_of))
        touches = tuple(evidence.touches_of(connection, found.id, as_of))
        fields = evidence.fields_of(connection, found.id, as_of)
        sources = tuple(evidence.freshness_of(connection, tuple({source for source, _ in found.ids})))
        tier = evidence.tier_of(connection, found.id)
        samples = tuple(evidence.samples_of(connection, found.id, as_of))
        tickets = tuple(evidence.tickets_of(connection, found.id, as_of, as_of - 90 * DAY))
    there = Behind(as_of, persons, touches, fields, samples, tickets, tier)
    facts = tuple(
        FactLine(
            fact.column,
            fact.shown,
            wording.show(fact, row, as_of, today, currency),
            str(row.get(f"{fact.column}_state") or ("value" if row.get(fact.column) is not None else "not_on_file")),
            rows_behind(fact, row, there),
            fact.unit or _UNITS.get(fact.kind, ""),
            NOTES[fact.column].source,
            _fresh_at(NOTES[fact.column], sources),
        )
        for fact in FACTS
    )
    rules = tuple(_rule_line(rule, row, as_of, today, currency) for rule in ruleset.rules) if row else ()
    return Explanation(
        account=found,
        as_of=as_of,
        today=today,
        currency=currency,
        in_scope=computed is not None,
        row=row,
        facts=facts if row else (),
        rules=rules,
        persons=persons,
        touches=touches,
        sources=sources,
        tier=tier,
    )


def _fresh_at(note: Note, sources: Sequence[SourceRow]) -> Instant | None:
    """The streams that make the fact stale: how far the one is that is furthest behind."""
    ages = [row.fresh_at for row in sources if row.stream in note.streams and row.status != "absent"]
    return min((at for at in ages if at is not None), default=None)


def _rule_line(rule: Rule, row: Row, as_of: Instant, today: Day, currency: str) -> RuleLine:
    return RuleLine(
        rule,
        evaluate(rule, row, as_of, today),
        wording.sentence(rule, row, as_of, today, currency),
        wording.clears_when(rule, row, as_of, today),
        next_change(rule, row, as_of, today),
    )
