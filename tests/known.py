"""What a store has of a source, as the daemon hands it to connectors."""

from __future__ import annotations

from collections.abc import Iterable

from connectors.known import Known
from store.engine import Store
from store.ids import known_rows
from store.records import KnownRow


def known_of(store: Store, source: str) -> Known:
    """The live rows of `source`."""

    def known(kind: str, activity: str | None = None, *, prefix: str = "", checked: bool = False) -> Iterable[KnownRow]:
        with store.read() as conn:
            yield from known_rows(conn, source, kind, activity=activity, prefix=prefix, checked=checked)

    return known
