"""Reading rule files: what the phrases mean, and that everything else is refused with a place, a cause and a fix."""

from __future__ import annotations

from importlib import resources

import pytest

from rules.language import RuleErrors, RuleSet, load
from rules.language.errors import CODES
from rules.language.model import meaning
from rules.language.tree import All, Any, Happened, InSet, Named, Node, Not, OneOf, Range, Silence
from rules.language.values import duration, quantity, today_of
from rules.language.wording import clears_when
from store.records import DAY, HOUR
from tests.rules.rows import AS_OF

HEAD = "rules:\n  - rule: r\n    class: churn\n    severity: high\n"


def shipped() -> dict[str, str]:
    """The rule files that ship, by name."""
    folder = resources.files("rules") / "shipped"
    return {file.name: file.read_text(encoding="utf-8") for file in folder.iterdir() if file.name.endswith(".yaml")}


def rules(when: str, vocabulary: str = "") -> RuleSet:
    """A rule set of one rule with this condition."""
    return load(
        {"v.yaml": vocabulary, "r.yaml": f"{HEAD}    when: {when}\n"}
        if vocabulary
        else {"r.yaml": f"{HEAD}    when: {when}\n"}
    )


def tree(when: str, vocabulary: str = "") -> Node:
    """The typed tree of a condition."""
    return rules(when, vocabulary).rules[0].when


def errors(*files: str) -> list[tuple[str, int, int]]:
    """(code, line, column) of every mistake in these files."""
    with pytest.raises(RuleErrors) as caught:
        load({f"{number}.yaml": text for number, text in enumerate(files)})
    return [(error.code, error.place.line, error.place.column) for error in caught.value.errors]


def mistake(when: str) -> tuple[str, str, str]:
    """(code, message, fix) of the one mistake in this condition."""
    with pytest.raises(RuleErrors) as caught:
        rules(when)
    assert len(caught.value.errors) == 1
    error = caught.value.errors[0]
    return error.code, error.message, error.fix


def test_nineteen_rules_ship() -> None:
    """The shipped files hold exactly the rules of the domain, with their classes, severities and durations."""
    found = {
        rule.name: (rule.klass, rule.severity, rule.for_us, [name for name, _ in rule.escalate])
        for rule in load(shipped()).rules
    }
    assert found == {
        "renewal-exec-silence": ("churn", "high", 0, ["critical"]),
        "adoption-drop-user-silence": ("churn", "high", 0, ["critical"]),
        "single-threaded": ("churn", "medium", 7 * DAY, ["high"]),
        "strong-adoption-no-users": ("growth", "medium", 0, []),
        "lapsed": ("churn", "critical", 7 * DAY, []),
        "touch-overdue": ("cadence", "low", 0, []),
        "renewal-no-exec-on-file": ("churn", "high", 0, []),
        "sponsor-silence": ("churn", "high", 0, []),
        "first-word-is-commercial": ("churn", "medium", 0, []),
        "one-sided": ("churn", "medium", 0, []),
        "champion-left": ("churn", "high", 0, []),
        "health-drop": ("churn", "high", 0, []),
        "expansion-ready": ("growth", "medium", 0, []),
        "newest-offering-not-shown": ("growth", "low", 0, []),
        "advocate-ready": ("growth", "low", 0, []),
        "reply-overdue": ("service", "high", 0, []),
        "feedback-stale": ("service", "low", 0, []),
        "high-maintenance-low-value": ("fit", "low", 0, []),
        "forgotten-tier-2": ("cadence", "low", 0, []),
    }
    assert all(rule.say and rule.play and rule.tests and rule.keep_firing_us == DAY for rule in load(shipped()).rules)


def test_one_line_of_ands_is_all() -> None:
    """A line joined by `and` is `all:`, and vocabulary keeps its name."""
    found = tree(
        "renewal due and no exec contact in 15 days", "vocabulary: {renewal due: renewal is within the next 90 days}"
    )
    assert isinstance(found, All)
    named, silence = found.parts
    assert isinstance(named, Named)
    assert named.name == "renewal due"
    assert isinstance(silence, Silence)
    assert (silence.fact.column, silence.window) == ("last_exec_contact", 15 * DAY)


def test_blocks_nest() -> None:
    """`any` of `all`s, with `none` as the negation of `any`."""
    found = tree("{any: [{all: [strategic, not renewed]}, {none: [rolling]}]}")
    assert isinstance(found, Any)
    assert isinstance(found.parts[0], All)
    assert isinstance(found.parts[1], Not)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("arr is at least 50k", "ARR is at least $50,000"),
        ("health is below 60", "health is less than 60"),
        ("health is above 60", "health is more than 60"),
        ("exec contacts are fewer than 2", "exec contacts is less than 2"),
        ("no exec contact in 2 weeks", "no executive contact in the last 14 days"),
        ("no exec contact in 1 month", "no exec contact within 30 days"),
        ("no open tickets", "open tickets are 0"),
        ("renewal is within the next 90 days", "renewal date is within the next 90 days"),
        ("segment is one of smb, mid market", "segment is one of smb, mid_market"),
        ("strategic and not renewed", "{all: [strategic, not renewed]}"),
        ("strategic or renewed", "{any: [strategic, renewed]}"),
        ("renewal is more than 3 days ago", "renewal is at least 4 days ago"),
        ("no meeting is booked", "meeting is not booked"),
    ],
)
def test_synonyms_mean_the_same(one: str, other: str) -> None:
    """Two ways to write one condition have one meaning."""
    assert meaning(tree(one)) == meaning(tree(other))


def test_leaves_carry_units_of_the_store() -> None:
    """Money is minor units, percent a ratio, points hundredths, days days; bounds are open or closed as the words say."""
    bounds = {}
    for when in (
        "arr is more than 50k",
        "adoption is at most 80%",
        "adoption change vs portfolio is -10 points",
        "touch due in is less than -48 hours",
    ):
        leaf = tree(when)
        assert isinstance(leaf, Range)
        bounds[leaf.fact.column] = (leaf.low, leaf.high, leaf.low_open, leaf.high_open)
    infinite = float("inf")
    assert bounds == {
        "arr": (5_000_000, infinite, True, False),
        "adoption": (-infinite, 0.8, False, False),
        "adoption_change_vs_portfolio": (-0.1, -0.1, False, False),
        "touch_due_in": (-infinite, -2, False, True),
    }


def test_number_choices_and_events() -> None:
    """`tier is one of 1, 2` holds whole numbers; an event may have happened, or never."""
    tier, never = tree("tier is one of 1, 2"), tree("exec reply never happened")
    assert isinstance(tier, OneOf)
    assert tier.values == (1, 2)
    assert isinstance(never, Not)
    assert isinstance(never.part, Happened)
    assert never.part.window is None


def test_a_word_of_the_vocabulary_may_be_a_word_of_the_language() -> None:
    """`lapsed` of the vocabulary, and a feature that is lapsed, in one line."""
    words = "vocabulary: {lapsed: renewal is in the past, top accounts: arr is in the top 20%}"
    found = tree("'lapsed and feature \"SSO\" is lapsed and not top accounts'", words)
    assert isinstance(found, All)
    named, feature, other = found.parts
    assert isinstance(named, Named)
    assert isinstance(feature, InSet)
    assert feature.states == ("lapsed",)
    assert isinstance(other, Not)


def test_segment_scopes_a_rule() -> None:
    """`segment:` beside `when` is the same as a segment phrase in `all`."""
    scoped = load({"r": f"{HEAD}    segment: [smb, mid market]\n    when: strategic\n"}).rules[0].when
    assert meaning(scoped) == meaning(tree("segment is one of smb, mid market and strategic"))


@pytest.mark.parametrize(
    ("when", "code", "fix"),
    [
        ("no exec contct in 15 days", "E-FACT", "did you mean `exec contact`?"),
        ("last exec contct is known", "E-FACT", "did you mean `last exec contact`?"),
        ("renewl is within the next 90 days", "E-FACT", "did you mean `renewal`?"),
        ("adoption is at least 80", "E-RANGE", "did you mean `80%`?"),
        ("adoption is at least 0.8", "E-UNIT", "did you mean `80%`?"),
        ("renewal is at least 90", "E-TYPE", "try `renewal is within the next 90 days`"),
        ("renewal is less than 90 days", "E-TYPE", "try `renewal is within the next 90 days`"),
        ("last exec contact is at least 15 days", "E-TYPE", "try `no exec contact in 15 days`"),
        ("no last exec contact in 15 days", "E-TYPE", "try `no exec contact in 15 days`"),
        ("no exec contact in 15", "E-UNIT", "did you mean `15 days`?"),
        ("no exec contact", "E-UNIT", "write `no exec contact in 15 days`"),
        ("renewal is within the next 36 hours", "E-UNIT", "write `2 days`"),
        ("segment is enterprize", "E-VALUE", "did you mean `enterprise`?"),
        ("segment is one of smb, smb", "E-DUPLICATE", "leave one of them out"),
        ("touch due in is less than -2", "E-UNIT", "did you mean `-2 days`?"),
        ("adoption change vs portfolio is at most -10%", "E-UNIT", "did you mean `-10 points`?"),
        ("arr is at least 80%", "E-UNIT", "did you mean `80`?"),
        ("arr is at least €50k", "E-UNIT", "write the amount in USD"),
        ("health is at least 0", "E-RANGE", "choose a value inside that range"),
        ("health is more than 100", "E-RANGE", "choose a value inside that range"),
        ("open tickets are fewer than 2.5", "E-VALUE", "did you mean `3`?"),
        ("mood is between 6 and 0", "E-FACT", "see the fact catalogue for the names there are"),
        ("tier is one of 1, 12", "E-RANGE", "leave it out"),
        ("no contact in 9999999999 months", "E-RANGE", "write fewer days"),
        ("seats are one of 1, 99999999999999999999", "E-RANGE", "write a smaller number"),
        ("health is between 60 and 20", "E-RANGE", "write the smaller one first"),
        ("health is bellow 60", "E-PHRASE", "did you mean `below`?"),
        ("renewal is within 90 days", "E-PHRASE", "`renewal` is a date; try `renewal is within the next 90 days`"),
        ("adoption", "E-TYPE", "try `adoption is at least 80%`"),
        ("not segment", "E-TYPE", "try `segment is one of enterprise, mid market`"),
        ("no renewal", "E-TYPE", "try `renewal is within the next 90 days`"),
        ("csm is Ann", "E-VALUE", 'write it in quotes: `csm is "Ann"`'),
        ("seats are more than 80% of arr", "E-TYPE", "compare `seats` with another count"),
        ("seats are more than 3 of active users", "E-UNIT", "write `80% of active users`"),
        ("renewal is before soon", "E-VALUE", "write it as 2026-12-31"),
        ("{some: [strategic]}", "E-KEY", "use one of: all, any, none"),
        ("[strategic, renewed]", "E-SHAPE", "write `all:`, `any:` or `none:` above the list"),
        ("{all: []}", "E-MISSING", "write at least one phrase below it"),
        ("{all: [strategic], any: [renewed]}", "E-SHAPE", "nest them: `all:` with the other block as one of its items"),
        (
            "{all: [segment is one of smb, mid market]}",
            "E-FACT",
            "it is a value of `segment`: in a [...] list put the whole phrase in quotes",
        ),
    ],
)
def test_a_mistake_has_a_code_and_one_fix(when: str, code: str, fix: str) -> None:
    """Each wrong phrase is refused with its own code and one concrete fix."""
    assert mistake(when)[::2] == (code, fix)


def test_mixing_and_with_or_shows_both_readings() -> None:
    """`a and b or c` is an error that shows the two blocks it could be."""
    code, _, fix = mistake("strategic and renewed or rolling")
    assert code == "E-MIXED"
    assert "any: [all: [strategic, renewed], rolling]" in fix
    assert "all: [strategic, any: [renewed, rolling]]" in fix


FILE = """\
vocabulary:
  renewal due: renewal is within the next 90 days
  loop: knot
  knot: not loop
  renewal due: strategic
  adoption: strategic
  not good: strategic
rule:
  - x
rules:
  - rule: One Rule
    class: chrun
    severity: hihg
    for: 7
    when: renewal due and no exec contct in 15 days
    say: "Renews {renewl}."
    colour: red
    escalate: {low: strategic}
    tests:
      - {given: {renewal: in 40 days, segment: big}, expect: fires}
      - {given: {renewl: in 40 days}, expect: maybe}
      - {given: {last exec contact: 15 days}, expect: silent}
  - rule: two
    class: churn
    when: strategic
  - rule: three
    class: churn
    severity: high
    when: strategic
    escalate: {medium: renewed}
  - rule: three
    class: churn
    severity: high
    when: strategic
"""


def test_all_mistakes_of_a_file_at_once() -> None:
    """One run reports every mistake, in the order of the file, each at its own line and column."""
    assert errors(FILE) == [
        ("E-CYCLE", 3, 3),
        ("E-DUPLICATE", 5, 3),
        ("E-NAME", 6, 3),
        ("E-NAME", 7, 3),
        ("E-KEY", 8, 1),
        ("E-NAME", 11, 11),
        ("E-CLASS", 12, 12),
        ("E-SEVERITY", 13, 15),
        ("E-DURATION", 14, 10),
        ("E-FACT", 15, 30),
        ("E-SAY", 16, 18),
        ("E-KEY", 17, 5),
        ("E-TEST", 20, 48),
        ("E-TEST", 21, 18),
        ("E-TEST", 21, 47),
        ("E-TEST", 22, 37),
        ("E-MISSING", 23, 5),
        ("E-SEVERITY", 30, 16),
    ]


def test_an_error_looks_like_a_compilers() -> None:
    """Place, code, cause; the line with a caret under the wrong words; the fix; and how many there are."""
    with pytest.raises(RuleErrors) as caught:
        load({"churn.yaml": f"{HEAD}    when: strategic and no exec contct in 15 days\n"})
    assert str(caught.value) == (
        "churn.yaml:5:28: error E-FACT: unknown event `exec contct`\n"
        "    5 |     when: strategic and no exec contct in 15 days\n"
        "      |                            ^^^^^^^^^^^\n"
        "  fix: did you mean `exec contact`?\n"
        "\n"
        "1 error"
    )


def test_a_file_that_is_no_yaml() -> None:
    """Broken YAML is one error at its place, and the other files are still read."""
    assert errors("rules: [}", f"{HEAD}    when: nonsense here\n") == [("E-YAML", 1, 9), ("E-FACT", 5, 11)]


def test_two_files_cannot_name_a_rule_twice() -> None:
    """The same rule in two files is an error in the second."""
    text = f"{HEAD}    when: strategic\n"
    assert errors(text, text) == [("E-DUPLICATE", 2, 11)]


def test_every_code_is_explained() -> None:
    """Each code that a file can raise stands in the list of codes."""
    assert {code for code, _, _ in errors(FILE)} <= set(CODES)


def test_the_version_follows_the_meaning_only() -> None:
    """Another wording keeps a rule's version, another threshold, also one inside the vocabulary, changes it."""
    plain = rules("renewal due", "vocabulary: {renewal due: renewal is within the next 90 days}").rules[0].version
    same = rules("renewal due", "vocabulary: {renewal due: renewal date is within the next 90 days}").rules[0].version
    changed = rules("renewal due", "vocabulary: {renewal due: renewal is within the next 60 days}").rules[0].version
    assert plain == same != changed


def test_clears_when_names_what_could_change() -> None:
    """The generated words say what would clear each shipped rule, without what nobody can change."""
    found = {rule.name: clears_when(rule) for rule in load(shipped()).rules}
    assert found == {
        "renewal-exec-silence": "renewal is no longer within the next 90 days or it is renewed or there is an exec contact "
        "or a meeting with an exec is booked for the next 14 days",
        "adoption-drop-user-silence": "adoption change is more than -20% or adoption change vs portfolio is more than "
        "-10 points or there is a user contact or a meeting with a user is booked for the next 14 days",
        "single-threaded": "strong exec relationships are 2 or more (enterprise) and strong exec relationships are 1 or "
        "more (smb, mid market)",
        "strong-adoption-no-users": "adoption is less than 75% or user relationships are more than 0",
        "lapsed": "renewal is no longer in the past or it is renewed",
        "touch-overdue": "touch due in is -2 days or more or a meeting is booked",
        "renewal-no-exec-on-file": "renewal is no longer within the next 90 days or it is renewed or exec contacts are more than 0",
        "one-sided": "strong user relationships are less than 2 or there is an exec contact or a meeting with an exec is booked for the next 14 days and strong exec relationships are less than 2 or there is a user contact or a meeting with a user is booked for the next 14 days",
        "sponsor-silence": "unanswered outreach is less than 2",
        "first-word-is-commercial": "renewal is no longer within the next 120 days or there is a contact or a meeting is booked for the next 14 days",
        "champion-left": "champions lost is less than 1",
        "health-drop": "health did not fall by 15 in 30 days",
        "forgotten-tier-2": "tier is less than 2 or more than 2 or there is a meeting or a meeting is booked for the next 14 days or there is a tier review",
        "expansion-ready": "adoption is less than 80% or relationship is less than 60 or open expansion is set",
        "newest-offering-not-shown": "tier is not 1 or 2 or newest offering is no longer more than 60 days ago or newest offering shown is set",
        "advocate-ready": "health is less than 75 or relationship is less than 60 or a reference is asked",
        "reply-overdue": "awaiting reply is at most response time",
        "feedback-stale": "a survey is answered or feedback is asked",
        "high-maintenance-low-value": "LTV is no longer in the bottom third or load per ARR is no longer in the top 10%",
    }


def test_quantities() -> None:
    """Numbers with scale, sign, currency, percent and unit; anything else is no quantity."""
    found = {
        text: (float(q.number), q.unit)
        for text in ("50k", "$1.5m", "-20%", "-10 points", "15 days", "1,000")
        if (q := quantity(text))
    }
    assert found == {
        "50k": (50_000, ""),
        "$1.5m": (1_500_000, "$"),
        "-20%": (-20, "%"),
        "-10 points": (-10, "points"),
        "15 days": (15, "day"),
        "1,000": (1000, ""),
    }
    assert [quantity(text) for text in ("soon", "5% days", "1,00")] == [None, None, None]
    assert [duration(text) for text in ("36 hours", "1 month", "-1 day", "7")] == [36 * HOUR, 30 * DAY, None, None]


def test_today_is_the_day_in_the_zone() -> None:
    """Dates are compared in the configured zone: at 06:00 UTC it is still yesterday in Honolulu."""
    from zoneinfo import ZoneInfo

    assert today_of(AS_OF) - today_of(AS_OF, ZoneInfo("Pacific/Honolulu")) == 1
