"""Runs rollouts on a store until it is killed; forked anew for every line on its standard input.

    python mortal.py sqlite+aiosqlite:///serinus.db told.txt

Every line that comes in starts a life with that number as its seed, and every line that goes out is either the process
id of a new life, or what a life has seen stored: "saw", the rollout's id and revision, and the last event's number.
"""

import asyncio
import os
import random
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import count
from pathlib import Path

from sqlalchemy import select

from control_room import EPOCH, PLAN, Clock, Room
from serinus.alerts.alert import EMAIL, LOG, SENTRY, SLACK, WEBHOOK, Alert, channels_for
from serinus.alerts.notifier import Notifier
from serinus.errors import Refused
from serinus.storage.database import Database
from serinus.storage.store import Store
from serinus.storage.tables import deliveries

CHANNELS = (LOG, WEBHOOK, SLACK, EMAIL, SENTRY)  # all that events of this process may be told on
LAST_LIFE = 0  # this seed kills nobody: it finishes what was begun, tells what is to be told, and ends
LAST_SECONDS = 100


async def live(url: str, told: Path, seed: int) -> None:
    store = Store(Database(url), channels=channels_for)
    await store.prepare()
    clock = Clock((await store.controller_heard_at() or EPOCH) + 1)
    room = Room(store, clock, stale_after_seconds=5.0)  # so that the agents of former lives are given up soon
    notifier = Notifier(store, {channel: writer(told, channel) for channel in CHANNELS}, room.clock)
    chance = random.Random(seed)
    for second in count(1):
        await act(room, chance if seed != LAST_LIFE else None)
        await room.second(requests=20)
        for channel in sorted(await store.due_channels(room.clock())):
            while await notifier.deliver(channel):
                pass
        rollout, events = await room.rollout(), await store.events(limit=100_000)
        say(f"saw {rollout.id} {rollout.revision} {len(events)}")
        if seed == LAST_LIFE and second >= LAST_SECONDS and not await waiting(store):
            break
    await store.database.close()


async def waiting(store: Store) -> bool:
    """Whether an alert has still to be told: at 30 a minute, and after former lives' claims, that takes its time."""
    async with store.database.read() as connection:
        unsettled = select(deliveries.c.channel).where(deliveries.c.settled_at.is_(None)).limit(1)
        return (await connection.execute(unsettled)).first() is not None


async def act(room: Room, chance: random.Random | None) -> None:
    """What an operator, and a bad canary, may do in a second; nothing but a first rollout in the last life."""
    latest = await room.store.latest_rollout()
    if latest is None or (chance and not latest.is_active):
        room.new.status = 200
        await room.commands.start(PLAN, room.order())
    if chance is None:
        return
    if chance.random() < 0.02:
        room.new.status = 500
    command = chance.choice([room.commands.pause, room.commands.resume, room.commands.hold, None, None, None, None])
    with suppress(Refused):
        if command is not None:
            await command(room.order("by chance"))


def writer(told: Path, channel: str) -> Callable[[Alert], Awaitable[None]]:
    async def write(alert: Alert) -> None:
        with told.open("a") as file:
            file.write(f"{channel}:{alert.event}\n")

    return write


def say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


def main() -> None:
    url, told = sys.argv[1], Path(sys.argv[2])
    for line in sys.stdin:
        if (child := os.fork()) == 0:
            asyncio.run(live(url, told, int(line)))
            os._exit(0)
        say(f"born {child}")
        _, status = os.waitpid(child, 0)
        say(f"gone {status}")


if __name__ == "__main__":
    main()
