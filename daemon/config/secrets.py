"""Secrets come from the environment or from files: `{env: NAME}` (or NAME_FILE), `{file: path}`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr

from daemon.config.document import Document, KeyPath, Problem

# Below these keys a mapping with the key `env` or `file` names a CRM field, not a secret.
_CONDITIONS = frozenset({"where", "customer", "churned", "fields", "contact"})


@dataclass
class Secrets:
    """What was found. `values` are all secrets, for masking them in logs."""

    values: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)


def resolve(
    document: Document, environ: Mapping[str, str], folder: Path, needed: Collection[str] | None
) -> tuple[Any, Secrets]:
    """The document's data with every reference replaced by a SecretStr.

    `needed`: the sections whose secrets must be there (None: all); elsewhere a missing one stays empty, so that a
    command that talks to no vendor works without them. Paths are relative to `folder`.
    """
    secrets = Secrets()

    def walk(value: Any, path: KeyPath) -> Any:
        if isinstance(value, dict):
            if len(value) == 1 and next(iter(value)) in ("env", "file") and not _CONDITIONS.intersection(path):
                return one(value, path)
            return {key: walk(inner, (*path, key)) for key, inner in value.items()}
        if isinstance(value, list):
            return [walk(inner, (*path, number)) for number, inner in enumerate(value)]
        return value

    def one(reference: dict[str, Any], path: KeyPath) -> Any:
        ((kind, name),) = reference.items()
        if not isinstance(name, str) or not name:
            secrets.problems.append(document.problem((*path, kind), f"`{kind}` takes a name"))
            return SecretStr("")
        found = _from_file(folder / name) if kind == "file" else _from_environment(environ, folder, name)
        if isinstance(found, _Missing):
            if needed is None or not path or path[0] in needed:
                secrets.problems.append(document.problem((*path, kind), found.text))
            return SecretStr("")
        secrets.values.add(found)
        return SecretStr(found)

    return walk(document.data, ()), secrets


@dataclass(frozen=True)
class _Missing:
    text: str


def _from_environment(environ: Mapping[str, str], folder: Path, name: str) -> str | _Missing:
    if environ.get(name):
        return environ[name]
    if environ.get(f"{name}_FILE"):
        return _from_file(folder / environ[f"{name}_FILE"])
    return _Missing(f"the secret {name} is not set: export {name}=..., or {name}_FILE=/path/to/it")


def _from_file(path: Path) -> str | _Missing:
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        return _Missing(f"the secret's file {path} cannot be read ({reason}): create it, readable for this user")
    return text or _Missing(f"the secret's file {path} is empty: put the secret into it")


def in_the_clear(model: BaseModel, document: Document) -> list[Problem]:
    """Secrets that are written into the file itself."""
    return [
        document.problem(path, "this is a secret and does not belong into the file: write {env: NAME} or {file: path}")
        for path in _secret_paths(model, ())
        if isinstance(document.at(path), str)
    ]


def _secret_paths(value: object, path: KeyPath) -> list[KeyPath]:
    match value:
        case SecretStr():
            return [path]
        case BaseModel():
            named = [(field.alias or name, getattr(value, name)) for name, field in type(value).model_fields.items()]
            return [found for name, inner in named for found in _secret_paths(inner, (*path, name))]
        case Mapping():
            return [found for key, inner in value.items() for found in _secret_paths(inner, (*path, key))]
        case list() | tuple():
            return [found for number, inner in enumerate(value) for found in _secret_paths(inner, (*path, number))]
    return []
