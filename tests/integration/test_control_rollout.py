"""Whole rollouts through the real line: requests, agent, store, controller; only the clock is made by hand."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from control_room import EPOCH, PLAN, Room, live
from serinus.control import loop
from serinus.control.commands import Configuration
from serinus.control.controller import Controller
from serinus.errors import InvalidInput, Refused, StaleRevision
from serinus.rollout import commands
from serinus.rollout.events import EventKind
from serinus.rollout.plan import ApprovalGate, Step
from serinus.rollout.state import Phase
from serinus.routing.split import EndpointRule


def test_a_healthy_canary_goes_through_every_step_to_everybody() -> None:
    async def story(room: Room) -> None:
        await room.commands.start(PLAN, room.order())
        shares = set()
        for _ in range(20):
            await room.second()
            shares.add(room.canary.router.split.percentage)
        rollout = await room.rollout()
        assert rollout.phase is Phase.SUCCEEDED
        assert shares == {0.0, 20.0, 50.0, 100.0}
        assert set(await room.serve(20)) == {"canary"}
        assert await room.kinds() == [
            EventKind.STARTED,
            EventKind.STEP_ENTERED,
            EventKind.ADVANCED,
            EventKind.STEP_ENTERED,
            EventKind.PROMOTED,
            EventKind.SUCCEEDED,
        ]

    live(story)


def test_a_failing_canary_is_taken_back_within_its_deadline_and_leaves_a_receipt() -> None:
    async def story(room: Room) -> None:
        await room.commands.start(PLAN, room.order())
        await room.until(Phase.PROGRESSING)
        await room.second()
        room.new.status = 500
        began_at = room.clock()
        rollout = await room.until(Phase.ROLLED_BACK)
        receipt = rollout.receipt
        assert receipt is not None
        assert receipt.cause == "error_rate"
        assert receipt.deadline_met
        assert receipt.last_canary_at is not None
        assert began_at <= receipt.last_canary_at < receipt.decided_at < began_at + 10
        assert receipt.unheard == ()
        assert set(await room.serve(50)) == {"legacy"}

    live(story)


def test_an_agent_that_fell_silent_holds_up_the_receipt_until_it_must_be_on_legacy_by_itself() -> None:
    async def story(room: Room) -> None:
        room.stale_after_seconds = 10.0
        room.enter()
        await room.commands.start(PLAN, room.order())
        await room.until(Phase.PROGRESSING)
        await room.second()
        lost = room.agent.name
        lost_at = room.clock()
        room.enter()
        await room.commands.roll_back(room.order("drill"))
        rollout = await room.until(Phase.ROLLED_BACK)
        assert rollout.receipt is not None
        assert rollout.receipt.unheard == (lost,)
        assert rollout.receipt.completed_at is not None
        assert rollout.receipt.completed_at > lost_at + room.stale_after_seconds

    live(story)


@pytest.mark.parametrize("seconds", [1, 3, 7, 11])
def test_a_restart_at_any_time_goes_on_where_the_last_process_stood(seconds: int) -> None:
    async def story(room: Room) -> None:
        await room.commands.start(PLAN, room.order())
        for _ in range(seconds):
            await room.second()
        before = await room.rollout()
        room.enter()
        await room.agent.refresh()
        assert room.canary.router.split == before.split
        await room.until(Phase.SUCCEEDED)
        kinds = await room.kinds()
        assert len(kinds) == 6
        assert kinds[-1] is EventKind.SUCCEEDED

    live(story)


def test_a_controller_that_restarts_after_the_breach_still_rolls_back_before_anything_else() -> None:
    async def story(room: Room) -> None:
        await room.commands.start(PLAN, room.order())
        await room.until(Phase.PROGRESSING)
        await room.second()
        room.new.status = 500
        for _ in range(6):
            await room.serve(60)
            room.clock.forward(1)
            await room.agent.beat()
        room.enter()
        await room.controller.tick()
        assert (await room.rollout()).phase is Phase.ROLLING_BACK

    live(story)


def test_evidence_after_a_restart_is_the_same_as_without_one() -> None:
    async def story(room: Room) -> None:
        await room.commands.start(PLAN, room.order())
        await room.until(Phase.PROGRESSING, step=1)
        other = Controller(room.store, room.clock)
        for _ in range(4):
            await room.second()
        rollout = await room.rollout()
        kept = await room.store.latest_report(rollout.id)
        await other.tick()
        anew = await room.store.latest_report(rollout.id)
        assert kept is not None
        assert anew == kept
        assert anew.canary.requests > 0

    live(story)


def test_a_second_controller_beside_the_first_moves_nothing_twice() -> None:
    async def story(room: Room) -> None:
        await room.commands.start(PLAN, room.order())
        other = Controller(room.store, room.clock)
        for _ in range(20):
            await room.serve(60)
            room.clock.forward(1)
            await room.agent.beat()
            await asyncio.gather(room.controller.tick(), other.tick())
        assert (await room.rollout()).phase is Phase.SUCCEEDED
        assert len(await room.kinds()) == 6

    live(story)


def test_a_deposed_controller_changes_nothing() -> None:
    async def story(room: Room) -> None:
        known = await room.commands.start(PLAN, room.order())
        await room.until(Phase.PROGRESSING)
        before = (await room.rollout(), await room.store.split(), await room.kinds())
        with pytest.raises(StaleRevision):
            await room.store.save(commands.abort(known, room.order()), expected_revision=known.revision)
        assert (await room.rollout(), await room.store.split(), await room.kinds()) == before

    live(story)


def test_a_rollout_waits_for_its_approval_and_goes_on_with_it() -> None:
    plan = replace(PLAN, steps=(Step(20, bake_seconds=2, approvals=(ApprovalGate("boss"),)), Step(50, bake_seconds=2)))

    async def story(room: Room) -> None:
        await room.commands.start(plan, room.order())
        for _ in range(20):
            await room.second()
        rollout = await room.rollout()
        assert (rollout.step, rollout.waiting_for) == (0, ("boss",))
        report = await room.store.latest_report(rollout.id)
        assert report is not None
        await room.commands.approve(room.order(by="boss"), gate="boss", step=0, report_at=report.at)
        await room.second()
        assert (await room.rollout()).step == 1

    live(story)


def test_a_command_that_is_refused_changes_nothing() -> None:
    async def story(room: Room) -> None:
        await room.commands.start(PLAN, room.order())
        await room.until(Phase.PROGRESSING)
        before = (await room.rollout(), await room.kinds())
        for refused in (
            room.commands.resume(room.order()),
            room.commands.promote(room.order()),
            room.commands.approve(room.order(), gate="nobody", step=0, report_at=room.clock()),
            room.commands.start(PLAN, room.order()),
        ):
            with pytest.raises(Refused):
                await refused
        assert (await room.rollout(), await room.kinds()) == before

    live(story)


def test_a_command_between_two_ticks_is_kept_and_judged_on() -> None:
    async def story(room: Room) -> None:
        await room.commands.start(PLAN, room.order())
        await room.until(Phase.PROGRESSING)
        await room.commands.pause(room.order("lunch"))
        for _ in range(20):
            await room.second()
        assert (await room.rollout()).phase is Phase.PAUSED
        await room.commands.resume(room.order())
        await room.until(Phase.SUCCEEDED)

    live(story)


def test_commands_given_at_once_take_effect_one_after_the_other() -> None:
    async def story(room: Room) -> None:
        await room.commands.start(PLAN, room.order())
        await room.until(Phase.PROGRESSING)
        pauses = (room.commands.pause(room.order(), cap) for cap in (15.0, 10.0, 5.0))
        results = await asyncio.gather(*pauses, room.commands.abort(room.order("stop")), return_exceptions=True)
        assert (await room.rollout()).phase is Phase.ROLLING_BACK
        assert all(isinstance(result, Refused) or result.revision > 0 for result in results)

    live(story)


def test_a_share_without_a_rollout_is_adopted_by_the_next_beat() -> None:
    async def story(room: Room) -> None:
        await room.second()
        stored = await room.commands.configure(room.order("try"), Configuration(percentage=100.0))
        await room.agent.beat()
        assert stored.split.revision == room.agent.health().split_revision == 1
        assert set(await room.serve(20)) == {"canary"}
        [event] = await room.store.events()
        assert (event.kind, event.actor, event.reason) == (EventKind.CONFIG_CHANGED, "ann", "try")

    live(story)


def test_a_configuration_that_changes_nothing_is_no_event() -> None:
    async def story(room: Room) -> None:
        await room.commands.configure(room.order(), Configuration(percentage=5.0))
        await room.commands.configure(room.order(), Configuration(enabled=True, percentage=5.0))
        assert len(await room.kinds()) == 1
        assert (await room.store.split()).split.revision == 1

    live(story)


def test_switching_off_during_a_rollout_rolls_it_back() -> None:
    async def story(room: Room) -> None:
        await room.commands.start(PLAN, room.order())
        await room.until(Phase.PROGRESSING)
        await room.commands.configure(room.order("panic"), Configuration(enabled=False, percentage=0.0))
        assert (await room.store.split()).split.percentage == 0.0
        rollout = await room.until(Phase.ROLLED_BACK)
        assert rollout.receipt is not None
        assert (rollout.receipt.by, rollout.receipt.reason) == ("ann", "panic")

    live(story)


def test_the_configuration_of_an_endpoint_reaches_the_router_during_a_rollout() -> None:
    async def story(room: Room) -> None:
        await room.commands.start(PLAN, room.order())
        await room.until(Phase.PROGRESSING)
        off = (EndpointRule("*", enabled=False),)
        await room.commands.configure(room.order(), Configuration(endpoints=off))
        await room.agent.beat()
        assert set(await room.serve(50)) == {"legacy"}
        assert (await room.rollout()).phase is Phase.PROGRESSING

    live(story)


@pytest.mark.parametrize("percentage", [-1.0, 100.1, float("nan"), float("inf")])
def test_a_share_outside_of_0_to_100_is_refused(percentage: float) -> None:
    async def story(room: Room) -> None:
        with pytest.raises(InvalidInput, match="canary_percentage"):
            await room.commands.configure(room.order(), Configuration(percentage=percentage))
        assert (await room.store.split()).changed_at is None

    live(story)


def test_a_configuration_against_an_old_revision_is_refused() -> None:
    async def story(room: Room) -> None:
        await room.commands.configure(room.order(), Configuration(percentage=5.0), expected_revision=0)
        with pytest.raises(StaleRevision, match="revision 1"):
            await room.commands.configure(room.order(), Configuration(percentage=6.0), expected_revision=0)
        assert (await room.store.split()).split.percentage == 5.0

    live(story)


def test_no_snapshot_straddles_two_splits() -> None:
    async def story(room: Room) -> None:
        await room.commands.configure(room.order(), Configuration(percentage=0.0))
        await room.second(requests=0)
        for percentage in (100.0, 0.0, 100.0):
            await room.serve(10)
            room.clock.forward(0.3)
            await room.commands.configure(room.order(), Configuration(percentage=percentage))
            await room.agent.refresh()
        await room.serve(10)
        room.clock.forward(2)
        await room.agent.beat()
        by_revision: dict[int, set[str]] = {}
        for row in await room.store.snapshots_after(0):
            by_revision.setdefault(row.snapshot.split_revision, set()).update(k.version for k in row.snapshot.cells)
        assert by_revision == {0: set(), 1: {"legacy"}, 2: {"canary"}, 3: {"legacy"}, 4: {"canary"}}

    live(story)


def test_the_loop_ticks_while_it_holds_the_lease_and_gives_it_back(tmp_path: Path) -> None:
    async def story(room: Room) -> None:
        running = asyncio.create_task(loop.run(room.controller, room.store, room.clock, holder="a"))
        while await room.store.controller_heard_at() is None:
            assert not running.done()
        assert not await room.store.acquire_lease("b", room.clock(), 5)
        running.cancel()
        await asyncio.wait([running])
        assert await room.store.acquire_lease("b", room.clock(), 5)

    live(story, f"sqlite+aiosqlite:///{tmp_path}/serinus.db")


def test_two_processes_of_one_name_do_not_share_the_lease() -> None:
    async def story(room: Room) -> None:
        running = asyncio.create_task(loop.run(room.controller, room.store, room.clock, holder="shop-1"))
        while await room.store.controller_heard_at() is None:
            assert not running.done()
        assert not await room.store.acquire_lease("shop-1", room.clock(), 5)
        running.cancel()
        await asyncio.wait([running])

    live(story)


def test_the_loop_stands_by_while_another_process_holds_the_lease() -> None:
    async def story(room: Room) -> None:
        await room.store.acquire_lease("b", EPOCH, 5)
        assert await loop.attempt(room.controller, room.store, room.clock, "a") is False
        assert await room.store.controller_heard_at() is None
        room.clock.forward(5)
        assert await loop.attempt(room.controller, room.store, room.clock, "a") is True
        assert await room.store.controller_heard_at() == room.clock()

    live(story)
