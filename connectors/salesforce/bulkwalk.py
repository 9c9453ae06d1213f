"""Walk an object by query jobs: several side by side, a page at a time into a file, each verified before it is kept."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from connectors.http import VendorError
from connectors.salesforce.bulk import Jobs, JobState, NotServed
from connectors.salesforce.bulkcsv import Columns, Torn, columns, rows
from connectors.salesforce.pages import failure, sort_key
from connectors.salesforce.session import QUERIES_PER_CALL, SalesforceSession
from connectors.salesforce.walks import FIRST_LOOK, Mark, Page, Stuck, Walk, soql
from store.records import HOUR, Clock

_BATCH = 2_000
"""Rows handed on at once: what stands in memory."""
_PATIENCE = 600.0
"""Seconds that one run waits for jobs; then the increments have their turn, and the next run goes on."""
_LONGEST_PAUSE = 60.0
_JOB_LIFE = 6 * HOUR
_GONE = frozenset({"NOT_FOUND", "INVALIDJOB", "INVALIDJOBSTATE", "INVALID_QUERY_LOCATOR"})
_PAGE_TRIES = 3

_Steps = Generator[Page | Stuck, None, bool]
"""Gives pages; its result: does the walk go on."""


class JobWalk:
    """Objects that are read by query jobs."""

    def __init__(self, session: SalesforceSession, clock: Clock, spool: Path, root: str) -> None:
        self._session, self._clock, self._spool, self._root = session, clock, spool, root
        self._jobs = Jobs(session)

    def patience(self) -> float:
        """Until when a run that begins now waits for jobs, by the monotonic clock."""
        return self._clock.monotonic() + _PATIENCE

    def run(self, large: list[Walk], small: deque[Walk], ends: float) -> Iterator[Page | Stuck]:
        """Work the walks off; one that the Bulk API does not serve is moved to `small`, where REST has it."""
        while large:
            walk = min(large[:QUERIES_PER_CALL], key=lambda one: one.look_at)
            wait = walk.look_at - self._clock.monotonic()
            if wait > 0 and self._clock.monotonic() + wait > ends:
                yield from (Stuck(one.name, _patience_over(one)) for one in large)
                large.clear()
                return
            if wait > 0:
                self._clock.sleep(wait)
            try:
                goes_on = yield from self._step(walk)
            except NotServed:
                yield walk.page((), walk.mark.anew(by="rest", limit=0, tries=0))
                small.append(walk)
                goes_on = False
            except VendorError as error:
                if error.kind in ("deferred", "auth") or (error.kind == "retry" and error.status is None):
                    raise
                yield Stuck(walk.name, error)
                goes_on = False
            if not goes_on:
                large.remove(walk)

    def _step(self, walk: Walk) -> _Steps:
        if walk.columns is None:
            walk.columns = self._columns(walk)
        if not walk.mark.job:
            job = self._jobs.create(soql(walk.order, walk.columns.asked, walk.mark), walk.order.resource)
            walk.look_at, walk.pause = self._clock.monotonic() + FIRST_LOOK, FIRST_LOOK
            yield walk.page((), replace(walk.mark, job=job, asked_at=self._clock.now()))
            return True
        try:
            state = self._jobs.look(walk.mark.job)
        except VendorError as error:
            if error.code not in _GONE:
                raise
            return (yield from self._anew(walk, error))
        if state.running:
            return (yield from self._wait(walk))
        if state.state != "JobComplete":
            return (yield from self._failed(walk, state))
        return (yield from self._pages(walk, walk.columns, state))

    # ------------------------------------------------------------ a job that has not ended well, or not yet

    def _wait(self, walk: Walk) -> _Steps:
        if self._clock.now() - walk.mark.asked_at > _JOB_LIFE:
            self._jobs.drop(walk.mark.job, running=True)
            slow = VendorError(
                "retry", f"the query job of {walk.order.object} has not ended in {_JOB_LIFE // HOUR} hours"
            )
            return (yield from self._anew(walk, slow, smaller=True))
        walk.pause = min(walk.pause * 1.5, _LONGEST_PAUSE)
        walk.look_at = self._clock.monotonic() + walk.pause
        return True

    def _failed(self, walk: Walk, state: JobState) -> _Steps:
        self._jobs.drop(walk.mark.job)
        why = f": {state.message}" if state.message else ""
        error = VendorError("retry", f"the query job of {walk.order.object} ended {state.state}{why}", status=200)
        return (yield from self._anew(walk, error, smaller=state.too_much))

    def _anew(self, walk: Walk, error: VendorError, *, smaller: bool = False) -> _Steps:
        """Begin the window again, `smaller` with half the rows; or say loudly that it cannot be read."""
        again = walk.mark.less(error) if smaller else walk.mark.again(error)
        walk.look_at = self._clock.monotonic() + FIRST_LOOK
        yield walk.page((), again or walk.mark.anew(tries=0))
        if again is None:
            yield Stuck(walk.name, error)
        return again is not None

    # ------------------------------------------------------------ its pages

    def _pages(self, walk: Walk, columns_: Columns, state: JobState) -> _Steps:
        while True:
            mark = walk.mark
            with self._file() as file:
                try:
                    count, following = self._page(mark, file, columns_)
                except VendorError as error:
                    if not isinstance(error, Torn) and error.code not in _GONE and error.status != 409:
                        raise
                    return (yield from self._anew(walk, error))
                if not following and mark.rows + count != state.processed:
                    self._jobs.drop(mark.job)
                    got = f"{mark.rows + count:,} rows in place of {state.processed:,}"
                    short = VendorError("retry", f"the query job of {walk.order.object} gave {got}", status=200)
                    return (yield from self._anew(walk, short))
                yield from self._rows(walk, file, columns_, count, following)
            if not following:
                self._jobs.drop(mark.job)
                return bool(mark.limit) and mark.rows + count >= mark.limit

    def _page(self, mark: Mark, file: IO[bytes], columns_: Columns) -> tuple[int, str]:
        """A page that is torn, or whose locator is refused, may come whole the next time."""
        for left in reversed(range(_PAGE_TRIES)):
            try:
                return self._jobs.page(mark.job, mark.locator, file, columns_)
            except OSError as error:
                what = f"a page of Bulk results cannot be kept in {self._spool} ({error.strerror}): make room there"
                raise VendorError("failed", what) from error
            except VendorError as error:
                if not left or not (isinstance(error, Torn) or error.code == "INVALID_QUERY_LOCATOR"):
                    raise
        raise AssertionError("the last try returns or raises")

    def _rows(
        self, walk: Walk, file: IO[bytes], columns_: Columns, count: int, following: str
    ) -> Iterator[Page | Stuck]:
        """A verified page in batches; only the last one moves the mark, for a page is read again as a whole."""
        before, top, kept = walk.mark, walk.mark.top or walk.mark.id, 0
        found = rows(file, columns_)
        while True:
            some = list(islice(found, _BATCH))
            kept += len(some)
            top = max([top, *(row["Id"] for row in some)], key=sort_key)
            if some and kept < count:
                yield walk.page(some, before)
                continue
            if following:
                yield walk.page(some, replace(before, locator=following, rows=before.rows + count, top=top))
            else:
                full = bool(before.limit) and before.rows + count >= before.limit
                yield walk.page(some, before.anew(id=top, tries=0), done=not full)
            return

    def _file(self) -> IO[bytes]:
        """A file without a name (0600): it goes with the process, however that ends."""
        try:
            self._spool.mkdir(mode=0o700, parents=True, exist_ok=True)
            return TemporaryFile(dir=self._spool, prefix="tierd-")
        except OSError as error:
            what = (
                f"no file can be made in {self._spool} ({error.strerror}): give tierd a folder to write to with `data`"
            )
            raise VendorError("failed", what) from error

    def _columns(self, walk: Walk) -> Columns:
        """The columns to ask for, by the object's describe and those of the objects that paths lead to."""
        order = walk.order
        describe = self._describes([order.object])[0]
        hops = {name.split(".")[0] for name in order.fields if name.count(".") == 1}
        leads = {
            f["relationshipName"]: f["referenceTo"] for f in describe["fields"] if f.get("relationshipName") in hops
        }
        single = {hop: targets[0] for hop, targets in leads.items() if len(targets) == 1}
        related: dict[str, str] = {}
        for hop, target in zip(single, self._describes(list(single.values())) if single else [], strict=True):
            related |= {f"{hop}.{f['name']}": f["type"] for f in target["fields"]}
        return columns(order.fields, describe, related)

    def _describes(self, names: list[str]) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        for status, body in self._session.get([f"{self._root}/sobjects/{name}/describe" for name in names], "backfill"):
            if status != 200:
                raise failure(status, body)
            found.append(body)
        return found


def _patience_over(walk: Walk) -> VendorError:
    return VendorError(
        "retry", f"the query job of {walk.order.object} still runs: the next sync looks again", status=200
    )
