"""The imitation Slack's Web API, driven by the vendor's own client over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from slack_sdk.errors import SlackApiError

from sandbox.clock import SECOND
from sandbox.faults import Fault
from sandbox.slack.oracle import delivery_counts, timeline
from tests.sandbox.slack_workspace import ALERTS, ANA, OPERATORS, SAM, START, Workspace, error_of, section, workspace

META = {"event_type": "cs_alert", "event_payload": {"delivery_id": "d1"}}


@pytest.fixture
def slack() -> Iterator[Workspace]:
    """A fresh workspace."""
    with workspace() as served:
        yield served


def test_auth_test_names_team_and_bot(slack: Workspace) -> None:
    """auth.test says who the bot is and its header lists the scopes."""
    answer = slack.web.auth_test()
    assert answer["team_id"] == slack.state.team.id
    assert answer["user_id"] == slack.state.team.bot_user
    assert "chat:write" in answer.headers["x-oauth-scopes"].split(",")


@pytest.mark.parametrize(
    ("token", "trouble", "error"),
    [
        ("", "", "not_authed"),
        ("xoxb-nobody", "", "invalid_auth"),
        ("app", "", "not_allowed_token_type"),
        ("bot", "token_revoked", "token_revoked"),
        ("bot", "account_inactive", "account_inactive"),
        ("bot", "token_expired", "token_expired"),
    ],
)
def test_tokens_are_checked(slack: Workspace, token: str, trouble: str, error: str) -> None:
    """A token that is missing, unknown, of the wrong kind or dead is refused with the vendor's code."""
    text = {"app": slack.state.app_token, "bot": slack.state.bot_token}.get(token, token)
    slack.state.tokens[slack.state.bot_token].trouble = trouble
    answer = requests.post(
        slack.state.base_url + "users.info", data={"user": ANA}, headers={"authorization": f"Bearer {text}"}, timeout=5
    )
    assert (200, {"ok": False, "error": error}) == (answer.status_code, answer.json())
    assert "x-oauth-scopes" not in answer.headers


def test_missing_scope_names_needed_and_provided(slack: Workspace) -> None:
    """A token without the scope learns which one it needs."""
    slack.state.tokens[slack.state.bot_token].scopes = ("users:read",)
    answer = slack.form("conversations.history", channel=ALERTS)
    assert answer["error"] == "missing_scope"
    assert "channels:history" in answer["needed"]
    assert answer["provided"] == "users:read"


def test_unknown_method(slack: Workspace) -> None:
    """A method that is not there is refused by name."""
    assert slack.form("chat.shout")["error"] == "unknown_method"


@pytest.mark.parametrize(
    ("kind", "body", "error"),
    [
        ("application/json", b"{", "invalid_json"),
        ("application/json", b"[1]", "json_not_object"),
        ("application/json; charset=latin-9", b"{}", "invalid_charset"),
        ("text/css", b"x", "invalid_post_type"),
        ("application/x-www-form-urlencoded", b"%%%", "invalid_form_data"),
    ],
)
def test_bodies_are_read_strictly(slack: Workspace, kind: str, body: bytes, error: str) -> None:
    """A body that is not what its content type says is refused."""
    headers = {"authorization": f"Bearer {slack.state.bot_token}", "content-type": kind}
    answer = requests.post(slack.state.base_url + "chat.postMessage", data=body, headers=headers, timeout=5)
    assert answer.json()["error"] == error


def test_json_without_charset_is_warned_of(slack: Workspace) -> None:
    """JSON without a charset works and earns the vendor's warning."""
    answer = slack.call("chat.postMessage", channel=ALERTS, text="hello").json()
    assert answer["warning"] == "missing_charset"
    assert answer["response_metadata"] == {"warnings": ["missing_charset"]}


def test_methods_without_json_support_see_no_arguments(slack: Workspace) -> None:
    """users.info by JSON is as if nothing had been sent; by form it answers."""
    assert slack.call("users.info", user=ANA).json()["error"] == "user_not_found"
    assert slack.form("users.info", user=ANA)["user"]["name"] == "ana"


def test_post_is_stored_with_ids_and_stamps(slack: Workspace) -> None:
    """A posted message comes back with its author, its ts on the scenario clock and completed blocks."""
    answer = slack.web.chat_postMessage(channel=ALERTS, text="hello", blocks=[section("*hi*")], metadata=META)
    assert (answer["channel"], answer["ts"]) == (ALERTS, "1772431200.000000")
    message = answer["message"]
    assert message["bot_id"] == slack.state.team.bot_id
    assert message["metadata"] == META
    assert len(message["blocks"][0]["block_id"]) == 5
    assert message["blocks"][0]["text"]["verbatim"] is False


def test_stamps_increase_while_the_clock_stands(slack: Workspace) -> None:
    """Each ts of a channel is after the one before; another channel counts for itself."""
    stamps = [slack.web.chat_postMessage(channel=ALERTS, text=str(n))["ts"] for n in range(3)]
    assert stamps == sorted(set(stamps))
    assert slack.web.chat_postMessage(channel=OPERATORS, text="x")["ts"] == stamps[0]


@pytest.mark.parametrize(
    ("args", "error"),
    [
        ({"channel": "C0NOWHERE99", "text": "x"}, "channel_not_found"),
        ({"channel": "C0SECRET001", "text": "x"}, "channel_not_found"),
        ({"channel": "C0PUBLIC001", "text": "x"}, "not_in_channel"),
        ({"channel": "C0OLDONE001", "text": "x"}, "is_archived"),
        ({"channel": ALERTS}, "no_text"),
        ({"channel": ALERTS, "text": "x" * 4_001}, "msg_too_long"),
        ({"channel": ALERTS, "text": "x", "blocks": "no json"}, "invalid_blocks_format"),
        ({"channel": ALERTS, "text": "x", "blocks": [{"type": "banner"}]}, "invalid_blocks"),
        ({"channel": ALERTS, "text": "x", "blocks": [section("y" * 3_000)] * 5}, "msg_blocks_too_long"),
        ({"channel": ALERTS, "text": "x", "markdown_text": "y"}, "markdown_text_conflict"),
        ({"channel": ALERTS, "text": "x", "attachments": [{"text": "a"}] * 101}, "too_many_attachments"),
        ({"channel": ALERTS, "text": "x", "metadata": {"event_payload": {}}}, "invalid_metadata_format"),
        ({"channel": ALERTS, "text": "x", "metadata": {"event_type": "a"}}, "invalid_metadata_schema"),
        (
            {"channel": ALERTS, "text": "x", "metadata": {"event_type": "a", "event_payload": {"b": "c" * 5_000}}},
            "metadata_too_large",
        ),
        ({"channel": ALERTS, "text": "x", "thread_ts": "1.000001"}, "cannot_reply_to_message"),
    ],
)
def test_post_refusals(slack: Workspace, args: dict[str, Any], error: str) -> None:
    """What Slack refuses to post is refused with its code, and nothing is posted."""
    assert error_of(lambda: slack.web.api_call("chat.postMessage", json=args)) == error
    assert slack.state.messages() == []


def test_restricted_channel(slack: Workspace) -> None:
    """A channel that only admins may write to says so."""
    slack.state.channels[ALERTS].restriction = "restricted_action_read_only_channel"
    error = error_of(lambda: slack.web.chat_postMessage(channel=ALERTS, text="x"))
    assert error == "restricted_action_read_only_channel"


def test_long_text_may_be_split_or_passed(slack: Workspace) -> None:
    """The two other behaviours seen for texts above 4,000 characters can be switched on."""
    slack.state.switches.long_text = "split"
    slack.web.chat_postMessage(channel=ALERTS, text="x" * 9_000, metadata=META)
    assert [len(m["text"]) for m in slack.state.messages()] == [4_000, 4_000, 1_000]
    slack.state.switches.long_text = "pass"
    slack.web.chat_postMessage(channel=OPERATORS, text="x" * 50_000)
    assert [len(text) for _, text in timeline(slack.state.messages(), OPERATORS)] == [40_000]


def test_channel_by_name_and_person(slack: Workspace) -> None:
    """A post may name a channel, or a person: then it lands in the direct message with them."""
    assert slack.web.chat_postMessage(channel="#customer-alerts", text="x")["channel"] == ALERTS
    direct = slack.web.chat_postMessage(channel=ANA, text="x")["channel"]
    assert direct.startswith("D")
    assert slack.web.conversations_open(users=ANA)["channel"]["id"] == direct


def test_update_keeps_metadata_and_says_edited(slack: Workspace) -> None:
    """An edit keeps metadata unless given, {} clears it, and the old text is kept for the tests."""
    ts = slack.web.chat_postMessage(channel=ALERTS, text="one", metadata=META)["ts"]
    slack.pass_seconds(60)
    edited = slack.web.chat_update(channel=ALERTS, ts=ts, text="two")
    assert edited["message"]["metadata"] == META
    assert edited["message"]["edited"]["ts"] == "1772431260.000000"
    slack.web.chat_update(channel=ALERTS, ts=ts, text="three", metadata={})
    told = slack.state.messages()[0]
    assert (told["text"], told["metadata"]) == ("three", None)
    assert [edit["text"] for edit in told["history"]] == ["one", "two"]


def test_update_without_blocks_is_a_switch(slack: Workspace) -> None:
    """A text-only edit keeps the blocks, or drops them where the workspace is switched so."""
    ts = slack.web.chat_postMessage(channel=ALERTS, text="one", blocks=[section("a")])["ts"]
    assert "blocks" in slack.web.chat_update(channel=ALERTS, ts=ts, text="two")["message"]
    slack.state.switches.update_without_blocks = "drop"
    assert "blocks" not in slack.web.chat_update(channel=ALERTS, ts=ts, text="three")["message"]


def test_update_refusals(slack: Workspace) -> None:
    """Only one's own living message in an id'd conversation can be edited, with up to 4,000 characters."""
    ts = slack.web.chat_postMessage(channel=ALERTS, text="one")["ts"]
    human = slack.state.say(ANA, ALERTS, "mine").ts
    update = slack.web.chat_update
    assert error_of(lambda: update(channel=ALERTS, ts="1.000000", text="x")) == "message_not_found"
    assert error_of(lambda: update(channel=ALERTS, ts=human, text="x")) == "cant_update_message"
    assert error_of(lambda: update(channel=ANA, ts=ts, text="x")) == "channel_not_found"
    assert error_of(lambda: update(channel=ALERTS, ts=ts, text="x" * 4_001)) == "msg_too_long"
    assert error_of(lambda: slack.web.api_call("chat.update", json={"channel": ALERTS, "ts": ts})) == "no_text"
    slack.state.switches.edit_window_us = 10 * SECOND
    slack.pass_seconds(11)
    assert error_of(lambda: update(channel=ALERTS, ts=ts, text="x")) == "edit_window_closed"


def test_delete_leaves_a_tombstone_over_replies(slack: Workspace) -> None:
    """A deleted parent with replies stays as a tombstone; one without is gone; a second delete finds nothing."""
    web = slack.web
    lone = web.chat_postMessage(channel=ALERTS, text="lone")["ts"]
    parent = web.chat_postMessage(channel=ALERTS, text="parent")["ts"]
    web.chat_postMessage(channel=ALERTS, text="reply", thread_ts=parent)
    web.chat_delete(channel=ALERTS, ts=lone)
    web.chat_delete(channel=ALERTS, ts=parent)
    seen = web.conversations_history(channel=ALERTS)["messages"]
    assert [(m["ts"], m["subtype"]) for m in seen] == [(parent, "tombstone")]
    assert error_of(lambda: web.chat_delete(channel=ALERTS, ts=lone)) == "message_not_found"


def test_history_has_top_level_only_and_replies_the_thread(slack: Workspace) -> None:
    """Replies are in no history but in conversations.replies, after their parent."""
    web = slack.web
    parent = web.chat_postMessage(channel=ALERTS, text="parent")["ts"]
    reply = web.chat_postMessage(channel=ALERTS, text="reply", thread_ts=parent)["ts"]
    deeper = web.chat_postMessage(channel=ALERTS, text="deeper", thread_ts=reply)
    assert deeper["message"]["thread_ts"] == parent
    listed = web.conversations_history(channel=ALERTS)["messages"]
    assert [(m["text"], m["reply_count"], m["latest_reply"]) for m in listed] == [("parent", 2, deeper["ts"])]
    thread = web.conversations_replies(channel=ALERTS, ts=parent)["messages"]
    assert [m["text"] for m in thread] == ["parent", "reply", "deeper"]
    assert error_of(lambda: web.conversations_replies(channel=ALERTS, ts="1.000000")) == "thread_not_found"


def test_broadcast_reply_is_in_the_history_too(slack: Workspace) -> None:
    """reply_broadcast shows a reply in the channel as well."""
    parent = slack.web.chat_postMessage(channel=ALERTS, text="parent")["ts"]
    slack.web.chat_postMessage(channel=ALERTS, text="loud", thread_ts=parent, reply_broadcast=True)
    listed = slack.web.conversations_history(channel=ALERTS)["messages"]
    assert [(m["text"], m.get("subtype")) for m in listed] == [("loud", "thread_broadcast"), ("parent", None)]


def test_history_pages_and_bounds(slack: Workspace) -> None:
    """Limit and cursor walk through everything once; oldest and latest exclude themselves unless inclusive."""
    stamps = []
    for number in range(5):
        stamps.append(slack.web.chat_postMessage(channel=ALERTS, text=str(number))["ts"])
        slack.pass_seconds(1)
    texts: list[str] = []
    for answer in slack.web.conversations_history(channel=ALERTS, limit=2):
        texts += [m["text"] for m in answer["messages"]]
    assert texts == ["4", "3", "2", "1", "0"]
    between = slack.web.conversations_history(channel=ALERTS, oldest=stamps[1], latest=stamps[3])
    assert [m["text"] for m in between["messages"]] == ["2"]
    closed = slack.web.conversations_history(channel=ALERTS, oldest=stamps[1], latest=stamps[3], inclusive=True)
    assert [m["text"] for m in closed["messages"]] == ["3", "2", "1"]


def test_history_refusals(slack: Workspace) -> None:
    """Bad bounds and cursors and channels one is not in are refused."""
    history = slack.web.conversations_history
    assert error_of(lambda: history(channel=ALERTS, oldest="yesterday")) == "invalid_ts_oldest"
    assert error_of(lambda: history(channel=ALERTS, latest="soon")) == "invalid_ts_latest"
    assert error_of(lambda: history(channel=ALERTS, cursor="???")) == "invalid_cursor"
    assert error_of(lambda: history(channel="C0PUBLIC001")) == "not_in_channel"


def test_metadata_payload_only_when_asked_for(slack: Workspace) -> None:
    """Without include_all_metadata a reader learns the event type and no payload."""
    slack.web.chat_postMessage(channel=ALERTS, text="x", metadata=META)
    short = slack.web.conversations_history(channel=ALERTS)["messages"][0]
    assert short["metadata"] == {"event_type": "cs_alert"}
    whole = slack.web.conversations_history(channel=ALERTS, include_all_metadata=True)["messages"][0]
    assert whole["metadata"] == META


def test_visibility_lag_hides_new_messages(slack: Workspace) -> None:
    """With a lag a message is in no history until scenario time has passed."""
    slack.state.switches.visibility_lag_us = 3 * SECOND
    slack.web.chat_postMessage(channel=ALERTS, text="x")
    assert slack.web.conversations_history(channel=ALERTS)["messages"] == []
    slack.pass_seconds(3)
    assert len(slack.web.conversations_history(channel=ALERTS)["messages"]) == 1


def test_conversations_open(slack: Workspace) -> None:
    """One person gives the same D every time, several a G; people who are not there are refused."""
    opened = slack.web.conversations_open
    first = opened(users=ANA, return_im=True)
    assert (first["channel"]["user"], first.get("already_open")) == (ANA, None)
    assert opened(users=ANA)["already_open"] is True
    assert opened(users=[ANA, SAM])["channel"]["id"].startswith("G")
    assert error_of(lambda: opened(users="U0NOBODY")) == "user_not_found"
    assert error_of(lambda: slack.web.api_call("conversations.open")) == "users_list_not_supplied"


def test_conversations_info_list_members_join(slack: Workspace) -> None:
    """Public channels are listed, private ones only to members; joining makes the bot a member."""
    web = slack.web
    listed = web.conversations_list(limit=2)
    assert len(listed["channels"]) == 2
    assert listed["response_metadata"]["next_cursor"]
    names = {c["name"] for page in web.conversations_list(exclude_archived=True) for c in page["channels"]}
    assert names == {"customer-alerts", "tierd-operators", "public-other"}
    assert error_of(lambda: web.conversations_info(channel="C0SECRET001")) == "channel_not_found"
    assert web.conversations_info(channel="C0PUBLIC001")["channel"]["is_member"] is False
    assert web.conversations_join(channel="C0PUBLIC001")["channel"]["is_member"] is True
    assert web.conversations_join(channel="C0PUBLIC001")["warning"] == "already_in_channel"
    assert slack.state.team.bot_user in web.conversations_members(channel="C0PUBLIC001")["members"]
    assert error_of(lambda: web.conversations_join(channel="C0OLDONE001")) == "is_archived"


def test_users(slack: Workspace) -> None:
    """People are found by id and by e-mail in any case; unknown ones are not."""
    web = slack.web
    assert web.users_lookupByEmail(email="Ana@Tierd-Demo.example")["user"]["id"] == ANA
    assert web.users_info(user=ANA)["user"]["tz"] == "Etc/UTC"
    assert {m["name"] for m in web.users_list()["members"]} == {"ana", "sam", "tierd"}
    assert error_of(lambda: web.users_lookupByEmail(email="x@y.example")) == "users_not_found"
    assert error_of(lambda: web.users_info(user="U0NOBODY")) == "user_not_found"


def test_permalink(slack: Workspace) -> None:
    """A permalink carries the channel and the stamp without its dot."""
    ts = slack.web.chat_postMessage(channel=ALERTS, text="x")["ts"]
    link = slack.web.chat_getPermalink(channel=ALERTS, message_ts=ts)["permalink"]
    assert link == f"https://tierd-demo.slack.com/archives/{ALERTS}/p1772431200000000"
    assert error_of(lambda: slack.web.chat_getPermalink(channel=ALERTS, message_ts="1.0")) == "message_not_found"


def test_ephemeral_is_in_no_history(slack: Workspace) -> None:
    """An ephemeral message is told to the tests with its only reader, and to nobody by the API."""
    slack.web.chat_postEphemeral(channel=ALERTS, user=ANA, text="psst")
    assert slack.web.conversations_history(channel=ALERTS)["messages"] == []
    assert [(m["text"], m["ephemeral_for"]) for m in slack.state.messages()] == [("psst", ANA)]
    stranger = error_of(lambda: slack.web.chat_postEphemeral(channel=ALERTS, user="U0NOBODY", text="x"))
    assert stranger == "user_not_in_channel"


def test_one_message_a_second_and_channel(slack: Workspace) -> None:
    """Three in a burst, then 429 with Retry-After until the scenario's second has passed; other channels go on."""
    for number in range(3):
        slack.web.chat_postMessage(channel=ALERTS, text=str(number))
    with pytest.raises(SlackApiError) as caught:
        slack.web.chat_postMessage(channel=ALERTS, text="4")
    response = caught.value.response
    assert (response.status_code, response["error"], response.headers["retry-after"]) == (429, "ratelimited", "1")
    slack.web.chat_postMessage(channel=OPERATORS, text="elsewhere")
    slack.pass_seconds(1)
    slack.web.chat_postMessage(channel=ALERTS, text="4")
    assert [text for _, text in timeline(slack.state.messages(), ALERTS)] == ["0", "1", "2", "4"]


def test_rate_limit_over_200(slack: Workspace) -> None:
    """The same refusal can come with status 200 and either code."""
    slack.state.switches.throttled_as = "rate_limited"
    for _ in range(3):
        slack.web.chat_postMessage(channel=ALERTS, text="x")
    answer = slack.call("chat.postMessage", channel=ALERTS, text="x")
    assert (answer.status_code, answer.json()["error"]) == (200, "rate_limited")
    assert "retry-after" not in answer.headers


def test_tiers_count_calls_per_minute(slack: Workspace) -> None:
    """Tier 2 takes 20 calls a minute, and the limits can be switched off."""
    for _ in range(20):
        slack.web.users_list()
    assert error_of(slack.web.users_list) == "ratelimited"
    slack.state.limits.tiers = False
    assert slack.web.users_list()["ok"] is True


def test_restricted_history(slack: Workspace) -> None:
    """Where history is restricted it takes one call a minute and shows fifteen messages."""
    slack.state.limits.history_restricted = True
    slack.state.limits.post_burst = 100
    for number in range(20):
        slack.web.chat_postMessage(channel=ALERTS, text=str(number))
    assert len(slack.web.conversations_history(channel=ALERTS, limit=100)["messages"]) == 15
    assert error_of(lambda: slack.web.conversations_history(channel=ALERTS)) == "ratelimited"


def test_accepted_and_connection_dropped(slack: Workspace) -> None:
    """A post whose answer is lost has taken effect, and history shows it by its metadata."""
    slack.shared.faults.add(Fault(vendor="slack", path="chat.postMessage", reset="after"))
    with pytest.raises(OSError, match=r"."):
        slack.web.chat_postMessage(channel=ALERTS, text="x", metadata=META)
    found = slack.web.conversations_history(channel=ALERTS, include_all_metadata=True)["messages"]
    assert [m["metadata"]["event_payload"]["delivery_id"] for m in found] == ["d1"]
    assert delivery_counts(slack.state.messages()) == {"d1": 1}


def test_equal_runs_give_equal_ids() -> None:
    """Two workspaces that are told the same hold the same, ids and stamps included."""
    told = []
    for _ in range(2):
        with workspace() as slack:
            slack.web.chat_postMessage(channel=ANA, text="x", blocks=[section("a")])
            told.append(slack.state.messages())
            assert slack.clock.now() == START
    assert told[0] == told[1]
