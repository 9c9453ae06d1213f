"""Tokens: one request for all threads, renewal before the refusal, rotation that survives a kill and a second process."""

from __future__ import annotations

import json
import stat
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from connectors.http import VendorError
from connectors.tokens import Grant, Token, TokenKeep, Tokens, fixed
from daemon.tokens import file_keep, keyring_keep
from sandbox.clock import DAY, HOUR, SECOND, ScenarioClock
from tests.clocks import StepClock


class Family:
    """A token endpoint whose refresh tokens are good for one use; a second use ends the family."""

    def __init__(self, *, rotates: bool = True, expires_in: float | None = None) -> None:
        self.rotates, self.expires_in = rotates, expires_in
        self.good, self.alive, self.asked = "r0", True, 0
        self._lock = threading.Lock()

    def __call__(self, refresh_token: str | None) -> Grant:
        with self._lock:
            self.asked += 1
            if self.rotates and (not self.alive or refresh_token != self.good):
                self.alive = False
                raise VendorError("failed", "expired access/refresh token", status=400, code="invalid_grant")
            self.good = f"r{self.asked}"
            return Grant(f"a{self.asked}", self.expires_in, self.good if self.rotates else None, {"instance_url": "x"})


@pytest.fixture
def clock() -> StepClock:
    return StepClock(ScenarioClock(DAY))


def refuse_first(number: int) -> Callable[[Token], int]:
    """A call that refuses every token up to `number`."""

    def call(token: Token) -> int:
        if token.number <= number:
            raise VendorError("auth", "Session expired or invalid", status=401)
        return token.number

    return call


def test_threads_that_are_refused_together_ask_once(clock: StepClock) -> None:
    """Sixteen threads hold the same dead token: one renewal serves them all."""
    family = Family()
    tokens = Tokens(family, clock, refresh_token="r0")
    together = threading.Barrier(16)
    held = tokens.current()

    def work(_number: int) -> str:
        together.wait()
        return tokens.renewed(held).value

    with ThreadPoolExecutor(16) as pool:
        got = set(pool.map(work, range(16)))
    assert ({"a2"}, 2) == (got, family.asked)


def test_a_stated_life_is_renewed_at_four_fifths(clock: StepClock) -> None:
    """30 minutes of life: the same token at 23 minutes, another at 24, and nobody was refused."""
    tokens = Tokens(Family(expires_in=1_800), clock, refresh_token="r0")
    first = tokens.current().value
    clock.sleep(23 * 60)
    assert first == tokens.current().value
    clock.sleep(60)
    assert "a2" == tokens.current().value


def test_an_idle_session_is_renewed_before_it_is_refused(clock: StepClock) -> None:
    """Two hours of idle life: used every hour it lives on, left alone for six it is renewed."""
    family = Family()
    tokens = Tokens(family, clock, refresh_token="r0", idle_life=2 * HOUR)
    for _ in range(12):
        tokens.current()
        clock.sleep(3_600)
    assert 1 == family.asked
    clock.sleep(6 * 3_600)
    assert "a2" == tokens.current().value


def test_a_new_process_goes_on_with_the_newest_refresh_token(clock: StepClock, tmp_path: Path) -> None:
    """After a kill the kept token serves: the configured one is spent and would end the family."""
    family = Family(expires_in=3_600)
    keep = file_keep(tmp_path, "sf", clock)
    Tokens(family, clock, refresh_token="r0", keep=keep).current()
    again = Tokens(family, clock, refresh_token="r0", keep=keep)
    assert ("a1", 1) == (again.current().value, family.asked)  # even the access token is still good
    clock.sleep(2 * 3_600)
    assert "a2" == Tokens(family, clock, refresh_token="r0", keep=keep).current().value
    assert family.alive


def test_two_processes_do_not_burn_each_others_token(clock: StepClock, tmp_path: Path) -> None:
    """Each renews when it is refused, and takes what the other has got; nothing is spent twice."""
    family = Family()
    ours, theirs = (Tokens(family, clock, refresh_token="r0", keep=file_keep(tmp_path, "sf", clock)) for _ in range(2))
    assert "a1" == ours.current().value == theirs.current().value
    assert "a2" == ours.renewed(ours.current()).value
    assert "a2" == theirs.renewed(theirs.current()).value
    assert "a3" == theirs.renewed(theirs.current()).value
    assert "a3" == ours.renewed(ours.current()).value
    assert (3, True) == (family.asked, family.alive)


def test_another_configured_token_begins_anew(clock: StepClock, tmp_path: Path) -> None:
    """A person who consents again and replaces the token in tierd.yaml is not held to the old family."""
    keep = file_keep(tmp_path, "sf", clock)
    Tokens(Family(), clock, refresh_token="r0", keep=keep).current()
    other = Family()
    other.good = "other"
    assert "a1" == Tokens(other, clock, refresh_token="other", keep=keep).current().value


def test_the_kept_file_is_private_and_whole(clock: StepClock, tmp_path: Path) -> None:
    """0600, no part-written file beside it, and a broken one is no obstacle."""
    keep = file_keep(tmp_path / "data", "sf", clock)
    Tokens(Family(), clock, refresh_token="r0", keep=keep).current()
    path = tmp_path / "data" / "sf.token"
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    assert "r1" == json.loads(path.read_text())["refresh_token"]
    assert ["sf.token", "sf.token.lock"] == sorted(p.name for p in path.parent.iterdir())
    path.write_text("{")
    assert "a1" == Tokens(Family(), clock, refresh_token="r0", keep=keep).current().value


def test_the_new_token_is_kept_before_it_is_used(clock: StepClock) -> None:
    """Where it cannot be kept nothing is called with it; once it can, it serves, and no second one is asked for."""
    family, full, saved = Family(), [True], []

    def save(text: str) -> None:
        if full:
            raise OSError(28, "No space left on device")
        saved.append(json.loads(text)["refresh_token"])

    tokens = Tokens(family, clock, refresh_token="r0", keep=TokenKeep(lambda: None, save))
    with pytest.raises(VendorError, match="No space left"):
        tokens.current()
    full.clear()
    clock.sleep(600)
    assert ("a1", ["r1"], 1) == (tokens.current().value, saved, family.asked)


def test_refused_credentials_are_never_asked_again(clock: StepClock) -> None:
    """invalid_grant is for good: one request, the same clear error for ever."""
    family = Family()
    family.alive = False
    tokens = Tokens(family, clock, refresh_token="r0")
    for _ in range(5):
        with pytest.raises(VendorError, match="expired access/refresh token") as caught:
            tokens.current()
        assert "auth" == caught.value.kind
        clock.sleep(DAY / SECOND)
    assert 1 == family.asked


def test_an_endpoint_that_does_not_answer_is_left_alone_for_a_while(clock: StepClock) -> None:
    """Five tries, a pause without any, then five more; a token that is still good serves meanwhile."""
    asked: list[int] = []

    def fetch(_refresh_token: str | None) -> Grant:
        asked.append(clock.now())
        if len(asked) == 1:
            return Grant("a1", 1_800)
        raise VendorError("retry", "no answer")

    tokens = Tokens(fetch, clock)
    tokens.current()
    clock.sleep(25 * 60)
    assert "a1" == tokens.current().value
    assert 6 == len(asked)
    assert "a1" == tokens.current().value
    assert 6 == len(asked)
    clock.sleep(10 * 60)
    with pytest.raises(VendorError, match="no answer"):
        tokens.current()
    assert 11 == len(asked)


def test_a_new_token_that_is_refused_too_ends_the_calls(clock: StepClock) -> None:
    """One renewal, then a clear failure and a pause; after three such rounds nothing is asked any more."""
    family = Family()
    tokens = Tokens(family, clock, refresh_token="r0")
    rounds = 0
    for _ in range(200):
        before = family.asked
        with pytest.raises(VendorError, match="Session expired"):
            tokens.using(refuse_first(99))
        rounds += family.asked > before
        clock.sleep(5 * 60)
    assert 3 == rounds
    assert 6 == family.asked  # a round is a token, its renewal, and then quiet


def test_one_refusal_is_followed_by_one_more_call(clock: StepClock) -> None:
    """The call is repeated with the new token, and is done."""
    tokens = Tokens(Family(), clock, refresh_token="r0")
    assert 2 == tokens.using(refuse_first(1))


def test_a_fixed_token_is_tried_twice_and_then_no_more(clock: StepClock) -> None:
    """It cannot be renewed: a second refusal is final."""
    tokens, calls = fixed("secret", clock), []

    def call(token: Token) -> None:
        calls.append(token.value)
        raise VendorError("auth", "Authentication credentials not found", status=401)

    for _ in range(3):
        with pytest.raises(VendorError, match="credentials not found"):
            tokens.using(call)
        clock.sleep(30 * DAY / SECOND)
    assert ["secret", "secret"] == calls


def test_a_keyring_that_is_not_there_is_named(
    clock: StepClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`tokens: keyring` without its extra: what to install, before any token is spent."""
    monkeypatch.setitem(sys.modules, "keyring", None)
    family = Family()
    tokens = Tokens(family, clock, refresh_token="r0", keep=keyring_keep(tmp_path, "sf", clock))
    with pytest.raises(VendorError, match=r"tierd\[keyring\]"):
        tokens.current()
    assert 0 == family.asked


def test_tokens_do_not_show_themselves() -> None:
    """Neither a grant nor a token prints what it holds."""
    assert "hidden" not in repr(Grant("hidden", None, "hidden")) + repr(Token("hidden", 1))
