"""Domains and mailboxes that say who a company or a person is, and those that do not."""

from __future__ import annotations

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
