"""What usage feeds yield besides samples: use of features, and which account each workspace key is."""

from __future__ import annotations

from dataclasses import dataclass

from store.records.crm import ActivityRecord
from store.records.units import Instant


@dataclass(frozen=True, slots=True)
class UsageSample:
    """One sample of product usage. `key` names the account the way the feed does (workspace key, CRM id or domain);
    empty where only `user` does.
    """

    key: str
    metric: str
    at: Instant
    value: float
    user: str | None = None
    """E-mail address of the user, where the feed is per user."""
    recorded_at: Instant | None = None
    """When the feed says it became known; None: when tierd read it."""


@dataclass(frozen=True, slots=True)
class FeatureUse:
    """What a feed says of one feature at one instant: that it was used, by how many, and whether it is on offer."""

    key: str
    feature: str
    """The feed's own name of it; the catalogue (`features` in the configuration) knows what it means."""
    at: Instant
    uses: float
    """How often; 0 = not used, as a feed says that has a row for every feature."""
    user: str | None = None
    users: int | None = None
    """How many different users, where the feed counts them itself."""
    offered: bool | None = None
    """Is the feature in this customer's plan; None = the feed does not say."""
    recorded_at: Instant | None = None


@dataclass(frozen=True, slots=True)
class SurveyAnswer:
    """One answer to a survey. `id` names it for good in its feed: the same again changes nothing."""

    id: str
    key: str
    kind: str
    """csat | nps"""
    value: int
    """csat: hundredths of a percent, 0..10000; nps: 0..10."""
    at: Instant
    user: str | None = None
    """E-mail address of who answered."""
    recorded_at: Instant | None = None


@dataclass(frozen=True, slots=True)
class UsageMap:
    """The complete explicit map of one feed: what is not in it is not mapped."""

    accounts: tuple[tuple[str, str], ...]
    """(workspace key, the account's id in a CRM or its web domain)."""


@dataclass(frozen=True, slots=True)
class FedActivity:
    """An activity of a system outside the CRM. Its creation stamp is settled when it is first kept."""

    activity: ActivityRecord
    recorded_at: Instant | None = None
    """When the feed says it became known; None: when tierd first read it."""
    known_at_once: bool = False
    """Of a first read: it counts as known when it happened."""
    deleted: bool = False
