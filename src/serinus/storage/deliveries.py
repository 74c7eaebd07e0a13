"""The outbox: which channel has still to be told of which event."""

from dataclasses import dataclass, replace

from sqlalchemy import Update, and_, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from serinus.errors import Unreadable
from serinus.rollout.events import Event
from serinus.storage.codec import load
from serinus.storage.tables import deliveries, events


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event that one channel has still to be told; `attempts` counts the tries, this one included.

    `event` is None when it cannot be read: it is damaged, or a later version of serinus wrote it.
    """

    sequence: int
    channel: str
    attempts: int
    event: Event | None


@dataclass(frozen=True, slots=True)
class Told:
    """How telling a channel of an event went; `settled_at` is None while it is tried, `error` the last failure."""

    sequence: int
    channel: str
    attempts: int
    settled_at: float | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Queue:
    """One channel's part of the outbox: what waits, since when (epoch seconds), and what was given up lately."""

    pending: int
    oldest_at: float | None
    dead: int


async def read_queues(connection: AsyncConnection) -> dict[str, Queue]:
    """By channel, where there is anything; what was given up is counted for as long as deliveries are kept."""
    is_pending, is_dead = deliveries.c.settled_at.is_(None), deliveries.c.error.is_not(None)
    query = (
        select(
            deliveries.c.channel,
            func.count().filter(is_pending),
            func.min(events.c.at).filter(is_pending),
            func.count().filter(is_dead, ~is_pending),
        )
        .join(events, events.c.sequence == deliveries.c.event_sequence)
        .where(or_(is_pending, is_dead))
        .group_by(deliveries.c.channel)
    )
    return {channel: Queue(*numbers) for channel, *numbers in await connection.execute(query)}


async def read_told(connection: AsyncConnection, rollout_id: str) -> tuple[Told, ...]:
    """All deliveries of a rollout's events, as far as they are kept."""
    wanted = ("event_sequence", "channel", "attempts", "settled_at", "error")
    query = (
        select(*(deliveries.c[name] for name in wanted))
        .join(events, events.c.sequence == deliveries.c.event_sequence)
        .where(events.c.rollout_id == rollout_id)
        .order_by(deliveries.c.event_sequence, deliveries.c.channel)
    )
    return tuple(Told(*row) for row in await connection.execute(query))


async def read_due_channels(connection: AsyncConnection, now: float) -> set[str]:
    """The channels whose oldest unsettled delivery is due."""
    heads = (
        select(deliveries.c.channel, func.min(deliveries.c.event_sequence).label("head"))
        .where(deliveries.c.settled_at.is_(None))
        .group_by(deliveries.c.channel)
        .subquery()
    )
    is_head = and_(deliveries.c.channel == heads.c.channel, deliveries.c.event_sequence == heads.c.head)
    query = select(deliveries.c.channel).join(heads, is_head).where(deliveries.c.due_at <= now)
    return set((await connection.execute(query)).scalars())


async def claim(connection: AsyncConnection, channel: str, *, now: float, until: float) -> Delivery | None:
    """The oldest unsettled delivery on `channel`, if it is due; nobody else is given it before `until`.

    Later deliveries wait behind one that has to be tried again, so that no alert is resolved before it was raised.
    """
    unsettled = and_(deliveries.c.channel == channel, deliveries.c.settled_at.is_(None))
    head = select(func.min(deliveries.c.event_sequence)).where(unsettled).scalar_subquery()
    row = update(deliveries).where(unsettled, deliveries.c.event_sequence == head, deliveries.c.due_at <= now)
    taken = row.values(due_at=until, attempts=deliveries.c.attempts + 1)
    claimed = (await connection.execute(taken.returning(deliveries.c.event_sequence, deliveries.c.attempts))).first()
    if claimed is None:
        return None
    body = (await connection.execute(select(events.c.body).filter_by(sequence=claimed.event_sequence))).scalar_one()
    return Delivery(claimed.event_sequence, channel, claimed.attempts, _event_or_none(body, claimed.event_sequence))


async def settle(connection: AsyncConnection, delivery: Delivery, *, at: float, error: str | None) -> None:
    """Mark as sent, or, with an error, as given up."""
    await connection.execute(_of(delivery).values(settled_at=at, error=error))


async def postpone(connection: AsyncConnection, delivery: Delivery, *, retry_at: float, error: str) -> None:
    await connection.execute(_of(delivery).values(due_at=retry_at, error=error))


def _event_or_none(body: str, sequence: int) -> Event | None:
    try:
        return replace(load(Event, body), sequence=sequence)
    except Unreadable:
        return None


def _of(delivery: Delivery) -> Update:
    """As long as nobody else has claimed it since; `attempts` numbers the claims."""
    return update(deliveries).filter_by(
        event_sequence=delivery.sequence, channel=delivery.channel, attempts=delivery.attempts
    )


async def prune_deliveries(connection: AsyncConnection, before_at: float) -> None:
    await connection.execute(delete(deliveries).where(deliveries.c.settled_at < before_at))
