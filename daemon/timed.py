"""Selects over facts, as statements that are kept: what each of them depends on, and how its dates move."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select

from rules.facts import FactSettings
from rules.facts.moment import moment
from rules.facts.offerings import newest_offering
from rules.language.values import today_of
from store.records import Instant
from store.statements import TimedRows, When


def when(as_of: Instant, settings: FactSettings) -> When:
    """An instant, with dates in the configured zone."""
    return When(as_of, partial(today_of, zone=ZoneInfo(settings.timezone)))


def timed(
    what: str,
    settings: FactSettings,
    as_of: Instant,
    build: Callable[[Instant], Select[Any]],
    *more: object,
    bound: Mapping[str, Any] | None = None,
) -> TimedRows:
    """Rows about an instant, named `what`; they depend on the settings, the newest offering by then, and on `more`."""
    # Which offering is the newest is found in Python, by the date; everything else about time is a parameter.
    owners = (settings, newest_offering(moment(as_of, settings.timezone), settings), *more)
    return TimedRows(what, owners, when(as_of, settings), build, bound=bound or {})
