"""What became of a batch of rows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Saved:
    """What became of a batch."""

    seen: int
    changed: int
    deleted: int

    def __add__(self, other: Saved) -> Saved:
        return Saved(self.seen + other.seen, self.changed + other.changed, self.deleted + other.deleted)


NOTHING = Saved(0, 0, 0)
