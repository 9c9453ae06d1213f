"""The results page: what was measured, on what, and the ratios that matter."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy

from bench.rules.measure import DIRTY, Figures, ruleset
from bench.rules.peers import PEERS, Measured
from store.engine import Store

_TITLES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
_HEAD = """# Facts and rules: a large portfolio, beside SQL by hand and rule libraries

Written by `python -m bench.rules`, all in one run: {machine}. SQLAlchemy {sqlalchemy}; {databases}{beside}.
PostgreSQL runs with {settings}, and like SQLite's file it lies on the same disk; its `fsync` is off, SQLite's
`synchronous` is FULL as in the product.

{accounts:,} accounts, ten activities and three contacts each on average, weekly usage of one account in five; the
{rules} rules are `bench/rules/rules.yaml`. Findings: {findings}. What is measured is what the daemon does: facts by
`daemon.facts.refresh`, rules by `daemon.evaluate.evaluate`, each with everything it writes. Seconds by the clock, the
best of several rounds in {sittings} sittings, but for facts of all and backtests; in brackets CPU seconds of the process,
which on PostgreSQL leaves the server out.
"""


@dataclass
class Compared:
    """The rule libraries."""

    peers: list[Measured] = field(default_factory=list)
    different: dict[str, Mapping[str, int]] = field(default_factory=dict)
    """Library -> rule -> findings that only one of us has."""
    found: dict[str, int] = field(default_factory=dict)
    """Library -> findings that we have of the accounts it was asked about."""


@dataclass(frozen=True)
class Part:
    """What was measured on one database."""

    version: str
    figures: Figures
    compared: Compared


@dataclass
class Page:
    """Everything the page tells; figures by database."""

    accounts: int
    backtest: int
    settings: Mapping[str, str]
    overlap: bool = False
    figures: dict[str, Figures] = field(default_factory=dict)
    databases: dict[str, str] = field(default_factory=dict)
    compared: Compared = field(default_factory=Compared)

    def take(self, database: str, part: Part) -> None:
        """Add what was measured on a database."""
        self.figures[database], self.databases[database] = part.figures, part.version
        if part.compared.peers:
            self.compared = part.compared

    def text(self) -> str:
        """The page as Markdown."""
        parts = [self._head(), self._targets(), "## Everything\n\n" + self._everything(), self._by_hand()]
        if self.compared.peers:
            parts.append(self._libraries())
        return "\n".join(parts)

    def _head(self) -> str:
        first = next(iter(self.figures.values()))
        return _HEAD.format(
            machine=machine(),
            sqlalchemy=sqlalchemy.__version__,
            databases=", ".join(self.databases.values()),
            beside=", one after the other" + (", each backtest while the next was measured" if self.overlap else ""),
            settings=", ".join(f"`{name}` {value}" for name, value in self.settings.items()),
            accounts=self.accounts,
            rules=len(ruleset().rules),
            sittings=len(PEERS),
            findings=f"{first.counts.get('fires', 0):,} fire, {first.counts.get('unknown', 0):,} cannot be decided",
        )

    def _wall(self, database: str, what: str) -> float | None:
        took = self.figures[database].took.get(what)
        return None if took is None else took.wall

    def _ratio(self, database: str, what: str) -> float | None:
        ours, hand = self._wall(database, f"rules, {what}"), self._wall(database, f"by hand, {what}")
        return None if ours is None or not hand else ours / hand

    def _few(self) -> str:
        return f"{min(DIRTY, self.accounts):,} touched"

    def _targets(self) -> str:
        rows = []
        for name in self.figures:
            ratio = self._ratio(name, "all findings new")
            rows.append((f"{_TITLES[name]}: all rules on all accounts, against SQL by hand", "1.5 x", _times(ratio)))
        full = self._wall("sqlite", "rules, all findings new") if "sqlite" in self.figures else None
        estimates = [self._estimate(peer) for peer in self.compared.peers if not peer.failure]
        if full and estimates:
            rows.append(
                ("the fastest rule library (extrapolated), against ours", "20 x or more", _times(min(estimates) / full))
            )
        for name in self.figures:
            limit = "50 ms" if name == "sqlite" else ""
            took = self._wall(name, f"rules, {self._few()}")
            rows.append((f"{_TITLES[name]}: rules of {self._few()} accounts", limit, _milliseconds(took)))
        for name in self.figures:
            took = self._wall(name, f"facts, {self._few()}")
            rows.append((f"{_TITLES[name]}: facts of {self._few()} accounts", "100 ms", _milliseconds(took)))
            least = self._wall(name, f"rows merely read, {self._few()}")
            rows.append(
                (f"{_TITLES[name]}: merely to read the rows of these, nothing calculated", "", _milliseconds(least))
            )
        return "## Targets\n\n" + _table(("what", "target", "measured"), rows)

    def _everything(self) -> str:
        names = list(dict.fromkeys(what for figures in self.figures.values() for what in figures.took))
        rows = []
        for what in names:
            cells = [what + (f", {self.backtest:,} accounts" if what.startswith("backtest") else "")]
            for figures in self.figures.values():
                took = figures.took.get(what)
                cells.append("" if took is None else f"{took.wall:.3f} ({took.cpu:.3f})")
            rows.append(tuple(cells))
        return _table(("seconds", *(_TITLES[name] for name in self.figures)), rows)

    def _by_hand(self) -> str:
        rows = [
            (what, *(_times(self._ratio(name, what)) for name in self.figures))
            for what in ("all findings new", "nothing changed", self._few())
        ]
        said = (
            "Ours divided by SQL by hand (`bench/rules/handwritten.py`): the same rows in an equal table, upsert and"
            " resolution included, compared row by row and value by value of the evidence.\n\n"
        )
        return "## Against SQL by hand\n\n" + said + _table(("", *(_TITLES[name] for name in self.figures)), rows)

    def _estimate(self, peer: Measured) -> float:
        return peer.seconds * self.accounts / peer.accounts

    def _libraries(self) -> str:
        full = self._wall("sqlite", "rules, all findings new") or 0.0
        rows = []
        for peer in self.compared.peers:
            if peer.failure:
                rows.append((peer.library, peer.version, "", peer.failure, "", "", ""))
                continue
            wrong = self.compared.different.get(peer.library, {})
            same = "the same" if not wrong else "; ".join(f"{rule}: {count} others" for rule, count in wrong.items())
            estimate = self._estimate(peer)
            rows.append((
                peer.library, peer.version, f"{peer.accounts:,}", f"{peer.seconds:.2f}", f"{estimate:,.0f}",
                _times(estimate / full if full else None),
                f"{same}, of {self.compared.found.get(peer.library, 0):,}{'' if len(peer.found or ()) > 1 else ' that fire'}",
            ))  # fmt: skip
        said = (
            "Each library in an environment of its own, on a sample of the same facts in SQLite: rows read, rules asked,"
            " findings with evidence written into an equal table. A library knows two truths: each rule is given twice, and"
            " asked whether it is possible, then whether it fires; what is possible and does not fire cannot be decided."
            " (durable-rules comes to no end with what is possible: it finds only what fires.)"
            " Severities and reasons are ours alone. **The seconds for all accounts are extrapolated in proportion.**\n\n"
        )
        head = ("library", "version", "accounts", "seconds", "all accounts, extrapolated", "against ours", "findings")
        return "## Rule libraries, row by row\n\n" + said + _table(head, rows)


def machine() -> str:
    """What it ran on."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    model = next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine()
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**30
    return f"{os.cpu_count()} cores ({model}), {memory} GiB, Python {platform.python_version()}"


def version_of(store: Store) -> str:
    """The database and its version."""
    with store.read() as connection:
        query = "SELECT sqlite_version()" if store.is_sqlite else "SHOW server_version"
        found = str(connection.exec_driver_sql(query).scalar_one()).split()[0]
    return f"{'SQLite' if store.is_sqlite else 'PostgreSQL'} {found}"


def _times(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:,.2f} x" if ratio < 10 else f"{ratio:,.0f} x"


def _milliseconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds * 1_000:.0f} ms"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    marks = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, marks, *rows)) + "\n"
