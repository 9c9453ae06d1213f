"""R33 to R35: HubSpot's credentials, dated paths, scopes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from connectors.means import Means
from connectors.tokens import TokenKeep
from sandbox.clock import DAY, HOUR, MINUTE, SECOND
from sandbox.hubspot.schema import Property
from store import tables as t
from store.records import TierWrite
from tests.requirements.hubspot import Desk


def _oauth(hubspot: Desk) -> None:
    app = hubspot.portal.state.oauth
    auth = {"client_id": app.client_id, "client_secret": app.client_secret, "refresh_token": hubspot.portal.install()}
    hubspot.given |= {"auth": {"method": "oauth"} | auth}


# ---------------------------------------------------------------- R33


def test_r33_oauth_is_renewed_at_four_fifths_of_its_life_on_the_dated_path(hubspot: Desk) -> None:
    """No 401 is ever seen: at 24 of 30 minutes a new token is asked for, in a form; /oauth/v1 is not there."""
    portal = hubspot.portal
    portal.state.switches.oauth_v1 = False
    _oauth(hubspot)
    hubspot.keep()
    portal.add("companies", "1", {"name": "Acme"})
    assert "ok" == hubspot.sync().status
    asked = []
    for _ in range(12):
        portal.clock.advance(5 * MINUTE)
        assert "ok" == hubspot.sync().status
        asked.append(len(hubspot.asked("/oauth/")))
    # 5, 10, 15, 20 minutes: the first one; 25: the second, 50: the third.
    assert [1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 3] == asked
    assert {200} == {entry.status for entry in hubspot.asked()}
    assert {"/oauth/2026-03/token"} == {entry.path for entry in hubspot.asked("/oauth/")}
    assert all("grant_type=refresh_token" in entry.body for entry in hubspot.asked("/oauth/"))


def test_r33_a_refresh_token_that_rotates_is_kept_for_the_next_start(hubspot: Desk) -> None:
    """Each refresh token is good for one use: the newest is saved before it is used, and a new process begins with it."""
    portal = hubspot.portal
    portal.state.switches.rotate_refresh = True
    _oauth(hubspot)
    saved: list[str] = []

    @contextmanager
    def alone() -> Iterator[None]:
        yield

    hubspot.means = Means(keep=TokenKeep(lambda: saved[-1] if saved else None, saved.append, alone))
    portal.add("companies", "1", {"name": "Acme"})
    for _ in range(3):  # every sync is a new process
        assert "ok" == hubspot.sync().status
        portal.clock.advance(HOUR)
    assert 3 == len(hubspot.asked("/oauth/")) == len(saved)
    assert {200} == {entry.status for entry in hubspot.asked()}


def test_r33_wrong_oauth_credentials_are_a_clear_failure(hubspot: Desk) -> None:
    """One request, then nothing more until the configuration changes; the secret is in no message."""
    _oauth(hubspot)
    hubspot.given["auth"]["client_secret"] = "not-the-secret"
    hubspot.keep()
    run = hubspot.sync()
    assert ("failed", True) == (run.status, "client secret" in run.troubles["accounts"])
    assert "not-the-secret" not in str(run.troubles)
    hubspot.portal.clock.advance(DAY)
    hubspot.sync()
    assert 1 == len(hubspot.asked())


def test_r33_a_service_key_and_a_private_apps_token_read_alike(hubspot: Desk) -> None:
    """Both are one `access_token`."""
    hubspot.portal.add("companies", "1", {"name": "Acme"})
    assert "ok" == hubspot.sync().status
    key = hubspot.portal.service_key()
    assert "ok" == hubspot.sync(auth={"access_token": key}).status


# ---------------------------------------------------------------- R34


@pytest.mark.parametrize("read", ["2026-03", "2026-09"])
@pytest.mark.parametrize("write", ["2026-03", "2026-09"])
def test_r34_everything_works_on_either_version(hubspot: Desk, read: str, write: str) -> None:
    """Only dated paths are served: first sync, increment, history, every sweep, a custom object, the tier; no v3 or v4."""
    portal = hubspot.portal
    portal.state.switches.legacy_paths = False
    portal.state.switches.oauth_v1 = False
    kind = portal.add_type("contract", Property("name", "string"), Property("value", "number"))
    hubspot.given |= {
        "read_version": read,
        "write_version": write,
        "history": True,
        "fields": {"arr": {"object": kind.name, "field": "value", "aggregate": "sum"}},
    }
    _oauth(hubspot)
    portal.add("companies", "1", {"name": "Acme", "lifecyclestage": "customer"})
    portal.add("contacts", "2", {"firstname": "Ann"})
    portal.add(kind.name, "3", {"name": "K", "value": 1200})
    portal.link("contacts", "2", "companies", "1")
    portal.link(kind.name, "3", "companies", "1")
    hubspot.keep()
    assert ("ok", {}) == ((run := hubspot.sync()).status, run.troubles)
    portal.clock.advance(HOUR)
    portal.change("contacts", "2", at=portal.clock.now(), firstname="Anna")
    portal.change(kind.name, "3", at=portal.clock.now(), value=2400)
    portal.clock.advance(SECOND)
    assert "ok" == hubspot.sync().status
    for name in ("delayed", "archived", "associations", "archived-owners", "reconcile"):
        assert "ok" == hubspot.sweep(name).status
    assert [("Anna",)] == hubspot.all(t.crm_contacts.c.name)
    assert [("1", '{"value":"2400"}')] == hubspot.all(t.crm_objects.c.crm_account_id, t.crm_objects.c.fields)
    out = hubspot.writer()
    assert ["ok"] == [finding.level for finding in out.check_target()]
    assert {"1": None} == out.read(["1"])
    assert ["written"] == [result.outcome for result in out.write([TierWrite("1", "tier_1", None)])]
    out.close()
    paths = [entry.path for entry in hubspot.asked()]
    assert [] == [path for path in paths if "v3" in path or "v4" in path or "/v1" in path]
    assert {write} == {
        part for path in paths if path.endswith("batch/update") for part in path.split("/") if "20" in part
    }
    own = [path for path in paths if not path.endswith("batch/update") and not path.startswith("/oauth/")]
    assert [] == [path for path in own if f"/{read}" not in path]


# ---------------------------------------------------------------- R35


def test_r35_a_missing_scope_takes_one_object_away_and_is_not_asked_for_each_cycle(hubspot: Desk) -> None:
    """Tickets say which scope, all else runs; one 403 an hour, below 5 % of the calls; granted, it is read."""
    portal = hubspot.portal
    portal.add("companies", "1", {"name": "Acme"})
    portal.add("tickets", "2", {"subject": "Help"})
    portal.scopes("tickets")
    for _ in range(12):
        run = hubspot.sync()
        assert ("partial", ["tickets"]) == (run.status, list(run.troubles))
        assert "unavailable" in run.troubles["tickets"]
        assert "needs tickets" in run.troubles["tickets"]
        portal.clock.advance(5 * MINUTE)
    refused = [entry for entry in hubspot.asked() if entry.status == 403]
    assert (1, ["1"], []) == (len(refused), hubspot.ids(), hubspot.ids(t.crm_tickets))
    assert len(refused) < 0.05 * len(hubspot.asked())
    for name in ("delayed", "archived", "associations", "reconcile"):
        assert "ok" == hubspot.sweep(name).status
    portal.state.tokens[next(iter(portal.state.tokens))].scopes |= {"tickets"}
    portal.clock.advance(HOUR)
    assert ("ok", ["2"]) == (hubspot.sync().status, hubspot.ids(t.crm_tickets))


def test_a_pinned_portal_is_looked_at_once_for_each_set_of_credentials(hubspot: Desk) -> None:
    """Another portal is refused before anything is read; the right one costs one call, and a new key one more."""
    right = hubspot.portal.state.portal_id
    run = hubspot.sync(portal_id=1)
    assert ("failed", 1) == (run.status, len(hubspot.asked()))
    assert f"belongs to portal {right}, but portal_id pins 1" in run.troubles["accounts"]
    for _ in range(3):
        assert "ok" == hubspot.sync(portal_id=right).status
    assert 2 == len(hubspot.asked("/account-info/"))
    hubspot.sync(portal_id=right, auth={"access_token": hubspot.portal.service_key()})
    assert 3 == len(hubspot.asked("/account-info/"))
