"""The properties of the demo portal, one line each.

`name kind[=option|option] [readonly] [unique] [multiple] [calculated] [hidden]`.
"""

from __future__ import annotations

COMMON = """
createdate datetime readonly
hs_lastmodifieddate datetime readonly
hs_object_id number readonly
hs_merged_object_ids enumeration readonly hidden multiple
hs_updated_by_user_id number readonly
hubspot_owner_id owner
"""
ACTIVITY = """
hs_timestamp datetime
hs_createdate datetime readonly
hs_lastmodifieddate datetime readonly
hs_object_id number readonly
hs_updated_by_user_id number readonly
hubspot_owner_id owner
"""
_STAGES = (
    "appointmentscheduled|qualifiedtobuy|presentationscheduled|decisionmakerboughtin|contractsent|closedwon|closedlost"
)
# Call outcomes are GUIDs, the same in every portal: https://developers.hubspot.com/docs/api-reference/crm-calls-v3/guide
_DISPOSITIONS = (
    "f240bbac-87c9-4f6e-bf70-924b57d47db7|73a0d17f-1163-4015-bdd5-ec830791da20|b2cf5968-551e-4856-9783-52b3da59a7d0|"
    "9d9162e7-6cf3-4944-bf63-4dff82258764|a4c4c377-d246-4b32-a13b-75a56a4cd0ff|17b47fee-58de-441e-a44c-c6300d46f273"
)
_LIFECYCLE = "subscriber|lead|marketingqualifiedlead|salesqualifiedlead|opportunity|customer|evangelist|other"
_BOUNCES = "OTHER|CONTENT|MAILBOX_FULL|POLICY|SPAM|UNKNOWN_USER|MAILBOX_MISCONFIGURATION|DNS_FAILURE"

# https://knowledge.hubspot.com/properties/hubspots-default-contact-properties: the default options of the buying role.
_ROLES = (
    "BLOCKER|BUDGET_HOLDER|CHAMPION|DECISION_MAKER|END_USER|EXECUTIVE_SPONSOR|INFLUENCER|LEGAL_AND_COMPLIANCE|OTHER"
)

PROPERTIES = {
    "companies": f"""{COMMON}
name string
domain string
website string
phone phone_number
city string
country string
industry string
lifecyclestage enumeration={_LIFECYCLE}
customer_status enumeration=active|former
salesforceaccountid string
arr number
renewal_date date
csm owner
contract_start date
auto_renews bool
term_days number
seats number
potential number
market_fit number
strategic bool
workspace_id string
customer_tier enumeration=tier_1|tier_2|tier_3
hs_parent_company_id number
hs_num_child_companies number calculated
notes_last_contacted datetime readonly
""",
    "contacts": f"""
createdate datetime readonly
lastmodifieddate datetime readonly
hs_object_id number readonly
hs_merged_object_ids enumeration readonly hidden multiple
hs_updated_by_user_id number readonly
hubspot_owner_id owner
email string unique
firstname string
lastname string
phone phone_number
jobtitle string
company string
website string
lifecyclestage enumeration={_LIFECYCLE}
associatedcompanyid number
product_user bool
salesforcecontactid string
hs_email_domain string readonly
hs_buying_role enumeration={_ROLES} multiple
hs_calculated_merged_vids enumeration calculated hidden
hs_email_hard_bounce_reason_enum enumeration={_BOUNCES} readonly
""",
    "deals": f"""{COMMON}
dealname string
dealtype enumeration=newbusiness|existingbusiness|renewal|expansion
dealstage enumeration={_STAGES}
pipeline enumeration=default
amount number
closedate datetime
hs_is_closed bool readonly
hs_is_closed_won bool readonly
salesforceopportunityid string
""",
    "tickets": f"""{COMMON}
subject string
content string
hs_pipeline enumeration=0
hs_pipeline_stage enumeration=1|2|3|4
hs_ticket_priority enumeration=LOW|MEDIUM|HIGH|URGENT
hs_ticket_category string
source_type enumeration=CHAT|EMAIL|FORM|PHONE
closed_date datetime
""",
    "line_items": f"""{COMMON}
name string
price number
quantity number
amount number
hs_sku string
hs_arr number calculated
hs_recurring_billing_start_date date
recurringbillingfrequency enumeration=monthly|quarterly|annually
""",
    "emails": f"""{ACTIVITY}
hs_email_direction enumeration=EMAIL|INCOMING_EMAIL|FORWARDED_EMAIL
hs_email_subject string
hs_email_from_email string
hs_email_to_email string
hs_email_cc_email string
hs_email_bcc_email string
hs_email_message_id string
hs_email_thread_id string
hs_email_status enumeration=BOUNCED|FAILED|SCHEDULED|SENDING|SENT
automatic bool
""",
    "calls": f"""{ACTIVITY}
hs_call_title string
hs_call_direction enumeration=INBOUND|OUTBOUND
hs_call_disposition enumeration={_DISPOSITIONS}
hs_call_status enumeration=BUSY|CALLING_CRM_USER|CANCELED|COMPLETED|CONNECTING|FAILED|IN_PROGRESS|NO_ANSWER|QUEUED|RINGING
hs_call_duration number
""",
    "meetings": f"""{ACTIVITY}
hs_meeting_title string
hs_meeting_start_time datetime
hs_meeting_end_time datetime
hs_meeting_outcome enumeration=SCHEDULED|COMPLETED|RESCHEDULED|NO_SHOW|CANCELED
hs_meeting_location string
hs_i_cal_uid string
hs_attendee_owner_ids string
""",
    "notes": f"""{ACTIVITY}
hs_note_body string
""",
    "tasks": f"""{ACTIVITY}
hs_task_subject string
hs_task_status enumeration=NOT_STARTED|IN_PROGRESS|WAITING|DEFERRED|COMPLETED
hs_task_type enumeration=TODO|EMAIL|CALL
hs_task_priority enumeration=NONE|LOW|MEDIUM|HIGH
hs_task_completion_date datetime
""",
}
