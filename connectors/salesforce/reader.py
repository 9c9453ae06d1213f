"""Read an org incrementally: five objects' SOQL in one composite call, a cursor per object, rows once.

Rows come in `ORDER BY stamp, Id`, and the cursor is the last of them. What comes twice is not written twice. Describes
ride in the same calls as the queries: of objects that are new, absent, or have fields that the user may not see.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from connectors.http import VendorError
from connectors.salesforce import troubles
from connectors.salesforce.activities import primary_contact
from connectors.salesforce.composite import Answer, Ask, Composer, fitting
from connectors.salesforce.cursors import Cursor, load
from connectors.salesforce.schema import CURSOR_FIELDS, ObjectSchema, Schema
from connectors.salesforce.selects import select
from connectors.salesforce.session import SalesforceSession, reason
from connectors.salesforce.settings import SalesforceSettings
from connectors.salesforce.streams import QUIET, Stream, streams
from store.records import MINUTE, ActivityRecord, Batch, Clock, Instant, Record, SyncEvent

_RELATION_OF = {"tasks": "task_relations", "events": "event_relations", "emails": "email_relations"}
_TRIES = 3
"""How often one run begins a stream again after a hidden field or an expired page."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page to ask for: a stream, its query or the address of its next page, and the cursor before it."""

    stream: Stream
    ask: Ask
    cursor: Cursor


@dataclass(slots=True)
class Run:
    """One run of a sync: where each stream stands, and what is still to be asked."""

    state: dict[str, Cursor]
    began: dict[str, Cursor]
    looks: deque[Stream] = field(default_factory=deque)
    pages: deque[Page] = field(default_factory=deque)
    finished: set[str] = field(default_factory=set)
    tries: Counter[str] = field(default_factory=Counter)
    fresh_at: Instant | None = None
    """The server's clock when the first answer came: what is read is complete up to then."""


class SalesforceReader:
    """The connector's reading side. Not thread-safe: one worker reads one source."""

    def __init__(self, settings: SalesforceSettings, session: SalesforceSession, clock: Clock) -> None:
        self._settings, self._session, self._clock = settings, session, clock
        self._streams = {stream.name: stream for stream in streams(settings, settings.activities)}
        self._composer = Composer(session, settings.api_version)
        self._schema = Schema(self._composer.root)

    @property
    def calls(self) -> int:
        """API calls made so far, tokens included."""
        return self._session.calls

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def streams(self) -> tuple[str, ...]:
        """Names of all streams."""
        return tuple(self._streams)

    def sync(self, cursors: Mapping[str, str]) -> Iterator[SyncEvent]:
        """Everything that changed since the cursors; the caller keeps each batch before it asks for the next."""
        self._session.budget.begin()
        state = {name: load(cursors.get(name)) for name in self._streams}
        run = Run(state, dict(state))
        try:
            yield from self._read(run)
        except VendorError as error:
            for name in self._streams:
                if name not in run.finished and not run.state[name].absent:
                    yield troubles.trouble(name, error, self._clock)

    def _read(self, run: Run) -> Iterator[SyncEvent]:
        for name, stream in self._streams.items():
            cursor = run.state[name]
            if _blind(stream, cursor) or cursor.absent:
                run.looks.append(stream)
            else:
                run.pages.append(self._first(stream, cursor))
                if set(cursor.without) - QUIET:
                    run.looks.append(stream)  # perhaps somebody has granted them since
        while run.looks or run.pages:
            yield from self._round(run)

    def _round(self, run: Run) -> Iterator[SyncEvent]:
        """One call: up to five pages, and describes in what room is left."""
        pages = list(run.pages)[: fitting([page.ask for page in run.pages])]
        looks = list(run.looks)
        asks = [page.ask for page in pages] + [self._schema.ask(stream.object) for stream in looks]
        looks = looks[: fitting(asks) - len(pages)]
        answers = self._composer.ask(asks[: len(pages) + len(looks)])
        run.fresh_at = run.fresh_at or self._composer.now()
        for _ in pages:
            run.pages.popleft()
        for _ in looks:
            run.looks.popleft()
        for stream, answer in zip(looks, answers[len(pages) :], strict=True):
            yield from self._looked(run, stream, answer)
        for page, answer in zip(pages, answers, strict=False):
            if page.stream.name not in run.finished and page.cursor is run.state[page.stream.name]:
                yield from self._page(run, page, answer)

    # ------------------------------------------------------------ what the user sees

    def _looked(self, run: Run, stream: Stream, answer: Answer) -> Iterator[SyncEvent]:
        """An object's describe: go on, begin anew with more fields, or note that there is no such object."""
        before = run.state[stream.name]
        if answer.status not in (200, 304, 404):
            if _blind(stream, before):
                run.finished.add(stream.name)
                yield troubles.refused(stream.name, stream.object, answer.body, self._clock)
            return
        sobject = self._schema.learn(stream.object, answer)
        if sobject is None:
            yield from self._gone(run, stream)
            return
        self._describe_parents(stream, sobject)
        follows = sobject.cursor_field
        if follows is None:
            run.finished.add(stream.name)
            yield troubles.unfollowable(stream.name, stream.object, CURSOR_FIELDS)
            return
        without = self._schema.hidden(sobject, stream.selects)
        seen = set(stream.covers) - set(without)
        anew = before.absent or before.field != follows or not seen <= set(before.covers) - set(before.without)
        if anew:
            after = Cursor(field=follows, covers=stream.covers, without=without)
        else:
            after = replace(before, covers=stream.covers, without=without)
        if after == before:
            return
        run.state[stream.name] = after
        run.pages = deque(page for page in run.pages if page.stream is not stream)
        run.pages.append(self._first(stream, after))

    def _describe_parents(self, stream: Stream, sobject: ObjectSchema) -> None:
        """Look at the objects that dotted fields lead over, so that a hidden field at their end is known as such."""
        for _ in range(5):  # a path has at most five relationships
            unknown = sorted(self._schema.unknown(sobject, stream.selects))
            if not unknown:
                return
            answers = self._composer.ask_all([self._schema.ask(name) for name in unknown])
            for name, answer in zip(unknown, answers, strict=True):
                self._schema.learn(name, answer)

    def _gone(self, run: Run, stream: Stream) -> Iterator[SyncEvent]:
        run.finished.add(stream.name)
        if not stream.optional:
            yield troubles.missing(stream.name, stream.object)
        elif not run.state[stream.name].absent:
            run.state[stream.name] = Cursor(absent=True)
            cursor = run.state[stream.name].text()
            yield Batch(stream.name, (), cursor, fresh_at=self._composer.now(), absent=True)

    # ------------------------------------------------------------ pages

    def _first(self, stream: Stream, cursor: Cursor) -> Page:
        assert cursor.field is not None
        hidden = set(cursor.without)
        fields = [name for name in (*stream.selects, cursor.field) if name not in hidden]
        overlap = self._settings.overlap_minutes * MINUTE
        soql = select(stream.object, fields, stream.where, cursor.where(overlap), order=f"{cursor.field}, Id")
        return Page(stream, self._composer.query(soql, stream.query), cursor)

    def _page(self, run: Run, page: Page, answer: Answer) -> Iterator[SyncEvent]:
        stream = page.stream
        if answer.status != 200:
            yield from self._refused(run, page, answer.body)
            return
        rows = answer.body["records"]
        records = self._records(stream, rows, run.state)
        cursor = page.cursor.behind(rows)
        if not answer.body["done"]:
            run.state[stream.name] = cursor
            run.pages.append(Page(stream, self._composer.page(answer.body["nextRecordsUrl"]), cursor))
            yield Batch(stream.name, records, cursor.text())
            return
        run.finished.add(stream.name)
        done = cursor.finished(run.began[stream.name], self._composer.now())
        yield Batch(stream.name, records, done.text(), fresh_at=run.fresh_at)
        hidden = tuple(name for name in cursor.without if name not in QUIET)
        if hidden:
            yield troubles.not_visible(stream.name, stream.object, hidden, self._near(stream, hidden))

    def _refused(self, run: Run, page: Page, body: Any) -> Iterator[SyncEvent]:
        """A page that was refused: look again at an object whose fields have changed, begin an expired query anew."""
        stream, code = page.stream, reason(body)[0]
        run.tries[stream.name] += 1
        if code in troubles.ABSENT:
            yield from self._gone(run, stream)
        elif code in troubles.HIDDEN and run.tries[stream.name] < _TRIES:
            self._schema.forget(stream.object)
            (answer,) = self._composer.ask([self._schema.ask(stream.object)])
            yield from self._looked(run, stream, answer)
            if run.state[stream.name] is page.cursor and stream.name not in run.finished:
                # All fields are visible: it is the query that is wrong.
                run.finished.add(stream.name)
                yield troubles.refused(stream.name, stream.object, body, self._clock)
        elif code == "INVALID_QUERY_LOCATOR" and run.tries[stream.name] < _TRIES:
            # Query cursors live two days at most; the rows behind the last page are asked for anew.
            run.pages.append(self._first(stream, page.cursor))
        else:
            run.finished.add(stream.name)
            yield troubles.refused(stream.name, stream.object, body, self._clock)

    def _near(self, stream: Stream, names: Sequence[str]) -> dict[str, str]:
        sobject = self._schema.known(stream.object)
        found = {name: sobject.near(name) for name in names} if sobject else {}
        return {name: near for name, near in found.items() if near is not None}

    def _records(self, stream: Stream, rows: Sequence[Any], state: Mapping[str, Cursor]) -> tuple[Record, ...]:
        records = [record for row in rows for record in stream.record(row)]
        relation = _RELATION_OF.get(stream.name)
        if relation is None or state[relation].absent:
            return tuple(records)
        # The org has relation rows: they say who took part, and more than the activity itself does.
        bare: list[Record] = [replace(r, participants=None) if isinstance(r, ActivityRecord) else r for r in records]
        if stream.name == "events" and state["task_relations"].absent:
            bare += [record for row in rows for record in primary_contact(row)]
        return tuple(bare)


def _blind(stream: Stream, cursor: Cursor) -> bool:
    """Has the object to be looked at before it can be read: it is new, or the mapping names more than before."""
    return not cursor.absent and (cursor.field is None or not set(stream.covers) <= set(cursor.covers))
