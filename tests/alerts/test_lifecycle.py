"""The condition's state machine: edges by hand, and a model that knows only the words of the design."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.lifecycle import Hold, Outcome, Seen, Step, close, step
from store.records import DAY, AlertRow

T, F, U = Outcome.TRUE, Outcome.FALSE, Outcome.UNKNOWN


def _seen(outcome: Outcome, severity: str = "high", version: str = "v1") -> Seen:
    return Seen("rule", 1, outcome, version, severity, reason="stale" if outcome is U else None)


def _walk(outcomes: str, hold: Hold, start: AlertRow | None = None) -> tuple[AlertRow | None, list[str]]:
    """One evaluation a day; the kinds of all transitions, prefixed with the day."""
    alert, seen = start, []
    for day, letter in enumerate(outcomes):
        result = step(alert, _seen({"T": T, "F": F, "U": U}[letter]), day * DAY, hold)
        alert = result.alert
        seen += [f"{day} {transition.kind}" for transition in result.transitions]
    return alert, seen


@pytest.mark.parametrize(
    ("outcomes", "hold", "expected"),
    [
        ("T", Hold(0, 0), ["0 fired"]),
        ("TF", Hold(0, 0), ["0 fired", "1 resolved"]),
        ("TFF", Hold(0, DAY), ["0 fired", "1 recovering", "2 resolved"]),
        ("TFTFF", Hold(0, DAY), ["0 fired", "1 recovering", "2 refired", "3 recovering", "4 resolved"]),
        ("TTTTTTTT", Hold(7 * DAY), ["0 pended", "7 fired"]),
        ("TTTTTTF", Hold(7 * DAY), ["0 pended", "6 dropped"]),
        ("TTUTTTTTT", Hold(7 * DAY), ["0 pended", "2 unknown", "3 known", "8 fired"]),
        ("TFUFF", Hold(0, 2 * DAY), ["0 fired", "1 recovering", "2 unknown", "3 known", "4 resolved"]),
        ("TUUU", Hold(0, 0), ["0 fired", "1 unknown"]),
        ("UUF", Hold(0, 0), []),
        ("TFFFT", Hold(0, 0), ["0 fired", "1 resolved", "4 fired"]),
        ("TFFT", Hold(0, 0), ["0 fired", "1 resolved", "3 reopened"]),
    ],
)
def test_edges(outcomes: str, hold: Hold, expected: list[str]) -> None:
    """Each edge of the state machine, one evaluation a day; a duration held exactly counts as held."""
    assert expected == _walk(outcomes, hold)[1]


def test_a_new_episode_only_after_the_flap_window() -> None:
    """Two days after the close it is the same episode, three days after it the next."""
    same, _ = _walk("TFFT", Hold(0, 0))
    later, _ = _walk("TFFFT", Hold(0, 0))
    assert (1, 2) == (same.episode if same else 0, later.episode if later else 0)


def test_a_reopened_alert_that_does_not_hold_keeps_when_it_closed() -> None:
    """It fired once and closed on day 8; a short flicker later changes neither."""
    alert, seen = _walk("TTTTTTTTFTTF", Hold(7 * DAY, 0))
    assert alert is not None
    assert ("closed", 8 * DAY, "resolved") == (alert.state, alert.closed_at, alert.close_reason)
    assert ["0 pended", "7 fired", "8 resolved", "9 pended", "11 dropped"] == seen


def test_severity_moves_inside_an_episode() -> None:
    """Up is an escalation, down a de-escalation, and neither opens a new episode."""
    alert = step(None, _seen(T, "high"), 0, Hold()).alert
    up = step(alert, _seen(T, "critical"), DAY, Hold())
    down = step(up.alert, _seen(T, "medium"), 2 * DAY, Hold())
    assert ["escalated"] == [t.kind for t in up.transitions]
    assert ["deescalated"] == [t.kind for t in down.transitions]
    assert down.alert is not None
    assert 1 == down.alert.episode


def test_a_changed_rule_that_is_false_is_closed_not_resolved() -> None:
    """The version is what tells a cleared condition from a changed rule."""
    alert = step(None, _seen(T), 0, Hold()).alert
    after = step(alert, _seen(F, version="v2"), DAY, Hold())
    assert after.alert is not None
    assert "rule_changed" == after.alert.close_reason
    assert ["closed"] == [t.kind for t in after.transitions]


def test_closing_a_pending_alert_is_no_close() -> None:
    """What never fired was never open: it leaves no announcement."""
    alert = step(None, _seen(T), 0, Hold(DAY)).alert
    assert alert is not None
    after: Step = close(alert, "account_gone", "gone", DAY)
    assert after.alert is not None
    assert ("closed", "not_held") == (after.alert.state, after.alert.close_reason)


def test_a_new_episode_starts_without_the_old_ones_attention() -> None:
    """An acknowledgement belongs to its episode."""
    closed, _ = _walk("TFFFF", Hold(0, 0))
    assert closed is not None
    again = step(replace(closed, acked_by="ann"), _seen(T), 9 * DAY, Hold(0, 0)).alert
    assert again is not None
    assert (2, None, None) == (again.episode, again.acked_by, again.id)


class Model:
    """The design in words: counts of known time, nothing else."""

    def __init__(self, hold_days: int, keep_days: int, flap_days: int) -> None:
        self.hold, self.keep, self.flap = hold_days, keep_days, flap_days
        self.state, self.held, self.clear, self.closed_on = "ok", 0, 0, -(10**6)
        self.episode, self.unknown = 0, False

    def see(self, letter: str, day: int) -> None:
        """One day: what was true since yesterday counts unless yesterday was unknown."""
        counted = 0 if self.unknown else 1
        self.unknown = letter == "U" and self.state != "ok"
        if letter == "U":
            self._grow(counted)
            return
        self._grow(counted)
        if letter == "T":
            self._true(day)
        else:
            self._false(day)

    def _grow(self, counted: int) -> None:
        if self.state == "pending":
            self.held += counted
        if self.state == "recovering":
            self.clear += counted

    def _true(self, day: int) -> None:
        if self.state == "ok":
            self.state, self.held = "pending", 0
            self.again = day - self.closed_on < self.flap
        if self.state == "pending" and self.held >= self.hold:
            self.state = "firing"
            self.episode += 0 if self.again else 1
        if self.state == "recovering":
            self.state = "firing"

    def _false(self, day: int) -> None:
        if self.state == "pending":
            self.state = "ok"
        if self.state == "firing":
            self.state, self.clear = "recovering", 0
        if self.state == "recovering" and self.clear >= self.keep:
            self.state, self.closed_on = "ok", day


@given(
    outcomes=st.text(alphabet="TTFFU", min_size=1, max_size=40),
    hold=st.integers(0, 4),
    keep=st.integers(0, 3),
    flap=st.integers(1, 4),
)
def test_the_state_machine_agrees_with_the_model(outcomes: str, hold: int, keep: int, flap: int) -> None:
    """Over random histories state and episode are what the design's words say."""
    model, alert = Model(hold, keep, flap), None
    durations = Hold(hold * DAY, keep * DAY, flap * DAY)
    for day, letter in enumerate(outcomes):
        model.see(letter, day)
        alert = step(alert, _seen({"T": T, "F": F, "U": U}[letter]), day * DAY, durations).alert
        state = "ok" if alert is None or alert.state == "closed" else alert.state
        assert (model.state, day) == (state, day)
        fired = 0 if alert is None else alert.episode - (0 if alert.fired_at is not None else 1)
        assert model.episode == fired


@given(outcomes=st.text(alphabet="TFU", min_size=1, max_size=20), hold=st.integers(0, 3))
def test_the_same_evaluation_twice_changes_nothing(outcomes: str, hold: int) -> None:
    """A step repeated at the same instant is idle."""
    durations, alert = Hold(hold * DAY, DAY, 3 * DAY), None
    for day, letter in enumerate(outcomes):
        seen = _seen({"T": T, "F": F, "U": U}[letter])
        alert = step(alert, seen, day * DAY, durations).alert
        again = step(alert, seen, day * DAY, durations)
        assert alert == again.alert
        assert () == again.transitions
