"""Rule files to a typed rule set: all mistakes at once, or a RuleSet."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

from lark import Lark
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from rules.language import given, tree, values
from rules.language.calendar import MONDAY_TO_FRIDAY, Calendar
from rules.language.catalogue import BY_NAME
from rules.language.errors import Problem, RuleError, RuleErrors, did_you_mean
from rules.language.grammar import RESERVED, build, read
from rules.language.model import (
    CLASSES,
    OUTCOMES,
    SEVERITIES,
    STATUSES,
    Rule,
    RuleSet,
    RuleTest,
    Step,
    files_version,
    version_of,
)
from rules.language.phrases import Context, choice_of, typed, words_of
from rules.language.yamltext import Text
from store.records import DAY

_FILE_KEYS = ("vocabulary", "rules")
_RULE_KEYS = (
    "rule",
    "class",
    "severity",
    "status",
    "segment",
    "when",
    "for",
    "keep firing",
    "escalate",
    "say",
    "play",
    "notify",
    "tests",
)
_TEST_KEYS = ("name", "as_of", "given", "expect", "severity", "timeline")
_STATES = ("pending", "firing", "recovering", "clear")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def load(files: Mapping[str, str], currency: str = "USD", calendar: Calendar = MONDAY_TO_FRIDAY) -> RuleSet:
    """Read rule files (name -> text); raises RuleErrors with every mistake in all of them.

    `calendar` says what a business day is.
    """
    return _Reader(files, currency, calendar).ruleset()


@dataclass(slots=True)
class _Entry:
    """A vocabulary entry before (and after) its condition is read."""

    text: Text
    key: ScalarNode
    node: Node
    tree: tree.Node | None = None
    state: str = "new"  # new | reading | done


class _Reader:
    def __init__(self, files: Mapping[str, str], currency: str, calendar: Calendar) -> None:
        self.files, self.currency, self.calendar = dict(files), currency, calendar
        self.texts = [Text(name, source) for name, source in files.items()]
        self.entries: dict[str, _Entry] = {}
        self.rule_nodes: list[tuple[Text, Node]] = []
        self.parser: Lark

    def ruleset(self) -> RuleSet:
        """Vocabulary first, then the rules; raises RuleErrors."""
        for text in self.texts:
            self._outline(text)
        self.parser = build(self.entries)
        for name in self.entries:
            self._resolve(name)
        rules: list[Rule] = []
        for text, node in self.rule_nodes:
            rule = self._rule(text, node)
            if rule and any(other.name == rule.name for other in rules):
                text.report(
                    "E-DUPLICATE", rule.place, f"there are two rules `{rule.name}`", "give one of them another name"
                )
            elif rule:
                rules.append(rule)
        errors: list[RuleError] = [error for text in self.texts for error in _in_order(text.errors)]
        if errors:
            raise RuleErrors(errors)
        vocabulary = {name: entry.tree for name, entry in self.entries.items() if entry.tree is not None}
        return RuleSet(tuple(rules), vocabulary, self.files, files_version(self.files))

    def _outline(self, text: Text) -> None:
        root = text.root()
        if root is None:
            return
        for key, _, node in text.mapping(root, "a rule file", _FILE_KEYS):
            if key == "rules":
                self.rule_nodes += [(text, item) for item in text.sequence(node, "`rules`")]
                continue
            for name, name_node, value in text.mapping(node, "the vocabulary"):
                self._entry(text, words_of(name), name_node, value)

    def _entry(self, text: Text, name: str, key: ScalarNode, node: Node) -> None:
        place, first = text.place(key), name.split(" ", maxsplit=1)[0]
        if not re.fullmatch(r"[^\W\d_][\w-]*( [\w-]+)*", name) or first in RESERVED:
            text.report(
                "E-NAME",
                place,
                f"`{name}` cannot be a name",
                f"use plain words that do not begin with `{first or '?'}`",
            )
        elif {"is", "are", "and", "or"} & set(name.split()):
            text.report("E-NAME", place, f"`{name}` reads like a phrase", "leave out is, are, and, or")
        elif name in BY_NAME:
            text.report("E-NAME", place, f"`{name}` is a fact already", f"choose another name, such as `low {name}`")
        elif name in self.entries:
            text.report("E-DUPLICATE", place, f"`{name}` is in the vocabulary twice", "leave one of them out")
        else:
            self.entries[name] = _Entry(text, key, node)

    def _resolve(self, name: str) -> tree.Node | None:
        entry = self.entries[name]
        if entry.state == "reading":
            entry.text.report(
                "E-CYCLE", entry.text.place(entry.key), f"`{name}` stands for itself", "spell out what it means"
            )
            return None
        if entry.state == "new":
            entry.state = "reading"
            entry.tree = self._condition(entry.text, entry.node)
            entry.state = "done"
        return entry.tree

    # ------------------------------------------------------------ conditions

    def _condition(self, text: Text, node: Node) -> tree.Node | None:
        """A phrase, a line of them, or an all / any / none block; None when something in it is wrong (reported)."""
        if isinstance(node, ScalarNode):
            return self._line(text, node)
        if isinstance(node, SequenceNode):
            fix = "write `all:`, `any:` or `none:` above the list"
            text.report("E-SHAPE", text.place(node), "a list alone does not say how its phrases belong together", fix)
            return None
        blocks: list[tree.Node | None] = []
        for key, key_node, value in text.mapping(node, "a condition", ("all", "any", "none")):
            items = [self._condition(text, item) for item in text.sequence(value, f"`{key}`")]
            if not items:
                text.report(
                    "E-MISSING", text.place(key_node), f"`{key}` is empty", "write at least one phrase below it"
                )
            parts = tuple(item for item in items if item is not None)
            if len(parts) < len(items) or not parts:
                blocks.append(None)
            elif key == "all":
                blocks.append(tree.All(parts))
            else:
                blocks.append(tree.Any(parts) if key == "any" else tree.Not(tree.Any(parts)))
        found = tuple(block for block in blocks if block is not None)
        if len(blocks) > 1 and isinstance(node, MappingNode):
            fix = "nest them: `all:` with the other block as one of its items"
            text.report("E-SHAPE", text.place(node), "one condition has one of all, any, none", fix)
        return found[0] if len(found) == 1 == len(blocks) else None

    def _line(self, text: Text, node: ScalarNode) -> tree.Node | None:
        if text.scalar(node, "the condition") is None:
            return None
        context = Context(sorted(self.entries), self._resolve, text.inside(node), self.currency, self.calendar)
        try:
            line = read(self.parser, str(node.value))
        except Problem as problem:
            text.report_problem(problem, node)
            return None
        parts: list[tree.Node] = []
        for phrase in line.phrases:
            try:
                part = typed(phrase, context)
            except Problem as problem:
                text.report_problem(problem, node)
                continue
            if part is not None:
                parts.append(part)
        if len(parts) < len(line.phrases):
            return None
        if len(parts) == 1:
            return parts[0]
        return tree.Any(tuple(parts)) if line.joint == "or" else tree.All(tuple(parts))

    # ------------------------------------------------------------ rules

    def _rule(self, text: Text, node: Node) -> Rule | None:
        before = len(text.errors)
        fields = {key: value for key, _, value in text.mapping(node, "a rule", _RULE_KEYS)}
        if not isinstance(node, MappingNode):
            return None
        for key in ("rule", "class", "severity", "when"):
            if key not in fields:
                text.report("E-MISSING", text.place(node), f"the rule has no `{key}`", f"add `{key}: ...`")
        word = partial(self._word, text, fields)
        name = word("rule") or ""
        if name and not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
            proposal = "-".join(re.findall(r"[a-z0-9]+", name.lower())) or "my-rule"
            text.report(
                "E-NAME", text.place(fields["rule"]), f"`{name}` cannot be a rule's name", f"did you mean `{proposal}`?"
            )
        when = self._condition(text, fields["when"]) if "when" in fields else None
        if when is not None and "segment" in fields:
            when = self._in_segment(text, fields["segment"], when)
        rule = Rule(
            name=name,
            klass=self._choice(text, fields, "class", CLASSES, "E-CLASS"),
            severity=self._choice(text, fields, "severity", SEVERITIES, "E-SEVERITY"),
            when=when or tree.All(()),
            for_us=self._duration(text, fields, "for", 0),
            keep_firing_us=self._duration(text, fields, "keep firing", DAY),
            say=self._say(text, fields),
            play=word("play") or "",
            notify=word("notify") or "owner",
            place=text.place(fields.get("rule", node)),
            status=self._choice(text, fields, "status", STATUSES, "E-STATUS"),
        )
        rule = replace(rule, escalate=self._escalate(text, fields, rule.severity), tests=self._tests(text, fields))
        if len(text.errors) > before or when is None:
            return None
        return replace(rule, version=version_of(rule))

    def _word(self, text: Text, fields: Mapping[str, Node], key: str) -> str | None:
        return text.scalar(fields[key], f"`{key}`") if key in fields else None

    def _choice(self, text: Text, fields: Mapping[str, Node], key: str, known: tuple[str, ...], code: str) -> str:
        found = self._word(text, fields, key)
        if found is not None and found not in known:
            message = f"a test cannot expect `{found}`" if key == "expect" else f"unknown {key} `{found}`"
            text.report(code, text.place(fields[key]), message, did_you_mean(found, known))
        return found or known[0]

    def _duration(self, text: Text, fields: Mapping[str, Node], key: str, default: int) -> int:
        found = self._word(text, fields, key)
        if found is None:
            return default
        span = values.duration(found)
        if span is None:
            digits = re.search(r"\d+", found)
            fix = f"did you mean `{digits[0]} days`?" if digits else "write `7 days`, `12 hours` or `2 weeks`"
            text.report("E-DURATION", text.place(fields[key]), f"`{found}` is no length of time", fix)
        return span or 0

    def _in_segment(self, text: Text, node: Node, when: tree.Node) -> tree.Node:
        listed = list(node.value) if isinstance(node, SequenceNode) else [node]
        found: list[str] = []
        for item in listed:
            shown = text.scalar(item, "`segment`")
            try:
                found += [
                    choice_of(BY_NAME["segment"], part.strip(), 0) for part in (shown or "").split(",") if part.strip()
                ]
            except Problem as problem:
                text.report(problem.code, text.place(item), problem.message, problem.fix)
        written = "segment is one of " + ", ".join(found).replace("_", " ")
        leaf = tree.OneOf(text=written, fact=BY_NAME["segment"], values=tuple(found), place=text.place(node))
        return tree.All((leaf, when))

    def _escalate(self, text: Text, fields: Mapping[str, Node], base: str) -> tuple[tuple[str, tree.Node], ...]:
        found: list[tuple[str, tree.Node]] = []
        if "escalate" not in fields:
            return ()
        for severity, key, node in text.mapping(fields["escalate"], "`escalate`"):
            condition = self._condition(text, node)
            if severity not in SEVERITIES:
                text.report(
                    "E-SEVERITY", text.place(key), f"unknown severity `{severity}`", did_you_mean(severity, SEVERITIES)
                )
            elif base in SEVERITIES and SEVERITIES.index(severity) <= SEVERITIES.index(base):
                higher = SEVERITIES[SEVERITIES.index(base) + 1 :]
                fix = f"use {' or '.join(higher)}" if higher else "leave `escalate` out: nothing is above critical"
                text.report("E-SEVERITY", text.place(key), f"`{severity}` does not raise the rule's `{base}`", fix)
            elif condition is not None:
                found.append((severity, condition))
        return tuple(sorted(found, key=lambda item: -SEVERITIES.index(item[0])))

    def _say(self, text: Text, fields: Mapping[str, Node]) -> str:
        say = self._word(text, fields, "say") or ""
        for match in _PLACEHOLDER.finditer(say):
            if words_of(match[1]) in BY_NAME:
                continue
            node = fields["say"]
            place = (
                text.inside(node)(match.start(), len(match[0])) if isinstance(node, ScalarNode) else text.place(node)
            )
            fix = did_you_mean(words_of(match[1]), sorted(BY_NAME), "use the name of a fact")
            text.report("E-SAY", place, f"`{match[0]}` is no fact", fix)
        return say

    # ------------------------------------------------------------ tests

    def _tests(self, text: Text, fields: Mapping[str, Node]) -> tuple[RuleTest, ...]:
        items = text.sequence(fields["tests"], "`tests`") if "tests" in fields else []
        return tuple(test for item in items if (test := self._test(text, item)) is not None)

    def _test(self, text: Text, node: Node) -> RuleTest | None:
        fields = {key: value for key, _, value in text.mapping(node, "a test", _TEST_KEYS)}
        if not isinstance(node, MappingNode):
            return None
        facts = self._given(text, fields["given"]) if "given" in fields else {}
        timeline = self._timeline(text, fields["timeline"], facts) if "timeline" in fields else ()
        if not timeline and "expect" not in fields:
            text.report(
                "E-MISSING", text.place(node), "the test expects nothing", "add `expect: fires`, `silent` or `unknown`"
            )
        expect = self._choice(text, fields, "expect", OUTCOMES, "E-TEST") if "expect" in fields else ""
        severity = self._choice(text, fields, "severity", SEVERITIES, "E-SEVERITY") if "severity" in fields else None
        day = self._as_of(text, fields)
        return RuleTest(
            facts, expect, text.place(node), self._word(text, fields, "name") or "", severity, day, timeline
        )

    def _as_of(self, text: Text, fields: Mapping[str, Node]) -> int | None:
        found = self._word(text, fields, "as_of")
        day = values.day_of(found) if found else None
        if found and day is None:
            text.report("E-TEST", text.place(fields["as_of"]), f"`{found}` is no date", "write it as 2026-12-31")
        return day

    def _given(self, text: Text, node: Node) -> dict[str, str]:
        found: dict[str, str] = {}
        for key, key_node, value in text.mapping(node, "`given`"):
            shown = text.scalar(value, f"`{key}`")
            if shown is None:
                continue
            try:
                given.check(_given_name(key), shown)
            except given.NotGiven as problem:
                at = key_node if problem.about_name else value
                text.report("E-TEST", text.place(at), problem.message, problem.fix)
            else:
                found[_given_name(key)] = shown
        return found

    def _timeline(self, text: Text, node: Node, base: Mapping[str, str]) -> tuple[Step, ...]:
        steps: list[Step] = []
        for key, key_node, value in text.mapping(node, "`timeline`"):
            at = values.duration(key)
            if at is None or (steps and at <= steps[-1].at_us):
                fix = "write `0 days`, `7 days`, ... in rising order"
                text.report("E-TEST", text.place(key_node), f"`{key}` is no later moment of the timeline", fix)
                continue
            fields = {name: item for name, _, item in text.mapping(value, "a moment", ("given", "expect"))}
            facts = {**base, **(self._given(text, fields["given"]) if "given" in fields else {})}
            steps.append(Step(at, facts, self._choice(text, fields, "expect", _STATES, "E-TEST")))
        return tuple(steps)


def _given_name(key: str) -> str:
    """A name of `given` as the catalogue has it; a feature keeps the letters of its own."""
    return " ".join(key.split()) if key.lower().startswith("feature ") else words_of(key)


def _in_order(errors: list[RuleError]) -> list[RuleError]:
    return sorted(errors, key=lambda error: (error.place.line, error.place.column))
