"""The org's objects as short tables, one field a line.

Flags: ro = never written by clients, fixed = on create only, required = must be given, default = filled in when not given,
nofilter = neither filtered nor sorted, restricted = only the listed picklist values, =A|B picklist values (_ is a space),
->Target[|Target]:Relationship = reference, name = the object's name field, maybe = a boolean that may be null.
"""

from __future__ import annotations

from sandbox.salesforce.schema import SObject, parse

_STAMPS = """
CreatedDate datetime ro default
CreatedById reference ro default ->User:CreatedBy
LastModifiedDate datetime ro default
LastModifiedById reference ro default ->User:LastModifiedBy
SystemModstamp datetime ro default
"""
_HEAD = "Id id ro default\nIsDeleted boolean ro\n"


def _address(prefix: str) -> str:
    return f"""
{prefix}Street textarea:255
{prefix}City string:40
{prefix}State string:80
{prefix}PostalCode string:20
{prefix}Country string:80
{prefix}Latitude double
{prefix}Longitude double
{prefix}GeocodeAccuracy picklist:40
"""


ACCOUNT = f"""
{_HEAD}
MasterRecordId reference ro ->Account:MasterRecord
Name string:255 required name
Type picklist:40 =Customer|Prospect|Former_Customer
ParentId reference ->Account:Parent
RecordTypeId reference ->RecordType:RecordType
{_address("Billing")}
{_address("Shipping")}
Phone phone:40
Fax phone:40
AccountNumber string:40
Website url:255
PhotoUrl url:255 ro
Sic string:20
Industry picklist:40
AnnualRevenue currency
NumberOfEmployees int
Ownership picklist:40
TickerSymbol string:20
Description textarea:32000 nofilter
Rating picklist:40
Site string:80
OwnerId reference default ->User:Owner
{_STAMPS}
LastActivityDate date ro
LastViewedDate datetime ro
LastReferencedDate datetime ro
Jigsaw string:20
JigsawCompanyId string:20 ro
CleanStatus picklist:40 =Matched|Pending
AccountSource picklist:40
DunsNumber string:9
Tradestyle string:255
NaicsCode string:8
NaicsDesc string:120
YearStarted string:4
SicDesc string:80
ARR__c currency
Renewal_Date__c date
CSM__c reference ->User:CSM__r
Contract_Start__c date
Auto_Renews__c boolean
Term_Days__c double
Seats__c double
Potential__c currency
Market_Fit__c double
Strategic__c boolean
Workspace_Id__c string:80
Customer_Tier__c picklist:255 restricted =Tier_1|Tier_2|Tier_3
"""

CONTACT = f"""
{_HEAD}
MasterRecordId reference ro ->Contact:MasterRecord
AccountId reference ->Account:Account
LastName string:80 required
FirstName string:40
Salutation picklist:40
Name string:121 ro required name
{_address("Other")}
{_address("Mailing")}
Phone phone:40
Fax phone:40
MobilePhone phone:40
HomePhone phone:40
OtherPhone phone:40
AssistantPhone phone:40
ReportsToId reference ->Contact:ReportsTo
Email email:80
Title string:128
Department string:80
AssistantName string:40
LeadSource picklist:255
Birthdate date
Description textarea:32000 nofilter
OwnerId reference default ->User:Owner
{_STAMPS}
LastActivityDate date ro
LastViewedDate datetime ro
LastReferencedDate datetime ro
EmailBouncedReason string:255
EmailBouncedDate datetime
IsEmailBounced boolean ro
PhotoUrl url:255 ro
Jigsaw string:20
JigsawContactId string:20 ro
CleanStatus picklist:40
Product_User__c boolean
"""

USER = f"""
Id id ro default
Username string:80 required
LastName string:80 required
FirstName string:40
Name string:121 ro required name
CompanyName string:80
Department string:80
Title string:80
Email email:128 required
Alias string:8 required
IsActive boolean
TimeZoneSidKey picklist:40 required
UserType picklist:40 ro =Standard
ManagerId reference ->User:Manager
LastLoginDate datetime ro
{_STAMPS}
"""

OPPORTUNITY = f"""
{_HEAD}
AccountId reference ->Account:Account
IsPrivate boolean
Name string:120 required name
Description textarea:32000 nofilter
StageName picklist:255 required =Prospecting|Qualification|Proposal|Negotiation|Closed_Won|Closed_Lost
Amount currency
Probability percent
ExpectedRevenue currency ro
TotalOpportunityQuantity double
CloseDate date required
Type picklist:255 =New_Business|Renewal|Expansion
NextStep string:255
LeadSource picklist:255
IsClosed boolean ro
IsWon boolean ro
ForecastCategoryName picklist:40
OwnerId reference default ->User:Owner
ContactId reference fixed ->Contact:Contact
{_STAMPS}
LastActivityDate date ro
"""

CASE = f"""
{_HEAD}
MasterRecordId reference ro ->Case:MasterRecord
CaseNumber string:30 ro default name
ContactId reference ->Contact:Contact
AccountId reference ->Account:Account
ParentId reference ->Case:Parent
SuppliedName string:80
SuppliedEmail email:80
Type picklist:40
Status picklist:40 default =New|Working|Escalated|Closed
Reason picklist:40
Origin picklist:40 =Phone|Email|Web
Subject string:255
Priority picklist:40 default =High|Medium|Low
Description textarea:32000 nofilter
IsClosed boolean ro
ClosedDate datetime ro
IsEscalated boolean
OwnerId reference default ->Group|User:Owner
{_STAMPS}
ContactEmail email:80 ro
"""

TASK = f"""
Id id ro default
WhoId reference ->Contact|Lead:Who
WhatId reference ->Account|Opportunity|Case:What
Subject string:255
ActivityDate date
Status picklist:40 default =Not_Started|In_Progress|Completed|Deferred
Priority picklist:40 default =High|Normal|Low
IsHighPriority boolean ro
OwnerId reference default ->Group|User:Owner
Description textarea:32000 nofilter
IsDeleted boolean ro
AccountId reference ro ->Account:Account
IsClosed boolean ro
{_STAMPS}
IsArchived boolean ro
CallDurationInSeconds int
CallType picklist:40 =Internal|Inbound|Outbound
CallDisposition string:255
CallObject string:255
CompletedDateTime datetime ro
TaskSubtype picklist:40 fixed =Task|Email|ListEmail|Cadence|Call|LinkedIn
"""

EVENT = f"""
Id id ro default
WhoId reference ->Contact|Lead:Who
WhatId reference ->Account|Opportunity|Case:What
Subject string:255
Location string:255
IsAllDayEvent boolean
ActivityDateTime datetime
ActivityDate date
DurationInMinutes int
StartDateTime datetime
EndDateTime datetime
EndDate date ro
Description textarea:32000 nofilter
AccountId reference ro ->Account:Account
OwnerId reference default ->Calendar|User:Owner
IsPrivate boolean
ShowAs picklist:40 default =Busy|OutOfOffice|Free
IsDeleted boolean ro
IsChild boolean ro
IsGroupEvent boolean ro
GroupEventType picklist:40
{_STAMPS}
IsArchived boolean ro
EventSubtype picklist:40 fixed =Event
Meeting_Status__c picklist:40 restricted =Planned|Held|Cancelled|No_Show
ICal_UID__c string:255
"""

EMAIL_MESSAGE = f"""
Id id ro default
ParentId reference ->Case:Parent
ActivityId reference ->Task:Activity
{_STAMPS}
TextBody textarea:131072 nofilter
HtmlBody textarea:131072 nofilter
Headers textarea:32000 nofilter
Subject string:3000
FromName string:1000
FromAddress email:1000
ToAddress string:4000 nofilter
CcAddress string:4000 nofilter
BccAddress string:4000 nofilter
Incoming boolean
HasAttachment boolean ro
Status picklist:40 default =0|1|2|3|4|5
MessageDate datetime
IsDeleted boolean ro
ReplyToEmailMessageId reference fixed ->EmailMessage:ReplyToEmailMessage
IsExternallyVisible boolean
MessageIdentifier string:765
ThreadIdentifier string:765
IsClientManaged boolean fixed
RelatedToId reference ->Account|Opportunity|Case:RelatedTo
Automatic__c boolean
"""

TASK_RELATION = f"""
Id id ro default
RelationId reference fixed ->Account|Case|Contact|Lead|Opportunity:Relation
TaskId reference fixed required ->Task:Task
IsWhat boolean fixed
AccountId reference ro ->Account:Account
{_STAMPS}
IsDeleted boolean ro
"""

EVENT_RELATION = f"""
Id id ro default
RelationId reference fixed ->Account|Calendar|Case|Contact|Lead|Opportunity|User:Relation
EventId reference fixed required ->Event:Event
IsWhat boolean fixed
IsParent boolean fixed
IsInvitee boolean fixed
AccountId reference ro ->Account:Account
Status picklist:40 =New|Declined|Accepted|Uninvited|Maybe
RespondedDate datetime
Response string:255
{_STAMPS}
IsDeleted boolean ro
"""

EMAIL_MESSAGE_RELATION = """
Id id ro default
EmailMessageId reference fixed required ->EmailMessage:EmailMessage
RelationId reference fixed ->Contact|Lead|User:Relation
RelationType picklist:40 fixed required =FromAddress|ToAddress|CcAddress|BccAddress|OtherAddress
RelationAddress string:765 fixed
RelationObjectType picklist:40 ro =Contact|Lead|User
CreatedDate datetime ro default
CreatedById reference ro default ->User:CreatedBy
SystemModstamp datetime ro default
IsDeleted boolean ro
"""

ACCOUNT_TEAM_MEMBER = f"""
Id id ro default
AccountId reference fixed required ->Account:Account
UserId reference fixed required ->User:User
TeamMemberRole picklist:40 =Account_Manager|Customer_Success_Manager|Executive_Sponsor|Sales_Rep
PhotoUrl url:255 ro
Title string:80 ro
TeamRoleType picklist:40 ro
{_STAMPS}
IsDeleted boolean ro
AccountAccessLevel picklist:40 fixed =None|Read|Edit|All
"""

CAMPAIGN = f"""
{_HEAD}
Name string:80 required name
ParentId reference ->Campaign:Parent
Type picklist:40
Status picklist:40 default =Planned|Aborted|In_Progress|Completed
StartDate date
EndDate date
IsActive boolean
OwnerId reference default ->User:Owner
{_STAMPS}
"""

LEAD = f"""
{_HEAD}
MasterRecordId reference ro ->Lead:MasterRecord
LastName string:80 required
FirstName string:40
Name string:121 ro required name
Title string:128
Company string:255 required
Email email:80
Status picklist:255 default =Open|Working|Closed
OwnerId reference default ->Group|User:Owner
IsConverted boolean ro
{_STAMPS}
"""

ORGANIZATION = """
Id id ro default
Name string:80 required name
Division string:80
Country string:80
PrimaryContact string:80
DefaultLocaleSidKey picklist:40
TimeZoneSidKey picklist:40
LanguageLocaleKey picklist:40
FiscalYearStartMonth int
OrganizationType picklist:40 ro
NamespacePrefix string:15 ro
InstanceName string:5 ro
IsSandbox boolean ro
TrialExpirationDate datetime ro
CreatedDate datetime ro default
CreatedById reference ro default ->User:CreatedBy
LastModifiedDate datetime ro default
LastModifiedById reference ro default ->User:LastModifiedBy
SystemModstamp datetime ro default
"""

NAME = """
Id id ro
Name string:255 ro name
Type picklist:40 ro
FirstName string:40 ro
LastName string:80 ro
Title string:80 ro
Email email:80 ro
IsActive boolean ro maybe
Username string:80 ro
"""
"""What a path through a polymorphic reference may name (Who.Type, What.Name, Owner.Email)."""


def _objects() -> tuple[SObject, ...]:
    plain = {"layoutable": False, "searchable": False}
    relation = {**plain, "undeletable": False, "updateable": False}
    return (
        parse("Account", "001", ACCOUNT, label="Account", plural="Accounts", mergeable=True),
        parse(
            "AccountTeamMember", "01M", ACCOUNT_TEAM_MEMBER, label="Account Team Member", plural="Account Team", **plain
        ),
        parse("Campaign", "701", CAMPAIGN, label="Campaign", plural="Campaigns"),
        parse("Case", "500", CASE, label="Case", plural="Cases"),
        parse("Contact", "003", CONTACT, label="Contact", plural="Contacts", mergeable=True),
        parse("EmailMessage", "02s", EMAIL_MESSAGE, label="Email Message", plural="Email Messages", searchable=False),
        parse(
            "EmailMessageRelation",
            "0ER",
            EMAIL_MESSAGE_RELATION,
            label="Email Message Relation",
            plural="Email Message Relations",
            **relation,
        ),
        parse("Event", "00U", EVENT, label="Event", plural="Events"),
        parse("EventRelation", "0RE", EVENT_RELATION, label="Event Relation", plural="Event Relations", **plain),
        parse("Lead", "00Q", LEAD, label="Lead", plural="Leads", mergeable=True),
        parse("Opportunity", "006", OPPORTUNITY, label="Opportunity", plural="Opportunities"),
        parse(
            "Organization",
            "00D",
            ORGANIZATION,
            label="Organization",
            plural="Organizations",
            createable=False,
            deletable=False,
            undeletable=False,
            **plain,
        ),
        parse("Task", "00T", TASK, label="Task", plural="Tasks"),
        parse("TaskRelation", "0RT", TASK_RELATION, label="Task Relation", plural="Task Relations", **relation),
        parse("User", "005", USER, label="User", plural="Users", deletable=False, undeletable=False),
    )


OBJECTS: dict[str, SObject] = {o.name: o for o in _objects()}
NAME_OBJECT = parse("Name", None, NAME, label="Name", plural="Names")
RELATIONS = frozenset({"TaskRelation", "EventRelation", "EmailMessageRelation"})
"""A participant that is taken off leaves every query at once and shows in /deleted only (R7)."""
