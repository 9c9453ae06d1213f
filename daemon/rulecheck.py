"""What is odd about rules under this configuration: static findings, with the facts that its sources supply."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from daemon.config import Config
from rules.language.catalogue import FACTS
from rules.language.findings import Finding, findings
from rules.language.model import RuleSet
from rules.language.sets import SETS
from store.backtests import oldest_contact
from store.engine import Store
from store.records import DAY, Instant

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


def odd(config: Config, rules: RuleSet, now: Instant) -> list[Finding]:
    """Static findings on the rules under this configuration, and under what its store has by now, where there is one."""
    return findings(rules, supplied=supplied(config), history_days=_history(config, now))


def _history(config: Config, now: Instant) -> int | None:
    """Whole days from the oldest activity on record to now; None: nothing is known yet. Nothing is made or changed."""
    file = make_url(config.store_url).database
    if config.store_url.startswith("sqlite") and not Path(file or "").is_file():
        return None
    store = Store(config.store_url)
    try:
        with store.read() as connection:
            oldest = oldest_contact(connection)
    except SQLAlchemyError:  # not there, or of another version: the rules can be checked all the same
        return None
    finally:
        store.close()
    return None if oldest is None else (now - oldest) // DAY


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
