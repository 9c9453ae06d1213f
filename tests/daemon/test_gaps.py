"""Gaps in the data: once per source, person or CSM, told once, and again only when they come back."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, select, update

from alerts.settings import AlertSettings
from daemon import gaps
from daemon.alerting import AlertPolicy
from daemon.facts import refresh
from daemon.gaps import find
from rules.facts import FactSettings
from store.engine import Store
from store.records import DAY, HOUR
from store.tables import deliveries, facts, freshness, members
from tests.daemon.alertworld import ALERTS, OPERATORS
from tests.rules.derived_rows import NOW, TODAY, Rows, ago, captured, orderly

SETTINGS = FactSettings()
POLICY = AlertPolicy(AlertSettings(), ALERTS, OPERATORS)


def holes(store: Store) -> dict[str, int]:
    """Key of each gap -> customers concerned."""
    with store.read() as conn:
        return {gap.key: gap.count for gap in find(conn, NOW, "UTC")}


def world(store: Store) -> Rows:
    """Customers in good order but for what their names say; usage and tickets are there."""
    rows = orderly()
    captured(rows, rows.member("ann@us.example", "Ann Lee"))
    rows.member("bob@us.example", "Bob Ray")  # nothing of his is captured
    rows.add("members", id=9, key="gone@us.example", name="Gone", email=None, active=0)
    good: dict[str, Any] = {"arr": 100, "renewal": TODAY + 50}
    accounts = [
        rows.account(csm="ann@us.example", **good),
        rows.account(csm="ann@us.example", arr=100),
        rows.account(csm="ann@us.example", arr=100, renewal=TODAY - 40),
        rows.account(csm="bob@us.example", arr=0),
        rows.account(csm="bob@us.example", **good),
        rows.account(csm="gone@us.example", **good),
        rows.account(csm=None, **good),
    ]
    for account in accounts:
        rows.link(account)
        rows.sample(account, ago(1), 5)
    rows.person(accounts[0], None)
    base = {"source": "salesforce", "id": "t1", "crm_account_id": "salesforce-1", "payload": ""}
    rows.add("crm_tickets", **base, opened_at=ago(9), created_at=ago(9), modified_at=ago(9))
    with store.write() as conn:
        rows.save(conn)
    refresh(store, SETTINGS, NOW)
    return rows


def test_each_hole_is_one_finding_however_many_customers_it_concerns(store: Store) -> None:
    """Missing dates and levels per CSM, capture per person, owners as one list."""
    world(store)
    assert {
        "no_renewal:ann@us.example": 2,
        "levels_not_known:ann@us.example": 1,
        "not_captured:Bob Ray": 2,
        "not_captured:Gone": 1,
        "no_owner:": 2,
    } == holes(store)
    with store.read() as conn:
        said = [gap.sentence for gap in find(conn, NOW, "UTC")]
    assert "Ann Lee: paying, and no usable renewal date: 2 customers" in said
    assert "Ann Lee: people of unknown level on file: 1 customer (Account 1)" in said
    assert "no active CSM: 2 customers" in said


def test_a_source_is_one_finding(store: Store) -> None:
    """A stale stream, a CRM without tickets, and customers that no feed knows."""
    world(store)
    with store.write() as conn:
        conn.execute(update(freshness).where(freshness.c.stream == "emails").values(fresh_at=NOW - 2 * DAY))
        conn.exec_driver_sql("DELETE FROM crm_tickets")
        conn.exec_driver_sql("DELETE FROM usage_samples WHERE account_id > 4")
    refresh(store, SETTINGS, NOW)
    found = holes(store)
    assert {"stale:salesforce": 7, "no_tickets:salesforce": 7, "no_usage:": 3} == {
        key: count for key, count in found.items() if key.split(":")[0] in ("stale", "no_tickets", "no_usage")
    }


def test_operators_hear_of_each_gap_once(store: Store) -> None:
    """The first note names all, the next only what is new, none when nothing is; what comes back is told again."""
    world(store)
    assert [5, 0] == [gaps.tell(store, POLICY, at) for at in (NOW, NOW + HOUR)]
    with store.write() as conn:
        conn.execute(update(members).where(members.c.key == "gone@us.example").values(active=1))
        conn.execute(delete(facts).where(facts.c.csm.is_(None)))
    assert 0 == gaps.tell(store, POLICY, NOW + HOUR + 1)
    with store.write() as conn:
        conn.execute(update(members).where(members.c.key == "gone@us.example").values(active=0))
    assert 1 == gaps.tell(store, POLICY, NOW + HOUR + 2)
    with store.read() as conn:
        sent = conn.execute(select(deliveries.c.destination, deliveries.c.body).order_by(deliveries.c.created_at)).all()
    assert [OPERATORS, OPERATORS] == [row.destination for row in sent]
    assert ["Ann Lee" in row.body for row in sent] == [True, False]


def test_a_portfolio_in_good_order_has_no_gap(store: Store) -> None:
    """Nothing missing, nothing said."""
    rows = orderly()
    account = rows.account(arr=100, renewal=TODAY + 50)
    row = rows.link(account)
    rows.sample(account, ago(1), 5)
    base = {"source": "salesforce", "id": "t1", "crm_account_id": row, "payload": ""}
    rows.add("crm_tickets", **base, opened_at=ago(9), created_at=ago(9), modified_at=ago(9))
    with store.write() as conn:
        rows.save(conn)
    refresh(store, SETTINGS, NOW)
    assert {} == holes(store)
    assert 0 == gaps.tell(store, POLICY, NOW)
