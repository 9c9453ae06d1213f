"""The columns of one customer's row: each fact's value, or why there is none, from the parts computed per account."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import CTE, BigInteger, case, func, literal, null, or_

from rules.facts.coverage import ROLES
from rules.facts.features import Uses, feature_facts
from rules.facts.moment import Expr, Moment, real, word
from rules.facts.offerings import Newest, offering_facts
from rules.facts.people import relationship
from rules.facts.replies import hours_since
from rules.facts.settings import FactSettings
from rules.facts.states import fact as _fact
from rules.facts.trend import trend_facts
from rules.facts.usage import ratio
from rules.facts.voice import voice_facts
from rules.language.catalogue import coverage_column

TOUCH_COUNTS = ("touches_30d", "touches_90d", "inbound_90d", "meetings_90d")
PER_ARR = 1_000 * 100.0
"""Minor units of ARR that the load is told per."""
TICKET_COUNTS = ("open_tickets", "urgent_tickets", "tickets_90d")


@dataclass(frozen=True, slots=True)
class Parts:
    """What a row is put together from: CTEs with at most one row per account, the stale sources, the newest offering."""

    contract: CTE
    staleness: CTE
    people: CTE
    touches: CTE
    tickets: CTE
    coverage: CTE
    usage: CTE
    median: CTE
    tier: CTE
    growth: CTE
    waiting: CTE
    outreach: CTE
    voice: CTE
    features: Uses
    showing: CTE
    dealing: CTE
    stale_sources: CTE
    newest: Newest | None


def fact_columns(m: Moment, settings: FactSettings, parts: Parts) -> dict[str, Expr]:
    """The columns of `store.tables.facts` that parts of the statement give by name: all but those of `scored.py`."""
    return {
        **_contract_facts(settings, parts),
        **_usage_facts(parts),
        **trend_facts(dict(parts.usage.c.items())),
        **_people_facts(parts),
        **_reply_facts(m, parts),
        **_ticket_facts(parts),
        **voice_facts(m, parts.voice, parts.stale_sources),
        **_load_facts(parts),
        **feature_facts(parts.features),
        **offering_facts(parts.newest, parts.showing, parts.features, _unseen(parts)),
        **_tier_facts(m, settings, parts),
        **_silence_columns(parts),
        "unclassified_contacts_state": null(),
    }


def _missing(name: str, why: str) -> dict[str, Expr]:
    return {name: null(), f"{name}_state": word(why)}


def _contract_facts(settings: FactSettings, parts: Parts) -> dict[str, Expr]:
    c = parts.contract.c
    borders = settings.segments
    by_arr = case(
        (c.arr >= borders.enterprise, word("enterprise")),
        (c.arr >= borders.mid_market, word("mid_market")),
        (c.arr.is_not(None), word("smb")),
    )
    segment_stale = case((c.segment.is_(None), c.arr_stale), else_=c.segment_stale)
    nothing_paid = case((c.arr == 0, 0))  # unknown ARR may be more than 0, so nothing paid is not known to be right
    ltv_stale = case((c.ltv.is_(None), c.deals_stale), else_=c.ltv_stale)
    dates_stale = case((or_(c.renewal_stale == 1, c.contract_start_stale == 1, c.deals_stale == 1), 1), else_=0)
    then = parts.growth.c.arr_then
    growth = case((then > 0, ratio(real(c.arr) / real(then) - real(1.0))))
    no_growth = case((c.arr.is_(None), word("not_on_file")), else_=word("not_recorded"))
    expansion = case((parts.dealing.c.account_id.is_not(None), func.coalesce(c.open_expansion, 0)))
    outdated = case((c.outdated == 1, word("outdated")), else_=word("not_on_file"))
    return {
        **_fact("name", c.name, "not_on_file"),
        **_fact("arr", c.arr, "not_on_file", c.arr_stale),
        **_fact("potential", c.potential, "not_on_file", c.potential_stale),
        **_fact("market_fit", real(c.market_fit) / real(100.0), "not_on_file", c.market_fit_stale),
        **_fact("strategic", c.strategic, "not_on_file", c.strategic_stale),
        **_fact("auto_renews", c.auto_renews, "not_on_file", c.auto_renews_stale),
        **_fact("seats", c.seats, "not_on_file", c.seats_stale),
        **_fact("team_size", c.team_size, "not_on_file", c.team_size_stale),
        **_fact("csm", c.csm, "not_on_file", c.csm_stale),
        **_fact("segment", func.coalesce(c.segment, by_arr), "not_on_file", segment_stale),
        **_fact("ltv", func.coalesce(c.ltv, c.paid, nothing_paid), "not_on_file", ltv_stale),
        **_fact("contract_start", c.contract_start, "not_on_file", c.contract_start_stale),
        **_fact("renewal", c.renewal, outdated, c.renewal_stale),
        **_fact("rolling", c.rolling, "not_on_file", dates_stale),
        **_fact("renewed", c.renewed, "not_on_file", dates_stale),
        **_fact("lifecycle", c.lifecycle, "not_on_file", dates_stale),
        **_fact("arr_growth", growth, no_growth, c.arr_stale),
        **_fact("open_expansion", expansion, "no_source", c.deals_stale),
    }


def _usage_facts(parts: Parts) -> dict[str, Expr]:
    c, u = parts.contract.c, parts.usage.c
    adoption = case((c.seats > 0, ratio(u.active_users / real(c.seats))))
    none_here = case((u.account_id.is_(None), word("no_source")), else_=word("too_few_samples"))
    no_adoption = case((func.coalesce(c.seats, 0) <= 0, word("no_seats")), else_=none_here)
    no_change = func.coalesce(u.change_state, word("no_source"))
    stale = case((or_(u.stale == 1, c.seats_stale == 1), 1), else_=0)
    no_median = func.coalesce(u.change_state, case((u.account_id.is_(None), word("no_source"))), word("not_recorded"))
    return {
        **_fact("active_users", func.floor(u.active_users + real(0.5)), none_here, u.stale),
        **_fact("adoption", adoption, no_adoption, stale),
        **_fact("adoption_change", u.change, no_change, u.stale),
        **_fact("adoption_change_vs_portfolio", ratio(u.change - parts.median.c.median), no_median, u.stale),
    }


def _unseen(parts: Parts, role: str = "any") -> Expr:
    """Steps 4 and 5: why numbers that stand on touches with this role cannot be trusted; NULL = they can."""
    return case(
        (parts.staleness.c.activity == 1, word("stale")),
        (parts.coverage.c[role].is_not(None), word("not_captured")),
    )


def _people_facts(parts: Parts) -> dict[str, Expr]:
    p, t = parts.people.c, parts.touches.c
    unseen = _unseen(parts)
    found: dict[str, Expr] = {}
    for role, who in (("any", ""), ("exec", "exec_"), ("user", "user_")):
        for name in (f"last_{who}contact", f"last_{who}reply", f"next_{who}meeting"):
            found |= _instant(name, p[name], _unseen(parts, role))
    found |= _instant("last_meeting", p.last_meeting, unseen)
    for name in TOUCH_COUNTS:  # the value stays beside the state: it may satisfy `at least` already
        found |= {name: func.coalesce(t[name], 0), f"{name}_state": unseen}
    unclassified = func.coalesce(p.unclassified_contacts, 0)
    for who in ("exec", "user"):
        hidden = _unseen(parts, who)
        found |= {
            f"{who}_contacts": func.coalesce(p[f"{who}_contacts"], 0),
            f"{who}_contacts_state": null(),
            f"{who}_contacts_u": unclassified,
        }
        for name, column in ((f"strong_{who}_relationships", "strong"), (f"{who}_relationships", "known")):
            found |= {
                name: case((hidden.is_(None), func.coalesce(p[f"{column}_{who}"], 0))),
                f"{name}_state": hidden,
                f"{name}_u": case((hidden.is_(None), func.coalesce(p[f"{column}_unclassified"], 0))),
            }
    best = real(relationship(p.best_exec, p.best_user)) / real(100.0)
    nobody = case((unclassified > 0, word("levels_not_known")), else_=word("not_on_file"))
    # It stands on touches with both, as far as there are such persons.
    halves = [case((p[f"best_{who}"].is_not(None), _unseen(parts, who))) for who in ("exec", "user")]
    hidden = func.coalesce(unseen, *halves)
    return found | {
        "relationship": case((hidden.is_(None), best)),
        "relationship_state": case((hidden.is_not(None), hidden), (best.is_(None), nobody)),
    }


def _instant(name: str, value: Expr, unseen: Expr) -> dict[str, Expr]:
    """The last known value always stays: a touch in the window decides, also when data are stale or not captured."""
    return {name: value, f"{name}_state": func.coalesce(unseen, case((value.is_(None), word("never"))))}


def _reply_facts(m: Moment, parts: Parts) -> dict[str, Expr]:
    unseen, since = _unseen(parts), parts.waiting.c.waiting_since
    hours = case((since.is_not(None), hours_since(m, since)), else_=0)
    unanswered = func.coalesce(parts.outreach.c.unanswered, 0)
    return {
        "awaiting_reply": case((unseen.is_(None), hours)),
        "awaiting_reply_state": unseen,
        "unanswered_outreach": case((unseen.is_(None), unanswered)),
        "unanswered_outreach_state": unseen,
    }


def _ticket_facts(parts: Parts) -> dict[str, Expr]:
    found: dict[str, Expr] = {}
    for name in TICKET_COUNTS:
        found |= _fact(name, parts.tickets.c[name], "no_source", parts.staleness.c.tickets)
    return found


def _load_facts(parts: Parts) -> dict[str, Expr]:
    """Tickets, inbound touches and exceptions; missing where one of the first two is."""
    unseen, old, opened = _unseen(parts), parts.staleness.c.tickets, parts.tickets.c.tickets_90d
    everything = opened + func.coalesce(parts.touches.c.inbound_90d, 0) + func.coalesce(parts.voice.c.exceptions, 0)
    load = case((unseen.is_(None), everything))
    why = case((opened.is_(None), word("no_source")), else_=unseen)
    arr = parts.contract.c.arr
    per_arr = case((arr > 0, ratio(real(load) * real(PER_ARR) / real(arr))))
    no_ratio = case((load.is_(None), why), else_=word("no_arr"))
    either_old = case((or_(old == 1, parts.contract.c.arr_stale == 1), 1), else_=0)
    return {
        **_fact("load", load, why, old),
        **_fact("load_per_arr", per_arr, no_ratio, either_old),
    }


def _tier_facts(m: Moment, settings: FactSettings, parts: Parts) -> dict[str, Expr]:
    c, h = parts.contract.c, parts.tier.c
    by_tier = [(h.tier == tier, literal(days)) for tier, days in sorted(settings.cadence.items())]
    cadence = case((c.lifecycle == "onboarding", literal(settings.onboarding_cadence)), *by_tier)
    response = case(*((h.tier == tier, literal(hours)) for tier, hours in sorted(settings.response.items())))
    since = case(
        (parts.people.c.last_contact.is_not(None), m.age(parts.people.c.last_contact)),
        else_=literal(m.today, BigInteger) - c.contract_start,
    )
    due_in = cadence - since
    unknown_tier = case((cadence.is_(None), word("not_recorded")), else_=word("not_on_file"))
    return {
        **_fact("tier", h.tier, "not_recorded"),
        **_fact("tier_pinned", h.pinned, "not_recorded"),
        **_fact("cadence", cadence, "not_recorded"),
        **_fact("response_time", response, "not_recorded"),
        "touch_due_in": due_in,  # stays beside the state: it may be too high for `less than` already
        "touch_due_in_state": func.coalesce(_unseen(parts), case((due_in.is_(None), unknown_tier))),
    }


def _silence_columns(parts: Parts) -> dict[str, Expr]:
    p = parts.people.c
    same = (
        "last_unclassified_contact",
        "last_unclassified_reply",
        "any_since",
        "exec_since",
        "user_since",
        "unclassified_since",
    )
    return {
        "unclassified_contacts": func.coalesce(p.unclassified_contacts, 0),
        **{name: p[name] for name in same},
        "activity_stale": func.coalesce(parts.staleness.c.activity, 0),
        **{coverage_column(role): parts.coverage.c[role] for role in ROLES},
    }
