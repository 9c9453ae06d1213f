"""Every phrase form in tests beside rules: what `given` says of the past, of ranks, sets and levels, on both engines."""

from __future__ import annotations

import pytest

from daemon import ruletests
from rules.language import load


@pytest.mark.parametrize(
    ("when", "given", "expect"),
    [
        ("health fell by 15 in 30 days", "health: 55, health 30 days ago: 70", "fires"),
        ("health fell by 15 in 30 days", "health: 55.01, health 30 days ago: 70", "silent"),
        ("health fell by 15 in 30 days", "health: 55", "unknown"),
        ("health fell by 15 in 30 days", "health: 55, health 30 days ago: missing", "unknown"),
        ("adoption rose by 10 points in 90 days", "adoption: 60%, adoption 90 days ago: 50%", "fires"),
        ("adoption rose by 10 points in 90 days", "adoption: 59%, adoption 90 days ago: 50%", "silent"),
        ("arr fell by 20% in 90 days", "arr: 80k, arr 90 days ago: 100k", "fires"),
        ("arr fell by 20% in 90 days", "arr: 80001, arr 90 days ago: 100k", "silent"),
        ("arr rose by 20% in 90 days", "arr: 80001, arr 90 days ago: 0", "unknown"),
        ("seats fell by 5 in 30 days", "seats: 5, seats 30 days ago: 10", "fires"),
        ("tier changed in the last 14 days", "tier: 2, tier 14 days ago: 1", "fires"),
        ("tier changed in the last 14 days", "tier: 2, tier 14 days ago: 2", "silent"),
        ("segment changed in 30 days", "segment: smb, segment 30 days ago: enterprise", "fires"),
        (
            "strong exec relationships fell by 1 in 30 days",
            "strong exec relationships: 1, strong exec relationships 30 days ago: 2 to 3",
            "fires",
        ),
        (
            "strong exec relationships fell by 1 in 30 days",
            "strong exec relationships: 1 to 2, strong exec relationships 30 days ago: 2",
            "unknown",
        ),
        ("arr is in the top 20%", "arr: 50k, top 20% of arr: 50k", "fires"),
        ("arr is in the top 20%", "arr: 49999, top 20% of arr: 50k", "silent"),
        ("arr is in the top 20%", "arr: 50k, top 20% of arr: nobody", "silent"),
        ("arr is in the top 20%", "arr: 50k", "unknown"),
        (
            "ltv is in the bottom third of its segment",
            "ltv: 5k, segment: mid market, bottom third of ltv in its segment: 5k",
            "fires",
        ),
        ("ltv is in the bottom third of its segment", "ltv: 5k, bottom third of ltv in its segment: 5k", "unknown"),
        ("'tagged \"beta\"'", "tags: 'beta, pilot'", "fires"),
        ("'not tagged \"beta\"'", "tags: pilot", "fires"),
        ("'tagged \"beta\"'", "tags: pilot", "silent"),
        ("'feature \"SSO\" is adopted'", "feature SSO: thriving", "fires"),
        ("'feature \"SSO\" is not offered'", "feature SSO: not offered", "fires"),
        ("'feature \"SSO\" is offered'", "feature SSO: lapsed", "fires"),
        ("'feature \"SSO\" is lapsed'", "feature SSO: adopted", "silent"),
        ("'feature \"SSO\" is adopted'", "feature SSO: unknown", "unknown"),
        ("'feature \"SSO\" is adopted'", "feature audit: adopted", "unknown"),
        ("functions reached include it", "functions reached: 'it, finance'", "fires"),
        ("functions reached do not include it", "functions reached: finance", "fires"),
        ("functions reached do not include it", "functions reached: 'finance, unknown'", "unknown"),
        ("functions reached do not include it", "functions reached: finance, activity: stale", "unknown"),
        ("no contact with level c level in 60 days", "last contact with level c level: 60 days ago", "fires"),
        ("no contact with level c level in 60 days", "last contact with level c level: 59 days ago", "silent"),
        ("no contact with level c level in 60 days", "last contact with level c level: never", "fires"),
        ("no contact with level c level in 60 days", "contacts with level c level: 0", "unknown"),
        (
            "no contact with level c level in 60 days",
            "last contact with level c level: never, last contact with level unknown: 3 days ago",
            "unknown",
        ),
        (
            "no contact with level c level in 60 days",
            "last contact with level c level: never, next exec meeting: in 3 days",
            "fires",
        ),
        (
            "no contact with level c level in 60 days",
            "last contact with level c level: never, next meeting with level c level: in 3 days",
            "silent",
        ),
        (
            "no contact with level c level in 60 days",
            "captured: no, last contact with level c level: never",
            "unknown",
        ),
        (
            "no contact with level c level in 60 days",
            "last contact with level c level: never, contacts with level c level since: 5 days ago",
            "unknown",
        ),
        ("reply with function it happened in the last 30 days", "last reply with function it: 3 days ago", "fires"),
        ("no exec contact in 10 business days", "last exec contact: 14 days ago", "fires"),
        ("no exec contact in 10 business days", "last exec contact: 13 days ago", "silent"),
        ("renewal is within the next 10 business days", "renewal: in 14 days", "fires"),
        ("renewal is within the next 10 business days", "renewal: in 15 days", "silent"),
        ("no tier review in 90 days", "last tier review: 90 days ago", "fires"),
        ("no tier review in 90 days", "last tier review: never", "fires"),
        ("no tier review in 90 days", "last tier review: not recorded", "unknown"),
        ("no survey answered in 180 days", "last survey answer: 200 days ago", "fires"),
        ("awaiting reply is more than response time", "awaiting reply: 25 hours, response time: 24 hours", "fires"),
        ("awaiting reply is more than response time", "awaiting reply: 24 hours, response time: 24 hours", "silent"),
        ("nps is between 0 and 6", "nps: 6", "fires"),
        ("newest offering was not shown", "newest offering shown: no", "fires"),
        ("newest offering was not shown", "newest offering shown: missing", "unknown"),
        ("lifecycle is not churned", "lifecycle: live", "fires"),
    ],
)
def test_a_form_means_what_it_says(when: str, given: str, expect: str) -> None:
    """The evaluator and SQL say what the test beside the rule expects."""
    text = f"rules: [{{rule: r, class: churn, severity: low, when: {when}, tests: [{{given: {{{given}}}, expect: {expect}}}]}}]"
    report = ruletests.run(load({"r.yaml": text}))
    assert [result.failures for result in report.results] == [()]
