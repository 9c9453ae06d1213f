"""Find and read the rule files, and fall back on the last good ones where a running daemon must not stop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import structlog

from daemon.config.document import ConfigError, Problem
from rules.language import RuleErrors, RuleSet, load
from rules.language.calendar import MONDAY_TO_FRIDAY, Calendar
from store import rulesets
from store.engine import Store
from store.records import Instant

_log = structlog.get_logger(__name__)


def read_files(folder: Path, patterns: Sequence[str]) -> Mapping[str, str]:
    """Name (relative to `folder`) -> text of every rule file; raises ConfigError where a pattern finds nothing."""
    files: dict[str, str] = {}
    problems: list[Problem] = []
    for pattern in patterns:
        found = sorted(path for path in folder.glob(pattern) if path.is_file())
        if not found:
            problems.append(Problem(pattern, 1, 1, f"no rule file matches `{pattern}` in {folder}: run `tierd init`"))
        for path in found:
            try:
                files[path.relative_to(folder).as_posix()] = path.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                problems.append(Problem(str(path), 1, 1, f"cannot be read: {error}"))
    if problems:
        raise ConfigError(problems)
    return files


def read_rules(folder: Path, patterns: Sequence[str], currency: str, calendar: Calendar = MONDAY_TO_FRIDAY) -> RuleSet:
    """Read and check the rules; raises ConfigError or RuleErrors with every mistake."""
    return load(read_files(folder, patterns), currency, calendar)


class Rules:
    """The rules a running daemon evaluates: the files' when they are good, else the last good ones of the store."""

    def __init__(
        self,
        folder: Path,
        patterns: Sequence[str],
        currency: str,
        store: Store,
        calendar: Calendar = MONDAY_TO_FRIDAY,
    ) -> None:
        self._folder = folder
        self._patterns = tuple(patterns)
        self._currency = currency
        self._calendar = calendar
        self._store = store
        self._current: RuleSet | None = None
        self._files: Mapping[str, str] | None = None

    def strict(self, now: Instant) -> RuleSet:
        """The files' rules; raises ConfigError or RuleErrors when they have a mistake."""
        files = read_files(self._folder, self._patterns)
        if self._current is None or files != self._files:
            self._current, self._files = load(files, self._currency, self._calendar), files
            self._keep(self._current, now)
        return self._current

    def forgiving(self, now: Instant) -> tuple[RuleSet, str | None]:
        """The files' rules, or the last good ones and what is wrong with the files; raises when there are none."""
        try:
            return self.strict(now), None
        except (ConfigError, RuleErrors) as error:
            good = self._current or self._stored()
            if good is None:
                raise
            _log.error("rule files have mistakes, going on with the last good rules", mistakes=str(error))
            return good, f"rule files have mistakes, the last good rules are used: {str(error).splitlines()[0]}"

    def read(self) -> RuleSet:
        """The files' rules, or the last good ones of the store, for a command that only looks."""
        try:
            return load(read_files(self._folder, self._patterns), self._currency, self._calendar)
        except (ConfigError, RuleErrors):
            good = self._stored()
            if good is None:
                raise
            return good

    def of(self, files: Mapping[str, str]) -> RuleSet:
        """Other files, read as these are; raises RuleErrors."""
        return load(files, self._currency, self._calendar)

    def running(self) -> RuleSet:
        """The rules that a daemon runs: the last good ones of the store, else the files'."""
        return self._stored() or self.read()

    def _stored(self) -> RuleSet | None:
        with self._store.read() as connection:
            found = rulesets.last(connection)
        return None if found is None else load(found[1], self._currency, self._calendar)

    def _keep(self, rules: RuleSet, now: Instant) -> None:
        with self._store.read() as connection:
            found = rulesets.last(connection)
        if found is None or found[0] != rules.version:
            with self._store.write() as connection:
                rulesets.keep(connection, rules.version, rules.files, now)
