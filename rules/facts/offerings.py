"""The newest offering, and whether a customer has been shown it: by use, by a meeting's title, or by a click."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import CTE, Integer, and_, case, false, func, literal, null, or_, select

from rules.facts.features import Uses
from rules.facts.moment import Expr, Moment, once, word
from rules.facts.people import on_record
from rules.facts.settings import FactSettings
from rules.facts.states import fact
from store.records import SECOND, Day, Instant
from store.tables import crm_activities, showings, touches

_EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class Newest:
    """The offering that was released last."""

    name: str
    released: Day
    since: Instant
    """The first instant of that day in the configured zone."""
    features: tuple[str, ...]
    """Whose use shows that it is adopted; none: use says nothing of it."""
    words: tuple[str, ...]


def newest_offering(m: Moment, settings: FactSettings) -> Newest | None:
    """The offering released last by the moment's date, of several on a day the first by name; None = none has a date.

    A feature that belongs to no offering is one of its own. An offering without a date of its own came with the first
    of its features that has one.
    """
    features: dict[str, list[str]] = {name: [] for name in settings.offerings}
    dates = {name: [about.released] for name, about in settings.offerings.items() if about.released}
    words = {name: about.words for name, about in settings.offerings.items()}
    for feature, about in settings.features.items():
        name = about.offering or feature
        features.setdefault(name, []).append(feature)
        if about.released and not (name in settings.offerings and settings.offerings[name].released):
            dates.setdefault(name, []).append(about.released)
    released = {name: min(some).toordinal() - _EPOCH for name, some in dates.items()}
    candidates = sorted((-day, name) for name, day in released.items() if day <= m.today)
    if not candidates:
        return None
    day, name = -candidates[0][0], candidates[0][1]
    title = settings.features[name].title if name in settings.features else None
    return Newest(
        name=name,
        released=day,
        since=_midnight(day, settings.timezone),
        features=tuple(sorted(features[name])),
        words=words.get(name) or (name, *((title,) if title else ())),
    )


def _midnight(day: Day, timezone: str) -> Instant:
    there = datetime.combine(date.fromordinal(day + _EPOCH), datetime.min.time(), ZoneInfo(timezone))
    return int(there.timestamp()) * SECOND


def showing(m: Moment, scope: CTE, newest: Newest | None) -> CTE:
    """One row per customer with a click or a meeting since the release: `clicked` (1 yes, 0 no), `named`, `untitled`."""
    s, t, a = showings.c, touches.c, crm_activities.c
    if newest is None:
        none = literal(None, Integer)
        empty = select(scope.c.account_id, none.label("clicked"), none.label("named"), none.label("untitled"))
        return empty.where(false()).cte("showing")
    # The latest click counts; an instant and a yes or no are one number.
    clicks = select(
        s.account_id, func.max(s.at * 2 + s.shown).label("click"), null().label("named"), null().label("untitled")
    ).where(
        s.account_id.in_(select(scope.c.account_id)),
        s.offering == newest.name,
        s.at <= m.as_of,
        s.recorded_at <= m.as_of,
    )
    titles = (
        select(
            t.account_id,
            null().label("click"),
            func.max(case((_has(a.subject, newest.words), 1), else_=0)).label("named"),
            func.max(case((a.subject.is_(None), 1), else_=0)).label("untitled"),
        )
        .join(crm_activities, and_(a.source == t.source, a.id == t.activity_id), isouter=True)
        .where(
            t.account_id.in_(select(scope.c.account_id)),
            t.kind == "meeting",
            t.occurred_at >= newest.since,
            t.occurred_at <= m.as_of,
            on_record(m),
        )
        .group_by(t.account_id)
    )
    both = clicks.group_by(s.account_id).union_all(titles).subquery("showings_and_titles").c
    query = select(
        both.account_id,
        (func.max(both.click) % 2).label("clicked"),
        func.max(both.named).label("named"),
        func.max(both.untitled).label("untitled"),
    )
    return once(query.group_by(both.account_id), "showing")


def _has(title: Expr, words: tuple[str, ...]) -> Expr:
    """True where one of the words is in the title, in any case.

    Databases differ in whether `lower` knows letters beyond ASCII, so a word is looked for as each of them leaves it.
    """
    spellings = {spelling for word_ in words for spelling in _spellings(word_)}
    return or_(*(func.lower(title).contains(spelling, autoescape=True) for spelling in sorted(spellings)))


def _spellings(text: str) -> set[str]:
    forms = {text, text.lower(), text.upper(), text.title()}
    ascii_lower = {"".join(char.lower() if char.isascii() else char for char in form) for form in forms}
    return ascii_lower | {text.lower()}


def offering_facts(newest: Newest | None, shown: CTE, found: Uses, unseen: Expr) -> dict[str, Expr]:
    """When the newest offering came, and whether the customer knows it; `unseen`: why touches cannot be trusted."""
    if newest is None:
        missing = {f"{name}_state": word("not_on_file") for name in ("newest_offering", "newest_offering_shown")}
        return {"newest_offering": null(), "newest_offering_shown": null(), **missing}
    s, used_it = shown.c, func.coalesce(found.counts.c.newest_used, 0) == 1
    whys: list[tuple[Expr, Expr]] = []
    if newest.features:
        whys = [(~found.seen, word("no_source")), (found.stale == 1, word("stale"))]
    whys += [(unseen.is_not(None), unseen), (s.untitled == 1, word("not_on_file"))]
    why = case(*whys)
    told = case(
        (or_(used_it, s.named == 1, s.clicked == 1), 1),
        (s.clicked == 0, 0),
        (why.is_(None), 0),
    )
    return {
        **fact("newest_offering", literal(newest.released, Integer), "not_on_file"),
        **fact("newest_offering_shown", told, why),
    }
