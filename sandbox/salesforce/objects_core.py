"""Field tables of accounts, people, deals, cases and the org itself; the flags are explained in objects.py."""

from __future__ import annotations

STAMPS = """
CreatedDate datetime ro default
CreatedById reference ro default ->User:CreatedBy
LastModifiedDate datetime ro default
LastModifiedById reference ro default ->User:LastModifiedBy
SystemModstamp datetime ro default
"""
HEAD = "Id id ro default\nIsDeleted boolean ro\n"


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
{prefix}Address address ro nosort
"""


ACCOUNT = f"""
{HEAD}
MasterRecordId reference ro ->Account:MasterRecord
Name string:255 required name
Type picklist:40 =Customer|Prospect|Former_Customer
ParentId reference ->Account:Parent@ChildAccounts
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
{STAMPS}
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
DandbCompanyId reference ->DandBCompany:DandbCompany
OperatingHoursId reference ->OperatingHours:OperatingHours
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
{HEAD}
MasterRecordId reference ro ->Contact:MasterRecord
AccountId reference ->Account:Account@Contacts
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
{STAMPS}
LastActivityDate date ro
LastCURequestDate datetime ro
LastCUUpdateDate datetime ro
LastViewedDate datetime ro
LastReferencedDate datetime ro
EmailBouncedReason string:255
EmailBouncedDate datetime
IsEmailBounced boolean ro
PhotoUrl url:255 ro
Jigsaw string:20
JigsawContactId string:20 ro
CleanStatus picklist:40
IndividualId reference ->Individual:Individual
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
{STAMPS}
"""

OPPORTUNITY = f"""
{HEAD}
AccountId reference ->Account:Account@Opportunities
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
ContactId reference fixed ->Contact:Contact@Opportunities
{STAMPS}
LastActivityDate date ro
"""

CASE = f"""
{HEAD}
MasterRecordId reference ro ->Case:MasterRecord
CaseNumber string:30 ro default name
ContactId reference ->Contact:Contact@Cases
AccountId reference ->Account:Account@Cases
ParentId reference ->Case:Parent@Cases
SuppliedName string:80
SuppliedEmail email:80
Type picklist:40
Status picklist:40 filled =New|Working|Escalated|Closed
Reason picklist:40
Origin picklist:40 =Phone|Email|Web
Subject string:255
Priority picklist:40 filled =High|Medium|Low
Description textarea:32000 nofilter
IsClosed boolean ro
ClosedDate datetime ro
IsEscalated boolean
OwnerId reference default ->Group|User:Owner
{STAMPS}
ContactEmail email:80 ro
"""

ACCOUNT_TEAM_MEMBER = f"""
Id id ro default
AccountId reference fixed required ->Account:Account@AccountTeamMembers
UserId reference fixed required ->User:User
TeamMemberRole picklist:40 =Account_Manager|Customer_Success_Manager|Executive_Sponsor|Sales_Rep
PhotoUrl url:255 ro
Title string:80 ro
TeamRoleType picklist:40 ro
{STAMPS}
IsDeleted boolean ro
AccountAccessLevel picklist:40 fixed =None|Read|Edit|All
"""

CAMPAIGN = f"""
{HEAD}
Name string:80 required name
ParentId reference ->Campaign:Parent@ChildCampaigns
Type picklist:40
Status picklist:40 default =Planned|Aborted|In_Progress|Completed
StartDate date
EndDate date
IsActive boolean
OwnerId reference default ->User:Owner
{STAMPS}
"""

LEAD = f"""
{HEAD}
MasterRecordId reference ro ->Lead:MasterRecord
LastName string:80 required
FirstName string:40
Salutation picklist:40
Name string:121 ro required name
Title string:128
Company string:255 required
{_address("")}
Phone phone:40
MobilePhone phone:40
Fax phone:40
Email email:80
Website url:255
PhotoUrl url:255 ro
Description textarea:32000 nofilter
LeadSource picklist:255
Status picklist:255 default =Open|Working|Closed
Industry picklist:255
Rating picklist:255
AnnualRevenue currency
NumberOfEmployees int
OwnerId reference default ->Group|User:Owner
IsConverted boolean fixed
ConvertedDate date ro
ConvertedAccountId reference ro ->Account:ConvertedAccount
ConvertedContactId reference ro ->Contact:ConvertedContact
ConvertedOpportunityId reference ro ->Opportunity:ConvertedOpportunity
IsUnreadByOwner boolean
{STAMPS}
LastActivityDate date ro
LastViewedDate datetime ro
LastReferencedDate datetime ro
Jigsaw string:20
JigsawContactId string:20 ro
CleanStatus picklist:40
CompanyDunsNumber string:9
DandbCompanyId reference ->DandBCompany:DandbCompany
EmailBouncedReason string:255 later
EmailBouncedDate datetime later
IndividualId reference ->Individual:Individual
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
