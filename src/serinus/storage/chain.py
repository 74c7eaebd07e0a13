"""Events as a chain: each carries a digest of itself and of the one before, so that no row can be changed unseen.

What the chain alone cannot show is that its end was cut off, or all of it written anew, by who may write the store; for
that the last digest, the head, is to be kept elsewhere.
"""

import json
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any, NamedTuple

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from serinus.storage.tables import counters, events

EVENTS = "events"
BEGINNING = "0" * 64
"""What stands in the place of a digest before the first event."""
READ_AT_ONCE = 500


class Fault(StrEnum):
    """What may be wrong with an event in its place; `CUT` is the end, `UNKNOWN_HEAD` the whole."""

    MISSING = "missing"
    ALTERED = "altered"
    UNLINKED = "unlinked"
    INSERTED = "inserted"
    CUT = "cut"
    UNKNOWN_HEAD = "unknown_head"


@dataclass(frozen=True, slots=True)
class Head:
    """The number of the last event, and its digest: `BEGINNING` when there is none."""

    sequence: int
    digest: str


@dataclass(frozen=True, slots=True)
class Broken:
    """The first event that is not as it was stored, by its number."""

    sequence: int
    fault: Fault


class Row(NamedTuple):
    """An event as it is stored, without its digest; `at` is epoch seconds, `body` is JSON."""

    sequence: int
    at: float
    kind: str
    rollout_id: str | None
    body: str


def link(before: str, row: Any) -> str:
    """The digest of an event, a `Row` or one of the database's, after the event whose digest is `before`.

    SHA-256, in hexadecimal, of ``[before, sequence, at, kind, rollout_id, body]`` as JSON, in ASCII and without spaces.
    """
    fields = [before, row.sequence, float(row.at), str(row.kind), row.rollout_id, row.body]
    return sha256(json.dumps(fields, separators=(",", ":")).encode()).hexdigest()


class Walk:
    """Goes along the chain, event by event, up to its `head`; `kept` is a head that was kept elsewhere."""

    def __init__(self, head: Head, kept: str | None = None) -> None:
        self.head = head
        self.sequence, self.digest = 0, BEGINNING
        self._kept = kept
        self._has_met_kept = kept in {None, BEGINNING}

    def go(self, row: Any) -> Broken | None:
        """The next row by its number; None while all is well."""
        fault = self._fault(row)
        if fault is Fault.MISSING:
            return Broken(self.sequence + 1, fault)
        if fault is not None:
            return Broken(row.sequence, fault)
        self.sequence, self.digest = row.sequence, row.digest
        self._has_met_kept = self._has_met_kept or row.digest == self._kept
        return None

    def end(self) -> Broken | None:
        """No row is left."""
        if (self.sequence, self.digest) != (self.head.sequence, self.head.digest):
            return Broken(self.sequence + 1, Fault.CUT)
        return None if self._has_met_kept else Broken(self.sequence, Fault.UNKNOWN_HEAD)

    def _fault(self, row: Any) -> Fault | None:
        expected = self.sequence + 1
        if row.sequence > self.head.sequence or row.sequence < expected:
            return Fault.INSERTED
        if row.sequence > expected:
            return Fault.MISSING
        if row.digest is None:
            return Fault.UNLINKED
        return None if row.digest == link(self.digest, row) else Fault.ALTERED


async def take(connection: AsyncConnection, count: int) -> Head:
    """The head, and `count` numbers after it, which are the caller's until the transaction ends."""
    there = update(counters).where(counters.c.name == EVENTS).values(value=counters.c.value + count)
    row = (await connection.execute(there.returning(counters.c.value, counters.c.digest))).one()
    return Head(row.value - count, row.digest or BEGINNING)


async def append(connection: AsyncConnection, head: Head, rows: Sequence[Row]) -> None:
    """Store the rows, which have the numbers after `head`'s."""
    digest, linked = head.digest, []
    for row in rows:
        digest = link(digest, row)
        linked.append({**row._asdict(), "digest": digest})
    await connection.execute(insert(events), linked)
    await connection.execute(update(counters).where(counters.c.name == EVENTS).values(digest=digest))


async def read_head(connection: AsyncConnection) -> Head:
    row = (await connection.execute(select(counters).filter_by(name=EVENTS))).one()
    return Head(row.value, row.digest or BEGINNING)


async def walk(connection: AsyncConnection, kept: str | None) -> AsyncGenerator[tuple[Walk, Broken | None], None]:
    """How far the walk has come, batch by batch, and at last what is broken."""
    walked = Walk(await read_head(connection), kept)
    columns = (events.c[name] for name in ("sequence", "at", "kind", "rollout_id", "body", "digest"))
    async for rows in (await connection.stream(select(*columns).order_by(events.c.sequence))).partitions(READ_AT_ONCE):
        broken = next((found for found in map(walked.go, rows) if found), None)
        yield walked, broken
        if broken:
            return
    yield walked, walked.end()
