"""Take secrets and e-mail addresses out of texts that are kept or told: log lines, run records, the ledger of writes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

Mask = Callable[[str], str]
"""A text as it may be kept. Vendors quote what they refuse, a customer's address or our own token included."""

_EMAIL = re.compile(r"[\w.+'-]+@[\w-]+(?:\.[\w-]+)+")
_ROW = re.compile(r"^DETAIL: .*$", re.MULTILINE)
"""PostgreSQL shows the row that it refuses, whatever it holds."""
_SHORTEST = 4
"""Characters of a secret; a shorter one would blank out half of every text."""


def masking(secrets: Iterable[str] = (), *, private: bool = True) -> Mask:
    """A function that hides these secrets; `private`: every e-mail address and the rows of database errors too."""
    hidden = sorted((secret for secret in set(secrets) if len(secret) >= _SHORTEST), key=len, reverse=True)

    def mask(text: str) -> str:
        for secret in hidden:
            text = text.replace(secret, "***")
        return _EMAIL.sub("<e-mail>", _ROW.sub("DETAIL: not shown", text)) if private else text

    return mask


without_private: Mask = masking()
