"""The demo's own configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from daemon.config import load
from daemon.demo.setup import secrets, write

_INFO: dict[str, Any] = {
    "salesforce": {
        "base_url": "http://127.0.0.1:1",
        "client_id": "id",
        "client_secret": "s1",
        "org_id": "00D000000000062EAA",
    },
    "hubspot": {"base_url": "http://127.0.0.1:2", "portal_id": "7", "access_token": "s2"},
    "slack": {
        "base_url": "http://127.0.0.1:3/api/",
        "team_id": "T1",
        "bot_token": "s3",
        "app_token": "s4",
        "channels": {"alerts": "C1", "operators": "C2"},
    },
    "usage": {"directory": "/usage"},
    "surveys": {"directory": "/usage/surveys"},
    "offering": {"name": "Insights", "released": "2026-01-04"},
    "crm": {"page": "http://127.0.0.1:4/"},
}


def test_account_names_lead_to_the_crm_pages(tmp_path: Path) -> None:
    """The file loads, and each CRM's accounts have their page in the sandbox."""
    config = load(write(tmp_path, _INFO), secrets(_INFO))
    assert config.alerts.links == {
        "salesforce": "http://127.0.0.1:4/salesforce/{id}",
        "hubspot": "http://127.0.0.1:4/hubspot/{id}",
    }
