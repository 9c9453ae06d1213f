"""Keys in order that grow, shrink, are counted and walked from anywhere, without sorting or scanning them all."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from typing import Any

_BLOCK = 1_024
"""A block is halved once it has twice as many keys."""

Key = tuple[Any, ...]


class SortedKeys:
    """A set of tuples in their order. A bound may be a shorter tuple: `(5,)` stands before every `(5, ...)`.

    Adding, taking out and counting cost about the square root of the size; walking costs what is walked.
    Do not change it while you walk it.
    """

    def __init__(self, keys: Iterable[Key] = ()) -> None:
        ordered = sorted(set(keys))
        self._blocks = [ordered[n : n + _BLOCK] for n in range(0, len(ordered), _BLOCK)]
        self._lasts = [block[-1] for block in self._blocks]
        self._size = len(ordered)

    def __len__(self) -> int:
        return self._size

    def __contains__(self, key: Key) -> bool:
        block, at = self._find(key)
        return block < len(self._blocks) and at < len(self._blocks[block]) and self._blocks[block][at] == key

    def add(self, key: Key) -> None:
        """Put a key in; one that is there stays once."""
        if not self._blocks:
            self._blocks, self._lasts, self._size = [[key]], [key], 1
            return
        index = min(bisect_left(self._lasts, key), len(self._blocks) - 1)
        block = self._blocks[index]
        at = bisect_left(block, key)
        if at < len(block) and block[at] == key:
            return
        insort(block, key)
        self._size += 1
        self._lasts[index] = block[-1]
        if len(block) >= 2 * _BLOCK:
            # A block that only grows at its end stays full; one that grows inside is halved.
            cut = len(block) - 1 if at == len(block) - 1 else _BLOCK
            self._blocks[index : index + 1] = [block[:cut], block[cut:]]
            self._lasts[index : index + 1] = [block[cut - 1], block[-1]]

    def discard(self, key: Key) -> None:
        """Take a key out, if it is there."""
        index, at = self._find(key)
        if index == len(self._blocks) or self._blocks[index][at] != key:
            return
        block = self._blocks[index]
        del block[at]
        self._size -= 1
        if block:
            self._lasts[index] = block[-1]
        else:
            del self._blocks[index], self._lasts[index]

    def walk(self, since: Key | None = None, until: Key | None = None) -> Iterator[Key]:
        """Keys with since <= key < until, in order."""
        index, at = (0, 0) if since is None else self._find(since)
        while index < len(self._blocks):
            block = self._blocks[index]
            if until is not None and not self._lasts[index] < until:
                yield from block[at : bisect_left(block, until)]
                return
            yield from block[at:] if at else block
            index, at = index + 1, 0

    def walk_back(self, since: Key | None = None, until: Key | None = None) -> Iterator[Key]:
        """The same keys, last one first."""
        for index in range(len(self._blocks) - 1, -1, -1):
            block = self._blocks[index]
            first = 0 if since is None else bisect_left(block, since)
            last = len(block) if until is None else bisect_left(block, until)
            yield from reversed(block[first:last])
            if first:
                return

    def count(self, since: Key | None = None, until: Key | None = None) -> int:
        """How many keys have since <= key < until."""
        return max(
            0, (self._size if until is None else self._rank(until)) - (0 if since is None else self._rank(since))
        )

    def last(self) -> Key | None:
        """The greatest key; None if there is none."""
        return self._lasts[-1] if self._lasts else None

    def _find(self, key: Key) -> tuple[int, int]:
        """(block, place in it) of the first key that is not less; the block after the last if all are less."""
        index = bisect_left(self._lasts, key)
        return (index, 0) if index == len(self._blocks) else (index, bisect_left(self._blocks[index], key))

    def _rank(self, key: Key) -> int:
        index, at = self._find(key)
        return sum(map(len, self._blocks[:index])) + at
