"""Settings of the business calendar: the weekend and the holidays that `in 10 business days` leaves out."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import BaseModel, ConfigDict, field_validator

from rules.language.calendar import Calendar

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_WEEK: tuple[Weekday, ...] = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_EPOCH = dt.date(1970, 1, 1)


class CalendarSettings(BaseModel):
    """The key `calendar`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    weekend: tuple[Weekday, ...] = ("saturday", "sunday")
    holidays: tuple[dt.date, ...] = ()

    @field_validator("weekend")
    @classmethod
    def _some_work(cls, value: tuple[Weekday, ...]) -> tuple[Weekday, ...]:
        if set(value) == set(_WEEK):
            raise ValueError("the whole week is no weekend: leave out the days that are worked")
        return value

    def calendar(self, zone: str) -> Calendar:
        """As the rule language reads it; days begin and end in this time zone."""
        weekend = frozenset(_WEEK.index(day) for day in self.weekend)
        return Calendar(weekend, frozenset((day - _EPOCH).days for day in self.holidays), zone)
