"""The World as HubSpot has it: companies, contacts, deals, tickets, engagements, and the links between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from sandbox.versions import At, Change
from sandbox.world.ids import Ids
from sandbox.world.model import Company, Deal, Happening, Person, Ticket
from sandbox.world.project_salesforce import on
from sandbox.world.reading import (
    SECOND_COPY_LATER,
    Reading,
    calendar_uid,
    dollars,
    lacks_message_id,
    message_id,
    number,
)
from sandbox.world.when import MINUTE

MEETING_OUTCOME = {"planned": "SCHEDULED", "done": "COMPLETED", "cancelled": "CANCELED", "no_show": "NO_SHOW", "": None}
# The outcomes that every portal has: https://developers.hubspot.com/docs/api-reference/crm-calls-v3/guide
DISPOSITIONS = {
    "connected": "f240bbac-87c9-4f6e-bf70-924b57d47db7",
    "no_answer": "73a0d17f-1163-4015-bdd5-ec830791da20",
    "left_voicemail": "b2cf5968-551e-4856-9783-52b3da59a7d0",
    None: None,
}
STAGES = {"Negotiation": "contractsent", "Closed Won": "closedwon", "Closed Lost": "closedlost"}
DEAL_TYPES = {"New Business": "newbusiness", "Renewal": "renewal", "Expansion": "expansion"}
LIFECYCLE = {"customer": "customer", "former": "other", "prospect": "opportunity"}
STATUS = {"customer": "active", "former": "former", "prospect": None}
PRIMARY = {"label": "Primary"}


class HubSpotRecords:
    """Makes the changes of the HubSpot portal."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._ids = Ids()
        self._users = {mate.key: 9_000_100 + n for n, mate in enumerate(reading.world.teammates)}
        """Teammate -> the id of their HubSpot user."""

    def changes(self) -> Iterator[Change]:
        """All of them, object by object."""
        reading = self._reading
        yield from self._owners()
        for company in reading.world.companies:
            if company.hubspot_id:
                yield from self._company(company, company.hubspot_id)
        for person in reading.world.persons:
            if person.hubspot_id:
                yield from self._contact(person, person.hubspot_id)
        for deal in reading.world.deals:
            if "hubspot" in deal.systems:
                yield from self._deal(deal)
        for ticket in reading.world.tickets:
            if "hubspot" in ticket.systems:
                yield from self._ticket(ticket)
        for happening in reading.world.happenings:
            if "hubspot" in happening.systems:
                yield from self._engagement(happening)

    def _owners(self) -> Iterator[Change]:
        for mate in self._reading.world.teammates:
            given, _, family = mate.name.partition(" ")
            fields = {"email": mate.key, "firstName": given, "lastName": family, "userId": self._users[mate.key]}
            assert mate.hubspot_id is not None
            yield _create(self._reading.founded, "owners", mate.hubspot_id, fields)
            if mate.leaves_at is not None:
                yield Change(mate.leaves_at, "hubspot", "delete", "owners", mate.hubspot_id)

    def _owner(self, key: object) -> str | None:
        return self._reading.teammates[str(key)].hubspot_id if key else None

    def _company_id(self, key: str) -> str:
        return str(self._reading.companies[key].hubspot_id)

    def _company(self, company: Company, row_id: str) -> Iterator[Change]:
        later = SECOND_COPY_LATER if company.salesforce_id else 0
        born = company.created_at
        kind = "customer" if company.typed_customer else str(company.kind.at(born))
        in_property = company.csm_in == "property"
        parent = self._reading.companies[company.parent].hubspot_id if company.parent else None
        fields = {
            "name": company.name,
            "domain": _domain(company),
            "hubspot_owner_id": self._owner(company.owner.at(born)),
            "hs_parent_company_id": parent,
            "lifecyclestage": LIFECYCLE[kind],
            "customer_status": STATUS[kind],
            "salesforceaccountid": company.salesforce_id if company.linked_by == "property" else None,
            "arr": dollars(company.arr.at(born)) if company.arr_in == "field" else None,
            "renewal_date": on(company.renewal.at(born)),
            "csm": self._owner(company.csm.at(born)) if in_property else None,
            "contract_start": on(company.contract_start),
            "auto_renews": company.auto_renews,
            "term_days": company.term_days,
            "seats": company.seats,
            "potential": dollars(company.potential),
            "market_fit": company.market_fit,
            "strategic": company.strategic,
            "workspace_id": company.workspace,
            "customer_tier": tier_value(company.inherited_tier),
            **{name: self._contradicting(name, value) for name, value in company.hubspot_differs},
        }
        yield _create(born + later, "companies", row_id, fields)
        for at, value in company.kind.changes[1:]:
            change = {"lifecyclestage": LIFECYCLE[str(value)], "customer_status": STATUS[str(value)]}
            yield _update(at + later, "companies", row_id, change)
        # Where HubSpot has another ARR, nobody keeps it up to date.
        kept = company.arr_in == "field" and "arr" not in dict(company.hubspot_differs)
        for at, cents in company.arr.changes[1:] if kept else ():
            yield _update(at + later, "companies", row_id, {"arr": dollars(cents)})
        for at, value in company.renewal.changes[1:]:
            yield _update(at + later, "companies", row_id, {"renewal_date": on(value)})
        for at, value in company.csm.changes[1:] if in_property else ():
            yield _update(at + later, "companies", row_id, {"csm": self._owner(value)})
        if company.merged_at is not None and not company.salesforce_id:
            yield from self._duplicate(company, row_id, company.merged_at)
        # Who sets a tier by hand does it in one CRM.
        for at, tier, who in company.tier_edits if not company.salesforce_id else ():
            edit = {"customer_tier": tier_value(tier), "hs_updated_by_user_id": self._users[who]}
            yield _update(at, "companies", row_id, edit)

    def _contradicting(self, name: str, value: object) -> object:
        """A value in which HubSpot differs, as HubSpot keeps it."""
        if name == "hubspot_owner_id":
            return self._owner(value)
        if name == "renewal_date":
            return on(value)
        return tier_value(value) if name == "customer_tier" and isinstance(value, int) else value

    def _duplicate(self, company: Company, row_id: str, merged_at: int) -> Iterator[Change]:
        """A second company of the same account, without a domain, so that nothing links it."""
        twin = str(company.duplicate_id)
        fields = {"name": f"{company.name} (new)", "lifecyclestage": LIFECYCLE["prospect"]}
        yield _create(company.created_at + MINUTE, "companies", twin, fields)
        merged = {"hs_merged_object_ids": twin}
        yield Change(merged_at, "hubspot", "merge", "companies", twin, merged, into=row_id)

    def _contact(self, person: Person, row_id: str) -> Iterator[Change]:
        given, _, family = person.name.partition(" ")
        at = person.on_file_at + (SECOND_COPY_LATER if person.salesforce_id else 0)
        # Where both CRMs have the contact, HubSpot lacks the title of every twentieth.
        forgotten = person.salesforce_id is not None and int(row_id) // 7 % 20 == 0
        fields = {
            "firstname": given if family else None,
            "lastname": family or given,
            "email": person.email,
            "jobtitle": None if forgotten else person.title,
            "product_user": person.product_user,
        }
        yield _create(at, "contacts", row_id, fields)
        company = self._reading.companies[person.account]
        home = company.duplicate_id if person.at_duplicate and not company.salesforce_id else company.hubspot_id
        yield _link(person.linked_at or at, "contacts", row_id, "companies", str(home), primary=True)
        for key in person.also_at:
            if self._reading.companies[key].hubspot_id:
                yield _link(at, "contacts", row_id, "companies", self._company_id(key))
        # Where Salesforce has the contact too, the role stands in a deal there.
        if person.role is not None and person.role_at is not None and not person.salesforce_id:
            role = person.role.upper().replace(" ", "_")
            yield _update(person.role_at, "contacts", row_id, {"hs_buying_role": role})
        if person.removed_at is not None:
            yield Change(person.removed_at, "hubspot", "delete", "contacts", row_id)

    def _deal(self, deal: Deal) -> Iterator[Change]:
        row_id = self._ids.hubspot("deals")
        fields = {
            "dealname": deal.name,
            "dealtype": DEAL_TYPES[deal.type],
            "amount": dollars(deal.amount),
            "pipeline": "default",
            "hubspot_owner_id": self._owner(self._reading.companies[deal.account].owner.at(deal.created_at)),
        }
        stamps = sorted({at for at, _ in (*deal.stage.changes, *deal.close_on.changes)})
        for n, at in enumerate(stamps):
            stage, day = STAGES[str(deal.stage.at(at))], deal.close_on.at(at)
            state: dict[str, object] = {"dealstage": stage, "closedate": on(day)}
            yield (_update if n else _create)(at, "deals", row_id, state if n else {**fields, **state})
            if not n:
                yield _link(at, "deals", row_id, "companies", self._company_id(deal.account), primary=True)

    def _ticket(self, ticket: Ticket) -> Iterator[Change]:
        row_id = self._ids.hubspot("tickets")
        fields = {
            "subject": "How do I …?",
            "hs_pipeline": "0",
            "hs_pipeline_stage": "1",
            "hs_ticket_priority": ticket.priority.upper(),
        }
        yield _create(ticket.opened_at, "tickets", row_id, fields)
        yield _link(ticket.opened_at, "tickets", row_id, "companies", self._company_id(ticket.account), primary=True)
        if ticket.closed_at is not None:
            closed = {"hs_pipeline_stage": "4", "closed_date": At(ticket.closed_at)}
            yield _update(ticket.closed_at, "tickets", row_id, closed)

    def _engagement(self, happening: Happening) -> Iterator[Change]:
        kind = {"email": "emails", "call": "calls", "meeting": "meetings", "note": "notes", "task": "tasks"}[
            happening.kind
        ]
        fields = {"hs_timestamp": At(happening.starts_at), "hubspot_owner_id": self._owner(happening.teammates[0])}
        ways: dict[str, Callable[[Happening], dict[str, object]]] = {
            "emails": self._email,
            "calls": self._call,
            "meetings": self._meeting,
            "notes": self._note,
            "tasks": self._task,
        }
        details = ways[kind](happening)
        later = SECOND_COPY_LATER if len(happening.systems) == 2 else 0
        at, row_id = happening.logged_at + later, self._ids.hubspot(kind)
        yield _create(at, kind, row_id, {**fields, **details})
        yield _link(at, kind, row_id, "companies", self._company_id(happening.account))
        for person in self._reading.people(happening):
            if person.hubspot_id:
                yield _link(at, kind, row_id, "contacts", person.hubspot_id)
        for changed, status in happening.status.changes[1:] if kind == "meetings" else ():
            yield _update(changed + later, kind, row_id, {"hs_meeting_outcome": MEETING_OUTCOME[str(status)]})

    def _email(self, happening: Happening) -> dict[str, object]:
        sender, recipients = self._reading.addresses(happening)
        return {
            "hs_email_direction": "INCOMING_EMAIL" if happening.direction == "in" else "EMAIL",
            "hs_email_subject": happening.subject,
            "hs_email_from_email": sender,
            "hs_email_to_email": ";".join(recipients),
            "hs_email_message_id": None if lacks_message_id(happening) else message_id(happening),
            "hs_email_status": "SENT",
            "automatic": happening.automatic,
        }

    def _call(self, happening: Happening) -> dict[str, object]:
        return {
            "hs_call_title": happening.subject,
            "hs_call_direction": {"in": "INBOUND", "out": "OUTBOUND"}[happening.direction or "out"],
            "hs_call_disposition": DISPOSITIONS[happening.disposition],
            "hs_call_status": "COMPLETED",
            # Milliseconds; the end of the call is its start and this.
            "hs_call_duration": (happening.ends_at - happening.starts_at) // 1000,
        }

    def _note(self, happening: Happening) -> dict[str, object]:
        return {"hs_note_body": happening.subject}

    def _task(self, happening: Happening) -> dict[str, object]:
        return {"hs_task_subject": happening.subject, "hs_task_status": "NOT_STARTED", "hs_task_type": "TODO"}

    def _meeting(self, happening: Happening) -> dict[str, object]:
        return {
            "hs_meeting_title": happening.subject,
            "hs_meeting_start_time": At(happening.starts_at),
            "hs_meeting_end_time": At(happening.ends_at),
            "hs_meeting_outcome": MEETING_OUTCOME[str(happening.status.at(happening.logged_at))],
            "hs_i_cal_uid": calendar_uid(happening),
            "hs_attendee_owner_ids": ";".join(str(self._owner(key)) for key in happening.teammates),
        }


def tier_value(tier: int | None) -> str | None:
    """The enumeration's value of a tier."""
    return None if tier is None else f"tier_{tier}"


def _domain(company: Company) -> str | None:
    """Accounts that are linked by the property have no domain in every second HubSpot row."""
    return None if company.linked_by == "property" and number(company.key) % 4 < 2 else company.domain


def _create(at: int, object_name: str, row_id: str, fields: Mapping[str, object]) -> Change:
    return Change(at, "hubspot", "create", object_name, row_id, fields)


def _update(at: int, object_name: str, row_id: str, fields: Mapping[str, object]) -> Change:
    return Change(at, "hubspot", "update", object_name, row_id, fields)


def _link(at: int, object_name: str, row_id: str, to_object: str, to_id: str, *, primary: bool = False) -> Change:
    fields: dict[str, object] = dict(PRIMARY) if primary else {}
    return Change(at, "hubspot", "associate", object_name, row_id, fields, to_object=to_object, to_id=to_id)
