"""The imitation's settings: limits, and both behaviours wherever the sources disagree."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Switches:
    """Changed while it runs, by tests and through the control server."""

    # Limits
    limits: bool = True
    """Enforce the rate buckets."""
    per_ten_seconds: int = 190
    """Calls of the portal's private apps and service keys: professional and enterprise; 100 for free portals."""
    per_ten_seconds_oauth: int = 110
    """Calls of one OAuth app."""
    searches_per_second: int = 5
    """Searches of the whole portal."""
    per_day: int = 1_000_000
    stolen: float = 0.0
    """Share of the ten-second and search buckets that another client of the portal uses all the time."""
    retry_after: int | None = None
    """Seconds in the `Retry-After` of a 429; None: there is no such header (0 of 69 recorded ones had it)."""
    time_zone: str = "US/Eastern"
    """The portal's; its midnight resets the daily quota."""
    longest_uri: int = 8 * 1024
    """Bytes of path and query; above it 414."""

    # Search
    search_lag: int = 0
    """Microseconds after which search sees a change; the list sees it at once. See also `HubSpotState.hold_back`."""
    search_page: int = 0
    """Largest search page, whatever limit was asked for (0: as asked): pages may be short and still have a next one."""
    search_pages: list[int] = field(default_factory=list)
    """Rows on the first, second, ... page of every search, the rest of its slots being empty: `[200, 0, 37]` makes the
    second page bare though it has a next one. The offset goes on by the limit."""
    search_strays: int = 0
    """So many rows outside the filters are among the first page's."""
    epoch_breaks: bool = True
    """A search from stamp 0 answers 500."""
    filter_groups: int = 5
    """Most filter groups: 5 by the vendor's changelog of Aug 2024, 6 by its kit's specification."""
    filters_per_group: int = 10
    """Most filters in a group: 10 by the changelog, 6 by those who tell of the vendor's guide."""
    filters_in_all: int = 25
    """Most filters of a search: 25 by the changelog, 18 by those who tell of the vendor's guide."""
    filter_values: int = 100
    """Most values of IN and NOT_IN; not confirmed by any source read."""
    search_body_limit: int = 0
    """Most characters of a search's body (0: any number). Some tell of 3,000; peers send hundreds of properties."""

    # Reading
    batch_retryable: dict[str, int] = field(default_factory=dict)
    """Record id -> so many more batch reads (of records or links) report it as a retryable error of a 207."""
    no_associations: str = "error"
    """A record without links in a batch read: `error` = an entry of a 207's errors, `omit` = left out."""
    html_missing: bool = True
    """GET of a missing ticket or task answers with an HTML page."""
    integer_ids: bool = False
    """Association answers give ids as JSON numbers (recorded 2022) in place of strings (schema)."""
    association_page: int = 500
    """Links per record in one answer."""
    inline_page: int = 100
    """Links per record and type in a list answer."""
    history_versions: int = 0
    """Most versions of a property in `propertiesWithHistory` (0: all there are)."""
    no_archive: set[str] = field(default_factory=set)
    """Object types that answer 400 to `archived=true`."""
    broken: set[str] = field(default_factory=set)
    """Object types that answer 500 to everything."""
    retention_days: int = 0
    """Archived records are gone for good after so many days (HubSpot: 90); 0: never."""
    restore_moves_stamp: bool = True
    """A restore moves the modification stamp, so that a search by it finds the record."""

    # Merging
    merge_mints_id: bool = True
    """A merge makes a new record in place of both."""
    merged_in_archive: bool = True
    """The `archived=true` list shows what was merged away."""

    # Writing
    batch_errors: str = "whole"
    """A bad row in a batch update: `whole` = 400 for all, `partial` = 207 and the others are written, `silent` = 200, nothing done."""
    trace_context: bool = True
    """A 207's errors name the input's `objectWriteTraceId` (the page words it for create: not everybody gets it)."""
    enforce_required: bool = True
    """`2026-09` writes refuse to leave a required property empty, updates too."""
    locked: dict[str, int] = field(default_factory=dict)
    """Record id -> so many more writes to it answer with `locked_status`."""
    locked_status: int = 423
    """423 (held for two seconds) or 477 (migration under way)."""

    # Access
    legacy_paths: bool = True
    """Serve `/v3` and `/v4` paths beside the dated ones."""
    oauth_v1: bool = True
    """Serve `/oauth/v1/token`, which ends on 16 Feb 2027."""
    rotate_refresh: bool = False
    """A refresh gives a new refresh token; using the old one again revokes the whole family."""
    service_key_info: bool = False
    """The private apps' token information knows service keys too."""
