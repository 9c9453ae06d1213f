"""What the control server can do to the imitation Salesforce: routes below /salesforce, each taking and giving JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from sandbox.clock import parse_instant
from sandbox.salesforce.bulk import Fate
from sandbox.salesforce.queryfaults import QueryFault
from sandbox.salesforce.state import RowFault, Rule, State
from sandbox.salesforce.switches import Switches
from sandbox.versions import Change

Act = Callable[[Any], Any]
"""Body -> JSON value. KeyError: no such row; ValueError or TypeError: the request makes no sense."""


def routes(state: State) -> list[tuple[str, str, Act]]:
    """(method, path, act) of every route."""
    control = _Control(state)
    return [
        ("GET", "/salesforce/switches", control.switches),
        ("POST", "/salesforce/switches", control.switch),
        ("POST", "/salesforce/bulk", control.bulk),
        ("POST", "/salesforce/delete", control.delete),
        ("POST", "/salesforce/undelete", control.undelete),
        ("POST", "/salesforce/empty-bin", control.empty_bin),
        ("POST", "/salesforce/forget-deletions", control.forget_deletions),
        ("POST", "/salesforce/merge", control.merge),
        ("POST", "/salesforce/archive", control.archive),
        ("POST", "/salesforce/objects", control.define),
        ("POST", "/salesforce/fields", control.fields),
        ("POST", "/salesforce/rows", control.rows),
        ("POST", "/salesforce/track", control.track),
        ("POST", "/salesforce/shift", control.shift),
        ("POST", "/salesforce/rules", control.rules),
        ("POST", "/salesforce/row-faults", control.row_faults),
        ("POST", "/salesforce/einstein", control.einstein),
        ("POST", "/salesforce/generate", control.generate),
        ("POST", "/salesforce/query-faults", control.query_faults),
        ("POST", "/salesforce/late", control.late),
        ("POST", "/salesforce/expire-cursors", control.expire_cursors),
        ("POST", "/salesforce/multiple-accounts", control.multiple_accounts),
        ("POST", "/salesforce/events", control.events),
        ("POST", "/salesforce/usage", control.usage),
        ("POST", "/salesforce/authorize", control.authorize),
        ("POST", "/salesforce/revoke", control.revoke),
    ]


class _Control:
    """One method per route; each takes the store's lock and lets the world catch up first."""

    def __init__(self, state: State) -> None:
        self._state = state

    def switches(self, _: Any) -> Any:
        """Every switch with its value."""
        return {f.name: getattr(self._state.switches, f.name) for f in fields(Switches)}

    def switch(self, body: Any) -> Any:
        """`{switch: value}`."""
        values = taken(body, {f.name for f in fields(Switches)})
        for name, value in values.items():
            now = getattr(self._state.switches, name)
            if value is not None and now is not None and type(value) is not type(now):
                raise ValueError(f"{name} is a {type(now).__name__}")
        for name, value in values.items():
            setattr(self._state.switches, name, value)
        return self.switches(None)

    def bulk(self, body: Any) -> Any:
        """A fate for query jobs to come: the attributes of `Fate`."""
        self._state.bulk.script(Fate(**taken(body, {f.name for f in fields(Fate)})))
        return {"ok": True}

    def delete(self, body: Any) -> Any:
        """`{"object", "id"}`: into the recycle bin."""
        given = taken(body, {"object", "id"}, {"object", "id"})
        self._state.delete(given["object"], given["id"])
        return {"ok": True}

    def undelete(self, body: Any) -> Any:
        """`{"object", "id"}`: out of the recycle bin."""
        given = taken(body, {"object", "id"}, {"object", "id"})
        self._state.undelete(given["object"], given["id"])
        return {"ok": True}

    def empty_bin(self, body: Any) -> Any:
        """`{"object"?, "ids"?}`: all deleted rows, those of an object, or these."""
        given = taken(body, {"object", "ids"})
        return {"purged": self._state.empty_bin(given.get("object"), given.get("ids"))}

    def forget_deletions(self, body: Any) -> Any:
        """`{"object", "before"?}`: the delete log is purged up to an instant, else up to now."""
        given = taken(body, {"object", "before"}, {"object"})
        before = given.get("before")
        self._state.forget_deletions(given["object"], None if before is None else parse_instant(before))
        return {"ok": True}

    def merge(self, body: Any) -> Any:
        """`{"object", "loser", "winner"}`."""
        given = taken(body, {"object", "loser", "winner"}, {"object", "loser", "winner"})
        self._state.merge(given["object"], given["loser"], given["winner"])
        return {"ok": True}

    def archive(self, body: Any) -> Any:
        """`{"ids"}`: these tasks and events are archived whatever their age."""
        self._state.org.archived.update(taken(body, {"ids"}, {"ids"})["ids"])
        return {"ok": True}

    def define(self, body: Any) -> Any:
        """`{"name": "X__c", "fields": [lines], "label"?, "activities"?, "stamps"?}`: a custom object; or `{"drop": name}`."""
        given = dict(taken(body, {"name", "fields", "label", "activities", "stamps", "drop"}))
        with self._state.store.lock:
            if "drop" in given:
                self._state.org.catalogue.drop(given["drop"])
                return {"ok": True}
            name, lines = given.pop("name"), given.pop("fields", [])
            sobject = self._state.org.catalogue.define(name, "\n".join(lines), **given)
            return {"name": sobject.name, "keyPrefix": sobject.prefix}

    def fields(self, body: Any) -> Any:
        """`{"object", "add"?: [lines], "drop"?: [names], "alter"?: {name: {attribute: value}}, "unfilter"?: [names]}`."""
        given = taken(body, {"object", "add", "drop", "alter", "unfilter"}, {"object"})
        name, catalogue = given["object"], self._state.org.catalogue
        with self._state.store.lock:
            if given.get("add"):
                catalogue.add_fields(name, "\n".join(given["add"]))
            for field in given.get("drop", []):
                catalogue.drop_field(name, field)
            for field, changes in given.get("alter", {}).items():
                catalogue.alter(name, field, **{k: tuple(v) if isinstance(v, list) else v for k, v in changes.items()})
            self._state.unfilter(*(f"{name}.{field}" for field in given.get("unfilter", [])))
        return {"ok": True}

    def rows(self, body: Any) -> Any:
        """`{"object", "id"?, "fields"}`: create a row (with that id, or a new one) or change it, as the platform itself may."""
        given = taken(body, {"object", "id", "fields"}, {"object", "fields"})
        with self._state.store.lock:
            return {"id": self._state.put(given["object"], given["fields"], given.get("id"))}

    def generate(self, body: Any) -> Any:
        """`{"object", "count", "at"?, "per_second"?, "fields": {name: value}}`: rows made on demand.

        In texts `{n}` is the row's number; `{"text", "times"}` repeats a text, for rows of many kilobytes.
        """
        given = taken(body, {"object", "count", "at", "per_second", "fields"}, {"object", "count", "fields"})
        fixed: dict[str, object] = {}
        varied: dict[str, str] = {}
        for name, value in given["fields"].items():
            text = value["text"] * int(value["times"]) if isinstance(value, dict) else value
            if isinstance(text, str) and "{n}" in text:
                varied[name] = text
            else:
                fixed[name] = text
        stored = self._state.stored(given["object"], fixed)
        at = parse_instant(given["at"]) if "at" in given else self._state.now

        def fields_of(number: int) -> Mapping[str, object]:
            return {**stored, **{name: text.replace("{n}", str(number)) for name, text in varied.items()}}

        self._state.generate(given["object"], int(given["count"]), fields_of, at, int(given.get("per_second", 1000)))
        return {"ok": True}

    def track(self, body: Any) -> Any:
        """`{"object", "fields"}`: keep the history of these fields; of none if the list is empty."""
        given = taken(body, {"object", "fields"}, {"object", "fields"})
        with self._state.store.lock:
            self._state.history.track(given["object"], *given["fields"])
        return {"ok": True}

    def shift(self, body: Any) -> Any:
        """`{"object", "id", "fields"}`: other values under the same stamps, as a formula's result changes."""
        given = taken(body, {"object", "id", "fields"}, {"object", "id", "fields"})
        self._state.shift(given["object"], given["id"], **self._state.stored(given["object"], given["fields"]))
        return {"ok": True}

    def rules(self, body: Any) -> Any:
        """`{"object", "field", "forbid": [values], "message"}`: a validation rule; `{"clear": true}` removes all."""
        given = taken(body, {"object", "field", "forbid", "message", "clear"})
        if given.get("clear"):
            self._state.rules.clear()
            return {"ok": True}
        field, forbidden = given["field"], frozenset(given["forbid"])
        self._state.rules.append(
            Rule(given["object"], given["message"], lambda row: row.get(field) in forbidden, field)
        )
        return {"ok": True}

    def row_faults(self, body: Any) -> Any:
        """The attributes of `RowFault`: `{"code", "message", "object"?, "ids"?, "times"?, "fields"?}`."""
        given = dict(taken(body, {f.name for f in fields(RowFault)}, {"code", "message"}))
        given["ids"] = frozenset(given.get("ids", ()))
        given["fields"] = tuple(given.get("fields", ()))
        given["more"] = tuple((code, message) for code, message in given.get("more", ()))
        self._state.row_faults.append(RowFault(**given))
        return {"ok": True}

    def query_faults(self, body: Any) -> Any:
        """The attributes of `QueryFault`: `{"pattern", "code", "message", "status"?, "times"?}`."""
        given = taken(body, {f.name for f in fields(QueryFault)}, {"pattern", "code", "message"})
        self._state.query_faults.append(QueryFault(**given))
        return {"ok": True}

    def late(self, body: Any) -> Any:
        """`{"object", "id", "fields", "at", "commit_at", "op"?}`: a change that shows later than its stamp says."""
        known = {"object", "id", "fields", "at", "commit_at"}
        given = taken(body, {*known, "op"}, known)
        values = self._state.stored(given["object"], given["fields"])
        at, op = parse_instant(given["at"]), given.get("op", "update")
        change = Change(at, self._state.store.vendor, op, given["object"], given["id"], values)
        self._state.commit_later(change, parse_instant(given["commit_at"]))
        return {"ok": True}

    def expire_cursors(self, _: Any) -> Any:
        """Every open query cursor dies."""
        self._state.expire_cursors()
        return {"ok": True}

    def multiple_accounts(self, body: Any) -> Any:
        """`{"on"}`: Contacts to Multiple Accounts."""
        self._state.multiple_accounts(taken(body, {"on"}, {"on"})["on"] is True)
        return {"ok": True}

    def events(self, body: Any) -> Any:
        """`{"select"?: [objects], "forget_clients"?: true}`: whose changes are told, and whether clients must begin anew."""
        given = taken(body, {"select", "forget_clients"})
        with self._state.store.lock:
            if "select" in given:
                self._state.events.select(*given["select"])
            if given.get("forget_clients") is True:
                self._state.listeners.clear()
            return {"selected": sorted(self._state.events.selected), "clients": len(self._state.listeners)}

    def einstein(self, body: Any) -> Any:
        """`{"on", "users"?: {user id: address}}`: Einstein Activity Capture."""
        given = taken(body, {"on", "users"}, {"on"})
        self._state.einstein(given["on"] is True, **given.get("users", {}))
        return {"ok": True}

    def usage(self, body: Any) -> Any:
        """`{"used"?, "limit"?, "crowded"?, "crowd"?}`: calls of 24 hours, the allowance, refusals for too many at once."""
        given = taken(body, {"used", "limit", "crowded", "crowd"})
        with self._state.store.lock:
            usage = self._state.usage
            if "used" in given or "limit" in given:
                usage.put(int(given.get("used", usage.used)), given.get("limit"))
            usage.crowded = int(given.get("crowded", usage.crowded))
            usage.crowd = str(given.get("crowd", usage.crowd))
            return {"used": usage.used, "limit": usage.limit, "crowded": usage.crowded}

    def authorize(self, _: Any) -> Any:
        """A person logs in through the web flow: `{"access_token", "refresh_token"}`."""
        return self._state.authorize()

    def revoke(self, body: Any) -> Any:
        """`{"grants"?: true}`: every session but the fixed one ends, and every refresh token too if so asked."""
        with self._state.store.lock:
            if taken(body, {"grants"}).get("grants") is True:
                self._state.grants.revoke_all()
            self._state.revoke_sessions()
        return {"ok": True}


def taken(body: Any, known: set[str], needed: set[str] | None = None) -> Mapping[str, Any]:
    """The body if it is an object with known keys and all that are needed. ValueError names what is wrong."""
    if not isinstance(body, dict):
        raise TypeError("the body must be a JSON object")
    unknown = sorted(set(body) - known)
    if unknown:
        raise ValueError(f"unknown key: {unknown[0]}; known: {', '.join(sorted(known))}")
    missing = sorted((needed or set()) - set(body))
    if missing:
        raise ValueError(f"missing key: {missing[0]}")
    return body
