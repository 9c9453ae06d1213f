"""What an org is set to that tierd's answers depend on: field history, captured mail, currencies, the quota."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from connectors.http import Finding
from connectors.salesforce.explore import HOME, SalesforceExplorer
from connectors.salesforce.session import SalesforceSession
from connectors.salesforce.settings import SalesforceSettings
from connectors.salesforce.soql import quoted

# "To access this object, enable Einstein Activity Capture in your org"
# (developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_activityusrconnectionstatus.htm).
_CAPTURE = "ActivityUsrConnectionStatus"
# "Available with Einstein Activity Capture when Sync Email as Salesforce Activity is turned on"
# (developer.salesforce.com/docs/platform/object-reference/references/standard-objects/object-stagedunmtchdemailaddrrela.html).
_SYNCED = frozenset({"StagedUnmtchdEmailAddr", "StagedUnmtchdEmailAddrRela", "StagedEmail"})
_LOST = {
    "arr": "arr growth",
    "renewal": "when the renewal was moved",
    "csm": "who the CSM was",
    "tier": "who set the tier, so that every foreign change is a pin",
    "customer": "since when it is a customer",
    "churned": "when it churned",
}
# Standard objects whose fields can be tracked; custom ones all can.
_TRACKABLE = frozenset({HOME, "Opportunity", "Contract", "Asset", "Order", "Contact", "Case"})
_DAYS = 30
Answer = tuple[int, Any]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What one call brought."""

    tracked: Answer
    mails: Answer
    boxes: Answer | None
    currencies: Answer | None


def advice(settings: SalesforceSettings, explorer: SalesforceExplorer, session: SalesforceSession) -> Sequence[Finding]:
    """Findings that need no mapping to be wrong; one or two calls."""
    names = {known.name for known in explorer.objects()}
    mapped = {
        place: fact
        for place, fact in _mapped(settings).items()
        if (place[0] in _TRACKABLE or place[0].endswith("__c"))
        and (shape := explorer.shape(place[0])) is not None
        and place[1] in shape.fields
    }
    several = _several(explorer)
    asked = _ask(settings, session, mapped, capture=_CAPTURE in names, several=several)
    return [
        *_history(asked.tracked, mapped),
        *_capture(asked, synced=bool(_SYNCED & names)),
        *_currency(settings, asked.currencies),
    ]


def _mapped(settings: SalesforceSettings) -> Mapping[tuple[str, str], str]:
    """(object, field) -> the fact whose past it holds."""
    found: dict[tuple[str, str], str] = {}
    for fact, options in (*settings.fields.items(), ("csm", settings.csm)):
        for option in options:
            if fact in _LOST and "." not in option.field:
                found.setdefault((option.object or HOME, option.field), fact)
    found |= {(HOME, name): "customer" for name in settings.customer}
    found |= {(HOME, name): "churned" for name in settings.churned or {} if (HOME, name) not in found}
    if settings.tier is not None:
        found[HOME, settings.tier.field] = "tier"
    return found


def _several(explorer: SalesforceExplorer) -> bool:
    """Money has a currency of its own per row only where the org has several."""
    home = explorer.shape(HOME)
    return home is not None and "CurrencyIsoCode" in home.fields


def _ask(
    settings: SalesforceSettings,
    session: SalesforceSession,
    mapped: Mapping[tuple[str, str], str],
    *,
    capture: bool,
    several: bool,
) -> _Asked:
    objects = ", ".join(quoted(name) for name in sorted({name for name, _ in mapped} | {HOME}))
    tracked = (
        "SELECT EntityDefinition.QualifiedApiName, QualifiedApiName, IsFieldHistoryTracked FROM FieldDefinition "
        f"WHERE EntityDefinition.QualifiedApiName IN ({objects})"
    )
    soqls = [
        tracked,
        f"SELECT COUNT() FROM EmailMessage WHERE MessageDate = LAST_N_DAYS:{_DAYS}",
    ]
    soqls += [f"SELECT COUNT() FROM {_CAPTURE} WHERE ConnectivityStatus = 'ACTIVE'"] if capture else []
    soqls += ["SELECT IsoCode, IsCorporate FROM CurrencyType WHERE IsActive = true"] if several else []
    root = f"/services/data/v{settings.api_version}"
    answers = iter(session.get([f"{root}/query?q={quote(soql)}" for soql in soqls]))
    return _Asked(next(answers), next(answers), next(answers) if capture else None, next(answers) if several else None)


def _history(answer: Answer, mapped: Mapping[tuple[str, str], str]) -> Iterator[Finding]:
    """Which mapped fields keep no past, and what stays unknown without it."""
    status, body = answer
    if status != 200:
        yield Finding(
            "warning", "whether the org keeps field history cannot be seen", "grant View Setup, or see for yourself"
        )
        return
    tracked = {
        (row["EntityDefinition"]["QualifiedApiName"], row["QualifiedApiName"])
        for row in body["records"]
        if row.get("IsFieldHistoryTracked") and row.get("EntityDefinition")
    }
    missing = [place for place in mapped if place not in tracked]
    if not missing:
        yield Finding("ok", f"field history is kept of all {len(mapped)} mapped fields")
        return
    fields = ", ".join(f"{name}.{field}" for name, field in missing)
    lost = ", ".join(dict.fromkeys(_LOST[mapped[place]] for place in missing))
    yield Finding(
        "warning",
        f"no field history is kept of {fields}; what was before the first sync stays unknown: {lost}",
        "in Setup, Object Manager, Fields & Relationships: Set History Tracking (20 fields an object); "
        "history begins on the day it is switched on",
    )


def _capture(asked: _Asked, *, synced: bool) -> Iterator[Finding]:
    """Where mail is captured, and what that means for silence."""
    mails = int(asked.mails[1]["totalSize"]) if asked.mails[0] == 200 else 0
    seen = f"{mails:,} e-mails of the last {_DAYS} days are rows of the org"
    if asked.boxes is None:
        if not mails:
            yield Finding(
                "warning",
                f"no e-mail of the last {_DAYS} days is in the org: silence rules say `cannot say (not captured)`",
                "log mail to Salesforce (Enhanced Email, an Outlook or Gmail integration), or feed its metadata as usage",
            )
        else:
            yield Finding("ok", f"mail: {seen}")
        return
    boxes = int(asked.boxes[1]["totalSize"]) if asked.boxes[0] == 200 else 0
    on = f"Einstein Activity Capture is on ({boxes:,} mailbox{'' if boxes == 1 else 'es'} connected)"
    if synced:
        yield Finding("ok", f"{on} and synchronises mail as Salesforce activities; {seen}")
        return
    yield Finding(
        "warning",
        f"{on}: its e-mails and meetings lie outside the org and cannot be read ({seen}), so that silence rules "
        "say `cannot say (not captured)` of everybody whose mail is only there",
        "turn on Sync Email as Salesforce Activity, or feed mail and calendar metadata in as a usage source",
    )


def _currency(settings: SalesforceSettings, answer: Answer | None) -> Iterator[Finding]:
    """An org of several currencies must not have its amounts added up as if they were one."""
    if answer is None:
        return
    status, body = answer
    rows = body["records"] if status == 200 else []
    codes = sorted(row["IsoCode"] for row in rows)
    listed = ", ".join(codes) or "several"
    rates = settings.currencies.rates if settings.currencies is not None else {}
    if settings.currencies is None:
        corporate = next((row["IsoCode"] for row in rows if row.get("IsCorporate")), "USD")
        example = ", ".join(f"{code}: {'1' if code == corporate else '...'}" for code in codes or [corporate])
        yield Finding(
            "error",
            f"the org has several currencies ({listed}) and rows say theirs in CurrencyIsoCode: "
            "amounts would be added as if they were one",
            f"write `currencies: {{field: CurrencyIsoCode, rates: {{{example}}}}}` into this source; "
            "an amount without a rate is missing",
        )
        return
    without = [code for code in codes if code not in rates]
    if without:
        what = f"there is no rate for {', '.join(without)}: amounts in it are missing"
        yield Finding("warning", what, "add it under `rates`, in the reporting currency", ("currencies", "rates"))
    else:
        yield Finding("ok", f"amounts in {listed} are converted by the configured rates")
