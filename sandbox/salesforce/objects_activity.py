"""Field tables of tasks, events, e-mail messages and their participants; the flags are explained in objects.py."""

from __future__ import annotations

from sandbox.salesforce.objects_core import STAMPS

TASK = f"""
Id id ro default
WhoId reference ->Contact|Lead:Who@Tasks
WhatId reference ->Account|Case|Contract|Deal_Term__c|Opportunity|Product2|Subscription__c:What@Tasks
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
{STAMPS}
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
WhoId reference ->Contact|Lead:Who@Events
WhatId reference ->Account|Case|Contract|Deal_Term__c|Opportunity|Product2|Subscription__c:What@Events
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
{STAMPS}
IsArchived boolean ro
EventSubtype picklist:40 fixed =Event
Meeting_Status__c picklist:40 restricted =Planned|Held|Cancelled|No_Show
ICal_UID__c string:255
"""

EMAIL_MESSAGE = f"""
Id id ro default
ParentId reference ->Case:Parent@EmailMessages
ActivityId reference ->Task:Activity
{STAMPS}
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
RelatedToId reference ->Account|Opportunity|Case:RelatedTo@Emails
Automatic__c boolean
"""

TASK_RELATION = f"""
Id id ro default
RelationId reference fixed ->Account|Case|Contact|Contract|Deal_Term__c|Lead|Opportunity|Product2|Subscription__c:Relation@TaskRelations
TaskId reference fixed required ->Task:Task@TaskRelations
IsWhat boolean fixed
AccountId reference ro ->Account:Account
{STAMPS}
IsDeleted boolean ro
"""

EVENT_RELATION = f"""
Id id ro default
RelationId reference fixed ->Account|Calendar|Case|Contact|Contract|Deal_Term__c|Lead|Opportunity|Product2|Subscription__c|User:Relation@EventRelations
EventId reference fixed required ->Event:Event@EventRelations
IsWhat boolean fixed
IsParent boolean fixed
IsInvitee boolean fixed
AccountId reference ro ->Account:Account
Status picklist:40 =New|Declined|Accepted|Uninvited|Maybe
RespondedDate datetime
Response string:255
{STAMPS}
IsDeleted boolean ro
"""

EMAIL_MESSAGE_RELATION = """
Id id ro default
EmailMessageId reference fixed required ->EmailMessage:EmailMessage@EmailMessageRelations
RelationId reference fixed ->Contact|Lead|User:Relation@EmailMessageRelations
RelationType picklist:40 fixed required =FromAddress|ToAddress|CcAddress|BccAddress|OtherAddress
RelationAddress string:765 fixed
RelationObjectType picklist:40 ro =Contact|Lead|User
CreatedDate datetime ro default
CreatedById reference ro default ->User:CreatedBy
SystemModstamp datetime ro default
IsDeleted boolean ro
"""
