"""A YAML file as plain data, with the line and column of every key and value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong in a file, where, and how to mend it. Lines and columns count from 1."""

    file: str
    line: int
    column: int
    text: str
    path: KeyPath = ()

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.text}"


class ConfigError(Exception):
    """The configuration cannot be used: every problem has its place and its remedy."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(set(problems), key=lambda problem: (problem.line, problem.column, problem.text)))
        super().__init__("\n".join(str(problem) for problem in self.problems))


@dataclass(frozen=True)
class Document:
    """One file. `data` holds plain dicts, lists and scalars."""

    file: str
    data: Any
    _keys: Mapping[KeyPath, tuple[int, int]] = field(default_factory=dict)
    _values: Mapping[KeyPath, tuple[int, int]] = field(default_factory=dict)

    def at(self, path: KeyPath) -> Any:
        """The value at this path; None where there is none."""
        value = self.data
        for part in path:
            if isinstance(value, dict):
                value = value.get(part)
            elif isinstance(value, list) and isinstance(part, int) and part < len(value):
                value = value[part]
            else:
                return None
        return value

    def problem(self, path: KeyPath, text: str, *, of_key: bool = False) -> Problem:
        """A problem with the value at `path`, or with its key; where there is neither, with the next one above."""
        places = (self._keys, self._values) if of_key else (self._values, self._keys)
        for length in range(len(path), -1, -1):
            for place in places:
                if path[:length] in place:
                    return Problem(self.file, *place[path[:length]], text, path)
            places = (self._keys, self._values)
        return Problem(self.file, 1, 1, text, path)


def read(path: Path) -> Document:
    """Read one YAML file; raises ConfigError with the place where it is not YAML."""
    name = path.name
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(
            [Problem(str(path), 1, 1, "there is no such file: run `tierd init`, or give --config")]
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([Problem(str(path), 1, 1, f"cannot be read: {error}")]) from error
    try:
        loaded = YAML(typ="rt", pure=True).load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        reason = (error.problem or "not YAML").splitlines()[0]
        raise ConfigError([Problem(name, line, column, f"this is not YAML: {reason}")]) from error
    except YAMLError as error:
        raise ConfigError([Problem(name, 1, 1, f"this is not YAML: {error}")]) from error
    keys: dict[KeyPath, tuple[int, int]] = {}
    values: dict[KeyPath, tuple[int, int]] = {}
    return Document(name, _plain(loaded, (), keys, values), keys, values)


def _plain(
    value: Any, path: KeyPath, keys: dict[KeyPath, tuple[int, int]], values: dict[KeyPath, tuple[int, int]]
) -> Any:
    if isinstance(value, CommentedMap):
        result = {}
        for key, inner in value.items():
            name = key if isinstance(key, str | int) else str(key)
            if key in (value.lc.data or {}):  # keys that come in by a merge (<<) have no place of their own
                line, column, value_line, value_column = value.lc.data[key]
                keys[*path, name] = (line + 1, column + 1)
                values[*path, name] = (value_line + 1, value_column + 1)
            result[name] = _plain(inner, (*path, name), keys, values)
        return result
    if isinstance(value, CommentedSeq):
        items = []
        for number, inner in enumerate(value):
            line, column = value.lc.data[number][:2]
            values[*path, number] = (line + 1, column + 1)
            items.append(_plain(inner, (*path, number), keys, values))
        return items
    return _scalar(value)


def _scalar(value: Any) -> Any:
    """The YAML library's own kinds of scalar, as Python's."""
    match value:
        case None | bool():
            return value
        case str():
            return str(value)
        case int():
            return int(value)
        case float():
            return float(value)
        case date():
            return value.isoformat()
    return str(value)
