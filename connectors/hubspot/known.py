"""What the store has of a stream, in 16 bytes a row: sweeps compare a million rows with what the portal has."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator

from connectors.hubspot.streams import Stream
from connectors.known import Known

_MS = 1_000


class KnownRows:
    """Ids and stamps (milliseconds; 0: damaged) of the live rows of one stream, and which of them have been met."""

    def __init__(self, known: Known, stream: Stream, *, checked: bool = False) -> None:
        # The store gives ids in the order of their text: among those of one length, that is the order of their numbers.
        lengths: dict[int, tuple[array[int], array[int]]] = {}
        for row in known(stream.kind, stream.activity, checked=checked):
            if row.id.isdigit():
                ids, stamps = lengths.setdefault(len(row.id), (array("Q"), array("q")))
                ids.append(int(row.id))
                stamps.append(row.modified_at // _MS)
        self._ids, self._stamps = array("Q"), array("q")
        for length in sorted(lengths):
            ids, stamps = lengths.pop(length)
            self._ids.extend(ids)
            self._stamps.extend(stamps)
        self._met = bytearray(len(self._ids))

    def __len__(self) -> int:
        return len(self._ids)

    def stamp(self, ref: str) -> int | None:
        """The stamp that the store has for an id; None: it has no such live row."""
        found = self._find(ref)
        return None if found is None else self._stamps[found]

    def meet(self, ref: str) -> None:
        """The portal has this row."""
        found = self._find(ref)
        if found is not None:
            self._met[found] = 1

    def unmet(self) -> Iterator[str]:
        """Ids that the portal did not show."""
        return (str(self._ids[n]) for n in range(len(self._ids)) if not self._met[n])

    def ids(self) -> Iterator[str]:
        """All ids, in the order of their numbers."""
        return map(str, self._ids)

    def _find(self, ref: str) -> int | None:
        if not ref.isdigit():
            return None
        at = bisect_left(self._ids, int(ref))
        return at if at < len(self._ids) and self._ids[at] == int(ref) else None
