"""Facts that are sets, and what narrows an event: tags, functions reached, features; levels and functions of persons."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from rules.language.catalogue import BY_NAME, Fact, Kind

LEVELS = ("c_level", "vp", "director", "manager", "individual")
FUNCTIONS = (
    "executive",
    "it",
    "engineering",
    "operations",
    "finance",
    "marketing",
    "sales",
    "hr",
    "legal",
    "procurement",
    "product",
    "support",
    "data",
    "other",
)
TAGS = Fact("tags", Kind.SET)
REACHED = Fact("functions reached", Kind.SET, choices=FUNCTIONS)
FEATURES = Fact("features", Kind.SET)
SETS: Mapping[str, Fact] = MappingProxyType({fact.name: fact for fact in (TAGS, REACHED, FEATURES)})
HIDDEN_FUNCTION = "unknown"
"""Among the functions reached: somebody whose function nobody knows."""

FEATURE_STATES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "adopted": ("adopted", "thriving"),
        "thriving": ("thriving",),
        "lapsed": ("lapsed",),
        "offered": ("offered", "adopted", "thriving", "lapsed"),
    }
)
"""What a phrase says of a feature -> the states of store.tables.fact_sets for which it is true: what thrives is adopted,
and what was ever adopted is offered."""
STATES = ("not_offered", "offered", "adopted", "thriving", "lapsed", "unknown")

NARROWED = ("last contact", "last reply")
"""The events that can be narrowed to persons of one level or function."""
NARROWABLE: Mapping[str, Fact] = MappingProxyType({BY_NAME[name].event: BY_NAME[name] for name in NARROWED})


def set_example(fact: Fact) -> str:
    """A phrase that suits the set."""
    return {"tags": 'tagged "beta"', "features": 'feature "SSO" is adopted'}.get(fact.name, f"{fact.name} include it")


def said_of(states: tuple[str, ...]) -> str:
    """The word of a phrase for these states of a feature."""
    return next(word for word, meant in FEATURE_STATES.items() if meant == states)
