"""Access tokens that are renewed once for all threads, and refresh tokens that rotate without being burnt.

A refresh token that rotates is good for one use; a second use revokes the whole family (Salesforce, 2026). So: one thread
asks, under a lock that other processes respect too; the new refresh token is kept before the access token is used; and
who waited takes what the first one got. Both vendors use this; what is asked, and how, they say themselves.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from connectors.http import OAUTH_REFUSALS, VendorError, calling
from store.records import HOUR, MINUTE, SECOND, Clock, Instant

T = TypeVar("T")

RENEW_AT = 0.8
"""Share of a token's stated life after which it is renewed before anybody is refused."""
_IDLE_MARGIN = MINUTE
_BACK_OFF, _LONGEST_BACK_OFF = 2 * MINUTE, 10 * MINUTE
"""After a token endpoint that did not answer: longer than a call waits, so that nobody retries around our retries."""
_HOLDS = (15 * MINUTE, HOUR)
"""How long nothing is asked after a new token was refused as well; the next time it is for good."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token endpoint granted."""

    access_token: str
    expires_in: float | None = None
    """Seconds; None where the vendor does not say."""
    refresh_token: str | None = None
    """The next one, where it rotates; None: the old one stays good."""
    details: Mapping[str, str] = field(default_factory=dict)
    """What else calls need to know, such as `instance_url`."""

    def __repr__(self) -> str:
        return "Grant(***)"


@dataclass(frozen=True, slots=True)
class Token:
    """An access token in use. `number` tells one from the next without showing it."""

    value: str
    number: int
    details: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Token(*** {self.number})"


@contextmanager
def _nobody_else() -> Iterator[None]:
    yield


@dataclass(frozen=True, slots=True)
class TokenKeep:
    """Where rotated tokens are kept, as functions that the daemon hands down (a 0600 file, or the keyring).

    `load_token`: the text saved last, or None. `save_token`: durable when it returns; OSError where it cannot be.
    `alone`: no other process loads or saves inside the block.
    """

    load_token: Callable[[], str | None] = lambda: None
    save_token: Callable[[str], None] = lambda _text: None
    alone: Callable[[], AbstractContextManager[None]] = _nobody_else


@dataclass(frozen=True, slots=True)
class _Kept:
    """What stands in the keep. `origin`: which configured refresh token this family began with, as a hash."""

    origin: str
    refresh_token: str
    access_token: str = ""
    ends_at: Instant = 0
    details: Mapping[str, str] = field(default_factory=dict)

    def text(self) -> str:
        return json.dumps({name: getattr(self, name) for name in self.__slots__}, default=dict)


class Tokens:
    """The tokens of one set of credentials; thread-safe.

    `fetch` asks the token endpoint once, with the newest refresh token where there is one. `refresh_token` is the
    configured one, from which a family of rotating ones begins. `idle_life`: microseconds that a session without
    `expires_in` lives; as the vendor does, use in the second half of its life begins a new one. `renewable`: False
    where `fetch` always gives the same token, so that a second refusal is for good.
    """

    def __init__(
        self,
        fetch: Callable[[str | None], Grant],
        clock: Clock,
        *,
        refresh_token: str | None = None,
        keep: TokenKeep | None = None,
        idle_life: Instant | None = None,
        renewable: bool = True,
    ) -> None:
        self.met: Counter[str] = Counter()
        """Causes of the tries that failed so far, when tokens were fetched and, by whoever shares it, used."""
        self._fetch, self._clock, self._idle_life, self._renewable = fetch, clock, idle_life, renewable
        self._keep = keep or TokenKeep()
        self._refresh_token = refresh_token
        self._origin = hashlib.sha256((refresh_token or "").encode()).hexdigest()[:16]
        self._lock = threading.Lock()
        self._token: Token | None = None
        self._issued_at: Instant = 0
        self._ends_at: Instant | None = None
        self._sliding = False
        self._unsaved: _Kept | None = None
        self._failure: VendorError | None = None
        self._quiet_until: Instant | None = None
        self._failures = 0
        self._strikes = 0
        self._serial = 0

    # ------------------------------------------------------------ what callers use

    def current(self) -> Token:
        """A token that should be good now; asks for one where there is none, or where its time is nearly up.

        VendorError `auth` where the credentials were refused for good: then nothing is asked again.
        """
        with self._lock:
            self._raise_if_hopeless()
            if self._token is None:
                self._renew()
            elif self._nearly_over():
                try:
                    self._renew()
                except VendorError:
                    if self._latched() or self._over():
                        raise  # else the old one still serves; the next call tries again after a pause
            assert self._token is not None
            self._used()
            return self._token

    def renewed(self, refused: Token) -> Token:
        """Another token than `refused`: one that somebody else got meanwhile, or a new one."""
        with self._lock:
            self._raise_if_hopeless()
            if self._token is None or self._token.number == refused.number:
                self._renew(refused=refused.value)
            assert self._token is not None
            return self._token

    def refused_again(self, token: Token, error: VendorError, *, for_good: bool = False) -> VendorError:
        """A new token was refused too; gives the error to raise. Nothing is asked for a while, in the end never again.

        `for_good`: the vendor's words say that no token will do.
        """
        with self._lock:
            told = VendorError("auth", str(error), status=error.status, code=error.code)
            if self._token is None or self._token.number != token.number:
                return told  # another thread has said so already
            self._token = None
            self._strikes += 1
            forever = for_good or not self._renewable or self._strikes > len(_HOLDS)
            self._hold(told, None if forever else _HOLDS[self._strikes - 1])
            return told

    def using(self, call: Callable[[Token], T], hopeless: Callable[[VendorError], bool] = lambda _error: False) -> T:
        """Make a call with a good token; refused for it (VendorError `auth`), once more with a new one, then no more.

        `hopeless`: does the second refusal say that no token will do.
        """
        token = self.current()
        try:
            done = call(token)
        except VendorError as error:
            if error.kind != "auth":
                raise
            token = self.renewed(token)
            try:
                done = call(token)
            except VendorError as again:
                if again.kind != "auth":
                    raise
                raise self.refused_again(token, again, for_good=hopeless(again)) from again
        self._strikes = 0
        return done

    # ------------------------------------------------------------ one at a time, under the lock

    def _renew(self, refused: str | None = None) -> None:
        self._raise_if_quiet()
        rotates = self._refresh_token is not None
        try:
            with self._keep.alone() if rotates else _nobody_else():
                self._renew_alone(refused)
        except OSError as error:
            # The old refresh token is spent: the new one stays in memory until it can be kept.
            what = f"the tokens cannot be kept ({error.strerror or type(error).__name__}): nothing is read until then"
            raise self._failed(VendorError("retry", what)) from error
        except VendorError as error:
            raise self._failed(error) from error
        self._failures, self._failure, self._quiet_until = 0, None, None

    def _renew_alone(self, refused: str | None) -> None:
        kept = self._unsaved or self._load()
        if self._unsaved is not None:
            self._save(self._unsaved)
        if kept is not None:
            self._refresh_token = kept.refresh_token
            fresh = kept.ends_at == 0 or self._clock.now() < kept.ends_at
            mine = self._token.value if self._token is not None else None
            if kept.access_token and kept.access_token not in (refused, mine) and fresh:
                # Another process renewed it, or this one before a restart.
                self._take(kept.access_token, kept.ends_at or None, kept.details)
                return
        grant = calling(self._clock, lambda: self._fetch(self._refresh_token), self.met)
        now = self._clock.now()
        if grant.expires_in:
            ends_at: Instant | None = now + int(grant.expires_in * SECOND)
        else:
            ends_at = now + self._idle_life if self._idle_life else None
        if self._refresh_token is not None:
            self._refresh_token = grant.refresh_token or self._refresh_token
            self._save(_Kept(self._origin, self._refresh_token, grant.access_token, ends_at or 0, grant.details))
        self._take(grant.access_token, ends_at, grant.details, sliding=not grant.expires_in)

    def _take(
        self, value: str, ends_at: Instant | None, details: Mapping[str, str], *, sliding: bool | None = None
    ) -> None:
        self._serial += 1
        self._token = Token(value, self._serial, details)
        self._issued_at, self._ends_at = self._clock.now(), ends_at
        self._sliding = self._idle_life is not None if sliding is None else sliding

    def _load(self) -> _Kept | None:
        text = self._keep.load_token() if self._refresh_token is not None else None
        if text is None:
            return None
        try:
            kept = _Kept(**json.loads(text))
        except (ValueError, TypeError):
            return None  # a file of another form: the configured token begins anew
        return kept if kept.origin == self._origin else None

    def _save(self, kept: _Kept) -> None:
        self._unsaved = kept
        self._keep.save_token(kept.text())
        self._unsaved = None

    # ------------------------------------------------------------ time

    def _nearly_over(self) -> bool:
        if self._ends_at is None:
            return False
        if self._sliding:
            return self._clock.now() >= self._ends_at - _IDLE_MARGIN
        return self._clock.now() >= self._issued_at + int((self._ends_at - self._issued_at) * RENEW_AT)

    def _over(self) -> bool:
        return self._ends_at is not None and self._clock.now() >= self._ends_at

    def _used(self) -> None:
        if self._sliding and self._ends_at is not None and self._idle_life is not None:
            now = self._clock.now()
            if self._ends_at - now <= self._idle_life // 2:
                self._ends_at = now + self._idle_life

    # ------------------------------------------------------------ failures

    def _latched(self) -> bool:
        return self._failure is not None and self._quiet_until is None

    def _raise_if_hopeless(self) -> None:
        if self._failure is not None and (self._quiet_until is None or self._failure.kind == "auth"):
            self._raise_if_quiet()

    def _raise_if_quiet(self) -> None:
        failure = self._failure
        if failure is None:
            return
        left = None if self._quiet_until is None else (self._quiet_until - self._clock.now()) / SECOND
        if left is None or left > 0:
            raise VendorError(failure.kind, str(failure), status=failure.status, code=failure.code, retry_after=left)
        self._failure = None

    def _hold(self, error: VendorError, pause: Instant | None) -> None:
        self._failure = error
        self._quiet_until = None if pause is None else self._clock.now() + pause

    def _failed(self, error: VendorError) -> VendorError:
        if self._failure is not None:
            return error  # told again out of the pause
        self._failures += 1
        ours = error.kind == "failed" and error.status is None
        if ours or error.code in OAUTH_REFUSALS or error.status == 401:
            told = VendorError("auth", str(error), status=error.status, code=error.code)
            self._hold(told, None)
            return told
        pause = max(
            min(_BACK_OFF * 2 ** (self._failures - 1), _LONGEST_BACK_OFF), int((error.retry_after or 0) * SECOND)
        )
        self._hold(error, pause)
        return VendorError(error.kind, str(error), status=error.status, code=error.code, retry_after=pause / SECOND)


def fixed(value: str, clock: Clock, details: Mapping[str, str] | None = None) -> Tokens:
    """A token that somebody else made and that cannot be renewed: refused twice, nothing more is asked."""
    grant = Grant(value, details=details or {})
    return Tokens(lambda _refresh_token: grant, clock, renewable=False)
