"""Completion: the parser offers what can follow, and the catalogue leaves out what does not suit the fact."""

from __future__ import annotations

import pytest

from rules.language.complete import complete
from rules.language.grammar import build, read


def offered(text: str) -> list[str]:
    """What may follow, in alphabetical order."""
    return sorted(candidate.text for candidate in complete(text, ["renewal due"]))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no exec contact", ["exec contacts", "in", "within"]),
        ("no exec contact ", ["in", "within"]),
        ("no contact ", ["in", "with", "within"]),
        ("no contact with ", ["function", "level"]),
        ("no contact with level ", ["c level", "director", "individual", "manager", "vp"]),
        ("no exec con", ["exec contact", "exec contacts"]),
        ("no exec contact in ", ["10 business days", "30 days", "the"]),
        ("segment is ", ["enterprise", "known", "mid market", "not", "one", "smb", "unknown"]),
        ("segment is one of smb, ", ["enterprise", "mid market", "smb"]),
        ("arr is in the ", ["bottom", "top"]),
        ("arr is in the top ", ["20%", "fifth", "half", "quarter", "tenth", "third"]),
        ("adoption is at least ", ["80%", "arr growth", "adoption change", "csat", "usage trend"]),
        ("health fell by ", ["60"]),
        ("adoption rose by ", ["10 points"]),
        ("health fell by 15 ", ["in", "within"]),
        ("tagged ", ['"..."']),
        ('feature "SSO" is ', ["adopted", "lapsed", "not", "offered", "thriving"]),
        ("functions reached ", ["do", "include"]),
        ("not renewal d", ["renewal due"]),
        ("renewal due ", ["and", "or"]),
        ("strategic and no open t", ["open tickets"]),
        ("newest offering was ", ["not", "shown"]),
        ("health health health", []),
    ],
)
def test_what_can_follow(text: str, expected: list[str]) -> None:
    """Exactly these can follow."""
    assert sorted(expected) == offered(text)


def test_a_candidate_says_where_it_begins() -> None:
    """It replaces what was begun, so that the line is whole."""
    (candidate,) = complete("strategic and no open t")
    assert ("open tickets", 17) == (candidate.text, candidate.start)


def test_at_the_beginning_facts_and_vocabulary_are_offered() -> None:
    """An empty line may begin with any name, or with no, not, tagged, feature."""
    found = offered("")
    assert {"renewal due", "health", "exec contact", "no", "not", "tagged", "feature", "strategic"} <= set(found)


def test_following_the_offers_leads_to_a_phrase_that_can_be_read() -> None:
    """Whatever is chosen step by step ends in a phrase without a mistake of grammar."""
    for first in ("health", "renewal", "segment", "arr", "tier", "no exec contact", "contact", "functions reached"):
        text = first
        for _ in range(12):
            steps = [candidate for candidate in complete(f"{text} ") if candidate.text not in ("and", "or")]
            if not steps:
                break
            text = f"{text} "[: steps[0].start] + steps[0].text
        read(build(()), text)
