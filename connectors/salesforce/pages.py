"""Pages of a query: whether one is whole, and the error of a part that was refused."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from connectors.http import VendorError
from connectors.salesforce.session import kind_of, reason
from connectors.salesforce.values import Row

_OFFSET = re.compile(r"-(\d+)\Z")


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

    def take(self, body: Any) -> Sequence[Row]:
        """The rows of the next page. VendorError `retry` where some are missing: the page says how many there should be,
        in the offset that its `nextRecordsUrl` ends in, and in `totalSize`.
        """
        try:
            found, done, total = body["records"], body["done"], int(body["totalSize"])
            following = "" if done else str(body["nextRecordsUrl"])
        except (KeyError, TypeError, ValueError) as error:
            raise VendorError("retry", "Salesforce answered a query in an unknown form") from error
        taken = self.taken + len(found)
        offset = _OFFSET.search(following)
        expected = total if done else int(offset[1]) if offset else taken
        if taken != expected:
            raise VendorError(
                "retry", f"a page of a query is not whole: {taken:,} rows so far in place of {expected:,}"
            )
        self.address, self.taken, self.total = following, taken, total
        return list(found)


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
