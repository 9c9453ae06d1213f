"""One row per customer in scope at an instant: every fact with its value or the reason why there is none."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, and_, literal, or_, select
from sqlalchemy.sql.expression import FromClause

from rules.facts.columns import Parts, fact_columns
from rules.facts.contracts import Scope, scope
from rules.facts.coverage import coverage
from rules.facts.deals import dealing
from rules.facts.features import uses
from rules.facts.growth import arr_then
from rules.facts.moment import Moment, moment, once, real, word
from rules.facts.offerings import newest_offering, showing
from rules.facts.people import people, per_person, touch_counts
from rules.facts.replies import outreach, waiting
from rules.facts.scored import first_columns, typed, with_scores
from rules.facts.settings import FactSettings
from rules.facts.tickets import tickets
from rules.facts.usage import MEDIAN_CHANGE, RHYTHM, change_median, feed_rhythm, usage
from rules.facts.voice import voice
from store.records import Instant
from store.tables import tier_history


def portfolio(
    as_of: Instant,
    settings: FactSettings,
    accounts: Select[int] | None = None,
    *,
    stored: bool | None = None,
    given: bool = False,
    past: FromClause | None = None,
    before: int = 0,
) -> Select[Any]:
    """The facts of every customer in scope at `as_of`; the columns are those of `store.tables.facts`, in order.

    `accounts` narrows it to the ids that it selects; portfolio statistics are then the `stored` ones of the last full
    evaluation, or those it stored of so many days `before`, and else those of `as_of`, unless `stored` says otherwise,
    or they are `given` as parameters. `past` has (account_id, health, health_state) of 30 days before; without it nobody
    knows how health has moved.
    """
    m = moment(as_of, settings.timezone, given=given, before=before)
    base = scope(m, settings, accounts)
    stored = accounts is not None if stored is None else stored
    parts = _parts(m, settings, base, stored=stored or given)
    columns = {"account_id": parts.contract.c.account_id, "as_of": m.now, **fact_columns(m, settings, parts)}
    key = parts.contract.c.account_id
    query = select(*(typed(columns[name], name).label(name) for name in first_columns())).select_from(parts.contract)
    for part in (
        parts.staleness,
        parts.people,
        parts.touches,
        parts.tickets,
        parts.coverage,
        parts.usage,
        parts.tier,
        parts.growth,
        parts.waiting,
        parts.outreach,
        parts.voice,
        parts.features.counts,
        parts.showing,
        parts.dealing,
    ):
        query = query.join(part, part.c.account_id == key, isouter=True)
    return with_scores(query.join(parts.median, literal(True), isouter=True), m, settings, base, past)


def in_scope(as_of: Instant, settings: FactSettings, accounts: Select[int] | None = None) -> Select[int]:
    """The ids of the customers in scope at `as_of`."""
    return select(scope(moment(as_of, settings.timezone), settings, accounts).contracts.c.account_id)


def statistics(as_of: Instant, settings: FactSettings) -> Select[Any]:
    """(name, value) of each portfolio statistic at `as_of`, over the whole portfolio."""
    m = moment(as_of, settings.timezone)
    base = scope(m, settings, None)
    rhythm = feed_rhythm(m, settings.usage, stored=False)
    used = usage(m, settings, base.contracts, base.stale_sources, rhythm)
    median = change_median(m, used, stored=False)
    changes = select(word(MEDIAN_CHANGE).label("name"), real(median.c.median).label("value"))
    return changes.union_all(select(word(RHYTHM), real(rhythm.c.rhythm))).subquery("statistics").select()


def _parts(m: Moment, settings: FactSettings, base: Scope, *, stored: bool) -> Parts:
    rhythm = feed_rhythm(m, settings.usage, stored=stored)
    used = usage(m, settings, base.contracts, base.stale_sources, rhythm)
    h = tier_history.c
    asked = h.account_id.in_(select(base.contracts.c.account_id))
    in_force = and_(asked, h.valid_from <= m.as_of, or_(h.valid_to.is_(None), h.valid_to > m.as_of))
    tier = once(select(h.account_id, h.tier, h.pinned).where(in_force), "tier_in_force")
    mine, newest = per_person(m, base.contracts), newest_offering(m, settings)
    return Parts(
        contract=base.contracts,
        staleness=base.staleness,
        people=people(m, base.contracts, mine),
        touches=touch_counts(m, base.contracts),
        tickets=tickets(m, settings, base.links),
        coverage=coverage(m, base.contracts),
        usage=used,
        median=change_median(m, used, stored=stored),
        tier=tier,
        growth=arr_then(m, base.contracts),
        waiting=waiting(m, mine),
        outreach=outreach(m, mine),
        voice=voice(m, base.contracts),
        features=uses(m, base.contracts, used, base.stale_sources, newest.features if newest else ()),
        showing=showing(m, base.contracts, newest),
        dealing=dealing(m, base.links),
        stale_sources=base.stale_sources,
        newest=newest,
    )
