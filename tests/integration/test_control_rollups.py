"""The controller rolls up what agents delivered, keeps it for 90 days, and nothing of it holds up a tick."""

import time

import pytest
from sqlalchemy import text

from admin_desk import Desk, at_desk
from control_room import EPOCH, Room, live
from serinus.deployment import DeploymentVersion
from serinus.errors import StoreUnavailable
from serinus.metrics.sketch import bin_of
from serinus.metrics.snapshot import SLOTS, Cell, CellKey, Outcome, Snapshot
from serinus.rollout.state import AgentStatus

LEGACY = DeploymentVersion.LEGACY
DAY = 86_400


async def shown(room: Room) -> int:
    """The requests that a timeline of the first day tells of."""
    points = await room.store.timeline(EPOCH - DAY, EPOCH + DAY, DAY)
    return sum(point.cells[LEGACY].requests for point in points)


async def deliver(room: Room, requests: int) -> None:
    await room.serve(requests)
    room.clock.forward(2)
    await room.agent.beat()


async def raw(room: Room) -> int:
    return len(await room.store.snapshots_after(0))


def test_what_was_measured_is_shown_for_ninety_days_and_kept_whole_for_thirty() -> None:
    async def story(room: Room) -> None:
        await deliver(room, 40)
        seen = {}
        for days in (29, 31, 89, 92):
            room.clock.now = EPOCH + days * DAY
            await room.controller.tick()
            seen[days] = (await raw(room), await shown(room))
        assert seen == {29: (1, 40), 31: (0, 40), 89: (0, 40), 92: (0, 0)}

    live(story)


def test_snapshots_wait_some_seconds_for_others_and_are_shown_all_the_while() -> None:
    async def story(room: Room) -> None:
        rolled = []
        for _ in range(10):
            await deliver(room, 1)
            await room.controller.tick()
            async with room.store.database.read() as connection:
                query = text("SELECT value FROM serinus_counters WHERE name = 'rollups'")
                rolled.append((await connection.execute(query)).scalar_one())
            assert await shown(room) == len(rolled)
        assert sorted(set(rolled)) == [1, 9]

    live(story)


def test_roll_ups_that_cannot_be_written_cost_one_tick_in_many(caplog: pytest.LogCaptureFixture) -> None:
    async def story(room: Room) -> None:
        async with room.store.database.write() as connection:
            await connection.execute(text("DROP TABLE serinus_rollups"))
        failed = 0
        for _ in range(30):
            before = await room.store.controller_heard_at()
            try:
                await room.second(1)
            except StoreUnavailable:
                failed += 1
            assert await room.store.controller_heard_at() != before
        assert failed == 2

    live(story)


def busy(requests: int) -> Cell:
    bins = [bin_of(0.02 * 1.01**number) for number in range(requests)]
    slots = tuple(requests // SLOTS for _ in range(SLOTS))
    return Cell(
        outcomes={Outcome.OK: requests},
        latency={bin_: bins.count(bin_) for bin_ in bins},
        latency_seconds={bin_: 0.1 * bins.count(bin_) for bin_ in bins},
        slot_requests=slots,
        slot_errors=slots,
    )


@pytest.mark.slow
def test_a_day_is_drawn_within_three_tenths_of_a_second() -> None:
    endpoints = ("/hello", "/conversations/{session_id}/turn")
    cells = {CellKey(version, name, True): busy(200) for version in DeploymentVersion for name in endpoints}

    async def story(desk: Desk) -> None:
        store, now = desk.room.store, desk.room.clock()
        minutes = [Snapshot("a", n, now - 60, now - DAY + 60 * n, 1, cells) for n in range(1, 1_441)]
        await store.append_snapshots(minutes, AgentStatus("a", now, 1))
        while await store.roll_up():
            pass
        seconds = []
        for _ in range(5):
            began = time.perf_counter()
            answer = await desk.get("/timeline", params={"window": "24h"})
            seconds.append(time.perf_counter() - began)
        assert 1_430 <= sum(point["canary"]["request_count"] for point in answer.json()["points"]) / 400 <= 1_440
        assert min(seconds) < 0.3

    at_desk(story)
