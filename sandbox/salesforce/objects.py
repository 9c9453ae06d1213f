"""The org's objects, from the field tables in objects_core.py and objects_activity.py, one field a line.

Flags: ro = never written by clients, fixed = on create only, later = not on create, required = must be given,
default = filled in when not given and never null, filled = the same but may be emptied, nofilter = neither filtered nor sorted, nosort = not sorted,
restricted = only the listed picklist values, =A|B picklist values (_ is a space), ->Target[|Target]:Relationship[@Children] =
reference, formula = calculated, name = the object's name field, maybe = a boolean that may be null.
"""

from __future__ import annotations

from sandbox.salesforce import objects_activity as activity
from sandbox.salesforce import objects_core as core
from sandbox.salesforce import objects_sales as sales
from sandbox.salesforce.schema import SObject, parse


def _sales(plain: dict[str, bool]) -> tuple[SObject, ...]:
    still = dict.fromkeys(("createable", "updateable", "deletable", "undeletable", "replicateable"), False)
    tables: tuple[tuple[str, str, str, str, dict[str, bool]], ...] = (
        (
            "OpportunityContactRole",
            "00K",
            sales.OPPORTUNITY_CONTACT_ROLE,
            "Opportunity Contact Role",
            {"searchable": False, "undeletable": False},
        ),
        (
            "AccountContactRelation",
            "07k",
            sales.ACCOUNT_CONTACT_RELATION,
            "Account Contact Relationship",
            {"searchable": False},
        ),
        ("OpportunityLineItem", "00k", sales.OPPORTUNITY_LINE_ITEM, "Opportunity Product", {"searchable": False}),
        ("Product2", "01t", sales.PRODUCT2, "Product", {}),
        ("Contract", "800", sales.CONTRACT, "Contract", {}),
        ("RecordType", "012", sales.RECORD_TYPE, "Record Type", {**plain, "deletable": False, "undeletable": False}),
        ("Group", "00G", sales.GROUP, "Group", plain),
        ("Subscription__c", "a00", sales.SUBSCRIPTION, "Subscription", {}),
        ("Deal_Term__c", "a01", sales.DEAL_TERM, "Deal Term", {}),
        ("LoginHistory", "0Ya", sales.LOGIN_HISTORY, "Login History", {**plain, **still}),
        (
            "ActivityUsrConnectionStatus",
            "5O0",
            sales.CONNECTION_STATUS,
            "Activity User Connection Status",
            {**plain, **still},
        ),
        ("UserEmailCalendarSync", "0y9", sales.CALENDAR_SYNC, "User Email Calendar Sync", plain),
    )
    # As recorded, the plural of these labels is the label itself.
    alike = ("Login History", "Activity User Connection Status", "Opportunity Contact Role")
    return tuple(
        parse(name, prefix, text, label=label, plural=label if label in alike else label + "s", **flags)
        for name, prefix, text, label, flags in tables
    )


def _objects() -> tuple[SObject, ...]:
    plain = {"layoutable": False, "searchable": False}
    relation = {**plain, "undeletable": False, "updateable": False}
    return (
        parse("Account", "001", core.ACCOUNT, label="Account", plural="Accounts", mergeable=True),
        parse(
            "AccountTeamMember",
            "01M",
            core.ACCOUNT_TEAM_MEMBER,
            label="Account Team Member",
            plural="Account Team",
            **plain,
        ),
        parse("Campaign", "701", core.CAMPAIGN, label="Campaign", plural="Campaigns"),
        parse("Case", "500", core.CASE, label="Case", plural="Cases"),
        parse("Contact", "003", core.CONTACT, label="Contact", plural="Contacts", mergeable=True),
        parse(
            "EmailMessage",
            "02s",
            activity.EMAIL_MESSAGE,
            label="Email Message",
            plural="Email Messages",
            searchable=False,
        ),
        parse(
            "EmailMessageRelation",
            "0ER",
            activity.EMAIL_MESSAGE_RELATION,
            label="Email Message Relation",
            plural="Email Message Relations",
            **relation,
        ),
        parse("Event", "00U", activity.EVENT, label="Event", plural="Events"),
        parse(
            "EventRelation", "0RE", activity.EVENT_RELATION, label="Event Relation", plural="Event Relations", **plain
        ),
        parse("Lead", "00Q", core.LEAD, label="Lead", plural="Leads", mergeable=True),
        parse("Opportunity", "006", core.OPPORTUNITY, label="Opportunity", plural="Opportunities"),
        parse(
            "Organization",
            "00D",
            core.ORGANIZATION,
            label="Organization",
            plural="Organizations",
            createable=False,
            deletable=False,
            undeletable=False,
            **plain,
        ),
        parse("Task", "00T", activity.TASK, label="Task", plural="Tasks"),
        parse(
            "TaskRelation", "0RT", activity.TASK_RELATION, label="Task Relation", plural="Task Relations", **relation
        ),
        *_sales(plain),
        parse("User", "005", core.USER, label="User", plural="Users", deletable=False, undeletable=False),
    )


OBJECTS: dict[str, SObject] = {o.name: o for o in _objects()}
NAME_OBJECT = parse("Name", None, core.NAME, label="Name", plural="Names")
RELATIONS = frozenset({"TaskRelation", "EventRelation", "EmailMessageRelation"})
"""A participant that is taken off leaves every query at once and shows in /deleted only (R7)."""
