"""What is true of every customer at an instant, as set-based SQL over the store's tables; nothing here executes."""

from __future__ import annotations

from rules.facts.behind import named_people, usage_means
from rules.facts.outcomes import churned
from rules.facts.pairs import hand_overs, holders, pair_strengths
from rules.facts.portfolio import in_scope, portfolio, statistics
from rules.facts.roster import team_coverage, unknown_people
from rules.facts.sets import customers_at, customers_of, narrowed, sets
from rules.facts.settings import CADENCES, FactSettings, Segments, UsageNames
from rules.facts.usage import MEDIAN_CHANGE, RHYTHM

__all__ = [
    "CADENCES",
    "MEDIAN_CHANGE",
    "RHYTHM",
    "FactSettings",
    "Segments",
    "UsageNames",
    "churned",
    "customers_at",
    "customers_of",
    "hand_overs",
    "holders",
    "in_scope",
    "named_people",
    "narrowed",
    "pair_strengths",
    "portfolio",
    "sets",
    "statistics",
    "team_coverage",
    "unknown_people",
    "usage_means",
]
