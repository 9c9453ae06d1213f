"""Planned writes of the tier field and what became of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TierWrite:
    """One planned change of a CRM field. `expected` is the value read just before the write."""

    record_id: str
    value: str | None
    expected: str | None


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What became of one write. `outcome`: written | parked (no retry until something changes) | retry | gone."""

    record_id: str
    outcome: str
    code: str | None = None
    message: str | None = None
