"""Pages of a query: whether one is whole, and the error of a part that was refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from connectors.http import VendorError
from connectors.salesforce.pagecheck import whole
from connectors.salesforce.session import kind_of, reason
from connectors.salesforce.values import Row


@dataclass(slots=True)
class Paging:
    """One query's pages so far. `address`: the next one; empty before the first and behind the last."""

    address: str = ""
    taken: int = 0
    total: int = 0

    @property
    def left(self) -> int:
        """Rows still to come."""
        return self.total - self.taken

    def take(self, object_name: str, body: Any) -> Sequence[Row]:
        """The rows of the next page. VendorError `retry` where it cannot be that page, or where some are missing."""
        found = whole(object_name, body, self.taken)
        total = body.get("totalSize") if isinstance(body, dict) else None
        if found is None or not isinstance(total, int):
            raise VendorError("retry", f"{object_name}: an answer is not the page that was asked for, or lacks rows")
        self.address = "" if body["done"] else str(body["nextRecordsUrl"])
        self.taken, self.total = self.taken + len(found), total
        return found


def failure(status: int, body: Any) -> VendorError:
    """A refused part of a composite as an error."""
    code, message = reason(body)
    wait = 3_600.0 if code == "REQUEST_LIMIT_EXCEEDED" and kind_of(status, code, message) == "deferred" else None
    kind = kind_of(status, code, message)
    return VendorError(kind, f"{code}: {message}", status=status, code=code, retry_after=wait)


def sort_key(ref: str) -> str:
    """Ids in the order in which `ORDER BY Id` gives them: by their 15 significant characters, which mind case; the last
    three of 18 are a checksum.
    """
    return ref[:15]
