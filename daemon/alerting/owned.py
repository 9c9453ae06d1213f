"""What the data lack and what is to be taken over, as far as it is one owner's: lines of his or her digest, told once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from alerts.handover import HandOverLine, line_of
from alerts.view import DigestNote
from alerts.words import day_of
from daemon.alerting import gaps
from daemon.alerting.gaps import Gap
from rules.facts import hand_overs
from store import roster
from store.records import Instant

GAPS, TAKE_OVER = "Gaps in the data", "Relationships to take over"
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Owned:
    """What one owner was not told yet."""

    holes: Sequence[Gap] = ()
    to_take_over: Sequence[Row] = ()
    timezone: str = "UTC"

    def __bool__(self) -> bool:
        """There is something."""
        return bool(self.holes or self.to_take_over)

    @property
    def notes(self) -> list[tuple[str, Sequence[DigestNote], str]]:
        """Sections of the digest: heading, lines, and where those are that it has no room for."""
        pairs = [DigestNote(line_of(_pair(row, self.timezone))) for row in self.to_take_over]
        holes = [DigestNote(gap.line, gap.remedy) for gap in self.holes]
        found = [
            (TAKE_OVER, pairs, "`tierd people handover` lists them all"),
            (GAPS, holes, "`tierd gaps` lists them all"),
        ]
        return [(heading, lines, more) for heading, lines, more in found if lines]

    def keep_told(self, connection: Connection, at: Instant) -> None:
        """Keep that the owner was told."""
        gaps.keep_told(connection, self.holes)
        roster.told(connection, self.to_take_over, at)


@dataclass
class _Pile:
    holes: list[Gap] = field(default_factory=list)
    pairs: list[Row] = field(default_factory=list)


def owned(connection: Connection, at: Instant, timezone: str) -> dict[str, Owned]:
    """What is to be told, by the member key of its owner."""
    piles: dict[str, _Pile] = {}
    for gap in gaps.untold(connection, gaps.find(connection, at, timezone)):
        if gap.owner is not None:
            piles.setdefault(gap.owner, _Pile()).holes.append(gap)
    for row in roster.rows(connection, hand_overs(at, untold=True)):
        if row["recipient"] is not None:
            piles.setdefault(row["recipient"], _Pile()).pairs.append(row)
    return {
        owner: Owned(pile.holes, sorted(pile.pairs, key=lambda row: -row["strength"]), timezone)
        for owner, pile in piles.items()
    }


def _pair(row: Row, timezone: str) -> HandOverLine:
    touched = day_of(row["last_contact"], timezone)
    return HandOverLine(
        row["account"], None, row["person"], row["strength"], touched, held_by=row["member"], left=row["since"] == 0
    )
