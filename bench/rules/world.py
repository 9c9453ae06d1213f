"""A portfolio of any size, the same every time: rows of the derived tables, made account by account.

To extend it: add the table's columns to `COLUMNS` and a function to `_MAKERS` (or rows to one that is there). Every
maker draws from a generator of its own, so what it adds changes nothing of what the others make.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from store.records import DAY, HOUR, MINUTE, Instant

NOW: Instant = 20_500 * DAY + 6 * HOUR
"""The instant that is evaluated: 2026-02-16, 06:00 UTC."""
TODAY = 20_500
BEGUN: Instant = NOW - 1_500 * DAY
"""Since when everything is on record."""
BOOK = 40
"""Accounts of one CSM."""
CHUNK = 10_000
"""Accounts made at a time."""

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "sources": ("source", "kind", "interval_us", "first_synced_at"),
    "freshness": ("source", "stream", "fresh_at", "status"),
    "members": ("id", "key", "name", "email", "active"),
    "captures": ("member_id", "source", "activity_id", "occurred_at", "recorded_at"),
    "accounts": ("id", "key", "name", "created_at"),
    "crm_accounts": (
        "source", "id", "name", "person", "fields", "account_id", "evaluated_id", "created_at", "modified_at", "payload",
    ),
    "account_fields": (
        "account_id", "field", "recorded_at", "valid_from", "valid_to", "num", "text", "source", "history",
    ),
    "persons": ("id", "account_id", "key", "name", "email", "created_at", "deleted_at", "origin"),
    "person_levels": ("person_id", "valid_from", "recorded_at", "level", "function", "standing"),
    "touches": (
        "source", "activity_id", "person_id", "account_id", "kind", "inbound", "outbound", "starts_at", "occurred_at",
        "recorded_at", "withdrawn_at",
    ),
    "touch_members": ("source", "activity_id", "member_id"),
    "usage_samples": ("source", "key", "user", "metric", "at", "value", "recorded_at", "account_id"),
    "crm_opportunities": (
        "source", "id", "crm_account_id", "name", "type", "amount", "close_on", "closed", "won", "fields",
        "created_at", "modified_at", "payload",
    ),
    "crm_tickets": (
        "source", "id", "crm_account_id", "priority", "status", "opened_at", "closed_at", "created_at", "modified_at",
        "payload",
    ),
    "tier_history": ("account_id", "valid_from", "valid_to", "tier", "pinned"),
    "survey_answers": ("source", "id", "key", "user", "account_id", "kind", "value", "at", "recorded_at"),
}  # fmt: skip

Row = tuple[Any, ...]
Rows = defaultdict[str, list[Row]]

_FUNCTIONS = ("executive", "it", "engineering", "operations", "finance", "marketing", "sales", "product", "other")


@dataclass
class Chunk:
    """Some accounts, and what makers leave for those after them."""

    first: int
    ids: range
    rows: Rows = field(default_factory=lambda: defaultdict(list))
    persons: dict[int, Sequence[int]] = field(default_factory=dict)


def world(accounts: int) -> Iterator[Rows]:
    """The rows by table, in portions; every table's columns are those of `COLUMNS`, in order."""
    yield _ground(accounts)
    for first in range(1, accounts + 1, CHUNK):
        chunk = Chunk(first, range(first, min(first + CHUNK, accounts + 1)))
        for maker in _MAKERS:
            maker(chunk, Random(f"{maker.__name__}:{first}"))
        yield chunk.rows


def csm_of(account: int) -> int:
    """The id of the team member whose account it is."""
    return (account - 1) // BOOK + 1


def source_of(account: int) -> str:
    """Most accounts are in a CRM that is read; one in fifty in one that has not answered for days."""
    return "old" if account % 50 == 7 else "crm"


def _ground(accounts: int) -> Rows:
    rows: Rows = defaultdict(list)
    for name, kind in (("crm", "salesforce"), ("old", "salesforce"), ("usage", "usage")):
        rows["sources"].append((name, kind, HOUR, BEGUN))
    for stream in ("accounts", "contacts", "emails", "events", "opportunities", "tickets"):
        rows["freshness"].append(("crm", stream, NOW - HOUR, "ok"))
        rows["freshness"].append(("old", stream, NOW - 4 * DAY if stream == "emails" else NOW - HOUR, "ok"))
    rows["freshness"].append(("usage", "samples", NOW - HOUR, "ok"))
    r = Random("ground")
    for member in range(1, csm_of(accounts) + 1):
        key = f"m{member}@ours.example"
        rows["members"].append((member, key, f"Member {member}", key, 1))
        silent = 30 * DAY if member % 50 == 3 else 0  # nothing is captured of one in fifty
        for nth in range(16):
            at = NOW - silent - nth * 5 * DAY - int(r.random() * 3 * DAY)
            rows["captures"].append((member, "crm", f"c{member}-{nth}", at, at + MINUTE))
    return rows


def _accounts(chunk: Chunk, r: Random) -> None:
    for account in chunk.ids:
        source, ref = source_of(account), f"a{account:09}"
        chunk.rows["accounts"].append((account, f"{source}:{ref}", f"Account {account}", BEGUN))
        chunk.rows["crm_accounts"].append(
            (source, ref, f"Account {account}", 0, "{}", account, account, BEGUN, BEGUN, "")
        )
        chunk.rows["tier_history"].append((account, BEGUN, None, 1 + min(2, int(r.random() * 4)), 0))


def _fields(chunk: Chunk, r: Random) -> None:
    add = chunk.rows["account_fields"].append
    for account in chunk.ids:
        source = source_of(account)

        def number(name: str, value: int, account: int = account, source: str = source) -> None:
            add((account, name, BEGUN, BEGUN, None, value, None, source, "none"))

        number("customer", 1)
        if r.random() < 0.98:
            text = f"m{csm_of(account)}@ours.example"
            add((account, "csm", BEGUN, BEGUN, None, None, text, source, "none"))
        if r.random() < 0.95:
            now = int(2_000 + 300_000 * r.random() ** 6) * 100
            changed = NOW - 200 * DAY
            if account % 10 == 0:  # the ARR of some moved
                add((account, "arr", BEGUN, BEGUN, changed, now * 9 // 10, None, source, "crm"))
                add((account, "arr", changed, changed, None, now, None, source, "crm"))
            else:
                number("arr", now)
        if r.random() < 0.9:
            number("renewal", TODAY - 30 + int(r.random() * 700))
        if r.random() < 0.9:
            number("contract_start", TODAY - 30 - int(r.random() * 1_200))
        if r.random() < 0.85:
            number("seats", 5 + int(r.random() * 200))
        if r.random() < 0.5:
            number("potential", int(200_000 * r.random() ** 2) * 100)
            number("market_fit", int(r.random() * 10_001))


def _persons(chunk: Chunk, r: Random) -> None:
    add, levels = chunk.rows["persons"].append, chunk.rows["person_levels"].append
    for account in chunk.ids:
        here = range(account * 10, account * 10 + int(r.random() * 7))  # three on average
        chunk.persons[account] = here
        for person in here:
            since = BEGUN if r.random() < 0.98 else NOW - int(r.random() * 20 * DAY)
            gone = NOW - int(r.random() * 100 * DAY) if r.random() < 0.01 else None
            key = f"p{person}@customer.example"
            add((person, account, key, f"Person {person}", key, since, gone, "contact"))
            draw, function = r.random(), _FUNCTIONS[int(r.random() * len(_FUNCTIONS))]
            if draw < 0.35:
                levels((person, since, since, 3 + int(draw * 8), function, "exec"))
            elif draw < 0.96:
                levels((person, since, since, 1 + int(draw * 2), function, "user"))
            else:
                levels((person, since, since, None, function, "unclassified"))


def _touches(chunk: Chunk, r: Random) -> None:
    add, members = chunk.rows["touches"].append, chunk.rows["touch_members"].append
    random, nth = r.random, 0
    for account in chunk.ids:
        here, member = chunk.persons[account], csm_of(account)
        if not here:
            continue
        # Ten per account on average, of those with anybody on file; recent ones are more frequent.
        for _ in range(int(random() * 25)):
            ref = f"t{chunk.first:08}-{nth:07}"
            nth += 1
            person = here[int(random() * len(here))]
            way, late = random(), random()
            at = NOW - int(450 * DAY * random() ** 2)
            if way < 0.70:
                kind, starts, inbound, outbound = "email", at, int(way < 0.28), int(way >= 0.28)
            else:
                kind, starts, inbound, outbound = "call" if way < 0.85 else "meeting", at - HOUR, 1, 1
            logged = at + MINUTE if late < 0.9 else at + int((late - 0.9) * 300 * DAY)
            if way > 0.985:  # in the calendar
                starts = NOW + int(late * 40 * DAY)
                at, logged = starts + HOUR, NOW - int(late * 20 * DAY) - MINUTE
            withdrawn = at - HOUR if 0.98 < way < 0.983 else None
            add(("crm", ref, person, account, kind, inbound, outbound, starts, at, logged, withdrawn))
            members(("crm", ref, member))


def _usage(chunk: Chunk, r: Random) -> None:
    """Weekly samples of one account in five, two metrics."""
    add = chunk.rows["usage_samples"].append
    for account in chunk.ids:
        if account % 5:
            continue
        level, fall = 5 + r.random() * 90, 1.15 - 0.8 * r.random() ** 2
        for week in range(18):
            at = NOW - HOUR - week * 7 * DAY
            value = round(level * (fall if week < 4 else 1.0) * (0.9 + 0.2 * r.random()), 1)
            add(("usage", f"w{account}", "", "active_users", at, value, at, account))
            if week < 3:
                add(("usage", f"w{account}", "", "active_users_28d", at, value, at, account))


def _deals(chunk: Chunk, r: Random) -> None:
    add, nth = chunk.rows["crm_opportunities"].append, 0

    def deal(account: int, kind: str, close_on: int, closed: int, won: int, stamp: Instant) -> None:
        nonlocal nth
        nth += 1
        amount = int(1_000 + r.random() * 90_000) * 100
        row = (source_of(account), f"o{chunk.first:08}-{nth:06}", f"a{account:09}", "Deal", kind, amount, close_on)
        add((*row, closed, won, "{}", BEGUN, stamp, ""))

    for account in chunk.ids:
        if r.random() < 0.6:
            deal(account, "New Business", TODAY - 400 - int(r.random() * 800), 1, 1, BEGUN)
        if r.random() < 0.15:
            deal(account, "Renewal", TODAY - int(r.random() * 400), 1, 1, NOW - 300 * DAY)
        if r.random() < 0.1:
            deal(account, "Upsell", TODAY + int(r.random() * 100), 0, 0, NOW - 20 * DAY)


def _tickets(chunk: Chunk, r: Random) -> None:
    add, nth = chunk.rows["crm_tickets"].append, 0
    for account in chunk.ids:
        for _ in range(int(r.random() ** 2 * 2.5)):
            nth += 1
            opened = NOW - int(r.random() * 300 * DAY)
            closed = opened + int(r.random() * 20 * DAY) if r.random() < 0.9 else None
            priority = "urgent" if r.random() < 0.1 else "normal"
            ref = (source_of(account), f"s{chunk.first:08}-{nth:06}", f"a{account:09}")
            add((*ref, priority, "open" if closed is None else "closed", opened, closed, opened, opened, ""))


def _surveys(chunk: Chunk, r: Random) -> None:
    for account in chunk.ids:
        if r.random() < 0.1:
            at = NOW - int(r.random() * 300 * DAY)
            kind, value = ("nps", int(r.random() * 11)) if r.random() < 0.5 else ("csat", int(r.random() * 10_001))
            chunk.rows["survey_answers"].append(("survey", f"v{account}", "", "", account, kind, value, at, at))


_MAKERS: tuple[Callable[[Chunk, Random], None], ...] = (
    _accounts,
    _fields,
    _persons,
    _touches,
    _usage,
    _deals,
    _tickets,
    _surveys,
)
