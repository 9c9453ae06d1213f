"""Where the two CRMs contradict each other about one account: owner, renewal, tier; ARR and seats come with the accounts.

Salesforce wins in this world's configuration, so nothing that is evaluated changes by it.
"""

from __future__ import annotations

from sandbox.world.companies import Roster
from sandbox.world.ranks import is_onboarding

EVERY = 7
"""Of so many customers in both CRMs one has each kind of conflict."""


def contradict(roster: Roster) -> None:
    """Plants them on customers outside the stories, by their order."""
    both = [d for d in roster.of_kind("customer") if len(d.systems) == 2 and not d.cast and not is_onboarding(d)]
    for n, draft in enumerate(both):
        if n % EVERY == 0:
            others = [key for key in roster.team.sales if key != draft.owner]
            draft.hubspot_differs.append(("hubspot_owner_id", others[n % len(others)]))
        elif n % EVERY == 2 and draft.renewal_day is not None and draft.renewal_day > 0:
            draft.hubspot_differs.append(("renewal_date", roster.days.calendar(draft.renewal_day + 30)))
        elif n % EVERY == 4 and draft.inherited_tier is not None:
            draft.hubspot_differs.append(("customer_tier", draft.inherited_tier % 3 + 1))
