"""The buttons under a conversation and the dialog that asks until when and why to snooze."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from alerts.escape import address

Block = Mapping[str, Any]

ACKNOWLEDGE, SNOOZE, NOT_USEFUL, TOOK_ACTION, OPEN = (
    "tierd_acknowledge",
    "tierd_snooze",
    "tierd_not_useful",
    "tierd_took_action",
    "tierd_open",
)
SNOOZE_DIALOG = "tierd_snooze_dialog"
SNOOZE_CHOICES = (("1d", "1 day"), ("7d", "7 days"), ("date", "Until a date…"))
_VENDORS = {"salesforce": "Salesforce", "hubspot": "HubSpot"}
REASONS = (
    ("in contact", "Already in contact"),
    ("waiting", "Waiting for the customer"),
    ("known", "Known, nothing to do now"),
    ("other", "Another reason"),
)


def actions(key: str, links: Sequence[tuple[str, str]], *, open_rules: bool) -> list[Block]:
    """One row of buttons; without `open_rules` only the links to the CRM are left."""
    elements: list[Block] = []
    if open_rules:
        choices = [{"text": _plain(label), "value": f"{key}|{value}"} for value, label in SNOOZE_CHOICES]
        elements = [
            {**_button("Acknowledge", ACKNOWLEDGE, key), "style": "primary"},
            {"type": "static_select", "action_id": SNOOZE, "placeholder": _plain("Snooze"), "options": choices},
            _button("Not useful", NOT_USEFUL, key),
            _button("Took action", TOOK_ACTION, key),
        ]
    for at, (label, url) in enumerate(links[:3]):
        safe = address(url)
        if safe and len(safe) <= 3000:
            elements.append({**_button(f"Open in {_VENDORS.get(label, label)}"[:75], f"{OPEN}_{at}", key), "url": safe})
    return [{"type": "actions", "block_id": f"tierd_{key}", "elements": elements}] if elements else []


def snooze_dialog(key: str, choice: str) -> dict[str, Any]:
    """The modal behind Snooze: reason, and the date where one is to be chosen. `choice`: 1d | 7d | date."""
    blocks: list[dict[str, Any]] = []
    if choice == "date":
        date = {"type": "datepicker", "action_id": "until"}
        blocks.append({"type": "input", "block_id": "until", "label": _plain("Until"), "element": date})
    options = [{"text": _plain(label), "value": value} for value, label in REASONS]
    reason = {"type": "static_select", "action_id": "reason", "options": options, "placeholder": _plain("Reason")}
    blocks.append({"type": "input", "block_id": "reason", "label": _plain("Why"), "element": reason})
    return {
        "type": "modal",
        "callback_id": SNOOZE_DIALOG,
        "private_metadata": f"{key}|{choice}",
        "title": _plain("Snooze"),
        "submit": _plain("Snooze"),
        "close": _plain("Cancel"),
        "blocks": blocks,
    }


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def _button(text: str, action: str, value: str) -> dict[str, Any]:
    return {"type": "button", "text": _plain(text), "action_id": action, "value": value}
