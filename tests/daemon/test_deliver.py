"""The outbox against a Slack over real HTTP: nothing lost, nothing twice, in order, at Slack's pace."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import update

from alerts.escape import mention_mark
from alerts.message import Message
from alerts.outcomes import Outcome
from alerts.slack import Outgoing, SlackSender
from daemon.alerting.outbox import body
from daemon.deliver import Deliverer
from store.engine import Store
from store.records import DAY, HOUR, MINUTE, SECOND, DeliveryRow
from store.tables import deliveries
from tests.daemon.alertworld import ANN
from tests.daemon.desk import ALERTS, ANN_ID, OPERATORS, Desk, desk


@pytest.fixture
def d(store: Store) -> Iterator[Desk]:
    """A desk over each database."""
    with desk(store) as made:
        yield made


@pytest.fixture
def fast(sqlite_store: Store) -> Iterator[Desk]:
    """A desk for what does not depend on the database."""
    with desk(sqlite_store) as made:
        yield made


class Dying(SlackSender):
    """The process ends around a send."""

    def __init__(self, inner: SlackSender, moment: str) -> None:
        super().__init__(inner.settings)
        self.moment = moment

    def send(self, out: Outgoing) -> Outcome:
        """Die before or after the message has reached Slack."""
        if self.moment == "after":
            super().send(out)
        raise KeyboardInterrupt


def _die(d: Desk, moment: str) -> None:
    dying = Deliverer(d.store, Dying(SlackSender(d.settings), moment), d.clock, d.settings)
    with pytest.raises(KeyboardInterrupt):
        dying.run_once()


def test_a_message_is_sent_once(d: Desk) -> None:
    """A queued message arrives, its row knows where, and a second round sends nothing."""
    sent = d.post()
    assert 1 == d.deliverer.run_once().sent
    assert 0 == d.deliverer.run_once().sent
    row = d.row(sent)
    assert ["text one"] == d.texts()
    assert ("sent", 1) == (row.state, row.attempts)
    assert row.ts == d.state.messages()[0]["ts"]


def test_metadata_is_only_an_opaque_id(fast: Desk) -> None:
    """Any app of the workspace may read metadata: the delivery id and nothing else; no unfurling."""
    sent = fast.post()
    fast.deliverer.run_once()
    (message,) = fast.state.messages()
    assert {"event_type": "tierd", "event_payload": {"delivery_id": sent.id}} == message["metadata"]
    assert False is message["options"]["unfurl_links"]
    assert False is message["options"]["unfurl_media"]


@pytest.mark.parametrize(("point", "calls"), [("C1", 1), ("C2", 1), ("C3", 2), ("C4", 1), ("C5", 1)])
def test_a_kill_at_any_point_leaves_exactly_one_message(d: Desk, point: str, calls: int) -> None:
    """Killed before the claim, before, during and after the call, and after the mark: one message in the end."""
    sent = d.post()
    if point == "C2":
        _die(d, "before")
    if point == "C3":
        d.fault(reset="before")
        _die(d, "after")
    if point == "C4":
        _die(d, "after")
    if point == "C5":
        d.deliverer.run_once()
    after = d.fresh()
    after.run_once()
    assert ["text one"] == d.texts()
    assert "sent" == d.row(sent).state
    assert calls == d.calls()


def test_a_killed_reply_is_found_in_its_thread(d: Desk) -> None:
    """History shows top-level messages only; a reply in doubt is looked for among the replies."""
    number = d.conversation()
    d.queue("post", "parent", lane="l", conversation_id=number)
    d.deliverer.run_once()
    reply = d.queue("reply", "reply", lane="l", conversation_id=number)
    _die(d, "after")
    d.fresh().run_once()
    assert ["text parent", "text reply"] == d.texts()
    assert "sent" == d.row(reply).state


@pytest.mark.parametrize(
    "trouble",
    [{"reset": "after"}, {"truncate": 10}, {"garbage": True}, {"delay_ms": 1300}, {"reset": "before"}, {"hang": True}],
    ids=str,
)
def test_an_answer_that_is_lost_doubles_nothing(fast: Desk, trouble: dict[str, Any]) -> None:
    """Reset, truncated, unreadable, late or never accepted: exactly one message."""
    fast.fresh(timeout="1s")
    sent = fast.post()
    fast.fault(**trouble)
    fast.deliverer.run_once()
    fast.deliverer.run_once()
    assert ["text one"] == fast.texts()
    assert "sent" == fast.row(sent).state
    assert fast.calls("conversations.history") >= 1


@pytest.mark.parametrize(
    "answer", [{"status": 502, "body": "<html>"}, {"status": 200, "body": {"ok": False, "error": "fatal_error"}}]
)
def test_a_5xx_or_fatal_error_is_in_doubt(fast: Desk, answer: dict[str, Any]) -> None:
    """Not accepted, but that cannot be known: looked for during the window, then sent again and counted."""
    sent = fast.post()
    fast.fault(**answer)
    fast.deliverer.run_once()
    row = fast.row(sent)
    assert ["text one"] == fast.texts()
    assert ("sent", 1, 2) == (row.state, row.possible_duplicate, row.attempts)
    assert row.sent_at is not None
    assert row.sent_at - row.created_at >= fast.settings.verify_window


def test_a_502_after_acceptance_is_adopted(fast: Desk) -> None:
    """A gateway that loses the answer of an accepted message: one call, one message, its ts is found."""
    sent = fast.post()
    fast.gateway.left = 1
    fast.deliverer.run_once()
    assert ["text one"] == fast.texts()
    assert 1 == fast.calls()
    assert (fast.state.messages()[0]["ts"], 0) == (fast.row(sent).ts, fast.row(sent).possible_duplicate)


def test_history_that_lags_within_the_window_is_waited_for(fast: Desk) -> None:
    """Lag 20 s, window 30 s: one message; lag longer than the window: two, and counted."""
    fast.state.switches.visibility_lag_us = 20 * SECOND
    fast.post()
    fast.gateway.left = 1
    fast.deliverer.run_once()
    assert 1 == len(fast.texts())
    fast.state.switches.visibility_lag_us = HOUR
    second = fast.post("two")
    fast.gateway.left = 1
    fast.deliverer.run_once()
    assert ["text one", "text two", "text two"] == fast.texts()
    assert 1 == fast.row(second).possible_duplicate


def test_a_message_that_cannot_be_looked_for_is_sent_once_more(fast: Desk) -> None:
    """Without the history scope doubt is resolved by one more send, which is counted."""
    fast.fault("conversations.history", status=200, body={"ok": False, "error": "missing_scope"}, times=0)
    sent = fast.post()
    fast.fault(reset="before")
    fast.deliverer.run_once()
    assert ["text one"] == fast.texts()
    assert ("sent", 1) == (fast.row(sent).state, fast.row(sent).possible_duplicate)


def test_a_lookup_that_fails_is_tried_at_growing_intervals(fast: Desk) -> None:
    """Slack does not answer who the CSM is: nothing is sent, the tries come ever more rarely, and then it arrives."""
    fast.fault("users.lookupByEmail", status=503, body="<html>", times=5)
    sent = fast.queue("post", f"hello {mention_mark(ANN, 'Ann')}")
    fast.deliverer.run_once()
    assert f"text hello <@{ANN_ID}>" == fast.texts()[0]
    row = fast.row(sent)
    assert 6 == row.attempts
    assert row.sent_at is not None
    assert row.sent_at - row.created_at >= 31 * SECOND


def test_twelve_messages_keep_slacks_pace(fast: Desk) -> None:
    """One message a second and channel: all twelve arrive in order, and Slack never has to refuse one."""
    rows = [fast.post(f"{number:02}") for number in range(12)]
    while fast.deliverer.run_once().waiting:
        pass
    assert [f"text {number:02}" for number in range(12)] == fast.texts()
    assert {1} == {fast.row(row).attempts for row in rows}
    assert 12 == fast.calls()


@pytest.mark.parametrize("header", ["7", "1.5", "Wed, 21 Oct 2026 07:28:00 GMT", ""])
def test_retry_after_is_read_whatever_it_is(fast: Desk, header: str) -> None:
    """Seconds, a fraction, a date or nothing: it waits, then sends once."""
    fast.post()
    headers = {"Retry-After": header} if header else {}
    fast.fault(status=429, body={"ok": False, "error": "ratelimited"}, headers=headers)
    fast.deliverer.run_once()
    assert ["text one"] == fast.texts()
    least = {"7": 7, "1.5": 1.5}.get(header, 30)
    assert sum(fast.clock.waits) >= least


def test_a_throttled_channel_does_not_hold_another(fast: Desk) -> None:
    """While one channel waits for an hour, the other's message is there within seconds."""
    fast.fault(contains=ALERTS, status=429, body={"ok": False, "error": "ratelimited"}, headers={"Retry-After": "3600"})
    fast.post("slow")
    fast.post("quick", OPERATORS)
    start = fast.clock.now()
    fast.deliverer.run_once()
    assert ["text quick"] == fast.texts(OPERATORS)
    assert fast.clock.now() - start < 5 * SECOND
    assert [] == fast.texts()
    fast.pass_time(HOUR)
    fast.deliverer.run_once()
    assert ["text slow"] == fast.texts()


def test_a_200_that_says_rate_limited_is_the_same(fast: Desk) -> None:
    """Slack answers 429 or 200 with an error; both mean: not sent, later."""
    fast.post()
    fast.fault(status=200, body={"ok": False, "error": "rate_limited"})
    fast.deliverer.run_once()
    assert ["text one"] == fast.texts()


def test_a_lane_keeps_its_order(fast: Desk) -> None:
    """What is behind a message that waits, waits too; other lanes go on."""
    fast.fault(contains="text first", status=503, body="<html>")
    number = fast.conversation()
    fast.queue("post", "first", lane="l", conversation_id=number)
    fast.queue("reply", "second", lane="l", conversation_id=number)
    fast.post("other")
    fast.deliverer.run_once()
    assert ["text other", "text first", "text second"] == fast.texts()


def test_only_the_newest_edit_is_sent(fast: Desk) -> None:
    """Three edits queued while Slack was away are one call, and the message ends as the newest says."""
    number = fast.conversation()
    fast.queue("post", "parent", lane="l", conversation_id=number)
    for name in ("a", "b", "c"):
        fast.queue("update", name, lane="l", conversation_id=number)
    fast.deliverer.run_once()
    assert ["text c"] == fast.texts()
    assert 1 == fast.calls("chat.update")


def test_an_edit_in_doubt_is_repeated(fast: Desk) -> None:
    """Editing twice does no harm, so nobody looks."""
    number = fast.conversation()
    fast.queue("post", "parent", lane="l", conversation_id=number)
    fast.deliverer.run_once()
    fast.fault("chat.update", reset="after")
    edit = fast.queue("update", "edited", lane="l", conversation_id=number)
    fast.deliverer.run_once()
    assert ["text edited"] == fast.texts()
    assert "sent" == fast.row(edit).state


def test_a_parent_that_somebody_deleted_is_posted_anew(fast: Desk) -> None:
    """message_not_found on an edit: the newest state becomes a new parent, and further edits find it."""
    number = fast.conversation()
    fast.queue("post", "parent", lane="l", conversation_id=number)
    fast.deliverer.run_once()
    fast.state.posts[ALERTS][0].deleted = True
    fast.queue("update", "now", lane="l", conversation_id=number)
    fast.deliverer.run_once()
    fast.queue("update", "later", lane="l", conversation_id=number)
    fast.deliverer.run_once()
    assert ["text later"] == fast.texts()


def test_a_revoked_token_pauses_and_loses_nothing(fast: Desk) -> None:
    """Rows are kept while the workspace refuses us; when it lets us in again, each is sent once."""
    rows = [fast.post(f"{number}") for number in range(3)]
    fast.state.tokens[fast.state.bot_token].trouble = "token_revoked"
    done = fast.deliverer.run_once()
    assert ("token_revoked", 3) == (done.paused, done.waiting)
    assert 1 == fast.calls()
    fast.pass_time(HOUR)
    fast.deliverer.run_once()
    fast.state.tokens[fast.state.bot_token].trouble = ""
    fast.pass_time(HOUR)
    fast.deliverer.run_once()
    assert ["text 0", "text 1", "text 2"] == sorted(fast.texts())
    assert {"sent"} == {fast.row(row).state for row in rows}


def test_a_broken_destination_falls_back_and_the_operators_hear(fast: Desk) -> None:
    """An archived channel: the message goes to the alert channel, one note to the operators."""
    fast.state.channels["C0OLD00001"] = type(fast.state.channels[ALERTS])("C0OLD00001", "old", archived=True)
    fast.state.channels["C0OLD00001"].members.add(fast.state.team.bot_user)
    fast.post("one", "C0OLD00001")
    fast.post("two", "C0OLD00001")
    fast.deliverer.run_once()
    assert ["text one", "text two"] == fast.texts()
    (note,) = fast.texts(OPERATORS)
    assert "C0OLD00001 cannot be reached (is_archived)" in note


def test_refused_blocks_are_sent_as_plain_text(fast: Desk) -> None:
    """A render bug costs the looks, never the message."""
    sent = fast.queue("post", "blocks")
    with_blocks = '{"text":"text blocks","blocks":[{"type":"section","text":{"type":"mrkdwn","text":""}}]}'
    _rewrite(fast, sent, with_blocks)
    fast.deliverer.run_once()
    assert ["text blocks"] == fast.texts()
    assert "sent" == fast.row(sent).state


def _rewrite(d: Desk, row: DeliveryRow, text: str) -> None:
    with d.store.write() as c:
        c.execute(update(deliveries).where(deliveries.c.id == row.id).values(body=text))


def test_an_unknown_refusal_is_dead_and_told(fast: Desk) -> None:
    """An error we do not know is never tried for ever: dead letter, and one note."""
    sent = fast.post()
    fast.fault(status=200, body={"ok": False, "error": "brand_new_error"})
    fast.deliverer.run_once()
    assert ("dead", "brand_new_error") == (fast.row(sent).state, fast.row(sent).error)
    assert any("brand_new_error" in text for text in fast.texts(OPERATORS))


def test_messages_that_wait_too_long_expire_with_one_note(fast: Desk) -> None:
    """After three days without Slack the rows are given up, visibly; nothing is sent late."""
    rows = [fast.post(f"{number}") for number in range(3)]
    fast.fault("/api/", status=503, body={"ok": False, "error": "service_unavailable"}, times=0)
    fast.deliverer.run_once()
    fast.pass_time(3 * DAY + MINUTE)
    fast.deliverer.run_once()
    assert {"expired"} == {fast.row(row).state for row in rows}
    fast.shared.faults.clear()
    fast.pass_time(HOUR)
    fast.deliverer.run_once()
    assert [] == fast.texts()
    assert 1 == len(fast.texts(OPERATORS))


def test_an_edit_whose_parent_expired_becomes_the_message(fast: Desk) -> None:
    """When Slack is back, the newest state is posted although its parent was given up."""
    number = fast.conversation()
    fast.fault(status=503, body={"ok": False, "error": "service_unavailable"}, times=0)
    fast.queue("post", "parent", lane="l", conversation_id=number)
    fast.deliverer.run_once()
    fast.pass_time(2 * DAY)
    fast.queue("update", "now", lane="l", conversation_id=number)
    fast.pass_time(2 * DAY)
    fast.shared.faults.clear()
    fast.deliverer.run_once()
    assert ["text now"] == fast.texts()


def test_two_deliverers_send_each_message_once(d: Desk) -> None:
    """A row that one process has claimed is not sent by another."""
    for number in range(4):
        d.post(f"{number}")
    first, second = d.deliverer, d.fresh()
    while first.run_once(horizon=0).waiting or second.run_once(horizon=0).waiting:
        d.pass_time(SECOND)
    assert ["text 0", "text 1", "text 2", "text 3"] == sorted(d.texts())


def test_a_mention_is_looked_up_once_and_only_where_it_is_known(fast: Desk) -> None:
    """Two messages for one CSM are one look-up; an unknown address is a name, and one note for the operators."""
    for name, email in (("a", ANN), ("b", ANN), ("c", "nobody@x.example"), ("d", "nobody@x.example")):
        _rewrite(fast, fast.post(name), body(Message(f"{name} {mention_mark(email, 'Some One')}")))
    while fast.deliverer.run_once().waiting:
        pass
    assert [f"a <@{ANN_ID}>", f"b <@{ANN_ID}>", "c Some One", "d Some One"] == fast.texts()
    assert 2 == fast.calls("users.lookupByEmail")
    assert 1 == len(fast.texts(OPERATORS))


def test_the_self_test_names_what_is_wrong(fast: Desk) -> None:
    """A wrong workspace id and a channel that does not exist are errors with a remedy; a good setting has none."""
    good = SlackSender(fast.configured()).check()
    assert [] == [finding for finding in good if finding.level == "error"]
    bad = SlackSender(fast.configured(team_id="T0OTHER", routes={"x": "C0NOWHERE"})).check()
    errors = [finding.what for finding in bad if finding.level == "error"]
    assert any("T0OTHER" in what for what in errors)
    assert any("C0NOWHERE" in what for what in errors)


def test_secrets_stay_out_of_messages_and_settings(fast: Desk) -> None:
    """Tokens print as stars."""
    assert fast.state.bot_token not in repr(fast.settings)
    assert fast.state.bot_token not in str(fast.settings.model_dump())
