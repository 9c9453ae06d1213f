"""The facts behind the rules as they should stand at one evaluation: contact and its capture, people, relationships, money, use, tier."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from sandbox.world.truth_book import standing
from sandbox.world.truth_case import Case
from sandbox.world.truth_contact import NOT_CAPTURED, ROLES, STRONG, WEAK, Contact
from sandbox.world.truth_logic import Unknown

DIGITS = 1_000_000_000
"""Ratios are told to nine digits, rounded half up."""


def facts(case: Case) -> dict[str, object]:
    """Fact -> value, None where it is missing or has never been. Instants are microseconds, dates days, money cents.

    Left out is what cannot be said: numbers that stand on touches with people whose silence nobody would see.
    """
    return dict(_facts(case))


def _facts(case: Case) -> Iterator[tuple[str, object]]:
    contact = case.contact
    yield "last_contact", contact.last()
    yield "unclassified_contacts", len(_people(contact, "unclassified"))
    yield "covered", contact.covered("any")
    for role in ROLES:
        yield f"covered_{role}", contact.covered(role)
        yield f"last_{role}_contact", _last(contact, role)
        yield f"{role}_contacts", len(_people(contact, role))
        for kind, least in (("strong_", STRONG), ("", WEAK)) if contact.covered(role) else ():
            yield f"{kind}{role}_relationships", _related(contact, role, least)
            yield f"{kind}{role}_relationships_u", _related(contact, "unclassified", least)
    yield "arr", case.company.arr.at(case.as_of)
    yield "segment", _known(case.segment())
    yield "renewal", _known(case.contract.renewal())
    yield "adoption", _ratio(case.adoption)
    yield "adoption_change", _ratio(case.change)
    yield "tier", case.tier
    yield "response_time", _known(case.response_time)
    yield "ltv", _known(case.ltv)
    yield "open_expansion", int(case.open_expansion)
    yield "newest_offering", case.newest_offering
    yield "nps", case.nps
    yield "last_survey_answer", case.last_answer
    for place, name in enumerate(("open_tickets", "urgent_tickets")):
        yield name, None if isinstance(case.tickets, Unknown) else case.tickets[place]
    yield "health", _known(case.health)
    yield from _where_captured(case)


def _where_captured(case: Case) -> Iterator[tuple[str, object]]:
    found: dict[str, object] = {
        "relationship": case.contact.relationship(),
        "awaiting_reply": case.awaiting_reply,
        "unanswered_outreach": case.unanswered_outreach,
        "champions_lost": case.champions_lost,
        "load": case.load,
        "load_per_arr": case.load_per_arr,
        "newest_offering_shown": _flag(case.newest_offering_shown),
    }
    for name, value in found.items():
        if value != NOT_CAPTURED:
            yield name, _ratio(value) if isinstance(value, Fraction) else _known(value)


def _people(contact: Contact, role: str) -> list[str]:
    return [p.key for p in contact.persons if standing(p, contact.as_of) == role]


def _last(contact: Contact, role: str) -> int | None:
    with_role = (t for t in contact.touches if any(standing(p, contact.as_of) == role for p in t.persons))
    return max((t.at for t in with_role), default=None)


def _related(contact: Contact, role: str, least: float) -> int:
    return sum(contact.strengths[key] >= least for key in _people(contact, role))


def _flag(value: bool | Unknown) -> int | Unknown:
    return value if isinstance(value, Unknown) else int(value)


def _known(value: object) -> object:
    return None if isinstance(value, Unknown) else value


def _ratio(value: Fraction | Unknown) -> float | None:
    if isinstance(value, Unknown):
        return None
    return (value * DIGITS + Fraction(1, 2)).__floor__() / DIGITS
