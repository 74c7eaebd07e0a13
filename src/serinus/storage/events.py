"""Events, and the deliveries that each of them asks for: the outbox."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from serinus.rollout.events import Event, EventKind
from serinus.storage.chain import EVENTS, Row, append, take
from serinus.storage.codec import dump, load
from serinus.storage.tables import count_up, counters, deliveries, events

Channels = Callable[[Event], tuple[str, ...]]


async def insert_events(connection: AsyncConnection, facts: Sequence[Event], channels: Channels) -> None:
    """Store events in order, each linked to the one before, with one delivery for every channel that wants it."""
    if not facts:
        return
    head = await take(connection, len(facts))
    numbered = [replace(event, sequence=sequence) for sequence, event in enumerate(facts, head.sequence + 1)]
    await append(connection, head, [_event_row(event) for event in numbered])
    wanted = [_delivery_row(event, channel) for event in numbered for channel in dict.fromkeys(channels(event))]
    if wanted:
        await connection.execute(insert(deliveries), wanted)


async def read_events(connection: AsyncConnection, after: int, limit: int, rollout_id: str | None) -> list[Event]:
    """The oldest `limit` events with a greater number than `after`."""
    query = select(events.c.sequence, events.c.body).where(events.c.sequence > after)
    if rollout_id is not None:
        query = query.where(events.c.rollout_id == rollout_id)
    rows = await connection.execute(query.order_by(events.c.sequence).limit(limit))
    return [replace(load(Event, row.body), sequence=row.sequence) for row in rows]


async def is_last(connection: AsyncConnection, kinds: Sequence[EventKind], last: Event | None) -> bool:
    """Whether `last` is the last event of these kinds; nobody else can store one until the transaction ends."""
    await count_up(connection, EVENTS, 0)  # locks the counter
    latest = await read_latest(connection, kinds)
    return (latest.sequence if latest else None) == (last.sequence if last else None)


async def read_latest(connection: AsyncConnection, kinds: Sequence[EventKind]) -> Event | None:
    """The last event of any of these kinds."""
    among = select(events.c.sequence, events.c.body).where(events.c.kind.in_(kinds))
    query = among.order_by(events.c.sequence.desc()).limit(1)
    row = (await connection.execute(query)).first()
    return replace(load(Event, row.body), sequence=row.sequence) if row else None


async def read_last_sequence(connection: AsyncConnection) -> int:
    return int((await connection.execute(select(counters.c.value).filter_by(name=EVENTS))).scalar_one())


async def count_by_kind(connection: AsyncConnection) -> dict[str, int]:
    """How many there are of each kind that there is; a later version may have stored kinds unknown here."""
    query = select(events.c.kind, func.count()).group_by(events.c.kind)
    return {row[0]: row[1] for row in await connection.execute(query)}


def _event_row(event: Event) -> Row:
    body = dump(replace(event, sequence=None))
    return Row(event.sequence or 0, event.at, event.kind, event.rollout_id, body)


def _delivery_row(event: Event, channel: str) -> dict[str, object]:
    return {"event_sequence": event.sequence, "channel": channel, "attempts": 0, "due_at": event.at}
