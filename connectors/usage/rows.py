"""One row of a feed becomes records, or an error that says what is wrong with it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from connectors.usage.activities import activity, unknown_columns
from connectors.usage.settings import UsageSettings
from connectors.usage.values import (
    MISSING,
    BadRow,
    BadValue,
    Unnamed,
    choice,
    count,
    flag,
    given,
    look,
    moment,
    number,
    shown_names,
    text,
    user_of,
)
from store.records import FeatureUse, FedActivity, Instant, SurveyAnswer, UsageSample

FedRecord = UsageSample | FeatureUse | FedActivity | SurveyAnswer
_SURVEYS = {"csat": "csat", "nps": "nps"}
_MOST_NPS = 10


def reader(settings: UsageSettings, *, first_read: bool) -> Callable[[Mapping[str, Any]], list[FedRecord]]:
    """The function that reads a row of this feed; it raises BadRow. `first_read`: rows are history, not news."""

    def read(row: Mapping[str, Any]) -> list[FedRecord]:
        try:
            return read_named(row)
        except Unnamed:
            if settings.skip_unnamed:
                return []
            raise

    def read_named(row: Mapping[str, Any]) -> list[FedRecord]:
        known_at_once = first_read and settings.history_known_at_once
        if settings.content == "activities":
            try:
                return [activity(row, settings, known_at_once=known_at_once)]
            except BadValue as error:
                raise error.unshown() from None
        if settings.content == "surveys":
            return [_answer(row, settings, known_at_once)]
        return [*_samples(row, settings, known_at_once)] if settings.content == "samples" else [
            _use(row, settings, known_at_once)
        ]  # fmt: skip

    return read


def check_header(names: Iterable[str], settings: UsageSettings) -> None:
    """BadRow where a table (CSV, Parquet, a query) lacks a column that every row needs, or has one that none may have."""
    known = list(names)
    if settings.content == "activities":
        unknown_columns(known, settings)
    for name in needed(settings):
        if name not in known:
            raise BadRow(_no_column(name, known))


def needed(settings: UsageSettings) -> tuple[str, ...]:
    """The columns that every row has."""
    columns = settings.columns
    who = tuple(name for name in (columns.key, columns.user) if name is not None)
    if settings.content == "activities":
        return (columns.kind, settings.at_column, columns.sender, columns.to)
    if settings.content == "surveys":
        return (columns.id, *who, settings.at_column, columns.kind, settings.answer_column)
    if settings.content == "features":
        return (
            *who,
            settings.at_column,
            columns.feature,
            *(n for n in (columns.value, columns.users, columns.offered) if n),
        )
    values = settings.metrics if columns.metric is None else (columns.metric, columns.value or "")
    return (*who, settings.at_column, *values)


def _no_column(name: str, known: Iterable[str]) -> str:
    return f"there is no column `{name}` (columns: {shown_names(known)}); mend the header or `columns`/`metrics`"


def _value(row: Mapping[str, Any], name: str) -> Any:
    value = look(row, name)
    if value is MISSING:
        raise BadRow(_no_column(name, row))
    return value


def _who(row: Mapping[str, Any], settings: UsageSettings) -> tuple[str, str]:
    """(key, user): at least one of them."""
    columns = settings.columns
    # Events of one stream need not all have both.
    raw = None if columns.key is None else (given if columns.user else _value)(row, columns.key)
    key = text(raw, columns.key or "")
    user = user_of(given(row, columns.user), columns.user) if columns.user is not None else ""
    if not key and not user:
        names = " and ".join(f"`{name}`" for name in (columns.key, columns.user) if name is not None)
        raise Unnamed(f"{names} {'are' if ' and ' in names else 'is'} empty: every row names its account")
    return key, user


def _recorded(row: Mapping[str, Any], settings: UsageSettings, at: Instant, known_at_once: bool) -> Instant | None:
    raw = given(row, settings.columns.recorded_at)
    if raw is not None:
        return moment(raw, str(settings.columns.recorded_at))
    return at if known_at_once else None


def _samples(row: Mapping[str, Any], settings: UsageSettings, known_at_once: bool) -> Iterable[UsageSample]:
    """The samples of one row, one per metric that has a value."""
    columns = settings.columns
    key, user = _who(row, settings)
    at = moment(_value(row, settings.at_column), settings.at_column)
    recorded = _recorded(row, settings, at, known_at_once)
    if columns.metric is None:
        pairs = [(metric, number(_value(row, metric), metric)) for metric in settings.metrics]
    else:
        name = text(_value(row, columns.metric), columns.metric)
        if not name:
            raise BadRow(f"`{columns.metric}` is empty: every row names its metric")
        kept = not settings.metrics or name in settings.metrics
        pairs = [(name, number(_value(row, columns.value or ""), columns.value or ""))] if kept else []
    return [UsageSample(key, metric, at, value, user or None, recorded) for metric, value in pairs if value is not None]


def _use(row: Mapping[str, Any], settings: UsageSettings, known_at_once: bool) -> FeatureUse:
    columns = settings.columns
    key, user = _who(row, settings)
    at = moment(_value(row, settings.at_column), settings.at_column)
    feature = text(_value(row, columns.feature), columns.feature)
    if not feature:
        raise BadRow(f"`{columns.feature}` is empty: every row names its feature")
    users = count(given(row, columns.users), columns.users) if columns.users else None
    uses = number(given(row, columns.value), columns.value) if columns.value else None
    if uses is None:  # a row without a number is one use, unless it counts nobody
        uses = 0.0 if users == 0 else 1.0
    offered = flag(given(row, columns.offered), columns.offered) if columns.offered else None
    recorded = _recorded(row, settings, at, known_at_once)
    return FeatureUse(key, feature, at, uses, user or None, users, offered, recorded)


def _answer(row: Mapping[str, Any], settings: UsageSettings, known_at_once: bool) -> SurveyAnswer:
    columns, name = settings.columns, settings.answer_column
    key, user = _who(row, settings)
    at = moment(_value(row, settings.at_column), settings.at_column)
    ref = text(_value(row, columns.id), columns.id)
    if not ref:
        raise BadRow(f"`{columns.id}` is empty: every answer has an id, so that it counts once")
    kind = choice(_value(row, columns.kind), columns.kind, _SURVEYS)
    if kind is None:
        raise BadRow(f"`{columns.kind}` is empty: write csat or nps")
    raw = _value(row, name)
    value = number(raw, name)
    if value is None:
        raise BadRow(f"`{name}` is empty: every answer has a number")
    return SurveyAnswer(
        ref, key, kind, _nps(value, raw, name) if kind == "nps" else _csat(value, raw, settings), at, user or None,
        _recorded(row, settings, at, known_at_once),
    )  # fmt: skip


def _nps(value: float, raw: Any, name: str) -> int:
    if not value.is_integer() or value > _MOST_NPS:
        raise BadValue(name, raw, "an answer to an NPS question is a whole number from 0 to 10")
    return int(value)


def _csat(value: float, raw: Any, settings: UsageSettings) -> int:
    """Hundredths of a percent of the scale, half up."""
    worst, best = settings.csat_scale
    if not worst <= value <= best:
        raise BadValue(
            settings.answer_column, raw, f"a CSAT answer lies between {worst:g} and {best:g}: mend it, or `csat_scale`"
        )
    return math.floor((value - worst) / (best - worst) * 10_000 + 0.5)
