"""What a company, contact, deal, ticket, owner or other object becomes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from connectors.hubspot.rows import Row, instant
from connectors.hubspot.settings import HubSpotSettings
from connectors.mapping import holds
from store.records import (
    HOUR,
    AccountRecord,
    ContactRecord,
    ObjectRecord,
    OpportunityRecord,
    TeamMemberRecord,
    TicketRecord,
)

CONTACT = ("firstname", "lastname", "email", "jobtitle", "hs_email_hard_bounce_reason_enum", "createdate")
DEAL = ("dealname", "dealtype", "dealstage", "closedate", "hs_is_closed", "hs_is_closed_won", "createdate")
TICKET = ("hs_ticket_priority", "hs_pipeline_stage", "createdate", "closed_date")


def member(owner: Mapping[str, Any]) -> TeamMemberRecord:
    """An owner; an archived one has left."""
    name = " ".join(filter(None, (owner.get("firstName"), owner.get("lastName")))) or owner.get("email") or owner["id"]
    return TeamMemberRecord(
        id=str(owner["id"]),
        name=name,
        email=owner.get("email"),
        active=not owner.get("archived", False),
        modified_at=instant(owner.get("updatedAt")) or 0,
    )


def account(row: Row, settings: HubSpotSettings) -> AccountRecord:
    """A company."""
    raw = row.raw(settings.account_fields())
    return AccountRecord(
        id=row.id,
        name=row.text("name") or row.text("domain") or row.id,
        domain=row.text("domain"),
        owner_id=row.text("hubspot_owner_id"),
        parent_id=row.text("hs_parent_company_id"),
        created_at=row.created,
        modified_at=row.modified,
        customer=holds(settings.customer, raw),
        link_id=row.text(settings.link_property),
        fields=raw,
    )


def contact(row: Row, settings: HubSpotSettings) -> ContactRecord:
    """A contact, on every company it is associated with."""
    name = " ".join(filter(None, (row.text("firstname"), row.text("lastname"))))
    return ContactRecord(
        id=row.id,
        account_ids=row.linked.get("companies", ()),
        name=name or row.text("email") or row.id,
        email=row.text("email"),
        title=row.text("jobtitle"),
        created_at=row.created,
        modified_at=row.modified,
        bounced=row.text("hs_email_hard_bounce_reason_enum") is not None,
        buying_role=row.text("hs_buying_role"),
        fields=row.raw(settings.contact_fields()),
    )


def _cents(text: str | None) -> int | None:
    try:
        return round(Decimal(text) * 100) if text else None
    except InvalidOperation:
        return None


def _day(row: Row, name: str) -> int | None:
    at = row.at(name)
    return None if at is None else at // (24 * HOUR)


def _first(row: Row) -> str | None:
    return next(iter(row.linked.get("companies", ())), None)


def deal(row: Row, mapped: tuple[str, ...], amount: str = "amount") -> OpportunityRecord:
    """A deal, on its primary company."""
    return OpportunityRecord(
        id=row.id,
        account_id=_first(row),
        name=row.text("dealname") or row.id,
        type={"renewal": "Renewal", "newbusiness": "New Business", "expansion": "Expansion"}.get(
            row.text("dealtype") or "", row.text("dealtype")
        ),
        stage=row.text("dealstage"),
        amount=_cents(row.text(amount)),
        close_on=_day(row, "closedate"),
        closed=row.text("hs_is_closed") == "true",
        won=row.text("hs_is_closed_won") == "true",
        created_at=row.created,
        modified_at=row.modified,
        fields=row.raw(mapped),
    )


def ticket(row: Row) -> TicketRecord:
    """A ticket, on its primary company."""
    created = row.created
    return TicketRecord(
        id=row.id,
        account_id=_first(row),
        priority=row.text("hs_ticket_priority"),
        status=row.text("hs_pipeline_stage"),
        opened_at=created,
        closed_at=row.at("closed_date"),
        created_at=created,
        modified_at=row.modified,
    )


def mapped_object(name: str, fields: tuple[str, ...]) -> Callable[[Row], ObjectRecord]:
    """A row of an object that only the field mapping knows; `name` as it is mapped."""

    def record(row: Row) -> ObjectRecord:
        return ObjectRecord(name, row.id, _first(row), row.created, row.modified, row.raw(fields))

    return record
