"""Query jobs of Bulk API 2.0: what is asked, how far it is, and how a test may make it end badly."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sandbox.clock import DAY, ScenarioClock
from sandbox.salesforce.errors import Refused
from sandbox.salesforce.soql.run import Table
from sandbox.salesforce.switches import Switches
from sandbox.versions import Row

KEPT = 7 * DAY
"""Jobs and their results are deleted after seven days."""
RUNNING = ("UploadComplete", "InProgress")
DELIMITERS = {"BACKQUOTE": "`", "CARET": "^", "COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "TAB": "\t"}
LINE_ENDINGS = {"LF": "\n", "CRLF": "\r\n"}


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of the next `times` jobs over `object` (empty: any object).

    `state` is the end: JobComplete, Failed, Aborted, or InProgress for a job that never ends. `message` is its errorMessage.
    With `refused`, an errorCode, the job is not made: its creation answers 400 with that code and the message.
    Pages count from 1: `cut_page` ends in the middle of its last row, `expired_page` answers its locator once with an
    error, and `count_off` is added to Sforce-NumberOfRecords of `count_page`. `lost` rows at the end are left out while
    numberRecordsProcessed still counts them.
    """

    state: str = "JobComplete"
    message: str = ""
    refused: str = ""
    object: str = ""
    times: int = 1
    cut_page: int = 0
    expired_page: int = 0
    count_page: int = 1
    count_off: int = 0
    lost: int = 0


@dataclass(frozen=True, slots=True)
class Order:
    """What a client asked for."""

    operation: str
    query: str
    object: str
    version: str
    delimiter: str
    line_ending: str


@dataclass
class Job:
    """One query job with its rows as they were when it was made."""

    id: str
    order: Order
    table: Table
    fate: Fate
    created_at: int
    moved_at: int
    state: str = "UploadComplete"
    polls: int = 0
    troubled: set[int] = field(default_factory=set)
    """Pages whose scripted trouble has struck."""

    @property
    def rows(self) -> Sequence[Row]:
        """The rows that its results give."""
        rows = self.table.rows
        return rows[: len(rows) - self.fate.lost] if self.fate.lost else rows


class Jobs:
    """The query jobs of one org; hold the store's lock while you use it."""

    def __init__(self, clock: ScenarioClock, switches: Switches) -> None:
        self._clock = clock
        self._switches = switches
        self._jobs: dict[str, Job] = {}
        self._made: deque[int] = deque()
        self._stored: deque[tuple[int, int]] = deque()
        self._fates: list[Fate] = []

    def script(self, fate: Fate) -> None:
        """Decide over jobs to come; the first fate that fits a job is used up."""
        self._fates.append(fate)

    def made(self) -> int:
        """Jobs made in the last 24 hours."""
        oldest = self._clock.now() - DAY
        while self._made and self._made[0] <= oldest:
            self._made.popleft()
        return len(self._made)

    def stored_kb(self) -> int:
        """Kilobytes of results handed out in the last 24 hours."""
        oldest = self._clock.now() - DAY
        while self._stored and self._stored[0][0] <= oldest:
            self._stored.popleft()
        return sum(size for _, size in self._stored) // 1024

    def store(self, size: int) -> None:
        """Count bytes of results."""
        self._stored.append((self._clock.now(), size))

    def check(self) -> None:
        """Refused when the allowance for jobs or for their results is used up."""
        if self.made() >= self._switches.bulk_jobs:
            message = f"Max bulk v2 query jobs ({self._switches.bulk_jobs}) per 24 hrs has been reached"
            raise Refused(400, "LIMIT_EXCEEDED", message)
        most = self._switches.bulk_storage_kb
        if self.stored_kb() >= most:
            message = f"Max bulk v2 query result size stored ({most}) kb per 24 hrs has been exceeded"
            raise Refused(400, "LIMIT_EXCEEDED", message)

    def add(self, job_id: str, order: Order, table: Table) -> Job:
        """A new job in the state UploadComplete."""
        fate, now = self._fate(order.object), self._clock.now()
        if fate.refused:
            raise Refused(400, fate.refused, fate.message)
        self._made.append(now)
        job = self._jobs[job_id] = Job(job_id, order, table, fate, now, now)
        return job

    def get(self, job_id: str) -> Job | None:
        """The job unless it was deleted, by a client or by age."""
        job = self._jobs.get(job_id)
        if job is not None and job.created_at + KEPT <= self._clock.now():
            del self._jobs[job_id]
            return None
        return job

    def all(self) -> list[Job]:
        """Every job, the newest first."""
        return [job for name in reversed(list(self._jobs)) if (job := self.get(name)) is not None]

    def poll(self, job: Job) -> None:
        """A client looked: move the job on if it is time."""
        if job.state not in RUNNING:
            return
        job.polls += 1
        done = job.polls > self._switches.bulk_polls and self._clock.now() >= job.created_at + self._switches.bulk_time
        self.move(job, job.fate.state if done else "InProgress")

    def move(self, job: Job, state: str) -> None:
        """Put the job in another state."""
        if job.state != state:
            job.state, job.moved_at = state, self._clock.now()

    def drop(self, job: Job) -> None:
        """Forget the job and its results."""
        del self._jobs[job.id]

    def _fate(self, object_name: str) -> Fate:
        for index, fate in enumerate(self._fates):
            if fate.object in ("", object_name):
                left = [] if fate.times == 1 else [replace(fate, times=max(0, fate.times - 1))]
                self._fates[index : index + 1] = left
                return fate
        return Fate()
