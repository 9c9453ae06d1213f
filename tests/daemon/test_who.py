"""`Who are these people?` and hand-overs in Slack: asked and told seldom, answered by those who may, applied once."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from alerts import handover
from alerts.blockkit import check
from alerts.handover import HandOverLine
from alerts.presses import read
from alerts.slack import SlackSender
from alerts.socket import SlackSocket
from alerts.view import Person
from alerts.who import MOST, WhoItem, WhoView, render
from daemon.alerting.who import ask, tell_hand_overs
from daemon.interactions import Interactions
from store.engine import Store
from store.records import DAY
from store.tables import (
    deliveries,
    dirty,
    interactions,
    members,
    person_levels,
    person_overrides,
    persons,
    touch_members,
    touches,
)
from tests.daemon.alertworld import ANN, BOB, World, world
from tests.daemon.desk import ALERTS, ANN_ID, BOB_ID, OPERATORS, OPS_ID, Desk, desk

_PATIENCE = 60.0


def stranger(w: World, number: int, account: int = 1, standing: str = "unclassified", **values: Any) -> None:
    """Somebody at the account; by default of unknown level."""
    key = f"p{number}@acme.example"
    with w.store.write() as c:
        row = {"id": number, "account_id": account, "key": key, "name": f"Person {number}", "email": key} | values
        c.execute(insert(persons).values(**row, created_at=0))
        level = {"person_id": number, "valid_from": 0, "recorded_at": 0, "standing": standing}
        c.execute(insert(person_levels).values(**level))


def meetings(w: World, person: int, member: str, days: tuple[int, ...], account: int = 1) -> None:
    """Meetings of one of ours with the person, so many days ago."""
    with w.store.write() as c:
        for day in days:
            key = {"source": "sf", "activity_id": f"{person}-{member}-{day}"}
            at = w.at - day * DAY
            stamps = {"starts_at": at, "occurred_at": at, "recorded_at": at}
            who = {"person_id": person, "account_id": account, "kind": "meeting", "inbound": 1, "outbound": 1}
            c.execute(insert(touches).values(**key, **who, **stamps))
            number = c.scalar(select(members.c.id).where(members.c.key == member))
            c.execute(insert(touch_members).values(**key, member_id=number))


def bodies(w: World, kind: str) -> list[dict[str, Any]]:
    """What was queued of a kind, in order."""
    rows = sorted(w.rows(deliveries), key=lambda row: int(row["seq"]))
    return [json.loads(row["body"]) for row in rows if row["kind"] == kind]


# ---------------------------------------------------------------- asking


def test_each_csm_is_asked_once_a_week_and_never_without_people(store: Store) -> None:
    """Ann has an unknown person, Bob an exec only; a week later Ann is asked again, not a day earlier."""
    w = world(store)
    w.account(1)
    w.account(2, csm=BOB)
    stranger(w, 1)
    stranger(w, 2, 2, "exec")
    assert (1, 0) == (ask(store, w.policy, w.at), ask(store, w.policy, w.at))
    assert (0, 1) == (ask(store, w.policy, w.at + 7 * DAY - 1), ask(store, w.policy, w.at + 7 * DAY))
    assert ["Person 1 at Account 1"] * 2 == [_who(body, 1) for body in bodies(w, "who")]


def test_nobody_asks_a_csm_who_has_left(store: Store) -> None:
    """Nor for accounts without one."""
    w = world(store)
    w.account(1)
    w.account(2, csm=None)
    stranger(w, 1)
    stranger(w, 2, 2)
    with store.write() as c:
        c.execute(update(members).where(members.c.key == ANN).values(active=0))
    assert 0 == ask(store, w.policy, w.at)


def test_one_message_holds_ten_and_counts_the_rest(store: Store) -> None:
    """Thirteen unknown persons: ten with buttons, within Slack's limits, and three counted."""
    w = world(store)
    w.account(1)
    for number in range(1, 14):
        stranger(w, number, name="<!channel> & Söhne " * 20, title="x" * 300)
    ask(store, w.policy, w.at)
    (body,) = bodies(w, "who")
    assert MOST == sum(block["type"] == "actions" for block in body["blocks"])
    assert "3 more: `tierd people unknown`" in json.dumps(body)
    assert [] == check(body["text"], body["blocks"])
    assert "<!channel>" not in json.dumps(body)


def test_the_message_says_what_an_answer_is_worth() -> None:
    """Title, account, last touch and how many questions wait; the CSM is mentioned."""
    item = WhoItem("1.a", "Zoe", "Acme", "https://crm.example/1", "Kaiser", 20_500, 2)
    message = render(WhoView(Person("Ann", ANN), [item], 0, 20_514))
    shown = json.dumps(message.blocks, ensure_ascii=False)
    assert "*Zoe*, Kaiser at <https://crm.example/1|Acme>\\nlast touch 2026-02-16 · 2 questions waiting" in shown
    assert message.text.startswith("Who is this person?")


# ---------------------------------------------------------------- answering


class Office:
    """Ann was asked about Person 1, and a live Socket Mode connection."""

    def __init__(self, store: Store, d: Desk) -> None:
        self.d, self.w = d, world(store)
        object.__setattr__(self.w.policy, "alerts_channel", ALERTS)
        object.__setattr__(self.w.policy, "operators_channel", OPERATORS)
        self.w.account(1)
        stranger(self.w, 1)
        ask(store, self.w.policy, self.w.at)
        d.deliverer.run_once()
        self.ts = str(d.state.messages()[0]["ts"])
        self.derived = 0
        self.app = Interactions(
            store,
            SlackSender(d.settings),
            d.clock,
            self.w.policy,
            settings=d.settings,
            book=lambda: self.w.rules,
            derive=self._derive,
        )
        self.socket = SlackSocket(d.settings, self.app.keep, self.app.apply)
        self.socket.start()
        self.until(lambda: bool(d.state.hub.connections))

    def _derive(self) -> None:
        self.derived += 1

    def until(self, holds: Callable[[], bool]) -> None:
        """Real time: a WebSocket and its threads do not live on the scenario clock."""
        ends = time.monotonic() + _PATIENCE
        while not holds():
            assert time.monotonic() < ends
            threading.Event().wait(0.01)

    def press(self, user: str, answer: str) -> None:
        """Press a button of the message, and wait until it is applied."""
        before = self._applied()
        envelope = str(self.d.state.click(user, ALERTS, self.ts, f"tierd_who_{answer}"))
        assert self.d.state.hub.wait(envelope, _PATIENCE)
        self.until(lambda: self._applied() > before)

    def _applied(self) -> int:
        return sum(row["applied_at"] is not None for row in self.w.rows(interactions))

    def said(self) -> list[tuple[str, str, str]]:
        """(key, standing, author) of what was said."""
        return [(row["key"], row["standing"], row["author"]) for row in self.w.rows(person_overrides)]

    def whispers(self) -> list[str]:
        """What only the person who pressed reads."""
        return [m["text"] for m in self.d.state.messages() if m["ephemeral_for"]]


def pressed(action: str, value: str) -> dict[str, Any]:
    """What Slack sends when Ann presses a button."""
    actions = [{"action_id": action, "value": value, "action_ts": "1.0"}]
    return {"type": "block_actions", "user": {"id": ANN_ID}, "channel": {"id": ALERTS}, "actions": actions}


@pytest.fixture
def office(sqlite_store: Store) -> Iterator[Office]:
    """An office whose socket is connected."""
    with desk(sqlite_store) as d:
        made = Office(sqlite_store, d)
        yield made
        made.socket.stop()


@pytest.mark.parametrize("answer", ["exec", "user", "other"])
def test_the_csm_answers(office: Office, answer: str) -> None:
    """The press becomes what we know of the person, the account is derived anew, and Ann is thanked in private."""
    office.press(ANN_ID, answer)
    assert [("p1@acme.example", answer, ANN)] == office.said()
    assert [("persons", "p1@acme.example")] == [(row["object"], row["id"]) for row in office.w.rows(dirty)]
    office.until(lambda: bool(office.whispers()))
    assert 1 == office.derived
    assert office.whispers()[0].startswith("Thank you: Person 1 is")


def test_somebody_else_is_refused(office: Office) -> None:
    """Bob is not the CSM: nothing is kept, and only he reads why. An operator may."""
    office.press(BOB_ID, "exec")
    office.until(lambda: bool(office.whispers()))
    assert ([], 0) == (office.said(), office.derived)
    assert "Only the account's CSM" in office.whispers()[0]
    office.press(OPS_ID, "user")
    assert [("p1@acme.example", "user")] == [row[:2] for row in office.said()]


def test_the_last_answer_counts(office: Office) -> None:
    """Pressed by mistake, pressed again: the person is what was said last."""
    office.press(ANN_ID, "exec")
    office.press(ANN_ID, "other")
    assert [("p1@acme.example", "other", ANN)] == office.said()


@pytest.mark.parametrize("value", ["1.000000000000|exec", "99.x|exec", "|exec", "9" * 30 + ".x|exec"])
def test_a_button_of_somebody_who_is_gone_does_nothing(office: Office, value: str) -> None:
    """Another person under that id, nobody, nonsense."""
    office.app.keep("envelope", pressed("tierd_who_exec", value))
    office.app.apply()
    assert [] == office.said()
    assert "not on file any more" in office.whispers()[0]


def test_a_redelivered_answer_is_applied_once(office: Office) -> None:
    """The same envelope three times is one answer."""
    (actions,) = [b for b in bodies(office.w, "who")[0]["blocks"] if b["type"] == "actions"]
    action = actions["elements"][0]
    payload = pressed(action["action_id"], action["value"])
    assert "who_exec" == read(payload).what
    for _ in range(3):
        office.app.keep("same-envelope", payload)
        office.app.apply()
    assert (1, 1) == (len(office.said()), office.derived)


# ---------------------------------------------------------------- handing over


def leaves(store: Store, member: str, active: int = 0) -> None:
    """One of ours leaves, or comes back."""
    with store.write() as c:
        c.execute(update(members).where(members.c.key == member).values(active=active))


def digested(w: World) -> list[str]:
    """Texts of the digests of today, after the day's other messages."""
    before = len(bodies(w, "digest"))
    w.digest()
    return [json.dumps(body["blocks"], ensure_ascii=False) for body in bodies(w, "digest")[before:]]


def test_a_leavers_relationships_are_told_once_to_whose_accounts_they_are(store: Store) -> None:
    """Bob leaves two relationships at accounts of Ann: two lines of her digest, none the next day, and nothing elsewhere."""
    w = world(store)
    for number in (1, 2):
        w.account(number)
        stranger(w, number, number, "exec")
        meetings(w, number, BOB, (3, 20, 50), number)
    w.begin()
    assert [] == digested(w)
    leaves(store, BOB)
    (ann,) = digested(w)
    assert "*Relationships to take over* (2)" in ann
    assert "• Account 2: Person 2, strength 80 with Bob, who has left; last touch 2026-02-27" in ann
    w.at += DAY
    assert ([], 0) == (digested(w), tell_hand_overs(store, w.policy, w.at))


def test_whoever_gets_the_account_is_told_what_the_lead_was(store: Store) -> None:
    """Bob's own account: his lead hears of it first; when Ann gets it, she does, once."""
    w = world(store)
    w.account(1, csm=BOB)
    stranger(w, 1)
    meetings(w, 1, BOB, (3, 20, 50))
    w.begin()
    leaves(store, BOB)
    (lea,) = digested(w)
    assert "Person 1, strength" in lea
    w.at += DAY
    w.change(1, csm=ANN)
    (ann,) = digested(w)
    assert "Person 1, strength" in ann
    w.at += DAY
    assert [] == digested(w)


def test_what_nobody_takes_over_is_told_to_the_operators_once_as_one_list(store: Store) -> None:
    """Bob leaves two relationships at accounts without a CSM: one message, and none the next day."""
    w = world(store)
    for number in (1, 2):
        w.account(number, csm=None)
        stranger(w, number, number, "exec")
        meetings(w, number, BOB, (3, 20, 50), number)
    assert 0 == tell_hand_overs(store, w.policy, w.at)
    leaves(store, BOB)
    assert (1, 0) == (tell_hand_overs(store, w.policy, w.at), tell_hand_overs(store, w.policy, w.at + DAY))
    (body,) = bodies(w, "operators")
    assert body["text"] == "To hand over: Bob has left; 2 relationships"
    assert "Account 2 (no CSM): Person 2, strength " in json.dumps(body)


def test_who_comes_back_and_leaves_again_is_told_again(store: Store) -> None:
    """A return takes back what was told, of what is the operators' and of what is Ann's."""
    w = world(store)
    for number, csm in ((1, None), (2, ANN)):
        w.account(number, csm=csm)
        stranger(w, number, number)
        meetings(w, number, BOB, (3, 20), number)
    w.begin()
    told = []
    for active in (0, 1, 0):
        leaves(store, BOB, active)
        w.at += DAY
        told.append(
            (len([text for text in digested(w) if "take over" in text]), tell_hand_overs(store, w.policy, w.at))
        )
    assert [(1, 1), (0, 0), (1, 1)] == told


def test_a_long_hand_over_stays_within_slacks_limits() -> None:
    """Fifty pairs with long names: twenty shown, the rest counted, nothing pings."""
    lines = [HandOverLine("<!here>" * 30, None, "P" * 200, 6_486, 20_500)] * 50
    message = handover.render("<@U1>" * 20, lines, left=True)
    shown = json.dumps(message.blocks)
    assert [] == check(message.text, message.blocks)
    assert "30 more" in shown
    assert "<!here>" not in shown


def _who(body: dict[str, Any], number: int) -> str:
    line = str(body["blocks"][number]["text"]["text"])
    name, _, rest = line.partition("* at ")
    return f"{name.strip('*')} at {rest.partition('|')[2].partition('>')[0]}"
