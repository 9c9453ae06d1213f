"""What a record leaves out stays as it is: hidden fields, values read apart, tombstones that come back, damaged rows."""

from __future__ import annotations

import json
from dataclasses import replace

from sqlalchemy import select, update

from store import dirty
from store.engine import Store
from store.records import (
    AccountRecord,
    Batch,
    ContactRecord,
    FieldChange,
    FieldValues,
    Gone,
    ObjectRecord,
    OpportunityRecord,
    Record,
)
from store.sync import save_batch
from store.tables import (
    crm_accounts,
    crm_contact_accounts,
    crm_contacts,
    crm_field_history,
    crm_objects,
    crm_opportunities,
)

ACCOUNT = AccountRecord("A1", "Acme", "acme.test", "U1", None, 10, 20, True, fields={"ARR__c": 12, "Plan__c": "Gold"})
CONTACT = ContactRecord("C1", ("A1",), "Ann", "ann@acme.test", "CEO", 11, 21, fields={"Level__c": "VP"})
DEAL = OpportunityRecord("O1", "A1", "Renewal", None, "Won", 500, None, True, True, 12, 22, fields={"Seats__c": 5})
LINE = ObjectRecord("Contract", "K1", "A1", 13, 23, {"Value__c": 7})


def _save(store: Store, *records: Record, mend: bool = False) -> int:
    with store.write() as conn:
        for what in ("accounts", "contacts", "fields"):
            dirty.done(conn, what, dirty.take(conn, what, 100))
        return save_batch(conn, "sf", Batch("accounts", records, "1", mend=mend), 1_000).changed


def _dirty(store: Store, what: str) -> list[str]:
    with store.read() as conn:
        return [ref for _, ref in dirty.take(conn, what, 100)]


def test_a_field_that_was_not_read_keeps_its_value(store: Store) -> None:
    """Keys missing in `fields` and attributes in `unread` stay, and the row is then the row that is there."""
    _save(store, ACCOUNT)
    blind = replace(ACCOUNT, name="Acme Ltd", domain=None, unread=("domain",), fields={"Plan__c": "Iron"})
    assert 1 == _save(store, blind)
    assert 0 == _save(store, blind)
    with store.read() as conn:
        row = conn.execute(select(crm_accounts)).one()
    assert ("Acme Ltd", "acme.test") == (row.name, row.domain)
    assert {"ARR__c": 12, "Plan__c": "Iron"} == json.loads(row.fields)
    seeing = replace(ACCOUNT, name="Acme Ltd", fields={"ARR__c": 12, "Plan__c": "Iron"})
    assert 0 == _save(store, seeing)


def test_a_contact_whose_account_is_hidden_stays_on_it(store: Store) -> None:
    """Links are kept like columns."""
    _save(store, CONTACT)
    assert 1 == _save(store, replace(CONTACT, title="CFO", account_ids=(), unread=("account_ids",)))
    assert 0 == _save(store, replace(CONTACT, title="CFO"))
    with store.read() as conn:
        assert ["A1"] == list(conn.execute(select(crm_contact_accounts.c.crm_account_id)).scalars())


def test_an_unread_account_of_an_opportunity_stays(store: Store) -> None:
    """`account_id` is the column `crm_account_id`; a first sight takes what the record says."""
    assert 1 == _save(store, replace(DEAL, account_id=None, unread=("account_id",)))
    _save(store, DEAL)
    assert 1 == _save(store, replace(DEAL, stage="Lost", account_id=None, unread=("account_id",)))
    with store.read() as conn:
        assert [("Lost", "A1")] == [
            tuple(r) for r in conn.execute(select(crm_opportunities.c.stage, crm_opportunities.c.crm_account_id))
        ]
    assert ["A1"] == _dirty(store, "fields")


def test_values_read_apart_change_their_fields_only(store: Store) -> None:
    """A formula's new result is written with the instant of its reading; unknown and deleted rows are left alone."""
    _save(store, ACCOUNT, CONTACT, DEAL, LINE, replace(ACCOUNT, id="A2"))
    _save(store, Gone("accounts", "A2", 30))
    fresh = (
        FieldValues("accounts", "A1", {"ARR__c": 99}, 40, {"customer": False}),
        FieldValues("accounts", "A2", {"ARR__c": 99}, 40),
        FieldValues("accounts", "A3", {"ARR__c": 99}, 40),
        FieldValues("contacts", "C1", {"Level__c": "VP"}, 40),
        FieldValues("opportunities", "O1", {"Seats__c": 6}, 40),
        FieldValues("objects:Contract", "K1", {"Value__c": 8}, 40),
    )
    assert 3 == _save(store, *fresh)
    assert (["A1"], [], ["A1"]) == (_dirty(store, "accounts"), _dirty(store, "contacts"), _dirty(store, "fields"))
    assert 0 == _save(store, *fresh)
    with store.read() as conn:
        row = conn.execute(select(crm_accounts).where(crm_accounts.c.id == "A1")).one()
        assert ["A1", "A2"] == sorted(conn.execute(select(crm_accounts.c.id)).scalars())
        assert 21 == conn.execute(select(crm_contacts.c.modified_at)).scalar()
        assert '{"Value__c":8}' == conn.execute(select(crm_objects.c.fields)).scalar()
    assert (40, 0, "Acme", {"ARR__c": 99, "Plan__c": "Gold"}) == (
        row.modified_at, row.customer, row.name, json.loads(row.fields)
    )  # fmt: skip
    assert 0 == _save(store, replace(ACCOUNT, customer=False, fields={"ARR__c": 99, "Plan__c": "Gold"}))


def test_a_row_that_comes_back_is_alive_again(store: Store) -> None:
    """A tombstone keeps the hash of the row it was; the same row once more is an undelete all the same."""
    _save(store, ACCOUNT, LINE)
    _save(store, Gone("accounts", "A1", 30), Gone("objects:Contract", "K1", 30))
    assert 2 == _save(store, ACCOUNT, LINE)
    assert 0 == _save(store, ACCOUNT, LINE)
    with store.read() as conn:
        assert [None] == list(conn.execute(select(crm_accounts.c.deleted_at)).scalars())


def test_a_damaged_row_is_mended_although_its_hash_is_right(store: Store) -> None:
    """Only a batch that says so writes over a row whose hash claims that nothing changed."""
    _save(store, ACCOUNT)
    with store.write() as conn:
        conn.execute(update(crm_accounts).values(name="?", fields="{broken"))
    assert 0 == _save(store, ACCOUNT)
    assert 1 == _save(store, ACCOUNT, mend=True)
    with store.read() as conn:
        row = conn.execute(select(crm_accounts)).one()
    assert ("Acme", ACCOUNT.fields) == (row.name, json.loads(row.fields))


def test_the_oldest_line_of_a_history_says_what_was_before(store: Store) -> None:
    """Lines come in any order, in one batch or in several; what a field held at first is the oldest line's old value."""
    lines = {
        at: (
            FieldChange("accounts", "A1", "ARR__c", at - 1, 0, until=at),
            FieldChange("accounts", "A1", "ARR__c", at, at),
        )
        for at in (100, 200, 300)
    }
    for order in ((200,), (300, 100), (300, 200)):
        _save(store, *(record for at in order for record in lines[at]))
    with store.read() as conn:
        c = crm_field_history.c
        kept = conn.execute(select(c.changed_at, c.value).order_by(c.changed_at)).all()
    assert [(0, "99"), (100, "100"), (200, "200"), (300, "300")] == [tuple(row) for row in kept]
    assert 0 == _save(store, *(record for pair in lines.values() for record in pair))
