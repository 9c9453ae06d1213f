"""Tokens: the three flows that exist, their refusals, and how a session ends."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jwt
import pytest
import requests

from sandbox.clock import HOUR, MINUTE, SECOND
from sandbox.salesforce.oauth import JWT_BEARER
from sandbox.salesforce.state import Settings
from tests.sandbox.salesforce_org import NOW, TIMEOUT, Org, key_pair, serving


@pytest.fixture
def org() -> Iterator[Org]:
    """A fresh org."""
    with serving() as served:
        yield served


def _refresh(org: Org, token: str) -> requests.Response:
    settings = org.state.settings
    known = {"client_id": settings.client_id, "client_secret": settings.client_secret}
    return _token(org, grant_type="refresh_token", refresh_token=token, **known)


def _token(org: Org, host: str | None = None, **form: str) -> requests.Response:
    headers = {"Host": host} if host else {}
    return requests.post(f"{org.served.url}/services/oauth2/token", data=form, headers=headers, timeout=TIMEOUT)


def _claims(org: Org, **other: Any) -> dict[str, Any]:
    settings = org.state.settings
    own = {"iss": settings.client_id, "sub": settings.username, "aud": "https://login.salesforce.com"}
    return {**own, "exp": NOW // SECOND + 180, **other}


def _bearer(org: Org, claims: dict[str, Any], key: str | None = None, algorithm: str = "RS256") -> requests.Response:
    assertion = jwt.encode(claims, key or key_pair()[0], algorithm=algorithm)
    return _token(org, grant_type=JWT_BEARER, assertion=assertion)


def _works(org: Org, token: str) -> int:
    url = f"{org.served.url}/services/data/v67.0/limits"
    return requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=TIMEOUT).status_code


def test_jwt_bearer_gives_a_session_for_this_org(org: Org) -> None:
    """The answer names this org as instance_url and its token opens the API; the token request costs no call."""
    for audience in (
        "https://login.salesforce.com",
        "https://test.salesforce.com",
        org.served.url,
        org.served.url + "/",
    ):
        answer = _bearer(org, _claims(org, aud=audience))
        assert 200 == answer.status_code
    body = answer.json()
    assert (org.served.url, "Bearer") == (body["instance_url"], body["token_type"])
    assert {"access_token", "instance_url", "id", "token_type", "issued_at", "signature", "scope"} == set(body)
    assert 200 == _works(org, body["access_token"])
    assert [0, 0, 0, 0, 1] == [e.cost for e in org.log.entries()]


@pytest.mark.parametrize(
    ("claims", "error"),
    [
        ({"iss": "somebody"}, "invalid_client_id"),
        ({"sub": "nobody@example.com"}, "invalid_grant"),
        ({"aud": "https://evil.example"}, "invalid_grant"),
        ({"aud": None}, "invalid_grant"),
        ({"exp": NOW // SECOND}, "invalid_grant"),
        ({"exp": NOW // SECOND + 301}, "invalid_grant"),
        ({"exp": None}, "invalid_grant"),
    ],
)
def test_wrong_claims_are_refused(org: Org, claims: dict[str, Any], error: str) -> None:
    """Issuer, subject, audience and an expiry within five minutes are all checked; errors are an object."""
    wanted = {k: v for k, v in _claims(org, **claims).items() if v is not None}
    answer = _bearer(org, wanted)
    assert (400, error) == (answer.status_code, answer.json()["error"])
    assert {"error", "error_description"} == set(answer.json())


def test_a_foreign_signature_is_refused(org: Org) -> None:
    """Another key, another algorithm and no JWT at all are invalid assertions."""
    other = key_pair.__wrapped__()[0]
    answers = [
        _bearer(org, _claims(org), other),
        _bearer(org, _claims(org), "s" * 32, "HS256"),
        _token(org, grant_type=JWT_BEARER, assertion="x.y.z"),
    ]
    assert ["invalid assertion"] * 3 == [a.json()["error_description"] for a in answers]


def test_client_credentials_need_the_right_secret(org: Org) -> None:
    """The right pair opens the API; a wrong secret and a wrong id have the vendor's texts."""
    settings = org.state.settings
    good = _token(
        org, grant_type="client_credentials", client_id=settings.client_id, client_secret=settings.client_secret
    )
    assert 200 == _works(org, good.json()["access_token"])
    bad = _token(org, grant_type="client_credentials", client_id=settings.client_id, client_secret="nope")
    assert {"error": "invalid_client", "error_description": "invalid client credentials"} == bad.json()
    unknown = _token(org, grant_type="client_credentials", client_id="nope", client_secret="nope")
    assert {"error": "invalid_client_id", "error_description": "client identifier invalid"} == unknown.json()


@pytest.mark.parametrize("host", ["login.salesforce.com", "test.salesforce.com"])
def test_client_credentials_need_the_my_domain_address(org: Org, host: str) -> None:
    """The common login hosts refuse this flow, though they serve the JWT one."""
    settings = org.state.settings
    answer = _token(
        org, host, grant_type="client_credentials", client_id=settings.client_id, client_secret=settings.client_secret
    )
    assert (400, "request not supported on this domain") == (answer.status_code, answer.json()["error_description"])


@pytest.mark.parametrize("grant", ["password", "authorization_code", ""])
def test_other_grants_do_not_exist(org: Org, grant: str) -> None:
    """No user name and password, no web flow."""
    answer = _token(org, grant_type=grant, username="u", password="p")
    assert (400, "unsupported_grant_type") == (answer.status_code, answer.json()["error"])


def test_sessions_end_and_use_renews_them() -> None:
    """A session of two hours ends two hours after it was last used in its second half, with 401 INVALID_SESSION_ID."""
    with serving(Settings(public_key=key_pair()[1], session_life=2 * HOUR)) as org:
        token = _bearer(org, _claims(org)).json()["access_token"]
        org.clock.advance(90 * MINUTE)
        assert 200 == _works(org, token)
        org.clock.advance(119 * MINUTE)
        assert 200 == _works(org, token)
        org.clock.advance(120 * MINUTE)
        assert 401 == _works(org, token)
        assert 200 == _works(org, org.state.settings.access_token)


def test_a_bad_token_is_an_invalid_session(org: Org) -> None:
    """Unknown, missing and revoked tokens give the recorded 401 body; another scheme has its own."""
    token = _bearer(org, _claims(org)).json()["access_token"]
    org.state.revoke_sessions()
    url = f"{org.served.url}/services/data/v67.0/limits"
    body = [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]
    for headers in ({"Authorization": f"Bearer {token}"}, {"Authorization": "Bearer nope"}, {}):
        answer = requests.get(url, headers=headers, timeout=TIMEOUT)
        assert (401, body) == (answer.status_code, answer.json())
    basic = requests.get(url, headers={"Authorization": "Basic eDp5"}, timeout=TIMEOUT)
    assert (401, "INVALID_AUTH_HEADER") == (basic.status_code, basic.json()[0]["errorCode"])


def test_who_am_i(org: Org) -> None:
    """The userinfo resource and the token's id address name the same user and org, which also exist as rows."""
    settings = org.state.settings
    body = org.ask("GET", "/services/oauth2/userinfo").json()
    assert (settings.user_id, settings.org_id) == (body["user_id"], body["organization_id"])
    identity = _bearer(org, _claims(org)).json()["id"].removeprefix(org.served.url)
    assert body == org.ask("GET", identity).json()
    assert settings.username == org.ask("GET", f"sobjects/User/{settings.user_id}").json()["Username"]
    assert [settings.org_id] == org.ids("SELECT Id FROM Organization LIMIT 1")


def test_refresh_tokens_rotate(org: Org) -> None:
    """Each answer brings the next refresh token; older sessions live on unless so switched."""
    first = _refresh(org, org.state.settings.refresh_token).json()
    second = _refresh(org, first["refresh_token"]).json()
    assert first["refresh_token"] != second["refresh_token"]
    assert [200, 200] == [_works(org, a["access_token"]) for a in (first, second)]
    org.switch(rotation_ends_sessions=True)
    third = _refresh(org, second["refresh_token"]).json()
    assert [401, 401, 200] == [_works(org, a["access_token"]) for a in (first, second, third)]


def test_a_used_refresh_token_ends_everything_of_its_login(org: Org) -> None:
    """Reuse kills the current refresh token and every session of the grant; other logins stay."""
    other = org.state.authorize()
    start = org.state.settings.refresh_token
    first = _refresh(org, start).json()
    reused = _refresh(org, start)
    assert {"error": "invalid_grant", "error_description": "expired access/refresh token"} == reused.json()
    assert 400 == _refresh(org, first["refresh_token"]).status_code
    assert 401 == _works(org, first["access_token"])
    assert 200 == _works(org, other["access_token"]) == _refresh(org, other["refresh_token"]).status_code


def test_without_rotation_a_refresh_token_stays(org: Org) -> None:
    """The answer then names no refresh token, and the same one works again."""
    org.switch(refresh_rotation=False)
    answers = [_refresh(org, org.state.settings.refresh_token) for _ in range(2)]
    assert [200, 200] == [a.status_code for a in answers]
    assert {False} == {"refresh_token" in a.json() for a in answers}


def test_two_refreshes_at_once_are_one_too_many(org: Org) -> None:
    """While a token is being worked on, a second request with it is refused, and does not count as reuse."""
    org.switch(token_pause_ms=300)
    token = org.state.settings.refresh_token
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: _refresh(org, token), range(4)))
    good = [a.json() for a in answers if a.status_code == 200]
    bad = [a.json() for a in answers if a.status_code == 400]
    assert (1, 3) == (len(good), len(bad))
    busy = {"error": "invalid_grant", "error_description": "token request is already being processed"}
    assert [busy] * 3 == bad
    assert 200 == _works(org, good[0]["access_token"])


def test_refresh_needs_the_client(org: Org) -> None:
    """Without its id or secret a refresh token is worth nothing, and is not used up."""
    token, known = org.state.settings.refresh_token, org.state.settings.client_id
    wrong = _token(org, grant_type="refresh_token", refresh_token=token, client_id=known, client_secret="no")
    assert "invalid_client" == wrong.json()["error"]
    assert "invalid_client_id" == _token(org, grant_type="refresh_token", refresh_token=token).json()["error"]
    assert 200 == _refresh(org, token).status_code


def test_the_instance_may_live_elsewhere(org: Org) -> None:
    """The login host gives tokens by JWT and refuses client credentials; the API answers at instance_url alone."""
    login = org.split_hosts()
    settings = org.state.settings
    assertion = jwt.encode(_claims(org), key_pair()[0], algorithm="RS256")
    form = {"grant_type": JWT_BEARER, "assertion": assertion}
    answer = requests.post(f"{login}/services/oauth2/token", data=form, timeout=TIMEOUT).json()
    assert org.served.url == answer["instance_url"]
    headers = {"Authorization": f"Bearer {answer['access_token']}"}
    asked = [
        requests.get(f"{u}/services/data/v67.0/limits", headers=headers, timeout=TIMEOUT)
        for u in (org.served.url, login)
    ]
    assert [200, 401] == [a.status_code for a in asked]
    pair = {"client_id": settings.client_id, "client_secret": settings.client_secret}
    refused = requests.post(
        f"{login}/services/oauth2/token", data={"grant_type": "client_credentials", **pair}, timeout=TIMEOUT
    )
    assert "request not supported on this domain" == refused.json()["error_description"]
    assert 200 == _token(org, grant_type="client_credentials", **pair).status_code


def test_tokens_are_revoked(org: Org) -> None:
    """By the client's own call, by another login where only one session may live, and by an administrator."""
    first = org.state.authorize()
    url = f"{org.served.url}/services/oauth2/revoke"
    assert 200 == requests.post(url, data={"token": first["refresh_token"]}, timeout=TIMEOUT).status_code
    assert (401, 400) == (_works(org, first["access_token"]), _refresh(org, first["refresh_token"]).status_code)
    assert 400 == requests.post(url, data={"token": "nope"}, timeout=TIMEOUT).status_code
    org.switch(one_session=True)
    second, third = org.state.authorize(), org.state.authorize()
    assert [401, 200] == [_works(org, a["access_token"]) for a in (second, third)]
    org.state.grants.revoke_all()
    assert (401, 400) == (_works(org, third["access_token"]), _refresh(org, third["refresh_token"]).status_code)


def test_a_session_may_die_after_so_many_requests(org: Org) -> None:
    """Of five requests the first three work, whatever they ask; the fixed session lives on."""
    org.switch(session_calls=3)
    token = org.state.authorize()["access_token"]
    assert [200, 200, 200, 401, 401] == [_works(org, token) for _ in range(5)]
    assert [200] * 5 == [_works(org, org.state.settings.access_token) for _ in range(5)]
