"""Look at a HubSpot portal before it is read: rights, properties, and what a first sync would cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connectors.fit import HUBSPOT, misfits
from connectors.http import Finding, Preview, VendorError, remedy
from connectors.hubspot.advice import advice
from connectors.hubspot.explore import HubSpotExplorer
from connectors.hubspot.objects import LIST_PAGE
from connectors.hubspot.paths import TOKEN_INFO, Paths
from connectors.hubspot.session import HubSpotSession
from connectors.hubspot.settings import HubSpotSettings, Token
from connectors.hubspot.streams import Stream, streams
from connectors.shapes import names_of

_WRITE_SCOPES = ("write", "delete")
_WRITES = "crm.objects.companies.write"
_UNTRIED = frozenset({"crm.objects.owners.read", _WRITES})
_WHY = {
    "accounts": "customers and the facts that are mapped",
    "contacts": "whom we are in touch with, and their level",
    "opportunities": "what was paid, renewals, expansions",
    "tickets": "open and urgent tickets",
    "calls": "calls",
    "emails": "e-mails: who, when and the subject, never the text",
    "meetings": "meetings held and booked",
    "notes": "notes",
    "tasks": "tasks",
}
_CREDENTIALS = "check the token: a Service Key or a private app's, of this portal, and not rotated since"


class HubSpotLook:
    """One portal, looked at with the rights that tierd has; nothing is changed."""

    def __init__(self, settings: HubSpotSettings, session: HubSpotSession) -> None:
        self._settings, self._session = settings, session
        self._paths = Paths(settings.read_version)
        self.explorer = HubSpotExplorer(settings, session)

    def check(self) -> Sequence[Finding]:
        """The portal, then every object and mapped property with the rights that the token has."""
        try:
            details = self._session.get(self._paths.account())
        except VendorError as error:
            return [Finding("error", str(error), remedy(error, _CREDENTIALS))]
        portal, wanted = details.get("portalId"), self._settings.portal_id
        if wanted is not None and portal != wanted:
            return [
                Finding(
                    "error", f"the token belongs to portal {portal}, but portal_id pins {wanted}", "use the right one"
                )
            ]
        findings = [Finding("ok", f"signed in to portal {portal}")]
        for stream in streams(self._settings):
            findings += self._look(stream)
        findings += misfits(self._settings, self.explorer.shape, self._objects, HUBSPOT)
        findings += advice(self._settings, self.explorer, self._session, details)
        return findings + self._excess()

    def _objects(self) -> dict[str, str]:
        return names_of(self.explorer.objects())

    def _look(self, stream: Stream) -> list[Finding]:
        try:
            shape = self.explorer.shape(stream.object)
        except VendorError as error:
            return [Finding("error", f"{stream.object} cannot be read: {error}", remedy(error, _CREDENTIALS))]
        if shape is None and stream.name.startswith("objects:"):
            return []  # said with the nearest name, at its place in the mapping
        if shape is None:
            what = f"{stream.object} cannot be read with this token"
            return [Finding("error", what, f"add the scope {scope(stream.object)}")]
        mapped = {
            "companies": self._settings.account_fields(),
            "contacts": self._settings.contact_fields(),
            **self._settings.objects(),
        }.get(stream.object, ())
        lacking = sorted(set(stream.properties) - set(shape.fields))
        missing = [name for name in lacking if name not in mapped]
        if missing:
            text = f"{stream.object}: {', '.join(missing)} not there"
            return [Finding("error", text, "create the property, or name another one in the settings of this source")]
        return [Finding("ok", f"{stream.object}: {len(stream.properties) - len(lacking)} properties readable")]

    def _excess(self) -> list[Finding]:
        if not isinstance(self._settings.auth, Token):
            return []  # an OAuth app's scopes are part of the app
        body = {"tokenKey": self._settings.auth.access_token.get_secret_value()}
        try:
            scopes = self._session.post(TOKEN_INFO, body).get("scopes", ())
        except VendorError:
            return []  # a Service Key cannot be looked into; its scopes are seen in HubSpot
        wanted = {name: why for name, why in self.permissions() if name != _WRITES or not self._settings.write_auth}
        # What reading an object or its properties needs was tried above; owners were not asked for.
        lacking = [Finding("error", f"the token lacks the scope {name}: {why}", f"add the scope {name}")
                   for name, why in wanted.items() if name not in scopes and name in _UNTRIED]  # fmt: skip
        surplus = sorted(s for s in scopes if s not in wanted and s.rpartition(".")[2] in _WRITE_SCOPES)
        if surplus:
            remedy = "take them away: what a token may not do, nobody can do with it"
            lacking.append(Finding("warning", f"the token may do more than tierd needs: {', '.join(surplus)}", remedy))
        return lacking

    def permissions(self) -> list[tuple[str, str]]:
        """(scope, why) as a private app or Service Key asks for them."""
        wanted: dict[str, list[str]] = {}
        for stream in streams(self._settings):
            wanted.setdefault(scope(stream.object), []).append(
                _WHY.get(stream.name, f"the field mapping reads {stream.object}")
            )
        wanted["crm.objects.owners.read"] = ["who the CSM is, and who of us was in touch"]
        wanted["crm.schemas.companies.read"] = ["to look up the mapped properties"]
        if set(self._settings.objects()) - {"deals", "tickets", "contacts"}:
            wanted["crm.schemas.custom.read"] = ["to look up the custom objects of the mapping"]
        if self._settings.tier is not None:
            other = " (only the token of write_auth)" if self._settings.write_auth else ""
            wanted[_WRITES] = [f"writing the tier back{other}"]
        return [(name, "; ".join(why)) for name, why in sorted(wanted.items())]

    def preview(self) -> Preview:
        """Rows per object, calls and minutes of a first sync, counted by the portal itself."""
        rows: dict[str, int] = {}
        for stream in streams(self._settings):
            rows[stream.object] = self._total(stream, [])
        calls = sum(-(-count // LIST_PAGE) or 1 for count in rows.values()) + len(rows) + 1
        minutes = calls / self._settings.calls_per_second / 60
        return Preview(rows, calls, minutes, self._left(), self._customers())

    def _total(self, stream: Stream, filters: list[dict[str, Any]]) -> int:
        body: dict[str, Any] = {"limit": 1, "filterGroups": [{"filters": filters}] if filters else []}
        answer = self._session.post(self._paths.search(stream.object), body)
        return int(answer.get("total", 0))

    def _left(self) -> int | None:
        try:
            usage = self._session.get(self._paths.usage())["results"][0]
            return int(usage["usageLimit"]) - int(usage["currentUsage"])
        except (VendorError, KeyError, IndexError):
            return None  # Service Keys and OAuth tokens are not told their daily usage

    def _customers(self) -> int | None:
        filters = []
        for name, wanted in self._settings.customer.items():
            if isinstance(wanted, dict):
                return None  # only values and lists of values can be counted by the portal
            values = [
                str(v).lower() if isinstance(v, bool) else str(v)
                for v in (wanted if isinstance(wanted, list) else [wanted])
            ]
            filters.append({"propertyName": name, "operator": "IN", "values": values})
        companies = next(s for s in streams(self._settings) if s.object == "companies")
        return self._total(companies, filters)


def scope(name: str) -> str:
    """The scope that reading an object needs (developers.hubspot.com/docs/apps/developer-platform/scopes)."""
    if name in ("companies", "contacts", "deals"):
        return f"crm.objects.{name}.read"
    if name == "tickets":
        return "tickets"
    if name in ("calls", "emails", "meetings", "notes", "tasks"):
        return "crm.objects.contacts.read" if name != "emails" else "sales-email-read"
    return "crm.objects.custom.read"
