"""Holes in the data, told once per source or owner: what is missing, of how many customers, and how to mend it.

Those of a source are the operators'. Those of a CSM's customers and of somebody's mail are in that person's digest.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row

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
_OWN: Mapping[str, str] = {
    kinds.NOT_CAPTURED: "your mail and calendar do not reach the CRM",
    kinds.NO_RENEWAL: "paying, and no usable renewal date",
    kinds.NO_LEVELS: "people of unknown level on file",
}
"""What is said to whom it is about."""
NOBODY = "without a CSM"


@dataclass(frozen=True, slots=True)
class Gap:
    """One hole: its `kind`, the source, person or CSM it is about, the customers concerned, and one of them."""

    kind: str
    about: str
    """A source, or a name; '' = nobody in particular."""
    owner: str | None
    """Member key of whom it is to mend; None: the operators hear of it."""
    count: int
    example: str | None
    key: str
    """The same while the hole is the same, however many customers it concerns."""
    own: bool = False
    """It is about its owner."""

    @property
    def sentence(self) -> str:
        """`product-usage is stale: 40 customers`."""
        return f"{_WORDS[self.kind][0].format(about=self.about or NOBODY)}: {self._customers}"

    @property
    def line(self) -> str:
        """The same to its owner: `your mail and calendar do not reach the CRM: 40 customers, for example Acme`."""
        said = f"{_OWN[self.kind]}: {self._customers}" if self.own else self.sentence
        return f"{said}, for example {self.example}" if self.example and self.count > 1 else said

    @property
    def _customers(self) -> str:
        customers = "1 customer" if self.count == 1 else f"{self.count:,} customers"
        return f"{customers} ({self.example})" if self.count == 1 and self.example else customers

    @property
    def remedy(self) -> str:
        """What mends it."""
        return _WORDS[self.kind][1]

    @property
    def mark(self) -> str:
        """Under which it is kept that its owner was told."""
        return f"{self.owner or ''}|{self.key}"


def find(connection: Connection, as_of: Instant, timezone: str) -> list[Gap]:
    """Every hole in the current facts, in the order of `KINDS`, then by whom it is about."""
    found = [_gap(connection, row) for row in connection.execute(gaps(as_of, timezone))]
    return sorted(found, key=lambda gap: (KINDS.index(gap.kind), gap.about, gap.mark))


def _gap(connection: Connection, row: Row[Any]) -> Gap:
    owner = row.owner or None
    own = owner is not None and (row.kind == kinds.NOT_CAPTURED or row.about == owner)
    about = _name(connection, row.kind, row.about)
    return Gap(row.kind, about, owner, row.customers, row.example, f"{row.kind}:{row.about}", own)


def _name(connection: Connection, kind: str, about: str) -> str:
    """A CSM by name where the row has a key."""
    if kind not in (kinds.NO_RENEWAL, kinds.NO_LEVELS):
        return about
    known = member(connection, about)
    return known.name if known else about


def untold(connection: Connection, found: Sequence[Gap]) -> list[Gap]:
    """Those of which their owner, or the operators, were not told."""
    told = _told(connection)
    return [gap for gap in found if gap.mark not in told]


def keep_told(connection: Connection, gaps_told: Iterable[Gap]) -> None:
    """Keep that these were told."""
    _keep(connection, _told(connection) | frozenset(gap.mark for gap in gaps_told))


def forget_mended(connection: Connection, found: Sequence[Gap]) -> None:
    """What is not there any more is told again when it comes back."""
    _keep(connection, _told(connection) & frozenset(gap.mark for gap in found))


def _told(connection: Connection) -> frozenset[str]:
    return frozenset(json.loads(rows.setting(connection, TOLD) or "[]"))


def _keep(connection: Connection, marks: frozenset[str]) -> None:
    if marks != _told(connection):
        rows.save_setting(connection, TOLD, json.dumps(sorted(marks)))


def tell(store: Store, policy: AlertPolicy, as_of: Instant) -> int:
    """Queue a note to the operators on the holes that are theirs and new since the last one; how many it names.

    One that was mended and comes back is told again.
    """
    with store.write() as connection:
        found = find(connection, as_of, policy.timezone)
        forget_mended(connection, found)
        fresh = untold(connection, [gap for gap in found if gap.owner is None])
        if fresh:
            keep_told(connection, fresh)
            note = message.operators(
                "New gaps in the data: facts that stand on them cannot be decided",
                "`tierd gaps` lists all of them, with the remedy of each",
                [gap.sentence for gap in fresh],
            )
            cause = ("gaps", as_of)
            row = operators_row(note, cause=cause, destination=policy.operators_channel, at=as_of)
            deliveries.enqueue(connection, [row])
    return len(fresh)
