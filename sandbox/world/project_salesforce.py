"""The World as Salesforce has it: accounts, contacts, opportunities, cases, and activities with their relations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sandbox.versions import At, Change, On
from sandbox.world.ids import Ids
from sandbox.world.model import DAY, Company, Deal, Happening, Person, Ticket
from sandbox.world.reading import Reading, calendar_uid, dollars, message_id, number
from sandbox.world.when import MINUTE

TYPES = {"customer": "Customer", "prospect": "Prospect", "former": "Former Customer"}
MEETING_STATUS = {"planned": "Planned", "done": "Held", "cancelled": "Cancelled", "no_show": "No Show", "": None}
DISPOSITIONS = {"connected": "Connected", "no_answer": "No answer", "left_voicemail": "Left voicemail", None: None}
TRACKED = ("ARR__c", "Renewal_Date__c", "Customer_Tier__c", "Type")
"""Fields of Account of which the org keeps a history."""
CSM_ROLE = "Customer Success Manager"


class SalesforceRecords:
    """Makes the changes of the Salesforce org."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._ids = Ids()
        self._first_deal: dict[str, tuple[int, str]] = {}
        """Account -> (creation, id) of its oldest opportunity."""

    def changes(self) -> Iterator[Change]:
        """All of them, object by object."""
        reading = self._reading
        yield from self._users()
        for company in reading.world.companies:
            if company.salesforce_id:
                yield from self._account(company)
                yield from self._team(company)
        for person in reading.world.persons:
            if person.salesforce_id:
                yield from self._contact(person)
        for deal in reading.world.deals:
            if "salesforce" in deal.systems:
                yield from self._opportunity(deal)
        yield from self._ties()
        for ticket in reading.world.tickets:
            if "salesforce" in ticket.systems:
                yield from self._case(ticket)
        for happening in reading.world.happenings:
            if "salesforce" in happening.systems:
                yield from self._activity(happening)

    def _users(self) -> Iterator[Change]:
        reading = self._reading
        for mate in reading.world.teammates:
            given, _, family = mate.name.partition(" ")
            manager = reading.teammates[mate.manager].salesforce_id if mate.manager else None
            fields = {
                "Username": mate.key,
                "Name": mate.name,
                "FirstName": given,
                "LastName": family,
                "Email": mate.key,
                "Alias": given[:8].lower(),
                "IsActive": True,
                "ManagerId": manager,
                "TimeZoneSidKey": "Europe/London",
                "UserType": "Standard",
            }
            assert mate.salesforce_id is not None
            yield _create(reading.founded, "User", mate.salesforce_id, fields)
            if mate.leaves_at is not None:
                yield _update(mate.leaves_at, "User", mate.salesforce_id, {"IsActive": False})

    def _user(self, key: object) -> str | None:
        return self._reading.teammates[str(key)].salesforce_id if key else None

    def _account_id(self, key: str | None) -> str | None:
        return self._reading.companies[key].salesforce_id if key else None

    def _account(self, company: Company) -> Iterator[Change]:
        born, row_id = company.created_at, str(company.salesforce_id)
        in_field = company.csm_in == "field"
        fields = {
            "Name": company.name,
            "Website": _website(company),
            "Type": TYPES["customer" if company.typed_customer else str(company.kind.at(born))],
            "OwnerId": self._user(company.owner.at(born)),
            "ParentId": self._account_id(company.parent),
            "ARR__c": dollars(company.arr.at(born)) if company.arr_in == "field" else None,
            "Renewal_Date__c": on(company.renewal.at(born)),
            "CSM__c": self._user(company.csm.at(born)) if in_field else None,
            "Contract_Start__c": on(company.contract_start),
            "Auto_Renews__c": company.auto_renews,
            "Term_Days__c": company.term_days,
            "Seats__c": company.seats,
            "Potential__c": dollars(company.potential),
            "Market_Fit__c": company.market_fit,
            "Strategic__c": company.strategic,
            "Workspace_Id__c": company.workspace,
            "Customer_Tier__c": tier_label(company.inherited_tier),
        }
        yield _create(born, "Account", row_id, fields)
        for at, kind in company.kind.changes[1:]:
            yield _update(at, "Account", row_id, {"Type": TYPES[str(kind)]})
        for at, cents in company.arr.changes[1:] if company.arr_in == "field" else ():
            yield _update(at, "Account", row_id, {"ARR__c": dollars(cents)})
        for at, day in company.renewal.changes[1:]:
            yield _update(at, "Account", row_id, {"Renewal_Date__c": on(day)})
        for at, who in company.csm.changes[1:] if in_field else ():
            yield _update(at, "Account", row_id, {"CSM__c": self._user(who)})
        for at, tier, who in company.tier_edits:
            edit = {"Customer_Tier__c": tier_label(tier), "LastModifiedById": self._user(who)}
            yield _update(at, "Account", row_id, edit)
        if company.duplicate_id and company.merged_at is not None:
            yield from self._duplicate(company, company.duplicate_id, company.merged_at)

    def _duplicate(self, company: Company, row_id: str, merged_at: int) -> Iterator[Change]:
        """A second row of the same account, entered by somebody who did not look; no website, so nothing links it."""
        fields = {
            "Name": f"{company.name} (new)",
            "Type": "Prospect",
            "OwnerId": self._user(company.owner.at(company.created_at)),
        }
        yield _create(company.created_at + MINUTE, "Account", row_id, fields)
        yield Change(merged_at, "salesforce", "merge", "Account", row_id, into=str(company.salesforce_id))

    def _ties(self) -> Iterator[Change]:
        for person in self._reading.world.persons:
            if person.salesforce_id:
                yield from self._ties_of(person, person.salesforce_id)

    def _ties_of(self, person: Person, row_id: str) -> Iterator[Change]:
        """The part somebody plays in a deal, and the other accounts somebody is at."""
        if person.role is not None and person.role_at is not None:
            _, deal = self._first_deal[person.account]
            fields = {"OpportunityId": deal, "ContactId": row_id, "Role": person.role, "IsPrimary": False}
            role_id = self._ids.salesforce("OpportunityContactRole")
            yield _create(person.role_at, "OpportunityContactRole", role_id, fields)
        for key in person.also_at:
            relation = {
                "AccountId": self._account_id(key),
                "ContactId": row_id,
                "IsDirect": False,
                "IsActive": True,
            }
            relation_id = self._ids.salesforce("AccountContactRelation")
            yield _create(person.on_file_at, "AccountContactRelation", relation_id, relation)

    def _team(self, company: Company) -> Iterator[Change]:
        """Account-team rows where the CSM is kept there: a change of hands takes one away and adds another."""
        if company.csm_in != "team":
            return
        row_id = None
        for at, who in company.csm.changes:
            if row_id is not None:
                yield Change(at, "salesforce", "delete", "AccountTeamMember", row_id)
            row_id = self._ids.salesforce("AccountTeamMember")
            fields = {"AccountId": company.salesforce_id, "UserId": self._user(who), "TeamMemberRole": CSM_ROLE}
            yield _create(at + MINUTE, "AccountTeamMember", row_id, fields)

    def _contact(self, person: Person) -> Iterator[Change]:
        company = self._reading.companies[person.account]
        row_id, row_of = str(person.salesforce_id), company.salesforce_id
        given, _, family = person.name.partition(" ")
        fields = {
            "AccountId": None if person.linked_at else company.duplicate_id if person.at_duplicate else row_of,
            "Name": person.name,
            # LastName is required, FirstName is not: people with one name have it as the last.
            "FirstName": given if family else None,
            "LastName": family or given,
            "Email": person.email,
            "Title": person.title,
            "Product_User__c": person.product_user,
            "IsEmailBounced": False,
        }
        yield _create(person.on_file_at, "Contact", row_id, fields)
        if person.at_duplicate and company.merged_at is not None:
            yield _update(company.merged_at, "Contact", row_id, {"AccountId": company.salesforce_id})
        if person.linked_at is not None:
            yield _update(person.linked_at, "Contact", row_id, {"AccountId": row_of})
        if person.removed_at is not None:
            yield Change(person.removed_at, "salesforce", "delete", "Contact", row_id)

    def _opportunity(self, deal: Deal) -> Iterator[Change]:
        row_id = self._ids.salesforce("Opportunity")
        fields = {
            "AccountId": self._account_id(deal.account),
            "Name": deal.name[:120],
            "Type": deal.type,
            "Amount": dollars(deal.amount),
            "OwnerId": self._user(self._reading.companies[deal.account].owner.at(deal.created_at)),
        }
        stamps = sorted({at for at, _ in (*deal.stage.changes, *deal.close_on.changes)})
        self._first_deal[deal.account] = min(
            (stamps[0], row_id), self._first_deal.get(deal.account, (stamps[0], row_id))
        )
        for n, at in enumerate(stamps):
            stage = deal.stage.at(at)
            state = {
                "StageName": stage,
                "CloseDate": on(deal.close_on.at(at)),
                "IsClosed": stage in ("Closed Won", "Closed Lost"),
                "IsWon": stage == "Closed Won",
            }
            yield (_update if n else _create)(at, "Opportunity", row_id, state if n else {**fields, **state})
        company = self._reading.companies[deal.account]
        if deal.type == "New Business" and company.arr_in == "items":
            yield from self._line_items(company, row_id, deal.created_at)

    def _line_items(self, company: Company, deal_id: str, at: int) -> Iterator[Change]:
        """Two subscriptions that make the ARR; the services are no items."""
        cents = company.arr.at(at)
        assert isinstance(cents, int)
        first = cents * 7 // 1000 * 100
        for part in (first, cents - first):
            item = {"OpportunityId": deal_id, "Quantity": 1.0, "UnitPrice": dollars(part), "TotalPrice": dollars(part)}
            row_id = self._ids.salesforce("OpportunityLineItem")
            yield _create(at + MINUTE, "OpportunityLineItem", row_id, item)

    def _case(self, ticket: Ticket) -> Iterator[Change]:
        row_id = self._ids.salesforce("Case")
        fields = {
            "AccountId": self._account_id(ticket.account),
            "Priority": ticket.priority,
            "Status": "New",
            "Origin": "Email",
            "Subject": "How do I …?",
            "IsClosed": False,
        }
        yield _create(ticket.opened_at, "Case", row_id, fields)
        if ticket.closed_at is not None:
            closed = {"Status": "Closed", "IsClosed": True, "ClosedDate": At(ticket.closed_at)}
            yield _update(ticket.closed_at, "Case", row_id, closed)

    def _activity(self, happening: Happening) -> Iterator[Change]:
        if happening.kind == "email":
            yield from self._email(happening)
        elif happening.kind == "meeting":
            yield from self._event(happening)
        else:
            yield from self._task(happening)

    def _common(self, happening: Happening) -> dict[str, object]:
        people = self._reading.people(happening)
        account = self._account_id(happening.account)
        return {
            "Subject": happening.subject,
            "WhoId": people[0].salesforce_id if people else None,
            "WhatId": account,
            "AccountId": account,
            "OwnerId": self._user(happening.teammates[0]),
        }

    def _task(self, happening: Happening) -> Iterator[Change]:
        """A call, a note (a task that is done at once) or an open task."""
        row_id = self._ids.salesforce("Task")
        call = happening.kind == "call"
        done = happening.kind != "task"
        fields = {
            **self._common(happening),
            "Status": "Completed" if done else "Not Started",
            "ActivityDate": On(happening.ends_at // DAY),
            "TaskSubtype": "Call" if call else "Task",
            "CallType": {"in": "Inbound", "out": "Outbound"}[happening.direction or "out"] if call else None,
            "CallDisposition": DISPOSITIONS[happening.disposition] if call else None,
            # Telephone integrations close the task with the end of the call, also when they log it later.
            "CompletedDateTime": At(happening.ends_at) if done else None,
            "IsClosed": done,
        }
        yield _create(happening.logged_at, "Task", row_id, fields)
        yield from self._task_relations(happening, row_id)

    def _task_relations(self, happening: Happening, task_id: str) -> Iterator[Change]:
        for person in self._reading.people(happening):
            if person.salesforce_id is None:
                continue
            fields = {
                "TaskId": task_id,
                "RelationId": person.salesforce_id,
                "AccountId": self._account_id(happening.account),
                "IsWhat": False,
            }
            yield _create(happening.logged_at, "TaskRelation", self._ids.salesforce("TaskRelation"), fields)

    def _event(self, happening: Happening) -> Iterator[Change]:
        row_id = self._ids.salesforce("Event")
        fields = {
            **self._common(happening),
            "StartDateTime": At(happening.starts_at),
            "EndDateTime": At(happening.ends_at),
            "ActivityDateTime": At(happening.starts_at),
            "ActivityDate": On(happening.starts_at // DAY),
            "DurationInMinutes": (happening.ends_at - happening.starts_at) // MINUTE,
            "IsAllDayEvent": False,
            "ShowAs": "Busy",
            "EventSubtype": "Event",
            "Meeting_Status__c": MEETING_STATUS[str(happening.status.at(happening.logged_at))],
            "ICal_UID__c": calendar_uid(happening),
        }
        yield _create(happening.logged_at, "Event", row_id, fields)
        invited = [p.salesforce_id for p in self._reading.people(happening)]
        invited += [self._user(key) for key in happening.teammates[1:]]
        for who in invited:
            relation = {
                "EventId": row_id,
                "RelationId": who,
                "AccountId": self._account_id(happening.account),
                "IsWhat": False,
                "IsInvitee": True,
                "Status": "Accepted",
            }
            yield _create(happening.logged_at, "EventRelation", self._ids.salesforce("EventRelation"), relation)
        for at, status in happening.status.changes[1:]:
            yield _update(at, "Event", row_id, {"Meeting_Status__c": MEETING_STATUS[str(status)]})

    def _email(self, happening: Happening) -> Iterator[Change]:
        """EmailMessage with a relation per address; for two of five mails Salesforce has made a task as well."""
        row_id = self._ids.salesforce("EmailMessage")
        sender, recipients = self._reading.addresses(happening)
        task_id = None
        if number(happening.key) % 5 < 2 and not happening.automatic:
            task_id = self._ids.salesforce("Task")
            task = {
                **self._common(happening),
                "Subject": f"Email: {happening.subject}",
                "Status": "Completed",
                "ActivityDate": On(happening.starts_at // DAY),
                "TaskSubtype": "Email",
                "CompletedDateTime": At(happening.starts_at),
                "IsClosed": True,
            }
            yield _create(happening.logged_at, "Task", task_id, task)
            yield from self._task_relations(happening, task_id)
        incoming = happening.direction == "in"
        fields = {
            "Subject": happening.subject,
            "FromAddress": sender,
            "ToAddress": "; ".join(recipients),
            "Incoming": incoming,
            "MessageDate": At(happening.starts_at),
            "MessageIdentifier": message_id(happening),
            "Status": "2" if incoming else "3",
            "ActivityId": task_id,
            "RelatedToId": self._account_id(happening.account),
            "Automatic__c": happening.automatic,
        }
        yield _create(happening.logged_at, "EmailMessage", row_id, fields)
        for kind, address in (("FromAddress", sender), *(("ToAddress", r) for r in recipients)):
            yield self._mail_relation(happening.logged_at, row_id, kind, address)

    def _mail_relation(self, at: int, email_id: str, kind: str, address: str) -> Change:
        person, mate = self._reading.persons.get(address), self._reading.teammates.get(address)
        found = person.salesforce_id if person else mate.salesforce_id if mate else None
        fields = {
            "EmailMessageId": email_id,
            "RelationId": found,
            "RelationType": kind,
            "RelationAddress": address,
            "RelationObjectType": None if found is None else "Contact" if person else "User",
        }
        return _create(at, "EmailMessageRelation", self._ids.salesforce("EmailMessageRelation"), fields)


def on(day: object) -> On | None:
    """A day of the World as a field value."""
    return On(day) if isinstance(day, int) else None


def tier_label(tier: int | None) -> str | None:
    """The picklist's label of a tier."""
    return None if tier is None else f"Tier {tier}"


def _website(company: Company) -> str | None:
    """The same domain, as people type it."""
    if company.domain is None:
        return None
    return ("https://www.{}", "http://{}/", "{}", "www.{}")[number(company.key) % 4].format(company.domain)


def _create(at: int, object_name: str, row_id: str, fields: Mapping[str, object]) -> Change:
    return Change(at, "salesforce", "create", object_name, row_id, fields)


def _update(at: int, object_name: str, row_id: str, fields: Mapping[str, object]) -> Change:
    return Change(at, "salesforce", "update", object_name, row_id, fields)
