"""The sandbox's world: deterministic, untidy in known shares, with every planted story in its place."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path

import pytest

from sandbox.clock import ScenarioClock
from sandbox.hubspot.catalogue import PROPERTIES
from sandbox.salesforce.ids import normal
from sandbox.salesforce.objects import OBJECTS
from sandbox.versions import Change, VendorStore
from sandbox.world.generate import DEFAULT_START, generate
from sandbox.world.mess import customers, has_usable_renewal
from sandbox.world.model import Company, Happening, Story, World
from sandbox.world.project import changes
from sandbox.world.table import story_table
from sandbox.world.titles import EXEC_LEVELS, TITLES
from sandbox.world.truth_rules import RULES
from sandbox.world.usage import write_day, write_history, write_usage
from sandbox.world.when import DAY, HOUR, MINUTE

FIRST_RULES = (
    "renewal-exec-silence",
    "adoption-drop-user-silence",
    "single-threaded",
    "strong-adoption-no-users",
    "touch-overdue",
    "lapsed",
)
"""Their stories are in every world; of the other rules a small one holds some."""
NEVER_TRUE = ("advocate-ready", "feedback-stale", "forgotten-tier-2")
"""They ask when somebody was asked or a tier was looked over, which no record of this world tells."""
NEVER_CLEAR = (*NEVER_TRUE, "champion-left", "high-maintenance-low-value")
"""What makes them true counts for 90 days, longer than the demo."""
TOUCHES = ("email", "call", "meeting")


def digest(world: World) -> str:
    """One word for everything in a world."""
    return hashlib.sha256(repr(world).encode()).hexdigest()


@pytest.fixture(scope="module")
def world() -> World:
    """The world of the demo."""
    return generate()


@pytest.fixture(scope="module")
def projected(world: World) -> list[Change]:
    """Its records."""
    return changes(world)


def told(world: World, rule: str, *kinds: str) -> list[Story]:
    """The stories of one rule of these kinds."""
    return [s for s in world.stories if s.rule == rule and s.kind in kinds]


def happened(happening: Happening) -> int:
    """The instant from which its age runs."""
    return happening.starts_at if happening.kind == "email" else happening.ends_at


# ---------------------------------------------------------------- determinism


def test_the_same_seed_gives_the_same_world(world: World, projected: list[Change]) -> None:
    """Equal worlds and equal records from equal seeds, others from another seed."""
    assert digest(generate()) == digest(world)
    assert changes(generate()) == projected
    assert digest(generate(seed=8)) != digest(world)


def test_the_world_does_not_depend_on_the_process() -> None:
    """Two processes with different hash seeds make the same small world."""
    program = "from tests.sandbox.test_world import digest, generate; print(digest(generate(accounts=60)))"
    words = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(words) == 1


def test_a_small_world_holds_the_first_stories(world: World) -> None:
    """60 accounts are too few, so there are some more; the first rules' stories are all there, and others as many as fit."""
    small = generate(accounts=60)
    kinds, all_kinds = (Counter((s.rule, s.kind) for s in made.stories) for made in (small, world))
    assert all(kinds[key] == count for key, count in all_kinds.items() if key[0] in FIRST_RULES)
    assert kinds <= all_kinds
    assert len({rule for rule, _ in kinds} - set(FIRST_RULES)) >= 7
    assert len(small.companies) < 200


@pytest.mark.parametrize(("csms", "days", "history"), [(1, 3, 60), (4, 45, 800)])
def test_other_sizes_work(csms: int, days: int, history: int) -> None:
    """Few CSMs, short and long demos and histories make a world that holds the first rules' stories."""
    odd = generate(accounts=60, csms=csms, days=days, history_days=history)
    assert {s.rule for s in odd.stories} >= set(FIRST_RULES)
    assert sum(t.role == "csm" for t in odd.teammates) == csms + 2


# ---------------------------------------------------------------- shares


@pytest.mark.parametrize(
    ("what", "expected", "tolerance"),
    [
        ("accounts that are not customers", 0.60, 0.001),
        ("contacts of customers without a title", 0.40, 0.05),
        ("contacts of customers of unknown standing", 0.20, 0.05),
        ("customers without a usable renewal date", 0.30, 0.05),
        ("customers whose ARR is on deals", 0.333, 0.02),
        ("accounts in hierarchies", 0.15, 0.03),
        ("customers in hierarchies", 0.15, 0.01),
        ("customers in both CRMs", 0.333, 0.05),
        ("activities logged 10 to 45 days late", 0.12, 0.02),
        ("customers that make 80 % of the revenue", 0.20, 0.05),
    ],
)
def test_the_mess_is_as_promised(world: World, what: str, expected: float, tolerance: float) -> None:
    """Each measured share lies near the one that the design names."""
    assert dict(world.mess)[what] == pytest.approx(expected, abs=tolerance)


def test_the_csm_sits_in_four_places(world: World) -> None:
    """Field, account team, HubSpot property and owner alone are all in use."""
    assert {c.csm_in for c in customers(world)} == {"field", "team", "property", "none"}
    for company in customers(world):
        if company.csm_in == "none":
            assert company.owner.at(world.start) == company.csm.at(world.start)


def test_only_customers_carry_arr_and_only_they_are_looked_after(world: World) -> None:
    """Children in hierarchies and prospects have neither ARR nor CSM."""
    for company in world.companies:
        if company.kind.changes[0][1] == "prospect":
            assert company.arr.at(world.start) is None
            assert company.csm.at(world.start) is None


def test_linked_rows_can_be_linked_one_way_only(world: World) -> None:
    """A domain links two rows only where nobody else has it; unlinkable twins are accounts of their own, no customers."""
    domains = Counter(c.domain for c in world.companies)
    for company in world.companies:
        assert (company.linked_by is not None) == (len(company.systems) == 2)
        if company.linked_by == "domain":
            assert domains[company.domain] == 1
    named = defaultdict(list)
    for company in world.companies:
        named[company.name].append(company.kind.at(world.start))
    doubles = [kinds for kinds in named.values() if len(kinds) > 1]
    assert len(doubles) >= 10
    assert all(kinds.count("customer") <= 1 for kinds in doubles)


def test_titles_come_from_the_list(world: World) -> None:
    """Every title has the level of the fixed list; who has none has no level."""
    levels = {t.text: t.level for t in TITLES}
    for person in world.persons:
        assert person.level == (levels[person.title] if person.title else None)
    assert {t.language for t in TITLES} == {"en", "de", "fr", "es"}


def test_segments_follow_arr(world: World) -> None:
    """Enterprise from 100k, mid-market from 20k: the mapped ARR decides."""
    for company in customers(world):
        arr = company.arr.at(world.start)
        assert isinstance(arr, int)
        assert company.segment == ("enterprise" if arr >= 10_000_000 else "mid_market" if arr >= 2_000_000 else "smb")


# ---------------------------------------------------------------- what happens when


def test_nothing_changes_while_the_crms_are_read(projected: list[Change]) -> None:
    """No record is created or changed between 05:00 and 06:00 UTC on any day."""
    assert [c for c in projected if 5 * HOUR <= c.at % DAY < 6 * HOUR] == []


def test_things_are_known_in_order(world: World) -> None:
    """People are on file before they are met, nothing that is over was logged before it, and mails never share a minute."""
    persons = {p.key: p for p in world.persons}
    seen = set()
    for happening in world.happenings:
        if happening.kind != "meeting":
            assert happening.logged_at >= happening.ends_at
        for key in happening.persons:
            assert happening.account in (persons[key].account, *persons[key].also_at)
            assert not persons[key].registered or persons[key].on_file_at <= happening.starts_at
        place = (happening.account, happening.starts_at)
        assert place not in seen
        seen.add(place)


def test_captured_mailboxes_are_never_quiet_for_a_week(world: World) -> None:
    """On every evaluation each captured teammate wrote or met within five days; the uncaptured ones leave only calls."""
    activity = defaultdict(list)
    for happening in world.happenings:
        if happening.kind in ("email", "meeting") and not happening.automatic:
            for who in happening.teammates:
                activity[who].append((happening.logged_at, happened(happening)))
    for mate in world.teammates:
        if mate.role == "lead":
            continue
        if not mate.captured:
            assert activity[mate.key] == []
            continue
        for day in range(world.days):
            as_of = world.start + day * DAY
            if mate.leaves_at is None or as_of < mate.leaves_at:
                assert any(logged <= as_of and as_of - 5 * DAY < at <= as_of for logged, at in activity[mate.key])


def test_most_customers_have_their_executives(world: World) -> None:
    """Nine of ten healthy customers outside the stories met an executive within 60 days before the first evaluation."""
    persons = {p.key: p for p in world.persons}
    met = {
        h.account
        for h in world.happenings
        if h.kind in TOUCHES
        and not h.automatic
        and world.start - 60 * DAY < happened(h) <= world.start
        and h.logged_at <= world.start
        and any(persons[key].level in EXEC_LEVELS for key in h.persons)
    }
    planted = {s.account for s in world.stories}
    calm = [c for c in customers(world) if c.key not in planted and c.state in ("healthy", "growing")]
    assert sum(c.key in met for c in calm) / len(calm) > 0.9


def test_customers_are_lost_by_their_hidden_state(world: World) -> None:
    """At least 30 in the history, a dozen in the demo and the 120 days after; most of these drift first, some do not."""
    today = world.start // DAY
    past = [c for c in world.companies if c.kind.at(world.start) == "former"]
    coming = [c for c in customers(world) if c.churns_on is not None]
    assert len(past) >= 30
    assert len([s for s in world.stories if s.kind == "former"]) == 10
    assert 12 <= len(coming) <= 40
    assert all(today <= c.churns_on <= today + 150 for c in coming if c.churns_on)
    drifting = sum(c.state == "at_risk" for c in coming)
    assert 0.6 * len(coming) <= drifting <= len(coming)


# ---------------------------------------------------------------- stories


def test_whoever_is_in_no_crm_is_in_mails_only(world: World) -> None:
    """Strangers, bare role addresses and advisers have no record, and take part in mails."""
    unknown = {p.key: p for p in world.persons if not p.registered}
    assert {True, False} == {p.role_address for p in unknown.values()}
    assert not any(p.salesforce_id or p.hubspot_id or p.title for p in unknown.values())
    met = [h for h in world.happenings if set(h.persons) & set(unknown)]
    assert {"email"} == {h.kind for h in met}
    assert set(unknown) >= {key for h in met for key in h.persons}


def test_subsidiaries_carry_nothing_and_have_people(world: World) -> None:
    """They are no customers, carry no ARR, and what happens at them stands on their own record."""
    below = [c for c in world.companies if c.parent is not None and c.kind.at(world.start) == "prospect"]
    assert below
    assert not any(value for c in below for _, value in c.arr.changes)
    peopled = {p.account for p in world.persons} & {c.key for c in below}
    assert len(peopled) >= 10
    assert len({h.account for h in world.happenings} & peopled) >= 10
    assert {t.account for t in world.tickets} & peopled


def test_rows_come_before_their_account_is_known(world: World, projected: list[Change]) -> None:
    """Some contacts are entered without an account and given it days later."""
    late = [p for p in world.persons if p.linked_at is not None]
    assert late
    for person in late:
        assert person.linked_at is not None
        assert person.on_file_at < person.linked_at
    ids = {p.salesforce_id for p in late if p.salesforce_id}
    homeless = [c for c in projected if c.op == "create" and c.object == "Contact" and c.id in ids]
    assert [None] * len(ids) == [c.fields["AccountId"] for c in homeless]


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_has_its_stories(world: World, rule: str) -> None:
    """Three that fire, three decoys, two unknowns, one that clears; first days from day 2 on, alerts within the demo."""
    assert len(told(world, rule, "fires")) >= (0 if rule in NEVER_TRUE else 3)
    assert len(told(world, rule, "decoy")) >= 3
    assert len(told(world, rule, "unknown")) >= 2
    assert len(told(world, rule, "clears")) >= (0 if rule in NEVER_CLEAR else 1)
    wait = 7 if rule in ("single-threaded", "lapsed") else 0
    for story in told(world, rule, "fires", "clears"):
        assert story.first_day is not None
        assert 2 <= story.first_day < world.days - wait
        assert story.clear_day is None or story.first_day + wait < story.clear_day < world.days
    assert all(s.first_day is not None and s.first_day >= 2 for s in told(world, rule, "unknown"))


def test_stories_overlap_and_the_crm_moves_under_them(world: World) -> None:
    """Two accounts carry two stories; one is merged in each CRM, one changes its CSM, one moves its renewal, one is a person's tier."""
    firing = Counter(s.account for s in world.stories if s.kind in ("fires", "clears"))
    assert sum(n > 1 for n in firing.values()) >= 2
    companies = {c.key: c for c in world.companies}
    silent = [companies[s.account] for s in told(world, "renewal-exec-silence", "fires")]
    assert sorted(c.systems for c in silent if c.merged_at is not None) == [("hubspot",), ("salesforce",)]
    assert sum(len(c.csm.changes) > 1 for c in silent) == 1
    assert sum(len(c.renewal.changes) > 1 for c in silent) == 1
    assert any(companies[s.account].tier_edits for s in told(world, "touch-overdue", "decoy"))
    leavers = [t for t in world.teammates if t.leaves_at is not None]
    assert len(leavers) == 1
    left = [c for c in customers(world) if c.csm.at(leavers[0].leaves_at or 0) == leavers[0].key]
    assert left == []


def executive_touches(world: World, company: str) -> list[Happening]:
    """Everything in which a known executive of the account takes part, oldest first."""
    execs = {p.key for p in world.persons if p.account == company and p.level in EXEC_LEVELS}
    found = [
        h
        for h in world.happenings
        if h.account == company
        and h.kind in TOUCHES
        and not h.automatic
        and len(h.persons) <= 5
        and execs & set(h.persons)
    ]
    return sorted((h for h in found if h.disposition not in ("no_answer", "left_voicemail")), key=happened)


@pytest.mark.parametrize("day", [3, 8, 14])
def test_silence_reaches_fifteen_days_on_the_planted_day(world: World, day: int) -> None:
    """The last contact with an executive is 15 whole days old on the story's day and 14 the day before."""
    story = next(
        s for s in told(world, "renewal-exec-silence", "fires") if s.first_day == day and "15 days on" in s.why
    )
    as_of = world.start + day * DAY
    last = max(happened(h) for h in executive_touches(world, story.account) if h.logged_at <= as_of)
    assert (as_of - last) // DAY == 15
    assert (as_of - DAY - last) // DAY == 14


def adoption_change(world: World, account: str, day: int) -> float:
    """The last 30 samples over the 90 before, minus 1."""
    used = {p.day: p.active_users for p in world.usage if p.account == account}
    today = world.start // DAY + day
    late = [used[d] for d in range(today - 29, today + 1)]
    early = [used[d] for d in range(today - 119, today - 29)]
    return (sum(late) / 30) / (sum(early) / 90) - 1


def test_adoption_passes_twenty_percent_on_the_planted_day_only(world: World) -> None:
    """The crossing story is above -20 % the day before; the decoy never gets there, by less than one percent."""
    rule = "adoption-drop-user-silence"
    crossing = next(s for s in told(world, rule, "fires") if "passes 20 %" in s.why)
    assert crossing.first_day is not None
    assert adoption_change(world, crossing.account, crossing.first_day) <= -0.2
    assert -0.2 < adoption_change(world, crossing.account, crossing.first_day - 1) < -0.18
    decoy = next(s for s in told(world, rule, "decoy") if "19 %" in s.why)
    lowest = min(adoption_change(world, decoy.account, day) for day in range(world.days))
    assert -0.195 < lowest < -0.185


def strength(world: World, account: str, person: str, as_of: int) -> float:
    """Relationship strength as domain.md section 4 has it."""
    touches = [
        h
        for h in executive_touches(world, account)
        if person in h.persons and h.logged_at <= as_of and as_of - 365 * DAY < happened(h) <= as_of
    ]
    if not touches:
        return 0.0
    recent = [h for h in touches if happened(h) > as_of - 90 * DAY]
    weight = sum({"meeting": 3, "call": 2, "email": 1}[h.kind] for h in recent)
    inward = sum(h.kind != "email" or h.direction == "in" for h in touches)
    outward = sum(h.kind != "email" or h.direction == "out" for h in touches)
    age = (as_of - happened(touches[-1])) // DAY
    span = (happened(touches[-1]) - happened(touches[0])) // DAY
    points = 30 * 2 ** (-age / 60) + 25 * min(1, weight / 12) + 15 * min(inward, outward) / max(inward, outward)
    points += 15 * min(1, sum(h.kind == "meeting" for h in recent) / 3) + 15 * min(1, span / 330)
    return points if inward else min(points, 19.0)


def strong_executives(world: World, company: Company, day: int) -> int:
    """How many executives of the account have a strength of 60 on a demo day."""
    execs = [p.key for p in world.persons if p.account == company.key and p.level in EXEC_LEVELS]
    return sum(strength(world, company.key, key, world.start + day * DAY) >= 60 for key in execs)


def test_the_last_strong_relationship_ends_on_the_planted_day(world: World) -> None:
    """One strong executive too few from the story's day on, enough until the day before; decoys have enough on day 29."""
    companies = {c.key: c for c in world.companies}
    for story in told(world, "single-threaded", "fires", "clears"):
        company = companies[story.account]
        needed = 2 if company.segment == "enterprise" else 1
        assert story.first_day is not None
        assert strong_executives(world, company, story.first_day - 1) == needed
        assert strong_executives(world, company, story.first_day) == needed - 1
    decoy = next(s for s in told(world, "single-threaded", "decoy") if "day after the demo" in s.why)
    assert strong_executives(world, companies[decoy.account], world.days - 1) == 1
    assert strong_executives(world, companies[decoy.account], world.days) == 0


def test_contracts_lapse_the_day_after_their_date(world: World) -> None:
    """The renewal lies one day back on the first day, and nothing was won since 120 days before it."""
    companies = {c.key: c for c in world.companies}
    for story in told(world, "lapsed", "fires", "clears"):
        renewal = companies[story.account].renewal.at(world.start)
        assert story.first_day is not None
        assert renewal == world.start // DAY + story.first_day - 1
        for deal in (d for d in world.deals if d.account == story.account and d.type == "Renewal"):
            as_of = world.start + story.first_day * DAY
            closed = deal.close_on.at(as_of)
            assert deal.stage.at(as_of) != "Closed Won" or (isinstance(closed, int) and closed <= renewal - 120)


def test_unknown_renewals_stay_unknown(world: World) -> None:
    """Customers without a usable date have no open renewal that could stand in for it."""
    without = {c.key for c in customers(world) if c.renewal.at(world.start) is None}
    assert without
    assert not any(
        d.account in without and d.type == "Renewal" and d.stage.at(world.start) == "Negotiation" for d in world.deals
    )
    assert sum(has_usable_renewal(world, c) for c in customers(world)) > 150


def test_the_story_table_is_plain_data(world: World) -> None:
    """One row per story that JSON can carry; the alert of a rule with `for 7 days` opens seven days later."""
    table = json.loads(json.dumps(story_table(world)))
    assert len(table) == len(world.stories)
    for row in table:
        if row["rule"] == "lapsed" and row["kind"] == "fires":
            assert row["opens_day"] == row["first_day"] + 7
    assert all(row["salesforce_id"] or row["hubspot_id"] for row in table)


# ---------------------------------------------------------------- projection


def test_ids_are_unique_and_well_formed(projected: list[Change]) -> None:
    """Every record is created once; Salesforce ids carry their checksum, HubSpot ids are numbers."""
    created = [c for c in projected if c.op == "create"]
    ids = Counter((c.vendor, c.object, c.id) for c in created)
    assert max(ids.values()) == 1
    for change in created:
        if change.vendor == "salesforce":
            assert normal(change.id) == change.id
            assert len(change.id) == 18
        else:
            assert change.id.isdigit()


def test_records_have_only_fields_that_the_crms_know(projected: list[Change]) -> None:
    """Every projected field is described by the imitated org or portal."""
    known = {name: {f.name for f in sobject.fields} for name, sobject in OBJECTS.items()}
    known |= {name: {line.split()[0] for line in text.splitlines() if line} for name, text in PROPERTIES.items()}
    known["owners"] = {"email", "firstName", "lastName", "userId"}
    used: dict[str, set[str]] = defaultdict(set)
    for change in projected:
        if change.op in ("create", "update"):
            used[change.object].update(change.fields)
    assert {name: fields - known[name] for name, fields in used.items() if fields - known[name]} == {}


def test_changes_come_in_order_and_touch_what_exists(projected: list[Change]) -> None:
    """Sorted by instant; updates, links and merges name records that were created before."""
    assert all(a.at <= b.at for a, b in pairwise(projected))
    born: set[tuple[str, str]] = set()
    for change in projected:
        if change.op == "create":
            born.add((change.object, change.id))
        else:
            assert (change.object, change.id) in born
            assert not change.to_id or (change.to_object, change.to_id) in born
            assert not change.into or (change.object, change.into) in born


def test_every_fact_of_the_world_has_its_records(world: World, projected: list[Change]) -> None:
    """As many records of each kind as the world has things, in each CRM."""
    made = Counter((c.vendor, c.object) for c in projected if c.op == "create")
    here = Counter((system, h.kind) for h in world.happenings for system in h.systems)
    assert made["salesforce", "EmailMessage"] == here["salesforce", "email"]
    assert made["salesforce", "Event"] == here["salesforce", "meeting"]
    mail_tasks = sum(
        c.fields.get("TaskSubtype") == "Email" for c in projected if c.op == "create" and c.object == "Task"
    )
    others = sum(here["salesforce", kind] for kind in ("call", "note", "task"))
    assert made["salesforce", "Task"] == others + mail_tasks
    assert 0 < mail_tasks < here["salesforce", "email"]
    for kind, name in (
        ("email", "emails"),
        ("call", "calls"),
        ("meeting", "meetings"),
        ("note", "notes"),
        ("task", "tasks"),
    ):
        assert made["hubspot", name] == here["hubspot", kind]
    twins = Counter(c.systems[0] for c in world.companies if c.duplicate_id is not None)
    for vendor, name in (("salesforce", "Account"), ("hubspot", "companies")):
        assert made[vendor, name] == sum(vendor in c.systems for c in world.companies) + twins[vendor]
    assert made["salesforce", "OpportunityContactRole"] == sum(
        p.role is not None and p.salesforce_id is not None for p in world.persons
    )
    guests = sum(len(p.also_at) for p in world.persons if p.salesforce_id)
    assert made["salesforce", "AccountContactRelation"] == guests > 0
    assert made["salesforce", "Contact"] == sum(p.salesforce_id is not None for p in world.persons)
    assert made["hubspot", "contacts"] == sum(p.hubspot_id is not None for p in world.persons)
    assert made["salesforce", "Opportunity"] == sum("salesforce" in d.systems for d in world.deals)
    assert made["hubspot", "tickets"] == sum("hubspot" in t.systems for t in world.tickets)


def test_the_crms_show_the_world_at_the_start(world: World, projected: list[Change]) -> None:
    """Once the changes are applied up to the first evaluation, customers, meetings and the CSM read as the World says."""
    clock = ScenarioClock(world.start)
    store = VendorStore("salesforce", clock)
    store.load(projected)
    store.catch_up()
    mates = {t.key: t.salesforce_id for t in world.teammates}
    for company in world.companies:
        if company.salesforce_id:
            row = store.get("Account", company.salesforce_id)
            assert row is not None
            called = company.typed_customer or company.kind.at(world.start) == "customer"
            assert (row.fields["Type"] == "Customer") == called
            assert row.created_at == company.created_at
            if company.csm_in == "field":
                assert row.fields["CSM__c"] == mates[str(company.csm.at(world.start))]
    logged = sum(
        h.logged_at <= world.start and h.kind == "meeting" and "salesforce" in h.systems for h in world.happenings
    )
    assert sum(1 for _ in store.table("Event").by_id()) == logged


def test_a_mail_in_both_crms_can_be_known_as_one(world: World, projected: list[Change]) -> None:
    """Both copies have the Message-ID, or the HubSpot copy has none but the same sender, recipients and minute."""
    by_minute: dict[tuple[object, ...], list[Change]] = defaultdict(list)
    for change in projected:
        if change.op == "create" and change.object == "EmailMessage":
            at, sender = change.fields["MessageDate"], change.fields["FromAddress"]
            by_minute[at, sender, str(change.fields["ToAddress"]).replace("; ", ";")].append(change)
    lacking = 0
    for change in projected:
        if change.op == "create" and change.object == "emails" and not change.fields["hs_email_message_id"]:
            lacking += 1
            place = (
                change.fields["hs_timestamp"],
                change.fields["hs_email_from_email"],
                change.fields["hs_email_to_email"],
            )
            assert len(by_minute[place]) == 1
    both = sum(h.kind == "email" and len(h.systems) == 2 for h in world.happenings)
    assert 0 < lacking < both


# ---------------------------------------------------------------- usage feed


def test_the_feed_is_one_history_and_a_file_a_day(tmp_path: Path) -> None:
    """At 05:00 of day 3 there are the history and four days; every line is one sample, and no half file lies about."""
    small = generate(accounts=60)
    now = small.start - HOUR + 3 * DAY
    write_usage(small, tmp_path, now)
    names = sorted(p.name for p in tmp_path.iterdir())
    assert names == [*(f"usage-2026-03-0{n}.csv" for n in (2, 3, 4, 5)), "usage-history.csv"]
    lines = sum(len(p.read_text().splitlines()) - 1 for p in tmp_path.iterdir())
    assert lines == sum(p.day <= now // DAY for p in small.usage)
    header, first = (tmp_path / "usage-2026-03-02.csv").read_text().splitlines()[:2]
    assert header == "date,workspace,active_users,active_users_28d"
    assert first.startswith("2026-03-02,ws-")


def test_the_feed_is_written_once(tmp_path: Path) -> None:
    """A second call, or one a minute before 05:00, leaves every file as it is and adds none."""
    small = generate(accounts=60)
    write_history(small, tmp_path, small.start)
    write_day(small, tmp_path, small.start // DAY)
    before = {p.name: (p.stat().st_ino, p.stat().st_mtime_ns) for p in tmp_path.iterdir()}
    write_usage(small, tmp_path, small.start - HOUR + DAY - MINUTE)
    assert {p.name: (p.stat().st_ino, p.stat().st_mtime_ns) for p in tmp_path.iterdir()} == before


def test_the_demo_starts_on_a_monday(world: World) -> None:
    """2026-03-02 at 06:00 UTC."""
    assert world.start == DEFAULT_START
    assert world.start % DAY == 6 * HOUR
    assert (world.start // DAY + 3) % 7 == 0
