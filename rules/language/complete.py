"""What may follow a phrase that is begun, for editors."""

from __future__ import annotations

from collections.abc import Sequence

from rules.language.catalogue import WORDS


def complete(text: str) -> Sequence[str]:
    """The words that may stand next, shortest first: names that go on with what is begun."""
    begun = text.lower().rsplit(" and ")[-1].rsplit(" or ")[-1].lstrip()
    begun = begun.removeprefix("not ").removeprefix("no ")
    return sorted((word for word in WORDS if word.startswith(begun) and word != begun), key=lambda w: (len(w), w))
