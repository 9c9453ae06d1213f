"""The HubSpot connector: reading, checking and previewing one portal."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.http import Finding, Preview
from connectors.hubspot.explore import HubSpotExplorer
from connectors.hubspot.look import HubSpotLook
from connectors.hubspot.reader import HubSpotReader, Known
from connectors.hubspot.session import HubSpotSession
from connectors.hubspot.settings import HubSpotSettings, Token
from connectors.hubspot.writer import HubSpotWriter
from store.records import Clock


class HubSpotConnector(HubSpotReader):
    """One portal, reading and looking before it reads."""

    def __init__(self, settings: HubSpotSettings, clock: Clock, known: Known) -> None:
        super().__init__(settings, _session(settings, settings.auth, clock), clock, known)
        self._look = HubSpotLook(settings, self._session)

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


def _session(settings: HubSpotSettings, token: Token, clock: Clock) -> HubSpotSession:
    return HubSpotSession(
        settings.base_url,
        token.access_token.get_secret_value(),
        clock,
        calls_per_second=settings.calls_per_second,
        searches_per_second=settings.searches_per_second,
    )


def writer(settings: HubSpotSettings, clock: Clock) -> HubSpotWriter:
    """The writing side, with its own token where the settings have one."""
    return HubSpotWriter(settings, _session(settings, settings.write_auth or settings.auth, clock))
