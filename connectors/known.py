"""What the store has of a source, as the daemon hands it down: sweeps compare it with what the source has."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from store.records import KnownRow


class Known(Protocol):
    """Gives the live rows that the store has, by id; see `store.ids.known_rows`."""

    def __call__(
        self, kind: str, activity: str | None = None, *, prefix: str = "", checked: bool = False
    ) -> Iterable[KnownRow]:
        """`activity` narrows activities to one kind, `prefix` to ids that begin so; `checked`: damaged rows come with
        the stamp 0.
        """
        ...


def nothing_known(
    kind: str, activity: str | None = None, *, prefix: str = "", checked: bool = False
) -> Iterable[KnownRow]:
    """Of a store that is empty, or of no store at all."""
    del kind, activity, prefix, checked
    return ()
