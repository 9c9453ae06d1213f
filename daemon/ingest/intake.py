"""Everything that comes in instead of being fetched: pushes, webhooks and change events, put together."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import structlog
from prometheus_client.registry import Collector
from sqlalchemy.exc import OperationalError

from connectors.hints import Hints
from connectors.hubspot.hints import HubSpotHints
from daemon.config import Config
from daemon.config.settings import HubSpotSource
from daemon.ingest.hintdesk import HintDesk
from daemon.ingest.pushes import Pushes
from daemon.ingest.server import IngestServer
from daemon.run import Service
from daemon.sources import Sources
from daemon.workers import Worker
from store.engine import Store
from store.records import Clock

_log = structlog.get_logger(__name__)
_PATIENCE = 30.0


class Intake:
    """Nothing listens unless `ingest`, or the `hints` of a source, are configured."""

    def __init__(
        self,
        config: Config,
        clock: Clock,
        store: Store,
        sources: Sources,
        *,
        derive: Callable[[], object],
        wake: Callable[[str], None],
    ) -> None:
        """`derive()` works off what pushes leave; `wake(source)` makes a source's worker look at its schedule."""
        self._config, self._clock, self._sources = config, clock, sources
        hints: dict[str, Hints] = {name: crm.hints for name, crm in config.crms.items() if crm.hints is not None}
        self.desk = HintDesk(store, clock, hints, wake)
        self.pushes = Pushes(store, clock, derive)
        self.server: IngestServer | None = None
        if config.ingest is not None:
            self.server = IngestServer(
                config.ingest,
                clock,
                pushes=self.pushes,
                feeds={name: feed for name, feed in config.feeds.items() if feed.push},
                desk=self.desk,
                hints=dict(self._webhooks()),
            )

    def _webhooks(self) -> list[tuple[str, tuple[HubSpotHints, int | None]]]:
        crms = [(name, crm) for name, crm in self._config.crms.items() if isinstance(crm, HubSpotSource)]
        return [(name, (crm.hints, crm.portal_id)) for name, crm in crms if crm.hints is not None]

    def workers(self) -> list[Worker]:
        """The thread that derives after pushes."""
        pushed = any(feed.push for feed in self._config.feeds.values())
        return [Worker("ingest", self._clock, self.pushes.loop, self.pushes.wake)] if pushed else []

    def services(self) -> list[Service]:
        """The listener, and one thread per org whose change events are listened to."""
        found: list[Service] = [] if self.server is None else [self.server]
        for name in self._config.crms:
            events = self._sources.change_events(name, partial(self._hinted, name))
            if events is not None:
                found.append(events)
        return found

    def collectors(self) -> list[Collector]:
        """Numbers for the metrics page."""
        return [] if self.server is None else [self.server.counts]

    def _hinted(self, source: str) -> None:
        try:
            self.desk.take(source, patience=_PATIENCE)
        except OperationalError as error:
            _log.warning("a hint was lost: the store has no turn for it", source=source, error=type(error).__name__)
