"""What the configuration says about identity, brought to the store before rows are derived by it."""

from __future__ import annotations

from sqlalchemy import Connection, Table

from rules.fieldmap import Derivation
from store import dirty, flags, linking
from store.records import Instant
from store.tables import crm_accounts, crm_activities, crm_contacts

_TABLES: dict[str, Table] = {"accounts": crm_accounts, "contacts": crm_contacts, "activities": crm_activities}


def follow_settings(conn: Connection, settings: Derivation, now: Instant) -> None:
    """Keep the pairs that the configuration links or parts; where settings changed, everything is derived anew.

    Without a fingerprint (and the first time) nothing is marked: the rows that syncs brought are marked already.
    """
    dirty.mark(conn, "accounts", linking.configure(conn, settings.links, now))
    for what, fingerprint in sorted(settings.fingerprints.items()):
        name = f"derived:{what}"
        before = flags.get(conn, name)
        if before == fingerprint:
            continue
        if before is not None:
            dirty.mark_all(conn, what, _TABLES[what])
        flags.put(conn, name, fingerprint)
