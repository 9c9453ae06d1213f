"""The pages as people use them, in a real browser: an alert is read, answered and put off; a tier is set by hand."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect, sync_playwright
from sqlalchemy import select

from store.records import DAY, HOUR, MINUTE
from store.tables import accounts, alerts, conversations, crm_accounts, members, tiers
from tests.acceptance.world import Stage, stage, until

pytestmark = [pytest.mark.acceptance, pytest.mark.browser]

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_PATIENCE = 60_000  # milliseconds
_WHY = "Waiting for the customer"


@pytest.fixture(scope="module")
def program() -> str:
    """The browser's executable: $CHROMIUM_BIN, Chromium or Chrome on the PATH."""
    found = os.environ.get("CHROMIUM_BIN") or next((path for name in _NAMES if (path := shutil.which(name))), None)
    if found is None and os.environ.get("CI") == "true":
        pytest.fail("no browser: apt-get install chromium, or set CHROMIUM_BIN")
    if found is None:
        pytest.skip("no browser: apt-get install chromium, or set CHROMIUM_BIN")
    return found


@pytest.fixture(scope="module")
def window(program: str) -> Iterator[Page]:
    """One window, closed with the module. The kit's own fixtures keep an event loop until the session ends, which other tests would meet."""
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as kit:
        browser = kit.chromium.launch(executable_path=program, args=[*_FLAGS, *root])
        window = browser.new_page(viewport={"width": 1280, "height": 1000})
        window.set_default_timeout(_PATIENCE)
        expect.set_options(timeout=_PATIENCE)
        yield window
        browser.close()


@dataclass(frozen=True)
class Company:
    """A company with tierd at work in it, and what its CRM page showed before tierd came."""

    stage: Stage
    tiers_before: dict[str, str]
    """Address of a Salesforce account's page -> its tier."""


@pytest.fixture(scope="module")
def company(window: Page, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """One scenario day is over; the daemon runs, and its clock stands at 04:00 of the next."""
    with stage(tmp_path_factory.mktemp("browser") / "tierd") as opened:
        before = _tiers_shown(window, opened.info["crm"]["page"])
        opened.child.first()
        opened.days(1)
        yield Company(opened, before)


def _tiers_shown(window: Page, address: str) -> dict[str, str]:
    window.goto(f"{address}/?vendor=salesforce")
    return {
        str(row.locator("a").get_attribute("href")): row.locator("td").last.inner_text().strip()
        for row in window.get_by_test_id("account").all()
    }


def _conversation(opened: Stage) -> tuple[str, str, str]:
    """(account, its CSM's name, its message's ts) of the first conversation that is open."""
    query = (
        select(accounts.c.name, members.c.name.label("csm"), conversations.c.ts)
        .join(accounts, accounts.c.id == conversations.c.account_id)
        .join(members, members.c.key == conversations.c.csm)
        .where(conversations.c.closed_at.is_(None), conversations.c.ts.is_not(None))
        .order_by(conversations.c.key)
    )
    with opened.store.read() as connection:
        row = connection.execute(query).first()
    assert row is not None
    return str(row.name), str(row.csm), str(row.ts)


def _as(window: Page, who: str) -> None:
    """Choose who looks at Slack."""
    window.get_by_test_id("acting-user").select_option(label=who)
    expect(window.get_by_text(f"You see this as {who.split(' (', maxsplit=1)[0]}")).to_be_visible()


def _people(window: Page) -> list[str]:
    return window.get_by_test_id("acting-user").locator("option").all_inner_texts()


def _message(window: Page, ts: str) -> Locator:
    return window.locator(f'article[data-testid="message"][data-ts="{ts}"]')


def test_alert_is_read_acknowledged_and_snoozed(company: Company, window: Page) -> None:
    """A colleague is refused in private; the CSM acknowledges, then snoozes, and the message shows both."""
    account, csm, ts = _conversation(company.stage)
    window.goto(company.stage.info["slack"]["page"])
    with window.expect_navigation():  # between two pages there is nobody to choose
        window.get_by_test_id("channel-customer-alerts").click()
    people = _people(window)
    me = next(person for person in people if person.split(" (")[0] == csm)
    colleague = next(person for person in people if "csm" in person.lower() and person != me)

    _as(window, colleague)
    alert = _message(window, ts)
    expect(alert).to_contain_text(account)
    expect(alert).to_contain_text("Clears when")
    alert.get_by_test_id("button-tierd_acknowledge").click()
    private = window.locator("article.private")
    expect(private).to_contain_text("Only visible to you")
    expect(private).to_contain_text("CSM")
    expect(alert).not_to_contain_text("Acknowledged")
    assert _acknowledged(company.stage, account) == {None}

    _as(window, me)
    expect(window.locator("article.private")).to_have_count(0)
    alert.get_by_test_id("button-tierd_acknowledge").click()
    expect(alert).to_contain_text(f"Acknowledged by {csm}")
    expect(alert.get_by_test_id("edited").first).to_be_visible()
    assert None not in _acknowledged(company.stage, account)
    # The next edit waits for Slack's pace.
    company.stage.control.limit(company.stage.sandbox.clock.now() + MINUTE)

    alert.get_by_test_id("select-tierd_snooze").select_option(label="7 days")
    dialog = window.get_by_test_id("modal")
    expect(dialog).to_be_visible()
    dialog.get_by_test_id("select-reason").select_option(label=_WHY)
    dialog.get_by_test_id("modal-submit").click()
    expect(dialog).to_have_count(0)
    expect(alert).to_contain_text(f"Snoozed until 2026-03-10: {_WHY}")
    until(lambda: None not in _snoozed(company.stage, account), "the snooze to be kept")


def _acknowledged(opened: Stage, account: str) -> set[Any]:
    return _column(opened, account, alerts.c.acked_by)


def _snoozed(opened: Stage, account: str) -> set[Any]:
    return _column(opened, account, alerts.c.snoozed_until)


def _column(opened: Stage, account: str, column: Any) -> set[Any]:
    """The values that the alerts in the account's conversation have."""
    loud = alerts.c.severity.in_(("high", "critical")) & alerts.c.state.in_(("firing", "recovering"))
    query = select(column).join(accounts, accounts.c.id == alerts.c.account_id).where(accounts.c.name == account, loud)
    with opened.store.read() as connection:
        return set(connection.scalars(query))


def test_tiers_change_but_for_the_one_set_by_hand(company: Company, window: Page) -> None:
    """Tierd's tiers are on the page with its name; a person sets another one, and the next day's run leaves it."""
    address, before = company.stage.info["crm"]["page"], company.tiers_before
    now = _tiers_shown(window, address)
    changed = [account for account in now if now[account] and now[account] != before[account]]
    assert len(changed) > 5
    account, other = changed[:2]
    window.goto(address + other)
    expect(window.get_by_test_id("tier-value")).to_have_text(now[other])
    change = window.get_by_test_id("tier-change").first
    expect(change.locator("td").nth(1)).to_have_text(before[other] or "not set")
    expect(change.locator("td").nth(2)).to_have_text(now[other])
    expect(change.locator("td").nth(3)).to_have_text("integration")

    by_hand = "Tier 3" if now[account] == "Tier 1" else "Tier 1"
    window.goto(address + account)
    window.get_by_test_id("tier-select").select_option(label=by_hand)
    who = window.get_by_test_id("tier-by").locator("option").first.inner_text()
    window.get_by_test_id("tier-save").click()
    expect(window.get_by_test_id("tier-value")).to_have_text(by_hand)

    ten = company.stage.start + DAY + 4 * HOUR
    company.stage.control.limit(ten)
    until(lambda: company.stage.sandbox.clock.now() >= ten, "the next day's sync and tier run")
    window.reload()
    expect(window.get_by_test_id("tier-value")).to_have_text(by_hand)
    expect(window.get_by_test_id("tier-change").first.locator("td").nth(3)).to_have_text(who)
    assert _pin(company.stage, account) == (int(by_hand[-1]), "person")


def _pin(opened: Stage, account: str) -> tuple[int | None, str | None]:
    """(pin, who has set it) of the account with this window."""
    mine = (crm_accounts.c.source == "salesforce") & (crm_accounts.c.id == account.rpartition("/")[2])
    query = select(tiers.c.pin, tiers.c.pin_origin).join(crm_accounts, crm_accounts.c.account_id == tiers.c.account_id)
    with opened.store.read() as connection:
        row = connection.execute(query.where(mine)).one()
    return row.pin, row.pin_origin
