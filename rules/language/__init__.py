"""The condition language: YAML files of typed English phrases, read, explained and compiled to SQL."""

from __future__ import annotations

from rules.language.errors import RuleError, RuleErrors
from rules.language.model import SEVERITIES, Rule, RuleSet, RuleTest
from rules.language.reading import load

__all__ = ["SEVERITIES", "Rule", "RuleError", "RuleErrors", "RuleSet", "RuleTest", "load"]
