"""Run the tests that stand beside the rules: on the evaluator and on SQL, with phrase coverage, and JUnit for CI."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from xml.etree import ElementTree as ET

from sqlalchemy import Connection, delete, insert

from alerts.lifecycle import Hold, Seen, step
from alerts.lifecycle import Outcome as Told
from rules.language.compile import select_findings
from rules.language.evaluate import Outcome, Verdict, evaluate
from rules.language.given import row_of
from rules.language.given_beside import BESIDE, rows_beside
from rules.language.model import Rule, RuleSet, RuleTest
from rules.language.tree import Leaf, Named, Node, Not, Place, parts_of
from rules.language.values import today_of
from store.engine import Store
from store.records import DAY, AlertRow, Day, Instant
from store.tables import accounts, facts, metadata

DEFAULT_AS_OF: Instant = 1_780_293_600_000_000
"""2026-06-01T06:00:00Z: when a test names no `as_of`."""


@dataclass(frozen=True, slots=True)
class RuleTestResult:
    """One test: `failures` say what was expected and what came, on which engine."""

    rule: str
    name: str
    place: Place
    failures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Gap:
    """A phrase that the tests never saw true, or never false."""

    rule: str
    phrase: str
    place: Place
    never: str
    """true | false"""


@dataclass(frozen=True, slots=True)
class Report:
    """All tests of a rule set."""

    results: tuple[RuleTestResult, ...]
    gaps: tuple[Gap, ...]
    seen: int = 0
    """Phrases seen both true and false."""

    @property
    def failed(self) -> tuple[RuleTestResult, ...]:
        """The tests that do not hold."""
        return tuple(result for result in self.results if result.failures)

    @property
    def ok(self) -> bool:
        """True when every test holds."""
        return not self.failed

    def text(self) -> str:
        """What the command prints: failures with their place, coverage, the sum."""
        lines = [
            f"{_at(result.place)}: {result.rule}: {failure}" for result in self.failed for failure in result.failures
        ]
        lines += [f"{_at(gap.place)}: {gap.rule}: `{gap.phrase}` is never seen {gap.never}" for gap in self.gaps]
        phrases = self.seen + len({(gap.rule, gap.place) for gap in self.gaps})
        passed = len(self.results) - len(self.failed)
        lines.append(
            f"{passed} of {len(self.results)} tests hold; {self.seen} of {phrases} phrases seen true and false"
        )
        return "\n".join(lines)

    def junit(self) -> str:
        """The same as JUnit XML."""
        suite = ET.Element("testsuite", name="rules", tests=str(len(self.results)), failures=str(len(self.failed)))
        for result in self.results:
            case = ET.SubElement(suite, "testcase", classname=result.rule, name=result.name, file=result.place.file)
            for failure in result.failures:
                ET.SubElement(case, "failure", message=failure).text = _at(result.place)
        return ET.tostring(suite, encoding="unicode", xml_declaration=True)


@dataclass(slots=True)
class _Coverage:
    phrases: dict[tuple[str, Place], str] = field(default_factory=dict)
    seen: dict[tuple[str, Place], set[bool]] = field(default_factory=dict)

    def expect(self, where: str, node: Node) -> None:
        self.phrases |= {(where, place): text for place, text in _phrases(node)}

    def note(self, where: str, tree: Outcome) -> None:
        node, inner = tree.node, tree
        if isinstance(node, Not) and node.text:  # `not renewed` is one phrase, with its own truth
            inner = tree.parts[0]
            node = inner.node
        if isinstance(node, Leaf | Named) and tree.truth is not None:
            self.seen.setdefault((where, node.place), set()).add(tree.truth)
        for part in inner.parts:
            self.note("vocabulary" if isinstance(node, Named) else where, part)

    def gaps(self) -> Iterator[Gap]:
        for (where, place), phrase in self.phrases.items():
            for truth in (True, False):
                if truth not in self.seen.get((where, place), set()):
                    yield Gap(where, phrase, place, str(truth).lower())


def run(ruleset: RuleSet) -> Report:
    """Run every test of every rule; the SQL side uses a store in memory."""
    store = Store("sqlite://")
    coverage = _Coverage()
    for node in ruleset.vocabulary.values():
        coverage.expect("vocabulary", node)
    results: list[RuleTestResult] = []
    try:
        with store.write() as connection:
            metadata.create_all(connection, tables=[accounts, facts, *BESIDE])
            connection.execute(insert(accounts).values(id=1, key="test", name="test", created_at=0))
            for rule in ruleset.rules:
                coverage.expect(rule.name, rule.when)
                results += [_run(connection, rule, number, coverage) for number in range(len(rule.tests))]
    finally:
        store.close()
    gaps = tuple(coverage.gaps())
    missing = len({(gap.rule, gap.place) for gap in gaps})
    return Report(tuple(results), gaps, len(coverage.phrases) - missing)


def _run(connection: Connection, rule: Rule, number: int, coverage: _Coverage) -> RuleTestResult:
    test = rule.tests[number]
    facts_given = ", ".join(f"{key} {value}" for key, value in test.given.items())
    failures = tuple(_failures(connection, rule, test, coverage))
    return RuleTestResult(rule.name, test.name or f"test {number + 1}: {facts_given}", test.place, failures)


def _failures(connection: Connection, rule: Rule, test: RuleTest, coverage: _Coverage) -> Iterator[str]:
    as_of = DEFAULT_AS_OF if test.as_of_day is None else test.as_of_day * DAY + DEFAULT_AS_OF % DAY
    if test.timeline:
        yield from _timeline(connection, rule, test, as_of)
        return
    verdict, problems = _judge(connection, rule, test.given, as_of)
    coverage.note(rule.name, verdict.tree)
    yield from problems
    if verdict.outcome != test.expect:
        reason = f" ({verdict.reasons[0]})" if verdict.reasons else ""
        yield f"expected {test.expect}, the condition {_verb(verdict.outcome)}{reason}"
    elif test.severity and verdict.severity != test.severity:
        yield f"expected severity {test.severity}, it is {verdict.severity}"


def _judge(connection: Connection, rule: Rule, given: Mapping[str, str], as_of: Instant) -> tuple[Verdict, list[str]]:
    """The evaluator's verdict, and where SQL says something else."""
    today: Day = today_of(as_of)
    row = row_of(given, as_of, today)
    verdict = evaluate(rule, row, as_of, today)
    connection.execute(delete(facts))
    connection.execute(insert(facts).values({name: value for name, value in row.items() if name in facts.c}))
    for table in BESIDE:
        connection.execute(delete(table))
    for table, values in rows_beside(row, as_of):
        connection.execute(insert(table).values(values))
    found = connection.execute(select_findings(rule, as_of, today)).one_or_none()
    said = ("silent", None, None) if found is None else (found.outcome, found.severity, found.reason)
    reason = verdict.reasons[0] if verdict.reasons else None
    expected = ("silent", None, None) if verdict.truth is False else (verdict.outcome, verdict.severity, reason)
    return verdict, [] if said == expected else [
        f"the evaluator says {expected}, SQL says {said}: report this as a defect"
    ]


def _timeline(connection: Connection, rule: Rule, test: RuleTest, start: Instant) -> Iterator[str]:
    hold = Hold(rule.for_us, rule.keep_firing_us, 0)
    alert: AlertRow | None = None
    for moment in test.timeline:
        as_of = start + moment.at_us
        verdict, problems = _judge(connection, rule, moment.given, as_of)
        yield from problems
        alert = step(alert, _seen(rule, verdict), as_of, hold).alert
        state = "clear" if alert is None or alert.state == "closed" else alert.state
        if state != moment.expect:
            yield f"after {moment.at_us // DAY} days: expected {moment.expect}, the alert is {state}"


def _seen(rule: Rule, verdict: Verdict) -> Seen:
    told = {True: Told.TRUE, False: Told.FALSE, None: Told.UNKNOWN}[verdict.truth]
    reason = verdict.reasons[0] if verdict.reasons else None
    return Seen(rule.name, 1, told, rule.version, verdict.severity, reason=reason)


def _phrases(node: Node) -> Iterator[tuple[Place, str]]:
    """Place and text of the phrases as written: a vocabulary word counts as one."""
    match node:
        case Named(name, place=place):
            yield place, name
        case Leaf(text=text, place=place):
            yield place, text
        case Not(part=part, text=text) if text:
            yield from ((place, text) for place, _ in _phrases(part))
        case _:
            for part in parts_of(node):
                yield from _phrases(part)


def _at(place: Place) -> str:
    return f"{place.file}:{place.line}:{place.column}"


def _verb(outcome: str) -> str:
    return {"fires": "fires", "silent": "is silent"}.get(outcome, "is unknown")


def rules_without_tests(ruleset: RuleSet) -> Sequence[str]:
    """Names of rules that have no test beside them."""
    return [rule.name for rule in ruleset.rules if not rule.tests]
