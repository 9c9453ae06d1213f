"""Turns drafts into the World's plain values, and gives the records their ids."""

from __future__ import annotations

from sandbox.world.draft import Draft, PersonDraft
from sandbox.world.ids import Ids
from sandbox.world.model import Company, Dated, Person
from sandbox.world.when import Days

CHURN_MINUTE = 16 * 60


def company(draft: Draft, days: Days, ids: Ids) -> Company:
    """One account as the World has it."""
    in_salesforce = "salesforce" in draft.systems
    return Company(
        key=draft.key,
        name=draft.name,
        domain=draft.domain,
        systems=draft.systems,
        salesforce_id=ids.salesforce("Account") if in_salesforce else None,
        hubspot_id=ids.hubspot("companies") if "hubspot" in draft.systems else None,
        linked_by=draft.linked_by if len(draft.systems) == 2 else None,
        created_at=draft.created_at,
        kind=_kind(draft, days),
        csm=Dated(tuple(draft.csm)),
        csm_in=draft.csm_in,
        owner=Dated(((draft.created_at, draft.owner),)),
        arr=Dated(tuple(draft.arr_course) or ((draft.created_at, draft.arr),)),
        arr_in=draft.arr_in,
        renewal=_renewal(draft, days),
        contract_start=None if draft.contract_start is None else days.calendar(draft.contract_start),
        auto_renews=draft.auto_renews,
        term_days=draft.term_days,
        seats=draft.seats,
        potential=draft.potential,
        market_fit=draft.market_fit,
        strategic=draft.strategic,
        segment=draft.segment,
        workspace=draft.workspace,
        inherited_tier=draft.inherited_tier,
        tier_edits=tuple(draft.tier_edits),
        merged_at=draft.merged_at,
        churns_on=None if draft.churn_day is None else days.calendar(draft.churn_day),
        parent=draft.parent,
        typed_customer=draft.typed_customer,
        duplicate_id=_duplicate(draft, ids) if draft.merged_at is not None else None,
        hubspot_differs=tuple(draft.hubspot_differs),
        state=draft.life.state,
    )


def person(draft: Draft, one: PersonDraft, ids: Ids) -> Person:
    """One contact as the World has it."""
    return Person(
        key=one.key,
        account=draft.key,
        name=one.name,
        email=one.email,
        title=one.title,
        level=one.level,
        function=one.function,
        product_user=one.product_user,
        on_file_at=one.on_file_at,
        removed_at=one.removed_at,
        role_address=one.role_address,
        salesforce_id=ids.salesforce("Contact") if one.registered and "salesforce" in draft.systems else None,
        hubspot_id=ids.hubspot("contacts") if one.registered and "hubspot" in draft.systems and one.email else None,
        at_duplicate=one.at_duplicate,
        registered=one.registered,
        role=one.role,
        role_at=one.role_at,
        also_at=tuple(one.also_at),
        linked_at=one.linked_at,
    )


def _duplicate(draft: Draft, ids: Ids) -> str:
    return ids.salesforce("Account") if "salesforce" in draft.systems else ids.hubspot("companies")


def _kind(draft: Draft, days: Days) -> Dated:
    if draft.kind == "prospect":
        return Dated(((draft.created_at, "prospect"),))
    changes: list[tuple[int, object]] = [(draft.created_at, "customer")]
    if draft.churn_day is not None:
        changes.append((days.at(draft.churn_day, CHURN_MINUTE), "former"))
    return Dated(tuple(changes))


def _renewal(draft: Draft, days: Days) -> Dated:
    changes: list[tuple[int, object]] = [
        (draft.created_at, None if draft.renewal_day is None else days.calendar(draft.renewal_day))
    ]
    for at, day in sorted(draft.renewal_moves):
        changes.append((at, None if day is None else days.calendar(day)))
    return Dated(tuple(changes))
