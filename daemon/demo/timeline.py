"""One account's last months as a drawing: who was in touch, what is booked, how it is used, when it was told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from daemon.demo.seen import Seen
from daemon.explain import Explanation
from store.engine import Store
from store.records import DAY, Instant
from store.tables import usage_samples

WIDTH, LEFT, RIGHT = 1160, 132, 24
BEFORE_DAYS, AFTER_DAYS = 90, 24
LANE = 34
TOP = 30


@dataclass(frozen=True, slots=True)
class Dot:
    """One touch or booking."""

    x: float
    y: float
    kind: str
    """exec | user | unclassified"""
    booked: bool
    title: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One time that an alert was open."""

    x: float
    width: float
    y: float
    severity: str
    label: str
    told_x: float | None


@dataclass(frozen=True, slots=True)
class Mark:
    """A vertical line or a tick."""

    x: float
    label: str
    anchor: str = "middle"
    """Where the label stands: start | middle | end."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """Everything the template draws; coordinates in pixels."""

    width: int
    height: int
    lanes: tuple[tuple[float, str], ...]
    """(y, name)"""
    dots: tuple[Dot, ...]
    bars: tuple[Bar, ...]
    ticks: tuple[Mark, ...]
    marks: tuple[Mark, ...]
    usage: str
    """Points of a polyline; empty where there is no usage."""
    usage_label: str


class _Axis:
    def __init__(self, begin: Instant, end: Instant) -> None:
        self.begin, self.end = begin, end

    def x(self, at: Instant) -> float:
        inside = min(max(at, self.begin), self.end)
        return round(LEFT + (WIDTH - LEFT - RIGHT) * (inside - self.begin) / (self.end - self.begin), 1)

    def holds(self, at: Instant) -> bool:
        return self.begin <= at <= self.end


def draw(store: Store, told: Explanation, alerts: Sequence[Seen], start: Instant, days: int) -> Timeline:
    """The drawing of one account. `start` is the first of `days` evaluations."""
    end = start + days * DAY
    axis = _Axis(start - BEFORE_DAYS * DAY, end + AFTER_DAYS * DAY)
    lanes = [(TOP + LANE * n + LANE / 2, name) for n, name in enumerate(("executives", "users", "level unknown"))]
    usage_y = TOP + LANE * 3
    bars = _bars(axis, alerts, start, end, usage_y + 70)
    height = round(usage_y + 70 + LANE * len(bars) + 26)
    points, label = _usage(store, axis, told.account.id, usage_y)
    return Timeline(
        width=WIDTH,
        height=height,
        lanes=(*lanes, (usage_y + 30, "active users"), *((bar.y + 9, "alert") for bar in bars)),
        dots=tuple(_dots(axis, told, dict(zip(("exec", "user", "unclassified"), lanes, strict=True)))),
        bars=tuple(bars),
        ticks=tuple(_weeks(axis)),
        marks=tuple(_marks(axis, told, start)),
        usage=points,
        usage_label=label,
    )


def _dots(axis: _Axis, told: Explanation, lanes: dict[str, tuple[float, str]]) -> list[Dot]:
    return [
        Dot(
            axis.x(touch.occurred_at),
            lanes[touch.standing][0],
            touch.standing,
            touch.starts_at > told.as_of,
            f"{_date(touch.occurred_at)}: {touch.kind} with {touch.person}"
            + (f", {touch.title}" if touch.title else ""),
        )
        for touch in told.touches
        if axis.holds(touch.occurred_at)
    ]


def _bars(axis: _Axis, alerts: Sequence[Seen], start: Instant, end: Instant, top: float) -> list[Bar]:
    bars = []
    for number, alert in enumerate(alerts):
        opened = start + alert.opened_day * DAY
        closed = end if alert.closed_day is None else start + alert.closed_day * DAY
        told = None if alert.told_day is None else axis.x(start + alert.told_day * DAY)
        where = f" — told by {alert.told_where} on {_date(opened)}" if alert.told_where else ""
        width = max(axis.x(closed) - axis.x(opened), 6)
        bars.append(Bar(axis.x(opened), width, top + LANE * number, alert.severity, alert.rule + where, told))
    return bars


def _marks(axis: _Axis, told: Explanation, start: Instant) -> list[Mark]:
    marks = [Mark(axis.x(start), "tierd starts", "end")]
    renewal = told.row.get("renewal")
    if isinstance(renewal, int) and axis.holds(renewal * DAY):
        marks.append(Mark(axis.x(renewal * DAY), "renewal", "end"))
    return [*marks, Mark(axis.x(told.as_of), "today", "start")]


def _weeks(axis: _Axis) -> list[Mark]:
    first = (
        axis.begin // DAY + (7 - (axis.begin // DAY + 3) % 7) % 7
    )  # 1970-01-01 was a Thursday; weeks begin on Monday
    return [Mark(axis.x(day * DAY), _date(day * DAY)) for day in range(first, axis.end // DAY, 14)]


def _usage(store: Store, axis: _Axis, account_id: int, top: float) -> tuple[str, str]:
    """The 28-day active users; a few points are enough for a line."""
    sample = usage_samples.c
    query = select(sample.at, sample.value).where(
        sample.account_id == account_id, sample.metric == "active_users_28d", sample.at >= axis.begin
    )
    with store.read() as conn:
        rows = [(row.at, row.value) for row in conn.execute(query.order_by(sample.at))]
    if not rows:
        return "", ""
    most = max(value for _, value in rows) or 1
    points = " ".join(f"{axis.x(at)},{round(top + 58 - 46 * value / most, 1)}" for at, value in rows)
    return points, f"{rows[0][1]:,.0f} → {rows[-1][1]:,.0f}"


def _date(at: Instant) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)).strftime("%-d %b")
