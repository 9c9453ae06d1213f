"""Turn the difference between findings and alerts into transitions, conversations and messages, row by row."""

from __future__ import annotations

from daemon.alerting.book import AlertPolicy, AlertRule, alert_rules
from daemon.alerting.digest import digest
from daemon.alerting.run import Advance, advance

__all__ = ["Advance", "AlertPolicy", "AlertRule", "advance", "alert_rules", "digest"]
