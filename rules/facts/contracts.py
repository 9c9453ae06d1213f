"""A customer's contract at the moment: start, renewal, whether it rolls or is renewed, lifecycle, and so who is in scope."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import CTE, Select, and_, case, func, or_, select

from rules.facts.customers import NUMBERS, TEXTS, customers, mapped_fields
from rules.facts.deals import deals
from rules.facts.freshness import account_staleness, links, stale_sources
from rules.facts.moment import Moment, flag, larger, number, once, word
from rules.facts.settings import FactSettings
from store.tables import crm_accounts

OUTDATED_DAYS = 30
RENEWED_FROM_DAYS = 120
ROLLING_TERM_DAYS = 180
RENEWING_DAYS = 90
ONBOARDING_DAYS = 90

_KEPT = ("arr", "potential", "market_fit", "strategic", "auto_renews", "term", "seats", "team_size", "ltv", *TEXTS)


@dataclass(frozen=True, slots=True)
class Scope:
    """The parts of the statement that the other facts stand on; each is a CTE by `account_id`."""

    contracts: CTE
    """One row per customer in scope."""
    links: CTE
    stale_sources: CTE
    staleness: CTE
    """One row per account with a stale source: fields, activity, deals, tickets as 0/1."""


def scope(m: Moment, settings: FactSettings, within: Select[int] | None) -> Scope:
    """Customers in scope at the moment: the condition holds, and they are not churned."""
    candidates = customers(m, within)
    stale = stale_sources(m)
    linked = links(m, crm_accounts.c.evaluated_id.in_(select(candidates.c.account_id)))
    old = account_staleness(linked, stale)
    fields, opportunities = mapped_fields(m, candidates, stale), deals(m, settings, linked)
    told = _judged(m, _on_file(candidates, fields, opportunities, old))
    return Scope(_in_force(m, told), linked, stale, old)


def _on_file(candidates: CTE, fields: CTE, opportunities: CTE, old: CTE) -> CTE:
    """Everything that is on file of the contract, mapped fields before opportunities."""
    f, d = fields.c, opportunities.c
    of_deals = func.coalesce(old.c.deals, 0)
    query = (
        select(
            candidates.c.account_id,
            candidates.c.name,
            *(f[name] for name in _KEPT),
            *(func.coalesce(f[f"{name}_stale"], 0).label(f"{name}_stale") for name in NUMBERS + TEXTS if name in _KEPT),
            func.coalesce(f.contract_start, d.first_won).label("contract_start"),
            func.coalesce(f.renewal, d.open_renewal).label("renewal_on"),
            case((f.contract_start.is_(None), of_deals), else_=f.contract_start_stale).label("contract_start_stale"),
            case((f.renewal.is_(None), of_deals), else_=f.renewal_stale).label("renewal_stale"),
            of_deals.label("deals_stale"),
            d.last_renewal,
            d.lost_renewal,
            d.other_renewal,
            d.paid,
            d.open_expansion,
        )
        .select_from(candidates)
        .join(fields, f.account_id == candidates.c.account_id, isouter=True)
        .join(opportunities, d.account_id == candidates.c.account_id, isouter=True)
        .join(old, old.c.account_id == candidates.c.account_id, isouter=True)
    )
    return query.cte("on_file")


def _judged(m: Moment, on_file: CTE) -> CTE:
    """Adds `renewed`, whether the date is outdated, and whether the latest renewal was lost and is past."""
    c = on_file.c
    today = number(m.today)
    won_since = c.last_renewal > c.renewal_on - number(RENEWED_FROM_DAYS)
    renewed = or_(won_since, and_(c.auto_renews == 1, c.renewal_on < today))
    outdated = and_(c.renewal_on < number(m.today - OUTDATED_DAYS), flag(renewed) == 0)
    lost_last = or_(c.other_renewal.is_(None), c.lost_renewal > c.other_renewal)
    lost = and_(c.lost_renewal.is_not(None), lost_last, func.coalesce(c.renewal_on, c.lost_renewal) < today)
    query = select(
        *c,
        case((c.renewal_on.is_not(None), flag(renewed))).label("renewed"),
        case((~outdated, c.renewal_on)).label("renewal"),
        flag(outdated).label("outdated"),
        flag(lost).label("lost"),
    )
    return query.cte("judged")


def _in_force(m: Moment, judged: CTE) -> CTE:
    """The rows in scope, with `rolling` and the lifecycle."""
    c = judged.c
    begun = case(
        (c.contract_start.is_(None), c.last_renewal),
        (c.last_renewal.is_(None), c.contract_start),
        else_=larger(c.contract_start, c.last_renewal),
    )
    rolling = flag(func.coalesce(c.term, c.renewal - begun) < ROLLING_TERM_DAYS)
    due_in = c.renewal - number(m.today)
    renewing = and_(due_in >= 0, due_in <= RENEWING_DAYS, rolling == 0, c.renewed == 0)
    lifecycle = case(
        (number(m.today) - c.contract_start < ONBOARDING_DAYS, word("onboarding")),
        (renewing, word("renewing")),
        else_=word("live"),
    )
    # `!= 1`, because PostgreSQL takes `= 0` of an expression for a rare case, and then joins row by row.
    query = select(*c, rolling.label("rolling"), lifecycle.label("lifecycle")).where(c.lost != 1)
    return once(query, "contracts")
