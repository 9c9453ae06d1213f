"""Talk to one Salesforce org: timeouts, one renewal per expiry in every transport, and the vendor's errors as one class."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import IO, Any

import requests
from requests.adapters import HTTPAdapter

from connectors.http import (
    CLASSES,
    CONNECT_TIMEOUT,
    OAUTH_REFUSALS,
    VendorError,
    calling,
    http_instant,
    is_loopback,
    retry_after,
)
from connectors.means import Means
from connectors.quota import LOOK_AGAIN, Budget, Work
from connectors.salesforce.oauth import SignIn
from connectors.salesforce.settings import Auth, SalesforceSettings
from connectors.tokens import Token, TokenKeep, Tokens
from store.records import SECOND, Clock, Instant

QUERIES_PER_CALL, PARTS_PER_CALL = 5, 25
"""A composite takes 25 parts, of which 5 may be queries or collections; it counts as one API call."""
_BLOCK = 65_536
_EXPIRED = frozenset({"INVALID_SESSION_ID", "InvalidSessionId"})
"""In the REST API with status 401; in Bulk v1 with 400 (github.com/singer-io/tap-salesforce/issues/222)."""
_PASSING = frozenset(
    {"UNABLE_TO_LOCK_ROW", "SERVER_UNAVAILABLE", "QUERY_TIMEOUT", "REQUEST_RUNNING_TOO_LONG", "UNKNOWN_EXCEPTION"}
)
_ALLOWANCE = re.compile(r"api-usage=(\d+)/(\d+)")


class _Loopback(HTTPAdapter):
    """simple-salesforce always builds https:// addresses; towards loopback they are plain http."""

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        assert request.url is not None
        request.url = "http://" + request.url.removeprefix("https://")
        return super().send(request, **kwargs)


class _Session(requests.Session):
    """A session whose every call has a timeout, is counted, and whose every refusal is a VendorError."""

    def __init__(self, base_url: str, timeout: float, clock: Clock, budget: Budget) -> None:
        super().__init__()
        self._timeout = (min(CONNECT_TIMEOUT, timeout), timeout)
        self.trust_env = not is_loopback(base_url)  # no proxy towards loopback
        self._clock, self._budget = clock, budget
        self.calls = 0
        self.throttled = 0
        self.usage: tuple[int, int] | None = None
        self.skew = 0.0

    def reach(self, address: str) -> None:
        """Make plain http serve for the kit's https where the address is on loopback."""
        if address.startswith("http://"):
            self.mount("https://" + address.removeprefix("http://"), _Loopback(max_retries=0))

    def request(self, method: str, url: str, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        kwargs.setdefault("timeout", self._timeout)
        # A redirect would carry the token to another address.
        kwargs["allow_redirects"] = False
        self.calls += 1
        self._budget.count()
        try:
            answer = super().request(method, url, **kwargs)
        except requests.RequestException as error:
            raise broken(url, error) from error
        self._learn(answer)
        if answer.status_code >= 300:
            refused = refusal(answer)
            self.throttled += answer.status_code in (420, 429) or refused.code == "REQUEST_LIMIT_EXCEEDED"
            raise refused
        return answer

    def _learn(self, answer: requests.Response) -> None:
        found = _ALLOWANCE.search(answer.headers.get("Sforce-Limit-Info", ""))
        if found:
            self.usage = int(found[1]), int(found[2])
            self._budget.note(*self.usage)
        at = http_instant(answer.headers.get("Date"))
        if at is not None:
            self.skew = (at - self._clock.now()) / SECOND


def broken(url: str, error: Exception) -> VendorError:
    """A connection that ended without an answer, or in the middle of one."""
    host = url.split("/")[2]
    return VendorError(
        "retry", f"no answer from {host} ({type(error).__name__}): is it reachable, and is base_url right?"
    )


def refusal(answer: requests.Response) -> VendorError:
    """The vendor's error body, whatever its form, as one error."""
    code, message = _reason(answer)
    status = answer.status_code
    text = f"Salesforce answered {status} {code or ''}: {message}".replace("  ", " ")
    wait = retry_after(answer.headers.get("Retry-After"), answer.headers.get("Date"))
    kind = kind_of(status, code, message)
    if kind == "deferred":
        wait = wait or LOOK_AGAIN  # the daily limit rolls: some calls are free again every hour
    return VendorError(kind, text, status=status, code=code, retry_after=wait)


def kind_of(status: int, code: str | None, message: str) -> str:
    """Retry | deferred | auth | failed, by what the body says and else by the status."""
    low = message.lower()
    if code == "REQUEST_LIMIT_EXCEEDED":
        # The daily limit rolls over within 24 hours; the limit of concurrent long calls passes in seconds.
        return "retry" if "concurrent" in low else "deferred"
    if code in OAUTH_REFUSALS or code in ("server_error", "temporarily_unavailable"):
        # Two of us asked at once, or too often (github.com/segmentio/action-destinations/issues/2300).
        passing = "already being processed" in low or "rate exceeded" in low or code not in OAUTH_REFUSALS
        return "retry" if passing else "failed"
    if code in _EXPIRED:
        return "auth"
    return "retry" if code in _PASSING else CLASSES.get(status, "failed")


def _reason(answer: requests.Response) -> tuple[str | None, str]:
    try:
        return reason(answer.json())
    except ValueError:
        found = _XML.search(answer.text[:2_000])
        if found:
            return found[1], "the Bulk API's answer"
        return None, "an answer that is not JSON"
    except requests.RequestException:
        return None, "an answer that broke off"


_XML = re.compile(r"<exceptionCode>(\w+)</exceptionCode>")


def reason(body: Any) -> tuple[str | None, str]:
    """(code, message) of an error body: an array for REST resources, an object for OAuth and some others."""
    first = body[0] if isinstance(body, list) and body else body
    if not isinstance(first, dict):
        return None, "an answer in an unknown form"
    if "error" in first:
        return str(first["error"]), str(first.get("error_description", ""))
    code = first.get("errorCode") or first.get("exceptionCode")
    return (str(code) if code else None), str(first.get("message") or first.get("exceptionMessage") or "")


class SalesforceSession:
    """One org under one set of credentials; thread-safe: an expired session is renewed once, for all threads."""

    def __init__(
        self,
        settings: SalesforceSettings,
        auth: Auth,
        clock: Clock,
        keep: TokenKeep,
        budget: Budget,
        *,
        tokens: Tokens | None = None,
    ) -> None:
        self.budget = budget
        self._version, self._clock = settings.api_version, clock
        self._http = _Session(settings.base_url, settings.timeout_seconds, clock, budget)
        sign_in = SignIn(settings, auth, clock, self._post, lambda: self._http.skew)
        self.tokens = tokens or sign_in.tokens(keep)
        """Shared with others of the same credentials, where they are given."""
        self.met = self.tokens.met
        """Causes of the tries that failed so far, those that a later try made good included."""
        self._lock = threading.Lock()
        self._clients: dict[int, Any] = {}

    @property
    def calls(self) -> int:
        """API calls made so far, tokens and repeated tries included."""
        return self._http.calls

    @property
    def throttled(self) -> int:
        """Answers so far that said: too many calls."""
        return self._http.throttled

    @property
    def usage(self) -> tuple[int, int] | None:
        """(used, allowed) API calls of everybody in the last 24 hours, as the last answer said."""
        return self._http.usage

    def server_now(self) -> Instant:
        """The server's clock, as the last answer told it; ours before the first one."""
        return self._clock.now() + int(self._http.skew * SECOND)

    def ours(self, at: Instant) -> Instant:
        """An instant of the server's clock on ours: how fresh something is, is asked on ours."""
        return at - int(self._http.skew * SECOND)

    def call(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        params: Mapping[str, str] | None = None,
        work: Work = "increment",
    ) -> Any:
        """One REST call below /services/data/vNN.N/, with retries; gives the parsed body (None for 204)."""
        return self._calling(lambda token: self._once(token, method, path, json, params), work)

    def _once(self, token: Token, method: str, path: str, json: Any, params: Mapping[str, str] | None = None) -> Any:
        try:
            return self._client(token).restful(path, params=dict(params or {}) or None, method=method, json=json)
        except ValueError as error:
            resource = path.split("?", maxsplit=1)[0]
            raise VendorError("retry", f"Salesforce answered {resource} with no JSON", code="NO_JSON") from error

    def composite(self, parts: Sequence[Mapping[str, Any]], work: Work = "increment") -> list[tuple[int, Any]]:
        """Several requests in one API call: (status, body) in their order."""
        return [(int(part["httpStatusCode"]), part["body"]) for part in self.parts(parts, work)]

    def parts(self, asked: Sequence[Mapping[str, Any]], work: Work = "increment") -> list[Mapping[str, Any]]:
        """The same with headers: `body`, `httpStatusCode`, `httpHeaders`. Each request is a part of the body, so that no
        query makes a long address (URI Too Long from 16,384 bytes, https://help.salesforce.com/s/articleView?id=000386264).
        """
        heavy = sum("/query" in part["url"] or "/composite/sobjects" in part["url"] for part in asked)
        if len(asked) > PARTS_PER_CALL or heavy > QUERIES_PER_CALL:
            raise ValueError(f"{len(asked)} parts, {heavy} of them queries: a composite takes 25, and 5 queries")
        listed = [{**part, "referenceId": f"r{n}"} for n, part in enumerate(asked)]
        body = {"allOrNone": False, "compositeRequest": listed}
        only_reads = all(part["method"] == "GET" for part in asked)

        def once(token: Token) -> list[Mapping[str, Any]]:
            found = parts_of(self._once(token, "POST", "composite", body), len(asked))
            for part in found if only_reads else ():
                code, message = reason(part["body"])
                if part["httpStatusCode"] == 401 or code in _EXPIRED:
                    raise VendorError("auth", f"{code}: {message}", status=401, code=code)
            return found

        answers: list[Mapping[str, Any]] = self._calling(once, work)
        return answers

    def get(self, paths: Sequence[str], work: Work = "increment") -> list[tuple[int, Any]]:
        """GET several resources in one API call: (status, body) in order."""
        return self.composite([{"method": "GET", "url": path} for path in paths], work)

    def stream(self, messages: Sequence[Mapping[str, Any]], seconds: float) -> list[Mapping[str, Any]]:
        """Send Bayeux messages to the Streaming API; gives its messages. Waits up to `seconds` for the answer, as a
        long poll may take that long, and tries once.
        """

        def once(token: Token) -> list[Mapping[str, Any]]:
            self._client(token)  # its address is reachable from then on
            url = f"{token.details['instance_url'].rstrip('/')}/cometd/{self._version}/"
            headers = {"Authorization": f"Bearer {token.value}"}
            answer = self._http.post(url, json=list(messages), headers=headers, timeout=(CONNECT_TIMEOUT, seconds))
            try:
                found = answer.json()
            except ValueError:
                found = None
            except requests.RequestException as error:
                raise broken(url, error) from error
            if not isinstance(found, list) or not all(isinstance(message, dict) for message in found):
                raise VendorError("retry", "the Streaming API answered in an unknown form")
            if any(_unauthorised(message) for message in found):
                raise VendorError("auth", "the Streaming API refuses the session", status=401)
            return found

        return self.tokens.using(once, hopeless)

    def download(
        self, path: str, params: Mapping[str, str], into: IO[bytes], work: Work = "backfill"
    ) -> Mapping[str, str]:
        """GET a body of any size into a file, from its beginning at each try; gives the answer's headers."""

        def once(token: Token) -> Mapping[str, str]:
            into.seek(0)
            into.truncate()
            client = self._client(token)
            url = client.base_url + path
            headers = {"Authorization": f"Bearer {token.value}", "Accept": "text/csv"}
            with self._http.get(url, params=dict(params), headers=headers, stream=True) as answer:
                try:
                    into.writelines(answer.iter_content(_BLOCK))
                except requests.RequestException as error:
                    raise broken(url, error) from error
                return answer.headers

        headers: Mapping[str, str] = self._calling(once, work)
        return headers

    def _calling(self, once: Callable[[Token], Any], work: Work) -> Any:
        self.budget.check(work)
        try:
            return calling(self._clock, lambda: self.tokens.using(once, hopeless), self.met)
        except VendorError as error:
            if error.kind == "deferred" and error.code == "REQUEST_LIMIT_EXCEEDED":
                self.budget.stopped(error)
            raise

    def _client(self, token: Token) -> Any:
        """The kit's client of this token; all calls go to the address that came with it."""
        with self._lock:
            if token.number not in self._clients:
                from simple_salesforce.api import Salesforce

                instance = token.details["instance_url"]
                self._http.reach(instance)
                self._clients = {
                    token.number: Salesforce(
                        session_id=token.value,
                        instance=instance.split("://")[1].rstrip("/"),
                        version=self._version,
                        session=self._http,
                        object_pairs_hook=dict,
                    )
                }
            return self._clients[token.number]

    def _post(self, address: str, form: Mapping[str, str]) -> Mapping[str, Any]:
        try:
            answer = self._http.post(address, data=dict(form)).json()
        except ValueError as error:
            raise VendorError("retry", "the token endpoint answered with no JSON", code="NO_JSON") from error
        if not isinstance(answer, dict):
            raise VendorError("retry", "the token endpoint answered in an unknown form")
        return answer

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


def _unauthorised(message: Mapping[str, Any]) -> bool:
    """Does a Bayeux message refuse the session; the refusal of a handshake says so only in its `ext`."""
    sfdc = (message.get("ext") or {}).get("sfdc") or {}
    return any(str(text).startswith("401") for text in (message.get("error"), sfdc.get("failureReason")))


def parts_of(answer: Any, count: int) -> list[Mapping[str, Any]]:
    """A composite's parts in the order they were asked; VendorError where any is missing."""
    try:
        by_ref = {part["referenceId"]: part for part in answer["compositeResponse"]}
        found = [by_ref[f"r{n}"] for n in range(count)]
        if all(isinstance(part["httpStatusCode"], int) and "body" in part for part in found):
            return found
    except (KeyError, TypeError) as error:
        raise VendorError("retry", "Salesforce answered a composite in an unknown form") from error
    raise VendorError("retry", "Salesforce answered a composite in an unknown form")


def hopeless(error: VendorError) -> bool:
    """Some refusals with 401 are no expiry: no token of this user will do."""
    return "not valid for use with the REST API" in str(error)


def opened(
    settings: SalesforceSettings, clock: Clock, means: Means, *, writing: bool = False, tokens: Tokens | None = None
) -> SalesforceSession:
    """The session of a source: the reading one, or the one that writes; `tokens` of the same credentials are shared."""
    own = writing and settings.write_auth is not None
    auth = settings.write_auth if own and settings.write_auth is not None else settings.auth
    keep = means.write_keep if own else means.keep
    return SalesforceSession(settings, auth, clock, keep, Budget(settings.quota, clock, means.spent), tokens=tokens)
