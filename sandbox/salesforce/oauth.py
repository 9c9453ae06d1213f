"""The token endpoint: JWT bearer, client credentials and refresh tokens, as an External Client App allows them, and nothing older."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from urllib.parse import urlsplit

import jwt

from sandbox.clock import MINUTE, SECOND
from sandbox.salesforce.calls import Reply
from sandbox.salesforce.state import State

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
MAX_AHEAD = 5 * MINUTE
"""How far a JWT's exp may lie ahead."""
_LOGIN_HOSTS = ("login.", "test.")


def token(state: State, form: Mapping[str, str], host: str, base_url: str) -> Reply:
    """Answer to POST /services/oauth2/token; errors are an object, not the array of the REST resources.

    `host` is the Host header, `base_url` the address of this org, which the answer names as instance_url.
    """
    grant = form.get("grant_type")
    if grant == "client_credentials":
        return _client_credentials(state, form, host, base_url)
    if grant == JWT_BEARER:
        return _jwt_bearer(state, form, host, base_url)
    if grant == "refresh_token":
        return _refresh(state, form, base_url)
    return _error("unsupported_grant_type", "grant type not supported")


def _client_credentials(state: State, form: Mapping[str, str], host: str, base_url: str) -> Reply:
    elsewhere = state.switches.instance_url
    if host.startswith(_LOGIN_HOSTS) or (elsewhere and urlsplit(elsewhere).netloc != host):
        return _error("invalid_grant", "request not supported on this domain")
    if form.get("client_id") != state.settings.client_id:
        return _error("invalid_client_id", "client identifier invalid")
    if form.get("client_secret") != state.settings.client_secret:
        return _error("invalid_client", "invalid client credentials")
    return _granted(state, base_url)


def _refresh(state: State, form: Mapping[str, str], base_url: str) -> Reply:
    if form.get("client_id") != state.settings.client_id:
        return _error("invalid_client_id", "client identifier invalid")
    if form.get("client_secret") != state.settings.client_secret:
        return _error("invalid_client", "invalid client credentials")
    rotate = state.switches.refresh_rotation
    grant = state.grants.use(form.get("refresh_token", ""), rotate)
    if grant is None:
        return _error("invalid_grant", "expired access/refresh token")
    if rotate and state.switches.rotation_ends_sessions:
        for session in grant.sessions:
            state.end_session(session)
        grant.sessions.clear()
    reply = _granted(state, base_url)
    grant.sessions.append(str(reply.body["access_token"]))
    if rotate:
        reply.body["refresh_token"] = grant.current
    return reply


def busy() -> Reply:
    """The same refresh token is being worked on (release note rn_security_refresh_token_error of Winter '25)."""
    return _error("invalid_grant", "token request is already being processed")


def revoke(state: State, form: Mapping[str, str]) -> Reply:
    """POST /services/oauth2/revoke: a refresh token with its sessions, or one access token."""
    token = form.get("token", "")
    grant = state.grants.find(token)
    if grant is not None and not grant.revoked:
        state.grants.revoke(grant)
    elif token in state.sessions and token != state.settings.access_token:
        state.end_session(token)
    else:
        return _error("unsupported_token_type", "this token type is not supported")
    return Reply(200)


def _jwt_bearer(state: State, form: Mapping[str, str], host: str, base_url: str) -> Reply:
    settings = state.settings
    if not settings.public_key:
        return _error("invalid_grant", "user hasn't approved this consumer")
    try:
        claims = jwt.decode(
            form.get("assertion", ""),
            settings.public_key,
            algorithms=["RS256"],
            # exp is checked below on the scenario's clock.
            options={"verify_exp": False, "verify_aud": False, "verify_iat": False, "verify_nbf": False},
        )
    except jwt.InvalidTokenError:
        return _error("invalid_grant", "invalid assertion")
    if claims.get("iss") != settings.client_id:
        return _error("invalid_client_id", "client identifier invalid")
    if claims.get("sub") != settings.username:
        return _error("invalid_grant", "user hasn't approved this consumer")
    if not _audience_fits(claims.get("aud"), host, base_url):
        return _error("invalid_grant", "audience is invalid")
    if not _in_time(claims.get("exp"), state.now):
        return _error("invalid_grant", "expired authorization code")
    return _granted(state, base_url)


def with_basic(form: Mapping[str, str], authorization: str) -> Mapping[str, str]:
    """The form with the client's id and secret from a Basic header, where the form itself has none."""
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() != "basic" or "client_id" in form:
        return form
    try:
        user, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return form
    return {**form, "client_id": user, "client_secret": secret}


def _audience_fits(audience: object, host: str, base_url: str) -> bool:
    own = {base_url, f"http://{host}", f"https://{host}", f"https://{urlsplit(base_url).netloc}"}
    allowed = own | {"https://login.salesforce.com", "https://test.salesforce.com"}
    return isinstance(audience, str) and audience.rstrip("/") in allowed


def _in_time(exp: object, now: int) -> bool:
    if isinstance(exp, str) and exp.isdigit():
        exp = int(exp)
    return isinstance(exp, int | float) and now < exp * SECOND <= now + MAX_AHEAD


def _granted(state: State, base_url: str) -> Reply:
    settings = state.settings
    base_url = state.switches.instance_url or base_url
    return Reply(
        200,
        {
            "access_token": state.new_token(),
            "signature": "c2FuZGJveCBzaWduYXR1cmUgb2YgdGhlIHRva2VuIQ==",
            "scope": "api",
            "instance_url": base_url,
            "id": f"{base_url}/id/{settings.org_id}/{settings.user_id}",
            "token_type": "Bearer",
            "issued_at": str(state.now // 1000),
        },
        {"Cache-Control": "no-store"},
    )


def _error(code: str, description: str) -> Reply:
    return Reply(400, {"error": code, "error_description": description}, {"Cache-Control": "no-store"})
