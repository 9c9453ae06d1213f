"""The dated paths of one portal: the only place that knows where HubSpot keeps what.

Undated ones end in 2027 (developers.hubspot.com/docs/developer-tooling/platform/versioning); a version appears every
March and September and is supported for 18 months.
"""

from __future__ import annotations

TOKEN = "/oauth/2026-03/token"  # noqa: S105 - a path
"""OAuth grants, form-encoded; `/oauth/v1` stops in February 2027."""
TOKEN_INFO = "/oauth/v2/private-apps/get/access-token-info"  # noqa: S105 - a path
"""Scopes of a private app's token; it has no dated twin."""


class Paths:
    """The paths of one version, such as `2026-09`."""

    def __init__(self, version: str) -> None:
        self.version = version

    def list(self, name: str) -> str:
        """GET: records by page, in the order of their ids."""
        return f"/crm/objects/{self.version}/{name}"

    def search(self, name: str) -> str:
        """POST: records by filter, at most 10,000 of them."""
        return f"{self.list(name)}/search"

    def read(self, name: str) -> str:
        """POST: at most 100 records by id."""
        return f"{self.list(name)}/batch/read"

    def update(self, name: str) -> str:
        """POST: properties of at most 100 records."""
        return f"{self.list(name)}/batch/update"

    def linked(self, name: str, to: str) -> str:
        """POST: what at most 1,000 records are associated with."""
        return f"/crm/associations/{self.version}/{name}/{to}/batch/read"

    def owners(self) -> str:
        """GET: owners by page."""
        return f"/crm/owners/{self.version}"

    def properties(self, name: str) -> str:
        """GET: every property of an object, never paged."""
        return f"/crm/properties/{self.version}/{name}"

    def schemas(self) -> str:
        """GET: the custom objects of the portal; one of them, or a standard object, behind a slash."""
        return f"/crm-object-schemas/{self.version}/schemas"

    def account(self) -> str:
        """GET: the portal's id, time zone and currency."""
        return f"/account-info/{self.version}/details"

    def usage(self) -> str:
        """GET: what private apps have used of the day's calls."""
        return f"/account-info/{self.version}/api-usage/daily/private-apps"
