"""Every command against an imitation Salesforce: what it prints, what it changes, and how it ends."""

from __future__ import annotations

import json
import logging
import os
import pty
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import pytest
import structlog

from daemon.cli import common, run
from daemon.lock import writer
from daemon.profiles import shipped
from sandbox.serve import Sandbox, Settings
from sandbox.world.project_salesforce import TRACKED
from store.engine import Store

AS_OF = "2026-03-02T06:00"
CONFIG = """\
own_domains: [tierd-demo.example]
sources:
  salesforce:
    kind: salesforce
    base_url: {url}
    auth: {{method: client_credentials, client_id: {client}, client_secret: {{env: TIERD_TEST_SF}}}}
    customer: {{Type: Customer}}
    churned: {{Type: Former Customer}}
    csm: [{{field: CSM__c}}]
    fields:
      arr: {{field: ARR__c}}
      renewal: {{field: Renewal_Date__c}}
      contract_start: {{field: Contract_Start__c}}
      seats: {{field: Seats__c}}
      usage_key: {{field: Workspace_Id__c}}
    tier: {{field: Customer_Tier__c, values: {{1: Tier 1, 2: Tier 2, 3: Tier 3}}}}
  product-usage:
    kind: usage
    files: [usage/*.csv]
    metrics: [active_users, active_users_28d]
health: {{bind: "127.0.0.1:0"}}
"""


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


Tierd = Callable[..., Ended]
_ROOT = str(Path(__file__).parents[2])
"""Processes run the program that is tested, whatever is installed."""


@pytest.fixture(scope="module")
def vendors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A small world behind an imitation Salesforce."""
    usage = tmp_path_factory.mktemp("feed")
    running = Sandbox(Settings(accounts=60, days=2, history_days=120, usage_dir=usage))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def synced(vendors: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a configuration and a store that was synced and evaluated once; tests work on copies."""
    folder = tmp_path_factory.mktemp("synced")
    info = vendors.info()["salesforce"]
    assert isinstance(info, dict)
    (folder / "tierd.yaml").write_text(CONFIG.format(url=info["base_url"], client=info["client_id"]))
    (folder / "secret").write_text(str(info["client_secret"]))
    shutil.copytree(vendors.usage_dir, folder / "usage")
    (folder / "rules").mkdir()
    for name, text in shipped().items():
        (folder / "rules" / name).write_text(text)
    environ = {"TIERD_TEST_SF_FILE": str(folder / "secret"), "PATH": "/usr/bin:/bin", "PYTHONPATH": _ROOT}
    for command in (["sync", "--once"], ["evaluate", "--once", "--as-of", AS_OF]):
        done = subprocess.run(
            [sys.executable, "-m", "daemon.cli", *command, "--config", str(folder / "tierd.yaml")],
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def home(synced: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """This test's own copy of the synced folder, with its secret in the environment."""
    folder = tmp_path / "home"
    shutil.copytree(synced, folder)
    monkeypatch.setenv("TIERD_TEST_SF", (folder / "secret").read_text())
    monkeypatch.setenv("TIERD_CONFIG", str(folder / "tierd.yaml"))
    monkeypatch.setenv("TIERD_LOG_LEVEL", "critical")
    monkeypatch.setenv("COLUMNS", "200")
    for console in (common.out, common.err):  # made when first imported, perhaps with another width
        monkeypatch.setattr(console, "_width", 200)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def tierd(home: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Tierd]:
    """Run one command in this process."""
    assert home.exists()
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level

    def call(*arguments: str) -> Ended:
        capsys.readouterr()
        code = run(list(arguments))
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return Ended(code, captured.out, captured.err)

    yield call
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def _rows(home: Path, *tables: str) -> dict[str, list[tuple[object, ...]]]:
    with closing(sqlite3.connect(home / "tierd.db")) as connection:
        return {table: sorted(connection.execute(f"SELECT * FROM {table}"), key=repr) for table in tables}


def _change(home: Path, old: str, new: str, file: str = "tierd.yaml") -> None:
    path = home / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


# ---------------------------------------------------------------- looking


def test_check_tests_every_connection_and_says_what_is_needed(tierd: Tierd) -> None:
    """It names permissions with their reason, the customers found, and what a first sync costs."""
    done = tierd("check")
    assert done.code == 0
    assert "signed in to http://127.0.0.1" in done.out
    assert "the customer condition holds for " in done.out
    assert re.search(r"the customer condition holds for \d+ of \d+ accounts", done.out)
    assert "needs   Edit on Account.Customer_Tier__c - writing the tier back\n" in done.out
    assert done.out.count("may delete rows of Account, Contact, ") == 1
    assert "-> Read is enough: take Delete away\n" in done.out
    assert re.search(r"API calls \(less than 0.1% of the [\d,]+ that are left today\), about a minute", done.out)
    assert "disk: about" in done.out
    assert "no `slack:` section" in done.out
    assert done.out.endswith("ready: `tierd run`\n")


def test_newcomer_is_told_what_to_fill_in(tierd: Tierd, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After `init` alone: first the secret, then each value that is still the example's, and no file appears by looking."""
    monkeypatch.setenv("TIERD_CONFIG", str(home / "new" / "tierd.yaml"))
    monkeypatch.delenv("SF_CLIENT_SECRET", raising=False)
    made = tierd("init", "new")
    assert (made.code, "then `tierd check`" in made.out) == (0, True)
    assert "the secret SF_CLIENT_SECRET is not set: export SF_CLIENT_SECRET=..." in tierd("check").err
    monkeypatch.setenv("SF_CLIENT_SECRET", "some secret")
    done = tierd("check")
    assert done.code == 2
    for text in ("own_domains: example.com", "base_url: https://example.my.salesforce.com", "client_id: 3MVG9..."):
        assert f"{text}` is the example's\n          -> put your own there" in done.out
    assert "needs   Read on Account: " in done.out
    assert "no answer from" not in done.out
    assert done.out.endswith("not ready: mend the 3 errors above\n")
    assert tierd("status").code == 1
    assert not (home / "new" / "tierd.db").exists()


def test_help_begins_with_what_is_needed_first(tierd: Tierd) -> None:
    """A newcomer reads demo, init, map and check before the rest."""
    lines = [line.split()[0] for line in tierd("--help").out.split("Commands:")[1].splitlines() if line.strip()]
    assert lines[:6] == ["demo", "init", "map", "check", "preview", "run"]
    assert {"sync", "evaluate", "deliver", "sandbox"} <= set(lines)


def test_check_finds_a_customer_condition_that_nobody_meets(tierd: Tierd, home: Path) -> None:
    """A misspelt value is found before the first sync, not after a silent week."""
    _change(home, "customer: {Type: Customer}", "customer: {Type: Custommer}")
    done = tierd("check")
    assert done.code == 2
    assert "the customer condition holds for no account\n          -> look at `customer:`; other conditions" in done.out
    assert done.out.endswith("not ready: mend the error above\n")


def test_check_finds_a_field_that_is_not_there(tierd: Tierd, home: Path) -> None:
    """A mapped field that the CRM does not have is named."""
    _change(home, "ARR__c", "ARRR__c")
    done = tierd("check")
    assert done.code == 2
    assert "ARRR__c" in done.out
    assert "not ready" in done.out


def test_check_names_the_nearest_field_at_its_line(tierd: Tierd, home: Path) -> None:
    """A mapped field that the CRM does not have is an error with file, line, column and the right name."""
    _change(home, "{field: ARR__c}", "[{field: ARR_c}, {field: Seats__c}]")
    done = tierd("check")
    assert done.code == 2
    assert (
        "tierd.yaml:11:21: Account has no field `ARR_c`: did you mean `ARR__c`?\n          -> mend the name" in done.out
    )
    _change(home, "[{field: ARR_c}, {field: Seats__c}]", "{object: Opportunity, path: OwnerId, field: Amount}")
    assert "tierd.yaml:11:40: `path: OwnerId` of Opportunity leads to User, not to Account" in tierd("check").out


def test_check_says_what_silence_tiers_and_history_stand_on(tierd: Tierd, home: Path, vendors: Sandbox) -> None:
    """Field history, captured mail, the quota, other customer conditions, and the tier's target while write-back is off."""
    some = tierd("check").out
    assert re.search(r"warning no field history is kept of Account.CSM__c; .*who the CSM was", some)
    history = vendors.salesforce.history
    history.track("Account")  # of no field any more
    shown = tierd("check").out
    history.track("Account", *TRACKED)
    assert re.search(r"warning no field history is kept of Account.ARR__c, .*who set the tier", shown)
    assert re.search(r"ok      mail: [\d,]+ e-mails of the last 30 days are rows of the org", shown)
    assert re.search(r"ok      [\d,]+ API calls by tierd in 24 hours, of the 20,000 that it may make", shown)
    assert "ok      Account.Customer_Tier__c can be written" in shown
    _change(home, "1: Tier 1", "1: Tier One")
    done = tierd("check")
    assert (done.code, done.out.count("has no value Tier One; nothing is written while `writeback` is off")) == (0, 1)
    _change(home, "health:", "writeback: {enabled: true}\nhealth:")
    assert tierd("check").code == 2


def test_check_as_json(tierd: Tierd, home: Path) -> None:
    """The same for a script, with the same exit code."""
    found = json.loads(tierd("check", "--json").out)
    assert found["ok"] is True
    source = next(section for section in found["sections"] if section["name"] == "salesforce")
    assert {"level", "what", "remedy"} == set(source["findings"][0])
    assert source["first_sync"]["customers"] > 0
    _change(home, "ARR__c", "ARR_c")
    done = tierd("check", "--json")
    assert (done.code, json.loads(done.out)["ok"]) == (2, False)


def test_check_offers_conditions_where_none_holds(tierd: Tierd, home: Path) -> None:
    """A condition that nobody meets is an error that names those that somebody does."""
    _change(home, "customer: {Type: Customer}", "customer: {Type: Prospekt}")
    done = tierd("check")
    assert done.code == 2
    assert re.search(r"look at `customer:`; other conditions: `\{Type: Customer\}` for \d+", done.out)


# ---------------------------------------------------------------- mapping


def test_map_proposes_and_changes_nothing_by_itself(tierd: Tierd, home: Path) -> None:
    """Looking says the cost first, then customers and facts, and how to write it down; the file stays."""
    before = (home / "tierd.yaml").read_bytes()
    done = tierd("map", "salesforce")
    assert done.code == 0
    assert re.match(r"\d+ API calls so far; looking at exact counts and a sample of up to 400 customers", done.err)
    assert re.search(r"Type is Customer\n +as configured", done.out)
    assert re.search(r"arr +ARR__c\n +\d+% of customers; mapped in tierd.yaml", done.out)
    assert done.out.endswith("`tierd map salesforce --write` puts it into tierd.yaml\n")
    assert (home / "tierd.yaml").read_bytes() == before


def test_map_writes_what_was_missing_and_keeps_a_backup(tierd: Tierd, home: Path) -> None:
    """The diff is shown, the file is replaced as a whole, the old one stays beside it, and check finds nothing."""
    _change(home, "ARR__c", "ARR_c")
    _change(home, "    customer:", "    # who pays us\n    customer:")
    before = (home / "tierd.yaml").read_text()
    shown = tierd("map", "salesforce", "--write")
    assert (shown.code, (home / "tierd.yaml").read_text()) == (0, before)
    assert "nothing is written; --yes writes it" in shown.err
    done = tierd("map", "salesforce", "--write", "--yes", "--set", "term=")
    assert done.code == 0
    assert "-      arr: {field: ARR_c}" in done.err
    after = (home / "tierd.yaml").read_text()
    assert "    # who pays us\n    customer: {Type: Customer}\n" in after
    assert "{field: ARR__c}" in after
    assert "Term_Days__c" not in after
    assert (home / "tierd.yaml.bak").read_text() == before
    assert [path.name for path in home.glob(".tierd*")] == []
    assert tierd("check").code == 0
    again = tierd("map", "salesforce", "--write", "--yes", "--set", "term=")
    assert (again.code, "says so already: nothing to write" in again.err) == (0, True)
    assert (home / "tierd.yaml").read_text() == after


def test_map_never_writes_what_check_would_refuse(tierd: Tierd, home: Path) -> None:
    """A field that is not there, a fact that does not exist, a source that is none: told, and the file stays."""
    before = (home / "tierd.yaml").read_text()
    for arguments, text in (
        (("salesforce", "--write", "--yes", "--set", "arr=ARR_c"), "did you mean `ARR__c`?\n"),
        (("salesforce", "--write", "--yes", "--set", "customer={Typ: Customer}"), "`Typ`: did you mean `Type`?"),
        (("salesforce", "--set", "customer={Type: Custommer}"), "no account where Type is Custommer"),
        (("salesforce", "--set", "customer={Type: {gt: 3}}"), "one of not, at_least, at_most, known"),
        (("salesforce", "--set", "arr={object: Account, field: ARR__c}"), "leave `object` out"),
        (
            ("salesforce", "--set", "arr={object: OpportunityLineItem, field: TotalPrice}"),
            "name the lookup to Account under `path`\nnothing is written",
        ),
        (
            ("salesforce", "--write", "--yes", "--set", "rra=ARR__c"),
            "`rra` is no fact that is mapped: did you mean `arr`?",
        ),
        (("salesforce", "--set", "tier=Name"), "needs three options"),
        (("product-usage",), "'product-usage' is no CRM in tierd.yaml: there is salesforce"),
        (("salesforce", "--object", "Acount"), "there is no object `Acount`: did you mean `Account`?"),
    ):
        done = tierd("map", *arguments)
        assert (done.code, text in done.err) == (2, True), done.err
    assert (home / "tierd.yaml").read_text() == before
    assert not (home / "tierd.yaml.bak").exists()


def test_map_counts_customers_of_what_is_said_by_hand(tierd: Tierd) -> None:
    """A field that was no proposal has its own fill and number of empty customers; what is left out is not "not found"."""
    said = ("--set", "renewal=Contract_Start__c", "--set", "potential=Name", "--set", "seats=")
    facts = json.loads(tierd("map", "salesforce", "--json", *said).out)["facts"]
    start, renewal, potential = facts["contract_start"], facts["renewal"], facts["potential"]
    assert ["Contract_Start__c"] == [one["mapping"]["field"] for one in renewal["chosen"]]
    assert (start["empty"], start["chosen"][0]["fill"]) == (renewal["empty"], renewal["chosen"][0]["fill"])
    assert 0 <= renewal["empty"] < renewal["of"]
    assert potential["of"] == potential["empty"] > 0
    text = tierd("map", "salesforce", *said).out
    assert "as you said; 0% lie ahead" in text
    assert re.search(r"seats +left out, as you said", text)


def test_map_asks_on_a_terminal(home: Path) -> None:
    """Each fact is asked in turn: Return takes the proposal, 0 leaves the fact out, a name takes that field; then a yes."""
    _change(home, "renewal: {field: Renewal_Date__c}", "renewal: {field: Renewal_Dat__c}")
    answers = {"arr": "", "seats": "0", "renewal": "Contract_Start__c"}
    shown, code = _at_a_terminal(home, answers)
    assert code == 0, shown
    after = (home / "tierd.yaml").read_text()
    assert "renewal: {field: Contract_Start__c}" in after
    assert "seats:" not in after, shown
    assert "arr: {field: ARR__c}" in after
    assert (home / "tierd.yaml.bak").exists()


def _at_a_terminal(home: Path, answers: dict[str, str]) -> tuple[str, int]:
    """`tierd map salesforce --write` in a terminal of its own; every other question is answered with Return or yes."""
    ours, theirs = pty.openpty()
    environ = {"TIERD_TEST_SF": (home / "secret").read_text(), "PATH": "/usr/bin:/bin", "TIERD_LOG_LEVEL": "critical"}
    environ["PYTHONPATH"] = str(Path(__file__).parents[2])  # the program of this tree
    child = subprocess.Popen(
        [sys.executable, "-m", "daemon.cli", "map", "salesforce", "--write", "--config", str(home / "tierd.yaml")],
        stdin=theirs, stdout=theirs, stderr=theirs, env=environ, cwd=home,
    )  # fmt: skip
    os.close(theirs)
    shown, answered = "", 0
    try:
        while True:
            try:
                part = os.read(ours, 4096).decode(errors="replace")
            except OSError:  # Linux ends a terminal whose other side is closed with EIO
                break
            if not part:
                break
            shown += part
            questions = [*re.finditer(r"\n(\w+)\r\n  1 [^\x00]*?field's name[^\n]*?: ", shown[answered:])]
            if questions:
                fact = questions[-1][1]
                answered = len(shown)
                os.write(ours, f"{answers.get(fact, '')}\n".encode())
            elif re.search(r"Write this into tierd.yaml\? \[y/N\]: ", shown[answered:]):
                answered = len(shown)
                os.write(ours, b"y\n")
        return shown, child.wait(timeout=60)
    finally:
        child.kill()
        child.wait()
        os.close(ours)


def test_map_lists_objects_and_fields(tierd: Tierd) -> None:
    """Objects by a word; an object's fields with type, fill and samples; nobody's name or address among them."""
    assert re.search(r"^Opportunity +Opportunity$", tierd("map", "salesforce", "--search", "oppo").out, re.MULTILINE)
    listed = tierd("map", "salesforce", "--object", "Account", "--search", "arr")
    assert re.search(r"^Account: \d+ customers, samples from \d+ of them\nARR__c +\d+%  currency\n", listed.out)
    people = json.loads(tierd("map", "salesforce", "--object", "Contact", "--json").out)
    assert {"FirstName", "Email", "Title"} <= {one["name"] for one in people["fields"]}
    assert "@" not in json.dumps(people)
    named = next(one for one in people["fields"] if one["name"] == "LastName")
    assert re.fullmatch(r"\d+ different values, not shown", named["samples"][0])


def test_map_as_json(tierd: Tierd) -> None:
    """Plain data for a script: conditions with counts, proposals with why, fill and empty customers."""
    found = json.loads(tierd("map", "salesforce", "--json").out)
    assert found["customers"]["condition"] == {"Type": "Customer"}
    assert found["facts"]["arr"]["chosen"][0]["mapping"] == {"field": "ARR__c"}
    assert {"fill", "why", "samples", "score"} <= set(found["facts"]["renewal"]["chosen"][0])
    assert found["facts"]["renewal"]["empty"] <= found["facts"]["renewal"]["of"]


def test_status_shows_sources_runs_and_alerts(tierd: Tierd) -> None:
    """What ran and what is open can be seen without any secret."""
    done = tierd("status")
    assert done.code == 0
    assert "no daemon runs on this store" in done.out
    assert "salesforce" in done.out
    assert "increment" in done.out
    assert "outbox:" in done.out


def test_status_shows_each_stream(tierd: Tierd) -> None:
    """Rows, calls, refusals and cursor of every stream's last run, and how much of the daily calls is used."""
    assert "daily calls" in tierd("status").out
    done = tierd("status", "--streams")
    assert done.code == 0
    assert {"seen", "changed", "deleted", "calls", "429s", "deferred", "cursor"} <= set(done.out.split())
    assert "contacts" in done.out
    assert "outbox:" not in done.out


def test_explain_shows_rules_and_rows_of_an_account(tierd: Tierd, home: Path) -> None:
    """One account at one instant: every rule has a verdict."""
    with closing(sqlite3.connect(home / "tierd.db")) as connection:
        (name,) = connection.execute("SELECT name FROM facts ORDER BY name LIMIT 1").fetchone()
    done = tierd("explain", name, "--as-of", AS_OF)
    assert done.code == 0
    assert name in done.out
    assert "renewal-exec-silence" in done.out
    assert "adoption change" in done.out.partition("health:")[2]


def test_gaps_are_listed_with_their_remedies(tierd: Tierd) -> None:
    """What the made-up world lacks is told; status counts it."""
    done = tierd("gaps")
    assert done.code == 0
    assert "people of unknown level on file" in done.out
    assert "say who they are" in done.out
    assert "in the data: `tierd gaps`" in tierd("status").out


def test_explain_of_nobody_is_bad_input(tierd: Tierd) -> None:
    """An account that is not there ends with the remedy."""
    done = tierd("explain", "no such account at all")
    assert (done.code, done.err) == (
        2,
        "no account has the id, key or name `no such account at all`; a part of the name is enough\n",
    )


def test_preview_writes_the_messages_of_one_csm(tierd: Tierd, home: Path) -> None:
    """The page is made without Slack, and the real store is not touched."""
    before = _rows(home, "alerts", "deliveries", "findings", "facts")
    with closing(sqlite3.connect(home / "tierd.db")) as connection:
        query = (
            "SELECT m.name, count(*) FROM facts f JOIN members m ON m.key = f.csm GROUP BY 1 ORDER BY 2 DESC LIMIT 1"
        )
        (name, _) = connection.execute(query).fetchone()
    done = tierd("preview", "--csm", name, "--as-of", AS_OF)
    assert done.code == 0
    page = (home / "tierd-preview.html").read_text()
    assert name in page
    assert "Nothing was sent" in page
    assert _rows(home, "alerts", "deliveries", "findings", "facts") == before


def test_preview_of_nobody_names_the_csms(tierd: Tierd) -> None:
    """A CSM that is not there ends with those that are."""
    done = tierd("preview", "--csm", "Nobody At All")
    assert done.code == 2
    assert "no CSM is called 'Nobody At All'; there are " in done.err


# ---------------------------------------------------------------- working


def test_second_sync_changes_only_its_own_records(tierd: Tierd, home: Path) -> None:
    """With nothing new in the CRM no row changes but run, schedule and freshness."""
    tables = ("cursors", "crm_accounts", "crm_contacts", "crm_activities", "crm_participants", "touches", "accounts",
              "account_fields", "usage_samples", "dirty", "sources")  # fmt: skip
    before = _rows(home, *tables)
    done = tierd("sync", "--once")
    assert done.code == 0
    assert "0 changed, 0 deleted" in done.out
    assert _rows(home, *tables) == before


def test_second_evaluation_at_the_same_instant_changes_nothing(tierd: Tierd, home: Path) -> None:
    """Findings, alerts and deliveries stay as they are, byte for byte."""
    tables = (
        "facts",
        "past_facts",
        "health_parts",
        "portfolio_stats",
        "findings",
        "alerts",
        "transitions",
        "conversations",
        "told",
        "deliveries",
        "evaluations",
    )
    before = _rows(home, *tables)
    done = tierd("evaluate", "--once", "--as-of", AS_OF)
    assert (done.code, "0 findings changed" in done.out) == (0, True)
    assert _rows(home, *tables) == before


def test_tiers_are_adopted_planned_and_applied_once(tierd: Tierd, home: Path) -> None:
    """Write-back is off: tiers are recorded, the CRM is not written to, and a second apply records nothing."""
    assert "--yes releases them" in tierd("tiers", "adopt").out
    assert " values released" in tierd("tiers", "adopt", "--yes").out
    assert "write-back is off" in tierd("tiers", "plan").out
    assert "applied: 0 written to the CRM" in tierd("tiers", "apply").out
    before = _rows(home, "tiers", "tier_scores", "tier_history", "tier_ledger")
    assert tierd("tiers", "apply").code == 0
    assert _rows(home, "tiers", "tier_scores", "tier_history", "tier_ledger") == before


def test_plan_shows_a_pin_as_what_it_is(tierd: Tierd, home: Path) -> None:
    """A tier that a person set is left alone: one value, who and since when, and what would be computed beside it."""
    with closing(sqlite3.connect(home / "tierd.db")) as connection, connection:
        pinned = connection.execute("SELECT count(*) FROM tier_fields WHERE pin_origin IS NOT NULL").fetchone()[0]
        assert pinned
        connection.execute("UPDATE tier_fields SET pin_origin = 'person'")
    shown = tierd("tiers", "plan").out
    assert re.search(r"\b[123] \(pinned by a person in salesforce since 20\d\d-\d\d-\d\d; computed [123]\)", shown)
    assert f"{shown.count('(pinned by')} set by a person" in shown


def test_pause_and_resume_are_kept_in_the_store(tierd: Tierd) -> None:
    """What is paused is shown with its reason until it is resumed."""
    assert tierd("pause", "writes", "--reason", "audit week").code == 0
    assert "writes are paused: audit week" in tierd("status").out
    assert tierd("resume", "all").out == "resumed: writes\n"
    assert "paused" not in tierd("status").out


def test_rules_are_checked_and_tested(tierd: Tierd, home: Path) -> None:
    """The shipped rules have no mistake and their tests hold; JUnit is written on request."""
    assert tierd("rules", "check").out == "19 rules in 6 files, no mistake\n"
    done = tierd("rules", "test", "--junit", "rules.xml")
    assert (done.code, "tests hold" in done.out) == (0, True)
    assert (home / "rules.xml").read_text().startswith("<?xml")


def test_a_window_longer_than_the_history_is_odd(tierd: Tierd, home: Path) -> None:
    """The store knows some months; a rule that looks back further cannot tell silence from what was never read."""
    _change(home, "no exec contact in 15 days", "no exec contact in 4000 days", "rules/churn.yaml")
    done = tierd("rules", "check")
    assert (done.code, "looks back 4,000 days, and the oldest activity on record is " in done.out) == (0, True)


def test_test_that_does_not_hold_is_a_failure_not_bad_input(tierd: Tierd, home: Path) -> None:
    """Exit code 1 and the place of the test; a rule that cannot be read ends with 2."""
    _change(home, "expect: fires", "expect: silent", "rules/cadence.yaml")
    done = tierd("rules", "test")
    assert (done.code, "rules/cadence.yaml:" in done.out) == (1, True)
    _change(home, "severity: low", "severity: loow", "rules/cadence.yaml")
    assert tierd("rules", "test").code == 2


# ---------------------------------------------------------------- bad input


def test_missing_secret_is_one_clear_message(tierd: Tierd, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 2, the place in the file, the remedy, and nothing else."""
    monkeypatch.delenv("TIERD_TEST_SF")
    done = tierd("sync", "--once")
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "tierd.yaml:6:112: the secret TIERD_TEST_SF is not set: export TIERD_TEST_SF=..., "
        "or TIERD_TEST_SF_FILE=/path/to/it\n"
    )


def test_rule_with_a_typo_is_refused_and_nothing_is_evaluated(tierd: Tierd, home: Path) -> None:
    """Exit code 2, file and line and fix; findings stay."""
    before = _rows(home, "findings", "evaluations", "rule_sets")
    _change(home, "severity: high", "severity: hihg", "rules/churn.yaml")
    for command in (["rules", "check"], ["evaluate", "--once"]):
        done = tierd(*command)
        assert done.code == 2
        assert "rules/churn.yaml:" in done.err
        assert "fix: " in done.err
    assert _rows(home, "findings", "evaluations", "rule_sets") == before


def test_csv_with_a_bad_row_is_read_without_it(tierd: Tierd, home: Path) -> None:
    """Exit code 2, file and line; the good row of that file is kept, the other sources are read."""
    before = len(_rows(home, "usage_samples")["usage_samples"])
    header = "date,workspace,active_users,active_users_28d\n"
    (home / "usage" / "usage-2026-03-02.csv").write_text(f"{header}2026-03-02,w1,5,9\n2026-03-02,w2,many,9\n")
    done = tierd("sync", "--once")
    assert done.code == 2
    assert "product-usage samples: usage/usage-2026-03-02.csv:3:" in done.err
    assert "salesforce: ok" in done.out
    assert len(_rows(home, "usage_samples")["usage_samples"]) == before + 2


def test_unreachable_host_is_one_clear_message(tierd: Tierd, home: Path, vendors: Sandbox) -> None:
    """Exit code 2, and the address that does not answer."""
    info = vendors.info()["salesforce"]
    assert isinstance(info, dict)
    _change(home, str(info["base_url"]), "http://127.0.0.1:9")
    done = tierd("sync", "--once", "--source", "salesforce")
    assert done.code == 2
    assert "127.0.0.1" in done.err


def test_writer_beside_a_running_daemon_is_told_who_holds_the_store(tierd: Tierd, home: Path) -> None:
    """A second writer does nothing and names the first; looking still works."""
    store = Store(f"sqlite:///{home / 'tierd.db'}")
    with writer(store, "run"):
        done = tierd("sync", "--once")
        assert tierd("status").code == 0
    store.close()
    assert done.code == 1
    assert "tierd run pid" in done.err
    assert "stop it first" in done.err


@pytest.mark.parametrize("still", [False, True])
def test_time_goes_on_in_the_sandbox_unless_it_is_to_stand(still: bool) -> None:
    """Rate limits of the imitated vendors let a tierd of one's own in again; for scripted scenarios time stands."""
    command = [
        sys.executable,
        "-P",
        "-m",
        "daemon.cli",
        "sandbox",
        "--json",
        "--accounts",
        "60",
        "--history-days",
        "60",
    ]
    child = subprocess.Popen(
        [*command, *(["--still"] if still else [])], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": _ROOT}
    )
    assert child.stdout is not None
    control = json.loads(child.stdout.readline())["control"]["base_url"]

    def now() -> int:
        with urlopen(f"{control}/clock", timeout=10) as answer:
            return int(json.load(answer)["now"])

    begins = now()
    moved = any(now() > begins for _ in range(100))
    child.terminate()
    assert (0, not still) == (child.wait(20), moved)
    child.stdout.close()


def test_once_must_be_said(tierd: Tierd) -> None:
    """Working commands without --once point at `tierd run`."""
    done = tierd("sync")
    assert (done.code, "add --once" in done.err) == (2, True)


def test_empty_store_names_the_first_step(tierd: Tierd, home: Path) -> None:
    """Looking before the first sync says what to run."""
    for path in home.glob("tierd.db*"):
        path.unlink()
    done = tierd("status")
    assert (done.code, "run `tierd sync --once` or `tierd run` first" in done.err) == (1, True)


def test_status_before_the_first_evaluation_counts_no_customers(tierd: Tierd, home: Path) -> None:
    """Nobody knows them yet, and 0 would be a false number."""
    with closing(sqlite3.connect(home / "tierd.db")) as connection, connection:
        connection.execute("DELETE FROM evaluations")
    assert "accounts, not evaluated yet: `tierd run`, or `tierd evaluate --once`" in tierd("status").out


# ---------------------------------------------------------------- the daemon


def _ready(address: str) -> bool:
    try:
        with urlopen(f"{address}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (HTTPError, URLError):
        return False


@contextmanager
def _daemon(home: Path) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """`tierd run` as a process that has evaluated once, with its log so far; killed at the end if it still runs."""
    environ = {"TIERD_TEST_SF": (home / "secret").read_text(), "PATH": "/usr/bin:/bin", "PYTHONPATH": _ROOT}
    child = subprocess.Popen(
        [sys.executable, "-m", "daemon.cli", "run", "--config", str(home / "tierd.yaml")],
        env=environ,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stderr is not None
    lines: list[str] = []
    try:
        for line in child.stderr:
            lines.append(line)
            if '"event": "evaluated"' in line:
                break
        yield child, lines
    finally:
        child.kill()
        child.communicate()


def _stop(child: subprocess.Popen[str], lines: list[str]) -> str:
    child.terminate()
    _, rest = child.communicate(timeout=60)
    return "".join(lines) + rest


@pytest.mark.acceptance
def test_daemon_syncs_evaluates_and_stops_when_asked(home: Path, unused_port: int) -> None:
    """A real process: its health pages become ready, it ends with 0 on SIGTERM, and its log is JSON without secrets."""
    for path in home.glob("tierd.db*"):
        path.unlink()
    _change(home, '"127.0.0.1:0"', f'"127.0.0.1:{unused_port}"')
    address = f"http://127.0.0.1:{unused_port}"
    with _daemon(home) as (child, lines):
        with urlopen(f"{address}/healthz", timeout=5) as answer:
            assert answer.status == 200
        with urlopen(f"{address}/metrics", timeout=5) as answer:
            metrics = answer.read().decode()
        ends = time.monotonic() + 60
        while not (ready := _ready(address)) and time.monotonic() < ends:
            continue
        log = _stop(child, lines)
    assert (child.returncode, ready) == (0, True)
    assert 'tierd_stream_trouble{source="salesforce",stream="accounts"} 0.0' in metrics
    assert '"event": "stopped"' in log
    assert (home / "secret").read_text() not in log
    assert "@" not in log


@pytest.mark.acceptance
def test_daemon_goes_on_without_what_is_broken(home: Path, tierd: Tierd) -> None:
    """A mistake in one source's section and one in the rules: it stays up on the rest, and says both."""
    _change(home, "metrics: [active_users", "metrisc: [active_users")
    _change(home, "severity: high", "severity: hihg", "rules/churn.yaml")
    with closing(sqlite3.connect(home / "tierd.db")) as connection, connection:
        connection.execute("DELETE FROM evaluations")
    with _daemon(home) as (child, lines):
        shown = tierd("status")
        log = _stop(child, lines)
    assert child.returncode == 0
    assert "unknown key `metrisc`; did you mean `metrics`?" in log
    assert "going on with the last good rules" in log
    assert shown.code == 2  # what only looks still tells the mistake
    _change(home, "metrisc", "metrics")
    status = tierd("status").out
    assert "configuration" in status
    assert "rule files have mistakes, the last good rules are used" in status


def test_a_phrase_is_tried_and_nothing_is_written(tierd: Tierd, home: Path) -> None:
    """Matches with their facts, as text and as JSON; the store is the same file content before and after."""
    before = _rows(home, "findings", "facts", "alerts", "portfolio_stats")
    done = tierd("rules", "try", "no contact in 3 days", "--limit", "2")
    assert (done.code, "fires on " in done.out, "last contact: " in done.out) == (0, True, True)
    data = json.loads(tierd("rules", "try", "no contact in 3 days", "--json", "--limit", "3").out)
    assert data["fires"] + data["silent"] + sum(data["unknown"].values()) == data["customers"] > 0
    assert len(data["matches"]) == min(3, data["fires"])
    wrong = tierd("rules", "try", "no contct in 3 days")
    assert (wrong.code, "did you mean" in wrong.err) == (2, True)
    assert before == _rows(home, "findings", "facts", "alerts", "portfolio_stats")


def test_rule_files_are_compared_with_the_running_ones(tierd: Tierd, home: Path) -> None:
    """The accounts of JSON are those that a changed threshold adds; the same files change nothing."""
    same = json.loads(tierd("rules", "diff", "rules", "--json").out)
    assert [] == same["rules"]
    text = (home / "rules" / "vocabulary.yaml").read_text()
    proposed = home / "vocabulary.yaml"
    proposed.write_text(text.replace("adoption is at least 75%", "adoption is at least 1%"))
    (change,) = json.loads(tierd("rules", "diff", "vocabulary.yaml", "--json").out)["rules"]
    assert ("strong-adoption-no-users", "changed") == (change["rule"], change["what"])
    assert "strong-adoption-no-users (changed)" in tierd("rules", "diff", "vocabulary.yaml").out
    missing = tierd("rules", "diff", "nowhere.yaml")
    assert (missing.code, "is no rule file" in missing.err) == (2, True)


def test_a_backtest_on_the_command_line(tierd: Tierd) -> None:
    """Three weeks give no verdict; a range that is none and a date that is none are refused."""
    weeks = ("--since", "2026-02-09", "--until", "2026-03-02")
    data = json.loads(tierd("rules", "backtest", "no contact in 10 days", *weeks, "--json").out)
    assert (4, "churn", 2) == (data["weeks"], data["outcome"], data["clocks"])
    assert "are needed" in data["refused"]
    assert 2 == tierd("rules", "backtest", "touch-overdue", *weeks, "--sweep", "much").code
    assert "--since" in tierd("rules", "backtest", "touch-overdue", "--since", "spring").err


def test_the_catalogue_shows_fill_rates(tierd: Tierd) -> None:
    """Every fact adds up to all customers, and says where it comes from."""
    facts = json.loads(tierd("rules", "facts", "--json").out)
    for fact in facts:
        assert fact["values"] + fact["never"] + sum(fact["missing"].values()) == fact["customers"], fact["name"]
    arr = next(fact for fact in facts if fact["name"] == "arr")
    assert ("money", ["arr"]) == (arr["type"], arr["fields"])
    assert 0 < arr["filled"] <= 1
    assert "adoption change vs portfolio" in tierd("rules", "facts").out


def test_an_explanation_is_data_too(tierd: Tierd, home: Path) -> None:
    """One rule, its tree, and every fact with unit, rows and how far its source is."""
    name = _rows(home, "accounts")["accounts"][0][2]
    told = json.loads(tierd("explain", str(name), "--as-of", AS_OF, "--rule", "lapsed", "--json").out)
    assert ["lapsed"] == [rule["rule"] for rule in told["rules"]]
    assert told["rules"][0]["tree"]["is"] in ("true", "false", "unknown")
    assert all({"value", "unit", "rows", "complete_up_to"} <= fact.keys() for fact in told["facts"])
    assert "there is no rule `laps`" in tierd("explain", str(name), "--as-of", AS_OF, "--rule", "laps").err


def test_a_phrase_is_completed_and_the_schema_is_printed(tierd: Tierd) -> None:
    """Names of the catalogue and of the files' vocabulary, with where they begin; the schema is JSON."""
    assert "exec contact" in tierd("rules", "complete", "no exec").out.splitlines()
    found = json.loads(tierd("rules", "complete", "not renewal d", "--json").out)
    assert {"text": "renewal due", "start": 4} in found
    assert "Rules of tierd" == json.loads(tierd("rules", "schema").out)["title"]
