"""Every kind of mistake an author can make, each in a file of its own, and what is said of it: `python -m tests.rules.mistakes`
writes golden/errors.txt anew.
"""

from __future__ import annotations

from pathlib import Path

from rules.language import RuleErrors, load

GOLDEN = Path(__file__).parent / "golden" / "errors.txt"
_HEAD = "rules:\n  - rule: quiet\n    class: churn\n    severity: high\n"


def _when(condition: str) -> str:
    return f"{_HEAD}    when: {condition}\n"


def _with(more: str) -> str:
    return f"{_HEAD}    when: no contact in 30 days\n    {more}\n"


def _given(given: str, expect: str = "fires") -> str:
    return _with(f"tests:\n      - {{given: {{{given}}}, expect: {expect}}}")


MISTAKES: dict[str, str] = {
    # the file
    "a bracket that is not closed": "rules: [{rule: quiet, when: no contact in 30 days\n",
    "a tab, or a wrong indentation": "rules:\n  - rule: quiet\n   class: churn\n",
    "a key of the file misspelt": "rule:\n  - rule: quiet\n",
    "rules that are no list": "rules: quiet\n",
    "a rule that is only a text": "rules:\n  - no contact in 30 days\n",
    "a vocabulary that is a list": "vocabulary:\n  - renewal is within the next 90 days\n",
    # the rule
    "no condition": "rules:\n  - rule: quiet\n    class: churn\n    severity: high\n",
    "a key of the rule misspelt": _with("keepfiring: 1 day"),
    "a key twice": _with("play: Call.\n    play: Write."),
    "an empty text": _with("say:"),
    "a list where a text belongs": _with("play: [call, write]"),
    "a name with spaces": "rules:\n  - rule: Quiet Customers\n    class: churn\n    severity: high\n    when: strategic\n",
    "two rules of one name": _when("strategic") + _when("rolling").removeprefix("rules:\n"),
    "an unknown class": _when("strategic").replace("churn", "chrun"),
    "an unknown severity": _when("strategic").replace("high", "urgent"),
    "an unknown status": _with("status: shadowed"),
    "an escalation that is no severity": _with("escalate: {urgent: strategic}"),
    "an escalation that does not raise": _with("escalate: {medium: strategic}"),
    "a duration without a unit": _with("for: 7"),
    "a duration that is none": _with("keep firing: a while"),
    "an unknown segment": _with("segment: enterprize"),
    "a placeholder that is no fact": _with('say: "Renews {renewl}."'),
    # the vocabulary
    "a name that is a fact": "vocabulary:\n  adoption: strategic\n",
    "a name that begins with a word of the language": "vocabulary:\n  no champions: champions lost is at least 1\n",
    "a name that reads like a phrase": "vocabulary:\n  health is low: health is below 50\n",
    "a name twice": "vocabulary:\n  big: arr is at least 50k\n  Big: arr is at least 80k\n",
    "a name that stands for itself": "vocabulary:\n  big: large\n  large: big or strategic\n",
    # the shape of a condition
    "a list without all or any": _when("[strategic, rolling]"),
    "an empty block": _when("{all: []}"),
    "two blocks in one": _when("{all: [strategic], any: [rolling]}"),
    "an unknown block": _when("{either: [strategic, rolling]}"),
    "a comma in a list": _when("{all: [segment is one of smb, enterprise]}"),
    "and with or on one line": _when("strategic and rolling or renewed"),
    "a phrase that ends too early": _when("health is below"),
    "a phrase of another language": _when("health < 50"),
    "a word misspelt": _when("health is bellow 50"),
    "a window without the next": _when("renewal is within 90 days"),
    # what does not exist
    "a fact misspelt": _when("renewl is within the next 90 days"),
    "an event misspelt": _when("no exec contct in 15 days"),
    "a word nobody knows": _when("mood is below 3"),
    "a condition where a value belongs": "vocabulary: {big: arr is at least 50k}\n" + _when("big is at least 3"),
    # the wrong form for the fact
    "a date compared like a number": _when("renewal is at least 90"),
    "an event compared like a number": _when("last exec contact is at least 15 days"),
    "the instant instead of the event": _when("no last exec contact in 15 days"),
    "a number alone": _when("adoption"),
    "not before a choice": _when("not segment"),
    "no before a date": _when("no renewal"),
    "a text without quotes": _when("csm is Ann"),
    "what cannot be booked": _when("no call is booked"),
    "two facts of different kinds": _when("seats are more than 80% of arr"),
    "a share without percent": _when("active users are less than 3 of seats"),
    "between two facts": _when("active users are between seats and 3"),
    # units
    "a ratio without percent": _when("adoption is at least 80"),
    "a ratio as a decimal": _when("adoption is at least 0.8"),
    "percent for points": _when("adoption change vs portfolio is at most -10%"),
    "percent for money": _when("arr is at least 80%"),
    "another currency": _when("arr is at least €50k"),
    "a number of days without days": _when("touch due in is less than -2"),
    "a score with a unit": _when("health is below 50%"),
    "a window without a unit": _when("no exec contact in 15"),
    "silence without a window": _when("no exec contact"),
    "a date by the hour": _when("renewal is within the next 36 hours"),
    # values and ranges
    "a choice misspelt": _when("segment is enterprize"),
    "a choice twice": _when("segment is one of smb, smb"),
    "a count that is not whole": _when("open tickets are fewer than 2.5"),
    "a date that is none": _when("renewal is before 2026-02-30"),
    "a value the fact never has": _when("tier is one of 1, 12"),
    "a comparison that always holds": _when("health is at least 0"),
    "a comparison that never holds": _when("health is more than 100"),
    "bounds the wrong way round": _when("health is between 60 and 20"),
    "a window of nothing": _when("no contact in 0 days"),
    "a window of a thousand years": _when("no contact in 9999999 months"),
    "half a business day": _when("no contact in 2.5 business days"),
    # movement
    "a movement without an amount": _when("health fell in 30 days"),
    "a ratio that moves by percent": _when("adoption fell by 20% in 30 days"),
    "a choice that rises": _when("segment rose by 1 in 30 days"),
    "an event that changes": _when("last contact changed in 30 days"),
    "a movement backwards": _when("health fell by -15 in 30 days"),
    "a fall of more than everything": _when("arr fell by 120% in 90 days"),
    "a movement that cannot be so large": _when("health rose by 150 in 30 days"),
    "a movement over business days": _when("health fell by 15 in 10 business days"),
    # rank
    "a rank without percent": _when("arr is in the top 20"),
    "a rank of everybody": _when("arr is in the top 100%"),
    "a rank within something else": _when("arr is in the top 20% of its tier"),
    "a rank of a date": _when("renewal is in the top half"),
    # sets
    "a tag without quotes": _when("tagged beta"),
    "a tag that is empty": _when("'tagged \"\"'"),
    "a feature without quotes": _when("feature SSO is adopted"),
    "tags that include": _when("'tags include \"beta\"'"),
    "a function misspelt": _when("functions reached include finanse"),
    "a set that is compared": _when("functions reached are 3"),
    "an offering that is no offering": _when("renewal was shown"),
    # levels and functions
    "a level misspelt": _when("no contact with level c-levle in 60 days"),
    "a level that is a function": _when("no contact with level finance in 60 days"),
    "a meeting with a level": _when("no meeting with level vp in 60 days"),
    "with whom": _when("no contact with finance in 60 days"),
    # tests
    "a test of an unknown fact": _given("renewl: in 40 days"),
    "a test with an impossible value": _given("adoption: 80"),
    "a test with no moment": _given("last contact: 15 days"),
    "a test with an unknown state of a feature": _given("feature SSO: used"),
    "a test that expects nonsense": _given("renewal: in 40 days", "maybe"),
    "a test that expects nothing": _with("tests:\n      - {given: {renewal: in 40 days}}"),
    "a timeline that goes back": _with(
        "tests:\n      - timeline:\n          7 days: {expect: firing}\n          3 days: {expect: clear}"
    ),
}
"""Title -> the text of a rule file with that one mistake."""


def told() -> dict[str, RuleErrors]:
    """What is said of each mistake; raises AssertionError where a file has none."""
    found: dict[str, RuleErrors] = {}
    for title, text in MISTAKES.items():
        try:
            load({"my.yaml": text})
        except RuleErrors as errors:
            found[title] = errors
        else:
            raise AssertionError(f"{title}: nothing is wrong with it")
    return found


def book() -> str:
    """All of them as one text."""
    parts = [
        f"# {title}\n\n" + "\n\n".join(error.render() for error in errors.errors) for title, errors in told().items()
    ]
    return "\n\n\n".join(parts) + "\n"


if __name__ == "__main__":
    GOLDEN.write_text(book(), encoding="utf-8")
