"""The accounts: customers with their figures and their places in the CRMs, former customers, prospects, traps."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from sandbox.world.draft import Draft
from sandbox.world.names import FREE_MAIL, company_names
from sandbox.world.team import Team
from sandbox.world.when import DAY, MINUTE, Days

FORMER = 32
"""Customers that were lost during the history."""
PLACES: tuple[tuple[tuple[str, ...], float], ...] = (
    (("salesforce",), 0.40),
    (("salesforce", "hubspot"), 0.34),
    (("hubspot",), 0.26),
)
_CSM_PLACES = {
    ("salesforce",): (("field", 0.55), ("team", 0.35), ("none", 0.10)),
    ("hubspot",): (("property", 0.85), ("none", 0.15)),
    ("salesforce", "hubspot"): (("field", 0.40), ("team", 0.25), ("property", 0.30), ("none", 0.05)),
}


@dataclass(slots=True)
class Roster:
    """Every account of the world while it is made; `days` of history behind day 0."""

    days: Days
    team: Team
    rng: Random
    history: int
    names: list[tuple[str, str]]
    drafts: list[Draft]

    def of_kind(self, kind: str) -> list[Draft]:
        """The accounts that are customer, prospect or former."""
        return [d for d in self.drafts if d.kind == kind]


def weighted(rng: Random, options: tuple[tuple[object, float], ...]) -> object:
    """One option by its weight."""
    return rng.choices([o for o, _ in options], [w for _, w in options])[0]


def found(days: Days, team: Team, rng: Random, history: int, *, customers: int, others: int) -> Roster:
    """All accounts: `customers` customers and `others` that are none, of whom some were."""
    roster = Roster(days, team, rng, history, company_names(rng, customers + others), [])
    segments = [_segment(n, customers) for n in range(customers)]
    dates = [_kind_of_date(n) for n in range(customers)]
    rng.shuffle(segments)
    rng.shuffle(dates)
    for n in range(customers):
        roster.drafts.append(_customer(roster, n, segments[n], dates[n]))
    former = min(FORMER, others)
    for n in range(former):
        roster.drafts.append(_former(roster, n))
    _others(roster, others - former)
    return roster


def _segment(n: int, count: int) -> str:
    """15 % enterprise, 35 % mid-market, 50 % SMB."""
    return "enterprise" if n < 0.15 * count else "mid_market" if n < 0.5 * count else "smb"


def _kind_of_date(n: int) -> str:
    """6 % are new; of the others a fifth has no renewal date and a fifth one long past. Stories then take some."""
    if n % 17 == 0:
        return "new"
    return "usable" if n % 20 < 12 else "none" if n % 20 < 16 else "past"


def _figures(roster: Roster, draft: Draft) -> None:
    """ARR log-normal per segment in whole dollars, so that about a fifth of the customers makes 80 % of it."""
    rng = roster.rng
    if draft.segment == "enterprise":
        dollars = 110_000 + int(rng.lognormvariate(11.95, 0.6))
        seats = rng.randint(240, 900)
    elif draft.segment == "mid_market":
        dollars = min(99_000, max(20_000, int(rng.lognormvariate(10.5, 0.35))))
        seats = rng.randint(60, 160)
    else:
        dollars = min(19_500, max(1_200, int(rng.lognormvariate(8.7, 0.5))))
        seats = rng.randint(8, 40)
    draft.arr = dollars * 100
    draft.seats = None if rng.random() < 0.06 else seats
    draft.potential = None if rng.random() < 0.08 else int(dollars * rng.lognormvariate(-0.2, 0.6)) * 100
    draft.market_fit = None if rng.random() < 0.15 else float(rng.randint(25, 95))
    draft.strategic = rng.random() < 0.02
    draft.life.curve.level = max(2, round((seats * 0.6) * 0.5))
    share = rng.choice((0.45, 0.55, 0.62, 0.68, 0.78, 0.84))
    draft.life.curve.shares = [(-1000, share)]


def _blank(roster: Roster, n: int, kind: str, place: tuple[str, ...], created: int) -> Draft:
    name, domain = roster.names[len(roster.drafts)]
    at = roster.days.at(created, 8 * 60) + roster.rng.randrange(400) * MINUTE
    draft = Draft(
        f"a-{len(roster.drafts) + 1:04d}", name, domain, place, kind, at, owner=roster.rng.choice(roster.team.sales)
    )
    if len(place) == 2:
        draft.linked_by = "property" if n % 2 else "domain"
    return draft


def _look_after(roster: Roster, draft: Draft, n: int) -> None:
    csm = roster.team.csms[n % len(roster.team.csms)]
    draft.csm_in = str(weighted(roster.rng, _CSM_PLACES[draft.systems]))
    draft.csm = [(draft.created_at, csm)]
    if draft.csm_in == "none":
        draft.owner = csm


def _customer(roster: Roster, n: int, segment: str, kind_of_date: str) -> Draft:
    rng = roster.rng
    place: tuple[str, ...] = weighted(rng, PLACES)  # type: ignore[assignment]
    start, renewal = _dates(rng, kind_of_date)
    draft = _blank(roster, n, "customer", place, start - rng.randint(30, 300))
    draft.contract_start, draft.renewal_day = start, renewal
    draft.segment = segment
    _figures(roster, draft)
    _look_after(roster, draft, n)
    draft.has_open_renewal = kind_of_date == "usable"
    if kind_of_date in ("usable", "new") and rng.random() < 0.12:
        draft.auto_renews, draft.has_open_renewal = True, False
    draft.term_days = None if rng.random() < 0.2 else 365
    # HubSpot's line items hang on no company, so there the amount of the deal says it.
    on_items = n % 6 == 0 and "salesforce" in place
    draft.arr_in = "items" if on_items else "deals" if n % 3 == 0 else "field"
    draft.inherited_tier = rng.choice((1, 2, 3)) if rng.random() < 0.6 else None
    draft.workspace = f"ws-{n + 1:04d}" if rng.random() < 0.95 else None
    if n % 25 == 3 and kind_of_date == "usable":
        draft.term_days, draft.auto_renews, draft.has_open_renewal = 30, True, False
        draft.renewal_day = 1 + n % 28
    if len(place) == 2 and n % 4 == 1:
        draft.hubspot_differs = [("arr", (draft.arr or 0) // 100 * 0.9), ("seats", (draft.seats or 10) + 5)]
    if n % 29 == 11 and draft.linked_by != "domain":
        draft.domain = FREE_MAIL[n % len(FREE_MAIL)]
    return draft


def _dates(rng: Random, kind: str) -> tuple[int, int | None]:
    """(contract start, renewal day) as days; the renewal is an anniversary, unless it is unknown or long past."""
    years = rng.randint(1, 4)
    if kind == "new":
        start = rng.randint(-80, -15)
        return start, start + 365
    if kind == "past":
        renewal = rng.randint(-300, -45)
        return renewal - 365 * years, renewal
    renewal = rng.randint(4, 260) if years == 1 else rng.randint(4, 364)
    return renewal - 365 * years, renewal if kind == "usable" else None


def _former(roster: Roster, n: int) -> Draft:
    """Lost between 40 days ago and the beginning of the history, at a renewal."""
    rng = roster.rng
    churn = -40 - (n * (roster.history - 140)) // FORMER
    place: tuple[str, ...] = weighted(rng, PLACES)  # type: ignore[assignment]
    draft = _blank(roster, n, "former", place, churn - 365 * 2 - 60)
    draft.contract_start, draft.renewal_day, draft.churn_day = churn - 365 * 2, churn, churn
    draft.segment = ("smb", "mid_market", "smb", "enterprise")[n % 4]
    _figures(roster, draft)
    _look_after(roster, draft, n)
    draft.term_days = 365
    draft.workspace = f"ws-f{n + 1:03d}"
    draft.lost_renewal = churn
    return draft


def _others(roster: Roster, count: int) -> None:
    """Prospects; among them children of customers, same-name strangers, shared domains, unlinkable twins."""
    rng = roster.rng
    customers = roster.of_kind("customer")
    for n in range(count):
        place = (("salesforce",), ("hubspot",), ("salesforce", "hubspot"))[n % 7 % 3]
        draft = _blank(roster, n, "prospect", place, -rng.randint(40, roster.history + 200))
        other = customers[(n * 5) % len(customers)]
        if n % 9 == 1:
            _child(draft, other)
        elif n % 9 == 2:
            _namesake(draft, other, rng)
        elif n % 9 == 6 and len(place) == 1:
            draft.domain = FREE_MAIL[n % len(FREE_MAIL)] if n % 18 == 6 else "shared-campus.example"
        roster.drafts.append(draft)


def _child(draft: Draft, parent: Draft) -> None:
    """A subsidiary in the parent's CRM that is no customer itself and carries no ARR."""
    draft.parent = parent.key
    draft.systems, draft.linked_by = parent.systems[:1], None
    draft.created_at = parent.created_at + 3 * DAY


def _namesake(draft: Draft, other: Draft, rng: Random) -> None:
    """A row with a customer's name in the other CRM: a stranger, or a twin that nothing but the name could link."""
    draft.name = other.name
    draft.linked_by = None
    draft.systems = ("hubspot",) if other.systems == ("salesforce",) else ("salesforce",)
    if rng.random() < 0.5:
        draft.domain = None
