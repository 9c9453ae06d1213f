"""The portfolio as it was at any instant, computed into tables of its own: what trying, comparing and backtesting rules stand on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection

from daemon.facts import Needs, refresh
from rules.facts import FactSettings
from rules.language.model import Rule, RuleSet
from store import facts
from store.engine import Store
from store.records import Instant
from store.scratch import Scratch, scratch
from store.status import evaluated_at


@dataclass(frozen=True, slots=True)
class Portfolio:
    """A connection on which the table of facts is the portfolio at `as_of`; `computed` False: that of the last evaluation."""

    connection: Connection
    as_of: Instant
    computed: bool


@contextmanager
def looking(
    store: Store, settings: FactSettings, as_of: Instant | None, now: Instant, rules: Iterable[Rule] = ()
) -> Iterator[Portfolio]:
    """The portfolio at `as_of`, with what the rules compare besides; only reads.

    None: as the last full evaluation left it. Where there was none, or where it had no use for a past distance or a rank
    that these rules ask for, it is computed at `now`.
    """
    needs = needs_of(rules)
    if as_of is None:
        with store.read() as connection:
            last = evaluated_at(connection)
            if last is not None and needs.stored(facts.statistics(connection)):
                yield Portfolio(connection, last, computed=False)
                return
    at = now if as_of is None else as_of
    with scratch(store) as apart:
        fill(apart, settings, at, needs)
        yield Portfolio(apart.connection, at, computed=True)


def needs_of(rules: Iterable[Rule]) -> Needs:
    """What these rules compare besides the facts of now, and nothing else."""
    return Needs.alone(RuleSet(tuple(rules), {}, {}, ""))


def fill(apart: Scratch, settings: FactSettings, as_of: Instant, needs: Needs) -> None:
    """Compute the portfolio at `as_of` into the snapshot's own tables, instead of what they held."""
    apart.clear()
    # No tier field is looked at: what people did to them by then is history already.
    refresh(apart, settings.model_copy(update={"tier_values": {}}), as_of, needs=needs)
