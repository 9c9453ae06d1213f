"""What a first read of an object is made of: its order, where it stands, and the pages that it gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from connectors.http import VendorError
from connectors.salesforce.bulkcsv import Columns
from connectors.salesforce.pages import Paging
from connectors.salesforce.selects import select
from connectors.salesforce.values import Row
from store.records import Instant

TRIES = 3
"""How often a window is begun before its object is stuck."""
FIRST_LOOK = 2.0
"""Seconds until a job is looked at for the first time."""
_SMALLEST, _FIRST_LIMIT = 200, 50_000
_LOST = frozenset({"INVALID_QUERY_LOCATOR", "NOT_FOUND", "INVALIDJOB", "INVALIDJOBSTATE", "API_ERROR"})


@dataclass(frozen=True, slots=True)
class Mark:
    """Where the first read of one object stands; kept with the rows, in the stream's cursor."""

    began: str = ""
    """When it began, by the server's clock, as SOQL writes it: increments run from here."""
    id: str = ""
    """All rows up to this Id are kept."""
    by: str = ""
    """rest | bulk; empty: not decided."""
    limit: int = 0
    """Rows of a window; 0: all that are left."""
    job: str = ""
    asked_at: Instant = 0
    locator: str = ""
    """The job's next page."""
    rows: int = 0
    """Rows kept of the job so far."""
    top: str = ""
    """The highest Id among them."""
    tries: int = 0
    """How often this window was begun again in vain."""

    def data(self) -> dict[str, Any]:
        """JSON-able, without what is empty."""
        return {name: value for name, value in asdict(self).items() if value}

    @classmethod
    def load(cls, data: Mapping[str, Any] | None) -> Mark:
        """A mark from the store; unknown parts are left out."""
        known = {f.name for f in fields(cls)}
        return cls(**{name: value for name, value in (data or {}).items() if name in known})

    def again(self, error: VendorError) -> Mark | None:
        """The same window once more; None where that cannot help, or did not."""
        worth_it = error.kind == "retry" or error.code in _LOST
        return self.anew(tries=self.tries + 1) if worth_it and self.tries + 1 < TRIES else None

    def less(self, error: VendorError) -> Mark | None:
        """The window with half the rows."""
        limit = self.limit // 2 if self.limit else _FIRST_LIMIT
        return self.anew(limit=limit) if limit >= _SMALLEST else self.again(error)

    def anew(self, **changes: Any) -> Mark:
        """The same window without its job."""
        return replace(self, job="", asked_at=0, locator="", rows=0, top="", **changes)


@dataclass(frozen=True, slots=True)
class Order:
    """One object to read for the first time."""

    name: str
    """The stream."""
    object: str
    fields: tuple[str, ...]
    """`Id` among them."""
    resource: str = "queryAll"
    where: str | None = None
    """Rows that are read at all."""
    mark: Mark = Mark()


@dataclass(frozen=True, slots=True)
class Page:
    """Rows to keep, and the mark to keep with them. `done`: there are no more."""

    name: str
    rows: Sequence[Row]
    mark: Mark
    done: bool = False


@dataclass(frozen=True, slots=True)
class Stuck:
    """An object that cannot be read on now; what was kept stays, and the mark says where to go on."""

    name: str
    error: VendorError


@dataclass(slots=True)
class Walk:
    """One object on its way."""

    order: Order
    mark: Mark
    paging: Paging = field(default_factory=Paging)
    """Of its REST query."""
    look_at: float = 0.0
    """Not before this second of the monotonic clock."""
    pause: float = FIRST_LOOK
    columns: Columns | None = None

    @property
    def name(self) -> str:
        """The stream."""
        return self.order.name

    def page(self, found: Sequence[Row], mark: Mark, *, done: bool = False) -> Page:
        """Go on to a mark with these rows."""
        self.mark = mark
        return Page(self.name, found, mark, done)


def soql(order: Order, names: Sequence[str], mark: Mark) -> str:
    """The rows of the window that the mark begins."""
    behind = f"Id > '{mark.id}'" if mark.id else None
    # A query job over all that is left needs no order, and without one the vendor splits it up; by REST the order is
    # what makes the last row a place to go on from.
    ordered = mark.limit or mark.by != "bulk"
    text = select(order.object, names, order.where, behind, order="Id" if ordered else "")
    return text + (f" LIMIT {mark.limit}" if mark.limit else "")
