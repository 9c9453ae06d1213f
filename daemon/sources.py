"""Open configured sources: one line per kind; a vendor's kit is imported only when its source is used."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from connectors.http import Finding, Preview
from connectors.hubspot.limits import Limiters
from connectors.means import Means
from daemon.config import Config
from daemon.config.settings import DEFAULT_EVERY, HubSpotSource, SalesforceSource, UsageSource
from daemon.schedule import Trigger
from daemon.sync import Connector
from daemon.tokens import file_keep, keyring_keep
from daemon.writeback import TierWriter
from store import runs
from store.engine import Store
from store.ids import known_rows
from store.migrate import current
from store.records import DAY, Clock, Instant, KnownRow

if TYPE_CHECKING:
    from daemon.map.candidates import Explorer


class Listener(Protocol):
    """Something that hears of changes as they happen, on a thread of its own."""

    def start(self) -> None:
        """Listen from now on."""
        ...

    def stop(self) -> None:
        """Listen no longer."""
        ...


class CheckedConnector(Connector, Protocol):
    """A connector that can also look before it reads."""

    def check(self) -> Sequence[Finding]:
        """Permissions, fields, tenant."""
        ...

    def permissions(self) -> Sequence[tuple[str, str]]:
        """(permission, why) as an administrator grants them."""
        ...

    def preview(self) -> Preview:
        """What a first sync would cost."""
        ...


@runtime_checkable
class Explorable(Protocol):
    """A connector of a CRM."""

    @property
    def explorer(self) -> Explorer:
        """For looking around."""
        ...


class ClosedAfterUse(TierWriter, Protocol):
    """A writer with connections to give back."""

    def close(self) -> None:
        """Close the connections."""
        ...


class Sources:
    """The sources of one configuration. A connector is used by one thread at a time: its source's worker."""

    def __init__(self, config: Config, clock: Clock, store: Store) -> None:
        self._config = config
        self._clock = clock
        self._store = store
        self._opened: dict[str, CheckedConnector] = {}
        self._writers: dict[str, ClosedAfterUse] = {}
        self._portals = Limiters()  # readers and writers of one portal wait in one queue

    def names(self) -> tuple[str, ...]:
        """Every source, in the order of precedence."""
        return tuple(self._config.sources)

    def read_ones(self) -> tuple[str, ...]:
        """Those that are read on a schedule: all but the feeds that are only pushed."""
        pushed = {name for name, feed in self._config.feeds.items() if feed.push and not feed.accounts}
        return tuple(name for name in self._config.sources if name not in pushed)

    def trigger(self, name: str) -> Trigger:
        """When the source is read."""
        source = self._config.sources[name]
        return source.trigger(DEFAULT_EVERY[source.kind])

    def interval(self, name: str) -> Instant:
        """Microseconds between two reads."""
        source = self._config.sources[name]
        return source.interval(DEFAULT_EVERY[source.kind])

    def reader(self, name: str) -> CheckedConnector:
        """The source's connector, kept open: its session and its tokens serve the next sync too."""
        if name not in self._opened:
            self._opened[name] = self._open(name)
        return self._opened[name]

    def explorer(self, name: str) -> Explorer:
        """How one CRM is looked around in."""
        opened = self.reader(name)
        assert isinstance(opened, Explorable), f"{name} is no CRM"
        return opened.explorer

    def sweeps(self, name: str) -> Mapping[str, tuple[Trigger, Instant]]:
        """What is read apart from the increments: when, and microseconds between two runs; no call is made for this."""
        source = self._config.sources[name]
        default = DEFAULT_EVERY[source.kind]
        return {sweep: source.no_faster(every, default) for sweep, every in self.reader(name).sweeps().items()}

    def close(self) -> None:
        """Close every connector."""
        while self._opened:
            self._opened.popitem()[1].close()
        while self._writers:
            self._writers.popitem()[1].close()

    def writers(self) -> Mapping[str, TierWriter]:
        """The writing side of every CRM that has a tier field; none while write-back is not enabled."""
        if not self._config.writeback.enabled:
            return {}
        return {name: self.writer(name) for name, source in self._config.crms.items() if source.tier is not None}

    def writer(self, name: str) -> TierWriter:
        """The writing side of one CRM, kept open like the reading one."""
        if name not in self._writers:
            self._writers[name] = self._open_writer(name)
        return self._writers[name]

    def _open_writer(self, name: str) -> ClosedAfterUse:
        match self._config.sources[name]:
            case SalesforceSource() as settings:
                from connectors.salesforce.connector import SalesforceConnector, writer

                reader = self.reader(name)
                assert isinstance(reader, SalesforceConnector)
                return writer(settings, self._clock, self._means(name), beside=reader)
            case HubSpotSource() as settings:
                from connectors.hubspot.connector import writer as hubspot_writer

                return hubspot_writer(settings, self._clock, self._means(name), self._portals)
        raise KeyError(f"{name} is no CRM")

    def _open(self, name: str) -> CheckedConnector:
        match self._config.sources[name]:
            case SalesforceSource() as source:
                from connectors.salesforce.connector import SalesforceConnector

                return SalesforceConnector(source, self._clock, self._means(name), partial(self._known, name))
            case HubSpotSource() as source:
                from connectors.hubspot.connector import HubSpotConnector

                return HubSpotConnector(
                    source, self._clock, partial(self._known, name), self._means(name), self._portals
                )
            case UsageSource() as source:
                from connectors.usage.connector import UsageConnector

                return UsageConnector(source, self._clock, self._config.folder)

    def change_events(self, name: str, on_hint: Callable[[], None]) -> Listener | None:
        """What listens to an org's change events, where it is configured to."""
        source = self._config.sources[name]
        if not isinstance(source, SalesforceSource) or source.hints is None:
            return None
        from connectors.salesforce.hints import ChangeEvents
        from connectors.salesforce.session import opened

        return ChangeEvents(source.hints, opened(source, self._clock, self._means(name)), self._clock, on_hint)

    def _means(self, name: str) -> Means:
        """What the source's connectors are handed down."""
        folder = self._config.data_folder
        keep = keyring_keep if self._config.tokens == "keyring" else file_keep
        return Means(
            keep=keep(folder, name, self._clock),
            write_keep=keep(folder, f"{name}.write", self._clock),
            spent=partial(self._spent, name),
            spool=folder,
        )

    def _spent(self, name: str) -> int:
        if current(self._store) is None:
            return 0  # looking around before the first sync: there are no tables yet
        with self._store.read() as connection:
            return runs.calls_since(connection, name, self._clock.now() - DAY)

    def _known(
        self, name: str, kind: str, activity: str | None = None, *, prefix: str = "", checked: bool = False
    ) -> Iterator[KnownRow]:
        with self._store.read() as connection:
            yield from known_rows(connection, name, kind, activity=activity, prefix=prefix, checked=checked)
