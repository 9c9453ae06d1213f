"""Look at a Salesforce org before it is read: rights, fields, and what a first sync would cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

from connectors.fit import SALESFORCE, misfits
from connectors.http import Finding, Preview, VendorError, remedy
from connectors.mapping import holds
from connectors.salesforce.advice import advice
from connectors.salesforce.backfill import calls_of
from connectors.salesforce.explore import SalesforceExplorer
from connectors.salesforce.session import QUERIES_PER_CALL, SalesforceSession
from connectors.salesforce.settings import SalesforceSettings
from connectors.salesforce.streams import QUIET, Stream, streams
from connectors.shapes import ObjectShape, names_of, walk

Get = Callable[[Sequence[str]], list[tuple[int, Any]]]
"""GETs several resources in one API call: (status, body) in order."""
_SECONDS_PER_CALL = 2.0  # a composite of five full pages, as an order of magnitude
_SAMPLE = 20_000
_WHY = {
    "members": "who the CSM is, and who of us was in touch",
    "accounts": "customers and the facts that are mapped",
    "contacts": "whom we are in touch with, and their level",
    "opportunities": "what was paid, renewals, expansions",
    "tickets": "open and urgent tickets",
    "tasks": "calls, and e-mails logged as tasks",
    "events": "meetings held and booked",
    "emails": "e-mails: who, when and the subject, never the text",
    "task_relations": "everybody who took part in a call",
    "event_relations": "everybody who took part in a meeting",
    "email_relations": "everybody who took part in an e-mail",
    "deal_roles": "what part a contact plays in a deal, where your org has it",
    "account_roles": "contacts on several accounts, where your org has it",
}
_INSTEAD = {
    True: "participants are read from the activity itself",
    False: "levels and further accounts of contacts come from elsewhere",
}
"""What serves where an optional object is missing: of the sides of activities, and of roles."""
_CREDENTIALS = "check client id, secret or key, the user's pre-authorisation and the My Domain address"


class SalesforceLook:
    """One org, looked at with the rights that tierd has; nothing is changed."""

    def __init__(self, settings: SalesforceSettings, session: SalesforceSession, get: Get) -> None:
        self._settings, self._session, self._get = settings, session, get
        self.explorer = SalesforceExplorer(settings, session)
        self._root = f"/services/data/v{settings.api_version}"

    def check(self) -> Sequence[Finding]:
        """Sign in, then look at every object and mapped field with the rights that tierd has."""
        try:
            seen = self._seen()
        except VendorError as error:
            return [Finding("error", str(error), remedy(error, _CREDENTIALS))]
        findings = [Finding("ok", f"signed in to {self._settings.base_url} ({self._settings.auth.method})")]
        mapped = self._mapped()
        for stream, shape in seen:
            findings += self._look(stream, shape, mapped.get(stream.object, ()))
        findings += misfits(self._settings, self.explorer.shape, self._objects, SALESFORCE)
        findings += advice(self._settings, self.explorer, self._session)
        return findings + self._excess([shape for _, shape in seen if shape is not None])

    def _objects(self) -> dict[str, str]:
        return names_of(self.explorer.objects())

    def _mapped(self) -> dict[str, tuple[str, ...]]:
        """Fields per object that the mapping names: what is wrong with them is said at their place in tierd.yaml."""
        objects = dict(self._settings.objects())
        return {**objects, "Account": self._settings.account_fields(), "Contact": self._settings.contact_fields()}

    def _look(self, stream: Stream, shape: ObjectShape | None, mapped: Sequence[str]) -> list[Finding]:
        if shape is None:
            if stream.optional:
                what = f"{stream.object} is not there: {_INSTEAD[stream.relation]}"
                return [Finding("ok", what)]
            if stream.name.startswith("objects:"):
                return []  # said with the nearest name, at its place in the mapping
            remedy = f"grant the user Read on {stream.object}"
            return [Finding("error", f"{stream.object} is not visible for this user", remedy)]
        lacking = [name for name in stream.fields if walk(self.explorer.shape, shape, name).field is None]
        missing = [name for name in lacking if name not in mapped and name not in QUIET]
        if missing:
            remedy = "grant the user read access to these fields"
            return [Finding("error", f"{stream.object}: {', '.join(missing)} not visible", remedy)]
        return [Finding("ok", f"{stream.object}: {len(stream.fields) - len(lacking)} fields readable")]

    def _excess(self, shapes: Sequence[ObjectShape]) -> list[Finding]:
        """What the user may do and tierd never does, one line per right."""
        edits = {"Account"} if self._settings.tier is not None and self._settings.write_auth is None else set()
        findings = []
        for right, fine in (("delete", set()), ("create", set()), ("edit", edits)):
            names = [shape.name for shape in shapes if right in shape.rights and shape.name not in fine]
            if names:
                what = f"this user may {right} rows of {', '.join(names)}, which tierd never does"
                remedy = f"Read is enough: take {right.capitalize()} away"
                findings.append(Finding("warning", what, remedy))
        return findings

    def permissions(self) -> list[tuple[str, str]]:
        """(permission, why) as an administrator grants them."""
        some = streams(self._settings, self._settings.activities)
        wanted = [
            ("API Enabled for the user, and the scope api for the External Client App", "every call"),
            *(
                (f"Read on {s.object}: {', '.join(s.fields)}", _WHY.get(s.name, "the field mapping reads it"))
                for s in some
            ),
            ("View All Data, or sharing that shows every customer", "an account that is not seen looks silent"),
        ]
        if self._settings.tier is not None:
            other = " (only the user of write_auth)" if self._settings.write_auth else ""
            wanted.append((f"Edit on Account.{self._settings.tier.field}", f"writing the tier back{other}"))
        return wanted

    def preview(self) -> Preview:
        """Rows per object, calls and minutes of a first sync, counted by the org itself."""
        some = [stream for stream, shape in self._seen() if shape is not None]
        rows: dict[str, int] = {}
        for start in range(0, len(some), QUERIES_PER_CALL):
            part = some[start : start + QUERIES_PER_CALL]
            soqls = [f"SELECT count() FROM {stream.object}" for stream in part]
            for stream, (status, body) in zip(part, self._queries(soqls), strict=True):
                rows[stream.object] = body["totalSize"] if status == 200 else 0
        calls = calls_of(rows.values(), self._settings)
        used, allowed = self._session.usage or (0, 0)
        left = allowed - used if allowed else None
        return Preview(rows, calls, calls * _SECONDS_PER_CALL / 60, left, self._customers())

    def _customers(self) -> int | None:
        names = sorted({"Id", *self._settings.customer})
        soql = f"SELECT {', '.join(names)} FROM Account LIMIT {_SAMPLE}"
        count = 0
        ((status, body),) = self._queries([soql])
        while status == 200:
            count += sum(holds(self._settings.customer, row) is True for row in body["records"])
            if body["done"]:
                return count
            ((status, body),) = self._get([body["nextRecordsUrl"]])
        return None

    def _seen(self) -> list[tuple[Stream, ObjectShape | None]]:
        """Every stream with the shape of its object; None where the user does not see it."""
        some = streams(self._settings, self._settings.activities)
        shapes = self.explorer.shapes(stream.object for stream in some)
        return [(stream, shapes[stream.object]) for stream in some]

    def _queries(self, soqls: Sequence[str]) -> list[tuple[int, Any]]:
        return self._get([f"{self._root}/query?q={quote(soql)}" for soql in soqls])
