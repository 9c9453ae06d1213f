"""Job title to decision level and function, in English, German, French and Spanish: vocabulary as data, and one grammar."""

from __future__ import annotations

from rules.titles.reading import TitleReading, read_title

__all__ = ["TitleReading", "read_title"]
