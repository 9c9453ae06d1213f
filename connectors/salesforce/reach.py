"""What all ways of reading an org share, and the looking-up of objects before a sweep."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.known import Known
from connectors.salesforce.composite import Composer
from connectors.salesforce.cursors import Cursor, load
from connectors.salesforce.schema import ObjectSchema, Schema, is_describe
from connectors.salesforce.streams import Stream
from store.records import Clock, Record

Records = Callable[[Stream, Sequence[Any], Mapping[str, Cursor]], tuple[Record, ...]]
"""What rows of a stream become, given where all streams stand."""


@dataclass(frozen=True)
class Reach:
    """One org as its streams see it."""

    streams: Mapping[str, Stream]
    composer: Composer
    schema: Schema
    clock: Clock
    known: Known
    records: Records

    def state(self, cursors: Mapping[str, str]) -> dict[str, Cursor]:
        """Where each stream stands."""
        return {name: load(cursors.get(name)) for name in self.streams}

    def readable(self, state: Mapping[str, Cursor]) -> list[Stream]:
        """The streams that have been read and are there."""
        return [stream for name, stream in self.streams.items() if state[name].field and not state[name].absent]

    def described(self, some: Iterable[Stream]) -> dict[str, ObjectSchema]:
        """The objects of these streams by name of the stream, those that are there; 25 describes a call."""
        wanted = list(some)
        now = self.composer.now()
        answers = self.composer.ask_all([self.schema.ask(stream.object, now) for stream in wanted])
        found: dict[str, ObjectSchema] = {}
        for stream, answer in zip(wanted, answers, strict=True):
            if not is_describe(answer, stream.object):
                continue
            sobject = self.schema.learn(stream.object, answer, now)
            if sobject is not None:
                found[stream.name] = sobject
        return found
