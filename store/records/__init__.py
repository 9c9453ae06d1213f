"""Plain frozen records that connectors yield, rules and alerts read, and store keeps."""

from __future__ import annotations

from store.records.alerts import AlertRow, ConversationRow, DeliveryRow, ToldRow
from store.records.behind import Behind, NamedPerson, NamedTouch, UsageMeans
from store.records.clock import Clock
from store.records.crm import (
    AccountRecord,
    ActivityKind,
    ActivityRecord,
    ActivityStatus,
    ContactRecord,
    ContactRole,
    FieldChange,
    FieldValues,
    Gone,
    KnownRow,
    Links,
    Merged,
    ObjectRecord,
    OpportunityRecord,
    ParticipantRecord,
    TeamMemberRecord,
    TicketRecord,
)
from store.records.record import Record
from store.records.sync import Batch, StreamTrouble, SyncEvent, Toll
from store.records.tiers import TierWrite, WriteResult
from store.records.units import DAY, HOUR, MINUTE, SECOND, Day, Instant, Scalar
from store.records.usage import FeatureUse, FedActivity, SurveyAnswer, UsageMap, UsageSample

__all__ = [
    "DAY",
    "HOUR",
    "MINUTE",
    "SECOND",
    "AccountRecord",
    "ActivityKind",
    "ActivityRecord",
    "ActivityStatus",
    "AlertRow",
    "Batch",
    "Behind",
    "Clock",
    "ContactRecord",
    "ContactRole",
    "ConversationRow",
    "Day",
    "DeliveryRow",
    "FeatureUse",
    "FedActivity",
    "FieldChange",
    "FieldValues",
    "Gone",
    "Instant",
    "KnownRow",
    "Links",
    "Merged",
    "NamedPerson",
    "NamedTouch",
    "ObjectRecord",
    "OpportunityRecord",
    "ParticipantRecord",
    "Record",
    "Scalar",
    "StreamTrouble",
    "SurveyAnswer",
    "SyncEvent",
    "TeamMemberRecord",
    "TicketRecord",
    "TierWrite",
    "ToldRow",
    "Toll",
    "UsageMap",
    "UsageMeans",
    "UsageSample",
    "WriteResult",
]
