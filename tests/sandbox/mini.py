"""Small hand-made worlds: one customer in good order, to which a test adds what it is about."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

from sandbox.world.generate import DEFAULT_START
from sandbox.world.model import Company, Dated, Deal, Happening, Person, Teammate, UsagePoint, World
from sandbox.world.truth import judge_day
from sandbox.world.truth_book import Book
from sandbox.world.truth_contact import Contact
from sandbox.world.truth_rules import Outcome
from sandbox.world.when import DAY, HOUR, MINUTE

START = DEFAULT_START
TODAY = START // DAY
LONG_AGO = START - 900 * DAY
CSM = "csm@tierd-demo.example"
SELLER = "seller@tierd-demo.example"
_numbers = count(1)


def ago(days: float) -> int:
    """The instant so many days before the first evaluation."""
    return START - round(days * DAY)


def dated(value: object, since: int = LONG_AGO) -> Dated:
    """A value that never changes."""
    return Dated(((since, value),))


def company(key: str = "a-1", **changed: object) -> Company:
    """A mid-market customer of three years that renews in 60 days."""
    base = Company(
        key=key,
        name=key.title(),
        domain=f"{key}.example",
        systems=("salesforce",),
        salesforce_id=f"001{key}",
        hubspot_id=None,
        linked_by=None,
        created_at=LONG_AGO,
        kind=dated("customer"),
        csm=dated(CSM),
        csm_in="field",
        owner=dated(SELLER),
        arr=dated(5_000_000),
        arr_in="field",
        renewal=dated(TODAY + 60),
        contract_start=TODAY - 1000,
        auto_renews=False,
        term_days=365,
        seats=100,
        potential=1_000_000,
        market_fit=50.0,
        strategic=False,
        segment="mid_market",
        workspace="ws",
        inherited_tier=None,
    )
    return replace(base, **changed)  # type: ignore[arg-type]


def person(key: str, level: str | None, **changed: object) -> Person:
    """A contact since long ago; `level` None and no flag = unclassified."""
    base = Person(
        key=f"{key}@a-1.example",
        account="a-1",
        name=key,
        email=f"{key}@a-1.example",
        title=level,
        level=level,
        function=None,
        product_user=False,
        on_file_at=LONG_AGO,
        salesforce_id=f"003{key}",
    )
    return replace(base, **changed)  # type: ignore[arg-type]


BOSS = person("boss", "vp")
USER = person("user", "individual")
STRANGER = person("stranger", None)


def happening(kind: str, days_ago: float, *persons: Person, **changed: object) -> Happening:
    """An activity of the CSM that ended so many days before the first evaluation and was logged at once.

    A call or a meeting lasts half an hour; a booked meeting is one with negative `days_ago` and its own `logged_at`.
    """
    end = ago(days_ago)
    base = Happening(
        key=f"h-{next(_numbers):06d}",
        account="a-1",
        kind=kind,
        direction=None if kind == "meeting" else "out",
        starts_at=end if kind == "email" else end - 30 * MINUTE,
        ends_at=end,
        logged_at=end,
        persons=tuple(p.key for p in persons),
        teammates=(CSM,),
        systems=("salesforce",),
        status=dated("done"),
        disposition="connected" if kind == "call" else None,
    )
    return replace(base, **changed)  # type: ignore[arg-type]


def booked(days_ahead: float, *persons: Person, **changed: object) -> Happening:
    """A meeting that ends so many days after the first evaluation and was booked 20 days before it."""
    return happening("meeting", -days_ahead, *persons, **{"logged_at": ago(20), "status": dated(""), **changed})


def elsewhere(days_ago: float, who: str = CSM, account: str = "a-9") -> Happening:
    """A mail of ours that is no touch of anybody, by which one sees that the mailbox is captured."""
    return happening("email", days_ago, account=account, teammates=(who,))


def deal(stage: str, closed_ago: float, kind: str = "Renewal") -> Deal:
    """A deal that got its stage at 14:00 of the day so many days before day 0; open ones close on that day."""
    day = TODAY - round(closed_ago)
    at = day * DAY + 14 * HOUR
    stages: tuple[tuple[int, object], ...] = ((LONG_AGO, "Negotiation"),)
    if stage != "Negotiation":
        stages = (*stages, (at, stage))
    return Deal(f"d-{next(_numbers):05d}", "a-1", "deal", kind, 1, dated(day), Dated(stages), LONG_AGO, ("salesforce",))


def usage(levels: list[int], *, share: float = 0.5, seats: int = 100, account: str = "a-1") -> tuple[UsagePoint, ...]:
    """One sample a day; the last of `levels` is that of day 0. `share`: active in 28 days over `seats`."""
    first = TODAY - len(levels) + 1
    return tuple(
        UsagePoint(account, day, day * DAY + 5 * HOUR, level, round(seats * share))
        for day, level in enumerate(levels, first)
    )


def world(
    *happenings: Happening,
    companies: tuple[Company, ...] | None = None,
    persons: tuple[Person, ...] = (BOSS, USER),
    deals: tuple[Deal, ...] = (),
    samples: tuple[UsagePoint, ...] = (),
    captured: bool = True,
    days: int = 1,
) -> World:
    """A world of a few records; besides the customer there is a prospect, "a-9", unless a test says what companies.

    `captured`: the CSM writes a mail to the last of them every day.
    """
    known = companies or (company(), company("a-9", kind=dated("prospect")))
    mails = tuple(elsewhere(n + 0.5, account=known[-1].key) for n in range(-days, 100)) if captured else ()
    return World(
        seed=0,
        start=START,
        days=days,
        history_days=900,
        teammates=(Teammate(CSM, "CSM", "csm", None, captured), Teammate(SELLER, "Seller", "sales", None, True)),
        companies=known,
        persons=persons,
        happenings=(*happenings, *mails),
        deals=deals,
        tickets=(),
        usage=samples,
        stories=(),
        mess=(),
    )


def said(a_world: World, rule: str, day: int = 0) -> Outcome:
    """What a rule says of the customer on a day."""
    return judge_day(Book(a_world), day)["a-1"][rule]


def contact(a_world: World, day: int = 0) -> Contact:
    """The customer's people and touches on a day."""
    book = Book(a_world)
    return Contact(book, book.companies["a-1"], book.day(day))
