"""Makes the sandbox's world from a seed: accounts, people, stories, daily life, noise; the same every time."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from sandbox.world.acquaintances import Acquaintances
from sandbox.world.answers import answer
from sandbox.world.casting import Cast
from sandbox.world.companies import FORMER, Roster, found
from sandbox.world.conflicts import contradict
from sandbox.world.curves import samples
from sandbox.world.diary import Diary, last_day
from sandbox.world.draft import Draft
from sandbox.world.families import Families
from sandbox.world.fate import decide, set_rhythm
from sandbox.world.freeze import company, person
from sandbox.world.growth import move_arr
from sandbox.world.ids import Ids
from sandbox.world.mess import measure
from sandbox.world.model import Story, UsagePoint, World
from sandbox.world.money import Ledger
from sandbox.world.noise import Noise, keep_captured
from sandbox.world.offering import show
from sandbox.world.people import People
from sandbox.world.ranks import assign_attention
from sandbox.world.stories_identity import identities
from sandbox.world.stories_later import later_rules
from sandbox.world.stories_past import lost_customers
from sandbox.world.stories_people import single_threaded, touches_overdue
from sandbox.world.stories_renewal import CSM_CHANGES, contracts_lapsed, executives_silent
from sandbox.world.stories_usage import adoption_drops, strong_without_users
from sandbox.world.streams import Care, until_day
from sandbox.world.surveys import answers
from sandbox.world.team import hire
from sandbox.world.when import Days

DEFAULT_START = 1_772_431_200_000_000
"""2026-03-02 06:00 UTC, a Monday."""
CUSTOMERS = 0.4
FEWEST_CUSTOMERS = 110
"""So many customers hold all stories and leave some in peace."""
FEWEST_OTHERS = FORMER + 26
EMPTIED_AGAIN = 9
"""The tier that a person sets on this day is taken out of the field eight days later."""


def generate(
    seed: int = 7,
    start: int = DEFAULT_START,
    days: int = 30,
    accounts: int = 750,
    *,
    csms: int = 6,
    history_days: int = 425,
) -> World:
    """A whole world. `start`: UTC microseconds of the first evaluation, 06:00; `days`: evaluations that the demo lets
    pass; `history_days`: so much happened before. `accounts` is a wish: all stories are planted in any case.
    """
    rng = Random(seed)
    calendar = Days(start)
    ids = Ids()
    team = hire(calendar, csms, ids)
    customers = max(round(CUSTOMERS * accounts), FEWEST_CUSTOMERS)
    others = max(accounts - customers, FEWEST_OTHERS)
    roster = found(calendar, team, rng, history_days, customers=customers, others=others)
    people = People(rng)
    stories = _plant(roster, people, rng)
    _populate(roster, people, rng)
    # What follows has random numbers of its own, so that the rest of the world does not change by it.
    apart = Random(f"{seed}: who belongs to whom")
    also = people.apart(apart)
    identities(Cast(roster, also, apart, stories, anew=True))
    anew = Random(f"{seed}: later rules")
    later_rules(Cast(roster, people.apart(anew), anew, stories, anew=True, dated=0.25))
    families = Families(roster, also, apart)
    families.adopt()
    families.staff()
    contradict(roster)
    move_arr(roster, apart)
    diary = Diary(calendar, rng)
    ledger = Ledger(calendar, rng)
    for draft in roster.drafts:
        _live(draft, roster, diary, ledger, days)
    keep_captured(roster, diary, -130, days)
    later = diary.apart(apart)
    families.live(later, Ledger(calendar, apart, tickets=ledger.tickets), days)
    Acquaintances(roster, also, later, apart, days).add(ledger.deals)
    careful = {d.key for d in roster.drafts if d.life.planned}
    diary.happenings = answer(diary.happenings, calendar.start, Random(f"{seed}: who answers"), diary.waiting, careful)
    diary.happenings = show(diary.happenings, roster.of_kind("customer"), calendar.start)
    world = _freeze(seed, roster, diary, ledger, stories=stories, ids=ids, days=days)
    below = [p for d in roster.of_kind("prospect") for p in samples(d, calendar, days, apart)]
    return measure(replace(world, usage=(*world.usage, *below)))


def _plant(roster: Roster, people: People, rng: Random) -> list[Story]:
    """All stories; those on cadence come last, since they need to know the tiers."""
    cast = Cast(roster, people, rng)
    executives_silent(cast)
    contracts_lapsed(cast)
    adoption_drops(cast)
    strong_without_users(cast)
    single_threaded(cast)
    lost_customers(cast, roster.of_kind("former"))
    assign_attention(roster.of_kind("customer"))
    touches_overdue(cast)
    return cast.stories


def _populate(roster: Roster, people: People, rng: Random) -> None:
    """Contacts and hidden states of everybody else, and the rest of the mess."""
    leaver_left = 2
    for draft in roster.drafts:
        if draft.kind == "customer" and not draft.cast:
            decide(draft, rng)
            _enter_in_time(draft, roster)
            people.staff(draft)
            _take_off_file(draft, roster, rng)
            if leaver_left and draft.csm_in in ("field", "team") and draft.churn_day is None:
                leaver_left -= 1
                handed_over = roster.days.at(CSM_CHANGES, 14 * 60 + leaver_left)
                draft.csm = [(draft.created_at, roster.team.leaver), (handed_over, draft.csm[0][1])]
        elif draft.kind == "prospect" and draft.parent is None:
            for _ in range(rng.randint(1, 3)):
                people.add(draft, executive=rng.choice((True, False, None)))
        if draft.kind == "customer" and rng.random() < 0.15:
            people.without_address(draft)
        if draft.kind != "prospect":
            set_rhythm(draft)
    _edit_tiers(roster)


def _enter_in_time(draft: Draft, roster: Roster) -> None:
    """The account is in the CRM a month before its contract, also where the hidden state has moved that."""
    assert draft.contract_start is not None
    draft.created_at = min(draft.created_at, roster.days.at(draft.contract_start - 30, 8 * 60))
    draft.csm = [(draft.created_at, draft.csm[0][1])]


def _take_off_file(draft: Draft, roster: Roster, rng: Random) -> None:
    """Now and then a contact of whom nothing was ever heard is deleted."""
    known = {p.key for p in (*draft.life.sponsors, *draft.life.champions, *draft.life.strangers)}
    unheard = [p for p in draft.people if p.key not in known and p.standing == "user"]
    if unheard and rng.random() < 0.1:
        day = max(rng.randint(-120, 25), roster.days.day_of(draft.created_at) + 15)
        unheard[-1].removed_at = roster.days.at(day, 14 * 60 + 5)


def _edit_tiers(roster: Roster) -> None:
    """Three people set a tier by hand during the demo, one of them back to nothing some days later."""
    calm = [d for d in roster.of_kind("customer") if not d.cast and d.churn_day is None and d.life.state == "healthy"]
    for draft, day, wanted in zip(calm[3::11], (2, 5, 9), (1, 3, 2), strict=False):
        who = draft.csm[-1][1] or draft.owner
        # Who sets the tier that it has already, sets nothing.
        tier = wanted if wanted != draft.attention else wanted % 3 + 1
        draft.tier_edits.append((roster.days.at(day, 15 * 60 + 12), tier, who))
        if day == EMPTIED_AGAIN:
            draft.tier_edits.append((roster.days.at(day + 8, 11 * 60), None, who))


def _live(draft: Draft, roster: Roster, diary: Diary, ledger: Ledger, days: int) -> None:
    since = -roster.history
    until = until_day(draft, days)
    if draft.kind == "prospect":
        if draft.parent is not None or draft.children:
            return
        Noise(draft, diary, roster.team, roster.rng).prospecting(
            max(since, roster.days.day_of(draft.created_at) + 12), days
        )
        return
    assert draft.contract_start is not None
    since = max(since, draft.contract_start - 15)
    Care(draft, diary, roster.team, roster.rng, since, until).live()
    Noise(draft, diary, roster.team, roster.rng).scatter(since, min(until, days + 1))
    ledger.trade(draft)
    ledger.support(draft, since, min(until, days + 1))


def _freeze(
    seed: int, roster: Roster, diary: Diary, ledger: Ledger, *, stories: list[Story], ids: Ids, days: int
) -> World:
    end = last_day(roster.days, days)
    usage: list[UsagePoint] = []
    for draft in roster.drafts:
        if draft.kind != "prospect":
            usage.extend(samples(draft, roster.days, days, roster.rng))
    return World(
        seed=seed,
        start=roster.days.start,
        days=days,
        history_days=roster.history,
        teammates=roster.team.everyone,
        companies=tuple(company(d, roster.days, ids) for d in roster.drafts),
        persons=tuple(person(d, p, ids) for d in roster.drafts for p in d.people),
        happenings=tuple(
            sorted((h for h in diary.happenings if h.logged_at < end), key=lambda h: (h.logged_at, h.key))
        ),
        deals=tuple(ledger.deals),
        tickets=tuple(t for t in ledger.tickets if t.opened_at < end),
        usage=tuple(usage),
        stories=tuple(stories),
        mess=(),
        answers=tuple(a for d in roster.drafts for a in answers(d, roster.days)),
    )
