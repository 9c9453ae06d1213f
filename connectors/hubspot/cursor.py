"""Where a stream stands: what is kept with its rows, so that any kill goes on from there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class Cursor:
    """All instants are milliseconds of the vendor's clock, as HubSpot stamps them."""

    at: int = 0
    """Newest stamp up to which every row has been seen."""
    tail: dict[str, int] = field(default_factory=dict)
    """Id -> stamp of the rows in the overlap, so that reaching back costs no second look at what has not changed."""
    looked: int = 0
    """When the last search began that gave more than a page: what is older was visible then, or comes with the delayed
    pass. It is kept only where reaching back from `at` would cost further pages.
    """
    after: str | None = None
    """The next page of a list that is being read."""
    began: int = 0
    """When that list was begun."""
    count: int = 0
    """How many rows it has given so far."""
    listed: bool = False
    """The first list has been read to its end."""
    tries: int = 0
    """How often it came out short."""
    ask_again: int = 0
    """The token lacks a scope for this object: not asked before then."""
    lacks: str = ""
    """Which one."""
    zone: str = ""
    """The portal's time zone (owners only)."""
    pinned: str = ""
    """The portal that was found to be the pinned one, and for which credentials (a short hash)."""
    fields: list[str] = field(default_factory=list)
    """Properties whose past has been read (history only)."""
    reading: list[str] = field(default_factory=list)
    """Those whose past is being read."""

    def text(self) -> str:
        """As it is stored: equal text means that nothing moved."""
        kept = {name: value for name in self.__slots__ if (value := getattr(self, name))}
        return json.dumps(kept, sort_keys=True)


TAIL = 1_000
"""How many recent rows a cursor remembers."""


def latest(seen: Mapping[str, int], since: int, most: int = TAIL) -> dict[str, int]:
    """The newest rows (id -> stamp) that are not older than `since`."""
    recent = sorted(((at, ref) for ref, at in seen.items() if at >= since), reverse=True)[:most]
    return {ref: at for at, ref in recent}


def load(text: str | None) -> Cursor:
    """A stored cursor; a new one where there is none."""
    return Cursor(**json.loads(text)) if text else Cursor()
