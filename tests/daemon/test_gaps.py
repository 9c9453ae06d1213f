"""Gaps in the data: once per source, person or CSM, told once, and again only when they come back."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import delete, select, update

from alerts.blockkit import check
from alerts.digest import MAX_PAGES, render
from alerts.settings import AlertSettings
from alerts.view import DigestItem, DigestNote, DigestView
from daemon.alerting import AlertPolicy, advance, digest, gaps
from daemon.alerting.gaps import find
from daemon.facts import refresh
from rules.facts import FactSettings
from store.engine import Store
from store.records import DAY, HOUR, Instant
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


def test_operators_hear_once_of_what_is_nobody_elses(store: Store) -> None:
    """The first note names who has left and the accounts of nobody, the next none; what comes back is told again."""
    world(store)
    assert [2, 0] == [gaps.tell(store, POLICY, at) for at in (NOW, NOW + HOUR)]
    with store.write() as conn:
        conn.execute(update(members).where(members.c.key == "gone@us.example").values(active=1))
        conn.execute(delete(facts).where(facts.c.csm.is_(None)))
    assert 0 == gaps.tell(store, POLICY, NOW + HOUR + 1)
    with store.write() as conn:
        conn.execute(update(members).where(members.c.key == "gone@us.example").values(active=0))
    assert 2 == gaps.tell(store, POLICY, NOW + HOUR + 2)
    with store.read() as conn:
        sent = conn.execute(select(deliveries.c.destination, deliveries.c.body).order_by(deliveries.c.created_at)).all()
    assert [OPERATORS, OPERATORS] == [row.destination for row in sent]
    assert [True, True] == ["mail and calendar of Gone" in row.body for row in sent]
    assert not any("Ann Lee" in row.body or "Bob Ray" in row.body for row in sent)


# ---------------------------------------------------------------- to their owners


def digests(store: Store, at: Instant) -> list[str]:
    """The digests that are queued at this instant, as text, the mentions as marks."""
    digest(store, {}, POLICY, at)
    with store.read() as conn:
        mine = (deliveries.c.kind == "digest") & (deliveries.c.created_at == at)
        bodies = conn.execute(select(deliveries.c.body).where(mine).order_by(deliveries.c.seq)).scalars()
        return [json.dumps(json.loads(body)["blocks"], ensure_ascii=False) for body in bodies]


def test_each_owner_hears_once_in_the_own_digest(store: Store) -> None:
    """Ann of her dates and unknown people, Bob of his mail, each in one digest however many customers; then no more."""
    world(store)
    advance(store, {}, POLICY, NOW)
    ann, bob = digests(store, NOW + HOUR)
    assert "*Gaps in the data* (2)" in ann
    assert (
        "• paying, and no usable renewal date: 2 customers, for example Account 2"
        " — _enter the date, or book the renewal_" in ann
    )
    assert "• people of unknown level on file: 1 customer (Account 1)" in ann
    assert "• your mail and calendar do not reach the CRM: 2 customers, for example Account 4" in bob
    assert "renewal" not in bob.replace("book the renewal", "")
    assert [] == digests(store, NOW + DAY)


def test_what_comes_back_is_in_the_digest_again(store: Store) -> None:
    """The date is entered, and lost again: Ann is told again, and of nothing else."""
    world(store)
    advance(store, {}, POLICY, NOW)
    digests(store, NOW + HOUR)
    dates = update(facts).where(facts.c.csm == "ann@us.example", facts.c.account_id != 1)
    for renewal, told in ((TODAY + 9, 0), (None, 1)):
        with store.write() as conn:
            conn.execute(dates.values(renewal=renewal))
        at = NOW + DAY * (2 + told)
        gaps.tell(store, POLICY, at)  # as the daemon does before each digest
        found = digests(store, at)
        assert told == len(found)
    assert "*Gaps in the data* (1)" in found[0]


def test_accounts_of_a_csm_who_left_are_their_leads(store: Store) -> None:
    """Gone's lead is Ann: the accounts without an active CSM are one line of her digest, not the operators'."""
    world(store)
    with store.write() as conn:
        conn.execute(update(members).where(members.c.key == "gone@us.example").values(manager_key="ann@us.example"))
    advance(store, {}, POLICY, NOW)
    ann, _ = digests(store, NOW + HOUR)
    assert "• no active CSM: 1 customer (Account 6)" in ann


def test_names_from_the_crm_do_no_harm_and_many_lines_are_cut(store: Store) -> None:
    """An account called like a mention is escaped; of fifty relationships ten are shown, the rest is counted."""
    notes = [DigestNote("<!channel> & " + "x" * 400, "<@U1>")] * 50
    view = DigestView(
        "Daily digest", None, TODAY, [], notes=[("Relationships to take over", notes, "`tierd people handover`")]
    )
    (page,) = render(view)
    shown = json.dumps(page.blocks)
    assert [] == check(page.text, page.blocks)
    assert "40 more: `tierd people handover`" in shown
    assert ("<!channel>" in shown, "<@U1>" in shown) == (False, False)
    world(store)
    with store.write() as conn:
        conn.execute(update(facts).where(facts.c.account_id == 2).values(name="<!here>"))
    advance(store, {}, POLICY, NOW)
    assert not [text for text in digests(store, NOW + HOUR) if "<!here>" in text]


def test_notes_have_room_behind_any_number_of_alerts() -> None:
    """Five hundred alerts fill the pages; the line that is told once is on the last one."""
    items = [DigestItem("Account " + "y" * 70, None, "high", "z" * 190)] * 500
    view = DigestView(
        "Daily digest", None, TODAY, [("New", items)], notes=[("Gaps in the data", [DigestNote("told once")], "")]
    )
    pages = render(view)
    assert 4 <= len(pages) <= MAX_PAGES
    assert "left out here" in json.dumps(pages[-1].blocks)
    assert "told once" in json.dumps(pages[-1].blocks)
    assert all([] == check(page.text, page.blocks) for page in pages)


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
