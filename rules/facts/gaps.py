"""What the data lacks, once per source or owner: the holes that make facts of many customers missing."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, and_, exists, func, literal, or_, select, union_all

from rules.facts.coverage import NO_CSM
from rules.facts.freshness import STREAMS, stale_sources
from rules.facts.moment import moment, whole, word
from store.recipients import recipient_table
from store.records import Instant
from store.tables import crm_accounts, crm_tickets, facts, members, sources, usage_samples

NO_RENEWAL, NO_OWNER, NO_TICKETS, NO_USAGE = "no_renewal", "no_owner", "no_tickets", "no_usage"
NOT_CAPTURED, STALE, NO_LEVELS = "not_captured", "stale", "levels_not_known"
KINDS = (STALE, NOT_CAPTURED, NO_OWNER, NO_RENEWAL, NO_LEVELS, NO_USAGE, NO_TICKETS)
"""In the order in which they are told: what makes most of the facts missing comes first."""
FEED = "usage"


def gaps(as_of: Instant, timezone: str) -> Select[Any]:
    """(kind, about, owner, customers, example): the holes in the current facts and sources, one row per source, person or CSM.

    `about` is a source, a CSM's key, or a person's name; '' = nobody in particular. `owner`: the key of whom of us it is to
    mend, the CSM or who stands in, or whoever is not captured; '' = it is the operators'. `customers`: how many it
    concerns; `example`: the first of their names.
    """
    found = union_all(
        _stale(as_of, timezone),
        _not_captured(),
        _no_owner(),
        _per_csm(NO_RENEWAL, and_(facts.c.arr > 0, facts.c.renewal.is_(None))),
        _per_csm(NO_LEVELS, facts.c.unclassified_contacts > 0),
        _no_usage(),
        _no_tickets(),
    ).subquery("gaps")
    return select(found).where(found.c.customers > 0).order_by(found.c.kind, found.c.about, found.c.owner)


def _columns(kind: str, about: Any, owner: Any = None) -> tuple[Any, ...]:
    number = whole(func.count(facts.c.account_id)).label("customers")
    whose = (word("") if owner is None else func.coalesce(owner, "")).label("owner")
    return word(kind).label("kind"), about.label("about"), whose, number, func.min(facts.c.name).label("example")


def _per_csm(kind: str, condition: Any) -> Select[Any]:
    """One finding per CSM, for the customers of whom it is so."""
    csm, to = func.coalesce(facts.c.csm, ""), recipient_table()
    query = select(*_columns(kind, csm, to.c.recipient)).join(to, to.c.account_id == facts.c.account_id)
    return query.where(condition).group_by(csm, to.c.recipient)


def _not_captured() -> Select[Any]:
    """Once per person of ours whose mail and calendar do not reach the CRM, whatever the number of customers."""
    who, m = facts.c.not_covered, members.c
    # A name is not a key: where several of us are called so, or nobody who is active, the operators see who it is.
    only = select(func.min(m.key)).where(m.active == 1, m.name == who).having(func.count() == 1)
    owner = only.correlate(facts).scalar_subquery()
    return select(*_columns(NOT_CAPTURED, who, owner)).where(who.is_not(None), who != NO_CSM).group_by(who)


def _no_owner() -> Select[Any]:
    """Customers whose CSM is nobody, not known or not active: one list, for each lead; those without a lead are another."""
    active, to = (
        exists(select(literal(1)).where(members.c.key == facts.c.csm, members.c.active == 1)),
        recipient_table(),
    )
    query = select(*_columns(NO_OWNER, word(""), to.c.recipient)).join(to, to.c.account_id == facts.c.account_id)
    return query.where(or_(facts.c.csm.is_(None), ~active)).group_by(to.c.recipient)


def _stale(as_of: Instant, timezone: str) -> Select[Any]:
    """Once per source with a stale stream, for the customers that stand on it; of a feed all of them."""
    stale = stale_sources(moment(as_of, timezone))
    old = [stale.c[name] == 1 for name in STREAMS]
    return (
        select(*_columns(STALE, stale.c.source))
        .select_from(stale)
        .join(sources, sources.c.source == stale.c.source)
        .join(facts, or_(sources.c.kind == FEED, _stands_on(stale.c.source)))
        .where(or_(*old))
        .group_by(stale.c.source)
    )


def _no_tickets() -> Select[Any]:
    """CRMs in which there is no ticket at all: support cannot be judged of their customers."""
    any_ticket = exists(select(literal(1)).where(crm_tickets.c.source == sources.c.source))
    return (
        select(*_columns(NO_TICKETS, sources.c.source))
        .select_from(sources)
        .join(facts, _stands_on(sources.c.source))
        .where(sources.c.kind != FEED, ~any_ticket)
        .group_by(sources.c.source)
    )


def _no_usage() -> Select[Any]:
    """Customers of whom no feed has a sample: one finding, as no source owns them."""
    any_sample = exists(select(literal(1)).where(usage_samples.c.account_id == facts.c.account_id))
    return select(*_columns(NO_USAGE, word(""))).where(~any_sample)


def _stands_on(source: Any) -> Any:
    row = crm_accounts.c
    mine = and_(row.evaluated_id == facts.c.account_id, row.source == source, row.deleted_at.is_(None))
    return exists(select(literal(1)).where(mine))
