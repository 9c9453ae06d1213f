"""Plain words: values of facts, sentences and evidence of a rule, and the forecast by time alone."""

from __future__ import annotations

import pytest

from rules.language import load
from rules.language.catalogue import BY_NAME
from rules.language.forecast import next_change
from rules.language.given import NotGiven, check, row_of
from rules.language.model import Rule
from rules.language.wording import clears_when, evidence_lines, sentence, show
from tests.rules.rows import AS_OF, TODAY
from tests.rules.test_language import shipped


def rule(name: str) -> Rule:
    """A shipped rule."""
    return load(shipped()).rule(name)


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("renewal", "in 40 days", "in 40 days (2026-07-11)"),
        ("renewal", "today", "today (2026-06-01)"),
        ("renewal", "outdated", "unknown: outdated"),
        ("last exec contact", "1 day ago", "1 day ago (2026-05-31)"),
        ("last exec contact", "3 hours ago", "3 hours ago (2026-06-01)"),
        ("last exec contact", "never", "never"),
        ("last exec contact", "20 days ago stale", "unknown: stale (last known: 20 days ago (2026-05-12))"),
        ("next meeting", "never", "none"),
        ("arr", "$1,234.50", "$1,234.50"),
        ("adoption", "82.5%", "82.5%"),
        ("adoption change vs portfolio", "-10 points", "-10 points"),
        ("touch due in", "-3 days", "3 days overdue"),
        ("touch due in", "4 days", "in 4 days"),
        ("segment", "mid market", "mid market"),
        ("strong exec relationships", "1 to 3", "1 to 3 (levels of 2 not known)"),
        ("strategic", "yes", "yes"),
        ("health", "missing", "unknown: not on file"),
    ],
)
def test_values_in_plain_words(name: str, given: str, words: str) -> None:
    """Each kind of fact has its own plain words, and each state its reason."""
    assert show(BY_NAME[name], row_of({name: given}, AS_OF, TODAY), AS_OF, TODAY) == words


def test_evidence_names_only_the_branch_that_holds() -> None:
    """Of a true `any` the false branches say nothing; each fact stands once."""
    row = row_of({"segment": "smb", "strong exec relationships": "0"}, AS_OF, TODAY)
    lines = evidence_lines(rule("single-threaded"), row, AS_OF, TODAY)
    assert lines == ("segment: smb", "strong exec relationships: 0")
    assert clears_when(rule("single-threaded"), row, AS_OF, TODAY) == "strong exec relationships are 1 or more"


def test_a_rule_without_say_tells_its_evidence() -> None:
    """Without a `say` the sentence is made of name and evidence."""
    text = "rules: [{rule: big-account, class: fit, severity: low, when: arr is at least 50k}]"
    found = load({"r": text}).rules[0]
    assert sentence(found, row_of({"arr": "60k"}, AS_OF, TODAY), AS_OF, TODAY) == "Big account: ARR: $60,000."


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("touch-overdue", {"touch due in": "4 days"}, (7, True)),
        ("touch-overdue", {"touch due in": "-9 days", "next meeting": "in 3 days"}, (3, True)),
        ("lapsed", {"renewal": "in 10 days"}, (11, True)),
        ("lapsed", {"renewal": "29 days ago"}, (2, None)),
        ("renewal-exec-silence", {"renewal": "in 95 days", "last exec contact": "never"}, (5, True)),
        ("renewal-exec-silence", {"renewal": "in 300 days", "last exec contact": "never"}, None),
    ],
)
def test_what_time_alone_changes(name: str, given: dict[str, str], expected: tuple[int, bool | None] | None) -> None:
    """The next change is found by looking at the same rows on later days, up to sixty."""
    change = next_change(rule(name), row_of(given, AS_OF, TODAY), AS_OF, TODAY)
    assert (None if change is None else (change.days, change.truth)) == expected


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("renewl", "in 40 days"),
        ("renewal", "soon"),
        ("segment", "big"),
        ("adoption", "80"),
        ("strategic", "maybe"),
        ("last exec contact", "15 days"),
        ("unclassified contacts", "some"),
        ("activity", "old"),
        ("captured", "perhaps"),
    ],
)
def test_a_test_cannot_give_nonsense(name: str, text: str) -> None:
    """Unknown facts and impossible values of a test are refused with a fix."""
    with pytest.raises(NotGiven) as caught:
        check(name, text)
    assert caught.value.fix
