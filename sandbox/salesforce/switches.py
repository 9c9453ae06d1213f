"""What a test or the control server may change on a running org: pace, limits, and the vendor's undocumented choices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sandbox.clock import DAY


@dataclass
class Switches:
    """Every attribute may be set at any time and counts from the next request on. Durations in microseconds."""

    bulk_polls: int = 1
    """GETs of a query job that still find it InProgress; 0: the first finds it done."""
    bulk_time: int = 0
    """Scenario time that a job takes as well."""
    bulk_page: int = 50_000
    """Rows on one page of results; a smaller `maxRecords` wins."""
    bulk_jobs: int = 10_000
    """Query jobs in 24 hours."""
    bulk_storage_kb: int = 1_000_000_000
    """Result size stored in 24 hours."""
    bulk_early: int = 204
    """Status of a read of results that are not there yet: 204 as the guide says, or 400."""
    bulk_expiry: int = 401
    """Status with which jobs answer a dead session: 401 INVALID_SESSION_ID, or 400 InvalidSessionId as Bulk v1 does."""
    bulk_codes: Literal["own", "api_error"] = "own"
    """errorCode of a refused query: the code that query() gives, or API_ERROR for all; reports name both."""
    bulk_history: bool = False
    """Whether query jobs take history objects; sources contradict each other."""
    bulk_shuffle: bool = False
    """Give rows without ORDER BY in no order, as chunked jobs may."""
    bulk_gzip: bool = False
    """Compress results for clients that take gzip, as the vendor always does; off, so that faults can cut lines."""
    deleted_kept: int = 15 * DAY
    """How long /deleted remembers; the vendor may purge its log after two hours when that grows too big."""
    deleted_limit: int = 600_000
    """Ids in one answer of /deleted or /updated."""
    replication_lag: int = 0
    """How far latestDateCovered stays behind now: transactions under way are not covered yet."""
    replication_strict: bool = False
    """Refuse a window of exactly one minute too: the guide wants `start` to precede `end` by more than one."""
    refresh_rotation: bool = True
    """Each refresh token is good for one use, and the answer brings the next; off: one token for ever."""
    rotation_ends_sessions: bool = False
    """Whether a rotation ends the sessions opened before it; the guide says so for reuse only."""
    token_pause_ms: int = 0
    """Real milliseconds that a refresh takes; a second one with the same token meanwhile is refused."""
    one_session: bool = False
    """Each new session ends the others, as a policy of the connected app can have it."""
    session_calls: int | None = None
    """A new session dies after so many requests, wherever in a run that falls; only the fixed one lives on."""
    session_unfit: bool = False
    """Whether every session is refused as not valid for REST: 401 as for an expired one, and a new one does not help."""
    instance_url: str = ""
    """Where the API lives when it is not the host that was asked for the token; that host then is a login host."""
    sight_moves_describe: bool = True
    """Whether hiding or showing objects and fields moves describe's Last-Modified; if not, a 304 hides it."""
    query_rows: int | None = None
    """Queries that find more rows than this time out with QUERY_TIMEOUT; a smaller window helps."""
    activity_parents: int | None = None
    """Distinct WhoId and WhatId in one result of tasks or events; the vendor's is 100000 for users without View All Data."""
    page_characters: int | None = None
    """A page of records ends once its texts have so many characters, as the vendor's does with long text."""
    comet_timeout_ms: int = 110_000
    """Real milliseconds that a connect waits for an event."""
    comet_cookies: bool = True
    """Whether a client must bring back the cookie of its handshake."""
    composite_counts_parts: bool = False
    """Whether each part of a composite counts as a call; sources contradict each other."""
