"""YAML with positions: nodes as their author wrote them, so that every mistake has a line and a column."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from rules.language.errors import Problem, RuleError, did_you_mean
from rules.language.tree import Place

_YAML: Mapping[str, tuple[str, str]] = {
    "stream end": ("a bracket or a quote is not closed", "close it, or put the whole text in quotes"),
    "block end": ("this line is not indented like its neighbours", "begin it exactly below the key it belongs beside"),
    "block mapping start": ("this line is not indented like its neighbours", "begin it exactly below its neighbour"),
    "cannot start any token": (
        "a tab, or a sign YAML keeps for itself",
        "indent by spaces, and put the text in quotes",
    ),
    "mapping values are not allowed": ("a second `: ` on one line", "put the text in quotes, or begin a new line"),
    "end of stream": ("a quote is not closed", "close it on the same line"),
}
"""What the reader of YAML says (a part of it) -> what it means, and what to do."""
_OTHER_YAML = (
    "the file is no YAML here",
    "check indentation, quotes and brackets; put a text with `: ` or ` #` in quotes",
)


@dataclass(slots=True)
class Text:
    """One rule file while it is read: its lines, and the mistakes found so far."""

    file: str
    source: str
    errors: list[RuleError] = field(default_factory=list)

    @property
    def lines(self) -> list[str]:
        """The file line by line."""
        return self.source.splitlines()

    def root(self) -> Node | None:
        """The parsed file; None when it is empty or no YAML (reported)."""
        try:
            found: Node | None = YAML(typ="rt").compose(self.source)
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = Place(self.file, mark.line + 1 if mark else 1, mark.column + 1 if mark else 1)
            cause = str(error.problem or error.context or "cannot be read").splitlines()[0]
            message, fix = next((told for sign, told in _YAML.items() if sign in cause), _OTHER_YAML)
            self.report("E-YAML", place, message, fix)
            return None
        return found

    def report(self, code: str, place: Place, message: str, fix: str) -> None:
        """Note a mistake."""
        lines = self.lines
        line = lines[place.line - 1] if 0 < place.line <= len(lines) else ""
        self.errors.append(RuleError(code, place, message, fix, line))

    def report_problem(self, problem: Problem, node: ScalarNode) -> None:
        """Note a mistake inside a phrase."""
        place = self.inside(node)(problem.start, problem.length)
        self.report(problem.code, place, problem.message, problem.fix)

    def place(self, node: Node, length: int | None = None) -> Place:
        """Where a node begins."""
        start, end = node.start_mark, node.end_mark
        if length is None:
            length = end.column - start.column if end.line == start.line else len(self.lines[start.line]) - start.column
        return Place(self.file, start.line + 1, start.column + 1, max(1, length))

    def inside(self, node: ScalarNode) -> Callable[[int, int], Place]:
        """Offset and length within a scalar's text -> place in the file."""

        def at(offset: int, length: int) -> Place:
            begin = self.place(node)
            line = self.lines[begin.line - 1] if begin.line <= len(self.lines) else ""
            shown = line.find(node.value, begin.column - 1)
            if shown < 0:  # folded over several lines, or with escapes: the beginning must do
                return begin
            return Place(self.file, begin.line, shown + 1 + offset, length)

        return at

    def _before(self, node: Node) -> Place:
        """The line above which an empty text seems to stand: that of its key."""
        before = self.source[: node.start_mark.index].rstrip()
        line = before.count("\n") + 1
        begin = len(before) - (before.rfind("\n") + 1)
        text = self.lines[line - 1]
        return Place(
            self.file, line, len(text) - len(text.lstrip()) + 1, max(1, begin - (len(text) - len(text.lstrip())))
        )

    # ------------------------------------------------------------ shapes

    def mapping(
        self, node: Node, what: str, keys: Sequence[str] | None = None
    ) -> Iterator[tuple[str, ScalarNode, Node]]:
        """(key, key node, value node) of a mapping; unknown keys, duplicates and other shapes are reported and left out."""
        if not isinstance(node, MappingNode):
            expected = ", ".join(f"{key}: ..." for key in (keys or ("name",))[:3])
            self.report("E-SHAPE", self.place(node), f"{what} is a block of `key: value` lines", f"write `{expected}`")
            return
        seen: set[str] = set()
        for key_node, value in node.value:
            key = str(key_node.value) if isinstance(key_node, ScalarNode) else ""
            if keys is not None and key not in keys:
                self.report("E-KEY", self.place(key_node), f"unknown key `{key}` in {what}", did_you_mean(key, keys))
            elif key in seen:
                self.report(
                    "E-DUPLICATE",
                    self.place(key_node),
                    f"`{key}` stands there twice in {what}",
                    "leave one of them out",
                )
            else:
                seen.add(key)
                yield key, key_node, value

    def sequence(self, node: Node, what: str) -> list[Node]:
        """The items of a list; another shape is reported."""
        if isinstance(node, SequenceNode):
            return list(node.value)
        self.report("E-SHAPE", self.place(node), f"{what} is a list", "begin each item with `- `")
        return []

    def scalar(self, node: Node, what: str) -> str | None:
        """One text; another shape is reported."""
        if isinstance(node, ScalarNode) and str(node.value).strip():
            return str(node.value)
        if isinstance(node, ScalarNode):
            self.report("E-MISSING", self._before(node), f"{what} is empty", "write a text behind the colon")
        else:
            self.report(
                "E-SHAPE", self.place(node), f"{what} is one text", "write it on this line, without brackets or dashes"
            )
        return None
