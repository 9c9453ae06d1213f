"""Contacts of an account: executives, users, people without a title, shared inboxes."""

from __future__ import annotations

from random import Random

from sandbox.world.draft import Draft, PersonDraft
from sandbox.world.names import awkward_names, person_name
from sandbox.world.titles import titles
from sandbox.world.when import DAY, MINUTE, outside_quiet_hour

_SIZES = {"enterprise": (13, 20), "mid_market": (9, 14), "smb": (6, 9)}
_EXECS = {"enterprise": (4, 5), "mid_market": (2, 3), "smb": (1, 2)}
_SPONSORS = {"enterprise": (2, 3), "mid_market": (1, 2), "smb": (1, 1)}
ADVISERS = "advisory-partners.example"
"""The domain of people who work for customers and are nobody's contact."""
UNTITLED = 0.43
"""Share of contacts without a title; a shade over the 40 % of all, since every account has two titled users."""


class People:
    """Makes contacts with addresses that nobody else has."""

    def __init__(self, rng: Random, addresses: set[str] | None = None) -> None:
        self._rng = rng
        self._addresses: set[str] = set() if addresses is None else addresses
        self._made = 0
        self._awkward = list(awkward_names())

    def apart(self, rng: Random) -> People:
        """The same addresses are taken, but names and titles come from another `rng`: what was made before stays."""
        return People(rng, self._addresses)

    def add(
        self, draft: Draft, *, executive: bool | None, flagged: bool = False, on_file_at: int | None = None
    ) -> PersonDraft:
        """One more contact; `executive` None = without a title. `flagged`: a product user by a field of the CRM."""
        rng = self._rng
        name, local, language = person_name(rng)
        self._made += 1
        if self._awkward and self._made % 37 == 0:
            name = self._awkward.pop(0)
        title = None if executive is None else rng.choice(titles(language, executive=executive))
        person = PersonDraft(
            key="",
            name=name,
            email=self._address(local, draft.domain or "mailbox.example"),
            title=title.text if title else None,
            level=title.level if title else None,
            function=title.function if title else None,
            product_user=flagged,
            on_file_at=self._filed(draft) if on_file_at is None else on_file_at,
        )
        person.key = str(person.email)
        draft.people.append(person)
        return person

    def staff(self, draft: Draft) -> None:
        """The contacts of a customer, and who of them is met: sponsors, champions, strangers."""
        rng, segment = self._rng, draft.segment
        size = rng.randint(*_SIZES[segment])
        untitled = round(UNTITLED * size)
        execs = rng.randint(*_EXECS[segment])
        for _ in range(execs):
            self.add(draft, executive=True)
        for n in range(max(2, size - execs - untitled)):
            self.add(draft, executive=False, flagged=n % 3 == 0)
        for n in range(untitled):
            self.add(draft, executive=None, flagged=n % 2 == 0)
        life = draft.life
        life.sponsors = draft.execs()[: min(execs, rng.randint(*_SPONSORS[segment]))]
        life.champions = draft.users()[:2]
        life.strangers = draft.unclassified()[:1]
        if rng.random() < 0.25:
            self.shared_inbox(draft)

    def shared_inbox(self, draft: Draft) -> None:
        """A role address that is kept as a contact."""
        local = self._rng.choice(("support", "info", "billing"))
        address = f"{local}@{draft.domain}"
        if draft.domain is None or address in self._addresses:
            return
        self._addresses.add(address)
        draft.people.append(
            PersonDraft(
                address,
                f"{local.title()} Team",
                address,
                None,
                None,
                None,
                False,
                self._filed(draft),
                role_address=True,
            )
        )

    def stranger(self, draft: Draft) -> PersonDraft:
        """Somebody with an address at the account's domain whom nobody has entered in a CRM."""
        name, local, _ = person_name(self._rng)
        return self._unregistered(draft, name, self._address(local, draft.domain or "mailbox.example"))

    def bare_inbox(self, draft: Draft) -> PersonDraft | None:
        """A role address that is no contact; None where all are taken."""
        free = [a for word in ("billing", "support", "info") if (a := f"{word}@{draft.domain}") not in self._addresses]
        if not free:
            return None
        self._addresses.add(free[0])
        person = self._unregistered(draft, "", free[0])
        person.role_address = True
        return person

    def adviser(self, draft: Draft) -> PersonDraft:
        """Somebody from a firm that is no account and does not share the account's domain."""
        name, local, _ = person_name(self._rng)
        return self._unregistered(draft, name, self._address(local, ADVISERS))

    def unplaced(self, draft: Draft, on_file_at: int, linked_at: int) -> PersonDraft:
        """An executive with a private address, entered without an account and given it later."""
        person = self.add(draft, executive=True, on_file_at=on_file_at)
        self._addresses.discard(str(person.email))
        person.email = self._address(str(person.email).partition("@")[0], "mailbox.example")
        person.key, person.linked_at = person.email, linked_at
        return person

    def _unregistered(self, draft: Draft, name: str, address: str) -> PersonDraft:
        person = PersonDraft(address, name, address, None, None, None, False, draft.created_at, registered=False)
        draft.people.append(person)
        return person

    def without_address(self, draft: Draft) -> None:
        """A contact of whom only the name is known."""
        person = self.add(draft, executive=False)
        self._addresses.discard(str(person.email))
        person.email = None
        person.key = f"nameless-{self._made:05d}"

    def _address(self, local: str, domain: str) -> str:
        number = 1
        address = f"{local}@{domain}"
        while address in self._addresses:
            number += 1
            address = f"{local}{number}@{domain}"
        self._addresses.add(address)
        return address

    def _filed(self, draft: Draft) -> int:
        """Within ten days of the account, in working hours."""
        instant = draft.created_at + self._rng.randrange(10) * DAY + self._rng.randrange(120) * MINUTE
        return outside_quiet_hour(instant)
