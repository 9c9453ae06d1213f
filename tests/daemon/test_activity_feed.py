"""Metadata of mails and meetings from systems outside the CRM: they are touches, they prove coverage, they can be stale."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from connectors.usage.connector import UsageConnector
from connectors.usage.settings import UsageSettings
from daemon.derive import derive
from daemon.factsat import facts_at
from daemon.sync import SyncRun, run_sync
from rules.facts.settings import FactSettings
from rules.language import load
from rules.language.evaluate import evaluate as judge
from sandbox.clock import ScenarioClock
from store import runs
from store import tables as t
from store.engine import Store
from store.records import DAY, HOUR, ActivityStatus, Batch, Record, TeamMemberRecord
from store.sync import save_batch
from tests.clocks import StepClock
from tests.daemon.derivation import ACME, ANN, SETTINGS, T0, mail, meeting, table

NOW = T0 + 500 * DAY
SETTLED = FactSettings()
RULE = load(
    {
        "r.yaml": "rules:\n  - {rule: quiet, class: churn, severity: high, when: no exec contact in 15 days, say: Quiet., play: Call.}\n"
    }
)
CLEO = TeamMemberRecord("U1", "Cleo", "cleo@ours.test", True, T0)
FEED: dict[str, Any] = {"kind": "usage", "content": "activities", "files": ["mail/*.jsonl"], "settle_seconds": 0}
MAIL: dict[str, Any] = {
    "kind": "email", "start": "2026-02-20T08:00:00Z", "from": "Cleo <cleo@ours.test>", "to": ["ann@acme.test"],
    "message_id": "abc@mail",
}  # fmt: skip
assert NOW == 20_500 * DAY  # 2026-02-16


def write(folder: Path, *rows: Mapping[str, Any]) -> None:
    """One file of the feed."""
    (folder / "mail").mkdir(exist_ok=True)
    (folder / "mail/a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def feed(store: Store, folder: Path, now: int = NOW, **also: Any) -> SyncRun:
    """One sync of the feed, and the derivation after it."""
    clock = StepClock(ScenarioClock(now))
    connector = UsageConnector(UsageSettings.model_validate(FEED | also), clock, folder)
    with store.write() as conn:
        runs.declare_source(conn, "mailbox", "usage", HOUR)
    run = run_sync(store, "mailbox", connector, clock)
    derive(store, SETTINGS, now)
    return run


def crm(store: Store, *records: Record, fresh_at: int = NOW) -> None:
    """What the CRM has."""
    with store.write() as conn:
        runs.declare_source(conn, "sf", "salesforce", HOUR)
        save_batch(conn, "sf", Batch("tasks", records, "c", fresh_at=fresh_at), NOW)
    derive(store, SETTINGS, NOW)


def outcome(store: Store, as_of: int) -> tuple[bool | None, str | None]:
    """(does the silence rule hold, who is not covered)."""
    account = table(store, t.accounts, "id")[0][0]
    row = facts_at(store, SETTLED, as_of, account)
    assert row is not None
    return judge(RULE.rules[0], row, as_of).truth, row["not_covered"]


def test_a_feed_of_mail_ends_silence_and_proves_coverage(store: Store, tmp_path: Path) -> None:
    """Without it nothing of Cleo is captured and silence is unknown; with a mail to the CEO it is false, and covered."""
    crm(store, CLEO, ACME, ANN)
    as_of = NOW + 5 * DAY
    assert (None, "Cleo") == outcome(store, as_of)
    write(tmp_path, MAIL)
    assert "ok" == feed(store, tmp_path, NOW + 5 * DAY - HOUR).status
    assert (False, None) == outcome(store, as_of)


def test_mail_to_others_proves_coverage_and_leaves_silence_true(store: Store, tmp_path: Path) -> None:
    """A captured mailbox with nothing for the executive is what silence is made of."""
    crm(store, CLEO, ACME, ANN, fresh_at=NOW + 5 * DAY - HOUR)
    write(tmp_path, MAIL | {"to": "someone@elsewhere.test"})
    feed(store, tmp_path, NOW + 5 * DAY - HOUR)
    assert (True, None) == outcome(store, NOW + 5 * DAY)


def test_a_feed_that_is_no_longer_read_makes_silence_unknown(store: Store, tmp_path: Path) -> None:
    """It counts as an activity source of every account, with its own interval."""
    crm(store, CLEO, ACME, ANN)
    write(tmp_path, MAIL | {"to": "someone@elsewhere.test"})
    feed(store, tmp_path, NOW + 5 * DAY - HOUR)
    with store.write() as conn:
        save_batch(conn, "sf", Batch("tasks", (), "c", fresh_at=NOW + 6 * DAY), NOW)
    assert (None, None) == outcome(store, NOW + 5 * DAY + 3 * HOUR)


@pytest.mark.parametrize("known", ["<abc@mail>", None])
def test_the_copy_in_the_crm_is_the_same_mail(store: Store, tmp_path: Path, known: str | None) -> None:
    """By message id, with or without its brackets, else by sender, recipients and minute: one touch, not two."""
    at = 20_504 * DAY + 8 * HOUR
    crm(store, CLEO, ACME, ANN, mail("E1", at, message_id=known, participants=_sides("E1")))
    write(tmp_path, MAIL if known else {**MAIL, "message_id": None})
    feed(store, tmp_path, NOW + 5 * DAY)
    assert [("sf", "E1")] == table(store, t.touches, "source", "activity_id")
    assert 2 == len(table(store, t.crm_activities, "id"))


def _sides(ref: str) -> Any:
    return mail(ref, T0).participants


def test_meetings_are_one_by_their_calendar_id(store: Store, tmp_path: Path) -> None:
    """A meeting that was cancelled in the calendar is no booking; the CRM's copy of one is not counted twice."""
    start = NOW + 8 * DAY + 9 * HOUR
    seconds = start // 1_000_000
    crm(store, CLEO, ACME, ANN, meeting("M1", start, ActivityStatus.PLANNED, ical_uid="uid-1"))
    row = {
        "kind": "meeting", "start": seconds, "end": seconds + 3_600, "from": "cleo@ours.test",
        "to": "ann@acme.test", "ical_uid": "uid-1",
    }  # fmt: skip
    second = row | {"ical_uid": "uid-2", "start": seconds + 86_400, "end": seconds + 90_000}
    write(tmp_path, row, second)
    feed(store, tmp_path)
    assert {"M1", f"uid-2@{start + DAY}"} == {ref for (ref,) in table(store, t.touches, "activity_id")}
    write(tmp_path, row, second | {"status": "cancelled"})
    feed(store, tmp_path, NOW + HOUR)
    assert {("M1", None), (f"uid-2@{start + DAY}", NOW + HOUR)} == set(
        table(store, t.touches, "activity_id", "withdrawn_at")
    )


def test_subjects_are_dropped_unless_they_are_wanted(sqlite_store: Store, tmp_path: Path) -> None:
    """The column may be there; it is kept only where the feed says so."""
    write(tmp_path, MAIL | {"subject": "Secret \u200d plans"})
    feed(sqlite_store, tmp_path)
    assert [(None,)] == table(sqlite_store, t.crm_activities, "subject")
    write(tmp_path, MAIL | {"subject": "Secret \u200d plans", "cc": "bob@acme.test"})
    feed(sqlite_store, tmp_path, keep_subjects=True)
    assert [("Secret plans",)] == table(sqlite_store, t.crm_activities, "subject")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"body": "Dear Ann"}, "the column `body` is not known: activity feeds take metadata only"),
        ({"to": []}, "name fewer than two people"),
        ({"to": "Ann, the CEO"}, "name fewer than two people"),
        ({"to": ["Ann, the CEO"]}, "no e-mail address"),
        ({"kind": "note"}, "write one of call, email"),
        ({"end": "2026-02-20T07:00:00Z"}, "is before `start`"),
        ({"start": ""}, "`start` is empty"),
        ({"direction": "sideways"}, "write one of in, inbound"),
        ({"id": {"a": 1}}, "`id` is a list or an object"),
        ({"start": "Dear Ann"}, "`start` has a value that cannot be read: write a date"),
        ({"ann@acme.test": 1}, "the column `(an address)` is not known"),
    ],
)
def test_bad_activities_are_named(sqlite_store: Store, tmp_path: Path, change: dict[str, Any], said: str) -> None:
    """Nothing of such a row is kept, and no value that may be private is in the message."""
    write(tmp_path, MAIL | change)
    run = feed(sqlite_store, tmp_path)
    assert said in run.troubles["activities"]
    assert "Dear" not in run.troubles["activities"]
    assert "@" not in run.troubles["activities"].replace("name@example.com", "")
    assert [] == table(sqlite_store, t.crm_activities, "id")


def test_read_again_nothing_changes(store: Store, tmp_path: Path) -> None:
    """The same rows in another file are no change; the instant at which they became known stays."""
    crm(store, CLEO, ACME, ANN)
    write(tmp_path, MAIL)
    feed(store, tmp_path, NOW + 5 * DAY, history_known_at_once=False)
    before = table(store, t.crm_activities), table(store, t.touches)
    (tmp_path / "mail/b.jsonl").write_text(json.dumps(MAIL) + "\n")
    run = feed(store, tmp_path, NOW + 6 * DAY, history_known_at_once=False)
    assert (1, 0) == (run.saved.seen, run.saved.changed)
    assert before == (table(store, t.crm_activities), table(store, t.touches))
    assert [(NOW + 5 * DAY,)] == table(store, t.touches, "recorded_at")
