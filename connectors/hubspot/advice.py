"""What a portal is set to that tierd's answers depend on: logged mail, currencies, required properties, the quota."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.http import Finding, VendorError
from connectors.hubspot.explore import HOME, HubSpotExplorer
from connectors.hubspot.paths import Paths
from connectors.hubspot.session import HubSpotSession
from connectors.hubspot.settings import HubSpotSettings
from store.records import DAY

_DAYS, _PAGE, _OWNERS = 30, 200, 500
_AMOUNT, _CONVERTED = "amount", "amount_in_home_currency"
_ENFORCED = "2026-09"
"""From this version on writes are refused while a required property is empty
(developers.hubspot.com/changelog/crm-api-write-validation-enforcement)."""
_HUMBLE = 0.5


def advice(
    settings: HubSpotSettings, explorer: HubSpotExplorer, session: HubSpotSession, details: Mapping[str, Any]
) -> Sequence[Finding]:
    """Findings that need no mapping to be wrong; four calls at most. `details`: the portal's, as it describes itself."""
    return [
        Finding("ok", "HubSpot keeps the history of every property by itself"),
        *_mail(settings, explorer, session),
        *_currency(settings, details),
        *_required(settings, explorer),
        *_quota(settings, explorer),
    ]


def _mail(settings: HubSpotSettings, explorer: HubSpotExplorer, session: HubSpotSession) -> Iterator[Finding]:
    """Who logs mail, in which direction: without that, silence proves nothing."""
    shape = explorer.shape("emails")
    if shape is None:
        return  # said by the check of the object itself
    logged_from = "hs_email_logged_from" if "hs_email_logged_from" in shape.fields else None
    paths = Paths(settings.read_version)
    since = (session.server_now() - _DAYS * DAY) // 1_000
    body = {
        "limit": _PAGE,
        "filterGroups": [{"filters": [{"propertyName": "hs_timestamp", "operator": "GTE", "value": str(since)}]}],
        "sorts": [{"propertyName": "hs_timestamp", "direction": "DESCENDING"}],
        "properties": ["hs_email_direction", "hubspot_owner_id", *([logged_from] if logged_from else [])],
    }
    try:
        answer = session.post(paths.search("emails"), body)
        owners = session.get(paths.owners(), {"limit": str(_OWNERS)})["results"]
    except VendorError as error:
        if error.status not in (400, 403):
            raise
        return
    mails = [row["properties"] for row in answer["results"]]
    total = int(answer.get("total", len(mails)))
    if not mails:
        yield Finding(
            "warning",
            f"no e-mail of the last {_DAYS} days is logged: silence rules say `cannot say (not captured)`",
            "connect the team's inboxes and switch logging on (Settings, General, Email), or feed mail metadata as usage",
        )
        return
    directions = Counter(str(mail.get("hs_email_direction")) for mail in mails)
    if not directions["INCOMING_EMAIL"]:
        yield Finding(
            "warning",
            f"of {total:,} e-mails of the last {_DAYS} days none is incoming: replies are not logged, so that nobody "
            "seems to answer and no relationship counts as mutual",
            "let connected inboxes log replies too (Settings, General, Email)",
        )
    yield from _owners(mails, owners, total)
    if logged_from:
        share = sum(bool(mail.get(logged_from)) for mail in mails) / len(mails)
        if share < _HUMBLE:
            yield Finding(
                "warning",
                f"only {share:.0%} of the newest {len(mails):,} e-mails come from a connected mailbox; the others were "
                "logged by an app, by hand or by BCC, and what somebody forgets to log looks like silence",
                "connect the team's inboxes",
            )


def _owners(mails: Sequence[Mapping[str, Any]], owners: Sequence[Mapping[str, Any]], total: int) -> Iterator[Finding]:
    by = Counter(str(mail["hubspot_owner_id"]) for mail in mails if mail.get("hubspot_owner_id"))
    silent = [owner for owner in owners if str(owner["id"]) not in by and not owner.get("archived")]
    of = f"{len(silent)} of {len(owners)} owners"
    if silent and total <= len(mails):
        yield Finding(
            "warning" if len(silent) > len(owners) * _HUMBLE else "ok",
            f"mail: {total:,} e-mails of the last {_DAYS} days are logged; {of} have logged none, and of their "
            "accounts silence rules say `cannot say (not captured)`",
            "connect their inboxes, if they are in touch with customers",
        )
    else:
        yield Finding("ok", f"mail: {total:,} e-mails of the last {_DAYS} days are logged, by {len(by)} owners")


def _currency(settings: HubSpotSettings, details: Mapping[str, Any]) -> Iterator[Finding]:
    """Deals of several currencies must not be added up as if they were one."""
    others = [str(code) for code in details.get("additionalCurrencies") or ()]
    own = str(details.get("companyCurrency") or "")
    if not others:
        return
    what = f"deals may be in {own} or {', '.join(others)}"
    wrong: list[tuple[str | int, ...]] = [
        ("fields", fact, number, "field")
        for fact, options in settings.fields.items()
        for number, option in enumerate(options)
        if option.object == "deals" and option.field == _AMOUNT
    ]
    for at in wrong:
        yield Finding(
            "error",
            f"{what}: `{_AMOUNT}` is in each deal's own currency, and would be added as if they were one",
            f"write `field: {_CONVERTED}`, which HubSpot converts to {own}",
            at,
        )
    if settings.deal_amount == _AMOUNT:
        yield Finding(
            "error",
            f"{what}: what was paid would be added up as if they were one",
            f"write `deal_amount: {_CONVERTED}` into this source, which HubSpot converts to {own}",
        )
    if not wrong and settings.deal_amount != _AMOUNT:
        yield Finding("ok", f"{what}; amounts are read in {own}, as HubSpot converts them")


def _required(settings: HubSpotSettings, explorer: HubSpotExplorer) -> Iterator[Finding]:
    """Properties that a company must have for an update to be taken, from 2026-09 on."""
    if settings.tier is None:
        return
    try:
        required = explorer.required(HOME)
    except VendorError as error:
        if error.status not in (400, 403, 404):
            raise
        return
    listed = ", ".join(required)
    if not required:
        yield Finding("ok", f"no property of {HOME} is required: updates are taken by {_ENFORCED} too")
    elif settings.write_version >= _ENFORCED:
        yield Finding(
            "warning",
            f"{_ENFORCED} refuses the tier of a company that lacks any of: {listed}",
            'write `write_version: "2026-03"`, or fill them everywhere',
            ("write_version",),
        )
    else:
        yield Finding(
            "ok",
            f"writes stay on {settings.write_version}: {_ENFORCED} would refuse companies that lack any of: {listed}",
        )


def _quota(settings: HubSpotSettings, explorer: HubSpotExplorer) -> Iterator[Finding]:
    left = explorer.left
    pace = f"{settings.searches_per_second:g} of the portal's 5 searches a second, {settings.calls_per_second:g} other calls"
    if left is None:
        yield Finding("ok", f"pace: {pace}; HubSpot does not tell this token how much of the day's quota is used")
    else:
        yield Finding("ok", f"pace: {pace}; {left:,} calls are left today, tierd's share is {settings.quota.share:.0%}")
