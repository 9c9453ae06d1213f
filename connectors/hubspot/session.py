"""Talk to one HubSpot portal: dated paths through the kit's transport, the portal's limiter, the errors as one class.

The only module that knows hubspot-api-client, so that its successor can replace it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.http import CONNECT_TIMEOUT, READ_TIMEOUT, VendorError, calling, http_instant
from connectors.hubspot.limits import PortalLimits
from connectors.hubspot.refusals import refusal
from connectors.quota import Work
from connectors.tokens import Token, Tokens
from store.records import Clock, Instant

NO_ANSWER = "NO_ANSWER"
"""Code of an error where nobody answered at all."""


class HubSpotSession:
    """One portal under one set of credentials; used by one thread at a time. `limits` are the portal's."""

    def __init__(
        self, base_url: str, tokens: Tokens, clock: Clock, limits: PortalLimits, *, timeout: float = READ_TIMEOUT
    ) -> None:
        self.calls = 0
        self.throttled = 0
        """Answers so far that said: too many calls."""
        self.met = tokens.met
        """Causes of the tries that failed so far, those that a later try made good included."""
        self.limits = limits
        self.work: Work | None = None
        """What the calls are for: the quota stops a backfill before it stops increments; None is stopped last."""
        self._base_url, self._tokens, self._clock, self._timeout = base_url, tokens, clock, timeout
        self._client: Any = None
        self._behind: Instant = 0

    def get(self, path: str, params: Mapping[str, str] | None = None) -> Any:
        """One GET, with retries; gives the parsed body."""
        return self._call("GET", path, params, None)

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """One POST that reads or sets values (a search, a batch), with retries; gives the parsed body."""
        return self._call("POST", path, None, body)

    def server_now(self) -> Instant:
        """The vendor's time, as its last answer told it; stamps are compared with this, never with our own clock."""
        return self._clock.now() - self._behind

    def ours(self, at: Instant) -> Instant:
        """An instant of the vendor's clock on ours: how fresh something is, is asked on ours."""
        return at + self._behind

    def _call(self, method: str, path: str, params: Mapping[str, str] | None, body: Mapping[str, Any] | None) -> Any:
        def once() -> Any:
            self.limits.check(self.work)  # before a token is renewed for a call that is not made
            return self._tokens.using(lambda token: self._once(token, method, path, params, body))

        return calling(self._clock, once, self.met)

    def _once(
        self, token: Token, method: str, path: str, params: Mapping[str, str] | None, body: Mapping[str, Any] | None
    ) -> Any:
        from hubspot.crm.companies import ApiException
        from urllib3.exceptions import HTTPError

        search = path.endswith("/search")
        self.limits.take(search=search)
        self.calls += 1
        client = self._connected(token)
        try:
            answer, status, headers = client.call_api(
                path,
                method,
                query_params=list((params or {}).items()),
                header_params={"Accept": "application/json", "Content-Type": "application/json"},
                body=body,
                response_types_map=dict.fromkeys((200, 201, 202, 207), "object"),
                auth_settings=["oauth2"],
                _request_timeout=(CONNECT_TIMEOUT, self._timeout),
            )
        except ApiException as error:  # each of the kit's modules has a class of its own
            told = refusal(int(error.status or 0), error.body, error.headers or {}, self._clock.now(), self.limits.zone)
            self.limits.refused(told, search=search)
            self.throttled += told.status == 429
            raise told from error
        except (HTTPError, UnicodeDecodeError) as error:
            name = type(error).__name__
            what = f"no answer from {self._base_url} ({name}): is it reachable, and is base_url right?"
            raise VendorError("retry", what, code=NO_ANSWER) from error
        self.limits.answered(headers, search=search)
        self._note_time(headers)
        if not isinstance(answer, dict):
            raise VendorError("retry", f"HubSpot answered {status} with a body that is not JSON", code="NO_JSON")
        return answer

    def _note_time(self, headers: Mapping[str, str]) -> None:
        said = http_instant({key.casefold(): value for key, value in headers.items()}.get("date"))
        if said is not None:
            self._behind = self._clock.now() - said

    def _connected(self, token: Token) -> Any:
        # Every attribute access of the kit builds a new client with its own pool: one is kept. A kept one keeps its
        # token too, so each call sets it.
        if self._client is None:
            from hubspot import HubSpot
            from urllib3.util.retry import Retry

            kit = HubSpot(access_token=token.value, host=self._base_url, retry=Retry(total=0))
            self._client = kit.crm.companies.basic_api.api_client
        self._client.configuration.access_token = token.value
        return self._client

    def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            self._client.rest_client.pool_manager.clear()
            self._client.close()
            self._client = None
