"""What pydantic found, in the words of the file: the place, the nearest known name, the remedy."""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from daemon.config.document import Document, KeyPath, Problem

_SHAPES = {
    "model_type": "should be a section with keys of its own",
    "model_attributes_type": "should be a section with keys of its own",
    "dict_type": "should be a section with keys of its own",
    "list_type": "should be a list",
    "tuple_type": "should be a list",
    "string_type": "should be a text: put it into quotes",
}
# Values below such keys are never repeated in a message.
_HIDDEN = ("secret", "token", "key", "password", "url")


def explain(error: ValidationError, document: Document, model: type[BaseModel]) -> list[Problem]:
    """Every problem of the file, at its place."""
    problems: dict[KeyPath, Problem] = {}
    for details in error.errors():
        problem = _one(details, document, model)
        # Each branch of a union complains; the first complaint about a place is enough.
        problems.setdefault(problem.path, problem)
    return list(problems.values())


def nearest(name: str, known: Iterable[str]) -> str:
    """`; did you mean x?`, or the known names, or nothing."""
    names = sorted(set(known))
    close = get_close_matches(name.lower(), names, n=1, cutoff=0.6)
    if close:
        return f"; did you mean `{close[0]}`?"
    return f"; known here: {', '.join(names)}" if names else ""


def _one(details: ErrorDetails, document: Document, model: type[BaseModel]) -> Problem:
    path, rest = _in_document(document, details["loc"])
    kind, context = details["type"], details.get("ctx", {})
    if kind == "extra_forbidden" and path:
        above, key = path[:-1], str(path[-1])
        return document.problem(path, f"unknown key `{key}`{nearest(key, _known(model, above))}", of_key=True)
    if kind == "missing":
        key = str(rest[-1]) if rest else str(details["loc"][-1])
        where = f" under `{path[-1]}`" if path else ""
        return document.problem((*path, key), f"`{key}` is missing{where}: add it")
    if kind == "union_tag_not_found":
        key = str(context.get("discriminator", "kind")).strip("'")
        return document.problem((*path, key), f"`{key}` is missing: add it")
    if kind == "union_tag_invalid":
        key = str(context["discriminator"]).strip("'")
        expected = [tag.strip(" '") for tag in str(context["expected_tags"]).split(",")]
        tag = str(context["tag"])
        return document.problem((*path, key), f"`{key}: {tag}` is not known{nearest(tag, expected)}")
    if kind == "literal_error":
        expected = [word.strip(" '") for word in str(context["expected"]).replace(" or ", ",").split(",")]
        value = str(details["input"])
        if rest and rest[-1] == "[key]":
            return document.problem(path, f"unknown key `{value}`{nearest(value, expected)}", of_key=True)
        return document.problem(path, f"{_subject(path)}{value!r} is not known{nearest(value, expected)}")
    if kind in _SHAPES:
        return document.problem(path, f"{_subject(path)}{_SHAPES[kind]}")
    shown = "" if "error" in context else _shown(path, details["input"])  # our own validators say what they got
    return document.problem(path, f"{_subject(path)}{_reason(details)}{shown}")


def _in_document(document: Document, location: Sequence[str | int]) -> tuple[KeyPath, Sequence[str | int]]:
    """The part of pydantic's location that the file has, and what follows it; names of union branches are left out."""
    path: list[str | int] = []
    value = document.data
    last = 0
    for number, part in enumerate(location):
        named = isinstance(value, dict) and part in value
        if named or (isinstance(value, list) and isinstance(part, int) and part < len(value)):
            path.append(part)
            value, last = value[part], number + 1
    return tuple(path), location[last:]


def _subject(path: KeyPath) -> str:
    names = [part for part in path if isinstance(part, str)]
    return f"`{names[-1]}`: " if names else ""


def _reason(details: ErrorDetails) -> str:
    raised = details.get("ctx", {}).get("error")
    if raised is not None:
        return str(raised)
    message = details["msg"].removeprefix("Value error, ").replace("Input should be", "should be")
    return message[0].lower() + message[1:]


def _shown(path: KeyPath, value: Any) -> str:
    """`, not 'x'` for a plain value that is no secret."""
    hidden = any(word in str(part).lower() for part in path for word in _HIDDEN)
    if hidden or not isinstance(value, str | int | float | bool):
        return ""
    return f", not {value!r}" if len(str(value)) <= 60 and "not" not in str(value) else ""


def _known(model: type[BaseModel], path: KeyPath) -> list[str]:
    """The keys that are known at this path of the file."""
    annotations: list[Any] = [model]
    for part in path:
        annotations = [inner for annotation in annotations for inner in _inside(annotation, part)]
    found: list[str] = []
    for annotation in annotations:
        for candidate in _branches(annotation):
            if _is_model(candidate):
                found += [field.alias or name for name, field in candidate.model_fields.items()]
    return found


def _inside(annotation: Any, part: str | int) -> list[Any]:
    """The annotations of what lies under `part`."""
    found: list[Any] = []
    for candidate in _branches(annotation):
        if _is_model(candidate):
            for name, field in candidate.model_fields.items():
                if part in (name, field.alias):
                    found.append(field.annotation)
            continue
        origin, arguments = get_origin(candidate), get_args(candidate)
        if isinstance(origin, type) and issubclass(origin, Mapping) and len(arguments) == 2:
            found.append(arguments[1])
        elif isinstance(origin, type) and issubclass(origin, Sequence) and arguments:
            found.append(arguments[0])
    return found


def _branches(annotation: Any) -> list[Any]:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _branches(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return [branch for argument in get_args(annotation) for branch in _branches(argument)]
    return [annotation]


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
