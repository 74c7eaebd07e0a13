"""The agent as it runs in a process: on the real clock, on a store that other processes change too."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import pytest

from control_room import PLAN, Room, live
from serinus.asgi import Canary, subject
from serinus.control.agent import Agent
from serinus.control.commands import Configuration
from serinus.control.memory import READ_AT_ONCE
from serinus.rollout.events import EventKind
from serinus.rollout.plan import Step
from serinus.storage.database import Database
from serinus.storage.store import Store

EVERYBODY, NOBODY = Configuration(percentage=100.0), Configuration(percentage=0.0)


class Running:
    """A process of its own as far as the agent can tell, with the real clock."""

    def __init__(self, room: Room, store: Store) -> None:
        header = subject.header("x-user-id")
        room.canary = self.canary = Canary(room.legacy, room.new, subject=header)
        self.agent = Agent(self.canary, store, time.time, "running")
        self.task = asyncio.create_task(self.agent.run())

    async def share(self, percentage: float) -> float:
        """Wait until the router has this share in force; returns how many seconds that took."""
        began = time.monotonic()
        async with asyncio.timeout(5):
            while self.canary.router.split.percentage != percentage or self.agent.health().unwatched:  # noqa: ASYNC110
                await asyncio.sleep(0.005)  # as requests do: the router has no bell, they only look
        return time.monotonic() - began

    async def end(self) -> None:
        self.task.cancel()
        await asyncio.wait([self.task])


def test_a_command_in_the_same_process_is_in_force_within_two_seconds() -> None:
    async def story(room: Room) -> None:
        room.clock.now = time.time()
        await room.controller.tick()
        running = Running(room, room.store)
        for configuration in (EVERYBODY, NOBODY, EVERYBODY):
            await room.commands.configure(room.order(), configuration)
            assert await running.share(configuration.percentage or 0.0) < 2
        await running.end()

    live(story)


@pytest.mark.slow
def test_what_another_process_stores_is_in_force_within_two_seconds(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'serinus.db'}"

    async def story(room: Room) -> None:
        room.clock.now = time.time()
        await room.controller.tick()
        other = Database(url)
        running = Running(room, Store(other))
        await room.commands.configure(room.order(), EVERYBODY)
        assert await running.share(100.0) < 2
        await room.commands.configure(room.order(), NOBODY)
        assert await running.share(0.0) < 2
        await running.end()
        await other.close()

    live(story, url)


def test_an_agent_that_ends_in_good_order_sends_what_it_has_and_takes_leave() -> None:
    async def story(room: Room) -> None:
        room.clock.now = time.time()
        running = Running(room, room.store)
        while not await room.store.fleet(heard_since=0.0):
            assert not running.task.done()
        await room.serve(25)
        await running.end()
        rows = await room.store.snapshots_after(0)
        assert sum(cell.requests for row in rows for cell in row.snapshot.cells.values()) == 25
        assert await room.store.fleet(heard_since=0.0) == ()

    live(story)


def test_what_the_breaker_did_is_an_event_of_the_rollout() -> None:
    async def story(room: Room) -> None:
        await room.commands.configure(room.order(), EVERYBODY)
        await room.second()
        await room.agent.beat()
        room.new.status = 500
        assert "legacy" in await room.serve(30)
        await room.agent.beat()
        event = (await room.store.events())[-1]
        assert (event.kind, event.actor) == (EventKind.BREAKER_OPENED, room.agent.name)
        [status] = await room.store.fleet(heard_since=0.0)
        assert status.breaker_open

    live(story)


def test_two_agents_of_one_name_are_two_agents() -> None:
    async def story(room: Room) -> None:
        first = room.agent
        room.enter()
        await first.beat()
        await room.agent.beat()
        assert len(await room.store.fleet(heard_since=0.0)) == 2

    live(story)


PLAN_THAT_STAYS = replace(PLAN, steps=(Step(20, bake_seconds=1e6),))


class Process:
    """Another serving process on the same store and clocks."""

    def __init__(self, room: Room) -> None:
        self.room = Room(room.store, room.clock, room.timer)
        self.agent, self.serve = self.room.agent, self.room.serve


def test_a_controller_that_was_away_for_long_folds_the_same_evidence_as_one_that_watched() -> None:
    """More snapshots than are read at once, from several agents, some of them late."""

    async def story(room: Room) -> None:
        await room.commands.configure(room.order(), Configuration(percentage=50.0))
        agents = [Process(room) for _ in range(3)]
        rollout = await room.commands.start(PLAN_THAT_STAYS, room.order())
        for slice_number in range(75):
            for number, process in enumerate(agents):
                await process.serve(8)
                if slice_number % 20 != 7 or number:
                    await process.agent.beat()
            await room.controller.tick()
            room.clock.forward(2)
        watched = await room.store.latest_report(rollout.id)
        async with room.store.database.write() as connection:
            await connection.exec_driver_sql("DELETE FROM serinus_judgements")
        room.clock.forward(-2)
        room.enter()
        await room.controller.tick()
        anew = await room.store.latest_report(rollout.id)
        assert len(await room.store.snapshots_after(0)) > READ_AT_ONCE
        assert watched is not None
        assert anew is not None
        assert anew.canary.requests > 200
        assert anew == watched

    live(story)
