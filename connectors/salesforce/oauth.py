"""How a Salesforce session begins: refresh token, JWT bearer, client credentials, or a token that somebody gave us.

No SOAP login and no username-password flow: Salesforce retires both
(https://help.salesforce.com/s/articleView?id=005132110, and new External Client Apps have no password flow).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jwt

from connectors.http import VendorError, checked_address
from connectors.salesforce.settings import (
    AccessToken,
    Auth,
    ClientCredentials,
    JwtBearer,
    RefreshToken,
    SalesforceSettings,
)
from connectors.tokens import Grant, TokenKeep, Tokens, fixed
from store.records import MINUTE, SECOND, Clock

JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_JWT_SECONDS = 180  # Salesforce takes at most five minutes ahead
_SKEWED = 30.0  # seconds by which a clock may be wrong without harm to a JWT

Post = Callable[[str, Mapping[str, str]], Mapping[str, Any]]
"""(address, form) -> the parsed answer; raises VendorError."""


class SignIn:
    """One set of credentials at one org's token endpoint. `post` sends a form; `skew`: server's clock minus ours, in
    seconds, as the last answer told it.
    """

    def __init__(
        self, settings: SalesforceSettings, auth: Auth, clock: Clock, post: Post, skew: Callable[[], float]
    ) -> None:
        self._settings, self._auth, self._clock, self._post, self._skew = settings, auth, clock, post, skew

    def tokens(self, keep: TokenKeep) -> Tokens:
        """The tokens of these credentials."""
        auth = self._auth
        if isinstance(auth, AccessToken):
            instance = {"instance_url": self._settings.base_url}
            return fixed(auth.access_token.get_secret_value(), self._clock, instance)
        idle = self._settings.session_minutes * MINUTE
        first = auth.refresh_token.get_secret_value() if isinstance(auth, RefreshToken) else None
        return Tokens(self._fetch, self._clock, refresh_token=first, keep=keep, idle_life=idle)

    def _fetch(self, refresh_token: str | None) -> Grant:
        auth = self._auth
        if isinstance(auth, JwtBearer):
            answer = self._signed(auth)
        elif isinstance(auth, ClientCredentials):
            secret = auth.client_secret.get_secret_value()
            answer = self._ask(grant_type="client_credentials", client_id=auth.client_id, client_secret=secret)
        else:
            assert isinstance(auth, RefreshToken)
            assert refresh_token is not None
            form = {"grant_type": "refresh_token", "client_id": auth.client_id, "refresh_token": refresh_token}
            if auth.client_secret is not None:
                form["client_secret"] = auth.client_secret.get_secret_value()
            answer = self._ask(**form)
        return self._grant(answer)

    def _ask(self, **form: str) -> Mapping[str, Any]:
        return self._post(f"{self._settings.base_url}/services/oauth2/token", form)

    def _signed(self, auth: JwtBearer) -> Mapping[str, Any]:
        """A JWT by our clock; where that is wrong, once more by the server's."""
        try:
            return self._ask(grant_type=JWT_GRANT, assertion=self._assertion(auth, 0.0))
        except VendorError as error:
            skew = self._skew()
            if error.code != "invalid_grant" or abs(skew) < _SKEWED:
                raise
            return self._ask(grant_type=JWT_GRANT, assertion=self._assertion(auth, skew))

    def _assertion(self, auth: JwtBearer, skew: float) -> str:
        expires = self._clock.now() // SECOND + int(skew) + _JWT_SECONDS
        claims = {"iss": auth.client_id, "sub": auth.username, "aud": auth.audience, "exp": expires}
        try:
            return jwt.encode(claims, auth.private_key.get_secret_value(), algorithm="RS256")
        except (ValueError, jwt.PyJWTError) as error:
            raise VendorError("failed", "the private key is not a PEM of an RSA key: export it again") from error

    def _grant(self, answer: Mapping[str, Any]) -> Grant:
        token = answer.get("access_token")
        if not isinstance(token, str) or not token:
            raise VendorError("retry", "the token endpoint's answer has no access_token")
        self._check_org(str(answer.get("id", "")))
        try:
            instance = checked_address(str(answer.get("instance_url") or self._settings.base_url))
        except ValueError as error:
            raise VendorError("failed", f"the token endpoint's instance_url cannot be used: {error}") from error
        next_one = answer.get("refresh_token")
        return Grant(token, _seconds(answer.get("expires_in")), next_one or None, {"instance_url": instance})

    def _check_org(self, identity: str) -> None:
        """The token's identity address ends in /id/<org>/<user>."""
        parts = identity.rstrip("/").split("/")
        org = parts[-2] if len(parts) >= 2 else ""
        pin = self._settings.org_id
        if pin and org and org[:15] != pin[:15]:
            raise VendorError("failed", f"these credentials belong to org {org}, but org_id pins {pin}")


def _seconds(raw: object) -> float | None:
    try:
        return float(raw) if isinstance(raw, str | int | float) and not isinstance(raw, bool) else None
    except ValueError:
        return None
