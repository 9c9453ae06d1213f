"""What alerting needs to know of the rules and of the configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from alerts.lifecycle import Hold
from alerts.settings import AlertSettings
from alerts.view import RuleText
from rules.language.evidence import bullets
from rules.language.model import Rule, RuleSet
from rules.language.values import today_of
from rules.language.wording import clears_when, sentence
from store.alerts import RuleKey
from store.records import Behind, Instant

Words = Callable[[Mapping[str, Any], Instant, Behind], RuleText]
"""(evidence of the finding, as_of, the rows behind it) -> what a message says; nothing in it ages."""


@dataclass(frozen=True, slots=True)
class AlertRule:
    """One rule as alerting sees it. `words` puts an alert's evidence into sentences."""

    name: str
    klass: str
    version: str
    words: Words
    for_us: int = 0
    keep_firing_us: int = 86_400_000_000
    notify: str = "owner"

    @property
    def key(self) -> RuleKey:
        """What the store needs to find the differences."""
        return RuleKey(self.name, self.version, self.for_us, self.keep_firing_us)


@dataclass(frozen=True, slots=True)
class AlertPolicy:
    """Settings that alerting reads, gathered by the wiring. `links`: source -> address of an account, with `{id}`."""

    settings: AlertSettings
    alerts_channel: str
    operators_channel: str
    routes: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    timezone: str = "UTC"
    currency: str = "USD"
    tier_names: tuple[str, ...] = ("1", "2", "3")
    metric: str = "active_users"
    """The usage metric whose movement is the adoption change."""
    red_below: float = 50.0
    """Health below it is red, and holds growth."""
    chunk: int = 200
    """Accounts per transaction."""

    def destination(self, notify: str) -> str:
        """The channel of a rule's route."""
        return self.routes.get(notify, self.alerts_channel)

    def hold(self, rule: AlertRule) -> Hold:
        """The rule's durations."""
        return Hold(rule.for_us, rule.keep_firing_us, self.settings.flap_window)


RuleBook = Mapping[str, AlertRule]


def alert_rules(ruleset: RuleSet, policy: AlertPolicy) -> dict[str, AlertRule]:
    """The rules of a rule set by name, without those in the shadow: their findings are kept, and nobody is told."""
    return {rule.name: _rule(rule, policy) for rule in ruleset.rules if rule.status != "shadow"}


def in_shadow(ruleset: RuleSet) -> frozenset[str]:
    """Names of the rules in the shadow."""
    return frozenset(rule.name for rule in ruleset.rules if rule.status == "shadow")


def _rule(rule: Rule, policy: AlertPolicy) -> AlertRule:
    zone = ZoneInfo(policy.timezone)

    def words(evidence: Mapping[str, Any], as_of: Instant, behind: Behind) -> RuleText:
        today = today_of(as_of, zone)
        return RuleText(
            sentence=sentence(rule, evidence, as_of, today, policy.currency, lasting=True),
            evidence=bullets(rule, evidence, behind, as_of, today, currency=policy.currency),
            clears_when=clears_when(rule, evidence, as_of, today).removeprefix("Clears when "),
            play=rule.play,
        )

    return AlertRule(rule.name, rule.klass, rule.version, words, rule.for_us, rule.keep_firing_us, rule.notify)
