"""Bad input: one clear message with place and remedy, nothing of that file applied, and the daemon stays up."""

from __future__ import annotations

import shutil
import subprocess
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select

from daemon.demo.setup import SECRETS
from store.records import DAY, HOUR
from store.tables import freshness, schedule
from tests.acceptance.world import Stage, until

pytestmark = pytest.mark.acceptance

_UNREACHABLE = "http://127.0.0.1:9"  # the discard port: nobody listens there
_GOOD_RULE, _BAD_RULE = "renewal due and no exec contact in 15 days", "renewal due and no exce contact in 15 days"
_HEADER = "date,workspace,active_users,active_users_28d\n"
_BAD_FILE = _HEADER + "2026-03-02,ws-new,12,40\n2026-03-02,ws-other,many,40\n"
_BOOKKEEPING = ("sync_runs", "stream_runs", "freshness", "sources")


# In the order of the file: what stands there, what a person makes of it, the column of that line, what is then said.
_MISTAKES = (
    ("timezone: UTC", "timezon: UTC", 1, "unknown key `timezon`; did you mean `timezone`?"),
    ("customer: {Type: Customer}", "customer: Customer", 15, "`customer`: should be a section with keys of its own"),
    ("kind: hubspot", "kind: hubspt", 11, "`kind: hubspt` is not known; did you mean `hubspot`?"),
)


@pytest.mark.parametrize("command", [("check",), ("sync", "--once"), ("evaluate", "--once")], ids=" ".join)
def test_mistakes_in_the_configuration_stop_every_command(office: Stage, command: tuple[str, ...]) -> None:
    """One message for each, with file, line, column and the fix; nothing is read, evaluated or sent."""
    said = [
        f"tierd.yaml:{office.edit(text, instead)}:{column}: {message}" for text, instead, column, message in _MISTAKES
    ]
    before, mark = office.dump(), office.last_request()
    done = office.tierd(*command)
    assert (done.code, done.out, done.err.splitlines()) == (2, "", said)
    assert office.dump() == before
    assert office.requests(mark) == {}


def test_missing_secret_is_named_with_its_place(office: Stage) -> None:
    """The variable, where it is asked for, and the two ways to give it; no secret is printed."""
    line = office.edit("auth: {access_token: {env: TIERD_DEMO_HUBSPOT_TOKEN}}", "auth: {access_token: {env: HS_TOKEN}}")
    before = office.dump()
    for command in (("check",), ("sync", "--once")):
        done = office.tierd(*command)
        assert done.code == 2
        assert done.err.startswith(f"tierd.yaml:{line}:")
        assert "the secret HS_TOKEN is not set: export HS_TOKEN=..., or HS_TOKEN_FILE=/path/to/it" in done.err
        assert len(done.err.strip().splitlines()) == 1
        assert not any(office.environment()[name] in done.said for name in SECRETS)
    assert office.dump() == before


def test_unreachable_host_is_one_message_and_the_other_sources_are_read(office: Stage) -> None:
    """`check` and `sync --once` exit 2 with one sentence on the address; that source stays as it was."""
    address = office.info["hubspot"]["base_url"]
    office.edit(address, _UNREACHABLE)
    checked = office.tierd("check")
    assert checked.code == 2
    assert f"error   no answer from {_UNREACHABLE}" in checked.out
    assert checked.said.count("no answer from") == 1
    before = office.dump(*_BOOKKEEPING)
    synced = office.tierd("sync", "--once", "-s", "hubspot", "-s", "product-usage")
    assert synced.code == 2
    (said,) = [line for line in synced.err.splitlines() if line.startswith("hubspot ")]
    assert f"no answer from {_UNREACHABLE}" in said
    assert "is it reachable, and is base_url right?" in said
    assert "product-usage: ok" in synced.out
    assert "Traceback" not in synced.said
    assert office.dump(*_BOOKKEEPING) == before


def test_typo_in_a_rule_is_shown_with_a_caret(office: Stage) -> None:
    """File, line, column, the line itself, and the fix; no rule of the file is evaluated."""
    line = office.edit(_GOOD_RULE, _BAD_RULE, "rules/churn.yaml")
    before = office.dump()
    for command in (("check",), ("evaluate", "--once", "--as-of", "2026-03-03T06:00")):
        done = office.tierd(*command)
        assert done.code == 2
        assert f"rules/churn.yaml:{line}:30: error E-FACT: unknown event `exce contact`" in done.said
        assert "^^^^^^^^^^^^\n" in done.said
        assert "did you mean `exec contact`?" in done.said
        assert "Traceback" not in done.said
    assert office.dump() == before


def test_bad_row_is_named_and_the_rest_of_its_file_is_kept(office: Stage) -> None:
    """The message has the file's line, the value and the fix; the good row of that file is there."""
    feed = _own_feed(office)
    assert office.tierd("sync", "--once", "-s", "product-usage").code == 0
    before = len(office.dump()["usage_samples"])
    (feed / "usage-2026-03-03.csv").write_text(_BAD_FILE)
    said = "usage/usage-2026-03-03.csv:3: `active_users` is 'many': write a number, or leave it empty"
    assert f"warning {said}" in office.tierd("check").out
    done = office.tierd("sync", "--once", "-s", "product-usage")
    assert (done.code, done.err.splitlines()[-1]) == (2, f"product-usage samples: {said}")
    assert len(office.dump()["usage_samples"]) == before + 2, "the two metrics of the good row"


def test_daemon_stays_up_and_says_what_is_wrong(office: Stage) -> None:
    """A bad row, an unreachable CRM and a typo in a rule: the daemon goes on with what it has, and tells."""
    feed = _own_feed(office)
    shutil.copytree(office.sandbox.usage_dir, feed, dirs_exist_ok=True)
    (feed / "usage-2026-03-03.csv").write_text(_BAD_FILE)
    office.edit(office.info["hubspot"]["base_url"], _UNREACHABLE)
    office.edit(_GOOD_RULE, _BAD_RULE, "rules/churn.yaml")

    office.child.run()
    office.control.limit(office.sandbox.clock.now() - office.sandbox.clock.now() % DAY + DAY + 10 * HOUR)
    until(partial(_troubled, office, {"sync:hubspot", "sync:product-usage", "evaluate"}), "three troubles")
    until(partial(_told, office, 3), "the operators' channel")

    assert office.child.process is not None
    assert _status(office, "product-usage", "samples") == "partial"
    assert _status(office, "hubspot", "accounts") == "partial"
    assert _status(office, "salesforce", "accounts") == "ok"
    status = office.tierd("status", COLUMNS="300")
    assert status.code == 0
    assert f"tierd run pid {office.child.process.pid}" in status.out
    assert "usage/usage-2026-03-03.csv:3: `active_users` is 'many'" in status.out
    assert f"no answer from {_UNREACHABLE}" in status.out
    assert "the last good rules are used: rules/churn.yaml:7:30" in status.out
    assert office.child.process.poll() is None
    assert office.child.stop() == 0


def test_mistake_in_one_source_does_not_keep_the_daemon_down(office: Stage) -> None:
    """`tierd run` leaves the source with the mistake out, says where the mistake is, and reads the others."""
    line = office.edit("columns: {key: workspace, at: date}", "column: {key: workspace, at: date}")
    running = office.popen("run")
    try:
        until(lambda: _status(office, "product-usage", "configuration") == "failed", "the source to be left out")
        until(partial(_synced, office, "sync:salesforce"), "the other sources to be read")
    finally:
        running.terminate()
        out, err = _ended(running)
    assert running.returncode == 0, out + err
    assert f"tierd.yaml:{line}:5: unknown key `column`; did you mean `columns`?" in err
    assert "Traceback" not in err


def _own_feed(office: Stage) -> Path:
    """The usage files in the office's own folder, so that a bad one is nobody else's."""
    feed = office.folder / "usage"
    shutil.copytree(office.sandbox.usage_dir, feed)
    office.edit(f"{office.sandbox.usage_dir}/*.csv", "usage/*.csv")
    return feed


def _status(office: Stage, source: str, stream: str) -> str | None:
    wanted = select(freshness.c.status).where(freshness.c.source == source, freshness.c.stream == stream)
    with office.store.read() as connection:
        found = connection.scalar(wanted)
    return None if found is None else str(found)


def _troubled(office: Stage, tasks: set[str]) -> bool:
    office.child.check()
    with office.store.read() as connection:
        return tasks <= set(connection.scalars(select(schedule.c.task).where(schedule.c.trouble.is_not(None))))


def _synced(office: Stage, task: str) -> bool:
    with office.store.read() as connection:
        row = connection.execute(select(schedule).where(schedule.c.task == task)).one()
    return (row.last_completed or 0) > office.start + 30 * DAY  # by the system's clock


def _told(office: Stage, count: int) -> bool:
    """Has the operators' channel so many notes of troubles."""
    texts = [m["text"] for m in office.messages() if m["channel_name"] == "tierd-operators"]
    return sum("does not work as it should" in text for text in texts) >= count


def _ended(process: subprocess.Popen[str]) -> tuple[str, str]:
    return process.communicate(timeout=120)
