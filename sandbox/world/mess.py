"""Measures how untidy the world is, so that the demo can print it before it begins."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import accumulate

from sandbox.world.model import Company, Happening, World
from sandbox.world.when import DAY

LATE = 10 * DAY
OUTDATED_DAYS = 30


def measure(world: World) -> World:
    """The same world with its shares of mess filled in: (what, 0..1)."""
    return replace(world, mess=tuple(_shares(world)))


def share(items: Iterable[bool]) -> float:
    """How many of the items are true, 0 for none."""
    found = list(items)
    return sum(found) / len(found) if found else 0.0


def customers(world: World) -> list[Company]:
    """The accounts that are customers when the demo begins."""
    return [c for c in world.companies if c.kind.at(world.start) == "customer"]


def _shares(world: World) -> list[tuple[str, float]]:
    inside = customers(world)
    keys = {c.key for c in inside}
    persons = [p for p in world.persons if p.account in keys and not p.role_address]
    contacts = [p for p in persons if p.registered]
    untitled = [p for p in contacts if p.title is None and not p.product_user]
    done = [h for h in world.happenings if h.kind in ("email", "call", "meeting")]
    meetings = [h for h in done if h.kind == "meeting" and h.ends_at < world.start]
    parents = {c.parent for c in world.companies if c.parent}
    strange = {p.account for p in persons if not p.registered}
    shared = {key for p in world.persons for key in p.also_at}
    with_people = {p.account for p in world.persons}
    peopled = {c.parent for c in world.companies if c.parent and c.key in with_people}
    return [
        ("accounts that are not customers", 1 - len(inside) / len(world.companies)),
        ("contacts of customers without a title", share(p.title is None for p in contacts)),
        ("contacts of customers of unknown standing", share(p.title is None and not p.product_user for p in contacts)),
        ("customers without a usable renewal date", share(not has_usable_renewal(world, c) for c in inside)),
        *((f"customers whose CSM is in: {place}", share(c.csm_in == place for c in inside)) for place in _PLACES),
        ("customers whose ARR is on deals", share(c.arr_in in ("deals", "items") for c in inside)),
        ("  of them on line items", share(c.arr_in == "items" for c in inside if c.arr_in != "field")),
        ("accounts in hierarchies", share(c.parent is not None or c.key in parents for c in world.companies)),
        ("customers in hierarchies", share(c.parent is not None or c.key in parents for c in inside)),
        ("customers with people at subsidiaries", share(c.key in peopled for c in inside)),
        ("customers whom somebody in no CRM writes", share(c.key in strange for c in inside)),
        ("contacts of unknown standing with a role in a deal", share(p.role is not None for p in untitled)),
        ("customers with a contact of another account", share(c.key in shared for c in inside)),
        ("customers whose CRMs contradict each other", share(bool(c.hubspot_differs) for c in inside)),
        ("customers in both CRMs", share(len(c.systems) == 2 for c in inside)),
        ("teammates whose mailbox is not captured", share(not t.captured for t in world.teammates)),
        ("activities logged 10 to 45 days late", share(h.logged_at - h.ends_at >= LATE for h in done)),
        ("activities logged in both CRMs", share(len(h.systems) == 2 for h in done)),
        ("meetings held without an outcome", share(h.status.at(world.start) == "" for h in meetings)),
        ("calls without a disposition", share(h.disposition is None for h in done if h.kind == "call")),
        ("activities that are no touch", share(is_noise(h) for h in world.happenings)),
        ("customers with a tier from years ago", share(c.inherited_tier is not None for c in inside)),
        ("customers that make 80 % of the revenue", concentration(world, 0.8)),
    ]


_PLACES = ("field", "team", "property", "none")


def has_usable_renewal(world: World, company: Company) -> bool:
    """Is there a date at the start that is not more than 30 days past."""
    day = company.renewal.at(world.start)
    return isinstance(day, int) and day >= world.start // DAY - OUTDATED_DAYS


def is_noise(happening: Happening) -> bool:
    """Can it never be a touch: automatic, a note or task, nobody reached, nobody from outside, called off."""
    if happening.kind in ("note", "task") or happening.automatic or not happening.persons:
        return True
    if happening.kind == "call":
        return happening.disposition in ("no_answer", "left_voicemail")
    return bool(happening.status.changes) and happening.status.changes[-1][1] in ("cancelled", "no_show")


def concentration(world: World, part: float) -> float:
    """The smallest share of customers that makes `part` of the ARR."""
    amounts = sorted((v for c in customers(world) if isinstance(v := c.arr.at(world.start), int)), reverse=True)
    total = sum(amounts)
    needed = next((n for n, running in enumerate(accumulate(amounts), 1) if running >= part * total), 0)
    return needed / len(amounts) if amounts else 0.0
