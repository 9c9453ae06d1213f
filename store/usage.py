"""Keep what usage feeds bring: samples, features, answers to surveys, the map; and name the subjects they are about."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, Table, and_, delete, insert, select

from store import dirty, sync_rows
from store.records import ActivityRecord, FeatureUse, FedActivity, Instant, SurveyAnswer, UsageMap, UsageSample
from store.refs import chunks, listed, upsert
from store.saved import Saved
from store.tables import crm_activities, feature_uses, survey_answers, usage_map, usage_samples, usage_subjects

DIRTY = "samples"
"""In the dirty list: a subject whose rows are new or whose account may be another one."""
_PARTS = "\x1f"  # no parser lets a control character into a key
_SOME = 2_000

Subject = tuple[str, str]
"""(key, user); either may be empty, never both."""


def subject_id(subject: Subject) -> str:
    """A subject as one text, for the dirty list."""
    return _PARTS.join(subject)


def subject_of(text: str) -> Subject:
    """The subject of such a text."""
    key, _, user = text.partition(_PARTS)
    return key, user


def save_samples(conn: Connection, source: str, records: Sequence[UsageSample], now: Instant) -> Saved:
    """Usage samples; one that is there with the same value is not written."""

    def row(r: UsageSample) -> dict[str, Any]:
        return {
            "source": source, "key": r.key, "user": r.user or "", "metric": r.metric, "at": r.at, "value": r.value,
            "recorded_at": now if r.recorded_at is None else r.recorded_at,
        }  # fmt: skip

    return _save(conn, usage_samples, source, [row(r) for r in records], ("value",))


def save_uses(conn: Connection, source: str, records: Sequence[FeatureUse], now: Instant) -> Saved:
    """Use of features; a row that is there as it is now is not written."""

    def row(r: FeatureUse) -> dict[str, Any]:
        return {
            "source": source, "key": r.key, "user": r.user or "", "feature": r.feature, "at": r.at, "uses": r.uses,
            "users": r.users, "offered": None if r.offered is None else int(r.offered),
            "recorded_at": now if r.recorded_at is None else r.recorded_at,
        }  # fmt: skip

    return _save(conn, feature_uses, source, [row(r) for r in records], ("uses", "users", "offered"))


def save_answers(conn: Connection, source: str, records: Sequence[SurveyAnswer], now: Instant) -> Saved:
    """Answers to surveys. Read again they keep the instant at which they became known; one that is the same stays."""
    latest = {r.id: r for r in records}
    c = survey_answers.c
    have: dict[str, Row[Any]] = {}
    for some in chunks(sorted(latest)):
        have |= {row.id: row for row in conn.execute(select(survey_answers).where(c.source == source, c.id.in_(some)))}
    names = ("key", "user", "kind", "value", "at")
    fresh = []
    for r in latest.values():
        row: dict[str, Any] = {
            "source": source, "id": r.id, "key": r.key, "user": r.user or "", "kind": r.kind, "value": r.value, "at": r.at,
        }  # fmt: skip
        old = have.get(r.id)
        if old is not None and all(getattr(old, name) == row[name] for name in names):
            continue
        known_since = now if r.recorded_at is None else r.recorded_at
        fresh.append(row | {"recorded_at": known_since if old is None else old.recorded_at})
    # Of an answer that is somebody else's now, the account that it was must be looked at again too.
    before = {(have[row["id"]].key, have[row["id"]].user) for row in fresh if row["id"] in have}
    accounts = _subjects(conn, source, {(row["key"], row["user"]) for row in fresh} | before)
    upsert(conn, survey_answers, [row | {"account_id": accounts[row["key"], row["user"]]} for row in fresh])
    return Saved(0, len(fresh), 0)


def _save(conn: Connection, table: Table, source: str, rows: Sequence[dict[str, Any]], values: Sequence[str]) -> Saved:
    """Write the rows whose values differ, with the account that their subject has; the last of equal keys counts."""
    names = [column.name for column in table.primary_key]
    latest = {tuple(row[name] for name in names): row for row in rows}
    have = _present(conn, table, source, list(latest.values()))
    fresh = [
        row
        for key, row in latest.items()
        if (old := have.get(key)) is None or any(old[name] != row[name] for name in values)
    ]
    accounts = _subjects(conn, source, {(row["key"], row["user"]) for row in fresh})
    upsert(conn, table, [row | {"account_id": accounts[row["key"], row["user"]]} for row in fresh])
    return Saved(0, len(fresh), 0)


def _present(
    conn: Connection, table: Table, source: str, rows: Sequence[dict[str, Any]]
) -> dict[tuple[Any, ...], dict[str, Any]]:
    """The stored rows of the same series in the same span of time, by primary key."""
    names = [column.name for column in table.primary_key]
    series = names[1:-1]  # between the source and the instant: key, user, and metric or feature
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for some in chunks(sorted(rows, key=lambda row: (row["key"], row["user"])), _SOME):
        wanted = listed("wanted", series, {tuple(row[name] for name in series) for row in some})
        near = (
            select(table)
            .join(wanted, and_(*(wanted.c[name] == table.c[name] for name in series)))
            .where(
                table.c.source == source,
                table.c.at.between(min(row["at"] for row in some), max(row["at"] for row in some)),
            )
        )
        found |= {tuple(row[name] for name in names): dict(row) for row in conn.execute(near).mappings()}
    return found


def _subjects(conn: Connection, source: str, wanted: Iterable[Subject]) -> dict[Subject, int | None]:
    """The account of each subject; a subject that is new is noted, and all of them are looked at again."""
    subjects = sorted(set(wanted))
    found = {(row.key, row.user): row.account_id for row in stored_subjects(conn, source, subjects)}
    new = [subject for subject in subjects if subject not in found]
    blank = dict.fromkeys(("host", "mail_host", "account_id", "matched_by"))
    if new:
        conn.execute(
            insert(usage_subjects),
            [{"source": source, "key": key, "user": user, "reason": "no_match", **blank} for key, user in new],
        )
    dirty.mark(conn, DIRTY, ((source, subject_id(subject)) for subject in subjects))
    return dict.fromkeys(new) | found


def stored_subjects(conn: Connection, source: str, wanted: Sequence[Subject]) -> list[Row[Any]]:
    """The rows of these subjects of a feed."""
    c = usage_subjects.c
    found: list[Row[Any]] = []
    for some in chunks(wanted, _SOME):
        names = listed("wanted", ("key", "user"), some)
        same = and_(names.c.key == c.key, names.c.user == c.user)
        found += conn.execute(select(usage_subjects).join(names, same).where(c.source == source)).all()
    return found


def save_fed(conn: Connection, source: str, records: Sequence[FedActivity], now: Instant) -> Saved:
    """Activities of a feed. Read again they keep the instants at which they, and their deletion, became known."""
    latest = {r.activity.id: r for r in records}
    c = crm_activities.c
    have: dict[str, Any] = {}
    for some in chunks(sorted(latest)):
        query = select(c.id, c.status, c.created_at, c.modified_at, c.deleted_at).where(
            c.source == source, c.id.in_(some)
        )
        have |= {row.id: row for row in conn.execute(query)}
    return sync_rows.save_activities(conn, source, [_settled(r, have, now) for r in latest.values()], now)


def _settled(record: FedActivity, have: Mapping[str, Any], now: Instant) -> ActivityRecord:
    activity, old = record.activity, have.get(record.activity.id)
    created = now if record.recorded_at is None else record.recorded_at
    if record.recorded_at is None and old is not None:
        created = old.created_at
    elif record.recorded_at is None and record.known_at_once:
        created = min(activity.starts_at, now)  # a meeting to come was not known before now
    deleted = (now if old is None or old.deleted_at is None else old.deleted_at) if record.deleted else None
    # A feed has no modification stamps; the one that matters is when a meeting was called off.
    modified = now if old is None or old.status != activity.status else old.modified_at
    return replace(activity, created_at=created, modified_at=modified, deleted_at=deleted)


def save_map(conn: Connection, source: str, records: Sequence[UsageMap], _now: Instant) -> Saved:
    """The explicit map of a feed, whole: keys that are not in it are no longer mapped."""
    wanted = dict(records[-1].accounts)
    c = usage_map.c
    have = {row.key: row.account for row in conn.execute(select(c.key, c.account).where(c.source == source))}
    fresh = {key: account for key, account in wanted.items() if have.get(key) != account}
    gone = sorted(set(have) - set(wanted))
    upsert(conn, usage_map, [{"source": source, "key": key, "account": name} for key, name in sorted(fresh.items())])
    for some in chunks(gone):
        conn.execute(delete(usage_map).where(c.source == source, c.key.in_(some)))
    mark_subjects(
        conn, lambda part: (usage_subjects.c.source == source) & usage_subjects.c.key.in_(part), {*fresh, *gone}
    )
    return Saved(0, len(fresh), len(gone))


def mark_subjects(conn: Connection, where: Callable[[Sequence[str]], Any], names: Iterable[str]) -> None:
    """Have derivation look again at the subjects that `where` finds for some of these names."""
    c = usage_subjects.c
    for some in chunks(sorted(set(names)), _SOME):
        rows = conn.execute(select(c.source, c.key, c.user).where(where(some)))
        dirty.mark(conn, DIRTY, ((row.source, subject_id((row.key, row.user))) for row in rows))
