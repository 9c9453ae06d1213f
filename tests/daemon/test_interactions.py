"""Buttons, from a click in the imitation Slack through a real WebSocket to the alert and its message."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import update

from alerts.buttons import ACKNOWLEDGE, NOT_USEFUL, SNOOZE, TOOK_ACTION
from alerts.slack import SlackSender
from alerts.socket import SlackSocket
from daemon.interactions import Interactions
from store.engine import Store
from store.records import DAY
from store.tables import conversations, interactions, transitions
from tests.daemon.alertworld import ANN, World, world
from tests.daemon.desk import ALERTS, ANN_ID, BOB_ID, OPERATORS, OPS_ID, Desk, desk

_PATIENCE = 60.0


class Office:
    """A told alert on Ann's account, and a live Socket Mode connection."""

    def __init__(self, store: Store, d: Desk) -> None:
        self.d = d
        self.w: World = world(store)
        object.__setattr__(self.w.policy, "alerts_channel", ALERTS)
        object.__setattr__(self.w.policy, "operators_channel", OPERATORS)
        self.w.account(1)
        self.w.begin()
        self.w.finds("silence", 1)
        self.w.run()
        d.scenario.advance_to(self.w.at)
        d.deliverer.run_once()
        self.ts = str(d.state.messages()[0]["ts"])
        self.app = Interactions(
            store,
            SlackSender(d.settings),
            d.clock,
            self.w.policy,
            settings=d.settings,
            book=lambda: self.w.rules,
            wake=d.deliverer.wake.set,
        )
        self.socket = SlackSocket(d.settings, self.app.keep, self.app.apply)

    def connect(self) -> None:
        """Start Socket Mode and wait until it is there."""
        self.socket.start()
        self.until(lambda: bool(self.d.state.hub.connections))

    def until(self, holds: Callable[[], bool]) -> None:
        """Real time: a WebSocket and its threads do not live on the scenario clock."""
        ends = time.monotonic() + _PATIENCE
        while not holds():
            assert time.monotonic() < ends
            threading.Event().wait(0.01)

    def click(self, user: str, action: str, value: str | None = None) -> str:
        """Press a button of the parent message and wait for the acknowledgement."""
        envelope = str(self.d.state.click(user, ALERTS, self.ts, action, value))
        assert self.d.state.hub.wait(envelope, _PATIENCE)
        return envelope

    def applied(self, count: int = 1) -> list[dict[str, Any]]:
        """Wait until so many presses are applied; returns their rows."""
        self.until(lambda: sum(row["applied_at"] is not None for row in self.w.rows(interactions)) >= count)
        return self.w.rows(interactions)

    def shown(self) -> str:
        """The parent message as people see it after the next round of delivery."""
        self.d.deliverer.run_once()
        message = next(m for m in self.d.state.messages() if m["ts"] == self.ts)
        return json.dumps(message["blocks"], ensure_ascii=False)


@pytest.fixture
def office(sqlite_store: Store) -> Iterator[Office]:
    """An office whose socket is connected."""
    with desk(sqlite_store) as d:
        made = Office(sqlite_store, d)
        made.connect()
        yield made
        made.socket.stop()


def test_the_csm_acknowledges(office: Office) -> None:
    """A click by the account's CSM is kept, acknowledged, and shown in the parent."""
    office.click(ANN_ID, ACKNOWLEDGE)
    office.applied()
    assert ANN == office.w.alert("silence")["acked_by"]
    assert "Acknowledged by Ann" in office.shown()
    assert ["attention"] == [row["kind"] for row in office.w.rows(transitions)][-1:]


def test_somebody_else_is_refused_in_private(office: Office) -> None:
    """Another CSM's click changes nothing; only that person reads why."""
    office.click(BOB_ID, ACKNOWLEDGE)
    office.applied()
    office.until(lambda: any(m["ephemeral_for"] for m in office.d.state.messages()))
    assert office.w.alert("silence")["acked_by"] is None
    (private,) = [m for m in office.d.state.messages() if m["ephemeral_for"]]
    assert BOB_ID == private["ephemeral_for"]
    assert "Only the account's CSM" in private["text"]


def test_an_operator_may_act_on_every_account(office: Office) -> None:
    """Operators are named in the configuration by their Slack id."""
    office.click(OPS_ID, TOOK_ACTION)
    office.applied()
    assert "took_action" == office.w.alert("silence")["feedback"]
    assert "action was taken" in office.shown()


def test_not_useful_is_kept_as_feedback(office: Office) -> None:
    """Feedback gives each rule its precision later."""
    office.click(ANN_ID, NOT_USEFUL)
    office.applied()
    assert "not_useful" == office.w.alert("silence")["feedback"]


def test_snooze_asks_for_a_reason_and_shows_it(office: Office) -> None:
    """Seven days chosen, a reason given in the dialog: snoozed until then, and the parent says so."""
    key = _key(office)
    office.click(ANN_ID, SNOOZE, f"{key}|7d")
    office.applied()
    view = _dialog(office)
    values = {"reason": {"reason": {"type": "static_select", "selected_option": {"value": "waiting"}}}}
    envelope = office.d.state.submit(ANN_ID, view, values)
    assert office.d.state.hub.wait(envelope, _PATIENCE)
    office.applied(2)
    alert = office.w.alert("silence")
    assert (office.d.clock.now() + 7 * DAY, "Waiting for the customer") == (
        alert["snoozed_until"],
        alert["snooze_reason"],
    )
    assert "Snoozed until 2026-03-10: Waiting for the customer" in office.shown()


def test_snooze_until_a_date_must_be_in_the_future(office: Office) -> None:
    """Today is refused beside the input; a later day is taken from its beginning."""
    office.click(ANN_ID, SNOOZE, f"{_key(office)}|date")
    office.applied()
    view = _dialog(office)
    reason = {"reason": {"type": "static_select", "selected_option": {"value": "known"}}}
    values: dict[str, dict[str, Any]]
    for day in ("2026-03-03", "2026-03-20"):
        values = {"reason": reason, "until": {"until": {"type": "datepicker", "selected_date": day}}}
        assert office.d.state.hub.wait(office.d.state.submit(ANN_ID, view, values), _PATIENCE)
    office.applied(2)
    assert 20_532 * DAY == office.w.alert("silence")["snoozed_until"]


def test_a_dialog_that_comes_too_late_snoozes_without_a_reason(office: Office) -> None:
    """The trigger is good for three seconds; a press of one day still counts."""
    office.d.fault("views.open", status=200, body={"ok": False, "error": "expired_trigger_id"})
    office.click(ANN_ID, SNOOZE, f"{_key(office)}|1d")
    office.applied()
    assert office.d.clock.now() + DAY == office.w.alert("silence")["snoozed_until"]


def test_a_redelivered_envelope_is_applied_once(office: Office) -> None:
    """The same envelope three times, across a restart, is one press."""
    payload = _payload(office, ANN_ID)
    for _ in range(3):
        office.app.keep("same-envelope", payload)
        office.app.apply()
    assert 1 == len(office.w.rows(interactions))
    assert 1 == sum(row["kind"] == "attention" for row in office.w.rows(transitions))


def test_what_was_kept_before_a_kill_is_applied_after_it(sqlite_store: Store) -> None:
    """Committed and acknowledged, but killed before it was applied: the next start applies it."""
    with desk(sqlite_store) as d:
        office = Office(sqlite_store, d)
        office.app.keep("envelope", _payload(office, ANN_ID))
        assert office.w.alert("silence")["acked_by"] is None
        office.connect()
        office.applied()
        assert ANN == office.w.alert("silence")["acked_by"]
        office.socket.stop()


def test_a_press_that_cannot_be_kept_is_not_acknowledged(sqlite_store: Store) -> None:
    """Slack delivers it again, and then it is kept."""
    with desk(sqlite_store) as d:
        office = Office(sqlite_store, d)
        tries: list[int] = []

        def keep(envelope_id: str, payload: Any) -> Any:
            tries.append(1)
            if len(tries) == 1:
                raise OSError("disk full")
            return office.app.keep(envelope_id, payload)

        office.socket.stop()
        office.socket = SlackSocket(d.settings, keep, office.app.apply)
        office.connect()
        office.click(ANN_ID, ACKNOWLEDGE)
        office.applied()
        assert 2 == len(tries)
        office.socket.stop()


def test_a_stop_finishes_the_acknowledgements_in_hand(sqlite_store: Store) -> None:
    """Clicks that are being kept when the stop comes are acknowledged before the socket closes."""
    with desk(sqlite_store) as d:
        office = Office(sqlite_store, d)
        began: list[int] = []

        def slow(envelope_id: str, payload: Any) -> Any:
            began.append(1)
            threading.Event().wait(0.5)
            return office.app.keep(envelope_id, payload)

        office.socket.stop()
        office.socket = SlackSocket(d.settings, slow, office.app.apply)
        office.connect()
        clicks = [d.state.click(ANN_ID, ALERTS, office.ts, ACKNOWLEDGE) for _ in range(3)]
        office.until(lambda: len(began) == 3)
        office.socket.stop()
        assert [True] * 3 == [d.state.hub.wait(click, _PATIENCE) for click in clicks]


def test_a_stop_that_we_asked_for_is_no_error(sqlite_store: Store, caplog: pytest.LogCaptureFixture) -> None:
    """Hanging up logs no error, and errors are logged again afterwards."""
    with desk(sqlite_store) as d:
        office = Office(sqlite_store, d)
        office.connect()
        with caplog.at_level(logging.WARNING):
            office.socket.stop()
        assert [] == [record.getMessage() for record in caplog.records]
        with caplog.at_level(logging.WARNING):
            logging.getLogger("websocket").error("broken pipe - goodbye")
        assert 1 == len(caplog.records)


def test_a_dropped_connection_comes_back(office: Office) -> None:
    """After Slack asks us to reconnect, the next click is answered."""
    office.d.state.hub.disconnect()
    office.until(lambda: len(office.d.state.hub.connections) == 0)
    office.until(lambda: len(office.d.state.hub.connections) == 1)
    office.click(ANN_ID, ACKNOWLEDGE)
    office.applied()
    assert ANN == office.w.alert("silence")["acked_by"]


def test_a_connection_that_the_kit_forgets_is_given_back(office: Office) -> None:
    """The kit closes the old session while its reader has just heard the server's goodbye: then it closes no socket."""
    office.until(lambda: bool(office.socket._open))
    ((session, connection),) = office.socket._open.items()
    wire = connection.sock
    assert wire is not None
    connection.connected = False
    session.close()
    assert wire.fileno() != -1
    office.d.state.hub.disconnect()
    office.until(lambda: wire.fileno() == -1)


def test_an_ended_conversation_says_so(office: Office) -> None:
    """A press on an old message changes nothing and tells the person why."""
    with office.w.store.write() as c:
        c.execute(update(conversations).values(closed_at=1))
    office.click(ANN_ID, ACKNOWLEDGE)
    office.applied()
    office.until(lambda: any("has ended" in m["text"] for m in office.d.state.messages()))
    assert office.w.alert("silence")["acked_by"] is None


def _key(office: Office) -> str:
    return str(office.w.rows(conversations)[0]["key"])


def _dialog(office: Office) -> str:
    office.until(lambda: bool(office.d.state.views))
    return str(next(iter(office.d.state.views)))


def _payload(office: Office, user: str) -> dict[str, Any]:
    action = {"action_id": ACKNOWLEDGE, "value": _key(office), "action_ts": "1.000001", "type": "button"}
    return {"type": "block_actions", "user": {"id": user, "name": "x"}, "channel": {"id": ALERTS}, "actions": [action]}
