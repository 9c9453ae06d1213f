"""The Salesforce connector: reading, checking and previewing one org."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.http import Finding, Preview
from connectors.salesforce.look import SalesforceLook
from connectors.salesforce.reader import SalesforceReader
from connectors.salesforce.session import SalesforceSession
from connectors.salesforce.settings import Auth, SalesforceSettings
from connectors.salesforce.writer import SalesforceWriter
from store.records import Clock


class SalesforceConnector(SalesforceReader):
    """One org, reading and looking before it reads."""

    def __init__(self, settings: SalesforceSettings, clock: Clock) -> None:
        super().__init__(settings, _session(settings, settings.auth, clock), clock)
        self._look = SalesforceLook(settings, self._session, self.get)

    def check(self) -> Sequence[Finding]:
        """Sign in, then look at every object and mapped field with the rights that tierd has."""
        return self._look.check()

    def permissions(self) -> list[tuple[str, str]]:
        """(permission, why) as an administrator grants them."""
        return self._look.permissions()

    def preview(self) -> Preview:
        """Rows per object, calls and minutes of a first sync, counted by the org itself."""
        return self._look.preview()


def _session(settings: SalesforceSettings, auth: Auth, clock: Clock) -> SalesforceSession:
    return SalesforceSession(settings.base_url, settings.api_version, auth, clock, org_id=settings.org_id)


def writer(settings: SalesforceSettings, clock: Clock) -> SalesforceWriter:
    """The writing side, with its own credentials where the settings have them."""
    return SalesforceWriter(settings, _session(settings, settings.write_auth or settings.auth, clock))
