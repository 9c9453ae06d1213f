"""What people and administrators do in a portal, for tests and for the control server: one method per act.

Times are UTC microseconds. Values are text, numbers, flags or None, as a JSON body has them; in Python At and On as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sandbox.hubspot.history import Version
from sandbox.hubspot.linktypes import PARENT
from sandbox.hubspot.merging import merge
from sandbox.hubspot.objecttypes import ALL_SCOPES
from sandbox.hubspot.schema import Condition
from sandbox.hubspot.state import VENDOR, HubSpotState, Token
from sandbox.hubspot.webhooks import Subscription, Webhooks
from sandbox.versions import Change


class Hands:
    """Acts on one portal, at the scenario clock's time unless another is given."""

    def __init__(self, state: HubSpotState, webhooks: Webhooks) -> None:
        self.state = state
        self.webhooks = webhooks

    # ------------------------------------------------------------ records

    def add(
        self,
        object_name: str,
        row_id: str,
        fields: Mapping[str, object],
        at: int | None = None,
        *,
        search_after: int = 0,
    ) -> None:
        """Put a record in, created and modified at `at`; search finds it so many microseconds after now."""
        self._apply("create", object_name, row_id, at, fields, search_after=search_after)

    def update(
        self,
        object_name: str,
        row_id: str,
        fields: Mapping[str, object],
        at: int | None = None,
        *,
        search_after: int = 0,
    ) -> None:
        """Change a record at `at`; search sees it as it was for so many microseconds after now."""
        self._apply("update", object_name, row_id, at, fields, search_after=search_after)

    def fill(self, object_name: str, count: int, fields: Mapping[str, object], first_id: int = 1, at: int = 0) -> None:
        """Put `count` records in, one millisecond apart from `at` (0: now) on; `{n}` in a text stands for the id."""
        start = at or self.state.now
        for n in range(first_id, first_id + count):
            own = {k: v.replace("{n}", str(n)) if isinstance(v, str) else v for k, v in fields.items()}
            stamp = start + (n - first_id) * 1_000
            self.state.store.apply(Change(stamp, VENDOR, "create", object_name, str(n), own))

    def archive(self, object_name: str, row_id: str) -> None:
        """Archive a record: it leaves the lists for the archived one, and its stamp alone."""
        self._apply("delete", object_name, row_id)

    def restore(self, object_name: str, row_id: str) -> None:
        """Bring an archived record back; by switch its stamp moves."""
        row = self.state.store.table(object_name).rows[row_id]
        self._apply(
            "restore", object_name, row_id, None if self.state.switches.restore_moves_stamp else row.modified_at
        )

    def purge(self, object_name: str, row_id: str) -> None:
        """Take a record out of every list, as after 90 days or a deletion for privacy."""
        self._apply("purge", object_name, row_id)

    def merge(self, object_name: str, primary_id: str, other_id: str) -> str:
        """Merge two records; gives the survivor's id, by switch a new one. KeyError for what is not there."""
        kind = self.state.schema.types[object_name.lower()]
        rows = [self.state.live(kind.name, i) for i in (primary_id, other_id)]
        if rows[0] is None or rows[1] is None:
            raise KeyError(f"{object_name} {primary_id}, {other_id}")
        return merge(self.state, kind, rows[0], rows[1], self.state.now).id

    def past(self, object_name: str, row_id: str, name: str, *values: Sequence[object]) -> None:
        """Give a property a history by hand: (since, value) pairs, written by people."""
        versions = [Version(int(str(at)), value, "CRM_UI", "userId:9000101", 9_000_101) for at, value in values]
        self.state.put_history(object_name, row_id, name, versions)

    # ------------------------------------------------------------ links

    def link(self, object_name: str, row_id: str, to_object: str, to_id: str, label: str | None = None) -> None:
        """Link two records; neither's stamp moves."""
        fields = {"label": label, "label_back": self.state.schema.links.back(label)} if label else {}
        change = Change(self.state.now, VENDOR, "associate", object_name, row_id, fields, to_object, to_id)
        self.state.store.apply(change)

    def unlink(self, object_name: str, row_id: str, to_object: str, to_id: str) -> None:
        """Take a link away; neither's stamp moves."""
        self.state.store.apply(Change(self.state.now, VENDOR, "dissociate", object_name, row_id, {}, to_object, to_id))

    def parent(self, child_id: str, parent_id: str, at: int | None = None) -> None:
        """Put a company under another one: a labelled link, and `hs_parent_company_id`."""
        self.link("companies", child_id, "companies", parent_id, PARENT)
        self.update("companies", child_id, {"hs_parent_company_id": int(parent_id)}, at)

    # ------------------------------------------------------------ schema and access

    def drop_property(self, object_name: str, name: str, archived: bool = True) -> None:
        """Archive a property: it leaves records, lists and searches; or bring it back."""
        self.state.schema.archive(object_name, name, archived)

    def require(self, object_name: str, *names: str) -> None:
        """Make properties required, as an administrator does; in force on 2026-09."""
        self.state.schema.required.setdefault(object_name, set()).update(names)

    def require_if(self, object_name: str, when: str, equals: str, needs: str) -> None:
        """Make a property required while another one has a value; in force on 2026-09."""
        self.state.schema.conditions.setdefault(object_name, []).append(Condition(when, equals, needs))

    def take_scopes(self, token: str, *scopes: str) -> None:
        """Take scopes from a token from now on."""
        self.state.tokens[token].scopes -= set(scopes)

    def give_scopes(self, token: str, *scopes: str) -> None:
        """Give scopes to a token."""
        self.state.tokens[token].scopes |= set(scopes)

    def expire(self, token: str) -> None:
        """Let a token's time be over."""
        self.state.tokens[token].expires_at = self.state.now

    def service_key(self, name: str = "pat-na1-service-key", *scopes: str) -> str:
        """Make a service key with these scopes (none: all); gives it."""
        self.state.tokens[name] = Token(frozenset(scopes) or ALL_SCOPES, service_key=True)
        return name

    def install(self, *scopes: str) -> str:
        """Install the OAuth app (`state.oauth` has its id and secret) with these scopes (none: all); gives the refresh
        token.
        """
        return self.state.oauth.install(frozenset(scopes) or ALL_SCOPES)

    # ------------------------------------------------------------ webhooks

    def webhook(
        self,
        url: str,
        secret: str,
        objects: Sequence[str] | None = None,
        properties: Sequence[str] | None = None,
        **how: bool | int,
    ) -> None:
        """Post changes to this address from now on; `how` as in `Subscription`: legacy, attempts, duplicate, reorder."""
        subscription = Subscription(
            url,
            secret,
            None if objects is None else frozenset(objects),
            None if properties is None else frozenset(properties),
            **how,  # type: ignore[arg-type]
        )
        self.webhooks.subscribe(subscription)

    def deliver(self) -> list[int | None]:
        """Post what is due; gives the status of each answer, None where there was none."""
        return [delivery.status for delivery in self.webhooks.deliver()]

    def _apply(
        self,
        op: str,
        object_name: str,
        row_id: str,
        at: int | None = None,
        fields: Mapping[str, object] | None = None,
        *,
        search_after: int = 0,
    ) -> None:
        known = self.state.store.get(object_name, row_id)
        stamp = self.state.now if at is None else at
        self.state.store.apply(Change(stamp, VENDOR, op, object_name, row_id, fields or {}))
        if search_after:
            self.state.hold_back(object_name, row_id, self.state.now + search_after, known)


ACTS = frozenset(name for name in vars(Hands) if not name.startswith("_"))
"""Names of everything that hands can do."""
