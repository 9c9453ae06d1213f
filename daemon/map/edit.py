"""Put a mapping into tierd.yaml by replacing only the lines it stands on: comments and everything else stay as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from connectors.mapping import MappedField, TierTarget

_STEP = 2


@dataclass(frozen=True, slots=True)
class Choice:
    """What is to stand in the source's section. A fact with an empty list is taken out; what is not named stays."""

    customer: Mapping[str, Any] | None = None
    churned: Mapping[str, Any] | None = None
    facts: Mapping[str, Sequence[MappedField]] = field(default_factory=dict)
    """`csm` and the names under `fields`."""
    tier: TierTarget | None = None


class CannotEdit(ValueError):
    """The file has a form that cannot be edited by line; the message says what to do."""


def edited(text: str, source: str, choice: Choice) -> str:
    """The file's text with the choice in it, its line ends as they were. Raises CannotEdit."""
    if "\r\n" in text:
        return edited(text.replace("\r\n", "\n"), source, choice).replace("\n", "\r\n")
    wanted: list[tuple[tuple[str, ...], Any]] = []
    if choice.customer is not None:
        wanted.append((("customer",), dict(choice.customer)))
    if choice.churned is not None:
        wanted.append((("churned",), dict(choice.churned)))
    for fact, options in choice.facts.items():
        path: tuple[str, ...] = ("csm",) if fact == "csm" else ("fields", fact)
        wanted.append((path, [plain(option) for option in options] or None))
    if choice.tier is not None:
        wanted.append((("tier",), {"field": choice.tier.field, "values": dict(choice.tier.values)}))
    for keys, value in wanted:
        text = _put(text, ("sources", source), keys, value)
    return text


def plain(option: MappedField) -> dict[str, Any]:
    """A mapped field as it is written: object, condition and path first, defaults left out."""
    given = option.model_dump(exclude_defaults=True)
    return {name: given[name] for name in ("object", "where", "path", "field", "aggregate", "by") if name in given}


def _put(text: str, base: tuple[str, ...], path: tuple[str, ...], value: Any) -> str:
    lines = text.removesuffix("\n").split("\n")
    above = _node(text, base)
    if not isinstance(above, MappingNode) or above.flow_style:
        raise CannotEdit(f"`{'.'.join(base)}` is written on one line: write its keys on lines of their own first")
    key, *rest = path
    found = _entry(above, key)
    if found is not None and found[1].start_mark.line < found[0].start_mark.line:
        raise CannotEdit(f"`{key}` is an alias (*) of what stands elsewhere: write it out first, or edit it there")
    if rest:
        inner = found[1] if found is not None else None
        if isinstance(inner, MappingNode) and not inner.flow_style and inner.value:
            return _put(text, (*base, key), tuple(rest), value)
        if found is None and value is None:
            return text
        merged = _data(inner) if isinstance(inner, MappingNode) else {}
        merged = {**merged, rest[0]: value}
        value = {name: one for name, one in merged.items() if one is not None}
    indent = _indent(above)
    if found is None:
        if value is None:
            return text
        at = _last_line(above) + 1
        return _joined([*lines[:at], *_rendered(key, value, indent), *lines[at:]])
    first, last = found[0].start_mark.line, _last_line(found[1])
    if value is not None and _same(_data(found[1]), value):
        return text
    new = [] if value is None else _rendered(key, value, indent)
    if new:
        # What stood beside a single line stands beside the first of several; so does what stood beside the key.
        beside = found[1] if last == first else found[0]
        new[0] += _comment(lines[first], beside)
    return _joined([*lines[:first], *new, *lines[last + 1 :]])


def _same(old: Any, new: Any) -> bool:
    single = [old] if isinstance(old, dict) and isinstance(new, list) else old
    return bool(single == new)


def _joined(lines: Sequence[str]) -> str:
    return "\n".join(lines) + "\n"


def _node(text: str, path: Sequence[str]) -> Node | None:
    node: Node | None = YAML(typ="rt", pure=True).compose(StringIO(text))
    for part in path:
        found = _entry(node, part) if isinstance(node, MappingNode) else None
        node = found[1] if found is not None else None
    return node


def _entry(node: MappingNode, key: str) -> tuple[Node, Node] | None:
    return next(((k, v) for k, v in node.value if isinstance(k, ScalarNode) and k.value == key), None)


def _indent(node: MappingNode) -> int:
    column: int = node.value[0][0].start_mark.column
    return column


def _last_line(node: Node) -> int:
    """The last line with content: the end of a block is only known when the next key begins, after any comment."""
    if isinstance(node, MappingNode | SequenceNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _last_line(last[1] if isinstance(node, MappingNode) else last)
    line: int = node.end_mark.line
    # An empty value and a block text end at the beginning of a later line.
    return line if node.end_mark.column > 0 or line == node.start_mark.line else line - 1


def _comment(line: str, node: Node) -> str:
    rest = line[node.end_mark.column :].removeprefix(":")
    return rest.rstrip() if rest.lstrip().startswith("#") else ""


def _data(node: Node) -> Any:
    """The plain data of a node."""
    loader = YAML(typ="safe", pure=True)
    out = StringIO()
    writer = YAML(typ="rt", pure=True)
    writer.serialize(node, out)
    return loader.load(out.getvalue())


def _rendered(key: str, value: Any, indent: int) -> list[str]:
    """The lines of one entry: flow style for a mapped field, one line each for lists and for `fields`."""
    pad = " " * indent
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, list):
        return [f"{pad}{key}:", *(f"{pad}{' ' * _STEP}- {_flow(one)}" for one in value)]
    if key == "fields" and isinstance(value, dict):
        return [f"{pad}{key}:", *(line for name, one in value.items() for line in _rendered(name, one, indent + _STEP))]
    return [f"{pad}{key}: {_flow(value)}"]


def _flow(value: Any) -> str:
    yaml = YAML(typ="rt", pure=True)
    yaml.width = 100_000
    out = StringIO()
    yaml.dump(_flowing(value), out)
    return out.getvalue().strip()


def _flowing(value: Any) -> Any:
    if isinstance(value, dict):
        made = CommentedMap((key, _flowing(inner)) for key, inner in value.items())
        made.fa.set_flow_style()
        return made
    if isinstance(value, list | tuple):
        listed = CommentedSeq(_flowing(inner) for inner in value)
        listed.fa.set_flow_style()
        return listed
    return value
