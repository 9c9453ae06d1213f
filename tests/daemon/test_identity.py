"""`tierd identity`: every row is of one kind, with what links it; people link and part rows, and it is kept."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from alerts.writeback import Target
from daemon.cli import run
from daemon.cli.identity import _tell
from daemon.identity import Conflict, Entry, Report, report
from daemon.identitykinds import AMBIGUOUS, CONFLICTING, GONE, KINDS, LINKED, MERGED, UNMATCHED
from store import tables as t
from store.engine import Store
from store.records import DAY, AccountRecord, ContactRecord, Merged, TeamMemberRecord
from tests.daemon.derivation import ACME, ANN, CSM, SETTINGS, T0, mail, sync, table

TARGETS = {"sf": Target("Tier__c", {1: "Tier 1", 2: "Tier 2"}), "hs": Target("tier", {1: "one", 2: "two"})}
MAPPED = replace(SETTINGS, mappings={**SETTINGS.mappings, "hs": replace(SETTINGS.mappings["hs"], tier_field="tier")})
CONFIG = """\
own_domains: [ours.test]
store: {store}
sources:
  sf:
    kind: salesforce
    base_url: https://example.my.salesforce.com
    auth: {{method: token, access_token: {{env: NONE}}}}
    customer: {{Type: Customer}}
    csm: {{field: CSM__c}}
    fields: {{arr: {{field: ARR__c}}, renewal: {{field: Renewal_Date__c}}}}
  hs:
    kind: hubspot
    auth: {{access_token: {{env: NONE}}}}
    customer: {{lifecyclestage: customer}}
    csm: {{field: csm}}
    fields: {{arr: {{field: arr}}}}
"""


def company(ref: str, domain: str | None, **also: object) -> AccountRecord:
    """A HubSpot company."""
    fields = also.pop("fields", {})
    made = AccountRecord(ref, f"Company {ref}", domain, None, None, T0, T0, True, fields=fields)  # type: ignore[arg-type]
    return replace(made, **also)  # type: ignore[arg-type]


def fill(store: Store) -> None:
    """Rows of every kind in two CRMs."""
    acme = replace(ACME, fields={**ACME.fields, "Tier__c": "Tier 1"})
    quiet = replace(ACME, fields={})
    sync(
        store, CSM, acme, ANN,
        replace(quiet, id="A2", name="=Beta[red]", domain="beta.test"),
        replace(quiet, id="A3", name="Gamma", domain="gamma.test"),
        replace(quiet, id="A4", name="Gamma Spain", domain="gamma.test"),
        replace(quiet, id="A5", name="Alone", domain="alone.test"),
        Merged("accounts", "A6", "A5", T0),
        replace(quiet, id="A7", name="Gone", domain="gone.test", deleted_at=T0 + DAY),
        ContactRecord("C7", ("A1",), "Support", "support@acme.test", None, T0, T0),
        mail("E1", T0 + DAY, to=("stranger@acme.test",)),
        settings=MAPPED,
    )  # fmt: skip
    sync(
        store,
        TeamMemberRecord("9", "Dan", "dan@ours.test", True, T0),
        company("1", "acme.test", fields={"arr": "1000", "csm": "9", "tier": "two"}),
        company("2", "beta.test"),
        company("3", "gamma.test"),
        company("4", "gmail.com"),
        source="hs",
        settings=MAPPED,
    )


def kinds(found: Report) -> dict[str, str]:
    """Row -> kind."""
    return {entry.row: entry.kind for entry in found.entries}


def test_every_row_is_of_one_kind(store: Store) -> None:
    """Linked, conflicting, ambiguous, unmatched, merged and gone add up to all rows."""
    fill(store)
    found = report(store, MAPPED, TARGETS)
    assert {
        "sf:A1": CONFLICTING, "hs:1": CONFLICTING, "sf:A2": LINKED, "hs:2": LINKED,
        "sf:A3": AMBIGUOUS, "sf:A4": AMBIGUOUS, "hs:3": AMBIGUOUS, "sf:A5": UNMATCHED, "hs:4": UNMATCHED,
        "sf:A6": MERGED, "sf:A7": GONE,
    } == kinds(found)  # fmt: skip
    assert (11, 11) == (found.rows, sum(found.counts.values()))
    assert (["stranger@acme.test"], 1) == ([who.address for who in found.unregistered], found.role_addresses)


def test_the_report_names_the_rule_and_the_rows(store: Store) -> None:
    """What links a row, with which, and of an ambiguous one the rows it may belong with."""
    fill(store)
    entries = {entry.row: entry for entry in report(store, MAPPED, TARGETS).entries}
    assert (("domain",), ("hs:2",)) == (entries["sf:A2"].by, entries["sf:A2"].others)
    assert ("sf:A3", "sf:A4") == entries["hs:3"].others
    assert "gamma.test" in entries["hs:3"].why
    assert ("merged",) == entries["sf:A6"].by


def test_conflicts_show_both_values_and_which_counts(store: Store) -> None:
    """Owner, ARR and tier differ; the winner follows the precedence of the field, tiers have none."""
    fill(store)
    (found,) = [e.conflicts for e in report(store, MAPPED, TARGETS).entries if e.row == "sf:A1"]
    assert [
        ("owner", (("sf:A1", "cleo@ours.test"), ("hs:1", "dan@ours.test")), "sf:A1"),
        ("arr", (("sf:A1", "1,200.50"), ("hs:1", "1,000.00")), "sf:A1"),
        ("tier", (("sf:A1", "1"), ("hs:1", "2")), ""),
    ] == [(c.field, c.said, c.wins) for c in found]
    turned = replace(MAPPED, precedence={"arr": ("hs",)})
    (found,) = [e.conflicts for e in report(store, turned, TARGETS).entries if e.row == "hs:1"]
    assert "hs:1" == next(c.wins for c in found if c.field == "arr")


@pytest.fixture
def home(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A folder with tierd.yaml over a store of two CRMs."""
    (tmp_path / "tierd.yaml").write_text(CONFIG.format(store=sqlite_url))
    monkeypatch.setenv("TIERD_CONFIG", str(tmp_path / "tierd.yaml"))
    monkeypatch.setenv("TIERD_LOG_LEVEL", "critical")
    monkeypatch.delenv("COLUMNS", raising=False)
    opened = Store(sqlite_url)
    fill(opened)
    return opened


def test_the_text_fits_into_eighty_columns(home: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """Piped, no line is wider, nothing is cut off, and names are shown as they are."""
    assert 0 == run(["identity"])
    text = capsys.readouterr().out
    assert 80 >= max(map(len, text.splitlines()))
    assert "=Beta[red]" in text
    assert "…" not in text
    assert re.search(r"11\s+all rows", text)
    home.close()


def test_names_of_rows_can_be_copied(capsys: pytest.CaptureFixture[str]) -> None:
    """However long the name of an account, source:id stands on one line, and so does each value of a conflict."""
    rows = "salesforce:001Hs00000001IoIAI", "hubspot:7100000056"
    said = ("owner", ((rows[0], "cleo.of.a.long.name@ours.example"), (rows[1], "dan@ours.example")))
    conflicts = (Conflict("arr", ((rows[0], "1,234,567.00"), (rows[1], "7.00")), rows[0]), Conflict(*said, rows[0]))
    long = "Vereinigte Werkstätten für Kunst im Handwerk"
    entries = (
        Entry(LINKED, rows[0], long, None, "a", ("property", "domain"), rows[1:]),
        Entry(CONFLICTING, rows[0], long, None, "b", ("domain",), rows[1:], conflicts),
        Entry(AMBIGUOUS, rows[0], long, None, "c", (), rows[1:], (), "the web domain of several rows of one CRM"),
    )
    _tell(Report(3, Counter(e.kind for e in entries), entries, (), (), 0, 0), set(KINDS), 20)
    lines = capsys.readouterr().out.splitlines()
    assert 80 >= max(map(len, lines))
    assert 4 == sum(rows[0] in line for line in lines)
    assert 4 == sum(rows[1] in line for line in lines)
    assert any(rows[0] in line and "1,234,567.00" in line for line in lines)


def test_csv_is_escaped_and_filtered(home: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """Only the kind asked for; no cell is a formula to a spreadsheet."""
    assert 0 == run(["identity", "--kind", "linked", "--format", "csv"])
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert {"sf:A2", "hs:2"} == {row["row"] for row in rows}
    assert {"linked"} == {row["kind"] for row in rows}
    assert "'=Beta[red]" in {row["name"] for row in rows}
    home.close()


def test_json_holds_everything(home: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """Counts, rows, conflicts with both values, persons in no CRM."""
    assert 0 == run(["identity", "--format", "json"])
    data = json.loads(capsys.readouterr().out)
    assert data["rows"] == sum(data["counts"].values())
    assert set(KINDS) == set(data["counts"])
    assert ["stranger@acme.test"] == [who["address"] for who in data["unregistered"]]
    home.close()


def test_people_link_part_and_forget(home: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """What is decided is derived at once and listed; what is taken back is decided by the rows again."""

    def account() -> dict[str, int]:
        return {f"{s}:{i}": a for s, i, a in table(home, t.crm_accounts, "source", "id", "account_id")}

    assert 0 == run(["identity", "link", "sf:A5", "hs:4"])
    assert account()["sf:A5"] == account()["hs:4"]
    assert 0 == run(["identity", "part", "sf:A2", "hs:2"])
    assert account()["sf:A2"] != account()["hs:2"]
    assert "two accounts" in capsys.readouterr().out
    assert 0 == run(["identity", "--kind", "decided"])
    assert re.search(r"hs:2\s+sf:A2\s+part", capsys.readouterr().out)
    assert 0 == run(["identity", "forget", "hs:2", "sf:A2"])
    assert account()["sf:A2"] == account()["hs:2"]
    home.close()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["link", "sf:A5", "hs:77"], "hs:77 is no account row"),
        (["link", "sf:A5", "pipedrive:1"], "'pipedrive' is no CRM here"),
        (["part", "A5", "hs:1"], "'A5' names no row"),
        (["forget", "sf:A5", "hs:1"], "nothing was said"),
        (["--kind", "linkd"], "--kind linkd"),
    ],
)
def test_what_cannot_be_done_is_said(
    home: Store, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    """A row or a kind that there is not ends with 2 and changes nothing."""
    assert 2 == run(["identity", *arguments])
    assert said in capsys.readouterr().err
    assert [] == table(home, t.account_links)
    home.close()


def test_the_configuration_decides_and_cannot_be_overruled_here(
    home: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Pairs of tierd.yaml and of its CSV file count; the command says where to change them."""
    path = tmp_path / "tierd.yaml"
    path.write_text(path.read_text() + "identity: {links: [[sf:A5, hs:4]], file: links.csv}\n")
    (tmp_path / "links.csv").write_text("verdict,row,other\npart,sf:A2,hs:2\n")
    assert 0 == run(["identity", "link", "sf:A3", "hs:3"])
    accounts = {f"{s}:{i}": a for s, i, a in table(home, t.crm_accounts, "source", "id", "account_id")}
    assert accounts["sf:A5"] == accounts["hs:4"]
    assert accounts["sf:A2"] != accounts["hs:2"]
    assert 2 == run(["identity", "part", "sf:A5", "hs:4"])
    assert "tierd.yaml decides" in capsys.readouterr().err
    (tmp_path / "links.csv").write_text("verdict,row,other\nlinkk,sf:A2,hs:2\n")
    assert 2 == run(["identity"])
    assert "links.csv:2: 'linkk' is no verdict" in capsys.readouterr().err
    home.close()
