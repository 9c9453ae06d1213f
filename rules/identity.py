"""Which rows are one account, and which contacts are one person: never by name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

# Mail providers whose domains say nothing about who a company is.
FREE_MAIL = frozenset(
    [
        "gmail.com",
        "googlemail.com",
        "outlook.com",
        "hotmail.com",
        "live.com",
        "msn.com",
        "yahoo.com",
        "yahoo.de",
        "yahoo.fr",
        "yahoo.es",
        "ymail.com",
        "icloud.com",
        "me.com",
        "mac.com",
        "aol.com",
        "gmx.de",
        "gmx.net",
        "gmx.com",
        "gmx.at",
        "gmx.ch",
        "web.de",
        "t-online.de",
        "freenet.de",
        "posteo.de",
        "proton.me",
        "protonmail.com",
        "mail.com",
        "mail.ru",
        "yandex.ru",
        "yandex.com",
        "qq.com",
        "163.com",
        "126.com",
        "orange.fr",
        "wanadoo.fr",
        "free.fr",
        "laposte.net",
        "sfr.fr",
        "terra.es",
        "telefonica.net",
        "libero.it",
        "tiscali.it",
        "zoho.com",
        "fastmail.com",
        "hey.com",
        "tutanota.com",
    ]
)

# Mailboxes that belong to a function, not to a person.
ROLE_ADDRESSES = frozenset(
    [
        "support",
        "help",
        "helpdesk",
        "info",
        "information",
        "hello",
        "contact",
        "kontakt",
        "contacto",
        "office",
        "billing",
        "invoices",
        "invoice",
        "accounts",
        "accounting",
        "accountspayable",
        "ap",
        "ar",
        "finance-ap",
        "rechnung",
        "rechnungen",
        "facturas",
        "facturation",
        "payments",
        "sales",
        "vertrieb",
        "admin",
        "administrator",
        "webmaster",
        "postmaster",
        "hostmaster",
        "noreply",
        "no-reply",
        "donotreply",
        "do-not-reply",
        "team",
        "service",
        "kundenservice",
        "jobs",
        "careers",
        "hr-team",
        "security",
        "abuse",
        "privacy",
        "legal-notices",
        "press",
        "marketing-team",
        "newsletter",
        "orders",
        "purchasing-desk",
        "mailer-daemon",
        "it-support",
        "servicedesk",
    ]
)


@dataclass(frozen=True, slots=True)
class AccountRow:
    """What linking looks at of one CRM account row."""

    source: str
    id: str
    domain: str | None
    link_id: str | None
    merged_into: str | None
    deleted: bool
    account_id: int | None
    """The account it belongs to so far."""


Ref = tuple[str, str]


def plain_domain(domain: str | None) -> str | None:
    """A web address or domain as bare host in lower case without www; None for none and for free-mail hosts."""
    if not domain:
        return None
    host = domain.strip().casefold().split("://")[-1].split("/")[0].split("@")[-1].split(":")[0].rstrip(".")
    host = host.removeprefix("www.")
    return host if host and "." in host and host not in FREE_MAIL else None


def is_role_address(email: str | None) -> bool:
    """True for support@, billing@ and their like: a mailbox, no person."""
    return bool(email) and str(email).split("@")[0].casefold() in ROLE_ADDRESSES


def groups(rows: Sequence[AccountRow], order: Sequence[str]) -> list[tuple[AccountRow, ...]]:
    """Sort rows into accounts. Links: a merge in one CRM, the link property, then a domain that exactly one live row of
    each of two sources has. `order` is the sources by precedence; each group's first row is the one that names it.
    """
    by_ref: dict[Ref, AccountRow] = {(row.source, row.id): row for row in rows}
    parent: dict[Ref, Ref] = {ref: ref for ref in by_ref}

    def root(ref: Ref) -> Ref:
        while parent[ref] != ref:
            parent[ref] = parent[parent[ref]]
            ref = parent[ref]
        return ref

    def join(a: Ref, b: Ref) -> None:
        if a in parent and b in parent:
            parent[root(b)] = root(a)

    for row in rows:
        if row.merged_into:
            join((row.source, row.merged_into), (row.source, row.id))
    linked = _join_by_property(rows, order, by_ref, join)
    for pair in _same_domain(rows, linked):
        join(*pair)
    members: defaultdict[Ref, list[AccountRow]] = defaultdict(list)
    for ref, row in by_ref.items():
        members[root(ref)].append(row)
    rank = {source: n for n, source in enumerate(order)}
    return [
        tuple(sorted(group, key=lambda r: (bool(r.merged_into), r.deleted, rank.get(r.source, len(rank)), r.id)))
        for group in members.values()
    ]


def _join_by_property(
    rows: Sequence[AccountRow], order: Sequence[str], by_ref: Mapping[Ref, AccountRow], join: Callable[[Ref, Ref], None]
) -> set[Ref]:
    linked: set[Ref] = set()
    for row in rows:
        if not row.link_id or row.deleted:
            continue
        # Salesforce shows ids with 15 or with 18 characters; the first 15 are the id.
        target = next(
            (
                (source, known)
                for source in order
                if source != row.source
                for known in (row.link_id, row.link_id[:15])
                if (source, known) in by_ref
            ),
            None,
        )
        if target is not None:
            join(target, (row.source, row.id))
            linked |= {target, (row.source, row.id)}
    return linked


def _same_domain(rows: Iterable[AccountRow], linked: set[Ref]) -> list[tuple[Ref, Ref]]:
    by_domain: defaultdict[str, list[AccountRow]] = defaultdict(list)
    for row in rows:
        domain = plain_domain(row.domain)
        if domain and not row.deleted and not row.merged_into:
            by_domain[domain].append(row)
    pairs = []
    for same in by_domain.values():
        sources = [row.source for row in same]
        # A domain that two rows of one source have is shared (a group, a reseller): it identifies nobody.
        if len(same) == 2 and len(set(sources)) == 2 and not any((r.source, r.id) in linked for r in same):
            pairs.append(((same[0].source, same[0].id), (same[1].source, same[1].id)))
    return pairs
