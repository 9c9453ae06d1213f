"""The tests beside the rules: run on both engines, with coverage of phrases, timelines and a report for CI."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from daemon.ruletests import rules_without_tests, run
from rules.language import load
from tests.rules.test_language import shipped

RULE = """\
rules:
  - rule: quiet
    class: churn
    severity: high
    for: 2 days
    when: no exec contact in 15 days and not renewed
    tests:
"""


def text_of(*tests: str) -> str:
    """A rule file with these tests."""
    return RULE + "".join(f"      - {test}\n" for test in tests)


def test_the_shipped_tests_hold_and_cover_every_phrase() -> None:
    """Every test beside the shipped rules holds on both engines, and each phrase is seen true and false."""
    report = run(load(shipped()))
    assert report.ok
    assert report.gaps == ()
    assert len(report.results) > 50
    assert rules_without_tests(load(shipped())) == []


def test_a_failing_test_says_what_came_instead() -> None:
    """The failure names place, expectation, outcome and reason; the run is not ok."""
    report = run(load({"r.yaml": text_of("{given: {exec contacts: 0}, expect: fires}")}))
    assert not report.ok
    assert report.text().splitlines()[0] == (
        "r.yaml:8:9: quiet: expected fires, the condition is unknown (last exec contact: no exec on file)"
    )


def test_a_wrong_severity_fails() -> None:
    """`severity` beside `expect` is held to."""
    report = run(load({"r": text_of("{given: {last exec contact: never}, expect: fires, severity: critical}")}))
    assert report.failed[0].failures == ("expected severity critical, it is high",)


def test_phrases_never_seen_true_or_false_are_named() -> None:
    """One silent test leaves two gaps, which fail nothing."""
    report = run(load({"r": text_of("{given: {last exec contact: 3 days ago}, expect: silent}")}))
    assert report.ok
    gaps = [(gap.phrase, gap.never) for gap in report.gaps]
    assert gaps == [("no exec contact in 15 days", "true"), ("not renewed", "false")]


def test_a_timeline_follows_the_alert() -> None:
    """`for` and `keep firing` are tested by moments: pending, firing, held while unknown, recovering, clear."""
    moments = {
        "0 days": ("never", "pending"),
        "2 days": ("never", "firing"),
        "3 days": ("stale", "firing"),
        "4 days": ("1 day ago", "recovering"),
        "5 days": ("2 days ago", "clear"),
    }
    steps = ", ".join(
        f"{at}: {{given: {{last exec contact: {fact}}}, expect: {state}}}" for at, (fact, state) in moments.items()
    )
    assert run(load({"r": text_of(f"{{timeline: {{{steps}}}}}")})).ok
    wrong = run(load({"r": text_of("{timeline: {0 days: {given: {last exec contact: never}, expect: firing}}}")}))
    assert wrong.failed[0].failures == ("after 0 days: expected firing, the alert is pending",)


def test_junit_holds_every_test_and_failure() -> None:
    """The XML has one case per test and one failure for the wrong one."""
    files = {"r": text_of("{given: {last exec contact: never}, expect: silent}", "{given: {}, expect: unknown}")}
    suite = ET.fromstring(run(load(files)).junit())
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    assert [case.find("failure") is None for case in suite] == [False, True]
