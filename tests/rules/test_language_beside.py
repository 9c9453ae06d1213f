"""What reads beside the facts, in plain words; what a rule set needs of it; and the shorthand's version."""

from __future__ import annotations

from fractions import Fraction

import pytest

from rules.language import RuleSet, load
from rules.language.calendar import Calendar
from rules.language.forecast import next_change
from rules.language.given import row_of
from rules.language.needs import Cut, cuts_of, distances_of, members_of, narrowed_of
from rules.language.tree import Narrow
from rules.language.wording import clears_when, evidence_lines
from tests.rules.rows import AS_OF, TODAY


def ruleset(when: str, escalate: str = "", calendar: Calendar | None = None) -> RuleSet:
    """One rule with this condition."""
    more = f", escalate: {{critical: {escalate}}}" if escalate else ""
    text = f"rules: [{{rule: r, class: churn, severity: low, when: {when}{more}}}]"
    return load({"r.yaml": text}, calendar=calendar) if calendar else load({"r.yaml": text})


@pytest.mark.parametrize(
    ("when", "given", "line", "clears"),
    [
        (
            "health fell by 15 in 30 days",
            {"health": "55", "health 30 days ago": "70"},
            "health: 55; 30 days before: 70",
            "health did not fall by 15 in 30 days",
        ),
        (
            "arr fell by 20% in 90 days",
            {"arr": "80k", "arr 90 days ago": "100k"},
            "ARR: $80,000; 90 days before: $100,000",
            "ARR did not fall by 20% in 90 days",
        ),
        (
            "tier changed in the last 14 days",
            {"tier": "2", "tier 14 days ago": "1"},
            "tier: 2; 14 days before: 1",
            "tier did not change in the last 14 days",
        ),
        (
            "arr is in the top 20%",
            {"arr": "80k", "top 20% of arr": "50k"},
            "ARR: $80,000; the top 20% begins at $50,000",
            "ARR is no longer in the top 20%",
        ),
        (
            "ltv is in the bottom third of its segment",
            {"ltv": "2k", "segment": "smb", "bottom third of ltv in its segment": "5k"},
            "LTV: $2,000; the bottom third of its segment ends at $5,000",
            "LTV is no longer in the bottom third of its segment",
        ),
        ("'tagged \"beta\"'", {"tags": "beta"}, "tag beta: yes", 'it is no longer tagged "beta"'),
        ("'not tagged \"beta\"'", {"tags": "pilot"}, "tag beta: no", 'it is tagged "beta"'),
        (
            "'feature \"SSO\" is not adopted'",
            {"feature SSO": "offered"},
            "feature SSO: offered",
            'feature "SSO" is adopted',
        ),
        (
            "functions reached do not include it",
            {"functions reached": "finance"},
            "it reached: no",
            "somebody of it is reached",
        ),
        (
            "no contact with level c level in 60 days",
            {"last contact with level c level": "70 days ago"},
            "last contact with c level: 70 days ago (2026-03-23)",
            "there is a contact with c level or a meeting with c level is booked for the next 14 days",
        ),
        (
            "no feedback asked in 180 days",
            {"last feedback ask": "never"},
            "last feedback ask: never",
            "feedback is asked",
        ),
        (
            "no exec contact in 10 business days",
            {"last exec contact": "20 days ago"},
            "last exec contact: 20 days ago (2026-05-12)",
            "there is an exec contact or a meeting with an exec is booked for the next 14 days",
        ),
    ],
)
def test_evidence_and_what_would_clear_it(when: str, given: dict[str, str], line: str, clears: str) -> None:
    """Each new form names both values it compares, and what would end it."""
    rule = ruleset(when).rules[0]
    row = row_of(given, AS_OF, TODAY)
    assert (evidence_lines(rule, row, AS_OF, TODAY), clears_when(rule, row, AS_OF, TODAY)) == ((line,), clears)


@pytest.mark.parametrize(
    ("when", "given", "expected"),
    [
        ("awaiting reply is more than 48 hours", {"awaiting reply": "20 hours"}, (2, True)),
        ("no contact with function it in 30 days", {"last contact with function it": "20 days ago"}, (10, True)),
        ("no exec contact in 10 business days", {"last exec contact": "10 days ago"}, (4, True)),
        ("renewal is within the next 2 business days", {"renewal": "in 9 days"}, (7, True)),
        ("no tier review in 90 days", {"last tier review": "80 days ago"}, (10, True)),
        ("health fell by 15 in 30 days", {"health": "55", "health 30 days ago": "70"}, None),
    ],
)
def test_what_time_alone_changes(when: str, given: dict[str, str], expected: tuple[int, bool] | None) -> None:
    """Waiting, silence and dates go on; what was in the past is held as it is."""
    change = next_change(ruleset(when).rules[0], row_of(given, AS_OF, TODAY), AS_OF, TODAY)
    assert (None if change is None else (change.days, change.truth)) == expected


def test_what_a_rule_set_needs() -> None:
    """Distances, cuts, narrowed events and members of `when` and of `escalate`, also through the vocabulary."""
    text = """
vocabulary:
  falling: health fell by 15 in 30 days
rules:
  - rule: a
    class: churn
    severity: low
    when:
      any:
        - falling and arr is in the top 20%
        - none: [ltv is in the bottom third of its segment, tier changed in the last 14 days]
        - 'no contact with level c level in 60 days and tagged "beta"'
    escalate: {critical: adoption rose by 10 points in 90 days}
"""
    rules = load({"r.yaml": text})
    assert distances_of(rules) == {14, 30, 90}
    assert cuts_of(rules) == {
        Cut("arr", "top", Fraction(1, 5), False),
        Cut("ltv", "bottom", Fraction(1, 3), True),
    }
    assert {cut.key("smb" if cut.by_segment else None) for cut in cuts_of(rules)} == {
        "cut:arr:top:1/5:*",
        "cut:ltv:bottom:1/3:smb",
    }
    assert narrowed_of(rules) == {Narrow("level", "c_level")}
    assert members_of(rules) == {("tags", "beta")}


def test_the_version_follows_the_calendar_where_a_rule_reads_it() -> None:
    """Another holiday changes what a rule on business days means, and no other rule."""
    other = Calendar(holidays=frozenset({TODAY}))
    for when, same in (("no contact in 10 business days", False), ("no contact in 10 days", True)):
        versions = {ruleset(when).rules[0].version, ruleset(when, calendar=other).rules[0].version}
        assert (len(versions) == 1) is same


def test_the_status_is_no_part_of_the_meaning() -> None:
    """A rule that leaves the shadow has the same version."""
    text = "rules: [{rule: r, class: churn, severity: low, status: %s, when: strategic}]"
    live, shadow = (load({"r": text % status}).rules[0] for status in ("live", "shadow"))
    assert (live.version, live.status, shadow.status) == (shadow.version, "live", "shadow")
