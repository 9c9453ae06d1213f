"""Holes in the data, told once per source or owner: what is missing, of how many customers, and how to mend it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from alerts import message
from daemon.alerting.book import AlertPolicy
from daemon.alerting.outbox import operators_row
from rules.facts import gaps as kinds
from rules.facts.gaps import KINDS, gaps
from store import alerts as rows
from store import deliveries
from store.alertviews import member
from store.engine import Store
from store.records import Instant

TOLD = "gaps:told"
_WORDS: Mapping[str, tuple[str, str]] = {
    kinds.STALE: ("{about} is stale", "`tierd status` says since when and why"),
    kinds.NOT_CAPTURED: (
        "mail and calendar of {about} do not reach the CRM",
        "connect them, or log what was said by hand",
    ),
    kinds.NO_OWNER: ("no active CSM", "give them one; until then the lead hears of them"),
    kinds.NO_RENEWAL: ("{about}: paying, and no usable renewal date", "enter the date, or book the renewal"),
    kinds.NO_LEVELS: ("{about}: people of unknown level on file", "say who they are: a title is enough"),
    kinds.NO_USAGE: (
        "no usage is known",
        "connect a feed, or map the customers it does not know (`tierd usage unmatched`)",
    ),
    kinds.NO_TICKETS: ("{about} has no tickets at all", "map the object, or grant the permission, if there is support"),
}
NOBODY = "without a CSM"


@dataclass(frozen=True, slots=True)
class Gap:
    """One hole: its `kind`, the source, person or CSM it is about, the customers concerned, and one of them."""

    kind: str
    about: str
    """A source, or a name; '' = nobody in particular."""
    count: int
    example: str | None
    key: str
    """The same while the hole is the same, however many customers it concerns."""

    @property
    def sentence(self) -> str:
        """`product-usage is stale: 40 customers`."""
        customers = "1 customer" if self.count == 1 else f"{self.count:,} customers"
        named = f" ({self.example})" if self.count == 1 and self.example else ""
        return f"{_WORDS[self.kind][0].format(about=self.about or NOBODY)}: {customers}{named}"

    @property
    def remedy(self) -> str:
        """What mends it."""
        return _WORDS[self.kind][1]


def find(connection: Connection, as_of: Instant, timezone: str) -> list[Gap]:
    """Every hole in the current facts, in the order of `KINDS`, then by whom it is about."""
    found = [
        Gap(row.kind, _name(connection, row.kind, row.about), row.customers, row.example, f"{row.kind}:{row.about}")
        for row in connection.execute(gaps(as_of, timezone))
    ]
    return sorted(found, key=lambda gap: (KINDS.index(gap.kind), gap.about, gap.key))


def _name(connection: Connection, kind: str, about: str) -> str:
    """A CSM by name where the row has a key."""
    if kind not in (kinds.NO_RENEWAL, kinds.NO_LEVELS):
        return about
    known = member(connection, about)
    return known.name if known else about


def tell(store: Store, policy: AlertPolicy, as_of: Instant) -> int:
    """Queue a note to the operators on the holes that are new since the last one; how many it names.

    One that was mended and comes back is told again.
    """
    with store.write() as connection:
        found = find(connection, as_of, policy.timezone)
        before = set(json.loads(rows.setting(connection, TOLD) or "[]"))
        now = sorted(gap.key for gap in found)
        fresh = [gap for gap in found if gap.key not in before]
        if now != sorted(before):
            rows.save_setting(connection, TOLD, json.dumps(now))
        if fresh:
            note = message.operators(
                "New gaps in the data: facts that stand on them cannot be decided",
                "`tierd gaps` lists all of them, with the remedy of each",
                [gap.sentence for gap in fresh],
            )
            cause = ("gaps", as_of)
            row = operators_row(note, cause=cause, destination=policy.operators_channel, at=as_of)
            deliveries.enqueue(connection, [row])
    return len(fresh)
