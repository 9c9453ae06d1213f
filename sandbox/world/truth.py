"""The ground truth: what every rule should say of every customer on every day, read from the World and from domain.md.

Written apart from the product, record by record; slow is fine. Limits of this version: value at risk does
not exist, nobody of ours is ever marked away, and no source is ever stale.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

from sandbox.world.model import Company, Story, World
from sandbox.world.table import story_table
from sandbox.world.truth_alerts import Fire, life
from sandbox.world.truth_book import Book
from sandbox.world.truth_case import Case, cases
from sandbox.world.truth_facts import facts
from sandbox.world.truth_held import held_days
from sandbox.world.truth_identity import identity
from sandbox.world.truth_logic import Truth, Unknown
from sandbox.world.truth_rules import RULES, Outcome, outcomes
from sandbox.world.truth_tiers import Tiers, crm_end, pinned
from sandbox.world.usage import iso
from sandbox.world.when import DAY

AFTER = 120
"""Days after the demo whose losses are known."""
LEAD_DAYS = 30
SAID_AT_ONCE = ("high", "critical")


@dataclass(frozen=True, slots=True)
class Judgement:
    """Everything that is true of a World over its demo days."""

    world: World
    book: Book
    tiers: Tiers
    outcomes: Mapping[tuple[str, str], list[Outcome | None]]
    """(account, rule) -> one outcome per day, None = not in scope."""
    fires: Mapping[tuple[str, str], list[Fire]]

    def at(self, account: str, rule: str, day: int) -> Truth | None:
        """What holds on a day: true, false, unknown, or None out of scope."""
        outcome = self.outcomes[account, rule][day]
        return None if outcome is None else outcome.truth


def judge(world: World) -> Judgement:
    """Reads the whole World, day by day."""
    book = Book(world)
    tiers = Tiers(book).run(world.days)
    by_day = [judge_day(book, day, tiers) for day in range(world.days)]
    accounts = sorted({account for found in by_day for account in found})
    series = {
        (account, rule): [found[account][rule] if account in found else None for found in by_day]
        for account in accounts
        for rule in RULES
    }
    fires = {key: life(outcomes, RULES[key[1]].holds_for) for key, outcomes in series.items()}
    return Judgement(world, book, tiers, series, fires)


def judge_day(book: Book, day: int, tiers: Tiers | None = None) -> dict[str, dict[str, Outcome]]:
    """Account -> rule -> outcome on one day, which may lie before the demo; without `tiers` nobody has a tier."""
    as_of = book.day(day)
    found = cases(book, as_of, lambda company: tiers.in_force(company, day) if tiers else None)
    return {case.company.key: outcomes(case) for case in found}


def truth(world: World) -> dict[str, object]:
    """The ground truth as JSON data; see `report`."""
    return report(judge(world))


def report(found: Judgement) -> dict[str, object]:
    """A judgement as JSON data. Days are demo days (0 = first evaluation); an account is
    {account, name, salesforce_id, hubspot_id}.

    `rules`: those that are judged; of any other rule nothing is known. `conditions`: account -> rule -> per day true, false, the reason why unknown, or null when out of scope.
    `fires`: the alerts; `held`: the days on which one of growth is told to nobody. `undecidable`: the days on which nothing can be said. `planted`: every story with what should
    come of it. `churn`: the losses of the demo and the 120 days after. `tiers`: in force, on which days it changes, and
    what each CRM's field should hold at the end. `identity`: see `truth_identity`. `facts`: of the last
    evaluation, see `truth_facts`.
    """
    return {
        "stories": story_table(found.world),
        "days": found.world.days,
        "rules": sorted(RULES),
        "accounts": {key: _described(c) for key, c in _customers(found).items()},
        "conditions": _conditions(found),
        "fires": list(_fires(found)),
        "undecidable": list(_undecidable(found)),
        "planted": [_planted(found, story) for story in found.world.stories],
        "churn": list(_churn(found)),
        "tiers": list(_tiers(found)),
        "facts": list(_facts(found)),
        "identity": identity(found.book, found.book.day(found.world.days - 1)),
    }


def disagreements(found: Judgement) -> list[str]:
    """One sentence for every story of which the World says something else; none when all is well."""
    return [
        f"{s.rule} {s.account} {s.kind}: {wrong} ({s.why})" for s in found.world.stories if (wrong := doubt(found, s))
    ]


def doubt(found: Judgement, story: Story) -> str | None:
    """What is wrong with a story; None if it is as the World has it."""
    if story.kind == "former":
        return _doubt_former(found.book, story)
    said = [found.at(story.account, story.rule, day) for day in range(found.world.days)]
    fires = found.fires[story.account, story.rule]
    if story.kind == "decoy":
        return f"fires on day {fires[0].opened_day}" if fires else None
    first = story.first_day
    if first is None:
        return "has no first day"
    if story.kind == "unknown":
        known = [d for d in range(first, story.clear_day or found.world.days) if not isinstance(said[d], Unknown)]
        early = [d for d in range(first) if isinstance(said[d], Unknown)]
        return _days("is known on", known) or _days("is unknown already on", early)
    until = found.world.days if story.clear_day is None else story.clear_day
    wrong = [d for d in range(first, until) if said[d] is not True]
    early = [d for d in range(first) if said[d] is True]
    late = [d for d in range(until, found.world.days) if said[d] is True]
    return _days("is not true on", wrong) or _days("is true already on", early) or _days("is still true on", late)


def _doubt_former(book: Book, story: Story) -> str | None:
    assert story.first_day is not None
    assert story.clear_day is not None
    expected = {story.first_day - 1: False, story.first_day: True, story.clear_day - 1: True}
    for day, truth in expected.items():
        case = _case(book, story.account, day)
        said = None if case is None else RULES[story.rule].condition(case)
        if said is not truth:
            return f"is {said} on day {day}"
    return "is still a customer after the loss" if _case(book, story.account, story.clear_day + 1) else None


def _case(book: Book, account: str, day: int) -> Case | None:
    """One account among all on one day, without any tier; None: it is no customer then."""
    return next((case for case in cases(book, book.day(day), lambda _: None) if case.company.key == account), None)


def _days(what: str, days: list[int]) -> str | None:
    return f"{what} {', '.join(map(str, days))}" if days else None


def _customers(found: Judgement) -> dict[str, Company]:
    keys = dict.fromkeys(account for account, _ in found.outcomes)
    return {key: found.book.companies[key] for key in keys}


def _named(company: Company) -> dict[str, object]:
    return {
        "account": company.key,
        "name": company.name,
        "salesforce_id": company.salesforce_id,
        "hubspot_id": company.hubspot_id,
    }


def _described(company: Company) -> dict[str, object]:
    return {**_named(company), "segment": company.segment, "systems": list(company.systems)}


def _conditions(found: Judgement) -> dict[str, dict[str, list[bool | str | None]]]:
    told: dict[str, dict[str, list[bool | str | None]]] = {}
    for (account, rule), series in found.outcomes.items():
        told.setdefault(account, {})[rule] = [None if o is None else _word(o.truth) for o in series]
    return told


def _word(truth: Truth) -> bool | str:
    return truth.reason if isinstance(truth, Unknown) else truth


def _csm(found: Judgement, company: Company, day: int) -> object:
    as_of = found.book.day(day)
    return (company.csm.at(as_of) if company.csm_in != "none" else None) or company.owner.at(as_of)


def _fires(found: Judgement) -> Iterator[dict[str, object]]:
    for (account, rule), fires in found.fires.items():
        company = found.book.companies[account]
        for fire in fires:
            row = {**_named(company), "rule": rule, "csm": _csm(found, company, fire.opened_day), **asdict(fire)}
            held = (
                held_days(found.book, (account, rule), fire, found.outcomes, found.fires) if RULES[rule].growth else []
            )
            yield row | {"escalated": [list(step) for step in fire.escalated], "held": held}


def _undecidable(found: Judgement) -> Iterator[dict[str, object]]:
    for (account, rule), series in found.outcomes.items():
        by_reason: dict[str, list[int]] = {}
        for day, outcome in enumerate(series):
            if outcome is not None and isinstance(outcome.truth, Unknown):
                by_reason.setdefault(outcome.truth.reason, []).append(day)
        for reason, days in by_reason.items():
            yield {**_named(found.book.companies[account]), "rule": rule, "reason": reason, "days": days}


def _planted(found: Judgement, story: Story) -> dict[str, object]:
    """A story and what comes of it: is it to be caught, and when does its alert open and close."""
    fires = found.fires.get((story.account, story.rule), [])
    caught = bool(fires) and story.kind in ("fires", "clears")
    return {
        **_named(found.book.companies[story.account]),
        "rule": story.rule,
        "kind": story.kind,
        "why": story.why,
        "first_day": story.first_day,
        "clear_day": story.clear_day,
        "should_be_caught": caught,
        "opens_day": fires[0].opened_day if caught else None,
        "closes_day": fires[0].closed_day if caught else None,
        "severity": fires[0].severity if caught else None,
    }


def _churn(found: Judgement) -> Iterator[dict[str, object]]:
    """Customers of day 0 that are lost in the demo or within 120 days after it, and which alerts warn of it."""
    first = found.world.start // DAY
    for key, company in _customers(found).items():
        if company.churns_on is None or not 0 <= company.churns_on - first <= found.world.days + AFTER:
            continue
        lost = company.churns_on - first
        warnings = sorted(_warnings(found, key, lost), key=lambda w: (w[0], w[1]))
        yield {
            **_named(company),
            "day": lost,
            "date": iso(company.churns_on),
            "state": company.state,
            "warnings": [
                {"day": day, "rule": rule, "severity": severity, "lead_days": lost - day}
                for day, rule, severity in warnings
            ],
            "told_30_days_before": any(lost - d >= LEAD_DAYS and s in SAID_AT_ONCE for d, _, s in warnings),
            "in_digest_30_days_before": any(lost - d >= LEAD_DAYS for d, _, _ in warnings),
        }


def _warnings(found: Judgement, account: str, lost: int) -> Iterator[tuple[int, str, str]]:
    for name, rule in RULES.items():
        for fire in found.fires[account, name] if rule.churn else ():
            steps = ((fire.opened_day, fire.severity), *fire.escalated)
            yield from ((day, name, severity) for day, severity in steps if day <= lost)


def _tiers(found: Judgement) -> Iterator[dict[str, object]]:
    days = range(found.world.days)
    for key, company in _customers(found).items():
        inside = [d for d in days if found.outcomes[key, "lapsed"][d] is not None]
        force = [(d, found.tiers.in_force(company, d)) for d in inside]
        changes = [step for n, step in enumerate(force) if n == 0 or step[1] != force[n - 1][1]]
        yield {
            **_named(company),
            "in_force": [{"day": day, "tier": tier} for day, tier in changes],
            "pinned_days": [d for d in inside if _pinned(found, company, d)],
            "proposed": found.tiers.proposed[-1].get(key),
            "crm_end": crm_end(found.tiers, company, found.world.days),
        }


def _facts(found: Judgement) -> Iterator[dict[str, object]]:
    last = found.world.days - 1
    as_of = found.book.day(last)
    for case in cases(found.book, as_of, lambda company: found.tiers.in_force(company, last)):
        yield {**_named(case.company), "facts": facts(case)}


def _pinned(found: Judgement, company: Company, day: int) -> bool:
    return pinned(company, found.book.day(day)) is not None
