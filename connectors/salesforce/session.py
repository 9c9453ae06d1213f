"""Talk to one Salesforce org: tokens, timeouts, one refresh per expiry, and the vendor's errors as one class."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import jwt
import requests
from requests.adapters import HTTPAdapter

from connectors.http import CONNECT_TIMEOUT, READ_TIMEOUT, VendorError, calling, is_loopback, retry_after
from connectors.salesforce.settings import Auth, ClientCredentials, JwtBearer
from store.records import SECOND, Clock

_JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_JWT_SECONDS = 180  # Salesforce takes at most five minutes ahead
_TRANSIENT = frozenset({420, 429, 500, 502, 503, 504})
_LOCKED = frozenset({"UNABLE_TO_LOCK_ROW", "SERVER_UNAVAILABLE", "QUERY_TIMEOUT"})


class _Loopback(HTTPAdapter):
    """simple-salesforce always builds https:// addresses; towards loopback they are plain http."""

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        assert request.url is not None
        request.url = "http://" + request.url.removeprefix("https://")
        return super().send(request, **kwargs)


class _Session(requests.Session):
    """A session whose every call has a timeout and whose every refusal is a VendorError."""

    def __init__(self, base_url: str) -> None:
        super().__init__()
        self.trust_env = not is_loopback(base_url)  # no proxy towards loopback
        if base_url.startswith("http://"):
            self.mount("https://" + base_url.removeprefix("http://"), _Loopback(max_retries=0))

    def request(self, method: str, url: str, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        kwargs.setdefault("timeout", (CONNECT_TIMEOUT, READ_TIMEOUT))
        try:
            answer = super().request(method, url, **kwargs)
        except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
            host = url.split("/")[2]
            name = type(error).__name__
            what = f"no answer from {host} ({name}): is it reachable, and is base_url right?"
            raise VendorError("retry", what) from error
        if answer.status_code >= 300:
            raise refusal(answer)
        return answer


def refusal(answer: requests.Response) -> VendorError:
    """The vendor's error body, whatever its form, as one error."""
    code, message = _reason(answer)
    status = answer.status_code
    text = f"Salesforce answered {status} {code or ''}: {message}".replace("  ", " ")
    wait = retry_after(answer.headers.get("Retry-After"))
    if code == "REQUEST_LIMIT_EXCEEDED":
        # The daily limit rolls over within 24 hours; the limit of concurrent calls passes in seconds.
        if "Concurrent" in message:
            return VendorError("retry", text, status=status, code=code, retry_after=wait)
        return VendorError("deferred", text, status=status, code=code, retry_after=wait or 3600)
    if status == 401:
        return VendorError("auth", text, status=status, code=code)
    if status in _TRANSIENT or code in _LOCKED:
        return VendorError("retry", text, status=status, code=code, retry_after=wait)
    return VendorError("failed", text, status=status, code=code)


def _reason(answer: requests.Response) -> tuple[str | None, str]:
    try:
        body = answer.json()
    except ValueError:
        return None, "an answer that is not JSON"
    return reason(body)


def reason(body: Any) -> tuple[str | None, str]:
    """(code, message) of an error body: an array for REST resources, an object for OAuth."""
    first = body[0] if isinstance(body, list) and body else body
    if not isinstance(first, dict):
        return None, "an answer in an unknown form"
    if "error" in first:
        return str(first["error"]), str(first.get("error_description", ""))
    return first.get("errorCode"), str(first.get("message", ""))


class SalesforceSession:
    """One org under one set of credentials. Thread-safe: a session that has expired is renewed once, for all threads."""

    def __init__(self, base_url: str, api_version: str, auth: Auth, clock: Clock, *, org_id: str | None = None) -> None:
        self.calls = 0
        self.usage: tuple[int, int] | None = None
        """(used, allowed) API calls of the last 24 hours, as the last answer said."""
        self._base_url, self._version, self._auth, self._clock, self._org_id = (
            base_url,
            api_version,
            auth,
            clock,
            org_id,
        )
        self._lock = threading.Lock()
        self._http = _Session(base_url)
        self._client: Any = None
        self._generation = 0

    def call(self, method: str, path: str, *, json: Any = None, params: Mapping[str, str] | None = None) -> Any:
        """One REST call below /services/data/vNN.N/, with retries; gives the parsed body (None for 204)."""
        return calling(self._clock, lambda: self._authorised(method, path, json, params))

    def _authorised(self, method: str, path: str, json: Any, params: Mapping[str, str] | None) -> Any:
        client, generation = self._connected()
        try:
            return self._once(client, method, path, json, params)
        except VendorError as error:
            if error.kind != "auth" or self._auth.method == "token":
                raise
            client, _ = self._connected(expired=generation)
            return self._once(client, method, path, json, params)

    def _once(self, client: Any, method: str, path: str, json: Any, params: Mapping[str, str] | None) -> Any:
        self.calls += 1
        answer = client.restful(path, params=dict(params) if params else None, method=method, json=json)
        usage = client.api_usage.get("api-usage")
        if usage is not None:
            self.usage = (usage.used, usage.total)
        return answer

    def _connected(self, expired: int | None = None) -> tuple[Any, int]:
        """The client, and which token it holds; a new one where `expired` is the token that was refused."""
        with self._lock:
            if self._client is None or expired == self._generation:
                from simple_salesforce.api import Salesforce

                token, instance = self._token()
                self._client = Salesforce(
                    session_id=token,
                    instance=instance.split("://")[1].rstrip("/"),
                    version=self._version,
                    session=self._http,
                )
                self._generation += 1
            return self._client, self._generation

    def _token(self) -> tuple[str, str]:
        if isinstance(self._auth, ClientCredentials):
            secret = self._auth.client_secret.get_secret_value()
            form = {"grant_type": "client_credentials", "client_id": self._auth.client_id, "client_secret": secret}
        elif isinstance(self._auth, JwtBearer):
            form = {"grant_type": _JWT_GRANT, "assertion": self._assertion(self._auth)}
        else:
            return self._auth.access_token.get_secret_value(), self._base_url
        self.calls += 1
        answer = self._http.post(f"{self._base_url}/services/oauth2/token", data=form).json()
        instance = str(answer.get("instance_url") or self._base_url)
        self._check_org(str(answer.get("id", "")))
        return str(answer["access_token"]), instance

    def _assertion(self, auth: JwtBearer) -> str:
        expires = self._clock.now() // SECOND + _JWT_SECONDS
        claims = {"iss": auth.client_id, "sub": auth.username, "aud": auth.audience, "exp": expires}
        try:
            return jwt.encode(claims, auth.private_key.get_secret_value(), algorithm="RS256")
        except (ValueError, jwt.PyJWTError) as error:
            raise VendorError("failed", "the private key is not a PEM of an RSA key: export it again") from error

    def _check_org(self, identity: str) -> None:
        """The token's identity address ends in /id/<org>/<user>."""
        parts = identity.rstrip("/").split("/")
        org = parts[-2] if len(parts) >= 2 else ""
        if self._org_id and org and org[:15] != self._org_id[:15]:
            raise VendorError("failed", f"these credentials belong to org {org}, but org_id pins {self._org_id}")

    def close(self) -> None:
        """Close the connections."""
        self._http.close()
