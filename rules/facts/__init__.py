"""What is true of every customer at an instant, as set-based SQL over the store's tables; nothing here executes."""

from __future__ import annotations

from rules.facts.behind import named_people, usage_means
from rules.facts.portfolio import in_scope, portfolio, statistics
from rules.facts.sets import narrowed, sets
from rules.facts.settings import CADENCES, FactSettings, Segments, UsageNames
from rules.facts.usage import MEDIAN_CHANGE, RHYTHM

__all__ = [
    "CADENCES",
    "MEDIAN_CHANGE",
    "RHYTHM",
    "FactSettings",
    "Segments",
    "UsageNames",
    "in_scope",
    "named_people",
    "narrowed",
    "portfolio",
    "sets",
    "statistics",
    "usage_means",
]
