"""The HubSpot connector: reading, checking and previewing one portal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from connectors.http import Finding, Preview
from connectors.hubspot.auth import tokens
from connectors.hubspot.explore import HubSpotExplorer
from connectors.hubspot.limits import Limiters, PortalLimits
from connectors.hubspot.look import HubSpotLook
from connectors.hubspot.reader import HubSpotReader
from connectors.hubspot.session import HubSpotSession
from connectors.hubspot.settings import Auth, HubSpotSettings, Token
from connectors.hubspot.writer import HubSpotWriter
from connectors.known import Known
from connectors.means import Means
from connectors.tokens import TokenKeep
from store.records import Clock, Toll


class HubSpotConnector(HubSpotReader):
    """One portal, reading and looking before it reads."""

    def __init__(
        self,
        settings: HubSpotSettings,
        clock: Clock,
        known: Known,
        means: Means | None = None,
        limiters: Limiters | None = None,
    ) -> None:
        means = means or Means()
        session = _session(settings, settings.auth, clock, means.keep, _limits(settings, clock, means, limiters))
        super().__init__(settings, session, clock, known)
        self._look = HubSpotLook(settings, self._session)

    def toll(self) -> Toll:
        """What the calls have cost so far, and which faults they met."""
        return Toll(self._session.calls, self._session.throttled, faults=Counter(self._session.met))

    def check(self) -> Sequence[Finding]:
        """The portal, then every object and mapped property with the rights that the token has."""
        return self._look.check()

    @property
    def explorer(self) -> HubSpotExplorer:
        """For looking around: objects, fields, counts and samples."""
        return self._look.explorer

    def permissions(self) -> list[tuple[str, str]]:
        """(scope, why) as a private app or Service Key asks for them."""
        return self._look.permissions()

    def preview(self) -> Preview:
        """Rows per object, calls and minutes of a first sync, counted by the portal itself."""
        return self._look.preview()


def _session(
    settings: HubSpotSettings, auth: Auth, clock: Clock, keep: TokenKeep, limits: PortalLimits
) -> HubSpotSession:
    renewing = tokens(settings.base_url, auth, clock, keep, settings.timeout_seconds)
    return HubSpotSession(settings.base_url, renewing, clock, limits, timeout=settings.timeout_seconds)


def _limits(settings: HubSpotSettings, clock: Clock, means: Means, limiters: Limiters | None) -> PortalLimits:
    """The portal's limiter: the one that every session of this process shares, where the process has some."""
    auth = settings.auth
    secret = auth.access_token if isinstance(auth, Token) else auth.refresh_token
    portal = str(settings.portal_id or secret.get_secret_value())
    return (limiters or Limiters()).of(settings, portal, clock, means.spent)


def writer(
    settings: HubSpotSettings, clock: Clock, means: Means | None = None, limiters: Limiters | None = None
) -> HubSpotWriter:
    """The writing side, with its own token where the settings have one."""
    own, means = settings.write_auth, means or Means()
    keep = means.write_keep if own else means.keep
    return HubSpotWriter(
        settings, _session(settings, own or settings.auth, clock, keep, _limits(settings, clock, means, limiters))
    )
