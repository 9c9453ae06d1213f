"""The Salesforce connector against the imitation org: every row once, at the fewest calls, whatever happens between."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select

from connectors.http import VendorError
from connectors.mapping import TierTarget
from connectors.salesforce.connector import SalesforceConnector, writer
from connectors.salesforce.settings import Auth, ClientCredentials, JwtBearer, SalesforceSettings
from daemon.sync import SyncRun, run_sweep, run_sync
from sandbox.clock import DAY, MINUTE, SECOND
from sandbox.faults import parse_fault
from sandbox.salesforce.state import Settings as OrgSettings
from sandbox.versions import At, On
from store import tables as t
from store.engine import Store
from store.records import Batch, TierWrite
from store.sync import save_batch
from tests.clocks import StepClock
from tests.sandbox.salesforce_org import NOW, Org, key_pair, serving, sf_id

ORG = OrgSettings()
CREDENTIALS = ClientCredentials(
    method="client_credentials", client_id=ORG.client_id, client_secret=SecretStr(ORG.client_secret)
)


def settings(org: Org, auth: Auth = CREDENTIALS, **also: Any) -> SalesforceSettings:
    """A mapping like the demo's."""
    values: dict[str, Any] = {
        "kind": "salesforce",
        "base_url": org.served.url,
        "auth": auth,
        "customer": {"Type": "Customer"},
        "csm": [
            {"field": "CSM__c"},
            {"object": "AccountTeamMember", "where": {"TeamMemberRole": "CSM"}, "path": "AccountId", "field": "UserId"},
        ],
        "fields": {"arr": {"field": "ARR__c"}, "renewal": {"field": "Renewal_Date__c"}},
        "contact": {"user": {"field": "Product_User__c"}},
        "tier": {"field": "Customer_Tier__c", "values": {1: "Tier 1", 2: "Tier 2", 3: "Tier 3"}},
    }
    return SalesforceSettings.model_validate(values | also)


@pytest.fixture
def org() -> Iterator[Org]:
    """An org with a few rows of every kind."""
    with serving() as served:
        served.clock.advance_to(NOW + 10 * MINUTE)
        yield served


def sync(org: Org, store: Store, **also: Any) -> SyncRun:
    """One sync by a connector that starts anew, as `--once` does."""
    connector = SalesforceConnector(settings(org, **also), StepClock(org.clock))
    try:
        return run_sync(store, "sf", connector, StepClock(org.clock))
    finally:
        connector.close()


def ids(store: Store, table: Any = t.crm_accounts) -> list[str]:
    """The ids that the store has, sorted."""
    with store.read() as conn:
        return sorted(conn.execute(select(table.c.id)).scalars())


def data_calls(org: Org) -> list[str]:
    """Paths of the calls made so far, tokens left out."""
    return [entry.path for entry in org.log.entries() if "oauth2" not in entry.path]


def test_a_first_sync_reads_every_object(org: Org, sqlite_store: Store) -> None:
    """Rows of all kinds arrive in their units, under the ids of the org (whose integration user is there too)."""
    account = org.add(
        "Account",
        "001",
        1,
        Name="Acme",
        Website="acme.test",
        Type="Customer",
        ARR__c=1200.5,
        Renewal_Date__c=On(20_600),
        OwnerId=sf_id("005", 1),
    )
    org.add("User", "005", 1, Name="Cleo", Email="cleo@ours.test", IsActive=True)
    org.add("Contact", "003", 1, AccountId=account, LastName="Ann", Email="ann@acme.test", Title="CEO")
    org.add(
        "Event", "00U", 1, Subject="QBR", StartDateTime=At(NOW), EndDateTime=At(NOW + 60 * MINUTE), AccountId=account
    )
    run = sync(org, sqlite_store)
    assert ("ok", {}) == (run.status, run.troubles)
    assert [account] == ids(sqlite_store)
    assert [1, 2, 1] == [len(ids(sqlite_store, x)) for x in (t.crm_contacts, t.crm_members, t.crm_activities)]
    with sqlite_store.read() as conn:
        row = conn.execute(select(t.crm_accounts.c.customer, t.crm_accounts.c.fields)).one()
    assert 1 == row.customer
    assert '"ARR__c":1200.5' in row.fields
    assert '"Renewal_Date__c":"2026-05-27"' in row.fields


def test_nothing_changed_costs_three_calls_and_no_row(org: Org, sqlite_store: Store) -> None:
    """Twelve objects are three composites; cursors and rows stay as they are (R26, minimum of section 2.1)."""
    for number in range(30):
        org.add("Account", "001", number, Name=f"A{number}", Type="Customer")
    sync(org, sqlite_store)
    with sqlite_store.read() as conn:
        before = conn.execute(select(t.cursors)).all(), conn.execute(select(t.crm_accounts)).all()
    seen = len(data_calls(org))
    run = sync(org, sqlite_store)
    assert 3 == len(data_calls(org)) - seen
    assert ("ok", 0) == (run.status, run.saved.changed)
    with sqlite_store.read() as conn:
        assert before == (conn.execute(select(t.cursors)).all(), conn.execute(select(t.crm_accounts)).all())


def test_changes_arrive_although_last_modified_was_dated_back(org: Org, sqlite_store: Store) -> None:
    """SystemModstamp is followed, which no import can date back (R1)."""
    row = org.add("Account", "001", 1, Name="Old", Type="Customer")
    sync(org, sqlite_store)
    org.clock.advance(30 * MINUTE)
    org.change("update", "Account", row, org.clock.now(), Name="New", LastModifiedDate=At(NOW - 365 * DAY))
    sync(org, sqlite_store)
    with sqlite_store.read() as conn:
        assert "New" == conn.execute(select(t.crm_accounts.c.name)).scalar()


def test_a_row_that_becomes_visible_late_is_not_lost(sqlite_store: Store) -> None:
    """A row whose stamp lies before rows already read is found by the overlap (R2)."""
    with serving(OrgSettings(commit_delay=4 * SECOND, public_key=key_pair()[1])) as org:
        org.clock.advance_to(NOW + DAY)
        early = org.add("Account", "001", 1, at=org.clock.now(), Name="Early")
        org.clock.advance(4 * SECOND)
        late = org.add("Account", "001", 2, at=org.clock.now() - 2 * SECOND, Name="Late")
        newest = org.add("Account", "001", 3, at=org.clock.now() - 4 * SECOND + 1, Name="Newest")
        sync(org, sqlite_store)
        org.clock.advance(2 * MINUTE)
        sync(org, sqlite_store)
        assert sorted([early, late, newest]) == ids(sqlite_store)


def test_five_thousand_rows_of_one_stamp_survive_a_kill_after_the_first_page(org: Org, sqlite_store: Store) -> None:
    """The cursor within a run is exact: ties are neither lost nor doubled, and one page is not read again (R3, R4)."""
    for number in range(5_001):
        org.add("Account", "001", number, at=NOW, Name=f"A{number}")
    connector = SalesforceConnector(settings(org), StepClock(org.clock))
    for event in connector.sync({}):
        assert isinstance(event, Batch)
        with sqlite_store.write() as conn:
            save_batch(conn, "sf", event, NOW)
        if event.stream == "accounts":
            break  # the kill
    connector.close()
    assert 2_000 == len(ids(sqlite_store))
    run = sync(org, sqlite_store)
    assert 5_001 == len(ids(sqlite_store))
    with sqlite_store.read() as conn:
        assert 5_001 == conn.execute(select(func.count()).select_from(t.crm_accounts)).scalar()
    assert 3_001 == run.saved.changed
    again = sync(org, sqlite_store)
    assert ("ok", 0) == (again.status, again.saved.changed)


def test_deleted_and_merged_rows_become_tombstones(org: Org, sqlite_store: Store) -> None:
    """A deleted row is kept as deleted, a merge loser points at its winner (R5)."""
    gone, loser, winner = (org.add("Account", "001", n, Name=f"A{n}") for n in (1, 2, 3))
    sync(org, sqlite_store)
    org.clock.advance(30 * MINUTE)
    org.change("delete", "Account", gone, org.clock.now())
    org.change("merge", "Account", loser, org.clock.now(), into=winner)
    sync(org, sqlite_store)
    with sqlite_store.read() as conn:
        rows = {r.id: r for r in conn.execute(select(t.crm_accounts))}
    assert rows[gone].deleted_at is not None
    assert (winner, None) == (rows[loser].merged_into, rows[winner].deleted_at)


def test_a_removed_participant_is_found_in_the_delete_log(org: Org, sqlite_store: Store) -> None:
    """A relation row that is gone without a trace in queryAll is removed by the sweep (R7)."""
    task = org.add("Task", "00T", 1, Subject="Call", Status="Completed")
    relation = org.add("TaskRelation", "0RT", 1, TaskId=task, RelationId=sf_id("003", 1), IsWhat=False)
    sync(org, sqlite_store)
    org.clock.advance(30 * MINUTE)
    org.change("delete", "TaskRelation", relation, org.clock.now())
    org.clock.advance(5 * MINUTE)
    connector = SalesforceConnector(settings(org), StepClock(org.clock))
    run = run_sweep(sqlite_store, "sf", connector, "deletes", StepClock(org.clock))
    connector.close()
    assert ("ok", 1) == (run.status, run.saved.deleted)


def test_without_shared_activities_the_primary_contact_takes_part(sqlite_store: Store) -> None:
    """An org without TaskRelation syncs, and WhoId says who it was (R7)."""
    with serving(OrgSettings(shared_activities=False, public_key=key_pair()[1])) as org:
        org.clock.advance_to(NOW + 10 * MINUTE)
        org.add("Task", "00T", 1, Subject="Call", Status="Completed", WhoId=sf_id("003", 7))
        run = sync(org, sqlite_store)
        assert ("ok", {}) == (run.status, run.troubles)
        with sqlite_store.read() as conn:
            assert [sf_id("003", 7)] == list(conn.execute(select(t.crm_participants.c.contact_id)).scalars())
            absent = select(t.freshness.c.stream).where(t.freshness.c.status == "absent")
            assert "task_relations" in set(conn.execute(absent).scalars())


def test_one_bad_field_fails_its_stream_alone(org: Org, sqlite_store: Store) -> None:
    """A mapped field that is not there degrades accounts; the others go on, and the message says what to mend."""
    org.add("Contact", "003", 1, LastName="Ann")
    run = sync(org, sqlite_store, fields={"arr": {"field": "No_Such__c"}})
    assert "partial" == run.status
    assert ["accounts"] == list(run.troubles)
    assert "No_Such__c" in run.troubles["accounts"]
    assert 1 == len(ids(sqlite_store, t.crm_contacts))


def test_a_session_that_ends_midway_is_renewed_once(sqlite_store: Store) -> None:
    """A 401 costs one new token; the read goes on where it was (R30)."""
    with serving() as org:
        org.clock.advance_to(NOW + 10 * MINUTE)
        for number in range(10):
            org.add("Account", "001", number, Name=f"A{number}")
        connector = SalesforceConnector(settings(org), StepClock(org.clock))
        run_sync(sqlite_store, "sf", connector, StepClock(org.clock))
        org.clock.advance(DAY)
        run = run_sync(sqlite_store, "sf", connector, StepClock(org.clock))
        connector.close()
        tokens = [entry for entry in org.log.entries() if "oauth2" in entry.path]
        assert ("ok", 2, 10) == (run.status, len(tokens), len(ids(sqlite_store)))


def test_a_key_signs_in_too(org: Org, sqlite_store: Store) -> None:
    """JWT bearer with audience, issuer and expiry as the org asks (R31)."""
    auth = JwtBearer(
        method="jwt",
        client_id=ORG.client_id,
        username=ORG.username,
        private_key=SecretStr(key_pair()[0]),
        audience=org.served.url,
    )
    org.add("Account", "001", 1, Name="Acme")
    assert ("ok", 1) == (sync(org, sqlite_store, auth=auth).status, len(ids(sqlite_store)))


def test_wrong_credentials_fail_every_stream_with_one_reason(org: Org, sqlite_store: Store) -> None:
    """Nothing is read, nothing is retried for ever, and no secret is in the message."""
    wrong = CREDENTIALS.model_copy(update={"client_secret": SecretStr("hush-hush")})
    run = sync(org, sqlite_store, auth=wrong)
    assert "failed" == run.status
    (message,) = set(run.troubles.values())
    assert "invalid_client" in message
    assert "hush-hush" not in message
    assert 1 == len(org.log.entries())


def test_tiers_are_written_a_thousand_a_call(org: Org) -> None:
    """1,000 rows are one call, the owner stays, and a bad value parks its row alone (R36, R37)."""
    rows = [org.add("Account", "001", n, Name=f"A{n}", OwnerId=sf_id("005", 1)) for n in range(1_000)]
    clock = StepClock(org.clock)
    out = writer(settings(org), clock)
    assert ["ok"] == [finding.level for finding in out.check_target()]
    before = len(data_calls(org))
    results = list(out.write([TierWrite(r, "Tier 9" if n == 137 else "Tier 1", None) for n, r in enumerate(rows)]))
    assert 1 == len(data_calls(org)) - before
    assert 999 == sum(r.outcome == "written" for r in results)
    (parked,) = [r for r in results if r.outcome != "written"]
    assert (rows[137], "parked", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST") == (
        parked.record_id,
        parked.outcome,
        parked.code,
    )
    assert {"Tier 1": 999, None: 1} == _counted(out.read(rows).values())
    owners = org.query("SELECT Id, OwnerId FROM Account").json()["records"]
    assert {sf_id("005", 1)} == {row["OwnerId"] for row in owners}
    out.close()


def _counted(values: Any) -> dict[Any, int]:
    found: dict[Any, int] = {}
    for value in values:
        found[value] = found.get(value, 0) + 1
    return found


def test_writing_beside_a_reader_needs_no_log_in_of_its_own(org: Org) -> None:
    """Without credentials for writing, both sides use the tokens of the reading one."""
    clock = StepClock(org.clock)
    connector = SalesforceConnector(settings(org), clock)
    list(connector.sync({}))
    out = writer(settings(org), clock, beside=connector)
    try:
        out.check_target()
        assert sum("oauth2" in entry.path for entry in org.log.entries()) == 1
    finally:
        out.close()
        connector.close()


def test_a_missing_tier_value_is_found_before_anything_is_written(org: Org) -> None:
    """The picklist is checked first (R39)."""
    target = TierTarget(field="Customer_Tier__c", values={1: "Gold", 2: "Tier 2", 3: "Tier 3"})
    out = writer(settings(org, tier=target.model_dump()), StepClock(org.clock))
    (finding,) = out.check_target()
    assert ("error", True) == (finding.level, "Gold" in finding.what)
    out.close()


def test_rights_that_are_not_needed_are_told_once_each(org: Org) -> None:
    """One warning per right; editing accounts is needed by whoever writes the tier, and by nobody else."""

    def warned(**also: Any) -> dict[str, str]:
        looking = SalesforceConnector(settings(org, **also), StepClock(org.clock))
        found = [finding.what for finding in looking.check() if "which tierd never does" in finding.what]
        looking.close()
        return {what.split()[3]: what for what in found}

    rights = warned()
    assert set(rights) == {"create", "edit", "delete"}
    assert ("Account," in rights["delete"], "Account," in rights["edit"]) == (True, False)
    assert "Account," in warned(write_auth=CREDENTIALS)["edit"]
    assert "Account," in warned(tier=None)["edit"]


def test_plain_http_is_for_loopback_only() -> None:
    """A token never travels unencrypted to another machine."""
    with pytest.raises(ValueError, match="not encrypted"):
        SalesforceSettings.model_validate(
            {"kind": "salesforce", "base_url": "http://acme.my.salesforce.com", "auth": CREDENTIALS, "customer": {}}
        )


def test_a_silent_server_ends_in_an_error_not_in_a_hang(org: Org) -> None:
    """A connection that is cut is retried with waits on the clock, then given up (R29)."""
    org.faults.add(parse_fault({"vendor": "salesforce", "reset": "before", "times": 50}))
    clock = StepClock(org.clock)
    connector = SalesforceConnector(settings(org), clock)
    with pytest.raises(VendorError, match="is it reachable"):
        connector.preview()
    connector.close()
    assert 4 == len(clock.slept)
