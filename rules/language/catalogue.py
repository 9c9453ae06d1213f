"""The fact catalogue: what an author may name, with column, type, unit and range; the grammar and the checks follow it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType


class Kind(StrEnum):
    """The type of a fact: it decides which phrases are legal and how a value is shown."""

    EVENT = "event"
    """Instant of the latest one; `never` is a known absence."""
    BOOKING = "booking"
    """Instant of the earliest one to come."""
    DATE = "date"
    FLAG = "flag"
    MONEY = "money"
    COUNT = "count"
    RATIO = "ratio"
    POINTS = "points"
    """A difference of two ratios, 0.1 = 10 percentage points."""
    SCORE = "score"
    DAYS = "number of days"
    HOURS = "number of hours"
    NUMBER = "number"
    """A plain number that is no count."""
    CHOICE = "choice"
    TEXT = "text"
    SET = "set"


NUMBERS = frozenset({Kind.MONEY, Kind.COUNT, Kind.RATIO, Kind.POINTS, Kind.SCORE, Kind.DAYS, Kind.HOURS, Kind.NUMBER})


@dataclass(frozen=True, slots=True)
class Fact:
    """One entry. `name` is what an author writes, `column` where store.tables.facts keeps it (`<column>_state` beside it)."""

    name: str
    kind: Kind
    label: str = ""
    unit: str = ""
    low: float = -math.inf
    high: float = math.inf
    choices: tuple[str, ...] = ()
    synonyms: tuple[str, ...] = ()
    event: str = ""
    """What happens (`exec contact` of `last exec contact`); empty for other kinds."""
    role: str = ""
    """exec | user | any: whom the event is with; empty where it is with nobody, and recorded or not."""
    unclassified: str = ""
    """Column of the same event with persons of unknown level: it may hide the event."""
    interval: bool = False
    """A count by level: `<column>_u` more may belong to it."""
    partial: bool = False
    """Only ever too low while activity is stale or not captured, so a value kept beside that state still bounds it."""
    column: str = field(init=False, compare=False, repr=False)
    """Column name in store.tables.facts."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "column", self.name.replace(" ", "_"))

    @property
    def shown(self) -> str:
        """How people read it."""
        return self.label or self.name

    @property
    def is_number(self) -> bool:
        """True when it can be compared with a number."""
        return self.kind in NUMBERS


def _events() -> list[Fact]:
    found = []
    for what, hidden in (("contact", "last_unclassified_contact"), ("reply", "last_unclassified_reply")):
        for role in ("any", "exec", "user"):
            event = what if role == "any" else f"{role} {what}"
            synonyms = (f"executive {what}",) if role == "exec" else ()
            found.append(
                Fact(
                    f"last {event}",
                    Kind.EVENT,
                    event=event,
                    role=role,
                    synonyms=synonyms,
                    unclassified="" if role == "any" else hidden,
                )
            )
    found.append(Fact("last meeting", Kind.EVENT, event="meeting", role="any"))
    for role in ("any", "exec", "user"):
        event = "meeting" if role == "any" else f"{role} meeting"
        found.append(Fact(f"next {event}", Kind.BOOKING, event=event, role=role))
    return found


def _counts() -> list[Fact]:
    plain = [
        Fact("seats", Kind.COUNT, unit="seats", low=0),
        Fact("active users", Kind.COUNT, unit="users", low=0),
        Fact("team size", Kind.COUNT, unit="persons", low=0),
        Fact("tier", Kind.COUNT, low=1, high=9),
        Fact("open tickets", Kind.COUNT, unit="tickets", low=0),
        Fact("urgent tickets", Kind.COUNT, unit="tickets", low=0),
        Fact("tickets 90d", Kind.COUNT, unit="tickets", low=0),
        Fact("unanswered outreach", Kind.COUNT, unit="e-mails", low=0),
        Fact("champions lost", Kind.COUNT, unit="persons", low=0),
        Fact("features adopted", Kind.COUNT, unit="features", low=0),
        Fact("features offered", Kind.COUNT, unit="features", low=0),
        Fact("unclassified contacts", Kind.COUNT, unit="persons", low=0),
        Fact("load", Kind.COUNT, low=0),
    ]
    touches = [
        Fact(name, Kind.COUNT, unit="touches", low=0, partial=True)
        for name in ("touches 30d", "touches 90d", "inbound 90d", "meetings 90d")
    ]
    by_level = [
        Fact(name, Kind.COUNT, unit="persons", low=0, interval=True, synonyms=synonyms)
        for name, synonyms in (
            ("exec contacts", ("execs on file",)),
            ("user contacts", ("users on file",)),
            ("strong exec relationships", ()),
            ("strong user relationships", ()),
            ("exec relationships", ()),
            ("user relationships", ()),
        )
    ]
    return plain + touches + by_level


def _others() -> list[Fact]:
    return [
        Fact("contract start", Kind.DATE),
        Fact("renewal", Kind.DATE, synonyms=("renewal date",)),
        Fact("strategic", Kind.FLAG),
        Fact("auto renews", Kind.FLAG),
        Fact("rolling", Kind.FLAG),
        Fact("renewed", Kind.FLAG),
        Fact("tier pinned", Kind.FLAG),
        Fact("arr", Kind.MONEY, "ARR", low=0),
        Fact("potential", Kind.MONEY, low=0),
        Fact("ltv", Kind.MONEY, "LTV", low=0, synonyms=("lifetime value",)),
        Fact("adoption", Kind.RATIO, low=0),
        Fact("adoption change", Kind.RATIO, low=-1),
        Fact("adoption change vs portfolio", Kind.POINTS),
        Fact("arr growth", Kind.RATIO, "ARR growth", low=-1),
        Fact("relationship", Kind.SCORE, low=0, high=100),
        Fact("market fit", Kind.SCORE, low=0, high=100),
        Fact("cadence", Kind.DAYS, unit="days", low=0),
        Fact("touch due in", Kind.DAYS, unit="days", partial=True),
        Fact("health", Kind.SCORE, low=0, high=100),
        Fact("health change 30d", Kind.NUMBER, unit="points", low=-100, high=100),
        Fact("value at risk", Kind.MONEY, low=0),
        Fact("whitespace", Kind.MONEY, low=0),
        Fact("nps", Kind.NUMBER, "NPS", low=0, high=10),
        Fact("pulse", Kind.NUMBER, low=-2, high=2),
        Fact("csat", Kind.RATIO, "CSAT", low=0, high=1),
        Fact("usage trend", Kind.RATIO),
        Fact("load per arr", Kind.NUMBER, "load per ARR", low=0),
        Fact("awaiting reply", Kind.HOURS, unit="hours", low=0),
        Fact("response time", Kind.HOURS, unit="hours", low=0),
        Fact("newest offering", Kind.DATE),
        Fact("newest offering shown", Kind.FLAG),
        Fact("open expansion", Kind.FLAG),
        Fact("name", Kind.TEXT, synonyms=("account name",)),
        Fact("segment", Kind.CHOICE, choices=("enterprise", "mid_market", "smb")),
        Fact("csm", Kind.TEXT, "CSM"),
        Fact("lifecycle", Kind.CHOICE, choices=("onboarding", "live", "renewing", "churned")),
        Fact("usage frequency", Kind.CHOICE, choices=("daily", "weekly", "occasional", "inactive")),
    ]


def _recorded() -> list[Fact]:
    """What somebody records by hand or by a button: never known before the first record, so no steps of silence."""
    return [
        Fact("last survey answer", Kind.EVENT, event="survey answered"),
        Fact("last feedback ask", Kind.EVENT, event="feedback asked"),
        Fact("last reference ask", Kind.EVENT, event="reference asked"),
        Fact("last tier review", Kind.EVENT, event="tier review"),
    ]


FACTS: tuple[Fact, ...] = (*_events(), *_counts(), *_others(), *_recorded())


def _index() -> tuple[Mapping[str, Fact], Mapping[str, Fact]]:
    names: dict[str, Fact] = {}
    happenings: dict[str, Fact] = {}
    for fact in FACTS:
        for word in (fact.name, *fact.synonyms):
            # `executive contact` names what happens, not the instant.
            (happenings if fact.kind is Kind.EVENT and word != fact.name else names)[word] = fact
        if fact.kind is Kind.EVENT:
            happenings[fact.event] = fact
    return MappingProxyType(names), MappingProxyType(happenings)


BY_NAME, BY_EVENT = _index()
BY_BOOKING: Mapping[str, Fact] = MappingProxyType({f.event: f for f in FACTS if f.kind is Kind.BOOKING})
BY_COLUMN: Mapping[str, Fact] = MappingProxyType({f.column: f for f in FACTS})
WORDS: tuple[str, ...] = tuple(sorted({*BY_NAME, *BY_EVENT, *BY_BOOKING}, key=lambda word: (-len(word), word)))
"""Every name an author may write, longest first: the grammar's FACT alternatives."""


def role_columns(role: str) -> tuple[str | None, str]:
    """Columns of how many persons of that role are on file (None for any) and since when the first of them is."""
    return (None if role == "any" else f"{role}_contacts", f"{role}_since")


def coverage_column(role: str) -> str:  # noqa: ARG001 - one column for all roles, until each has its own
    """The column that says who of ours is not captured, as far as silence with this role can be told."""
    return "not_covered"


def booking_with(role: str) -> Fact:
    """The booked meeting with that role."""
    return BY_BOOKING["meeting" if role == "any" else f"{role} meeting"]


def booking_of(fact: Fact) -> Fact | None:
    """The booked meeting that breaks silence of this event: with the same role; None for what is with nobody."""
    return booking_with(fact.role) if fact.role else None


_DESCRIBED = {
    Kind.MONEY: "an amount of money",
    Kind.FLAG: "a yes or no",
    Kind.EVENT: "an event",
    Kind.CHOICE: "one of a few values",
}


def described(fact: Fact) -> str:
    """What kind of fact it is, with its article: `a count`, `an amount of money`."""
    return _DESCRIBED.get(fact.kind, f"a {fact.kind}")


def example(fact: Fact) -> str:
    """A phrase that suits the fact's type: what an error proposes instead."""
    name = fact.name
    match fact.kind:
        case Kind.EVENT:
            return f"no {fact.event} in 15 days"
        case Kind.BOOKING:
            return f"no {fact.event} is booked"
        case Kind.DATE:
            return f"{name} is within the next 90 days"
        case Kind.FLAG:
            return f"not {name}"
        case Kind.CHOICE:
            return f"{name} is one of {fact.choices[0]}, {fact.choices[1]}".replace("_", " ")
        case Kind.TEXT:
            return f'{name} is "..."'
    values = {
        Kind.RATIO: "80%",
        Kind.POINTS: "-10 points",
        Kind.MONEY: "50k",
        Kind.DAYS: "2 days",
        Kind.HOURS: "24 hours",
        Kind.SCORE: "60",
    }
    return f"{name} {'are' if fact.kind is Kind.COUNT and name.endswith('s') else 'is'} at least {values.get(fact.kind, '2')}"
