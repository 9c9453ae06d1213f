"""Tiers from the facts to the CRM and back: plan, apply, pins, conflicts, crashes, and doing nothing twice."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from alerts.writeback import WritebackSettings
from daemon.facts import refresh
from daemon.factsat import facts_at
from daemon.tierplan import NoProposal, TierSetup
from daemon.tiers import TierRun, adopt, adoptable, apply, plan
from rules.facts import FactSettings
from rules.tiers import TierSettings
from store.engine import Store
from store.records import DAY, HOUR, MINUTE
from store.tables import metadata, tier_history, tier_ledger, tier_runs, tiers
from tests.daemon.crm import FIELD, START, TARGET, TIERS, Crm, Killed, Watch

SETUP = TierSetup(
    facts=FactSettings(tier_values={"salesforce": TIERS, "hubspot": TIERS}),
    policy=TierSettings(),
    targets={"salesforce": TARGET, "hubspot": TARGET},
    writeback=WritebackSettings(enabled=True),
)


def dump(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the store."""
    with store.read() as conn:
        return {t.name: sorted((tuple(r) for r in conn.execute(select(t))), key=repr) for t in metadata.sorted_tables}


def changed_tables(store: Store, before: dict[str, list[tuple[Any, ...]]]) -> set[str]:
    """Tables with other rows than before."""
    return {name for name, rows in dump(store).items() if rows != before[name]}


def states(store: Store) -> Counter[str]:
    """How many ledger rows are in each state."""
    with store.read() as conn:
        return Counter(conn.execute(select(tier_ledger.c.state)).scalars())


class World:
    """A store, a clock and a Salesforce with ten customers whose ARR falls from `a` to `j`."""

    def __init__(self, store: Store, **tiers_found: str) -> None:
        self.store, self.watch = store, Watch(START - HOUR)
        self.crm = Crm(self.watch)
        for place, name in enumerate("abcdefghij"):
            self.crm.add(name, tier=tiers_found.get(name), arr=1_000 - 10 * place)
        self.crm.sync(store)

    def at(self, as_of: int, setup: TierSetup = SETUP, **options: Any) -> TierRun:
        """The tier run of an instant, five minutes after it, with all CRMs at hand."""
        self.watch.at = max(self.watch.at, as_of + 5 * MINUTE)
        return apply(self.store, setup, {"salesforce": self.crm}, as_of, clock=self.watch, **options)

    def day(self, days: int, **options: Any) -> TierRun:
        """A daily cycle: sync half an hour before, tiers of 06:00."""
        self.watch.at = START + days * DAY - HOUR // 2
        self.crm.sync(self.store)
        return self.at(START + days * DAY, **options)

    def shown(self) -> str:
        """The tiers that the CRM shows, in the order of the names; - is empty."""
        return "".join((self.crm.value(f"sa-{name}") or "-")[-1] for name in "abcdefghij")

    def tier_at(self, name: str, as_of: int) -> object:
        """The fact `tier` of a customer."""
        with self.store.read() as conn:
            ids = {row.name: row.id for row in conn.execute(select(metadata.tables["accounts"]))}
        facts = facts_at(self.store, SETUP.facts, as_of, ids[name])
        assert facts is not None
        return facts["tier"]


def test_first_apply_writes_every_tier_in_three_calls(store: Store) -> None:
    """Check, read, write; two of ten are tier 1, five are tier 1 or 2."""
    world = World(store)
    run = world.at(START)
    assert (run.status, run.written, world.shown()) == ("applied", 10, "1122233333")
    assert world.crm.calls == 3
    assert states(store) == {"written": 10}
    assert world.tier_at("a", START) == 1


def test_plan_shows_the_same_and_touches_nothing(store: Store) -> None:
    """The plan before the apply names every change with its reason, without a row or a call."""
    world = World(store)
    before = dump(store)
    planned = plan(store, SETUP, START)
    assert [(c.old, c.new) for c in planned.changes] == [(None, TIERS[int(t)]) for t in "1122233333"]
    assert planned.changes[0].reason == "first assignment, score 1.00 is tier 1"
    assert (changed_tables(store, before), world.crm.calls) == (set(), 0)


def test_second_apply_at_the_same_instant_does_nothing(store: Store) -> None:
    """No call and no row, also after the next sync has brought our own writes back: only their stamps are new."""
    world = World(store)
    world.at(START)
    before, calls = dump(store), world.crm.calls
    assert world.at(START).written == 0
    assert (changed_tables(store, before), world.crm.calls) == (set(), calls)
    world.watch.at += HOUR
    assert world.crm.sync(store).changed == 0
    after_sync = changed_tables(store, before)
    refresh(store, SETUP.facts, START)
    before = dump(store)
    refresh(store, SETUP.facts, START)
    assert world.at(START).written == 0
    assert (changed_tables(store, before), world.crm.calls) == (set(), calls)
    assert after_sync <= {"sync_runs", "freshness", "crm_accounts"}


def test_change_beside_our_own_write_is_one_change(store: Store) -> None:
    """A workflow renamed one of the rows that tierd wrote: the next sync has exactly that."""
    world = World(store)
    world.at(START)
    world.crm.edit("sa-c", world.crm.value("sa-c"), name="renamed")
    world.watch.at += HOUR
    assert world.crm.sync(store).changed == 1
    assert world.day(1).plan.pinned == ()


def test_next_increment_verifies_what_was_written(store: Store) -> None:
    """A day later the ledger says so, and nothing is written again."""
    world = World(store)
    world.at(START)
    run = world.day(1)
    assert (run.written, states(store)) == (0, {"verified": 10})
    assert run.status == "applied"


def test_values_found_at_first_are_pins_until_adopted(store: Store) -> None:
    """Found values stay, and are the tier in force; adopt shows what would replace them and lets go."""
    world = World(store, a="Tier 3", j="Tier 1", e="Gold")
    assert world.at(START).written == 7
    assert world.shown() == "3122d33331"
    assert (world.tier_at("a", START), world.tier_at("e", START), world.tier_at("b", START)) == (3, None, 1)
    offered = adoptable(store, SETUP, START)
    assert [(o.name, o.value, o.found, o.tier) for o in offered] == [
        ("a", "Tier 3", 3, 1),
        ("e", "Gold", None, 2),
        ("j", "Tier 1", 1, 3),
    ]
    assert adopt(store, SETUP, world.watch.at).released == offered
    assert adopt(store, SETUP, world.watch.at).released == ()
    assert world.tier_at("a", world.watch.at) == 1
    assert (world.at(START).written, world.shown()) == (3, "1122233333")


def test_first_run_after_adopting_counts_for_its_own_instant(store: Store) -> None:
    """The demo's order: adopt, apply at the start, then the first evaluation at the same instant."""
    world = World(store, a="Tier 3")
    adopt(store, SETUP, world.watch.at)
    apply(store, SETUP, {"salesforce": world.crm}, START, clock=world.watch)
    assert (world.tier_at("a", START), world.tier_at("a", START - 1)) == (1, None)
    assert world.shown() == "1122233333"


def test_value_set_by_a_person_is_never_overwritten(store: Store) -> None:
    """A foreign change pins, is in force from the edit on, and survives every later run."""
    world = World(store)
    world.at(START)
    world.watch.at = START + 3 * HOUR
    world.crm.edit("sa-j", "Tier 1")
    run = world.day(1)
    assert [(a.name, a.pin.tier, a.pin.origin) for a in run.plan.pinned if a.pin] == [("j", 1, "person")]
    assert (world.tier_at("j", START + 4 * HOUR), world.tier_at("j", START + HOUR)) == (1, 3)
    for day in (2, 40):
        world.day(day)
    assert world.shown() == "1122233331"


def test_pin_counts_from_the_refresh_that_follows_the_sync(store: Store) -> None:
    """The evaluation of the morning sees the edit of the evening, before any tier run."""
    world = World(store)
    world.at(START)
    world.watch.at = START + 3 * HOUR
    world.crm.edit("sa-j", "Tier 1")
    world.watch.at = START + DAY - HOUR // 2
    world.crm.sync(store)
    refresh(store, SETUP.facts, START + DAY)
    assert world.tier_at("j", START + DAY) == 1


def test_emptied_field_releases_the_pin(store: Store) -> None:
    """The tier that was recorded before is in force again, and is written again."""
    world = World(store)
    world.at(START)
    world.watch.at = START + 3 * HOUR
    world.crm.edit("sa-j", "Tier 1")
    world.day(1)
    world.watch.at += HOUR
    world.crm.edit("sa-j", "")
    run = world.day(2)
    assert (run.plan.pinned, run.written, world.shown()) == ((), 1, "1122233333")


def test_person_who_sets_back_what_we_changed_is_seen(store: Store) -> None:
    """The CRM shows the value of before our write again: that is a foreign change, not the old state."""
    world = World(store, a="Tier 3")
    adopt(store, SETUP, world.watch.at)
    world.at(START)
    world.watch.at = START + 3 * HOUR
    world.crm.edit("sa-a", "Tier 3")
    world.day(1)
    assert world.shown()[0] == "3"
    assert world.tier_at("a", START + DAY) == 3


def test_edit_between_plan_and_write_wins(store: Store) -> None:
    """The row is read again just before the write: the person's value stays, the conflict is on record, the rest is written."""
    world = World(store)
    world.crm.meanwhile = {"sa-c": "Tier 3"}
    run = world.at(START)
    assert (run.written, world.shown()) == (9, "1132233333")
    assert states(store) == {"written": 9, "conflict": 1}
    assert run.driven["salesforce"].conflicts == ["salesforce sa-c: 'Tier 3' was set by a person and stays"]
    run = world.day(1)
    assert [a.name for a in run.plan.pinned] == ["c"]
    assert world.shown() == "1132233333"


def test_equal_value_set_by_a_person_is_a_pin_too(store: Store) -> None:
    """Somebody sets just what was to be written: it is theirs."""
    world = World(store)
    world.crm.meanwhile = {"sa-a": "Tier 1"}
    world.at(START)
    assert [a.name for a in world.day(1).plan.pinned] == ["a"]


def test_crash_after_the_call_completes_without_writing_again(store: Store) -> None:
    """Killed between the CRM's answer and the ledger: the next run finds our values there and completes the ledger."""
    world = World(store)
    world.crm.kill = True
    with pytest.raises(Killed):
        world.at(START)
    assert (world.shown(), states(store)) == ("1122233333", {"sending": 10})
    world.crm.kill, world.crm.calls = False, 0
    run = world.at(START)
    assert (run.status, run.plan.pinned, states(store)) == ("applied", (), {"written": 10})
    assert world.crm.calls == 1
    assert world.at(START).written == 0
    assert world.crm.calls == 1


def test_crash_before_the_call_sends_the_same_again(store: Store) -> None:
    """Marked as being sent, but nothing arrived: looked up, and sent."""
    world = World(store)
    world.crm.busy = {f"sa-{name}" for name in "abc"}
    assert (world.at(START).status, states(store)) == ("partial", {"written": 7, "sending": 3})
    world.crm.busy = set()
    run = world.at(START)
    assert (run.status, run.written, world.shown()) == ("applied", 3, "1122233333")


@pytest.mark.parametrize("down", ["check", "read", "write"])
def test_outage_leaves_the_rest_to_the_next_run(store: Store, down: str) -> None:
    """The tiers are recorded, the run says what is wrong, and the next one finishes it, without a pin by mistake."""
    world = World(store)
    world.crm.down = down
    run = world.at(START)
    assert (run.status, run.written, len(run.remarks)) == ("partial", 0, 1)
    assert world.tier_at("a", START) == 1
    world.crm.down = "read"
    world.at(START)
    world.crm.down = None
    run = world.at(START)
    assert (run.status, run.plan.pinned, world.shown()) == ("applied", (), "1122233333")
    assert states(store) in ({"written": 10}, {"written": 10, "superseded": 10})


def test_sync_between_crash_and_recovery_knows_our_own_value(store: Store) -> None:
    """The sync brings the value of a write whose outcome was never recorded: it is ours, not a pin."""
    world = World(store)
    world.crm.kill = True
    with pytest.raises(Killed):
        world.at(START)
    world.crm.kill = False
    world.watch.at += HOUR
    world.crm.sync(store)
    refresh(store, SETUP.facts, START + 2 * HOUR)
    assert states(store) == {"verified": 10}
    run = world.day(1)
    assert (run.plan.pinned, run.written, run.status) == ((), 0, "applied")


def test_refused_rows_are_parked_and_not_tried_again(store: Store) -> None:
    """A validation rule refuses one row: the others are written, and tomorrow costs no call."""
    world = World(store)
    world.crm.refused = {"sa-b": "Tier 1 needs an executive sponsor, ask ann@acme.example"}
    run = world.at(START)
    assert (run.status, run.written, states(store)) == ("partial", 9, {"written": 9, "parked": 1})
    why = "FIELD_CUSTOM_VALIDATION_EXCEPTION: Tier 1 needs an executive sponsor, ask <e-mail>"
    assert run.remarks == (f"salesforce sa-b: {why}",)
    with store.read() as conn:
        assert why == conn.execute(select(tier_ledger.c.error).where(tier_ledger.c.state == "parked")).scalar_one()
    calls = world.crm.calls
    assert (world.day(1).written, world.crm.calls) == (0, calls)


def test_missing_picklist_value_stops_before_the_first_write(store: Store) -> None:
    """One call to look, none to write, one clear remark; once it is mended the next run writes."""
    world = World(store)
    world.crm.options = ["Tier 1", "Tier 2"]
    run = world.at(START)
    assert (run.status, run.remarks) == ("partial", ("salesforce: the picklist lacks Tier 3. Add it.",))
    assert (world.shown(), world.crm.calls) == ("-" * 10, 1)
    world.crm.options = tuple(TIERS.values())
    assert (world.day(1).written, world.shown()) == (10, "1122233333")


def test_run_above_the_cap_writes_nothing(store: Store) -> None:
    """Held, with the number and the way out; the tiers are recorded all the same."""
    world = World(store)
    capped = replace(SETUP, writeback=WritebackSettings(enabled=True, max_per_run=9))
    run = world.at(START, capped)
    assert (run.status, world.crm.calls, world.shown()) == ("held", 0, "-" * 10)
    assert "10 changes are more than writeback.max_per_run (9)" in run.remarks[0]
    assert world.tier_at("a", START) == 1
    before = dump(store)
    assert (world.at(START, capped).status, changed_tables(store, before)) == ("held", set())
    assert (world.at(START).status, world.shown()) == ("applied", "1122233333")


def test_stale_source_is_not_written_to(store: Store) -> None:
    """Not synced for more than three days: what people did since is not known."""
    world = World(store)
    run = world.at(START + 4 * DAY)
    assert (run.status, world.crm.calls) == ("partial", 0)
    assert run.remarks == ("salesforce is stale: nothing is written to it",)


def test_switched_off_the_tiers_are_recorded_only(store: Store) -> None:
    """Without write-back a run makes no call, and the tier in force is known."""
    world = World(store)
    off = replace(SETUP, writeback=WritebackSettings())
    run = world.at(START, off)
    assert (run.status, world.crm.calls, states(store)) == ("applied", 0, {})
    assert world.tier_at("a", START) == 1


def test_both_crms_get_the_tier_and_a_pin_in_either_pins(store: Store) -> None:
    """A person's tier in one CRM is the account's, and tierd writes neither until it is released."""
    world = World(store)
    hub = Crm(world.watch, source="hubspot")
    ref = hub.add("a", link="sa-a")
    hub.sync(store)
    writers = {"salesforce": world.crm, "hubspot": hub}
    apply(store, SETUP, writers, START, clock=world.watch)
    assert (world.shown(), hub.value(ref)) == ("1122233333", "Tier 1")

    def day(days: int) -> TierRun:
        world.watch.at = START + days * DAY - HOUR
        world.crm.sync(store)
        hub.sync(store)
        world.watch.at = START + days * DAY + 5 * MINUTE
        return apply(store, SETUP, writers, START + days * DAY, clock=world.watch)

    world.watch.at = START + HOUR
    hub.edit(ref, "Tier 2")
    run = day(1)
    assert (run.written, world.shown()[0], hub.value(ref)) == (0, "1", "Tier 2")
    assert run.plan.pinned[0].reason == "pinned in hubspot"
    assert world.tier_at("a", START + DAY) == 2
    world.watch.at = START + DAY + HOUR
    hub.edit(ref, None)
    assert (day(2).written, world.shown()[0], hub.value(ref)) == (1, "1", "Tier 1")


def test_later_tiers_count_after_the_evaluation_of_their_instant(store: Store) -> None:
    """A new customer is assigned at day 1: the evaluation of that morning had no tier, and must give the same again."""
    world = World(store)
    world.at(START)
    world.crm.add("new", arr=1)
    world.day(1)
    assert (world.tier_at("new", START + DAY), world.tier_at("new", START + DAY + 1)) == (None, 3)


def test_downgrade_of_tier_one_waits_for_approval(store: Store) -> None:
    """After 30 days below the cut it is proposed; approved, it is recorded and written; anything else is refused."""
    world = World(store)
    world.at(START)
    for place, name in enumerate("bcdefghij"):
        world.crm.rows[f"sa-{name}"] = replace(
            world.crm.rows[f"sa-{name}"], fields={FIELD: world.crm.value(f"sa-{name}"), "arr": 9_000 - place}
        )
    for day in range(1, 31, 7):
        assert world.day(day).plan.proposals == ()
    run = world.day(31)
    assert [(a.name, a.tier, a.proposed) for a in run.plan.proposals] == [("a", 1, 3)]
    account = run.plan.proposals[0].account_id
    with pytest.raises(NoProposal, match="tiers plan"):
        world.at(START + 31 * DAY, approve=[account + 1])
    approved = world.at(START + 31 * DAY, approve=[account])
    assert (approved.written, world.shown()[0]) == (1, "3")
    assert world.day(32).plan.proposals == ()


def test_history_of_the_tier_in_force_has_no_gap(store: Store) -> None:
    """Each interval ends where the next begins, and one is open."""
    world = World(store, j="Tier 1")
    world.at(START)
    adopt(store, SETUP, world.watch.at)
    world.watch.at += HOUR
    world.crm.edit("sa-j", "Tier 2")
    world.day(1)
    with store.read() as conn:
        pinned = select(tiers.c.account_id).where(tiers.c.pin_origin.is_not(None)).scalar_subquery()
        query = select(tier_history).where(tier_history.c.account_id == pinned).order_by(tier_history.c.valid_from)
        rows = conn.execute(query).all()
        runs = conn.execute(select(tier_runs.c.status)).scalars().all()
    assert [(row.tier, row.pinned) for row in rows] == [(1, 1), (3, 0), (2, 1)]
    assert [row.valid_to for row in rows] == [rows[1].valid_from, rows[2].valid_from, None]
    assert list(runs) == ["applied", "applied"]
