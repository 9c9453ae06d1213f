"""R1 to R11: reading Salesforce incrementally, each requirement by its own acceptance test."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from daemon.derive import derive
from daemon.parts import source_mapping
from rules.fieldmap import Derivation
from sandbox.clock import DAY, HOUR, MINUTE, SECOND
from sandbox.salesforce.state import Settings as OrgSettings
from sandbox.versions import At
from store import tables as t
from store.engine import Store
from tests.connectors.salesforce_source import Source, asked, calls, mark, soql
from tests.connectors.test_salesforce import settings
from tests.requirements.tiering import plan_tier
from tests.sandbox.salesforce_org import NOW, Org, key_pair, serving, sf_id


@pytest.fixture
def org() -> Iterator[Org]:
    """An org ten minutes into its day."""
    with serving() as served:
        served.clock.advance_to(NOW + 10 * MINUTE)
        yield served


def contract_arr(path: str, **also: Any) -> dict[str, Any]:
    """ARR kept on contracts of a custom object."""
    return {"arr": {"object": "Contract__c", "path": path, "field": "Value__c", "aggregate": "sum", **also}}


# ---------------------------------------------------------------- R1


def test_r1_the_stamp_to_follow_is_taken_from_describe(org: Org, sqlite_store: Store) -> None:
    """SystemModstamp; where it takes no filter LastModifiedDate; else CreatedDate; of logins LoginTime."""
    org.state.unfilter("Contact.SystemModstamp")
    org.state.org.catalogue.define(
        "Contract__c", "Account__c reference ->Account:Account__r@Contracts__r\nValue__c double", stamps=False
    )
    account = org.add("Account", "001", 1, Name="Acme")
    org.add("Contact", "003", 1, LastName="Ann", AccountId=account)
    org.state.put("Contract__c", {"Name": "K", "Account__c": account, "Value__c": 7})
    login = {"object": "LoginHistory", "path": "UserId", "field": "Status"}
    org.add("LoginHistory", "0Ya", 1, UserId=sf_id("005", 1), LoginTime=At(NOW), Status="Success")
    source = Source(org, sqlite_store, {"fields": {**contract_arr("Account__c"), "segment": login}})
    assert {} == source.sync().troubles
    org.clock.advance(10 * MINUTE)
    before = mark(org)
    source.sync()
    fields = {"Account": "SystemModstamp", "Contact": "LastModifiedDate", "Contract__c": "CreatedDate"}
    fields["LoginHistory"] = "LoginTime"
    for name, field in fields.items():
        (query,) = soql(org, name, before)
        assert f"WHERE ({field} >= " in query
        assert query.endswith(f"ORDER BY {field}, Id")
    assert {account, sf_id("005", 1)} == {row.crm_account_id for row in source.rows(t.crm_objects).values()}


def test_r1_a_row_whose_last_modified_was_dated_back_arrives(org: Org, sqlite_store: Store) -> None:
    """Only SystemModstamp moves; the row is there after the next cycle."""
    row = org.add("Account", "001", 1, Name="Old", Type="Customer")
    org.add("Account", "001", 2, Name="Other", Type="Customer")
    source = Source(org, sqlite_store)
    source.sync()
    org.clock.advance(30 * MINUTE)
    org.change("update", "Account", row, org.clock.now(), Name="New", LastModifiedDate=At(NOW - 365 * DAY))
    source.sync()
    assert "New" == source.rows(t.crm_accounts)[row].name


# ---------------------------------------------------------------- R2


@pytest.mark.parametrize("off", [0, -10 * MINUTE, 10 * MINUTE])
def test_r2_a_row_that_shows_late_is_there_once_whatever_our_clock_says(off: int, sqlite_store: Store) -> None:
    """Stamp 12:00:00, visible from 12:00:04, polled at 12:00:02 and 12:05.

    The cursor is made of the server's values; freshness is an instant of our own clock, as those who ask for it use that.
    """
    noon = NOW + 6 * HOUR
    with serving() as org:
        seen = org.add("Account", "001", 1, at=noon - HOUR, Name="Seen")
        org.clock.advance_to(noon)
        late = sf_id("001", 2)
        org.late("create", "Account", late, at=noon, commit_at=noon + 4 * SECOND, Name="Late")
        newer = org.add("Account", "001", 3, at=noon + SECOND, Name="Newer")
        org.clock.advance_to(noon + 2 * SECOND)
        source = Source(org, sqlite_store, off=off)
        source.sync()
        assert {seen, newer} == set(source.rows(t.crm_accounts))
        assert source.cursor("accounts")["at"] <= "2026-03-02T12:00:02.000Z"
        org.clock.advance_to(noon + 5 * MINUTE)
        run = source.sync()
        assert {seen, late, newer} == set(source.rows(t.crm_accounts))
        assert (1, noon + 5 * MINUTE + off) == (run.saved.changed, source.freshness("accounts").fresh_at)
        newest = org.add("Account", "001", 4, at=noon + 4 * MINUTE, Name="Newest")
        source.sync()
        assert newest in source.rows(t.crm_accounts)
        assert "2026-03-02T12:04:00.000Z" == source.cursor("accounts")["at"]


def test_r2_a_stamp_from_the_future_hides_nothing(org: Org, sqlite_store: Store) -> None:
    """The cursor never passes the server's clock: a row that is stamped years ahead does not stop the reading."""
    org.state.unfilter("Account.SystemModstamp")
    source = Source(org, sqlite_store)
    source.sync()
    org.add("Account", "001", 1, at=org.clock.now(), Name="Ahead", LastModifiedDate=At(NOW + 900 * DAY))
    source.sync()
    org.clock.advance(30 * MINUTE)
    fresh = org.add("Account", "001", 2, at=org.clock.now(), Name="Fresh")
    source.sync()
    assert fresh in source.rows(t.crm_accounts)


# ---------------------------------------------------------------- R3, R4


@pytest.mark.parametrize("increment", [False, True])
def test_r3_ties_survive_a_kill_after_the_first_page(increment: bool, org: Org, sqlite_store: Store) -> None:
    """5,001 rows of one stamp, in a first read and in an increment: all there once, and no page is read twice."""
    source = Source(org, sqlite_store)
    if increment:
        source.sync()
        org.clock.advance(30 * MINUTE)
    now = org.clock.now()
    for number in range(5_001):
        org.add("Account", "001", number, at=now, Name=f"A{number}")
    source.killed(1, stream="accounts")
    assert 2_000 == source.count(t.crm_accounts)
    before = mark(org)
    run = source.sync()
    assert (5_001, 3_001) == (source.count(t.crm_accounts), run.saved.changed)
    pages = [text for text in asked(org, before) if " FROM Account " in text or text.startswith("query/")]
    assert 2 == len(pages)
    again = source.sync()
    assert ("ok", 0) == (again.status, again.saved.changed)


_CHILDREN = """
import json, os, signal, sys
from sqlalchemy import event
from connectors.means import Means
from connectors.salesforce.connector import SalesforceConnector
from connectors.salesforce.settings import SalesforceSettings
from daemon.sync import run_sync
from store.engine import Store

url, settings, folder, now = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3], int(sys.argv[4])

class Clock:
    def now(self): return now
    def monotonic(self): return 0.0
    def sleep(self, seconds): pass
    def wait(self, event, timeout): return event.is_set()

def sync(left):
    store = Store(url)
    def step(*_):
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
    for moment in ("begin", "before_cursor_execute", "after_cursor_execute", "commit"):
        event.listen(store.engine, moment, step)
    run_sync(store, "sf", SalesforceConnector(SalesforceSettings.model_validate(settings), Clock(), Means(spool=folder)), Clock())

for point in map(int, sys.argv[5:]):
    child = os.fork()
    if child == 0:
        sync(point)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


def test_r4_killed_at_twenty_points_the_rows_are_the_orgs(org: Org, sqlite_store: Store, tmp_path: Path) -> None:
    """SIGKILL to 20 processes, each at a random step of its transactions, over a sync of 10,000 rows, the first half of
    them in a first read: whatever was kept is the org's, and in the end everything is, each row once.
    """
    chance, source = random.Random(4), Source(org, sqlite_store)
    org.switch(page_characters=20_000)
    wanted: set[str] = set()
    for half in range(2):
        org.clock.advance(30 * MINUTE)
        at = org.clock.now() - 10 * MINUTE
        for number in range(half * 5_000, (half + 1) * 5_000):
            wanted.add(org.add("Account", "001", number, at=at + number % 999 * SECOND // 9, Name=f"A{number}"))
        ends = _killed(source, tmp_path, [chance.randint(1, 150) for _ in range(10)])
        assert [-signal.SIGKILL] * 10 == ends
        assert set(source.rows(t.crm_accounts)) < wanted
        source.sync()
        assert wanted == set(source.rows(t.crm_accounts))
    assert 0 == source.sync().saved.changed


def _killed(source: Source, folder: Path, points: list[int]) -> list[int]:
    """Syncs by processes that are killed before so many steps are done, one after the other; how each of them ended."""
    chosen = settings(source.org).model_dump(mode="json", exclude_none=True)
    chosen["auth"] = {"method": "token", "access_token": source.org.state.settings.access_token}
    given = [source.store.url, json.dumps(chosen), str(folder), str(source.org.clock.now()), *map(str, points)]
    done = subprocess.run(
        [sys.executable, "-c", _CHILDREN, *given],
        cwd=Path(__file__).parents[2], check=True, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    return [int(line) for line in done.stdout.splitlines()]


# ---------------------------------------------------------------- R5, R6


def test_r5_deleted_merged_archived_and_restored_rows(org: Org, store: Store) -> None:
    """Tombstone A; B is an alias of C, whose contacts are C's; a Task of 400 days is archived, not deleted; D is back."""
    a, b, c, d = (org.add("Account", "001", n, Name=name) for n, name in enumerate("ABCD", 1))
    contacts = [org.add("Contact", "003", n, LastName=f"P{n}", AccountId=b) for n in range(3)]
    old = org.add("Task", "00T", 1, at=NOW - 400 * DAY, Subject="Old", Status="Completed", AccountId=c)
    source = Source(org, store)
    source.sync()
    org.clock.advance(30 * MINUTE)
    org.state.delete("Account", a)
    org.state.delete("Account", d)
    org.state.merge("Account", b, c)
    source.sync()
    rows = source.rows(t.crm_accounts)
    assert (True, True, True, False) == tuple(rows[x].deleted_at is not None for x in (a, b, d, c))
    assert (None, c) == (rows[a].merged_into, rows[b].merged_into)
    with store.read() as conn:
        aliases = conn.execute(select(t.crm_aliases.c.object, t.crm_aliases.c.id, t.crm_aliases.c.into_id)).all()
        on = set(conn.execute(select(t.crm_contact_accounts.c.contact_id, t.crm_contact_accounts.c.crm_account_id)))
    assert [("accounts", b, c)] == [tuple(row) for row in aliases]
    assert {(contact, c) for contact in contacts} == {tuple(row) for row in on}
    task = source.rows(t.crm_activities)[old]
    assert (1, None) == (task.archived, task.deleted_at)
    org.clock.advance(30 * MINUTE)
    org.state.undelete("Account", d)
    source.sync()
    assert source.rows(t.crm_accounts)[d].deleted_at is None


@pytest.mark.parametrize("older", ["loser", "winner"])
def test_r5_what_a_merged_account_had_is_the_winners(older: str, org: Org, store: Store) -> None:
    """B had a call, a tier with its history and a write that waits: after the merge into C all of them are C's, whichever
    of the two was known first.
    """
    rows = [org.add("Account", "001", n, Name=f"A{n}", Type="Customer") for n in (1, 2)]
    b, c = rows if older == "loser" else rows[::-1]
    ann = org.add("Contact", "003", 1, LastName="Ann", Email="ann@b.test", AccountId=b)
    call = org.add("Task", "00T", 1, Subject="Call", Status="Completed", TaskSubtype="Call", WhoId=ann, AccountId=b,
                   CallDurationInSeconds=60, CompletedDateTime=At(NOW))  # fmt: skip
    org.add("TaskRelation", "0RT", 1, TaskId=call, RelationId=ann, IsWhat=False)
    source = Source(org, store)
    source.sync()
    _derive(source)
    loser = source.rows(t.crm_accounts)[b].account_id
    assert source.rows(t.crm_accounts)[c].account_id != loser
    plan_tier(store, ("sf", b), loser, "Tier 2", NOW)
    org.clock.advance(30 * MINUTE)
    org.state.merge("Account", b, c)
    source.sync()
    _derive(source)
    mine = source.rows(t.crm_accounts)[c].account_id
    with store.read() as conn:
        assert [mine] == conn.execute(select(t.touches.c.account_id)).scalars().all()
        h, ledger = t.tier_history.c, t.tier_ledger.c
        assert [2] == conn.execute(select(h.tier).where(h.account_id == mine)).scalars().all()
        waiting = conn.execute(select(ledger.account_id, ledger.crm_id, ledger.state)).all()
    assert [(mine, c, "planned")] == [tuple(row) for row in waiting]


def test_r6_a_row_emptied_from_the_bin_is_found_in_the_log(org: Org, sqlite_store: Store) -> None:
    """Gone from queryAll before anybody read that it was deleted: /deleted tells it; accounts and custom rows alike."""
    org.state.org.catalogue.define("Contract__c", "Account__c reference ->Account:Account__r\nValue__c double")
    gone, kept = (org.add("Account", "001", n, Name=f"A{n}") for n in (1, 2))
    contract = org.state.put("Contract__c", {"Name": "K", "Account__c": kept, "Value__c": 7})
    source = Source(org, sqlite_store, {"fields": contract_arr("Account__c")})
    source.sync()
    org.clock.advance(30 * MINUTE)
    for name, row in (("Account", gone), ("Contract__c", contract)):
        org.state.delete(name, row)
    org.state.empty_bin()
    source.sync()
    assert source.rows(t.crm_accounts)[gone].deleted_at is None
    org.clock.advance(5 * MINUTE)
    before = mark(org)
    run = source.sweep("deletes")
    assert ("ok", 2, 1) == (run.status, run.saved.deleted, calls(org, before))
    assert source.rows(t.crm_accounts)[gone].deleted_at is not None
    assert source.rows(t.crm_accounts)[kept].deleted_at is None
    assert source.rows(t.crm_objects)[contract].deleted_at is not None


@pytest.mark.parametrize("hole", ["down for 20 days", "log purged"])
def test_r6_a_hole_in_the_log_is_closed_by_comparing_all_ids(hole: str, org: Org, store: Store) -> None:
    """What the log no longer tells is missing among the org's ids; nothing else is touched."""
    rows = [org.add("Account", "001", n, Name=f"A{n}") for n in range(2_500)]
    task = org.add("Task", "00T", 1, at=NOW - 500 * DAY, Subject="Archived", Status="Completed")
    meeting = org.add("Event", "00U", 1, Subject="QBR", StartDateTime=At(NOW), EndDateTime=At(NOW + HOUR))
    source = Source(org, store)
    source.sync()
    source.sweep("deletes")
    org.clock.advance(30 * MINUTE)
    for row in rows[::500]:
        org.state.delete("Account", row)
    org.state.empty_bin()
    if hole == "log purged":
        org.clock.advance(3 * HOUR)
        for name in ("Account", "Task", "Event"):
            org.state.forget_deletions(name)
    else:
        org.clock.advance(20 * DAY)
    org.clock.advance(5 * MINUTE)
    source.sync()
    before = mark(org)
    run = source.sweep("deletes")
    assert ("ok", 5) == (run.status, run.saved.deleted)
    gone = {ref for ref, row in source.rows(t.crm_accounts).items() if row.deleted_at is not None}
    assert set(rows[::500]) == gone
    assert [None, None] == [source.rows(t.crm_activities)[ref].deleted_at for ref in (task, meeting)]
    assert soql(org, "Account", before)[0].startswith("SELECT Id FROM Account WHERE (IsDeleted = false)")
    again = mark(org)
    assert (0, 1) == (source.sweep("deletes").saved.deleted, calls(org, again))


def test_r6_too_many_ids_halve_the_window(org: Org, sqlite_store: Store) -> None:
    """EXCEEDED_ID_LIMIT: the window is cut until its parts are told."""
    rows = [org.add("Account", "001", n, Name=f"A{n}") for n in range(40)]
    source = Source(org, sqlite_store)
    source.sync()
    source.sweep("deletes")
    for row in rows:
        org.clock.advance(5 * MINUTE)
        org.state.delete("Account", row)
    org.state.empty_bin()
    org.clock.advance(5 * MINUTE)
    org.switch(deleted_limit=12)
    before = mark(org)
    run = source.sweep("deletes")
    assert ("ok", 40) == (run.status, run.saved.deleted)
    assert not soql(org, "Account", before)
    windows = [text for text in asked(org, before) if text.startswith("sobjects/Account/deleted")]
    assert 7 == len(windows)


@pytest.mark.parametrize(("after", "span"), [(40 * SECOND, ("11:59", "12:01")), (640 * SECOND, ("12:00", "12:11"))])
def test_r6_a_window_is_sent_as_whole_minutes(after: int, span: tuple[str, str], org: Org, sqlite_store: Store) -> None:
    """12:00:10 to 12:00:50 goes out as 12:00 to 12:01 or wider, also where one minute is refused as too short."""
    source = Source(org, sqlite_store)
    org.switch(replication_strict=True)
    org.clock.advance_to(NOW + 6 * HOUR + 10 * SECOND)
    source.sync()
    org.clock.advance(after)
    before = mark(org)
    assert "ok" == source.sweep("deletes").status
    assert (f"2026-03-02T{span[0]}:00+00:00", f"2026-03-02T{span[1]}:00+00:00") == _window(org, before)


def _window(org: Org, since: int) -> tuple[str, str]:
    (window,) = {text.partition("?")[2] for text in asked(org, since) if "/deleted" in text}
    start, end = (part.partition("=")[2] for part in window.split("&"))
    return start, end


# ---------------------------------------------------------------- R7, R8, R9


def test_r7_without_shared_activities_who_id_says_who_took_part(sqlite_store: Store) -> None:
    """TaskRelation is not there: the sync succeeds, and the primary contacts of calls and meetings are kept."""
    with serving(OrgSettings(shared_activities=False, public_key=key_pair()[1])) as org:
        org.clock.advance_to(NOW + 10 * MINUTE)
        ann, bob = sf_id("003", 1), sf_id("003", 2)
        task = org.add("Task", "00T", 1, Subject="Call", Status="Completed", WhoId=ann)
        meeting = org.add("Event", "00U", 1, Subject="M", StartDateTime=At(NOW), EndDateTime=At(NOW + HOUR), WhoId=ann)
        org.add("EventRelation", "0RE", 1, EventId=meeting, RelationId=bob, IsWhat=False)
        source = Source(org, sqlite_store)
        run = source.sync()
        assert ("ok", "absent") == (run.status, source.freshness("task_relations").status)
        sides = {(row.activity_id, row.contact_id) for row in source.rows(t.crm_participants).values()}
        assert {(task, ann), (meeting, ann), (meeting, bob)} == sides
        org.clock.advance(30 * MINUTE)
        org.change("update", "Event", meeting, org.clock.now(), WhoId=None)
        source.sync()
        alive = {r.contact_id for r in source.rows(t.crm_participants).values() if r.deleted_at is None}
        assert {ann, bob} == alive
        assert source.rows(t.crm_participants)[f"{meeting}:who"].deleted_at is not None


def test_r7_fifty_participants_one_removed_and_one_known_by_address_only(org: Org, sqlite_store: Store) -> None:
    """50 relation rows are 50 sides; the one that only /TaskRelation/deleted tells leaves; an address stays an address."""
    task = org.add("Task", "00T", 1, Subject="Call", Status="Completed", WhoId=sf_id("003", 0))
    sides = [
        org.add("TaskRelation", "0RT", n, TaskId=task, RelationId=sf_id("003", n), IsWhat=False) for n in range(50)
    ]
    org.add("TaskRelation", "0RT", 90, TaskId=task, RelationId=sf_id("001", 1), IsWhat=True)
    mail = org.add("EmailMessage", "02s", 1, Subject="Hi", MessageDate=At(NOW), ToAddress="who@acme.test")
    address = org.add(
        "EmailMessageRelation", "0ER", 1, EmailMessageId=mail, RelationType="ToAddress", RelationAddress="who@acme.test"
    )
    source = Source(org, sqlite_store)
    source.sync()
    kept = source.rows(t.crm_participants)
    assert {*sides, address} == set(kept)
    assert (None, "who@acme.test") == (kept[address].contact_id, kept[address].address)
    org.clock.advance(30 * MINUTE)
    org.state.delete("TaskRelation", sides[7])
    source.sync()
    assert source.rows(t.crm_participants)[sides[7]].deleted_at is None
    org.clock.advance(5 * MINUTE)
    assert 1 == source.sweep("deletes").saved.deleted
    assert {sides[7]} == {ref for ref, row in source.rows(t.crm_participants).items() if row.deleted_at is not None}


def test_r8_who_and_what_lead_to_the_right_parents(org: Org, sqlite_store: Store) -> None:
    """Contact or lead, account, opportunity, case, contract, custom row or nothing; AccountId is taken as it is given."""
    org.state.org.catalogue.define(
        "Project__c", "Account__c reference ->Account:Account__r\nValue__c double", activities=True
    )
    acme, other = (org.add("Account", "001", n, Name=f"A{n}") for n in (1, 2))
    ann = org.add("Contact", "003", 1, LastName="Ann", AccountId=acme)
    deal = org.add("Opportunity", "006", 1, Name="D", AccountId=acme)
    case = org.add("Case", "500", 1, AccountId=acme, Status="New")
    project = org.state.put("Project__c", {"Name": "P", "Account__c": acme, "Value__c": 7})
    contract = org.add("Contract", "800", 1, AccountId=acme, Status="Activated")
    given: dict[str, dict[str, Any]] = {
        "contact": {"WhoId": ann, "AccountId": acme},
        "lead": {"WhoId": sf_id("00Q", 1)},
        "account": {"WhatId": acme},
        "given": {"WhatId": acme, "AccountId": other},
        "deal": {"WhatId": deal},
        "case": {"WhatId": case},
        "case of a contact": {"WhatId": case, "WhoId": ann, "AccountId": other},
        "project": {"WhatId": project},
        "contract": {"WhatId": contract, "AccountId": acme},
        "nothing": {},
    }
    tasks = {
        word: org.add("Task", "00T", n, Subject=word, Status="Completed", **values)
        for n, (word, values) in enumerate(given.items())
    }
    fields = {"arr": {"object": "Project__c", "path": "Account__c", "field": "Value__c", "aggregate": "sum"}}
    source = Source(org, sqlite_store, {"fields": fields})
    source.sync()
    expected = dict.fromkeys(given, acme) | {"given": other, "case of a contact": other}
    expected = {word: account for word, account in expected.items() if word not in ("lead", "nothing")}
    assert {tasks[word]: account for word, account in expected.items()} == _accounts_of_activities(sqlite_store)
    org.clock.advance(30 * MINUTE)
    org.change("update", "Opportunity", deal, org.clock.now(), AccountId=other)
    source.sync()
    assert other == _accounts_of_activities(sqlite_store)[tasks["deal"]]


def _accounts_of_activities(store: Store) -> dict[str, str]:
    c = t.crm_activity_accounts.c
    with store.read() as conn:
        return {row.activity_id: row.crm_account_id for row in conn.execute(select(c.activity_id, c.crm_account_id))}


@pytest.mark.parametrize("first", ["EmailMessage", "Task", "both"])
def test_r9_a_mail_and_the_task_made_of_it_are_one_activity(first: str, org: Org, sqlite_store: Store) -> None:
    """In either order and in different cycles: one touch, whichever came first."""
    user = org.add("User", "005", 1, Name="Cleo", Email="cleo@ours.test", IsActive=True)
    acme = org.add("Account", "001", 1, Name="Acme", Website="acme.test", Type="Customer")
    ann = org.add("Contact", "003", 1, LastName="Ann", Email="ann@acme.test", AccountId=acme)
    source = Source(org, sqlite_store)
    task, mail = sf_id("00T", 1), sf_id("02s", 1)

    def add(name: str) -> None:
        at = org.clock.now()
        if name == "Task":
            call = {"Subject": "Hello", "Status": "Completed", "TaskSubtype": "Email", "WhoId": ann, "OwnerId": user}
            org.add("Task", "00T", 1, at=at, **call, AccountId=acme, CompletedDateTime=At(NOW))
            org.add("TaskRelation", "0RT", 1, at=at, TaskId=task, RelationId=ann, IsWhat=False)
            return
        org.add(
            "EmailMessage", "02s", 1, at=at, Subject="Hello", MessageDate=At(NOW), Incoming=False, ActivityId=task,
            FromAddress="cleo@ours.test", ToAddress="ann@acme.test", MessageIdentifier="<1@ours.test>",
        )  # fmt: skip
        for number, (role, ref, address) in enumerate(
            [("FromAddress", user, "cleo@ours.test"), ("ToAddress", ann, "ann@acme.test")]
        ):
            org.add(
                "EmailMessageRelation", "0ER", number, at=at, EmailMessageId=mail, RelationType=role, RelationId=ref,
                RelationAddress=address,
            )  # fmt: skip

    names = ["EmailMessage", "Task"] if first != "Task" else ["Task", "EmailMessage"]
    for name in names:
        add(name)
        if first != "both":
            source.sync()
            _derive(source)
            org.clock.advance(30 * MINUTE)
    source.sync()
    _derive(source)
    assert {task, mail} == set(source.rows(t.crm_activities))
    with sqlite_store.read() as conn:
        touches = conn.execute(select(t.touches.c.kind, t.touches.c.occurred_at)).all()
    assert [("email", NOW)] == [tuple(row) for row in touches]


def _derive(source: Source) -> None:
    mapping = source_mapping(settings(source.org))
    wanted = Derivation(order=("sf",), own_domains=frozenset({"ours.test"}), mappings={"sf": mapping})
    derive(source.store, wanted, source.org.clock.now())


# ---------------------------------------------------------------- R10


def test_r10_a_formulas_new_result_arrives_with_the_sweep(org: Org, store: Store) -> None:
    """Only Id and the formula are asked for, only it changes; the next increment does not take it back."""
    rate = {"arr": 100}
    org.state.formula("Account", "ARR__c", lambda _row: rate["arr"])
    acme = org.add("Account", "001", 1, Name="Acme", Type="Customer", Website="acme.test")
    source = Source(org, store)
    source.sync()
    assert 100 == source.fields(t.crm_accounts, acme)["ARR__c"]
    org.clock.advance(DAY)
    org.add("Account", "001", 2, at=org.clock.now(), Name="Newer")  # what is read again for safety begins behind Acme
    source.sync()
    rate["arr"] = 250
    source.sync()
    assert 100 == source.fields(t.crm_accounts, acme)["ARR__c"]
    before, row = mark(org), source.rows(t.crm_accounts)[acme]
    run = source.sweep("formulas")
    assert ("ok", 1, 2) == (run.status, run.saved.changed, calls(org, before))
    (query,) = soql(org, "Account", before)
    assert "SELECT Id, ARR__c FROM Account ORDER BY Id" == query
    after = source.rows(t.crm_accounts)[acme]
    assert 250 == source.fields(t.crm_accounts, acme)["ARR__c"]
    assert (row.name, row.domain, row.customer) == (after.name, after.domain, after.customer)
    assert (0, 0) == (source.sync().saved.changed, source.sweep("formulas").saved.changed)


def test_r10_a_condition_on_a_formula_is_decided_again(org: Org, sqlite_store: Store) -> None:
    """Whether somebody is a customer hangs on a formula and on a plain field: both are read, nothing else."""
    kind = {"now": "Prospect"}
    org.state.formula("Account", "Type", lambda _row: kind["now"])
    acme = org.add("Account", "001", 1, Name="Acme", Seats__c=5)
    source = Source(org, sqlite_store, {"customer": {"Type": "Customer", "Seats__c": {"at_least": 1}}})
    source.sync()
    assert 0 == source.rows(t.crm_accounts)[acme].customer
    kind["now"] = "Customer"
    before = mark(org)
    source.sweep("formulas")
    assert ["SELECT Id, Type, Seats__c FROM Account ORDER BY Id"] == soql(org, "Account", before)
    assert 1 == source.rows(t.crm_accounts)[acme].customer


def test_r10_a_path_over_another_row_is_followed_by_the_sweep(org: Org, sqlite_store: Store) -> None:
    """A line whose contract moves to another account is not stamped itself: the sweep moves it."""
    catalogue = org.state.org.catalogue
    catalogue.define("Contract__c", "Account__c reference ->Account:Account__r")
    catalogue.define("Line__c", "Contract__c reference ->Contract__c:Contract__r\nValue__c double")
    first, second = (org.add("Account", "001", n, Name=f"A{n}") for n in (1, 2))
    contract = org.state.put("Contract__c", {"Name": "K", "Account__c": first})
    line = org.state.put("Line__c", {"Name": "L", "Contract__c": contract, "Value__c": 7})
    arr = {"object": "Line__c", "path": "Contract__r.Account__c", "field": "Value__c", "aggregate": "sum"}
    source = Source(org, sqlite_store, {"fields": {"arr": arr}})
    assert {} == source.sync().troubles
    assert first == source.rows(t.crm_objects)[line].crm_account_id
    org.clock.advance(30 * MINUTE)
    org.state.put("Line__c", {"Name": "Newer", "Contract__c": None, "Value__c": 1})
    source.sync()
    org.state.put("Contract__c", {"Account__c": second}, contract)
    source.sync()
    assert first == source.rows(t.crm_objects)[line].crm_account_id
    assert 1 == source.sweep("formulas").saved.changed
    assert second == source.rows(t.crm_objects)[line].crm_account_id


# ---------------------------------------------------------------- R11


@pytest.mark.parametrize("stamped", [True, False])
def test_r11_a_hidden_field_keeps_its_value_and_comes_back(stamped: bool, org: Org, store: Store) -> None:
    """The rest of the row goes on at once, the trouble names field and remedy; once shown again, all rows are read."""
    org.switch(sight_moves_describe=stamped)
    rows = [org.add("Account", "001", n, Name=f"A{n}", Type="Customer", ARR__c=n) for n in range(30)]
    source = Source(org, store)
    source.sync()
    org.clock.advance(30 * MINUTE)
    org.state.hide("Account.ARR__c")
    org.change("update", "Account", rows[3], org.clock.now(), Name="Renamed", ARR__c=333)
    before = mark(org)
    run = source.sync()
    assert ("partial", ["accounts"]) == (run.status, list(run.troubles))
    assert [True, False] == ["ARR__c" in query for query in soql(org, "Account", before)]  # refused once, not again
    assert "Account.ARR__c" in run.troubles["accounts"]
    assert "grant" in run.troubles["accounts"]
    kept = source.freshness("accounts")
    assert ("partial", org.clock.now()) == (kept.status, kept.fresh_at)
    assert ("Renamed", 3) == (
        source.rows(t.crm_accounts)[rows[3]].name,
        source.fields(t.crm_accounts, rows[3])["ARR__c"],
    )
    org.change("update", "Account", rows[5], org.clock.now(), ARR__c=555)
    before = mark(org)
    assert "partial" == source.sync().status
    assert 3 == calls(org, before)
    org.clock.advance(30 * MINUTE)
    org.add("Account", "001", 99, at=org.clock.now(), Name="Newer")
    source.sync()
    org.clock.advance(30 * MINUTE)
    org.state.show("Account.ARR__c")
    run = source.sync()
    assert ("ok", "ok") == (run.status, source.freshness("accounts").status)
    found = {ref: source.fields(t.crm_accounts, ref)["ARR__c"] for ref in rows}
    assert {ref: n for n, ref in enumerate(rows)} | {rows[3]: 333, rows[5]: 555} == found
    before = mark(org)
    assert (0, 3) == (source.sync().saved.changed, calls(org, before))


def test_r11_a_hidden_attribute_keeps_its_value(org: Org, sqlite_store: Store) -> None:
    """Not mapped fields only: a contact's e-mail address and account stay when the user may no longer see them."""
    acme = org.add("Account", "001", 1, Name="Acme")
    ann = org.add("Contact", "003", 1, LastName="Ann", Email="ann@acme.test", AccountId=acme)
    source = Source(org, sqlite_store)
    source.sync()
    org.clock.advance(30 * MINUTE)
    org.state.hide("Contact.Email", "Contact.AccountId")
    org.change("update", "Contact", ann, org.clock.now(), Title="CEO")
    run = source.sync()
    row = source.rows(t.crm_contacts)[ann]
    assert ("partial", "CEO", "ann@acme.test") == (run.status, row.title, row.email)
    with sqlite_store.read() as conn:
        assert [acme] == list(conn.execute(select(t.crm_contact_accounts.c.crm_account_id)).scalars())


def test_r11_an_object_that_disappears_stops_nothing_else(org: Org, sqlite_store: Store) -> None:
    """Cases are hidden: their stream says so, the others go on, and later all that was missed is read."""
    source = Source(org, sqlite_store)
    source.sync()
    org.clock.advance(30 * MINUTE)
    org.state.hide("Case")
    acme = org.add("Account", "001", 1, at=org.clock.now(), Name="Acme")
    case = org.add("Case", "500", 1, at=org.clock.now(), AccountId=acme, Status="New")
    before = mark(org)
    run = source.sync()
    assert ("partial", ["tickets"], 3) == (run.status, list(run.troubles), calls(org, before))
    assert "grant Read on Case" in run.troubles["tickets"]
    assert [acme] == list(source.rows(t.crm_accounts))
    org.clock.advance(DAY)
    org.state.show("Case")
    assert "ok" == source.sync().status
    assert [case] == list(source.rows(t.crm_tickets))


def test_r11_a_newly_mapped_field_is_read_for_all_rows(org: Org, sqlite_store: Store) -> None:
    """tierd.yaml names one more field: rows that have not changed since get it too, and are not read a third time."""
    rows = [org.add("Account", "001", n, Name=f"A{n}", ARR__c=1, Seats__c=n) for n in range(30)]
    source = Source(org, sqlite_store)
    source.sync()
    org.clock.advance(DAY)
    wider = {"fields": {"arr": {"field": "ARR__c"}, "seats": {"field": "Seats__c"}}}
    run = Source(org, sqlite_store, wider).sync()
    assert ("ok", 30) == (run.status, run.saved.changed)
    assert list(range(30)) == [source.fields(t.crm_accounts, ref)["Seats__c"] for ref in rows]
    before = mark(org)
    assert 0 == Source(org, sqlite_store, wider).sync().saved.changed
    (query,) = soql(org, "Account", before)
    assert "WHERE (SystemModstamp >= " in query


def test_r11_a_misspelt_field_is_told_with_the_nearest_one(org: Org, sqlite_store: Store) -> None:
    """The object is read all the same."""
    acme = org.add("Account", "001", 1, Name="Acme", Type="Customer")
    source = Source(org, sqlite_store, {"fields": {"arr": {"field": "ARRR__c"}}})
    run = source.sync()
    assert "Account.ARRR__c (did you mean ARR__c?)" in run.troubles["accounts"]
    assert [acme] == list(source.rows(t.crm_accounts))


# ---------------------------------------------------------------- the numbers of section 2


def test_eleven_objects_with_nothing_changed_cost_three_calls(org: Org, sqlite_store: Store) -> None:
    """Roles of contacts and a mapped object ride along in the same three; 450 rows of two objects change none of that."""
    for number in range(500):
        org.add("Account", "001", number, Name=f"A{number}", Type="Customer")
        org.add("Task", "00T", number, Subject="Call", Status="Completed")
    source = Source(org, sqlite_store)
    source.sync()
    org.clock.advance(30 * MINUTE)
    before = mark(org)
    assert (0, 3) == (source.sync().saved.changed, calls(org, before))
    for number in range(450):
        org.change("update", "Account", sf_id("001", number), org.clock.now(), Name=f"B{number}")
        org.change("update", "Task", sf_id("00T", number), org.clock.now(), Subject="Talk")
    before = mark(org)
    assert (900, 3) == (source.sync().saved.changed, calls(org, before))
