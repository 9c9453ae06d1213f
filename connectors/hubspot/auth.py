"""Tokens of a HubSpot portal: a Service Key or private app's that stays, or OAuth's that is renewed before it ends."""

from __future__ import annotations

import json
from typing import Any

from connectors.http import CONNECT_TIMEOUT, VendorError
from connectors.hubspot.paths import TOKEN
from connectors.hubspot.refusals import refusal
from connectors.hubspot.settings import OAuth, Token
from connectors.tokens import Grant, TokenKeep, Tokens, fixed
from store.records import Clock


def tokens(
    base_url: str, auth: Token | OAuth, clock: Clock, keep: TokenKeep | None = None, timeout: float = 60.0
) -> Tokens:
    """The tokens of one set of credentials, renewed at 80 % of their life.

    HubSpot says that 401 is no sign of an old token, `expires_in` is
    (developers.hubspot.com/docs/api-reference/error-handling).
    """
    if isinstance(auth, Token):
        return fixed(auth.access_token.get_secret_value(), clock)

    def fetch(refresh_token: str | None) -> Grant:
        return _granted(base_url, auth, refresh_token or auth.refresh_token.get_secret_value(), clock, timeout)

    return Tokens(fetch, clock, refresh_token=auth.refresh_token.get_secret_value(), keep=keep)


def _granted(base_url: str, auth: OAuth, refresh_token: str, clock: Clock, timeout: float) -> Grant:
    """One request to the token endpoint; parameters in a form, never in the address."""
    import urllib3

    form = {
        "grant_type": "refresh_token",
        "client_id": auth.client_id,
        "client_secret": auth.client_secret.get_secret_value(),
        "refresh_token": refresh_token,
    }
    limit = urllib3.Timeout(connect=CONNECT_TIMEOUT, read=timeout)
    try:
        with urllib3.PoolManager(retries=False, timeout=limit) as pool:
            answer = pool.request_encode_body("POST", base_url + TOKEN, fields=form, encode_multipart=False)
    except urllib3.exceptions.HTTPError as error:
        raise VendorError("retry", f"no answer from {base_url}{TOKEN} ({type(error).__name__})") from error
    if answer.status != 200:
        raise _refused(answer.status, answer.data.decode("utf-8", "replace"), dict(answer.headers), clock)
    return _grant(answer.data)


_REFUSALS = {
    "BAD_CLIENT_ID": "invalid_client_id",
    "BAD_CLIENT_SECRET": "invalid_client",
    "BAD_REFRESH_TOKEN": "invalid_grant",
}
"""HubSpot's words (`status` of the body) -> those of RFC 6749; the newer paths may use the latter themselves."""


def _refused(status: int, body: str, headers: dict[str, str], clock: Clock) -> VendorError:
    error = refusal(status, body, headers, clock.now())
    told = _told(body)
    code = told.get("error") or _REFUSALS.get(str(told.get("status")))
    if error.kind == "failed" and code:
        return VendorError("auth", f"{error} ({code})", status=status, code=str(code))
    return error


def _grant(body: bytes) -> Grant:
    told = _told(body.decode("utf-8", "replace"))
    token = told.get("access_token")
    if not isinstance(token, str) or not token:
        raise VendorError("retry", f"{TOKEN} answered without a token")
    expires, refresh = told.get("expires_in"), told.get("refresh_token")
    return Grant(
        token,
        float(expires) if isinstance(expires, int | float) else None,
        refresh if isinstance(refresh, str) and refresh else None,
    )


def _told(body: str) -> dict[str, Any]:
    try:
        parsed = json.loads(body)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}
