"""Decision level and standing of a person: what a title, a role in a deal and a flag come to.

The meaning of both is `docs/domain.md`: exec = director or above; a title that no rule knows gives None, never a guess.
"""

from __future__ import annotations

import re

from rules.titles import TitleReading, read_title
from rules.titles.model import C_LEVEL, DIRECTOR, INDIVIDUAL, LEVEL_NAMES, MANAGER, VP
from rules.titles.text import plain

__all__ = [
    "C_LEVEL",
    "DIRECTOR",
    "INDIVIDUAL",
    "LEVEL_NAMES",
    "MANAGER",
    "VP",
    "TitleReading",
    "agreeing",
    "read_role",
    "read_title",
    "standing",
]

EXEC_FROM = DIRECTOR


def standing(level: int | None, flagged_user: bool) -> str:
    """Exec | user | unclassified: an exec stays one whatever the user flag says; unknown level and no flag is neither."""
    if level is not None and level >= EXEC_FROM:
        return "exec"
    return "user" if flagged_user or level is not None else "unclassified"


def agreeing(level: int | None, said: str) -> int | None:
    """The level that a field or title gives, where it agrees with the standing that a person gave; else nobody knows it."""
    fits = level is not None and said == standing(level, flagged_user=False)
    return level if fits else None


# What a part in a deal says about rank: that somebody sponsors as an executive, and nothing else. A decision maker, an
# economic buyer or a budget holder decides this deal; in a small company a manager does. Taken for an exec, such a
# person would silence "no exec contact"; without a level the account only says that its levels are not known.
# Values that ship: OpportunityContactRole.Role and AccountContactRelation.Roles (Business User, Decision Maker, Economic
# Buyer, Economic Decision Maker, Evaluator, Executive Sponsor, Influencer, Technical Buyer, Other)
# https://help.salesforce.com/s/articleView?id=sales.contact_roles_opportunity.htm
# and hs_buying_role (BLOCKER, BUDGET_HOLDER, CHAMPION, DECISION_MAKER, END_USER, EXECUTIVE_SPONSOR, INFLUENCER,
# LEGAL_AND_COMPLIANCE, OTHER) https://knowledge.hubspot.com/properties/hubspots-default-contact-properties
_ROLES: tuple[tuple[re.Pattern[str], int], ...] = (
    (
        re.compile(
            r"executive[ _-]?sponsor|exec[ _-]?sponsor|executive-sponsor|sponsor executif"
            r"|patrocinador(?:a)? ejecutiv[oa]|geschaftsfuhrungs-?sponsor"
        ),
        DIRECTOR,
    ),
)


def read_role(roles: str | None) -> int | None:
    """The least level that a role in a deal or an account proves; None = it says nothing about rank.

    `roles`: the CRM's words, several parted by semicolons. Who sponsors as an executive is a director at least; a title
    that says more (a CEO who sponsors) says it better.
    """
    text = plain((roles or "").replace(";", " | ").replace("_", " "))
    return max((level for pattern, level in _ROLES if pattern.search(text)), default=None)
