"""The objects that are read from HubSpot, and what each row becomes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from connectors.hubspot import activities, records
from connectors.hubspot.rows import Row, merged_ids
from connectors.hubspot.settings import HubSpotSettings
from store.records import ActivityKind, Merged, Record

_MERGED = ("hs_merged_object_ids",)
_STAMPS = ("createdate", "hs_createdate")


@dataclass(frozen=True, slots=True)
class Stream:
    """One object: its name, its properties, the one that increments follow, its associations, its record."""

    name: str
    object: str
    """Its word in paths: plural name, `p_name` or type id."""
    properties: tuple[str, ...]
    """What must be there."""
    record: Callable[[Row], Record]
    links: tuple[str, ...] = ()
    # `hs_lastmodifieddate` on contacts filters to silently nothing (github.com/airbytehq/airbyte/issues/85019).
    cursor: str = "hs_lastmodifieddate"
    kind: str = ""
    """What the rows are in the store: accounts, contacts, activities, opportunities, tickets or objects:<name>."""
    activity: str | None = None
    """Which kind of activity, where they are some."""
    optional: tuple[str, ...] = ()
    """Read where the portal has them: HubSpot passes over unknown names."""
    history: tuple[str, ...] = ()
    """Mapped properties, whose past is read once."""
    merges: bool = False
    """Do records of this object merge into one another."""

    @property
    def asked(self) -> tuple[str, ...]:
        """Every property to ask for."""
        return tuple(sorted({*self.properties, *self.optional, self.cursor, *_STAMPS}))

    def rows(self, row: Row) -> tuple[Record, ...]:
        """The record of a row, behind it what it says of the rows it has swallowed."""
        if not self.merges:
            return (self.record(row),)
        lost = (Merged(self.kind, ref, row.id, row.modified) for ref in merged_ids(row))
        return (self.record(row), *lost)


def streams(settings: HubSpotSettings) -> tuple[Stream, ...]:
    """Every object of one portal, mapped ones included."""
    objects = settings.objects()
    deals = objects.pop("deals", ())
    bulk = settings.activities.automatic
    known = (
        Stream(
            "accounts",
            "companies",
            _with(("name", "domain", "hubspot_owner_id", settings.link_property), settings.account_fields()),
            lambda row: records.account(row, settings),
            kind="accounts",
            optional=("hs_parent_company_id", *_MERGED),
            history=settings.account_fields(),
            merges=True,
        ),
        Stream(
            "contacts",
            "contacts",
            _with(records.CONTACT, settings.contact_fields()),
            lambda row: records.contact(row, settings),
            ("companies",),
            cursor="lastmodifieddate",
            kind="contacts",
            optional=("hs_buying_role", "hs_calculated_merged_vids", *_MERGED),
            merges=True,
        ),
        Stream(
            "opportunities",
            "deals",
            _with((*records.DEAL, settings.deal_amount), deals),
            lambda row: records.deal(row, deals, settings.deal_amount),
            ("companies",),
            kind="opportunities",
            optional=_MERGED,
            history=deals,
            merges=True,
        ),
        Stream(
            "tickets",
            "tickets",
            records.TICKET,
            records.ticket,
            ("companies",),
            kind="tickets",
            optional=_MERGED,
            merges=True,
        ),
        _activities("calls", activities.CALL, activities.call),
        _activities(
            "emails", _with(activities.EMAIL, (bulk,) if bulk else ()), lambda row: activities.email(row, bulk)
        ),
        _activities("meetings", activities.MEETING, activities.meeting),
        _activities("notes", activities.NOTE, lambda row: activities.plain(row, ActivityKind.NOTE)),
        _activities("tasks", activities.TASK, lambda row: activities.plain(row, ActivityKind.TASK)),
    )
    return known + tuple(
        Stream(
            f"objects:{name}",
            name,
            fields,
            records.mapped_object(name, fields),
            ("companies",),
            kind=f"objects:{name}",
            history=fields,
        )
        for name, fields in objects.items()
    )


def _activities(name: str, properties: tuple[str, ...], record: Callable[[Row], Record]) -> Stream:
    links = ("contacts", "companies")
    return Stream(name, name, properties, record, links, kind="activities", activity=name.removesuffix("s"))


def _with(base: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*base, *more)))
