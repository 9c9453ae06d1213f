"""The configuration: tierd.yaml, read with places, checked as a whole, composed from each part's own settings class."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError
from ruamel.yaml import YAML

from daemon.config.document import ConfigError, Document, Problem, read
from daemon.config.problems import explain
from daemon.config.secrets import in_the_clear, resolve
from daemon.config.settings import Config

__all__ = ["Config", "ConfigError", "Problem", "dump", "load"]


def load(
    path: Path, environ: Mapping[str, str], *, needs: Collection[str] | None = None, forgiving: bool = False
) -> Config:
    """Read and check tierd.yaml; raises ConfigError with every problem in it.

    `needs`: the sections whose secrets must be there (None: all). `forgiving`: a source that has a problem is left out
    as long as another CRM is fine, so that a typo in one feed does not silence the daemon (`Config.left_out`).
    """
    document = read(path)
    folder = path.resolve().parent
    if not isinstance(document.data, dict):
        raise ConfigError([document.problem((), "the file must hold sections such as `sources:` and `slack:`")])
    wanted = None if needs is None else {*needs, "store"}
    data, secrets = resolve(document, environ, folder, wanted)
    config, problems = _validated(data, document)
    problems += secrets.problems
    left_out: dict[str, str] = {}
    if problems and forgiving:
        left_out = _culprits(problems)
        if left_out:
            rest = {name: source for name, source in data["sources"].items() if name not in left_out}
            config, problems = _validated({**data, "sources": rest}, document)
    if problems or config is None:
        raise ConfigError(problems)
    return config.placed(folder, tuple(sorted(secrets.values)), left_out)


def _validated(data: Any, document: Document) -> tuple[Config | None, list[Problem]]:
    try:
        config = Config.model_validate(data)
    except ValidationError as error:
        return None, explain(error, document, Config)
    return config, in_the_clear(config, document)


def _culprits(problems: list[Problem]) -> dict[str, str]:
    """Source -> its problems, where nothing but sources has problems."""
    found: dict[str, list[str]] = {}
    for problem in sorted(problems):
        if len(problem.path) < 2 or problem.path[0] != "sources":
            return {}
        found.setdefault(str(problem.path[1]), []).append(str(problem))
    return {name: "; ".join(texts) for name, texts in found.items()}


def dump(config: Config) -> str:
    """The configuration in force as YAML, defaults included, secrets as `***`."""
    stream = StringIO()
    yaml = YAML(typ="rt", pure=True)
    yaml.default_flow_style = False
    yaml.width = 120
    yaml.dump(_plain(config.model_dump(by_alias=True)), stream)
    return stream.getvalue()


def _plain(value: Any) -> Any:
    match value:
        case SecretStr():
            return "***"
        case dict():
            return {key: _plain(inner) for key, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_plain(inner) for inner in value]
        case None | bool() | int() | float() | str():
            return value
    return str(value)
