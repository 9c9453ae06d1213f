"""What all vendor boundaries share: one error with the bit that matters, one retry policy, one rule for addresses."""

from __future__ import annotations

import ipaddress
import math
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TypeVar
from urllib.parse import urlsplit

from tenacity import RetryCallState, Retrying, retry_if_exception
from tenacity.wait import wait_random_exponential

from store.records import SECOND, Clock, Instant

T = TypeVar("T")

CONNECT_TIMEOUT, READ_TIMEOUT = 10.0, 60.0
"""Seconds; neither CRM kit sets any of its own."""
LONGEST_WAIT = 60.0
"""A vendor that asks for more seconds than this is left alone until then; nobody waits inside a call."""
DEADLINE = 300.0
"""Seconds after which no try of a call begins any more, whatever its waits added up to."""
_ATTEMPTS = 5
OAUTH_REFUSALS = ("invalid_client", "invalid_client_id", "invalid_grant", "unauthorized_client", "invalid_app_access")
"""Token servers refuse credentials with status 400 and one of these (RFC 6749, 5.2; Salesforce's own besides)."""


# What a status means where the body says nothing better (RFC 9110; 420 and 477 are Salesforce's and HubSpot's own,
# 52x a content network's). What is not here is `failed`: it would be refused again.
CLASSES: Mapping[int, str] = {
    401: "auth",
    **dict.fromkeys((406, 408, 420, 423, 425, 429, 477, 500, 502, 503, 504), "retry"),
    **dict.fromkeys((520, 521, 522, 523, 524, 525, 527, 529), "retry"),
}


class VendorError(Exception):
    """A vendor's refusal or a broken connection.

    `kind`: retry (passes by itself) | deferred (quota; come back at `retry_after` seconds) | failed (permanent until
    something changes) | auth (credentials or session).
    """

    def __init__(
        self,
        kind: str,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.status = status
        self.code = code
        self.retry_after = retry_after


def remedy(error: VendorError, credentials: str = "check the credentials under `auth`") -> str:
    """What a person can do about an error, by what kind of error it is; `credentials`: what that is for this vendor."""
    status = error.status
    if error.kind == "deferred":
        return "the vendor's quota is used up: try again tomorrow, or find out which app uses it, or buy more of it"
    if status == 429:
        return "too many calls in a short time, other apps' included: try again in a minute; nothing is wrong here"
    if status == 401 or error.kind == "auth" or error.code in OAUTH_REFUSALS:
        return credentials
    if status == 403:
        return "the credentials are right but lack a permission: grant what `needs` lists below"
    if status == 404:
        return "check base_url and the API version: there is nothing at this address"
    if error.kind == "retry" and status is None:
        return "look at the spelling of base_url, then at this machine's network, firewall and proxy"
    if error.kind == "retry":
        return "the vendor has trouble of its own: try again in a few minutes, and look at its status page"
    return "mend what the message names in this source's section of tierd.yaml"


def retry_after(header: str | None, date: str | None = None) -> float | None:
    """Seconds of a Retry-After header: a number, or a date that is compared with the answer's own `Date`; None where it
    is missing or unreadable (then our own back-off serves).
    """
    if not header:
        return None
    try:
        seconds = float(header)
    except ValueError:
        then, now = http_instant(header), http_instant(date)
        return None if then is None or now is None else max(0.0, (then - now) / SECOND)
    return seconds if 0 <= seconds < math.inf else None


def http_instant(header: str | None) -> Instant | None:
    """An HTTP date as UTC microseconds; None where it is none."""
    try:
        return int(parsedate_to_datetime(header).timestamp() * SECOND) if header else None
    except (ValueError, OverflowError):
        return None


def cause(error: VendorError) -> str:
    """What went wrong in a few words, and nothing of what the answer held: for counting in a run's record."""
    if error.status is None and error.__cause__ is not None:
        return f"no answer ({type(error.__cause__).__name__})"
    told = " ".join(str(part) for part in (error.status, error.code) if part)
    return told or "an answer in an unknown form"


def calling(clock: Clock, call: Callable[[], T], met: Counter[str] | None = None) -> T:
    """Make a call with the one retry policy: up to 5 tries, jittered waits, Retry-After obeyed when it is short.

    No try begins later than `DEADLINE` seconds after the first one. `met` counts the causes of the tries that failed.
    """
    back_off = wait_random_exponential(multiplier=0.5, max=20)
    ends = clock.monotonic() + DEADLINE

    def wait(state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after if isinstance(error, VendorError) else None
        return back_off(state) if asked is None else asked + back_off(state) / 10

    def enough(state: RetryCallState) -> bool:
        return state.attempt_number >= _ATTEMPTS or clock.monotonic() + state.upcoming_sleep >= ends

    def worth_it(error: BaseException) -> bool:
        short = not isinstance(error, VendorError) or (error.retry_after or 0) <= LONGEST_WAIT
        return isinstance(error, VendorError) and error.kind == "retry" and short

    def tried() -> T:
        try:
            return call()
        except VendorError as error:
            if met is not None:
                met[cause(error)] += 1
            raise

    policy = Retrying(stop=enough, wait=wait, retry=retry_if_exception(worth_it), sleep=clock.sleep, reraise=True)
    return policy(tried)


def is_loopback(url: str) -> bool:
    """True for 127.0.0.0/8, ::1 and localhost."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def checked_address(url: str) -> str:
    """A base address without its trailing slash; plain http is for loopback only, since tokens travel in it."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"`{url}` is no web address: write https://host")
    if parts.scheme == "http" and not is_loopback(url):
        raise ValueError(f"`{url}` is not encrypted: write https:// (plain http is for 127.0.0.1 only)")
    return url.rstrip("/")


@dataclass
class Bucket:
    """A token bucket on the clock: at most `size` calls at once, refilled at `rate` per second. Threads share it."""

    clock: Clock
    rate: float
    size: float

    def __post_init__(self) -> None:
        self._level = self.size
        self._at = self.clock.monotonic()
        self._lock = threading.Lock()

    def take(self) -> None:
        """Wait until a call may be made, and count it."""
        with self._lock:
            now = self.clock.monotonic()
            self._level = min(self.size, self._level + (now - self._at) * self.rate)
            self._at = now
            self._level -= 1
            missing = -self._level
        if missing > 0:
            self.clock.sleep(missing / self.rate)


def resume_at(clock: Clock, error: VendorError) -> Instant | None:
    """When to come back after a deferral."""
    return None if error.retry_after is None else clock.now() + int(error.retry_after * SECOND)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a check found. `level`: ok | warning | error."""

    level: str
    what: str
    remedy: str = ""
    at: tuple[str | int, ...] = ()
    """Where in the source's section of tierd.yaml the cause stands; empty where it is not in the file."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a first sync would cost."""

    rows: dict[str, int]
    """Per object."""
    calls: int
    minutes: float
    quota_left: int | None
    """Calls that the vendor still allows today; None where it does not say."""
    customers: int | None
    """Rows for which the customer condition holds."""
