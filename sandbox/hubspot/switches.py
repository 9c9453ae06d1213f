"""The imitation's settings: limits, and both behaviours wherever the sources disagree."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Switches:
    """Changed while it runs, by tests and through the control server."""

    limits: bool = True
    """Enforce the rate buckets."""
    per_ten_seconds: int = 190
    """Professional and enterprise portals; 100 for the free ones, 110 per OAuth app."""
    searches_per_second: int = 5
    per_day: int = 1_000_000
    time_zone: str = "US/Eastern"
    """The portal's; its midnight resets the daily quota."""
    search_lag: int = 0
    """Microseconds after which search sees a change; the list sees it at once."""
    search_page: int = 0
    """Largest search page, whatever limit was asked for (0: as asked): pages may be short and still have a next one."""
    batch_errors: str = "whole"
    """A bad row in a batch update: `whole` = 400 for all, `partial` = 207 and the others are written, `silent` = 200, nothing done."""
    no_associations: str = "error"
    """A record without links in a batch read: `error` = an entry of a 207's errors, `omit` = left out."""
    enforce_required: bool = True
    """`2026-09` writes refuse to leave a required property empty."""
    html_missing: bool = True
    """GET of a missing ticket or task answers with an HTML page."""
    integer_ids: bool = False
    """Association answers give ids as JSON numbers (recorded 2022) in place of strings (schema)."""
    association_page: int = 500
    """Links per record in one answer."""
    inline_page: int = 100
    """Links per record and type in a list answer."""
    merge_mints_id: bool = True
    """A merge makes a new record in place of both."""
    legacy_paths: bool = True
    """Serve `/v3` and `/v4` paths beside the dated ones."""
    no_archive: set[str] = field(default_factory=set)
    """Object types that answer 400 to `archived=true`."""
    broken: set[str] = field(default_factory=set)
    """Object types that answer 500 to everything."""
