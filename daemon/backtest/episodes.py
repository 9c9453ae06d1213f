"""The alerts that a rule would have raised on a grid of instants, by the same state machine that raises the real ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from alerts.lifecycle import OPEN_STATES, Hold, Outcome, Seen, close, rank, step
from rules.language.evaluate import Row
from rules.language.model import Rule
from store.records import AlertRow, Instant


@dataclass(frozen=True, slots=True)
class Customer:
    """What the portfolio knew of a customer at an instant; `arr` in minor units."""

    arr: int | None
    csm: str | None


@dataclass(frozen=True, slots=True)
class Said:
    """What the rule said of one account at an instant, and the facts it said it from (empty where nobody asks for them)."""

    fires: bool
    severity: str
    reason: str | None
    row: Row


@dataclass(slots=True)
class Episode:
    """One alert. `closed_at` None: still open at the last point. `severity` is the highest it reached."""

    account: int
    fired_at: Instant
    severity: str
    customer: Customer
    row: Row
    closed_at: Instant | None = None


@dataclass(slots=True)
class Watch:
    """Follows one rule over the grid. Instants must be given in rising order."""

    rule: Rule
    episodes: list[Episode] = field(default_factory=list)
    _alerts: dict[int, AlertRow] = field(default_factory=dict)
    _open: dict[int, Episode] = field(default_factory=dict)

    def see(self, at: Instant, said: Mapping[int, Said], customers: Mapping[int, Customer]) -> None:
        """One instant: `said` has the accounts on which the rule fires or is unknown, of all others it is false."""
        opened = (account for account, alert in self._alerts.items() if alert.state in OPEN_STATES)
        for account in sorted({*said, *opened}):
            self._one(account, at, said.get(account), customers.get(account))

    def _one(self, account: int, at: Instant, said: Said | None, customer: Customer | None) -> None:
        hold = Hold(self.rule.for_us, self.rule.keep_firing_us)
        had = self._alerts.get(account)
        if customer is None:
            after = None if had is None else close(had, "account_gone", "no customer any more", at)
        else:
            after = step(had, self._seen(account, said), at, hold)
        if after is None or after.alert is None:
            return
        self._alerts[account] = after.alert
        kinds = {transition.kind for transition in after.transitions}
        if kinds & {"fired", "reopened"} and customer is not None and said is not None:
            self._fired(account, at, said, customer, again="reopened" in kinds)
        episode = self._open.get(account)
        if episode is None:
            return
        episode.severity = max(episode.severity, after.alert.severity, key=rank)
        if after.alert.state not in OPEN_STATES:
            episode.closed_at = at

    def _fired(self, account: int, at: Instant, said: Said, customer: Customer, *, again: bool) -> None:
        before = self._open.get(account)
        if again and before is not None:
            before.closed_at = None
            return
        self._open[account] = Episode(account, at, said.severity, customer, said.row)
        self.episodes.append(self._open[account])

    def _seen(self, account: int, said: Said | None) -> Seen:
        if said is None:
            return Seen(self.rule.name, account, Outcome.FALSE, self.rule.version)
        outcome = Outcome.TRUE if said.fires else Outcome.UNKNOWN
        return Seen(self.rule.name, account, outcome, self.rule.version, said.severity, reason=said.reason)


def by_account(episodes: Iterable[Episode]) -> dict[int, list[Episode]]:
    """The alerts of each account, in the order in which they fired."""
    found: dict[int, list[Episode]] = {}
    for episode in episodes:
        found.setdefault(episode.account, []).append(episode)
    return found
