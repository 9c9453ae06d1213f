"""What is fixed when an org is made, and the refusals that tests script for single rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from sandbox.clock import HOUR


@dataclass(frozen=True, slots=True)
class Settings:
    """What an org's owner decides, and how the vendor behaves where that is not known. Durations in microseconds."""

    client_id: str = "3MVG9sandbox.tierd.external.client.app"
    client_secret: str = "8C0FFEE5A11DB0A7"
    username: str = "integration@tierd-demo.example"
    public_key: str = ""
    """PEM of the certificate's public key for the JWT bearer flow; empty refuses that flow."""
    access_token: str = "00DHs0000000001!sandbox.fixed.token"
    """A session that never ends, for tools that want no OAuth."""
    refresh_token: str = "5Aep861sandbox.first.refresh.token"
    """What the web flow gave an administrator who then set up the client; good for one use."""
    org_id: str = "00DHs0000000001MAA"
    user_id: str = "005Hs0000000001IAA"
    session_life: int = 2 * HOUR
    """From the last use in its second half, as the vendor counts inactivity."""
    daily_limit: int = 100_000
    """API calls in any 24 hours."""
    commit_delay: int = 0
    """How long after its stamp a change of the world becomes visible; measured on real orgs: 1 to 3 s."""
    shared_activities: bool = True
    """Without it there is no TaskRelation."""
    relation_query_all: Literal["refuse", "as_query"] = "refuse"
    """EmailMessageRelation's list of calls has no queryAll; what a call to it does is not documented."""


Breaks = Callable[[Mapping[str, object]], bool]


@dataclass(frozen=True, slots=True)
class Rule:
    """A validation rule: a row of `object` for which `breaks` holds after a write is refused with `message`.

    `breaks` is given all fields of the row as they would be. With `field`, the message stands beside that field.
    """

    object: str
    message: str
    breaks: Breaks
    field: str | None = None


@dataclass(frozen=True, slots=True)
class RowFault:
    """A scripted refusal of single rows: the next `times` writes to a row of `ids` (empty: any row) of `object`."""

    code: str
    message: str
    object: str = "Account"
    ids: frozenset[str] = frozenset()
    times: int = 1
    fields: tuple[str, ...] = ()
    more: tuple[tuple[str, str], ...] = ()
    """Further errors of the same row: (code, message)."""
