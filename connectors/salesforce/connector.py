"""The Salesforce connector: reading, checking and previewing one org."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from connectors.http import Finding, Preview
from connectors.known import Known, nothing_known
from connectors.means import Means
from connectors.salesforce.explore import SalesforceExplorer
from connectors.salesforce.look import SalesforceLook
from connectors.salesforce.reader import SalesforceReader
from connectors.salesforce.session import opened
from connectors.salesforce.settings import SalesforceSettings
from connectors.salesforce.writer import SalesforceWriter
from connectors.tokens import Tokens
from store.records import Clock, Toll


class SalesforceConnector(SalesforceReader):
    """One org, reading and looking before it reads."""

    def __init__(
        self,
        settings: SalesforceSettings,
        clock: Clock,
        means: Means | None = None,
        known: Known = nothing_known,
    ) -> None:
        self._means = means or Means()
        super().__init__(settings, opened(settings, clock, self._means), clock, self._means.spool, known)
        self._look = SalesforceLook(settings, self._session, self._session.get)

    def toll(self) -> Toll:
        """What the calls have cost so far, and which faults they met."""
        session = self._session
        return Toll(session.calls, session.throttled, session.usage, Counter(session.met))

    def check(self) -> Sequence[Finding]:
        """Sign in, then look at every object and mapped field with the rights that tierd has, and at the day's calls."""
        self._session.budget.begin()
        findings = list(self._look.check())
        used = self._session.budget.report()
        return [*findings, used] if used is not None else findings

    @property
    def tokens(self) -> Tokens:
        """The tokens that the calls are made with; thread-safe."""
        return self._session.tokens

    @property
    def explorer(self) -> SalesforceExplorer:
        """For looking around: objects, fields, counts and samples."""
        return self._look.explorer

    def permissions(self) -> list[tuple[str, str]]:
        """(permission, why) as an administrator grants them."""
        return self._look.permissions()

    def preview(self) -> Preview:
        """Rows per object, calls and minutes of a first sync, counted by the org itself."""
        return self._look.preview()


def writer(
    settings: SalesforceSettings, clock: Clock, means: Means | None = None, beside: SalesforceConnector | None = None
) -> SalesforceWriter:
    """The writing side, with its own credentials where the settings have them; else it shares the tokens of the reading
    one that is open `beside` it, and logs in only where there is none.
    """
    tokens = beside.tokens if beside is not None and settings.write_auth is None else None
    return SalesforceWriter(settings, opened(settings, clock, means or Means(), writing=True, tokens=tokens))
