"""Controllers that are stopped, deposed or at odds about the time: one leads, and what the others decided is void."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import select

from control_room import PLAN, Clock, Room, live
from serinus.control import loop
from serinus.control.controller import Controller
from serinus.rollout.commands import Order
from serinus.rollout.state import AgentStatus, Phase
from serinus.storage import tables
from serinus.storage.database import Database
from serinus.storage.store import Store


class Pausable(Store):
    """Stands still in the middle of a tick, when it has read and not yet decided, while it is told to."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.reached, self.go_on = asyncio.Event(), asyncio.Event()
        self.go_on.set()

    async def fleet(self, heard_since: float) -> tuple[AgentStatus, ...]:
        found = await super().fleet(heard_since)
        self.reached.set()
        await self.go_on.wait()
        return found


async def everything(store: Store) -> dict[str, list[tuple[object, ...]]]:
    async with store.database.read() as connection:
        return {
            table.name: sorted(map(tuple, await connection.execute(select(table))), key=repr)
            for table in tables.metadata.sorted_tables
        }


def tell(url: str, story: Callable[[Room, Pausable], Awaitable[None]]) -> None:
    """A room with a rollout, and the store of another process that leads."""

    async def run() -> None:
        store, other = Store(Database(url)), Pausable(Database(url))
        try:
            await store.prepare()
            room = Room(store)
            await room.commands.start(PLAN, room.order())
            await story(room, other)
        finally:
            await other.database.close()
            await store.database.close()

    asyncio.run(run())


def test_a_leader_that_stands_still_in_the_middle_of_a_tick_stores_nothing_when_it_wakes_up(shared_url: str) -> None:
    async def story(room: Room, other: Pausable) -> None:
        await room.second()
        await room.until(Phase.PROGRESSING)
        clock = Clock(room.clock())
        paused = Controller(other, clock)
        room.clock.forward(3.5)  # so that its tick would enter the next step
        clock.now = room.clock()
        await room.serve(200)
        await room.agent.beat()
        other.go_on.clear()
        tick = asyncio.create_task(loop.attempt(paused, other, clock, "paused"))
        await other.reached.wait()
        room.clock.forward(loop.LEASE_SECONDS)
        assert await room.store.acquire_lease("heir", room.clock(), loop.LEASE_SECONDS)
        before = await everything(room.store)
        other.go_on.set()
        assert await tick is False
        assert await everything(room.store) == before
        assert await loop.attempt(Controller(room.store, room.clock), room.store, room.clock, "heir")
        assert await everything(room.store) != before

    tell(shared_url, story)


def test_an_operators_rollback_beats_a_tick_that_had_begun_before(shared_url: str) -> None:
    async def story(room: Room, other: Pausable) -> None:
        await room.until(Phase.PROGRESSING)
        other.go_on.clear()
        tick = asyncio.create_task(loop.attempt(Controller(other, room.clock), other, room.clock, "leader"))
        await other.reached.wait()
        await room.commands.roll_back(Order("ann", room.clock(), "enough"))
        other.go_on.set()
        assert await tick is True
        assert (await room.rollout()).phase is Phase.ROLLING_BACK

    tell(shared_url, story)


@pytest.mark.parametrize("step_seconds", [60.0, 3_600.0, 86_400.0])
def test_a_clock_that_is_set_forward_advances_no_step_and_hides_no_bad_canary(step_seconds: float) -> None:
    async def story(room: Room) -> None:
        await room.until(Phase.PROGRESSING)
        await room.second()
        before = await room.rollout()
        room.clock.forward(step_seconds)
        await room.second()
        after = await room.rollout()
        assert (after.step, after.phase) == (before.step, before.phase)
        room.new.status = 500
        await room.until(Phase.ROLLED_BACK)

    async def started(room: Room) -> None:
        await room.commands.start(PLAN, room.order())
        await story(room)

    live(started)
