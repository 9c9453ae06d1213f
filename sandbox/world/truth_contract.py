"""What the book says of a customer's contract: scope, renewal, term, stage of life. Dates are days since 1970, UTC."""

from __future__ import annotations

from sandbox.world.model import Company, Deal
from sandbox.world.truth_book import Book
from sandbox.world.truth_logic import Truth, Unknown, all_of, negation
from sandbox.world.when import DAY

ONBOARDING_DAYS = 90
OUTDATED_AFTER = 30
ROLLING_UNDER = 180
RENEWED_SINCE = 120
DUE_WITHIN = 90
CRITICAL_WITHIN = 30


class Contract:
    """One customer's contract at one instant."""

    def __init__(self, book: Book, company: Company, as_of: int) -> None:
        self.company = company
        self.as_of = as_of
        self.today = as_of // DAY
        self._renewals = [d for d in book.deals(company, as_of) if d.type == "Renewal"]

    def in_scope(self) -> bool:
        """Is it a customer that is not lost: the latest renewal lost and its date passed means lost."""
        if self.company.kind.at(self.as_of) != "customer":
            return False
        if not self._renewals:
            return True
        latest = max(self._renewals, key=lambda d: (self._closes(d), d.created_at, d.key))
        if latest.stage.at(self.as_of) != "Closed Lost":
            return True
        date = self._date()
        return (self._closes(latest) if date is None else date) >= self.today

    def onboarding(self) -> bool:
        """Did the contract start less than 90 days ago."""
        start = self.company.contract_start
        return start is not None and self.today - start < ONBOARDING_DAYS

    def renewal(self) -> int | Unknown:
        """The day on which it renews; a date more than 30 days past that was not renewed says nothing."""
        date = self._date()
        if date is None:
            return Unknown("not_on_file")
        if date < self.today - OUTDATED_AFTER and not self._renewed(date):
            return Unknown("outdated")
        return date

    def renewal_in(self) -> int | Unknown:
        """Days until the renewal."""
        renewal = self.renewal()
        return renewal if isinstance(renewal, Unknown) else renewal - self.today

    def renewed(self) -> Truth:
        """Was a renewal won since 120 days before the date, or has the notice date passed that renews it by itself."""
        date = self._date()
        return Unknown("not_on_file") if date is None else self._renewed(date)

    def rolling(self) -> bool:
        """Is the term shorter than 180 days; false when it cannot be computed."""
        term, renewal = self.company.term_days, self.renewal()
        if term is None:
            begins = [self._closes(d) for d in self._won()]
            if self.company.contract_start is not None:
                begins.append(self.company.contract_start)
            if isinstance(renewal, Unknown) or not begins:
                return False
            term = renewal - max(begins)
        return term < ROLLING_UNDER

    def renewal_within(self, first: int, last: int) -> Truth:
        """Is the renewal so many days ahead, both ends included."""
        days = self.renewal_in()
        return days if isinstance(days, Unknown) else first <= days <= last

    def due(self) -> Truth:
        """The vocabulary's `renewal due`."""
        return all_of(self.renewal_within(0, DUE_WITHIN), not self.rolling(), negation(self.renewed()))

    def lapsed(self) -> Truth:
        """The vocabulary's `lapsed`."""
        return all_of(self.renewal_within(-OUTDATED_AFTER, -1), negation(self.renewed()))

    def _date(self) -> int | None:
        """The CRM's field, else the close date of the open renewal opportunity."""
        date = self.company.renewal.at(self.as_of)
        if isinstance(date, int):
            return date
        closed = ("Closed Won", "Closed Lost")
        return min((self._closes(d) for d in self._renewals if d.stage.at(self.as_of) not in closed), default=None)

    def _renewed(self, date: int) -> bool:
        if self.company.auto_renews and date < self.today:
            return True
        return any(self._closes(d) > date - RENEWED_SINCE for d in self._won())

    def _won(self) -> list[Deal]:
        return [d for d in self._renewals if d.stage.at(self.as_of) == "Closed Won"]

    def _closes(self, deal: Deal) -> int:
        day = deal.close_on.at(self.as_of)
        assert isinstance(day, int)
        return day
