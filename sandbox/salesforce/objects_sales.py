"""Field tables around deals: roles, line items, products, contracts, and the two custom objects of the demo's org."""

from __future__ import annotations

from sandbox.salesforce.objects_core import HEAD, STAMPS

OPPORTUNITY_CONTACT_ROLE = f"""
Id id ro default
OpportunityId reference fixed required ->Opportunity:Opportunity@OpportunityContactRoles
ContactId reference fixed required ->Contact:Contact@OpportunityContactRoles
Role picklist:255 =Business_User|Decision_Maker|Economic_Buyer|Economic_Decision_Maker|Evaluator|Executive_Sponsor|Influencer|Technical_Buyer|Other
IsPrimary boolean
{STAMPS}
IsDeleted boolean ro
"""

ACCOUNT_CONTACT_RELATION = f"""
Id id ro default
AccountId reference fixed required ->Account:Account@AccountContactRelations
ContactId reference fixed required ->Contact:Contact@AccountContactRelations
Roles multipicklist:4099 =Business_User|Decision_Maker|Economic_Buyer|Evaluator|Executive_Sponsor|Influencer|Other
IsDirect boolean ro
IsActive boolean
StartDate date
EndDate date
IsDeleted boolean ro
{STAMPS}
"""

OPPORTUNITY_LINE_ITEM = f"""
Id id ro default
OpportunityId reference fixed required ->Opportunity:Opportunity@OpportunityLineItems
SortOrder int ro
PricebookEntryId reference fixed ->PricebookEntry:PricebookEntry
Product2Id reference fixed ->Product2:Product2
ProductCode string:255 ro
Name string:376 ro name
Quantity double required
TotalPrice currency
UnitPrice currency
ListPrice currency ro
ServiceDate date
Description string:255
{STAMPS}
IsDeleted boolean ro
"""

PRODUCT2 = f"""
Id id ro default
Name string:255 required name
ProductCode string:255
Description textarea:4000 nofilter
IsActive boolean
Family picklist:255
{STAMPS}
IsDeleted boolean ro
"""

CONTRACT = f"""
Id id ro default
AccountId reference required ->Account:Account@Contracts
OwnerExpirationNotice picklist:40
StartDate date
EndDate date ro
ContractTerm int
OwnerId reference default ->User:Owner
Status picklist:40 default =Draft|In_Approval_Process|Activated
StatusCode picklist:40 ro
CustomerSignedId reference ->Contact:CustomerSigned@ContractsSigned
CustomerSignedTitle string:40
CustomerSignedDate date
SpecialTerms textarea:4000 nofilter
ActivatedDate datetime ro
Description textarea:32000 nofilter
ContractNumber string:30 ro default name
LastActivityDate date ro
IsDeleted boolean ro
{STAMPS}
"""

RECORD_TYPE = """
Id id ro default
Name string:80 required name
DeveloperName string:80 required
NamespacePrefix string:15 ro
Description string:255
BusinessProcessId reference ->BusinessProcess:BusinessProcess
SobjectType picklist:40 fixed required
IsActive boolean
CreatedById reference ro default ->User:CreatedBy
CreatedDate datetime ro default
LastModifiedById reference ro default ->User:LastModifiedBy
LastModifiedDate datetime ro default
SystemModstamp datetime ro default
"""

GROUP = """
Id id ro default
Name string:40 required name
DeveloperName string:80
Type picklist:40 fixed =Regular|Queue|Role
Email email:255
CreatedDate datetime ro default
CreatedById reference ro default ->User:CreatedBy
LastModifiedDate datetime ro default
LastModifiedById reference ro default ->User:LastModifiedBy
SystemModstamp datetime ro default
"""

SUBSCRIPTION = f"""
{HEAD}
OwnerId reference default ->Group|User:Owner
Name string:80 required name
{STAMPS}
Account__c reference ->Account:Account__r@Subscriptions__r
Annual_Value__c currency
Seats__c double
Ends_On__c date
Status__c picklist:255 restricted =Active|Ended|Trial
Days_Left__c double formula
"""

DEAL_TERM = f"""
{HEAD}
OwnerId reference default ->Group|User:Owner
Name string:80 required name
{STAMPS}
Opportunity__c reference ->Opportunity:Opportunity__r@Deal_Terms__r
Annual_Value__c currency
Term_Months__c double
Auto_Renews__c boolean
"""

LOGIN_HISTORY = """
Id id ro default
UserId reference ro default ->User:User
LoginTime datetime ro default
LoginType picklist:40 ro
SourceIp string:39 ro
Status string:128 ro
Application string:64 ro
"""
"""No stamp but LoginTime: the last choice of a cursor (R1)."""

CONNECTION_STATUS = """
Id id ro default
UserId reference ro ->User:User
ConfigurationName string:255 ro
ConnectivityStatus picklist:40 ro restricted =ACTIVE|DISABLED|INITIALIZING|NEEDSATTENTION|PENDING|PROCESSING
EmailAddress string:255 ro
IsTermsOfServiceAccepted boolean ro
EventsSynced int ro
ContactsSynced int ro
CreatedDate datetime ro default
LastModifiedDate datetime ro default
SystemModstamp datetime ro default
"""
"""ActivityUsrConnectionStatus: "To access this object, enable Einstein Activity Capture in your org"."""

CALENDAR_SYNC = """
Id id ro default
AssignedId reference ->User:Assigned
ConfigurationId string:18
CreatedDate datetime ro default
LastModifiedDate datetime ro default
SystemModstamp datetime ro default
"""
"""UserEmailCalendarSync, with the same special access rule."""
