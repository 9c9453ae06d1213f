"""The facts of every customer that are sets (tags, functions reached, features), and events narrowed to some persons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import CTE, Select, and_, case, func, literal, null, or_, select, union_all
from sqlalchemy.sql.expression import FromClause

from rules.facts.contracts import scope
from rules.facts.coverage import narrowed_coverage
from rules.facts.features import feature_state, uses
from rules.facts.freshness import stale_sources
from rules.facts.moment import Moment, count_if, half_up, known, moment, once, whole, word
from rules.facts.people import on_record
from rules.facts.settings import FactSettings
from rules.facts.usage import feed_rhythm, usage
from rules.levels import LEVEL_NAMES
from store.records import Instant
from store.tables import account_fields, person_levels, persons, touches

REACHED_DAYS = 180
_LEVEL = case(*((person_levels.c.level == number, word(name)) for number, name in LEVEL_NAMES.items()))
_FUNCTION = case((person_levels.c.function != "unknown", person_levels.c.function))
"""What an event is narrowed to, as it follows from the levels; NULL where nobody knows it."""
TAG = "tag:"
"""What the names of the mapped fields begin with that are one tag each."""


@dataclass(frozen=True, slots=True)
class Customers:
    """Whose sets are asked for."""

    all: CTE
    """One row per customer in scope: `csm`."""
    used: CTE
    """One row per customer with usage: `active_users`."""
    stale_sources: CTE


def customers_at(as_of: Instant, settings: FactSettings, accounts: Select[int] | None = None) -> Customers:
    """The customers in scope at `as_of`, from nothing."""
    m = moment(as_of, settings.timezone)
    base = scope(m, settings, accounts)
    rhythm = feed_rhythm(m, settings.usage, stored=True)  # no matter here: only the active users are
    return Customers(base.contracts, usage(m, settings, base.contracts, base.stale_sources, rhythm), base.stale_sources)


def customers_of(rows: FromClause, as_of: Instant, settings: FactSettings) -> Customers:
    """The customers of `rows`, which are those of `store.tables.facts` at `as_of`."""
    c = rows.c
    used = select(c.account_id, c.active_users).where(c.active_users_state.is_distinct_from("no_source"))
    everybody = select(c.account_id, c.csm).cte("customers_in_scope")
    return Customers(everybody, used.cte("usage_of_customers"), stale_sources(moment(as_of, settings.timezone)))


def sets(as_of: Instant, settings: FactSettings, among: Customers, events: FromClause) -> Select[Any]:
    """(account_id, fact, value, state) of every customer at `as_of`: the columns of `store.tables.fact_sets`.

    `events`: what `narrowed` gives of the same customers.
    """
    m = moment(as_of, settings.timezone)
    parts = [_tags(m, among), _functions(m, events), _features(m, among)]
    return union_all(*parts).subquery("sets").select()


def narrowed(as_of: Instant, settings: FactSettings, among: Customers) -> Select[Any]:
    """Contact and reply by level and by function, at `as_of`: the columns of `store.tables.narrowed_facts`.

    The row with the value '' is for the persons of whom it is not known.
    """
    m = moment(as_of, settings.timezone)
    people = _people(m, among.all)
    p = people.c
    covered = narrowed_coverage(m, among.all, {"level": _LEVEL, "function": _FUNCTION})
    parts = []
    for by in covered.here:
        value = func.coalesce(p[by], word(""))
        found = (
            select(
                p.account_id,
                word(by).label("by"),
                value.label("value"),
                whole(count_if(p.on_file == 1)).label("contacts"),
                func.min(case((p.on_file == 1, p.created_at))).label("since"),
                func.max(p.last_contact).label("last_contact"),
                func.max(p.last_reply).label("last_reply"),
                func.min(p.next_meeting).label("next_meeting"),
            )
            .group_by(p.account_id, value)
            .subquery(f"by_{by}")
        )
        parts.append(covered.join(by, found))
    return union_all(*parts).subquery("narrowed").select()


def _people(m: Moment, customers: CTE) -> CTE:
    """One row per person known by then, with level, function and the instants of the last contact and reply."""
    t, p, level = touches.c, persons.c, person_levels.c
    past = t.occurred_at <= m.as_of
    last = once(
        select(
            t.person_id,
            func.max(case((past, t.occurred_at))).label("last_contact"),
            func.max(case((and_(past, t.inbound == 1), t.occurred_at))).label("last_reply"),
            func.min(case((and_(t.kind == "meeting", t.starts_at > m.as_of), t.starts_at))).label("next_meeting"),
        )
        .where(t.account_id.in_(select(customers.c.account_id)), on_record(m))
        .group_by(t.account_id, t.person_id),
        "last_touches",
    )
    on_file = or_(p.deleted_at.is_(None), p.deleted_at > m.as_of)
    query = (
        select(
            p.account_id,
            p.created_at,
            case((on_file, 1), else_=0).label("on_file"),
            _LEVEL.label("level"),
            _FUNCTION.label("function"),
            last.c.last_contact,
            last.c.last_reply,
            last.c.next_meeting,
        )
        .select_from(persons)
        .join(person_levels, and_(level.person_id == p.id, known(person_levels, m)), isouter=True)
        .join(last, last.c.person_id == p.id, isouter=True)
        .where(p.account_id.in_(select(customers.c.account_id)), p.created_at <= m.as_of)
    )
    return once(query, "classified_people")


def _tags(m: Moment, among: Customers) -> Select[Any]:
    f, stale = account_fields.c, among.stale_sources.c
    old = case((func.coalesce(stale.fields, 0) == 1, word("stale")))
    return (
        select(
            f.account_id,
            word("tags").label("fact"),
            func.substr(f.field, len(TAG) + 1).label("value"),
            func.max(old).label("state"),
        )
        .select_from(account_fields)
        .join(among.stale_sources, stale.source == f.source, isouter=True)
        .where(f.account_id.in_(select(among.all.c.account_id)), f.field.startswith(TAG), known(account_fields, m))
        .group_by(f.account_id, f.field)
    )


def _functions(m: Moment, events: FromClause) -> Select[Any]:
    """The functions of which somebody was in touch."""
    e = events.c
    met = (e.by == "function", e.value != "", e.last_contact > m.ago(REACHED_DAYS))
    return select(e.account_id, word("functions_reached"), e.value, null()).where(*met)


def _features(m: Moment, among: Customers) -> Select[Any]:
    """Every feature of the catalogue at every customer."""
    used = among.used
    found = uses(m, among.all, used, among.stale_sources, ())
    r, sold, customer = found.rows.c, found.catalogue.c, among.all.c
    active = half_up(used.c.active_users, 1)
    return (
        select(customer.account_id, word("features"), sold.feature, feature_state(found, active))
        .select_from(among.all)
        .join(found.catalogue, literal(True))
        .join(found.rows, and_(r.account_id == customer.account_id, r.feature == sold.feature), isouter=True)
        .join(found.counts, found.counts.c.account_id == customer.account_id, isouter=True)
        .join(used, used.c.account_id == customer.account_id, isouter=True)
    )
