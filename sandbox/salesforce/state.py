"""One imitated org: its settings, its database, who is logged in, what was used of the allowance, and open query cursors."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from sandbox.clock import DAY, SECOND, ScenarioClock
from sandbox.salesforce import ids
from sandbox.salesforce.bulk import Jobs
from sandbox.salesforce.changeevents import EventLog, Listener
from sandbox.salesforce.grants import Grants
from sandbox.salesforce.hands import Hands
from sandbox.salesforce.history import History
from sandbox.salesforce.merging import follow_merges
from sandbox.salesforce.org import Org
from sandbox.salesforce.queryfaults import QueryFault
from sandbox.salesforce.relations import DirectRelations
from sandbox.salesforce.settings import RowFault, Rule, Settings
from sandbox.salesforce.soql.run import Result
from sandbox.salesforce.switches import Switches
from sandbox.salesforce.usage import Usage
from sandbox.versions import Change, VendorStore

__all__ = ["Cursor", "RowFault", "Rule", "Session", "Settings", "State", "new_state", "new_store"]

CURSOR_LIFE = 2 * DAY
"""Query cursors live two days (apicursors page of the developer guide)."""


@dataclass
class Session:
    """One access token; `ends_at` None never ends."""

    token: str
    ends_at: int | None
    calls_left: int | None = None
    """Requests until it dies; None for as many as anybody likes."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """An open query: its rows in order and how many go on a page."""

    result: Result
    page: int
    ends_at: int


@dataclass
class State(Hands):
    """Everything the app needs. Build it with `new_state`; take `store.lock` for a whole request."""

    settings: Settings
    store: VendorStore
    org: Org
    usage: Usage
    sessions: dict[str, Session]
    cursors: dict[str, Cursor] = field(default_factory=dict)
    row_faults: list[RowFault] = field(default_factory=list)
    schema_changed_at: int = 0
    """When describe last changed, for If-Modified-Since."""
    switches: Switches = field(default_factory=Switches)
    query_faults: list[QueryFault] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    """Validation rules of the org."""
    no_bulk: set[str] = field(default_factory=set)
    """Objects that query jobs refuse, besides those that the vendor names."""
    forgotten: dict[str, int] = field(default_factory=dict)
    """Object -> the instant before which /deleted remembers nothing."""
    serial: int = 0
    bulk: Jobs = field(init=False)
    grants: Grants = field(init=False)
    history: History = field(init=False)
    events: EventLog = field(init=False)
    relations: DirectRelations = field(init=False)
    listeners: dict[str, Listener] = field(default_factory=dict)
    """Clients of the Streaming API by their ids; clear it and they are unknown."""
    tokens_under_way: set[str] = field(default_factory=set)
    """Refresh tokens whose request is being worked on."""

    def __post_init__(self) -> None:
        self.bulk = Jobs(self.store.clock, self.switches)
        self.grants = Grants(self.settings.client_secret, self.end_session)
        self.grants.open(self.settings.refresh_token)
        self.history = History(self.org)
        self.events = EventLog(self.org)
        self.relations = DirectRelations(self.org)
        self.org.tracked = self.history.tracks

    @property
    def now(self) -> int:
        """The time by the vendor's own clock, which may be off from the scenario's."""
        return self.store.now()

    def load(self, changes: Iterable[Change]) -> None:
        """Queue the world's changes; each becomes visible `commit_delay` after its stamp."""
        if not self.settings.commit_delay:
            self.store.load(changes)
            return
        for change in changes:
            if change.vendor == self.store.vendor:
                self.store.schedule(change, change.at + self.settings.commit_delay)

    def new_token(self) -> str:
        """A session of the usual life; where only one may live, the others end."""
        if self.switches.one_session:
            self.revoke_sessions()
        self.serial += 1
        secret = hashlib.sha256(f"{self.settings.client_secret}:{self.serial}".encode()).hexdigest()
        token = f"{self.settings.org_id[:15]}!AQ{secret[:40]}"
        self.sessions[token] = Session(token, self.now + self.settings.session_life, self.switches.session_calls)
        return token

    def authorize(self) -> dict[str, str]:
        """A person logs in and approves the client: access and refresh token."""
        with self.store.lock:
            grant, session = self.grants.open(), self.new_token()
            grant.sessions.append(session)
            return {"access_token": session, "refresh_token": grant.current}

    def end_session(self, token: str) -> None:
        """End one session; unknown ones are ended already."""
        self.sessions.pop(token, None)

    def revoke_sessions(self) -> None:
        """End every session but the fixed one."""
        fixed = self.settings.access_token
        self.sessions = {token: session for token, session in self.sessions.items() if token == fixed}

    def expire_cursors(self) -> None:
        """Every open query cursor dies now: INVALID_QUERY_LOCATOR for its next page."""
        self.cursors.clear()

    def open_cursor(self, result: Result, page: int) -> str:
        """Keep a query's rows for its next pages; forgets cursors that are too old."""
        self.cursors = {name: c for name, c in self.cursors.items() if c.ends_at > self.now}
        self.serial += 1
        name = ids.make("01g", self.serial)
        self.cursors[name] = Cursor(result, page, self.now + CURSOR_LIFE)
        return name


def new_store(clock: ScenarioClock) -> VendorStore:
    """An empty database as Salesforce keeps one: whole seconds, and a delete moves SystemModstamp."""
    return VendorStore("salesforce", clock, resolution=SECOND, delete_moves_stamp=True)


def new_state(store: VendorStore, settings: Settings | None = None) -> State:
    """An org over a store, with its Organization row and the integration user that tierd logs in as."""
    chosen = settings or Settings()
    clock = store.clock
    org = Org(store, chosen.user_id)
    org.hidden |= {"ActivityUsrConnectionStatus", "UserEmailCalendarSync"}
    if not chosen.shared_activities:
        org.hidden.add("TaskRelation")
    state = State(
        settings=chosen,
        store=store,
        org=org,
        usage=Usage(clock, chosen.daily_limit),
        sessions={chosen.access_token: Session(chosen.access_token, None)},
        schema_changed_at=clock.now(),
    )
    with store.lock:
        _found(state)
        follow_merges(org)
    return state


def _found(state: State) -> None:
    settings = state.settings
    rows: dict[tuple[str, str], dict[str, object]] = {
        ("Organization", settings.org_id): {
            "Name": "tierd demo",
            "Country": "US",
            "DefaultLocaleSidKey": "en_US",
            "TimeZoneSidKey": "Etc/UTC",
            "LanguageLocaleKey": "en_US",
            "FiscalYearStartMonth": 1,
            "OrganizationType": "Enterprise Edition",
            "InstanceName": "SBX1",
        },
        ("User", settings.user_id): {
            "Username": settings.username,
            "LastName": "Integration",
            "FirstName": "tierd",
            "Email": settings.username,
            "Alias": "tierd",
            "IsActive": True,
            "TimeZoneSidKey": "Etc/UTC",
            "UserType": "Standard",
        },
    }
    for (name, row_id), fields in rows.items():
        if state.store.get(name, row_id) is None:
            state.store.apply(Change(state.now, state.store.vendor, "create", name, row_id, fields))
