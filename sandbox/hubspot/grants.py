"""The OAuth app that is installed in a portal, and what its users granted."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import NAMESPACE_URL, uuid5


@dataclass(slots=True)
class Grant:
    """What a user allowed: the refresh tokens that came of it, the newest last, and the access tokens got by them."""

    scopes: frozenset[str]
    refresh_tokens: list[str] = field(default_factory=list)
    access_tokens: list[str] = field(default_factory=list)
    may_link: bool = True


@dataclass(slots=True)
class OAuthApp:
    """The app that is installed in the portal."""

    client_id: str = "5f1c2d3e-0000-4000-8000-tierd0sandbox"
    client_secret: str = "e1b0c1f2-0000-4000-8000-tierd0sandbox"
    app_id: int = 1_024_739
    user_id: int = 9_000_101
    codes: dict[str, tuple[str, Grant]] = field(default_factory=dict)
    """Code -> (redirect URI, what it grants); good for one exchange."""
    grants: list[Grant] = field(default_factory=list)
    issued: int = 0

    def install(self, scopes: frozenset[str]) -> str:
        """Let a user install the app with these scopes; gives the refresh token."""
        grant = Grant(scopes)
        self.grants.append(grant)
        return self.new_refresh_token(grant)

    def new_refresh_token(self, grant: Grant) -> str:
        """Another refresh token of a grant; it becomes the newest."""
        grant.refresh_tokens.append(self._new("na1-refresh"))
        return grant.refresh_tokens[-1]

    def new_access_token(self, grant: Grant) -> str:
        """Another access token of a grant."""
        grant.access_tokens.append(self._new("CJTierd"))
        return grant.access_tokens[-1]

    def grant_of(self, refresh_token: str) -> Grant | None:
        """The grant that a refresh token, old or new, belongs to."""
        return next((g for g in self.grants if refresh_token in g.refresh_tokens), None)

    def _new(self, prefix: str) -> str:
        self.issued += 1
        return f"{prefix}-{uuid5(NAMESPACE_URL, f'{self.client_id}/{self.issued}')}"
