"""Alerting over a real store: conversations, replies, edits, caps, first run, storms, digests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import update

from alerts.settings import AlertSettings
from alerts.view import RuleText
from daemon.alerting import advance
from daemon.alerting.book import AlertPolicy, alert_rules
from daemon.alerting.outbox import opaque
from rules.language import load
from store.engine import Store
from store.records import DAY, Behind
from store.tables import accounts, alerts, conversations, deliveries, members
from tests.daemon.alertworld import ALERTS, ANN, BOB, LEA, RULES, World, rule, world


@pytest.fixture
def w(store: Store) -> World:
    """Ann's one account, after the first run."""
    made = world(store)
    made.account(1)
    return made.begin()


def test_a_high_rule_opens_a_conversation(w: World) -> None:
    """A newly firing rule of severity high is one post, with account, deadline and the CSM's mark in its text."""
    w.finds("silence", 1)
    w.run()
    ((op, state, text),) = w.queued()
    assert ("post", "pending") == (op, state)
    assert text.startswith("HIGH Account 1: silence says so. Renewal 2026-04-11.")
    assert ANN in text
    assert "opened: fired: true" == w.reasons()["silence/1"]


def test_a_second_step_at_the_same_instant_changes_no_row(w: World) -> None:
    """Alerting is idempotent at one as_of."""
    w.finds("silence", 1)
    w.finds("single", 1, "medium")
    w.finds("lapsed", 1, "critical")
    w.run()
    before = w.snapshot()
    assert 0 == w.run().accounts
    assert before == w.snapshot()


def test_alerts_never_go_back_in_time(w: World) -> None:
    """A step at an earlier instant than the last one does nothing and says so."""
    w.finds("silence", 1)
    w.run()
    before = w.snapshot()
    assert "never go back" in w.run(-1).skipped
    assert before == w.snapshot()


def test_another_high_rule_in_an_open_conversation_is_a_reply_and_an_edit(w: World) -> None:
    """News in an open conversation is told by a mentioning reply, and the parent is brought up to date."""
    w.finds("silence", 1)
    w.run()
    w.finds("drop", 1)
    w.run(1)
    assert ["post alert", "reply reply", "update alert"] == w.ops()
    assert ANN in w.queued()[1][2]
    assert "drop says so" in w.last_body()
    assert "silence says so" in w.last_body()


def test_rules_that_fire_together_are_one_message(w: World) -> None:
    """Three rules on one account in one run make one post that shows all three."""
    for name in ("silence", "drop"):
        w.finds(name, 1)
    w.finds("single", 1, "medium")
    w.run()
    assert ["post alert"] == w.ops()
    assert all(f"{name} says so" in w.last_body() for name in ("silence", "drop", "single"))


def test_escalation_is_a_reply_and_deescalation_an_edit(w: World) -> None:
    """High to critical is told; critical to high only edits."""
    w.finds("silence", 1)
    w.run()
    w.finds("silence", 1, "critical")
    w.run(1)
    assert "escalated: high to critical" == w.reasons()["silence/1"]
    w.finds("silence", 1, "high")
    w.run(1)
    assert ["post alert", "reply reply", "update alert"] == w.ops()


def test_a_medium_rule_that_escalates_opens_a_conversation(w: World) -> None:
    """Medium is for the digest; when it becomes high it is told at once."""
    w.finds("single", 1, "medium")
    w.run()
    assert [] == w.ops()
    w.finds("single", 1, "high")
    w.run(1)
    assert ["post alert"] == w.ops()


def test_resolved_is_an_edit_and_only_after_keep_firing(w: World) -> None:
    """Clear for a day: first 'clear now', then resolved; no new message, and the conversation ends after the flap window."""
    w.finds("silence", 1)
    w.run()
    w.clears("silence", 1)
    w.run(1)
    assert "recovering" == w.alert("silence")["state"]
    w.run(1)
    assert ("closed", "resolved") == (w.alert("silence")["state"], w.alert("silence")["close_reason"])
    assert ["post alert", "update alert"] == w.ops()
    assert w.queued()[-1][2] == "Resolved: Account 1"
    w.run(2.9)
    assert w.rows(conversations)[0]["closed_at"] is None
    w.run(0.1)
    assert w.at == w.rows(conversations)[0]["closed_at"]


def test_firing_again_within_the_flap_window_reopens_quietly(w: World) -> None:
    """The same episode is opened again, the parent is edited, nobody is told twice."""
    w.finds("drop", 1)
    w.run()
    w.clears("drop", 1)
    w.run(1)
    w.finds("drop", 1)
    w.run(2)
    assert (1, "firing") == (w.alert("drop")["episode"], w.alert("drop")["state"])
    assert ["post alert", "update alert"] == w.ops()


def test_firing_again_later_is_a_new_episode_and_a_new_conversation(w: World) -> None:
    """After the flap window the account gets a new parent message."""
    w.finds("drop", 1)
    w.run()
    w.clears("drop", 1)
    w.run(1)
    w.run(3)
    w.finds("drop", 1)
    w.run(1)
    assert 2 == w.alert("drop")["episode"]
    assert ["post alert", "update alert", "post alert"] == w.ops()


def test_unknown_keeps_the_alert_and_says_so(w: World) -> None:
    """Unknown neither resolves nor tells; the parent says why it is kept."""
    w.finds("silence", 1)
    w.run()
    w.finds("silence", 1, outcome="unknown", reason="activity data is 4 days old")
    w.run(1)
    assert "firing" == w.alert("silence")["state"]
    assert "activity data is 4 days old" in w.last_body()
    w.finds("silence", 1)
    w.run(3)
    assert ["post alert", "update alert"] == w.ops()
    assert "4 days old" not in w.last_body()


def test_for_must_hold_and_unknown_time_does_not_count(w: World) -> None:
    """Seven days true with one unknown day between fire on the eighth day."""
    w.finds("lapsed", 1, "critical")
    w.run()
    w.run(3)
    w.finds("lapsed", 1, outcome="unknown")
    w.run(1)
    w.finds("lapsed", 1, "critical")
    w.run(1)
    w.run(2)
    assert "pending" == w.alert("lapsed")["state"]
    w.run(1)
    assert "firing" == w.alert("lapsed")["state"]
    assert ["post alert"] == w.ops()


def test_an_old_parent_is_replaced_and_becomes_a_link(w: World) -> None:
    """News after more than seven days get a new parent; the old one points to it."""
    w.finds("silence", 1)
    w.run()
    w.finds("drop", 1)
    w.run(8)
    assert ["post alert", "post alert", "update alert"] == w.ops()
    old, new = sorted(w.rows(conversations), key=lambda row: int(row["opened_at"]))
    assert (w.at, None) == (old["closed_at"], new["closed_at"])
    assert new["key"] in w.last_body()
    w.change(1, arr=7_700_000)
    w.run(1)
    assert old["key"] in w.last_body()
    assert "ARR $77,000" in w.last_body()


def test_a_customer_that_leaves_is_closed_but_not_resolved(w: World) -> None:
    """Out of scope is told as closed, never as resolved."""
    w.finds("silence", 1)
    w.run()
    w.leave(1)
    w.run(1)
    assert "account_gone" == w.alert("silence")["close_reason"]
    assert "Closed: Account 1" == w.queued()[-1][2]
    assert w.reasons()["silence/1"].startswith("closed:")


def test_a_removed_rule_closes_its_alerts(w: World) -> None:
    """A rule that is gone ends its alerts with that reason."""
    w.finds("silence", 1)
    w.run()
    del w.rules["silence"]
    w.run(1)
    assert "rule_removed" == w.alert("silence")["close_reason"]


def test_a_changed_rule_that_no_longer_matches_is_not_resolved(w: World) -> None:
    """A rule whose version has changed closes with rule_changed."""
    w.finds("silence", 1)
    w.run()
    w.rules["silence"] = rule("silence", version="v2")
    w.clears("silence", 1)
    w.run(1)
    assert "rule_changed" == w.alert("silence")["close_reason"]


def test_at_most_five_new_high_parents_per_csm_and_day(w: World) -> None:
    """The sixth is held for the digest with its reason, by urgency; a critical one and another CSM's are not capped."""
    for number in range(2, 8):
        w.account(number, arr=number * 1_000_000)
        w.finds("silence", number)
    w.account(8)
    w.finds("silence", 8, "critical")
    w.account(9, BOB)
    w.finds("silence", 9)
    w.run()
    assert 7 == w.ops().count("post alert")
    held = [name for name, reason in w.reasons().items() if reason.startswith("held")]
    assert ["silence/2"] == held
    assert 1 == w.digest()
    assert "Held back, and why" in w.last_body()
    assert "at most 5 new high alerts" in w.last_body()
    assert w.reasons()["silence/2"].startswith("listed")


def test_the_first_run_tells_five_accounts_per_csm_and_lists_the_rest(store: Store) -> None:
    """Eight accounts true on the first run: the five most urgent get messages, the rest is one list; then silence."""
    w = world(store)
    for number in range(1, 9):
        w.account(number, arr=number * 1_000_000)
        w.finds("silence", number)
    w.account(9)
    w.finds("single", 9, "medium")
    w.finds("drop", 1, "critical")
    assert w.run().baseline
    assert ["post alert"] * 5 + ["post baseline"] == w.ops()
    told = {name for name, reason in w.reasons().items() if reason.startswith("opened")}
    assert {"drop/1", "silence/1", "silence/8", "silence/7", "silence/6", "silence/5"} == told
    for number in (2, 3, 4, 9):
        assert f"Account {number}" in w.last_body()
    assert 0 == w.digest()
    assert 0 == w.run(1).deliveries


def test_a_first_run_that_was_cut_short_ends_the_same(store: Store) -> None:
    """Killed after its first transactions and run again, the first run has told the same five."""
    w = world(store)
    for number in range(1, 9):
        w.account(number, arr=number * 1_000_000)
        w.finds("silence", number)
    seen = [0]

    def dying(evidence: Mapping[str, Any], as_of: int, behind: Behind) -> RuleText:
        seen[0] += 1
        if seen[0] > 4:
            raise KeyboardInterrupt
        return RULES["silence"].words(evidence, as_of, behind)

    w.rules["silence"] = replace(RULES["silence"], words=dying)
    with pytest.raises(KeyboardInterrupt):
        w.run()
    assert 0 < len(w.ops()) < 5
    w.rules["silence"] = RULES["silence"]
    w.run()
    assert ["post alert"] * 5 + ["post baseline"] == w.ops()


def test_a_storm_is_held_and_told_once_to_the_operators(store: Store) -> None:
    """A rule that newly fires on more than 5 % of the portfolio (and at least ten) is held; the operators get one note."""
    w = world(store)
    for number in range(1, 41):
        w.account(number)
    w.begin()
    for number in range(1, 13):
        w.finds("silence", number)
    w.finds("drop", 20)
    assert ("silence",) == w.run().storms
    assert ["post alert", "post operators"] == w.ops()
    assert "12 of 40" in w.last_body()
    w.run(1)
    assert 2 == len(w.ops())
    assert 1 == w.digest()
    assert "too many accounts" in w.last_body()


def test_growth_is_held_while_a_churn_alert_is_open(w: World) -> None:
    """Growth news wait until the churn alert is over, then they are in the digest."""
    w.finds("drop", 1)
    w.finds("champions", 1, "medium")
    w.run()
    assert "champions" not in w.last_body()
    assert 0 == w.digest()
    w.clears("drop", 1)
    w.run(1)
    assert 1 == w.digest()
    assert "champions says so" in w.last_body()


@pytest.mark.parametrize(("bad", "good"), [({"health": 49.99}, {"health": 50.0}), ({"csat": 0.49}, {"csat": 0.5})])
def test_growth_is_held_while_the_customer_is_unhappy(w: World, bad: dict[str, float], good: dict[str, float]) -> None:
    """Red health, or a last satisfaction under 50 %, holds news of growth with the reason; then the digest has them."""
    w.change(1, **bad)
    w.finds("champions", 1, "medium")
    w.run()
    assert 0 == w.digest()
    assert [reason for reason in w.decisions("champions") if "growth is held while" in reason]
    w.change(1, **good)
    w.run(1)
    assert 1 == w.digest()
    assert "champions says so" in w.last_body()


def test_stale_health_holds_nothing(w: World) -> None:
    """Only health that is known is red: growth is told beside a stale one."""
    w.change(1, health=10.0, health_state="stale")
    w.finds("champions", 1, "medium")
    w.run()
    assert 1 == w.digest()


def test_growth_of_another_route_is_held_too(w: World) -> None:
    """The churn alert that holds growth may be told in another channel."""
    w.rules["champions"] = rule("champions", "growth", notify="growth-team")
    w.policy = replace(w.policy, routes={"growth-team": "C0GROWTH"})
    w.finds("drop", 1)
    w.finds("champions", 1, "high")
    w.run()
    assert ["post alert"] == w.ops()
    assert "champions says so" not in w.last_body()


def test_a_shadow_has_no_alerts() -> None:
    """A rule of status shadow is none of alerting's; a live one is."""
    text = "rules:\n" + "".join(
        f"  - {{rule: {name}, class: churn, severity: high, when: not renewed, status: {status}, play: Call.}}\n"
        for name, status in (("told", "live"), ("quiet", "shadow"))
    )
    policy = AlertPolicy(AlertSettings(), ALERTS, "C0")
    assert ["told"] == list(alert_rules(load({"r.yaml": text}), policy))


def test_the_digest_lists_medium_and_low_once(w: World) -> None:
    """New entries make a digest; the next day without news makes none; a second call adds nothing."""
    w.finds("single", 1, "medium")
    w.run()
    assert (1, 0) == (w.digest(), w.digest())
    assert "single says so" in w.last_body()
    assert ANN in w.last_body()
    w.run(1)
    assert 0 == w.digest()


def test_an_inactive_csm_means_the_lead(w: World) -> None:
    """The message goes to the lead and says why; without any CSM nobody is mentioned."""
    with w.store.write() as c:
        c.execute(update(members).where(members.c.key == ANN).values(active=0))
    w.finds("silence", 1)
    w.account(2, None)
    w.finds("silence", 2)
    w.run()
    first, second = (text for _, _, text in w.queued())
    assert LEA in first
    assert "\ue000" not in second
    bodies = "".join(row["body"] for row in w.rows(deliveries))
    assert "Ann, is not active: sent to their lead" in bodies
    assert "No CSM is on file" in bodies


def test_a_new_owner_is_told_once_in_the_thread(w: World) -> None:
    """When the CSM changes, an open conversation is handed over by a reply that mentions the new one."""
    w.finds("silence", 1)
    w.run()
    w.change(1, csm=BOB)
    w.run(1)
    w.run(1)
    assert ["post alert", "update alert", "reply reply"] == w.ops()
    assert BOB in w.queued()[-1][2]
    assert "before: Ann" in w.queued()[-1][2]


def test_a_snoozed_alert_is_quiet_until_it_ends_or_escalates(w: World) -> None:
    """While snoozed nothing is told; when it ends and the rule still fires, one reminder."""
    w.finds("silence", 1)
    w.run()
    with w.store.write() as c:
        c.execute(update(alerts).values(snoozed_until=w.at + 2 * DAY))
    w.run(1)
    assert ["post alert", "update alert"] == w.ops()
    assert "Snoozed until 2026-03-05" in w.last_body()
    w.run(1)
    assert ["post alert", "reply reply", "update alert"] == w.ops()
    assert w.reasons()["silence/1"].startswith("reminder")


def test_markup_in_a_name_stays_text(w: World) -> None:
    """A customer whose name is a channel mention pings nobody."""
    w.account(2, name="<!channel> & <@U1> \ue000user\ue002ann@x.example\ue002x\ue001")
    w.finds("silence", 2)
    w.run()
    assert "<!channel>" not in w.last_body()
    assert "<@U1>" not in w.last_body()
    assert "&lt;!channel&gt; &amp; &lt;@U1&gt;" in w.last_body()


def test_days_that_change_nothing_edit_nothing(w: World) -> None:
    """Twenty days with the same rows: the parent stays as it was sent, because nothing in it counts days."""
    w.finds("silence", 1)
    w.run()
    for _ in range(20):
        w.run(1)
    assert ["post alert"] == w.ops()


def test_what_changes_without_a_flip_is_shown_on_the_next_day(w: World) -> None:
    """ARR, tier, another evidence, of a lesser rule too: one silent edit on a later day, none on the same one."""
    w.finds("silence", 1, why="so")
    w.finds("single", 1, "medium", why="so")
    w.run()
    w.change(1, arr=7_700_000, tier=2)
    w.finds("single", 1, "medium", why="that")
    w.run(0.1)
    assert ["post alert"] == w.ops()
    w.run(1)
    assert ["post alert", "update alert"] == w.ops()
    assert all(part in w.last_body() for part in ("ARR $77,000", "Tier 2", "single says that"))
    w.run(0.1)
    w.run(1)
    assert ["post alert", "update alert"] == w.ops()


def test_a_renewal_that_moves_is_shown_although_no_rule_names_it(w: World) -> None:
    """The head of an open message follows the CRM; an evaluation at the same instant adds nothing."""
    w.finds("silence", 1)
    w.run()
    w.change(1, renewal=w.at // DAY + 400)
    w.run(1)
    before = w.snapshot()
    assert 0 == w.run().deliveries
    assert before == w.snapshot()
    assert ["post alert", "update alert"] == w.ops()
    assert "Renewal *2027-04-07*" in w.last_body()


def test_an_edit_that_was_given_up_is_made_again(w: World) -> None:
    """What counts is what was sent or is still to be: a dead edit has shown nobody anything."""
    w.finds("silence", 1)
    w.run()
    w.change(1, arr=7_700_000)
    w.run(1)
    with w.store.write() as c:
        c.execute(update(deliveries).where(deliveries.c.op == "update").values(state="dead"))
    w.run(1)
    assert ["post alert", "update alert", "update alert"] == w.ops()


def test_changed_evidence_edits_the_parent_only_where_it_reads_differently(w: World) -> None:
    """Other words are shown; a number the sentence does not name is not worth an edit."""
    w.finds("silence", 1, why="so", hidden=1)
    w.run()
    w.finds("silence", 1, why="so", hidden=2)
    w.run(1)
    assert ["post alert"] == w.ops()
    w.finds("silence", 1, why="that", hidden=2)
    w.run(1)
    assert ["post alert", "update alert"] == w.ops()
    assert "says that" in w.last_body()


def test_newer_edits_replace_unsent_ones(w: World) -> None:
    """Of several edits that wait, only the newest is to be sent."""
    w.finds("silence", 1)
    w.run()
    for why in ("one", "two", "three"):
        w.finds("silence", 1, why=why)
        w.run(1)
    assert ["pending", "superseded", "superseded", "pending"] == [state for _, state, _ in w.queued()]


def test_delivery_ids_do_not_depend_on_surrogate_keys(store: Store) -> None:
    """The same account under another id of the store has the same delivery."""
    w = world(store)
    w.account(7)
    with store.write() as c:
        c.execute(update(accounts).values(key="sf:1"))
    w.begin()
    w.finds("silence", 7)
    w.run()
    key = opaque("sf:1", ALERTS, w.at)
    assert [opaque("sf:1", key, w.at, "", "post", ALERTS)] == [row["id"] for row in w.rows(deliveries)]


def test_the_rule_languages_own_rules_speak_in_messages(w: World) -> None:
    """A rule written in the language: its sentence, evidence, what clears it and its play stand in the message."""
    text = """
rules:
  - rule: renewal-exec-silence
    class: churn
    severity: high
    when: renewal is within the next 90 days and no exec contact in 15 days
    say: "Renews {renewal}; last exec contact: {last exec contact}."
    play: Reach out to an executive.
"""
    known: dict[str, Any] = {
        "renewal": w.at // DAY + 40,
        "last_exec_contact": w.at - 20 * DAY,
        "exec_contacts": 1,
        "exec_contacts_u": 0,
    }
    w.finds("renewal-exec-silence", 1, **known, unclassified_contacts=0)
    advance(w.store, load({"churn.yaml": text}), w.policy, w.at)
    body = w.last_body()
    for part in (
        "Renews 2026-04-12; last exec contact: 2026-02-11.",
        "Reach out to an executive.",
        "Clears when ",
    ):
        assert part in body
