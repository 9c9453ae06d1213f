"""What each row of Salesforce's people and money becomes; activities have a module of their own."""

from __future__ import annotations

from connectors.mapping import Currencies, FieldMapping, holds
from connectors.salesforce.values import (
    Row,
    cents,
    day,
    deleted_at,
    instant,
    modified_at,
    pick,
    selected,
    unread,
)
from store.records import (
    AccountRecord,
    ContactRecord,
    ContactRole,
    Merged,
    ObjectRecord,
    OpportunityRecord,
    Record,
    Scalar,
    TeamMemberRecord,
    TicketRecord,
)

MEMBER = ("Name", "Email", "IsActive", "ManagerId")
ACCOUNT = ("Name", "Website", "OwnerId", "ParentId", "CreatedDate", "IsDeleted", "MasterRecordId")
CONTACT = (
    "Name",
    "Email",
    "Title",
    "AccountId",
    "IsEmailBounced",
    "CreatedDate",
    "IsDeleted",
    "MasterRecordId",
)
DEAL = (
    "Name",
    "AccountId",
    "Type",
    "StageName",
    "Amount",
    "CloseDate",
    "IsClosed",
    "IsWon",
    "CreatedDate",
    "IsDeleted",
)
CASE = ("AccountId", "Priority", "Status", "IsClosed", "ClosedDate", "CreatedDate", "IsDeleted")
DEAL_ROLE = ("OpportunityId", "ContactId", "Role", "CreatedDate", "IsDeleted")
ACCOUNT_ROLE = ("AccountId", "ContactId", "Roles", "IsDirect", "IsActive", "CreatedDate", "IsDeleted")
OBJECT = ("CreatedDate", "IsDeleted")


def raw(row: Row, names: tuple[str, ...]) -> dict[str, Scalar]:
    """The mapped fields of a row; those that the user may not see are not among them."""
    return {name: pick(row, name) for name in names if selected(row, name)}


def member(row: Row) -> list[Record]:
    """A User: one of our own people."""
    return [
        TeamMemberRecord(
            id=row["Id"],
            name=row.get("Name") or row["Id"],
            email=row.get("Email"),
            active=bool(row.get("IsActive")),
            modified_at=modified_at(row),
            manager_id=row.get("ManagerId"),
        )
    ]


def account(row: Row, mapping: FieldMapping) -> list[Record]:
    """An Account; a merge's loser also says who the winner is."""
    fields = raw(row, mapping.account_fields())
    record = AccountRecord(
        id=row["Id"],
        name=row.get("Name") or row["Id"],
        domain=row.get("Website"),
        owner_id=row.get("OwnerId"),
        parent_id=row.get("ParentId"),
        created_at=instant(row.get("CreatedDate")) or modified_at(row),
        modified_at=modified_at(row),
        customer=holds(mapping.customer, fields),
        deleted_at=deleted_at(row),
        merged_into=row.get("MasterRecordId"),
        fields=fields,
        unread=unread(
            row,
            name="Name",
            domain="Website",
            owner_id="OwnerId",
            parent_id="ParentId",
            created_at="CreatedDate",
            customer=tuple(mapping.customer),
        ),
    )
    return [record, *_merged("accounts", row)]


def contact(row: Row, mapping: FieldMapping) -> list[Record]:
    """A Contact; a merge's loser also says who the winner is."""
    record = ContactRecord(
        id=row["Id"],
        account_ids=(row["AccountId"],) if row.get("AccountId") else (),
        name=row.get("Name") or row.get("Email") or row["Id"],
        email=row.get("Email"),
        title=row.get("Title"),
        created_at=instant(row.get("CreatedDate")) or modified_at(row),
        modified_at=modified_at(row),
        deleted_at=deleted_at(row),
        merged_into=row.get("MasterRecordId"),
        bounced=bool(row.get("IsEmailBounced")),
        fields=raw(row, mapping.contact_fields()),
        unread=unread(
            row,
            account_ids="AccountId",
            name="Name",
            email="Email",
            title="Title",
            created_at="CreatedDate",
            bounced="IsEmailBounced",
        ),
    )
    return [record, *_merged("contacts", row)]


def _merged(kind: str, row: Row) -> list[Record]:
    """A merge deletes the loser and leaves the winner's id on it (MasterRecordId)."""
    into = row.get("MasterRecordId")
    return [Merged(kind, row["Id"], into, modified_at(row))] if into else []


def deal(row: Row, mapped: tuple[str, ...], currencies: Currencies | None = None) -> list[Record]:
    """An Opportunity; its amount in the reporting currency where the org has several."""
    amount = cents(row.get("Amount"))
    return [
        OpportunityRecord(
            id=row["Id"],
            account_id=row.get("AccountId"),
            name=row.get("Name") or row["Id"],
            type=row.get("Type"),
            stage=row.get("StageName"),
            amount=amount if currencies is None else currencies.converted(amount, row),
            close_on=day(row.get("CloseDate")),
            closed=bool(row.get("IsClosed")),
            won=bool(row.get("IsWon")),
            created_at=instant(row.get("CreatedDate")) or modified_at(row),
            modified_at=modified_at(row),
            deleted_at=deleted_at(row),
            fields=raw(row, mapped),
            unread=unread(
                row,
                account_id="AccountId",
                name="Name",
                type="Type",
                stage="StageName",
                amount="Amount" if currencies is None else ("Amount", currencies.field),
                close_on="CloseDate",
                closed="IsClosed",
                won="IsWon",
                created_at="CreatedDate",
            ),
        )
    ]


def case(row: Row) -> list[Record]:
    """A Case: a support ticket."""
    created = instant(row.get("CreatedDate")) or modified_at(row)
    return [
        TicketRecord(
            id=row["Id"],
            account_id=row.get("AccountId"),
            priority=row.get("Priority"),
            status=row.get("Status"),
            opened_at=created,
            closed_at=instant(row.get("ClosedDate")),
            created_at=created,
            modified_at=modified_at(row),
            deleted_at=deleted_at(row),
            unread=unread(
                row,
                account_id="AccountId",
                priority="Priority",
                status="Status",
                opened_at="CreatedDate",
                created_at="CreatedDate",
                closed_at="ClosedDate",
            ),
        )
    ]


def deal_role(row: Row) -> list[Record]:
    """An OpportunityContactRole: what part a contact plays in a deal."""
    return [_role(row, None, row.get("OpportunityId"), row.get("Role"), deleted_at(row))]


def account_role(row: Row) -> list[Record]:
    """An AccountContactRelation: another account that a contact is on; an inactive one is over."""
    ended = modified_at(row) if row.get("IsActive") is False else None
    return [_role(row, row.get("AccountId"), None, row.get("Roles"), deleted_at(row) or ended)]


def _role(row: Row, account_id: str | None, opportunity_id: str | None, role: str | None, gone: int | None) -> Record:
    return ContactRole(
        id=row["Id"],
        contact_id=row["ContactId"],
        account_id=account_id,
        opportunity_id=opportunity_id,
        role=role,
        created_at=instant(row.get("CreatedDate")) or modified_at(row),
        modified_at=modified_at(row),
        deleted_at=gone,
    )


def mapped_object(row: Row, name: str, fields: tuple[str, ...], path: str) -> list[Record]:
    """A row of any other object that the field mapping reads; `path` leads to its account."""
    return [
        ObjectRecord(
            object=name,
            id=row["Id"],
            account_id=pick(row, path),
            created_at=instant(row.get("CreatedDate")) or modified_at(row),
            modified_at=modified_at(row),
            fields=raw(row, fields),
            deleted_at=deleted_at(row),
            unread=unread(row, account_id=path, created_at="CreatedDate"),
        )
    ]
