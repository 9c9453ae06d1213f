"""What is odd about rules under this configuration: static findings, with the facts that its sources supply."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from daemon.config import Config
from rules.language.catalogue import FACTS
from rules.language.findings import Finding, findings
from rules.language.model import RuleSet
from rules.language.sets import SETS

_MAPPED: Mapping[str, tuple[str, ...]] = {
    "arr": ("arr", "arr_growth", "load_per_arr"),
    "potential": ("potential",),
    "market_fit": ("market_fit",),
    "strategic": ("strategic",),
    "auto_renews": ("auto_renews",),
    "seats": ("seats", "adoption"),
    "team_size": ("team_size",),
    "tags": ("tags",),
}
"""Mapped field -> the facts that nothing else supplies."""
_FROM_USAGE = (
    "active_users",
    "adoption",
    "adoption_change",
    "adoption_change_vs_portfolio",
    "usage_frequency",
    "usage_trend",
    "features",
    "features_adopted",
    "features_offered",
    "whitespace",
)
_FROM_FEATURES = ("features", "features_adopted", "features_offered", "whitespace")


def odd(config: Config, rules: RuleSet) -> list[Finding]:
    """Static findings on the rules; rows are kept for good, so no window is too long."""
    return findings(rules, supplied=supplied(config))


def supplied(config: Config) -> frozenset[str]:
    """The columns of facts that the configured sources can have a value for."""
    every = {fact.column for fact in (*FACTS, *SETS.values())}
    return frozenset(every - set(_not_supplied(config)))


def _not_supplied(config: Config) -> Iterator[str]:
    mapped = {str(name) for source in config.crms.values() for name in source.fields}
    for name, columns in _MAPPED.items():
        if name not in mapped:
            yield from columns
    if not any(feed.content == "samples" for feed in config.feeds.values()):
        yield from _FROM_USAGE
    if not config.features:
        yield from _FROM_FEATURES
