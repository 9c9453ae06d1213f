"""Record ids of both CRMs, numbered in the order of asking, so that the same world has the same ids."""

from __future__ import annotations

from collections import Counter

from sandbox.salesforce.ids import make

PREFIXES = {
    "Account": "001",
    "AccountContactRelation": "07k",
    "AccountTeamMember": "01M",
    "Case": "500",
    "Contact": "003",
    "EmailMessage": "02s",
    "EmailMessageRelation": "0ER",
    "Event": "00U",
    "EventRelation": "0RE",
    "Opportunity": "006",
    "OpportunityContactRole": "00K",
    "OpportunityLineItem": "00k",
    "Task": "00T",
    "TaskRelation": "0RT",
    "User": "005",
}
_HUBSPOT_FIRST = {
    "companies": 7_100_000_000,
    "contacts": 151_000,
    "owners": 60_100_000,
    "deals": 9_300_000_000,
    "tickets": 1_700_000_000,
    "emails": 41_000_000_000,
    "calls": 42_000_000_000,
    "meetings": 43_000_000_000,
    "notes": 44_000_000_000,
    "tasks": 45_000_000_000,
}


class Ids:
    """Hands out the next id of an object."""

    def __init__(self) -> None:
        self._used: Counter[str] = Counter()

    def salesforce(self, object_name: str) -> str:
        """The next 18-character id with its checksum."""
        self._used[object_name] += 1
        return make(PREFIXES[object_name], 5000 + self._used[object_name])

    def hubspot(self, object_name: str) -> str:
        """The next numeric id."""
        self._used[object_name] += 1
        return str(_HUBSPOT_FIRST[object_name] + 7 * self._used[object_name])
