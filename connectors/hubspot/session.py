"""Talk to one HubSpot portal: dated paths through the kit's transport, two rate buckets, the errors as one class.

The only module that knows hubspot-api-client, so that its successor can replace it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from connectors.http import CONNECT_TIMEOUT, READ_TIMEOUT, Bucket, VendorError, calling, retry_after
from store.records import Clock

_TRANSIENT = frozenset({408, 423, 429, 477, 500, 502, 503, 504, 521, 522, 523, 524})
_UNTIL_TOMORROW = 3_600.0  # the daily limit ends at midnight of the portal's zone; looked at again every hour


class HubSpotSession:
    """One portal under one token. The buckets belong to the portal, so all threads share one session."""

    def __init__(
        self, base_url: str, token: str, clock: Clock, *, calls_per_second: float, searches_per_second: float
    ) -> None:
        self.calls = 0
        self._clock = clock
        # No bursts: the portal counts rolling seconds, and other apps share them.
        self._all = Bucket(clock, calls_per_second, 1)
        self._searches = Bucket(clock, searches_per_second, 1)
        self._base_url, self._token = base_url, token
        self._client: Any = None

    def get(self, path: str, params: Mapping[str, str] | None = None) -> Any:
        """One GET, with retries; gives the parsed body."""
        return calling(self._clock, lambda: self._once("GET", path, params, None))

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """One POST that reads or sets values (a search, a batch), with retries; gives the parsed body."""
        return calling(self._clock, lambda: self._once("POST", path, None, body))

    def _once(self, method: str, path: str, params: Mapping[str, str] | None, body: Mapping[str, Any] | None) -> Any:
        from hubspot.crm.companies import ApiException
        from urllib3.exceptions import HTTPError

        self._all.take()
        if path.endswith("/search"):
            self._searches.take()
        self.calls += 1
        try:
            answer, status, _headers = self._connected().call_api(
                path,
                method,
                query_params=list((params or {}).items()),
                header_params={"Accept": "application/json", "Content-Type": "application/json"},
                body=body,
                response_types_map=dict.fromkeys((200, 201, 202, 207), "object"),
                auth_settings=["oauth2"],
                _request_timeout=(CONNECT_TIMEOUT, READ_TIMEOUT),
            )
        except ApiException as error:
            raise refusal(error) from error
        except HTTPError as error:
            name = type(error).__name__
            raise VendorError(
                "retry", f"no answer from {self._base_url} ({name}): is it reachable, and is base_url right?"
            ) from error
        if not isinstance(answer, dict):
            raise VendorError("retry", f"HubSpot answered {status} with a body that is not JSON", status=status)
        return answer

    def _connected(self) -> Any:
        # Every attribute access of the kit builds a new client with its own pool: one is kept.
        if self._client is None:
            from hubspot import HubSpot
            from urllib3.util.retry import Retry

            kit = HubSpot(access_token=self._token, host=self._base_url, retry=Retry(total=0))
            self._client = kit.crm.companies.basic_api.api_client
        return self._client

    def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            self._client.rest_client.pool_manager.clear()
            self._client.close()
            self._client = None


def refusal(error: Any) -> VendorError:
    """An ApiException of the kit (each of its modules has its own class) as our error."""
    status = int(error.status or 0)
    body = _body(error.body)
    message = str(body.get("message") or "an answer that is not JSON")
    category = body.get("category")
    text = f"HubSpot answered {status} {category or ''}: {message}".replace("  ", " ")
    wait = retry_after((error.headers or {}).get("Retry-After"))
    if status == 429 and "DAILY" in str(body.get("policyName", "")).upper() + message.upper():
        return VendorError("deferred", text, status=status, code=category, retry_after=wait or _UNTIL_TOMORROW)
    if status == 429 or status in _TRANSIENT:
        return VendorError("retry", text, status=status, code=category, retry_after=wait)
    if status == 401:
        return VendorError("auth", text, status=status, code=category)
    return VendorError("failed", text, status=status, code=category)


def _body(raw: Any) -> dict[str, Any]:
    try:
        parsed = json.loads(raw or "{}")
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}
