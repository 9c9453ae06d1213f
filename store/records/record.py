"""Everything that a connector may yield."""

from __future__ import annotations

from store.records.crm import (
    AccountRecord,
    ActivityRecord,
    ContactRecord,
    ContactRole,
    FieldChange,
    FieldValues,
    Gone,
    Links,
    Merged,
    ObjectRecord,
    OpportunityRecord,
    ParticipantRecord,
    TeamMemberRecord,
    TicketRecord,
)
from store.records.usage import FeatureUse, FedActivity, SurveyAnswer, UsageMap, UsageSample

Record = (
    AccountRecord
    | ContactRecord
    | TeamMemberRecord
    | ParticipantRecord
    | ActivityRecord
    | OpportunityRecord
    | TicketRecord
    | ObjectRecord
    | FieldValues
    | UsageSample
    | FeatureUse
    | SurveyAnswer
    | UsageMap
    | FedActivity
    | Gone
    | Links
    | ContactRole
    | Merged
    | FieldChange
)
