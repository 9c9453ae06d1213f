"""Where each fact comes from, what makes it stale, how far back it is known, and which rows explain it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from rules.facts.freshness import STREAMS

EXACT, MAPPED, RECORDED, APPLIED = "exact", "mapped", "recorded", "applied"
HISTORY: Mapping[str, str] = MappingProxyType(
    {
        EXACT: "any past instant, from rows that say when they happened and when they were recorded",
        MAPPED: "as far as the CRM's own history of the field goes; without one since the first sync",
        RECORDED: "since the first one was recorded in tierd",
        APPLIED: "since the first time that tiers were applied",
    }
)
"""How far back a fact can be computed as it was known then."""


@dataclass(frozen=True, slots=True)
class Note:
    """One fact. `fields`: the mapped fields that feed it; `stale_by`: kinds of streams (see rules.facts.freshness)."""

    source: str
    stale_by: tuple[str, ...]
    history: str
    evidence: str
    fields: tuple[str, ...] = ()

    @property
    def streams(self) -> tuple[str, ...]:
        """The streams of a source that make the fact stale when they are not read in time."""
        return tuple(dict.fromkeys(stream for kind in self.stale_by for stream in STREAMS[kind]))


_TOUCH = Note(
    "touches (mails, calls, meetings)",
    ("activity", "everywhere"),
    EXACT,
    "the touch",
)
_BOOKED = replace(_TOUCH, source="meetings to come", evidence="the booking")
_PERSONS = Note("contacts, and people seen on touches", (), EXACT, "the people", ())
_STRENGTH = replace(_TOUCH, source="touches of 365 days by person", evidence="the people with their strength")
_USAGE = Note("usage feed", ("usage",), EXACT, "the samples")
_FEATURES = replace(_USAGE, source="usage of features, and their catalogue", evidence="the features")
_TICKETS = Note("tickets", ("tickets",), EXACT, "the tickets")
_TIER = Note("tiers, and pins in the CRM", (), APPLIED, "the tier and its pin")
_DEALS = ("fields", "deals")


def _field(*fields: str, source: str = "", stale_by: tuple[str, ...] = ("fields",)) -> Note:
    words = source or f"mapped field `{fields[0]}`"
    return Note(words, stale_by, MAPPED, "the CRM's field", fields)


def _recorded(what: str, evidence: str, *, stale_by: tuple[str, ...] = ()) -> Note:
    return Note(what, stale_by, RECORDED, evidence)


def _events() -> dict[str, Note]:
    found = {f"last_{who}{what}": _TOUCH for what in ("contact", "reply") for who in ("", "exec_", "user_")}
    found |= {f"next_{who}meeting": _BOOKED for who in ("", "exec_", "user_")}
    return found | {"last_meeting": _TOUCH}


def _mapped() -> dict[str, Note]:
    own = ("arr", "potential", "market_fit", "strategic", "auto_renews", "seats", "team_size")
    return {
        **{name: _field(name) for name in own},
        "name": Note("account", (), APPLIED, "the account"),
        "segment": _field("segment", "arr", source="mapped field `segment`, else ARR"),
        "csm": _field("csm", "csm_fallback", source="mapped `csm`, else the record's owner"),
        "arr_growth": _field("arr", source="mapped field `arr`, now and 365 days ago"),
        "ltv": _field("ltv", "arr", source="mapped field `ltv`, else won opportunities", stale_by=_DEALS),
        "contract_start": _field(
            "contract_start", source="mapped field `contract_start`, else the first won opportunity", stale_by=_DEALS
        ),
        "renewal": _field("renewal", source="mapped field `renewal`, else the open renewal", stale_by=_DEALS),
        "rolling": _field(
            "term", "renewal", "contract_start", source="mapped field `term`, else the dates", stale_by=_DEALS
        ),
        "renewed": _field("renewal", "auto_renews", source="won renewals and the renewal date", stale_by=_DEALS),
        "lifecycle": _field(
            "contract_start", "renewal", source="contract start, renewal date and lost renewals", stale_by=_DEALS
        ),
        "open_expansion": Note("opportunities", ("deals",), EXACT, "the opportunity"),
    }


def _usage() -> dict[str, Note]:
    found = dict.fromkeys(("active_users", "adoption_change", "usage_frequency", "usage_trend"), _USAGE)
    found["adoption"] = replace(
        _USAGE, source="usage feed and mapped field `seats`", stale_by=("usage", "fields"), fields=("seats",)
    )
    found["adoption_change_vs_portfolio"] = replace(_USAGE, source="usage feed, of the account and of all customers")
    found |= dict.fromkeys(("features_adopted", "features_offered", "whitespace"), _FEATURES)
    found["newest_offering"] = Note("feature catalogue of the configuration", (), EXACT, "the offering")
    found["newest_offering_shown"] = replace(
        _FEATURES, source="use of the feature, titles of meetings, and answers of CSMs", stale_by=("usage", "activity")
    )
    return found


def _people() -> dict[str, Note]:
    counted = ("exec_contacts", "user_contacts", "unclassified_contacts")
    strong = [f"{band}{who}_relationships" for band in ("strong_", "") for who in ("exec", "user")]
    numbers = ("touches_30d", "touches_90d", "inbound_90d", "meetings_90d", "awaiting_reply", "unanswered_outreach")
    return {
        **dict.fromkeys(counted, _PERSONS),
        **dict.fromkeys((*strong, "relationship", "champions_lost"), _STRENGTH),
        **{name: replace(_TOUCH, evidence="the touches") for name in numbers},
    }


def _others() -> dict[str, Note]:
    health = Note(
        "seven components: usage, relationships, recency, tickets, satisfaction",
        ("usage", "activity", "tickets"),
        EXACT,
        "the components with their weights",
        ("seats",),
    )
    asked = {
        "last_feedback_ask": "questions for feedback",
        "last_reference_ask": "questions for a reference",
        "last_tier_review": "reviews of tiers",
    }
    return {
        **dict.fromkeys(("open_tickets", "urgent_tickets", "tickets_90d"), _TICKETS),
        **dict.fromkeys(("tier", "tier_pinned", "cadence", "response_time"), _TIER),
        "touch_due_in": replace(_TIER, source="cadence of the tier, and touches", stale_by=("activity", "everywhere"), evidence="the last touch"),
        "csat": _recorded("survey answers", "the answer", stale_by=("surveys",) if "surveys" in STREAMS else ()),
        "nps": _recorded("survey answers", "the answer", stale_by=("surveys",) if "surveys" in STREAMS else ()),
        "pulse": _recorded("CSMs' one-click vibe", "the pulse"),
        "last_survey_answer": _recorded("survey answers", "the answer"),
        **{name: _recorded(what, "the row") for name, what in asked.items()},
        "load": Note("tickets, inbound touches and exceptions", ("tickets", "activity"), EXACT, "their numbers"),
        "load_per_arr": Note("load and mapped field `arr`", ("tickets", "activity", "fields"), EXACT, "their numbers", ("arr",)),
        "health": health,
        "health_change_30d": replace(health, source="health, now and 30 days ago"),
        "value_at_risk": replace(health, source="health and LTV", fields=("seats", "ltv", "arr")),
    }  # fmt: skip


NOTES: Mapping[str, Note] = MappingProxyType(_events() | _mapped() | _usage() | _people() | _others())
"""Column of store.tables.facts -> note; every fact of the catalogue has one."""
