"""OAuth of one app: tokens for a code or a refresh token, introspection, revocation.

Paths and parameters by HubSpot's own specification (PublicApiSpecs/Auth/Oauth, 2026-03 and 2026-09), which declares the
form of errors and leaves the answer to a token request open: its keys are v1's. The `status` words are v1's, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.clock import SECOND
from sandbox.hubspot import errors
from sandbox.hubspot.call import Answer
from sandbox.hubspot.grants import Grant, OAuthApp
from sandbox.hubspot.state import HubSpotState, Token

LIFETIME = 1_800
"""Seconds that an access token lives."""
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Form:
    """A request to an OAuth endpoint: body fields, and whether there was a query string (which v1 alone takes)."""

    fields: Mapping[str, str]
    version: str
    queried: bool
    content_type: str
    named: str = ""
    """The token that v1's paths name."""


def token(state: HubSpotState, form: Form) -> Answer:
    """POST of a code or a refresh token: a token that lives half an hour. By switch the refresh token changes, too."""
    _check(state, form)
    app = state.oauth
    kind = form.fields.get("grant_type")
    if kind == "authorization_code":
        grant = _by_code(app, form)
    elif kind == "refresh_token":
        grant = _by_refresh_token(state, form)
    else:
        raise _refused("BAD_GRANT_TYPE", "missing or invalid grant type")
    access = app.new_access_token(grant)
    expires_at = state.now + LIFETIME * SECOND
    state.tokens[access] = Token(grant.scopes, oauth=True, expires_at=expires_at, may_link=grant.may_link)
    return Answer(
        200,
        {
            "token_type": "bearer",
            "refresh_token": grant.refresh_tokens[-1],
            "access_token": access,
            "hub_id": state.portal_id,
            "scopes": sorted(grant.scopes),
            "user_id": app.user_id,
            "expires_in": LIFETIME,
        },
    )


def about_access(state: HubSpotState, form: Form) -> Answer:
    """GET /oauth/v1/access-tokens/{token}: whose it is and what it may, for anybody who has it. 404 for a dead one."""
    token = state.tokens.get(form.named)
    if token is None or token.expires_at is None or token.expires_at <= state.now:
        raise errors.not_found()
    left = (token.expires_at - state.now) // SECOND
    more = {"app_id": state.oauth.app_id, "expires_in": left, "token_type": "access", "scopes": sorted(token.scopes)}
    return Answer(200, _whose(state, form.named) | more)


def about_refresh(state: HubSpotState, form: Form) -> Answer:
    """GET /oauth/v1/refresh-tokens/{token}: the same of a refresh token."""
    grant = state.oauth.grant_of(form.named)
    if grant is None or form.named != grant.refresh_tokens[-1]:
        raise errors.not_found()
    more = {"client_id": state.oauth.client_id, "token_type": "refresh", "scopes": sorted(grant.scopes)}
    return Answer(200, _whose(state, form.named) | more)


def _whose(state: HubSpotState, token: str) -> dict[str, object]:
    return {
        "token": token,
        "hub_id": state.portal_id,
        "hub_domain": "tierd-demo.example",
        "user_id": state.oauth.user_id,
        "user": "ana@tierd-demo.example",
    }


def introspect(state: HubSpotState, form: Form) -> Answer:
    """POST of a token: `{"active": false}` unless it is good, else whose it is and what it may."""
    _check(state, form)
    app, wanted = state.oauth, form.fields.get("token", "")
    about: dict[str, object] = {
        "active": True,
        "client_id": app.client_id,
        "app_id": app.app_id,
        "hub_id": state.portal_id,
        "hub_domain": "tierd-demo.example",
        "user_id": app.user_id,
        "user": "ana@tierd-demo.example",
    }
    grant = app.grant_of(wanted)
    if grant is not None and wanted == grant.refresh_tokens[-1]:
        return Answer(200, about | {"token_type": "refresh", "scopes": sorted(grant.scopes)})
    access = state.tokens.get(wanted)
    if access is None or access.expires_at is None or access.expires_at <= state.now:
        return Answer(200, {"active": False})
    left = (access.expires_at - state.now) // SECOND
    return Answer(200, about | {"token_type": "access", "expires_in": left, "scopes": sorted(access.scopes)})


def revoke(state: HubSpotState, form: Form) -> Answer:
    """POST of a refresh token: it and all that came of the same grant are dead. 200 for an unknown one, too (RFC 7009)."""
    _check(state, form)
    grant = state.oauth.grant_of(form.fields.get("token", ""))
    if grant is not None:
        end(state, grant)
    return Answer(200, {})


def end(state: HubSpotState, grant: Grant) -> None:
    """Let none of a grant's tokens work any more."""
    state.oauth.grants.remove(grant)
    for access in grant.access_tokens:
        state.tokens.pop(access, None)


def _check(state: HubSpotState, form: Form) -> None:
    if form.queried and form.version != "v1":
        raise errors.invalid("Parameters must be sent in the request body, not in the query string")
    if form.content_type != _FORM:
        raise errors.Refusal(415, "Unsupported Media Type", "VALIDATION_ERROR")
    if form.fields.get("client_id") != state.oauth.client_id:
        raise _refused("BAD_CLIENT_ID", "missing or invalid client id")
    if form.fields.get("client_secret") != state.oauth.client_secret:
        raise _refused("BAD_CLIENT_SECRET", "missing or invalid client secret")


def _by_code(app: OAuthApp, form: Form) -> Grant:
    redirect, grant = app.codes.pop(form.fields.get("code", ""), ("", None))
    if grant is None:
        raise _refused("BAD_AUTH_CODE", "missing or unknown auth code")
    if form.fields.get("redirect_uri") != redirect:
        raise _refused("BAD_REDIRECT_URI", "missing or invalid redirect uri")
    app.grants.append(grant)
    app.new_refresh_token(grant)
    return grant


def _by_refresh_token(state: HubSpotState, form: Form) -> Grant:
    wanted = form.fields.get("refresh_token", "")
    grant = state.oauth.grant_of(wanted)
    if grant is None:
        raise _bad_refresh_token()
    if wanted != grant.refresh_tokens[-1]:
        # A refresh token that comes twice was stolen by one of the two: nobody gets anything any more.
        end(state, grant)
        raise _bad_refresh_token()
    if state.switches.rotate_refresh:
        state.oauth.new_refresh_token(grant)
    return grant


def _bad_refresh_token() -> errors.Refusal:
    return _refused("BAD_REFRESH_TOKEN", "missing or invalid refresh token")


def _refused(status: str, message: str) -> errors.Refusal:
    refusal = errors.invalid(message)
    refusal.body["status"] = status
    return refusal
