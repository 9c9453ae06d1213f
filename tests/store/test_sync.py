"""A batch is kept whole, once, and only where it differs."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection, func, select

from store import dirty
from store.engine import Store
from store.records import (
    AccountRecord,
    ActivityKind,
    ActivityRecord,
    ActivityStatus,
    Batch,
    ContactRecord,
    Gone,
    Links,
    OpportunityRecord,
    ParticipantRecord,
    Record,
    StreamTrouble,
    UsageSample,
)
from store.sync import load_cursors, save_batch, save_trouble
from store.tables import crm_accounts, crm_contact_accounts, crm_participants, freshness, usage_samples

ACCOUNT = AccountRecord("A1", "Acme", "acme.test", "U1", None, 10, 20, True, fields={"ARR__c": "12.50"})
CONTACT = ContactRecord("C1", ("A1",), "Ann", "Ann@acme.test", "CEO", 11, 21)
MAIL = ActivityRecord(
    "E1",
    ActivityKind.EMAIL,
    ActivityStatus.DONE,
    "in",
    "Hello",
    30,
    30,
    31,
    32,
    "U1",
    ("A1",),
    participants=(ParticipantRecord("E1:from", "E1", "from", "C1", address="Ann@Acme.test"),),
)


def _save(store: Store, *records: Record, cursor: str = "1", fresh_at: int | None = None) -> tuple[int, int, int]:
    with store.write() as conn:
        saved = save_batch(conn, "sf", Batch("accounts", records, cursor, fresh_at), 1_000)
    return saved.seen, saved.changed, saved.deleted


def _count(conn: Connection, what: str) -> int:
    return len(dirty.take(conn, what, 100))


def test_the_same_batch_twice_changes_nothing(store: Store) -> None:
    """The second time every row is seen and none is written or marked."""
    records = (ACCOUNT, CONTACT, MAIL, UsageSample("ws", "active_users", 5, 3.0))
    assert (4, 4, 0) == _save(store, *records)
    with store.write() as conn:
        for what in ("accounts", "contacts", "activities", "samples"):
            dirty.done(conn, what, dirty.take(conn, what, 100))
    assert (4, 0, 0) == _save(store, *records)
    with store.read() as conn:
        assert [0, 0, 0, 0] == [_count(conn, what) for what in ("accounts", "contacts", "activities", "samples")]


def test_a_stamp_alone_is_no_change(store: Store) -> None:
    """A row whose modification stamp moved but nothing else is not written."""
    _save(store, ACCOUNT)
    assert (1, 0, 0) == _save(store, replace(ACCOUNT, modified_at=99))
    assert (1, 1, 0) == _save(store, replace(ACCOUNT, modified_at=100, name="Acme Ltd"))


def test_a_deleted_row_is_counted_and_kept(store: Store) -> None:
    """A soft delete is a tombstone, counted once."""
    _save(store, ACCOUNT)
    assert (1, 1, 1) == _save(store, replace(ACCOUNT, deleted_at=50, modified_at=50))
    assert (1, 0, 0) == _save(store, Gone("accounts", "A1", 60))
    with store.read() as conn:
        assert 50 == conn.execute(select(crm_accounts.c.deleted_at)).scalar()


def test_cursor_and_freshness_go_with_the_rows(store: Store) -> None:
    """The cursor is there after the batch; trouble keeps the old freshness and says why."""
    _save(store, ACCOUNT, cursor='{"at":20}', fresh_at=500)
    with store.write() as conn:
        assert {"accounts": '{"at":20}'} == load_cursors(conn, "sf")
        save_trouble(conn, "sf", StreamTrouble("accounts", "deferred", "quota is used up"))
        assert (500, "deferred", "quota is used up") == tuple(
            conn.execute(select(freshness.c.fresh_at, freshness.c.status, freshness.c.detail)).one()
        )


def test_links_are_complete_sets(store: Store) -> None:
    """What a set of links leaves out is unlinked, for contacts and for participants."""
    _save(store, CONTACT, MAIL)
    _save(store, Links("contacts", "C1", "accounts", ("A2", "A3")), Links("activities", "E1", "contacts", ("C1", "C2")))
    with store.read() as conn:
        links = conn.execute(select(crm_contact_accounts.c.crm_account_id)).scalars()
        assert ["A2", "A3"] == sorted(links)
        who = conn.execute(select(crm_participants.c.contact_id).where(crm_participants.c.role == "who")).scalars()
        assert ["C1", "C2"] == sorted(who)
    _save(store, Links("activities", "E1", "contacts", ("C2",)))
    with store.read() as conn:
        here = crm_participants.c.role == "who", crm_participants.c.deleted_at.is_(None)
        assert ["C2"] == list(conn.execute(select(crm_participants.c.contact_id).where(*here)).scalars())


def test_a_removed_participant_marks_its_activity(store: Store) -> None:
    """A relation row that only the delete log names leads back to its activity."""
    _save(store, MAIL)
    with store.write() as conn:
        dirty.done(conn, "activities", dirty.take(conn, "activities", 10))
    assert (1, 1, 1) == _save(store, Gone("participants", "E1:from", 70))
    with store.read() as conn:
        assert [("sf", "E1")] == dirty.take(conn, "activities", 10)


def test_a_moved_opportunity_marks_both_accounts(store: Store) -> None:
    """The account it left and the one it came to are read again."""
    deal = OpportunityRecord("O1", "A1", "Renewal", "Renewal", "Open", 100, 5, False, False, 1, 2)
    _save(store, deal)
    with store.write() as conn:
        dirty.done(conn, "fields", dirty.take(conn, "fields", 10))
    _save(store, replace(deal, account_id="A2", modified_at=3))
    with store.read() as conn:
        assert [("sf", "A1"), ("sf", "A2")] == dirty.take(conn, "fields", 10)


def test_a_corrected_sample_replaces_the_old_one(store: Store) -> None:
    """One sample per key, metric, user and instant: the newest value."""
    _save(store, UsageSample("ws", "active_users", 5, 3.0), UsageSample("ws", "active_users", 6, 4.0))
    assert (2, 1, 0) == _save(
        store, UsageSample("ws", "active_users", 5, 9.0), UsageSample("ws", "active_users", 6, 4.0)
    )
    with store.read() as conn:
        assert (2, 13.0) == tuple(conn.execute(select(func.count(), func.sum(usage_samples.c.value))).one())
