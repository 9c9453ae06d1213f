"""What HubSpot says about itself: owners, the account, the token."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from sandbox.clock import iso_ms
from sandbox.hubspot import errors
from sandbox.hubspot.call import Answer, Call
from sandbox.hubspot.state import APP_USER, OWNERS
from sandbox.versions import Row

_OWNER_SCOPE = "crm.objects.owners.read"


def list_owners(call: Call) -> Answer:
    """Owners by page of at most 500; the archived ones only with `archived=true`."""
    call.require(_OWNER_SCOPE)
    limit = call.limit(100, 500)
    after = call.query.get("after") or "0"
    if not after.isdigit():
        raise errors.invalid(f"Invalid after value: {after}")
    archived, email = call.flag("archived"), call.query.get("email")
    rows = (
        row
        for row in call.state.store.table(OWNERS).by_id(str(int(after) - 1))
        if (row.deleted_at is not None) == archived and email in (None, row.fields.get("email"))
    )
    page = list(islice(rows, limit + 1))
    body: dict[str, object] = {"results": [_owner(row) for row in page[:limit]]}
    if len(page) > limit:
        following = page[limit].id
        body["paging"] = {"next": {"after": following, "link": f"{call.path}?after={following}"}}
    return Answer(200, body)


def get_owner(call: Call) -> Answer:
    """One owner; archived ones with `archived=true`."""
    call.require(_OWNER_SCOPE)
    row = call.state.store.get(OWNERS, call.params["owner_id"])
    if row is None or (row.deleted_at is not None) != call.flag("archived"):
        raise errors.not_found()
    return Answer(200, _owner(row))


def account_details(call: Call) -> Answer:
    """The portal: id, time zone, currency."""
    zone = call.state.switches.time_zone
    local = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=call.state.now)).astimezone(ZoneInfo(zone))
    offset = local.utcoffset() or timedelta()
    sign, minutes = "-" if offset < timedelta() else "+", abs(offset) // timedelta(minutes=1)
    return Answer(
        200,
        {
            "portalId": call.state.portal_id,
            "accountType": "STANDARD",
            "timeZone": zone,
            "companyCurrency": "USD",
            "additionalCurrencies": [],
            "utcOffset": f"{sign}{minutes // 60:02d}:{minutes % 60:02d}",
            "utcOffsetMilliseconds": offset // timedelta(milliseconds=1),
            "uiDomain": "app.hubspot.com",
            "dataHostingLocation": "na1",
        },
    )


def api_usage(call: Call) -> Answer:
    """What private apps used of the day's quota."""
    usage = {
        "name": "private-apps-api-calls-daily",
        "usageLimit": call.state.switches.per_day,
        "currentUsage": call.state.buckets.day_used,
        "collectedAt": iso_ms(call.state.now),
        "fetchStatus": "SUCCESS",
    }
    return Answer(200, {"results": [usage]})


def token_info(call: Call) -> Answer:
    """Scopes of a private app's token, which is given in the body."""
    wanted = call.object_body().get("tokenKey")
    token = call.state.tokens.get(str(wanted))
    if token is None or token.oauth or (token.service_key and not call.state.switches.service_key_info):
        raise errors.invalid("Invalid token")
    return Answer(
        200, {"userId": APP_USER, "hubId": call.state.portal_id, "appId": 1_024_738, "scopes": sorted(token.scopes)}
    )


def _owner(row: Row) -> dict[str, object]:
    user_id = int(str(row.fields.get("userId") or row.id))
    body: dict[str, object] = {
        "id": row.id,
        "email": row.fields.get("email"),
        "type": "PERSON",
        "firstName": row.fields.get("firstName") or "",
        "lastName": row.fields.get("lastName") or "",
        "userIdIncludingInactive": user_id,
        "createdAt": iso_ms(row.created_at),
        "updatedAt": iso_ms(row.modified_at),
        "archived": row.deleted_at is not None,
    }
    # An archived owner has no active user any more.
    return body | ({"userId": user_id} if row.deleted_at is None else {})
