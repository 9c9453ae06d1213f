"""Read a portal: owners, then one search per object from its cursor, then what is still to be read of the past.

The first time an object is listed; sweeps read what increments cannot see. Each object fails alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence

import structlog

from connectors.http import VendorError, resume_at
from connectors.hubspot.backfill import backfill
from connectors.hubspot.cursor import Cursor, latest, load
from connectors.hubspot.history import history, name_of
from connectors.hubspot.increment import Window
from connectors.hubspot.links import LINKED_ROWS, with_links
from connectors.hubspot.objects import SEARCH_PAGE, Objects
from connectors.hubspot.records import member
from connectors.hubspot.refusals import ScopesMissing
from connectors.hubspot.rows import Raw, next_after, stamp
from connectors.hubspot.session import NO_ANSWER, HubSpotSession
from connectors.hubspot.settings import HubSpotSettings, Token
from connectors.hubspot.streams import Stream, streams
from connectors.hubspot.sweeps import ARCHIVED, ASSOCIATIONS, DELAYED, INTERVALS, OWNERS, Sweep
from connectors.known import Known
from store.records import DAY, HOUR, MINUTE, Batch, Clock, Instant, Record, StreamTrouble, SyncEvent, Toll

OWNER_PAGE = 500
_SEEN = 20_000
"""How many rows a run remembers, so that what a cut window gives twice is read once."""
_MS = 1_000
_OWNERS = "members"
_ASK_AGAIN = HOUR
"""How long an object is left alone that the token has no scope for: HubSpot wants errors below 5 % of calls."""
_log = structlog.get_logger(__name__)


class HubSpotReader:
    """The connector's reading side. Not thread-safe: one worker reads one source. `known` gives the rows that the store
    has of a stream.
    """

    def __init__(self, settings: HubSpotSettings, session: HubSpotSession, clock: Clock, known: Known) -> None:
        self._settings, self._session, self._clock, self._known = settings, session, clock, known
        self._streams = {stream.name: stream for stream in streams(settings)}
        self._objects = Objects(session, settings.read_version)
        self._users: dict[str, str] = {}
        self._pin = _pin(settings)

    @property
    def calls(self) -> int:
        """API calls made so far, tokens included."""
        return self._session.calls

    def toll(self) -> Toll:
        """What the calls have cost: how many were refused for their number, and how the portal's day stands."""
        usage = self._session.limits.usage()
        day = None if usage.used_today is None or usage.per_day is None else (usage.used_today, usage.per_day)
        return Toll(self._session.calls, usage.refused, day)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def streams(self) -> tuple[str, ...]:
        """Names of all streams."""
        return (_OWNERS, *self._streams, *(name_of(stream) for stream in self._with_history()))

    def sync(self, cursors: Mapping[str, str]) -> Iterator[SyncEvent]:
        """Everything that changed since the cursors; the caller keeps each batch before it asks for the next."""
        self._begin(cursors)
        names = self.streams()
        for place, name in enumerate(names):
            cursor = load(cursors.get(name))
            if cursor.ask_again > self._session.server_now() // _MS:
                yield _unavailable(name, cursor.lacks)
                continue
            cursor.ask_again, cursor.lacks = 0, ""
            try:
                yield from self._read(name, cursor)
            except ScopesMissing as error:
                cursor = load(cursors.get(name))
                cursor.ask_again = (self._session.server_now() + _ASK_AGAIN) // _MS
                cursor.lacks = str(error)
                yield Batch(name, (), cursor.text())
                yield _unavailable(name, cursor.lacks)
            except VendorError as error:
                yield trouble(name, error, self._clock)
                if _concerns_all(error):
                    yield from (trouble(left, error, self._clock) for left in names[place + 1 :])
                    return

    def _begin(self, cursors: Mapping[str, str]) -> None:
        self._session.limits.budget.begin()
        self._session.limits.zone = load(cursors.get(_OWNERS)).zone or None

    def _read(self, name: str, cursor: Cursor) -> Iterator[SyncEvent]:
        started = self._clock.now()
        self._session.work = "increment"
        if name == _OWNERS:
            yield from self._owners(cursor)
        elif name in self._streams:
            stream = self._streams[name]
            if cursor.listed:
                yield from self._increment(stream, cursor, started)
            else:
                self._session.work = "backfill"
                yield from backfill(self._objects, stream, cursor)
        else:
            self._session.work = "backfill"
            stream = next(one for one in self._with_history() if name_of(one) == name)
            yield from history(self._objects, stream, cursor, self._users, started)

    def _with_history(self) -> Sequence[Stream]:
        return [one for one in self._streams.values() if one.history] if self._settings.history else []

    # ------------------------------------------------------------ increments

    def _increment(self, stream: Stream, cursor: Cursor, started: Instant) -> Iterator[SyncEvent]:
        overlap = self._settings.overlap_minutes * MINUTE // _MS
        newest, seen, rows = cursor.at, dict(cursor.tail), 0
        begun = self._session.server_now() // _MS
        pending: list[Raw] = []
        for page in Window(self._objects, stream, self._since(cursor, overlap)).pages():
            stamps = {str(raw["id"]): stamp(raw, stream.cursor) for raw in page}
            pending += [raw for raw in page if seen.get(str(raw["id"])) != stamps[str(raw["id"])]]
            seen |= stamps
            rows += len(page)
            newest = max([newest, *stamps.values()])
            if len(seen) > 2 * _SEEN:
                seen = latest(seen, newest - overlap, _SEEN)
            while len(pending) >= LINKED_ROWS:
                some, pending = pending[:LINKED_ROWS], pending[LINKED_ROWS:]
                # Rows come in the order of their stamps: nothing older than the oldest of this page is still to come.
                reached = Cursor(at=max(cursor.at, min(stamps.values())), listed=True, looked=cursor.looked)
                yield from self._kept(stream, some, cursor, reached)
                cursor = reached
        looked = begun if rows > SEARCH_PAGE else cursor.looked
        done = Cursor(at=newest, tail=latest(seen, newest - overlap), listed=True, looked=looked)
        yield from self._kept(stream, pending, cursor, done, fresh_at=started)

    def _since(self, cursor: Cursor, overlap: int) -> int:
        # Nobody has a row yet: a search from the epoch is answered with 500.
        at = cursor.at or (self._session.server_now() - DAY) // _MS
        return max(at, cursor.looked) - overlap

    def _kept(
        self, stream: Stream, raws: Sequence[Raw], before: Cursor, after: Cursor, fresh_at: Instant | None = None
    ) -> Iterator[Batch]:
        """Rows and the cursor behind them; where links could not be read, the cursor stays and the run is not ok."""
        rows = with_links(self._objects, stream, raws)
        records = tuple(record for row in rows.rows for record in stream.rows(row))
        if rows.failed:
            yield Batch(stream.name, records, before.text())
            raise VendorError("retry", f"what {len(rows.failed)} {stream.object} are associated with could not be read")
        yield Batch(stream.name, records, after.text(), fresh_at=fresh_at)

    # ------------------------------------------------------------ owners

    def _owners(self, cursor: Cursor, *, archived: bool = False) -> Iterator[SyncEvent]:
        started = self._clock.now()
        if not archived:
            self._look_at_portal(cursor)
        after: str | None = None
        records: list[Record] = []
        while True:
            params = {"limit": str(OWNER_PAGE), "archived": str(archived).lower()} | ({"after": after} if after else {})
            body = self._session.get(self._objects.paths.owners(), params)
            for owner in body["results"]:
                records.append(member(owner))
                self._users[str(owner.get("userIdIncludingInactive") or owner.get("userId") or "")] = str(owner["id"])
            following = next_after(body)
            if following is None or following == after:
                break
            after = following
        name = f"sweep:{OWNERS}" if archived else _OWNERS
        yield Batch(
            name,
            tuple(records),
            "{}" if archived else Cursor(zone=cursor.zone, pinned=cursor.pinned).text(),
            fresh_at=started,
        )

    def _look_at_portal(self, cursor: Cursor) -> None:
        """The portal's time zone, at whose midnight the day's calls begin anew, and whether it is the pinned one: asked
        once for each set of credentials.
        """
        if not cursor.zone or cursor.pinned != self._pin:
            try:
                portal = self._session.get(self._objects.paths.account())
            except VendorError as error:
                if error.kind != "failed":
                    raise
                portal = {}
            cursor.zone = str(portal.get("timeZone") or "unknown")
            wanted, found = self._settings.portal_id, portal.get("portalId")
            if wanted is not None and found is not None and found != wanted:
                raise VendorError("auth", f"the token belongs to portal {found}, but portal_id pins {wanted}")
            cursor.pinned = self._pin
        self._session.limits.zone = cursor.zone

    # ------------------------------------------------------------ sweeps

    def sweeps(self) -> Mapping[str, Instant]:
        """What is read apart from the increments, and how often."""
        return INTERVALS

    def sweep(self, name: str, cursors: Mapping[str, str]) -> Iterator[SyncEvent]:
        """One sweep over every object."""
        self._begin(cursors)
        self._session.work = "increment" if name == DELAYED else "backfill"
        started = self._clock.now()
        if name == OWNERS:
            try:
                yield from self._owners(Cursor(), archived=True)
            except VendorError as error:
                yield trouble(f"sweep:{name}", error, self._clock)
            return
        sweep = Sweep(name, self._objects, self._known, cursors, _log.warning)
        one = {DELAYED: sweep.delayed, ARCHIVED: sweep.archived, ASSOCIATIONS: sweep.associations}.get(
            name, sweep.reconcile
        )
        for stream in self._streams.values():
            if not load(cursors.get(stream.name)).listed:
                continue  # there is nothing yet that could differ
            try:
                yield from one(stream)
            except ScopesMissing:
                continue  # increments say so
            except VendorError as error:
                if _concerns_all(error) or error.code == "QUOTA":
                    yield trouble(sweep.name, error, self._clock)
                    return
                sweep.complaints.append(f"{stream.object}: {error}")
        if sweep.complaints:
            yield StreamTrouble(sweep.name, "partial", "; ".join(sweep.complaints))
        else:
            yield sweep.batch(fresh_at=started)


def _pin(settings: HubSpotSettings) -> str:
    """What a portal must be looked at again for: another pin, or other credentials."""
    if settings.portal_id is None:
        return ""
    secret = settings.auth.access_token if isinstance(settings.auth, Token) else settings.auth.refresh_token
    return f"{settings.portal_id}:{hashlib.sha256(secret.get_secret_value().encode()).hexdigest()[:8]}"


def _concerns_all(error: VendorError) -> bool:
    """A dead token, a used-up day or a host that nobody answers from does not get better with the next object; our own
    share of the day concerns the objects that it names.
    """
    if error.kind == "deferred":
        return error.status == 429
    return error.kind == "auth" or error.code == NO_ANSWER


def _unavailable(stream: str, why: str) -> StreamTrouble:
    return StreamTrouble(
        stream, "failed", f"unavailable: {why}. Grant the scope, or leave the object out of the mapping"
    )


def trouble(stream: str, error: VendorError, clock: Clock) -> StreamTrouble:
    """A vendor's refusal as the trouble of one stream."""
    kind = {"retry": "retry", "deferred": "deferred"}.get(error.kind, "failed")
    return StreamTrouble(stream, kind, str(error), resume_at(clock, error))
