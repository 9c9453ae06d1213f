"""Settings of a usage feed: where its rows come from, and what their columns mean."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

_FROZEN = ConfigDict(frozen=True, extra="forbid")
Content = Literal["samples", "features", "activities", "surveys"]


class Columns(BaseModel):
    """Which column says what. In JSON a name with dots (`properties.plan`) looks into nested objects."""

    model_config = _FROZEN

    key: str | None = "workspace"
    """Names the account: the mapped `usage_key`, else a CRM id, else a web domain. `null`: only `user` does."""
    at: str | None = None
    """ISO date or date-time, or epoch seconds or milliseconds; a date counts as its day's midnight, UTC. `date`; of
    activities `start`.
    """
    user: str | None = None
    """E-mail address, where the feed is per user."""
    recorded_at: str | None = None
    """When the feed says the row became known."""

    metric: str | None = None
    """Samples with one metric a row: the column with its name."""
    value: str | None = None
    """The number beside `metric`; of features how often it was used (none: once a row); of surveys the answer's number,
    `value` where it is not set.
    """

    feature: str = "feature"
    """Name of the feature, or of the event that shows its use."""
    users: str | None = None
    """How many different users, where the feed counts them itself."""
    offered: str | None = None
    """Is the feature in this customer's plan."""

    id: str = "id"
    """Names an activity for good; without it the message id, the calendar id, or its content does. Answers to surveys
    always have one.
    """
    kind: str = "kind"
    """email, call or meeting; of surveys csat or nps."""
    end: str = "end"
    direction: str = "direction"
    """in or out; without it the sender tells."""
    sender: str = "from"
    """Address of the sender, caller or organizer."""
    to: str = "to"
    """Addresses of the others: a list, or a text parted by semicolons or commas."""
    cc: str = "cc"
    status: str = "status"
    """planned, done, cancelled, no_show or deleted; empty: a meeting counts when it has ended."""
    disposition: str = "disposition"
    """connected, or how else a call ended."""
    message_id: str = "message_id"
    ical_uid: str = "ical_uid"
    subject: str = "subject"
    automatic: str = "automatic"
    """Newsletters, sequences, automatic answers: true."""


class UsageSettings(BaseModel):
    """One usage feed: files, a query, or pushes."""

    model_config = _FROZEN
    kind: Literal["usage"]
    content: Content = "samples"
    """samples: numbers over time. features: use of features. activities: metadata of mails, calls and meetings from
    systems outside the CRM. surveys: answers to CSAT and NPS questions, one a row.
    """
    files: tuple[str, ...] = ()
    """Patterns, relative to the configuration file: usage/*.csv, usage/*.jsonl, usage/*.parquet; .gz is unpacked."""
    url: SecretStr | None = None
    """SQLAlchemy URL of a database; the query runs in a read-only transaction."""
    query: str | None = None
    push: bool = False
    """Rows are sent to the ingest listener (`ingest`), at /usage/<name of this source>."""
    columns: Columns = Columns()
    metrics: tuple[str, ...] = ()
    """Samples: the columns that are metrics; with `columns.metric`, the metrics that are kept (none named: all)."""
    accounts: str | None = None
    """A CSV file with the columns `key` and `account`: which account each key is, before anything else. The account
    is a CRM id, a mapped workspace key or a web domain.
    """
    marker: str | None = None
    """A suffix such as .done: a file is taken once a file of its name with that suffix lies beside it."""
    settle_seconds: float = Field(2.0, ge=0, le=600)
    """A file that was written to a shorter time ago is looked at twice, and left for the next time if it grows."""
    rows: str | None = None
    """Of a pushed JSON object: where the list of rows lies in it, with dots (`parameters.members`)."""
    skip_unnamed: bool = False
    """Leave out rows that name neither an account nor a user, as anonymous visitors in a stream of events do."""
    keep_subjects: bool = False
    """Activities: keep the subject line; without it it is dropped as it is read."""
    csat_scale: tuple[float, float] = (0, 100)
    """Surveys: the worst and the best answer to a CSAT question, such as [1, 5]."""
    rhythm: str | None = Field(default=None, pattern=r"^[1-9]\d{0,3}[mhdw]$")
    """Between two samples of one account, such as 1d or 1w; it wins over `usage.interval` for this feed."""
    history_known_at_once: bool = True
    """Rows of the first read count as known on their own day; without it, from the day they were read."""

    @model_validator(mode="after")
    def _one_way(self) -> UsageSettings:
        if bool(self.url) != bool(self.query):
            raise ValueError("`url` and `query` belong together: give both, or neither")
        if (bool(self.files), bool(self.url), self.push).count(True) != 1:
            raise ValueError("give one of `files`, or `url` and `query`, or `push: true`")
        return self

    @model_validator(mode="after")
    def _content(self) -> UsageSettings:
        columns = self.columns
        if self.content == "samples" and columns.metric is None and not self.metrics:
            raise ValueError("`metrics` is missing: name the columns that are metrics, or `columns.metric`")
        if self.content == "samples" and (columns.metric is None) != (columns.value is None):
            raise ValueError("`columns.metric` and `columns.value` belong together: give both, or neither")
        if self.content != "samples" and self.metrics:
            raise ValueError(f"`metrics` are for samples: a feed of {self.content} has none")
        if self.content != "activities" and columns.key is None and columns.user is None:
            raise ValueError("without `columns.key` rows need `columns.user` to find their account")
        if self.content != "surveys" and "csat_scale" in self.model_fields_set:
            raise ValueError("`csat_scale` is for surveys")
        if not 0 <= self.csat_scale[0] < self.csat_scale[1]:
            raise ValueError("`csat_scale` names the worst answer first, then the best: write for example [1, 5]")
        if self.content != "activities" and self.keep_subjects:
            raise ValueError("`keep_subjects` is for activities")
        return self

    @property
    def answer_column(self) -> str:
        """Of surveys, the column with the answer's number."""
        return self.columns.value or "value"

    @property
    def at_column(self) -> str:
        """The column with the instant."""
        return self.columns.at or ("start" if self.content == "activities" else "date")
