"""R45 for Salesforce: one slow sweep heals what any hole let through, within the calls that section 2 allows."""

from __future__ import annotations

from sqlalchemy import delete, update

from sandbox.clock import HOUR, MINUTE
from sandbox.versions import At
from store import tables as t
from store.engine import Store
from tests.connectors.salesforce_source import Source, calls, mark
from tests.sandbox.salesforce_org import NOW, serving, sf_id

ROWS = 4_100
"""Three pages of accounts; the full size runs in the bench."""


def test_r45_salesforce_one_sweep_heals_what_was_lost_or_damaged(store: Store) -> None:
    """10 rows damaged, 5 deleted, 3 gone unseen, 2 changed unseen, of accounts, contacts and activities alike."""
    with serving() as org:
        org.clock.advance_to(NOW + HOUR)
        accounts = [
            org.add("Account", "001", n, at=NOW + n // 7, Name=f"A{n}", Type="Customer", ARR__c=n) for n in range(ROWS)
        ]
        contacts = [org.add("Contact", "003", n, LastName=f"P{n}", AccountId=accounts[n]) for n in range(50)]
        meetings = [
            org.add("Event", "00U", n, Subject="M", StartDateTime=At(NOW), EndDateTime=At(NOW + HOUR))
            for n in range(50)
        ]
        sides = [
            org.add("EventRelation", "0RE", n, EventId=meetings[n], RelationId=contacts[n], IsWhat=False)
            for n in range(50)
        ]
        source = Source(org, store)
        source.sync()
        before = {table: source.rows(table) for table in TABLES}
        with store.write() as conn:
            a, c, e, p = t.crm_accounts, t.crm_contacts, t.crm_activities, t.crm_participants
            conn.execute(update(a).where(a.c.id.in_(accounts[10:16])).values(name="damaged"))
            conn.execute(update(a).where(a.c.id == accounts[16]).values(fields="{"))
            conn.execute(update(c).where(c.c.id.in_(contacts[10:12])).values(email="x@y.test"))
            conn.execute(update(e).where(e.c.id == meetings[10]).values(starts_at=0))
            conn.execute(delete(a).where(a.c.id.in_(accounts[20:22])))
            conn.execute(delete(c).where(c.c.id == contacts[20]))
            conn.execute(delete(e).where(e.c.id == meetings[20]))
            conn.execute(delete(p).where(p.c.id == sides[20]))
            conn.execute(update(a).where(a.c.id.in_(accounts[40:42])).values(modified_at=a.c.modified_at - MINUTE))
            lost = {"source": "sf", "payload": "", "created_at": 1, "modified_at": 1, "fields": "{}"}
            conn.execute(a.insert().values(id=sf_id("001", 9_999), name="Nobody", **lost))
            conn.execute(c.insert().values(id=sf_id("003", 9_999), name="Nobody", bounced=0, **lost))
        org.clock.advance(HOUR)
        since = mark(org)
        run = source.sweep("reconcile")
        assert "ok" == run.status
        for table, rows in before.items():
            found = source.rows(table)
            assert rows == {ref: row for ref, row in found.items() if row.deleted_at is None}
        gone = {row.id for table in TABLES for row in source.rows(table).values() if row.deleted_at is not None}
        assert {sf_id("001", 9_999), sf_id("003", 9_999)} == gone
        # A describe, three calls of five objects, two more for the accounts' other pages, one for all rows to read again.
        assert calls(org, since) <= 1 + 3 + 2 + 1
        since = mark(org)
        again = source.sweep("reconcile")
        assert ("ok", 0) == (again.status, again.saved.changed)
        assert calls(org, since) <= 1 + 3 + 2


TABLES = (t.crm_accounts, t.crm_contacts, t.crm_activities, t.crm_participants)
