"""One imitated org: its settings, its database, who is logged in, what was used of the allowance, and open query cursors."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from sandbox.clock import DAY, HOUR, SECOND, ScenarioClock
from sandbox.generated import GeneratedTable
from sandbox.salesforce import ids, wire
from sandbox.salesforce.bulk import Jobs
from sandbox.salesforce.changeevents import EventLog, Listener
from sandbox.salesforce.errors import over_limit, too_many_at_once
from sandbox.salesforce.grants import Grants
from sandbox.salesforce.history import History
from sandbox.salesforce.merging import follow_merges
from sandbox.salesforce.org import Getter, Org
from sandbox.salesforce.queryfaults import QueryFault
from sandbox.salesforce.soql.run import Result
from sandbox.salesforce.switches import Switches
from sandbox.versions import At, Change, On, Row, VendorStore

CURSOR_LIFE = 2 * DAY
"""Query cursors live two days (apicursors page of the developer guide)."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What an org's owner decides, and how the vendor behaves where that is not known. Durations in microseconds."""

    client_id: str = "3MVG9sandbox.tierd.external.client.app"
    client_secret: str = "8C0FFEE5A11DB0A7"
    username: str = "integration@tierd-demo.example"
    public_key: str = ""
    """PEM of the certificate's public key for the JWT bearer flow; empty refuses that flow."""
    access_token: str = "00DHs0000000001!sandbox.fixed.token"
    """A session that never ends, for tools that want no OAuth."""
    refresh_token: str = "5Aep861sandbox.first.refresh.token"
    """What the web flow gave an administrator who then set up the client; good for one use."""
    org_id: str = "00DHs0000000001MAA"
    user_id: str = "005Hs0000000001IAA"
    session_life: int = 2 * HOUR
    """From the last use in its second half, as the vendor counts inactivity."""
    daily_limit: int = 100_000
    """API calls in any 24 hours."""
    commit_delay: int = 0
    """How long after its stamp a change of the world becomes visible; measured on real orgs: 1 to 3 s."""
    shared_activities: bool = True
    """Without it there is no TaskRelation."""
    relation_query_all: Literal["refuse", "as_query"] = "refuse"
    """EmailMessageRelation's list of calls has no queryAll; what a call to it does is not documented."""


Breaks = Callable[[Mapping[str, object]], bool]


@dataclass(frozen=True, slots=True)
class Rule:
    """A validation rule: a row of `object` for which `breaks` holds after a write is refused with `message`.

    `breaks` is given all fields of the row as they would be. With `field`, the message stands beside that field.
    """

    object: str
    message: str
    breaks: Breaks
    field: str | None = None


@dataclass(frozen=True, slots=True)
class RowFault:
    """A scripted refusal of single rows: the next `times` writes to a row of `ids` (empty: any row) of `object`."""

    code: str
    message: str
    object: str = "Account"
    ids: frozenset[str] = frozenset()
    times: int = 1
    fields: tuple[str, ...] = ()


@dataclass
class Session:
    """One access token; `ends_at` None never ends."""

    token: str
    ends_at: int | None


@dataclass(frozen=True, slots=True)
class Cursor:
    """An open query: its rows in order and how many go on a page."""

    result: Result
    page: int
    ends_at: int


class Usage:
    """API calls of the last 24 hours, by the scenario's clock."""

    def __init__(self, clock: ScenarioClock, limit: int) -> None:
        self.limit = limit
        self.crowded = 0
        """So many requests are yet to be refused because too many long ones run."""
        self._clock = clock
        self._calls: deque[tuple[int, int]] = deque()
        self._used = 0

    @property
    def used(self) -> int:
        """Calls in the window that ends now."""
        oldest = self._clock.now() - DAY
        while self._calls and self._calls[0][0] <= oldest:
            self._used -= self._calls.popleft()[1]
        return self._used

    def take(self) -> None:
        """Count one call. REQUEST_LIMIT_EXCEEDED when none is left, or while too many are under way."""
        if self.crowded:
            self.crowded -= 1
            raise too_many_at_once()
        if self.used >= self.limit:
            raise over_limit()
        self.add(1)

    def add(self, calls: int) -> None:
        """Count calls without asking whether there are any left."""
        now = self._clock.now()
        if self._calls and self._calls[-1][0] == now:
            self._calls[-1] = (now, self._calls[-1][1] + calls)
        else:
            self._calls.append((now, calls))
        self._used += calls

    def put(self, used: int, limit: int | None = None) -> None:
        """Set what other clients and we have used in the last 24 hours, and the allowance; it all lapses in 24 hours."""
        self._calls.clear()
        self._used = 0
        self.limit = self.limit if limit is None else limit
        self.add(used)


@dataclass
class State:
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
        self.org.tracked = self.history.tracks

    @property
    def now(self) -> int:
        """The time by the vendor's own clock, which may be off from the scenario's."""
        return self.store.now()

    def hide(self, *names: str) -> None:
        """Take objects (`Case`) or fields (`Account.ARR__c`) out of the caller's sight; describe changes with it."""
        self.org.hidden.update(names)
        self._seen_anew(names)

    def show(self, *names: str) -> None:
        """The opposite of `hide`."""
        self.org.hidden.difference_update(names)
        self._seen_anew(names)

    def _seen_anew(self, names: Iterable[str]) -> None:
        if self.switches.sight_moves_describe:
            for name in names:
                self.org.changed[name.partition(".")[0]] = self.now

    def unfilter(self, *names: str) -> None:
        """Make fields (`Task.SystemModstamp`) refuse filters, as describe then says."""
        self.org.unfilterable.update(names)
        self._seen_anew(names)

    def formula(self, object_name: str, field_name: str, getter: Getter) -> None:
        """Compute a field from its row whenever it is read; SystemModstamp does not move when the result does."""
        sobject = self.org.catalogue.objects[object_name]
        known = sobject.by_name[field_name.lower()]
        if known.formula is None:
            changes: dict[str, object] = {"formula": "/* of the org */", "createable": False, "updateable": False}
            self.org.catalogue.alter(object_name, field_name, **changes)
        self.org.formulas[(object_name, known.name)] = getter

    def stored(self, object_name: str, values: Mapping[str, object]) -> dict[str, object]:
        """JSON values as the database keeps them: days and instants are told from text by the field's type."""
        sobject = self.org.catalogue.objects[object_name]
        kept: dict[str, object] = {}
        for name, value in values.items():
            kind = sobject.by_name[name.lower()].type
            day = wire.parse_date(value) if kind == "date" and isinstance(value, str) else None
            instant = wire.parse_stamp(value) if kind == "datetime" and isinstance(value, str) else None
            kept[name] = On(day) if day is not None else At(instant) if instant is not None else value
        return kept

    def put(self, object_name: str, values: Mapping[str, object], row_id: str | None = None) -> str:
        """Create a row or change it without the checks of the API, stamped now; returns its id."""
        sobject = self.org.catalogue.objects[object_name]
        named = row_id or self.new_id(sobject.prefix or "000")
        self.store.upsert_by_api(object_name, named, self.stored(object_name, values))
        return named

    def shift(self, object_name: str, row_id: str, **values: object) -> None:
        """Change stored values and move no stamp, as a formula's result changes. KeyError if there is no such row."""
        with self.store.lock:
            table = self.store.table(object_name)
            row = table.rows[row_id]
            table.put(replace(row, fields={**row.fields, **values}))
            self.store.revision += 1

    def generate(
        self,
        object_name: str,
        count: int,
        fields: Callable[[int], Mapping[str, object]],
        at: int,
        per_second: int = 1000,
    ) -> None:
        """Fill an object with rows that are made on demand: `fields(n)` from n = 0, so many stamped alike from `at` on.

        Rows made later, changed or deleted lie over them. A query job over them keeps 8 bytes a row.
        """
        prefix = self.org.catalogue.objects[object_name].prefix or "000"
        start = at - at % SECOND

        def make(position: int) -> Row:
            stamp = start + position // per_second * SECOND
            return Row(ids.make(prefix, position + 1, "Ge"), fields(position), stamp, stamp, commit_at=stamp)

        def position(row_id: str) -> int | None:
            return ids.number(row_id) - 1 if row_id.startswith(f"{prefix}Ge") else None

        self.store.adopt(object_name, GeneratedTable(str, count, make, position))

    def lock_rows(self, *row_ids: str, times: int = 1) -> None:
        """The next `times` writes to each of these rows find it locked by somebody else (UNABLE_TO_LOCK_ROW)."""
        for row_id in row_ids:
            sobject = self.org.object_of(row_id)
            message = f"unable to obtain exclusive access to this record or 1 records: {row_id}"
            name = "" if sobject is None else sobject.name
            self.row_faults.append(RowFault("UNABLE_TO_LOCK_ROW", message, name, frozenset({row_id}), times))

    def einstein(self, on: bool, **accounts: str) -> None:
        """Turn Einstein Activity Capture on, with the mail addresses of connected users by user id, or off.

        Its objects then exist. Captured mails stay out of EmailMessage, Task and Event: that is what it means for readers.
        """
        names = ("ActivityUsrConnectionStatus", "UserEmailCalendarSync")
        if not on:
            self.hide(*names)
            return
        self.show(*names)
        for number, (user, address) in enumerate(sorted(accounts.items())):
            values = {"UserId": user, "EmailAddress": address, "ConnectivityStatus": "ACTIVE"}
            values |= {"ConfigurationName": "Default"}
            row_id = ids.make("5O0", number + 1)
            self.store.upsert_by_api(names[0], row_id, {**values, "IsTermsOfServiceAccepted": True})
            self.store.upsert_by_api(names[1], ids.make("0y9", number + 1), {"AssignedId": user})

    def load(self, changes: Iterable[Change]) -> None:
        """Queue the world's changes; each becomes visible `commit_delay` after its stamp."""
        if not self.settings.commit_delay:
            self.store.load(changes)
            return
        for change in changes:
            if change.vendor == self.store.vendor:
                self.store.schedule(change, change.at + self.settings.commit_delay)

    def purge(self, object_name: str, *row_ids: str) -> None:
        """Empty the recycle bin of these rows: gone from queryAll, still told by /deleted."""
        known = self.store.table(object_name).rows
        self.org.purged.update(row_id for row_id in row_ids if row_id in known)

    def empty_bin(self, object_name: str | None = None, row_ids: Iterable[str] | None = None) -> int:
        """Empty the recycle bin of all rows, of one object's, or of these; how many went."""
        with self.store.lock:
            self.store.catch_up()
            names = self.store.tables() if object_name is None else (object_name,)
            wanted = None if row_ids is None else set(row_ids)
            gone = {
                row.id
                for name in names
                for row in self.store.table(name).by_id(deleted=True)
                if wanted is None or row.id in wanted
            } - self.org.purged
            self.org.purged.update(gone)
            return len(gone)

    def delete(self, object_name: str, row_id: str) -> None:
        """Put a row in the recycle bin, now. KeyError if there is none."""
        self._at_once("delete", object_name, row_id)

    def undelete(self, object_name: str, row_id: str) -> None:
        """Take a row out of the recycle bin, now; /deleted no longer tells it. KeyError once the bin was emptied."""
        if row_id in self.org.purged:
            raise KeyError(row_id)
        self._at_once("restore", object_name, row_id)

    def merge(self, object_name: str, loser: str, winner: str) -> None:
        """Merge one row into another, now: the loser is deleted with MasterRecordId, its children move to the winner."""
        self._at_once("merge", object_name, loser, winner)

    def forget_deletions(self, object_name: str, before: int | None = None) -> None:
        """Purge the log behind /deleted up to an instant (now if None), as the vendor does when it grows too big (R6)."""
        self.forgotten[object_name] = self.now if before is None else before

    def _at_once(self, op: str, object_name: str, row_id: str, into: str = "") -> None:
        with self.store.lock:
            self.store.catch_up()
            self.store.apply(Change(self.now, self.store.vendor, op, object_name, row_id, into=into))

    def new_id(self, prefix: str) -> str:
        """The id of the next row that a client creates."""
        self.serial += 1
        return ids.make(prefix, self.serial, "Ap")

    def new_token(self) -> str:
        """A session of the usual life; where only one may live, the others end."""
        if self.switches.one_session:
            self.revoke_sessions()
        self.serial += 1
        secret = hashlib.sha256(f"{self.settings.client_secret}:{self.serial}".encode()).hexdigest()
        token = f"{self.settings.org_id[:15]}!AQ{secret[:40]}"
        self.sessions[token] = Session(token, self.now + self.settings.session_life)
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

    def commit_later(self, change: Change, commit_at: int) -> None:
        """Let a change carry the stamp `change.at` and become visible at `commit_at` only (R2)."""
        self.store.schedule(change, commit_at)

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
