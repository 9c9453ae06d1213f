"""The planted stories as a table for people and machines: what should happen where, when and why."""

from __future__ import annotations

from sandbox.world.model import Company, Story, World
from sandbox.world.usage import iso
from sandbox.world.when import DAY

HOLDS_FOR = {"single-threaded": 7, "lapsed": 7}
"""Days for which a rule's condition must hold before it fires."""


def story_table(world: World) -> list[dict[str, object]]:
    """One row per story, ready for JSON: rule, account and its names in the CRMs, kind, why, days and dates.

    `first_day` and `clear_day` count from the first evaluation (0); `opens_day` is the day on which the alert opens when
    the rule's `for` is over, None where nothing is to be told.
    """
    companies = {c.key: c for c in world.companies}
    return [_row(world, story, companies[story.account]) for story in world.stories]


def _row(world: World, story: Story, company: Company) -> dict[str, object]:
    opens = None
    if story.kind in ("fires", "clears", "former") and story.first_day is not None:
        opens = story.first_day + HOLDS_FOR.get(story.rule, 0)
    return {
        "rule": story.rule,
        "kind": story.kind,
        "why": story.why,
        "account": story.account,
        "name": company.name,
        "salesforce_id": company.salesforce_id,
        "hubspot_id": company.hubspot_id,
        "csm": company.csm.at(world.start) or company.owner.at(world.start),
        "segment": company.segment,
        "first_day": story.first_day,
        "first_date": _date(world, story.first_day),
        "opens_day": opens,
        "opens_date": _date(world, opens),
        "clear_day": story.clear_day,
        "clear_date": _date(world, story.clear_day),
        "churns_on": None if company.churns_on is None else iso(company.churns_on),
    }


def _date(world: World, day: int | None) -> str | None:
    return None if day is None else iso(world.start // DAY + day)
