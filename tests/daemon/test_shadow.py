"""A rule in the shadow: evaluated and counted, its findings are kept, nobody is told."""

from __future__ import annotations

import dataclasses

import pytest
from sqlalchemy import insert

from daemon.alerting import advance
from daemon.evaluate import evaluate
from rules.facts.settings import FactSettings
from rules.language import RuleSet, load
from store.engine import Store
from store.records import DAY, HOUR
from store.tables import accounts, alerts, facts, transitions
from tests.daemon.alertworld import World, world

TEXT = "rules: [{{rule: big, class: churn, severity: high, status: {status}, when: arr is at least 50k}}]"


def ruleset(status: str) -> RuleSet:
    """One rule with this status."""
    return load({"r.yaml": TEXT.format(status=status)})


def fired(w: World, status: str) -> dict[str, int]:
    """Let the rule fire on Ann's account; how many alerts and deliveries there are then."""
    book = dataclasses.replace(w, rules=ruleset(status))  # type: ignore[arg-type]
    w.finds("big", 1)
    book.run()
    return {"alerts": len([row for row in w.rows(alerts) if row["state"] != "closed"]), "queued": len(w.ops())}


def test_nobody_is_told_of_a_rule_in_the_shadow(store: Store) -> None:
    """The same finding opens an alert and a conversation when the rule is live, and nothing in the shadow."""
    w = world(store)
    w.account(1)
    w.begin()
    assert {"alerts": 0, "queued": 0} == fired(w, "shadow")
    w.at += DAY
    assert {"alerts": 1, "queued": 1} == fired(w, "live")


def test_an_open_alert_closes_when_its_rule_goes_into_the_shadow(store: Store) -> None:
    """What was told before is over: the alert closes, its message says that the rule is in the shadow, not removed."""
    w = world(store)
    w.account(1)
    w.begin()
    fired(w, "live")
    w.at += DAY
    assert 0 == fired(w, "shadow")["alerts"]
    assert "rule_shadowed" == w.alert("big")["close_reason"]
    assert "the rule now runs in the shadow" in [row["reason"] for row in w.rows(transitions)]
    assert "closed: the rule now runs in the shadow" in w.last_body()
    assert "removed" not in w.last_body()


def test_a_rule_that_is_gone_is_not_in_the_shadow(store: Store) -> None:
    """An alert of a rule that no file has any more is closed as removed."""
    w = world(store)
    w.account(1)
    w.begin()
    fired(w, "live")
    w.at += DAY
    dataclasses.replace(w, rules=load({"r.yaml": "rules: []"})).run()  # type: ignore[arg-type]
    assert "rule_removed" == w.alert("big")["close_reason"]


@pytest.mark.parametrize(
    ("days", "episode", "ops"),
    [(1, 1, ["post alert", "update alert"]), (10, 2, ["post alert", "post alert", "update alert"])],
)
def test_a_rule_that_leaves_the_shadow_opens_like_any_other(
    store: Store, days: int, episode: int, ops: list[str]
) -> None:
    """Within the flap window the episode goes on in its message; later what the shadow fired on is a new one, told anew."""
    w = world(store)
    w.account(1)
    w.begin()
    fired(w, "live")
    w.at += DAY
    fired(w, "shadow")
    w.at += days * DAY
    assert 1 == fired(w, "live")["alerts"]
    assert (episode, "firing", None) == tuple(w.alert("big")[name] for name in ("episode", "state", "close_reason"))
    assert ops == w.ops()


def test_a_rule_in_the_shadow_is_evaluated_and_counted(store: Store) -> None:
    """The evaluation counts what it fires on, keeps its findings, and alerting leaves no row."""
    at = 20_600 * DAY + 6 * HOUR
    with store.write() as connection:
        connection.execute(insert(accounts).values(id=1, key="k1", name="n", created_at=0))
        connection.execute(insert(facts).values(account_id=1, as_of=at, arr=6_000_000))
    w = world(store)
    done = evaluate(
        store,
        ruleset("shadow"),
        FactSettings(),
        at,
        refresh=lambda *_: 0,
        advance=lambda s, rules, as_of: advance(s, rules, w.policy, as_of),
    )
    assert [("big", 1)] == [(run.rule, run.fires) for run in done.rules]
    assert [] == w.rows(alerts)
