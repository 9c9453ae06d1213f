"""Our own people: the CSMs and their lead, sales and support; two of them without a captured mailbox."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.world.ids import Ids
from sandbox.world.model import Teammate
from sandbox.world.names import ascii_word
from sandbox.world.when import Days

OWN_DOMAIN = "tierd-demo.example"
LEAVES_ON = 9
"""The day on which one CSM with a small book leaves; the accounts change hands the day before."""
_CSMS = (
    "Ana Prieto",
    "Ben Okafor",
    "Chloé Marchand",
    "Dmitri Volkov",
    "Elif Kaya",
    "Farah Haddad",
    "Gita Rao",
    "Hugo Lind",
    "Imke Visser",
    "Jonas Weber",
    "Kaori Abe",
    "Liam Byrne",
)
_LEAD, _LEAVER, _NEWCOMER = "Stella Moreau", "Theo Jansen", "Rosa Conti"
_SALES = ("Marta Silva", "Nils Berg", "Olga Petrova", "Pete Dunn")
_SUPPORT = ("Quinn Adler",)


@dataclass(frozen=True, slots=True)
class Team:
    """Teammates by role; the values are keys (addresses), `everyone` has the records."""

    everyone: tuple[Teammate, ...]
    csms: tuple[str, ...]
    leaver: str
    """A CSM with a few accounts who leaves during the demo; on top of `csms`."""
    lead: str
    sales: tuple[str, ...]
    support: str
    newcomer: str
    """A CSM who takes over a few accounts during the demo and whose mailbox and calendar are not captured yet."""
    silent_sales: str
    """Sells by telephone; not captured either."""

    @property
    def uncaptured(self) -> tuple[str, ...]:
        """Whose mails and meetings never reach a CRM."""
        return (self.newcomer, self.silent_sales)

    @property
    def captured(self) -> tuple[str, ...]:
        """Who works with customers from a captured mailbox."""
        return (*self.csms, self.leaver, *self.sales, self.support)


def hire(days: Days, csms: int, ids: Ids) -> Team:
    """The team with `csms` CSMs (at most 12), one who leaves and one who is new."""
    lead = _address(_LEAD)
    named: list[tuple[str, str, str | None]] = [(name, "csm", lead) for name in _CSMS[:csms]]
    named += [(_LEAVER, "csm", lead), (_NEWCOMER, "csm", lead), (_LEAD, "lead", None)]
    named += [(name, "sales", None) for name in _SALES] + [(name, "support", None) for name in _SUPPORT]
    silent = {_address(_SALES[-1]), _address(_NEWCOMER)}
    leaver = _address(_LEAVER)
    everyone = tuple(
        Teammate(
            key=_address(name),
            name=name,
            role=role,
            manager=manager,
            captured=_address(name) not in silent,
            leaves_at=days.at(LEAVES_ON, 16 * 60) if _address(name) == leaver else None,
            salesforce_id=ids.salesforce("User"),
            hubspot_id=ids.hubspot("owners"),
        )
        for name, role, manager in named
    )
    return Team(
        everyone=everyone,
        csms=tuple(_address(name) for name in _CSMS[:csms]),
        leaver=leaver,
        lead=lead,
        sales=tuple(_address(name) for name in _SALES[:-1]),
        support=_address(_SUPPORT[0]),
        newcomer=_address(_NEWCOMER),
        silent_sales=_address(_SALES[-1]),
    )


def _address(name: str) -> str:
    given, family = name.split()
    return f"{ascii_word(given)}.{ascii_word(family)}@{OWN_DOMAIN}"
