"""Compute what a tier run would record and write: the policy on the facts, the pins over it, the difference to the CRMs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from sqlalchemy import Connection, Select, select

from alerts.writeback import Change, CrmRow, Pin, Target, Wanted, WritebackSettings
from alerts.writeback import plan as plan_changes
from daemon import pins
from daemon.masking import Mask, without_private
from daemon.timed import timed
from rules.facts import FactSettings, portfolio
from rules.facts.freshness import stale_sources
from rules.facts.moment import moment
from rules.tiers import Customer, Decision, Ranking, Scored, TierSettings, decide, rank
from store import ledger, tierfields, tiers
from store.records import DAY, Instant


class NoProposal(ValueError):
    """The account has no proposed tier that could be approved; `tierd tiers plan` lists the proposals."""


@dataclass(frozen=True, slots=True)
class TierSetup:
    """What the tier commands take from the configuration."""

    facts: FactSettings
    policy: TierSettings
    targets: Mapping[str, Target]
    """Source -> its tier field, in the precedence of the sources."""
    writeback: WritebackSettings
    mask: Mask = without_private
    """How the reasons of a CRM are kept."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """One customer in a run: the tier recorded before and after, and what stands over or beside it."""

    account_id: int
    key: str
    name: str
    before: int | None
    tier: int | None
    computed: int | None
    """What the score alone gives today."""
    proposed: int | None
    """A downgrade of tier 1 that waits for approval."""
    score: int | None
    """Millionths; None outside the ranking."""
    reason: str
    pin: Pin | None = None

    @property
    def in_force(self) -> int | None:
        """The pin's value, else the tier recorded."""
        return self.tier if self.pin is None else self.pin.tier


@dataclass(frozen=True, slots=True)
class TierPlan:
    """A run before it happens. `fresh`: no run at this instant has recorded its scores yet."""

    as_of: Instant
    fresh: bool
    ranking: Ranking
    assignments: tuple[Assignment, ...]
    changes: tuple[Change, ...]
    stale: tuple[str, ...]
    """Sources that are not written to, because what we know of them is too old."""

    @property
    def moves(self) -> tuple[Assignment, ...]:
        """Customers whose tier in force changes."""
        return tuple(a for a in self.assignments if a.tier != a.before and a.pin is None)

    @property
    def proposals(self) -> tuple[Assignment, ...]:
        """Downgrades of tier 1 that wait for approval."""
        return tuple(a for a in self.assignments if a.proposed is not None)

    @property
    def pinned(self) -> tuple[Assignment, ...]:
        """Customers whose tier a person has set."""
        return tuple(a for a in self.assignments if a.pin is not None)


def compute(
    conn: Connection, setup: TierSetup, as_of: Instant, states: pins.States, approve: Collection[int] = ()
) -> TierPlan:
    """The plan at `as_of` (UTC microseconds), from rows known by then. Only reads.

    Raises NoProposal for an account in `approve` that has nothing to approve.
    """
    customers = _customers(conn, setup, as_of)
    ranking = rank(customers, setup.policy)
    fresh = tiers.run_at(conn, as_of) is None
    decisions = (
        _decisions(conn, setup, as_of, customers, ranking) if fresh else _as_recorded(conn, setup, as_of, ranking)
    )
    in_force = pins.in_force(states, setup.targets)
    assignments = _assignments(conn, customers, ranking, decisions, in_force=in_force, approve=set(approve))
    stale = _stale(conn, setup, as_of)
    return TierPlan(as_of, fresh, ranking, assignments, _changes(conn, setup, states, assignments, stale), stale)


def scored_rows(plan: TierPlan) -> list[Mapping[str, object]]:
    """The rows of `tier_scores` of a plan."""
    ranking = plan.ranking
    cuts = {"as_of": plan.as_of, "cut1": ranking.cut_1, "cut2": ranking.cut_2}
    return [
        {"account_id": account, "score": ranked.score, "computed": ranked.computed, **cuts}
        for account, ranked in sorted(ranking.customers.items())
    ]


def _customers(conn: Connection, setup: TierSetup, as_of: Instant) -> list[Customer]:
    facts = timed("portfolio", setup.facts, as_of, partial(portfolio, settings=setup.facts))
    rows = facts.run(conn, "rank", lambda found, _: _inputs(found)).all()
    names = tiers.names(conn, [row.account_id for row in rows])
    found = [
        Customer(
            account_id=row.account_id,
            key=names[row.account_id].key,
            arr=row.arr,
            potential=row.potential,
            arr_growth=row.arr_growth,
            market_fit=row.market_fit,
            strategic=row.strategic == 1,
            onboarding=row.lifecycle == "onboarding",
        )
        for row in rows
    ]
    return sorted(found, key=lambda customer: customer.key)


def _inputs(portfolio_rows: Select[Any]) -> Select[Any]:
    facts = portfolio_rows.subquery("portfolio")
    return select(*(facts.c[name] for name in tiers.INPUTS))


def _decisions(
    conn: Connection, setup: TierSetup, as_of: Instant, customers: list[Customer], ranking: Ranking
) -> dict[int, Decision]:
    policy, recorded = setup.policy, tiers.recorded(conn)
    current = {c.account_id: recorded[c.account_id].tier if c.account_id in recorded else None for c in customers}
    moving = [a for a, tier in current.items() if tier is not None and ranking.customers[a].computed != tier]
    earlier = tiers.scores(conn, moving, as_of - max(policy.up_days, policy.down_days) * DAY)
    found = {}
    for account, tier in current.items():
        ranked = ranking.customers[account]
        history = [Scored(row.as_of, row.score, row.cut1, row.cut2) for row in earlier.get(account, ())]
        history = [scored for scored in history if scored.as_of < as_of]
        history.append(Scored(as_of, ranked.score, ranking.cut_1, ranking.cut_2))
        found[account] = decide(tier, ranked, history, as_of, policy)
    return found


def _as_recorded(conn: Connection, setup: TierSetup, as_of: Instant, ranking: Ranking) -> dict[int, Decision]:
    """This instant's run has decided already, but for customers whose pin was released since."""
    recorded = tiers.recorded(conn)
    found = {}
    for account, ranked in ranking.customers.items():
        row = recorded.get(account)
        if row is None or row.tier is None:
            found[account] = decide(None, ranked, (), as_of, setup.policy)
        else:
            found[account] = Decision(row.tier, row.proposed, "as recorded")
    return found


def _assignments(
    conn: Connection,
    customers: list[Customer],
    ranking: Ranking,
    decisions: Mapping[int, Decision],
    *,
    in_force: Mapping[int, Pin],
    approve: set[int],
) -> tuple[Assignment, ...]:
    recorded, names = tiers.recorded(conn), tiers.names(conn, [c.account_id for c in customers])
    found = []
    for customer in customers:
        account = customer.account_id
        ranked, decision, pin = ranking.customers[account], decisions[account], in_force.get(account)
        before = recorded[account].tier if account in recorded else None
        if pin is not None:  # the policy goes on underneath, so that a released pin leaves the tier of the day
            decision = replace(decision, proposed=None, reason=f"pinned in {pin.source}")
        elif account in approve and decision.proposed is not None:
            approve.remove(account)
            decision = replace(decision, tier=decision.proposed, proposed=None, reason=f"approved, {decision.reason}")
        found.append(
            Assignment(
                account_id=account,
                key=customer.key,
                name=names[account].name,
                before=before,
                tier=decision.tier,
                computed=ranked.computed,
                proposed=decision.proposed,
                score=ranked.score,
                reason=decision.reason,
                pin=pin,
            )
        )
    if approve:
        raise NoProposal(f"{NoProposal.__doc__} Asked for account {', '.join(map(str, sorted(approve)))}.")
    return tuple(found)


def _stale(conn: Connection, setup: TierSetup, as_of: Instant) -> tuple[str, ...]:
    stale = stale_sources(moment(as_of, setup.facts.timezone))
    found = set(conn.execute(select(stale.c.source).where(stale.c.fields == 1)).scalars())
    return tuple(source for source in setup.targets if source in found)


def _changes(
    conn: Connection,
    setup: TierSetup,
    states: pins.States,
    assignments: tuple[Assignment, ...],
    stale: tuple[str, ...],
) -> tuple[Change, ...]:
    """What differs in the CRMs, but for pinned accounts, stale sources and values that the CRM has refused before."""
    wanted = {a.account_id: Wanted(a.tier, a.reason) for a in assignments if a.pin is None and a.tier is not None}
    targets = {source: target for source, target in setup.targets.items() if source not in stale}
    rows = [CrmRow(row.account_id, row.source, row.id) for row in tierfields.crm_rows(conn, targets)]
    refused = ledger.parked(conn)
    changes = plan_changes(wanted, rows, states, targets)
    return tuple(change for change in changes if (change.source, change.crm_id, change.new) not in refused)
