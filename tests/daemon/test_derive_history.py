"""A field's past is the CRM's own history of it, what syncs have seen of it, and nothing that is only taken for granted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import insert, select

from rules.fieldmap import Option
from rules.past import Line, PastRow, Piece, pieces
from rules.view import overlay, total
from store import tables as t
from store.engine import Store
from store.records import DAY, FieldChange, Instant, OpportunityRecord
from tests.daemon.derivation import ACME, CSM, NOW, SETTINGS, T0, fields, sync, table
from tests.rules.reading import portfolio_at

_DEALS = Option("opportunities", "Amount", lambda f: f.get("StageName") == "Closed Won", aggregate="sum")
SUMMED = replace(
    SETTINGS, mappings={"sf": replace(SETTINGS.mappings["sf"], fields={"arr": (_DEALS,)}, tier_field=None)}
)


def deal(ref: str, amount: str, stage: str, created: Instant, **also: Any) -> OpportunityRecord:
    """A deal that was created then."""
    raw = {"Amount": amount, "CloseDate": "2026-01-01", "StageName": stage}
    values: dict[str, Any] = {"created_at": created, "modified_at": created, "fields": raw} | also
    return OpportunityRecord(ref, "A1", ref, "New", stage, None, None, False, False, **values)


def arr(store: Store) -> list[tuple[Any, ...]]:
    """The intervals of ARR."""
    rows = table(store, t.account_fields, "field", "num", "valid_from", "valid_to", "recorded_at", "history")
    return sorted((row[1:] for row in rows if row[0] == "arr"), key=lambda row: row[1])


def test_the_crms_own_history_makes_the_intervals(store: Store) -> None:
    """Each line begins an interval, known to the CRM from then on; the current value's begins at the last change."""
    sync(store, CSM, ACME)
    assert [(120_050, T0, None, T0, "none")] == arr(store)
    sync(
        store,
        FieldChange("accounts", "A1", "ARR__c", 900, 0),
        FieldChange("accounts", "A1", "ARR__c", "1000.00", T0 + 100 * DAY, "005U"),
        FieldChange("accounts", "A1", "ARR__c", "1200.50", T0 + 200 * DAY, "005U"),
    )
    first, second = T0 + 100 * DAY, T0 + 200 * DAY
    assert [
        (90_000, T0, first, T0, "crm"),
        (100_000, first, second, first, "crm"),
        (120_050, second, None, second, "crm"),
    ] == arr(store)


def test_a_lost_customer_was_one_before(store: Store) -> None:
    """The condition is judged on what its fields were: a prospect, then a customer, then lost."""
    sync(store, CSM, replace(ACME, customer=False, fields={**ACME.fields, "Type": "Former Customer"}))
    assert [(0, T0, None, "none")] == customer(store)
    sync(
        store,
        FieldChange("accounts", "A1", "Type", "Prospect", 0),
        FieldChange("accounts", "A1", "Type", "Customer", T0 + 50 * DAY),
        FieldChange("accounts", "A1", "Type", "Former Customer", T0 + 200 * DAY),
    )
    first, lost = T0 + 50 * DAY, T0 + 200 * DAY
    assert [(0, T0, first, "crm"), (1, first, lost, "crm"), (0, lost, None, "crm")] == customer(store)


def customer(store: Store) -> list[tuple[Any, ...]]:
    """The intervals of the customer condition."""
    rows = table(store, t.account_fields, "field", "num", "valid_from", "valid_to", "history")
    return sorted((row[1:] for row in rows if row[0] == "customer"), key=lambda row: row[1])


def test_history_that_does_not_reach_back_leaves_the_time_before_unknown(store: Store) -> None:
    """Where the oldest line is younger than the row, nothing is said of the time before it."""
    sync(store, CSM, ACME, FieldChange("accounts", "A1", "ARR__c", "1200.50", T0 + 100 * DAY))
    assert [(120_050, T0 + 100 * DAY, None, T0 + 100 * DAY, "crm")] == arr(store)


def test_what_syncs_see_joins_the_crms_history(store: Store) -> None:
    """A change that was seen counts from the row's stamp, until the CRM's history says it better."""
    sync(store, CSM, ACME)
    sync(store, replace(ACME, fields={**ACME.fields, "ARR__c": "2000"}, modified_at=T0 + 50 * DAY))
    assert [(120_050, T0, T0 + 50 * DAY, T0, "none"), (200_000, T0 + 50 * DAY, None, T0 + 50 * DAY, "seen")] == arr(
        store
    )
    sync(
        store,
        FieldChange("accounts", "A1", "ARR__c", "1200.50", 0),
        FieldChange("accounts", "A1", "ARR__c", "2000", T0 + 40 * DAY),
    )
    assert [(120_050, T0, T0 + 40 * DAY, T0, "crm"), (200_000, T0 + 40 * DAY, None, T0 + 40 * DAY, "crm")] == arr(store)


def test_a_sum_over_deals_follows_each_deals_own_history(store: Store) -> None:
    """A deal counts from when its stage says so; one without history counts from its creation, until it is deleted."""
    won = deal("O1", "300", "Closed Won", T0 + 10 * DAY)
    sync(
        store, CSM, ACME, won, deal("O2", "200", "Closed Won", T0 + 5 * DAY, deleted_at=T0 + 90 * DAY),
        FieldChange("opportunities", "O1", "StageName", "Proposal", 0),
        FieldChange("opportunities", "O1", "StageName", "Closed Won", T0 + 60 * DAY),
        FieldChange("opportunities", "O1", "Amount", "250", 0),
        FieldChange("opportunities", "O1", "Amount", "300", T0 + 70 * DAY),
        settings=SUMMED,
    )  # fmt: skip
    assert [
        (20_000, T0 + 5 * DAY, T0 + 60 * DAY),
        (45_000, T0 + 60 * DAY, T0 + 70 * DAY),
        (50_000, T0 + 70 * DAY, T0 + 90 * DAY),
        (30_000, T0 + 90 * DAY, None),
    ] == [row[:3] for row in arr(store)]
    assert {"crm"} == {row[4] for row in arr(store)}


def test_a_deal_that_changes_later_counts_from_its_stamp(store: Store) -> None:
    """Without the CRM's history, the stage that a sync brings counts from then on."""
    sync(store, CSM, ACME, deal("O1", "300", "Proposal", T0 + 10 * DAY), settings=SUMMED)
    assert [] == arr(store)
    sync(store, deal("O1", "300", "Closed Won", T0 + 10 * DAY, modified_at=T0 + 30 * DAY), settings=SUMMED)
    assert [(30_000, T0 + 30 * DAY, None, T0 + 30 * DAY, "seen")] == arr(store)


def test_the_author_of_a_change_is_kept(store: Store) -> None:
    """Whoever set the tier field is known where the CRM's history says so."""
    sync(store, CSM, ACME)
    sync(
        store,
        FieldChange("accounts", "A1", "Tier__c", None, 0),
        FieldChange("accounts", "A1", "Tier__c", "Tier 2", T0 + 9 * DAY, "U1"),
    )
    rows = table(store, t.account_fields, "field", "text", "author", "valid_from")
    assert [("tier_field:sf", "Tier 2", "U1", T0 + 9 * DAY)] == [row for row in rows if row[0] == "tier_field:sf"]


def test_tags_have_times_of_their_own(store: Store) -> None:
    """A tag that stays while others come and go is one interval; an emptied field ends them all."""
    mapping = replace(SETTINGS.mappings["sf"], fields={"tags": (Option(None, "Tags__c"),)})
    settings = replace(SETTINGS, mappings={"sf": mapping})
    past = (("beta;vip", 0), ("vip", T0 + 9 * DAY), ("vip;new", T0 + 20 * DAY), ("vip;beta", T0 + 30 * DAY))
    changes = [FieldChange("accounts", "A1", "Tags__c", value, at) for value, at in (*past, (None, T0 + 40 * DAY))]
    sync(store, CSM, replace(ACME, fields={"Tags__c": None}), *changes, settings=settings)
    rows = table(store, t.account_fields, "field", "valid_from", "valid_to", "num")
    assert [
        ("tag:beta", T0, T0 + 9 * DAY, 1),
        ("tag:beta", T0 + 30 * DAY, T0 + 40 * DAY, 1),
        ("tag:new", T0 + 20 * DAY, T0 + 30 * DAY, 1),
        ("tag:vip", T0, T0 + 40 * DAY, 1),
    ] == sorted(row for row in rows if row[0].startswith("tag"))


def growth(store: Store, as_of: Instant = NOW) -> tuple[Any, Any]:
    """ARR growth of the only customer, and why there is none."""
    with store.read() as conn:
        (row,) = portfolio_at(conn, as_of)
    return row["arr_growth"], row["arr_growth_state"]


def test_growth_of_arr_stands_on_what_is_on_record(store: Store) -> None:
    """A value that was only found by the first sync says nothing of a year ago; the CRM's history does."""
    sync(store, CSM, ACME)
    assert (None, "not_recorded") == growth(store)
    sync(
        store,
        FieldChange("accounts", "A1", "ARR__c", "1000", 0),
        FieldChange("accounts", "A1", "ARR__c", "1200.50", NOW - 100 * DAY),
    )
    assert (0.2005, None) == growth(store)
    sync(store, FieldChange("accounts", "A1", "ARR__c", "0", NOW - 380 * DAY))
    assert (None, "not_recorded") == growth(store)


def test_growth_may_stand_on_a_sync_of_a_year_ago(store: Store) -> None:
    """What a sync found then is on record since then, though nobody knows for how long it had been so."""
    with store.write() as conn:
        conn.execute(
            insert(t.sources).values(source="sf", kind="salesforce", interval_us=DAY, first_synced_at=NOW - 400 * DAY)
        )
    sync(store, CSM, ACME)
    assert (0.0, None) == growth(store)


def test_settings_that_change_read_the_past_anew(store: Store) -> None:
    """Another mapping is no change of the customer: the intervals are those that it would always have had."""
    sync(store, CSM, ACME, settings=replace(SETTINGS, fingerprints={"accounts": "1"}))
    other = replace(SETTINGS.mappings["sf"], fields={"arr": (Option(None, "Other__c"),)})
    turned = replace(SETTINGS, mappings={"sf": other}, fingerprints={"accounts": "2"})
    sync(store, settings=turned)
    assert [] == arr(store)
    sync(store, settings=replace(SETTINGS, fingerprints={"accounts": "1"}))
    assert [(120_050, T0, None, T0, "none")] == arr(store)
    assert 120_050 == fields(store)["arr"]


def test_damaged_rows_have_no_past(store: Store) -> None:
    """What somebody wrote into the database is not remembered as something that the CRM once held."""
    sync(store, CSM, ACME)
    with store.write() as conn:
        conn.execute(t.crm_accounts.update().values(fields="{broken", payload=""))
    sync(store, ACME)
    with store.read() as conn:
        assert [] == conn.execute(select(t.crm_field_history)).all()
    assert [(120_050, T0, None, T0, "none")] == arr(store)


# ---------------------------------------------------------------- the pure parts


def _row(**lines: list[Line]) -> PastRow:
    return PastRow("r", 100, 900, None, {"a": "now", "b": "fixed"}, lines)


@pytest.mark.parametrize(("at", "value"), [(100, "old"), (199, "old"), (200, "mid"), (300, "now"), (999, "now")])
def test_a_row_as_it_was(at: int, value: str) -> None:
    """From the last line on the row itself counts, before it the line in force."""
    row = _row(a=[Line(0, "old"), Line(200, "mid"), Line(300, "last")])
    assert (value, "fixed") == (row.at(at).fields["a"], row.at(at).fields["b"])


def test_equal_values_are_one_piece() -> None:
    """Lines that change nothing of what is read cut nothing."""
    row = _row(a=[Line(0, "now"), Line(200, "now")], b=[Line(0, "x"), Line(400, "fixed")])
    assert [Piece(100, None, "now", "crm")] == pieces(row, (), lambda at: str(row.at(at).fields["a"]))


def test_layers_overlay_and_add_up() -> None:
    """The first layer that has a value counts; a sum has every value that is there."""
    first, second = [Piece(10, 20, 1), Piece(30, None, 1)], [Piece(5, 25, 2)]
    assert [(5, 10, 2), (10, 20, 1), (20, 25, 2), (30, None, 1)] == [
        (p.since, p.until, p.value) for p in overlay([first, second])
    ]
    assert [(5, 10, 2), (10, 20, 3), (20, 25, 2), (30, None, 1)] == [
        (p.since, p.until, p.value) for p in total([first, second], sum)
    ]
