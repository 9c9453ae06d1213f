"""What a row of a CRM can be among the rows of all CRMs; apart from `daemon.identity`, so that naming them is cheap."""

from __future__ import annotations

LINKED, CONFLICTING, AMBIGUOUS, UNMATCHED, MERGED, GONE = (
    "linked", "conflicting", "ambiguous", "unmatched", "merged", "gone",
)  # fmt: skip
KINDS = (LINKED, CONFLICTING, AMBIGUOUS, UNMATCHED, MERGED, GONE)
"""Every row is of one of these kinds. A linked account whose rows contradict each other is conflicting."""
