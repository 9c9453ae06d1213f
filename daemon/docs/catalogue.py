"""Facts, reasons, error codes, scopes and permissions as tables."""

from __future__ import annotations

from collections.abc import Mapping

from alerts.slack import SCOPES
from connectors.hubspot.connector import HubSpotConnector
from connectors.hubspot.settings import HubSpotSettings
from connectors.known import nothing_known
from connectors.salesforce.connector import SalesforceConnector
from connectors.salesforce.settings import SalesforceSettings
from daemon.clock import SystemClock
from daemon.docs.markdown import code, table
from rules.language.catalogue import FACTS, Fact, Kind, example
from rules.language.errors import CODES
from rules.language.findings import FINDINGS

MEANINGS: Mapping[str, str] = {
    "last contact": "latest touch by anybody of ours with anybody there",
    "last exec contact": "latest touch with an exec",
    "last user contact": "latest touch with a user",
    "last reply": "latest touch that a person there began or took part in: inbound mail, meeting, connected call",
    "last exec reply": "the same with an exec",
    "last user reply": "the same with a user",
    "last meeting": "latest meeting that was held",
    "next meeting": "earliest meeting to come that is not cancelled",
    "next exec meeting": "the same with an exec",
    "next user meeting": "the same with a user",
    "seats": "licensed seats (mapped)",
    "active users": "users active in 28 days: the latest sample of `usage.active_users` of the last 28 days",
    "tier": "the tier in force: a person's value in the CRM, else the one last applied",
    "open tickets": "tickets that are not closed; missing where none of the account's sources has had any ticket",
    "urgent tickets": "of these, with priority urgent, critical or high",
    "tickets 90d": "tickets opened in the last 90 days",
    "touches 30d": "activities that are touches, in 30 days; one with three people counts once",
    "touches 90d": "the same in 90 days",
    "inbound 90d": "of the touches of 90 days, those in which the customer took part actively",
    "meetings 90d": "of the touches of 90 days, the meetings",
    "exec contacts": "people on file of level director or above",
    "user contacts": "people on file who use the product, or whose level is below director",
    "strong exec relationships": "execs on file with a strength of 60 or more",
    "strong user relationships": "users on file with a strength of 60 or more",
    "exec relationships": "execs on file with a strength of 20 or more",
    "user relationships": "users on file with a strength of 20 or more",
    "contract start": "mapped; else the first won opportunity",
    "renewal": "mapped; else the close date of the open renewal. More than 30 days past and not renewed: outdated",
    "strategic": "mapped",
    "auto renews": "mapped; the renewal date is then the notice date",
    "rolling": "the term is under 180 days: mapped, or from the contract's start or last renewal to the next",
    "renewed": "a renewal was won less than 120 days before the date, or later; or it renews itself and the date is past",
    "tier pinned": "a person's value in the CRM holds the tier",
    "arr": "annual recurring revenue (mapped)",
    "potential": "what the account could be worth (mapped)",
    "ltv": "mapped; else the sum of won opportunities; 0 only where ARR is 0",
    "adoption": "active users divided by seats; not capped",
    "adoption change": "mean of the usage metric in the last 30 days over its mean in the 90 days before, minus 1",
    "adoption change vs portfolio": "adoption change minus the portfolio's median",
    "arr growth": "ARR now over ARR 365 days ago, minus 1; missing where it was 0 then, or where neither the CRM's history nor a sync of that time says what it was",
    "relationship": "mean of the best exec's and the best user's strength; the one that is on file, where one kind is not",
    "market fit": "mapped",
    "cadence": "days between two touches that the tier in force promises; 7 while onboarding",
    "touch due in": "cadence minus the days since the last contact, or since the contract's start; negative is overdue",
    "health": "how the account does: seven components, weighted",
    "health change 30d": "health minus what it was 30 days ago",
    "value at risk": "LTV times the share of health that is missing to 100",
    "whitespace": "list value of the features that are offered and not adopted; missing where no feature has a list value",
    "csat": "latest answer within 180 days, 0 to 100 % of the question's scale; of two at the same instant the lower",
    "nps": "latest answer within 180 days, 0 to 10; of two at the same instant the lower",
    "pulse": "a CSM's one-click vibe of the last 90 days",
    "load": "tickets, inbound touches and exceptions made, of 90 days; missing where tickets or touches are",
    "load per arr": "load per 1,000 of ARR; missing where ARR is 0",
    "team size": "people at the customer (mapped)",
    "usage frequency": "active days of the last 14: daily from 9, weekly from 5, occasional from 2, else inactive; missing where samples come less often than every day and a half",
    "usage trend": "slope of the least-squares line through the usage metric of 90 days, per 30 days, over its mean; missing with less than half of the samples that the rhythm promises or under 3, and at a mean of 0",
    "awaiting reply": "whole hours since the oldest inbound e-mail after which nothing of ours, a mail, a call or a meeting, reached anybody on it; 0 where there is none",
    "response time": "hours within which the tier in force promises an answer (`tiers.response`)",
    "unanswered outreach": "outbound e-mails of 30 days to one exec without a reply since; the largest over the execs on file, 0 where there is none",
    "champions lost": "people whose strength was 60 or more, and who left or bounced in the last 90 days",
    "features adopted": "features of the catalogue used in 28 days; missing for a customer that no feed of usage knows",
    "features offered": "features of the catalogue that the account may use: by a feed's last word, else by the catalogue, once released",
    "unclassified contacts": "people on file of unknown level who are not known to use the product",
    "newest offering": "the day on which the offering that came last was released (`offerings`, `features`)",
    "newest offering shown": "yes: it is adopted, a meeting's title since its release has one of its words, or somebody clicked Yes; no: somebody clicked No, or it is not adopted, meetings are captured, and no title has them",
    "open expansion": "there is an open opportunity of an expansion type (`opportunities.expansion`)",
    "last survey answer": "latest answer to a survey; not recorded before the first answer of anybody",
    "last feedback ask": "latest time that feedback was asked for; not recorded before anybody was asked for anything",
    "last reference ask": "latest time that a reference was asked for; not recorded before anybody was asked for anything",
    "last tier review": "latest time that somebody looked at the tier; not recorded before the first review of any account",
    "name": "the account's name",
    "segment": "mapped; else by ARR",
    "csm": "e-mail address of the CSM, or the CRM's id where there is none",
    "lifecycle": "onboarding: under 90 days since the start; renewing: the renewal is due; else live",
}
"""What each fact is, in a line. Every entry of the catalogue needs one."""

STATES: Mapping[str, str] = {
    "never": "known: it has not happened (instants only)",
    "stale": "a source of it was not read for three of its intervals, and at least an hour; the last value stays beside it",
    "not_on_file": "no source has a value, or none that is recent enough",
    "not_captured": "the CSM's mail and calendar do not reach the CRM, so that silence proves nothing",
    "levels_not_known": "people of unknown level could change it",
    "outdated": "the renewal date is more than 30 days past, and no renewal is booked",
    "no_source": "no source has anything of this kind for this account",
    "no_seats": "seats are missing or 0",
    "no_arr": "ARR is missing or 0",
    "too_few_samples": "the usage feed has less than half of what its rhythm promises, or fewer than 3 samples, in a window",
    "too_small": "under 10 active users before and a fall of less than 3, or no use at all: a percentage would mislead",
    "too_little_known": "components with less than half of health's weight are known",
    "not_recorded": "tierd does not know this yet",
}
"""Reasons why a fact has no value to compare, as the column `<fact>_state` has them."""

_UNITS = {
    Kind.EVENT: "instant",
    Kind.BOOKING: "instant",
    Kind.DATE: "date",
    Kind.FLAG: "flag",
    Kind.MONEY: "money",
    Kind.RATIO: "ratio, written in %",
    Kind.POINTS: "percentage points",
    Kind.SCORE: "0 to 100",
    Kind.DAYS: "days",
    Kind.HOURS: "hours",
    Kind.TEXT: "text",
}


def facts() -> str:
    """The fact catalogue; raises KeyError for a fact that nobody has described."""
    rows = ((code(fact.name), _unit(fact), MEANINGS[fact.name], _example(fact)) for fact in FACTS)
    return table(("fact", "unit", "meaning", "example of a phrase"), rows)


def _unit(fact: Fact) -> str:
    if fact.choices:
        return "one of " + ", ".join(choice.replace("_", " ") for choice in fact.choices)
    return _UNITS.get(fact.kind) or fact.unit or "number"


def _example(fact: Fact) -> str:
    return code(example(fact)) + ("; also written " + ", ".join(map(code, fact.synonyms)) if fact.synonyms else "")


def states() -> str:
    """Why a fact may have no value."""
    return table(("state", "meaning"), ((code(name), text) for name, text in STATES.items()))


def error_codes() -> str:
    """The stable codes of the rule language."""
    return table(("code", "what is wrong"), ((code(name), text) for name, text in CODES.items()))


def rule_findings() -> str:
    """The codes of static findings on rules."""
    return table(("code", "what is odd"), ((code(name), text) for name, text in FINDINGS.items()))


def slack_scopes() -> str:
    """The bot's scopes."""
    return table(("bot scope", "why"), ((code(name), why) for name, why in sorted(SCOPES.items())))


def hubspot_scopes() -> str:
    """The scopes of a portal with a tier field and no mapped object but deals."""
    settings = HubSpotSettings.model_validate(
        {"kind": "hubspot", "auth": {"access_token": "-"}, "customer": {}, "tier": {"field": "customer_tier"}}
    )
    wanted = HubSpotConnector(settings, SystemClock(), nothing_known).permissions()
    return table(("scope", "why"), ((code(name), why) for name, why in wanted))


def salesforce_permissions() -> str:
    """The permissions of an org with a tier field and no other mapped field."""
    settings = SalesforceSettings.model_validate(
        {
            "kind": "salesforce",
            "base_url": "https://example.my.salesforce.com",
            "auth": {"method": "token", "access_token": "-"},
            "customer": {"Type": "Customer"},
            "tier": {"field": "Customer_Tier__c"},
        }
    )
    wanted = SalesforceConnector(settings, SystemClock()).permissions()
    return table(("permission", "why"), wanted)
