"""Static findings: each kind is found at its place, and what is not so is not reported."""

from __future__ import annotations

import pytest

from rules.language import RuleSet, load
from rules.language.findings import FINDINGS, findings, shadowed
from rules.language.tree import Place
from tests.rules.test_language import shipped


def ruleset(*conditions: str, more: str = "") -> RuleSet:
    """One rule per condition: r0, r1, ..."""
    lines = (
        f"- {{rule: r{n}, class: churn, severity: low{more}, when: {condition}}}\n"
        for n, condition in enumerate(conditions)
    )
    return load({"my.yaml": "rules:\n" + "".join(lines)})


def codes(*conditions: str, more: str = "") -> list[tuple[str, int]]:
    """(code, line) of every finding."""
    return [(one.code, one.place.line) for one in findings(ruleset(*conditions, more=more))]


@pytest.mark.parametrize(
    "condition",
    [
        "health is below 50 and health is above 60",
        "health is below 50 and health is at least 50",
        "open tickets are more than 2 and open tickets are fewer than 3",
        "segment is smb and segment is enterprise",
        "{all: [segment is smb, segment is not smb]}",
        "{all: ['segment is one of smb, mid market', segment is enterprise]}",
        "strategic and not strategic",
        "renewal is in the past and renewal is within the next 30 days",
        "renewal is before 2026-01-01 and renewal is after 2026-06-01",
        "no contact in 15 days and contact happened in the last 10 days",
        "contact never happened and contact happened in the last 10 days",
        "arr is in the top 20% and arr is in the bottom third",
        "arr is unknown and arr is at least 50k",
        "adoption is less than 80% and adoption is more than 90%",
        "active users are less than 80% of seats and active users are at least 80% of seats",
        '\'tagged "a" and not tagged "a"\'',
        '\'feature "SSO" is thriving and feature "SSO" is not adopted\'',
        "{none: [strategic, not strategic]}",
        "tier is 2 and tier is 3",
        "{any: [{all: [health is below 10, health is above 20]}, {all: [strategic, not strategic]}]}",
    ],
)
def test_what_can_never_hold_is_found(condition: str) -> None:
    """Contradicting phrases on one fact: the rule never fires."""
    assert codes(condition) == [("W-NEVER", 2)]


@pytest.mark.parametrize(
    "condition",
    [
        "health is below 50 or health is at least 50",
        "strategic or not strategic",
        "{any: ['segment is one of smb, mid market', segment is enterprise]}",
        "health is below 60 or health is above 40",
    ],
)
def test_what_always_holds_is_found(condition: str) -> None:
    """Together the phrases leave nothing out."""
    assert codes(condition) == [("W-ALWAYS", 2)]


@pytest.mark.parametrize(
    "condition",
    [
        "health is at least 50 and health is at most 50",
        "health is below 50 and adoption is above 60%",
        "open tickets are more than 2 and open tickets are fewer than 4",
        "no contact in 10 days and contact happened in the last 15 days",
        "no contact in 15 days and no exec contact in 10 days",
        "{any: [health is below 10, {all: [strategic, not strategic]}]}",
        "renewal is within the next 10 business days and renewal is more than 12 days away",
        "arr is in the top half and arr is in the bottom half of its segment",
        "contact with level vp never happened and contact happened in the last 10 days",
        "health fell by 15 in 30 days and health is above 90",
        '\'feature "SSO" is adopted and feature "Audit" is not adopted\'',
    ],
)
def test_what_can_hold_is_not_reported(condition: str) -> None:
    """Nothing is said of conditions that some accounts meet and others do not."""
    assert codes(condition) == []


def test_the_clash_is_named_at_the_phrase() -> None:
    """Place, cause and fix: the second of the phrases that contradict each other."""
    (one,) = findings(ruleset("strategic and health is below 50 and health is above 60"))
    assert one.render() == (
        "my.yaml:2:86: warning W-NEVER: `r0` never fires: `health is below 50` and `health is above 60` cannot hold together\n"
        "    2 | - {rule: r0, class: churn, severity: low, when: strategic and health is below 50 and health is above 60}\n"
        "      |                                                                                      ^^^^^^^^^^^^^^^^^^\n"
        "  fix: change one of their bounds, or use `any:` where either is meant"
    )


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        ("health is below 50", "health is below 60"),
        ("health is below 60 and strategic", "health is below 60"),
        ("no contact in 60 days", "no contact in 30 days"),
        ("arr is in the top 10%", "arr is in the top 20%"),
        ("segment is smb", "{any: [segment is smb, segment is enterprise]}"),
        ("'feature \"SSO\" is thriving'", "'feature \"SSO\" is adopted'"),
        ("renewal is within the next 30 days", "renewal is within the next 90 days"),
        ("seats are at least 5 and seats are at most 6", "{any: [seats are 5, seats are 6, seats are 7]}"),
    ],
)
def test_a_rule_within_another_is_found(narrow: str, wide: str) -> None:
    """Wherever the one fires the other does; not the other way round."""
    assert codes(narrow, wide)[:1] == [("W-SUBSUMED", 2)]
    assert ("W-SUBSUMED", 2) not in codes(wide, narrow)


def test_equal_rules_are_found_once() -> None:
    """The same condition in other words is told at the second rule."""
    assert codes("health is below 50", "health is less than 50", "strategic") == [("W-EQUAL", 3)]


def test_escalations_that_do_nothing_are_found() -> None:
    """Never reached, always reached, or outranked."""
    never = ", escalate: {critical: health is above 60}"
    always = ", escalate: {critical: health is below 60}"
    outranked = ", escalate: {critical: health is below 40, high: health is below 30}"
    useful = ", escalate: {critical: health is below 30, high: health is below 40}"
    found = [codes("health is below 50", more=more) for more in (never, always, outranked, useful)]
    assert found == [[("W-ESCALATE", 2)]] * 3 + [[]]


def test_a_fact_no_source_supplies_and_a_window_beyond_the_history() -> None:
    """Both need what the configuration knows, and are not looked for without it."""
    rules = ruleset("market fit is at least 60 and no contact in 400 days and health fell by 15 in 370 days")
    assert findings(rules) == []
    found = findings(rules, supplied=["last_contact", "health"], history_days=365)
    assert [(one.code, one.place.column) for one in found] == [
        ("W-SOURCE", 49),
        ("W-HISTORY", 79),
        ("W-HISTORY", 106),
    ]


def test_an_ordered_entry_behind_a_wider_one_is_shadowed() -> None:
    """First match decides: what an earlier entry covers never decides."""
    wide, narrow, other = (
        rule.when for rule in ruleset("arr is at least 50k", "arr is at least 80k", "strategic").rules
    )
    place = Place("tiers", 1, 1)
    found = shadowed([("one", wide, place), ("two", narrow, place), ("three", other, place)])
    assert [(one.code, one.message) for one in found] == [
        ("W-SHADOWED", "`two` never decides: `one` comes first"),
    ]


def test_the_shipped_rules_are_not_odd() -> None:
    """None of the rules that ship has a finding of its own."""
    assert [one.render() for one in findings(load(shipped()))] == []


def test_every_finding_is_explained() -> None:
    """Each code has a line in the reference."""
    assert {"W-NEVER", "W-ALWAYS", "W-EQUAL", "W-SUBSUMED", "W-SHADOWED", "W-SOURCE", "W-HISTORY", "W-ESCALATE"} == set(
        FINDINGS
    )
