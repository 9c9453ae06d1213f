"""Slack in both directions: the deliverer of the outbox, and the buttons that come back through Socket Mode."""

from __future__ import annotations

from collections.abc import Callable

from alerts.slack import SlackSender
from alerts.socket import SlackSocket
from daemon.alerting import AlertPolicy, alert_rules
from daemon.config import Config
from daemon.deliver import Deliverer
from daemon.interactions import Interactions
from daemon.rulefiles import Rules
from daemon.run import Service
from daemon.workers import Worker
from store.engine import Store
from store.records import Clock


class Talk:
    """Without a `slack` section nothing is sent: messages wait in the store."""

    def __init__(
        self,
        config: Config,
        clock: Clock,
        store: Store,
        rules: Rules,
        policy: AlertPolicy,
        *,
        derive: Callable[[], object] = lambda: None,
    ) -> None:
        self._settings = config.slack
        self._clock = clock
        self._store = store
        self._rules = rules
        self._policy = policy
        self._derive = derive
        self.sender: SlackSender | None = None
        self.deliverer: Deliverer | None = None
        if config.slack is not None:
            self.sender = SlackSender(config.slack)
            self.deliverer = Deliverer(store, self.sender, clock, config.slack)

    def wake(self) -> None:
        """There may be something new to send."""
        if self.deliverer is not None:
            self.deliverer.wake.set()

    def workers(self) -> list[Worker]:
        """The thread that sends."""
        if self.deliverer is None:
            return []
        return [Worker("deliverer", self._clock, self.deliverer.loop, self.deliverer.wake)]

    def services(self) -> list[Service]:
        """The connection on which buttons come in; it lives in real time and beside the workers."""
        settings, sender = self._settings, self.sender
        if settings is None or sender is None or settings.app_token is None:
            return []
        taken = Interactions(
            self._store,
            sender,
            self._clock,
            self._policy,
            settings=settings,
            book=lambda: alert_rules(self._rules.forgiving(self._clock.now())[0], self._policy),
            wake=self.wake,
            derive=self._derive,
        )
        return [SlackSocket(settings, taken.keep, lambda: _apply(taken))]


def _apply(taken: Interactions) -> None:
    taken.apply()
