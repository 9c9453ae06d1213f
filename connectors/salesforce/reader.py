"""Read an org incrementally: five objects' SOQL in one composite call, a cursor per object, rows once.

Rows come in `ORDER BY stamp, Id`, and the cursor is the last of them. What comes twice is not written twice. Describes
ride in the same calls as the queries: of objects that are new, absent, or have fields that the user may not see.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from connectors.http import VendorError
from connectors.known import Known, nothing_known
from connectors.salesforce import deletes, formulas, history, reconcile, troubles
from connectors.salesforce.activities import primary_contact
from connectors.salesforce.backfill import Backfill, Mark, Order, Stuck
from connectors.salesforce.composite import Answer, Composer, fitting
from connectors.salesforce.cursors import Cursor, load
from connectors.salesforce.pagecheck import Page, next_page, rows_of
from connectors.salesforce.reach import Reach
from connectors.salesforce.schema import CURSOR_FIELDS, ObjectSchema, Schema, is_describe
from connectors.salesforce.selects import select
from connectors.salesforce.session import SalesforceSession, reason
from connectors.salesforce.settings import SalesforceSettings
from connectors.salesforce.streams import QUIET, Stream, streams
from connectors.salesforce.values import instant
from store.records import HOUR, MINUTE, ActivityRecord, Batch, Clock, Instant, Record, StreamTrouble, SyncEvent

_RELATION_OF = {"tasks": "task_relations", "events": "event_relations", "emails": "email_relations"}
_EVERY_HISTORY = 6 * HOUR
_TRIES = 3
"""How often one run begins a stream again after a hidden field or an expired page."""


@dataclass(slots=True)
class Run:
    """One run of a sync: where each stream stands, and what is still to be asked."""

    state: dict[str, Cursor]
    began: dict[str, Cursor]
    looks: deque[Stream] = field(default_factory=deque)
    pages: deque[Page] = field(default_factory=deque)
    firsts: list[Stream] = field(default_factory=list)
    """Read for the first time, or anew from the beginning, after all else."""
    finished: set[str] = field(default_factory=set)
    tries: Counter[str] = field(default_factory=Counter)
    fresh_at: Instant | None = None
    """Our clock when the first answer came: what is read is complete up to then."""


class SalesforceReader:
    """The connector's reading side. Not thread-safe: one worker reads one source."""

    def __init__(
        self,
        settings: SalesforceSettings,
        session: SalesforceSession,
        clock: Clock,
        spool: Path,
        known: Known = nothing_known,
    ) -> None:
        self._settings, self._session, self._clock = settings, session, clock
        self._backfill = Backfill(settings, session, clock, spool)
        self._streams = {stream.name: stream for stream in streams(settings, settings.activities)}
        self._history = {stream.name: stream for stream in history.streams(tuple(self._streams.values()))}
        self._composer = Composer(session, settings.api_version)
        self._schema = Schema(self._composer.root)
        self._reach = Reach(self._streams, self._composer, self._schema, clock, known, self._records)

    @property
    def calls(self) -> int:
        """API calls made so far, tokens included."""
        return self._session.calls

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def streams(self) -> tuple[str, ...]:
        """Names of all streams."""
        return (*self._streams, *self._history)

    def sync(self, cursors: Mapping[str, str]) -> Iterator[SyncEvent]:
        """Everything that changed since the cursors; the caller keeps each batch before it asks for the next."""
        self._session.budget.begin()
        state = {name: load(cursors.get(name)) for name in self.streams()}
        # History is read with the rest the first time; what is added to it has a rhythm of its own.
        begun = [s for s in self._history.values() if not state[s.name].absent and not _settled(s, state[s.name])]
        yield from self._read([*self._streams.values(), *begun], state)

    def sweeps(self) -> Mapping[str, Instant]:
        """What is read apart from the increments, and how often."""
        return {
            "deletes": deletes.EVERY,
            "formulas": formulas.EVERY,
            "history": _EVERY_HISTORY,
            "reconcile": reconcile.EVERY,
        }

    def sweep(self, name: str, cursors: Mapping[str, str]) -> Iterator[SyncEvent]:
        """One of them. Raises KeyError for a name that `sweeps` does not give."""
        self._session.budget.begin()
        match name:
            case "deletes":
                yield from deletes.sweep(self._reach, cursors)
            case "formulas":
                yield from formulas.sweep(self._reach, self._settings, cursors)
            case "history":
                yield from self._lines(cursors)
            case "reconcile":
                yield from reconcile.sweep(self._reach, cursors)
            case _:
                raise KeyError(name)

    def _lines(self, cursors: Mapping[str, str]) -> Iterator[SyncEvent]:
        """What the org has added to its history of mapped fields."""
        sound = True
        for event in self._read(tuple(self._history.values()), {n: load(cursors.get(n)) for n in self.streams()}):
            sound = sound and isinstance(event, Batch)
            yield event
        if sound:
            yield Batch("sweep:history", (), "{}", fresh_at=self._clock.now())

    def _read(self, some: Sequence[Stream], state: dict[str, Cursor]) -> Iterator[SyncEvent]:
        for stream in some:
            state[stream.name] = _narrowed(stream, state[stream.name])
        run = Run(state, dict(state))
        for stream in some:
            cursor = state[stream.name]
            if _blind(stream, cursor) or cursor.absent:
                run.looks.append(stream)
            else:
                self._begin(run, stream)
                if set(cursor.without) - QUIET:
                    run.looks.append(stream)  # perhaps somebody has granted them since
        try:
            while run.looks or run.pages or run.firsts:
                yield from self._round(run) if run.looks or run.pages else self._walk(run)
        except VendorError as error:
            for stream in some:
                if stream.name not in run.finished and not run.state[stream.name].absent:
                    yield troubles.trouble(stream.name, error, self._clock)

    def _round(self, run: Run) -> Iterator[SyncEvent]:
        """One call: up to five pages, and describes in what room is left."""
        pages = list(run.pages)[: fitting([page.ask for page in run.pages])]
        looks = list(run.looks)
        asks = [page.ask for page in pages] + [
            self._schema.ask(stream.object, self._composer.now()) for stream in looks
        ]
        looks = looks[: fitting(asks) - len(pages)]
        answers = self._composer.ask(asks[: len(pages) + len(looks)])
        run.fresh_at = run.fresh_at or self._clock.now()
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
        if not is_describe(answer, stream.object):
            if _blind(stream, before):
                run.finished.add(stream.name)
                yield troubles.refused(stream.name, stream.object, answer.body, self._clock)
            return
        sobject = self._schema.learn(stream.object, answer, self._composer.now())
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
            since = before.since or self._composer.now()
            after = Cursor(field=follows, since=since, covers=stream.covers, without=without)
        else:
            after = replace(before, covers=stream.covers, without=without)
        if after == before:
            return
        run.state[stream.name] = after
        run.pages = deque(page for page in run.pages if page.stream is not stream)
        self._begin(run, stream)

    def _describe_parents(self, stream: Stream, sobject: ObjectSchema) -> None:
        """Look at the objects that dotted fields lead over, so that a hidden field at their end is known as such."""
        for _ in range(5):  # a path has at most five relationships
            unknown = sorted(self._schema.unknown(sobject, stream.selects))
            if not unknown:
                return
            answers = self._composer.ask_all([self._schema.ask(name, self._composer.now()) for name in unknown])
            for name, answer in zip(unknown, answers, strict=True):
                self._schema.learn(name, answer, self._composer.now())

    def _gone(self, run: Run, stream: Stream) -> Iterator[SyncEvent]:
        run.finished.add(stream.name)
        if not stream.optional:
            yield troubles.missing(stream.name, stream.object)
        elif not run.state[stream.name].absent:
            run.state[stream.name] = Cursor(absent=True)
            cursor = run.state[stream.name].text()
            yield Batch(stream.name, (), cursor, fresh_at=self._clock.now(), absent=True)

    # ------------------------------------------------------------ pages

    def _begin(self, run: Run, stream: Stream) -> None:
        """What is read next of a stream: the changes behind its cursor, or all of it."""
        cursor = run.state[stream.name]
        if cursor.at is not None:
            run.pages.append(self._first(stream, cursor))
        elif stream not in run.firsts:
            run.firsts.append(stream)

    def _fields(self, stream: Stream, cursor: Cursor) -> tuple[str, ...]:
        assert cursor.field is not None
        hidden = set(cursor.without)
        return tuple(dict.fromkeys(name for name in (*stream.selects, cursor.field) if name not in hidden))

    def _first(self, stream: Stream, cursor: Cursor) -> Page:
        fields = self._fields(stream, cursor)
        overlap = self._settings.overlap_minutes * MINUTE
        soql = select(stream.object, fields, stream.where, cursor.where(overlap), order=f"{cursor.field}, Id")
        return Page(stream, self._composer.query(soql, stream.query), cursor)

    def _page(self, run: Run, page: Page, answer: Answer) -> Iterator[SyncEvent]:
        stream = page.stream
        if answer.status != 200:
            yield from self._refused(run, page, answer.body)
            return
        read = rows_of(page, answer)
        if read is None:
            yield from self._torn(run, page)
            return
        records = self._records(stream, read.rows, run.state)
        if read.following:
            run.state[stream.name] = read.cursor
            run.pages.append(next_page(page, self._composer.page(read.following), read))
            yield Batch(stream.name, records, read.cursor.text())
            return
        done = read.cursor.finished(run.began[stream.name], self._composer.now())
        yield from self._finished(run, stream, Batch(stream.name, records, done.text(), fresh_at=run.fresh_at), done)

    def _finished(self, run: Run, stream: Stream, last: Batch, cursor: Cursor) -> Iterator[SyncEvent]:
        run.finished.add(stream.name)
        yield last
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
            (answer,) = self._composer.ask([self._schema.ask(stream.object, self._composer.now())])
            yield from self._looked(run, stream, answer)
            if run.state[stream.name] is page.cursor and stream.name not in run.finished:
                # All fields are visible: it is the query that is wrong.
                run.finished.add(stream.name)
                yield troubles.refused(stream.name, stream.object, body, self._clock)
        elif code == "INVALID_QUERY_LOCATOR" and run.tries[stream.name] < _TRIES:
            # Query cursors live two days at most; the rows behind the last page are asked for anew.
            self._begin(run, stream)
        else:
            run.finished.add(stream.name)
            yield troubles.refused(stream.name, stream.object, body, self._clock)

    def _torn(self, run: Run, page: Page) -> Iterator[SyncEvent]:
        """An answer that cannot be the page: ask again from the last row that is certain."""
        name = page.stream.name
        run.tries[name] += 1
        if run.tries[name] < _TRIES:
            self._begin(run, page.stream)
        else:
            run.finished.add(name)
            what = f"{page.stream.object}: the answers were not the pages that were asked for, or lacked rows"
            yield StreamTrouble(name, "retry", f"{what}; the next run goes on behind the last page that was whole")

    def _walk(self, run: Run) -> Iterator[SyncEvent]:
        """First reads, by Id: the increments then run from the instant at which they began."""
        some, run.firsts = {stream.name: stream for stream in run.firsts}, []
        for event in self._backfill.run([self._order(stream, run.state[name]) for name, stream in some.items()]):
            stream, before = some[event.name], run.state[event.name]
            if isinstance(event, Stuck):
                yield from self._stuck(run, stream, event.error)
                continue
            records = self._records(stream, event.rows, run.state)
            if not event.done:
                run.state[stream.name] = replace(before, walk=event.mark.data())
                yield Batch(stream.name, records, run.state[stream.name].text())
                continue
            cursor = run.state[stream.name] = replace(before, at=event.mark.began, id="", done=True, walk={})
            began = instant(event.mark.began)
            last = Batch(
                stream.name, records, cursor.text(), fresh_at=None if began is None else self._composer.ours(began)
            )
            yield from self._finished(run, stream, last, cursor)

    def _order(self, stream: Stream, cursor: Cursor) -> Order:
        fields, mark = self._fields(stream, cursor), Mark.load(cursor.walk)
        return Order(stream.name, stream.object, fields, stream.query, stream.where, mark)

    def _stuck(self, run: Run, stream: Stream, error: VendorError) -> Iterator[SyncEvent]:
        if error.code in troubles.ABSENT | troubles.HIDDEN:
            page = Page(stream, self._composer.page(""), run.state[stream.name])
            yield from self._refused(run, page, [{"errorCode": error.code, "message": str(error)}])
            return
        run.finished.add(stream.name)
        yield troubles.trouble(stream.name, error, self._clock)

    def _near(self, stream: Stream, names: Sequence[str]) -> dict[str, str]:
        sobject = self._schema.known(stream.object)
        found = {name: sobject.near(name) for name in names} if sobject else {}
        return {name: near for name, near in found.items() if near is not None}

    def _records(self, stream: Stream, rows: Sequence[Any], state: Mapping[str, Cursor]) -> tuple[Record, ...]:
        if stream.name.startswith(history.PREFIX):
            rows = history.without_names(rows)
        records = [record for row in rows for record in stream.record(row)]
        relation = _RELATION_OF.get(stream.name)
        if relation is None or state[relation].absent:
            return tuple(records)
        # The org has relation rows: they say who took part, and more than the activity itself does.
        bare: list[Record] = [replace(r, participants=None) if isinstance(r, ActivityRecord) else r for r in records]
        if stream.name == "events" and state["task_relations"].absent:
            bare += [record for row in rows for record in primary_contact(row)]
        return tuple(bare)


def _settled(stream: Stream, cursor: Cursor) -> bool:
    """Has the object been read to its end, with all that the mapping names."""
    return cursor.done and not _blind(stream, cursor)


def _narrowed(stream: Stream, cursor: Cursor) -> Cursor:
    """The cursor without what the mapping no longer names: named once more, it has to be read for all rows again."""
    if set(stream.covers) >= set(cursor.covers):
        return cursor
    covers = tuple(sorted(set(stream.covers) & set(cursor.covers)))
    return replace(cursor, covers=covers, without=tuple(n for n in cursor.without if n in stream.selects))


def _blind(stream: Stream, cursor: Cursor) -> bool:
    """Has the object to be looked at before it can be read: it is new, or the mapping names more than before."""
    return not cursor.absent and (cursor.field is None or not set(stream.covers) <= set(cursor.covers))
