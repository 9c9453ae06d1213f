"""The kinds of link between HubSpot objects: type ids, labels, names."""

from __future__ import annotations

PRIMARY = "Primary"

# typeId of each (from, to): https://developers.hubspot.com/docs/api-reference/crm-associations-v4/guide (association type ids).
# A pair with companies has two: the unlabeled link and the one to the primary company.
_PRIMARY_IDS = {
    ("contacts", "companies"): 1,
    ("companies", "contacts"): 2,
    ("deals", "companies"): 5,
    ("companies", "deals"): 6,
    ("tickets", "companies"): 26,
    ("companies", "tickets"): 25,
}
_LINK_IDS = {
    ("contacts", "companies"): 279,
    ("companies", "contacts"): 280,
    ("deals", "companies"): 341,
    ("companies", "deals"): 342,
    ("tickets", "companies"): 339,
    ("companies", "tickets"): 340,
    ("deals", "contacts"): 3,
    ("contacts", "deals"): 4,
    ("contacts", "tickets"): 15,
    ("tickets", "contacts"): 16,
    ("deals", "tickets"): 27,
    ("tickets", "deals"): 28,
    ("contacts", "contacts"): 449,
    ("companies", "companies"): 450,
    ("deals", "deals"): 451,
    ("tickets", "tickets"): 452,
}
_FIRST_ACTIVITY_IDS = {"companies": 181, "contacts": 193, "deals": 205}
_TICKET_ACTIVITY_IDS = {"calls": 219, "emails": 223, "meetings": 225, "notes": 227, "tasks": 229}
_ACTIVITY_STEPS = {"calls": 0, "emails": 4, "meetings": 6, "notes": 8, "tasks": 10}
for _activity, _step in _ACTIVITY_STEPS.items():
    for _parent, _base in _FIRST_ACTIVITY_IDS.items():
        _LINK_IDS[_parent, _activity] = _base + _step
        _LINK_IDS[_activity, _parent] = _base + _step + 1
    _LINK_IDS["tickets", _activity] = _TICKET_ACTIVITY_IDS[_activity]
    _LINK_IDS[_activity, "tickets"] = _TICKET_ACTIVITY_IDS[_activity] + 1


def link_ids(from_type: str, to_type: str, labels: tuple[str, ...]) -> list[tuple[int, str | None]]:
    """(typeId, label) of each association type that a link carries; empty if the pair cannot be linked."""
    plain = _LINK_IDS.get((from_type, to_type))
    if plain is None:
        return []
    primary = _PRIMARY_IDS.get((from_type, to_type))
    first: list[tuple[int, str | None]] = [(primary, PRIMARY)] if primary is not None and PRIMARY in labels else []
    return [*first, (plain, None)]


def label_of(from_type: str, to_type: str, type_id: int) -> str | None:
    """The label that a type id stands for, None for a plain link. KeyError if the pair has no such type."""
    if _PRIMARY_IDS.get((from_type, to_type)) == type_id:
        return PRIMARY
    if _LINK_IDS.get((from_type, to_type)) == type_id:
        return None
    raise KeyError(type_id)
