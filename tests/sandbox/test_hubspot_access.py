"""Tokens of the imitation HubSpot: OAuth on the dated path, service keys, scopes that come and go."""

from __future__ import annotations

import pytest
import requests

from sandbox.clock import SECOND
from sandbox.hubspot.grants import Grant
from sandbox.hubspot.objecttypes import ALL_SCOPES
from tests.sandbox.hubspot_portal import DATED, Portal

TOKEN_PATHS = ("/oauth/2026-03/token", "/oauth/2026-09/token")


def _refresh(portal: Portal, refresh_token: str, path: str = TOKEN_PATHS[0], **more: str) -> requests.Response:
    return portal.oauth(path, grant_type="refresh_token", refresh_token=refresh_token, **more)


def _read(portal: Portal, token: str) -> int:
    return portal.call("GET", f"{DATED}/companies", token=token).status_code


@pytest.mark.parametrize("path", TOKEN_PATHS)
def test_refresh_token_gets_a_token_for_half_an_hour(portal: Portal, path: str) -> None:
    """The token works for 1,800 seconds, the refresh token stays, and the request costs nothing of the quota."""
    refresh_token = portal.install()
    answer = _refresh(portal, refresh_token, path)
    body = answer.json()
    assert answer.status_code == 200
    assert (body["expires_in"], body["token_type"], body["refresh_token"]) == (1_800, "bearer", refresh_token)
    assert (body["hub_id"], portal.state.buckets.day_used) == (portal.state.portal_id, 0)
    assert _read(portal, body["access_token"]) == 200
    portal.clock.advance(1_800 * SECOND)
    assert _read(portal, body["access_token"]) == 401
    assert _read(portal, _refresh(portal, refresh_token, path).json()["access_token"]) == 200


@pytest.mark.parametrize("path", TOKEN_PATHS)
def test_parameters_belong_in_a_form(portal: Portal, path: str) -> None:
    """A query string is a 400 even beside a good body, JSON a 415."""
    refresh_token = portal.install()
    queried = _refresh(portal, refresh_token, f"{path}?grant_type=refresh_token")
    assert (queried.status_code, queried.json()["category"]) == (400, "VALIDATION_ERROR")
    as_json = portal.session.post(portal.served.url + path, json={"refresh_token": refresh_token}, timeout=5)
    assert as_json.status_code == 415


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"client_id": "other"}, "BAD_CLIENT_ID"),
        ({"client_secret": "other"}, "BAD_CLIENT_SECRET"),
        ({"refresh_token": "other"}, "BAD_REFRESH_TOKEN"),
        ({"grant_type": "password"}, "BAD_GRANT_TYPE"),
        ({"grant_type": "authorization_code"}, "BAD_AUTH_CODE"),
    ],
)
def test_wrong_token_requests_are_refused(portal: Portal, fields: dict[str, str], status: str) -> None:
    """Each is a 400 with what was wrong, and the declared keys."""
    good = {"grant_type": "refresh_token", "refresh_token": portal.install()}
    refused = portal.oauth(**(good | fields))
    assert (refused.status_code, refused.json()["status"]) == (400, status)
    assert {"message", "correlationId", "category"} <= refused.json().keys()


def test_code_is_good_for_one_exchange(portal: Portal) -> None:
    """A code gives both tokens once, to its own redirect address."""
    codes = portal.state.oauth.codes
    codes["abc"] = codes["def"] = ("https://tierd.example/back", Grant(ALL_SCOPES))
    exchange = {"grant_type": "authorization_code", "code": "abc", "redirect_uri": "https://tierd.example/back"}
    tokens = portal.oauth(**exchange).json()
    assert _read(portal, tokens["access_token"]) == 200
    assert portal.oauth(**exchange).json()["status"] == "BAD_AUTH_CODE"
    elsewhere = exchange | {"code": "def", "redirect_uri": "https://else.example"}
    assert portal.oauth(**elsewhere).json()["status"] == "BAD_REDIRECT_URI"


def test_rotation_revokes_all_when_an_old_token_comes_again(portal: Portal) -> None:
    """By switch each refresh gives a new refresh token; the old one again ends the whole family."""
    portal.state.switches.rotate_refresh = True
    first = portal.install()
    one = _refresh(portal, first).json()
    two = _refresh(portal, one["refresh_token"]).json()
    assert len({first, one["refresh_token"], two["refresh_token"]}) == 3
    assert [_read(portal, t["access_token"]) for t in (one, two)] == [200, 200]
    assert _refresh(portal, first).json()["status"] == "BAD_REFRESH_TOKEN"
    assert _refresh(portal, two["refresh_token"]).json()["status"] == "BAD_REFRESH_TOKEN"
    assert [_read(portal, t["access_token"]) for t in (one, two)] == [401, 401]


def test_introspection_and_revocation(portal: Portal) -> None:
    """A live token tells its portal, scopes and remaining time; a dead, unknown or private one only that it is dead."""
    refresh_token = portal.install("crm.objects.companies.read", "oauth")
    access = _refresh(portal, refresh_token).json()["access_token"]
    path = "/oauth/2026-03/token/introspect"
    portal.clock.advance(300 * SECOND)
    about = portal.oauth(path, token=access, token_type_hint="access_token").json()
    assert (about["active"], about["expires_in"], about["hub_id"]) == (True, 1_500, portal.state.portal_id)
    assert about["scopes"] == ["crm.objects.companies.read", "oauth"]
    assert portal.oauth(path, token=refresh_token).json()["token_type"] == "refresh"
    assert portal.oauth(path, token="unknown").json() == {"active": False}
    assert portal.oauth(path, token=access, client_secret="wrong").status_code == 400
    assert portal.oauth("/oauth/2026-03/token/revoke", token=refresh_token).status_code == 200
    assert portal.oauth(path, token=access).json() == {"active": False}
    assert _read(portal, access) == 401


def test_v1_tells_about_tokens_by_path(portal: Portal) -> None:
    """A live token tells its portal, scopes and remaining seconds to anybody; a dead one is a 404; other versions are."""
    refresh_token = portal.install("oauth")
    access = _refresh(portal, refresh_token).json()["access_token"]
    portal.clock.advance(600 * SECOND)
    about = portal.call("GET", f"/oauth/v1/access-tokens/{access}", token=None)
    assert (about.status_code, about.json()["expires_in"], about.json()["scopes"]) == (200, 1_200, ["oauth"])
    other = portal.call("GET", f"/oauth/v1/refresh-tokens/{refresh_token}", token=None).json()
    assert (other["client_id"], other["hub_id"]) == (portal.state.oauth.client_id, portal.state.portal_id)
    assert portal.call("GET", f"/oauth/2026-03/access-tokens/{access}", token=None).status_code == 404
    portal.clock.advance(1_200 * SECOND)
    dead = portal.call("GET", f"/oauth/v1/access-tokens/{access}", token=None)
    assert (dead.status_code, dead.json()["category"]) == (404, "OBJECT_NOT_FOUND")
    assert access not in str(portal.shared.log.summary())


def test_v1_ends_by_switch(portal: Portal) -> None:
    """The old endpoint works, with a query string as well, until it is switched off; the dated ones stay."""
    refresh_token = portal.install()
    assert _refresh(portal, refresh_token, "/oauth/v1/token?a=b").status_code == 200
    portal.state.switches.oauth_v1 = False
    assert _refresh(portal, refresh_token, "/oauth/v1/token").status_code == 404
    assert portal.oauth("/oauth/2027-03/token").status_code == 404
    assert _refresh(portal, refresh_token).status_code == 200


def test_tokens_are_not_logged(portal: Portal) -> None:
    """The request log has neither secret nor refresh token."""
    refresh_token = portal.install()
    _refresh(portal, refresh_token)
    (entry,) = portal.shared.log.entries()
    assert refresh_token not in entry.body
    assert portal.state.oauth.client_secret not in entry.body
    assert "grant_type=refresh_token" in entry.body


def test_scopes_change_while_a_token_lives(portal: Portal) -> None:
    """A scope taken away is a 403 that names it at once, and works again when it is given back."""
    path = f"{DATED}/tickets"
    assert portal.call("GET", path).status_code == 200
    portal.scopes("tickets")
    refused = portal.call("GET", path)
    assert (refused.status_code, refused.json()["category"]) == (403, "MISSING_SCOPES")
    assert refused.json()["errors"][0]["context"]["requiredGranularScopes"] == ["tickets"]
    portal.state.tokens["pat-na1-tests"].scopes |= {"tickets"}
    assert portal.call("GET", path).status_code == 200


def test_service_key_is_a_token_without_token_info(portal: Portal) -> None:
    """A service key reads, carries the daily headers, and is unknown to the private apps' token info unless switched."""
    key = portal.service_key()
    answer = portal.call("GET", f"{DATED}/companies", token=key)
    assert (answer.status_code, "X-HubSpot-RateLimit-Daily" in answer.headers) == (200, True)
    path = "/oauth/v2/private-apps/get/access-token-info"
    assert portal.call("POST", path, {"tokenKey": key}, token=key).status_code == 400
    portal.state.switches.service_key_info = True
    assert portal.call("POST", path, {"tokenKey": key}, token=key).json()["hubId"] == portal.state.portal_id


def test_user_without_edit_associations_may_not_link(portal: Portal) -> None:
    """From 2026-09 on a user-level token needs the permission; a private app's does not."""
    portal.add("companies", "7", {"name": "a"})
    portal.add("contacts", "5", {"email": "a@b.example"})
    access = _refresh(portal, portal.install()).json()["access_token"]
    portal.state.tokens[access].may_link = False
    rest = "contacts/5/associations/default/companies/7"
    refused = portal.call("PUT", f"{DATED}/{rest}", token=access)
    assert (refused.status_code, refused.json()["message"]) == (400, "Missing 'Edit Associations' permission.")
    assert portal.call("PUT", f"/crm/objects/2026-03/{rest}", token=access).status_code == 200
    assert portal.call("PUT", f"{DATED}/{rest}").status_code == 200
