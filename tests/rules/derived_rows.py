"""Rows of the derived tables, put together by hand: what facts are computed from, and what the reference reads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, insert

from store.records import DAY, HOUR, Instant
from store.tables import metadata

NOW: Instant = 20_500 * DAY + 6 * HOUR
"""The instant that the tests evaluate: 06:00 UTC on 2026-02-16."""
TODAY = 20_500
LONG_AGO: Instant = NOW - 1_000 * DAY

Row = dict[str, Any]


def ago(days: float) -> Instant:
    """The instant `days` before NOW."""
    return NOW - round(days * DAY)


@dataclass
class Rows:
    """A store's content by table; parents come before children in the order of the metadata."""

    tables: defaultdict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))

    def add(self, table: str, **values: Any) -> Row:
        """One row of `table`."""
        self.tables[table].append(values)
        return values

    def save(self, conn: Connection) -> None:
        """Insert everything."""
        for table in metadata.sorted_tables:
            for row in self.tables.get(table.name, ()):
                conn.execute(insert(table).values(**row))

    def source(self, name: str = "salesforce", *, kind: str = "salesforce", interval: int = HOUR) -> str:
        """A source that was first synced long ago; `fresh` says how far its streams have come."""
        self.add("sources", source=name, kind=kind, interval_us=interval, first_synced_at=LONG_AGO)
        return name

    def _feed(self, name: str) -> None:
        """What rows come from is a source, too."""
        if name not in {row["source"] for row in self.tables["sources"]}:
            self.source(name, kind="usage")

    def fresh(self, source: str, stream: str, at: Instant | None, status: str = "ok") -> None:
        """One stream of a source was complete at `at`."""
        self.add("freshness", source=source, stream=stream, fresh_at=at, status=status)

    def account(self, *, customer: bool = True, csm: str | None = "csm@us.example", **fields: int | str) -> int:
        """An account, a customer since long ago; keyword arguments are mapped fields."""
        number = len(self.tables["accounts"]) + 1
        self.add("accounts", id=number, key=f"salesforce:{number}", name=f"Account {number}", created_at=LONG_AGO)
        self.field(number, "customer", int(customer))
        if csm is not None:
            self.field(number, "csm", csm)
        for name, value in fields.items():
            self.field(number, name, value)
        return number

    def field(
        self,
        account: int,
        name: str,
        value: int | str | None,
        *,
        since: Instant = LONG_AGO,
        until: Instant | None = None,
        source: str = "salesforce",
        history: str = "none",
    ) -> None:
        """A mapped field in force from `since` to `until`."""
        kind = {"num": value} if isinstance(value, int) else {"text": value}
        stamps = {"recorded_at": since, "valid_from": since, "valid_to": until}
        self.add("account_fields", account_id=account, field=name, source=source, history=history, **stamps, **kind)

    def link(self, account: int, source: str = "salesforce", *, row: str | None = None, **values: Any) -> str:
        """The CRM row that is the account."""
        ref = row or f"{source}-{account}"
        base = {
            "name": f"Account {account}",
            "fields": "{}",
            "payload": "",
            "account_id": account,
            "evaluated_id": account,
        }
        stamps = {"created_at": LONG_AGO, "modified_at": LONG_AGO}
        self.add("crm_accounts", source=source, id=ref, **(base | stamps | values))
        return ref

    def member(self, key: str = "csm@us.example", name: str = "Carla Csm") -> int:
        """One of our people."""
        number = len(self.tables["members"]) + 1
        self.add("members", id=number, key=key, name=name, email=key, active=1)
        return number

    def capture(self, member: int, at: Instant, *, logged: Instant | None = None) -> None:
        """A captured mail or meeting of ours, on any account."""
        ref = f"c{len(self.tables['captures'])}"
        self.add(
            "captures",
            member_id=member,
            source="salesforce",
            activity_id=ref,
            occurred_at=at,
            recorded_at=at if logged is None else logged,
        )

    def person(
        self,
        account: int,
        standing: str | None = "exec",
        *,
        since: Instant = LONG_AGO,
        deleted: Instant | None = None,
        left_as: str = "deleted",
        bounced: Instant | None = None,
        key: str | None = None,
    ) -> int:
        """Somebody at the account; `standing` None: no level row at all."""
        number = len(self.tables["persons"]) + 1
        stamps = {"created_at": since, "deleted_at": deleted, "bounced_at": bounced}
        gone = {"left_as": left_as if deleted is not None else None}
        name = f"Person {number}"
        self.add("persons", id=number, account_id=account, key=key or f"p{number}", name=name, **stamps, **gone)
        if standing is not None:
            self.add("person_levels", person_id=number, valid_from=since, recorded_at=since, standing=standing)
        return number

    def touch(
        self,
        persons: int | Sequence[int],
        kind: str = "email",
        at: Instant = NOW,
        *,
        way: str = "out",
        logged: Instant | None = None,
        withdrawn: Instant | None = None,
        starts: Instant | None = None,
    ) -> None:
        """An activity with one or several persons; meetings and calls count both ways."""
        ref = f"t{len(self.tables['touches'])}"
        both = kind != "email"
        for person in [persons] if isinstance(persons, int) else persons:
            self.add(
                "touches",
                source="salesforce",
                activity_id=ref,
                person_id=person,
                account_id=self.tables["persons"][person - 1]["account_id"],
                kind=kind,
                inbound=int(both or way == "in"),
                outbound=int(both or way == "out"),
                starts_at=at if starts is None else starts,
                occurred_at=at,
                recorded_at=at if logged is None else logged,
                withdrawn_at=withdrawn,
            )

    def booking(self, person: int, starts: Instant, *, logged: Instant, withdrawn: Instant | None = None) -> None:
        """A meeting in the calendar, half an hour long."""
        self.touch(person, "meeting", starts + HOUR // 2, starts=starts, logged=logged, withdrawn=withdrawn)

    def deal(self, account: int, close_on: int, *, won: bool | None, kind: str = "Renewal", **values: Any) -> None:
        """An opportunity on the account's row; `won` None: open."""
        base = {
            "source": "salesforce",
            "id": f"o{len(self.tables['crm_opportunities'])}",
            "crm_account_id": f"salesforce-{account}",
            "name": "Deal",
            "type": kind,
            "close_on": close_on,
            "closed": int(won is not None),
            "won": int(bool(won)),
            "amount": 100_000,
            "fields": "{}",
            "payload": "",
            "created_at": LONG_AGO,
            "modified_at": NOW + DAY,
        }
        self.add("crm_opportunities", **(base | values))

    def ticket(self, account: int, opened: Instant, *, source: str = "salesforce") -> None:
        """An open ticket on the account's row."""
        key = {"source": source, "id": f"k{len(self.tables['crm_tickets'])}", "payload": ""}
        stamps = {"opened_at": opened, "created_at": opened, "modified_at": opened}
        self.add("crm_tickets", **key, **stamps, crm_account_id=f"{source}-{account}", priority="low")

    def answer(self, account: int | None, at: Instant, value: int, kind: str = "nps", **values: Any) -> None:
        """An answer to a survey; csat in hundredths of a percent."""
        self._feed("surveys")
        base = {"source": "surveys", "id": f"a{len(self.tables['survey_answers'])}", "recorded_at": at}
        self.add("survey_answers", **(base | {"account_id": account, "kind": kind, "value": value, "at": at} | values))

    def pulse(self, account: int, at: Instant, value: int) -> None:
        """A CSM's click."""
        self.add("pulses", account_id=account, at=at, value=value, author="csm@us.example", recorded_at=at)

    def ask(self, account: int, at: Instant, kind: str = "feedback") -> None:
        """Something was asked of the customer."""
        self.add("asks", account_id=account, kind=kind, at=at, author="csm@us.example", recorded_at=at)

    def review(self, account: int, at: Instant) -> None:
        """Somebody looked at the tier."""
        self.add("tier_reviews", account_id=account, at=at, author="csm@us.example", recorded_at=at)

    def exception(self, account: int, at: Instant) -> None:
        """Service beyond what the tier promises."""
        self.add("exceptions", account_id=account, what="night work", at=at, author="csm@us.example", recorded_at=at)

    def showing(self, account: int, at: Instant, shown: bool, offering: str = "Security") -> None:
        """A click of Yes or No."""
        values = {"offering": offering, "shown": int(shown), "author": "csm@us.example", "recorded_at": at}
        self.add("showings", account_id=account, at=at, **values)

    def feature(self, name: str, *names: str, released: int | None = None, **values: Any) -> None:
        """A line of the catalogue, under its own name and the names that feeds use."""
        base = {"title": name, "offering": None, "list_value": None, "released": released, "offered": 1}
        for one in (name, *names):
            self.add("feature_catalogue", name=one, feature=name, **(base | values))

    def use(self, account: int, feature: str, at: Instant, uses: float = 1, **values: Any) -> None:
        """One row of a feed of features."""
        self._feed("usage")
        base = {"source": "usage", "key": f"w{account}", "user": "", "recorded_at": at, "account_id": account}
        self.add("feature_uses", **(base | {"feature": feature, "at": at, "uses": uses} | values))

    def title(self, subject: str | None, *, touch: int = -1) -> None:
        """What the CRM calls the activity of the latest touch (or of another one)."""
        of = self.tables["touches"][touch]
        stamps = dict.fromkeys(("starts_at", "ends_at", "created_at", "modified_at"), of["occurred_at"])
        key = {"source": of["source"], "id": of["activity_id"], "payload": ""}
        self.add("crm_activities", **key, **stamps, kind=of["kind"], status="done", subject=subject)

    def sample(self, account: int, at: Instant, value: float, metric: str = "active_users") -> None:
        """One sample of the usage feed."""
        key = {"source": "usage", "key": f"w{account}", "metric": metric, "user": "", "at": at}
        self.add("usage_samples", **key, value=value, recorded_at=at, account_id=account)


def captured(rows: Rows, member: int, *, days: int = 90) -> None:
    """Daily captured mail of a member, up to an hour before NOW."""
    for day in range(days):
        rows.capture(member, NOW - HOUR - day * DAY)


def orderly() -> Rows:
    """A store in good order: Salesforce fresh, the CSM captured; accounts are added by the test."""
    rows = Rows()
    rows.source()
    rows.fresh("salesforce", "emails", NOW - HOUR)
    rows.fresh("salesforce", "accounts", NOW - HOUR)
    captured(rows, rows.member())
    return rows
