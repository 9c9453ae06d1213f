"""Scope, contract, money, tickets and tier in force of a customer, at the edges where they turn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, select

from rules.facts import FactSettings, in_scope, portfolio
from store.engine import Store
from store.records import DAY
from store.tables import accounts, facts
from tests.rules import reading
from tests.rules.derived_rows import LONG_AGO, NOW, TODAY, Rows, ago, orderly


@pytest.fixture
def connection(store: Store) -> Iterator[Connection]:
    """A connection whose transactions the tests roll back."""
    with store.engine.connect() as conn:
        yield conn


def facts_of(conn: Connection, rows: Rows, as_of: int = NOW, **settings: Any) -> dict[int, dict[str, Any]]:
    """Account -> its row of facts."""
    return reading.facts_of(conn, rows, as_of, FactSettings(**settings))


def one(conn: Connection, rows: Rows, **settings: Any) -> dict[str, Any]:
    """The facts of the only account."""
    (row,) = facts_of(conn, rows, **settings).values()
    return row


def test_columns_are_those_of_the_facts_table() -> None:
    """The statement can be inserted as it is."""
    assert [c.name for c in portfolio(NOW, FactSettings()).selected_columns] == [c.name for c in facts.columns]


def test_scope_leaves_out_prospects_churned_and_closed(connection: Connection) -> None:
    """Only customers that have not churned are evaluated; a past instant sees who was one then."""
    rows = orderly()
    customer, prospect, churned, later = rows.account(), rows.account(customer=False), rows.account(), rows.account()
    rows.field(churned, "churned", 1, since=ago(3))
    rows.tables["accounts"][later - 1]["closed_at"] = ago(1)
    assert set(facts_of(connection, rows)) == {customer}
    assert set(facts_of(connection, rows, ago(5))) == {customer, churned, later}
    assert prospect not in facts_of(connection, rows, ago(5))


def test_given_accounts_narrow_the_portfolio(connection: Connection) -> None:
    """A select of ids restricts the rows and nothing else."""
    rows = orderly()
    first, second = rows.account(arr=5), rows.account(arr=6)
    with connection.begin() as transaction:
        rows.save(connection)
        only = select(accounts.c.id).where(accounts.c.id == second)
        found = connection.execute(portfolio(NOW, FactSettings(), only)).mappings().all()
        ids = connection.execute(in_scope(NOW, FactSettings(), only)).scalars().all()
        transaction.rollback()
    assert [(row["account_id"], row["arr"]) for row in found] == [(second, 6)]
    assert list(ids) == [second] != [first]


@pytest.mark.parametrize(
    ("age", "value", "state"),
    [(30, TODAY - 30, None), (31, None, "outdated"), (-90, TODAY + 90, None)],
    ids=["30 days past", "31 days past", "ahead"],
)
def test_renewal_is_outdated_after_thirty_days(
    connection: Connection, age: int, value: int | None, state: str | None
) -> None:
    """A date more than 30 days past and not renewed is missing."""
    rows = orderly()
    rows.account(renewal=TODAY - age)
    row = one(connection, rows)
    assert (row["renewal"], row["renewal_state"]) == (value, state)


@pytest.mark.parametrize(("before", "renewed"), [(119, 1), (120, 0)])
def test_renewed_by_a_won_renewal_near_the_date(connection: Connection, before: int, renewed: int) -> None:
    """A closed-won renewal counts when it closed after the renewal date minus 120 days."""
    rows = orderly()
    account = rows.account(renewal=TODAY + 60, contract_start=TODAY - 700, term=365)
    rows.link(account)
    rows.deal(account, TODAY + 60 - before, won=True)
    rows.deal(account, TODAY, won=True, kind="Expansion")
    row = one(connection, rows)
    assert (row["renewed"], row["lifecycle"]) == (renewed, "live" if renewed else "renewing")


def test_auto_renewing_contract_past_its_notice_date_is_renewed(connection: Connection) -> None:
    """The notice date itself is not past yet."""
    rows = orderly()
    past, today = rows.account(renewal=TODAY - 40, auto_renews=1), rows.account(renewal=TODAY, auto_renews=1)
    found = facts_of(connection, rows)
    assert (found[past]["renewed"], found[past]["renewal"]) == (1, TODAY - 40)
    assert found[today]["renewed"] == 0


def test_without_a_date_nothing_is_renewed_or_rolls(connection: Connection) -> None:
    """No renewal on file: `renewed` is missing. An outdated one is no end of a term."""
    rows = orderly()
    none, outdated = (
        rows.account(contract_start=TODAY - 700),
        rows.account(renewal=TODAY - 40, contract_start=TODAY - 100),
    )
    found = facts_of(connection, rows)
    assert (found[none]["renewed"], found[none]["renewed_state"], found[none]["rolling"]) == (None, "not_on_file", 0)
    assert (found[outdated]["renewed"], found[outdated]["rolling"]) == (0, 0)


def test_deals_stand_in_for_missing_dates(connection: Connection) -> None:
    """The first closed-won deal is the start; the open renewal's close date is the renewal."""
    rows = orderly()
    account = rows.account()
    rows.link(account)
    rows.deal(account, TODAY - 400, won=True, kind="New Business")
    rows.deal(account, TODAY - 30, won=True)
    rows.deal(account, TODAY + 70, won=None)
    row = one(connection, rows)
    assert (row["contract_start"], row["renewal"], row["rolling"]) == (TODAY - 400, TODAY + 70, 1)


@pytest.mark.parametrize(("term", "rolling"), [(179, 1), (180, 0)])
def test_short_terms_roll(connection: Connection, term: int, rolling: int) -> None:
    """A mapped term under 180 days rolls; a renewal date alone does not."""
    rows = orderly()
    mapped, alone = rows.account(renewal=TODAY + 20, term=term), rows.account(renewal=TODAY + 20)
    started = rows.account(renewal=TODAY + 20, contract_start=TODAY + 20 - term)
    found = facts_of(connection, rows)
    assert (found[mapped]["rolling"], found[started]["rolling"], found[alone]["rolling"]) == (rolling, rolling, 0)


def test_lost_renewal_leaves_scope_once_the_date_has_passed(connection: Connection) -> None:
    """Closed lost and the renewal date past: churned. A newer renewal keeps the customer."""
    rows = orderly()
    gone, ahead, kept = (rows.account(renewal=TODAY + days) for days in (-1, 5, -1))
    for account in (gone, ahead, kept):
        rows.link(account)
        rows.deal(account, TODAY - 20, won=False)
    rows.deal(kept, TODAY + 30, won=None)
    assert set(facts_of(connection, rows)) == {ahead, kept}


@pytest.mark.parametrize(("age", "lifecycle"), [(89, "onboarding"), (90, "live")])
def test_onboarding_is_the_first_ninety_days(connection: Connection, age: int, lifecycle: str) -> None:
    """Onboarding wins over renewing and sets its own cadence."""
    rows = orderly()
    rows.account(contract_start=TODAY - age, renewal=TODAY + 300)
    row = one(connection, rows)
    assert (row["lifecycle"], row["cadence"]) == (lifecycle, 7 if lifecycle == "onboarding" else None)


def test_money_is_what_was_paid_so_far(connection: Connection) -> None:
    """Closed-won amounts up to today; the same deal in both CRMs counts once; with ARR and no payment it is missing."""
    rows = orderly()
    rows.source("hubspot", kind="hubspot")
    both, nothing, free = rows.account(arr=500), rows.account(arr=500), rows.account(arr=0)
    rows.link(both)
    ref = rows.link(both, "hubspot")
    rows.deal(both, TODAY - 10, won=True, amount=700)
    rows.deal(both, TODAY - 400, won=True, amount=300)
    rows.deal(both, TODAY + 5, won=True, amount=900)
    rows.deal(both, TODAY - 10, won=True, amount=700, source="hubspot", crm_account_id=ref)
    found = facts_of(connection, rows)
    assert [found[a]["ltv"] for a in (both, nothing, free)] == [1_000, None, 0]
    assert found[nothing]["ltv_state"] == "not_on_file"


@pytest.mark.parametrize(
    ("arr", "segment"),
    [(10_000_000, "enterprise"), (9_999_999, "mid_market"), (2_000_000, "mid_market"), (1_999_999, "smb")],
)
def test_segment_follows_arr(connection: Connection, arr: int, segment: str) -> None:
    """Bands include their lower bound; a mapped segment wins; without ARR it is missing."""
    rows = orderly()
    by_arr, mapped, neither = rows.account(arr=arr), rows.account(arr=arr, segment="smb"), rows.account()
    found = facts_of(connection, rows)
    assert [found[a]["segment"] for a in (by_arr, mapped, neither)] == [segment, "smb", None]


def test_stale_field_keeps_its_value_beside_the_state(connection: Connection) -> None:
    """The account stream of the field's source decides; other sources' fields stay fresh."""
    rows = Rows()
    rows.source()
    rows.source("hubspot", kind="hubspot")
    rows.fresh("salesforce", "accounts", ago(2))
    rows.fresh("hubspot", "accounts", NOW)
    account = rows.account(arr=5)
    rows.field(account, "potential", 7, source="hubspot")
    row = one(connection, rows)
    assert (row["arr"], row["arr_state"]) == (5, "stale")
    assert (row["potential"], row["potential_state"]) == (7, None)


def test_tickets_are_missing_where_the_source_has_none(connection: Connection) -> None:
    """0 needs a source with tickets; open and urgent are counted at the instant."""
    rows = orderly()
    rows.source("hubspot", kind="hubspot")
    busy, quiet, other = rows.account(), rows.account(), rows.account()
    rows.link(busy)
    rows.link(quiet)
    rows.link(other, "hubspot")
    for ref, priority, opened, closed in (
        ("a", "High", 10, None),
        ("b", "Low", 20, 5),
        ("c", "Low", 20, -5),
        ("d", "Low", 95, 93),
    ):
        stamps = {"opened_at": ago(opened), "created_at": ago(opened), "modified_at": ago(opened)}
        gone = None if closed is None else ago(closed)
        key = {"source": "salesforce", "id": ref, "crm_account_id": f"salesforce-{busy}", "payload": ""}
        rows.add("crm_tickets", **key, **stamps, priority=priority, closed_at=gone)
    found = facts_of(connection, rows)
    names = ("open_tickets", "urgent_tickets", "tickets_90d")
    assert [[found[a][n] for n in names] for a in (busy, quiet, other)] == [[2, 1, 3], [0, 0, 0], [None] * 3]
    assert found[other]["open_tickets_state"] == "no_source"


def test_tier_in_force_sets_cadence_and_the_next_touch(connection: Connection) -> None:
    """Intervals of the tier history decide at their edges; the age of the last contact is in whole days."""
    rows = orderly()
    account = rows.account(contract_start=TODAY - 400)
    rows.add("tier_history", account_id=account, valid_from=ago(20), valid_to=NOW, tier=1, pinned=0)
    rows.add("tier_history", account_id=account, valid_from=NOW, tier=3, pinned=1)
    rows.touch(rows.person(account), "call", ago(33.5))
    found = facts_of(connection, rows)[account]
    assert (found["tier"], found["tier_pinned"], found["cadence"], found["touch_due_in"]) == (3, 1, 30, -3)
    before = facts_of(connection, rows, NOW - 1)[account]
    assert (before["tier"], before["cadence"], before["touch_due_in"]) == (1, 7, -26)
    unset = facts_of(connection, rows, ago(21))[account]
    assert (unset["tier"], unset["tier_state"], unset["touch_due_in_state"]) == (None, "not_recorded", "not_recorded")


def test_never_touched_counts_from_the_start_of_the_contract(connection: Connection) -> None:
    """Without a contact the contract's start is what the cadence runs from; without both it is missing."""
    rows = orderly()
    started, unknown = rows.account(contract_start=TODAY - 100), rows.account()
    for account in (started, unknown):
        rows.add("tier_history", account_id=account, valid_from=LONG_AGO, tier=2, pinned=0)
    found = facts_of(connection, rows)
    assert (found[started]["touch_due_in"], found[unknown]["touch_due_in"]) == (-86, None)
    assert found[unknown]["touch_due_in_state"] == "not_on_file"


def test_dates_are_compared_in_the_configured_zone(connection: Connection) -> None:
    """At 06:00 UTC it is still the day before in Honolulu: a date 30 days past there is not outdated."""
    rows = orderly()
    rows.account(renewal=TODAY - 31)
    assert one(connection, rows)["renewal_state"] == "outdated"
    assert one(connection, rows, timezone="Pacific/Honolulu")["renewal"] == TODAY - 31


def test_what_this_version_does_not_record_says_so(connection: Connection) -> None:
    """What somebody must record first is missing everywhere, with the reason; health of hardly anything, with its own."""
    rows = orderly()
    rows.account(arr=5)
    row = one(connection, rows)
    assert (row["last_feedback_ask"], row["last_feedback_ask_state"]) == (None, "not_recorded")
    assert (row["health"], row["health_state"]) == (None, "too_little_known")


def test_past_instants_know_nothing_of_later_rows(connection: Connection) -> None:
    """A level learnt later does not reach back; a touch logged late is not seen before it was logged."""
    rows = orderly()
    account = rows.account()
    person = rows.person(account, None)
    row = {"person_id": person, "standing": "exec"}
    rows.add("person_levels", **row, valid_from=ago(10), recorded_at=ago(10))
    rows.touch(person, "email", ago(30), logged=ago(5))
    before, after = (facts_of(connection, rows, ago(days))[account] for days in (11, 4))
    assert (before["exec_contacts"], before["exec_contacts_u"], before["last_contact"]) == (0, 1, None)
    assert (after["exec_contacts"], after["exec_contacts_u"], after["last_exec_contact"]) == (1, 0, ago(30))
    assert ago(30) + DAY < ago(11)
