"""Plan, apply and adopt tiers: one run computes, records and writes; a second one at the same instant does nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import structlog
from sqlalchemy import Connection

from alerts.writeback import FOUND, Change
from connectors.http import VendorError
from daemon import pins
from daemon.tierplan import Assignment, NoProposal, TierPlan, TierSetup, compute, scored_rows
from daemon.writeback import Driven, Lane, TierWriter, drive, recover
from store import ledger, tiers
from store.engine import Store
from store.records import Clock, Instant

__all__ = [
    "Adopted",
    "Adoption",
    "NoProposal",
    "TierPlan",
    "TierRun",
    "TierSetup",
    "adopt",
    "adoptable",
    "apply",
    "plan",
]

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class TierRun:
    """How a run ended. `status`: applied | partial (something is left, see `driven`) | held (above the write cap)."""

    plan: TierPlan
    status: str
    driven: Mapping[str, Driven]
    """Source -> what became of its changes."""
    remarks: tuple[str, ...] = ()
    """Why something was not written, in plain words."""

    @property
    def written(self) -> int:
        """CRM rows written."""
        return sum(done.written for done in self.driven.values())


@dataclass(frozen=True, slots=True)
class Adoption:
    """A value that was in the CRM before tierd came, and what would stand there instead."""

    account_id: int
    key: str
    name: str
    source: str
    value: str
    found: int | None
    """The tier that the value means; None = none of ours."""
    tier: int | None
    """The tier in force once the pin is released and the next apply has run; None = none can be computed."""


@dataclass(frozen=True, slots=True)
class Adopted:
    """The pins of origin `found` that were released."""

    released: tuple[Adoption, ...]


def plan(store: Store, setup: TierSetup, as_of: Instant) -> TierPlan:
    """What `apply` would record and write at `as_of`. Only reads."""
    with store.read() as conn:
        return compute(conn, setup, as_of, _states(conn, setup, as_of))


def apply(
    store: Store,
    setup: TierSetup,
    writers: Mapping[str, TierWriter],
    as_of: Instant,
    approve: Collection[int] = (),
    *,
    clock: Clock,
) -> TierRun:
    """Record the tiers of `as_of` and, where write-back is enabled, write them to every CRM that has a writer.

    `approve`: accounts whose proposed downgrade is to be carried out; NoProposal is raised for any other.
    """
    lanes = {
        source: Lane(store, source, setup.targets, writers[source], clock, setup.mask)
        for source in setup.targets
        if setup.writeback.enabled and source in writers
    }
    recovered, down = _recovered(lanes)
    lanes = {source: lane for source, lane in lanes.items() if source not in down}
    with store.write() as conn:
        pins.observe(conn, setup.targets, as_of)
        before = tiers.run_at(conn, as_of)
        planned = compute(conn, setup, as_of, pins.load(conn), approve)
        run_id = before.id if before is not None else _start(conn, setup, planned, clock)
        _record(conn, planned, first=before is None and tiers.runs(conn) == 1)
        queued, remarks = _queue(conn, setup, run_id, planned, lanes)
    driven = dict(down)
    if queued is not None:
        driven |= {source: drive(lane) for source, lane in lanes.items()}
    stale = [source for source in planned.stale if source in lanes]
    remarks += [f"{source} is stale: nothing is written to it" for source in stale]
    remarks += [remark for done in driven.values() for remark in done.blocked + done.parked + done.conflicts]
    whole = not stale and all(done.complete for done in driven.values())
    status = "held" if queued is None else "applied" if whole else "partial"
    run = TierRun(planned, status, driven, tuple(remarks))
    if before is None or before.status == "planned" or queued or recovered or approve:
        with store.write() as conn:
            tiers.finish_run(conn, run_id, status, _detail(run), clock.now())
    _log.info("tiers applied", status=status, written=run.written, moves=len(planned.moves), remarks=len(remarks))
    return run


def _recovered(lanes: Mapping[str, Lane]) -> tuple[int, dict[str, Driven]]:
    """Look up open writes everywhere; gives how many there were, and the sources that could not be asked.

    Those are left alone in this run: what a write of ours did there is not known, and must not be taken for a person's.
    """
    found, down = 0, {}
    for source, lane in lanes.items():
        try:
            found += recover(lane)
        except VendorError as error:
            down[source] = Driven(blocked=[lane.mask(f"{source}: {error}")])
    return found, down


def _start(conn: Connection, setup: TierSetup, planned: TierPlan, clock: Clock) -> int:
    for source in setup.targets:
        ledger.verify(conn, source)
    run_id = tiers.start_run(conn, planned.as_of, setup.policy.policy, clock.now())
    tiers.save_scores(conn, scored_rows(planned))
    return run_id


def _record(conn: Connection, planned: TierPlan, *, first: bool) -> None:
    """Record the tiers: in the first run they count from this instant on, in later ones right after it.

    There the evaluation at this instant has run before, and must give the same again.
    """
    had = tiers.recorded(conn)
    rows: list[dict[str, object]] = []
    moved: list[int] = []
    for a in planned.assignments:
        old = had.get(a.account_id)
        known = (None, None, None) if old is None else (old.tier, old.computed, old.proposed)
        if known == (a.tier, a.computed, a.proposed):
            continue
        since = planned.as_of if old is None or old.tier != a.tier else old.tier_since
        asked = old.proposed_at if old is not None and old.proposed == a.proposed else planned.as_of
        moved.append(a.account_id)
        rows.append(
            {
                "account_id": a.account_id,
                "tier": a.tier,
                "tier_since": None if a.tier is None else since,
                "computed": a.computed,
                "proposed": a.proposed,
                "proposed_at": None if a.proposed is None else asked,
            }
        )
    tiers.assign(conn, rows)
    counts_from = planned.as_of if first else planned.as_of + 1
    tiers.note_in_force(conn, moved, dict.fromkeys(moved, counts_from))


def _queue(
    conn: Connection, setup: TierSetup, run_id: int, planned: TierPlan, sources: Collection[str]
) -> tuple[int | None, list[str]]:
    """Enter the changes into the ledger; gives how many are to be written, or None when the run is held.

    What an interrupted run has planned and is still wanted stays as it is.
    """
    changes = [change for change in planned.changes if change.source in sources]
    limit = setup.writeback.max_per_run
    if len(changes) > limit:
        many = f"{len(changes)} changes are more than writeback.max_per_run ({limit}): none is written"
        return None, [f"{many}; look at `tierd tiers plan`, then raise the limit"]
    open_rows = [row for row in ledger.open_rows(conn, ("planned",)) if row.source in sources]
    waiting = {(row.source, row.crm_id): row for row in open_rows}
    fresh = []
    for change in changes:
        row = waiting.get((change.source, change.crm_id))
        if row is not None and (row.old_value, row.new_value) == (change.old, change.new):
            del waiting[change.source, change.crm_id]
        else:
            fresh.append(_ledger_row(change))
    ledger.mark(conn, [row.id for row in waiting.values()], "superseded", error="no longer wanted")
    ledger.add(conn, run_id, fresh, planned.as_of)
    return len(changes), []


def _ledger_row(change: Change) -> dict[str, object]:
    return {
        "account_id": change.account_id,
        "source": change.source,
        "crm_id": change.crm_id,
        "field": change.field,
        "old_value": change.old,
        "new_value": change.new,
        "reason": change.reason,
    }


def _detail(run: TierRun) -> dict[str, object]:
    return {
        "ranked": run.plan.ranking.ranked,
        "moves": len(run.plan.moves),
        "proposals": len(run.plan.proposals),
        "pinned": len(run.plan.pinned),
        "written": run.written,
        "remarks": list(run.remarks),
    }


def adoptable(store: Store, setup: TierSetup, as_of: Instant) -> tuple[Adoption, ...]:
    """The diff that `adopt` shows: every value found at the first sync, and the tier that would take its place."""
    with store.read() as conn:
        return _adoptions(conn, setup, as_of, _states(conn, setup, as_of))


def adopt(store: Store, setup: TierSetup, now: Instant) -> Adopted:
    """Release the pins of origin `found`: from now on the next apply may overwrite those values."""
    with store.write() as conn:
        pins.observe(conn, setup.targets, now)
        states = pins.load(conn)
        released = _adoptions(conn, setup, now, states)
        freed = [replace(states[a.account_id, a.source], pin_origin=None, pinned_at=None) for a in released]
        if freed:
            pins.settle(conn, setup.targets, freed, now)
    _log.info("tiers adopted", released=len(released))
    return Adopted(released)


def _states(conn: Connection, setup: TierSetup, as_of: Instant) -> pins.States:
    """What is recorded of the tier fields, and what the syncs have brought since."""
    seen = pins.load(conn)
    return seen | {(s.account_id, s.source): s for s in pins.unseen(conn, setup.targets, as_of)}


def _adoptions(conn: Connection, setup: TierSetup, as_of: Instant, states: pins.States) -> tuple[Adoption, ...]:
    found = [state for state in states.values() if state.pin_origin == FOUND and state.source in setup.targets]
    free = states | {(s.account_id, s.source): replace(s, pin_origin=None) for s in found}
    after: dict[int, Assignment] = {a.account_id: a for a in compute(conn, setup, as_of, free).assignments}
    names = tiers.names(conn, [state.account_id for state in found])
    adoptions = []
    for state in sorted(found, key=lambda s: (names[s.account_id].key, s.source)):
        row, then = names[state.account_id], after.get(state.account_id)
        tier = setup.targets[state.source].tier_of(state.known)
        value = state.known or ""
        adoptions.append(
            Adoption(row.id, row.key, row.name, state.source, value, tier, None if then is None else then.in_force)
        )
    return tuple(adoptions)
