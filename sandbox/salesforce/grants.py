"""Refresh tokens with rotation: each is good for one use, and a second use ends everything that came of the same login."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Grant:
    """What one login by a person gave: the refresh token in force, those used up, and the sessions opened with them."""

    current: str
    used: set[str] = field(default_factory=set)
    sessions: list[str] = field(default_factory=list)
    revoked: bool = False


class Grants:
    """All grants of one connected app; hold the store's lock while you use it."""

    def __init__(self, secret: str, end_session: Callable[[str], None]) -> None:
        self._secret = secret
        self._end_session = end_session
        self._of_token: dict[str, Grant] = {}
        self._made = 0

    def open(self, token: str | None = None) -> Grant:
        """A new grant, as the web flow ends with it; its refresh token is `token` or a fresh one."""
        grant = Grant(token or self._new())
        self._of_token[grant.current] = grant
        return grant

    def use(self, token: str, rotate: bool) -> Grant | None:
        """The grant of a good token, with its next token in force if it rotates. None for an unknown, used or dead one.

        A used token is taken as stolen: the grant's current token and its sessions die with it.
        """
        grant = self._of_token.get(token)
        if grant is None:
            return None
        if token in grant.used:
            self.revoke(grant)
        if grant.revoked:
            return None
        if rotate:
            grant.used.add(token)
            grant.current = self._new()
            self._of_token[grant.current] = grant
        return grant

    def find(self, token: str) -> Grant | None:
        """The grant that a refresh token, good or not, came with."""
        return self._of_token.get(token)

    def revoke(self, grant: Grant) -> None:
        """End the grant and its sessions."""
        grant.revoked = True
        for session in grant.sessions:
            self._end_session(session)
        grant.sessions.clear()

    def revoke_all(self) -> None:
        """End every grant, as an administrator can."""
        for grant in self._of_token.values():
            self.revoke(grant)

    def _new(self) -> str:
        self._made += 1
        digest = hashlib.sha256(f"{self._secret}/refresh/{self._made}".encode()).hexdigest()
        return f"5Aep861{digest}"
