"""The kinds of link between HubSpot objects: type ids, labels, names."""

from __future__ import annotations

from dataclasses import dataclass, field

PRIMARY = "Primary"
PARENT, CHILD = "Parent Company", "Child Company"
"""How the other end of a link between companies is called; each end shows the other's."""
_FIRST_OWN_ID = 1_001

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
    ("deals", "line_items"): 19,
    ("line_items", "deals"): 20,
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


# https://developers.hubspot.com/docs/api-reference/crm-associations-v4/guide: parent to child 13, child to parent 14.
_HIERARCHY = {CHILD: 13, PARENT: 14}

STANDARD, OWN = "HUBSPOT_DEFINED", "USER_DEFINED"


@dataclass(frozen=True, slots=True)
class LinkType:
    """One kind of link between two object types."""

    type_id: int
    label: str | None = None
    category: str = STANDARD


@dataclass(slots=True)
class LinkTypes:
    """The kinds of link of one portal: HubSpot's, and those that it made itself."""

    _own: dict[tuple[str, str], list[LinkType]] = field(default_factory=dict)
    _next: int = _FIRST_OWN_ID

    def between(self, from_type: str, to_type: str) -> list[LinkType]:
        """Every kind of link that the pair can have, the plain one last of HubSpot's; empty if it cannot be linked."""
        pair = (from_type, to_type)
        found: list[LinkType] = []
        if pair in _PRIMARY_IDS:
            found.append(LinkType(_PRIMARY_IDS[pair], PRIMARY))
        if pair == ("companies", "companies"):
            found += [LinkType(type_id, label) for label, type_id in _HIERARCHY.items()]
        if pair in _LINK_IDS:
            found.append(LinkType(_LINK_IDS[pair]))
        return found + self._own.get(pair, [])

    def of_link(self, from_type: str, to_type: str, labels: tuple[str, ...]) -> list[LinkType]:
        """The kinds that a link with these labels has: theirs, and always the plain one."""
        return [kind for kind in self.between(from_type, to_type) if kind.label is None or kind.label in labels]

    def label_of(self, from_type: str, to_type: str, type_id: int) -> str | None:
        """The label that a type id stands for, None for a plain link. KeyError if the pair has no such type."""
        for kind in self.between(from_type, to_type):
            if kind.type_id == type_id:
                return kind.label
        raise KeyError(type_id)

    def back(self, label: str | None) -> str | None:
        """What the other end calls the link."""
        return {PARENT: CHILD, CHILD: PARENT}.get(str(label), label)

    def add(self, from_type: str, to_type: str, label: str | None) -> tuple[int, int]:
        """Make a kind of link of the portal's own; its type ids there and back."""
        there, back = self._next, self._next + 1
        self._next += 2
        self._own.setdefault((from_type, to_type), []).append(LinkType(there, label, OWN))
        if from_type != to_type:
            self._own.setdefault((to_type, from_type), []).append(LinkType(back, label, OWN))
        return there, back
